"""The properties that the styles and the numbering of a Word file give to paragraphs and runs, as far as labels need them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from lxml import etree

from datagen.word.file.names import VAL, W, is_on, is_switched_on, number, value

TITLE_LEVEL = 1
"""The level of a document's title. A heading of the first level has one more."""
_NO_LEVEL = 9
_HEADING = re.compile(r"heading ([1-9])")
_CONTENTS = re.compile(r"toc [1-9]|table of figures|table of authorities")
_CODE = frozenset({"html preformatted", "source code", "code", "preformatted text", "macro", "verbatim char"})
# The parts of a table that may have a style of their own, and their switch in w:tblLook, by name or by bit.
_TABLE_PARTS = {
    "firstRow": ("firstRow", 0x20),
    "lastRow": ("lastRow", 0x40),
    "firstCol": ("firstColumn", 0x80),
    "lastCol": ("lastColumn", 0x100),
}
_SWITCHES = ("b", "i", "bCs", "iCs", "vanish", "caps", "smallCaps")
_RAISED = {"superscript": 1, "subscript": -1}
_HEX = re.compile("[0-9A-Fa-f]{1,8}")
_COLOUR = re.compile("[0-9A-Fa-f]{6}")
_MAX_CHAIN = 30  # of styles that are based on each other; Word allows no more, and circles end here


Around = tuple[etree._Element, ...]


class Look(NamedTuple):
    """How a run looks. `raised`: 1 superscript, -1 subscript."""

    is_bold: bool = False
    is_italic: bool = False
    raised: int = 0


class Run(NamedTuple):
    """A run's properties. `is_upper`: its letters are drawn as capitals, large or small. `typeface` is the typeface of its Latin
    letters, "" where a theme names it."""

    look: Look
    is_hidden: bool
    is_upper: bool
    typeface: str


class _Named(NamedTuple):
    """A run's properties by its styles: the names of the switches that are on, w:vertAlign, and the typeface."""

    switched_on: frozenset[str]
    raised: str
    typeface: str


