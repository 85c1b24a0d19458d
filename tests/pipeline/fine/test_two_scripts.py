"""Images of pages in two scripts: the script of each line is told by its image, and its reader chosen by it."""

import io
import random

import pytest
from PIL import Image
from rapidfuzz.distance import Levenshtein

from datagen.drawing.prose import Prose
from datagen.drawing.sheet import Column, Flow, Sheet
from datagen.engines import Engines
from datagen.fine.annotate_image import AnnotateImage
from datagen.record import Quality, Region, Sample
from tests.inputs.samples import sample
from tests.inputs.udhr import UDHR


def page(scripts: tuple[str, str]) -> tuple[Sample, list[str]]:
    """A page with paragraphs in these scripts in turn, and their texts."""
    proses = [Prose(lang, (text,), random.Random("two scripts")) for lang, text in (UDHR[script] for script in scripts)]
    sheet, texts = Sheet(proses[0]), []
    flow = Flow(sheet, [Column(60, 60, 470, 790)])
    for prose, script in zip(2 * proses, 2 * scripts, strict=True):
        texts.append(" ".join(3 * [UDHR[script][1]])[: 280 if script != "Hans" else 120])
        flow.text("text", texts[-1], 12, family=Sheet(prose).family, gap=16)
    file = io.BytesIO()
    Image.fromarray(sheet.pixels(2)).save(file, "PNG")
    size = (1190, 1684)
    plain = {"lang": "und", "script": "Zyyy", "text": "", "regions": (), "quality": Quality()}
    return sample(image=file.getvalue(), size=size, **plain), texts


def distance(region: Region, text: str) -> float:
    def letters(of: str) -> str:
        return "".join(filter(str.isalnum, of))

    return Levenshtein.normalized_distance(letters(region.text), letters(text))


_SPLIT = pytest.mark.xfail(strict=True, reason="the labeller splits Chinese paragraphs of images behind their first line")


@pytest.mark.slow
@pytest.mark.parametrize("scripts", [("Cyrl", "Grek"), pytest.param(("Hans", "Deva"), marks=_SPLIT)])
def test_each_paragraph_is_read_by_the_reader_of_its_script(scripts):
    asked, texts = page(scripts)
    with Engines() as engines:
        (result,) = AnnotateImage()([asked], engines)
    assert isinstance(result, Sample)
    nearest = [min(result.regions, key=lambda region, text=text: distance(region, text)) for text in texts]
    assert [distance(region, text) < 0.03 for region, text in zip(nearest, texts, strict=True)] == [True] * 4
    first, second = ({region.by for region in nearest[n::2]} for n in (0, 1))
    assert len(first) == len(second) == 1 and first != second
    assert first | second <= set("ppocr tesseract script".split())
