"""How each kind of step is planned and run, a file a kind, with the same three functions:

plan(step, out, place) -> str                  what `run` would do, for people; writes nothing
run(step, recipe, out, place) -> int           do what is left to do; returns the exit code
folders(step, out) -> list[str]                the folders of the output that are the step's
"""

from dataclasses import dataclass

OK, SHARD_FAILED, USAGE, OVER_MAX_DROP = 0, 1, 2, 3


@dataclass(frozen=True)
class Place:
    """Where a recipe runs and writes. None of it changes a byte of what comes out."""

    out: str
    on: str = "local"
    workers: int = 0
    overwrite: bool = False
