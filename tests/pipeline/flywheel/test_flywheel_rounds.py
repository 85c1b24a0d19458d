"""What takes a wheel minutes: kills in training and in reading, and rounds that are set aside."""

import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from datagen.disk import manifest
from datagen.disk.shards import read_report, read_reports, read_samples
from datagen.disk.storage import Folder
from flywheel.pools import pools_file
from flywheel.step import AUTO, Fit
from model.data.ours import open_ours
from model.data.split import opened
from model.net.tokenizer import byte_tokenizer
from recipes.__main__ import main
from recipes.verbs.forget import forget
from tests.commits import at_every_commit
from tests.inputs import wheel
from tests.outputs import check_corpus, files, write_shard
from tests.pipeline.flywheel.test_flywheel import metrics, samples
from tests.programs import killed_when

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_poisoned_round_is_caught_and_rolled_back(turned, tmp_path):
    """Round 1 accepted what it should not have: sixty lines for each that it had, whose letters are others. What its lines taught
    round 2 shows on held-out lines: round 2 is set aside, and what comes next starts from round 1's readers."""
    out = shutil.copytree(turned / "out", tmp_path / "out")
    assert main(["flywheel", f"out={out}", "rollback=1"]) == 0
    poison(Folder(str(out)).sub("round-1"))
    later = Fit(steps=200, learning_rate=3e-3, batch_width=1_200, typeset_share=0.0, num_lines=1, checkpoint_every=100)
    values = {"later": later, "needs_gain": True}
    assert wheel.turn(turned / "in", out, rounds=AUTO, **values) == 0
    assert sorted(name for name in Folder(str(out)).folders() if "round" in name) == [
        "aside-pages-round-2", "aside-round-2", "aside-round-3", "pages-round-1", "round-1"
    ]  # fmt: skip
    made = json.loads((out / "aside-round-3/metrics.json").read_text())
    changes = made["verdict"]["changes"]
    assert made["verdict"]["reason"].startswith("worse than the round that it comes from: ru (Cyrl-a) ")
    assert changes.keys() == {"ru (Cyrl-a)", "ru (Cyrl-b)"}
    assert max(change["now"] for change in changes.values()) > 2 * changes["ru (Cyrl-a)"]["before"]
    assert changes["ru (Cyrl-a)"]["before"] == json.loads((out / "round-1/metrics.json").read_text())["languages"]["ru"]["cer"]
    assert (list(made["readers"]), made["labels"]["num_accepted"]) == (["Cyrl-a", "Cyrl-b"], 0)


def poison(folder: Folder) -> None:
    """Let each accepted line of a round stand there sixty times, with other letters. Of ten, a reader told all by their looks."""
    letters = sorted(set("".join(wheel.WORDS)))
    garbled = str.maketrans("".join(letters), "".join(letters[1:] + letters[:1]))
    for report in read_reports(folder):
        rows = manifest.read_part(folder, report.shard).to_pylist()
        wrong = [replace(s, text=s.text.translate(garbled)) for s in read_samples(folder, rows)]
        write_shard(folder, report.shard, [replace(s, key=f"{s.key}-{copy}") for s in wrong for copy in range(60)])
        made = read_report(folder, report.shard)
        changed = {name: getattr(made, name) for name in ("sha256", "num_bytes", "num_samples")}
        folder.write(f"shards/{report.shard}.json", replace(report, **changed).to_json())


RUN = "import sys; from pathlib import Path; from tests.inputs import wheel; sys.exit(wheel.turn(*map(Path, sys.argv[1:])))"


def digests(out: Path) -> dict[str, str]:
    """What a round leaves that others build on: the reader, the labels, the pages, the figures."""
    files = [
        *out.glob("round-1/reader/Cyrl/*"),
        *out.glob("*round-1/shards/*.tar"),
        out / "round-1/metrics.json",
        out / "round-1/round.json",
    ]
    return {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(files)}


