"""A picture and its metadata from lists, JSON files and tables, under the record's names.

| in `Sample.metadata` | columns, in any case of letters |
| --- | --- |
| `url` | url, image_url, img_url, image_link, link, coco_url |
| `hash`, `nsfw`, `punsafe`, `pwatermark` | the same |
| `similarity` | similarity, clip_similarity, clip_similarity_vitb32, clip_l14_similarity_score |
| `opt_out` | opt_out, optout, opted_out |
| `language` | language, lang |
| `original_width`, `original_height` | the same, else width and height |
| `licence`, which sources put into `Origin.licence` | license, licence, license_url |
| every other name, in small letters | itself |

The caption is the first of `CAPTIONS` that isn't empty. Of several captions it is the first; the others stay in the metadata. Of
an object it is the field `raw`, as in COCO's sentences. Values are unchanged. Null, bytes, and objects of over 1,000 letters are
left out.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy

from datagen.page.images import upright
from datagen.pictures.descriptions import Detected
from datagen.pictures.public_addresses import REFUSED
from datagen.record import SampleError, clean_text

CAPTIONS = ("caption", "text", "txt", "alt_text", "alt", "title", "prompt", "captions", "texts", "sentences", "description")
_NAMES = {
    "url": ("url", "image_url", "img_url", "image_link", "link", "coco_url"),
    "licence": ("license", "licence", "license_url"),
    "similarity": ("similarity", "clip_similarity", "clip_similarity_vitb32", "clip_l14_similarity_score"),
    "opt_out": ("opt_out", "optout", "opted_out"),
    "language": ("language", "lang"),
    "original_width": ("original_width", "width"),
    "original_height": ("original_height", "height"),
}
_PLACE = {alias: (name, rank) for name, aliases in _NAMES.items() for rank, alias in enumerate(aliases)}
# Columns of img2dataset and pandas. EXIF says where people live, and nobody here reads it.
_LEFT_OUT = frozenset({"status", "error_message", "exif", "shard_id", "__index_level_0__"})
_MAX_OBJECT = 1_000
_BY_CODE = "http error"
_FAILURES = {
    **dict.fromkeys(("robots-tag", "disallowed"), "opted_out"),
    **{_BY_CODE: _BY_CODE, REFUSED: "private_address"},
    **dict.fromkeys(("timed out", "timeout"), "timed_out"),
    **dict.fromkeys(("name or service not known", "name resolution", "nodename nor servname"), "no_such_host"),
    "hash": "wrong_hash",
}
"""Words of img2dataset's messages and their reasons. The first of these words in a message counts."""
_NO_LICENCE = ("", "?", "none", "unknown", "nan")

LAION = frozenset({"nsfw", "punsafe", "pwatermark", "similarity", "sample_id"})
"""Columns of LAION's lists beside the address, in small letters."""


class Bounds(NamedTuple):
    """The limits of an image: its shortest side, its most pixels, its file's most bytes, and the length to which a longer side is
    scaled down (0: no limit)."""

    min_side: int
    max_pixels: int
    max_bytes: int
    long_side: int


class Picture(NamedTuple):
    """An image with its caption and metadata. `sha256` is of the image's file, in hex. `metadata` has the names above, the
    licence included. `detected` are the objects in the image's row of a table."""

    image: bytes
    size: tuple[int, int]
    sha256: str
    caption: str
    metadata: dict[str, str]
    detected: Detected | None = None


def picture_of(encoded: bytes, frame: int, bounds: Bounds, caption: str, metadata: dict[str, str]) -> Picture:
    """An image's file as a picture. Raises `SampleError`: `image_too_small`, and as `upright` does."""
    still = upright(encoded, frame, bounds.max_pixels, bounds.long_side)
    if min(still.size) < bounds.min_side:
        raise SampleError("image_too_small", f"{still.size[0]} x {still.size[1]}, a side needs {bounds.min_side} at least")
    if still.num_frames > 1:
        metadata = metadata | {"num_frames": str(still.num_frames)}
    return Picture(still.image, still.size, hashlib.sha256(encoded).hexdigest(), caption, metadata)


def is_laion(columns: Mapping[str, Any] | list[str]) -> bool:
    """Whether columns look like a list of LAION's: LAION's two names, or an address and a column that only LAION has beside
    it."""
    small = {name.lower() for name in columns}
    return {"URL", "TEXT"} <= set(columns) or ("url" in small and bool(LAION & small))


def about(values: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The caption and the metadata in a row or a JSON object."""
    small: dict[str, Any] = {}
    for name, value in values.items():
        small.setdefault(name.lower(), value)
    caption, source = _caption(small)
    metadata: dict[str, str] = {}
    ranks: dict[str, int] = {}
    for name, value in small.items():
        if name in _LEFT_OUT or name == source:
            continue
        word = _word(value)
        if word is None:
            continue
        place, rank = _PLACE.get(name, (name, 0))
        if place not in ranks or rank < ranks[place]:
            metadata[clean_text(place)], ranks[place] = word, rank
    if metadata.get("licence", "").lower() in _NO_LICENCE:
        metadata.pop("licence", None)
    return caption, metadata


def _caption(small: Mapping[str, Any]) -> tuple[str, str]:
    """The caption and its name; the name is "" if there are other captions."""
    for name in CAPTIONS:
        value = small.get(name)
        several = value if isinstance(value, (list, tuple)) else [value]
        one = several[0] if several else None
        if isinstance(one, Mapping):  # COCO's captions as Karpathy and Hugging Face have them
            one = one.get("raw")
        if isinstance(one, str) and one.strip():
            return clean_text(one.strip()), name if len(several) == 1 else ""
    return "", ""


def _word(value: Any) -> str | None:
    if value is None or isinstance(value, (bytes, bytearray)):
        return None
    if isinstance(value, str):
        return clean_text(value) or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, (dict, list, tuple)):
        try:
            text = json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            return None
        return clean_text(text) if len(text) <= _MAX_OBJECT else None
    return clean_text(str(value))


def _number(value: float) -> str | None:
    """A number in its fewest digits, a whole number without a point, since lists write sizes either way. None if it isn't
    finite."""
    if not math.isfinite(value):
        return None
    if value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    short = f"{value:.7g}"
    with numpy.errstate(over="ignore", under="ignore"):
        single = numpy.float32(value)
        return short if float(single) == value and numpy.float32(short) == single else repr(value)


def why_missing(values: Mapping[str, Any]) -> tuple[str, str]:
    """The reason why img2dataset has no image for a row, and words for people. The reason is `not_downloaded`, or a kind of
    error: `http_404` and the like, `timed_out`, `no_such_host`, `private_address` (download=private allows it), `opted_out` (a
    header of the server forbids it), `failed_to_resize`, `wrong_hash`. A row without a failure has `no_image`."""
    status, error = str(values.get("status") or ""), str(values.get("error_message") or "")
    address = clean_text(str(values.get("url") or ""))
    detail = clean_text(f"{error or status or 'no image for this row'}{f': {address}' if address else ''}")
    small = error.lower()
    if status in ("", "success"):
        return "no_image", detail
    reason = next((reason for words, reason in _FAILURES.items() if words in small), "")
    if reason == _BY_CODE:
        code = small.partition(_BY_CODE)[2].strip(" :")[:3]
        reason = f"http_{code}" if code.isdigit() else "not_downloaded"
    return reason or ("failed_to_resize" if status == "failed_to_resize" else "not_downloaded"), detail
