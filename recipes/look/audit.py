"""The audit page: random regions without their labels. A person types their text."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from datagen.disk.shards import read_samples
from datagen.disk.storage import Folder
from datagen.labels import PICTURES
from datagen.record import Region, Sample
from recipes.look.choose import Census, Entry
from recipes.look.page import PER_CHUNK, Files, Written, finish
from recipes.report.pages import direction, seeded


def write_audit(folder: Folder, dataset: Folder, about: Mapping[str, Any], census: Census, number: int, seed: int) -> Written:
    """Write into `folder` the page of `number` regions of `dataset`, or of all if there are fewer. Each region with text has the
    same probability. `about` is as for `write_page`. No file of the folder has a text, a label, or a hash that depends on one:
    the record's hash is left out."""
    files = Files(folder)
    items = []
    for entry, sample, at in drawn(dataset, census.entries, number, seed):
        region = sample.regions[at]
        items.append(
            {
                "key": sample.key,
                "region": at,
                "box": list(region.box),
                "polygon": [list(point) for point in region.polygon],
                "format": region.format,
                "dir": direction(region, sample.script),
                "lang": sample.lang,
                "script": sample.script,
                "size": list(sample.size),
                "page": sample.origin.page,
                "uri": sample.origin.uri[-300:],
                "image": files.image(entry.row, sample.image),
            }
        )
        if not len(items) % PER_CHUNK:
            files.flush()
    return Written(len(items), finish(files, "audit", about, {"kind": "audit", "seed": seed, "entries": items}))


def drawn(dataset: Folder, entries: Sequence[Entry], number: int, seed: int) -> list[tuple[Entry, Sample, int]]:
    """The first `number` regions with text, in an order shuffled by the seed: each with its sample, and its number there."""
    asked: list[tuple[Entry, Sample, int]] = []
    total = sum(entry.row["num_regions"] for entry in entries)
    most = 2 * number + 50
    while True:
        candidates = heapq.nsmallest(most, _shuffled(entries, seed))
        wanted = {at for _, at, _ in candidates}
        chosen = sorted(wanted, key=lambda at: (entries[at].row["shard"], entries[at].row["offset"]))
        samples = dict(zip(chosen, read_samples(dataset, [entries[at].row for at in chosen]), strict=True))
        asked = [(entries[at], samples[at], i) for _, at, i in candidates if is_asked(samples[at], i)]
        if len(asked) >= number or most >= total:
            return asked[:number]
        most *= 4


def _shuffled(entries: Sequence[Entry], seed: int) -> Iterator[tuple[bytes, int, int]]:
    for at, entry in enumerate(entries):
        for i in range(entry.row["num_regions"]):
            yield seeded(seed, f"{entry.row['key']}/{i}"), at, i


def is_asked(sample: Sample, i: int) -> bool:
    """Whether a person can type the region's text: there is text, and it is written in the image."""
    region: Region = sample.regions[i]
    is_written = region.label not in PICTURES or region.format == "html"
    return bool(sample.image and sample.task != "caption" and is_written and not region.is_unread and region.text.strip())
