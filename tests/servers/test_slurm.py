"""Recipes on SLURM itself: workers as its jobs, and a fine-tuning on two nodes that is stopped, put back, hurt and cancelled."""

import json
import os
import re
import signal
from pathlib import Path

import psutil
import pytest

from datagen.disk.storage import Folder
from tests.chat_server import says, serving
from tests.labelling import write_pages
from tests.model.trainings import make_corpus
from tests.outputs import dataset_samples
from tests.servers.slurm import Slurm, slurm, until

SAID = "All human beings are born free and equal in dignity and rights."


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, version):
    with slurm(tmp_path_factory.mktemp("slurm")) as one:
        version("SLURM", one.says("sinfo", "--version").split()[-1])
        yield one


@pytest.fixture(scope="module")
def words(cluster) -> list[str]:
    """Those of a fine-tuning of the smallest network, whose checkpoints are far apart."""
    make_corpus(cluster.folder)
    data, start = cluster.folder / "coarse", cluster.folder / "start"
    few = ["variant=tiny", "rows_per_step=2", "dataloader_num_workers=1"]
    made = cluster.recipe("train", f"data={data}", "start_decoder=random", "steps=1", *few, "on=inline", f"out={start}")
    assert made.returncode == 0, made.stderr
    return ["finetune", f"data={data}", f"start={start}/train/model", *few]


class Job:
    """A fine-tuning that was submitted."""

    def __init__(self, cluster: Slurm, words: list[str], out: Path):
        self.cluster, self.out, self.words = cluster, out, [*words, "on=slurm", "nodes=2", "gpus=1", f"out={out}"]
        said = cluster.recipe(*self.words)
        assert said.returncode == 0, said.stderr
        self.number = (out / "slurm/job").read_text()
        self.file = out / f"slurm/{self.number}.log"

    def log(self) -> str:
        return self.file.read_text() if self.file.exists() else ""

    def step(self) -> int:
        """The last one that was taken."""
        file = self.out / "train/loss.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return json.loads(lines[-1])["step"] if lines else 0

    def checkpoints(self) -> list[int]:
        return sorted(int(one.parent.name[5:]) for one in self.out.glob("train/checkpoint/*/progress.json"))

    def stopped(self) -> list[int]:
        return [int(step) for step in re.findall(r"stopped at step (\d+), with a checkpoint", self.log())]

    def until(self, holds) -> None:
        until(holds, self.file)

    def until_state(self, state: str) -> None:
        asked = "squeue", "--noheader", "--states=all", "--format=%T", f"--jobs={self.number}"
        self.until(lambda: self.cluster.says(*asked) == state)


def test_over_a_time_limit_it_goes_on_from_the_step_of_the_signal(cluster, words, tmp_path):
    """And it is in the queue once, however often it is submitted; `scancel` leaves a checkpoint, too."""
    job = Job(cluster, [*words, "steps=100000", "save_steps=100000"], tmp_path)
    job.until(lambda: job.step() > 2)
    assert not job.checkpoints()
    cluster.says("scontrol", "update", f"jobid={job.number}", "TimeLimit=5")  # minutes; it wants to be told so long before
    job.until_state("PENDING")
    (stopped,) = job.checkpoints()
    # If the signal comes while held-out loss is measured, that is given up, and the step has its line later.
    assert job.stopped() == [stopped] and stopped > 2 and stopped - job.step() in (0, 1)
    cluster.says("scontrol", "update", f"jobid={job.number}", "TimeLimit=30")
    assert f"job {job.number} of {tmp_path} is PENDING" in cluster.recipe(*job.words).stderr
    job.until(lambda: job.step() > stopped + 2)
    assert f"resumed from step {stopped}\n" in job.log()
    assert f"job {job.number} of {tmp_path} is RUNNING" in cluster.recipe(*job.words).stderr
    cluster.says("scancel", job.number)
    job.until_state("CANCELLED")
    assert job.checkpoints() == job.stopped() and job.stopped()[1] - job.step() in (0, 1)
    assert (tmp_path / "slurm/job").read_text() == job.number


def test_a_rank_that_is_killed_begins_again_with_the_others(cluster, words, tmp_path):
    job = Job(cluster, [*words, "steps=40", "save_steps=5"], tmp_path)
    job.until(lambda: job.step() > 6)
    os.kill(ranks(tmp_path)[-1], signal.SIGKILL)
    job.until_state("COMPLETED")
    assert re.search(r"rank [01] was ended by SIGKILL; all ranks begin again from step (5|\d0|\d5) \(1 of 3\)", job.log())
    assert job.step() == 40 and (tmp_path / "train/metrics.json").exists() and not ranks(tmp_path)


def ranks(out: Path) -> list[int]:
    """Without the processes that load their data, which are forks of them."""
    mark = ["-m", "model.train.launch", "rank", f"{out}/slurm/train"]
    parents = {one.pid: one.ppid() for one in psutil.process_iter(["cmdline"]) if (one.info["cmdline"] or [])[-4:] == mark}
    return [pid for pid, parent in parents.items() if parent not in parents]


def test_a_node_whose_name_does_not_resolve_is_named(cluster, words, tmp_path):
    hosts = cluster.folder / "hosts"
    good = hosts.read_text()
    hosts.write_text(good.replace(" n2", ""))
    try:
        job = Job(cluster, [*words, "steps=40"], tmp_path)
        job.until_state("FAILED")
    finally:
        hosts.write_text(good)
    assert len(job.log().splitlines()) == 1
    assert f"the name n2 of a machine of job {job.number} doesn't resolve" in job.log() and "/etc/hosts" in job.log()


def test_workers_in_jobs_ask_a_server(cluster, tmp_path):
    write_pages(tmp_path / "in", 40)
    before = workers(cluster)
    with serving(lambda request: says(SAID)) as (server, came):
        words = [f"input={tmp_path}/in", f"server={server}", "model=any", "family=markdown", "on=slurm", "workers=2"]
        ran = cluster.recipe("label", *words, f"out={tmp_path}/out")
    assert ran.returncode == 0, ran.stderr
    assert len(came) == 40 and workers(cluster) == before + 2
    assert [page.text for page in dataset_samples(Folder(f"{tmp_path}/out/label"))] == [SAID] * 40


def workers(cluster: Slurm) -> int:
    """How many jobs of dask's there were, none of which is left."""
    until(lambda: not cluster.says("squeue", "--noheader", "--name=dask-worker"), cluster.folder / "unshare.log")
    return len([*(cluster.folder / "logs").glob("*.out")])
