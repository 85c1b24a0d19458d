"""Tests beside what is published, in olmOCR-bench's form: they hold on the records' own text, and fail on a damaged one."""

import html
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from datagen.record import Quality, Region
from datagen.rewards.page_tests import own_markdown
from recipes.__main__ import main
from tests.inputs.samples import encoded, image, sample
from tests.outputs import write_run
from tests.published import SIZE, TABLE, card, opened, publish, region, telling_page

FIELDS = set("pdf page id type url max_diffs".split())
FIELDS_OF = {
    "present": {"text"},
    "absent": {"text", "first_n", "last_n"},
    "order": {"before", "after"},
    "table": {"cell", "right", "down"},
    "math": {"math"},
    "baseline": {"max_length", "check_disallowed_characters"},
}
"""What olmOCR-bench's reader takes: it ends at a line with another field."""


def page(key: str, *more: Region, **values):
    return telling_page(key, *more, image=picture("PNG"), **values)


def picture(form: str) -> bytes:
    return encoded(Image.new("RGB", SIZE, "white"), form)


PAGES = [
    page("page-000000"),
    page("page-000001", region("text", "人人生而自由，在尊严和权利上一律平等。", 300)),
    page("page-000002", region("equation", r"\frac{a", 300, "latex")),  # which KaTeX doesn't take: their reader would end at it
    page("page-000003", quality=Quality("suspect", ("order",), {})),
    page("page-000004", replace(region("text", "", 300), is_unread=True)),
]
CUT_OUT = [
    sample("cut-000000", task="table", image=picture("WEBP"), size=SIZE, regions=(), text=TABLE),
    sample("cut-000001", task="formula", image=picture("JPEG"), size=SIZE, regions=(), text=r"\sum_{i} i^{2}"),
    sample("cut-000002", task="crop", image=image(), regions=(), text="12"),
    sample("cut-000004", task="crop", image=image()[:60], regions=(), text="Nobody knows why it sold none."),
    sample("cut-000003", task="caption", image=image(), regions=(), text="", caption="A boat on the sea."),
]
READ = [*PAGES[:3], *CUT_OUT[:2]]


def made(out: Path) -> Path:
    write_run(out / "fine", PAGES[:2], PAGES[2:])
    write_run(out / "regions", CUT_OUT)
    return out


def lines(bench: Path) -> list[dict]:
    return [json.loads(line) for file in sorted(bench.glob("*.jsonl")) for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    root = tmp_path_factory.mktemp("bench")
    assert publish(made(root / "out"), root / "pub", tests="1") == 0
    return root / "pub" / "bench_data"


def test_files_are_as_olmocr_bench_reads_them(bench):
    every = lines(bench)
    assert all(test.keys() <= FIELDS | FIELDS_OF[test["type"]] for test in every)
    assert len({test["id"] for test in every}) == len(every)
    pdfs = {path.relative_to(bench / "pdfs").as_posix() for path in (bench / "pdfs").rglob("*.pdf")}
    assert {test["pdf"] for test in every} == pdfs and {test["page"] for test in every} == {1}
    assert len(pdfs) == len(READ)
    for path in (bench / "pdfs").rglob("*.pdf"):
        with pymupdf.open(path) as document:
            assert document.page_count == 1 and tuple(document[0].rect) == (0, 0, 300, 400)
            assert document[0].get_images()[0][2:4] == SIZE
    assert {path.name for path in bench.glob("*.jsonl")} >= {f"fine_{kind}.jsonl" for kind in FIELDS_OF}
    math = {test["math"] for test in every if test["type"] == "math"}
    assert math == {r"a^{2} + b^{2} = c^{2}", r"\sum_{i} i^{2}"}


def test_the_card_counts_them(bench, tmp_path):
    text = html.unescape((bench.parent / "README.md").read_text(encoding="utf-8"))
    kinds = Counter((test["id"].split("_")[0], test["type"]) for test in lines(bench))
    for (table, kind), num in kinds.items():
        assert any(f"| {name} | {kind} | {num} |" in text for name in (table, f"{table}-table", f"{table}-formula"))
    for row in ("| fine | 1 | its text isn't trusted |", "| fine | 1 | a region of it is unread |", "isn't a task to read |"):
        assert row in text
    for why in ("no more can be asked than that there is text", "its image can't be read"):
        assert f"| regions-crop | 1 | {why} |" in text
    assert card(bench.parent)["configs"][0]["config_name"] == "fine"
    assert len(opened(bench.parent, "fine", tmp_path / "cache")) == len(PAGES)


def test_all_hold_on_the_records_own_text(bench, tmp_path):
    names = {test["id"].split("_")[1]: test["pdf"] for test in lines(bench)}
    for one in READ:
        path = tmp_path / "pred" / f"{names[one.key].removesuffix('.pdf')}_pg1_repeat1.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(own_markdown(one))
    assert main(["score", f"pred={tmp_path}/pred", f"gt=olmocr:{bench.parent}", f"out={tmp_path}/scores.json"]) == 0
    of_tests = {test["id"]: test["holds"] for test in json.loads((tmp_path / "scores.json").read_text())["tests"]}
    assert of_tests.keys() == {test["id"] for test in lines(bench)}
    assert all(of_tests.values())
