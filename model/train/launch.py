"""A training by ranks: torchrun starts a process for each GPU of each machine, and all begin again if one is lost.

    launch(step, out, …)                          what `model.train.trainer.train` does, by ranks
    python -m model.train.launch torchrun PID WORDS     torchrun with its own words; `launch` starts it, or srun on each machine
    python -m model.train.launch rank FOLDER            a rank; torchrun starts it

FOLDER is where they meet, on a disk that all of them see. job.json says what is trained, states.jsonl how far rank 0 is, and
rank-N.json and torchrun-….json how each ended. Who kept the others waiting is in NCCL's own records: `trainer`, flight-N.

SIGTERM goes down from `launch` to every rank; through srun as SIGUSR1, since srun kills its tasks at SIGTERM. A process ends when
the one that started it is gone, so that nothing trains on after a kill: but for what srun started, which is SLURM's to end.
"""

import contextlib
import ctypes
import itertools
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import psutil

from datagen.disk.storage import Folder
from datagen.disk.temporary import temporary_folder
from datagen.work.progress import OnState, State, ignore
from model.train.process import STOPPED, environment, terminated
from model.train.step import Train

log = logging.getLogger(__name__)

RESTARTS = 3
"""How often in turn ranks begin again without a checkpoint that is newer than the time before."""
PAUSE_S = 20.0
"""Before a training begins again: a disk or a server may be back by then."""
FOR_PEOPLE = (FileNotFoundError, NotADirectoryError, PermissionError)
"""Of what a disk or a server says, what another try doesn't change."""
JOB, STATES, AGENT = "job.json", "states.jsonl", "PAGEWHEEL_TORCHRUN"
_ROOT = Path(__file__).parents[2]
_LOOK_EVERY_S = 0.2
_ENDS_IN_S = 60  # after which `launch` doesn't wait any more for what it started
_SHUTDOWN_S = "10"  # that ranks get from torchrun to end, once one is lost: they wait for it in vain
_BY_PEER = "by peer"  # gloo's words, for a connection that was closed or reset
_NOTHING = "NothingToLearn"  # trainer.NothingToLearn, which recipes know
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Machines:
    """Where ranks run: on `nodes` machines, `gpus` of them on each.

    `start`, such as srun and its options, starts a command once on each machine, and stays until all have ended. It hands SIGUSR1
    on to them. `meet` is HOST:PORT of the first machine, under which the others reach it. Both are empty for this machine alone.
    """

    gpus: int = 1
    nodes: int = 1
    start: tuple[str, ...] = ()
    meet: str = ""

    @property
    def num_ranks(self) -> int:
        return self.nodes * self.gpus

    def command(self, folder: Path, turn: int) -> list[str]:
        """What starts torchrun, and that the ranks."""
        meet = ("--rdzv-backend=c10d", f"--rdzv-endpoint={self.meet}", f"--rdzv-id={turn}") if self.meet else ("--standalone",)
        ranks = (f"--nnodes={self.nodes}", f"--nproc-per-node={self.gpus}", "--max-restarts=0")
        parent = 0 if self.start else os.getpid()  # srun's tasks are children of its daemon
        words = (*ranks, *meet, "--module", "model.train.launch", "rank", str(folder))
        return [*self.start, sys.executable, "-m", "model.train.launch", "torchrun", str(parent), *words]


@dataclass(frozen=True)
class Job:
    """What ranks train: the arguments of `trainer.train`."""

    step: Train
    out: str
    held_out: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """How a rank ended, `at` in seconds since 1970. `made` is what the training returned. An `error` is the name of its class."""

    at: float
    made: bool = False
    stopped: bool = False
    error: str = ""
    message: str = ""
    trace: str = ""


@dataclass(frozen=True)
class Lost:
    """A rank that ended with another code than 0, below 0 if by a signal, as torchrun saw it."""

    at: float
    rank: int
    code: int


