"""The wheel turns: pools, crops, a reader, its errors, labels through the gate, and the next round.

What a kill does is in test_flywheel_rounds.py.
"""

import json
import re
from dataclasses import replace

import pytest

from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.engines import OPEN
from datagen.engines.compact import Reader
from datagen.record import Sample
from datagen.writing.line_text import normalise
from datagen.writing.lookalikes import fold as fold_letters
from flywheel.labels import calibrate, detected_lines
from flywheel.pools import lineage, pools_file
from recipes.run.execute import Place, run
from recipes.verbs.forget import forget
from tests.inputs import pdfs, wheel
from tests.outputs import check_corpus, dataset_samples, files

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first test waits for two rounds, beside whatever else runs
METRICS = frozenset(
    "cer cer_low cer_high num_chars reader num_accepted num_right rejected precision precision_low tesseract_cer pools".split()
)


def metrics(out, number=1) -> dict:
    return json.loads((out / f"round-{number}" / "metrics.json").read_text())


def samples(folder) -> list[Sample]:
    return list(dataset_samples(Folder(str(folder))))


def test_a_round_learns_measures_and_labels(turned):
    first, second = metrics(turned / "out", 1), metrics(turned / "out", 2)
    row = first["languages"]["ru"]
    assert row.keys() >= METRICS
    assert row["cer_low"] <= row["cer"] <= row["cer_high"] < 0.1
    assert row["num_chars"] > 400
    assert row["num_accepted"] > 20
    assert row["precision"] >= 0.5
    assert row["pools"]["kind"] == "documents"
    pools = {name: row["pools"][name]["documents"] for name in ("train", "held_out", "fold_a", "fold_b")}
    assert pools == {"train": 5, "held_out": 1, "fold_a": 1, "fold_b": 1}
    assert (list(first["readers"]), list(second["readers"])) == (["Cyrl"], ["Cyrl-a", "Cyrl-b"])
    assert first["labels"]["num_accepted"] == row["num_accepted"]
    gates = [gate for gate in first["gates"]["Cyrl"].values() if gate["confidence"] is not None]
    assert gates
    assert all(gate["bound"] >= 0.5 and gate["languages"] == ["ru"] for gate in gates)
    assert row["chars_read"] == row["chars_accepted"] + sum(row["chars_refused"].values())
    assert 0.2 < row["chars_accepted"] / row["chars_read"] <= 1
    calibrated = json.loads((turned / "out/round-1/calibration.json").read_text())["Cyrl"]
    assert len(calibrated) == sum(gate["num_lines"] for gate in first["gates"]["Cyrl"].values())
    assert row["agreement"]["num_pieces"] >= sum(stratum == "agreed" for _, stratum, *_ in calibrated)


def test_every_line_found_is_accepted_or_refused_with_a_reason(turned):
    folder = turned / "out" / "round-1"
    row = metrics(turned / "out")["languages"]["ru"]
    accepted = samples(folder)
    assert len(accepted) == row["num_accepted"]
    assert {s.regions[0].by for s in accepted} == {"flywheel/round-1"}
    assert {(s.task, s.stage, s.round, s.lang) for s in accepted} == {("crop", "flywheel/round-1", 1, "ru")}
    strata = metrics(turned / "out")["gates"]["Cyrl"]
    opens = {s.key: strata["agreed" if s.quality.signals["agreed"] else "alone"]["confidence"] for s in accepted}
    assert all(round(opens[s.key], 3) <= s.regions[0].score <= 1 for s in accepted)
    drops = [json.loads(line) for line in (folder / "drops.jsonl").read_text().splitlines()]
    refused = [d for d in drops if d["key"]]
    assert len(refused) == sum(row["rejected"].values())
    assert all(reading.keys() == {"lang", "box", "text", "score"} for d in refused for reading in d["readings"])
    num_pages = row["pools"]["fold_a"]["pages"] + row["pools"]["fold_b"]["pages"]
    lines = [re.fullmatch(r"(.*-r1-\d+)(?:-p\d+)?", key)[1] for key in [s.key for s in accepted] + [d["key"] for d in refused]]
    assert len({*lines}) == pytest.approx(num_pages * wheel.LINES, rel=0.05)  # lines on the pages to read
    (pools,) = pools_file.read(Folder(str(turned / "out/flywheel"))).pools
    waiting = [s for s in samples(turned / "out/lines") if (s.origin.sha256, s.origin.page) in pools.unlabelled]
    assert len({*lines}) == len(waiting)  # none is lost