@dataclass(frozen=True)
class Shape:
    """A paragraph's properties by its style and its own w:pPr. `level` as in `document.Paragraph`. `is_numbered`: a number or
    bullet stands before the paragraph."""

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
        self._of_names: dict[tuple[str | None, str | None, Around], _Named] = {}

    def shape(self, properties: etree._Element | None) -> Shape:
        """The shape of a paragraph with these properties (w:pPr, or None)."""
        chain = self.chain(value(properties, "pStyle"), "paragraph")
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
        """The run properties that a table's style gives to a cell, the nearest first. `table` are the table's properties
        (w:tblPr, or None). `parts` name the first or last row or column that the cell is in, as w:tblStylePr does."""
        chosen = table.find(W + "tblLook") if table is not None else None
        bits = int(chosen.get(VAL, "0"), 16) if chosen is not None and _HEX.fullmatch(chosen.get(VAL, "")) else 0
        shown = {
            part
            for part, (name, bit) in _TABLE_PARTS.items()
            if part in parts and (chosen is not None and (chosen.get(W + name) or str(int(bits & bit > 0))) not in ("0", "false"))
        }
        chain = self.chain(value(table, "tblStyle"), "table")
        special = [e for style in chain for part in _TABLE_PARTS if part in shown for e in style.findall(W + "tblStylePr")
                   if e.get(W + "type") == part]  # fmt: skip
        return tuple(runs for e in (*special, *chain) if (runs := e.find(W + "rPr")) is not None)

    def run(self, properties: etree._Element | None, paragraph: etree._Element | None, around: Around = ()) -> Run:
        """The run with `properties` (w:rPr, or None) in a paragraph with the properties `paragraph` (w:pPr). In a table's cell,
        `around` comes from `of_cell`."""
        own = {child.tag: child for child in reversed(properties)} if properties is not None else {}
        character = own.get(W + "rStyle")
        named = self._named(None if character is None else character.get(VAL), value(paragraph, "pStyle"), around)

        def is_on_here(name: str) -> bool:
            switch = own.get(W + name)
            return name in named.switched_on if switch is None else is_switched_on(switch)

        is_complex = any(switch is not None and is_switched_on(switch) for switch in (own.get(W + "rtl"), own.get(W + "cs")))
        align = own.get(W + "vertAlign")
        raised = None if align is None else align.get(VAL)
        typeface = _typeface(own.get(W + "rFonts"))
        return Run(
            Look(
                is_on_here("bCs" if is_complex else "b"),
                is_on_here("iCs" if is_complex else "i"),
                _RAISED.get(named.raised if raised is None else raised, 0),
            ),
            is_on_here("vanish"),
            is_on_here("caps") or is_on_here("smallCaps"),
            named.typeface if typeface is None else typeface,
        )

    def colour(self, properties: etree._Element | None, paragraph: etree._Element | None) -> int:
        """The colour, 0xRRGGBB, of a run with `properties` (w:rPr, or None) in a paragraph with the properties `paragraph`
        (w:pPr). A run without a colour is black."""
        chains = (self.chain(value(properties, "rStyle"), "character"), self.chain(value(paragraph, "pStyle"), "paragraph"))
        runs = [properties, *(style.find(W + "rPr") for chain in chains for style in chain), self._default_run]
        named = next((colour for e in runs if (colour := value(e, "color")) is not None), "")
        return int(named, 16) if _COLOUR.fullmatch(named) else 0

    def _named(self, character: str | None, paragraph: str | None, around: Around) -> _Named:
        """The properties that styles of these names give to a run without properties of its own."""
        key = character, paragraph, around
        if key not in self._of_names:
            chains = [self.chain(character, "character"), self.chain(paragraph, "paragraph")]
            kinds = [[style.find(W + "rPr") for style in chain] for chain in chains]
            runs = [e for e in (*kinds[0], *kinds[1], self._default_run) if e is not None]
            # Each kind of style turns a switch over (ISO 29500-1, 17.7.3).
            switched_on = frozenset(
                name
                for name in _SWITCHES
                if sum(_first_said(kind, name) for kind in (*kinds, around)) % 2 == 1 or is_on(self._default_run, name)
            )
            raised = next((align for e in runs if (align := value(e, "vertAlign")) is not None), "")
            faces = (_typeface(e.find(W + "rFonts")) for e in runs)
            self._of_names[key] = _Named(switched_on, raised, next((face for face in faces if face is not None), ""))
        return self._of_names[key]

    def chain(self, name: str | None, kind: str) -> tuple[etree._Element, ...]:
        """A style and the styles on which it is based, the nearest first."""
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
        outline_levels = [(p, level) for p in own if (level := value(p, "outlineLvl")) is not None]
        if names[:1] == ["title"] and not (outline_levels and outline_levels[0][0].getparent().tag == W + "p"):
            return TITLE_LEVEL
        if outline_levels:
            outline = outline_levels[0][1]
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
        """The levels of each numbering, by the numbering's id and the level's number."""
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


def _first_said(runs: Iterable[etree._Element | None], name: str) -> bool:
    return next((on for e in runs if (on := is_on(e, name)) is not None), False)


def _typeface(fonts: etree._Element | None) -> str | None:
    """The typeface of Latin letters in a w:rFonts: None if it names none, "" if a theme does."""
    if fonts is None:
        return None
    if fonts.get(W + "asciiTheme"):
        return ""
    return fonts.get(W + "ascii") or fonts.get(W + "hAnsi") or None


def _shows_something(level: etree._Element) -> bool:
    text = level.find(W + "lvlText")
    shown = text.get(VAL, "") if text is not None else ""
    return bool((re.sub(r"%\d", "", shown) if value(level, "numFmt") == "none" else shown).strip())
