"""Regions cut out of pages, read by engines that say what they were given."""

from collections.abc import Sequence
from dataclasses import replace

import numpy
import pytest

from datagen.contract import check
from datagen.engines import ENGINES, Choice, Engines
from datagen.fine.read_regions import ReadRegions
from datagen.record import Box, Line, Region, Sample
from tests.chat_server import fails, says, serving
from tests.inputs.samples import image, sample

WIDTH, HEIGHT = 200, 100
HERE = "tests.unit.fine.test_read_regions"


class Echo:
    """Writes its crop's size and its lines into a table."""

    format = "html"
    calls: list[tuple[int, str]] = []  # noqa: RUF012  shared by design: the stage opens the engine by name

    def read(self, crops: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]], lang: str = "und"):
        self.calls.append((len(crops), lang))
        rows = ["".join(f"<td>{line.text} {tuple(line.box)}</td>" for line in of_crop) for of_crop in lines]
        sizes = [f"{crop.shape[1]} x {crop.shape[0]}" for crop in crops]
        return [(f"<table><tr><th>{size}</th>{row}</tr></table>", 0.5) for size, row in zip(sizes, rows, strict=True)]

    def versions(self) -> dict[str, str]:
        return {"echo": "1"}

    def close(self) -> None:
        pass


class Says:
    """Says what it is told to."""

    def __init__(self, text: str, format: str = "html"):
        self.text, self.format = text, format

    def read(self, crops: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]], lang: str = "und"):
        return [(self.text, None)] * len(crops)

    def versions(self) -> dict[str, str]:
        return {"says": self.text}

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "echo", f"{HERE}:Echo")
    monkeypatch.setitem(ENGINES, "says", f"{HERE}:Says")
    monkeypatch.setattr(Echo, "calls", [])


def region(label: str, box: Box, is_unread: bool = True, **values) -> Region:
    text = "" if is_unread else label
    return replace(Region(box, label, text, None if is_unread else 0.9, "layout", is_unread=is_unread), **values)


def page(*regions: Region, key: str = "a-000000", **values) -> Sample:
    return sample(key, image=image(WIDTH, HEIGHT), size=(WIDTH, HEIGHT), regions=regions, text="", **values)


def read(stage: ReadRegions, *pages: Sample) -> list[Sample]:
    with Engines() as engines:
        results = list(stage(pages, engines))
    assert all(isinstance(result, Sample) for result in results)
    for result in results:
        check(result)
    return results


TABLE = Box(50, 40, 150, 90)
ECHO = ReadRegions(tables=Choice("echo"), margin=6)


def test_a_table_is_cut_out_with_a_margin_and_read_with_its_lines_in_the_crops_pixels() -> None:
    of_table = region("table", TABLE, lines=(Line(Box(60, 50, 80, 60), "one"),))
    header = region("header", Box(0, 0, 20, 5), is_unread=False)
    (result,) = read(ECHO, page(header, of_table))
    html = "<table><tr><td>112 x 62</td><td>one (16, 16, 36, 26)</td></tr></table>"
    assert result.text == html  # running heads are no part of the page's text
    assert result.regions == (
        header,
        replace(of_table, text=html, score=0.5, by="echo", detected_by="layout", format="html", is_unread=False),
    )
    assert not any(name.startswith("unread_") for name in result.quality.signals)


def test_a_table_that_loses_its_lines_or_that_nobody_reads_is_text_row_by_row() -> None:
    lines = tuple(
        Line(Box(60 + 30 * x, 50 + 12 * y, 80 + 30 * x, 60 + 12 * y), f"cell {x}{y}", score=0.9) for x in (1, 0) for y in range(3)
    )
    of_table = region("table", TABLE, lines=lines, by="reader", detected_by="layout")
    for tables, signals in (
        (Choice.of("says", text="<table><tr><td>cell 00</td></tr></table>"), {"not_read_lines_lost": 1.0}),
        (None, {}),
    ):
        (result,) = read(ReadRegions(tables=tables), page(of_table))
        assert result.text == "cell 00 cell 10\ncell 01 cell 11\ncell 02 cell 12"
        (text,) = result.regions
        assert (text.label, text.format, text.is_unread, text.by, text.score) == ("text", "markdown", False, "reader", 0.9)
        assert {name: value for name, value in result.quality.signals.items() if name.startswith("not_read")} == signals
    (few,) = read(ReadRegions(tables=None), page(replace(of_table, lines=lines[:2])))
    assert few.regions[0].is_unread and few.quality.signals["unread_table"] == 1


