"""Benchmarks by their own rules: what the public scorers said of the same predictions, and what the corrected figures add."""

import gzip
import json
import random
from pathlib import Path

import pytest
from rapidfuzz.distance import Levenshtein

from datagen.score.official import fox, olmocr, olmocr_drawn, omnidocbench, omnidocbench_matching, omnidocbench_tables
from recipes.__main__ import main

SCORERS = Path(__file__).parent / "public_scorers"
NEAR = 1e-6


def said(name):
    return json.loads(gzip.decompress((SCORERS / f"{name}.json.gz").read_bytes()))


def block(number, category, **values):
    return {"anno_id": number, "category_type": category, "order": number + 1, **values}


def page(*blocks, name="a.jpg", relation=()):
    return {"layout_dets": list(blocks), "extra": {"relation": list(relation)}, "page_info": {"image_path": name}}


def benchmark(tmp_path, *pages, name="OmniDocBench.json"):
    folder = tmp_path / "benchmark"
    folder.mkdir()
    (folder / name).write_text(json.dumps(pages))
    return folder


def predictions(tmp_path, **texts):
    folder = tmp_path / "predictions"
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text)
    return folder


def test_omnidocbench_is_scored_as_its_own_code_scores_it():
    fixture = said("omnidocbench")
    assert fixture["commit"] == omnidocbench.COMMIT
    assert len(fixture["predictions"]) >= 300
    num, of_page = 0, {}
    for one in fixture["predictions"]:
        result = omnidocbench.score(fixture["pages"][one["page"]], one["markdown"])
        figures = omnidocbench.figures([(result.name, result.official)])
        figures.pop("overall_without_cdm", None)
        wanted = {name: value for name, value in one["official"].items() if value is not None}
        assert figures == pytest.approx(wanted, abs=NEAR), f"{one['kind']}: {one['markdown'][:300]}"
        if "drawn" in one:
            assert sorted(map(list, result.official.drawn)) == sorted(one["drawn"])
        num += len(wanted)
        of_page.setdefault(one["page"], []).append(result)
    assert num > 1000
    for number, wanted in enumerate(fixture["of_all"]):
        results = [results[number] for results in of_page.values() if len(results) > number]
        figures = omnidocbench.figures((one.name, one.official) for one in results)
        figures.pop("overall_without_cdm")
        assert figures == pytest.approx(wanted, abs=NEAR)


def test_corrected_figures_count_what_was_invented_and_what_is_missing():
    texts = ("Everyone has the right to life", "liberty and security")
    true = page(*(block(number, "text_block", text=text) for number, text in enumerate(texts)))
    honest = omnidocbench.score(true, "\n\n".join(texts))
    extra = ("Nobody ever wrote these words", "<table><tr><td>7</td></tr></table>")
    invented = omnidocbench.score(true, "\n\n".join((*texts, *extra)))
    assert omnidocbench.figures([("a", honest.corrected)])["text"] == 0
    assert omnidocbench.figures([("a", invented.official)]) == {"text": 0, "order": 0}
    corrected = omnidocbench.figures([("a", invented.corrected)])
    assert corrected["text"] == pytest.approx(25 / (25 + 25 + 18))
    assert corrected["teds"] == 0
    missing = omnidocbench.score(true, None)
    assert missing.official is None
    assert omnidocbench.figures([("a", missing.corrected)]) == {"text": 1, "order": 1}


def test_a_paragraph_in_three_pieces_is_doubled_by_the_official_code_alone():
    pieces = [block(number, "text_block", text=text) for number, text in enumerate(("one two ", "three four ", "five six"))]
    relation = [{"source_anno_id": n, "target_anno_id": n + 1, "relation_type": "truncated"} for n in (0, 1)]
    result = omnidocbench.score(page(*pieces, relation=relation), "one two three four five six")
    assert result.official.text == [(len("threefour"), len("onetwothreefourthreefourfivesix"))]
    assert result.corrected.text == [(0, len("onetwothreefourfivesix"))]


