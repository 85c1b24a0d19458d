"""Lines that a person corrected go round: asked about, answered, taken in, learned from, and forgotten."""

import json
import shutil
from pathlib import Path

import pytest

from datagen.disk import manifest
from datagen.disk.storage import Folder
from flywheel.people import gold, review
from flywheel.pools import lineage, pools_file, questions
from flywheel.pools.questions import Asked
from flywheel.step import Fit
from recipes.__main__ import main
from recipes.run import recipe_json
from recipes.verbs import ask as asking
from recipes.verbs.forget import forget
from tests.inputs import wheel
from tests.inputs.patches import sheet_patch
from tests.outputs import check_corpus, dataset_samples, files
from tests.outputs import recipe as coarse

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
# No gate can promise this precision, so every line is refused and may be asked about. The first reader learns to read: what an
# untrained one reads differs from machine to machine, and a letter more can make it worse, which would set the second round
# aside.
VALUES = {
    "precision": 0.9999,
    "first": Fit(steps=250, learning_rate=2e-3, batch_width=1_200, typeset_share=0.0, told_share=0.3, num_lines=1),
    "later": Fit(steps=2, learning_rate=1e-9, batch_width=1_000),
}


@pytest.fixture(scope="module")
def learned(shared):
    """Documents in `in`, and in `out` a round whose lines were all refused, a sheet that asks about some of them, and a second
    round, with corrections."""

    def fill(folder: Path) -> None:
        wheel.few_documents(folder / "in")
        assert wheel.turn(folder / "in", folder / "out", rounds=1, **VALUES) == 0
        ask(folder / "out")
        file = answered(folder / "out", folder)
        assert wheel.turn(folder / "in", folder / "out", rounds=2, gold=file, **VALUES) == 0

    return shared("gold", fill)


@pytest.fixture
def output(learned, tmp_path):
    return shutil.copytree(learned / "out", tmp_path / "out")


def ask(path: Path) -> None:
    """Write a sheet of a dozen refused lines, and of a line on a held-out page. The sheet says of each that the reader read one
    word, so that the tests know what a correction changes."""
    out = Folder(str(path))
    rows = {row["key"]: row for row in manifest.rows(out.sub("coarse"))}
    lines = []
    for drop in [drop for drop in json_rows(path / "round-1/drops.jsonl") if drop["key"] and drop["readings"]][:12]:
        row, (reading,) = rows[drop["key"].rsplit("-", 2)[0]], drop["readings"]
        lines.append(line(row, drop["key"], questions.Box(*reading["box"])))
    held_out = pools_file.read(out.sub("flywheel")).pools[0].held_out[0]
    (row,) = [row for row in rows.values() if (row["sha256"], row["page"]) == held_out]
    lines.append(line(row, f"{row['key']}-r1-0000", questions.Box(40, 40, 200, 80)))
    questions.add_sheet(out.sub("flywheel"), questions.REVIEW, 1, review.NOTE, lines)


def line(row: dict, id: str, box: questions.Box) -> Asked:
    return Asked(id, row["key"], row["uri"], row["sha256"], row["page"], box, "ru", "Cyrl", "рот", 0.1, "low_confidence")


def json_rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def answered(out: Path, tmp_path: Path) -> str:
    """A file that says of the first line that it is none, skips the second, and corrects the others."""
    (sheet,) = questions.sheets(Folder(str(out / "flywheel")))
    regions = [{"box": [1, 2, 3, 4], "label": "text", "text": "кот щука", "of": 0}]
    said = [{"verdict": "wrong"}, {"verdict": "skip"}] + [{"verdict": "corrected", "regions": regions}] * (len(sheet.lines) - 2)
    samples = [{"key": line.id} | answer for line, answer in zip(sheet.lines, said, strict=True)]
    return sheet_patch(tmp_path / "saved.json", sheet.name, sheet.id, samples)


