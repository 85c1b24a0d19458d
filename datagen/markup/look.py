"""How a document of markup is set: a look is drawn for each, of a kind of document such as a paper, a newspaper or slides.

Lengths are CSS pixels, 96 to an inch. To add a kind, add a section to `kinds.toml`; to add a choice, a word to it, and its
style to `look.css`.
"""

import colorsys
import functools
import itertools
import random
import re
import subprocess
import tomllib
import unicodedata
from collections import Counter
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import regex

from datagen.drawing import typefaces
from datagen.drawing.families import families
from datagen.markup.numerals import digit_style, numeral, with_word
from datagen.writing import scripts


class Box(NamedTuple):
    """A rectangle on the page, and how the text in it is set, as CSS's text-align."""

    left: float
    top: float
    width: float
    height: float
    align: str = "left"


@dataclass(frozen=True)
class Look:
    """What a stylesheet is made of. `kinds.toml` draws `words`, `look.css` says what they mean, and nothing else reads them.

    Lengths are CSS pixels, scales shares of the text's size, gaps and indents em, colours #rrggbb.
    """

    kind: str
    lang: str
    script: str
    direction: str  # of the text: ltr or rtl
    writing: str  # CSS's writing-mode
    width: int  # of the page
    height: int
    top: int  # margins
    right: int
    bottom: int
    left: int
    columns: int
    column_gap: int
    body: str  # families
    heading: str
    code: str
    size: float
    gap: float  # between paragraphs
    indent: float  # of a paragraph's first line
    hyphens: str
    paper: str
    ink: str
    accent: str
    tint: str  # the ground of boxes and shaded rows
    colours: str  # whether the document's own colours are kept or dropped
    list_suffix: str
    list_style: str  # a counter style of CSS
    head: str
    head_scale: float
    number: str
    number_form: str
    words: dict[str, str | float]

    def values(self) -> dict[str, str | float]:
        """All of the look by name, as the stylesheet gets it."""
        own = asdict(self)
        words: dict[str, str | float] = own.pop("words")
        return own | words

    @property
    def is_vertical(self) -> bool:
        return self.writing != "horizontal-tb"

    def text_box(self, notes: float = 0) -> Box:
        """Where the page's text stands. `notes`: how much is kept for footnotes at the end of the page, beside vertical text."""
        width, height = self.width - self.left - self.right, self.height - self.top - self.bottom
        if not self.is_vertical:
            return Box(self.left, self.top, width, height - notes)
        return Box(self.left + (notes if self.writing == "vertical-rl" else 0), self.top, width - notes, height)

    def boxes(self, page: int, notes: float = 0) -> dict[str, Box]:
        """The rectangles on page 0, 1, … of what stands outside of its text, by CSS class; what the look hasn't is absent.

        Classes are running-head, running-foot, page-number, page-notes. `notes` as in `text_box`.
        """
        full, text, boxes = self.text_box(), self.text_box(notes), {}
        line = 1.5 * self.size * self.head_scale
        tops = {
            "head": max(2.0, (self.top - line) * 0.6),
            "foot": self.height - self.bottom + max(2.0, min(self.bottom * 0.3, self.bottom - line - 4)),
        }
        is_right = (page % 2 == 0) != (self.direction == "rtl" or self.writing == "vertical-rl")
        (place, _, side), (end, _, number_side) = self.head.partition("-"), self.number.partition("-")
        side, number_side = (("right" if is_right else "left") if at == "outer" else at for at in (side, number_side))
        shares_line = place == end and "none" not in (place, end)
        if shares_line:  # the number stands on the other side
            side = "left" if side == "center" else side
            number_side = "left" if side == "right" else "right"
        if place != "none":
            room = full.width * (0.8 if shares_line else 1)
            boxes[f"running-{place}"] = Box(full.left + (full.width - room) * (side == "right"), tops[place], room, line, side)
        if end != "none":
            room = full.width * (0.2 if shares_line else 1)
            boxes["page-number"] = Box(
                full.left + (full.width - room) * (number_side == "right"), tops[end], room, line, number_side
            )
        if notes and not self.is_vertical:
            boxes["page-notes"] = Box(text.left, text.top + text.height, text.width, notes, "start")
        elif notes:
            left = full.left if self.writing == "vertical-rl" else full.left + text.width
            boxes["page-notes"] = Box(left, full.top, notes, full.height, "start")
        return boxes

    def page_number(self, page: int) -> str:
        """What the number of page 0, 1, … says, such as "12", "- 12 -", "Page 12", "xii", "১২"."""
        number = numeral(page + 1, digit_style(self.script, self.lang) if self.number_form == "digits" else self.number_form)
        if self.number_form == "word":
            return with_word(number, self.lang, self.script)
        return {"dashes": f"– {number} –", "hyphens": f"- {number} -", "brackets": f"[{number}]"}.get(self.number_form, number)


