r"""Blocks of a laid out document: paragraphs, headings, items, code, notes, with their lines, cut where a page or a column ends.

A block's text is one string. Boxes and styles name stretches of it. A formula is one character there, and `\(…\)` in Markdown.
Ruby is drawn and is no text, as corpora of Japanese have it. The line's box holds it.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from datagen.fine.region_markdown import enclosed, starred
from datagen.markup.block import FORMULA, Block, Box, Frame, Line, Picture, Style, gap, is_beside
from datagen.markup.layout import Layout, Node, Rect, Text

_INLINE = ("inline", "inline-block", "inline-flex", "inline-grid", "inline-table", "contents", "ruby", "math", "none", "")
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_OF_CLASS = {"running-head": "header", "running-foot": "footer", "page-number": "page_number"}
_OF_ROLE = {
    "doc-footnote": "footnote",
    "doc-endnote": "footnote",
    "doc-toc": "toc",
    "doc-biblioentry": "reference",
    "listitem": "list",
}
_OF_NAME = {"pre": "code", "caption": "table_caption", "figcaption": "image_caption"}
# Signs that show nothing, and that nobody could read off a page.
_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_SPACES = re.compile(r"[^\S\n]+")
_LETTERS = re.compile(r"[^\W\d_]")
_MOVES_BACK, _FAR, _AMID = 0.5, 3.0, 0.2  # of a line's thickness
_BOLD = 600


def blocks(layout: Layout) -> Iterator[Block | Picture | Node]:
    """Blocks and pictures in the order of the document, also those of tables' cells, and the <table> elements where they begin.
    Text that nobody sees is left out."""
    block: Block | None = None
    pending: list[Text] = []  # list signs, which come before the block that they belong to
    formulas: set[int] = set()
    for item in layout:
        node = item if isinstance(item, Node) else item.parent
        if isinstance(item, Node):
            is_picture = item.name == "img" and bool(item.rects) and not item.rects[0].is_empty
            if is_picture or item.name == "table":
                if block is not None:
                    yield block
                    block = None
                yield Picture(item, item.rects[0]) if is_picture else item
            if item.name != "math":
                continue
        math = node.ancestor("math")
        if math is not None:
            if id(math) in formulas:
                continue
            formulas.add(id(math))
        elif isinstance(item, Text) and not _is_visible(item.parent):
            continue
        if isinstance(item, Text) and node.ancestor("rt") is not None:
            if block is not None:
                block.decorate(box.rect for box in item.boxes if box.is_seen)
            continue
        if isinstance(item, Text) and _is_sign(item.parent):
            pending.append(item)
            continue
        if isinstance(item, Text) and not item.boxes and not item.text.strip():
            if block is not None and block_element(node) is block.element:
                block.add(item.text, (), Style(), False)
            continue
        is_displayed = math is not None and math.attributes.get("display") == "block"
        element = math if is_displayed and math is not None else block_element(node if math is None else math.parent or math)
        if block is None or element is not block.element:
            if block is not None:
                yield block
            block = _opened(element)
            for sign in pending:
                _add_text(block, sign)
            if pending and block.label == "text" and element.ancestor("li") is not None:
                block.label = "list"
            pending = []
        if math is not None:
            latex = math.attributes.get("latex", "").strip() or " "  # " ": it has no TeX annotation
            block.add(FORMULA, [Box(0, 1, math.rects[0] if math.rects else Rect(0, 0, 0, 0))], Style(latex=latex), False)
        else:
            assert isinstance(item, Text)
            _add_text(block, item)
    if block is not None:
        yield block


def cell_of(block: Block) -> Node | None:
    """The cell of an outermost table that the block stands in."""
    above = list(block.element.ancestors())
    tables = [at for at, node in enumerate(above) if node.name == "table"]
    if not tables or block.label == "table_caption":
        return None
    return next((node for node in reversed(above[: tables[-1]]) if node.name in ("td", "th")), None)


def _is_visible(node: Node) -> bool:
    return node.styles.get("visibility", "visible") == "visible"


def _is_sign(node: Node) -> bool:
    """Whether text of this element is an item's sign: its marker, or what ::before draws before it."""
    return node.name == "::marker" or (node.name == "::before" and node.parent is not None and node.parent.name == "li")


