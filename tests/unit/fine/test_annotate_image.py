"""Pages by their image alone: what is made of lines, layout and readings, with engines that say what the test tells them."""

import io
from dataclasses import dataclass, field, replace
from typing import Any

import numpy
import pytest
from PIL import Image

from datagen.contract import check
from datagen.engines import Choice
from datagen.fine.annotate_image import AnnotateImage
from datagen.record import Box, Drop, Quality, Region, Sample
from tests.inputs.samples import sample

SIZE = (1000, 1400)


@dataclass
class Told:
    """Engines by name: the detector finds `lines`, PP-OCR reads each by its shade of gray, layouts see what they are told."""

    lines: list[tuple[Box, str, float]] = field(default_factory=list)
    layout: list[Region] = field(default_factory=list)
    equations: list[Region] = field(default_factory=list)
    quarters_by_width: dict[int, int] = field(default_factory=dict)
    readings: dict[int, tuple[str, float | None]] = field(default_factory=dict)
    script_guess: str = "Zyyy"
    tesseract: dict[int, str] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def get(self, name: str, **settings: Any) -> "Engine":
        return Engine(self, name)


class Engine:
    def __init__(self, told: Told, name: str):
        self.told, self.name = told, name

    def detect(self, images):
        return [[(((b.x0, b.y0), (b.x1, b.y0), (b.x1, b.y1), (b.x0, b.y1)), 0.9) for b, *_ in self.told.lines] for _ in images]

    def read(self, crops, lang="und"):
        self.told.asked.append((self.name, lang))
        shades = [int(numpy.median(crop)) for crop in crops]
        if self.name == "tesseract":
            return [(self.told.tesseract.get(shade, ""), None) for shade in shades]
        return [self.told.lines[shade - 1][1:] if shade <= len(self.told.lines) else ("paper", 0.3) for shade in shades]

    def regions(self, images, lines):
        self.told.asked.append((self.name, tuple(line.text for line in lines[0])))
        return [tuple(self.told.equations if self.name == "cdla" else self.told.layout)]

    def quarters(self, images):
        return [(self.told.quarters_by_width.get(images[0].shape[1], 0), 0.9)]

    def script(self, page):
        return self.told.script_guess


def page(told: Told, **values) -> Sample:
    """A page that shows each line as a box of its own shade of gray, by which it is read."""
    image = Image.new("L", SIZE, 255)
    for shade, (box, *_) in enumerate(told.lines, 1):
        image.paste(shade, tuple(box))
    file = io.BytesIO()
    image.convert("RGB").save(file, "PNG")
    plain = {"lang": "und", "script": "Zyyy", "text": "", "regions": (), "quality": Quality()}
    return sample(image=file.getvalue(), size=SIZE, **plain | values)


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
        lines=[*rows(300, 20, 300, "A JOURNAL"), *rows(300, 100, 400, "Title"), *LEFT, *RIGHT, *rows(480, 1350, 30, "17")],
        layout=[seen("text", 540, 190, 960, 320), seen("header", 290, 10, 610, 60), seen("title", 290, 90, 710, 140),
                seen("text", 40, 190, 460, 320), seen("footer", 470, 1340, 520, 1390)],
    )  # fmt: skip
    result = annotated(told)
    assert [(r.label, r.text[:16]) for r in result.regions] == [
        ("header", "A JOURNAL"), ("title", "Title"), ("text", "Many words of th"), ("text", "The right column"),
        ("page_number", "17"),
    ]  # fmt: skip
    assert result.text.startswith("# Title\n\nMany words of the left column are cut at the end of a line and continue in")
    assert "JOURNAL" not in result.text and "17" not in result.text
    assert (result.lang, result.script, result.quality.verdict) == ("en", "Latn", "trusted")
    assert result.quality.signals == {"num_unread": 0.0, "layout_share": 1.0, "reading_score": pytest.approx(0.95)}
    assert {r.by for r in result.regions} == {"ppocr"} and {r.detected_by for r in result.regions} == {"pymupdf-layout"}
    assert {"PP-OCRv6_det_small", "PP-OCRv6_rec_small", "pymupdf_layout", "layout_cdla"} <= result.origin.engines.keys()


def test_columns_that_the_layout_takes_for_one_region_are_read_one_after_the_other():
    left = rows(50, 200, 400, *(f"the left column has the line {n} here" for n in range(8)))
    right = rows(490, 200, 400, *(f"the right column has the line {n} here" for n in range(8)))
    text = annotated(
        Told(lines=[line for pair in zip(left, right, strict=True) for line in pair], layout=[seen("text", 40, 190, 900, 530)])
    ).text
    assert text.index("left column has the line 7") < text.index("right column has the line 0")