def test_gold_becomes_a_dataset_that_trains_the_next_round_and_tests_none(learned):
    output, out = learned / "out", Folder(str(learned / "out"))
    crops = dataset_samples(out.sub("gold"))
    assert len(crops) == 10
    assert {(s.task, s.stage, s.text, s.lang, s.regions[0].by, s.quality.verdict) for s in crops} == {
        ("crop", "gold", "кот щука", "ru", "person/Eva", "trusted")
    }
    assert {s.quality.signals["edits"] for s in crops} == {6.0}
    assert all(s.origin.box.x1 - s.origin.box.x0 <= s.size[0] for s in crops)
    (drop,) = json_rows(output / "gold/drops.jsonl")
    assert (drop["reason"], drop["key"][-9:]) == ("held_out", "0000-gold")
    assert "gold" in json.loads((output / "round-2/round.json").read_text())["shards"]
    calibrating = (output / "round-2/pages_to_calibrate.json").read_text()
    assert all(s.origin.sha256 not in calibrating for s in crops)
    check_corpus(output, "--datasets")


def test_the_reader_of_a_document_did_not_learn_its_gold_and_the_other_one_did(learned):
    output, out = learned / "out", Folder(str(learned / "out"))
    (pools,) = pools_file.read(out.sub("flywheel")).pools
    (waiting,) = {doc for doc, _ in pools.unlabelled}
    reads, other = ("Cyrl-a", "Cyrl-b") if pools.fold_a else ("Cyrl-b", "Cyrl-a")
    documents = lineage.read(out.sub("round-2"))
    assert waiting not in documents[reads] and waiting in documents[other]
    alphabets = {name: (output / f"round-2/reader/{name}/alphabet.json").read_text() for name in documents}
    letter = json.dumps("щ")[1:-1]
    assert [letter in text or "щ" in text for text in (alphabets[reads], alphabets[other])] == [False, True]


def test_forget_takes_a_source_out_of_gold_sheets_and_answers(learned, output):
    out, recipe = Folder(str(output)), wheel.recipe(learned / "in", 2, **VALUES)
    (waiting,) = {s.origin.sha256 for s in dataset_samples(out.sub("gold"))}
    (pools,) = pools_file.read(out.sub("flywheel")).pools
    message, done = forget(str(output), sha256=waiting, recipe=recipe)
    assert done, message
    assert f"not changed: round-2/reader/{'Cyrl-b' if pools.fold_a else 'Cyrl-a'};" in message
    assert dataset_samples(out.sub("gold")) == []
    folder = out.sub("flywheel")
    assert [one.number for sheet in questions.sheets(folder) for one in sheet.lines if one.sha256 == waiting] == []
    assert len(questions.answers(folder)) == 1  # of the held-out page
    assert waiting not in (output / "flywheel/gold.json").read_text()
    before = files(output / "gold")
    gold.pipeline(recipe.steps[1], out, pools_file.read(folder))
    assert files(output / "gold") == before  # what is left is what is left of the dataset


def test_the_verb_asks_and_takes_in(learned, output, tmp_path, capsys, monkeypatch):
    questions.write_answers(Folder(str(output / "flywheel")), [])
    recipe = wheel.recipe(learned / "in", 2, **VALUES)
    monkeypatch.setattr(recipe_json, "again", lambda out: recipe)
    assert main(["flywheel", f"out={output}"]) == 0
    assert "character error" in capsys.readouterr().out
    assert main(["flywheel", f"out={output}", f"gold={answered(output, tmp_path)}"]) == 0
    assert "gold: 13 new answers (11 edit, 1 not_a_line, 1 skip)" in capsys.readouterr().out
    with monkeypatch.context() as nothing:
        nothing.setattr(asking.review, "choose", lambda *_: [])
        assert main(["flywheel", f"out={output}", "review=5"]) == 2
    assert "refused no line that a person could correct" in capsys.readouterr().err
    assert main(["flywheel", f"out={output}", "gold=nowhere.json"]) == 2


def test_a_recipe_without_a_flywheel_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe_json, "again", lambda out: coarse(tmp_path))
    with pytest.raises(ValueError, match="its recipe test has no flywheel"):
        asking.wheel_of(str(tmp_path))