def test_killed_in_training_and_in_reading_it_ends_in_the_same_reader_and_the_same_labels(turned, tmp_path):
    folder, out = turned / "in", tmp_path / "out"
    reader, shards = out / "round-1" / "reader" / "Cyrl", out / "round-1" / "shards"
    killed_when(lambda: list(reader.glob("checkpoint-*.safetensors")), RUN, folder, out)
    assert not (reader / "config.json").exists()
    killed_when(lambda: list(shards.glob("*.json")), RUN, folder, out)
    assert not (out / "round-1" / "metrics.json").exists()
    assert len(list(shards.glob("*.json"))) < len(list((turned / "out/round-1/shards").glob("*.json")))
    assert wheel.turn(folder, out) == 0
    assert digests(out) == digests(turned / "out")
    assert not list(out.rglob(".tmp-*"))
    check_corpus(out)


def test_a_round_goes_on_from_any_commit(tmp_path):
    """With a reader that reads nothing yet: what a round leaves is the same wherever it was ended."""
    folder, before, out = tmp_path / "in", tmp_path / "before", tmp_path / "out"
    wheel.few_documents(folder)
    fit = {"first": Fit(steps=4, learning_rate=1e-3, batch_width=1_000, num_lines=1, checkpoint_every=2)}
    assert wheel.turn(folder, out, **fit) == 0
    whole = digests(out)
    # What all rounds share stays there: finding the lines on pages takes longer than the round does.
    shutil.copytree(out, before, ignore=shutil.ignore_patterns("round-1", "pages-round-1"))

    def end(number: int) -> None:
        shutil.rmtree(out)
        wheel.turn(folder, shutil.copytree(before, out), **fit)

    def goes_on(number: int, name: str) -> None:
        assert wheel.turn(folder, out, **fit) == 0, name
        assert digests(out) == whole, name

    # The round's two datasets are made alike, and so are shards, and a dataset's cards and marks whenever they are written.
    names = at_every_commit(end, goes_on, within="round-1", kind=lambda name: re.sub(r"pages-|-\d{6}", "", name))
    assert {"config.json", "metrics.json", "round.json"} <= {name.rpartition("/")[2] for name in names}
    assert any("checkpoint" in name for name in names)
    assert any("pages-round-1" in name for name in names)


def test_after_a_rollback_the_next_round_starts_from_the_last_one_that_is_left(turned, output, capsys):
    assert main(["flywheel", f"out={output}", "rollback=1"]) == 0
    aside = files(output / "aside-round-2")
    assert wheel.turn(turned / "in", output, rounds=2) == 0
    origin = json.loads((output / "round-3/round.json").read_text())
    assert (origin["from"], origin["parent"]) == ("round-1", metrics(output, 1)["readers"])
    assert (metrics(output, 3)["round"], metrics(output, 3)["from"]) == (3, "round-1")
    assert {s.stage for s in samples(output / "round-3")} == {"flywheel/round-3"}
    assert sorted(name for name in Folder(str(output)).folders() if "round" in name) == [
        *("aside-pages-round-2", "aside-round-2", "pages-round-1", "pages-round-3", "round-1", "round-3")
    ]
    assert files(output / "aside-round-2") == aside
    corpus = opened(open_ours(Folder(str(output)), ["coarse", "round-*"]), byte_tokenizer(), 0.1)
    assert {dataset.name for dataset in corpus.datasets} >= {"round-1 crop", "round-3 crop"}
    assert not [dataset.name for dataset in corpus.datasets if "round-2" in dataset.name]
    page = (output / "report/index.html").read_text()
    assert "labels of round 3" in page and "round-2 was set aside on" in page
    (pools,) = pools_file.read(Folder(str(output / "flywheel"))).pools
    read = pools.fold_a[0][0]
    message, done = forget(str(output), sha256=read, recipe=wheel.recipe(turned / "in", 2))
    assert done and "round-3/reader/Cyrl-b, aside-round-2/reader/Cyrl-b" in message
    for name in ("round-1", "aside-round-2", "round-3"):
        assert {s.origin.sha256 for s in samples(output / name)} & {doc for doc, _ in pools.unlabelled} - {read}
        assert read not in {s.origin.sha256 for s in samples(output / name)}
