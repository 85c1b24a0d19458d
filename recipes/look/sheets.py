"""A sheet of the flywheel's lines as a look page: a crop around each line is a sample, and the line its one region.

The page is made of a temporary dataset. A patch of the page identifies a line by its id, which is its key
(`flywheel.people.gold`).
"""

import io
from collections import defaultdict

import numpy
from PIL import Image

from datagen.disk import manifest
from datagen.disk.shards import ShardReport, ShardWriter, read_sample, shard_name
from datagen.disk.storage import Folder
from datagen.disk.temporary import temporary_folder
from datagen.page.images import pixels
from datagen.record import Box, Line, Origin, Quality, Region, Sample, SampleError
from datagen.writing import scripts
from flywheel.lines.crops import Row
from flywheel.pools.questions import AUDIT, Asked, Sheet
from flywheel.step import round_name
from recipes.look.audit import write_audit
from recipes.look.choose import census
from recipes.look.page import write_page

_COMMAND = "make flywheel out=DIR gold=FILE"
_AROUND = (4.0, 2.2)  # the context along and across a line, in heights of the line
_LEAST_AROUND = (160, 60)  # in pixels
_QUALITY = 80


def write_sheet(folder: Folder, sheet: Sheet, pages: Folder) -> list[str]:
    """Write the sheet's page into a folder of its name in the step's `folder`. Returns the ids of lines that can't be shown,
    since the images of their pages, in the dataset `pages`, can't be read."""
    target, about = folder.sub(sheet.name), {"name": sheet.name, "id": sheet.id, "by": "", "command": _COMMAND}
    with temporary_folder() as place:
        lines = Folder(place)
        shown = _write_lines(lines, sheet, pages)
        chosen = census(lines)
        if sheet.kind == AUDIT:
            write_audit(target, lines, about, chosen, len(shown), sheet.round)
        else:
            write_page(target, lines, about, chosen, max(1, len(shown)))
    return [line.id for line in sheet.lines if line.id not in shown]


def _write_lines(target: Folder, sheet: Sheet, pages: Folder) -> set[str]:
    """Write the lines that can be shown as a dataset of one shard; returns their ids. The first question gets the highest
    difficulty."""
    wanted = {line.page for line in sheet.lines}
    rows: dict[str, Row] = {row["key"]: row for row in manifest.rows(pages) if row["key"] in wanted}
    of_page: dict[str, list[tuple[int, Asked]]] = defaultdict(list)
    for number, line in enumerate(sheet.lines):
        of_page[line.page].append((number, line))
    shard, ids = shard_name(sheet.name, 0), set[str]()
    part = manifest.PartBuilder(shard)
    with target.create(f"shards/{shard}.tar") as file:
        writer = ShardWriter(file)
        for key, lines in of_page.items():
            image = _gray(pages, rows.get(key))
            for number, line in lines if image else ():
                assert image is not None
                sample = _sample(line, image, round_name(sheet.round), 1 - number / len(sheet.lines))
                part.add(sample, writer.write(sample))
                ids.add(line.id)
        sha256 = writer.close()
    part.write(target)
    report = ShardReport(shard, 0, "", sha256, writer.num_bytes, writer.num_samples, 0, 0, (), 0.0, 0.0)
    target.write(f"shards/{shard}.json", report.to_json())
    return ids


def _gray(pages: Folder, row: Row | None) -> Image.Image | None:
    """The page's image; None if it is missing or damaged."""
    if row is None:
        return None
    try:
        encoded = read_sample(pages, row["shard"], row["offset"], row["bytes"]).image
        return Image.fromarray(numpy.ascontiguousarray(pixels(encoded or b"", "L")))
    except SampleError:
        return None


def _sample(line: Asked, page: Image.Image, by: str, difficulty: float) -> Sample:
    """The line with its surroundings, cut from its `page`."""
    cut = _around(line, page.size)
    file = io.BytesIO()
    page.crop(cut).save(file, "JPEG", quality=_QUALITY)
    x0, y0, x1, y1 = line.box
    width, height = cut.x1 - cut.x0, cut.y1 - cut.y0
    box = Box(max(0, x0 - cut.x0), max(0, y0 - cut.y0), min(width, x1 - cut.x0), min(height, y1 - cut.y0))
    direction = "ttb" if line.is_vertical else "rtl" if line.script in scripts.RTL else "ltr"
    whole = Line(box, line.reading, direction=direction, score=line.score)
    region = Region(box, "text", line.reading, line.score, f"flywheel/{by}", lines=(whole,))
    reasons = (line.reason,) if line.reason else ()
    return Sample(
        key=line.id,
        task="crop",
        image=file.getvalue(),
        size=(width, height),
        lang=line.lang,
        script=line.script,
        text=line.reading,
        regions=(region,),
        quality=Quality("suspect" if reasons else "none", reasons),
        origin=Origin(line.uri, line.sha256, line.number, parent=line.page, box=cut),
        stage="sheet",
        difficulty=difficulty,
    )


def _around(line: Asked, size: tuple[int, int]) -> Box:
    x0, y0, x1, y1 = line.box
    height = (x1 - x0) if line.is_vertical else (y1 - y0)
    along, across = (max(least, round(share * height)) for share, least in zip(_AROUND, _LEAST_AROUND, strict=True))
    dx, dy = (across, along) if line.is_vertical else (along, across)
    return Box(max(0, x0 - dx), max(0, y0 - dy), min(size[0], x1 + dx), min(size[1], y1 + dy))
