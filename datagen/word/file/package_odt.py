"""What an .odt may hold: its own parts, pictures and formulas. What it links to elsewhere, runs or embeds is cut out.

Hyperlinks stay, since nobody follows them. Dates and names of files stay as the file has them, and don't become today's.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Mapping
from urllib.parse import unquote

from lxml import etree

from datagen.record import SampleError
from datagen.word.file.xml_parts import is_declared, local_name, parsed, remove, written

_TYPE = b"application/vnd.oasis.opendocument.text"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_MANIFEST_PART = "META-INF/manifest.xml"
_MANIFEST = "{urn:oasis:names:tc:opendocument:xmlns:manifest:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OF_TODAY = frozenset(_TEXT + name for name in ("date", "time", "file-name", "author-name", "author-initials", "template-name"))
_SCRIPT = "urn:oasis:names:tc:opendocument:xmlns:script:1.0"
# A formula or a chart is a folder of XML parts; what is no XML there is another program's file.
_WRITTEN = re.compile(
    r"mimetype|(content|styles|meta|settings)\.xml|META-INF/manifest\.xml|Pictures/[^/]+|media/[^/]+|ObjectReplacements/[^/]+|"
    r"Fonts/[^/]+|[^/]+/(Pictures/[^/]+|(content|styles|meta|settings)\.xml)"
)
_HARMLESS = re.compile(r"(.*/)?(Thumbnails/.*|Configurations2/.*|META-INF/.*|layout-cache|manifest\.rdf|versions\.xml)")
_CUT = frozenset(
    "scripts event-listeners section-source dde-source dde-connection-decls dde-connection dde-connection-decl plugin applet "
    "floating-frame object-ole execute-macro auto-reload template database-display database-next database-row-select "
    "database-row-number database-name forms".split()
)


def is_odt(parts: Mapping[str, bytes]) -> bool:
    """Whether a zip of these parts is a text of OpenDocument, a template included."""
    return parts.get("mimetype", b"").strip() in (_TYPE, _TYPE + b"-template")


def cleaned(parts: Mapping[str, bytes], signs: Counter[str]) -> dict[str, bytes]:
    """The parts that are written. `signs` gets the counts of what was cut out. Raises `SampleError`: `broken_zip` if a part is
    missing, `encrypted`, `broken_xml`, `entities`, `too_big`."""
    for name in ("content.xml", _MANIFEST_PART):
        if name not in parts:
            raise SampleError("broken_zip", f"it has no {name}")
    manifest = parsed(parts[_MANIFEST_PART], _MANIFEST_PART)
    if next(manifest.iter(f"{_MANIFEST}encryption-data", f"{_MANIFEST}encrypted-key"), None) is not None:
        raise SampleError("encrypted", "needs a password")
    chosen = {name: content for name, content in parts.items() if _WRITTEN.fullmatch(name)}
    for element in list(manifest):
        name = element.get(f"{_MANIFEST}full-path", "")
        if not name.endswith("/") and name not in chosen:
            manifest.remove(element)
        elif name == "/":
            element.set(f"{_MANIFEST}media-type", _TYPE.decode())
    for name in parts:
        if name not in chosen and not _HARMLESS.fullmatch(name):
            signs["cut_embedded_part"] += 1
    chosen["mimetype"], chosen[_MANIFEST_PART] = _TYPE, written(manifest)
    for name in [name for name in chosen if name.endswith(".xml") and name != _MANIFEST_PART]:
        chosen[name] = _clean_xml(chosen[name], name, chosen, signs)
    return chosen


def _clean_xml(xml: bytes, name: str, parts: Mapping[str, bytes], signs: Counter[str]) -> bytes:
    root = parsed(xml, name)
    changes = int(is_declared(root))
    for element in list(root.iter(etree.Element)):
        if local_name(element) in _CUT or etree.QName(element).namespace == _SCRIPT:
            if len(element) or element.attrib:
                signs[f"cut_{local_name(element)}"] += 1
            remove(element)
            changes += 1
        elif local_name(element) != "a" and not _is_within(element.get(_XLINK, "#"), name, parts):
            signs[f"cut_link_of_{local_name(element)}"] += 1
            del element.attrib[_XLINK]
            changes += 1
        elif element.tag in _OF_TODAY:
            element.set(f"{_TEXT}fixed", "true")
            changes += 1
    return written(root) if changes else xml


def _is_within(address: str, source: str, parts: Mapping[str, bytes]) -> bool:
    """Whether an address in the part `source` leads to a place of the same file."""
    if address.startswith("#"):
        return True
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), unquote(address)))
    return ":" not in address and (path in parts or any(part.startswith(path + "/") for part in parts))
