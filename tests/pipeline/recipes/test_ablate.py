"""Ablations from datasets to the table: what is refused, what no arm may learn from, and what comes out of tiny arms."""

import dataclasses
import json
import shutil

import pytest

from datagen.disk.storage import Folder
from model.net.config import line_reader
from model.net.deepseek_ocr import build
from model.net.tokenizer import byte_tokenizer
from model.train.data import corpus_of, open_all
from model.train.export import export
from recipes.__main__ import main
from recipes.ablate import FRESH_ARM, HoldOut, ablate
from recipes.recipe import Recipe
from recipes.steps import Place, runners
from recipes.steps.holdout import HoldOutRunner
from tests.model.lines import EIGHT, line_crop, rendered, write_dataset
from tests.outputs import files

TINY = FRESH_ARM.but(rows_per_step=1, micro_rows=1, loss_samples=3, read_samples=3, shown_samples=3, max_new_tokens=3, workers=0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({}, "ablate compares a=DATASET and b=DATASET, or what of= says: raw_text, rounds, degradations"),
        ({"a": "x"}, "needs both a=DATASET and b=DATASET"),
        ({"a": "x", "b": "x"}, "a, b and c must be different corpora"),
        ({"a": "x", "b": "y", "corpus": "z"}, "corpus, input and limit are for of=KIND"),
        ({"of": "rounds"}, "of=rounds needs corpus=DIR"),
        ({"of": "raw_text", "corpus": "z", "limit": 3}, "give corpus=DIR, whose pages are there already, or input=WHERE"),
        ({"a": "x", "b": "y", "variant": "full"}, "variant=full needs start=FOLDER"),
        ({"a": "x", "b": "y", "start": "s", "start_encoder": "e"}, "give start=FOLDER .* or start_encoder=FOLDER .*, not both"),
    ],
)
def test_what_is_refused(words, message):
    with pytest.raises(ValueError, match=message):
        ablate(**words)


def test_the_steps_of_an_ablation():
    recipe = ablate(a="/x/a", b="/x/b", truth="/x/t", seeds=2, steps=80)
    assert [step.name for step in recipe.steps] == [
        *("held-out", "a-0", "b-0", "a-1", "b-1", "compare", "report"),
    ]
    arms = recipe.steps[1:5]
    same = [dataclasses.replace(arm, name="", seed=0, datasets=()) for arm in arms]
    assert all(arm == same[0] for arm in same)
    assert {arm.weights.start for arm in arms} == {"packaged"} and [arm.seed for arm in arms] == [0, 0, 1, 1]
    assert [(one.where, one.only) for one in arms[0].data] == [("/x/a", "train"), ("/x/t", "measure")]
    assert recipe.steps[0] == HoldOut(("/x/t",), 1.0)
    own = ablate(a="/x/a", b="/x/b", start="/x/s").steps
    assert own[0].share < 1 and own[0].datasets == ("/x/a", "/x/b")
    assert [(one.where, one.only) for one in own[2].data] == [("/x/b", ""), ("/x/a", "measure")]
    assert own[1].weights.start == "/x/s" and not own[1].weights.start_encoder and not own[1].weights.start_decoder
    fresh = ablate(a="/x/a", b="/x/b", start_encoder="/x/e").steps[1]
    assert (fresh.weights.start, fresh.weights.start_encoder, fresh.weights.start_decoder) == ("", "/x/e", "random")
    (plain, degraded) = ablate(of="degradations", corpus="/x", seeds=1).steps[3:5]
    assert (plain.batches.scans, plain.batches.photos) == (0, 0) and degraded.batches.scans and degraded.batches.photos
    pages = ablate(a="/x/a", b="/x/b", start="/x/s", variant="full", modes="small,base").steps[1]
    assert pages.batches.modes == (("small", 1.0), ("base", 1.0)) and not pages.weights.frozen


def runner(step, out) -> HoldOutRunner:
    return HoldOutRunner(step, Recipe("test", (step,)), Place(str(out)))


