"""Every runner: each task's result or error, and no task lost."""

import os
import signal
import sys
from pathlib import Path

import dask
import dask_jobqueue.local
import pytest
import yaml

from datagen.runner import DaskRunner, InProcess, make_runner, slurm_cluster
from tests.outputs import ROOT, make, shards


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


def test_tasks_that_need_a_gpu_run_on_workers_that_may_use_one():
    ((_, result, error),) = DaskRunner("local", 1).map(work, [2], needs="gpu")
    assert (result, error) == (4, None)


def test_a_scheduler_is_reached_by_its_address():
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster:
        outcomes = list(make_runner(cluster.scheduler_address).map(work, [1, 2]))
    assert sorted(result for _, result, _ in outcomes) == [1, 4]


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
    example = yaml.safe_load((ROOT / "recipes/jobqueue.yaml").read_text())
    example["jobqueue"]["slurm"]["log-directory"] = str(tmp_path)
    merged = dask.config.merge(dask.config.config, example)
    with dask.config.set({name: merged[name] for name in example}):
        yield example["jobqueue"]["slurm"]


@pytest.mark.parametrize(
    ("needs", "there", "not_there"),
    [
        ("cpu", ["#SBATCH -p cpu", "#SBATCH --mem=6G", "--memory-limit 5.59GiB"], ["GPU=1", "--gres"]),
        ("gpu", ["#SBATCH -p gpu", "#SBATCH --mem=30G", "#SBATCH --gres=gpu:1", "--resources GPU=1"], []),
    ],
)
def test_slurm_jobs_are_what_the_example_file_says_and_have_one_thread(jobqueue, needs, there, not_there):
    cluster = slurm_cluster(0, needs)
    script = cluster.job_script()
    cluster.close()
    both = ["#SBATCH -A ocr", "#SBATCH --cpus-per-task=1", "#SBATCH -t 12:00:00", "cd /shared/pagewheel\n", "--nthreads 1"]
    assert [line for line in [*both, *there, f"{jobqueue['python']} -m "] if line not in script] == []
    assert [line for line in not_there if line in script] == []


def test_without_a_section_slurm_says_where_one_can_be_had():
    with pytest.raises(ValueError, match=r"recipes/jobqueue\.yaml"):
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


@pytest.mark.parametrize("on", ["moon", "", "http://x"])
def test_a_wrong_place_says_what_is_allowed(on):
    with pytest.raises(ValueError, match="allowed are inline, local, slurm"):
        make_runner(on)
