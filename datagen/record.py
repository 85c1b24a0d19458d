"""The sample: what every part of pagewheel passes on, and its form on disk.

Units are stated here, once. Boxes are integer image pixels, origin top-left, `x1` and `y1` exclusive. Pages count from 0. Sizes
are `(width, height)` in pixels. `lang` is BCP-47 (`und` where it can't be told), `script` ISO 15924. Text is Unicode; a region's
is Markdown, a table's HTML, a formula's bare LaTeX.

On disk (`Sample.to_json`) every record has the same keys with the same types and no null, so that Arrow infers one schema from
any first page: "" for no licence, -1 for no round and for text that was read from the file itself and not scored by a model.
"""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import msgspec

SCHEMA = 1
TASKS = ("page", "crop", "table", "formula", "scene", "figure", "caption", "text")
VERDICTS = ("trusted", "suspect", "none")
# Reasons that say what a page's text lacks, and nothing against what it has.
LACKING = frozenset({"ink_without_text", "formula_in_text", "few_unmapped", "incomplete"})
DIRECTIONS = ("ltr", "rtl", "ttb")

# webdataset splits a member's name at its first dot, so a dot in a key silently merges two samples.
KEY = re.compile(r"[a-z0-9_-]{1,90}")
# Of a page's record, the standard library's encoder costs as much as hashing and writing the page's image.
_ENCODER = msgspec.json.Encoder()
# Chinese, Japanese, Thai, Lao, Tibetan, Myanmar and Khmer: the letters, and the punctuation that is set in full width.
_UNSPACED = re.compile(
    "[\u0e00-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u2e80-\u303f\u3041-\u312f\u31a0-\u31ff\u3400-\u9fff\ua000-\ua4cf"
    "\ua9e0-\ua9ff\uaa60-\uaadf\uf900-\ufaff\uff01-\uff9f\U00020000-\U0003ffff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


class SampleError(Exception):
    """This one input is bad: it becomes a `Drop`. Any other exception is a bug and fails the shard.

    `reason` is stable snake_case and is counted; `detail` is for people.
    """

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return SampleError, (self.reason, self.detail)


class Box(NamedTuple):
    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True, slots=True)
class Line:
    box: Box
    text: str
    font: str = ""
    direction: str = "ltr"