def test_a_truths_documents_are_in_no_arm_whatever_their_names(tmp_path):
    out = Folder(str(tmp_path))
    write_dataset(out, "a", [[line_crop(text, f"a{n}", f"d{n % 4}") for n, text in enumerate(EIGHT)]])
    renamed = [line_crop(text, f"t{n}", f"d{n % 2}") for n, text in enumerate(EIGHT[:4])]
    write_dataset(out, "t", [[dataclasses.replace(sample, group=f"other {sample.key}") for sample in renamed]])
    recipe = ablate(a=f"{tmp_path}/a", b=f"{tmp_path}/b", truth=f"{tmp_path}/t")
    names = runner(recipe.steps[0], out.url).held_out()
    assert {sample.origin.sha256 for sample in renamed} <= names and "other t0" in names
    arm = recipe.steps[1]
    corpus = corpus_of(open_all(arm, out, names), byte_tokenizer(), arm.evaluation.held_out_share)
    assert [len(rows) for rows in corpus.train] == [4, 0]  # d2 and d3 are left
    assert [len(rows) for rows in corpus.held_out] == [0, 4]


def test_a_share_of_documents_is_the_same_for_all_arms(tmp_path):
    out = Folder(str(tmp_path))
    for name in "ab":
        write_dataset(out, name, [[line_crop(EIGHT[n % 8], f"{name}{n}", f"d{n}") for n in range(40)]])
    step = HoldOut(("a", "b"), 0.15)
    held_out = runner(step, out.url).held_out()
    assert 2 <= len(held_out) <= 16
    assert runner(dataclasses.replace(step, datasets=("b",)), out.url).held_out() == held_out
    write_dataset(out, "one", [[line_crop("text", "k0", "d")]])
    with pytest.raises(ValueError, match="all samples are of one document"):
        runner(HoldOut(("one",), 0.15), out.url).held_out()
    write_dataset(out, "two", [[line_crop("text", f"k{n}", f"d{n}") for n in range(2)]])
    assert len(runner(HoldOut(("two",), 1e-6), out.url).held_out()) == 1  # never none, and never all
    write_dataset(out, "bad", [[line_crop("text", "k0", verdict="suspect")]])
    with pytest.raises(ValueError, match="bad: there is no sample with text to measure arms by"):
        runner(HoldOut(("bad",)), out.url).held_out()
    with pytest.raises(ValueError, match="gone has no sample: a dataset that pagewheel wrote is needed"):
        runner(HoldOut(("gone",)), out.url).held_out()


