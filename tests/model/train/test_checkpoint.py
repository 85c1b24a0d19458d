"""Checkpoints of a training: whole or none, the last ones, and exact."""

import os

import pytest
import torch
from torch import nn

from datagen.disk.storage import Folder
from model.net.pipeline_cut import Layout
from model.train.checkpoint import PROGRESS, Checkpoints, _is_written_by, tensors
from model.train.optim import update
from model.train.ranks import Ranks
from tests.programs import full_disk


def small(seed=0, width=6):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(4, width), nn.Linear(width, 3, bias=False))
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.1, fused=True)
    return net, optimizer


def learn(net, optimizer, number):
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(number))
    net(x).square().mean().backward()
    update(optimizer, 0.1, 1.0, torch.zeros(1))


def all_of(parts):
    return {name: value.clone() for name, value in tensors(*parts).items() if not name.startswith("generator/")}


def written(url, *steps, **values):
    """(what is saved, checkpoints with it after each of these steps)"""
    parts, checkpoints = small(), Checkpoints(Folder(str(url)), **values)
    for step in steps:
        learn(*parts, step)
        checkpoints.save(step, tensors(*parts), {})
    checkpoints.wait()
    return parts, checkpoints


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_going_on_from_a_checkpoint_gives_the_same_weights(tmp_path):
    parts, checkpoints = small(), Checkpoints(Folder(str(tmp_path)))
    for number in range(5):
        learn(*parts, number)
        if number == 2:
            progress = {"num_tokens": [7]}
            checkpoints.save(3, tensors(*parts), progress)
            progress["num_tokens"].append(8)  # it goes on, and the weights move, while this is written
    checkpoints.wait()
    other = small(seed=1)
    assert Checkpoints(Folder(str(tmp_path))).load(*other) == {"num_tokens": [7], "step": 3}
    for number in (3, 4):
        learn(*other, number)
    assert same(all_of(other), all_of(parts))


@pytest.mark.parametrize("url", ["{}", "memory://{}"])
def test_the_last_ones_are_kept(tmp_path, url):
    folder, other = Folder(url.format(tmp_path)), small(seed=1)
    parts, checkpoints = written(folder.url, 1, 2, 3, 4, keep=2)
    assert checkpoints.steps() == [3, 4]
    if folder.local:
        assert sorted(os.listdir(tmp_path)) == ["step-000000003", "step-000000004"]
    assert Checkpoints(folder).load(*other)["step"] == 4 and same(all_of(other), all_of(parts))


def test_a_half_written_one_never_loads_and_is_swept(tmp_path):
    written(tmp_path, 1, 2)
    (tmp_path / "step-000000002" / PROGRESS).unlink()
    (tmp_path / "step-000000003").mkdir()
    assert Checkpoints(Folder(str(tmp_path))).load(*small())["step"] == 1
    assert os.listdir(tmp_path) == ["step-000000001"]
    assert Checkpoints(Folder(str(tmp_path / "nothing"))).load(*small()) is None


def test_one_of_another_network_is_refused(tmp_path):
    _, checkpoints = written(tmp_path, 1)
    with pytest.raises(ValueError, match="step-000000001 is no checkpoint of this training"):
        checkpoints.load(*small(width=7))
    net, optimizer = small()
    net.append(nn.Linear(3, 3))
    with pytest.raises(ValueError, match=r"no checkpoint of this training: .*2\.(weight|bias)"):
        checkpoints.load(net, optimizer)


def test_a_disk_that_fails_is_no_fault_of_the_checkpoint(tmp_path, monkeypatch):
    parts, checkpoints = written(tmp_path, 1)

    def fails(*args, **words):
        raise RuntimeError("a wrapped one") from OSError("input/output error")

    monkeypatch.setattr("model.train.checkpoint.dcp.load", fails)
    with pytest.raises(OSError, match="step-000000001 can't be read: input/output error"):
        checkpoints.load(*parts)


def test_a_disk_that_fills_is_one_clear_error_and_leaves_the_one_before(tmp_path):
    parts, checkpoints = written(tmp_path, 1)
    before = all_of(parts)
    learn(*parts, 2)
    with full_disk(100):
        checkpoints.save(2, tensors(*parts), {})
        said = rf"^{tmp_path}/step-000000002: the checkpoint can't be written: .*File too large[^\n]*\Z"
        with pytest.raises(OSError, match=said):
            checkpoints.wait()
    assert os.listdir(tmp_path) == ["step-000000001"]
    assert checkpoints.load(*parts)["step"] == 1 and same(all_of(parts), before)


def test_ranks_that_have_the_same_write_each_a_part_of_it():
    values = {f"net/decoder.layers.{n}.weight": torch.zeros(1) for n in range(200)}

    def ranks(rank):
        made = Ranks()
        made.layout, made.rank, made.copy = Layout(1, 2, 2), rank, rank
        return made

    shares = [{name for name, value in values.items() if _is_written_by(name, value, ranks(n))} for n in range(4)]
    assert set().union(*shares) == values.keys() and sum(map(len, shares)) == len(values)
    assert all(30 < len(share) < 70 for share in shares)
