"""Mongolian pages: letters lie on their side in columns, of which the leftmost is read first."""

import re

import pymupdf
import pytest
from rapidfuzz.distance import Levenshtein

from datagen.engines import Engines
from datagen.fine.annotate_image import AnnotateImage
from datagen.fine.text_layer import annotated_layer
from datagen.record import Quality, Sample
from tests.inputs.mongolian_pages import mongolian_page
from tests.inputs.pdfs import noto
from tests.inputs.samples import sample
from tests.opened import read


@pytest.fixture(autouse=True)
def typeface():
    noto("NotoSansMongolian")


def letters(text: str) -> str:
    return re.sub(r"\W+", "", text)


@pytest.mark.parametrize("shuffled", [False, True])
def test_columns_of_a_text_layer_are_read_from_the_left_in_tiers_whatever_order_the_file_has(shuffled):
    pdf, texts = mongolian_page(shuffled=shuffled)
    regions = read(pdf, function=annotated_layer).regions
    assert letters("".join(region.text for region in regions)) == letters("".join(texts))
    assert {region.label for region in regions} == {"text"}
    assert {line.direction for region in regions for line in region.lines} == {"ttb"}


@pytest.mark.slow
def test_columns_of_an_image_are_found_and_read_from_the_left_by_the_script_s_reader():
    pdf, texts = mongolian_page()
    with pymupdf.open(stream=pdf) as doc:
        pixmap = doc[0].get_pixmap(dpi=150)
    image, size = pixmap.tobytes("png"), (pixmap.width, pixmap.height)
    page = sample(image=image, size=size, lang="und", script="Zyyy", text="", regions=(), quality=Quality())
    with Engines() as engines:
        (result,) = AnnotateImage()([page], engines)
    assert isinstance(result, Sample)
    assert result.script == "Mong" and {region.by for region in result.regions} == {"script"}
    assert "turned" not in result.quality.signals
    assert {line.direction for region in result.regions for line in region.lines} == {"ttb"}
    lines = [line.box for region in result.regions for line in region.lines]
    tiers = [[box.x0 for box in lines if (box.y0 > size[1] / 2) is below] for below in (False, True)]
    assert [box.y0 > size[1] / 2 for box in lines] == [False] * len(tiers[0]) + [True] * len(tiers[1])
    assert all(xs == sorted(xs) and len(xs) > 4 for xs in tiers)
    # Of letters that look alike the reader writes another one: read in another order the distance is over 0.6.
    assert Levenshtein.normalized_distance(letters(result.text), letters("".join(texts))) < 0.3
