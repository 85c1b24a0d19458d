"""A training's `run.json`: the training's identity, and whether it is done."""

import dataclasses
import hashlib
import json
from typing import Any

import tokenizers
import torch

from datagen.disk.marks import digest
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.work.progress import OnState, State
from model.net.cpu import native_dtype
from model.train.data import Opened
from model.train.data_config import Data
from model.train.process import FLIGHT
from model.train.start import starts
from model.train.step import Train, flat

VERSION = 7  # goes up whenever the same values would train other weights
RUN, METRICS = "run.json", "metrics.json"
_FILES = (
    METRICS,
    "checkpoint",
    "model",
    "adapter",
    "tokenizer.json",
    "loss.jsonl",
    "speed.jsonl",
    "tensorboard",
    "readback.json",
    RUN,
)
# Earlier steps may add to these. A finished training holds on any machine, with any number of workers.
_LATER = {"held_out": "documents to hold out", "marks": "marks"}
_ELSEWHERE = (
    *("device", "workers", "keep", "checkpoint_every", "optional", "checkpointing", "compiled", "deterministic"),
    *("pipeline", "replicate", "stage_layers"),
)
# The values of fields that an earlier version lacked: it trained with these.
_DEFAULTS = json.loads(json.dumps(flat(dataclasses.asdict(Train(datasets=())))))
_DATA_DEFAULTS = json.loads(json.dumps(dataclasses.asdict(Data(""))))
_CHANGEABLE = ("datasets", "groups")  # a training may go on with another mixture


def finished(step: Train, out: Folder, data: Opened, held_out: frozenset[str], on_state: OnState) -> bool:
    """Whether the folder has the whole results of this training. Logs whether the corpus is newer. Raises `ValueError` if it has
    the results of another training, or of shards that are gone."""
    folder = out.sub(step.name)
    if not folder.exists(RUN):
        return False
    is_done = folder.exists(METRICS)
    run, earlier = describe(step, out, data, held_out, not is_done), json.loads(folder.read(RUN))
    # A finished training needs its starting weights no more, and another torch would read the same from its own.
    names = ("version", "step", *([] if is_done else ["versions", "starts", "precision"]))
    ours, theirs = ({name: _compared(r, name, is_done) for name in names} for r in (run, earlier))
    changed = [name for name in ours if ours[name] != theirs[name]]
    # Datasets that were moved away as a whole.
    away = [name for name in earlier.get("folders", ()) if not out.exists(name)] if is_done else []
    shards = {name: known_as for name, known_as in earlier["shards"].items() if name.rpartition("-")[0] not in away}
    if not shards.items() <= run["shards"].items():
        changed.append("shards")
    if changed:
        raise ValueError(
            f"{folder.url} holds the results of another training (different: {', '.join(changed)}): "
            "say overwrite=1 to replace them, or out=… for another folder"
        )
    if not is_done:
        return False
    if away:
        what = f"the model learned from {', '.join(away)}, which is set aside, and stays"
        on_state(State(note=f"{what}; overwrite=1 trains it anew"))
    if run["versions"] != (before := earlier.get("versions", {})):
        with_what = ", ".join(f"{name} {version}" for name, version in before.items())
        on_state(State(note=f"the model is trained, with {with_what}, and stays; overwrite=1 trains it anew"))
    num_new = len(run["shards"].keys() - earlier["shards"].keys())
    news = [f"{num_new} shards"] if num_new else []
    news += [what for name, what in _LATER.items() if run[name] != earlier.get(name)]
    if news:
        on_state(State(note=f"the model is older than the corpus, by {', '.join(news)}, and stays; overwrite=1 trains it anew"))
    return True


def begun_rows(folder: Folder) -> int:
    """The rows a step of the training in `folder`, finished or not; 0 if there is none."""
    if not folder.exists(RUN):
        return 0
    rows: int = flat(json.loads(folder.read(RUN))["step"])["rows_per_step"]
    return rows


def _compared(run: dict[str, Any], name: str, is_done: bool) -> Any:
    """The values that must be the same in both runs. An unfinished training may go on with another mixture."""
    if name != "step":
        return run.get(name)
    skipped = _ELSEWHERE if is_done else (*_ELSEWHERE, *_CHANGEABLE)
    values = _DEFAULTS | flat(run["step"])
    values["datasets"] = [_DATA_DEFAULTS | one if isinstance(one, dict) else one for one in values["datasets"]]
    # An earlier version had more fields, which no recipe set.
    return {field: value for field, value in values.items() if field in _DEFAULTS and field not in skipped}


def begun(step: Train, out: Folder, data: Opened, held_out: frozenset[str]) -> None:
    """Write down the training's identity."""
    run = describe(step, out, data, held_out)
    out.sub(step.name).write(RUN, json.dumps(run, indent=1, ensure_ascii=False).encode())


def clear(folder: Folder) -> None:
    """Delete a training's files in `folder`, `metrics.json` first, which marks it as done."""
    for name in (*_FILES, *(name for name in folder.names() if name.startswith(FLIGHT))):
        folder.remove(name)


def describe(step: Train, out: Folder, data: Opened, held_out: frozenset[str], fetches: bool = True) -> dict[str, Any]:
    """The values of `run.json`: all that decides the weights' bytes, and the fingerprint over them. Without `fetches` the hub
    isn't asked."""
    reports = [report for name in data.folders for report in read_reports(out.sub(name))]
    run: dict[str, Any] = {
        "version": VERSION,
        "step": dataclasses.asdict(step),
        "starts": starts(step, out, fetches),
        "shards": {report.shard: report.known_as for report in reports},
        "folders": list(data.folders),
        "datasets": {dataset.name: dataset.digest for dataset in data.datasets},
        "held_out": hashlib.sha256(" ".join(sorted(held_out)).encode()).hexdigest(),
        "marks": digest(map(out.sub, data.folders)),
        "versions": {"torch": torch.__version__, "tokenizers": tokenizers.__version__},
        "precision": str(native_dtype()).removeprefix("torch."),
    }
    run = json.loads(json.dumps(run))  # as it is read back: tuples are lists
    return run | {"fingerprint": hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()}
