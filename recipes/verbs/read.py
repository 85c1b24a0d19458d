"""`make read`: images of lines or of pages, read with the package's readers, a round's or a trained network, as a file of JSON
lines.

A row is on the disk before the next images are read, so a killed run goes on behind the last row. FILE.run.json beside the file
has the reader and its settings: other readers' rows don't come among them.
"""

import fcntl
import functools
import json
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Annotated, Any, BinaryIO

from datagen.disk.storage import Folder
from datagen.inputs.census import Listing
from datagen.inputs.items import Item
from datagen.work.needs import Needs
from datagen.work.runner import InProcess, Runner, make_runner
from recipes.run.progress import State, shown
from recipes.steps import OK, SHARD_FAILED
from recipes.words.values import path

log = logging.getLogger(__name__)

Row = dict[str, Any]

_IMAGES_A_TASK = 16
_BATCHES_A_TASK = 4  # of a network, sorted by their lengths
_FEW = 64  # images: one process reads so many before a cluster has started


def read(
    input: str,
    out: Annotated[str, "FILE", "a file of JSON lines on a local disk"],
    reader: str = "",
    model: Annotated[str, "FOLDER", "a network that reads: a training's model, such as out/finetune/train/model", path] = "",
    modes: Annotated[
        str, "A,B,…", "how model sees images: the first where an image has its pixels; line: lines, with kind=page those of pages"
    ] = "base",
    prompt: Annotated[str, "WORDS", "what model is asked: free, markdown, …, or any other words that it was trained on"] = "free",
    together: Annotated[int, "N", "images that model reads at a time"] = 16,
    max_new_tokens: Annotated[int, "N", "tokens of an answer of model, at most"] = 4096,
    kind: Annotated[
        str, "WHAT", "what each image shows: line, page, or auto (a line is at most 160 px high, or 6 times as wide)"
    ] = "auto",
    on: str = "local",
    workers: int = 0,
    overwrite: bool = False,
) -> int:
    """Read images of lines or pages in any script that a reader comes with, a round's reader, or a model, a JSON line each.
    Images with a row in the file `out` aren't read again. Returns the exit code: 1 if something failed that isn't an image's
    fault. Raises `ValueError` if there is no reader or no image, or if the file has other rows than this command's."""
    from datagen.pictures.image_files import FORMATS

    runner = make_runner(on, workers)
    if model:
        if reader:
            raise ValueError(f"reader={reader} and model={model}: give one of them")
        how = _by_network(Folder(model), modes, prompt, together, max_new_tokens, kind)
        runner = InProcess() if on == "local" else runner  # this process has the machine's GPU, and its memory
    else:
        how = _by_reader(Folder(reader).url if reader else "", kind, runner)
    items = Listing(input, FORMATS).items()
    with _file(out, how.made, overwrite) as file:
        seen = {row["image"] for row in _rows(out, file)}
        chunks = [tuple(items[start : start + how.at_a_time]) for start in range(0, len(items), how.at_a_time)]
        # A chunk is read whole even if some of its rows exist: a line's neighbours in a batch decide its last digits.
        numbers = [number for number, chunk in enumerate(chunks) if any(item.uri not in seen for item in chunk)]
        tasks = {how.task(chunks[number]): number for number in numbers}
        num_left = sum(item.uri not in seen for item in items)
        log.info("read: %d images, %d of them read before", len(items), len(items) - num_left)
        if num_left <= _FEW and on == "local":
            runner = InProcess()
        order, done, failed = iter(numbers), {}, 0
        count, started = Count(num_left), time.monotonic()
        expected = next(order, -1)
        with shown("read") as show:
            for task, rows, error in runner.map(how.run, list(tasks), needs=how.needs(runner)):
                if error is not None:
                    failed += 1
                    log.error(
                        "read: %s and %d after it: %s: %s", task.items[0].uri, len(task.items) - 1, type(error).__name__, error
                    )
                done[tasks[task]] = rows or []
                while expected in done:  # in the order of the images, whichever task ends first
                    new = [row for row in done.pop(expected) if row["image"] not in seen]
                    _append(file, new)
                    count.add(new)
                    expected = next(order, -1)
                show(count.state(time.monotonic() - started))
    log.info("read: %s", count.summary(out))
    if failed:
        log.error("read: %d times something failed that is no image's fault. The same command tries again.", failed)
    return SHARD_FAILED if failed else OK


@dataclass(frozen=True)
class _How:
    """The reading: the inputs on which its rows depend, a `task` of `at_a_time` images, `run`, which makes its rows, and a
    worker's needs."""

    made: dict[str, Any]
    at_a_time: int
    task: Callable[[tuple[Item, ...]], Any]
    run: Callable[[Any], list[Row]]
    needs: Callable[[Runner], Needs]


