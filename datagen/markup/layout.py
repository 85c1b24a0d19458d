"""A laid out document: its elements, and its text as it is drawn, box by box.

The snapshot has the text as drawn: transformed, with list signs, counters and what ::before and ::after add. The place of a box
behind a cut between columns or pages is wrong there. `Range.getClientRects` has all places right, in the same order. So text
comes from one and places from the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from datagen.markup.browser import STYLES, Snapshot
from datagen.record import SampleError

_TEXT, _ELEMENT = 3, 1
_PSEUDO = "::"
_ROUNDED = 0.7  # CSS pixels


class Rect(NamedTuple):
    """CSS pixels of the whole canvas. x1 and y1 are exclusive."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def is_empty(self) -> bool:
        return self.x1 - self.x0 < 0.01 or self.y1 - self.y0 < 0.01

    def joined(self, other: "Rect") -> "Rect":
        return Rect(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))


@dataclass(eq=False, slots=True)
class Node:
    """An element, or a pseudo-element such as `::marker`. `styles` are its computed styles, empty if it isn't drawn. `rects` are
    the rectangles of formulas, pictures and tables' parts, one for each piece that a cut leaves."""

    name: str
    parent: "Node | None"
    attributes: dict[str, str]
    styles: dict[str, str] = field(default_factory=dict)
    rects: list[Rect] = field(default_factory=list)

    @property
    def display(self) -> str:
        return self.styles.get("display", "none")

    def ancestors(self) -> Iterator["Node"]:
        """The node itself, its parent, and so on."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent

    def ancestor(self, *names: str) -> "Node | None":
        """The nearest of these, the node itself included."""
        return next((node for node in self.ancestors() if node.name in names), None)


@dataclass(eq=False, slots=True)
class TextBox:
    """The characters `start` to `stop` of a `Text`, drawn in one line. Whether anybody sees them is known once the page is looked
    at; `rect` then holds all of their ink."""

    start: int
    stop: int
    rect: Rect
    is_seen: bool = True


@dataclass(eq=False, slots=True)
class Text:
    """A piece of text as it is drawn, with white space collapsed. `parent` is the element whose text it is. `number` counts the
    text nodes of the body; -1 for what CSS adds."""

    parent: Node
    text: str
    boxes: list[TextBox]
    number: int = -1


Layout = list[Node | Text]
"""The elements that are drawn, and the texts, in the order of the document."""


def read(snapshot: Snapshot) -> Layout:
    """The layout of a snapshot. Raises `SampleError` (`not_measured`) where text and places don't fit together."""
    document = snapshot.nodes["documents"][0]
    strings: list[str] = snapshot.nodes["strings"]
    table, layout = document["nodes"], document["layout"]
    names = [strings[i] for i in table["nodeName"]]
    nodes = _nodes(table, names, strings)
    _give_rects(nodes, snapshot.elements)
    boxes, styles, ends = _boxes(document["textBoxes"]), _styles(layout, strings), _ends(table["parentIndex"])
    texts = _texts_in_body(table, names)
    if len(texts) != len(snapshot.texts):
        raise SampleError("not_measured", f"{len(texts)} texts in the snapshot, and {len(snapshot.texts)} in the document")
    place_of = {number: at for at, number in enumerate(texts)}
    content: list[tuple[tuple[int, int, int], Node | Text]] = []
    first_letter: Text | None = None  # whose place the text behind it knows
    for at, number in enumerate(layout["nodeIndex"]):
        node, above = nodes[number], table["parentIndex"][number]
        # The snapshot has ::after before its element's content, which is drawn first.
        order = (ends[above], 1, -above) if names[number] == "::after" else (number, 0, 0)
        if node is not None and not node.styles:
            node.styles = styles[at]
            content.append((order, node))
        parent = node if names[number].startswith(_PSEUDO) else nodes[above]
        if layout["text"][at] < 0 or parent is None:
            continue
        drawn = strings[layout["text"][at]]
        if names[number] != "BR" and not parent.styles.get("white-space-collapse", "collapse").startswith("preserve"):
            drawn = drawn.replace("\n", " ").replace("\t", " ")  # the file's own lines
        own = _in_characters(drawn, boxes.get(at, []))
        place = place_of.get(number, -1)
        if place >= 0:
            rects = _rects(snapshot.texts[place])
            if first_letter is not None and rects:
                rect = _within_its_line(rects.pop(0), first_letter.parent.styles)
                first_letter.boxes = [TextBox(0, len(first_letter.text), rect)]
            own = _placed(drawn, own, rects, parent.styles.get("writing-mode", "horizontal-tb") != "horizontal-tb")
        for box in own:
            box.rect = _within_its_line(box.rect, parent.styles)
        piece = Text(parent, drawn, sorted(own, key=lambda box: box.start), place)
        first_letter = piece if names[number] == "::first-letter" else None
        content.append((order, piece))
    content.sort(key=lambda entry: entry[0])
    return [item for _, item in content]


