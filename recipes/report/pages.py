"""The pages of a dataset in a report, each as JSON with its image, within a budget of bytes."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeVar

import pyarrow as pa

from datagen.disk.manifest import Tally
from datagen.figures import redraw
from datagen.record import LEVELS, NOWHERE, Polygon, Region, Sample
from recipes.report import Section, asset, embed, fill
from recipes.report.pictures import data_uri, decode
from recipes.report.reasons import doubts, number

T = TypeVar("T")

MAX_PAGES = 240
# Pages of a reason that are shown before language and verdict fill the rest.
OF_A_REASON = 6
# Pages with the greatest difficulty that are always shown.
HARDEST = 60
# Pages of a reason from which these are drawn, so that they can be of different documents.
_REASON_POOL = 60
# Long side in pixels, quality and format, best first. JPEG takes a third more bytes than WebP, and a tenth of its time. The later
# ones are for datasets with more languages than fit at the first. The last one also omits the lines, since the regions have their
# text, too.
SIZES = ((1100, 62, "jpeg"), (1100, 62, "webp"), (1000, 50, "webp"), (860, 42, "webp"), (720, 36, "webp"), (600, 30, "webp"))
# A page with more is cut, with a note in the viewer: one hostile page must not take the room of the others.
MAX_REGIONS, MAX_LINES, MAX_CHARS = 600, 3_000, 120_000
_AGAIN_SIDE = 420  # pixels of a figure that is drawn again from its label, at most
# The bytes of a page's element beside its id and its JSON.
_ELEMENT_BYTES = 80
RTL_SCRIPTS = frozenset("Arab Aran Hebr Syrc Thaa Nkoo Adlm Rohg Mand Samr Mend Yezi".split())

_COLUMNS = ["key", "shard", "offset", "bytes", "lang", "script", "verdict", "uri", "reasons", "difficulty"]


@dataclass(frozen=True)
class Survey:
    """A manifest for the report: its sums, the number of rows of each reason, and the candidates `rows`. Of all rows in an order
    shuffled by a seed, these are the first `MAX_PAGES` of each language, script and verdict, and the first few of each reason;
    and the `HARDEST`, where difficulty was measured."""

    tally: Tally
    reasons: Counter[str]
    rows: tuple[dict, ...]

    @classmethod
    def of(cls, parts: Iterable[pa.Table], seed: int) -> "Survey":
        """The survey of the manifest's parts, which come in any order, one at a time."""
        tally, reasons = Tally(), Counter[str]()
        groups: dict[tuple[Any, ...], list[tuple[Any, str, dict]]] = defaultdict(list)

        def add(most: int, group: Any, place: bytes | float, row: dict) -> None:
            """Keep the first `most` rows of a group, by their places; rows come in any order."""
            members = groups[most, group]
            members.append((place, row["key"], row))
            if len(members) >= 2 * most:
                members[:] = _first(members, most)

        for part in parts:
            tally.add(part)
            for row in part.select(_COLUMNS).to_pylist():
                place = seeded(seed, row["key"])
                add(MAX_PAGES, (row["lang"], row["script"], row["verdict"]), place, row)
                if row["difficulty"] >= 0:
                    add(HARDEST, None, by_difficulty(row), row)
                for reason in row["reasons"]:
                    reasons[reason] += 1
                    add(_REASON_POOL, reason, place, row)
        rows = {key: row for (most, _), members in groups.items() for _, key, row in _first(members, most)}
        return cls(tally, reasons, tuple(rows.values()))


def _first(members: list[tuple[Any, str, dict]], most: int) -> list[tuple[Any, str, dict]]:
    return sorted(members, key=lambda member: member[:2])[:most]


def by_difficulty(row: dict) -> float:
    """A sort key: the hardest first, unmeasured ones last."""
    return -float(row["difficulty"])


def seeded(seed: int, text: str) -> bytes:
    """A sort key that shuffles, the same on every machine."""
    return blake2b(f"{seed}:{text}".encode("utf-8", "replace"), digest_size=8).digest()


def spread(items: Iterable[T], group: Callable[[T], Hashable]) -> list[T]:
    """The items in their order, but first one of each group, then a second of each, and so on."""
    turns: Counter[Hashable] = Counter()
    ordered: list[tuple[int, int, T]] = []
    for item in items:
        ordered.append((turns[group(item)], len(ordered), item))
        turns[group(item)] += 1
    return [item for _, _, item in sorted(ordered, key=lambda turn: turn[:2])]