def test_a_round_says_what_it_came_from_and_trains_on_what_was_accepted(turned):
    first, second = (json.loads((turned / "out" / f"round-{n}" / "round.json").read_text()) for n in (1, 2))
    assert first["parent"] == {}
    assert second["parent"] == metrics(turned / "out", 1)["readers"]
    (pools,) = pools_file.read(Folder(str(turned / "out/flywheel"))).pools
    folds = {fold: {doc for doc, _ in pools.fold(fold)} for fold in "ab"}
    taught = [(s.origin.sha256, s.text) for s in samples(turned / "out/round-1")]
    made = json.loads((turned / "out/round-1/reader/Cyrl/config.json").read_text())["made"]
    for fold, other in ("ab", "ba"):
        folder = Folder(str(turned / "out/round-2/reader" / f"Cyrl-{fold}"))
        assert set(fold_letters("".join(wheel.WORDS), "Cyrl")) <= set(Reader.load(folder).alphabet.symbols)
        num_lines = json.loads(folder.read("config.json"))["made"]["languages"]["ru"]
        assert num_lines == made["languages"]["ru"] + sum(doc in folds[other] for doc, _ in taught)
        assert sorted(p.name for p in folder.local.iterdir()) == ["alphabet.json", "config.json", "model.safetensors"]


def test_no_reader_reads_a_document_that_it_learned_from(turned):
    """By what the readings themselves say: which weights read a line, and which documents' lines trained these weights."""
    out = turned / "out"
    (pools,) = pools_file.read(Folder(str(out / "flywheel"))).pools
    for number in (1, 2):
        folder = Folder(str(out / f"round-{number}"))
        learned, weights = lineage.read(folder), {sha256: name for name, sha256 in metrics(out, number)["readers"].items()}
        read = {(weights[s.origin.engines[f"flywheel/round-{number}"]], s.origin.sha256) for s in samples(folder.local)}
        assert read
        assert all(doc not in learned[reader] for reader, doc in read)
        assert not {doc for doc, _ in pools.held_out} & frozenset().union(*learned.values())
    accepted = {s.origin.sha256 for s in samples(out / "round-1")}
    assert accepted <= learned["Cyrl-a"] | learned["Cyrl-b"]
    assert calibrate.accepted_texts([Folder(str(out / "round-1"))]) == {normalise(s.text) for s in samples(out / "round-1")}
    assert not learned["Cyrl-a"] & {doc for doc, _ in pools.fold_a}


def test_the_same_command_and_fewer_rounds_change_nothing(turned, output):
    before = files(output)
    for rounds in (2, 1, 0):
        assert wheel.turn(turned / "in", output, rounds=rounds) == 0
        assert files(output) == before
    check_corpus(output, "--datasets")


def test_another_recipe_is_refused_and_leaves_the_rounds_alone(turned, output):
    before = files(output)
    with pytest.raises(ValueError, match="overwrite=1"):
        wheel.turn(turned / "in", output, rounds=2, precision=0.9)
    with pytest.raises(ValueError, match="overwrite=1"):
        wheel.turn(turned / "in", output, rounds=2, seed=5)
    assert files(output) == before


