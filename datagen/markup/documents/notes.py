"""Footnotes and endnotes: the references to them and the notes, in the forms of EPUB, Pandoc, Sphinx, Markdown, DocBook and
Wikipedia."""

import lxml.etree

from datagen.markup.documents.parse import classes_of

_REFERENCE_CLASSES = {"footnote-ref", "footnote-reference", "footnoteref", "noteref", "footnote", "note-ref"}
_REFERENCE_TYPES = {"noteref", "doc-noteref"}
_NOTE_TYPES = {"footnote", "endnote", "rearnote", "doc-footnote", "doc-endnote"}
_BACK_CLASSES = {"footnote-back", "footnote-backref", "fn-backref", "mw-cite-backlink", "footnote-backlink", "backrefs"}
_SEPARATORS = {"footnotes-sep"}
_NOTE_TAGS = {"li", "div", "p", "aside", "dt", "tr", "table", "section", "td", "span"}
_LIST_CLASSES = {"footnotes", "footnotes-list", "references", "footnote", "footnote-list"}
_MAX_MARK = 12  # characters of a reference: longer ones are links with text


def is_reference(link: lxml.etree._Element) -> bool:
    """Whether a link is a note's mark in the text."""
    parent = link.getparent()
    above = classes_of(parent) if parent is not None and parent.tag in ("sup", "span") else set()
    near = classes_of(link) | above
    kinds = {link.get("role", ""), *link.get("epub-type", "").split()}
    if not link.get("href", "").count("#") or near & _BACK_CLASSES or len(mark_of(link)) > _MAX_MARK:
        return False
    return bool(kinds & _REFERENCE_TYPES or near & _REFERENCE_CLASSES or "reference" in above)  # Wikipedia has it above


def mark_of(link: lxml.etree._Element) -> str:
    return " ".join("".join(link.itertext()).split())


def _bare(mark: str) -> str:
    return mark.strip("[]()^. ")


def mark_notes(tree: lxml.etree._Element, marks: dict[str, str]) -> set[lxml.etree._Element]:
    """Make each note an <aside role="doc-footnote"> that begins with its mark. `marks` maps the ids that references name to their
    marks. Returns the elements that are cut: links back to the text."""
    cut: set[lxml.etree._Element] = set()
    for element in list(tree.iter()):
        if not isinstance(element.tag, str):
            continue
        kinds = {element.get("role", ""), *element.get("epub-type", "").split()}
        name = element.get("id") or (element.get("name") if element.tag == "a" else None) or ""
        note = element if element.tag in _NOTE_TAGS else None
        if note is not None and note.tag == "dt":
            note = _definition(note)
        if note is None or not ((name and name in marks) or kinds & _NOTE_TYPES):
            leads_back = classes_of(element) & _BACK_CLASSES or kinds & {"doc-backlink", "backlink"}
            # Sphinx makes a link of a citation's label.
            if classes_of(element) & _SEPARATORS or (
                leads_back and (element.tag != "a" or not any(map(str.isalnum, mark_of(element))))
            ):
                cut.add(element)
            continue
        cut |= _make_note(note, name, marks.get(name, ""))
    return cut


def _definition(label: lxml.etree._Element) -> lxml.etree._Element | None:
    """The <dd> behind a <dt> that is a note's label, as older Sphinx has it."""
    following = label.getnext()
    return following if following is not None and following.tag == "dd" and "label" in classes_of(label) else None


def _make_note(note: lxml.etree._Element, name: str, mark: str) -> set[lxml.etree._Element]:
    links = [e for e in note.iter("a", "span", "sup") if classes_of(e) & _BACK_CLASSES or e.get("role") == "doc-backlink"]
    cut = {link for link in links if note.tag == "dd" or _bare(mark_of(link)) != _bare(mark)}  # else it is the note's mark
    label = note.getprevious() if note.tag == "dd" else None
    if label is not None:
        label.attrib.pop("id", None)
        cut.add(label)
    for row in note.iter("tr", "td", "tbody", "table", "colgroup", "col") if note.tag in ("table", "tr") else ():
        row.tag = "div" if row.tag != "td" else "span"
    parent = note.getparent()
    while parent is not None and (parent.tag in ("ol", "ul", "dl") or classes_of(parent) & _LIST_CLASSES):
        parent.tag = "div"
        parent.attrib.pop("role", None)
        parent = parent.getparent()
    note.tag = "aside"
    note.set("role", "doc-footnote")
    if name:
        note.set("id", name)
    text = mark_of(note)
    for link in note.iter():
        if link in cut:
            text = text.removeprefix(mark_of(link)).lstrip()
    if mark and not text.startswith((mark, _bare(mark), f"[{_bare(mark)}")):
        first = next((child for child in note if child.tag in ("p", "div") and not (note.text or "").strip()), note)
        sign = lxml.etree.Element("sup")
        sign.text, sign.tail, first.text = mark, " " + (first.text or "").lstrip(), None
        first.insert(0, sign)
    return cut
