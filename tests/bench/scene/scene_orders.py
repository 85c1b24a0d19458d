"""How far the text of scenes is from the truth, in our order of lines and in PaddleOCR's own.

PaddleOCR sorts lines by the y of their top left corners, and by x where these differ by less than ten pixels: its own class does
that here, with quads as its detector draws them. Three distances, each the edits of the text without white space over the longer
one's length: of the true lines in either order; of the lines that `ReadScene` read in either; and of what bare PaddleOCR gives.
Scenes are drawn by `datagen.scene.maker`. Their true order is that of rows of signs, in which some are hardly beside each other.
"""

import io
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy
from PIL import Image
from rapidfuzz.distance import Levenshtein

from datagen.contract import check
from datagen.engines import OPEN
from datagen.record import Line, Origin, Polygon, Quality, Sample, SampleError
from datagen.scene.line_order import blocks_in_order
from datagen.scene.maker import Scenes
from datagen.scene.read_scene import ReadScene
from datagen.score.scores import interval
from datagen.work.draws import Drawing

Distances = dict[str, float]
"""Of one picture: by order."""


class Known(NamedTuple):
    """A picture with its text; `lines` are the true ones in order, if they are known. `groups` are what it counts for."""

    image: bytes
    text: str
    lines: tuple[Line, ...]
    groups: tuple[str, ...]


def drawn(count: int, seed: int, languages: tuple[str, ...] = ()) -> Iterator[Drawing]:
    """So many scenes, each by a seed of its own, in these languages or any."""
    number = seed * 1_000_000
    while count:
        try:
            yield Scenes(languages=languages).draw(random.Random(number))
            count -= 1
        except SampleError:
            pass
        number += 1


def known(drawing: Drawing) -> Known:
    lines = tuple(line for region in drawing.regions for line in region.lines)
    signs = set(drawing.metadata["signs"].split(","))
    groups = {
        "columns": "columns" in signs,
        "vertical": any(line.direction == "ttb" for line in lines),
        "right to left": any(line.direction == "rtl" for line in lines),
        "curved": bool({"arc", "wave"} & signs),
        "Latin, Chinese": drawing.script in ("Latn", "Hans", "Hant", "Jpan"),
        "several signs": len(drawing.metadata["signs"].split(",")) > 1,
    }
    assert drawing.image is not None
    return Known(drawing.image, drawing.text, lines, tuple(name for name, holds in groups.items() if holds))


def photographs(folder: Path) -> Iterator[Known]:
    """The pictures of a folder beside which a text lies, lines in the order in which they are read."""
    for text in sorted(folder.glob("*.txt")):
        for image in (text.with_suffix(suffix) for suffix in (".jpg", ".jpeg", ".png")):
            if image.exists():
                yield Known(image.read_bytes(), text.read_text(encoding="utf-8"), (), ())


def distance(text: str, true: str) -> float:
    return Levenshtein.normalized_distance("".join(text.split()), "".join(true.split()))


def ours(lines: Sequence[Line]) -> list[Line]:
    return [line for block in blocks_in_order(lines) for line in block]


def theirs(lines: Sequence[Line]) -> list[Line]:
    """The lines in PaddleOCR's own order."""
    from paddlex.inference.pipelines.components import SortQuadBoxes  # type: ignore[import-untyped]

    by_quad: dict[bytes, list[Line]] = defaultdict(list)
    for line in lines:
        by_quad[_quad(line.polygon).tobytes()].append(line)
    ordered = SortQuadBoxes()([quad for line in lines for quad in [_quad(line.polygon)]]) if lines else []
    return [by_quad[quad.tobytes()].pop(0) for quad in ordered]


def _quad(polygon: Polygon) -> numpy.ndarray:
    """The corners that PaddleOCR's detector would give what lies in a polygon: the smallest rectangle, from the upper of the two
    corners on the left."""
    corners = sorted(cv2.boxPoints(cv2.minAreaRect(numpy.array(polygon, numpy.float32))).tolist())
    (a, d), (b, c) = (sorted(side, key=lambda corner: corner[1]) for side in (corners[:2], corners[2:]))
    return numpy.array((a, b, c, d)).astype(numpy.int16)


def orders(lines: Sequence[Line], true: str) -> Distances:
    texts = {"ours": ours(lines), "PaddleOCR's": theirs(lines)}
    return {name: distance("\n".join(line.text for line in lines), true) for name, lines in texts.items()}


def read(pictures: Sequence[Known], bare: Callable[[numpy.ndarray], Sequence[str]]) -> list[Distances]:
    """The distances of what is read: our lines in either order, and what PaddleOCR itself gives of an image's BGR pixels."""
    distances = []
    for number, picture in enumerate(pictures):
        with Image.open(io.BytesIO(picture.image)) as opened:
            image = opened.convert("RGB")
        plain: dict[str, Any] = {"lang": "und", "script": "Zyyy", "text": "", "regions": (), "quality": Quality()}
        origin = Origin(f"{number}", "0" * 64, number)
        sample = Sample(f"scene-{number:06d}", "scene", picture.image, image.size, origin=origin, stage="bench", **plain)
        (result,) = ReadScene()([sample], OPEN)
        assert isinstance(result, Sample)
        check(result)
        lines = [line for region in result.regions for line in region.lines]
        theirs = "\n".join(bare(numpy.asarray(image)[:, :, ::-1]))
        distances.append(orders(lines, picture.text) | {"bare PaddleOCR": distance(theirs, picture.text)})
    return distances


def table(title: str, pictures: Sequence[Known], distances: Sequence[Distances]) -> None:
    """Print the mean distances of all pictures, and of each group, with 95% intervals, and of the difference to PaddleOCR's."""
    print(f"{title}: {len(pictures)} pictures")
    groups = ["all", *sorted({group for picture in pictures for group in picture.groups})]
    for group in groups:
        own = [d for picture, d in zip(pictures, distances, strict=True) if group in ("all", *picture.groups)]
        parts = [f"{name} {_mean([d[name] for d in own])}" for name in own[0]]
        gain = _mean([d["PaddleOCR's"] - d["ours"] for d in own])
        print(f"  {group:14} {len(own):4}  {' · '.join(parts)} · closer by {gain}", flush=True)


def _mean(values: Sequence[float]) -> str:
    array = numpy.array(values)
    low, high = interval(lambda numbers: float(array[numbers].mean()), len(array))
    return f"{array.mean():.3f} ({low:.3f} to {high:.3f})"
