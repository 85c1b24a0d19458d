"""Every runner: each task's result or error, and no task lost."""

import os
import signal
import sys
import time
from pathlib import Path

import dask
import dask_jobqueue.local
import pytest
import yaml

from datagen.engines import ENGINES, OPEN
from datagen.work.cluster import slurm_cluster
from datagen.work.needs import Needs, gpus
from datagen.work.runner import DaskRunner, InProcess, make_runner
from tests.outputs import ROOT, make, shards
from tests.programs import stand_in


def work(n: int) -> int:
    if n == 3:
        raise KeyError("three")
    return n * n


def die_once(path: str) -> str:
    """End the worker the first time, work the second."""
    mark = Path(path)
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


@pytest.mark.parametrize("runner", [InProcess(), DaskRunner("local", 2)], ids=["inline", "local"])
def test_each_task_comes_back_with_its_result_or_its_error(runner):
    outcomes = {task: (result, error) for task, result, error in runner.map(work, range(20))}
    assert set(outcomes) == set(range(20))
    assert {n: result for n, (result, error) in outcomes.items() if error is None} == {n: n * n for n in range(20) if n != 3}
    assert isinstance(outcomes[3][1], KeyError)


def test_tasks_are_taken_only_as_fast_as_they_are_done():
    taken = []

    def tasks():
        for n in range(100):
            taken.append(n)
            yield n + 10

    for num_done, _ in enumerate(DaskRunner("local", 2).map(work, tasks()), 1):
        assert len(taken) <= num_done + 5


def test_a_workers_death_does_not_lose_its_task(tmp_path):
    ((_, result, error),) = DaskRunner("local", 1).map(die_once, [str(tmp_path / "mark")])
    assert (result, error) == ("done", None)


def sees(seconds: float) -> tuple[int, str]:
    time.sleep(seconds)
    return os.getpid(), os.environ.get("CUDA_VISIBLE_DEVICES", "")


def test_each_worker_sees_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    outcomes = list(make_runner("local").map(sees, [0.2] * 8, needs=Needs(gpus=1)))
    assert [error for _, _, error in outcomes if error] == []
    assert sorted(device for _, device in {result for _, result, _ in outcomes}) == ["3", "5"]