def block_element(node: Node) -> Node:
    """The nearest element that isn't drawn within a line."""
    for one in node.ancestors():
        if not one.name.startswith("::") and one.display not in _INLINE and not one.display.endswith(" math"):
            return one
    return node


def _opened(element: Node) -> Block:
    above = list(element.ancestors())
    depth = max(0, sum(node.name == "li" for node in above) - 1)
    for node in above:
        for name in node.attributes.get("class", "").split():
            if name in _OF_CLASS:
                return Block(element, _OF_CLASS[name])
        if label := _OF_ROLE.get(node.attributes.get("role", "")):
            return Block(element, label)
        if node.name in _OF_NAME:
            return Block(element, _OF_NAME[node.name])
        if node.name in _HEADINGS:
            return Block(element, "title" if node.name == "h1" else "sub_title", _HEADINGS[node.name])
    return Block(element, "text", depth=depth)


def _add_text(block: Block, item: Text) -> None:
    boxes = [Box(box.start, box.stop, box.rect) for box in item.boxes if box.is_seen]
    if not boxes and item.text.strip():
        return  # nobody sees it
    styles = item.parent.styles
    raised = _raised(item.parent) if not block.is_code else 0
    weight = styles.get("font-weight", "400")
    is_bold = weight.isdigit() and int(weight) >= _BOLD and not _is_sign(item.parent)
    style = Style(is_bold, styles.get("font-style", "normal") != "normal", raised)
    block.add(item.text, boxes, style, styles.get("hyphens") == "auto" or "\u00ad" in item.text)
    if item.parent.name == "::first-letter":
        block.initial = len(block.text)


def _raised(node: Node) -> int:
    for one in node.ancestors():
        if one.name in ("sup", "sub"):
            return 1 if one.name == "sup" else -1
        if one.display not in _INLINE:
            return 0
        if one.styles.get("vertical-align") in ("super", "sub"):
            return 1 if one.styles["vertical-align"] == "super" else -1
    return 0


def lines(block: Block, frame: Frame) -> list[Line]:
    """The block's lines in the order of its text. Boxes of spaces alone are left out, but for code's empty lines."""
    out: list[Line] = []
    last = whole = before = Rect(0, 0, 0, 0)  # the last box, all of its line, and all of the line before
    for box, has_hyphens in zip(block.boxes, block.hyphens, strict=True):
        text = block.text[box.start : box.stop]
        if not text.strip() and not (block.is_code and text == "\n"):
            continue
        rect, page = frame.flowing(box.rect), frame.page(box.rect)
        is_near = block.is_code or gap(whole, rect) < _FAR * max(last.y1 - last.y0, rect.y1 - rect.y0)
        if out and page == out[-1].page and is_near and is_beside(last, rect):
            line = out[-1]
            line.stop, line.rect, whole = box.stop, line.rect.joined(box.rect), whole.joined(rect)
        else:
            if out and has_hyphens:
                out[-1].is_hyphenated = _is_hyphenated(block.text, out[-1].stop, box.start)
            out.append(Line(box.start, box.stop, box.rect, page))
            whole, before = rect, whole
        last = rect
        if len(out) > 1 and out[-2].page == page and is_beside(before, whole) and _joins(gap(before, whole), rect):
            line = out.pop()  # its text is of the other direction, and began at the far end
            out[-1] = Line(out[-1].start, line.stop, out[-1].rect.joined(line.rect), page)
            whole = whole.joined(before)
    if block.is_code:
        while out and not block.text[out[0].start : out[0].stop].strip():
            del out[0]
        while out and not block.text[out[-1].start : out[-1].stop].strip():
            del out[-1]
    return out


def _joins(distance: float, rect: Rect) -> bool:
    return -_AMID < distance / (rect.y1 - rect.y0) < _FAR


def _is_hyphenated(text: str, stop: int, start: int) -> bool:
    """Whether a hyphen is drawn where a line ends at `stop` and the next begins at `start`: amid a word, or at a soft hyphen."""
    between = text[stop:start]
    if "\u00ad" in between or text[stop - 1] == "\u00ad":
        return True
    return not between and unicodedata.category(text[stop - 1])[0] in "LM" and unicodedata.category(text[start])[0] in "LM"