def _within_its_line(rect: Rect, styles: dict[str, str]) -> Rect:
    """The rectangle, no thicker than its line: some typefaces say that they reach far into the lines around."""
    leading, size = _pixels(styles.get("line-height", "")), _pixels(styles.get("font-size", ""))
    if not leading:
        return rect
    most = max(leading, size)
    if styles.get("writing-mode", "horizontal-tb") == "horizontal-tb":
        spare = max(0.0, rect.y1 - rect.y0 - most) / 2
        return rect._replace(y0=rect.y0 + spare, y1=rect.y1 - spare)
    spare = max(0.0, rect.x1 - rect.x0 - most) / 2
    return rect._replace(x0=rect.x0 + spare, x1=rect.x1 - spare)


def _pixels(value: str) -> float:
    """A computed length; 0 for a word."""
    return float(value.removesuffix("px")) if value.endswith("px") else 0.0


def _ends(parents: list[int]) -> list[int]:
    """The last node within each node."""
    ends = list(range(len(parents)))
    for number in range(len(parents) - 1, 0, -1):
        if parents[number] >= 0:
            ends[parents[number]] = max(ends[parents[number]], ends[number])
    return ends


def _styles(layout: dict[str, Any], strings: list[str]) -> list[dict[str, str]]:
    """The computed styles of each entry of a snapshot's layout, by name."""
    known: dict[tuple[int, ...], dict[str, str]] = {}
    for numbers in map(tuple, layout["styles"]):
        if numbers not in known:
            known[numbers] = {name: strings[i] for name, i in zip(STYLES, numbers, strict=False)}
    return [known[tuple(numbers)] for numbers in layout["styles"]]


def _nodes(table: dict[str, Any], names: list[str], strings: list[str]) -> list[Node | None]:
    """The elements by number; None for texts and comments."""
    nodes: list[Node | None] = []
    for number, parent in enumerate(table["parentIndex"]):
        if table["nodeType"][number] != _ELEMENT:
            nodes.append(None)
            continue
        pairs = [strings[i] for i in table["attributes"][number]]
        above = nodes[parent] if parent >= 0 else None
        nodes.append(Node(names[number].lower(), above, dict(zip(pairs[::2], pairs[1::2], strict=True))))
    for number, name in enumerate(names):  # the LaTeX of formulas isn't drawn, so the layout lacks it
        if name.lower() == "annotation" and (node := nodes[number]) is not None:
            math = node.ancestor("math")
            if math is not None and "tex" in node.attributes.get("encoding", ""):
                math.attributes["latex"] = _text_within(table, strings, number)
    return nodes


def _text_within(table: dict[str, Any], strings: list[str], number: int) -> str:
    parents, texts = table["parentIndex"], []
    for at in range(number + 1, len(parents)):
        if parents[at] < number:
            break
        if parents[at] == number and table["nodeType"][at] == _TEXT:
            texts.append(strings[table["nodeValue"][at]])
    return "".join(texts)