def launch(
    step: Train,
    out: Folder,
    held_out: frozenset[str],
    machines: Machines,
    on_state: OnState = ignore,
    meet_in: Path | None = None,
) -> bool:
    """Train by ranks. Returns and raises what `model.train.trainer.train` does, SIGTERM included.

    `meet_in` is a folder that all machines see; for this machine alone it isn't needed. If a rank is lost, the others end, and
    all begin again from the last checkpoint. Raises `ChildProcessError` once that was done `RESTARTS` times in turn without a
    newer checkpoint.
    """
    with _meeting(meet_in) as folder, terminated() as asked:
        where = str(out.local) if out.local else out.url
        (folder / JOB).write_bytes(msgspec.json.encode(Job(step, where, tuple(sorted(held_out)))))
        tries = _Tries(step, out)
        for turn in itertools.count():
            for path in folder.glob("*-*.json"):
                path.unlink()
            stop = signal.SIGUSR1 if machines.start else signal.SIGTERM
            code = _run(machines.command(folder, turn), stop, step, out, folder, asked, on_state)
            ranks = {int(path.stem.partition("-")[2]): _read(path, Ended) for path in folder.glob("rank-*.json")}
            _raise_what_is_for_people(ranks)
            if code == 0 and ranks and not any(ended.stopped for ended in ranks.values()):
                return any(ended.made for ended in ranks.values())
            if asked.is_set() or (code == 0 and ranks):
                raise SystemExit(STOPPED)
            reason = _reason(code, ranks, [_read(path, Lost) for path in folder.glob("torchrun-*.json")])
            tries.again(reason, "all ranks begin again", asked.wait)
            if asked.is_set():
                raise SystemExit(STOPPED)
    raise AssertionError


class _Tries:
    """How often in turn a training began again without a checkpoint that is newer than the time before."""

    def __init__(self, step: Train, out: Folder):
        self.step, self.out = step, out
        self.newest, self.in_turn = _newest(out.sub(step.name)), 0

    def again(self, reason: str, what: str, pause: Callable[[float], object] = time.sleep) -> None:
        """Say that it begins again, after a pause. Raises `ChildProcessError` once nothing came of it `RESTARTS` times in turn. A
        disk that still fails has nothing newer."""
        pause(PAUSE_S)
        before = self.newest
        with contextlib.suppress(OSError):
            self.newest = _newest(self.out.sub(self.step.name))
        self.in_turn = 1 if self.newest > before else self.in_turn + 1
        from_where = f"from step {self.newest}" if self.newest else "from the beginning"
        reason = f"{self.step.name}: {reason}"
        if self.in_turn > RESTARTS:
            raise ChildProcessError(
                f"{reason}; {self.in_turn} times in turn nothing came of it; the same command goes on {from_where}"
            )
        log.warning("%s; %s %s (%d of %d)", reason, what, from_where, self.in_turn, RESTARTS)


def trained_here(step: Train, out: Folder, held_out: frozenset[str] = frozenset(), on_state: OnState = ignore) -> bool:
    """What `model.train.trainer.train` does, in this process: it begins again from the last checkpoint after a disk or a server
    failed.

    What isn't there, or may not be read, is for people. Raises `ChildProcessError` as `launch` does.
    """
    from model.train.trainer import train

    tries = _Tries(step, out)
    os.environ |= environment(step)
    while True:
        try:
            return train(step, out, held_out, on_state)
        except FOR_PEOPLE:
            raise
        except OSError as error:
            tries.again(" ".join(str(error).split()), "it begins again")


@contextlib.contextmanager
def _meeting(meet_in: Path | None) -> Iterator[Path]:
    if meet_in is None:
        with temporary_folder() as here:
            yield Path(here)
    else:
        meet_in.mkdir(parents=True, exist_ok=True)
        yield meet_in


def _newest(folder: Folder) -> int:
    """The step of the last checkpoint of the training in `folder`; 0 if there is none."""
    from model.train.checkpoint import Checkpoints  # torch

    return max(Checkpoints(folder.sub("checkpoint")).steps(), default=0)


def _run(
    command: list[str], stop: signal.Signals, step: Train, out: Folder, folder: Path, asked: threading.Event, on_state: OnState
) -> int:
    """The exit code of `command`, once it and all that it started have ended. It gets `stop` once, when `asked` is set."""
    environ = {
        **os.environ,
        **environment(step, out),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(step.compute.threads)),
        "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": _SHUTDOWN_S,
    }
    states = folder / STATES
    states.touch()
    # In a session of its own, so that a terminal's Ctrl-C is heard here alone.
    process = subprocess.Popen(command, env=environ, start_new_session=True)
    has_asked = False
    try:
        with open(states, encoding="utf-8") as file:
            file.seek(0, os.SEEK_END)
            while process.poll() is None:
                if asked.is_set() and not has_asked:
                    process.send_signal(stop)
                    has_asked = True
                _show(file, on_state)
                time.sleep(_LOOK_EVERY_S)
            _show(file, on_state)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_ENDS_IN_S)
            finally:
                process.kill()
                process.wait()
    return process.returncode


def _show(file: Any, on_state: OnState) -> None:
    while True:
        begin = file.tell()
        line = file.readline()
        if not line.endswith("\n"):
            file.seek(begin)
            return
        on_state(State(*json.loads(line)))