_DRAWN = frozenset(field.name for field in fields(Look))
_UNDRAWN = regex.compile(r"[\s\p{Cc}\p{Default_Ignorable_Code_Point}]")
_LEAST_CONTRAST = 4.5
_CASED = frozenset("Latn Cyrl Grek Armn".split())
_INITIALS = _CASED | frozenset("Geor Hebr Hans Hant Jpan Kore".split())  # whose letters stand alone
_UNSPACED = frozenset("Khmr Laoo Mymr Thai Tibt".split())  # where justified lines would have a gap or two
_TALL = frozenset(
    "Arab Beng Deva Ethi Gujr Guru Hans Hant Jpan Khmr Knda Kore Laoo Mlym Mymr Orya Sinh Taml Telu Thai Tibt".split()
)
_CHINESE = frozenset("Hans Hant Hani Jpan".split())
# Those that Chromium has dictionaries of; Debian's has none, and breaks words at soft hyphens alone.
_HYPHENATED = frozenset(
    "af be bg cs cy da de el en es et eu fr ga gl hr hu hy it la lt lv nb nl nn pl pt ru sk sl sq sv tk uk".split()
)
# Typefaces of other scripts draw the main letters of these, too, and poorly. Those that are meant for them have all of Europe's.
_ALPHABETS = {
    "Latn": "the quick brown fox jumps over the lazy dog ąčęğłőřşšťůźž",
    "Cyrl": "съешь же ещё этих мягких французских булок да выпей чаю ґєіїўђљњћџѕ",
    "Grek": "ξεσκεπάζω την ψυχοφθόρα βδελυγμία ήίόύώέ",
}
_FOR_HEADINGS = re.compile(
    r"Caps|Display|Kufi|Rashi|Stam|Muol|Hand|hand|Fantuwua|Hiwua|Titr|Looped|Bold|Black|Light|Cond|Slanted|Quran|Bokor|Chrieng|Yebse|Tint|Goffer|Gothic$"
)
_POOR = re.compile(r"CLM|BPG|Lohit|Nakula|Sahadeva|Nanum|Thabit")  # of Latin, Greek and Cyrillic letters
_NO_TEXT = re.compile(r"DedaEna|Unjoined|KacstOne| $")  # letters in boxes; Arabic digits for ours; a name that CSS can't say
_MONO = re.compile(r"Mono|Courier|Coding|Thabit")
_NO_SANS = re.compile(
    r"Serif|Naskh|Nastaliq|Amiri|Myeongjo|Scheherazade|Nazli|CLM|Kinnari|Norasi|Khmer OS|Padauk|Abyssinica|Annapurna"
)
_LEAST_COLUMN, _LEAST_JUSTIFIED, _LEAST_WITH_FLOATS = 15, 24, 34  # times the size of letters
_INDENTS = {"Jpan": (1.0,), "Hans": (2.0,), "Hant": (2.0,)}
_FEW = 1 / 2000  # the share of a text that a frequent letter has


