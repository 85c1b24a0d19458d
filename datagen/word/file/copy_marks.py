"""The marks of a document in the copy that LibreOffice renders. The copy must look like the file, or be made to look like it.

- A piece of text has a character style of its own, which is empty and based on the text's own style. A tagged PDF names each
  stretch of text by its style.
- Heads and feet aren't tagged: a piece there has a colour of its own.
- A cell has a fill of its own. It is as light or dark as the ground of the cell's text, since LibreOffice draws text without a
  colour black or white accordingly.

`page_streams` reads the marks in the PDF, and sets colours and fills back there.
"""

import re
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

from lxml import etree

from datagen.word.file.names import VAL, W14, W
from datagen.word.file.xml_parts import written

STYLE = "pagewheel"
"""The beginning of the names of marks' styles. The mark follows; if a piece has several styles, `b` and a number follow."""
_FIRST_LETTERS = 0x050000  # nearly black, and none that people choose
_LEAST_LIGHT = 0xE0  # of red and green
_NUM_FILLS = 1 << 18  # dark ones, and light ones
_DARK = 156  # of 255: LibreOffice takes a colour up to this luminance for dark
_HEX_COLOUR = re.compile(rb"\"#?([0-9A-Fa-f]{6})\"")


class Original(NamedTuple):
    """The mark of a colour, and the colour in the file in its place, 0xRRGGBB; None for no fill."""

    mark: int
    colour: int | None


@dataclass
class CopyMarks:
    """`letters` and `fills` are the marks of heads, feet and cells by colour. `taken` are the file's own colours."""

    letters: dict[int, Original] = field(default_factory=dict)
    fills: dict[int, Original] = field(default_factory=dict)
    taken: frozenset[int] = frozenset()
    _bases: dict[str, str] = field(default_factory=dict)
    _names: dict[tuple[int, str], str] = field(default_factory=dict)
    _num: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})  # of fills, by whether they are dark

    def mark_run(self, run: etree._Element, mark: int) -> None:
        properties = _run_properties(run)
        own = properties.find(W + "rStyle")
        base = "" if own is None else own.get(VAL, "")
        base = self._bases.get(base, base)
        name = self._names.get((mark, base))
        if name is None:
            name = f"{STYLE}{mark}"
            while name in self._bases:
                name = f"{STYLE}{mark}b{len(self._bases)}"
            self._names[mark, base], self._bases[name] = name, base
        if own is None:
            own = etree.Element(W + "rStyle")
            properties.insert(0, own)
        own.set(VAL, name)

    def colour_run(self, holder: etree._Element, mark: int, original: int, before: str = "") -> None:
        """Give the properties of a run, or of a paragraph's mark, in `holder` the colour of `mark`. The properties come behind
        the element `before`."""
        properties = _run_properties(holder, before)
        for other in (*properties.findall(W + "color"), *properties.findall(W14 + "textFill")):
            properties.remove(other)
        colour = next((colour for colour, of in self.letters.items() if of.mark == mark), None)
        if colour is None:
            free = range(_FIRST_LETTERS + len(self.letters), 0xFFFFFF)
            colour = next(colour for colour in free if colour not in self.taken)
            self.letters[colour] = Original(mark, original)
        etree.SubElement(properties, W + "color").set(VAL, f"{colour:06X}")

    def fill_cell(self, cells: Iterable[etree._Element], mark: int, original: int | None) -> None:
        """Give the elements of a cell the fill of `mark`. If the fills are used up, they get none."""
        is_dark = original is not None and luminance(original) <= _DARK
        for number in range(self._num[is_dark], _NUM_FILLS):
            light = (_LEAST_LIGHT + (number >> 13)) << 16 | (_LEAST_LIGHT + (number >> 8 & 31)) << 8 | number & 255
            colour = number + 1 if is_dark else light
            if colour not in self.taken:
                break
        else:
            return
        self._num[is_dark] = number + 1
        self.fills[colour] = Original(mark, original)
        for cell in cells:
            properties = cell.find(W + "tcPr")
            if properties is None:
                properties = etree.Element(W + "tcPr")
                cell.insert(0, properties)
            for other in properties.findall(W + "shd"):
                properties.remove(other)
            shading = etree.SubElement(properties, W + "shd")
            for name, text in (("val", "clear"), ("color", "auto"), ("fill", f"{colour:06X}")):
                shading.set(W + name, text)

    def with_styles(self, styles: etree._Element) -> bytes:
        """The part of a file's styles with the styles of the marks."""
        root = deepcopy(styles)
        for name, base in self._bases.items():
            style = etree.SubElement(root, W + "style")
            for attribute, text in (("type", "character"), ("customStyle", "1"), ("styleId", name)):
                style.set(W + attribute, text)
            etree.SubElement(style, W + "name").set(VAL, name)
            if base:
                etree.SubElement(style, W + "basedOn").set(VAL, base)
        return written(root)


def colours_in(parts: Iterable[bytes]) -> frozenset[int]:
    """The colours in these parts of a file."""
    return frozenset(int(colour, 16) for part in parts for colour in set(_HEX_COLOUR.findall(part)))


def luminance(colour: int) -> int:
    """The luminance of 0xRRGGBB, 0 to 255, as LibreOffice computes it."""
    return ((colour & 255) * 29 + (colour >> 8 & 255) * 151 + (colour >> 16) * 76) >> 8


def _run_properties(holder: etree._Element, before: str = "") -> etree._Element:
    properties = holder.find(W + "rPr")
    if properties is None:
        properties = etree.Element(W + "rPr")
        later = holder.find(W + before) if before else None
        if later is not None:
            later.addprevious(properties)
        elif before:
            holder.append(properties)
        else:
            holder.insert(0, properties)
    return properties
