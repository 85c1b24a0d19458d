"""Pages against a ground truth, olmOCR-bench's tests, and the verb."""

import json
from dataclasses import replace

import pytest

from datagen.record import Box, Region
from datagen.score import facts, pages, scores
from datagen.score.layout import Placed
from datagen.score.pages import Block, PredictedPage, TruePage
from recipes.__main__ import main
from tests.inputs.samples import sample
from tests.outputs import write_dataset

TABLE = "<table><tr><td>a</td><td>b</td></tr></table>"


def poly(x0, y0, x1, y1):
    return [x0, y0, x1, y0, x1, y1, x0, y1]


def box(category, order, **values):
    return {"category_type": category, "poly": poly(0, 0, 50, 10), "ignore": False, "order": order, **values}


def page(*boxes, name="a.pdf_3.jpg", relation=()):
    info = {"page_info": {"image_path": name, "width": 100, "height": 200}, "extra": {"relation": list(relation)}}
    return {"layout_dets": [{"anno_id": number} | one for number, one in enumerate(boxes)], **info}


def omnidocbench(tmp_path, *all_pages):
    path = tmp_path / "pages.json"
    path.write_text(json.dumps(all_pages))
    return str(path)


def test_omnidocbench_is_read_in_its_order_with_what_was_cut_joined(tmp_path):
    boxes = (
        box("text_block", 3, text="end"), box("page_number", None, text="7"), box("title", 1, text="Head"),
        box("text_block", 2, text="begin"), box("table", 4, html=TABLE, latex="x"), box("figure", 5),
        box("equation_isolated", 6, latex="$$x$$"), box("abandon", None, text="stamp"),
        box("text_block", 9, ignore=True, text="no"),
    )  # fmt: skip
    cut = [{"source_anno_id": 3, "target_anno_id": 0, "relation_type": "truncated"}]
    (true,) = pages.truths(omnidocbench(tmp_path, page(*boxes, relation=cut)))
    assert true.name == "a.pdf_3"
    assert true.blocks == (
        Block("text", "Head", 1, False), Block("text", "beginend", 2, False), Block("table", TABLE, 4, False),
        Block("formula", "$$x$$", 6, False), Block("text", "7", None, True),
    )  # fmt: skip
    labels = ["text", "page_number", "title", "text", "table", "image", "equation"]
    assert [placed.label for placed in true.placed] == labels
    assert true.placed[0] == Placed("text", (0, 0, 0.5, 0.05))
    assert scores.true_text(true) == "Headbeginendab"


TRUE = TruePage(
    ("one",),
    (
        Block("text", "The quick brown fox", 1, False),
        Block("text", "jumps over the lazy dog", 2, False),
        Block("formula", "$$x^2$$", 3, False),
        Block("table", TABLE, 4, False),
        Block("text", "Running head", None, True),
    ),
    (Placed("text", (0, 0, 1, 0.5)),),
)


def test_a_perfect_page_and_an_empty_one():
    markdown = "The quick *brown* fox\n\njumps over the lazy dog\n\n\\[x^{2}\\]\n\n" + TABLE
    values, broken = scores.of_page(TRUE, markdown)
    perfect = {"page": 0, "text": 0, "order": 0, "teds": 1, "teds_s": 1, "formula": 0, "formula_same": 1, "formula_cdm": 1}
    assert ({name: total / weight for name, (total, weight) in values.items()}, broken) == (perfect, 0)
    values, broken = scores.of_page(TRUE, "")
    worst = {"page": 1, "text": 1, "order": 1, "teds": 0, "teds_s": 0, "formula": 1, "formula_same": 0, "formula_cdm": 0}
    assert ({name: total / weight for name, (total, weight) in values.items()}, broken) == (worst, 0)


def test_what_nobody_asked_for_counts():
    texts = ("Everyone has the right to life", "liberty and security")
    truth = TruePage(("a",), tuple(Block("text", text, n, False) for n, text in enumerate(texts)), ())
    honest, _ = scores.of_page(truth, "\n\n".join(texts))
    assert honest["text"] == (0, 1) and honest["teds"][1] == honest.get("formula_same", (0, 0))[1] == 0
    invented, _ = scores.of_page(truth, "\n\n".join((*texts, "Nobody ever wrote these words", TABLE, "$$x^2$$")))
    assert invented["text"] == (pytest.approx(25 / (25 + 18 + 25)), 1)
    assert invented["teds"] == (0, 1)
    assert invented["formula_same"] == invented["formula_cdm"] == (0, 1)
    assert invented["formula"] == (1, 1)