def test_where_the_official_code_stops_the_corrected_figures_go_on(tmp_path, capsys):
    without_relations = page(block(0, "text_block", text="Right words"))
    del without_relations["extra"]
    formula = page(
        {"anno_id": 0, "category_type": "equation_isolated", "latex": r"\begin{array}{l} a \\ b \end{array}"}, name="b.jpg"
    )
    folder = benchmark(tmp_path, without_relations, formula)
    assert main(["score", f"pred={predictions(tmp_path, a='Right words', b='words')}", f"gt=omnidocbench:{folder}"]) == 0
    said_so = capsys.readouterr().out
    assert "the official code stops at 2 pages, left out of its figures: a.jpg, b.jpg" in said_so
    assert "text                 -         0.5000" in said_so


def test_what_is_known_wrong_is_left_out_of_the_corrected_figures(tmp_path, capsys):
    folder = benchmark(tmp_path, page(block(0, "text_block", text="Right words"), block(1, "text_block", text="Wrng lable")))
    texts = predictions(tmp_path, a="Right words\n\nWrong label")
    (tmp_path / "list.txt").write_text("a.jpg\t1\nb.jpg\t0\n")
    out = tmp_path / "scores.json"
    words = ["score", f"pred={texts}", f"gt=omnidocbench:{folder}", f"out={out}"]
    assert main([*words, f"without={tmp_path / 'list.txt'}"]) == 0
    assert "1 blocks of 2 in the list without= are of these pages" in capsys.readouterr().out
    means = json.loads(out.read_text())["means"]
    assert means["text"]["official"] > 0
    assert means["text"]["corrected"] == 0
    (tmp_path / "list.txt").write_text("a.jpg 1\n")
    assert main([*words, f"without={tmp_path / 'list.txt'}"]) != 0
    assert "line 1: a page's image, a tab and a block's number are needed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("pages", "name", "problem"),
    [
        ([page()], "pages.json", "0 such files are there"),
        ([page(name=f"{n}.jpg") for n in range(981)], "OmniDocBench.json", "981 pages are those of v1.0"),
        ([{"a": 1}], "OmniDocBench.json", "isn't as OmniDocBench writes it"),
        ([], "OmniDocBench.json", "has no page"),
    ],
)
def test_what_is_no_omnidocbench_v1_5_is_refused(tmp_path, capsys, pages, name, problem):
    folder = benchmark(tmp_path, *pages, name=name)
    assert main(["score", f"pred={predictions(tmp_path, a='text')}", f"gt=omnidocbench:{folder}"]) != 0
    assert problem in capsys.readouterr().err


def test_predictions_of_no_page_are_counted(tmp_path, capsys):
    folder = benchmark(tmp_path, page(block(0, "text_block", text="Right words")), page(name="b.pdf_2.png"))
    texts = predictions(tmp_path, a="Right words", nobody="Nothing")
    assert main(["score", f"pred={texts}", f"gt=omnidocbench:{folder}"]) == 0
    said_so = capsys.readouterr().out
    assert "1 pages predicted, and not in the benchmark: nobody" in said_so
    assert "counted as all wrong: b.pdf_2.png" in said_so
    assert "blank                -         0.0000" in said_so
    (texts / "b.pdf_2.md").write_text("```\n...")
    assert main(["score", f"pred={texts}", f"gt=omnidocbench:{folder}"]) == 0
    said_so = capsys.readouterr().out
    assert "blank                -         0.5000" in said_so
    assert "cut                  -         0.5000" in said_so
    for name in ("a", "b.pdf_2"):
        (texts / f"{name}.md").unlink()
    assert main(["score", f"pred={texts}", f"gt=omnidocbench:{folder}"]) != 0
    assert "no prediction is of a page of the benchmark" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("truth", "read"),
    [
        ("<tr><td>a</td><td>b</td></tr><tr></tr>", "<tr><td>a</td></tr><tr><td>c</td><td>d</td></tr>"),
        ("<caption>x</caption><tr><td colspan=2>ab</td></tr>", "<tr><td>ab</td><td></td></tr><tr><td>q</td></tr>"),
        ("<tr><td>a<b>x</b></td></tr>", "<td>ax</td>"),
        ("<tr><td>1</td></tr>" * 5, "<tr><td>1</td><td>2</td></tr>" * 3),
    ],
)
def test_teds_of_rows_is_that_of_trees(truth, read):
    trees = [omnidocbench_tables._tree(omnidocbench_tables.plain(f"<table>{text}</table>")) for text in (read, truth)]
    quick = omnidocbench_tables._distance(*trees)
    assert quick == pytest.approx([omnidocbench_tables._by_apted(*(tree.root for tree in trees), flag) for flag in (True, False)])


