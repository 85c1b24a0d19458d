"""What torch finds in the environment of a training, and how a training's process computes."""

import gc
import os

import pytest
import torch

from datagen.disk.storage import Folder
from model.train.process import FLIGHT, computing, environment, garbage_frozen
from model.train.run import clear
from tests.model.trainings import FEW

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