@dataclass(frozen=True, slots=True)
class Region:
    """A block of a page, in reading order. `by` names the engine, or `flywheel/round-N`, that said its text."""

    box: Box
    label: str
    text: str
    score: float | None
    by: str
    polygon: tuple[tuple[float, float], ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sample comes from. `sha256` is of the whole source file, in hex; `engines` maps a name to a version."""

    uri: str
    sha256: str
    page: int
    licence: str = ""
    engines: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quality:
    """What is believed of a sample's text: the verdict, why, and the measurements it rests on."""

    verdict: str = "none"
    reasons: tuple[str, ...] = ()
    signals: dict[str, float] = field(default_factory=dict)

    @property
    def words_hold(self) -> bool:
        """Whether the words that are there can be believed, line by line, though the page may lack others."""
        return self.verdict == "trusted" or (self.verdict == "suspect" and bool(self.reasons) and set(self.reasons) <= LACKING)


@dataclass(frozen=True, slots=True)
class Sample:
    """One training sample. `image` holds the encoded file (JPEG or PNG), or None for text alone."""

    key: str
    task: str
    image: bytes | None
    size: tuple[int, int]
    lang: str
    script: str
    text: str
    regions: tuple[Region, ...]
    quality: Quality
    origin: Origin
    stage: str
    round: int = -1

    def to_json(self) -> bytes:
        """The record as UTF-8 JSON, without the image. Deterministic: the same sample gives the same bytes."""
        q, o = self.quality, self.origin
        record = {
            "schema": SCHEMA,
            "key": self.key,
            "task": self.task,
            "lang": self.lang,
            "script": self.script,
            "size": self.size,
            "text": self.text,
            "regions": [
                {
                    "label": r.label,
                    "box": r.box,
                    "polygon": r.polygon,
                    "text": r.text,
                    "score": -1.0 if r.score is None else round(float(r.score), 3),
                    "by": r.by,
                    "lines": r.lines,
                }
                for r in self.regions
            ],
            "quality": {
                "verdict": q.verdict,
                "reasons": q.reasons,
                "signals": [{"name": n, "value": round(float(v), 3)} for n, v in q.signals.items()],
            },
            "origin": {
                "uri": o.uri,
                "sha256": o.sha256,
                "page": o.page,
                "licence": o.licence,
                "engines": [{"name": n, "version": v} for n, v in o.engines.items()],
            },
            "stage": self.stage,
            "round": self.round,
        }
        return _ENCODER.encode(record)

    @classmethod
    def from_json(cls, data: bytes, image: bytes | None = None) -> "Sample":
        """The sample that `to_json` wrote. Raises `ValueError` if the record is of another schema."""
        r = msgspec.json.decode(data)
        if r.get("schema") != SCHEMA:
            raise ValueError(f"record schema is {r.get('schema')!r}, this version reads {SCHEMA}")
        q, o = r["quality"], r["origin"]
        return cls(
            key=r["key"],
            task=r["task"],
            image=image,
            size=(r["size"][0], r["size"][1]),
            lang=r["lang"],
            script=r["script"],
            text=r["text"],
            regions=tuple(_region(x) for x in r["regions"]),
            quality=Quality(q["verdict"], tuple(q["reasons"]), {s["name"]: s["value"] for s in q["signals"]}),
            origin=Origin(o["uri"], o["sha256"], o["page"], o["licence"], {e["name"]: e["version"] for e in o["engines"]}),
            stage=r["stage"],
            round=r["round"],
        )

    def with_quality(self, verdict: str, reasons: tuple[str, ...] = (), **signals: float) -> "Sample":
        """This sample with another verdict, `reasons` in place of its own, and `signals` added to what it has."""
        return replace(self, quality=Quality(verdict, reasons, {**self.quality.signals, **signals}))

    def with_engine(self, name: str, version: str) -> "Sample":
        return replace(self, origin=replace(self.origin, engines={**self.origin.engines, name: version}))

    def drop(self, reason: str, stage: str, detail: str = "") -> "Drop":
        return Drop(self.key, self.origin.uri, self.origin.page, stage, reason, detail)


@dataclass(frozen=True, slots=True)
class Drop:
    """An input that gave no sample: never silent. `key` is "" and `page` -1 where a whole document went; where a part of one did,
    that doesn't begin it, `page` is the first of the part."""

    key: str
    uri: str
    page: int
    stage: str
    reason: str
    detail: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {name: clean_text(v) if isinstance(v, str) else v for name in self.__slots__ for v in [getattr(self, name)]}


def content_key(sha256: str) -> str:
    """What the keys of a file's samples begin with."""
    return sha256[:16]


def source_key(uri: str, sha256: str) -> str:
    """What the keys of a file's samples begin with, if it lies at `uri`. Without the place, two copies of a file would give one
    key to two samples."""
    return f"{content_key(sha256)}-{hashlib.sha256(uri.encode()).hexdigest()[:8]}"


def clean_text(text: str) -> str:
    """`text` with lone surrogates, which no UTF-8 file can hold, replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("�", text)
    return text


def joined(lines: Sequence[Line]) -> str:
    """The lines' text in one, with words whole that the typesetter cut.

    A hyphen between a letter and a small letter is the typesetter's, and goes: that a compound such as `well-known` was broken at
    its own can't be told from the text. All others stay, and draw the next line to them, as do the letters of scripts without
    spaces between words. Between other lines stands a space.
    """
    text = ""
    for line in lines:
        right = line.text
        if text and right:
            if text[-1] == "-" and text[-2:-1].isalnum():
                text = text[:-1] if text[-2].isalpha() and right[0].islower() else text
            elif not (_UNSPACED.match(text[-1]) and _UNSPACED.match(right)):
                text += " "
        text += right
    return text


def check(sample: Sample) -> None:
    """Raise `ValueError` if `sample` breaks the contract that shards keep. A stage that does so has a bug."""
    if not KEY.fullmatch(sample.key):
        raise ValueError(f"key {sample.key!r}: allowed are a-z 0-9 _ -, at most 90 of them")
    if sample.task not in TASKS:
        raise ValueError(f"{sample.key}: task {sample.task!r}: allowed are {', '.join(TASKS)}")
    if sample.quality.verdict not in VERDICTS:
        raise ValueError(f"{sample.key}: verdict {sample.quality.verdict!r}: allowed are {', '.join(VERDICTS)}")
    if sample.image is None and sample.task != "text":
        raise ValueError(f"{sample.key}: a {sample.task} sample needs an image")
    scores = [r.score for r in sample.regions if r.score is not None]
    points = [x for r in sample.regions for point in r.polygon for x in point]
    if not all(map(math.isfinite, (*sample.quality.signals.values(), *scores, *points))):
        raise ValueError(f"{sample.key}: a signal, score or polygon holds a number that is not finite")
    w, h = sample.size
    for region in sample.regions:
        for box in (region.box, *[line.box for line in region.lines]):
            if not (0 <= box[0] < box[2] <= w and 0 <= box[1] < box[3] <= h):
                raise ValueError(f"{sample.key}: box {tuple(box)} is empty or outside {w} x {h}")


def _region(r: dict) -> Region:
    return Region(
        box=Box(*r["box"]),
        label=r["label"],
        text=r["text"],
        score=None if r["score"] < 0 else r["score"],
        by=r["by"],
        polygon=tuple((x, y) for x, y in r["polygon"]),
        lines=tuple(Line(Box(*li["box"]), li["text"], li["font"], li["direction"]) for li in r["lines"]),
    )