def test_fox_is_scored_as_its_own_code_scores_it():
    fixture = said("fox")
    assert fixture["commit"] == fox.COMMIT
    num = 0
    for one in fixture["answers"]:
        try:
            figures = fox.official(one["truth"], one["answer"])
        except ValueError as error:
            assert "pip install jieba" in str(error)
            continue
        except ZeroDivisionError:
            figures = None
        official = one["official"]
        if "error" in official:
            assert figures is None or None in figures.values()
            continue
        wanted = {"edit": official["edit_dist"], "precision": official["precision"], "recall": official["recall"]}
        assert figures == pytest.approx(wanted | {"f1": official["f_measure"]}, abs=NEAR)
        num += 1
    assert num > 250


def test_fox_has_its_figures_and_corrected_ones(tmp_path, capsys):
    folder = tmp_path / "focus_benchmark_test"
    folder.mkdir()
    pages = [
        {"image": f"en_{number}.png", "conversations": [{"from": "human", "value": "OCR:"}, {"from": "gpt", "value": text}]}
        for number, text in enumerate(("to be or not to be", "that is the question"))
    ]
    (folder / "en_page_ocr.json").write_text(json.dumps(pages))
    out = tmp_path / "scores.json"
    assert main(["score", f"pred={predictions(tmp_path, en_0='to be be')}", f"gt=fox:{folder}", f"out={out}"]) == 0
    means = json.loads(out.read_text())["means"]
    # Of the set to, be, or, not two were said, which the official code calls precision.
    assert means["precision"] == {"official": 0.5, "corrected": 0.5}
    assert means["recall"] == {"official": 1.0, "corrected": 0.25}
    assert "1 pages without a prediction" in capsys.readouterr().out
    (folder / "en_page_ocr.json").write_text("[1]")
    assert main(["score", f"pred={tmp_path / 'predictions'}", f"gt=fox:{folder}"]) != 0
    assert "isn't as Fox writes it" in capsys.readouterr().err


def test_olmocr_bench_is_scored_as_its_own_code_scores_it():
    fixture = said("olmocr")
    assert fixture["commit"] == olmocr.COMMIT
    kinds = set()
    for page_of_tests in fixture["pages"]:
        for test in page_of_tests["tests"]:
            assert olmocr.holds(test, page_of_tests["markdown"]) == test["holds"], (test, page_of_tests["markdown"][:300])
            kinds.add((test["type"], test["holds"]))
    assert {kind for kind, _ in kinds} == {"present", "absent", "order", "table", "math", "format", "footnote", "baseline"}
    assert len(kinds) == 16


