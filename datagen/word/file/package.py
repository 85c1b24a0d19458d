"""Opens Word files: .docx, .odt, .doc and .rtf, told apart by their content, not by their names.

The files are strangers'. A file isn't opened if it unpacks to too much, holds images too large to draw, is encrypted or damaged,
or declares entities. Content of a .docx that would read other files, ask the network or run a program is cut out and counted
(`package_docx.py`). In an .rtf, fields become their last text, and embedded files are removed. A .doc or .odt is unchanged until
LibreOffice, which has all of that turned off, makes a .docx of it. Only the dates and names of an .odt are fixed, or they would
become today's.
"""

import contextlib
import io
import posixpath
import re
import shutil
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import olefile
from lxml import etree
from PIL import Image

from datagen.inputs.archive_members import damage
from datagen.page.images import MAX_PIXELS
from datagen.record import SampleError
from datagen.word.file import package_docx
from datagen.word.file.xml_parts import is_declared, parsed, written

Kind = Literal["docx", "odt", "doc", "rtf"]

_ENCRYPTED_MEMBER = 0x1  # in a zip member's flags
_ENCRYPTED_FIB = 0x01  # in the byte at 0x0B of the stream WordDocument
_SWELLS_FROM = 16 << 20  # bytes: a smaller part may unpack to any number of times its size
_MIMETYPE = "mimetype"
_ODT_TYPE = b"application/vnd.oasis.opendocument.text"
_ODT_MANIFEST = "META-INF/manifest.xml"
_ODT_XML = frozenset({"content.xml", "styles.xml", "meta.xml", "settings.xml", "manifest.xml"})  # other parts may be empty
_ODT_MANIFEST_NAME = "{urn:oasis:names:tc:opendocument:xmlns:manifest:1.0}"
_ODT_ENCRYPTED = [_ODT_MANIFEST_NAME + name for name in ("encryption-data", "encrypted-key")]
_ODT_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_ODT_OF_TODAY = [_ODT_TEXT + name for name in ("date", "time", "file-name", "author-name", "author-initials", "template-name")]
# Names of groups of an .rtf. Readers pass over a group whose name they don't know. LibreOffice reads the files that a field names
# while it still opens the .rtf, whatever its settings.
_RTF_CALLS = re.compile(rb"(\\\*\s*)?\\(fldinst|objdata|template|subdocument|nextfile|mailmerge|datafield)(?![a-z])")


@dataclass(frozen=True)
class Bounds:
    """The limits of a file: bytes, unpacked bytes, parts, the ratio of a part's unpacked size to its size, and pixels of one
    image and of all images."""

    max_bytes: int = 256 << 20
    max_unpacked_bytes: int = 512 << 20
    max_parts: int = 10_000
    max_ratio: float = 250.0
    max_pixels: int = MAX_PIXELS
    max_all_pixels: int = 10 * MAX_PIXELS


@dataclass(frozen=True)
class Package:
    """An opened file. `parts` are the parts of a .docx or .odt by name, without those cut out of a .docx; `signs` counts the cuts
    by name. `main` is the name of a .docx's main part."""

    kind: Kind
    path: str
    parts: dict[str, bytes] = field(default_factory=dict, repr=False)
    main: str = ""
    signs: dict[str, int] = field(default_factory=dict)

    def xml(self, name: str) -> etree._Element:
        """The root of a part, parsed anew, so the caller may change it. Raises `KeyError` and `SampleError`."""
        return parsed(self.parts[name], name)

    def write(self, path: str, replaced: Mapping[str, bytes] | None = None) -> None:
        """Write the file without the cut parts. `replaced` has other bytes for some parts, or new parts."""
        if self.kind == "doc":
            shutil.copyfile(self.path, path)
            return
        if self.kind == "rtf":
            Path(path).write_bytes(_RTF_CALLS.sub(rb"\\*\\cut", Path(self.path).read_bytes()))
            return
        parts = self.parts | dict(replaced or {})
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name in sorted(parts, key=lambda name: name != _MIMETYPE):  # the type has to come first, uncompressed
                how = zipfile.ZIP_STORED if name == _MIMETYPE else zipfile.ZIP_DEFLATED
                archive.writestr(zipfile.ZipInfo(name), parts[name], how)


