"""Clean a .docx. It keeps the parts that its text refers to by references of known kinds, and fields that fetch nothing.

All other references are cut out with their targets: templates, images and objects that lie elsewhere, parts of other documents,
embedded files and programs, macros, controls, data sources. Hyperlinks stay, since nobody follows them. A part to which nothing
refers any more isn't written.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from lxml import etree

from datagen.record import SampleError
from datagen.word.file.names import O, R, V, W
from datagen.word.file.xml_parts import is_declared, local_name, parsed, remove, unwrap, written

_TYPES_PART = "[Content_Types].xml"
# Strict Office Open XML has the same elements in namespaces of its own.
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(officeDocument|wordprocessingml|drawingml)/")
_STRICT_NAMES = {b"/extendedProperties": b"/extended-properties", b"/customProperties": b"/custom-properties"}
_REFERENCE_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_NO_REFERENCES = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"/>'
_DOCUMENT_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
# Documents and templates, with macros and without.
_IS_WORD = re.compile(
    r"application/(vnd\.openxmlformats-officedocument\.wordprocessingml\.(document|template)|"
    r"vnd\.ms-word\.(document|template)\.macroEnabled(Template)?)\.main\+xml",
    re.IGNORECASE,
)
_KNOWN = frozenset(
    "officeDocument core-properties extended-properties custom-properties styles stylesWithEffects numbering settings "
    "webSettings fontTable font theme themeOverride footnotes endnotes header footer comments image hyperlink chart "
    "chartUserShapes chartStyle chartColorStyle diagramData diagramLayout diagramQuickStyle diagramColors diagramDrawing".split()
)
# An element of these names is of no use without the target of its reference, and is cut out with it. Other elements, such as a
# picture, stay.
_GO_WITH_IT = frozenset(
    "altChunk subDoc attachedTemplate control externalData frame sourceFileName svgBlip headerReference footerReference "
    "headerSource dataSource src printerSettings".split()
)
_SETTINGS_CUT = frozenset({"attachedTemplate", "mailMerge", "saveThroughXslt"})
# Fields that fetch or run something, and fields whose text depends on the day or the machine, with which a page would change.
_CUT_FIELDS = frozenset(
    "DATABASE DDE DDEAUTO HTMLACTIVEX IMPORT INCLUDE INCLUDEPICTURE INCLUDETEXT LINK MACROBUTTON RD AUTOTEXT AUTOTEXTLIST "
    "GLOSSARY ASK FILLIN PRINT ADDIN CONTROL DATE TIME FILENAME TEMPLATE USERNAME USERINITIALS USERADDRESS".split()
)


class Reference(NamedTuple):
    """One relationship of a part: `target` is a part's name, or an address if `is_external`."""

    id: str
    kind: str
    target: str
    is_external: bool


def cleaned(parts: Mapping[str, bytes], signs: Counter[str]) -> tuple[str, dict[str, bytes]]:
    """The name of the main part, and the parts that are written. `signs` gets counts of the things that were cut out. Raises
    `SampleError`: `not_a_word_document`, `broken_zip` if a part is missing, `broken_xml`, `entities`, `too_big`."""
    parts = {name: _transitional(content) if _is_xml(name, content) else content for name, content in parts.items()}
    main = _main_part(parts)
    chosen: dict[str, bytes] = {}
    waiting = [""]
    while waiting:
        source = waiting.pop()
        targets = _clean_part(parts, source, chosen, signs)
        waiting += [target for target in targets if target not in chosen and target in parts and target not in waiting]
    chosen[_TYPES_PART] = _types(parts, chosen, main)
    return main, chosen


def related(parts: Mapping[str, bytes], source: str) -> dict[str, tuple[str, str]]:
    """The references of a part by id: each one's kind, such as "header" or "image", and its target part; for a "hyperlink" the
    address, if it isn't in the file."""
    name = _rels_name(source)
    if name not in parts:
        return {}
    root = parsed(parts[name], name)
    return {ref.id: (ref.kind, ref.target) for ref in (_reference(e, source) for e in _relationships(root))}