def drawn(draw: random.Random, lang: str, script: str, direction: str, sample_text: str) -> Look:
    """A look for a document in a language (BCP-47) and script (ISO 15924) that is written "ltr" or "rtl" ("" if the script says).

    Raises `ValueError`, with what to install, if no typeface draws all of the frequent letters of `sample_text`.
    """
    papers, kinds = _choices()
    kind = draw.choices(list(kinds), [options["weight"] for options in kinds.values()])[0]
    values = {name: _one(draw, options) for name, options in kinds[kind].items() if name != "weight"}
    width, height = papers[values.pop("paper")]
    edge = round(width * values.pop("margin"))
    margins = [max(40 if kind != "slides" else 48, round(edge * draw.uniform(0.8, 1.3))) for _ in range(2)]
    is_gap, writing = values.pop("paragraphs") == "gap", _writing(draw, script, kind)
    values |= _families(draw, values.pop("taste"), _frequent(sample_text, script), lang, script)
    values |= _colours(draw, values.pop("ground") == "dark", values.pop("coloured") == "yes")
    inline = (height if writing != "horizontal-tb" else width) - 2 * edge
    values["columns"] = max(1, min(values["columns"], int(inline / values["size"] / _LEAST_COLUMN)))
    if values["columns"] > 1 or inline < _LEAST_WITH_FLOATS * values["size"]:
        values |= {"figure": "center", "aside": "box"}
    if values["columns"] == 1:
        values["spanning"] = "none"  # pages are columns, too, and would be spanned
    if values["spanning"] == "all":
        values["column_rule"] = "none"
    if script not in _CASED:
        values |= {"heading_case": "none", "heading_slant": "normal"}
    if script not in _INITIALS or writing != "horizontal-tb":
        values["drop_cap"] = 0
    is_narrow = inline / values["columns"] < _LEAST_JUSTIFIED * values["size"] and script not in _CHINESE
    if script in _UNSPACED or (is_narrow and draw.random() < 0.6):
        values["text_align"] = "start"
    if script in _TALL:
        least = draw.uniform(2.1, 2.5) if "Nastaliq" in values["body"] else draw.uniform(1.4, 1.7)
        values["line_height"] = round(max(values["line_height"], least), 3)
    if values["list_style"] == "digits":
        values["list_style"] = digit_style(script, lang)
    is_hyphenated = lang.split("-")[0].lower() in _HYPHENATED and (values["text_align"] == "justify" or draw.random() < 0.2)
    return Look(
        kind=kind,
        lang=lang,
        script=script,
        direction=direction or ("rtl" if script in scripts.RTL else "ltr"),
        writing=writing,
        width=width,
        height=height,
        top=margins[0],
        right=edge,
        bottom=margins[1],
        left=max(24, round(edge * draw.uniform(0.85, 1.15))),
        column_gap=round(values["size"] * draw.uniform(1.4, 2.4)),
        gap=round(draw.uniform(0.4, 1.1), 3) if is_gap else draw.choice((0.0, 0.0, 0.2)),
        indent=0.0 if is_gap else draw.choice(_INDENTS.get(script, (1.0, 1.5, 2.0))),
        hyphens="auto" if is_hyphenated else "manual",
        **{name: values.pop(name) for name in _DRAWN & values.keys()},
        words=values,
    )


@functools.cache
def _choices() -> tuple[dict[str, list[int]], dict[str, dict[str, Any]]]:
    """The sizes of papers; the choices of each kind, by field, and its weight."""
    kinds = tomllib.loads(Path(__file__).with_name("kinds.toml").read_text(encoding="utf-8"))
    papers, usual = kinds.pop("papers"), kinds.pop("any")
    return papers, {kind: usual | options for kind, options in kinds.items()}


def _one(draw: random.Random, options: str | list[float]) -> Any:
    if isinstance(options, list):
        return round(draw.uniform(*options), 3)
    word = draw.choice(options.split())
    return int(word) if word.isdigit() else word


def _writing(draw: random.Random, script: str, kind: str) -> str:
    if script == "Mong":
        return "vertical-lr"
    share = {"book": 0.5, "newspaper": 0.5, "magazine": 0.3, "report": 0.05}.get(kind, 0.0)
    return "vertical-rl" if script in _CHINESE and draw.random() < share else "horizontal-tb"


def _frequent(text: str, script: str) -> str:
    """The text without its rare letters and those of other scripts: some 4,000 characters from its beginning."""
    own = scripts.parts(script) | scripts.NO_SCRIPT
    text = "".join(itertools.islice((char for char in text if scripts.script(char) in own), 4000)) or text[:4000]
    counts = Counter(text)
    return "".join(char for char in text if char.isspace() or counts[char] >= len(text) * _FEW)


