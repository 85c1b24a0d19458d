"""How far a page's labels agree with a tagged PDF's structure tree."""

import re
from collections.abc import Sequence

from datagen.fine.page_layout import Tag
from datagen.fine.parts import Part
from datagen.page.line_pieces import Rect

# What the standard types say of a line inside. Of nested ones the smallest counts; others, such as P and Span, say nothing.
_SAYS = {"H": "heading", "L": "list", "LI": "list", "Lbl": "list", "LBody": "list", "Table": "table", "TR": "table"}
_SAYS |= {"TD": "table", "TH": "table", "Formula": "equation", "Caption": "caption", "Code": "code", "TOC": "toc", "TOCI": "toc"}
_HEADING = re.compile(r"H[1-6]?|Title")
_KINDS = {"title": "heading", "sub_title": "heading", "image_caption": "caption", "table_caption": "caption"}


def tag_signals(parts: Sequence[Part], tags: Sequence[Tag]) -> dict[str, float]:
    """`tagged`, if the page has tags; and `tag_agreement`, the share of parts whose tag and label agree. Counted are the parts
    that are a heading, a list, a table, a formula, a caption, code or contents by their tag or label; without such parts it is
    absent."""
    if not tags:
        return {}
    verdicts = []
    for part in parts:
        if part.paragraph is None:
            continue
        says, labelled = _said(part.box, tags), _KINDS.get(part.label, part.label)
        labelled = labelled if labelled in {*_SAYS.values()} else ""
        if says or labelled:
            verdicts.append(says == labelled)
    return {"tagged": 1.0} | ({"tag_agreement": sum(verdicts) / len(verdicts)} if verdicts else {})


def _said(box: Rect, tags: Sequence[Tag]) -> str:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    around = [tag for tag in tags if tag.box[0] <= x <= tag.box[2] and tag.box[1] <= y <= tag.box[3] and _says(tag.kind)]
    return _says(min(around, key=lambda t: (t.box[2] - t.box[0]) * (t.box[3] - t.box[1])).kind) if around else ""


def _says(kind: str) -> str:
    return "heading" if _HEADING.fullmatch(kind) else _SAYS.get(kind, "")
