"""Readers that write a line token by token: `got_ocr` and `ours`, trained on a few lines, saved, read back, and killed.

Both start from tiny networks with random weights, of the classes that real weights are loaded into.
"""

import io
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from datagen.disk.storage import Folder
from datagen.engines import Engines
from datagen.record import Box
from datagen.work.needs import A_CORE
from datagen.work.pipeline import run_shard
from datagen.work.runner import InProcess
from flywheel.lines.crops import Crop
from flywheel.readers import fine_tuning, got_ocr, kinds, ours, ours_engine
from flywheel.step import Fit, Flywheel, Pretrained
from model.net.deepencoder import places
from model.net.deepseek_ocr import build
from model.net.tokenizer import byte_tokenizer
from model.train.export import export
from model.train.optim import Moved
from tests.commits import Killed
from tests.inputs import tiny_got, wheel
from tests.model.lines import rendered
from tests.model.train.test_finetune import SMALL

KINDS = {"got_ocr": got_ocr.fit, "ours": ours.fit}
WORDS = ("кот", "Οι", "sock")
STEPS = 60


def crops() -> list[Crop]:
    made = []
    for n, word in enumerate(WORDS):
        image = rendered(word)
        with Image.open(io.BytesIO(image)) as opened:
            box = Box(6, 4, opened.width - 6, opened.height - 4)
        made.append(Crop(f"line-{n}", "und", "Cyrl", word, image, box))
    return made


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("weights")
    tiny_got.write(folder / "got_ocr")
    export(Folder(str(folder / "ours")), build(SMALL, 3), byte_tokenizer(), dtype=torch.float32)
    return {kind: str(folder / kind) for kind in KINDS}


def values(kind: str, weights: dict[str, str], steps: int = 4, lora: int = 0) -> Fit:
    begun = Pretrained(weights[kind], lora, lines=6, at_once=4, device="cpu")
    return Fit(steps=steps, learning_rate=4e-3, typeset_share=0.0, checkpoint_every=2, pretrained=begun)


@pytest.fixture(scope="module", params=KINDS)
def learned(request, weights, tmp_path_factory):
    """(the kind, the folder of a reader that learned the lines, the losses of its steps)."""
    folder = Folder(str(tmp_path_factory.mktemp(request.param) / "reader"))
    fit = replace(values(request.param, weights, STEPS), learning_rate=8e-3, checkpoint_every=1000)
    return request.param, folder, KINDS[request.param](fit, crops(), folder, None, "mark")


def test_a_reader_learns_lines_and_reads_the_same_again(learned, tmp_path):
    kind, folder, losses = learned
    assert numpy.mean(losses[-5:]) < 0.5 * numpy.mean(losses[:5])
    lines = [crop.line() for crop in crops()]
    sha256 = kinds.weights_sha256(folder)
    with Engines() as engines:
        first = kinds.reader(folder.url, sha256, engines).read(lines)
    shutil.copytree(folder.url, tmp_path / "copy")
    with Engines() as engines:
        reader = kinds.reader(str(tmp_path / "copy"), sha256, engines)
        assert reader.script == "Cyrl" and reader.versions()[kind] == sha256
        assert reader.read(lines) == first
        backwards = reader.read(lines[::-1])[::-1]
        assert [text for text, _ in backwards] == [text for text, _ in first]
        assert reader.read([]) == []
    assert all(0 <= score <= 1 for _, score in first) and any(text for text, _ in first)
    assert not [name for name in folder.folders() if name.startswith("checkpoint")] and not folder.exists("progress.json")
    assert kinds.kind_of(folder) == kind


def test_the_score_is_the_probability_of_the_text_and_its_end(learned):
    kind, folder, _ = learned
    lines = [crop.line() for crop in crops()]
    with Engines() as engines:
        reader = kinds.reader(folder.url, "", engines)
        readings, network = reader.read(lines), reader.network
        for line, (text, score) in zip(lines, readings, strict=True):
            assert score == pytest.approx(BY_HAND[kind](network, line, text), abs=2e-3)
    assert all(score > 0.05 and text in WORDS for text, score in readings)


@torch.no_grad()
def _of_got_ocr(network, line, text: str) -> float:
    asked, answer = network.asked([line]), network.answer(text)
    ids = torch.cat([asked["input_ids"], torch.tensor([answer])], 1)
    logits = network.net(input_ids=ids, pixel_values=asked["pixel_values"]).logits[0, -len(answer) - 1 : -1]
    return float(logits.log_softmax(-1)[range(len(answer)), answer].sum().exp())


