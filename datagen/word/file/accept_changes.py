"""Accept the tracked changes of a part of a Word file, take its comments out, and keep one of several alternatives. Then the text
that is read is the text that is rendered.

Content controls, smart tags and custom XML go; their contents stay. LibreOffice would put a control's text into a form field,
which has no letters on the page, or take the text from bound data. Fields go, too, and the text that they showed last stays, as
in Word: a tagged PDF gives no style for the text of links and for text that LibreOffice makes anew. Check boxes and lists of
forms become text. In heads and feet only check boxes, lists, links and tables of contents go. Line numbers in the margin go
everywhere.
"""

from collections import Counter

from lxml import etree

from datagen.word.file.fields import Field, Fields
from datagen.word.file.names import MC, VAL, XML_SPACE, M, W, is_switched_on, number, sign_code, value
from datagen.word.file.xml_parts import remove, unwrap

# The requirements of mc:Choice that LibreOffice 25.2 meets; for others it takes the fallback.
_UNDERSTOOD = frozenset({"wps", "wpg", "w14", "wpc"})
_CHANGES = (
    "rPrChange pPrChange sectPrChange tblPrChange tblPrExChange trPrChange tcPrChange tblGridChange numberingChange cellIns "
    "cellMerge moveFromRangeStart moveFromRangeEnd moveToRangeStart moveToRangeEnd customXmlInsRangeStart customXmlInsRangeEnd "
    "customXmlDelRangeStart customXmlDelRangeEnd customXmlMoveFromRangeStart customXmlMoveFromRangeEnd customXmlMoveToRangeStart "
    "customXmlMoveToRangeEnd"
).split()
_HIDDEN_IN_BROWSERS = "webHidden"  # Word prints it; LibreOffice hides it outside of tables of contents
_LINE_NUMBERS = "lnNumType"  # line numbers are in no text, and their letters have no mark
_COMMENTS = ("commentRangeStart", "commentRangeEnd", "commentReference", "annotationRef")
_DELETED = ("del", "moveFrom")
_INSERTED = ("ins", "moveTo")
_WRAPPERS = ("smartTag", "customXml", "dir", "bdo", "hyperlink")
CHECKED, UNCHECKED = "☒", "☐"
_LOADED = ("altChunk", "subDoc")  # documents within the document
_GONE = (*_DELETED, *_CHANGES, *_COMMENTS, *_LOADED, _HIDDEN_IN_BROWSERS, _LINE_NUMBERS)
_DELETED_ROWS = (".//w:tr[w:trPr/w:del]", ".//w:tc[w:tcPr/w:cellDel]", ".//w:tr[not(.//w:tc)]")
_TEXT = frozenset(
    W + name
    for name in "rPr t tab br cr noBreakHyphen softHyphen sym ptab lastRenderedPageBreak instrText delText delInstrText".split()
)


def accept(root: etree._Element, signs: Counter[str], keeps_fields: bool = False) -> None:
    """Changes the tree of a part. `keeps_fields`: the part is a head or foot. A run with text and something else is split, so
    each run has one kind of content. `signs` counts the things that are taken out."""
    _choose(root)
    for name in _DELETED + _INSERTED:
        signs["tracked_changes"] += sum(1 for _ in root.iter(W + name))
    signs["comments"] += sum(1 for _ in root.iter(W + "commentReference"))
    signs["documents_within"] += sum(1 for _ in root.iter(*(W + name for name in _LOADED)))
    for row_or_cell in _DELETED_ROWS:
        _remove_all(root, row_or_cell)
    for table in _found(root, ".//w:tbl[not(.//w:tr)]"):
        holder = table.getparent()
        if holder.tag == W + "tc" and holder.find(W + "p") is None:
            etree.SubElement(holder, W + "p")
        remove(table)
    merged = _found(root, f".//w:p[{' or '.join(f'w:pPr/w:rPr/w:{name}' for name in _DELETED)}]")
    etree.strip_elements(root, *(W + name for name in _GONE), with_tail=False)
    for name in (*_INSERTED, *_WRAPPERS):
        for element in list(root.iter(W + name)):
            unwrap(element)
    for element in list(root.iter(W + "sdt")):
        content = element.find(W + "sdtContent")
        if content is None:
            remove(element)
        else:
            unwrap(element, content)
    for ruby in list(root.iter(W + "ruby")):
        _without_ruby(ruby, signs)
    for p in merged:
        _merge(p)
    for sign in list(root.iter(W + "sym")):
        if sign_code(sign) is None:
            remove(sign)
    _remove_all(root, ".//m:oMath[not(.//m:t[text()] or .//w:t[text()])]")
    _remove_all(root, ".//m:oMathPara[not(m:oMath)]")
    for run in list(root.iter(W + "r")):
        _split(run)
    write_controls(root)
    _free_fields(root, keeps_fields)


def _choose(root: etree._Element) -> None:
    for alternatives in list(root.iter(MC + "AlternateContent")):
        chosen = next(
            (c for c in alternatives.findall(MC + "Choice") if _UNDERSTOOD.issuperset(c.get("Requires", "").split())),
            alternatives.find(MC + "Fallback"),
        )
        for other in list(alternatives):
            if other is not chosen:
                alternatives.remove(other)


