"""Pages by their image alone: what is made of lines, layout and readings, with engines that say what the test tells them."""

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

import numpy
import pytest
from PIL import Image

from datagen.contract import check
from datagen.fine.annotate_image import AnnotateImage
from datagen.record import Box, Drop, Quality, Region, Sample
from tests.inputs.one_script import OneScript
from tests.inputs.samples import encoded, sample

pytestmark = pytest.mark.usefixtures("no_readers")

SIZE = (1000, 1400)


@dataclass
class Told:
    """Engines by name: the detector finds `lines`, PP-OCR reads each by its shade of gray, layouts see what they are told."""

    lines: list[tuple[Box, str, float]] = field(default_factory=list)
    layout: list[Region] = field(default_factory=list)
    equations: list[Region] = field(default_factory=list)
    grid: numpy.ndarray | None = None
    quarters_by_width: dict[int, int] = field(default_factory=dict)
    readings: dict[int, tuple[str, float | None]] = field(default_factory=dict)
    script_guess: str = "Zyyy"
    confidence: float = 0.9
    confidences: list[float] = field(default_factory=list)
    tesseract: dict[int, str] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def get(self, name: str, **settings: Any) -> "Engine | OneScript":
        return OneScript(self.script_guess) if name == "script-of-lines" else Engine(self, name)


class Engine:
    def __init__(self, told: Told, name: str):
        self.told, self.name = told, name

    @property
    def confidences(self) -> list[float] | None:
        """Tesseract's, of its last readings."""
        return self.told.confidences if self.name == "tesseract" else None

    def detect(self, images):
        return [[(((b.x0, b.y0), (b.x1, b.y0), (b.x1, b.y1), (b.x0, b.y1)), 0.9) for b, *_ in self.told.lines] for _ in images]

    def read(self, crops, lang="und"):
        self.told.asked.append((self.name, lang))
        shades = [int(numpy.median(crop)) for crop in crops]
        if self.name == "tesseract":
            self.told.confidences = [self.told.confidence] * len(crops)
            return [(self.told.tesseract.get(shade, ""), None) for shade in shades]
        return [self.told.lines[shade - 1][1:] if shade <= len(self.told.lines) else ("paper", 0.3) for shade in shades]

    def regions(self, images, lines):
        self.told.asked.append((self.name, tuple(line.text for line in lines[0])))
        return [tuple(self.told.equations if self.name == "cdla" else self.told.layout)]

    def quarters(self, images):
        return [(self.told.quarters_by_width.get(images[0].shape[1], 0), 0.9)]

    def grids(self, images):
        return [self.told.grid if self.told.grid is not None else lying(image) for image in images]


def lying(image: numpy.ndarray) -> numpy.ndarray:
    """The grid of a sheet that lies flat and fills the image."""
    height, width = image.shape[:2]
    return numpy.stack(numpy.meshgrid(numpy.linspace(0, width - 1, 31), numpy.linspace(0, height - 1, 45)), -1)


def page(told: Told, **values) -> Sample:
    """A page that shows each line as a box of its own shade of gray, by which it is read."""
    image = Image.new("L", SIZE, 255)
    for shade, (box, *_) in enumerate(told.lines, 1):
        image.paste(shade, tuple(box))
    plain = {"lang": "und", "script": "Zyyy", "text": "", "regions": (), "quality": Quality()}
    return sample(image=encoded(image.convert("RGB"), "PNG"), size=SIZE, **plain | values)


def annotated(told: Told, **values) -> Sample:
    (result,) = AnnotateImage()([page(told, **values)], told)
    assert isinstance(result, Sample)
    check(result)
    return result


def seen(label: str, *box: int, by: str = "pymupdf-layout", score: float | None = None) -> Region:
    return Region(Box(*box), label, "", score, by, detected_by=by, is_unread=True)


def rows(x0: int, y0: int, width: int, *texts: str, score: float = 0.95) -> list[tuple[Box, str, float]]:
    return [(Box(x0, y0 + 40 * n, x0 + width, y0 + 40 * n + 30), text, score) for n, text in enumerate(texts)]


