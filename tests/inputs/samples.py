"""Samples built by hand."""

import io
from typing import Any

from PIL import Image

from datagen.record import Box, Line, Origin, Quality, Region, Sample


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The image as a file of this kind."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def image(width: int = 64, height: int = 32, kind: str = "JPEG") -> bytes:
    return encoded(Image.new("RGB", (width, height), "white"), kind)


def sample(key: str = "a-000000", **values: Any) -> Sample:
    """A page with one region of one line; `values` replace any of its fields."""
    line = Line(Box(1, 2, 30, 12), "Über 東京", "Noto", "ltr")
    region = Region(Box(1, 2, 30, 12), "text", "Über 東京", None, "pymupdf", lines=(line,))
    fields: dict[str, Any] = {
        "key": key,
        "task": "page",
        "image": image(),
        "size": (64, 32),
        "lang": "de",
        "script": "Latn",
        "text": "Über 東京",
        "regions": (region,),
        "quality": Quality("trusted", (), {"hidden_share": 0.0}),
        "origin": Origin("/in/a.pdf", "ab" * 32, 3, "CC0-1.0", {"pymupdf": "2.0"}),
        "stage": "coarse",
    }
    return Sample(**fields | values)


def page_sample(
    key: str,
    text: str,
    lang: str = "ru",
    script: str = "Cyrl",
    verdict: str = "trusted",
    page: int = 0,
    sha256: str = "ab" * 32,
    regions: tuple[Region, ...] | None = None,
    signals: dict[str, float] | None = None,
    **values: Any,
) -> Sample:
    """A page, or a crop, of a document: what flywheel and pools look at."""
    box = Box(1, 2, 30, 12)
    if regions is None:
        regions = (Region(box, "text", text, None, "pymupdf", lines=(Line(box, text),)),) if text else ()
    origin = Origin(f"/in/{sha256[:4]}.pdf", sha256, page)
    fields = {"lang": lang, "script": script, "text": text, "regions": regions, "origin": origin}
    return sample(key, quality=Quality(verdict, (), signals or {}), **fields | values)