def test_a_table_on_a_page_that_was_turned_is_read_as_if_it_stood_upright() -> None:
    corners = ((150.0, 20.0), (150.0, 80.0), (110.0, 80.0), (110.0, 20.0))  # its text runs down
    line = Line(Box(130, 30, 140, 60), "one", polygon=((140.0, 30.0), (140.0, 60.0), (130.0, 60.0), (130.0, 30.0)))
    (result,) = read(ECHO, page(region("table", Box(110, 20, 150, 80), lines=(line,), polygon=corners)))
    assert result.text == "<table><tr><td>72 x 52</td><td>one (16, 16, 46, 26)</td></tr></table>"


@pytest.mark.parametrize(
    ("said", "format"),
    [
        *((said, "html") for said in ("", "a table", "<table><tr><td></td><td> </td></tr></table>", "<table><tr><td>1</td>")),
        ('<table><tr><td>1</td><td rowspan="2">2</td></tr></table>', "html"),
        *((said, "latex") for said in ("", "$$ $$", r"\frac{1}{2", r"a}{b", r"{a\}")),
    ],
)
def test_garbage_leaves_a_region_unread(said: str, format: str) -> None:
    label = "table" if format == "html" else "equation"
    choice = Choice.of("says", text=said, format=format)
    given = page(region(label, TABLE))
    (result,) = read(ReadRegions(tables=choice, formulas=choice), given)
    assert result.regions == given.regions
    assert result.quality.signals[f"unread_{label}"] == 1.0


def test_an_engine_for_text_reads_what_engines_read_but_not_what_the_file_says() -> None:
    of_file = region("text", TABLE, is_unread=False, score=None)
    of_engine = region("title", TABLE, is_unread=False)
    picture = region("image", TABLE)
    (result,) = read(ReadRegions(text=Choice.of("says", text="read", format="markdown")), page(of_file, of_engine, picture))
    assert [one.text for one in result.regions] == ["text", "read", ""]
    assert result.text == "text\n\n# read"


def test_a_served_model_reads_each_kind_and_why_it_did_not_is_counted():
    answers = {
        "Table Recognition:": says("<fcel>a<fcel>b<nl>"),
        "Formula Recognition:": says(r"\[ E = mc^2 \]"),
        "OCR:": fails(400, "too small"),
    }
    regions = [
        region("table", TABLE),
        region("equation", Box(0, 0, 200, 20)),
        region("text", Box(0, 20, 200, 40)),
        region("text", Box(0, 90, 200, 100), is_unread=False),
        region("image", Box(0, 40, 40, 90)),
    ]
    with serving(lambda request: answers[request["messages"][-1]["content"][1]["text"]]) as (url, came):
        tables, formulas, text = (
            Choice.of("server", kind=kind, url=url, model="PaddleOCR-VL", tries=1) for kind in ("tables", "formulas", "text")
        )
        (result,) = read(ReadRegions(tables, formulas, text), page(*regions))
    assert len(came) == 4
    assert [(r.label, r.text, r.format, r.is_unread) for r in result.regions] == [
        ("table", "<table><tr><td>a</td><td>b</td></tr></table>", "html", False),
        ("equation", "E = mc^2", "latex", False),
        ("text", "", "markdown", True),
        ("text", "text", "markdown", False),
        ("image", "", "markdown", True),
    ]
    signals = {name: value for name, value in result.quality.signals.items() if "read_" in name}
    assert signals == {"unread_text": 1.0, "unread_image": 1.0, "not_read_refused": 2.0}


def test_a_paragraph_with_formulas_is_read_by_who_writes_latex_and_believed_if_there_is_any() -> None:
    line = Line(Box(60, 50, 80, 60), "If x = 5, then")
    asked = region("text", TABLE, lines=(line,))
    by_file = region("text", TABLE, by="pymupdf", lines=(replace(line, text="plain to the eye"),))
    others = region("text", TABLE, lines=(replace(line, text="no formula"),))

    def read_as(text: str) -> Sample:
        saying = Choice.of("says", text=text, format="markdown")
        (result,) = read(ReadRegions(tables=None, text=Choice.of("says", text="flat", format="markdown"), inline=saying), given)
        return result

    given = page(asked, by_file, others)
    latex = read_as(r"If \( x = 5 \), then")
    assert [one.text for one in latex.regions] == [r"If \( x = 5 \), then"] * 2 + ["flat"]
    flat = read_as("If x = 5, then")
    assert [one.is_unread for one in flat.regions] == [True, True, False]
    assert flat.quality.signals["not_read_flattened"] == 2.0 and flat.quality.signals["unread_text"] == 2.0
    (alone,) = read(ReadRegions(tables=None, text=Choice.of("says", text="flat", format="markdown")), given)
    assert [one.is_unread for one in alone.regions] == [True, True, False]