LEFT = rows(
    50,
    200,
    400,
    "Many words of the left column are",
    "cut at the end of a line and contin-",
    "ue in the one that stands below it.",
)
RIGHT = rows(
    550,
    200,
    400,
    "The right column has as many of",
    "these lines, and it is to be read af-",
    "ter the other one has come to its end.",
)


def test_a_page_becomes_regions_in_order_with_words_whole_and_running_heads_apart():
    told = Told(
        lines=[*rows(300, 20, 300, "A JOURNAL"), (Box(300, 84, 700, 144), "Title", 0.95), *LEFT, *RIGHT,
               *rows(480, 1350, 30, "17")],
        layout=[seen("text", 540, 190, 960, 320), seen("header", 290, 10, 610, 60), seen("title", 290, 80, 710, 150),
                seen("text", 40, 190, 460, 320), seen("footer", 470, 1340, 520, 1390)],
    )  # fmt: skip
    result = annotated(told)
    assert [(r.label, r.text[:16]) for r in result.regions] == [
        ("header", "A JOURNAL"), ("title", "# Title"), ("text", "Many words of th"), ("text", "The right column"),
        ("page_number", "17"),
    ]  # fmt: skip
    assert result.text.startswith("# Title\n\nMany words of the left column are cut at the end of a line and continue in")
    assert "JOURNAL" not in result.text and "17" not in result.text
    assert (result.lang, result.script, result.quality.verdict) == ("en", "Latn", "trusted")
    assert result.quality.signals == {
        "num_unread": 0.0,
        "layout_share": 1.0,
        "reading_score": pytest.approx(0.95),
        "structure_score": result.quality.signals["structure_score"],
    }
    assert {r.by for r in result.regions} == {"ppocr"} and {r.detected_by for r in result.regions} == {"layouts"}
    assert {"PP-OCRv6_det_small", "PP-OCRv6_rec_small", "pymupdf_layout", "layout_cdla"} <= result.origin.engines.keys()


def test_lines_in_no_region_get_regions_and_regions_without_lines_go():
    told = Told(
        lines=LEFT, layout=[seen("text", 540, 190, 960, 320), seen("table", 0, 900, 900, 1000), seen("image", 40, 500, 400, 800)]
    )
    *texts, picture = annotated(told).regions
    assert {(text.label, text.detected_by) for text in texts} == {("text", "layouts")} and len(texts) <= 2
    assert [line.text for text in texts for line in text.lines] == [text for _, text, _ in LEFT]
    assert (picture.label, picture.text, picture.is_unread) == ("image", "", False)


def test_what_is_written_in_a_picture_is_its_text_and_running_text_that_lies_in_one_is_read():
    words = [(Box(100 + 120 * n, 300, 160 + 120 * n, 330), f"{n}0 km", 0.95) for n in range(5)]
    words.append((Box(100, 400, 900, 880), "", 0.0))  # what is drawn there
    picture, *others = annotated(Told(lines=words, layout=[seen("image", 50, 190, 950, 900)])).regions
    assert not others
    assert (picture.label, picture.text, picture.by) == ("image", "00 km\n10 km\n20 km\n30 km\n40 km", "ppocr")
    prose = rows(60, 200, 400, *(f"words that a layout engine takes for a picture {n}" for n in range(6)))
    prose.append((Box(100, 600, 900, 1380), "", 0.0))
    result = annotated(Told(lines=prose, layout=[seen("image", 0, 0, 1000, 1400)]))
    assert "image" not in {r.label for r in result.regions if r.lines} and "picture 5" in result.text


