"""Small pages to be labelled, the faulty server beside the test, and runs of the recipe that can be killed."""

import contextlib
import hashlib
import json
import multiprocessing
import os
from pathlib import Path

import recipes.label
from datagen.asking.profiles import TRIES
from datagen.disk.shards import ShardReport, shard_name
from datagen.disk.storage import Folder
from datagen.record import Origin, Quality, Sample, source_key
from recipes.__main__ import main
from tests.faulty_server import KEY, MODEL
from tests.inputs.picture_files import tar
from tests.inputs.small_pages import page
from tests.outputs import write_shard


def write_pages(folder: Path, number: int, a_tar: int = 20) -> None:
    """Tars of small images with a few words each, none like another."""
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, number, a_tar):
        tar(folder / f"{first:05}.tar", {f"{n:05}.png": page(f"{n}") for n in range(first, first + a_tar)})


def write_page_dataset(folder: Path, number: int, a_shard: int, different: int = 0) -> None:
    """The same pages as a dataset of ours, which is read fastest; so many `different` ones, and then these once more."""

    def sample(n: int) -> Sample:
        origin = Origin(f"/in/{n}.png", hashlib.sha256(str(n).encode()).hexdigest(), 0)
        key = f"{source_key(origin.uri, origin.sha256)}-000000"
        image = page(f"{n % (different or number)}")
        return Sample(key, "page", image, (160, 220), "und", "Zyyy", "", (), Quality(), origin, "test")

    for first in range(0, number, a_shard):
        samples = map(sample, range(first, first + a_shard))
        write_shard(Folder(str(folder)), shard_name("pages", first // a_shard), samples)


def words(folder: Path, out: Path, server: str, *more: str) -> list[str]:
    """The recipe's, with a client that waits for nobody long, but longer than an answer takes on a busy machine: one that comes
    later is asked for again."""
    server = f"{server}?wait_s=0.02&timeout_s=8&tries=8" if server.startswith("http") else server
    return ["label", f"input={folder}", f"server={server}", f"model={MODEL}", f"out={out}", "on=inline", *more]


def run(argv: list[str], shard_pages: int = 20) -> int:
    """The recipe with small shards."""
    os.environ["OPENAI_API_KEY"] = KEY
    recipes.label.SHARD_PAGES = shard_pages
    return main(argv)


def start(argv: list[str], shard_pages: int = 20) -> "multiprocessing.process.BaseProcess":
    """The same in a child of its own, whose process may be killed."""
    child = multiprocessing.get_context("fork").Process(target=_quietly, args=(argv, shard_pages))
    child.start()
    return child


def _quietly(argv: list[str], shard_pages: int) -> None:
    os.setsid()
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    os._exit(run(argv, shard_pages))


def ledger_lines(out: Path) -> list[dict]:
    """The whole lines of the ledger."""
    lines = [line for file in sorted((out / "label/answers").glob("*.jsonl")) for line in file.read_bytes().split(b"\n")[:-1]]
    found = []
    for line in lines:
        with contextlib.suppress(ValueError):
            found.append(json.loads(line.partition(b" ")[2]))
    return found


def num_bytes(out: Path) -> int:
    return sum(file.stat().st_size for file in (out / "label/answers").glob("*.jsonl"))


def bought(out: Path) -> set[tuple]:
    """The ledger's answers as the server's log has them."""
    answers = set()
    for line in ledger_lines(out):
        one, number = TRIES[line["try"] % len(TRIES)], line["try"]
        answers.add((line["image"], number if one.temperature else 0, one.temperature, one.kind != "plain"))
    return answers


def logged(log: Path) -> list[tuple]:
    return [tuple(json.loads(line)) for line in log.read_text().splitlines() if line.endswith("]")] if log.exists() else []


def digests(out: Path) -> dict[str, str]:
    """The sha256 of every committed shard of the labels."""
    tars = sorted((out / "label/shards").glob("*.tar"))
    return {tar.name: hashlib.sha256(tar.read_bytes()).hexdigest() for tar in tars if tar.with_suffix(".json").exists()}


def reports(out: Path) -> list[ShardReport]:
    return [ShardReport.from_json(file.read_bytes()) for file in sorted((out / "label/shards").glob("*.json"))]


def drops(out: Path) -> dict[str, tuple[str, str]]:
    """The reason and detail of each drop, by its key or its place."""
    return {drop.key or f"{drop.uri} {drop.part}": (drop.reason, drop.detail) for r in reports(out) for drop in r.drops}
