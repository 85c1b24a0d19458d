"""The look page of a dataset: `index.html` with its scripts and styles, and beside it `data/` and `images/`.

Scripts bring the data, since a page opened from a disk can fetch nothing else. `data/index.js` has a few values of each sample.
The rest is in chunks, each loaded with its first sample. A chunk's name depends on its records and on this code, an image's name
on its content. So existing files stay, and a killed run goes on.
"""

import io
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from PIL import Image

from datagen.disk.shards import image_extension, read_samples
from datagen.disk.storage import Folder
from datagen.engines import wheels
from datagen.figures import redraw
from datagen.record import FORMATS, LABELS, LEVELS, Sample
from datagen.work.specification import fingerprint
from recipes.look.choose import Census, Entry, decisions
from recipes.report import asset, embed, fill
from recipes.report.pages import facts_of, region_record
from recipes.report.pictures import decode

log = logging.getLogger(__name__)

LONGEST = 2000
"""The longest side of an image in pixels: longer ones are reduced. Boxes stay in the record's pixels."""
_QUALITY = 85
PER_CHUNK = 16
_AT_ONCE = 16
COMMAND = "make patch out=DIR patch=FILE"
"""The command for the page's patch, unless `about` has another `command`."""
# KaTeX 0.16.22 from sphinxcontrib-katex 0.9.11: the only foreign code that runs in people's browsers.
KATEX_SHA256 = "e8d885505949f3a5f4abdd5dd0d53696bd1371ad26ffbf4f310dcd77c8cdae89"
_KATEX = ("sphinxcontrib.katex", "katex.min.js")
_SCRIPTS = ("draw", "state", "differ", "boxes", "cards", "list", "desk", "audit", "main")


class Written(NamedTuple):
    """The number of samples (or regions of an audit) on the page, and the number of files that weren't there before."""

    num_shown: int
    num_files: int


def write_page(folder: Folder, dataset: Folder, about: Mapping[str, Any], census: Census, limit: int) -> Written:
    """Write into `folder` the page of the `limit` worst samples of `dataset`, and behind them as many rejected ones. `about` has
    the dataset's `name` and `id`, and `by`, the person's name, or "". Raises `OSError` if a shard or the folder fails."""
    chosen, rejected = census.entries[:limit], census.rejected[:limit]
    files = Files(folder)
    chunk_of: dict[str, str] = {}
    for chunk in _chunks([*chosen, *rejected]):
        name = fingerprint([_code(), [(entry.record, entry.row["image_xxh64"]) for entry in chunk]])[:16]
        chunk_of |= {entry.row["key"]: name for entry in chunk}
        if not files.have_chunk(name, chunk):
            data = list(_data_of(dataset, chunk, files))
            files.write(f"data/{name}.js", b"pagewheelChunk(%s,%s);\n" % (embed(name), embed(data)))
            files.flush()
    index = {
        "kind": "correct",
        "total": len(census.entries),
        "marked": dict(census.marked),
        "damaged": census.damaged,
        "entries": [
            _index_entry(entry, chunk_of[entry.row["key"]]) | ({"rejected": True} if of is rejected else {})
            for of in (chosen, rejected)
            for entry in of
        ],
    }
    return Written(len(chosen), finish(files, "look and correct", about, index))


def finish(files: "Files", title: str, about: Mapping[str, Any], own: Mapping[str, Any]) -> int:
    """Write the common files of all pages, then the index, then the page; delete files that no page needs any more. Returns the
    number of written files."""
    katex = _katex()
    dataset = {"name": about["name"], "id": about["id"]}
    index = {"dataset": dataset, "by": about["by"], "command": about.get("command", COMMAND), **own}
    vocabulary = {"labels": LABELS, "formats": FORMATS, "katex": bool(katex)}
    shared = [asset("report.js"), asset("page.js")]
    js = "\n".join([*shared, *(asset(f"{name}.js", "recipes.look") for name in _SCRIPTS)])
    css = "\n".join([asset("report.css"), asset("viewer.css"), asset("look.css", "recipes.look")])
    files.write("look.js", f'(() => {{\n"use strict";\n{js}\n}})();\n'.encode())
    files.write("look.css", css.encode())
    files.write("katex.js", katex)
    files.flush()
    files.write("data/index.js", b"window.pagewheelIndex=%s;\n" % embed({**vocabulary, **index}))
    files.flush()
    files.write("index.html", fill("look.html", title=f"{about['name']}: {title}").encode())
    files.flush()
    files.sweep()
    return files.num_written


