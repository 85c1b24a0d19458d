"""The sample, which all parts of pagewheel pass on, and its form on disk.

Units are stated here, once.

- Boxes are integer image pixels. The origin is the top left corner. `x1` and `y1` are exclusive.
- Polygons are (x, y) corners in the same pixels, as floats.
- Sizes are `(width, height)` in pixels. Pages, rows, members and draws count from 0.
- `lang` is BCP-47 (`und` where it can't be told), `script` is ISO 15924.
- Text is Unicode. A region's `format` names the kind of its text: Markdown, an HTML table, bare LaTeX, SMILES, or the segments
  and circles of plane geometry (`datagen.figures.geometry.plane`).

On disk (`Sample.to_json`) every record has the same keys with the same types and no null, so that Arrow sees one schema. ""
stands for no licence, no caption and no parent. -1 stands for no round, no difficulty and no score: no model scored text that
comes from the file itself. Four zeros stand for no box."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import msgspec

SCHEMA = 3
TASKS = ("page", "crop", "table", "formula", "scene", "figure", "caption", "text")
VERDICTS = ("trusted", "suspect", "none")
# fmt: off
LABELS = (
    "title", "sub_title", "text", "list", "equation", "image", "image_caption", "table", "table_caption", "table_footnote",
    "code", "header", "footer", "page_number", "footnote", "reference", "toc", "seal", "chart", "molecule", "geometry",
)
# fmt: on
FORMATS = ("markdown", "html", "latex", "smiles", "geometry")
DIRECTIONS = ("ltr", "rtl", "ttb")
LEVELS = ("easy", "medium", "hard")
"""The meaning of a page's signal `level`: 0, 1 and 2."""
# Reasons that a page lacks some text. The text that is there can be right.
LACKING = frozenset({"ink_without_text", "formula_in_text", "few_unmapped", "incomplete"})

# webdataset splits a member's name at its first dot, so a dot in a key silently merges two samples.
KEY = re.compile(r"[a-z0-9_-]{1,90}")
# The standard library's encoder costs as much as hashing and writing the page's image.
_ENCODER = msgspec.json.Encoder()
_SURROGATE = re.compile("[\ud800-\udfff]")


class SampleError(Exception):
    """One input is bad, and becomes a `Drop`. Any other exception is a bug and fails the shard.

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


NOWHERE = Box(0, 0, 0, 0)
Polygon = tuple[tuple[float, float], ...]


class Range(NamedTuple):
    """The parts of a container (pages, rows, members or draws) from `first` to `stop`, exclusive; -1 means the end."""

    first: int
    stop: int = -1

    def __contains__(self, part: object) -> bool:
        return isinstance(part, int) and self.first <= part and (self.stop < 0 or part < self.stop)

    def __str__(self) -> str:
        if self.stop == self.first + 1:
            return f"{self.first}"
        return f"{self.first} to {self.stop - 1}" if self.stop >= 0 else f"from {self.first} on"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text. An unknown `font` is "", an unknown `score` None. `look` isn't written to disk: see `fine.line_looks`."""

    box: Box
    text: str
    font: str = ""
    direction: str = "ltr"
    score: float | None = None
    polygon: Polygon = ()
    look: str = field(default="", compare=False)

    @property
    def corners(self) -> Polygon:
        """The corners of the polygon, or of the box if there is no polygon."""
        x0, y0, x1, y1 = map(float, self.box)
        return self.polygon or ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


class Masked(NamedTuple):
    """A place of a page that is painted over in its image, in the paper's colour, and the stable snake_case reason. What was
    there is in no region and not in the text."""

    box: Box
    reason: str