def with_part(parts: Mapping[str, bytes], main: str, kind: str, content: bytes) -> dict[str, bytes]:
    """A new part of a kind such as "styles", and the parts that change with it: the main part's references and the list of
    types."""
    name, rels = posixpath.join(posixpath.dirname(main), f"{kind}-{len(parts)}.xml"), _rels_name(main)
    references = parsed(parts.get(rels, _NO_REFERENCES), rels)
    reference = {"Id": f"rId{kind}{len(references)}", "Type": _REFERENCE_TYPE + kind, "Target": f"/{name}"}
    etree.SubElement(references, f"{{{etree.QName(references).namespace}}}Relationship", reference)
    types = parsed(parts[_TYPES_PART], _TYPES_PART)
    override = {
        "PartName": f"/{name}",
        "ContentType": f"application/vnd.openxmlformats-officedocument.wordprocessingml.{kind}+xml",
    }
    etree.SubElement(types, f"{{{etree.QName(types).namespace}}}Override", override)
    return {name: content, rels: written(references), _TYPES_PART: written(types)}


def _transitional(xml: bytes) -> bytes:
    """The part in the usual namespaces, those of transitional Office Open XML."""
    if _STRICT.search(xml) is None:
        return xml
    for strict, usual in _STRICT_NAMES.items():
        xml = xml.replace(strict, usual)
    return _STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/", xml)


def _main_part(parts: Mapping[str, bytes]) -> str:
    if _TYPES_PART not in parts or "_rels/.rels" not in parts:
        raise SampleError("not_a_word_document", "a zip, but no Office file")
    main = next((target for kind, target in related(parts, "").values() if kind == "officeDocument"), "")
    content_type = _type_of(parsed(parts[_TYPES_PART], _TYPES_PART), main)
    if not _IS_WORD.fullmatch(content_type):
        raise SampleError("not_a_word_document", f"its main part is {content_type or 'of no type'}")
    if main not in parts:
        raise SampleError("broken_zip", f"its main part is missing: {main}")
    return main


def _type_of(types: etree._Element, name: str) -> str:
    by_suffix = ""
    for element in types:
        if local_name(element) == "Override" and element.get("PartName", "").lstrip("/").lower() == name.lower():
            return str(element.get("ContentType", ""))
        if local_name(element) == "Default" and name.lower().endswith("." + element.get("Extension", "").lower()):
            by_suffix = element.get("ContentType", "")
    return by_suffix


def _types(parts: Mapping[str, bytes], chosen: Mapping[str, bytes], main: str) -> bytes:
    """The types of the parts that are left. The main part gets the type of a document without macros."""
    types = parsed(parts[_TYPES_PART], _TYPES_PART)
    for element in list(types):
        name = element.get("PartName", "").lstrip("/") if local_name(element) == "Override" else None
        if name == main or (name is not None and name not in chosen):
            types.remove(element)
    namespace = etree.QName(types).namespace
    etree.SubElement(types, f"{{{namespace}}}Override", PartName="/" + main, ContentType=_DOCUMENT_TYPE)
    return written(types)


def _rels_name(source: str) -> str:
    folder, name = posixpath.split(source)
    return posixpath.join(folder, "_rels", name + ".rels")


def _relationships(root: etree._Element) -> list[etree._Element]:
    return [element for element in root if local_name(element) == "Relationship"]


def _reference(element: etree._Element, source: str) -> Reference:
    target, kind = element.get("Target", ""), element.get("Type", "").rpartition("/")[2]
    is_external = element.get("TargetMode", "") == "External"
    if not is_external:
        path = unquote(target.partition("#")[0]).replace("\\", "/")
        target = posixpath.normpath(posixpath.join("/", posixpath.dirname(source), path)).lstrip("/")
    return Reference(element.get("Id", ""), kind, target, is_external)


def _clean_part(parts: Mapping[str, bytes], source: str, chosen: dict[str, bytes], signs: Counter[str]) -> list[str]:
    """Put the cleaned part and its references into `chosen`. Returns the names of the parts to which the part still refers."""
    targets, cut = [], set()
    rels = _rels_name(source)
    if rels in parts:
        root = parsed(parts[rels], rels)
        for element in _relationships(root):
            reference = _reference(element, source)
            if _is_written(reference, parts):
                targets += [] if reference.is_external else [reference.target]
            else:
                cut.add(reference.id)
                root.remove(element)
                where = "external" if reference.is_external else "embedded"
                signs[f"cut_{where}_{re.sub('[^A-Za-z0-9]', '', reference.kind)[:40] or 'part'}"] += 1
        chosen[rels] = written(root) if cut else parts[rels]
    if source:
        chosen[source] = _clean_xml(parts[source], source, cut, signs) if _is_xml(source, parts[source]) else parts[source]
    return targets


