"""What the styles and the numbering of a Word file make of a paragraph and of a run, as far as labels need it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from lxml import etree

from datagen.word.names import VAL, W, is_on, number, value

TITLE_LEVEL = 1
"""The level of a document's title. That of its headings of the first level is one more."""
_NO_LEVEL = 9
_HEADING = re.compile(r"heading ([1-9])")
_CONTENTS = re.compile(r"toc [1-9]|table of figures|table of authorities")
_CODE = frozenset({"html preformatted", "plain text", "source code", "code", "preformatted text", "macro", "verbatim char"})
# Of the parts of a table that a style may say something of: what switches them on in w:tblLook, by name or by bit.
_TABLE_PARTS = {
    "firstRow": ("firstRow", 0x20),
    "lastRow": ("lastRow", 0x40),
    "firstCol": ("firstColumn", 0x80),
    "lastCol": ("lastColumn", 0x100),
}
_HEX = re.compile("[0-9A-Fa-f]{1,8}")
_MAX_CHAIN = 30  # of styles that are based on each other; Word allows no more, and circles end here


Around = tuple[etree._Element, ...]


class Look(NamedTuple):
    """How a run looks. `raised`: 1 superscript, -1 subscript."""

    is_bold: bool = False
    is_italic: bool = False
    raised: int = 0


@dataclass(frozen=True)
class Shape:
    """What a paragraph is by its style and by its own properties. `level` as in `document.Paragraph`; `is_numbered`: a number or
    bullet stands before it."""

    level: int = 0
    list_depth: int = 0
    is_numbered: bool = False
    is_right_to_left: bool = False
    is_caption: bool = False
    is_code: bool = False
    is_contents: bool = False


