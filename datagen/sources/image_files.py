"""Image files, and zips and tars of them, looked into in the sandboxed child."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from datagen.formats import suffixes
from datagen.images import num_frames, upright
from datagen.parts import Failed, Part, Parts, each
from datagen.record import Range, SampleError, clean_text
from datagen.sources.archive_members import REST, Entry, entries
from datagen.sources.descriptions import Detected
from datagen.sources.picture_words import about

FORMATS = ("jpeg", "png", "webp", "tiff", "gif", "bmp", "avif", "heic")


class Bounds(NamedTuple):
    """What an image may be: its shortest side and most pixels, its file's most bytes, and what a longer side is scaled down to
    (0: nothing)."""

    min_side: int
    max_pixels: int
    max_bytes: int
    long_side: int


class Picture(NamedTuple):
    """An image and what is said of it. `sha256` is of the image's file, in hex; `metadata` has the names of `picture_words.py`,
    the licence among them; `detected` are the objects that its row of a table has."""

    image: bytes
    size: tuple[int, int]
    sha256: str
    caption: str
    metadata: dict[str, str]
    detected: Detected | None = None


def read_images(
    path: str, name: str, kind: str, within: Range, bounds: Bounds, sidecar: str = "", numbers: list[int] | None = None
) -> Iterator[Parts | Part[Picture] | Failed]:
    """The images of a file, or of an archive of `kind`, that `numbers` name, or all `within` a range. `name` is what the file is
    called where it comes from: a copy of it has another. `sidecar` is the table that img2dataset wrote beside an archive: its
    rows without an image come behind the images, each as a failure."""
    with contextlib.ExitStack() as stack:
        files = entries(path, kind, stack) if kind else _beside(Path(path))
        neighbours = _Neighbours(files, bounds.max_bytes)
        images = [e for e in files if e.name.lower().endswith(suffixes(FORMATS)) or e.name == REST] if kind else files[:1]
        tiffs = {
            e for e in images if not kind or (e.name.lower().endswith(suffixes(["tiff"])) and e.num_bytes <= bounds.max_bytes)
        }
        frames = [(e, n) for e in images for n in range(num_frames(e.read(bounds.max_bytes)) if e in tiffs else 1)]
        missing = _missing(sidecar, images) if sidecar else []
        if numbers is None:
            yield Parts(numbers := [number for number in range(len(frames) + len(missing)) if number in within])

        def picture(number: int) -> Picture:
            if number >= len(frames):
                raise SampleError(*missing[number - len(frames)])
            entry, frame = frames[number]
            caption, values = neighbours.about(entry.name)
            names = {"name": clean_text(entry.name if kind else name)}
            return picture_of(entry.read(bounds.max_bytes), frame, bounds, caption, names | values)

        yield from each(numbers, picture)


def picture_of(encoded: bytes, frame: int, bounds: Bounds, caption: str, metadata: dict[str, str]) -> Picture:
    """An image's file as a picture. Raises `SampleError`: `image_too_small`, and as `upright` does."""
    still = upright(encoded, frame, bounds.max_pixels, bounds.long_side)
    if min(still.size) < bounds.min_side:
        raise SampleError("image_too_small", f"{still.size[0]} x {still.size[1]}, a side needs {bounds.min_side} at least")
    if still.num_frames > 1:
        metadata = metadata | {"num_frames": str(still.num_frames)}
    return Picture(still.image, still.size, hashlib.sha256(encoded).hexdigest(), caption, metadata)


def count_images(path: str, kind: str) -> Iterator[int]:
    """How many image files an archive has."""
    with contextlib.ExitStack() as stack:
        yield sum(entry.name.lower().endswith(suffixes(FORMATS)) for entry in entries(path, kind, stack))


def first_names(path: str, kind: str) -> Iterator[list[str]]:
    """The names in the first JSON object of an archive: its columns, as a table would have them."""
    with contextlib.ExitStack() as stack:
        first = next((entry for entry in entries(path, kind, stack) if entry.name.lower().endswith(".json")), None)
        values = _object(first.read(1 << 20)) if first else {}
        yield [clean_text(name) for name in values]


class _Neighbours:
    """What lies beside an image: `NAME.txt`, `.caption` or `.text`, `NAME.json`, `NAME.cls`, also in capitals. NAME is the
    image's without its suffix, or, as WebDataset has it, all before the first dot."""

    def __init__(self, files: list[Entry], max_bytes: int):
        self._by_name = {_small_suffix(entry.name): entry for entry in files}
        self._max_bytes = max_bytes

    def about(self, image: str) -> tuple[str, dict[str, str]]:
        """The caption and the metadata. Raises `SampleError` (`bad_metadata`)."""
        caption, metadata = about(_object(self._read(image, ".json")))
        written = next((text for suffix in (".txt", ".caption", ".text") if (text := self._text(image, suffix))), "")
        if number := self._text(image, ".cls"):
            metadata = metadata | {"class": number}
        return written or caption, metadata

    def _text(self, image: str, suffix: str) -> str:
        return clean_text(self._read(image, suffix).decode("utf-8", "replace").strip())

    def _read(self, image: str, suffix: str) -> bytes:
        folder, slash, file = image.rpartition("/")
        for stem in dict.fromkeys((file.rpartition(".")[0], file.partition(".")[0])):
            entry = self._by_name.get(f"{folder}{slash}{stem}{suffix}")
            if entry:
                return entry.read(self._max_bytes)
        return b""


def _missing(sidecar: str, images: list[Entry]) -> list[tuple[str, str]]:
    from datagen.sources.picture_tables import failures  # Arrow takes its time to load, and few archives need it

    try:
        return failures(sidecar, {Path(entry.name).stem for entry in images})
    except SampleError as error:
        return [(error.reason, f"beside the archive: {error.detail}")]


def _beside(file: Path) -> list[Entry]:
    """A file, and what shares its stem and may tell of it."""
    spelt = [form for suffix in (".txt", ".caption", ".text", ".json", ".cls") for form in (suffix.upper(), suffix)]
    files = (file, *map(file.with_suffix, spelt))
    return [Entry(str(f), f.stat().st_size, f.read_bytes) for f in files if f.is_file()]


def _small_suffix(name: str) -> str:
    stem, point, suffix = name.rpartition(".")
    return f"{stem}{point}{suffix.lower()}"


def _object(text: bytes) -> dict[str, Any]:
    """A JSON object; empty if it is none. Raises `SampleError` (`bad_metadata`)."""
    try:
        values = json.loads(text.decode("utf-8", "replace") or "{}")
    except (ValueError, RecursionError) as error:
        raise SampleError("bad_metadata", str(error)) from None
    return values if isinstance(values, dict) else {}