def test_a_task_that_needs_two_gpus_has_both(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    ((_, (_, devices), error),) = make_runner("local", 7).map(sees, [0.0], needs=Needs(gpus=2))
    assert (devices, error) == ("0,1", None)


@pytest.mark.parametrize("on", ["local", "inline"])
@pytest.mark.parametrize("visible", ["", "-1"])
def test_where_there_is_no_gpu_a_task_that_needs_one_says_so(on, visible, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(ValueError, match="a task needs GPUs: 1; this machine has 0"):
        list(make_runner(on).map(work, [1], needs=Needs(gpus=1)))


def test_gpus_are_asked_of_nvidia_smi_where_no_variable_names_them(monkeypatch, tmp_path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", stand_in(tmp_path, "nvidia-smi", "#!/bin/sh\nprintf '0\\n1\\n'\n"))
    assert gpus() == ["0", "1"]
    (tmp_path / "nvidia-smi").unlink()
    assert gpus() == []


def test_a_worker_has_the_memory_that_its_task_needs():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert make_runner("local", 8).num_workers(Needs(memory_bytes=memory // 3)) == 3
    with pytest.raises(ValueError, match="GB of memory, this machine has"):
        make_runner("local").num_workers(Needs(memory_bytes=memory + 1))


class Closing:
    """An engine that leaves a mark as it is closed."""

    def __init__(self, mark: str):
        self.mark = Path(mark)

    def versions(self) -> dict[str, str]:
        return {}

    def close(self) -> None:
        self.mark.touch()


def open_engine(mark: str) -> bool:
    ENGINES["closing"] = "tests.pipeline.work.test_runner:Closing"
    OPEN.get("closing", mark=mark)
    return Path(mark).exists()


@pytest.mark.parametrize("runner", [InProcess(), DaskRunner("local", 1)], ids=["inline", "local"])
def test_engines_stay_open_from_task_to_task_and_are_closed_at_the_end(runner, tmp_path, monkeypatch):
    monkeypatch.setitem(ENGINES, "closing", "tests.pipeline.work.test_runner:Closing")
    mark = tmp_path / "closed"
    assert [result for _, result, _ in runner.map(open_engine, [str(mark)] * 3)] == [False] * 3
    assert mark.exists()


def test_a_cluster_whose_workers_have_no_gpu_is_refused_where_tasks_need_one():
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", protocol="tcp") as cluster:
        outcomes = make_runner(cluster.scheduler_address).map(work, [1], needs=Needs(gpus=1))
        with pytest.raises(ValueError, match="no worker has GPU=1: start dask's workers with --resources GPU=1"):
            next(outcomes)


def test_workers_that_join_later_get_their_share():
    """A task that is done brings as many as are missing for all workers that there are by then."""
    from distributed import Client, LocalCluster

    taken = []

    def tasks():
        for n in range(100):
            taken.append(n)
            yield n + 10

    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", protocol="tcp") as cluster:
        outcomes = make_runner(cluster.scheduler_address, 1).map(work, tasks())
        for _ in range(3):
            next(outcomes)
        assert len(taken) == 5
        cluster.scale(6)
        with Client(cluster) as client:
            client.wait_for_workers(6)
        next(outcomes)
        assert len(taken) == 4 + 12
        assert len(list(outcomes)) == 96


@pytest.fixture
def jobqueue(tmp_path):
    """The example file as dask has it when it lies in ~/.config/dask, but with logs that may be written here."""
    example = yaml.safe_load((ROOT / "recipes/run/jobqueue.yaml").read_text())
    example["jobqueue"]["slurm"]["log-directory"] = str(tmp_path)
    merged = dask.config.merge(dask.config.config, example)
    with dask.config.set({name: merged[name] for name in example}):
        yield example["jobqueue"]["slurm"]


@pytest.mark.parametrize(
    ("needs", "there", "not_there"),
    [
        (Needs(), ["#SBATCH -p cpu", "#SBATCH --mem=6G", "--memory-limit 5.59GiB"], ["GPU=1", "--gres"]),
        (Needs(gpus=1), ["#SBATCH -p gpu", "#SBATCH --mem=30G", "#SBATCH --gres=gpu:1", "--resources GPU=1"], []),
    ],
)
def test_slurm_jobs_are_what_the_example_file_says_and_have_one_thread(jobqueue, needs, there, not_there):
    cluster = slurm_cluster(0, needs)
    script = cluster.job_script()
    cluster.close()
    both = ["#SBATCH -A ocr", "#SBATCH --cpus-per-task=1", "#SBATCH -t 12:00:00", "cd /shared/pagewheel\n", "--nthreads 1"]
    assert [line for line in [*both, *there, f"{jobqueue['python']} -m "] if line not in script] == []
    assert [line for line in not_there if line in script] == []


def test_a_job_with_servers_beside_its_workers_has_a_machine_and_many_workers(jobqueue):
    cluster = slurm_cluster(0, Needs(beside="source recipes/run/serve.sh MODEL --flag"))
    script = cluster.job_script()
    cluster.close()
    assert "#SBATCH --gres=gpu:8" in script and "--nworkers 24" in script and "--exclusive" in script
    assert script.index("cd /shared") < script.index("source recipes/run/serve.sh MODEL --flag") < script.index("dask_worker")


def test_without_a_section_slurm_says_where_one_can_be_had():
    with pytest.raises(ValueError, match=r"recipes/run/jobqueue\.yaml"):
        slurm_cluster(1)


def test_a_recipe_runs_in_jobs(jobqueue, corpus, tmp_path, monkeypatch):
    """dask-jobqueue's own local cluster runs what the job scripts say, where SLURM's would hand them to sbatch; it knows no
    prologue."""
    jobqueue |= {"python": sys.executable, "job-script-prologue": [], "memory": "2 GB"}
    values = dask.config.merge(dask.config.get("jobqueue.local"), jobqueue)
    monkeypatch.setenv("DASK_LOGGING__DISTRIBUTED", "info")  # by its log line it tells that a worker has started
    monkeypatch.setattr(dask_jobqueue, "SLURMCluster", dask_jobqueue.local.LocalCluster)
    with dask.config.set({"jobqueue.local": values}):
        assert make(corpus, tmp_path / "jobs", "slurm", workers=2) == 0
    assert make(corpus, tmp_path / "here") == 0
    assert shards(tmp_path / "jobs") == shards(tmp_path / "here")


def test_slurm_jobs_have_the_memory_that_a_task_needs(jobqueue):
    with pytest.raises(ValueError, match=r"jobqueue\.slurm\.memory=6 GB: a task needs 20\.0 GB"):
        slurm_cluster(0, Needs(memory_bytes=20 * 10**9))


@pytest.mark.parametrize("on", ["moon", "", "http://x", "slurm"])
def test_a_wrong_place_says_what_is_allowed(on):
    with pytest.raises(ValueError, match="on=slurm needs workers=N" if on == "slurm" else "allowed are inline, local, slurm"):
        make_runner(on)