def test_olmocr_bench_has_the_mean_over_files(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(olmocr_drawn, "BROWSERS", ())
    folder = tmp_path / "bench"
    (folder / "pdfs").mkdir(parents=True)
    for name in ("a", "b"):
        (folder / "pdfs" / f"{name}.pdf").write_bytes(b"")
    of_page = {"pdf": "a.pdf", "page": 1, "max_diffs": 0}
    present = [of_page | {"id": f"t{n}", "type": "present", "text": text} for n, text in enumerate(("here", "nowhere", "gone"))]
    (folder / "texts.jsonl").write_text("".join(json.dumps(test) + "\n" for test in present))
    (folder / "math.jsonl").write_text(json.dumps(of_page | {"id": "m", "type": "math", "math": "x^2"}))
    texts = predictions(tmp_path, a_pg1_repeat1="It is here: $x ^ {2}$", b_pg1_repeat1="", c_pg1_repeat1="x")
    (tmp_path / "list.txt").write_text("a.pdf\tt2\n")
    out = tmp_path / "scores.json"
    words = ["score", f"pred={texts}", f"gt=olmocr:{folder}", f"out={out}", f"without={tmp_path / 'list.txt'}"]
    assert main(words) == 0
    means = json.loads(out.read_text())["means"]
    # texts.jsonl 1 of 3, math.jsonl none, and the baseline of a and not of b.
    assert means["overall"]["official"] == pytest.approx((1 / 3 + 0 + 1 / 2) / 3)
    assert means["overall"]["corrected"] == pytest.approx((1 / 2 + 1 + 1 / 2) / 3)
    said_so = capsys.readouterr().out
    assert "1 pages predicted, and not in the benchmark: c_pg1_repeat1" in said_so
    assert "the least that math can be: no browser is installed" in said_so
    (folder / "math.jsonl").write_text('{"type": "math"}')
    assert main(words) != 0
    assert "math.jsonl, line 1: it isn't a test as olmOCR-bench writes it" in capsys.readouterr().err
    assert main([*words[:2], f"gt=olmocr:{tmp_path}"]) != 0
    assert "0 and 0 are there" in capsys.readouterr().err


@pytest.mark.parametrize("table", ["<table><![a x]><tr><td>7</td></tr></table>", "<table><tr><td>" * 400])
def test_html_that_nobody_writes_ends_no_scorer(table):
    true = page(block(0, "table", html="<table><tr><td>7</td></tr></table>", latex=""))
    result = omnidocbench.score(true, table)
    assert 0 <= omnidocbench.figures([("a", result.corrected)])["teds"] <= 1
    asked = {"id": "a", "pdf": "a.pdf", "page": 1, "type": "table", "cell": "7"}
    assert olmocr._official(asked, table) == ("7" in table)


@pytest.mark.parametrize(("most", "or_equal"), [(0.6, True), (0.6, False), (0.4, False)])
def test_a_text_within_another_is_found_as_if_every_place_were_looked_at(most, or_equal):
    draw = random.Random(f"{most} {or_equal}")
    found = set()
    for _ in range(400):
        whole = "".join(draw.choices("abcde"[: draw.randrange(2, 6)], k=draw.randrange(20, 120)))
        length = draw.randrange(1, 45)
        at = draw.randrange(len(whole))
        part = "".join(draw.choice("fghij" if draw.random() < most else char) for char in (whole[at:] + whole)[:length])
        shares = [Levenshtein.distance(whole[n : n + length], part) / length for n in range(len(whole) - length + 1)]
        expected = any(share < most or (or_equal and share == most) for share in shares)
        assert omnidocbench_matching.is_within(part, whole, most, or_equal) == expected, (part, whole)
        found.add(expected)
    assert found == {True, False}


def test_the_best_run_of_pieces_is_found_as_if_all_were_looked_at():
    num_longer = 0
    for seed in range(200):
        draw = random.Random(seed)
        words = ["".join(draw.choices("abcdefgh"[: draw.randrange(2, 9)], k=draw.randrange(1, 9))) for _ in range(12)]
        texts = ["".join(draw.choices(words, k=draw.randrange(1, 14))) for _ in range(draw.randrange(1, 6))]
        read = []
        for text in draw.sample(texts, len(texts)):
            text, size = (
                "".join(draw.choice(["", char, char, char, char, "x"]) for char in text),
                draw.randrange(1, len(text) + 2),
            )
            read += [text[at : at + size] for at in range(0, len(text), size)]
        costs = omnidocbench_matching._costs(texts, read)
        is_open = [bool(costs[:, column].min() > 0.1) for column in range(len(read))]
        columns = [column for column, taken in enumerate(is_open) if taken]
        if not columns:
            continue
        least = omnidocbench_matching._Least(read, is_open)
        for text, row in zip(texts, costs, strict=True):
            runs = [omnidocbench_matching._run(text, read, column, is_open, float(row[column])) for column in columns]
            best = min(runs, key=lambda run: run[1])
            assert omnidocbench_matching._best_run(text, read, columns, is_open, row, least.costs(text)) == best, seed
            num_longer += len(best[0]) > 1
    assert num_longer > 100
