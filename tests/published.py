"""An output that is published, and what is looked at of it."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import datasets
import yaml
from PIL import Image

from datagen.disk import marks
from datagen.disk.storage import Folder
from datagen.markdown import markdown
from datagen.record import Box, Origin, Quality, Region, Sample
from recipes.__main__ import main
from tests.commits import at_every_commit
from tests.inputs.samples import encoded, sample
from tests.outputs import files, write_run

ODD = "\u202eedoc\u0000 \ufdd0 👩‍👩‍👧 \u0301 ｜ --- | ``` <script>"


def page(number: int, licence: str = "CC0-1.0", **values) -> Sample:
    """A page of noise, which no compression makes small."""
    png = encoded(Image.frombytes("RGB", (64, 32), random.Random(number).randbytes(64 * 32 * 3)), "PNG")
    origin = Origin(f"/home/me/{number}.pdf", f"{number:064x}", 0, licence, {"pymupdf": "2.0"})
    return sample(f"page-{number:06}", **{"image": png, "origin": origin} | values)


def output(out: Path) -> Path:
    """Two datasets, one with pages in three shards, one with texts; of the pages three may not be passed on."""
    pages = [page(i) for i in range(12)]
    pages[1] = replace(pages[1], text=ODD, lang="und", script="Zyyy", quality=Quality("suspect", ("loose_marks",), {}))
    pages[2] = page(2, "CC-BY-NC-4.0")
    pages[3] = page(3, "")
    write_run(out / "coarse", pages[:5], pages[5:10], pages[10:])
    marks.write(Folder(str(out / "coarse")), [marks.Mark("page-000007", "duplicate", "page-000006", 1.0)], "")
    text = sample("text-000000", task="text", image=None, size=(0, 0), regions=(), text=ODD)
    write_run(out / "texts", [text])
    return out


def publish(out: Path, to: Path | str, **words: str) -> int:
    return main(["publish", f"out={out}", f"to={to}", *(f"{name}={value}" for name, value in words.items())])


def opened(folder: Path, table: str | None, cache: Path):
    return datasets.load_dataset(str(folder), table, split="train", cache_dir=str(cache))


def contents(folder: Path) -> dict[str, str]:
    """The digest of each file, whenever it was written."""
    return {name: digest for name, (_, _, digest) in files(folder).items()}


def finishes_wherever_it_ends(
    place: Path, made: Callable[[Path], int], look: Callable[[Path, str], None] = lambda to, name: None
) -> list[str]:
    """Ends `made(to)` before each of its changes, and sees that the same again makes the files of a run that nobody ended. `look`
    sees what lies there in between. Returns the names of all changes."""
    assert made(place / "whole") == 0
    content = contents(place / "whole")

    def check(number: int, name: str) -> None:
        to = place / f"to{number}"
        look(to, name)
        assert made(to) == 0
        assert contents(to) == content, name

    return at_every_commit(lambda number: made(place / f"to{number}"), check, within=str(place / "to"))


def card(folder: Path) -> dict:
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


SIZE = (600, 800)
TABLE = "<table><tr><td>Name</td><td>Sum</td></tr><tr><td>Ada</td><td>12</td></tr><tr><td>Grace</td><td>40</td></tr></table>"


def region(label: str, text: str, y: int, fmt: str = "markdown") -> Region:
    return Region(Box(10, y, 500, y + 20), label, text, None, "pymupdf", format=fmt)


def telling_page(key: str, *more: Region, **values) -> Sample:
    """A page of which every kind of test can be made."""
    regions = (
        region("header", "Annual report of the company", 0),
        region("title", "What was done in the last year", 30),
        region("text", f"The company sold 412 boats in the spring of {key}. Nobody knows why it sold none in autumn.", 60),
        region("table", TABLE, 120, "html"),
        region("equation", r"a^{2} + b^{2} = c^{2}", 200, "latex"),
        region("text", "Everything else is said by the numbers above, which were counted twice.", 240),
        *more,
        region("page_number", "7", 780),
    )
    return sample(key, **{"size": SIZE, "regions": regions, "text": markdown(regions)} | values)
