"""What torch finds in the environment of a training, and how a training's process computes."""

import gc
import os

import pytest
import torch

from datagen.disk.storage import Folder
from model.train import trainer
from model.train.process import FLIGHT, computing, environment, garbage_frozen
from model.train.run import clear
from tests.model.trainings import FEW, begun, make_corpus

SAID = {"PYTORCH_CUDA_ALLOC_CONF": "backend:native", "TORCH_NCCL_TRACE_BUFFER_SIZE": "9", "CUBLAS_WORKSPACE_CONFIG": ":16:8"}


@pytest.fixture
def said(monkeypatch):
    """Nothing is said in the environment."""
    for name in [name for name in os.environ if name.startswith(("PYTORCH_", "TORCH_", "CUBLAS_"))]:
        monkeypatch.delenv(name)
    return monkeypatch


def test_what_somebody_has_said_of_torch_stays(said, tmp_path):
    step, out = FEW.but(deterministic=True), Folder(str(tmp_path))
    alone = {"PYTORCH_ALLOC_CONF": "expandable_segments:True", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
    dumped = {"TORCH_NCCL_DUMP_ON_TIMEOUT": "1", "TORCH_FR_DUMP_TEMP_FILE": f"{tmp_path}/train/{FLIGHT}"}
    assert environment(step) == alone and "CUBLAS_WORKSPACE_CONFIG" not in environment(FEW)
    assert environment(step, out) == alone | {"TORCH_FR_BUFFER_SIZE": "2000"} | dumped
    assert not any("FILE" in name for name in environment(step, Folder("memory://elsewhere")))
    for name, value in SAID.items():
        said.setenv(name, value)
    assert environment(step, out) == dumped


def test_what_ranks_wrote_of_their_flight_goes_with_the_training(tmp_path):
    folder = Folder(str(tmp_path))
    for name in (f"{FLIGHT}0", f"{FLIGHT}12", "run.json", "of others"):
        folder.write(name, b"")
    clear(folder)
    assert folder.names() == ["of others"]


def test_threads_and_the_look_for_garbage_are_as_before_after_an_error():
    threads = torch.get_num_threads()
    with pytest.raises(OSError, match="a disk"), computing(FEW.but(threads=threads + 1).compute), garbage_frozen():
        assert torch.get_num_threads() == threads + 1 and gc.get_freeze_count()
        raise OSError("a disk fails")
    assert torch.get_num_threads() == threads and not gc.get_freeze_count()


def test_steps_look_for_no_garbage_among_what_was_there_before(tmp_path):
    """In a process of its own, which has frozen nothing before."""
    out, seen = make_corpus(tmp_path / "out"), tmp_path / "seen"

    def within() -> None:
        gc.unfreeze()
        update, train = trainer.update, trainer.train

        def looking(optimizer, *args):
            # What torch reaches from its modules, and the training's own weights.
            looked_at = {id(one) for one in gc.get_objects()}
            new = [p for group in optimizer.param_groups for p in group["params"] if id(p) in looked_at]
            seen.write_text(f"{gc.get_freeze_count() > 100_000} {len(new)}")
            return update(optimizer, *args)

        def trained(*args):
            train(*args)
            assert gc.get_freeze_count() == 0

        trainer.update, trainer.train = looking, trained

    process = begun(FEW, out, within)
    process.join(120)
    assert process.exitcode == 0 and seen.read_text() == "True 0"
