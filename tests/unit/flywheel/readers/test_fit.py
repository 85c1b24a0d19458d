"""Training the compact reader: frames where letters are dense, what a reader that goes on inherits, the same after a kill."""

from dataclasses import replace

import numpy
import pytest
import simplejpeg
import torch

from datagen.disk.storage import Folder
from datagen.engines import packaged, script_readers
from datagen.engines.compact import Alphabet, Reader
from datagen.record import Box
from flywheel.lines.crops import Crop
from flywheel.readers import ctc_training
from flywheel.readers.compact import fit
from flywheel.step import Fit

FEW = Fit(steps=4, learning_rate=1e-3, typeset_share=0.0, batch_width=600, checkpoint_every=2)


def crop(number: int, text: str, width: int, script: str = "Cyrl") -> Crop:
    pixels = numpy.random.default_rng(number).integers(0, 255, (32, width, 1), numpy.uint8)
    image = simplejpeg.encode_jpeg(pixels, 90, "GRAY")
    return Crop(f"line-{number:03d}", "ru", script, text, image, Box(2, 2, width - 2, 30))


LINES = [crop(i, "абв где"[: 3 + i % 5], 120 + 10 * i) for i in range(12)]


@pytest.mark.parametrize(("width", "frames"), [(400, 2), (160, 4)])
def test_dense_letters_get_more_frames(tmp_path, width, frames):
    lines = [crop(i, "абвгдежзиклмнопрстуфхцчшщ", width) for i in range(8)]
    reader = fit(FEW, lines, Folder(str(tmp_path)), None, "")
    assert reader.config.frames == Reader.load(Folder(str(tmp_path))).config.frames == frames


def test_a_reader_that_goes_on_keeps_its_frames_and_the_weights_of_its_symbols(tmp_path):
    first, later = Folder(str(tmp_path / "first")), Folder(str(tmp_path / "later"))
    dense = [crop(i, "абвгдежзиклмнопрстуфхцчшщ", 160) for i in range(8)]
    before = fit(FEW, dense, first, None, "")
    still = Fit(steps=1, learning_rate=0.0, typeset_share=0.0, batch_width=600)
    reader = fit(still, [crop(i, "я щука", 200) for i in range(8)], later, first, "")
    assert reader.config == before.config
    ours, theirs = (r.net.head.weight[r.alphabet.encode("щ")[0]] for r in (reader, before))
    assert torch.equal(ours, theirs)
    assert reader.alphabet == Alphabet.of("Cyrl", ["я щука"])


@pytest.mark.parametrize("num_typed", [0, 2])
@pytest.mark.parametrize("adapts", [False, True])
def test_killed_at_each_checkpoint_it_ends_in_the_same_bytes(tmp_path, monkeypatch, adapts, num_typed):
    """With lines that people typed, some of them with a letter that no other line has."""
    whole, killed, start = tmp_path / "whole", tmp_path / "killed", None
    config, labelled, unlabelled = replace(FEW, checkpoint_every=1), LINES, []
    typed = [crop(20 + i, "щит", 140) for i in range(num_typed)]
    if adapts:
        labelled, unlabelled, start = LINES[:5], LINES[5:], Folder(str(tmp_path / "first"))
        before = fit(FEW, LINES, start, None, "")
    reader = fit(config, labelled, Folder(str(whole)), start, "a", unlabelled, typed)
    assert ("щ" in reader.alphabet.symbols) == bool(typed)
    assert not adapts or {*reader.alphabet.symbols} >= {*before.alphabet.symbols}  # though fewer symbols are labelled
    save, num_kills = ctc_training._save, 0

    def save_and_end(*args):
        save(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(ctc_training, "_save", save_and_end)
    while not (killed / "config.json").exists():
        try:
            fit(config, labelled, Folder(str(killed)), start, "a", unlabelled, typed)
        except KeyboardInterrupt:
            num_kills += 1
            assert {p.suffix for p in killed.iterdir()} == {".safetensors"}
    assert num_kills > max(0, 6 * num_typed - 1)
    names = sorted(p.name for p in whole.iterdir())
    assert names == ["alphabet.json", "config.json", "model.safetensors"] == sorted(p.name for p in killed.iterdir())
    assert all((whole / name).read_bytes() == (killed / name).read_bytes() for name in names)


@pytest.mark.parametrize("num_bad", [1, 20])
def test_a_step_without_a_finite_gradient_changes_nothing(tmp_path, caplog, num_bad):
    net = torch.nn.Linear(1, 1)
    factors = [1.0, *[float("nan")] * num_bad, 1.0]
    steps: list[float] = []

    def loss(step: int, factor: float) -> torch.Tensor:
        steps.append(net.weight.item())
        return (factor * net.weight).sum()

    config = replace(FEW, steps=len(factors))
    if num_bad == 20:
        with pytest.raises(FloatingPointError, match="no finite gradient in 20 steps"):
            ctc_training.learn(net, config, iter(factors), loss, Folder(str(tmp_path)), "c")
        return
    ctc_training.learn(net, config, iter(factors), loss, Folder(str(tmp_path)), "c")
    assert steps[0] != steps[1] == steps[2] != net.weight.item()
    assert "step 1: the gradient is nan" in caplog.text


def test_a_reader_that_starts_from_the_packages_has_its_weights(tmp_path):
    own = script_readers.load("Grek")
    still = Fit(steps=1, learning_rate=0.0, typeset_share=0.0, batch_width=600, packaged=packaged.reader_sha256("Grek"))
    greek = [crop(i, "αβγ δε"[: 3 + i % 4], 120 + 10 * i, "Grek") for i in range(12)]
    reader = fit(still, greek, Folder(str(tmp_path / "a")), None, "")
    assert reader.config == own.config
    assert torch.equal(reader.net.split.weight, own.net.split.weight)
    ours, theirs = (r.net.head.weight[r.alphabet.encode("δ")[0]] for r in (reader, own))
    assert torch.equal(ours, theirs)
    with pytest.raises(ValueError, match="another than the one that the run was planned with"):
        fit(replace(still, packaged="other"), greek, Folder(str(tmp_path / "b")), None, "")