def opened(path: str, bounds: Bounds = Bounds()) -> Package:
    """The file at `path`. Raises `SampleError`: `empty_file`, `not_a_word_document`, `encrypted`, `too_big`, `zip_bomb`,
    `image_bomb`, `broken_zip`, `broken_file` (of a .doc), `broken_xml`, `entities`, `unsafe_path`."""
    size = Path(path).stat().st_size
    if size == 0:
        raise SampleError("empty_file")
    if size > bounds.max_bytes:
        raise SampleError("too_big", f"{size} bytes, allowed are {bounds.max_bytes}")
    with open(path, "rb") as file:
        head = file.read(1024)
    if head.startswith(olefile.MAGIC):
        return _ole(path)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{\\rtf"):
        return Package("rtf", path)
    if not head.startswith(b"PK"):
        raise SampleError("not_a_word_document", f"begins with {head[:8]!r}")
    parts = _unzipped(path, bounds)
    if parts.get(_MIMETYPE, b"").strip() in (_ODT_TYPE, _ODT_TYPE + b"-template"):
        package = Package("odt", path, _of_odt(parts))
    else:
        signs: Counter[str] = Counter()
        main, parts = package_docx.cleaned(parts, signs)
        package = Package("docx", path, parts, main, signs)
    _check_images(package.parts, bounds)
    return package


def _ole(path: str) -> Package:
    """A .doc, or another OLE file."""
    try:
        with olefile.OleFileIO(path) as file:
            if file.exists("EncryptedPackage"):
                raise SampleError("encrypted", "needs a password")
            if not file.exists("WordDocument"):
                raise SampleError("not_a_word_document", "an OLE file without a stream WordDocument")
            with file.openstream("WordDocument") as stream:
                head = stream.read(32)
    except SampleError:
        raise
    except Exception as error:  # the library raises many kinds on damaged files
        raise SampleError("broken_file", f"{type(error).__name__}: {error}") from None
    if len(head) < 32:
        raise SampleError("broken_file", "its stream WordDocument is cut off")
    if head[0x0B] & _ENCRYPTED_FIB:
        raise SampleError("encrypted", "needs a password")
    return Package("doc", path)


def _of_odt(parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """The parts of an .odt with fixed dates and names."""
    for name in ("content.xml", _ODT_MANIFEST):
        if name not in parts:
            raise SampleError("broken_zip", f"it has no {name}")
    fixed = {}
    for name in (name for name in parts if posixpath.basename(name) in _ODT_XML):
        root = parsed(parts[name], name)
        if name == _ODT_MANIFEST and next(root.iter(*_ODT_ENCRYPTED), None) is not None:
            raise SampleError("encrypted", "needs a password")
        of_today = list(root.iter(*_ODT_OF_TODAY))
        for element in of_today:
            element.set(f"{_ODT_TEXT}fixed", "true")
        if of_today or is_declared(root):
            fixed[name] = written(root)
    return {**parts, **fixed}


def _unzipped(path: str, bounds: Bounds) -> dict[str, bytes]:
    with _zip_damage(), zipfile.ZipFile(path) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        if len(members) > bounds.max_parts:
            raise SampleError("zip_bomb", f"{len(members)} parts, allowed are {bounds.max_parts}")
        total = sum(info.file_size for info in members)
        if total > bounds.max_unpacked_bytes:
            raise SampleError("zip_bomb", f"unpacks to {total} bytes, allowed are {bounds.max_unpacked_bytes}")
        parts: dict[str, bytes] = {}
        for info in members:
            name = _checked_name(info.filename)
            if info.flag_bits & _ENCRYPTED_MEMBER:
                raise SampleError("encrypted", f"{name} needs a password")
            if info.file_size > max(_SWELLS_FROM, bounds.max_ratio * info.compress_size):
                raise SampleError("zip_bomb", f"{name}: {info.compress_size} bytes unpack to {info.file_size}")
            if name in parts:
                raise SampleError("broken_zip", f"two parts are called {name}")
            parts[name] = archive.read(info)  # at most the announced bytes: the sum is bounded
        return parts


def _checked_name(name: str) -> str:
    name = name.replace("\\", "/").lstrip("/")
    if ".." in name.split("/") or ":" in name or name != posixpath.normpath(name):
        raise SampleError("unsafe_path", name)
    return name


@contextlib.contextmanager
def _zip_damage() -> Iterator[None]:
    try:
        with damage():
            yield
    except SampleError as error:
        raise SampleError("broken_zip" if error.reason == "broken_archive" else error.reason, error.detail) from None


def _check_images(parts: Mapping[str, bytes], bounds: Bounds) -> None:
    """Raise `SampleError` (`image_bomb`) if the pixels of an image, or of all images, would take too much memory."""
    num_pixels = 0
    for name, content in parts.items():
        if name.endswith((".xml", ".rels")):
            continue
        width, height = _pixels(content)
        num_pixels += width * height
        if width * height > bounds.max_pixels:
            raise SampleError("image_bomb", f"{name}: {width} x {height} pixels, over {bounds.max_pixels:,}")
    if num_pixels > bounds.max_all_pixels:
        raise SampleError("image_bomb", f"{num_pixels:,} pixels in all images, over {bounds.max_all_pixels:,}")


def _pixels(content: bytes) -> tuple[int, int]:
    """The size of an image by its head; (0, 0) for a format that Pillow doesn't know: it draws nothing, or lines."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as image:
                return image.size if image.format not in ("WMF", "EMF") else (0, 0)
    except Image.DecompressionBombError as error:
        raise SampleError("image_bomb", str(error)) from None
    except Exception:  # Pillow's plugins raise all kinds of errors on damaged files; LibreOffice will show a gap
        return 0, 0
