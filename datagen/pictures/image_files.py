"""Image files, and zips and tars of them, read in the sandboxed child."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datagen.inputs.archive_members import REST, Entry, entries
from datagen.inputs.formats import suffixes
from datagen.page.images import num_frames
from datagen.pictures.metadata import Bounds, Picture, about, picture_of
from datagen.record import Range, SampleError, clean_text
from datagen.sandbox.parts import Failed, Part, Parts, each

FORMATS = ("jpeg", "png", "webp", "tiff", "gif", "bmp", "avif", "heic")


def read_images(
    path: str, name: str, kind: str, within: Range, bounds: Bounds, sidecar: str = "", numbers: list[int] | None = None
) -> Iterator[Parts | Part[Picture] | Failed]:
    """The images `numbers` of a file or of an archive of `kind`, or all `within` a range. `name` is the file's name at its
    origin: a copy has another. `sidecar` is img2dataset's table beside an archive. Its rows without an image come behind the
    images, each as a failure."""
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


def count_images(path: str, kind: str) -> Iterator[int]:
    """The number of image files in an archive."""
    with contextlib.ExitStack() as stack:
        yield sum(entry.name.lower().endswith(suffixes(FORMATS)) for entry in entries(path, kind, stack))


def first_names(path: str, kind: str) -> Iterator[list[str]]:
    """The names in the first JSON object of an archive, like a table's columns."""
    with contextlib.ExitStack() as stack:
        first = next((entry for entry in entries(path, kind, stack) if entry.name.lower().endswith(".json")), None)
        values = _object(first.read(1 << 20)) if first else {}
        yield [clean_text(name) for name in values]


class _Neighbours:
    """The files beside an image: `NAME.txt`, `.caption` or `.text`, `NAME.json`, `NAME.cls`, also in capitals. NAME is the
    image's name without its suffix, or up to the first dot, as in WebDataset."""

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
    from datagen.pictures.tables import failures  # Arrow is slow to load, and few archives need it

    try:
        return failures(sidecar, {Path(entry.name).stem for entry in images})
    except SampleError as error:
        return [(error.reason, f"beside the archive: {error.detail}")]


def _beside(file: Path) -> list[Entry]:
    """A file and the files of the same stem beside it."""
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
