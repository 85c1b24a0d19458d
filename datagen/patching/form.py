"""A patch: what a person did on a look page, as one JSON file.

    {"form": "pagewheel patch", "version": 1, "dataset": {"name": "agreed", "id": "HEX"}, "by": "NAME", "kind": "correct",
     "samples": [{"key": "…", "record": "SHA256", "verdict": "corrected", "note": "",
                  "regions": [{"box": [x0, y0, x1, y1], "polygon": [], "label": "text", "format": "markdown", "text": "…",
                               "is_unread": false, "continues": false, "of": 3}],
                  "text": "…"}]}

- `dataset.id` is `dataset_id`; `record` the sha256 of the record's bytes in its shard; boxes are pixels of its image.
- `verdict` is `right`, `corrected`, `wrong`, `skip`, or `restored`: what was wrong counts again. A corrected sample has all its
  `regions` in reading order: `of` is the number that a region had, -1 for a new one. `text` is for what has no regions; `caption`
  is another caption. What is missing stays as it is.
- Of the kind `audit`, a sample has `answers` in place of these, typed by somebody who saw no label: the `region`'s number (-1:
  the whole text) and `box`, a `verdict` (`typed`; `nothing`: no text stands there; `skip`), the `text`. Its `record` may be "",
  since a record's hash tells its label.

A dataset keeps the patches that it took as `patches/SHA16.json`, by the sha256 of what they say. A sample that was forgotten
since is null there.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from datagen.disk.storage import Folder
from datagen.record import KEY

FOLDER = "patches"
CORRECT, AUDIT = "correct", "audit"
_MOST_BYTES = 1 << 30
_LONGEST_NAME = 100
LONGEST_TEXT = 1_000_000
_AGAIN = "save it again from the look page"


def dataset_id(folder: Folder) -> str:
    """32 hex digits that stay when documents, retried drops or a patch add shards, or when a source is forgotten.

    They follow from what makes the dataset's bytes (`fingerprint` in run.json) and from what its first run was to read, in which
    another dataset of the same recipe differs. Raises `ValueError` if the folder holds no dataset.
    """
    try:
        made_by = json.loads(folder.read("run.json"))["fingerprint"]
        first_read = folder.read_table("census/000000.parquet").select(["uri", "first", "stop"]).to_pylist()
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder.url}: no dataset of pagewheel with a run.json and a census ({error})") from None
    return hashlib.sha256(json.dumps([made_by, first_read], ensure_ascii=True).encode()).hexdigest()[:32]


class PatchError(ValueError):
    """The patch can't be taken; the message is one sentence that says what to do."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No field beside those that are named here."""


class PatchedRegion(_Strict, frozen=True):
    box: tuple[int, int, int, int]
    label: str
    text: str
    format: str = "markdown"
    polygon: tuple[tuple[float, float], ...] = ()
    is_unread: bool = False
    continues: bool = False
    of: int = -1


class Answer(_Strict, frozen=True):
    region: int
    verdict: Literal["typed", "nothing", "skip"]
    text: str = ""
    box: tuple[int, int, int, int] | None = None


class PatchedSample(_Strict, frozen=True, omit_defaults=True):
    key: str
    record: str = ""
    verdict: Literal["right", "corrected", "wrong", "restored", "skip"] = "skip"
    regions: tuple[PatchedRegion, ...] | None = None
    text: str | None = None
    caption: str | None = None
    answers: tuple[Answer, ...] = ()
    note: str = ""


class Dataset(_Strict, frozen=True):
    name: str
    id: str


class Patch(_Strict, frozen=True):
    form: Literal["pagewheel patch"]
    version: Literal[1]
    dataset: Dataset
    by: str
    kind: Literal["correct", "audit"]
    samples: tuple[PatchedSample | None, ...]

    @property
    def digest(self) -> str:
        """16 hex digits of the sha256 of what it says, however it is spaced."""
        return hashlib.sha256(self.to_json()).hexdigest()[:16]

    def to_json(self) -> bytes:
        return msgspec.json.encode(self)

    def given(self) -> Iterator[tuple[int, PatchedSample]]:
        """The samples that weren't forgotten, with their numbers."""
        return ((i, sample) for i, sample in enumerate(self.samples) if sample is not None)


def read(file: str, word: str = "patch") -> Patch:
    """The patch in a file, which is named by this word. Raises `PatchError`, which says so, if it isn't a whole and sound one."""
    try:
        path = Path(file).expanduser()
        if path.stat().st_size > _MOST_BYTES:
            raise PatchError(f"it has over {_MOST_BYTES >> 30} GiB: save fewer samples at a time")
        return parse(path.read_bytes())
    except OSError as error:
        reason = error.strerror or "it can't be read"
        raise PatchError(f"{word}={file}: {reason}: name the file that a look page saved") from None
    except PatchError as error:
        raise PatchError(f"{word}={file}: {error}") from None


def parse(data: bytes, is_kept: bool = False) -> Patch:
    """The patch that these bytes are; of one that is kept (`is_kept`), samples may be null. Raises `PatchError`."""
    try:
        values = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_no_constant)
        patch = msgspec.convert(values, Patch)
    except PatchError:
        raise
    except msgspec.ValidationError as error:
        raise PatchError(f"{error}: {_AGAIN}") from None
    except (ValueError, RecursionError) as error:
        raise PatchError(f"no JSON of a patch ({str(error)[:200]}): {_AGAIN}") from None
    if not is_kept:
        _check(patch)
    return patch