def test_lines_in_no_region_get_regions_and_regions_without_lines_go():
    told = Told(
        lines=LEFT, layout=[seen("text", 540, 190, 960, 320), seen("table", 0, 900, 900, 1000), seen("image", 40, 500, 400, 800)]
    )
    text, picture = annotated(told).regions
    assert (text.label, text.detected_by, text.box) == ("text", "ppocr-detector", Box(50, 200, 450, 310))
    assert (picture.label, picture.text, picture.is_unread) == ("image", "", False)


def test_tables_and_formulas_are_unread_and_keep_their_lines():
    told = Told(
        lines=[*LEFT, *rows(80, 500, 200, "E=mc2"), *rows(80, 800, 100, "a", "b")],
        layout=[seen("text", 40, 190, 460, 540), seen("table", 60, 780, 300, 900)],
        equations=[seen("equation", 60, 490, 300, 540, by="cdla"), seen("equation", 60, 790, 200, 830, by="cdla")],
    )  # fmt: skip
    text, formula, table = annotated(told).regions
    assert text.label == "text" and "mc2" not in text.text
    assert (formula.label, formula.format, formula.is_unread, formula.text) == ("equation", "latex", True, "")
    assert (table.label, table.format, table.is_unread, table.text) == ("table", "html", True, "")
    assert [line.text for line in formula.lines] == ["E=mc2"]
    assert [line.text for line in table.lines] == ["a", "b"]
    assert annotated(told).text == text.text


def test_a_picture_that_is_full_of_lines_is_text():
    lines = rows(50, 200, 400, *(f"words in a box with a frame, line {n}" for n in range(6)))
    regions = annotated(Told(lines=lines, layout=[seen("image", 40, 190, 460, 440)])).regions
    assert {r.label for r in regions} == {"text"} and sum(len(r.lines) for r in regions) == 6


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


def test_what_nobody_could_read_is_counted_and_not_there():
    told = Told(lines=[*LEFT, *rows(50, 600, 300, "", score=0.0)])
    result = annotated(told)
    assert result.quality.signals["num_unread"] == 1
    assert sum(len(r.lines) for r in result.regions) == 3


def test_a_page_is_turned_only_if_it_is_read_more_surely_then(monkeypatch):
    told = Told(lines=LEFT, quarters_by_width={SIZE[0]: 2})
    assert "turned" not in annotated(told).quality.signals
    unsure = [(box, text, 0.3) for box, text, _ in LEFT]
    told = Told(lines=unsure, quarters_by_width={SIZE[0]: 2})

    def read(self, crops, lang="und"):
        # Where the lines were, the turned page shows paper.
        return [("Words of a page that was turned", 0.9 if numpy.median(crop) == 255 else 0.3) for crop in crops]

    monkeypatch.setattr(Engine, "read", read)
    result = annotated(told)
    assert (result.quality.signals["turned"], result.quality.signals["reading_score"]) == (2, pytest.approx(0.9))
    assert result.image != page(told).image and result.size == SIZE


def test_lines_carry_their_direction_and_a_right_to_left_page_its_order():
    right = [(box, "هذا هو السطر الأول من النص العربي", 0.9) for box, *_ in RIGHT]
    left = [(box, "وهذا هو العمود الثاني من الصفحة", 0.9) for box, *_ in LEFT]
    told = Told(lines=[*left, *right], layout=[seen("text", 540, 190, 960, 320), seen("text", 40, 190, 460, 320)])
    # Text in Arabic, whoever read it, is Tesseract's.
    told.tesseract = {n: text for n, (_, text, _) in enumerate([*left, *right], 1)}
    result = annotated(told)
    assert {line.direction for r in result.regions for line in r.lines} == {"rtl"}
    assert [r.box.x0 > 500 for r in result.regions] == [True, False]


def test_columns_from_top_to_bottom_are_laid_down_and_read_from_the_right(monkeypatch):
    columns = ["吾輩は猫である名前はまだ無い", "どこで生れたか頓と見当がつかぬ", "何でも薄暗いじめじめした所で"]
    told = Told(lines=[(Box(700 - 80 * n, 100, 740 - 80 * n, 700), text, 0.99) for n, text in enumerate(columns)])
    shapes = []
    read = Engine.read

    def seen_upright(self, crops, lang="und"):
        shapes.extend(crop.shape for crop in crops)
        return read(self, crops, lang)

    monkeypatch.setattr(Engine, "read", seen_upright)
    result = annotated(told)
    assert all(width > height for height, width in shapes)
    assert "".join(r.text for r in result.regions) == "".join(columns)
    assert {line.direction for r in result.regions for line in r.lines} == {"ttb"}
    assert (result.lang, result.script) == ("ja", "Jpan")