@torch.no_grad()
def _of_ours(network, line, text: str) -> float:
    from flywheel.readers.ours_engine import PROMPT, view

    image, tokenizer = view(line), network.tokenizer
    asked, answer = tokenizer.prompt(PROMPT, image.num_tokens), [*tokenizer.encode(text), tokenizer.eos]
    ids = torch.tensor([[*asked, *answer]])
    logits = network.net.logits(network.net(ids, [image], places(ids == tokenizer.image)))[0, -len(answer) - 1 : -1]
    return float(logits.log_softmax(-1)[range(len(answer)), answer].sum().exp())


BY_HAND = {"got_ocr": _of_got_ocr, "ours": _of_ours}


@pytest.mark.parametrize("learned", ["ours"], indirect=True)
def test_a_reading_ends_before_a_token_that_is_no_text(learned, monkeypatch):
    def written(net, tokenizer, images, *rest):
        (letter,) = tokenizer.encode("a")
        return iter([(0, letter), (1, letter), (0, tokenizer.image), (0, letter)])

    monkeypatch.setattr(ours_engine, "tokens", written)
    with Engines() as engines:
        readings = kinds.reader(learned[1].url, "", engines).read([crop.line() for crop in crops()])
    assert ("a", 0.0) in readings and sorted(text for text, _ in readings) == ["", "a", "a"]


def test_the_next_round_goes_on_from_a_reader(learned, weights, tmp_path):
    kind, folder, losses = learned
    (first,) = KINDS[kind](values(kind, weights, 1), crops(), Folder(str(tmp_path)), folder, "next")
    assert first < 0.7 * losses[0]


def test_a_reader_that_is_there_is_left_and_another_trainings_is_refused(learned, weights):
    kind, folder, _ = learned
    before = kinds.weights_sha256(folder)
    assert KINDS[kind](values(kind, weights), crops(), folder, None, "mark") == []
    assert kinds.fit(kind, values(kind, weights), crops(), folder, None, "mark") == before
    with pytest.raises(ValueError, match="a reader of another training"):
        KINDS[kind](values(kind, weights), crops(), folder, None, "other")
    with pytest.raises(ValueError, match="no crops to train"):
        KINDS[kind](values(kind, weights), [], folder, None, "mark")


@pytest.mark.slow
@pytest.mark.parametrize("lora", [0, 2], ids=["all", "adapters"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_training_ends_in_the_same_bytes(kind, lora, weights, tmp_path, monkeypatch):
    fit, (whole, again) = values(kind, weights, 5, lora), (Folder(str(tmp_path / name)) for name in ("whole", "again"))
    losses = KINDS[kind](fit, crops(), whole, None, "mark")
    done = []

    def killed(*arguments):
        done.append(1)
        if len(done) == 4:
            raise Killed
        return tuned_update(*arguments)

    tuned_update = fine_tuning.update
    with monkeypatch.context() as patched:
        patched.setattr(fine_tuning, "update", killed)
        with pytest.raises(Killed):
            KINDS[kind](fit, crops(), again, None, "mark")
    assert not again.exists("config.json")
    assert KINDS[kind](fit, crops(), again, None, "mark") == losses[2:]  # the checkpoint is of the second step
    assert kinds.weights_sha256(again) == kinds.weights_sha256(whole)
    before, after = (_tensors(Path(name)) for name in (weights[kind], whole.sub("model").url))
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert before.keys() == after.keys() and changed
    if lora:
        assert all("layers." in name and "_proj" in name and "vision" not in name and "sam" not in name for name in changed)
    else:
        assert any("embed_tokens" in name for name in changed)
        assert any("vision" in name for name in changed)


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    return {name: value for file in sorted(folder.glob("*.safetensors")) for name, value in load_file(file).items()}


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_are_none_are_told(kind, weights, tmp_path):
    for where in (str(tmp_path / "nowhere"), str(shutil.copytree(weights[kind], tmp_path / "cut"))):
        for file in Path(where).glob("*.safetensors"):
            tensors = load_file(file)
            del tensors[next(name for name in tensors if "q_proj.weight" in name)]
            save_file(tensors, file, {"format": "pt"})
        with pytest.raises(ValueError, match=r"nowhere|cut") as told:
            KINDS[kind](values(kind, {kind: where}), crops(), Folder(str(tmp_path / "out")), None, "mark")
        assert "\n" not in str(told.value)
        assert not Folder(str(tmp_path / "out")).exists("config.json")


def test_a_damaged_reader_is_told(learned, tmp_path):
    kind, folder, _ = learned
    copy = shutil.copytree(folder.url, tmp_path / "copy")
    with pytest.raises(ValueError, match="other weights than those that were planned with"):
        kinds.reader(str(copy), "0" * 64, Engines()).read([numpy.zeros((20, 90), numpy.uint8)])
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"kind": "spoken"}))
    with pytest.raises(ValueError, match="of the kind 'spoken': allowed are compact, got_ocr, ours"):
        kinds.reader(str(copy))
    del config["max_new_tokens"]
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=f"holds no reader {kind}: KeyError: 'max_new_tokens'"):
        assert kinds.reader(str(copy), "", Engines()).script
    shutil.rmtree(copy / "model")
    with pytest.raises(ValueError, match="has no weights"):
        kinds.weights_sha256(Folder(str(copy)))