@dataclass(frozen=True, slots=True)
class Region:
    """A block of a page, in reading order.

    In a described picture (the task caption) a region is an object with its name as text, or a place with a phrase about it
    (`datagen.labels`). `by` names the engine, or `flywheel/round-N`, that read the text. `detected_by` names the engine that drew
    the box; "" if it is the same. `score` is None if the text comes from the file itself. An `is_unread` region has a box and no
    text yet. A region that `continues` goes on in the next column or on the next page. `structure` is the probability that the
    region has its right label, exactly its lines, and its place in the order; None if no labeller said so.
    """

    box: Box
    label: str
    text: str
    score: float | None
    by: str
    polygon: Polygon = ()
    lines: tuple[Line, ...] = ()
    format: str = "markdown"
    detected_by: str = ""
    is_unread: bool = False
    continues: bool = False
    structure: float | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sample comes from. `uri` names a file or an archive's member. `sha256`, in hex, is the digest of the bytes that the
    sample was made from: the whole file; or, in a container of texts or pictures, the row's text or the picture. `engines` maps
    an engine's name to its version.

    `page` is the place in the container: a page, row, member or draw. If a sample was cut from another one, `parent` is the key
    of that sample, and `box` the place in its image.
    """

    uri: str
    sha256: str
    page: int
    licence: str = ""
    engines: dict[str, str] = field(default_factory=dict)
    parent: str = ""
    box: Box = NOWHERE


@dataclass(frozen=True, slots=True)
class Quality:
    """The verdict on a sample's text, its reasons, and the measurements (`signals`) behind it."""

    verdict: str = "none"
    reasons: tuple[str, ...] = ()
    signals: dict[str, float] = field(default_factory=dict)

    @property
    def words_hold(self) -> bool:
        """Whether the words that are there can be trusted, line by line. The page may lack other words."""
        return words_hold(self.verdict, self.reasons)


def words_hold(verdict: str, reasons: Sequence[str]) -> bool:
    """Whether the words of a sample with this verdict can be trusted, line by line. The sample may lack other words."""
    return verdict == "trusted" or (verdict == "suspect" and bool(reasons) and LACKING.issuperset(reasons))