def kept(folder: Folder, digest: str) -> Patch | None:
    """The patch of this digest that the dataset in `folder` took; None if it took none such. Raises `PatchError`."""
    try:
        return parse(folder.read(_name(digest)), is_kept=True)
    except FileNotFoundError:
        return None
    except PatchError as error:
        raise PatchError(f"{folder.path(_name(digest))}: {error}") from None


def keep(folder: Folder, patch: Patch) -> None:
    """Write a patch, which the dataset in `folder` hasn't got yet."""
    folder.write(_name(patch.digest), patch.to_json())


def digests(folder: Folder) -> list[str]:
    """Of the patches that the dataset in `folder` took, sorted."""
    return [name.removesuffix(".json") for name in folder.sub(FOLDER).names(".json")]


def forget(folder: Folder, is_forgotten: Callable[[str], bool]) -> int:
    """Take samples whose keys are those of forgotten sources out of the kept patches; returns how many went."""
    num_gone = 0
    for digest in digests(folder):
        patch = kept(folder, digest)
        if patch and (gone := {i for i, sample in patch.given() if is_forgotten(sample.key)}):
            left = tuple(None if i in gone else sample for i, sample in enumerate(patch.samples))
            folder.write(_name(digest), msgspec.structs.replace(patch, samples=left).to_json())
            num_gone += len(gone)
    return num_gone


def strange_character(text: str) -> str:
    """The first character that no label has, as U+XXXX: half of a surrogate pair, or a control character but tab and newline."""
    strange = (c for c in text if "\ud800" <= c <= "\udfff" or (c < " " and c not in "\n\t") or "\x7f" <= c <= "\x9f")
    return next((f"U+{ord(c):04X}" for c in strange), "")


def _name(digest: str) -> str:
    return f"{FOLDER}/{digest}.json"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise PatchError(f"an object has the field {twice[:50]!r} twice: {_AGAIN}")
    return values


def _no_constant(name: str) -> Any:
    raise PatchError(f"{name} is no number: {_AGAIN}")


def _check(patch: Patch) -> None:
    """What can be said without the dataset. Raises `PatchError`."""
    by = patch.by
    if not by.strip() or by != by.strip() or len(by) > _LONGEST_NAME or strange_character(by) or not by.isprintable():
        raise PatchError(f"by is {by[:50]!r}: say in it who did this, in at most {_LONGEST_NAME} printable characters")
    for text in (patch.dataset.name, patch.dataset.id):
        if strange_character(text):
            raise PatchError(f"the dataset's name or id has the character {strange_character(text)}: {_AGAIN}")
    seen: set[Any] = set()
    for number, sample in enumerate(patch.samples):
        if sample is None:
            raise PatchError(f"sample {number} is null: {_AGAIN}")
        if problem := _problem(patch.kind, sample):
            raise PatchError(f"sample {number}, {sample.key[:100]!r}: {problem}")
        places = [(sample.key, answer.region) for answer in sample.answers] if patch.kind == AUDIT else [sample.key]
        if len(set(places)) < len(places) or not seen.isdisjoint(places):
            raise PatchError(f"sample {number}, {sample.key}, is answered twice: delete one of the two")
        seen.update(places)


def _problem(kind: str, sample: PatchedSample) -> str:
    """What is wrong with a sample, whatever its record says; "" if nothing is."""
    if not KEY.fullmatch(sample.key):
        return f"no key of a sample: {_AGAIN}"
    has_label = any(label is not None for label in (sample.regions, sample.text, sample.caption))
    if kind == AUDIT:
        if has_label:
            return "an audit has answers, and no regions, text or caption: set kind to correct, or take them out"
        texts = [answer.text for answer in sample.answers]
        if max(map(len, texts), default=0) > LONGEST_TEXT:
            return f"an answer has over {LONGEST_TEXT:,} characters: type what stands in the box alone"
        if any(answer.text for answer in sample.answers if answer.verdict != "typed"):
            return "an answer has a text and isn't typed: set its verdict to typed, or take the text out"
    else:
        if sample.answers:
            return "it has answers, which an audit has: set kind to audit, or take them out"
        if has_label != (sample.verdict == "corrected"):
            return "regions, a text or a caption are what a corrected sample has, and no other: set its verdict, or take them out"
        texts = []
    points = [n for region in sample.regions or () for point in region.polygon for n in point]
    if not all(map(math.isfinite, points)):
        return f"a polygon has a number that is not finite: {_AGAIN}"
    for text in (*texts, sample.note, sample.record):
        if strange := strange_character(text):
            return f"a text has the character {strange}, which no text may have: take it out"
    # Other characters are looked at beside the record, which may have them already.
    words = (word for region in sample.regions or () for word in (region.text, region.label, region.format))
    if any("\ud800" <= c <= "\udfff" for word in (sample.text or "", sample.caption or "", *words) for c in word):
        return "a text has half of a surrogate pair, which is no character: take it out"
    return ""