def test_documents_are_taken_in_until_a_round_begins_and_pools_are_frozen(tmp_path, caplog):
    """One output over its life: a language that can't be served, then documents that make it so, a gate that stays shut for want
    of lines, and documents that come too late for the pools."""
    inputs, out = tmp_path / "in", tmp_path / "out"
    values = wheel.UNTRAINED | {"later": wheel.UNTRAINED["first"], "precision": 0.97}
    pdfs.write(inputs / "a.pdf", pdfs.lines(pdfs.RUSSIAN * 2))
    with caplog.at_level("INFO"):
        assert wheel.turn(inputs, out, **values) == 0
    assert "ru (Cyrl) can't be served: 0 lines of Cyrl to train on, at least 50 are needed" in caplog.text
    assert not (out / "round-1").exists()

    wheel.few_documents(inputs)
    assert wheel.turn(inputs, out, **values) == 0
    made = metrics(out)
    assert made["languages"]["ru"]["cer"] is not None
    for gate in made["gates"]["Cyrl"].values():
        assert gate["confidence"] is None
        assert "at least 135 without an error are needed" in gate["reason"]
    assert (made["labels"]["num_accepted"], made["labels"]["precision"], made["labels"]["chars_accepted"]) == (0, None, 0)
    assert sum(made["languages"]["ru"]["rejected"].values()) > 0
    assert "at least 135 without an error are needed" in (out / "report/index.html").read_text()

    pools = (out / "flywheel/pools.json").read_bytes()
    pdfs.write(inputs / "new.pdf", *["\n".join([" ".join(wheel.WORDS)] * 3)] * 12)
    with caplog.at_level("INFO"):
        assert wheel.turn(inputs, out, rounds=2, **values) == 0
    assert "newer than the pools" in caplog.text
    assert (out / "flywheel/pools.json").read_bytes() == pools
    assert wheel.turn(inputs, out, rounds=1, overwrite=True, **values) == 0
    assert (out / "flywheel/pools.json").read_bytes() != pools
    assert not (out / "round-2/metrics.json").exists()


def test_where_a_shard_failed_the_wheel_does_not_turn(tmp_path, monkeypatch):
    wheel.few_documents(tmp_path / "in")
    steps = wheel.recipe(tmp_path / "in").steps
    missing = replace(steps[0].source.page_functions[0], function="os:x", place="")
    broken = replace(steps[0], source=replace(steps[0].source, page_functions=(missing,)))
    assert run(replace(wheel.recipe(tmp_path / "in"), steps=(broken, *steps[1:])), Place(str(tmp_path / "out"), "inline")) == 1
    assert not read_reports(Folder(str(tmp_path / "out" / "crops")))
    assert not (tmp_path / "out" / "flywheel").exists()


def test_a_forgotten_document_leaves_the_crops_and_lines_and_the_rounds_say_what_they_learned(turned, output):
    out = output
    (pools,) = pools_file.read(Folder(str(out / "flywheel"))).pools
    learned, read = pools.train[0][0], pools.fold_a[0][0]
    assert [s for s in samples(out / "crops") if s.origin.sha256 == learned]
    assert [s for s in samples(out / "round-1") if s.origin.sha256 == read]
    made = wheel.recipe(turned / "in", 2)
    message, done = forget(str(out), sha256=learned, recipe=made)
    assert done and "round-1/reader/Cyrl, round-2/reader/Cyrl-a, round-2/reader/Cyrl-b;" in message
    message, done = forget(str(out), sha256=read, recipe=made)
    assert done and "trained on it, and not changed: round-2/reader/Cyrl-b;" in message
    for name in ("coarse", "crops", "round-1", "round-2"):
        assert {s.origin.sha256 for s in samples(out / name)}.isdisjoint({learned, read})
    check_corpus(out, "--datasets")
    before = files(out)
    assert wheel.turn(turned / "in", out, rounds=2) == 0  # nothing is refused, and nothing made again but the report
    after = files(out)
    changed = {name for name in {**before, **after} if before.get(name) != after.get(name)}
    assert changed <= {"report/index.html", "report/run.json"}


def test_a_tesseract_that_fails_costs_votes_and_no_run(turned, monkeypatch, caplog):
    def fail(*_: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(detected_lines.tesseract, "reads", lambda lang, script: lang)
    monkeypatch.setattr(detected_lines.tesseract.Tesseract, "read", fail)
    detected_lines._tell.cache_clear()
    pages = [s for s in samples(turned / "out/coarse") if s.origin.page == 0][:2]
    lines = list(detected_lines.DetectLines()([replace(page, lang="ru", script="Cyrl") for page in pages], OPEN))
    assert len(lines) > 20
    assert all(line.regions[0].is_unread and line.metadata == {"existing_reader": "failed"} for line in lines)
    assert detected_lines.line_of(lines[0]).vote is None
    assert caplog.text.count("tesseract can't read ru: no memory; its lines have no vote") == 1
