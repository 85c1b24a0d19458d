"""Pictures reduced to the pixels that a page's image shows: LibreOffice takes up to a third of a document's time for larger
ones."""

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from lxml import etree
from PIL import Image

from datagen.word.file.names import A, R, V

_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_PIC = "{http://schemas.openxmlformats.org/drawingml/2006/picture}"
_EMU_PT = 12_700
_PAGE_PT = 792.0  # the longer side of a page: US Letter's
_SPARE = 1.2  # a picture keeps at least so many times the pixels that the page's image shows
_FORMATS = ("PNG", "JPEG")
_MODES = ("RGB", "RGBA", "L")
_JPEG_QUALITY = 92


class Shown(NamedTuple):
    """A picture that a part shows: the name of the picture's part, and its width and height in points, 0 if unknown."""

    part: str
    width: float
    height: float


def shown_pictures(root: etree._Element, related: Mapping[str, tuple[str, str]]) -> Iterator[Shown]:
    """The pictures in a part with this root. `related` is the result of `package_docx.related`."""
    for blip in root.iter(A + "blip"):
        _, part = related.get(blip.get(R + "embed", ""), ("", ""))
        picture = next(blip.iterancestors(_PIC + "pic"), None)
        frame = next(blip.iterancestors(_WP + "inline", _WP + "anchor"), None)
        extent = frame.find(_WP + "extent") if frame is not None else None
        is_alone = picture is not None and frame is not None and picture.getparent() is frame.find(f"{A}graphic/{A}graphicData")
        is_cropped = picture is not None and any(crop.attrib for crop in picture.iter(A + "srcRect"))
        if extent is None or not is_alone or is_cropped:
            yield Shown(part, 0, 0)
        else:
            yield Shown(part, _points(extent.get("cx")), _points(extent.get("cy")))
    for image in root.iter(V + "imagedata"):
        yield Shown(related.get(image.get(R + "id", ""), ("", ""))[1], 0, 0)


def fitting_pictures(parts: Mapping[str, bytes], pictures: Sequence[Shown], long_side: int) -> dict[str, bytes]:
    """Smaller versions of the file's pictures that have more pixels than a page's image of `long_side` pixels shows, by part."""
    needed: dict[str, float] = {}
    unknown = {picture.part for picture in pictures if not picture.width or not picture.height}
    for part, width, height in pictures:
        needed[part] = max(needed.get(part, 0), width, height)
    pixels_pt = _SPARE * long_side / _PAGE_PT
    fitting = {}
    for part in sorted(needed.keys() - unknown):
        if part in parts and (small := _reduced(parts[part], pixels_pt * needed[part])) is not None:
            fitting[part] = small
    return fitting


def _reduced(content: bytes, pixels: float) -> bytes | None:
    """A picture reduced by a whole factor, so that its longer side has at least `pixels`; None if it stays as it is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
                times = int(max(opened.size) / pixels)
                kind = opened.format
                if times < 2 or opened.mode not in _MODES:
                    return None
                is_clear = opened.mode == "RGBA"
                small = (opened.convert("RGBa") if is_clear else opened).reduce(times)
                small = small.convert("RGBA") if is_clear else small
                written = io.BytesIO()
                small.save(written, kind, quality=_JPEG_QUALITY, compress_level=1)
                return written.getvalue()
    except Exception:  # Pillow's plugins raise all kinds of errors on damaged files; the picture stays as it is
        return None


def _points(emu: str | None) -> float:
    return max(0, int(emu)) / _EMU_PT if emu is not None and emu.isascii() and emu.isdigit() else 0
