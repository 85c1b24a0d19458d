"""The table of kinds of readers, and the words of a recipe that choose one."""

import json
from pkgutil import resolve_name

import pytest

from datagen.disk.storage import Folder
from datagen.engines import ENGINES
from datagen.work.pipeline import Pipeline
from datagen.work.runner import DaskRunner, InProcess
from datagen.work.samples_of import ShardsOf
from flywheel.labels.relabel import LinesOf, ReadLines
from flywheel.readers import kinds
from flywheel.step import READERS, Fit, Pretrained
from recipes.multilingual import multilingual


def test_every_kind_has_an_engine_and_a_training():
    assert set(kinds.TRAININGS) == set(READERS) <= set(ENGINES)
    for kind in READERS:
        assert callable(resolve_name(kinds.TRAININGS[kind]))
        assert "torch" in kinds.engines(kind)


def test_a_reader_of_another_kind_is_no_start(tmp_path, monkeypatch):
    starts = []
    monkeypatch.setitem(kinds.TRAININGS, "ours", "tests.unit.flywheel.readers.test_kinds:recorded")
    monkeypatch.setattr(
        "tests.unit.flywheel.readers.test_kinds.recorded", lambda *arguments: starts.append(arguments[3]), raising=False
    )
    monkeypatch.setattr(kinds, "weights_sha256", lambda folder: "")
    for kind in ("compact", "ours"):
        Folder(str(tmp_path / kind)).write("config.json", json.dumps({"kind": kind}).encode())
        kinds.fit("ours", Fit(1, 1.0), [], Folder(str(tmp_path)), Folder(str(tmp_path / kind)), "mark")
    assert starts == [None, Folder(str(tmp_path / "ours"))]


def test_weights_are_a_folder_a_hubs_name_or_a_training_of_the_output(tmp_path):
    out = Folder(str(tmp_path))

    def where(weights: str) -> str:
        return kinds.weights_of(Fit(1, 1.0, pretrained=Pretrained(weights)), out)

    assert kinds.weights_of(Fit(1, 1.0), out) == ""
    assert [where(name) for name in ("/a/b", "somebody/something")] == ["/a/b", "somebody/something"]
    with pytest.raises(ValueError, match=r"weights is train: .* has no training of that name that has finished"):
        where("train")
    out.write("train/metrics.json", b"{}")
    assert where("train") == out.sub("train/model").url


def wheel_of(**words):
    return next(step for step in multilingual(**words).steps if step.name == "flywheel")


def test_words_choose_a_kind():
    assert wheel_of() == wheel_of(readers="compact") and wheel_of().reader == "compact"
    wheel = wheel_of(readers="got_ocr", start="/weights", lora=8)
    assert wheel.reader == "got_ocr" and wheel.first.pretrained == Pretrained("/weights", 8)
    assert wheel.later.steps < wheel.first.steps and wheel.later.pretrained == wheel.first.pretrained
    assert wheel.first.learning_rate > wheel_of(readers="got_ocr", start="/weights").first.learning_rate
    assert wheel_of(readers="ours", start="train").first.pretrained == Pretrained("train")


def test_readers_that_are_networks_need_a_gpu(monkeypatch):
    wheel = wheel_of(readers="got_ocr", start="weights")

    def gpus(kind: str, device: str = "") -> int:
        return Pipeline("round-1", ShardsOf("a/lines"), LinesOf(), (ReadLines(kind=kind, device=device),)).needs.gpus

    assert [gpus(wheel.reader), gpus("ours", "cuda"), gpus("ours", "cpu"), gpus("compact")] == [1, 1, 0, 0]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert kinds.device(wheel.reader, "", InProcess()) == ""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert kinds.device(wheel.reader, "", InProcess()) == "cpu" and kinds.device("compact", "", InProcess()) == ""
    assert kinds.device(wheel.reader, "", DaskRunner("slurm", 2)) == ""
    with pytest.raises(ValueError, match="a task needs GPUs: 1"):
        kinds.device(wheel.reader, "cuda", InProcess())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"readers": "large"}, "readers=large: allowed are compact, got_ocr, ours"),
        ({"start": "a"}, "readers=compact starts from the package's, or start=random"),
        ({"lora": 2}, "readers=compact starts from the package's, or start=random"),
        ({"readers": "got_ocr"}, "readers=got_ocr needs start=FOLDER"),
    ],
)
def test_words_that_do_not_go_together_are_told(words, message):
    with pytest.raises(ValueError, match=message):
        multilingual(**words)
