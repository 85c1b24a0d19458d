"""Pictures of a few pixels in place of a file's own, for the copy of which nobody looks at the pictures: LibreOffice takes up to
half of a document's time to scale them. Where a picture stands, and how large it is there, the text around it says."""

import io
import warnings
from collections.abc import Mapping

from PIL import Image

_LONG_SIDE = 8  # pixels
_FORMATS = frozenset(("PNG", "JPEG", "GIF", "BMP", "TIFF"))
_LEAST_BYTES = 10_000  # what has fewer costs little


def small_pictures(parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """Those of a file's parts that are pictures of pixels, small, in their own format and about their own shape."""
    small = {}
    for name, content in parts.items():
        if len(content) < _LEAST_BYTES or name.endswith((".xml", ".rels")):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(io.BytesIO(content), formats=sorted(_FORMATS)) as picture:
                    kind, (width, height) = picture.format, picture.size
        except Exception:  # Pillow's plugins raise all kinds of errors on what they don't know, or is damaged; it stays as it is
            continue
        written = io.BytesIO()
        shrink = _LONG_SIDE / max(width, height)
        Image.new("RGB", (max(1, round(width * shrink)), max(1, round(height * shrink)))).save(written, kind)
        small[name] = written.getvalue()
    return small
