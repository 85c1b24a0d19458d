"""A job of SLURM for training: its script as text, and run by a shell with stand-ins for SLURM's programs."""

import os
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

import dask
import pytest

from model.train.launch import Machines
from recipes.__main__ import main, words_of
from recipes.run import slurm
from recipes.words.words import parse
from tests.programs import stand_in

CLUSTER = {
    "slurm": {"queue": "cpu", "account": "ocr", "memory": "6 GB", "walltime": "12:00:00", "python": "/shared/bin/python"},
    "slurm-train": {
        "queue": "a100",
        "walltime": "2-00:00:00",
        "job-cpu": 96,
        "job-extra-directives": ["--exclusive"],
        "job-script-prologue": ["module load cuda", "export NCCL_DEBUG=WARN"],
    },
}
ROOT = Path(__file__).parents[3]
TRAIN = ["train", "data=a b.jsonl", "start=weights", "steps=7"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").mkdir()
    with dask.config.set(jobqueue=CLUSTER):
        yield tmp_path


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A function that puts a program of SLURM on the PATH: its name, and what its shell script does."""
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return lambda name, does: stand_in(tmp_path / "bin", name, f"#!/bin/bash\n{does}\n")


def planned(capsys, *words: str) -> list[str]:
    assert main([*words, "plan=1"]) == 0
    said = capsys.readouterr().out
    return [line.removeprefix("  ") for line in said.partition("slurm/job.sh:\n")[2].rstrip("\n").splitlines()]


def test_the_script(here, capsys):
    """What one reads with plan=1. What it does with signals and with how the run ends is told by running it, below."""
    options, _, commands = "\n".join(planned(capsys, *TRAIN, "on=slurm", "nodes=20", "out=out dir/x")).partition("\n\n")
    assert options.splitlines() == [
        "#!/bin/bash",
        *(f"#SBATCH --{option}" for option in ("job-name=pagewheel-train", "nodes=20", "ntasks-per-node=1", "gres=gpu:8")),
        *(f"#SBATCH --{option}" for option in ("partition=a100", "account=ocr", "time=2-00:00:00", "cpus-per-task=96", "mem=0")),
        *(f"#SBATCH --{option}" for option in ("exclusive", "requeue", "open-mode=append", "signal=B:USR1@300")),
        f"#SBATCH --output='{here}/out dir/x/slurm/%j.log'",
    ]
    assert commands.startswith(f"cd {ROOT}\nmodule load cuda\nexport NCCL_DEBUG=WARN\n\n")
    run = f"train 'data={here}/a b.jsonl' start={here}/weights steps=7 'out={here}/out dir/x' on=srun gpus=8 &\n"
    assert f"\n/shared/bin/python -m recipes {run}" in commands
    assert not (here / "out dir").exists()


def test_the_jobs_words_are_those_that_were_typed(here):
    words = {"data": "/a b.jsonl,text:/c", "rate": 2e-05, "modes": "base", "lora": 16, "overwrite": True}
    text = slurm.script("finetune", words, here, 2, 4, slurm.Cluster(python="python"))
    (line,) = (line for line in text.splitlines() if " -m recipes " in line)
    assert line.endswith(" overwrite=$((${SLURM_RESTART_COUNT:-0} == 0)) " + f"out={here} on=srun gpus=4 &")
    for count, overwrites in (({}, True), ({"SLURM_RESTART_COUNT": "2"}, False)):
        said = subprocess.run(["bash", "-c", f"printf '%s\\n' {line[:-1]}"], env=count, capture_output=True, text=True).stdout
        typed = said.splitlines()[4:]
        expected = {**words, "overwrite": overwrites, "out": str(here), "on": "srun", "gpus": 4}
        assert parse("finetune", words_of("finetune"), typed) == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["on=slurm"], "train on=slurm needs nodes=N, how many machines with 8 GPUs each"),
        (["nodes=2"], "nodes=2: it goes with on=slurm"),
        (["on=inline", "gpus=2"], "gpus=2: on=inline trains in this process alone"),
        (["on=srun"], "on=srun: this process is in no job of SLURM: on=slurm nodes=N submits one"),
        (["on=slurm", "nodes=2", "out=memory://x"], "on=slurm needs a folder on a disk that all machines see"),
        (["on=moon"], "allowed are inline, local, slurm and tcp://HOST:PORT"),
    ],
)
def test_a_wrong_word_is_one_line(words, message, capsys, monkeypatch, here):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert main([*TRAIN, *words]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line and not [*here.rglob("job.sh")]


def test_without_the_clusters_file_it_says_what_to_copy(capsys):
    with dask.config.set(jobqueue={"slurm": {}}):
        assert main([*TRAIN, "on=slurm", "nodes=2"]) == 2
    assert "needs jobqueue.slurm-train in ~/.config/dask/jobqueue.yaml: recipes/run/jobqueue.yaml" in capsys.readouterr().err


def test_the_file_to_copy_has_all_that_is_asked_for():
    import yaml

    with dask.config.set(yaml.safe_load((ROOT / "recipes/run/jobqueue.yaml").read_text())):
        wants = slurm.cluster()
    assert wants.python == "/shared/pagewheel/.venv/bin/python" and "cd /shared/pagewheel" in wants.prologue[0]
    assert {option.split("=")[0] for option in wants.options} >= {
        "--partition",
        "--account",
        "--time",
        "--cpus-per-task",
        "--mem",
    }


def test_a_machine_without_sbatch_says_where_the_script_is(here, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert main([*TRAIN, "on=slurm", "nodes=2", "out=x"]) == 2
    file = here / "x/slurm/job.sh"
    assert f"this machine has no sbatch; submit {file} where SLURM is" in capsys.readouterr().err
    assert file.read_text().startswith("#!/bin/bash\n#SBATCH") and os.access(file, os.X_OK)


def test_a_job_is_submitted_once(here, programs, caplog):
    programs("sbatch", f'echo "$@" >> {here}/submitted; echo "4711;cluster"')
    programs("squeue", 'echo "$@" > squeue; cat state')
    words = [*TRAIN, "on=slurm", "nodes=2", "out=x"]
    with caplog.at_level("INFO"):
        assert main(words) == 0
    assert (here / "submitted").read_text() == f"--parsable {here}/x/slurm/job.sh\n"
    assert f"as job 4711; it will write {here}/x/slurm/4711.log" in caplog.text
    (here / "state").write_text("RUNNING\n")
    with caplog.at_level("INFO"):
        assert main(words) == 0
    assert f"job 4711 of {here}/x is RUNNING in SLURM's queue already" in caplog.text
    assert (here / "squeue").read_text() == "--noheader --format=%T --jobs=4711\n"
    (here / "state").write_text("")
    assert main(words) == 0
    assert len((here / "submitted").read_text().splitlines()) == 2


def test_what_sbatch_refuses_is_said(here, programs, capsys):
    programs("sbatch", "echo 'sbatch: error: invalid partition specified: a100' >&2; exit 1")
    assert main([*TRAIN, "on=slurm", "nodes=2", "out=x"]) == 1
    assert "job.sh: sbatch: error: invalid partition specified: a100" in capsys.readouterr().err


def test_the_machines_of_a_job(here, programs, monkeypatch):
    known = {"a100-07", "a100-08"}

    def resolved(name, port):
        if name not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    programs("scontrol", 'if [ "$*" = "show hostnames a100-[07-08]" ]; then echo a100-07; echo a100-08; else exit 1; fi')
    job = {"SLURM_JOB_ID": "1234567", "SLURM_JOB_NUM_NODES": "2", "SLURM_JOB_NODELIST": "a100-[07-08]"}
    start = ("srun", "--nodes=2", "--ntasks=2", "--ntasks-per-node=1", "--kill-on-bad-exit=1", "--cpu-bind=none")
    assert slurm.allocated(0, job) == Machines(8, 2, start, "a100-07:24567")
    assert slurm.allocated(4, job).num_ranks == 8
    with pytest.raises(ValueError, match="scontrol show hostnames says no name"):
        slurm.allocated(0, job | {"SLURM_JOB_NODELIST": "other"})
    known.remove("a100-08")
    with pytest.raises(ValueError, match=r"the name a100-08 of a machine of job 1234567 doesn't resolve on .*/etc/hosts"):
        slurm.allocated(0, job)


RUN = """
trap 'sleep 0.3; echo stopped >> ran; exit 143' TERM
echo "$@" >> ran
for i in $(seq 100); do sleep 0.1; done
exit 5
"""


@pytest.mark.parametrize(
    ("signals", "code", "requeued"),
    [
        ([signal.SIGUSR1], 143, True),
        ([signal.SIGTERM], 143, False),
        ([signal.SIGUSR1, signal.SIGTERM], 143, True),  # at once: its time is over
    ],
)
def test_a_shell_runs_the_script_and_puts_the_job_back(signals, code, requeued, here, programs):
    programs("scontrol", f'echo "$@" > {here}/requeued')
    programs("run", f"cd {here}\n{RUN}")
    process = started(here, ["run"])
    until((here / "ran").exists)
    for number in signals:
        process.send_signal(number)
    assert process.wait(240) == code
    assert (here / "ran").read_text() == f"-m recipes train steps=7 out={here} on=srun gpus=8\nstopped\n"
    assert ((here / "requeued").read_text() == "requeue 99\n") if requeued else not (here / "requeued").exists()


@pytest.mark.parametrize("code", [0, 1])
def test_a_run_that_ends_by_itself_is_not_put_back(code, here, programs):
    programs("scontrol", f'echo "$@" > {here}/requeued')
    programs("run", f"exit {code}")
    assert started(here, ["run"]).wait(240) == code and not (here / "requeued").exists()


def started(here: Path, python: list[str]) -> subprocess.Popen:
    file = here / "job.sh"
    file.write_text(slurm.script("train", {"steps": 7}, here, 2, 8, slurm.Cluster(python=shlex.join(python))))
    return subprocess.Popen(["bash", str(file)], env=os.environ | {"SLURM_JOB_ID": "99"}, start_new_session=True)


def until(is_so, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)
