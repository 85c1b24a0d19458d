"""The flywheel on real lines of public collections: what three rounds bring that see images alone.

    python -m tests.bench.flywheel.wheel [NAME,…] [ROUNDS]

`collections.tsv` names each collection: the repository at a commit, the folders there, the licence, script and language. Nothing
is fetched. The lines are read from the folder `collections/NAME` of the cache: BOOK__LINE.png (or .jpg) with BOOK__LINE.gt.txt.
The books of one half are given to the wheel as images; those of the other half only measure. A collection of fewer than four
books is divided line by line. No round sees the truth of either half. Printed for each collection: the character errors on the
second half of the package's reader and of Tesseract, and after each round; the accepted labels and how many of them are whole
words of the truth, in the right order; and the minutes. Then all again, with a person's text of `_TYPED` of the first half's
lines (`gold=`).
"""

import contextlib
import csv
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from datagen.coarse.source import PdfSource
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.disk import manifest
from datagen.disk.shards import read_reports, read_samples
from datagen.disk.storage import Folder
from datagen.engines import script_readers, tesseract
from datagen.fine.source import FORMATS, PageFiles
from datagen.inputs.census import Listing
from datagen.reading.language import IdentifyLanguage
from datagen.samples.documents import cache_folder
from datagen.work.pipeline import Pipeline
from datagen.writing.line_text import normalise
from flywheel.labels import error_rates, existing_readers
from flywheel.labels.line_readings import FRAMES, whole
from flywheel.readers import kinds
from flywheel.step import Flywheel, round_metrics, round_name
from recipes import fine
from recipes.recipe import Recipe
from recipes.run.execute import Place, run

_LIST = Path(__file__).with_name("collections.tsv")
_MOST, _TESTED, _TYPED = 800, 300, 100  # lines for the wheel, lines to measure, and lines that a person typed


@dataclass(frozen=True)
class LineImage:
    path: Path
    truth: str

    @property
    def book(self) -> str:
        return self.path.name.partition("__")[0]

    def shown(self) -> numpy.ndarray:
        """The line with paper around it, as the wheel shows it to readers."""
        with Image.open(self.path) as image:
            return whole(numpy.asarray(image.convert("L"))).shown(FRAMES[0])


def lines_in(folder: Path) -> list[LineImage]:
    """The collection's lines with a truth, in an order drawn by seed."""
    truths = {path.name.removesuffix(".gt.txt"): normalise(path.read_text(encoding="utf-8")) for path in folder.glob("*.gt.txt")}
    images = sorted(path for path in folder.iterdir() if path.suffix in (".png", ".jpg") and truths.get(path.stem))
    random.Random(0).shuffle(images)
    return [LineImage(path, truths[path.stem]) for path in images]


def halves(lines: Sequence[LineImage]) -> tuple[list[LineImage], list[LineImage]]:
    """The lines for the wheel, and those that measure."""
    books = sorted({line.book for line in lines})
    random.Random(1).shuffle(books)
    seen = {*books[::2]} if len(books) > 3 else set()
    given = [line for i, line in enumerate(lines) if (line.book in seen if seen else i % 2)]
    rest = {line.path for line in given}
    return given[:_MOST], [line for line in lines if line.path not in rest][:_TESTED]


def turned(lang: str, given: Sequence[LineImage], out: str, rounds: int, typed: Sequence[LineImage]) -> None:
    """Make rounds over the images of these lines, with `lang=`. The text of the lines `typed` is given as gold."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as gold:
        for line in given:
            shutil.copy(line.path, folder)
        for line in typed:
            shutil.copy(line.path, gold)
            Path(gold, f"{line.path.stem}.gt.txt").write_text(line.truth, encoding="utf-8")
        source = PageFiles(PdfSource(), fine.IMAGES)
        pages = Pipeline("coarse", Listing(folder, FORMATS), source, (IdentifyLanguage(), JudgeTextLayer()))
        packages, taken = ("udhr", "libreoffice"), gold if typed else ""
        wheel = Flywheel("coarse", rounds=rounds, needs_gain=False, lang=lang, gold=taken, text_packages=packages)
        with contextlib.redirect_stdout(sys.stderr):
            run(Recipe("wheel", (pages, wheel)), Place(out, "local", 2))


def main(names: str = "", rounds: int = 3) -> None:
    with _LIST.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["name"] in names.split(",") or not names]
    for row in rows:
        folder = Path(cache_folder().with_name("collections"), row["name"])
        if not folder.is_dir():
            source = f"{row['repository']} at {row['commit']}, {row['folder']}"
            print(f"{row['name']}: not here: put the lines of {source}, into {folder}")
            continue
        given, held_out = halves(lines_in(folder))
        books = [len({line.book for line in half}) for half in (given, held_out)]
        counts = f"{len(given)} lines of {books[0]} books for the wheel, {len(held_out)} of {books[1]} measure"
        package = f"the package's reader {_rate(script_readers.load(row['script']), held_out)}"
        print(f"{row['name']}, {row['script']}: {counts}\n    {package}{_tesseract(row, held_out)}", flush=True)
        for typed in ((), given[: min(_TYPED, len(given) // 2)]):
            with tempfile.TemporaryDirectory() as out:
                measured(row["lang"], given, held_out, out, rounds, typed)


def measured(
    lang: str, given: Sequence[LineImage], held_out: Sequence[LineImage], out: str, rounds: int, typed: Sequence[LineImage] = ()
) -> None:
    started, truths = time.monotonic(), {line.path.name: line.truth for line in given}
    turned(lang, given, out, rounds, typed)
    for metrics in round_metrics(Folder(out)):
        name = round_name(metrics["round"])
        rates = [_rate(kinds.reader(f"{out}/{name}/reader/{reader}"), held_out) for reader in metrics["readers"]]
        labels = Folder(out).sub(name)
        right = [
            f" {normalise(label.text)} " in f" {truths[Path(label.origin.uri).name]} "
            for label in read_samples(labels, manifest.rows(labels))
        ]
        by = ", ".join(f"{reader} {rate}" for reader, rate in zip(metrics["readers"], rates, strict=True))
        gold = f"with {len(typed)} lines of a person, " if typed else ""
        print(f"    {gold}{name}: {by}; {sum(right)} of {len(right)} labels right", flush=True)
        for reader, gate in metrics["gates"].items():
            for stratum, cutoff in gate.items():
                opens = cutoff["reason"] or f"from {cutoff['confidence']:.3f}"
                print(f"        gate of {reader}, {stratum}: {opens}")
    langs = {p for metrics in round_metrics(Folder(out)) for p, of in metrics["languages"].items() if of["reader"]}
    refused = sum(len(report.drops) for report in read_reports(Folder(out).sub("scans")))
    minutes = (time.monotonic() - started) / 60
    print(f"    in {minutes:.1f} minutes; languages {', '.join(sorted(langs))}; {refused} drops of scans", flush=True)


def _tesseract(row: dict[str, str], lines: Sequence[LineImage]) -> str:
    if not tesseract.reads(row["lang"], row["script"]):
        return ""
    readings = existing_readers.read(existing_readers.DEBIAN, row["lang"], row["script"], [line.shown() for line in lines])
    return f"; Tesseract {error_rates.errors([line.truth for line in lines], readings).cer:.1%}"


def _rate(reader: Any, lines: Sequence[LineImage]) -> str:
    readings = [text for text, *_ in reader.read([line.shown() for line in lines])]
    return f"{error_rates.errors([line.truth for line in lines], readings).cer:.1%}"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "", int(sys.argv[2]) if len(sys.argv) > 2 else 3)