def fragments(block_lines: Sequence[Line], frame: Frame) -> list[list[Line]]:
    """The lines, cut where the next one is on another page or in another column."""
    out: list[list[Line]] = []
    for line in block_lines:
        if out and (before := out[-1][-1]).page == line.page:
            last, this = frame.flowing(before.rect), frame.flowing(line.rect)
            if this.y0 > last.y0 - _MOVES_BACK * (last.y1 - last.y0):
                out[-1].append(line)
                continue
        out.append([line])
    return out


def line_text(block: Block, line: Line) -> str:
    """The line's text as it is drawn, "" if it has a formula."""
    text = block.text[line.start : line.stop]
    if FORMULA in text:
        return ""
    return shown(text) + ("-" if line.is_hyphenated else "")


def shown(text: str) -> str:
    """Text without signs that nobody sees, and with single spaces."""
    return _SPACES.sub(" ", _UNSEEN.sub("", text).replace("\u00a0", " ").replace("\n", " ")).strip()


def markdown(block: Block, lines: Sequence[Line], stop: int | None) -> str:
    """The text of a fragment up to `stop`, the start of the next one (None: there is none)."""
    first, end = (lines[0].start, stop) if stop is not None else (lines[0].start, len(block.text))
    if block.is_code:
        return "\n".join(_code_lines(block, lines))
    marks = _marks(block)
    text, runs = "", _runs(block, first, end)
    for run, style in runs:
        part = rf"\({style.latex.strip()}\)" if style.latex else _UNSEEN.sub("", run).replace("\u00a0", " ")
        if style.raised:
            tag = "sup" if style.raised > 0 else "sub"
            part = enclosed(part, f"<{tag}>", f"</{tag}>")
        stars = marks.get((style.is_bold, style.is_italic), "")
        is_glued = text.endswith("*") and not part[:1].isspace()  # stars beside stars say nothing
        text += starred(part, stars) if stars and not is_glued and _LETTERS.search(part) and not {"*", "_"} & set(part) else part
    text = "\n".join(filter(None, (_SPACES.sub(" ", one).strip() for one in text.split("\n"))))
    if stop is not None and lines[-1].is_hyphenated:
        text += "-"
    if block.label == "list":
        return "    " * block.depth + text
    if block.level > 2:
        return f"{'#' * block.level} {text}"
    return text


def _code_lines(block: Block, lines: Sequence[Line]) -> Iterator[str]:
    for line in lines:
        start = block.text.rfind("\n", 0, line.start) + 1  # a line's indent may be a box of its own
        if block.text[start : line.start].strip():
            start = line.start
        yield _UNSEEN.sub("", block.text[start : line.stop]).replace("\u00a0", " ").strip("\n").rstrip()


def _runs(block: Block, first: int, end: int) -> list[tuple[str, Style]]:
    """The stretches of one style. White space takes the style before it."""
    runs: list[tuple[str, Style]] = []
    for start, stop, style in block.styles:
        text = block.text[max(start, first) : min(stop, end)]
        if not text:
            continue
        if runs and not style.latex and not runs[-1][1].latex and (runs[-1][1] == style or not text.strip()):
            runs[-1] = runs[-1][0] + text, runs[-1][1]
        else:
            runs.append((text, style))
    return runs


def _marks(block: Block) -> dict[tuple[bool, bool], str]:
    """By style, bold or not and italic or not, the stars of text that differs so from most of the block. None in headings."""
    if block.label not in ("text", "list", "footnote") or cell_of(block) is not None:
        return {}
    counts: Counter[tuple[bool, bool]] = Counter()
    for start, stop, style in block.styles:
        counts[style.is_bold, style.is_italic] += len(_LETTERS.findall(block.text[start:stop]))
    usual = next((key for key, count in counts.items() if 2 * count >= counts.total()), (False, False))
    rare = [key for key, count in counts.items() if 2 * count < counts.total()]
    return {key: "*" * (2 * (key[0] > usual[0]) + (key[1] > usual[1])) for key in rare}
