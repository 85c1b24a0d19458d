"""Training as a job of SLURM: the script that runs a recipe on some machines with GPUs, and what such a job knows of itself.

    on=slurm nodes=N    `submit` writes OUT/slurm/job.sh and hands it to sbatch
    on=srun             what the script runs on the first machine of the job: `allocated`
    OUT/slurm/ID.log    what the job says, however often it begins again

The job runs the recipe as a whole, on its first machine; trainings go through torchrun on all of them. SLURM tells it before its
time is over, or before it takes the machines for another job. Then it leaves a checkpoint, and goes back into the queue.
"""

import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datagen.disk.storage import Folder

if TYPE_CHECKING:
    from model.train.launch import Machines

GPUS = 8
"""GPUs of a machine."""
NOTICE_S = 300
"""Before the end of its time a job is told, so many seconds."""
FOLDER, SCRIPT, JOB = "slurm", "job.sh", "job"
_ROOT = Path(__file__).parents[2]
_FIRST_PORT, _NUM_PORTS = 20_000, 10_000


@dataclass(frozen=True)
class Cluster:
    """What a cluster wants to know of a job: options of sbatch, lines of shell before it begins, and where its Python is."""

    options: tuple[str, ...] = ()
    prologue: tuple[str, ...] = ()
    python: str = sys.executable


def cluster() -> Cluster:
    """What `~/.config/dask/jobqueue.yaml` says: `slurm-train`, and where that says nothing, `slurm`, but for its memory.

    Raises `ValueError`, saying what to copy where, if there is no such section.
    """
    import dask

    own: Mapping[str, Any] | None = dask.config.get("jobqueue.slurm-train", None)
    if own is None:
        raise ValueError(
            "on=slurm for trainings needs jobqueue.slurm-train in ~/.config/dask/jobqueue.yaml: "
            "recipes/run/jobqueue.yaml is one to start from"
        )
    of_workers = {"memory", "job-cpu", "job-mem"}  # a worker's share of a machine, where a training has it whole
    values = {name: value for name, value in dask.config.get("jobqueue.slurm", {}).items() if name not in of_workers} | dict(own)
    named = {"partition": "queue", "account": "account", "time": "walltime", "cpus-per-task": "job-cpu"}
    options = [f"--{option}={values[name]}" for option, name in named.items() if values.get(name)]
    memory = str(values.get("memory", "0")).replace(" ", "").removesuffix("B")  # 0: all that the machine has
    return Cluster(
        (*options, f"--mem={memory}", *map(str, values.get("job-extra-directives") or ())),
        tuple(map(str, values.get("job-script-prologue") or ())),
        str(values.get("python") or sys.executable),
    )


def script(name: str, words: Mapping[str, Any], out: Path, nodes: int, gpus: int, wants: Cluster) -> str:
    """The script of the job that runs the recipe `name` with these words of its own on `nodes` machines with `gpus` GPUs each."""
    options = [
        f"--job-name=pagewheel-{name}",
        f"--nodes={nodes}",
        "--ntasks-per-node=1",
        *([] if any(option.startswith(("--gres", "--gpus")) for option in wants.options) else [f"--gres=gpu:{gpus}"]),
        *wants.options,
        "--requeue",
        "--open-mode=append",
        f"--signal=B:USR1@{NOTICE_S}",
        f"--output={str(out / FOLDER).replace('%', '%%')}/%j.log",
    ]
    typed = [f"{word}={int(value) if isinstance(value, bool) else value}" for word, value in words.items()]
    command = shlex.join([wants.python, "-m", "recipes", name, *typed, f"out={out}", "on=srun", f"gpus={gpus}"])
    if words.get("overwrite"):
        command = command.replace(" overwrite=1", " overwrite=$((${SLURM_RESTART_COUNT:-0} == 0))")
    return "\n".join(
        [
            "#!/bin/bash",
            *(f"#SBATCH {_quoted(option)}" for option in options),
            "",
            f"cd {shlex.quote(str(_ROOT))}",
            *wants.prologue,
            "",
            "# USR1: the time is nearly over. TERM: somebody ends the job. Both leave a checkpoint.",
            'stop() { is_signalled=1; [ -z "$run" ] || kill -TERM "$run" 2>/dev/null; }',
            "run= is_signalled= ending=",
            "trap 'ending=1; stop' USR1",
            "trap stop TERM",
            f"{command} &",
            "run=$!",
            '[ -z "$is_signalled" ] || stop  # before there was anybody to tell',
            "# Not by wait: of two signals that come while it waits, bash forgets one.",
            'while kill -0 "$run" 2>/dev/null; do sleep 0.5; done',
            'wait "$run"',
            "code=$?",
            'if [ -n "$ending" ] && [ "$code" -eq 143 ]; then',
            '    scontrol requeue "$SLURM_JOB_ID"',
            "fi",
            'exit "$code"',
            "",
        ]
    )