def _raise_what_is_for_people(ranks: dict[int, Ended]) -> None:
    """Raises the first `ValueError` of a rank, or one of `FOR_PEOPLE`: what has to be changed before another try."""
    kinds = {kind.__name__: kind for kind in (ValueError, *FOR_PEOPLE)}
    wrong = [ended for ended in ranks.values() if ended.error in (*kinds, _NOTHING)]
    if not wrong:
        return
    first = min(wrong, key=lambda ended: ended.at)
    if first.error == _NOTHING:
        from model.train.trainer import NothingToLearn

        raise NothingToLearn(first.message)
    raise kinds[first.error](first.message)


def _reason(code: int, ranks: dict[int, Ended], lost: list[Lost]) -> str:
    """Why the ranks ended, as the first of them did: the others were waiting for it."""
    failed = [(ended.at, rank) for rank, ended in ranks.items() if ended.error]
    failed += [(one.at, one.rank) for one in lost if one.rank not in ranks]
    if not failed:
        return f"the ranks ended with the code {code}, and none says why"
    rank = min(failed)[1]
    gone = [one for one in lost if one.rank not in ranks]
    if gone and rank in ranks and _BY_PEER in ranks[rank].message:  # it saw first that another one was gone
        rank = min(gone, key=lambda one: one.at).rank
    code = next((one.code for one in lost if one.rank == rank), 0)
    if rank in ranks:
        log.error("rank %d:\n%s", rank, ranks[rank].trace)
        return f"rank {rank} ended with {ranks[rank].error}: {' '.join(ranks[rank].message.split())}"
    return f"rank {rank} was ended by {signal.Signals(-code).name}" if code < 0 else f"rank {rank} ended with the code {code}"


def _read(path: Path, kind: Any) -> Any:
    return msgspec.json.decode(path.read_bytes(), type=kind)


def _write(path: Path, value: Any) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(value))
    part.replace(path)


def torchrun(parent: int, words: list[str]) -> int:
    """Torchrun on this machine; the exit code. `parent`: the process that started this one, 0 for SLURM's."""
    if parent:
        _end_with(parent)
    # Until ranks are there to hear of it SIGTERM ends this process, and torchrun, which would kill them soon, doesn't hear it.
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    logging.disable(logging.ERROR)  # what it says of a lost rank in many lines `launch` says in one
    os.environ[AGENT] = str(os.getpid())
    folder = Path(words[-1])
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, lambda *_: _stop_ranks(folder))
    try:
        run.run(run.parse_args(["--signals-to-handle=SIGQUIT", *words]))
    except ChildFailedError as error:
        for rank, failure in error.failures.items():
            name = f"torchrun-{socket.gethostname()}-{os.getpid()}-{rank}.json"
            _write(folder / name, Lost(float(failure.timestamp), rank, failure.exitcode))
        return 1
    return 0


def _stop_ranks(folder: Path) -> None:
    """Have the ranks of this machine stop. Those that aren't there yet would never hear of it; ended ones have said how."""
    ranks = psutil.Process().children()
    if not ranks and not any(folder.glob("rank-*.json")):
        os._exit(STOPPED)
    for one in ranks:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.terminate()


def rank(folder: Path) -> int:
    """Train as a rank; the exit code. One that was stopped ends with 0, for torchrun ends the others if one doesn't."""
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # srun hands it on to all processes, torchrun's child and its loaders too
    _end_with(int(os.environ[AGENT]))
    signal.signal(signal.SIGTERM, _stop)  # until the training hears it
    number = int(os.environ["RANK"])
    if number:
        logging.disable(logging.WARNING)  # rank 0 says it for all
    made = stopped = False
    failed = ("", "", "")
    try:
        made = _trained(_read(folder / JOB, Job), folder, number)
    except SystemExit as end:
        if end.code != STOPPED:
            raise
        stopped = True
    except Exception as error:
        kind = next((kind for kind in (ValueError, *FOR_PEOPLE) if isinstance(error, kind)), type(error))
        name = _NOTHING if type(error).__name__ == _NOTHING else kind.__name__
        failed = (name, str(error), traceback.format_exc())
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _write(folder / f"rank-{number}.json", Ended(time.time(), made, stopped, *failed))
    if failed[0]:  # whatever threads still wait for
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)
    return 0


def _trained(job: Job, folder: Path, number: int) -> bool:
    from model.train.trainer import train

    with open(folder / STATES, "a", encoding="utf-8") as file:

        def on_state(state: State) -> None:
            file.write(json.dumps(state) + "\n")
            file.flush()

        return train(job.step, Folder(job.out), frozenset(job.held_out), ignore if number else on_state)


def _stop(number: int, frame: object) -> NoReturn:
    raise SystemExit(STOPPED)


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when `parent` ends, which started it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def main(words: list[str]) -> int:
    what, *rest = words
    return torchrun(int(rest[0]), rest[1:]) if what == "torchrun" else rank(Path(rest[0]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
