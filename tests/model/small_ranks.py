"""Ranks of `model.train.launch` with a small training in the place of the real one: `python -m tests.model.small_ranks rank
FOLDER`.

All ranks add up their numbers at each of `step.steps` steps, and rank 0 writes the sum down every `step.checkpoint_every` steps,
as a checkpoint. FAULTS in the environment is "TURN RANK STEP WHAT,…": in that turn of the launcher, counted from 0, WHAT befalls
a rank before its step.
"""

import json
import os
import signal
import sys
import time
import types
from datetime import timedelta
from pathlib import Path

from datagen.disk.storage import Folder
from datagen.work.progress import State
from model.train import launch
from model.train.process import STOPPED, terminated
from model.train.step import Train


def train(step: Train, out: Folder, held_out: frozenset[str], on_state) -> bool:
    import torch
    import torch.distributed as dist

    folder, rank = out.sub(step.name), int(os.environ["RANK"])
    if folder.exists("metrics.json"):
        return False
    checkpoints = sorted(folder.local.glob("checkpoint/*/progress.json"))
    first, total = json.loads(checkpoints[-1].read_text()).values() if checkpoints else (0, 0)
    folder.local.mkdir(exist_ok=True)
    turn = len([*folder.local.glob(f"rank-{rank}-*")])
    (folder.local / f"rank-{rank}-{turn}").touch()
    faults = [fault.split() for fault in os.environ.get("FAULTS", "").split(",") if fault]
    dist.init_process_group("gloo", timeout=timedelta(seconds=float(os.environ.get("PATIENCE_S", "1800"))))
    on_state(State(note=f"from step {first}"))
    with terminated() as asked:
        for number in range(first, step.schedule.steps):
            for at, who, when, what in faults:
                if [at, who, when] == [str(turn), str(rank), str(number)]:
                    befall(what)
            one = torch.tensor([number * (rank + 1), int(asked.is_set())])
            dist.all_reduce(one)
            total += int(one[0])
            stops = bool(one[1])
            if rank == 0 and (stops or (number + 1) % step.checkpoint.checkpoint_every == 0):
                folder.write(
                    f"checkpoint/step-{number + 1:09d}/progress.json", json.dumps({"step": number + 1, "sum": total}).encode()
                )
                on_state(State(number + 1, step.schedule.steps, "steps"))
            if stops:
                raise SystemExit(STOPPED)
    if rank == 0:
        folder.write("metrics.json", json.dumps({"sum": total, "held_out": sorted(held_out)}).encode())
    dist.destroy_process_group()
    return True


def befall(what: str) -> None:
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "wrong":
        raise ValueError("the data has changed: begin anew")
    elif what == "disk":
        raise OSError("a disk fails")
    elif what == "bug":
        raise RuntimeError("out of memory")
    elif what == "wait":
        time.sleep(600)


if __name__ == "__main__":
    trainer = types.ModuleType("model.train.trainer")  # the real one takes three seconds to load, and each rank is a process
    trainer.train = train  # type: ignore[attr-defined]
    sys.modules[trainer.__name__] = trainer
    sys.exit(launch.rank(Path(sys.argv[2])))
