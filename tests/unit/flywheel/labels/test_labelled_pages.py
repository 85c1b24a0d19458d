"""Pages of which nearly all was accepted, as samples: what they show, what they say, and which aren't taken."""

from dataclasses import replace

import numpy
import pytest
import simplejpeg

from datagen.page.images import pixels
from datagen.record import Box, Drop, Line, Origin, Quality, Range, Reading, Region, Sample
from flywheel.labels.labelled_pages import LabelledPages, found_lines, page_readings
from tests.inputs.samples import page_sample

PAGE = "0123456789abcdef-01234567-000003"
TEXTS = ("первая строка текста", "вторая строка текста", "третья строка текста")
BY = "flywheel/round-2"


def box(number: int, x0: int = 100, x1: int = 500) -> Box:
    return Box(x0, 100 + 60 * number, x1, 140 + 60 * number)


def page(*more: Box, lines: int = 3) -> Sample:
    """A page of lines of ten letters, and more ink in these boxes."""
    gray = numpy.full((800, 600, 3), 240, numpy.uint8)
    for at in map(box, range(lines)):
        for x in range(at.x0 + 10, at.x1 - 10, 40):
            gray[at.y0 + 10 : at.y1 - 10, x : x + 15] = 20
    for x0, y0, x1, y1 in more:
        gray[y0:y1, x0:x1] = 20
    image = simplejpeg.encode_jpeg(gray, 95, "RGB")
    layer = page_sample(PAGE, "что в файле стоит", "ru", "Cyrl", image=image, size=(600, 800))
    return replace(layer, origin=replace(layer.origin, page=3, engines={"pymupdf": "2.0"}))


def crop(number: int, part: int = 0, x0: int = 100, x1: int = 500, text: str = "", **signals: float) -> Sample:
    key = f"{PAGE}-r2-{number:04d}" + (f"p{part}" if part else "")
    text, at = text or TEXTS[number], Box(0, 0, x1 - x0, 40)
    region = Region(at, "text", text, 0.98, BY, lines=(Line(at, text),))
    origin = Origin("/in/a.pdf", "ab" * 32, 3, engines={BY: "cd" * 32}, parent=PAGE, box=box(number, x0, x1))
    quality = Quality("trusted", signals={"confidence": 0.98, "agreed": 1.0} | signals)
    return Sample(key, "crop", b"", (x1 - x0, 40), "ru", "Cyrl", text, (region,), quality, origin, BY, 2)


def refused(number: int, part: int = 0, x0: int = 100, x1: int = 500, text: str = "сло", reason: str = "disagrees") -> Drop:
    key = f"{PAGE}-r2-{number:04d}" + (f"p{part}" if part else "")
    reading = Reading("ru", box(number, x0, x1), text, 0.4)
    return Drop(key, "/in/a.pdf", Range(3, 4), "ReadLines", reason, readings=(reading,))


def labelled(of_page: Sample, *outcomes: Sample | Drop, **values: object) -> Sample | Drop:
    readings = page_readings(*[[o for o in outcomes if isinstance(o, kind)] for kind in (Sample, Drop)])  # type: ignore[arg-type]
    return LabelledPages(round=2, **values).labelled(of_page, readings[PAGE])  # type: ignore[arg-type]


def test_a_page_of_accepted_lines_is_a_sample_with_its_own_image():
    given = page()
    made = labelled(given, crop(0), crop(1), crop(2, agreed=0.0))
    assert isinstance(made, Sample)
    assert (made.key, made.task, made.stage, made.round) == (f"{PAGE}-page-r2", "page", BY, 2)
    assert made.image == given.image and made.size == given.size
    assert made.text.split() == " ".join(TEXTS).split()
    assert [line.box for region in made.regions for line in region.lines] == [box(0), box(1), box(2)]
    assert {(region.by, region.detected_by) for region in made.regions} == {(BY, "ppocr-detector")}
    assert made.origin == replace(given.origin, parent=PAGE, box=Box(0, 0, 600, 800), engines={"pymupdf": "2.0", BY: "cd" * 32})
    assert (made.lang, made.script, made.group, made.quality.verdict) == ("ru", "Cyrl", given.group, "trusted")
    assert made.quality.signals == {"accepted_share": 1.0, "agreed_share": pytest.approx(2 / 3), "num_painted": 0.0}
    assert [line.score for region in made.regions for line in region.lines] == [pytest.approx(0.98)] * 3


def test_what_was_refused_is_painted_over_and_has_no_label():
    left, right = crop(1, 1, x1=300, text="вторая строка"), refused(1, 2, x0=300, text="тек")
    made = labelled(page(), crop(0), left, right, crop(2), refused(3, text=""))
    assert isinstance(made, Sample)
    assert "тек" not in made.text.split() and made.quality.signals["num_painted"] == 2
    assert made.quality.signals["accepted_share"] == pytest.approx(53 / 56)
    seen, before = pixels(made.image or b"", "L"), pixels(page().image or b"", "L")
    assert seen[160:200, 304:500].min() > 230 and before[160:200, 304:500].min() < 40
    for at in (box(0), box(1, 100, 296), box(2)):
        x0, y0, x1, y1 = at
        assert numpy.abs(seen[y0:y1, x0:x1].astype(int) - before[y0:y1, x0:x1]).max() < 20


def test_a_lone_sign_is_painted_over_and_a_page_with_a_word_that_no_line_has_is_not_taken():
    sign = Box(60, 112, 70, 122)
    made = labelled(page(sign), crop(0), crop(1), crop(2))
    assert isinstance(made, Sample) and made.quality.signals["num_painted"] == 1
    assert pixels(made.image or b"", "L")[105:130, 55:75].min() > 230
    word = [Box(x, 600, x + 15, 625) for x in range(100, 300, 40)]
    drop = labelled(page(*word), crop(0), crop(1), crop(2))
    assert isinstance(drop, Drop)
    assert (drop.key, drop.reason, drop.part, drop.detail[:2]) == (PAGE, "ink_without_line", Range(3, 4), "5 ")
    assert isinstance(labelled(page(*word), crop(0), crop(1), crop(2), max_strays=5), Sample)


def test_a_page_in_columns_is_not_taken():
    column = replace(crop(0), script="Jpan", origin=replace(crop(0).origin, box=Box(300, 100, 330, 400)))
    drop = labelled(page(), column)
    assert isinstance(drop, Drop) and drop.reason == "in_columns"


def test_accepted_parts_that_touch_are_one_run_and_a_refused_one_parts_them():
    lines = [crop(0, 1, 100, 200, "один"), crop(0, 2, 200, 300, "два"), crop(0, 4, 400, 500, "четыре")]
    reading = page_readings(lines, [refused(0, 3, 300, 400), refused(1)])[PAGE]
    (line,) = found_lines(reading)
    assert line.box == box(0)
    assert [(run.text, run.box) for run in line.runs] == [("один два", box(0, 100, 300)), ("четыре", box(0, 400, 500))]
    (line,) = found_lines(replace(reading, script="Arab"))
    assert [run.text for run in line.runs] == ["четыре", "два один"]