def _found(root: etree._Element, path: str) -> list[etree._Element]:
    return list(root.xpath(path, namespaces={"w": W[1:-1], "m": M[1:-1]}))


def _remove_all(root: etree._Element, path: str) -> None:
    for element in _found(root, path):
        remove(element)


def _without_ruby(ruby: etree._Element, signs: Counter[str]) -> None:
    """Takes ruby away: LibreOffice would give the ruby and its base one colour."""
    signs["ruby"] += 1
    run, base = ruby.getparent(), ruby.find(W + "rubyBase")
    if run is None or base is None or run.getparent() is None:
        remove(ruby)
        return
    for inner in base.iterchildren(W + "r"):
        run.addprevious(inner)
    remove(ruby)


def _merge(p: etree._Element) -> None:
    """Puts the content of a paragraph whose mark was deleted into the next paragraph."""
    following = p.getnext()
    while following is not None and following.tag in (W + "bookmarkStart", W + "bookmarkEnd", W + "proofErr"):
        following = following.getnext()
    if p.find(f"{W}pPr/{W}sectPr") is not None:
        return
    content = [child for child in p if child.tag != W + "pPr"]
    if following is None or following.tag != W + "p":
        if not content and following is not None:
            remove(p)
        return
    at = 1 if following.find(W + "pPr") is not None else 0
    following[at:at] = content
    remove(p)


def _split(run: etree._Element) -> None:
    """Splits a run with text and pictures, notes or fields into several runs."""
    holder = run.getparent()
    children = [child for child in run if isinstance(child.tag, str)]
    special = [child for child in children if child.tag not in _TEXT]
    if holder is None or not special or len(children) - (run.find(W + "rPr") is not None) == 1:
        return
    at = holder.index(run)
    groups: list[list[etree._Element]] = []
    for child in children:
        if child.tag == W + "rPr":
            continue
        if child.tag in _TEXT and groups and groups[-1][0].tag in _TEXT:
            groups[-1].append(child)
        else:
            groups.append([child])
    properties = run.find(W + "rPr")
    for group in groups[1:]:
        part = etree.Element(W + "r")
        if properties is not None:
            part.append(etree.fromstring(etree.tostring(properties, with_tail=False)))
        part.extend(group)
        at += 1
        holder.insert(at, part)


def _free_fields(root: etree._Element, keeps_fields: bool) -> None:
    """Takes fields away and leaves their results. Fields without a result stay."""
    fields = Fields()
    for element in list(root.iter(W + "fldSimple")):
        fields.begin()
        fields.instruct(element.get(W + "instr", ""))
        fields.separate()
        fields.show("".join(text.text or "" for text in element.iter(W + "t")))
        if (field := fields.end()) is not None and _can_go(field, keeps_fields):
            unwrap(element)
    controls: list[list[etree._Element]] = []
    for element in list(root.iter(W + "fldChar", W + "instrText", W + "t")):
        run = element.getparent()
        if element.tag == W + "t":
            fields.show(element.text or "")
            continue
        kind = element.get(W + "fldCharType")
        if kind == "begin":
            fields.begin()
            controls.append([])
        if run is None or run.tag != W + "r" or not controls:
            continue
        controls[-1].append(run)
        if element.tag == W + "instrText":
            fields.instruct(element.text or "")
        elif kind == "separate":
            fields.separate()
        elif kind == "end":
            ended, runs = fields.end(), controls.pop()
            if ended is not None and _can_go(ended, keeps_fields):
                for control in runs:
                    remove(control)


def _can_go(field: Field, keeps_fields: bool) -> bool:
    return field.only_holds or (field.has_text and field.is_generated and not keeps_fields)


def write_controls(root: etree._Element) -> None:
    """Turn each check box and each list of a form (w:ffData) into a run of text at the place of its field. LibreOffice draws a
    list's choice without a style, so its text couldn't be identified, and draws a check box without a letter."""
    open_fields: list[list[etree._Element]] = []  # the runs of each open field, the innermost field last
    for run in list(root.iter(W + "r")):
        ended = None
        for character in run.findall(W + "fldChar"):
            kind = character.get(W + "fldCharType")
            if kind == "begin":
                open_fields.append([])
            elif kind == "end" and open_fields:
                ended = [*open_fields.pop(), run]
        for runs in open_fields:
            runs.append(run)
        if ended is not None and (shown := _shown(ended[0].find(f"{W}fldChar/{W}ffData"))) is not None:
            for old in ended[1:]:
                remove(old)
            for child in [child for child in ended[0] if child.tag != W + "rPr"]:
                remove(child)
            text = etree.SubElement(ended[0], W + "t", {XML_SPACE: "preserve"})
            text.text = shown


def _shown(data: etree._Element | None) -> str | None:
    """The text that a control of a form shows; None for a text control and for anything else."""
    box = data.find(W + "checkBox") if data is not None else None
    if box is not None:
        switch = next((e for name in ("checked", "default") if (e := box.find(W + name)) is not None), None)
        return CHECKED if switch is not None and is_switched_on(switch) else UNCHECKED
    choices = data.find(W + "ddList") if data is not None else None
    if choices is None:
        return None
    entries = [entry.get(VAL, "") for entry in choices.findall(W + "listEntry")]
    at = number(value(choices, "result") or value(choices, "default"))
    return entries[at] if 0 <= at < len(entries) else ""
