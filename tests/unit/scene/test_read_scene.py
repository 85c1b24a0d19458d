"""What is made of a scene's lines: by engines that say what the test tells them, of pictures that show each line as a bar."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy
import pytest
from PIL import Image

from datagen.contract import check
from datagen.engines import Choice, tesseract
from datagen.record import Box, Drop, Quality, Sample
from datagen.scene.read_scene import ReadScene
from tests.inputs.one_script import OneScript
from tests.inputs.samples import encoded, sample

pytestmark = pytest.mark.usefixtures("no_readers")

SIZE = (400, 300)
MARK = 5  # pixels of white at the end where a line begins


@dataclass
class Bar:
    """A line, by what each engine says that it reads, if it lies as it should; `starts` is the side on which it begins."""

    box: Box
    text: str
    score: float = 0.97
    starts: str = "left"
    tesseract: str = ""
    second: str | None = None
    upside_down: float = 0.3  # the score of what it seems to say then
    found: float = 0.9  # the detector's score


@dataclass
class ScriptedEngines:
    bars: list[Bar]
    script_guess: str = "Zyyy"
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def get(self, name: str, **settings: Any) -> "Engine | OneScript":
        return OneScript(self.script_guess) if name == "script-of-lines" else Engine(self, name, settings)


class Engine:
    def __init__(self, scripted: ScriptedEngines, name: str, settings: dict[str, Any]):
        self.scripted, self.name, self.settings = scripted, name, settings

    def detect(self, images):
        scale = images[0].shape[1] / SIZE[0]
        corners = [[scale * x for x in bar.box] for bar in self.scripted.bars]
        scores = [bar.found for bar in self.scripted.bars]
        quads = [((x0, y0), (x1, y0), (x1, y1), (x0, y1)) for x0, y0, x1, y1 in corners]
        return [list(zip(quads, scores, strict=True)) for _ in images]

    def read(self, crops, lang="und"):
        self.scripted.asked.append((self.name, lang))
        return [self._read(crop) for crop in crops]

    def _read(self, crop):
        gray = crop if crop.ndim == 2 else crop[:, :, 0]
        shade = int(numpy.median(gray))
        if not 1 <= shade <= len(self.scripted.bars):
            return "paper", 0.2
        bar = self.scripted.bars[shade - 1]
        if gray[gray.shape[0] // 2, 0] < 128 or gray.shape[0] > gray.shape[1]:
            return "uwop", bar.upside_down
        if self.name == "tesseract":
            return bar.tesseract, None
        return (bar.text if bar.second is None or gray.shape[0] > 15 else bar.second), bar.score

    def turned(self, crops):
        return [0.95 if crop[crop.shape[0] // 2, -1, 0] > 128 else 0.0 for crop in crops]


def scene(scripted: ScriptedEngines, **values) -> Sample:
    image = Image.new("L", SIZE, 255)
    for shade, bar in enumerate(scripted.bars, 1):
        x0, y0, x1, y1 = bar.box
        image.paste(shade, tuple(bar.box))
        marks = {"left": (x0, y0, x0 + MARK, y1), "right": (x1 - MARK, y0, x1, y1), "top": (x0, y0, x1, y0 + MARK)}
        image.paste(255, marks.get(bar.starts, (x0, y1 - MARK, x1, y1)))
    plain = {"task": "scene", "lang": "und", "script": "Zyyy", "text": "", "regions": (), "quality": Quality()}
    return sample(image=encoded(image.convert("RGB"), "PNG"), size=SIZE, **plain | values)


def read(scripted: ScriptedEngines, stage: ReadScene | None = None, **values) -> Sample:
    (result,) = (stage or ReadScene())([scene(scripted, **values)], scripted)
    assert isinstance(result, Sample)
    check(result)
    return result


def test_lines_become_blocks_in_order_with_polygons_and_what_was_measured():
    left = [Bar(Box(10, 10 + 30 * n, 150, 30 + 30 * n), text) for n, text in enumerate(("This is the left", "of two signs"))]
    right = [Bar(Box(220, 12 + 30 * n, 390, 32 + 30 * n), text, 0.9) for n, text in enumerate(("and this is the", "right one"))]
    result = read(ScriptedEngines([right[1], left[1], right[0], left[0], Bar(Box(10, 200, 90, 220), "", 0.0)]))
    assert result.text == "This is the left\nof two signs\n\nand this is the\nright one"
    assert [(r.label, r.by, r.box, r.score) for r in result.regions] == [
        ("text", "ppocr", (10, 10, 150, 60), pytest.approx(0.97)),
        ("text", "ppocr", (220, 12, 390, 62), pytest.approx(0.9)),
        ("text", "ppocr-detector", (10, 200, 90, 220), None),
    ]
    assert [r.is_unread for r in result.regions] == [False, False, True] and not result.regions[2].text
    line = result.regions[0].lines[1]
    assert (line.box, line.polygon, line.direction) == ((10, 40, 150, 60), ((10, 40), (150, 40), (150, 60), (10, 60)), "ltr")
    assert (result.lang, result.script, result.quality.verdict) == ("en", "Latn", "none")
    assert result.quality.signals == {
        "num_lines": 4.0, "num_unread": 1.0, "num_faint": 0.0, "num_turned": 0.0,
        "reading_score": pytest.approx(0.938, abs=0.001),
    }  # fmt: skip
    assert {"PP-OCRv6_det_small", "PP-OCRv6_rec_small"} <= set(result.origin.engines)


def test_what_may_be_text_is_a_box_that_nobody_reads():
    sign, curved = Bar(Box(10, 10, 150, 30), "This is a sign"), Bar(Box(10, 100, 150, 130), "Voted by the people", found=0.5)
    within = Bar(Box(12, 12, 60, 28), "This", found=0.4)
    result = read(ScriptedEngines([sign, curved, within]))
    assert [(r.box, r.text, r.is_unread) for r in result.regions] == [
        ((10, 10, 150, 30), "This is a sign", False),
        ((10, 100, 150, 130), "", True),
    ]
    assert (result.quality.signals["num_faint"], result.quality.signals["num_unread"], result.text) == (
        1.0,
        0.0,
        "This is a sign",
    )
    engines = ScriptedEngines([sign])
    assert read(engines, ReadScene(detector=Choice.of("ppocr-detector", model="own"))).text == "This is a sign"


def test_lines_that_stand_on_their_head_or_on_a_side_are_read_and_their_polygons_begin_where_they_do():
    down, up = Bar(Box(10, 10, 30, 150), "runs down", starts="top"), Bar(Box(100, 10, 120, 150), "runs up", starts="bottom")
    head = Bar(Box(200, 100, 350, 120), "on its head", starts="right")
    result = read(ScriptedEngines([down, up, head]))
    lines = {line.text: line for region in result.regions for line in region.lines}
    assert lines["runs down"].polygon[:2] == ((30, 10), (30, 150))
    assert lines["runs up"].polygon[:2] == ((100, 150), (100, 10))
    assert lines["on its head"].polygon[:2] == ((350, 120), (200, 120))
    assert result.quality.signals["num_turned"] == 3
    assert "uwop" in read(ScriptedEngines([head]), ReadScene(angle=None)).text
    # What seems to be read well the wrong way up isn't believed where the classifier doubts it.
    sure = [replace(up, upside_down=0.9), replace(head, upside_down=0.9), head, Bar(Box(200, 140, 350, 160), "upright", 0.9)]
    assert sorted(line.text for region in read(ScriptedEngines(sure[:3])).regions for line in region.lines) == [
        "on its head"
    ] * 2 + ["runs up"]
    assert "uwop" not in read(ScriptedEngines([*sure[:1], sure[3]])).text


@pytest.mark.skipif(
    not tesseract.language("ar"), reason="Tesseract with Arabic is not installed: apt-get install tesseract-ocr-ara"
)
def test_a_scene_in_a_script_that_ppocr_does_not_know_is_read_by_who_knows_it_but_for_its_latin_lines():
    arabic = [Bar(Box(10, 10 + 40 * n, 300, 30 + 40 * n), "jgo", 0.4, tesseract="مرحبا بكم\u200f في المدينة") for n in range(2)]
    latin = Bar(Box(10, 200, 200, 220), "WELCOME TO TOWN", 0.99, tesseract="WELC0ME")
    scripted = ScriptedEngines([*arabic, latin], script_guess="Arab")
    result = read(scripted)
    assert result.text == "مرحبا بكم في المدينة\nمرحبا بكم في المدينة\n\nWELCOME TO TOWN"
    assert [(r.by, r.score, r.lines[0].direction) for r in result.regions] == [("tesseract", None, "rtl"), ("ppocr", 0.99, "ltr")]
    assert (result.lang, result.script) == ("ar", "Arab") and "tesserocr" in result.origin.engines
    # Where letters look like Latin ones, a Latin line may be none.
    likeness = Bar(Box(10, 10, 200, 30), "Ha3Ba", 0.99, tesseract="Назва")
    scripted = ScriptedEngines([likeness, replace(latin, tesseract="WELCOME TO TOWN")])
    if tesseract.language("uk"):
        assert read(scripted, lang="uk", script="Cyrl").text == "Назва\n\nWELCOME TO TOWN"
    # The caption tells the script where there is too little text for a guess.
    scripted = ScriptedEngines([Bar(Box(10, 10, 90, 30), "jgo", 0.4, tesseract="مرحبا")])
    assert read(scripted).text == "jgo" and read(scripted, caption="صورة لمدخل مدينة قديمة في الصباح").text == "مرحبا"


def test_two_readings_agree_or_make_a_line_unsure():
    bars = [Bar(Box(10, 10, 200, 30), "the same"), Bar(Box(10, 100, 200, 120), "otherwise", second="othrrwisc")]
    result = read(ScriptedEngines(bars), ReadScene(agreement=True, second_side=200))
    assert [round(line.score or 0, 3) for region in result.regions for line in region.lines] == [0.97, 0.754]
    assert result.quality.signals["agreement"] == pytest.approx((8 + 9 * 7 / 9) / 17)
    assert result.quality.signals["agreed_share"] == pytest.approx(8 / 17)
    assert "agreement" not in read(ScriptedEngines([]), ReadScene(agreement=True)).quality.signals


def test_what_is_exact_or_no_scene_passes_and_a_damaged_picture_drops():
    scripted = ScriptedEngines([Bar(Box(10, 10, 200, 30), "read")])
    drawn = scene(scripted, text="exact", quality=Quality("trusted"))
    page = scene(scripted, task="page")
    broken = replace(scene(scripted), image=b"no picture")
    passed, other, drop = ReadScene()([drawn, page, broken], scripted)
    assert passed is drawn and other is page and isinstance(drop, Drop) and drop.reason == "damaged_image"
    assert read(scripted, ReadScene(takes_all=True), text="exact", quality=Quality("trusted")).text == "read"