def test_answers_without_a_letter_those_that_break_off_and_loops_are_measures_of_their_own():
    answers = {"one": " \n", "two": "a <table><tr>", "loop": "The same sentence comes again. " * 60, "blank": ""}
    words = (Block("text", "abcd", 1, False),)
    truth = [TruePage((name,), () if name == "blank" else words, ()) for name in answers]
    means = scores.score(truth, [PredictedPage((name,), text) for name, text in answers.items()]).means
    assert (means["blank"].value, means["blank"].num_pages) == (pytest.approx(1 / 3), 3)
    assert (means["cut"].value, means["cut"].num_pages) == (0.25, 4) == (means["loops"].value, means["loops"].num_pages)


def test_missing_pages_count_as_all_wrong_and_are_named():
    truth = [TruePage((name,), (Block("text", "abcd", 1, False),), (Placed("text", (0, 0, 1, 1)),)) for name in ("one", "two")]
    result = scores.score(
        truth, [PredictedPage(("one",), "abcd", (Placed("text", (0, 0, 1, 1)),)), PredictedPage(("three",), "x")]
    )
    assert (result.missing, result.unused) == (("two",), ("three",))
    assert {name: mean.value for name, mean in result.means.items()} == {
        "page": 0.5, "text": 0.5, "order": 0.5, "loops": 0, "cut": 0, "blank": 0,
        "layout_f1": pytest.approx(2 / 3), "layout_map": pytest.approx(51 / 101),
    }  # fmt: skip
    assert (result.means["page"].low, result.means["page"].high) == (0, 1)
    assert result.of_labels["text"]["num_true"] == 2
    assert scores.worst(result, "page", 1) == [("two", 1.0)]


def test_a_sample_of_a_dataset_is_a_page(tmp_path):
    regions = (
        Region(Box(0, 0, 64, 8), "header", "Head", None, "pymupdf"),
        Region(Box(0, 8, 64, 16), "title", "Über", None, "pymupdf"),
        Region(Box(0, 16, 32, 32), "table", TABLE, 0.5, "tables", format="html"),
        Region(Box(32, 16, 64, 32), "equation", "", None, "", format="latex", is_unread=True),
    )
    write_dataset(tmp_path, [sample(regions=regions)])
    folder = str(tmp_path)
    (predicted,) = pages.predictions(folder)
    assert predicted.names == ("a", "a-000000", "a.pdf_3", "/in/a.pdf_3")
    assert predicted.markdown == f"# Über\n\n{TABLE}"
    assert predicted.placed[2] == Placed("table", (0, 0.5, 0.5, 1), 0.5)
    (true,) = pages.truths(folder)
    assert true.blocks == (Block("text", "Head", None, True), Block("text", "Über", 1, False), Block("table", TABLE, 2, False))
    assert scores.score([true], [predicted]).means["page"].value == 0


FACT = {"pdf": "a.pdf", "page": 1, "id": "1", "max_diffs": 0}
PAGE = PredictedPage(
    ("a",),
    "# The *Head*\n\nFirst “article” is here.\n\nSecond article follows.\n\n$E = mc^{2}$\n\n"
    "<table><tr><th></th><th colspan=2>Sum</th></tr>"
    "<tr><th>Row</th><td>12</td><td>34</td></tr><tr><td>Low</td><td>5</td></table>",
)