def test_verse_that_an_engine_takes_for_a_formula_is_text():
    told = Told(
        lines=rows(200, 200, 400, "Nor discontent have sway", "Let not a sullen brow appear"),
        layout=[seen("equation", 190, 190, 620, 280)],
    )
    assert "sullen brow" in annotated(told).text


def test_a_formula_is_told_by_the_number_at_the_end_of_its_line():
    words = rows(
        100,
        200,
        800,
        "Text goes from one margin to the other one, and then there",
        "follows what it says in signs, as in any paper on physics",
    )
    formula = [(Box(200, 300, 500, 330), "a + b = c", 0.9), (Box(850, 300, 900, 330), "(3)", 0.99)]
    told = Told(lines=[*words, *formula], layout=[seen("text", 90, 190, 910, 340)])
    assert [(r.label, r.is_unread) for r in annotated(told).regions] == [("text", False), ("equation", True), ("text", False)]


def test_a_skewed_line_is_read_straight_and_keeps_its_corners(monkeypatch):
    told = Told(lines=LEFT)
    quad = ((50.0, 200.0), (450.0, 240.0), (447.0, 270.0), (47.0, 230.0))

    class Skewed(Engine):
        def detect(self, images):
            return [[(quad, 0.9)]]

        def read(self, crops, lang="und"):
            shapes.extend(crop.shape for crop in crops)
            return [("A line that runs upwards", 0.9) for _ in crops]

    shapes: list[tuple[int, ...]] = []
    monkeypatch.setattr(told, "get", lambda name, **settings: Skewed(told, name))
    (region,) = annotated(told).regions
    assert shapes == [(30, 402)]
    assert region.lines[0].polygon == quad and region.lines[0].box == Box(47, 200, 450, 270)


class Ordered(Engine):
    """A layout that knows the order of its regions."""

    is_ordered = True

    def regions(self, images, lines):
        return [tuple(self.told.layout) for _ in images]


@dataclass
class InOrder(Told):
    """The same, with such a layout."""

    def get(self, name: str, **settings: Any) -> Engine:
        return Ordered(self, name) if name == "pp-doclayout" else Engine(self, name)


def test_a_layout_s_own_order_holds_and_what_it_did_not_see_stands_where_it_lies():
    told = InOrder(
        lines=[
            (Box(100, 100, 400, 130), "read second", 0.95),
            (Box(600, 100, 900, 130), "read first", 0.95),
            (Box(100, 900, 400, 930), "not seen", 0.95),
        ],
        layout=[
            seen("text", 600, 90, 900, 140, by="pp-doclayout"),
            seen("text", 100, 90, 400, 140, by="pp-doclayout"),
        ],
    )
    stage = AnnotateImage(layout=Choice("pp-doclayout"), equations=None, orientation=None)
    (result,) = stage([page(told)], told)
    assert [region.text for region in result.regions] == ["read first", "read second", "not seen"]
    (geometric,) = replace(stage, layout=Choice("pymupdf-layout"))([page(told)], told)
    assert [region.text for region in geometric.regions] == ["read second", "read first", "not seen"]


def test_pages_are_looked_at_together_and_come_back_in_their_order():
    told = InOrder(lines=[(Box(100, 100, 400, 130), "a line", 0.95)], layout=[seen("text", 90, 90, 400, 140, by="pp-doclayout")])
    stage = AnnotateImage(layout=Choice("pp-doclayout"), equations=None, orientation=None, batch_size=4)
    trusted = page(told, key="b", text="known", quality=Quality("trusted"))
    batch = [page(told, key="a"), trusted, replace(page(told, key="c"), image=b"no image"), page(told, key="d")]
    first, same, dropped, last = stage(batch, told)
    assert [first.key, same, dropped.key, last.key] == ["a", trusted, "c", "d"]
    assert dropped.reason == "damaged_image"
    assert first.text == last.text == "a line"


def test_it_wants_a_gpu_if_one_of_its_engines_does():
    assert AnnotateImage().needs.gpus == 0
    assert AnnotateImage(layout=Choice("pp-doclayout")).needs.gpus == 1
    assert AnnotateImage(layout=Choice.of("pp-doclayout", device="cpu")).needs.gpus == 0
