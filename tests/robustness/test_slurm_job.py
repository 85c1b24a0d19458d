"""A recipe as a job of SLURM, for real: sbatch, srun and scontrol are scripts that do on this machine what SLURM does on two.

Two torchruns meet by c10d on one port, as those of two machines do. The job is told that its time is over, goes back into the
queue, and begins again from its checkpoint.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import dask
import pytest

from datagen.disk.storage import Folder
from recipes.__main__ import main
from tests.model.lines import EIGHT, line_crop, write_dataset
from tests.programs import SRUN, stand_in, until

SBATCH = """
echo 4711
SLURM_JOB_ID=4711 SLURM_JOB_NUM_NODES=2 SLURM_JOB_NODELIST='a[1-2]' setsid bash "$2" >> log 2>&1 &
echo $! > pid
"""
SCONTROL = """
case "$1" in
    show) echo 127.0.0.1; echo 127.0.0.1 ;;
    requeue) touch requeued ;;
esac
"""


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    stand_in(tmp_path / "bin", "srun", SRUN)
    for name, does in (("sbatch", SBATCH), ("scontrol", SCONTROL), ("squeue", "true")):
        path = stand_in(tmp_path / "bin", name, f"#!/bin/bash\ncd {tmp_path}\n{does}")
    monkeypatch.setenv("PATH", path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with dask.config.set(jobqueue={"slurm-train": {"python": sys.executable}}):
        yield tmp_path


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_job_that_is_put_back_goes_on_from_the_step_of_the_signal(cluster):
    pages = [line_crop(f"{EIGHT[n % 8]} {n}", f"p{n}", f"document {n % 12}", "page") for n in range(24)]
    write_dataset(Folder(str(cluster)), "coarse", [pages])
    words = [f"data={cluster}/coarse", "variant=tiny", "start_decoder=random", "steps=30"]
    job = [*words, f"out={cluster}/two", "on=slurm", "nodes=2", "gpus=1"]
    assert main(["train", *job]) == 0
    losses = cluster / "two/train/loss.jsonl"
    until(lambda: losses.exists() and len(losses.read_bytes().splitlines()) > 3, cluster / "log")
    subprocess.run(["kill", "-USR1", (cluster / "pid").read_text().strip()], check=True)
    until((cluster / "requeued").exists, cluster / "log")
    stopped = re.search(r"stopped at step (\d+), with a checkpoint", (cluster / "log").read_text())
    assert (cluster / f"two/train/checkpoint/step-{int(stopped[1]):09}/progress.json").exists()
    until(lambda: not Path(f"/proc/{(cluster / 'pid').read_text().strip()}").exists(), cluster / "log")
    assert main(["train", *job]) == 0
    until((cluster / "two/report/index.html").exists, cluster / "log")
    log = (cluster / "log").read_text()
    assert "train: 2 ranks, the first at 127.0.0.1:24711" in log and f"resumed from step {stopped[1]}\n" in log
    lines = [json.loads(line) for line in losses.read_bytes().splitlines()]
    assert [line["step"] for line in lines] == list(range(31)) and lines[-1]["loss"] < 1