@pytest.mark.parametrize(
    ("test", "why"),
    [  # more of them are in test_official.py
        ({"type": "present", "text": 'The Head First "article"'}, ""),
        ({"type": "present", "text": "Second particle follows"}, "the nearest text is alike by 0."),
        ({"type": "absent", "text": "Second article"}, "there is a text that is alike by 1.00"),
        ({"type": "order", "before": "Second article", "after": "First"}, "the second text stands before the first"),
        ({"type": "math", "math": r"mc^3"}, "no formula of the page has that LaTeX"),
        ({"type": "format", "format": "italic", "text": "Head"}, ""),
        ({"type": "footnote", "marker": "1"}, "the marker '1' isn't there"),
        ({"type": "baseline", "max_length": 3}, "letters on a page that should be blank"),
        ({"type": "baseline", "of": "\n"}, "there is no letter or digit"),
        ({"type": "baseline", "of": "Text " + "ab " * 30}, ""),
        ({"type": "baseline", "of": "Text " + "ab " * 31}, "its end repeats itself 31 times"),
    ],
)
def test_a_fact_holds_or_says_why_not(test, why, tmp_path):
    (tmp_path / "tests.jsonl").write_text(json.dumps(FACT | test) + "\n\n")
    (outcome,) = facts.check(facts.facts(str(tmp_path / "tests.jsonl")), [replace(PAGE, markdown=test.get("of", PAGE.markdown))])
    assert (outcome.holds, outcome.is_missing) == (not why, False)
    assert why in outcome.why and bool(outcome.why) == bool(why)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gt.json", "{", "it is no JSON"),
        ("gt.json", "{}", "OmniDocBench's JSON is a list of pages"),
        ("gt.json", '[{"page_info": {}}]', "page 1 isn't as OmniDocBench writes it: KeyError"),
        ("gt.json", json.dumps([page(box("moon", 1, text="a"))]), "page 1: omnidocbench has a class 'moon'"),
        ("gt.jsonl", "{", "line 1: a test is a JSON object with pdf, page, id and type"),
        (
            "gt.jsonl",
            json.dumps(FACT | {"type": "smell"}),
            "line 1: type 'smell' is none of present, absent, order, table, math, ",
        ),
        ("gt.jsonl", "", "there is no test in it"),
    ],
)
def test_a_truth_that_cant_be_read_is_one_sentence(name, content, message, tmp_path, capsys):
    (tmp_path / name).write_text(content)
    (tmp_path / "a.md").write_text("a")
    assert main(["score", f"pred={tmp_path}", f"gt={tmp_path / name}"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line


@pytest.fixture
def folder(tmp_path):
    boxes = (box("title", 1, text="Head"), box("text_block", 2, text="The quick brown fox"))
    omnidocbench(tmp_path, page(*boxes, name="one.jpg"), page(*boxes, name="two.jpg"))
    (tmp_path / "pred").mkdir()
    (tmp_path / "pred" / "one.md").write_text("# Head\n\nThe quick brown fox")
    return tmp_path


def test_the_verb_prints_a_table_and_writes_json(folder, capsys):
    assert main(["score", f"pred={folder}/pred", f"gt={folder}/pages.json", f"out={folder}/out/scores.json"]) == 0
    printed = capsys.readouterr().out
    assert "page     0.500  0.000 to 1.000  2" in printed
    assert "1 pages without a prediction, counted as all wrong: two" in printed
    assert "layout isn't scored" in printed
    written = json.loads((folder / "out" / "scores.json").read_text())
    of_one = {"page": 0, "text": 0, "order": 0, "loops": 0, "cut": 0, "blank": 0}
    assert written["pages"] == {"one": of_one, "two": {"page": 1, "text": 1, "order": 1}}
    assert written["means"]["page"]["value"] == 0.5 and written["missing"] == ["two"]


def test_formulas_are_compared_as_they_look_and_what_cant_be_drawn_is_counted(tmp_path, capsys):
    formulas = ("$$\\frac{a}{b} + c$$", "$$\\nothing$$")
    boxes = [box("equation_isolated", n, latex=latex) for n, latex in enumerate(formulas, 1)]
    omnidocbench(tmp_path, page(*boxes, name="one.jpg"))
    (tmp_path / "one.md").write_text("\\[{a \\over b} + d\\]\n\n\\[\\nothing\\]")
    assert main(["score", f"pred={tmp_path}", f"gt={tmp_path}/pages.json", f"out={tmp_path}/scores.json"]) == 0
    printed = capsys.readouterr().out
    assert "our variant of CDM" in printed
    assert "1 true formulas can't be drawn, and have no CDM: on one" in printed
    written = json.loads((tmp_path / "scores.json").read_text())
    assert written["undrawn"] == {"one": 1}
    assert written["pages"]["one"]["formula_cdm"] == pytest.approx(4 / 5)  # a, b, the line and the plus; not c


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pred=/nowhere", "gt={}/pages.json"], "pred=/nowhere: a folder of STEM.md files, or of one of our datasets, is needed"),
        (["pred={}/pred", "gt=/nowhere.json"], "gt=/nowhere.json: OmniDocBench's JSON"),
        (["pred={}/pred", "gt={}/pages.json", "out={}"], "a file on a local disk is needed"),
        (["pred={}/other", "gt={}/pages.json"], "no prediction is of a page of the ground truth (the truth has one"),
        (["pred={}/pred"], "score needs gt=FILE"),
    ],
)
def test_wrong_words_are_one_sentence(words, message, folder, capsys):
    (folder / "other").mkdir()
    (folder / "other" / "three.md").write_text("x")
    assert main(["score", *(word.format(folder) for word in words)]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
