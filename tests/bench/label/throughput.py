"""How many pages a second one client feeds a server with that answers at once, beside a bare loop that does the least."""

import contextlib
import io
import json
import os
import random
import statistics
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pymupdf
import simplejpeg

import recipes.label
from datagen.asking.answers import Question
from datagen.asking.client import Servers
from datagen.asking.ledger import Ledger
from datagen.asking.loop import begin
from datagen.asking.pages import Asker, Page
from datagen.asking.profiles import profile_of
from datagen.disk.storage import Folder
from recipes.__main__ import main
from tests.faulty_server import KEY, MODEL, faulty
from tests.inputs.small_pages import WORDS

LINES = [" ".join(random.Random(n).choices(WORDS, k=9)) for n in range(40)]
ANSWER = f"<|ref|>text<|/ref|><|det|>[[100, 90, 900, 960]]<|/det|>\n{' '.join(LINES)}"
TOGETHER = 64
ROUNDS = 6


class Round(NamedTuple):
    pages_s: float
    core_s: float


class Speeds(NamedTuple):
    """Pages a second, medians over all rounds: of a bare loop, and of the client with its ledger and fates over the same pages;
    the median of their ratios, each of two rounds that ran one after the other; and how much processor time the loop takes for
    each second of the client's, which other work on the machine changes least."""

    bare: float
    client: float
    ratio: float
    core_ratio: float


def write(folder: Path, pages: int) -> Path:
    """A PDF of pages of forty lines, which differ by their numbers."""
    file = folder / "in/a.pdf"
    file.parent.mkdir()
    with pymupdf.open() as document:
        for number in range(pages):
            page = document.new_page(width=595, height=842)
            writer = pymupdf.TextWriter(page.rect)
            for n, line in enumerate([f"Page {number}", *LINES]):
                writer.append((72, 60 + 18 * n), line, fontsize=11)
            writer.write_text(page)
        document.save(file)
    return file


@contextlib.contextmanager
def answering(folder: Path) -> Iterator[str]:
    """A server that gives the same answer at once."""
    (folder / "says").write_text(ANSWER)
    os.environ["OPENAI_API_KEY"] = KEY
    with faulty(folder, "--faults", "0", "--fast", "1", "--says", str(folder / "says")) as (url, _):
        yield url


def rendered(document: Any, number: int, long_side: int) -> bytes:
    page = document[number]
    scale = long_side / max(page.rect.width, page.rect.height)
    pixmap = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), alpha=False)
    rows = memoryview(pixmap.samples_mv).cast("B", (pixmap.height, pixmap.width, 3))
    return simplejpeg.encode_jpeg(rows, 90, "RGB", "444", fastdct=False)


def side_by_side(url: str, file: Path, pages: int, long_side: int, folder: Path) -> Speeds:
    """Both in turns, so that what else runs on the machine slows both alike; each goes first in half of the rounds."""
    loops: list[Round] = []
    clients: list[Round] = []
    for number in range(ROUNDS):
        ledger = Folder(f"{folder}/ledger-{long_side}-{number}")
        if number % 2:
            clients.append(client(url, file, pages, long_side, ledger))
        loops.append(bare(url, file, pages, long_side))
        if not number % 2:
            clients.append(client(url, file, pages, long_side, ledger))
    ratios = [ours.pages_s / other.pages_s for ours, other in zip(clients, loops, strict=True)]
    core_s = [statistics.median(turn.core_s for turn in turns) for turns in (loops, clients)]
    of_loop, of_client = (statistics.median(turn.pages_s for turn in turns) for turns in (loops, clients))
    return Speeds(of_loop, of_client, statistics.median(ratios), core_s[0] / core_s[1])


def bare(url: str, file: Path, pages: int, long_side: int) -> Round:
    """Renders, encodes and posts, and reads what comes back: nothing is kept, nothing judged."""
    servers, profile = Servers(url, MODEL, together=TOGETHER), profile_of(MODEL)
    speed = _fed(file, pages, long_side, lambda image, name: servers.ask(Question.of(profile, MODEL, "pages", image)))
    servers.close()
    return speed


def client(url: str, file: Path, pages: int, long_side: int, ledger: Folder) -> Round:
    """The same pages through tries, fates and the ledger."""
    servers, book = Servers(url, MODEL, together=TOGETHER), Ledger(ledger, "speed")
    asker = Asker(profile_of(MODEL), MODEL, servers, book)
    speed = _fed(file, pages, long_side, lambda image, name: asker.page(Page(name, image, (long_side, long_side))))
    book.close()
    servers.close()
    return speed


def _fed(file: Path, pages: int, long_side: int, ask: Callable[[bytes, str], Coroutine[Any, Any, Any]]) -> Round:
    """Pages a second, rendered on this thread while what was rendered is being asked about on the loop."""
    started, core_s, asking = time.perf_counter(), time.process_time(), deque[Any]()
    with pymupdf.open(file) as document:
        for number in range(pages):
            asking.append(begin(ask(rendered(document, number, long_side), f"{number}")))
            if len(asking) > 2 * TOGETHER:
                asking.popleft().result()
        while asking:
            asking.popleft().result()
    return Round(pages / (time.perf_counter() - started), time.process_time() - core_s)


def whole(url: str, folder: Path, out: str) -> float:
    """The recipe from PDF to shards, its judges of text layers included, in one process with its parser's child."""
    recipes.label.SHARD_PAGES = 100_000
    words = [f"input={folder}/in", f"server={url}?together={TOGETHER}", f"model={MODEL}", f"out={folder}/{out}", "on=inline"]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as printed:
        code = main(["label", *words])
    assert code == 0, printed.getvalue()
    (tally,) = Path(f"{folder}/{out}/label/asked").glob("*.json")
    values = json.loads(tally.read_text())
    pages: int = sum(values["pages"].values())
    return pages / (values["finished"] - values["started"])