def _families(draw: random.Random, taste: str, text: str, lang: str, script: str) -> dict[str, str]:
    """The families of the body, of headings and of code."""
    letters = frozenset(char for char in text if char.isalpha())
    known = _known_families(_ALPHABETS[script], lang) if script in _ALPHABETS else ()
    all_of_text = tuple(name for name in known if not _POOR.search(name) and not typefaces.missing(name, letters))
    if not (all_of_text := all_of_text or _known_families(text, lang)):
        raise ValueError(typefaces.what_to_install(text, lang))
    usual = [name for name in all_of_text if not _FOR_HEADINGS.search(name) and not _MONO.search(name)] or list(all_of_text)
    tasty = [name for name in usual if (taste == "serif") == bool(_NO_SANS.search(name))] or usual
    noto = [name for name in tasty if name.startswith("Noto ")] or tasty
    body = draw.choice(noto if draw.random() < 0.3 else tasty)
    if draw.random() < 0.03:  # as typewritten
        body = draw.choice([name for name in all_of_text if _MONO.search(name)] or [body])
    heading = body if draw.random() < 0.5 else draw.choice([name for name in all_of_text if not _MONO.search(name)] or usual)
    code = [name for name in _known_families(_ALPHABETS["Latn"], "en") if _MONO.search(name)]
    return {"body": body, "heading": heading, "code": draw.choice(code or [body])}


@functools.lru_cache(maxsize=256)
def _known_families(text: str, lang: str) -> tuple[str, ...]:
    return tuple(name for name in families(text, lang) if not _NO_TEXT.search(name))


def without_glyphs(text: str, look: Look) -> frozenset[str]:
    """The visible characters of a text that no typeface of this machine draws: a browser draws boxes in their place. Private ones
    are among them, whatever a typeface draws for them."""
    visible = frozenset(char for char in set(text) if not _UNDRAWN.match(char))
    private = frozenset(char for char in visible if unicodedata.category(char) == "Co")
    return private | {char for char in typefaces.missing(look.body, visible) if not _has_glyph(char)}


@functools.lru_cache(maxsize=4096)
def _has_glyph(char: str) -> bool:
    """As fontconfig tells, which Chromium asks, too."""
    command = ["fc-list", f":charset={ord(char):x}", "file"]
    return bool(subprocess.run(command, capture_output=True, timeout=60).stdout.strip())


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (#rrggbb) as WCAG has it: 1 for the same, 21 for black on white."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _hex(hue: float, lightness: float, saturation: float) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))


def _colours(draw: random.Random, is_dark: bool, is_coloured: bool) -> dict[str, Any]:
    """Paper, ink, accent and tint: ink and accent are readable on both grounds."""
    hue, other = draw.random(), draw.random()
    tone = draw.choices(("white", "warm", "grey", "tinted"), (6, 2, 1, 1))[0]
    papers = {"white": (0, 1, 0), "warm": (0.11, draw.uniform(0.92, 0.98), 0.5), "grey": (0, draw.uniform(0.9, 0.98), 0)}
    if is_dark:
        paper, tint, tone = _hex(hue, draw.uniform(0.06, 0.14), 0.3), _hex(hue, draw.uniform(0.17, 0.22), 0.3), "dark"
    else:
        paper = _hex(*papers.get(tone, (hue, draw.uniform(0.93, 0.97), 0.5)))
        tint = _hex(other if is_coloured else 0, draw.uniform(0.86, 0.93), draw.uniform(0.2, 0.6) if is_coloured else 0)
    inks = [(draw.choice((0, hue)), draw.uniform(0, 0.22), 0.2), (other, draw.uniform(0.2, 0.45), draw.uniform(0.4, 0.95))]
    ink, accent = (_readable((h, 1 - lightness if is_dark else lightness, s), (paper, tint), is_dark) for h, lightness, s in inks)
    return {"paper": paper, "tint": tint, "ink": ink, "accent": accent if is_coloured else ink} | (
        {"colours": "kept" if tone == "white" and draw.random() < 0.3 else "dropped"}
    )


def _readable(colour: tuple[float, float, float], grounds: tuple[str, ...], is_dark: bool) -> str:
    hue, lightness, saturation = colour
    while min(contrast(_hex(hue, lightness, saturation), ground) for ground in grounds) < _LEAST_CONTRAST:
        lightness = min(1.0, lightness + 0.02) if is_dark else max(0.0, lightness - 0.02)
        if lightness in (0.0, 1.0):
            break
    return _hex(hue, lightness, saturation)
