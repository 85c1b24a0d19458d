"""Benchmarks as they are downloaded: our figures beside those that the public scorers said, and the public code, which is run."""

import gzip
import importlib.util
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from datagen.score import facts
from datagen.score.compression import PageReading
from recipes.__main__ import main

SCORERS = Path(__file__).parent / "public_scorers"
TABLE = "<table><tr><td>7</td></tr></table>"


def recorded(name):
    return json.loads(gzip.decompress((SCORERS / f"{name}.json.gz").read_bytes()))


def box(number, category, **values):
    return {"anno_id": number, "category_type": category, "order": number + 1, "poly": [0, 0, 9, 0, 9, 9, 0, 9], **values}


def page(*boxes, name="a.jpg"):
    about = {"image_path": name, "width": 10, "height": 10, "page_attribute": {"language": "english"}}
    return {"layout_dets": list(boxes), "extra": {"relation": []}, "page_info": about}


def omnidocbench(tmp_path, *pages):
    folder = tmp_path / "benchmark"
    folder.mkdir()
    (folder / "OmniDocBench.json").write_text(json.dumps(pages))
    return f"omnidocbench:{folder}"


def fox(tmp_path, *texts):
    folder = tmp_path / "focus_benchmark_test"
    folder.mkdir()
    pages = [
        {"image": f"en_{number}.png", "conversations": [{"from": "human", "value": "OCR:"}, {"from": "gpt", "value": text}]}
        for number, text in enumerate(texts)
    ]
    (folder / "en_page_ocr.json").write_text(json.dumps(pages))
    return f"fox:{folder}"


