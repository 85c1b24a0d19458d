"""The pages that a report shows: which of a dataset's, and each as JSON with its image, to a budget of bytes."""

import base64
import io
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import pyarrow as pa
from PIL import Image

from datagen.manifest import Tally
from datagen.record import Region, Sample
from recipes.report import Section, data_element, embed, escape

MAX_PAGES = 240
# Pages that aren't trusted and whose record is read to learn its reasons, where the manifest doesn't say.
MAX_PROBED = 2_000
# Long side in pixels and WebP quality, best first: the later ones are for datasets of more languages than fit so. At
# the last the page's lines go too, whose text its regions repeat.
SIZES = ((1100, 62), (1000, 50), (860, 42), (720, 36), (600, 30))
# A page of more is cut and says so: one hostile page must not take the room of the rest.
MAX_REGIONS, MAX_LINES, MAX_CHARS = 600, 3_000, 120_000
RTL_SCRIPTS = frozenset("Arab Aran Hebr Syrc Thaa Nkoo Adlm Rohg Mand Samr Mend Yezi".split())

_COLUMNS = ("key", "shard", "offset", "bytes", "task", "lang", "script", "verdict", "uri", "page", "reasons")


@dataclass(frozen=True)
class Picked:
    """Rows in the order they are to be shown, the first `num_needed` of which cover every language, reason and verdict.

    `doubts` are the `num_probed` rows read, each with its reasons, which `reasons` counts, among the `num_doubtful` that aren't
    trusted.
    """

    rows: tuple[dict, ...]
    num_needed: int
    reasons: Counter
    num_probed: int
    num_doubtful: int
    doubts: tuple[tuple[dict, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Survey:
    """A manifest as the report needs it: what all of its rows add up to, and those rows that could be shown. When they are
    shuffled by a seed, these are the first `MAX_PAGES` of each language, script and verdict, and the first `MAX_PROBED` of those
    that aren't trusted."""

    tally: Tally
    rows: tuple[dict, ...]

    @classmethod
    def of(cls, parts: Iterable[pa.Table], seed: int) -> "Survey":
        """Of the manifest's parts, in any order, one at a time."""
        tally, doubtful = Tally(), _First(MAX_PROBED)
        strata: dict[tuple[str, str, str], _First] = defaultdict(lambda: _First(MAX_PAGES))
        for part in parts:
            tally.add(part)
            for row in part.select([name for name in _COLUMNS if name in part.column_names]).to_pylist():
                place = seeded(seed, row["key"])
                strata[row["lang"], row["script"], row["verdict"]].add(place, row)
                if row["verdict"] != "trusted":
                    doubtful.add(place, row)
        kept = {row["key"]: row for first in (*strata.values(), doubtful) for row in first.rows()}
        return cls(tally, tuple(kept.values()))


class _First:
    """Of rows that come in any order, the first `most` by their place."""

    def __init__(self, most: int):
        self.most = most
        self._entries: list[tuple[bytes, str, dict]] = []

    def add(self, place: bytes, row: dict) -> None:
        self._entries.append((place, row["key"], row))
        if len(self._entries) >= 2 * self.most:
            self._sort()

    def rows(self) -> list[dict]:
        self._sort()
        return [row for _, _, row in self._entries]

    def _sort(self) -> None:
        self._entries = sorted(self._entries, key=lambda entry: entry[:2])[: self.most]


def seeded(seed: int, text: str) -> bytes:
    """A sort key that shuffles, the same on every machine."""
    return blake2b(f"{seed}:{text}".encode("utf-8", "replace"), digest_size=8).digest()


def pick_pages(survey: Survey, load: Callable[[dict], Sample], seed: int) -> Picked:
    """Which rows to show: one of each language, reason and verdict, then in turn from each language and verdict.

    At most `MAX_PAGES`, or as many as there are languages and reasons if these are more.
    """
    shuffled = sorted(survey.rows, key=lambda r: (seeded(seed, r["key"]), r["key"]))
    doubtful = [r for r in shuffled if r["verdict"] != "trusted"]
    reasons = {r["key"]: r["reasons"] if "reasons" in r else load(r).quality.reasons for r in doubtful[:MAX_PROBED]}
    counts = Counter(reason for found in reasons.values() for reason in found)

    chosen: dict[str, dict] = {}
    seen: set[tuple[str, str]] = set()
    for wanted in ("lang", "reason", "verdict", "script"):
        for row in shuffled:
            values = reasons.get(row["key"], ()) if wanted == "reason" else (row[wanted],)
            if any((wanted, v) not in seen for v in values):
                chosen[row["key"]] = row
                seen |= {(w, row[w]) for w in ("lang", "verdict", "script")}
                seen |= {("reason", v) for v in reasons.get(row["key"], ())}
    num_needed = len(chosen)

    strata: dict[tuple[str, str], list[dict]] = {}
    for row in shuffled:
        if row["key"] not in chosen:
            strata.setdefault((row["lang"], row["verdict"]), []).append(row)
    turns = [(turn, at, row) for at, s in enumerate(sorted(strata)) for turn, row in enumerate(strata[s])]
    for _, _, row in sorted(turns, key=lambda t: t[:2])[: max(0, MAX_PAGES - num_needed)]:
        chosen[row["key"]] = row
    doubts = tuple((row, tuple(reasons[row["key"]])) for row in doubtful[:MAX_PROBED])
    num_doubtful = survey.tally.num_samples - survey.tally.by("verdict")["trusted"]
    return Picked(tuple(chosen.values()), num_needed, counts, len(reasons), num_doubtful, doubts)


def pages_section(name: str, num_rows: int, picked: Picked, load: Callable[[dict], Sample], budget_bytes: int) -> Section:
    """The viewer, with as many of the picked rows as `budget_bytes` of data hold, by language and document."""
    left, size = budget_bytes, 0
    shown = []
    for number, row in enumerate(picked.rows if budget_bytes > 0 else ()):
        sample = load(row)
        entry = _index_entry(sample)
        room = left - len(embed(entry)) - len(data_element(f"{name}-page-{sample.key}", b"")) - 2
        needed = picked.num_needed - number
        if needed > 0:
            # None may take more than its share of what the report needs. Starting near the last one's size spares the
            # time of trying the better ones each time.
            blob, size = _fit(sample, range(max(0, size - 1), len(SIZES)), room // needed)
        else:
            blob, _ = _fit(sample, range(1), room)
        if len(blob) <= room:
            left = room - len(blob)
            shown.append((entry, blob))
        elif needed <= 0:
            break
    shown.sort(key=lambda item: [item[0][k] for k in ("lang", "script", "uri", "page", "key")])
    index = {"name": name, "total": num_rows, "pages": [entry for entry, _ in shown]}
    data = [(f"{name}-index", embed(index))]
    data += [(f"{name}-page-{entry['key']}", blob) for entry, blob in shown]
    no_script = "<noscript>Looking at pages needs JavaScript.</noscript>"
    body = f'<div class="viewer" data-viewer="{escape(name)}">{no_script}</div>'
    return Section(f"{name}-pages", f"{name}: pages", body, data)


def _index_entry(sample: Sample) -> dict:
    """What the viewer's list and filters need of a page, parsed for all pages at once."""
    return {
        "key": sample.key,
        "lang": sample.lang,
        "script": sample.script,
        "verdict": sample.quality.verdict,
        "reasons": list(sample.quality.reasons),
        "uri": _tail(sample.origin.uri, 300),
        "page": sample.origin.page,
    }


def _tail(text: str, limit: int) -> str:
    """The last `limit` characters of `text`: a path's end says which file it is."""
    return text if len(text) <= limit else "…" + text[-limit:]


def _fit(sample: Sample, sizes: Sequence[int], share: int) -> tuple[bytes, int]:
    """The page's JSON at the first of `sizes`, which index SIZES, that is within `share` bytes; else at the last."""
    record = page_record(sample)
    blob, size = b"", 0
    for size in sizes:
        if size == len(SIZES) - 1:
            has_lines = any(region["lines"] for region in record["regions"])
            regions = [{**region, "lines": []} for region in record["regions"]]
            record |= {"regions": regions, "cut": record["cut"] or has_lines}
        if sample.image:
            record["image"] = _data_uri(sample.image, *SIZES[size])
        blob = embed(record)
        if len(blob) <= share:
            break
    return blob, size


def page_record(sample: Sample) -> dict:
    """What the viewer shows of a page, but for its image."""
    regions, num_lines, num_chars = [], 0, 0
    for region in sample.regions[:MAX_REGIONS]:
        text = region.text[: max(0, MAX_CHARS - num_chars)]
        lines = region.lines[: max(0, MAX_LINES - num_lines)] if num_chars < MAX_CHARS else ()
        num_lines, num_chars = num_lines + len(lines), num_chars + len(text)
        regions.append(
            {
                "label": region.label,
                "box": list(region.box),
                "polygon": [[round(x, 1), round(y, 1)] for x, y in region.polygon[:100]],
                "text": text,
                "score": None if region.score is None else _number(region.score),
                "by": region.by,
                "dir": direction(region, sample.script),
                "lines": [[*line.box, line.text[:2000], line.direction] for line in lines],
            }
        )
    whole = sum(len(r.text) for r in sample.regions)
    return {
        "key": sample.key,
        "task": sample.task,
        "stage": sample.stage,
        "round": sample.round,
        "size": list(sample.size),
        "lang": sample.lang,
        "script": sample.script,
        "verdict": sample.quality.verdict,
        "reasons": list(sample.quality.reasons),
        "signals": [[name, _number(value)] for name, value in sample.quality.signals.items()],
        "uri": sample.origin.uri[:4000],
        "sha256": sample.origin.sha256,
        "page": sample.origin.page,
        "licence": sample.origin.licence[:1000],
        "engines": [list(pair) for pair in sample.origin.engines.items()],
        "text": "" if regions else sample.text[:MAX_CHARS],
        "dir": "rtl" if sample.script in RTL_SCRIPTS else "auto",
        "regions": regions,
        "cut": len(regions) < len(sample.regions) or num_chars < whole or len(sample.text) > 2 * MAX_CHARS,
        "image": "",
    }


def direction(region: Region, script: str) -> str:
    """`ltr`, `rtl` or `ttb`, as most of the region's characters run; `auto` where it has no lines that say so."""
    weights: Counter = Counter()
    for line in region.lines:
        weights[line.direction] += len(line.text)
    if weights:
        return max(sorted(weights), key=lambda d: weights[d])
    return "rtl" if script in RTL_SCRIPTS else "auto"


def _data_uri(encoded: bytes, long_side: int, quality: int) -> str:
    """The image at most `long_side` pixels long, as a WebP data URI; "" if it can't be decoded."""
    try:
        with Image.open(io.BytesIO(encoded)) as file:
            file.draft("RGB", (long_side, long_side))
            image = file.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
    scale = long_side / max(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=quality, method=2)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()


def _number(value: float) -> float | str:
    """`value` to three decimals; as a word where JSON has no such number."""
    return round(float(value), 3) if math.isfinite(value) else str(value)