def test_lines_that_the_network_has_no_positions_for_are_left_out_and_counted(weights, tmp_path, caplog):
    long = replace(crops()[0], key="long", text="слово " * 60)
    folder = Folder(str(tmp_path / "reader"))
    ours.fit(values("ours", weights, 1), [*crops(), long], folder, None, "mark")
    assert "1 of 4 lines are left out: they have more than" in caplog.text
    with pytest.raises(ValueError, match="the network has 512 positions: no line is as short"):
        ours.fit(values("ours", weights, 1), [long], Folder(str(tmp_path / "none")), None, "mark")


@pytest.mark.slow
def test_gradients_that_are_never_finite_end_a_training(weights, tmp_path, monkeypatch):
    monkeypatch.setattr(fine_tuning, "update", lambda *arguments: Moved(float("nan"), [float("nan")], {}))
    with pytest.raises(ValueError, match="20 steps in turn, up to step 20, had no finite gradient"):
        ours.fit(values("ours", weights, 30), crops(), Folder(str(tmp_path)), None, "mark")


@pytest.mark.slow
def test_a_round_of_the_wheel(weights, tmp_path, monkeypatch):
    """A network that learned next to nothing opens no gate; all else of a round is there, and its reader reads. Where it is
    trained and reads, there is a GPU, and nowhere else."""
    kind, gpus, mapped = "ours", {}, InProcess.map
    fit = values(kind, weights, 2)
    fit = replace(fit, pretrained=replace(fit.pretrained, device=""))

    def seen(self, function, tasks, *, needs=A_CORE):
        for task, *outcome in mapped(self, function, tasks, needs=needs):
            gpus[task.shard[:-7] if function is run_shard else function.__name__] = needs.gpus
            yield task, *outcome

    monkeypatch.setattr(InProcess, "map", seen)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    step = {"reader": kind, "first": fit, "later": fit, "max_held_out": 6, "max_calibration_pages": 1}
    assert wheel.turn(wheel.few_documents(tmp_path / "in"), tmp_path / "out", **step) == 0
    out = Folder(str(tmp_path / "out"))
    assert {name for name in gpus if gpus[name]} == {"run_fit", "run_calibrate", "round-1"} < gpus.keys()
    metrics = json.loads(out.read("round-1/metrics.json"))
    reader = out.sub("round-1/reader/Cyrl")
    assert metrics["readers"] == {"Cyrl": kinds.weights_sha256(reader)} and kinds.kind_of(reader) == kind
    assert metrics["languages"]["ru"]["cer"] > 0
    origin = json.loads(out.read("round-1/round.json"))
    assert list(origin["weights"]) == [weights[kind]]


@pytest.mark.slow
@pytest.mark.skipif("GOT_OCR_WEIGHTS" not in os.environ, reason="GOT_OCR_WEIGHTS names no folder of GOT-OCR2.0")
def test_released_weights_read_and_learn(tmp_path):
    where = os.environ["GOT_OCR_WEIGHTS"]
    fit = Fit(steps=2, learning_rate=1e-5, typeset_share=0.0, pretrained=Pretrained(where, lora=4, lines=2, at_once=1))
    lines = [crop for crop in crops() if crop.text.isascii()]
    folder = Folder(str(tmp_path / "reader"))
    got_ocr.fit(fit, lines, folder, None, "mark")
    readings = kinds.reader(folder.url, "", Engines()).read([crop.line() for crop in lines])
    assert [text for text, _ in readings] == [crop.text for crop in lines]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Flywheel("coarse", reader="big"), "reader is 'big': allowed are compact, got_ocr, ours"),
        (lambda: Flywheel("coarse", reader="ours"), "reader is 'ours': first.pretrained must say which weights"),
        (lambda: Flywheel("coarse", first=Fit(1, 1.0, pretrained=Pretrained("a"))), "first.pretrained has weights"),
        (lambda: Pretrained(""), "weights is empty"),
        (lambda: Pretrained("a", lora=-1), "lora is -1: it must be at least 0"),
        (lambda: Pretrained("a", at_once=0), "at_once is 0: it must be at least 1"),
        (lambda: Pretrained("a", device="gpu"), "device is 'gpu': allowed are cpu, cuda"),
        (lambda: Pretrained("a", precision="half"), "precision is 'half': allowed are bfloat16, float32"),
    ],
)
def test_wrong_values_are_told(made, message):
    with pytest.raises(ValueError, match=message):
        made()