def _quoted(option: str) -> str:
    name, joined, value = option.partition("=")
    return f"{name}{joined}{shlex.quote(value)}" if joined else option


def submit(text: str, out: Path) -> str:
    """Write the script to `OUT/slurm/job.sh` and hand it to sbatch; returns a sentence for people.

    A job of this output that is in the queue already stays the only one. Raises `ValueError` if this machine has no sbatch, and
    `OSError` if SLURM refuses the job.
    """
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / SCRIPT
    if state := _state_of_last(folder):
        return f"job {(folder / JOB).read_text()} of {out} is {state} in SLURM's queue already; it writes {folder}"
    file.write_text(text)
    file.chmod(0o755)
    ended = _called("sbatch", "--parsable", str(file))
    if ended is None:
        raise ValueError(f"on=slurm: this machine has no sbatch; submit {file} where SLURM is, with sbatch {file}")
    if ended.returncode:
        raise OSError(f"sbatch refused {file}: {ended.stderr.strip()}")
    number = ended.stdout.strip().partition(";")[0]
    (folder / JOB).write_text(number)
    return f"SLURM has {file} as job {number}; it will write {folder / number}.log, and make status out={out} says how far it is"


def _state_of_last(folder: Path) -> str:
    """PENDING, RUNNING, …: the state of the job that was submitted last, "" if it is no more in the queue."""
    if not (folder / JOB).exists():
        return ""
    ended = _called("squeue", "--noheader", "--format=%T", f"--jobs={(folder / JOB).read_text()}")
    return "" if ended is None or ended.returncode else ended.stdout.strip()


def allocated(gpus: int = 0, environ: Mapping[str, str] = os.environ) -> "Machines":
    """The machines of the job of SLURM that this process is in. Raises `ValueError` if it is in none, or if one of them has a
    name that doesn't resolve here: ranks reach each other by their machines' names."""
    from model.train.launch import Machines  # loads what trains, where most runs train nothing

    number, nodes = environ.get("SLURM_JOB_ID"), environ.get("SLURM_JOB_NUM_NODES")
    if not number or not nodes:
        raise ValueError("on=srun: this process is in no job of SLURM: on=slurm nodes=N submits one, or salloc starts one")
    names = _called("scontrol", "show", "hostnames", environ.get("SLURM_JOB_NODELIST", ""))
    if names is None or names.returncode or not names.stdout.split():
        raise ValueError("on=srun: scontrol show hostnames says no name of the job's machines")
    for name in names.stdout.split():
        try:
            socket.getaddrinfo(name, None)
        except OSError as error:
            raise ValueError(
                f"on=srun: the name {name} of a machine of job {number} doesn't resolve on {socket.gethostname()}: "
                f"have DNS or /etc/hosts of all machines say its address ({error.strerror})"
            ) from None
    port = _FIRST_PORT + int(number) % _NUM_PORTS  # jobs that share a machine hardly have the same
    start = ("srun", f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1", "--kill-on-bad-exit=1", "--cpu-bind=none")
    return Machines(gpus or GPUS, int(nodes), start, f"{names.stdout.split()[0]}:{port}")


def _called(*command: str) -> subprocess.CompletedProcess[str] | None:
    """What came of a command; None if this machine doesn't have it."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None


def local_out(out: str) -> Path:
    """The output as a path. Raises `ValueError` if it is on object storage, where no job can write its log."""
    local = Folder(out).local
    if local is None:
        raise ValueError(f"out={out}: on=slurm needs a folder on a disk that all machines see")
    return local
