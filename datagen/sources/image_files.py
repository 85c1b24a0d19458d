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
from datagen.sources.archive_members import Entry, damage, entries

FORMATS = ("jpeg", "png", "webp", "tiff")


class Picture(NamedTuple):
    """An image and what lies beside it. `sha256` is of the image's file, in hex."""

    image: bytes
    size: tuple[int, int]
    sha256: str
    caption: str
    metadata: dict[str, str]


def read_images(
    path: str, kind: str, within: Range, min_side: int, max_pixels: int, max_bytes: int, numbers: list[int] | None = None
) -> Iterator[Parts | Part[Picture] | Failed]:
    """The images of a file, or of an archive of `kind`, that `numbers` name, or all `within` a range."""
    with contextlib.ExitStack() as stack, damage():
        files = entries(path, kind, stack)
        by_name = {entry.name: entry for entry in files}
        images = [entry for entry in files if not kind or entry.name.lower().endswith(suffixes(FORMATS))]
        frames = [(entry, n) for entry in (images if kind else images[:1]) for n in range(_num_frames(entry, max_bytes))]
        if numbers is None:
            yield Parts(numbers := [number for number in range(len(frames)) if number in within])

        def beside(entry: Entry, suffix: str) -> str:
            neighbour = by_name.get(entry.name.rpartition(".")[0] + suffix)
            return clean_text(neighbour.read(max_bytes).decode("utf-8", "replace").strip()) if neighbour else ""

        def picture(number: int) -> Picture:
            entry, frame = frames[number]
            data = entry.read(max_bytes)
            image, size = upright(data, frame, max_pixels)
            if min(size) < min_side:
                raise SampleError("image_too_small", f"{size[0]} x {size[1]}, a side needs {min_side} at least")
            metadata = {"name": clean_text(Path(entry.name).name if not kind else entry.name)} | _values(beside(entry, ".json"))
            return Picture(image, size, hashlib.sha256(data).hexdigest(), beside(entry, ".txt"), metadata)

        yield from each(numbers, picture)


def _num_frames(entry: Entry, max_bytes: int) -> int:
    """The pages of a TIFF; 1 for any other image, since an animation is one picture, and for what can't be opened."""
    try:
        return num_frames(entry.read(max_bytes)) if entry.name.lower().endswith((".tif", ".tiff")) else 1
    except SampleError:  # reading it will say why
        return 1


def _values(text: str) -> dict[str, str]:
    """The plain values of a JSON object, as words; none of what is no object."""
    try:
        values = json.loads(text or "{}")
    except ValueError as error:
        raise SampleError("bad_metadata", str(error)) from None
    pairs = values.items() if isinstance(values, dict) else ()
    return {str(name): str(value) for name, value in pairs if isinstance(value, (str, int, float))}