def test_without_a_layout_the_lines_stand_in_order_and_the_page_says_so(monkeypatch):
    lines = [line for column in (50, 550) for line in rows(column, 200, 400, *(f"column at {column} line {n}" for n in range(6)))]
    told = Told(lines=lines, layout=[seen("text", 0, 1300, 1000, 1390)])
    result = annotated(told)
    assert "layout_failed" in result.quality.reasons and result.quality.verdict == "suspect"
    assert result.text.index("column at 50 line 5") < result.text.index("column at 550 line 0")

    def fails(self, images, lines):
        if self.name == "pymupdf-layout":
            raise RuntimeError("an operator has no kernel")
        return [()]

    monkeypatch.setattr(Engine, "regions", fails)
    again = annotated(told)
    assert (again.text, again.quality.reasons) == (result.text, ("layout_failed",))


def test_pages_that_can_be_believed_pass_as_they_are_and_others_do_not():
    told = Told(lines=LEFT)
    believed = page(told, text="It says so.", quality=Quality("trusted"))
    assert list(AnnotateImage()([believed], told)) == [believed]
    crop = page(told, task="crop")
    assert list(AnnotateImage()([crop], told)) == [crop]
    lying = page(told, text="It says so.", quality=Quality("suspect", ("ink_lies",)))
    for stage, given in ((AnnotateImage(), lying), (AnnotateImage(takes_all=True), believed)):
        (result,) = stage([given], told)
        assert result.text.startswith("Many words")


def test_an_image_that_is_damaged_is_a_drop_and_one_without_text_is_a_page_without_regions():
    told = Told()
    (drop,) = AnnotateImage()([replace(page(told), image=b"no image")], told)
    assert isinstance(drop, Drop) and (drop.reason, drop.stage) == ("damaged_image", "AnnotateImage")
    empty = annotated(told)
    assert (empty.text, empty.regions, empty.quality.verdict) == ("", (), "none")


def test_a_page_is_read_turned_if_that_is_surer_and_its_label_is_of_the_picture_as_it_came(monkeypatch):
    told = Told(lines=LEFT, quarters_by_width={SIZE[0]: 2})
    assert "turned" not in annotated(told).quality.signals
    # The lines of the picture lie on their head: their beginning is dark on the right.
    dark_first = numpy.repeat(numpy.linspace(40, 220, 400, dtype=numpy.uint8)[None], 30, axis=0)
    pixels = numpy.full((SIZE[1], SIZE[0], 3), 255, numpy.uint8)
    for box, *_ in LEFT:
        pixels[SIZE[1] - box.y1 : SIZE[1] - box.y0, SIZE[0] - box.x1 : SIZE[0] - box.x0] = dark_first[::-1, ::-1, None]
    png = encoded(Image.fromarray(pixels), "PNG")

    def detect(self, images):
        found = []
        for image in images:
            inked = [numpy.flatnonzero((image[..., 0] < 250).any(axis=axis)) for axis in (1, 0)]
            tops = [inked[0][0], *(b for a, b in itertools.pairwise(inked[0]) if b > a + 1)]
            x0, x1 = float(inked[1][0]), float(inked[1][-1] + 1)
            found.append([(((x0, y), (x1, y), (x1, y + 30.0), (x0, y + 30.0)), 0.9) for y in map(float, tops)])
        return found

    def read(self, crops, lang="und"):
        return [("Words of a page that was turned", 0.9 if crop[:, 9].mean() < crop[:, -9].mean() else 0.3) for crop in crops]

    monkeypatch.setattr(Engine, "detect", detect)
    monkeypatch.setattr(Engine, "read", read)
    given = replace(page(told), image=png)
    (result,) = AnnotateImage()([given], told)
    check(result)
    assert (result.quality.signals["turned"], result.quality.signals["reading_score"]) == (2, pytest.approx(0.9))
    assert (result.image, result.size) == (given.image, given.size)
    lines = [line for region in result.regions for line in region.lines]
    first = LEFT[0][0]
    assert [line.box.y0 for line in lines] == [SIZE[1] - box.y1 for box, *_ in LEFT]  # the first line is the lowest
    assert lines[0].polygon[0] == (SIZE[0] - first.x0, SIZE[1] - first.y0)  # where it begins


