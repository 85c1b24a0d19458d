"""MinerU's output as annotated pages. The files here are written by hand, in the form that MinerU's reference gives for versions
2.5 to 3 (docs/en/reference/output_files.md in opendatalab/MinerU): they are no output of MinerU itself."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datagen.engines import Choice, Engines, load
from datagen.engines.mineru import MinerU
from datagen.fine.read_pages import ReadPages
from datagen.record import Box, SampleError
from tests.inputs.samples import sample

PAGE = (600.0, 800.0)
SIZE = (1200, 1600)
TABLE = '<table><tr><td rowspan="1">a</td><td>b</td></tr></table>'


def span(content: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"type": kind, "bbox": [0, 0, 1, 1], "content": content, **more}


def line(box: list[float], *spans: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"bbox": box, "spans": list(spans), **more}


def block(kind: str, box: list[float], *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": kind, "bbox": box, "lines": list(lines), **more}


def text(kind: str, box: list[float], content: str, **more: Any) -> dict[str, Any]:
    return block(kind, box, line(box, span(content, score=0.9)), **more)


def holding(kind: str, box: list[float], *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": kind, "bbox": box, "blocks": list(blocks), **more}


def body(kind: str, box: list[float], **of_span: Any) -> dict[str, Any]:
    """The block of a table or an image."""
    return block(f"{kind}_body", box, line(box, {"type": kind, "bbox": box, **of_span}))


def write(folder: Path, *pages: dict[str, Any], stem: str = "a", backend: str = "pipeline", method: str = "auto") -> Path:
    """The output for a document, where MinerU puts it."""
    path = folder / stem / method / f"{stem}_middle.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    numbered = [{"page_idx": i, "page_size": list(PAGE), "discarded_blocks": [], **page} for i, page in enumerate(pages)]
    path.write_text(json.dumps({"pdf_info": numbered, "_backend": backend, "_version_name": "3.1.0"}))
    return folder


def page(number: int = 0, uri: str = "/in/a.pdf", size: tuple[int, int] = SIZE):
    made = sample(size=size, regions=(), text="")
    return replace(made, origin=replace(made.origin, uri=uri, page=number))


def regions(folder: Path, number: int = 0) -> list[Any]:
    (found,) = MinerU(str(folder)).pages([page(number)])
    assert not isinstance(found, SampleError), found
    return list(found)


def test_blocks_become_regions_with_the_records_labels_in_pixels_of_the_image(tmp_path):
    blocks = [
        text("title", [50, 40, 550.5, 60], "A title"),
        block(
            "text",
            [50, 80, 290, 110],
            line([50, 80, 290, 95], span("The value of", score=0.98), span("x ^ 2", "inline_equation", score=0.7)),
            line([50, 95, 200, 110], span("is known.", score=0.99)),
        ),
        block("interline_equation", [50, 120, 290, 150], line([50, 120, 290, 150], span("E = m c ^ 2", "interline_equation"))),
        holding(
            "table",
            [310, 80, 550, 200],
            text("table_caption", [310, 80, 550, 95], "Table 1"),
            body("table", [310, 100, 550, 190], html=f"<html><body>{TABLE}</body></html>"),
            text("table_footnote", [310, 190, 550, 200], "na: none"),
        ),
        holding(
            "image",
            [310, 220, 550, 400],
            body("image", [310, 220, 550, 380], image_path="x"),
            text("image_caption", [310, 385, 550, 400], "Fig. 1"),
        ),
    ]
    running = [text("page_number", [290, 780, 310, 795], "7"), text("header", [50, 10, 550, 20], "Journal")]
    found = regions(write(tmp_path, {"preproc_blocks": blocks, "para_blocks": blocks, "discarded_blocks": running}))
    assert [(r.label, r.text, r.format) for r in found] == [
        ("header", "Journal", "markdown"),
        ("sub_title", "A title", "markdown"),
        ("text", r"The value of \(x ^ 2\) is known.", "markdown"),
        ("equation", "E = m c ^ 2", "latex"),
        ("table_caption", "Table 1", "markdown"),
        ("table", "<table><tr><td>a</td><td>b</td></tr></table>", "html"),
        ("table_footnote", "na: none", "markdown"),
        ("image", "", "markdown"),
        ("image_caption", "Fig. 1", "markdown"),
        ("page_number", "7", "markdown"),
    ]
    assert found[1].box == Box(100, 80, 1101, 120)
    assert [(one.box, one.text) for one in found[2].lines] == [
        (Box(100, 160, 580, 190), r"The value of \(x ^ 2\)"),
        (Box(100, 190, 400, 220), "is known."),
    ]
    assert (found[2].score, found[7].is_unread, found[3].lines) == (0.7, False, ())
    assert {(r.by, r.detected_by) for r in found} == {("mineru", "mineru")}


def test_a_paragraph_that_mineru_joined_with_the_next_column_stays_in_its_box_and_goes_on(tmp_path):
    first, second = [50, 80, 290, 100], [310, 80, 550, 100]
    before = [text("text", first, "The first half and"), text("text", second, "the second.")]
    after = [
        block("text", first, *before[0]["lines"], *before[1]["lines"]),
        block("text", second, lines_deleted=True),
    ]
    found = regions(write(tmp_path, {"preproc_blocks": before, "para_blocks": after}))
    assert [(r.text, r.continues) for r in found] == [("The first half and", True), ("the second.", False)]


def test_lines_of_the_next_page_are_left_out(tmp_path):
    box = [50, 700, 290, 720]
    here, there = line(box, span("It ends")), line([50, 80, 290, 100], span("overleaf.", cross_page=True))
    (found,) = regions(write(tmp_path, {"para_blocks": [block("text", box, here, there)]}, backend="vlm"))
    assert (found.text, found.continues) == ("It ends", True)


def test_lists_and_code_of_the_vlm(tmp_path):
    blocks = [
        holding("list", [50, 80, 290, 120], *(text("text", [50, y, 290, y + 15], t) for y, t in ((80, "- one"), (100, "- two")))),
        holding("list", [50, 200, 290, 220], text("text", [50, 200, 290, 220], "[1] A. Author"), sub_type="ref_text"),
        holding("code", box := [50, 300, 290, 400], text("code_body", box, "```c\nint x;\n  x = 1;\n```"), sub_type="code"),
        text("ref_text", [50, 500, 290, 520], "[2] B. Author"),
    ]
    found = regions(write(tmp_path, {"para_blocks": blocks}, backend="vlm", method="vlm"))
    assert [(r.label, r.text) for r in found] == [
        ("list", "- one"),
        ("list", "- two"),
        ("reference", "[1] A. Author"),
        ("code", "int x;\n  x = 1;"),
        ("reference", "[2] B. Author"),
    ]


@pytest.mark.parametrize(
    ("of_span", "is_unread"),
    [
        ({"html": ""}, True),
        ({"html": "<table><tr>"}, True),
        ({"latex": r"\begin{tabular}{l} a \\ \end{tabular}"}, False),
        ({}, True),
    ],
)
def test_a_table_that_was_not_read_stays_unread(tmp_path, of_span, is_unread):
    box = [50, 80, 290, 140]
    (found,) = regions(write(tmp_path, {"para_blocks": [holding("table", box, body("table", box, **of_span))]}))
    assert (found.label, found.is_unread, bool(found.text)) == ("table", is_unread, not is_unread)


def test_what_old_versions_discard_is_told_apart_by_where_it_stands(tmp_path):
    running = [
        text("discarded", [50, 10, 90, 20], "Head"),
        text("discarded", [50, 780, 90, 795], "Foot"),
        text("discarded", [290, 780, 310, 795], "- 12 -"),
    ]
    found = regions(write(tmp_path, {"para_blocks": [], "discarded_blocks": running}))
    assert [r.label for r in found] == ["header", "footer", "page_number"]


def test_pages_are_known_by_their_documents_stem_and_their_number(tmp_path):
    one = [{"para_blocks": [text("text", [50, 80, 290, 100], t)]} for t in ("first", "second")]
    write(tmp_path, *one)
    write(tmp_path, {"para_blocks": [text("text", [50, 80, 290, 100], "twice")]}, stem="b")
    write(tmp_path, {"para_blocks": []}, stem="b", method="ocr")
    (tmp_path / "c/auto").mkdir(parents=True)
    (tmp_path / "c/auto/c_middle.json").write_text("{")
    asked = [
        (page(1), "second"),
        (page(0, "s3://bucket/deep/a.pdf"), "first"),
        (page(2), "not_in_mineru"),
        (page(0, "/in/x.pdf"), "not_in_mineru"),
        (page(0, "/in/b.pdf"), "mineru_ambiguous"),
        (page(0, "/in/c.pdf"), "mineru_garbled"),
        (page(0, size=(1600, 1200)), "mineru_other_page"),
    ]
    found = MinerU(str(tmp_path)).pages([one for one, _ in asked])
    assert [one.reason if isinstance(one, SampleError) else one[0].text for one in found] == [said for _, said in asked]


@pytest.mark.parametrize(
    "damage", [{"page_size": None}, {"para_blocks": [{"type": "text"}]}, {"para_blocks": [text("song", [0, 0, 9, 9], "la")]}]
)
def test_a_damaged_page_is_that_pages_reason(tmp_path, damage):
    (found,) = MinerU(str(write(tmp_path, {"para_blocks": [], **damage}))).pages([page()])
    assert isinstance(found, SampleError) and found.reason == "mineru_garbled"


def test_its_version_changes_with_the_folder_and_a_folder_of_something_else_is_refused(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match=r"holds no middle\.json"):
        MinerU(str(empty)).versions()
    folder = write(tmp_path / "out", {"para_blocks": []})
    before = MinerU(str(folder)).versions()
    assert before["mineru"] == "3.1.0 pipeline"
    write(folder, {"para_blocks": [text("text", [50, 80, 290, 100], "more")]}, stem="b")
    assert MinerU(str(folder)).versions() != before
    (empty / "x_middle.json").write_text("[]")
    assert MinerU(str(empty)).versions()["mineru"] == "unknown"


def test_pages_of_a_dataset_get_mineru_s_regions(tmp_path):
    blocks = [text("title", [50, 40, 550, 60], "A title"), text("text", [50, 80, 290, 100], "Text.")]
    folder = write(tmp_path, {"para_blocks": blocks}, {"para_blocks": []})
    stage = ReadPages(Choice.of("mineru", folder=str(folder)), takes_all=True)
    crop = replace(page(), key="crop", task="crop")
    with Engines() as engines:
        refused = page().with_quality("suspect", ("wrong_text",), num_chars=9.0, structure_score=0.9)
        read, left, *dropped = stage([refused, crop, replace(page(5), key="c"), replace(page(1), key="d")], engines)
    assert read.text == "## A title\n\nText." and len(read.regions) == 2
    assert (read.quality.verdict, read.quality.signals) == ("trusted", {"reading_score": 0.9})
    assert left is crop
    assert [(drop.key, drop.reason) for drop in dropped] == [("c", "not_in_mineru"), ("d", "no_regions")]
    assert stage.engines()["mineru"] == "3.1.0 pipeline" and stage.needs.gpus == 0
    assert load("mineru") is MinerU