def olmocr(tmp_path, **files):
    folder = tmp_path / "bench"
    (folder / "pdfs").mkdir(parents=True)
    for name in ("a", "b"):
        (folder / "pdfs" / f"{name}.pdf").write_bytes(b"")
    for name, tests in files.items():
        lines = [json.dumps({"pdf": "a.pdf", "page": 1, "max_diffs": 0, "id": f"{name}{n}"} | t) for n, t in enumerate(tests)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    return f"olmocr:{folder}"


@pytest.fixture
def score(tmp_path, capsys):
    """Scores texts by their pages' names; returns the exit code, what the file has, what was printed, and the errors."""

    def scored(texts, gt, *words):
        folder = tmp_path / "predictions"
        folder.mkdir(exist_ok=True)
        for name, text in texts.items():
            (folder / f"{name}.md").write_text(text)
        out = tmp_path / "scores.json"
        code = main(["score", f"pred={folder}", f"gt={gt}", f"out={out}", *words])
        printed = capsys.readouterr()
        return code, json.loads(out.read_text()) if code == 0 else {}, printed.out, printed.err

    return scored


def test_facts_hold_where_olmocr_bench_says_so():
    """But for some of HTML that nobody writes, and where our rules are others on purpose."""
    num, differing = Counter(), Counter()
    for page_of_tests in recorded("olmocr")["pages"]:
        for test in page_of_tests["tests"]:
            fact = facts.fact({"id": "a", "pdf": "a.pdf", "page": 1} | test)
            num[fact.type, test["holds"]] += 1
            differing[fact.type] += (not facts.why_not(fact, page_of_tests["markdown"])) != test["holds"]
    assert len(num) == 16  # eight types
    assert num.total() > 4000
    assert +differing == {"absent": 8, "math": 8, "table": 6, "present": 6, "format": 1}


def test_precision_of_compression_is_what_foxs_code_calls_so():
    wanted, ours = [], []
    for one in recorded("fox")["answers"]:
        if one["official"].get("precision") is not None and (one["truth"] + one["answer"]).isascii():
            wanted.append(one["official"]["precision"])
            ours.append(PageReading("a", "tiny", 700, one["truth"], one["answer"]).precision)
    assert len(wanted) > 100
    assert ours == pytest.approx(wanted)


def test_what_is_known_wrong_does_not_count(tmp_path, score):
    boxes = box(0, "text_block", text="Right words"), box(1, "text_block", text="Wrng lable"), box(2, "table", html=TABLE)
    gt = omnidocbench(tmp_path, page(*boxes))
    texts = {"a": "Right words\n\nWrong label\n\n" + TABLE.replace("7", "8")}
    (tmp_path / "list.txt").write_text("a.jpg\t1\na.jpg\t2\nb.jpg\t0\n")
    without = f"without={tmp_path / 'list.txt'}"
    assert {"text", "page", "teds"} <= score(texts, gt)[1]["means"].keys()
    _, everything, printed, _ = score(texts, gt, without)
    assert everything["means"]["text"]["value"] == 0
    assert not {"page", "teds"} & everything["means"].keys()
    assert "2 blocks of 3 in the list without= are of these pages" in printed
    (tmp_path / "list.txt").write_text("a.jpg 1\n")
    assert "line 1: a page's image, a tab and a block's number are needed" in score(texts, gt, without)[3]


def test_olmocr_bench_has_the_mean_over_files_and_more_than_half_of_the_readings(tmp_path, score):
    texts = [{"type": "present", "text": text} for text in ("here", "nowhere", "gone")]
    gt = olmocr(tmp_path, texts=texts, math=[{"type": "math", "math": "x^2"}])
    (tmp_path / "list.txt").write_text("a.pdf\ttexts2\n")
    readings = {"a_pg1_repeat1": "It is here: $x ^ {2}$", "a_pg1_repeat2": "here $x^2$", "a_pg1_repeat3": "nowhere"}
    words = readings | {"b_pg1_repeat1": "", "c_pg1_repeat1": "x"}, gt, f"without={tmp_path / 'list.txt'}"
    _, everything, printed, _ = score(*words)
    # texts.jsonl 1 of 2, math.jsonl 1, and the baseline of a and not of b.
    assert everything["means"]["overall"]["value"] == pytest.approx((1 / 2 + 1 + 1 / 2) / 3)
    assert everything["means"]["texts.jsonl"]["value"] == 0.5
    assert "1 pages predicted, and in no test: c_pg1_repeat1" in printed
    assert "texts1 (present): the nearest text is alike by 0." in printed and "KaTeX" in printed
    (tmp_path / "bench/math.jsonl").write_text('{"type": "math"}')
    assert "math.jsonl, line 1: a test is a JSON object with pdf, page, id and type" in score(*words)[3]
    assert "0 and 0 are there" in score({}, f"olmocr:{tmp_path}")[3]


def clone(tmp_path, file, code):
    path = tmp_path / "clone" / file
    path.parent.mkdir(parents=True)
    path.write_text(code)
    return f"official={tmp_path / 'clone'}"


OMNIDOCBENCH = """
import json, os, sys
config = json.load(open(sys.argv[2]))["end2end_eval"]
read = os.listdir(config["dataset"]["prediction"]["data_path"])
pages = json.load(open(config["dataset"]["ground_truth"]["data_path"]))
print("noise")
figures = {
    "text_block": {"all": {"Edit_dist": {"whole": len(read)}}, "page": {"Edit_dist": {"ALL": 0.25, "language: english": 9}}},
    "display_formula": {"all": {}, "group": {}, "page": {"CDM": {"ALL": 0.5}}},
    "table": {"all": {"TEDS": {"all": float("nan")}}, "page": {"TEDS": {"ALL": 0.75}}},
}
json.dump(figures, open("result/pages_quick_match_metric_result.json", "w"))
"""


def test_omnidocbenchs_own_code_is_run(tmp_path, score, monkeypatch):
    gt = omnidocbench(tmp_path, page(box(0, "text_block", text="Right words")), page(name="b.jpg"))
    official = clone(tmp_path, "pdf_validation.py", OMNIDOCBENCH)
    code, everything, printed, _ = score({"a": "Right words", "c": "Nobody asked"}, gt, official)
    assert code == 0
    assert everything["official"].pop("overall") == pytest.approx(100 * (0.75 + 0.75 + 0.5) / 3)
    assert everything["official"] == {
        "text_block.all.Edit_dist.whole": 1.0,
        "text_block.page.Edit_dist.ALL": 0.25,
        "display_formula.page.CDM.ALL": 0.5,
        "table.page.TEDS.ALL": 0.75,
    }
    assert "text_block.page.Edit_dist.ALL" in printed
    monkeypatch.setenv("PATH", "")
    assert "without CDM, and so without Overall: xelatex (texlive-xetex), magick (imagemagick)" in score({}, gt, official)[2]


def test_foxs_own_code_is_run(tmp_path, score):
    code = """
import json, sys
pages = json.load(open(sys.argv[2]))
print("noise", json.dumps({"eval question num": len(pages), "recall": float(pages[0]["label"] == pages[0]["answer"])}))
"""
    official = clone(tmp_path, "eval_tools/eval_ocr_test.py", code)
    _, everything, printed, _ = score({"en_0": "to be"}, fox(tmp_path, "to be", "or not"), official)
    assert everything["official"] == {"eval question num": 1.0, "recall": 1.0}
    assert everything["means"]["page"]["value"] == 0.5
    assert "1 pages without a prediction" in printed


OLMOCR = """
import sys
from pathlib import Path
bench = Path(sys.argv[sys.argv.index("--dir") + 1])
assert sorted(path.name for path in bench.iterdir()) == ["pdfs", "read", "texts.jsonl"]
assert (bench / "read/a_pg1_repeat1.md").read_text() == "here"
print("Final Summary with 95% Confidence Intervals:")
print("read                 : Average Score: 71.5% ± 0.9% (average of per-JSONL scores)")
print("    baseline: 98.0% average pass rate over 2 tests\\n\\n    Results by JSONL file:")
print("        texts.jsonl                   : 50.0% (1/2 tests)")
"""


def test_olmocr_benchs_own_code_is_run(tmp_path, score):
    gt = olmocr(tmp_path, texts=[{"type": "present", "text": "here"}])
    official = clone(tmp_path, "olmocr/bench/benchmark.py", OLMOCR)
    everything = score({"a_pg1_repeat1": "here"}, gt, official)[1]
    assert everything["official"] == {"overall": 71.5, "baseline": 98.0, "texts.jsonl": 50.0}
    outside = {"pdf": "../../../outside.pdf", "page": 1, "id": "o", "type": "baseline"}
    (tmp_path / "bench/texts.jsonl").write_text(json.dumps(outside))
    assert "../../../outside.pdf lies outside of its folder pdfs" in score({"outside_pg1": "here"}, gt, official)[3]


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("raise SystemExit('no font')", "its code ended with no font"),
        ("print('nothing')", "its code wrote no figures, and ended with nothing"),
        (None, "a clone of github.com/opendatalab/OmniDocBench is needed, with pdf_validation.py"),
    ],
)
def test_why_the_public_code_says_nothing_is_one_sentence(tmp_path, score, code, problem):
    official = f"official={tmp_path}" if code is None else clone(tmp_path, "pdf_validation.py", code)
    number, _, _, errors = score({"a": "Right words"}, omnidocbench(tmp_path, page(box(0, "title", text="Words"))), official)
    assert number == 2
    assert problem in errors


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("PAGEWHEEL_OMNIDOCBENCH"), reason="PAGEWHEEL_OMNIDOCBENCH names no clone of OmniDocBench")
def test_omnidocbench_itself_agrees_on_a_page_that_is_right(tmp_path, score):
    boxes = box(0, "text_block", text="Right words"), box(1, "table", html=TABLE, latex="")
    gt = omnidocbench(tmp_path, page(*boxes))
    code, everything, _, errors = score({"a": f"Right words\n\n{TABLE}"}, gt, f"official={os.environ['PAGEWHEEL_OMNIDOCBENCH']}")
    assert code == 0, errors
    assert everything["official"]["text_block.page.Edit_dist.ALL"] == everything["means"]["text"]["value"] == 0
    assert everything["official"]["table.page.TEDS.ALL"] == everything["means"]["teds"]["value"] == 1


@pytest.mark.slow
@pytest.mark.skipif(
    not importlib.util.find_spec("olmocr"), reason="the package olmocr isn't installed: pip install 'olmocr[bench]'"
)
def test_olmocr_bench_itself_agrees(tmp_path, score):
    import pymupdf

    tests = [{"type": "present", "text": text} for text in ("here", "nowhere")]
    gt = olmocr(tmp_path, texts=tests, tables=[{"type": "table", "cell": "7"}])
    for name in ("a", "b"):
        with pymupdf.open() as document:
            document.new_page()
            document.save(tmp_path / f"bench/pdfs/{name}.pdf")
    _, everything, _, errors = score({"a_pg1_repeat1": f"here\n\n{TABLE}", "b_pg1_repeat1": "b"}, gt, "official=installed")
    assert everything["official"]["overall"] == pytest.approx(100 * everything["means"]["overall"]["value"], abs=0.1), errors