class Files:
    """The files of a page: those that exist, and those that it needs."""

    def __init__(self, folder: Folder):
        self.folder = folder
        self.num_written = 0
        self._there = {f"{sub}/{name}" for sub in ("data", "images") for name in folder.sub(sub).names()}
        self._images = {PurePosixPath(name).name.partition(".")[0]: name for name in sorted(self._there)}
        self._needed: set[str] = set()
        self._pending: dict[str, bytes] = {}

    def write(self, name: str, data: bytes) -> None:
        """Write the file at the next `flush`."""
        self._needed.add(name)
        self._pending[name] = data

    def flush(self) -> None:
        """Write all waiting files in one go: each file is synced, and a disk syncs many in the time of one."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            self.num_written += sum(pool.map(self.folder.write, self._pending, self._pending.values()))
        self._pending = {}

    def have_chunk(self, name: str, chunk: Sequence[Entry]) -> bool:
        """Whether the chunk and its images exist. If so, they are kept."""
        images = [self._images.get(image_stem(entry.row)) for entry in chunk if entry.row["task"] != "text"]
        if f"data/{name}.js" not in self._there or None in images:
            return False
        again = tuple(f"images/again-{entry.record[:16]}-" for entry in chunk)
        self._needed.update(filter(None, [f"data/{name}.js", *images, *(n for n in self._there if n.startswith(again))]))
        return True

    def image(self, row: Mapping[str, Any], encoded: bytes | None) -> str:
        """The name, within the page's folder, of a sample's image, which is written if it is missing; "" for none."""
        stem = image_stem(row)
        if known := self._images.get(stem):
            self._needed.add(known)
            return known
        if (file := picture(encoded)) is None:
            return ""
        name = f"images/{stem}.{file[0]}"
        self.write(name, file[1])
        self._images[stem] = name
        return name

    def sweep(self) -> None:
        """Remove files of earlier pages and of killed runs."""
        for name in sorted(self._there - self._needed):
            self.folder.remove(name)
        self.folder.sweep()


def image_stem(row: Mapping[str, Any]) -> str:
    return f"{row['image_xxh64']:016x}"


def _chunks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Samples of one shard each, in the shard's order, so new shards change no other chunk."""
    by_place = sorted(entries, key=lambda entry: (entry.row["shard"], entry.row["offset"]))
    for _, group in groupby(by_place, key=lambda entry: entry.row["shard"]):
        of_shard = list(group)
        yield from (of_shard[at : at + PER_CHUNK] for at in range(0, len(of_shard), PER_CHUNK))


def _data_of(dataset: Folder, chunk: Sequence[Entry], files: Files) -> Iterator[dict[str, Any]]:
    for entry, sample in zip(chunk, read_samples(dataset, [entry.row for entry in chunk]), strict=True):
        data = sample_data(sample, entry.record, files.image(entry.row, sample.image))
        for number, region in enumerate(sample.regions):
            data["regions"][number]["again"] = ""
            if drawn := redraw.again(region):
                name = f"images/again-{entry.record[:16]}-{number}.png"
                files.write(name, drawn)
                data["regions"][number]["again"] = name
        yield data


def _index_entry(entry: Entry, chunk: str) -> dict[str, Any]:
    """A sample's values for the list and its filters."""
    row = entry.row
    return {
        **{name: row[name] for name in ("key", "task", "lang", "script", "verdict", "reasons", "page")},
        "difficulty": round(row["difficulty"], 3),
        "level": LEVELS[entry.level] if entry.level >= 0 else "",
        "outcomes": list(entry.outcomes),
        "uri": row["uri"][-300:],
        "record": entry.record,
        "chunk": chunk,
    }


def _katex() -> bytes:
    """KaTeX, or nothing if it is missing or not the pinned version: formulas are then shown as LaTeX."""
    try:
        if wheels.sha256(*_KATEX) == KATEX_SHA256:
            return asset("katex_licence.js", "recipes.look").encode() + wheels.weights(*_KATEX).read_bytes()
        log.warning("look: KaTeX isn't the one that pagewheel pins; formulas are shown as LaTeX")
    except ImportError as error:
        log.warning("look: formulas are shown as LaTeX: %s", error)
    return b""


def _code() -> str:
    """A digest of the code that makes chunks: after a change the page is made anew."""
    files = [f for package in ("recipes.look", "recipes.report") for f in resources.files(package).iterdir()]
    return fingerprint([f.read_text() for f in sorted(files, key=lambda f: f.name) if f.name.endswith(".py")])


def sample_data(sample: Sample, record: str, image: str) -> dict[str, Any]:
    """A sample's data for showing and editing. `record` is the sha256 of the record, `image` the name of the image's file, "" for
    none."""
    shown = facts_of(sample)
    return shown | {
        "record": record,
        "image": image,
        "text": sample.text,
        "caption": sample.caption,
        "reasons": list(sample.quality.reasons),
        "difficulty": round(sample.difficulty, 3),
        "regions": [region_record(region, sample.script) for region in sample.regions],
        "decisions": decisions(sample.metadata.get("decisions", "")),
        "more": [pair for pair in shown["more"] if pair[0] != "caption"],
    }


def picture(encoded: bytes | None) -> tuple[str, bytes] | None:
    """The ending of an image's name, and its bytes, reduced if needed. None if no browser shows it."""
    try:
        ending = image_extension(encoded or b"")
        with Image.open(io.BytesIO(encoded or b"")) as file:
            if max(file.size) <= LONGEST:
                return ending, encoded or b""
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    image = decode(encoded)
    if image is None:
        return None
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.BICUBIC, reducing_gap=2.0)
    out = io.BytesIO()
    image.save(out, "jpeg", quality=_QUALITY)
    return f"{LONGEST}.jpg", out.getvalue()
