"""Every runner: each task's result or error, and no task lost."""

import os
import signal
from pathlib import Path

import pytest

from datagen.runner import DaskRunner, InProcess, make_runner, slurm_cluster


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


def test_slurm_jobs_have_one_thread_and_what_the_users_file_says():
    import dask

    section = {"memory": "3 GB", "queue": "documents", "walltime": "02:00:00", "account": "ocr"}
    with dask.config.set({f"jobqueue.slurm.{name}": value for name, value in section.items()}):
        cluster = slurm_cluster(0)
        script = cluster.job_script()
        cluster.close()
    assert "#SBATCH -p documents" in script
    assert "#SBATCH -A ocr" in script
    assert "#SBATCH --cpus-per-task=1" in script
    assert "--nthreads 1" in script
    assert "GPU=1" not in script


@pytest.mark.parametrize("on", ["moon", "", "http://x"])
def test_a_wrong_place_says_what_is_allowed(on):
    with pytest.raises(ValueError, match="allowed are inline, local, slurm"):
        make_runner(on)
