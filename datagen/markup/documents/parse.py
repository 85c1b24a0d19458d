"""Bytes of HTML or XHTML as a tree of bounded size, whose elements have lower-case names without namespaces."""

import codecs
import re
from collections import Counter
from html.entities import html5

import lxml.etree
import lxml.html

from datagen.record import SampleError

MAX_BYTES = 16 << 20
MAX_NODES = 200_000
MAX_ATTRIBUTES = 1000
"""Of one element: lxml takes the square of their number to read them."""
MAX_DEPTH = 250
"""Of elements in each other: the functions that walk over a tree call themselves."""
_DECLARED = re.compile(
    rb"""<meta[^>]{0,500}?charset\s*=\s*["']?\s*([\w:.-]{1,40})|^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w:.-]{1,40})""", re.I
)
_HEAD_BYTES = 4096  # in which a charset is looked for: browsers look at 1024, and scripts come before it in some files
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Browsers read these names as a larger charset.
# fmt: off
_WIDER = {
    "iso8859-1": "cp1252", "ascii": "utf-8", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "euc_kr": "cp949", "shift_jis": "cp932",
    "utf-16": "utf-8", "utf-16-le": "utf-8", "utf-16-be": "utf-8",
}
# fmt: on
_CHARSETS = re.compile(
    r"utf-8|utf-16(-[lb]e)?|iso8859-\d+|cp\d+|koi8[-_][rtu]|gb\w+|big5\w*|euc_\w+|shift_jis\w*|iso2022_\w+|tis-620|mac-\w+|ascii"
)
_WESTERN_SHARE = 0.1  # of bytes beyond ASCII, at most, in Western text; in other texts most letters are such
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_ENTITY = re.compile(r"&(\w{2,31};)")
_DOCTYPE = re.compile(r"<!DOCTYPE[^>\[]*(\[.*?\]\s*)?>", re.I | re.S)
_DOCTYPE_CHARS = 16_384
_XHTML = re.compile(r"\s*(<\?xml|<!DOCTYPE[^>]*XHTML|<html[^>]*xmlns)", re.I)


def text_of(data: bytes, left_out: Counter[str]) -> str:
    """The text of a file: by its byte order mark, the charset that it declares, else UTF-8, else Western. `left_out` counts
    characters that can't be read. Raises `SampleError` (`too_large`, `broken_charset`)."""
    if len(data) > MAX_BYTES:
        raise SampleError("too_large", f"{len(data)} bytes, allowed are {MAX_BYTES}")
    declared, data = _declared(data)
    for charset in dict.fromkeys([*([declared] if declared else []), "utf-8"]):
        try:
            return _CONTROLS.sub("", data.decode(charset))
        except UnicodeDecodeError:
            pass
    if not declared:
        if sum(byte > 127 for byte in data) > _WESTERN_SHARE * len(data):
            raise SampleError("broken_charset", "no declared charset, and not UTF-8")
        declared = "cp1252"
    text = data.decode(declared, errors="replace")
    left_out["undecodable"] += text.count("\ufffd")
    if text.count("\ufffd") > 0.001 * len(text):
        raise SampleError("broken_charset", f"declared as {declared}, and {text.count(chr(0xFFFD))} characters are not in it")
    return _CONTROLS.sub("", text)


def _declared(data: bytes) -> tuple[str, bytes]:
    """The charset that the file declares in one of the names that we know, else ""; and its bytes without their mark."""
    for bom, charset in _BOMS:
        if data.startswith(bom):
            return charset, data[len(bom) :]
    if match := _DECLARED.search(data[:_HEAD_BYTES]):
        try:
            name = codecs.lookup((match[1] or match[2]).decode()).name
        except (LookupError, UnicodeDecodeError):
            return "", data
        name = _WIDER.get(name, name)
        return (name if _CHARSETS.fullmatch(name) else ""), data
    return "", data


def tree_of(text: str) -> lxml.etree._Element:
    """The <html> element. XHTML that is well-formed is parsed as XML, all other text as HTML. No entity beside those of HTML is
    resolved. Raises `SampleError` (`no_text`, `too_many_nodes`, `too_many_attributes`, `too_deep`)."""
    if text.count("<") > 2 * MAX_NODES + 2:
        raise SampleError("too_many_nodes", f"over {MAX_NODES}")
    tree = _xml(text) if _XHTML.match(text) else None
    if tree is None:
        data = re.sub(r"^\s*<\?xml[^>]*\?>", "", text).encode()
        parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True, no_network=True)
        try:
            tree = lxml.html.document_fromstring(data, parser=parser)
        except lxml.etree.ParserError:
            raise SampleError("no_text", "an empty document") from None
    depth = deepest = nodes = 0
    for event, element in lxml.etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if event == "start":
            deepest, nodes = max(deepest, depth), nodes + 1
            if len(element.attrib) > MAX_ATTRIBUTES:
                raise SampleError("too_many_attributes", f"{len(element.attrib)}, allowed are {MAX_ATTRIBUTES}")
            if isinstance(element.tag, str):
                _without_namespaces(element)
    if nodes > MAX_NODES:
        raise SampleError("too_many_nodes", f"{nodes}, allowed are {MAX_NODES}")
    if deepest > MAX_DEPTH:
        raise SampleError("too_deep", f"{deepest} elements in each other, allowed are {MAX_DEPTH}")
    return tree


def _xml(text: str) -> lxml.etree._Element | None:
    """The root of XHTML; None if it isn't well-formed, or another language. Its DOCTYPE, the place of entity bombs, is cut."""
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    text = _ENTITY.sub(_entity, _DOCTYPE.sub("", text[:_DOCTYPE_CHARS], count=1) + text[_DOCTYPE_CHARS:])
    if "<!ENTITY" in text:
        return None
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        tree = lxml.etree.fromstring(text.encode(), parser=parser)
    except lxml.etree.XMLSyntaxError:
        return None
    return tree if lxml.etree.QName(tree).localname.lower() == "html" else None


def _entity(match: re.Match[str]) -> str:
    named = html5.get(match[1])
    return match[0] if named is None or named in "&<>\"'" else named


# By the last part of the namespace in XML, or by the prefix in HTML.
_PLAIN_NAMES = {
    **dict.fromkeys(["{namespace}lang", "xml:lang"], "lang"),
    **dict.fromkeys(["{ops}type", "epub:type"], "epub-type"),
    **dict.fromkeys(["{xlink}href", "xlink:href"], "href"),
}


def _without_namespaces(element: lxml.etree._Element) -> None:
    name = element.tag.rpartition("}")[2].rpartition(":")[2].lower()
    if name != element.tag:
        element.tag = name
    for key in element.attrib:
        plain = _PLAIN_NAMES.get(re.sub(r"\{.*/", "{", key))
        if plain and plain not in element.attrib:
            element.attrib[plain] = element.attrib[key]


def classes_of(element: lxml.etree._Element) -> set[str]:
    return set(element.get("class", "").split())