def _texts_in_body(table: dict[str, Any], names: list[str]) -> list[int]:
    """The numbers of the text nodes within <body>, in order."""
    inside: set[int] = set()
    texts = []
    for number, parent in enumerate(table["parentIndex"]):
        if names[number] == "BODY" or parent in inside:
            inside.add(number)
            if table["nodeType"][number] == _TEXT and not names[parent].startswith(_PSEUDO):
                texts.append(number)
    return texts


def _boxes(table: dict[str, Any]) -> dict[int, list[TextBox]]:
    """The boxes of each entry of the layout. `start` and `stop` count UTF-16 units here."""
    boxes: dict[int, list[TextBox]] = {}
    for at, (x, y, width, height), start, length in zip(
        table["layoutIndex"], table["bounds"], table["start"], table["length"], strict=True
    ):
        boxes.setdefault(at, []).append(TextBox(start, start + length, Rect(x, y, x + width, y + height)))
    return boxes


def _rects(numbers: list[float]) -> list[Rect]:
    return [Rect(*numbers[i : i + 4]) for i in range(0, len(numbers), 4)]


def _placed(text: str, boxes: list[TextBox], rects: list[Rect], is_vertical: bool) -> list[TextBox]:
    """A box for each rectangle. The snapshot cuts a box where white space is collapsed within it: such pieces are put together
    until they are as long as the rectangle. The hyphen at a soft hyphen has a rectangle of its own, and no box."""
    placed: list[TextBox] = []
    at = num_hyphens = 0
    for rect in rects:
        is_cut = bool(placed) and "\u00ad" in text[placed[-1].stop - 1 : placed[-1].stop + 1]
        if is_cut and _is_hyphen(rect, boxes[at : at + 1], is_vertical):
            placed[-1].rect = placed[-1].rect.joined(rect)
            num_hyphens += 1
            continue
        pieces, room = list[TextBox](), _length(rect, is_vertical) - _ROUNDED
        while at < len(boxes) and (not pieces or room > 0):
            pieces.append(boxes[at])
            room -= _length(boxes[at].rect, is_vertical)
            at += 1
        if not pieces:
            break
        placed.append(TextBox(min(one.start for one in pieces), max(one.stop for one in pieces), rect))
    if at < len(boxes) or len(placed) + num_hyphens < len(rects):
        raise SampleError("not_measured", f"{len(boxes)} boxes at {len(rects)} places: {text[:80]!r}")
    return placed


def _is_hyphen(rect: Rect, following: list[TextBox], is_vertical: bool) -> bool:
    """Whether a rectangle is too short for the text that comes next."""
    return not following or _length(rect, is_vertical) < _length(following[0].rect, is_vertical) - _ROUNDED


def _length(rect: Rect, is_vertical: bool) -> float:
    return rect.y1 - rect.y0 if is_vertical else rect.x1 - rect.x0


def _in_characters(text: str, boxes: list[TextBox]) -> list[TextBox]:
    """Boxes of UTF-16 units as boxes of characters, without empty ones."""
    if not text.isascii() and any(ord(char) > 0xFFFF for char in text):
        units = [0]
        for char in text:
            units.append(units[-1] + (2 if ord(char) > 0xFFFF else 1))
        at = {unit: number for number, unit in enumerate(units)}
        boxes = [TextBox(at.get(box.start, 0), at.get(box.stop, len(text)), box.rect) for box in boxes]
    return [box for box in boxes if box.stop > box.start]


def _give_rects(nodes: list[Node | None], elements: dict[str, list[list[float]]]) -> None:
    """The rectangles of the elements of each kind, in their order, to their nodes in <body>."""
    for selector, places in elements.items():
        kinds = {name.strip() for name in selector.split(",")}
        drawn = [node for node in nodes if node is not None and node.name in kinds]
        if len(drawn) != len(places):
            raise SampleError("not_measured", f"{len(drawn)} of {selector} in the snapshot, and {len(places)} in the document")
        for node, numbers in zip(drawn, places, strict=True):
            node.rects = _rects(numbers)