def pick_pages(survey: Survey, seed: int) -> tuple[list[dict], int]:
    """The rows to show, and the number of first ones that cover every language, reason, verdict and script. Behind these come the
    `HARDEST`, up to `OF_A_REASON` for each reason, of different documents if possible, then rows of each language and verdict in
    turn. There are at most `MAX_PAGES`, or as many as are needed to cover everything."""
    shuffled = sorted(survey.rows, key=lambda row: (seeded(seed, row["key"]), row["key"]))
    chosen: dict[str, dict] = {}
    covered: set[tuple[str, str]] = set()
    for field in ("lang", "reasons", "verdict", "script"):
        for row in shuffled:
            if not _values(row, field) <= covered:
                chosen[row["key"]] = row
                covered |= {value for name in ("lang", "reasons", "verdict", "script") for value in _values(row, name)}
    num_needed = len(chosen)

    extra = sorted((row for row in shuffled if row["difficulty"] >= 0), key=by_difficulty)[:HARDEST]
    for reason in sorted(survey.reasons):
        extra += spread((row for row in shuffled if reason in row["reasons"]), lambda row: row["uri"])[:OF_A_REASON]
    extra += spread(shuffled, lambda row: (row["lang"], row["verdict"]))
    for row in extra:
        if len(chosen) < MAX_PAGES:
            chosen.setdefault(row["key"], row)
    return list(chosen.values()), num_needed


def _values(row: dict, field: str) -> set[tuple[str, str]]:
    return {(field, value) for value in (row[field] if field == "reasons" else [row[field]])}


