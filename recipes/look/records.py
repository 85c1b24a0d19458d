"""A sample as the look page has it: what its record says, without its lines."""

import io
from typing import Any

from PIL import Image

from datagen.disk.shards import image_extension
from datagen.record import Sample
from recipes.look.choose import decisions
from recipes.report.pages import facts_of, region_record
from recipes.report.pictures import decode

LONGEST = 2000
"""Pixels of an image's long side: a longer one is made smaller. Boxes stay in the record's pixels."""
_QUALITY = 85


def sample_data(sample: Sample, record: str, image: str) -> dict[str, Any]:
    """What the page shows and edits. `record` is the sha256 of the record, `image` the name of the image's file, "" for none."""
    shown = facts_of(sample)
    return shown | {
        "record": record,
        "image": image,
        "text": sample.text,
        "caption": sample.caption,
        "reasons": list(sample.quality.reasons),
        "difficulty": round(sample.difficulty, 3),
        "regions": [region_record(region, sample.script) for region in sample.regions],
        "decisions": decisions(sample.metadata.get("decisions", "")),
        "more": [pair for pair in shown["more"] if pair[0] != "caption"],
    }


def picture(encoded: bytes | None) -> tuple[str, bytes] | None:
    """The ending of an image's name, and its bytes: as they are, or smaller. None if it is no image that a browser shows."""
    try:
        ending = image_extension(encoded or b"")
        with Image.open(io.BytesIO(encoded or b"")) as file:
            if max(file.size) <= LONGEST:
                return ending, encoded or b""
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    image = decode(encoded)
    if image is None:
        return None
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.BICUBIC, reducing_gap=2.0)
    out = io.BytesIO()
    image.save(out, "jpeg", quality=_QUALITY)
    return f"{LONGEST}.jpg", out.getvalue()
