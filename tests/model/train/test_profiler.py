"""Traces of steps: where a training is stopped, goes on, or ends before them."""

import contextlib
import gzip
import json

import pytest
import torch

from datagen.disk.storage import Folder
from model.train.log import Profiler
from recipes.train import train


@pytest.mark.parametrize(
    ("trained", "said"),
    [(range(1, 4), "ends before step 5"), (range(3, 9), ""), (range(6, 9), "no step from 2 to 5 was trained")],
)
def test_steps_of_the_range_are_traced_whichever_are_trained(tmp_path, caplog, trained, said):
    with contextlib.closing(Profiler((2, 5), Folder(str(tmp_path)), 0, torch.device("cpu"))) as profiler:
        for number in trained:
            with profiler.step(number):
                torch.ones(number, 7).cumsum(0)
    assert (said in caplog.text) if said else not caplog.text
    traces = list(tmp_path.glob("profile/*"))
    shapes = [
        event["args"].get("Input Dims", [[]])[0]
        for path in traces
        for event in json.loads(gzip.decompress(path.read_bytes()))["traceEvents"]
        if event.get("name") == "aten::cumsum"
    ]
    assert shapes == [[number, 7] for number in trained if 2 <= number <= 5]


def test_steps_beyond_the_training_are_refused():
    assert train(data="a", start="x", steps=20, profile="18:20").steps[0].compute.profile == (18, 20)
    with pytest.raises(ValueError, match="profile=18:21: the training has 20 steps"):
        train(data="a", start="x", steps=20, profile="18:21")
