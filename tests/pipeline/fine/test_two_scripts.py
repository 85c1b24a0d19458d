"""Images of pages in two scripts: the script of each line is told by its image, and its reader chosen by it."""

import io
import random

import pytest
from PIL import Image
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from datagen.drawing.prose import Prose
from datagen.drawing.sheet import Column, Flow, Sheet
from datagen.engines import Engines
from datagen.fine.annotate_image import AnnotateImage
from datagen.record import Quality, Sample
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


def letters(of: str) -> str:
    return "".join(filter(str.isalnum, of))


@pytest.mark.slow
@pytest.mark.parametrize("scripts", [("Cyrl", "Grek"), ("Hans", "Deva")])
def test_each_paragraph_is_read_by_the_reader_of_its_script(scripts):
    asked, texts = page(scripts)
    with Engines() as engines:
        (result,) = AnnotateImage()([asked], engines)
    assert isinstance(result, Sample)
    read = "".join(letters(region.text) for region in result.regions)
    assert Levenshtein.normalized_distance(read, "".join(map(letters, texts))) < 0.03
    first, second = readers = set(), set()
    for region in result.regions:
        likeness = [fuzz.partial_ratio(region.text, text) for text in texts[:2]]
        readers[likeness.index(max(likeness))].add(region.by)
    assert len(first) == len(second) == 1 and first != second
    assert first | second <= set("ppocr tesseract script".split())