def test_rows_of_a_truth_name_their_documents(tmp_path):
    file = tmp_path / "truth.jsonl"
    rows = [{"image": "a.jpg", "answer": "x", "group": "d1"}, {"image": "b.jpg", "answer": "y", "group": "d2"}]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n\nno JSON\n")
    assert runner(HoldOut((str(file),)), tmp_path).held_out() == {"d1", "d2"}
    file.write_text(json.dumps(rows[0]) + "\n" + json.dumps({"image": "c.jpg", "answer": "z"}))
    with pytest.raises(ValueError, match=r"truth.jsonl line 2 has no group: name its document"):
        runner(HoldOut((str(file),)), tmp_path).held_out()
    with pytest.raises(ValueError, match=r"gone.jsonl: No such file"):
        runner(HoldOut((str(tmp_path / "gone.jsonl"),)), tmp_path).held_out()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Two corpora of one text, of which one is mislabelled; a truth of other documents; and an encoder to start from."""
    root = tmp_path_factory.mktemp("ablate")
    texts = [f"{EIGHT[n % 8]} {n}"[:12] for n in range(24)]
    good = [line_crop(text, f"k{n}", f"d{n}") for n, text in enumerate(texts)]
    bad = [dataclasses.replace(sample, text=sample.text[::-1]) for sample in good]
    write_dataset(Folder(str(root)), "good", [good])
    write_dataset(Folder(str(root)), "bad", [bad])
    (root / "images").mkdir()
    rows = []
    for n, text in enumerate(EIGHT[:4]):
        (root / f"images/{n}.jpg").write_bytes(rendered(text))
        rows.append({"image": f"images/{n}.jpg", "answer": text, "group": f"page {n}", "id": f"p{n}-1"})
    (root / "truth.jsonl").write_text("\n".join(map(json.dumps, rows)))
    tokenizer = byte_tokenizer()
    export(Folder(str(root / "encoder")), build(line_reader(1).with_vocab(len(tokenizer))), tokenizer)
    return root


def words(root, out, *more: str) -> list[str]:
    start = f"start_encoder={root}/encoder"
    return ["ablate", f"a={root}/bad", f"b={root}/good", start, "steps=1", "on=inline", f"out={out}", *more]


def test_from_corpora_to_a_table(root, tmp_path, capsys, monkeypatch, caplog):
    monkeypatch.setattr("recipes.ablate.FRESH_ARM", TINY)
    out, typed = tmp_path / "out", words(root, tmp_path / "out", f"truth={root}/truth.jsonl", "seeds=2")
    assert main([*typed, "plan=1"]) == 0
    plan = capsys.readouterr().out
    assert f"held-out: no arm learns from all documents of {root}/truth.jsonl" in plan
    assert "compare: compares a (a-0, a-1), b (b-0, b-1)" in plan and not out.exists()
    assert main(typed) == 0
    table = json.loads((out / "compare/table.json").read_text())
    (of_truth,) = table["truths"].values()
    assert of_truth["num"] == 3 and set(of_truth["arms"]) == {"a", "b"}
    rows = [json.loads((out / f"{name}/readback.json").read_text()) for name in ("a-0", "a-1", "b-0", "b-1")]
    assert [{row["key"] for row in of_arm} for of_arm in rows] == [{row["key"] for row in rows[0]}] * 4
    errors = [sum(row["num_errors"] for row in of_arm) / sum(len(row["truth"]) for row in of_arm) for of_arm in rows]
    assert [*of_truth["arms"]["a"]["by_seed"], *of_truth["arms"]["b"]["by_seed"]] == pytest.approx(errors)
    assert table["arms"]["a"]["differs"] == {"learns from": f"{root}/bad"}
    assert [len(curve) for curve in of_truth["curve"]["a"]] == [2, 2]  # before the first step, and after the last
    configs = {(out / f"{name}/model/config.json").read_bytes() for name in ("a-0", "b-1")}
    weights = {(out / f"{name}/model/model-00001-of-000001.safetensors").read_bytes() for name in ("a-0", "a-1")}
    assert (len(configs), len(weights)) == (1, 2)  # the same network, with other seeds
    page = (out / "report/index.html").read_text()
    assert 'id="compare-table"' in page and 'id="compare-worst"' in page and "b less a" in page
    assert all(f'id="{name}-{part}"' in page for name in ("a-0", "b-1") for part in ("metrics", "readback"))
    capsys.readouterr()
    assert main(["status", f"{out}"]) == 0
    said = capsys.readouterr().out
    assert "compare: character error on 3 of" in said and "over 2 seeds" in said
    before = files(out)
    assert main(typed) == 0 and files(out) | {"recipe.json": 0} == before | {"recipe.json": 0}

    # An arm is missing: it is trained again, or else it is named.
    shutil.rmtree(out / "b-1")
    shutil.rmtree(out / "compare")
    assert main(["status", f"{out}"]) == 0
    assert "compare: waits for b-1" in capsys.readouterr().out
    arguments = {"a": f"{root}/bad", "b": f"{root}/good", "truth": f"{root}/truth.jsonl", "seeds": 2, "steps": 1}
    recipe = ablate(**arguments, start_encoder=f"{root}/encoder")
    compare = next(one for one in runners(recipe, Place(str(out))) if one.step.name == "compare")
    with pytest.raises(ValueError, match="b-1: not trained yet, so there is nothing to compare"):
        compare.run()
    assert main(typed) == 0 and json.loads((out / "compare/table.json").read_text()) | {"arms": 0} == table | {"arms": 0}


def test_a_forgotten_documents_pictures_go(root, tmp_path, monkeypatch):
    from datagen.record import source_key
    from datagen.work.tombstones import Forgotten, Tombstone
    from recipes.steps import Gone

    monkeypatch.setattr("recipes.ablate.FRESH_ARM", TINY)
    recipe = ablate(a=f"{root}/bad", b=f"{root}/good", start_encoder=f"{root}/encoder", seeds=1)
    compare = next(one for one in runners(recipe, Place(str(tmp_path))) if one.step.name == "compare")
    rows = [{"key": f"{source_key(uri, '0' * 64)}-000001"} for uri in ("a.pdf", "b.pdf")]
    compare.folder.write("worst.json", json.dumps({"t": rows}).encode())
    compare.forget(Gone(Forgotten.of([Tombstone(uri="a.pdf")])))
    assert json.loads(compare.folder.read("worst.json")) == {"t": rows[1:]}