class Styles:
    """The styles of a file. `root` and `numbering` are the parts' trees, None where the file lacks them."""

    def __init__(self, root: etree._Element | None, numbering: etree._Element | None = None):
        self._by_id: dict[str, etree._Element] = {}
        self._defaults: dict[str, str] = {}
        for style in root.iter(W + "style") if root is not None else ():
            name, kind = style.get(W + "styleId", ""), style.get(W + "type", "paragraph")
            self._by_id.setdefault(name, style)
            if style.get(W + "default") in ("1", "true", "on"):
                self._defaults.setdefault(kind, name)
        self._default_run = root.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr") if root is not None else None
        self._numbering = numbering
        self._chains: dict[str, tuple[etree._Element, ...]] = {}
        self._names: dict[tuple[str, ...], str] = {}

    def shape(self, properties: etree._Element | None) -> Shape:
        """What a paragraph with these properties (w:pPr, or None) is."""
        chain = self._chain(value(properties, "pStyle"), "paragraph")
        own = [p for p in (properties, *(style.find(W + "pPr") for style in chain)) if p is not None]
        names = [(value(style, "name") or "").lower() for style in chain]
        is_numbered, depth = self._numbered(own, chain)
        level = self._level(own, names)
        is_right_to_left = next((on for p in own if (on := is_on(p, "bidi")) is not None), False)
        return Shape(
            level,
            depth if is_numbered and not level else 0,
            is_numbered,
            is_right_to_left,
            "caption" in names,
            names[:1] != [] and names[0] in _CODE,
            bool(names) and bool(_CONTENTS.fullmatch(names[0])),
        )

    def of_cell(self, table: etree._Element | None, parts: frozenset[str]) -> Around:
        """What the style of a table with these properties (w:tblPr, or None) says of the runs of a cell, the nearest first.
        `parts` are those of the table's first and last row and column that the cell is in, as w:tblStylePr calls them."""
        chosen = table.find(W + "tblLook") if table is not None else None
        bits = int(chosen.get(VAL, "0"), 16) if chosen is not None and _HEX.fullmatch(chosen.get(VAL, "")) else 0
        shown = {
            part
            for part, (name, bit) in _TABLE_PARTS.items()
            if part in parts and (chosen is not None and (chosen.get(W + name) or str(int(bits & bit > 0))) not in ("0", "false"))
        }
        chain = self._chain(value(table, "tblStyle"), "table")
        special = [e for style in chain for part in _TABLE_PARTS if part in shown for e in style.findall(W + "tblStylePr")
                   if e.get(W + "type") == part]  # fmt: skip
        return tuple(runs for e in (*special, *chain) if (runs := e.find(W + "rPr")) is not None)

    def look(self, run: etree._Element | None, paragraph: etree._Element | None, around: Around = ()) -> Look:
        """How a run with these properties (w:rPr, or None) looks in a paragraph with those (w:pPr), in a cell of which `of_cell`
        says what is `around`."""
        is_complex = bool(is_on(run, "rtl") or is_on(run, "cs"))
        names = ("bCs", "iCs") if is_complex else ("b", "i")
        is_bold, is_italic = (self._toggle(name, run, paragraph, around) for name in names)
        raised = next((align for r in self._runs(run, paragraph) if (align := value(r, "vertAlign")) is not None), "")
        return Look(is_bold, is_italic, {"superscript": 1, "subscript": -1}.get(raised, 0))

    def is_hidden(self, run: etree._Element | None, paragraph: etree._Element | None, around: Around = ()) -> bool:
        return self._toggle("vanish", run, paragraph, around)

    def is_upper(self, run: etree._Element | None, paragraph: etree._Element | None, around: Around = ()) -> bool:
        """Whether letters are drawn as capitals, large or small."""
        return self._toggle("caps", run, paragraph, around) or self._toggle("smallCaps", run, paragraph, around)

    def typeface(self, run: etree._Element | None, paragraph: etree._Element | None) -> str:
        """The typeface of a run's Latin letters; "" where a theme says it."""
        for properties in self._runs(run, paragraph):
            fonts = properties.find(W + "rFonts")
            if fonts is not None:
                if fonts.get(W + "asciiTheme"):
                    return ""
                if name := fonts.get(W + "ascii") or fonts.get(W + "hAnsi"):
                    return name
        return ""

    def _runs(self, run: etree._Element | None, paragraph: etree._Element | None) -> Iterator[etree._Element]:
        """All properties of runs that matter, the nearest first."""
        if run is not None:
            yield run
        for style in (*self._character(run), *self._chain(value(paragraph, "pStyle"), "paragraph")):
            if (properties := style.find(W + "rPr")) is not None:
                yield properties
        if self._default_run is not None:
            yield self._default_run

    def _toggle(self, name: str, run: etree._Element | None, paragraph: etree._Element | None, around: Around) -> bool:
        """A property that each kind of style turns over (ISO 29500-1, 17.7.3), and the run's own says outright."""
        own = is_on(run, name)
        if own is not None:
            return own
        chains = (self._character(run), self._chain(value(paragraph, "pStyle"), "paragraph"))
        kinds = [*([style.find(W + "rPr") for style in chain] for chain in chains), around]
        num_on = sum(next((on for runs in kind if (on := is_on(runs, name)) is not None), False) for kind in kinds)
        return num_on % 2 == 1 or bool(is_on(self._default_run, name))

    def _character(self, run: etree._Element | None) -> tuple[etree._Element, ...]:
        return self._chain(value(run, "rStyle"), "character")

    def _chain(self, name: str | None, kind: str) -> tuple[etree._Element, ...]:
        """A style and those that it is based on, the nearest first."""
        if name is None or name not in self._by_id:
            name = self._defaults.get(kind, "")
        if name not in self._chains:
            chain: list[etree._Element] = []
            at: str | None = name
            while at in self._by_id and len(chain) < _MAX_CHAIN:
                chain.append(self._by_id[at])
                at = value(chain[-1], "basedOn")
            self._chains[name] = tuple(chain)
        return self._chains[name]

    def _level(self, own: list[etree._Element], names: list[str]) -> int:
        for properties in own[:1] if own and own[0].getparent().tag == W + "p" else ():
            if (outline := value(properties, "outlineLvl")) is not None:
                return TITLE_LEVEL + 1 + number(outline) if number(outline, _NO_LEVEL) < _NO_LEVEL else 0
        if names[:1] == ["title"]:
            return TITLE_LEVEL
        outline = next((level for p in own if (level := value(p, "outlineLvl")) is not None), None)
        if outline is not None:
            return TITLE_LEVEL + 1 + number(outline) if number(outline, _NO_LEVEL) < _NO_LEVEL else 0
        heading = next((match for name in names if (match := _HEADING.fullmatch(name))), None)
        return TITLE_LEVEL + int(heading[1]) if heading else 0

    def _numbered(self, own: list[etree._Element], chain: tuple[etree._Element, ...]) -> tuple[bool, int]:
        """Whether something stands before the paragraph, and the depth of its list, from 1."""
        numbers = depth = None
        for properties in own:
            numbering = properties.find(W + "numPr")
            if numbering is not None:
                numbers = value(numbering, "numId") if numbers is None else numbers
                depth = value(numbering, "ilvl") if depth is None else depth
            if numbers is not None and depth is not None:
                break
        if numbers is None or numbers == "0":
            return False, 0
        levels = self._levels.get(numbers, {})
        if depth is None:
            names = [style.get(W + "styleId") for style in chain]
            depth = next((at for at, level in levels.items() if value(level, "pStyle") in names), "0")
        level = levels.get(depth)
        return level is not None and _shows_something(level), number(depth) + 1

    @cached_property
    def _levels(self) -> dict[str, dict[str, etree._Element]]:
        """The levels of each numbering, by its id and theirs."""
        if self._numbering is None:
            return {}
        abstract = {a.get(W + "abstractNumId"): a for a in self._numbering.findall(W + "abstractNum")}
        by_style = {name: a for a in abstract.values() if (name := value(a, "styleLink"))}
        numberings: dict[str, dict[str, etree._Element]] = {}
        for num in self._numbering.findall(W + "num"):
            base = abstract.get(value(num, "abstractNumId") or "")
            if base is None:
                continue
            base = by_style.get(value(base, "numStyleLink") or "", base)
            levels = {level.get(W + "ilvl", "0"): level for level in base.findall(W + "lvl")}
            for override in num.findall(W + "lvlOverride"):
                if (level := override.find(W + "lvl")) is not None:
                    levels[override.get(W + "ilvl", "0")] = level
            numberings[num.get(W + "numId", "")] = levels
        return numberings


def _shows_something(level: etree._Element) -> bool:
    text = level.find(W + "lvlText")
    shown = text.get(VAL, "") if text is not None else ""
    return bool((re.sub(r"%\d", "", shown) if value(level, "numFmt") == "none" else shown).strip())