def _is_written(reference: Reference, parts: Mapping[str, bytes]) -> bool:
    if reference.is_external:
        return reference.kind == "hyperlink"
    if reference.kind not in _KNOWN or reference.target not in parts:
        return reference.kind == "hyperlink"
    return reference.kind != "image" or _is_picture(parts[reference.target])


def _is_picture(content: bytes) -> bool:
    """Whether the content is pixels or a metafile. LibreOffice hands PostScript to other programs, and an SVG may name files."""
    heads = (
        b"\x89PNG",
        b"\xff\xd8\xff",
        b"GIF8",
        b"BM",
        b"II*\0",
        b"MM\0*",
        b"\xd7\xcd\xc6\x9a",
        b"\x01\0\x09\0",
        b"\x02\0\x09\0",
    )
    return content.startswith(heads) or content[40:44] == b" EMF" or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")


def _is_xml(name: str, content: bytes) -> bool:
    return name.lower().endswith((".xml", ".vml", ".rels")) or content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml")


def _clean_xml(xml: bytes, name: str, cut: set[str], signs: Counter[str]) -> bytes:
    root = parsed(xml, name)
    changes = is_declared(root) + _cut_references(root, cut) + _cut_addresses(root) + _cut_fields(root, signs)
    if local_name(root) == "settings":
        for element in [e for e in root if local_name(e) in _SETTINGS_CUT]:
            remove(element)
            changes += 1
    return written(root) if changes else xml


def _cut_references(root: etree._Element, cut: set[str]) -> int:
    """Take out the attributes that name a `cut` reference, and elements that are of no use without it. An embedded object loses
    its file and keeps its picture. Returns the number of changes."""
    changes = 0
    for element in list(root.iter()) if cut else ():
        names = [name for name, value in element.attrib.items() if name.startswith(R) and value in cut]
        for name in names:
            del element.attrib[name]
        if names and local_name(element) in _GO_WITH_IT:
            remove(element)
        changes += len(names)
    return changes


def _cut_addresses(root: etree._Element) -> int:
    """Take out the addresses in a drawing's own attributes. Returns the number of changes."""
    changes = 0
    for element in root.iter(f"{V}*"):
        for name in ("src", "althref", f"{O}href", f"{O}althref"):
            if name in element.attrib:
                del element.attrib[name]
                changes += 1
    return changes


class _Field:
    """A field: its instruction, and the elements that make it a field."""

    def __init__(self) -> None:
        self.instruction = ""
        self.marks: list[etree._Element] = []
        self.has_result = False


def _cut_fields(root: etree._Element, signs: Counter[str]) -> int:
    """Turn the fields that aren't written into plain text, the text that they showed last. Returns their number."""
    cut: list[str] = []
    for element in list(root.iter(f"{W}fldSimple")):
        if name := _cut_name(element.get(f"{W}instr", "")):
            cut.append(name)
            unwrap(element)
    for field in _fields(root):
        if name := _cut_name(field.instruction):
            cut.append(name)
            for mark in field.marks:
                remove(mark)
    signs.update(f"cut_field_{name}" for name in cut)
    return len(cut)


def _fields(root: etree._Element) -> list[_Field]:
    """The fields of a part in the order of their ends. Fields without an end come last: LibreOffice may still read them."""
    ended: list[_Field] = []
    stack: list[_Field] = []
    for element in root.iter(f"{W}fldChar", f"{W}instrText", f"{W}t", f"{W}delInstrText"):
        is_mark = element.tag == f"{W}fldChar"
        kind = element.get(f"{W}fldCharType", "") if is_mark else ""
        if kind == "begin":
            stack.append(_Field())
        if not stack:
            continue
        field = stack[-1]
        for outer in stack:  # a field within another one's instruction goes with the instruction
            if not outer.has_result or (outer is field and is_mark):
                outer.marks.append(element)
        if not is_mark and not field.has_result:
            field.instruction += element.text or ""
        field.has_result |= kind == "separate"
        if kind == "end":
            ended.append(stack.pop())
            if stack and not stack[-1].has_result and not _cut_name(field.instruction):  # a field that is cut leaves no gap
                stack[-1].instruction += " "
    return ended + stack


def _cut_name(instruction: str) -> str:
    """The field's name, if fields of this name are cut out, else ""."""
    words = instruction.split(None, 1)
    name = words[0].upper() if words else ""
    return name if name in _CUT_FIELDS else ""
