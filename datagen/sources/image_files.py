"""Image files, and zips and tars of them, looked into in the sandboxed child."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from datagen.formats import suffixes
from datagen.images import num_frames, upright
from datagen.parts import Failed, Part, Parts, each
from datagen.record import Range, SampleError, clean_text
from datagen.sources.archive_members import REST, Entry, entries

FORMATS = ("jpeg", "png", "webp", "tiff", "gif", "bmp")


class Picture(NamedTuple):
    """An image and what lies beside it. `sha256` is of the image's file, in hex."""

    image: bytes
    size: tuple[int, int]
    sha256: str
    caption: str
    metadata: dict[str, str]


def read_images(
    path: str, name: str, kind: str, within: Range, bounds: tuple[int, int, int, int], numbers: list[int] | None = None
) -> Iterator[Parts | Part[Picture] | Failed]:
    """The images of a file, or of an archive of `kind`, that `numbers` name, or all `within` a range. `name` is what the file is
    called where it comes from: a copy of it has another. `bounds` are the shortest side, the most pixels, the most bytes of a
    file, and what a longer side is scaled down to (0: nothing)."""
    min_side, max_pixels, max_bytes, long_side = bounds
    with contextlib.ExitStack() as stack:
        files = entries(path, kind, stack) if kind else _beside(Path(path))
        by_name = {entry.name: entry for entry in files}
        images = [e for e in files if e.name.lower().endswith(suffixes(FORMATS)) or e.name == REST] if kind else files[:1]
        tiffs = {e for e in images if not kind or (e.name.lower().endswith(suffixes(["tiff"])) and e.num_bytes <= max_bytes)}
        frames = [(e, n) for e in images for n in range(num_frames(e.read(max_bytes)) if e in tiffs else 1)]
        if numbers is None:
            yield Parts(numbers := [number for number in range(len(frames)) if number in within])

        def beside(entry: Entry, suffix: str) -> str:
            neighbour = by_name.get(entry.name.rpartition(".")[0] + suffix)
            return clean_text(neighbour.read(max_bytes).decode("utf-8", "replace").strip()) if neighbour else ""

        def picture(number: int) -> Picture:
            entry, frame = frames[number]
            data = entry.read(max_bytes)
            image, size = upright(data, frame, max_pixels, long_side)
            if min(size) < min_side:
                raise SampleError("image_too_small", f"{size[0]} x {size[1]}, a side needs {min_side} at least")
            values = {"name": clean_text(entry.name if kind else name)} | _values(beside(entry, ".json"))
            return Picture(image, size, hashlib.sha256(data).hexdigest(), beside(entry, ".txt"), values)

        yield from each(numbers, picture)


def _beside(file: Path) -> list[Entry]:
    """A file, and the caption and metadata that share its stem."""
    files = [f for f in (file, file.with_suffix(".txt"), file.with_suffix(".json")) if f.is_file()]
    return [Entry(str(f), f.stat().st_size, f.read_bytes) for f in files]


def _values(text: str) -> dict[str, str]:
    """The plain values of a JSON object, as words; none of what is no object."""
    try:
        values = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise SampleError("bad_metadata", str(error)) from None
    pairs = values.items() if isinstance(values, dict) else ()
    return {clean_text(name): clean_text(str(value)) for name, value in pairs if isinstance(value, (str, int, float))}