def pages_section(name: str, survey: Survey, load: Callable[[dict], Sample], seed: int, budget_bytes: int) -> Section:
    """The viewer, with as many of the picked pages as fit into `budget_bytes` of data: the hardest first if difficulty is known,
    else by language and document."""
    rows, num_needed = pick_pages(survey, seed) if budget_bytes > 0 else ([], 0)
    left, size = budget_bytes, 0
    shown = []
    for at, row in enumerate(rows):
        sample = load(row)
        entry = _index_entry(sample)
        room = left - len(embed(entry)) - len(f"{name}-page-{sample.key}") - _ELEMENT_BYTES
        needed, fair = num_needed - at, room // (len(rows) - at)
        if needed > 0:
            # A page may take an equal share of the remaining room for the pages that the report needs. Starting near the size of
            # the page before saves encoding each page at sizes that are too large.
            blob, size = _fit(sample, range(max(0, size - 1), len(SIZES)), room // needed, fair)
        else:
            blob, _ = _fit(sample, range(2), room, room)  # JPEG: WebP would fit more pages, but takes ten times as long
        if len(blob) <= room:
            left = room - len(blob)
            shown.append((entry, blob))
        elif needed <= 0:
            break
    shown.sort(key=lambda item: [by_difficulty(item[0]), *(item[0][k] for k in ("lang", "script", "uri", "page", "key"))])
    index = {"name": name, "total": survey.tally.num_samples, "pages": [entry for entry, _ in shown]}
    index["show"] = "loi" if set(survey.tally.by("task")) == {"scene"} else "bi"
    data = [(f"{name}-index", embed(index)), *[(f"{name}-page-{entry['key']}", blob) for entry, blob in shown]]
    js = asset("page.js") + asset("viewer.js")
    return Section(f"{name}-pages", f"{name}: pages", fill("pages.html", name=name), asset("viewer.css"), js, data)


def _index_entry(sample: Sample) -> dict:
    """A page's values for the viewer's list and filters, which are parsed for all pages in one go."""
    return {
        "key": sample.key,
        "lang": sample.lang,
        "script": sample.script,
        "verdict": sample.quality.verdict,
        "reasons": list(sample.quality.reasons),
        "level": _level(sample),
        "difficulty": round(sample.difficulty, 3),
        "uri": _tail(sample.origin.uri, 300),
        "page": sample.origin.page,
    }


def _level(sample: Sample) -> str:
    level = sample.quality.signals.get("level", -1.0)
    return LEVELS[int(level)] if level in range(len(LEVELS)) else ""


def _tail(text: str, limit: int) -> str:
    """The last `limit` characters of `text`: a path's end identifies the file."""
    return text if len(text) <= limit else "…" + text[-limit:]


def _fit(sample: Sample, sizes: Sequence[int], share: int, fair: int) -> tuple[bytes, int]:
    """The page's JSON at the first of `sizes`, indices of SIZES, that fits `share` bytes; else at the last. The very first takes
    more room than needed, so it must fit `fair` bytes."""
    record = page_record(sample)
    image = decode(sample.image, SIZES[sizes[0]][0])
    blob, size = b"", 0
    for size in sizes:
        if size == len(SIZES) - 1:
            has_lines = any(region["lines"] for region in record["regions"])
            regions = [{**region, "lines": []} for region in record["regions"]]
            record |= {"regions": regions, "cut": record["cut"] or has_lines}
        if image is not None:
            side, quality, kind = SIZES[size]
            record["image"] = data_uri(image, (side, side), quality, kind)
        blob = embed(record)
        if len(blob) <= (share if size else fair):
            break
    return blob, size


def page_record(sample: Sample) -> dict:
    """A page's data for the viewer, without its image."""
    regions, num_lines, num_chars = [], 0, 0
    for region in sample.regions[:MAX_REGIONS]:
        text = region.text[: max(0, MAX_CHARS - num_chars)]
        lines = region.lines[: max(0, MAX_LINES - num_lines)] if num_chars < MAX_CHARS else ()
        num_lines, num_chars = num_lines + len(lines), num_chars + len(text)
        regions.append(
            region_record(region, sample.script)
            | {
                "polygon": _polygon(region.polygon),
                "text": text,
                "score": _score(region.score),
                "again": _again(region) if sample.task == "figure" else "",
                "lines": [
                    [*line.box, line.text[:2000], line.direction, _score(line.score), _polygon(line.polygon)] for line in lines
                ],
            }
        )
    whole = sum(len(r.text) for r in sample.regions)
    return facts_of(sample) | {
        "text": "" if regions else sample.text[:MAX_CHARS],
        "regions": regions,
        "cut": len(regions) < len(sample.regions) or num_chars < whole or len(sample.text) > 2 * MAX_CHARS,
        "image": "",
    }


def region_record(region: Region, script: str) -> dict:
    """A region of a page in this script: its record without lines, and its direction."""
    return {
        "label": region.label,
        "box": list(region.box),
        "polygon": [list(point) for point in region.polygon],
        "format": region.format,
        "text": region.text,
        "score": -1.0 if region.score is None else round(region.score, 3),
        "by": region.by,
        "detected_by": region.detected_by,
        "is_unread": region.is_unread,
        "continues": region.continues,
        "dir": direction(region, script),
    }


def facts_of(sample: Sample) -> dict:
    """A sample's facts on a page for a browser, beside its image, its text and its regions."""
    return {
        "key": sample.key,
        "task": sample.task,
        "stage": sample.stage,
        "round": sample.round,
        "size": list(sample.size),
        "lang": sample.lang,
        "script": sample.script,
        "verdict": sample.quality.verdict,
        "doubts": doubts(sample),
        "signals": [[name, number(value)] for name, value in sample.quality.signals.items()],
        "uri": sample.origin.uri[:4000],
        "sha256": sample.origin.sha256,
        "page": sample.origin.page,
        "licence": sample.origin.licence[:1000],
        "engines": [list(pair) for pair in sample.origin.engines.items()],
        "more": _more(sample),
        "dir": "rtl" if sample.script in RTL_SCRIPTS else "auto",
    }


def _again(region: Region) -> str:
    """A figure drawn again from its label, as a data URI; "" if that fails."""
    image = decode(redraw.again(region))
    return "" if image is None else data_uri(image, (_AGAIN_SIDE, _AGAIN_SIDE), SIZES[3][1])


def _more(sample: Sample) -> list[tuple[str, str]]:
    """The names and values of fields that few samples have."""
    origin = sample.origin
    difficulty = "" if sample.difficulty < 0 else f"{sample.difficulty:.3f}"
    cut_from = (
        f"{origin.parent} at {', '.join(map(str, origin.box))}" if origin.parent and origin.box != NOWHERE else origin.parent
    )
    group = "" if sample.split_group == origin.sha256 else sample.group
    values = {"caption": sample.caption, "cut from": cut_from, "split group": group, "difficulty": difficulty, **sample.metadata}
    values.pop("decisions", None)  # the look page shows them beside their regions
    return [(name[:100], value[:1000]) for name, value in list(values.items())[:50] if value]


def _score(score: float | None) -> float | str | None:
    return None if score is None else number(score)


def _polygon(polygon: Polygon) -> list[list[float]]:
    return [[round(x, 1), round(y, 1)] for x, y in polygon[:100]]


def direction(region: Region, script: str) -> str:
    """`ltr`, `rtl` or `ttb`, by most of the region's characters; `auto` if its lines don't tell."""
    weights: Counter = Counter()
    for line in region.lines:
        weights[line.direction] += len(line.text)
    if weights:
        return max(sorted(weights), key=lambda d: weights[d])
    return "rtl" if script in RTL_SCRIPTS else "auto"
