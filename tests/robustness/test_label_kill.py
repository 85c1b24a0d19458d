"""Labelling against a server that fails in every way, killed at random moments: no page is lost, no answer bought twice, and the
bytes are those of a run that nothing disturbed.

One thing can't be had: an answer that a server sent and that nobody wrote down before the kill is asked for again.
"""

import os
import random
import signal
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.faulty_server import KEY, faulty
from tests.labelling import bought, digests, drops, logged, num_bytes, reports, run, start, words, write_page_dataset
from tests.outputs import check_corpus


def undisturbed(folder: Path, pages: int, shard_pages: int) -> Path:
    out = folder / "undisturbed"
    with faulty(folder, "--faults", "0", "--fast", "1") as (server, _):
        assert run(words(folder / "in", out, server), shard_pages) in (0, 3)
    assert sum(r.num_samples + len(r.drops) for r in reports(out)) == pages
    return out


def killed(folder: Path, pages: int, kills: int, shard_pages: int, seed: int) -> list[int]:
    """Runs to the end, killed so often on the way; returns the largest memory of each run, in bytes."""
    out, draw, memory = folder / "out", random.Random(seed), []
    whole = num_bytes(folder / "undisturbed")
    moments = sorted(draw.uniform(0.02, 0.97) * whole for _ in range(kills))
    with faulty(folder, "--faults", "1") as (server, log):
        for moment in [*moments, float("inf")]:
            before, at = bought(out) if out.exists() else set(), len(logged(log))
            child = start(words(folder / "in", out, server), shard_pages)
            largest, process = 0, psutil.Process(child.pid)
            while child.is_alive() and num_bytes(out) < moment:
                try:
                    largest = max(largest, process.memory_info().rss)
                except psutil.NoSuchProcess:
                    break
                child.join(0.02)
            if child.is_alive():
                children = process.children(recursive=True)
                os.kill(child.pid, signal.SIGKILL)
                psutil.wait_procs(children, timeout=20)
                settle(server)
            child.join()
            memory.append(largest)
            asked = logged(log)[at:]
            assert not before & set(asked), "asked for again although it was written"
            assert len(asked) == len(set(asked)), "bought twice in a run"
        assert child.exitcode in (0, 3)
    return memory


def settle(server: str) -> None:
    """Wait until the server has answered what the killed run asked: nobody gets that, and it is no answer of the next run's."""
    end, quiet = time.monotonic() + 240, 0
    while quiet < 4:
        assert time.monotonic() < end
        time.sleep(0.05)
        with urllib.request.urlopen(server.removesuffix("/v1") + "/health", timeout=20) as response:
            quiet = quiet + 1 if response.read() == b"0" else 0


def check(folder: Path, pages: int) -> None:
    out, whole = folder / "out", folder / "undisturbed"
    assert digests(out) == digests(whole)
    assert drops(out) == drops(whole)
    assert sum(r.num_samples + len(r.drops) for r in reports(out)) == pages
    assert {reason for reason, _ in drops(out).values()} == {"loop", "refused"}
    assert not list(out.rglob(".tmp-*"))
    assert bought(out) == bought(whole)
    assert not [f for f in out.rglob("*") if f.is_file() and KEY.encode() in f.read_bytes()]


def test_two_kills_lose_nothing_and_buy_nothing_twice(tmp_path):
    write_page_dataset(tmp_path / "in", 200, 40)
    undisturbed(tmp_path, 200, 40)
    killed(tmp_path, 200, 2, 40, seed=1)
    check(tmp_path, 200)
    check_corpus(tmp_path / "out", name="label")


@pytest.mark.slow
def test_six_kills_of_a_thousand_pages(tmp_path):
    write_page_dataset(tmp_path / "in", 1000, 125)
    undisturbed(tmp_path, 1000, 125)
    memory = killed(tmp_path, 1000, 6, 125, seed=2)
    check(tmp_path, 1000)
    assert max(memory[1:]) < 1.3 * min(m for m in memory[1:] if m > 100 << 20)
