"""The needs of tasks, and this machine's GPUs."""

import itertools
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Needs:
    """A task's needs beside one core: `gpus` of its own, and `memory_bytes` if it takes much. `beside` is a line of shell that
    starts a server for all workers of a SLURM job, on the machine's GPUs."""

    gpus: int = 0
    memory_bytes: int = 0
    beside: str = ""

    @classmethod
    def most(cls, needs: Iterable["Needs"]) -> "Needs":
        """The least needs that cover each of `needs`, of which one is used at a time."""
        needs = list(needs)
        beside = next((n.beside for n in needs if n.beside), "")
        return cls(max((n.gpus for n in needs), default=0), max((n.memory_bytes for n in needs), default=0), beside)


A_CORE = Needs()


def gpus() -> list[str]:
    """The GPUs that this process may use, by their names in CUDA_VISIBLE_DEVICES."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return list(itertools.takewhile(lambda name: name not in ("", "-1"), (name.strip() for name in visible.split(","))))
    try:
        command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return []
