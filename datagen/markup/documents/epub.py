"""EPUB books: the pages of the spine, cleaned and joined, with what lies beside them in the book."""

import posixpath
import random
import zipfile
import zlib
from collections import Counter
from typing import NamedTuple
from urllib.parse import unquote

import lxml.etree

from datagen.markup.documents.clean import Cleaner, declared, language
from datagen.markup.documents.css import bounded, document_css
from datagen.markup.documents.formulas import Formulas
from datagen.markup.documents.notes import is_reference, mark_of
from datagen.markup.documents.page import Markup, counted, parsed
from datagen.markup.documents.parse import MAX_BYTES, MAX_NODES, text_of
from datagen.markup.documents.resources import MAX_IMAGES_BYTES, Reader, Resources
from datagen.record import SampleError

MAX_ENTRIES = 20_000
_MAX_XML_BYTES = 8 << 20
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_OF_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""Algorithms that hide typefaces, which nobody reads here."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError, OverflowError)


class _Page(NamedTuple):
    path: str
    prefix: str
    tree: lxml.etree._Element
    main: lxml.etree._Element
    resources: Resources


def read_epub(path: str, draw: random.Random | None) -> Markup:
    """The book as one page, each file of its spine a <section>. A book that is too large for one page gives a run of its files,
    which begins where `draw` says. Raises `SampleError`: `broken_epub`, `encrypted`, `no_text`, `too_large`."""
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGED as error:
        raise SampleError("broken_epub", f"{type(error).__name__}: {error}") from None
    with archive:
        if len(archive.infolist()) > MAX_ENTRIES:
            raise SampleError("too_large", f"{len(archive.infolist())} files, allowed are {MAX_ENTRIES}")
        read = _reader(archive)
        _check_encryption(archive, read)
        package = _xml(read, _package_path(read))
        paths = _spine(package, posixpath.dirname(_package_path(read)))
        lang = next((name for e in package.iter("{*}language") if (name := language(e.text or ""))), "")
        left_out: Counter[str] = Counter()
        return _joined(_parsed(read, paths, draw, left_out), lang, left_out)


def _joined(pages: list[_Page], lang: str, left_out: Counter[str]) -> Markup:
    names = [(page, element) for page in pages for element in page.main.iter()]
    book = {(p.path, name): p.prefix + name for p, e in names for name in (e.get("id"), e.get("name")) if name}
    book |= {(page.path, ""): page.prefix for page in pages}
    marks: dict[str, dict[str, str]] = {page.path: {} for page in pages}
    for page, link in names:
        if link.tag == "a" and is_reference(link):
            place, _, name = link.get("href").partition("#")
            target = (page.resources.path(place) or "") if place else page.path
            marks.get(target, {}).setdefault(name, mark_of(link))
    sections, sheets, characters, direction = list[str](), list[str](), 0, ""
    formulas = Formulas(left_out)
    for page in pages:
        own_lang, own_direction = declared(page.tree, page.main)
        lang, direction = lang or own_lang, direction or own_direction
        cleaner = Cleaner(page.resources, formulas, left_out, page.prefix, book)
        content = cleaner.write(page.tree, page.main, marks[page.path])
        characters += cleaner.characters
        sheets.append(document_css(page.tree, page.resources))
        attributes = f' lang="{own_lang}"' if own_lang and own_lang != lang else ""
        attributes += f' dir="{own_direction}"' if own_direction and own_direction != direction else ""
        sections.append(f'<section id="{page.prefix}"{attributes}>{content}</section>')
    if not characters:
        raise SampleError("no_text", "no letters and digits in its pages")
    css = bounded("\n".join(sheet for sheet in dict.fromkeys(sheets) if sheet), pages[0].resources)
    return Markup("\n".join(sections), css, lang, direction, counted(left_out))


def _parsed(read: Reader, paths: list[str], draw: random.Random | None, left_out: Counter[str]) -> list[_Page]:
    """The pages of the spine; if they have too many elements for one document, as many of them in a row as it can have."""
    pages: list[_Page] = []
    budget, nodes, first = [MAX_IMAGES_BYTES], 0, 0
    sizes = [len(read(path, MAX_BYTES) or b"") for path in paths]
    if draw is not None and sum(sizes) > MAX_BYTES:
        first = draw.randrange(len(paths))
    room = MAX_BYTES
    for number, path in list(enumerate(paths))[first:]:
        data = read(path, MAX_BYTES)
        if data is None:
            left_out["page_missing"] += 1
            continue
        room -= len(data)
        if room < 0:
            break
        resources = Resources(read, path, left_out, budget)
        try:
            tree, main = parsed(text_of(data, left_out), resources)
        except SampleError as error:
            left_out[f"page_{error.reason}"] += 1
            continue
        nodes += sum(1 for _ in tree.iter())
        if nodes > MAX_NODES:
            break
        pages.append(_Page(path, f"p{number}-", tree, main, resources))
    left_out["page_too_many"] += len(paths) - len(pages) - sum(left_out[n] for n in left_out if n.startswith("page_"))
    if not pages:
        raise SampleError("no_text", f"none of its {len(paths)} pages can be read: {counted(left_out)}")
    return pages


def _package_path(read: Reader) -> str:
    for root in _xml(read, "META-INF/container.xml").iter("{*}rootfile"):
        if path := root.get("full-path"):
            return posixpath.normpath(path)
    raise SampleError("broken_epub", "its container names no package")


def _spine(package: lxml.etree._Element, folder: str) -> list[str]:
    """The paths of the book's pages in reading order, those beside it (`linear="no"`) last: some have notes."""
    items = {item.get("id"): item for item in package.iter("{*}item")}
    refs = sorted(package.iter("{*}itemref"), key=lambda ref: ref.get("linear") == "no")
    entries = [items[ref.get("idref")] for ref in refs if ref.get("idref") in items]
    hrefs = [item.get("href", "") for item in entries if item.get("media-type", _PAGES[0]) in _PAGES]
    paths = [posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0]))) for href in hrefs if href]
    if not paths:
        raise SampleError("broken_epub", "its spine names no pages")
    return list(dict.fromkeys(paths))


def _check_encryption(archive: zipfile.ZipFile, read: Reader) -> None:
    """Raises `SampleError` (`encrypted`) if more than typefaces are."""
    if any(info.flag_bits & 0x1 for info in archive.infolist()):
        raise SampleError("encrypted", "with a password")
    if read("META-INF/encryption.xml", _MAX_XML_BYTES) is not None:
        for method in _xml(read, "META-INF/encryption.xml").iter("{*}EncryptionMethod"):
            if method.get("Algorithm") not in _OF_FONTS:
                raise SampleError("encrypted", f"by {method.get('Algorithm')}")


def _xml(read: Reader, path: str) -> lxml.etree._Element:
    data = read(path, _MAX_XML_BYTES)
    if data is None:
        raise SampleError("broken_epub", f"no {path}, or one of over {_MAX_XML_BYTES} bytes")
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        return lxml.etree.fromstring(data, parser=parser)
    except lxml.etree.LxmlError as error:
        raise SampleError("broken_epub", f"{path}: {error}") from None


def _reader(archive: zipfile.ZipFile) -> Reader:
    def read(path: str, max_bytes: int) -> bytes | None:
        """A file of the book. What its header says of its size may be a lie."""
        try:
            with archive.open(path) as file:
                data = file.read(max_bytes + 1)
        except (KeyError, RuntimeError, *_DAMAGED):  # RuntimeError for one with a password
            return None
        return data if len(data) <= max_bytes else None

    return read
