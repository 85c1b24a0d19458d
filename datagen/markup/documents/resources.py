"""Images and stylesheets beside a document: found in its folder or archive alone, checked, and bounded. Nothing is fetched."""

import base64
import functools
import io
import os
import posixpath
import re
import stat
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import lxml.etree
from PIL import Image

from datagen.drawing import typefaces

MAX_IMAGE_BYTES, MAX_SVG_BYTES = 16 << 20, 1 << 20
MAX_PIXELS = 40_000_000
_MAX_SVG_SIDE = 6000
_NUMBERS = re.compile(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")
MAX_SIDE = 2000
"""The longer side of an image, in pixels; larger ones are made smaller."""
MAX_IMAGES_BYTES = 48 << 20
"""All images of a document."""
_AS_IT_IS = {"PNG": "png", "JPEG": "jpeg", "WEBP": "webp", "GIF": "gif"}
_FORMATS = (*_AS_IT_IS, "BMP", "TIFF", "ICO", "AVIF", "PPM")
_KEPT_BYTES = 2 << 20  # a larger file is written anew
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_FEW_KEPT = 32
_SVG = "http://www.w3.org/2000/svg"
_PLAIN_NAME = re.compile("(?!xmlns)[A-Za-z][A-Za-z0-9-]*")
_CAPITALS = {
    name.lower(): name
    for name in """clipPath linearGradient radialGradient textPath foreignObject feBlend feColorMatrix feComposite feDropShadow
    feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feMerge feMergeNode feMorphology feOffset feTile viewBox clipPathUnits
    gradientTransform gradientUnits lengthAdjust markerHeight markerUnits markerWidth maskContentUnits maskUnits
    patternContentUnits patternTransform patternUnits preserveAspectRatio primitiveUnits refX refY spreadMethod startOffset
    stdDeviation tableValues textLength filterUnits""".split()
}
_FACE, _FACE_FILE = "DejaVu Sans", "DejaVuSans.ttf"
_FACES: dict[str, Any] = dict.fromkeys(("font_family", "serif_family", "sans_serif_family", "monospace_family"), _FACE)

Reader = Callable[[str, int], bytes | None]
"""The content of the file at a path within a folder or archive; None if there is none, or if it has more bytes than allowed."""

Picture = tuple[str, tuple[int, int]]
"""An image as a data: URI, and its width and height in pixels as they were in the file."""


def folder_reader(root: str) -> Reader:
    """Reads plain files that lie in the folder `root` once all links are followed."""
    real_root = os.path.realpath(root)

    def read(path: str, max_bytes: int) -> bytes | None:
        real = os.path.realpath(os.path.join(real_root, path))
        if os.path.commonpath([real, real_root]) != real_root:
            return None
        try:
            fd = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (OSError, ValueError):
            return None
        with open(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode) or os.fstat(fd).st_size > max_bytes:
                return None
            return file.read()

    return read


class Resources:
    """What the document at `place`, a path within the reader's folder or archive, refers to. `left_out` counts what can't be
    had. Documents of one book share `read`, `left_out`, and the bytes that images may have in all."""

    def __init__(self, read: Reader, place: str, left_out: Counter[str], budget: list[int] | None = None):
        self.read, self.place, self.left_out = read, place, left_out
        self.folder = posixpath.dirname(place)
        self.budget = [MAX_IMAGES_BYTES] if budget is None else budget
        self._image = functools.lru_cache(_FEW_KEPT)(self._image_at)

    def rebase(self, href: str) -> None:
        """Addresses are relative to `href` from now on, as <base> says."""
        if (path := self.path(href)) is not None:
            self.folder = path if href.endswith("/") else posixpath.dirname(path)

    def path(self, href: str, within: str | None = None) -> str | None:
        """The path that an address names, relative to the folder `within` (the document's); None for one on a network, or
        outside."""
        href = href.strip()
        if _SCHEME.match(href) or href.startswith(("//", "\\")) or "\0" in href:
            return None
        name = unquote(re.split("[?#]", href, maxsplit=1)[0])
        joined = name.lstrip("/") if name.startswith("/") else posixpath.join(self.folder if within is None else within, name)
        path = posixpath.normpath(joined)
        return None if path.startswith("..") or posixpath.isabs(path) else path

    def bytes_of(self, href: str, what: str, max_bytes: int, within: str | None = None) -> bytes | None:
        """The content of an address, a data: URI too. `left_out` counts `what` with why it can't be had."""
        href = href.strip()
        if href[:5].lower() == "data:":
            return _of_data(href, max_bytes)
        path = self.path(href, within)
        if path is None:
            self.left_out[f"{what}_remote" if _SCHEME.match(href) or href.startswith("//") else f"{what}_outside"] += 1
            return None
        data = self.read(path, max_bytes)
        if data is None:
            self.left_out[f"{what}_missing"] += 1
        return data

    def image(self, href: str, within: str | None = None) -> Picture | None:
        """An image as a data: URI, and its width and height in pixels as they were in the file."""
        return self._within_budget(self._image(href, within))

    def inline_svg(self, svg: lxml.etree._Element) -> Picture | None:
        """An <svg> among HTML, drawn as a file of its own would be: the document's CSS doesn't reach into it."""
        return self._within_budget(self._counted(drawn_svg(_svg_file(svg)), "svg"))

    def _image_at(self, href: str, within: str | None) -> Picture | None:
        data = self.bytes_of(href, "image", MAX_IMAGE_BYTES, within)
        if data is None:
            return None
        if b"<svg" in data[:2000]:
            return self._counted(drawn_svg(data), "svg")
        return self._counted(checked_image(data), "image_broken")

    def _counted(self, image: Picture | None, reason: str) -> Picture | None:
        if image is None:
            self.left_out[reason] += 1
        return image

    def _within_budget(self, image: Picture | None) -> Picture | None:
        """The image, whose bytes count each time that it is shown."""
        if image is None or self.budget[0] < len(image[0]):
            self.left_out["image_too_many"] += image is not None
            return None
        self.budget[0] -= len(image[0])
        return image


def _of_data(href: str, max_bytes: int) -> bytes | None:
    head, _, body = href.partition(",")
    if len(body) > 2 * max_bytes:
        return None
    data = unquote_to_bytes(body)
    if head.lower().endswith(";base64"):
        try:
            return base64.b64decode(re.sub(rb"\s", b"", data) + b"==")
        except ValueError:
            return None
    return data


def checked_image(data: bytes) -> Picture | None:
    """The image as a data: URI, and its size; None if Pillow can't read it whole. Moving, large and rare ones are written anew,
    as PNG or JPEG."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            size, kind = image.size, image.format or ""
            if size[0] * size[1] > MAX_PIXELS:
                return None
            image.load()
            stays = kind in _AS_IT_IS and len(data) <= _KEPT_BYTES and max(size) <= MAX_SIDE
            if stays and getattr(image, "n_frames", 1) == 1:
                return _uri(_AS_IT_IS[kind], data), size
            has_alpha = image.has_transparency_data
            is_photo = kind in ("JPEG", "AVIF", "TIFF") and not has_alpha
            pixels = image.convert("RGBA" if has_alpha else "RGB")
            pixels.thumbnail((MAX_SIDE, MAX_SIDE))
            out = io.BytesIO()
            pixels.save(out, "JPEG" if is_photo else "PNG", quality=90)
            return _uri("jpeg" if is_photo else "png", out.getvalue()), size
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, OverflowError):
        return None


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _is_small(svg: lxml.etree._Element) -> bool:
    """Whether an SVG's size, as it says, can be drawn: resvg crashes over larger ones. Other units than pixels aren't far from
    them."""
    box = [float(number) for number in _NUMBERS.findall(svg.get("viewBox", ""))]
    sizes = [float(number) for name in ("width", "height") for number in _NUMBERS.findall(svg.get(name, ""))[:1]]
    return all(side <= _MAX_SVG_SIDE for side in [*box[2:], *sizes])


def _svg_file(svg: lxml.etree._Element) -> bytes:
    """An <svg> of a parsed page as a file: with the namespace and the capitals that parsing takes away."""

    def copied(element: lxml.etree._Element) -> lxml.etree._Element:
        names = {_CAPITALS.get(key, key): value for key, value in element.attrib.items() if _PLAIN_NAME.fullmatch(key)}
        copy = lxml.etree.Element(f"{{{_SVG}}}{_CAPITALS.get(element.tag, element.tag)}", names)
        copy.text = element.text
        for child in element:
            if isinstance(child.tag, str) and _PLAIN_NAME.fullmatch(child.tag):
                copy.append(copied(child))
                copy[-1].tail = child.tail
        return copy

    return lxml.etree.tostring(copied(svg), encoding="utf-8")


def drawn_svg(data: bytes) -> Picture | None:
    """The SVG as a PNG, drawn by resvg; None if it can't be drawn. It may not refer to anything but its own parts."""
    try:
        import resvg_py
    except ImportError:
        return None
    if len(data) > MAX_SVG_BYTES:
        return None
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        tree = lxml.etree.fromstring(data, parser=parser)
        if tree.getroottree().docinfo.internalDTD is not None and b"<!ENTITY" in data:
            return None
        for element in tree.iter():
            name = lxml.etree.QName(element).localname if isinstance(element.tag, str) else "entity"
            hrefs = [value for key, value in element.attrib.items() if re.split("[}:]", key)[-1] == "href"]
            if name in ("image", "foreignObject", "script", "entity") or not all(h.startswith("#") for h in hrefs if name != "a"):
                return None
        if not _is_small(tree):
            return None
        if _FACE_FILE not in typefaces.files() and next(tree.iter("{*}text"), None) is not None:
            return None  # without a typeface to fall back to, resvg leaves texts out
        png = bytes(resvg_py.svg_to_bytes(svg_string=lxml.etree.tostring(tree, encoding="unicode"), **_FACES))
    except (lxml.etree.LxmlError, ValueError, RuntimeError):
        return None
    with Image.open(io.BytesIO(png)) as image:
        is_blank = image.convert("RGBA").getchannel("A").getbbox() is None
    return None if is_blank else checked_image(png)