def _by_reader(folder: str, kind: str, runner: Runner) -> _How:
    from datagen.engines import Engines, packaged
    from flywheel.labels import read_images
    from flywheel.readers import kinds
    from flywheel.step import COMPACT

    if kind not in read_images.KINDS:
        raise ValueError(f"kind={kind}: allowed are {', '.join(read_images.KINDS)}")
    with Engines() as engines:
        assert kinds.reader(folder, "", engines).script  # refuses a folder without a reader
    sha256 = kinds.weights_sha256(Folder(folder)) if folder else packaged.digest()
    of_kind = kinds.kind_of(Folder(folder)) if folder else COMPACT
    return _How(
        {"reader": sha256, "kind": kind, "engines": read_images.engines(folder)},
        _IMAGES_A_TASK,
        functools.partial(read_images.ReadTask, folder, sha256, kind),
        read_images.run_read,
        lambda runner: kinds.needs(of_kind, kinds.device(of_kind, "", runner)),
    )


def _by_network(folder: Folder, modes: str, prompt: str, together: int, most: int, kind: str) -> _How:
    import torch

    from datagen.work.needs import A_CORE
    from flywheel.labels import lines_by_network
    from flywheel.labels.read_images import PAGE
    from model import read_images
    from model.data.modes import check
    from model.files.weights import CONFIG
    from model.generate import prompt_of
    from model.train.start import known_as

    if not folder.exists(CONFIG):
        raise ValueError(f"model={folder.url} has no {CONFIG}: it is no network; readers are for reader=")
    chosen = tuple(filter(None, modes.split(",")))
    check(dict.fromkeys(chosen, 1.0))
    for name, value in {"together": together, "max_new_tokens": most}.items():
        if value < 1:
            raise ValueError(f"{name}={value}: at least 1 is needed")
    asking = read_images.Asking(folder.url, known_as(folder), prompt_of(prompt), chosen, together, most)
    # The size of a batch changes no answer in fp32, and in half precision only by rounding.
    made = {name: value for name, value in asdict(asking).items() if name != "folder"} | {"torch": torch.__version__}
    needs = Needs(gpus=1) if torch.cuda.is_available() else A_CORE
    at_a_time, run = _BATCHES_A_TASK * together, read_images.run_network
    if kind == PAGE and chosen == (lines_by_network.MODE,):
        made |= {"kind": kind, "engines": lines_by_network.engines()}
        at_a_time, run = _IMAGES_A_TASK, lines_by_network.run_pages
    return _How(made, at_a_time, functools.partial(read_images.NetworkTask, asking), run, lambda runner: needs)


class Count:
    """The outcomes of images so far."""

    def __init__(self, num_images: int):
        self.num_images, self.num_read = num_images, 0
        self.errors: Counter[str] = Counter()
        self.images: set[str] = set()

    def add(self, rows: list[Row]) -> None:
        self.images |= {row["image"] for row in rows}
        self.errors.update(row["error"].partition(":")[0] for row in rows if "error" in row)
        self.num_read += sum("error" not in row for row in rows)

    def state(self, seconds: float) -> State:
        num = len(self.images)
        left_s = seconds / num * (self.num_images - num) if num else -1.0
        return State(num, self.num_images, "images", f"{self.errors.total()} with an error", left_s)

    def summary(self, out: str) -> str:
        errors = ", ".join(f"{n} {reason}" for reason, n in self.errors.most_common())
        return f"{self.num_read} new rows with a reading in {out}" + (f"; with an error: {errors}" if errors else "")


@contextmanager
def _file(out: str, made: dict[str, Any], overwrite: bool) -> Iterator[BinaryIO]:
    """The file of rows, open to read and to append, for one run at a time. FILE.run.json is written before the first row."""
    if "://" in out or out.endswith(os.sep) or os.path.isdir(out):
        raise ValueError(f"out={out}: a file on a local disk is needed, such as readings.jsonl")
    path = os.path.abspath(os.path.expanduser(out))
    folder, name = Folder(os.path.dirname(path)), f"{os.path.basename(path)}.run.json"
    try:
        os.makedirs(folder.url, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"out={out}: a file is in the way of its folder") from None
    with open(path, "a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"another run is writing to {out}: wait for it, or choose another out=…") from None
        before = folder.read(name) if folder.exists(name) else b""
        if overwrite:
            file.truncate(0)
        elif file.seek(0, os.SEEK_END) and before != _json(made):
            what = "was read with another reader, kind or engine" if before else "has rows that this command didn't write"
            raise ValueError(f"out={out} {what}: choose another out=…, or replace it with overwrite=1")
        folder.write(name, _json(made))
        yield file


def _rows(out: str, file: BinaryIO) -> list[Row]:
    """The file's rows. A row that a kill cut off at the end is removed, and so are the last rows if they are of pages of one
    TIFF: some of its pages may be missing. Raises `ValueError` for a line that isn't a row."""
    file.seek(0)
    rows: list[tuple[int, Row]] = []
    end = 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        try:
            row = json.loads(line)
            row["image"]
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"out={out}: line {len(rows) + 1} is no row of an image: mend it, or overwrite=1") from None
        rows.append((end, row))
        end += len(line)
    last = rows[-1][1]["image"] if rows and "page" in rows[-1][1] else None
    while rows and rows[-1][1]["image"] == last:
        end = rows.pop()[0]
    if end < file.seek(0, os.SEEK_END):
        file.truncate(end)
    return [row for _, row in rows]


def _append(file: BinaryIO, rows: list[Row]) -> None:
    """Write rows durably."""
    file.write(b"".join(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n" for row in rows))
    file.flush()
    os.fsync(file.fileno())


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode()
