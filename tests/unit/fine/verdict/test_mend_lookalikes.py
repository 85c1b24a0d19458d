"""Signs that engines took for others that look the same."""

from datagen.engines import OPEN
from datagen.fine.mend_regions import MendLookalikes
from datagen.record import Box, Line, Region
from tests.inputs.samples import sample

BOX = Box(10, 10, 90, 30)


def test_what_an_engine_read_is_mended_and_what_the_file_says_stays():
    read = [Region(BOX, "text", "入カする", 0.9, by, lines=(Line(BOX, "入カ"), Line(BOX, "する"))) for by in ("ppocr", "pymupdf")]
    (page,) = MendLookalikes()([sample(regions=tuple(read), text="", script="Jpan")], OPEN)
    assert [region.text for region in page.regions] == ["入力する", "入カする"]
    assert page.regions[0].lines[0].text == "入力" and page.regions[1] == read[1]
    assert page.text == "入力する\n\n入カする"
