"""The check boxes and drop-down lists of a form (w:ffData), as the text that they show.

LibreOffice draws a list's choice without a style, so that nobody could tell whose text it is, and a check box as no letter.
"""

from lxml import etree

from datagen.word.file.names import VAL, XML_SPACE, W, is_switched_on, number, value
from datagen.word.file.xml_parts import remove

CHECKED, UNCHECKED = "☒", "☐"


def write_controls(root: etree._Element) -> None:
    """Make a run of text of each check box and each list of a part, in the place of its field."""
    open_fields: list[list[etree._Element]] = []  # the runs of each, the innermost last
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
    """What a control of a form shows; None for one that holds text, and for what is no control."""
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