def test_a_bent_page_is_read_flat_and_a_model_of_its_sheet_that_folds_over_is_dropped():
    bent = lying(numpy.zeros((SIZE[1], SIZE[0])))
    bent[..., 1] += 60 * numpy.sin(numpy.linspace(0, numpy.pi, 31))  # the middle of each line is 60 pixels lower
    told = Told(lines=LEFT, grid=bent)
    result = annotated(told)
    assert result.quality.signals["unwarped"] > 0.02
    first = result.regions[0].lines[0]
    assert first.box.y1 - first.box.y0 > 60 > 30 > abs(first.polygon[0][1] - first.polygon[1][1]) - 30
    told.grid = bent[:, ::-1]
    result = annotated(told)
    assert result.quality.signals["unfit_sheet"] == 1 and "unwarped" not in result.quality.signals
    assert result.regions[0].lines[0].polygon == ()


COLUMNS = (
    "吾輩は猫である名前はまだ無い どこで生れたか頓と見当がつかぬ 何でも薄暗いじめじめした所で "
    "ニャーニャー泣いていた事だけは 記憶している吾輩はここで始めて"
).split()


def standing(num: int) -> list[tuple[Box, str, float]]:
    """The first columns, from the right."""
    return [(Box(700 - 80 * n, 100, 740 - 80 * n, 700), text, 0.99) for n, text in enumerate(COLUMNS[:num])]


def test_verse_that_an_engine_takes_for_a_formula_is_text():
    told = Told(
        lines=rows(200, 200, 400, "Nor discontent have sway", "Let not a sullen brow appear"),
        layout=[seen("equation", 190, 190, 620, 280)],
    )
    assert "sullen brow" in annotated(told).text


def test_a_formula_is_unread_and_as_large_as_what_the_layout_sees():
    words = rows(
        100,
        200,
        800,
        "Text goes from one margin to the other one, and then there",
        "follows what it says in signs, as in any paper on physics",
    )
    formula = [(Box(200, 300, 500, 330), "a + b = c", 0.9), (Box(850, 300, 900, 330), "(3)", 0.99)]
    told = Told(lines=[*words, *formula], equations=[seen("equation", 190, 290, 520, 340, by="cdla")])
    told.layout = [seen("text", 90, 190, 910, 280), seen("text", 190, 290, 910, 340)]
    (made,) = (region for region in annotated(told).regions if region.label == "equation")
    assert (made.is_unread, made.format, made.box) == (True, "latex", Box(190, 290, 520, 340))


def test_a_skewed_line_is_read_straight_and_keeps_its_corners(monkeypatch):
    told = Told(lines=LEFT)
    quad = ((50.0, 200.0), (450.0, 240.0), (447.0, 270.0), (47.0, 230.0))

    class Skewed(Engine):
        def detect(self, images):
            level = [((50.0, y), (450.0, y), (450.0, y + 30), (50.0, y + 30)) for y in (600.0, 640.0)]
            return [[(of, 0.9) for of in (quad, *level)]]

        def read(self, crops, lang="und"):
            shapes.extend(crop.shape for crop in crops)
            return [("A line that runs upwards", 0.9) for _ in crops]

    shapes: list[tuple[int, ...]] = []
    monkeypatch.setattr(told, "get", lambda name, **settings: Skewed(told, name))
    (result,) = AnnotateImage(unwarping=None)([page(told)], told)
    assert shapes[0] == (30, 402 + 9)  # and a little at both ends
    lines = [line for region in result.regions for line in region.lines]
    assert lines[0].polygon == quad and lines[0].box == Box(47, 200, 450, 270)
    assert not any(line.polygon for line in lines[1:])


@pytest.mark.parametrize(("num", "numbers"), [(4, []), (5, [(Box(700, 720, 800, 750), "12", 0.99)])])
def test_columns_that_the_layout_has_for_a_table_are_text_with_a_number_that_lies_among_them(num, numbers):
    told = Told(lines=[*standing(num), *numbers], layout=[seen("table", 340, 50, 820, 760)])
    result = annotated(told)
    assert "table" not in {region.label for region in result.regions}
    assert "".join(region.text for region in result.regions if region.text != "12") == "".join(COLUMNS[:num])