@dataclass(frozen=True, slots=True)
class Sample:
    """One training sample.

    `image` holds the encoded file (JPEG, PNG or WebP). It is None for text alone, and for a record that was read without its
    image. Samples of one `group` are on one side of any split; "" stands for the sha256 of the origin. `difficulty` is from 0 to
    1, or -1 if nobody measured it. `caption` is a person's text about the picture. `metadata` is the source's information by
    name: an address, a licence, safety scores. `masked` are the places that are painted over in the image."""

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
    group: str = ""
    difficulty: float = -1.0
    caption: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    masked: tuple[Masked, ...] = ()

    @property
    def split_group(self) -> str:
        """The group that a split keeps together."""
        return self.group or self.origin.sha256

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
            "caption": self.caption,
            "regions": [
                {
                    "label": r.label,
                    "box": r.box,
                    "polygon": r.polygon,
                    "format": r.format,
                    "text": r.text,
                    "score": _score(r.score),
                    "by": r.by,
                    "detected_by": r.detected_by,
                    "is_unread": r.is_unread,
                    "continues": r.continues,
                    "structure": _score(r.structure),
                    "lines": [_line_record(line) for line in r.lines],
                }
                for r in self.regions
            ],
            "masked": [{"box": mask.box, "reason": mask.reason} for mask in self.masked],
            "quality": {
                "verdict": q.verdict,
                "reasons": q.reasons,
                "signals": [{"name": n, "value": round(float(v), 3)} for n, v in q.signals.items()],
            },
            "difficulty": round(float(self.difficulty), 3),
            "group": self.split_group,
            "metadata": [{"name": n, "value": v} for n, v in self.metadata.items()],
            "origin": {
                "uri": o.uri,
                "sha256": o.sha256,
                "page": o.page,
                "licence": o.licence,
                "engines": [{"name": n, "version": v} for n, v in o.engines.items()],
                "parent": o.parent,
                "box": o.box,
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
            raise ValueError(another_schema(r.get("schema")))
        q, o = r["quality"], r["origin"]
        engines = {e["name"]: e["version"] for e in o["engines"]}
        return cls(
            key=r["key"],
            task=r["task"],
            image=image,
            size=(r["size"][0], r["size"][1]),
            lang=r["lang"],
            script=r["script"],
            text=r["text"],
            regions=tuple(map(_region, r["regions"])),
            quality=Quality(q["verdict"], tuple(q["reasons"]), {s["name"]: s["value"] for s in q["signals"]}),
            origin=Origin(o["uri"], o["sha256"], o["page"], o["licence"], engines, o["parent"], Box(*o["box"])),
            stage=r["stage"],
            round=r["round"],
            group="" if r["group"] == o["sha256"] else r["group"],
            difficulty=r["difficulty"],
            caption=r["caption"],
            metadata={m["name"]: m["value"] for m in r["metadata"]},
            masked=tuple(Masked(Box(*m["box"]), m["reason"]) for m in r["masked"]),
        )

    def with_quality(self, verdict: str, reasons: tuple[str, ...] = (), **signals: float) -> "Sample":
        """This sample with another verdict and other `reasons`. The `signals` are added to its signals."""
        return replace(self, quality=Quality(verdict, reasons, {**self.quality.signals, **signals}))

    def with_engine(self, name: str, version: str) -> "Sample":
        return replace(self, origin=replace(self.origin, engines={**self.origin.engines, name: version}))

    def drop(self, reason: str, stage: str, detail: str = "", readings: "tuple[Reading, ...]" = ()) -> "Drop":
        part = Range(self.origin.page, self.origin.page + 1)
        return Drop(self.key, self.origin.uri, part, stage, reason, detail, readings)


class Reading(NamedTuple):
    """A reader's reading of a line at `box`, in pixels of the page's image. `score` is the reader's confidence, from 0 to 1."""

    lang: str
    box: Box
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Drop:
    """An input that gave no sample. Nothing is lost silently: every drop is counted and written down.

    `part` has the dropped parts of the container; None stands for the whole container. `key` is the key of the dropped sample, ""
    if no single sample is meant. `reason` is stable snake_case and is counted. `detail` is for people. `readings` are the
    readings that a gate refused."""

    key: str
    uri: str
    part: Range | None
    stage: str
    reason: str
    detail: str = ""
    readings: tuple[Reading, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON. `first` and `stop` are -1 if there is no part."""
        part = self.part if self.part is not None else Range(-1, -1)
        return {
            "key": self.key,
            "uri": clean_text(self.uri),
            "first": part.first,
            "stop": part.stop,
            "stage": self.stage,
            "reason": self.reason,
            "detail": clean_text(self.detail),
            "readings": [
                {"lang": r.lang, "box": list(r.box), "text": clean_text(r.text), "score": round(float(r.score), 3)}
                for r in self.readings
            ],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Drop":
        """The drop that `to_dict` took apart. Raises `KeyError` or `TypeError` for other values."""
        readings = tuple(Reading(r["lang"], Box(*r["box"]), r["text"], r["score"]) for r in values["readings"])
        part = None if values["first"] < 0 else Range(values["first"], values["stop"])
        return cls(values["key"], values["uri"], part, values["stage"], values["reason"], values["detail"], readings)


def another_schema(schema: object = None) -> str:
    """The message about an output that another version of pagewheel wrote."""
    schemas = f" (schema {schema}, this version has {SCHEMA})" if schema is not None else ""
    what_to_do = "start a new output with out=…, or replace this one with overwrite=1"
    return f"it was made by another version of pagewheel{schemas}: {what_to_do}"


def content_key(sha256: str) -> str:
    """The beginning of the keys of a file's samples."""
    return sha256[:16]


def source_key(uri: str, sha256: str) -> str:
    """The beginning of the keys of the samples of a file at `uri`. Two copies of a file give different keys."""
    return f"{content_key(sha256)}-{uri_key(uri)}"


def uri_key(uri: str) -> str:
    """The second part of the keys of all samples out of the file at `uri`, also of different rows or pictures."""
    return hashlib.sha256(uri.encode()).hexdigest()[:8]


def clean_text(text: str) -> str:
    """`text` with lone surrogates, which no UTF-8 file can hold, replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("�", text)
    return text


def _line_record(line: Line) -> dict[str, Any]:
    fields = {"box": line.box, "polygon": line.polygon, "text": line.text, "score": _score(line.score)}
    return fields | {"font": line.font, "direction": line.direction}


def _score(score: float | None) -> float:
    return -1.0 if score is None else round(float(score), 3)


def _region(r: dict) -> Region:
    return Region(
        box=Box(*r["box"]),
        label=r["label"],
        text=r["text"],
        score=None if r["score"] < 0 else r["score"],
        by=r["by"],
        polygon=_polygon(r["polygon"]),
        lines=tuple(map(_line, r["lines"])),
        format=r["format"],
        detected_by=r["detected_by"],
        is_unread=r["is_unread"],
        continues=r["continues"],
        structure=None if r["structure"] < 0 else r["structure"],
    )


def _line(r: dict) -> Line:
    score = None if r["score"] < 0 else r["score"]
    return Line(Box(*r["box"]), r["text"], r["font"], r["direction"], score, _polygon(r["polygon"]))


def _polygon(points: list) -> Polygon:
    return tuple((x, y) for x, y in points)
