"""Text as typeset PDF pages, with shaping, by Pango and Cairo; and where each line and word of it stands.

What is known comes from the input and from Pango's layout, never from the text layer of the PDF: that is what is to be tested.
Needs libpangocairo. Same input, fonts and library versions: same bytes.
"""

import functools
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cairocffi
import pangocairocffi
from fontTools import unicodedata as scripts
from pangocffi import Layout, ffi, glib, gobject, pango

from datagen.stages.language import main_script

Rect = tuple[float, float, float, float]  # x0, y0, x1, y1 in points, origin top left, x1/y1 exclusive

_UNIT = 1024  # Pango's, to a point
_SOFT_HYPHEN = "\u00ad"
_CREATED = "2000-01-01T00:00:00Z"  # Cairo would write the time of day
_BREAK_INSERTS_HYPHEN = 1 << 13  # in PangoLogAttr's bit field, which pangocffi leaves opaque
# Text faces first, book before sans; then what is for screens, posters, labels and code.
_ODD = re.compile(r"Mono|Display|Looped|Condensed|Light|Kufi|Nastaliq|Rashi|Unjoined|Slanted|Supplement|Traditional|Tifinagh .")
_NO_TEXT = re.compile(r"Math|Symbols|Music|SignWriting|Siyaq|Numerals")
_NOTO_GENERAL = re.compile(r"Noto (Sans|Serif|Mono|Sans Mono|Sans Display|Serif Display)")
_CJK = {"Hans": "SC", "Hant": "TC", "Jpan": "JP", "Kore": "KR", "Bopo": "TC"}
_PARTS = {"Hans": ("Hani",), "Hant": ("Hani",), "Jpan": ("Hani", "Hira", "Kana"), "Kore": ("Hani", "Hang")}
_PACKAGES = dict.fromkeys((*_CJK, "Hani"), "fonts-noto-cjk") | {"Yiii": "fonts-sil-nuosusil", "Brai": "fonts-freefont-ttf"}


@dataclass(frozen=True)
class Word:
    """A run between white space; in scripts that put none between words, the whole run."""

    text: str
    box: Rect


@dataclass(frozen=True)
class Ruby:
    """A reading beside the characters of a line that it belongs to. `box` is the reading's."""

    base: str
    text: str
    box: Rect


@dataclass(frozen=True)
class TypesetLine:
    """A line as the input has it, in logical order, without the space that it is broken at.

    `box` holds the logical extents and the ink. Soft hyphens draw nothing and are left out; one that the line is broken at is
    drawn and stands as `-` at the end (`hyphenated`).
    Of ruby, `text` and `box` hold the base only.
    """

    text: str
    box: Rect
    words: tuple[Word, ...]
    direction: str = "ltr"
    hyphenated: bool = False
    ruby: tuple[Ruby, ...] = ()


@dataclass(frozen=True)
class TypesetPage:
    """`paragraphs` as they are read. One that goes on over a page break has lines on both pages."""

    size_pt: tuple[float, float]
    paragraphs: tuple[tuple[TypesetLine, ...], ...]

    @property
    def lines(self) -> tuple[TypesetLine, ...]:
        return tuple(line for paragraph in self.paragraphs for line in paragraph)

    @property
    def text(self) -> str:
        return "\n\n".join("\n".join(line.text for line in paragraph) for paragraph in self.paragraphs)


@dataclass(frozen=True)
class Typeset:
    pdf: bytes
    pages: tuple[TypesetPage, ...]


@dataclass(frozen=True)
class Style:
    """How a document looks. `family` empty: chosen by the text; what a named one lacks comes from other fonts. `line_spacing` is
    from baseline to baseline in font sizes, raised where the font's lines are higher. `colour` is RGB, 0 to 1."""

    width_pt: float = 595
    height_pt: float = 842
    margin_pt: float = 56
    family: str = ""
    size_pt: float = 11
    line_spacing: float = 1.3
    paragraph_gap_pt: float = 6
    columns: int = 1
    column_gap_pt: float = 24
    justify: bool = False
    weight: int = 400
    italic: bool = False
    colour: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def column_width_pt(self) -> float:
        return (self.width_pt - 2 * self.margin_pt - (self.columns - 1) * self.column_gap_pt) / self.columns

    @property
    def column_height_pt(self) -> float:
        return self.height_pt - 2 * self.margin_pt


def typeset(paragraphs: Sequence[str], lang: str = "und", style: Style = Style(), max_pages: int = 0) -> Typeset:
    """The paragraphs on as many pages as they fill, at most `max_pages` (0: all); the text beyond is left out.

    A newline in a paragraph breaks the line. Base direction is each paragraph's own; columns fill from the right if the first
    line's is right to left. `lang` (BCP-47) chooses between forms of letters and rules of line breaking. Raises `ValueError` if
    no font has the text's letters, or if the style leaves no room for them.
    """
    if style.columns < 1 or style.column_width_pt < style.size_pt or style.column_height_pt < 2 * style.size_pt:
        raise ValueError(f"no room for text of size_pt={style.size_pt:g} in {style}")
    paragraphs = [unicodedata.normalize("NFC", paragraph) for paragraph in paragraphs if paragraph.strip()]
    name = style.family or family("\n".join(paragraphs), lang)
    if name not in _installed():
        raise ValueError(f"family={name!r}: not installed")
    buffer = io.BytesIO()
    surface = cairocffi.PDFSurface(buffer, style.width_pt, style.height_pt)
    surface.set_metadata(cairocffi.PDF_METADATA_CREATE_DATE, _CREATED)
    context = cairocffi.Context(surface)
    context.set_source_rgb(*style.colour)
    pages: list[list[list[TypesetLine]]] = [[]]
    slots: _Slots | None = None
    for paragraph in paragraphs:
        layout = _layout(context, paragraph, name, lang, style)
        pages[-1].append([])
        for line in _lines(layout, paragraph.encode()):
            slots = slots or _Slots(style, line.direction == "rtl")
            height = max(line.height, style.line_spacing * style.size_pt)
            x, y, page = slots.take(height)
            if page == len(pages):
                if page == max_pages:
                    return _finished(surface, buffer, style, pages)
                context.show_page()
                pages.append([[]])
            baseline = y + (height - line.height) / 2 + line.ascent
            context.move_to(x + line.left, baseline)
            pangocairocffi.pangocairo.pango_cairo_show_layout_line(context._pointer, line.pointer)
            pages[-1][-1].append(line.at(x, baseline))
        if slots:
            slots.y += style.paragraph_gap_pt
    return _finished(surface, buffer, style, pages)


def _finished(surface: cairocffi.PDFSurface, buffer: io.BytesIO, style: Style, pages: list[list[list[TypesetLine]]]) -> Typeset:
    surface.finish()
    size = (style.width_pt, style.height_pt)
    read = [TypesetPage(size, tuple(tuple(paragraph) for paragraph in page if paragraph)) for page in pages]
    return Typeset(buffer.getvalue(), tuple(read))


def family(text: str, lang: str = "und") -> str:
    """The typeface for `text`: the first of `families`. Raises `ValueError`, with what to install, if there is none."""
    found = families(text, lang)
    if found:
        return found[0]
    script, letters = _script_letters(text, lang)
    best = max(_installed(), key=lambda name: -len(_missing(name, letters)), default="")
    missing = "".join(sorted(_missing(best, letters) if best else letters))[:20]
    package = _PACKAGES.get(script, "fonts-noto-core")
    raise ValueError(f"no installed font has the {script} letters of the text, {missing!r} among them: apt-get install {package}")


def families(text: str, lang: str = "und") -> tuple[str, ...]:
    """The installed families that have every letter of the text's main script, the usual ones first.

    Its other characters, such as digits or names in another script, may come from other fonts. Han typefaces are those of the
    text's own tradition, by its letters or `lang`. Typefaces that are for other scripts first are left out.
    """
    script, letters = _script_letters(text, lang)

    def meant(name: str) -> bool:
        if _NO_TEXT.search(name):
            return False
        if script == "Deva" and "Mono" in name:
            return False  # FreeMono, which draws no conjuncts in some languages
        if script in _CJK and "CJK" in name:
            return name.endswith(f" {_CJK[script]}")
        return not name.startswith("Noto ") or script not in ("Latn", "Cyrl", "Grek") or bool(_NOTO_GENERAL.fullmatch(name))

    def rank(name: str) -> tuple[bool, bool, bool, str]:
        return not name.startswith("Noto "), bool(_ODD.search(name)), "Sans" in name, name

    return tuple(sorted((name for name in _installed() if meant(name) and not _missing(name, letters)), key=rank))


def _script_letters(text: str, lang: str) -> tuple[str, frozenset[str]]:
    """The text's main script, and the letters and marks of it that the text holds."""
    text = unicodedata.normalize("NFC", text)
    script = main_script(text)[0]
    if script == "Hani":
        by_lang = {"ja": "Jpan", "ko": "Kore", "zh-hant": "Hant", "zh-tw": "Hant", "zh-hk": "Hant", "yue": "Hant"}
        script = next((by_lang[key] for key in by_lang if lang.lower().startswith(key)), "Hans")
    parts = _PARTS.get(script, (script,))
    letters, inside = set(), False
    for char in text:
        own = scripts.script(char)
        inside = own in parts or (inside and own == "Zinh")  # marks belong to the letter before
        if inside and unicodedata.category(char)[0] in "LM":
            letters.add(char)
    return script, frozenset(letters)


@functools.cache
def _installed() -> dict[str, Any]:
    """A font of each installed family, by name, in the order of names."""
    fontmap = pangocairocffi.PangoCairoFontMap.get_default().pointer
    fontmap = ffi.cast("PangoFontMap *", fontmap)
    context = ffi.gc(pango.pango_font_map_create_context(fontmap), gobject.g_object_unref)
    array, number = ffi.new("PangoFontFamily ***"), ffi.new("int *")
    pango.pango_font_map_list_families(fontmap, array, number)
    names = sorted({ffi.string(pango.pango_font_family_get_name(array[0][i])).decode() for i in range(number[0])})
    glib.g_free(array[0])
    fonts = {name: pango.pango_font_map_load_font(fontmap, context, _description(name, 10)) for name in names}
    return {name: font for name, font in fonts.items() if font != ffi.NULL}


@functools.lru_cache(maxsize=4096)
def _missing(name: str, letters: frozenset[str]) -> frozenset[str]:
    font = _installed()[name]
    return frozenset(char for char in letters if not pango.pango_font_has_char(font, ord(char)))


def _description(name: str, size_pt: float, weight: int = 400, italic: bool = False) -> Any:
    description = ffi.gc(pango.pango_font_description_new(), pango.pango_font_description_free)
    pango.pango_font_description_set_family(description, name.encode())
    pango.pango_font_description_set_absolute_size(description, size_pt * _UNIT)
    pango.pango_font_description_set_weight(description, weight)
    pango.pango_font_description_set_style(description, pango.PANGO_STYLE_ITALIC if italic else pango.PANGO_STYLE_NORMAL)
    return description


def _layout(context: cairocffi.Context, text: str, name: str, lang: str, style: Style) -> Layout:
    """A layout of one paragraph. Raises `ValueError` if no font has some of its characters."""
    layout = pangocairocffi.create_layout(context)
    pointer = layout.pointer
    # "und" too: without a language Pango takes the environment's, and the bytes with it.
    pango.pango_context_set_language(pango.pango_layout_get_context(pointer), pango.pango_language_from_string(lang.encode()))
    pango.pango_context_set_round_glyph_positions(pango.pango_layout_get_context(pointer), False)
    plain = "Noto Sans" if "Sans" in name else "Noto Serif"
    pango.pango_layout_set_font_description(
        pointer, _description(f"{name},{plain},DejaVu Sans", style.size_pt, style.weight, style.italic)
    )
    pango.pango_layout_set_wrap(pointer, pango.PANGO_WRAP_WORD_CHAR)
    pango.pango_layout_set_justify(pointer, style.justify)
    pango.pango_layout_set_width(pointer, int(style.column_width_pt * _UNIT))
    layout.text = text
    if _SOFT_HYPHEN not in text:
        # Else Pango puts hyphens where it cuts what is wider than the column, in scripts too that have none.
        attributes = ffi.gc(pango.pango_attr_list_new(), pango.pango_attr_list_unref)
        pango.pango_attr_list_insert(attributes, pango.pango_attr_insert_hyphens_new(False))
        pango.pango_layout_set_attributes(pointer, attributes)
    if pango.pango_layout_get_unknown_glyphs_count(pointer):
        missing = frozenset.intersection(*(_missing(name, frozenset(text)) for name in _installed()))
        missing |= {char for char in text if unicodedata.category(char) == "Cc"} - set("\t\n")
        raise ValueError(f"no installed font has {''.join(sorted(missing))!r}")
    return layout


class _Slots:
    """Where the next line goes: columns are filled from top to bottom, pages column by column."""

    def __init__(self, style: Style, from_right: bool) -> None:
        self.style, self.from_right = style, from_right
        self.column, self.page, self.y = 0, 0, style.margin_pt

    def take(self, height: float) -> tuple[float, float, int]:
        """The left edge and top of a line of this height, and its page."""
        style = self.style
        if self.y + height > style.height_pt - style.margin_pt and self.y > style.margin_pt:
            self.column, self.y = self.column + 1, style.margin_pt
            if self.column == style.columns:
                self.column, self.page = 0, self.page + 1
        place = style.columns - 1 - self.column if self.from_right else self.column
        top, self.y = self.y, self.y + height
        return style.margin_pt + place * (style.column_width_pt + style.column_gap_pt), top, self.page


class _Line(NamedTuple):
    """A line that Pango has broken: x from the column's left edge, y from the baseline, in points."""

    pointer: Any
    text: str
    words: list[tuple[str, float, float]]
    logical: Rect
    ink: Rect
    direction: str
    hyphenated: bool

    @property
    def left(self) -> float:
        return self.logical[0]

    @property
    def ascent(self) -> float:
        return -self.logical[1]

    @property
    def height(self) -> float:
        return self.logical[3] - self.logical[1]

    def at(self, x: float, baseline: float) -> TypesetLine:
        top, bottom = baseline + self.logical[1], baseline + self.logical[3]
        words = tuple(Word(text, (x + x0, top, x + x1, bottom)) for text, x0, x1 in self.words)
        box = _union(self.logical, self.ink) if self.ink[0] < self.ink[2] else self.logical
        box = (x + box[0], baseline + box[1], x + box[2], baseline + box[3])
        return TypesetLine(self.text, box, words, self.direction, self.hyphenated)


def _lines(layout: Layout, text: bytes) -> Iterator[_Line]:
    """The layout's lines from top to bottom. They live no longer than the layout."""
    pointer = layout.pointer
    number = ffi.new("int *")
    attributes = ffi.cast("uint32_t *", pango.pango_layout_get_log_attrs_readonly(pointer, number))
    clusters = _clusters(pointer)
    iterator = ffi.gc(pango.pango_layout_get_iter(pointer), pango.pango_layout_iter_free)
    ink, logical = ffi.new("PangoRectangle *"), ffi.new("PangoRectangle *")
    char = byte = 0
    while True:
        line = pango.pango_layout_iter_get_line_readonly(iterator)
        start = pango.pango_layout_line_get_start_index(line)
        end = start + pango.pango_layout_line_get_length(line)
        char, byte = char + len(text[byte:end].decode()), end
        last = pango.pango_layout_iter_at_last_line(iterator)
        hyphen = "-" if not last and attributes[char] & _BREAK_INSERTS_HYPHEN else ""
        pango.pango_layout_iter_get_line_extents(iterator, ink, logical)
        baseline = pango.pango_layout_iter_get_baseline(iterator)
        edges = _rect(logical, baseline)
        shown = text[start:end].decode()
        yield _Line(
            line,
            shown.replace(_SOFT_HYPHEN, "").strip() + hyphen,
            _words(shown, start, hyphen, clusters, edges),
            edges,
            _rect(ink, baseline),
            "rtl" if pango.pango_layout_line_get_resolved_direction(line) == pango.PANGO_DIRECTION_RTL else "ltr",
            bool(hyphen),
        )
        if not pango.pango_layout_iter_next_line(iterator):
            return


def _clusters(layout: Any) -> dict[int, tuple[float, float]]:
    """From where to where each cluster of glyphs stands, by the first byte of its text.

    Pango can tell the same of any range of text, but for some scripts' clusters of several glyphs stops in their middle.
    """
    found: dict[int, tuple[float, float]] = {}
    iterator = ffi.gc(pango.pango_layout_get_iter(layout), pango.pango_layout_iter_free)
    logical = ffi.new("PangoRectangle *")
    while True:
        if pango.pango_layout_iter_get_run_readonly(iterator):  # none at a line's end
            pango.pango_layout_iter_get_cluster_extents(iterator, ffi.NULL, logical)
            found[pango.pango_layout_iter_get_index(iterator)] = logical.x / _UNIT, (logical.x + logical.width) / _UNIT
        if not pango.pango_layout_iter_next_cluster(iterator):
            return found


def _words(
    text: str, start: int, hyphen: str, clusters: dict[int, tuple[float, float]], edges: Rect
) -> list[tuple[str, float, float]]:
    """The words of a line that starts at byte `start`, each with its left and right; what bidi splits, with what is between."""
    words = []
    tokens = list(re.finditer(r"\S+", text))
    for token in tokens:
        word = token.group().replace(_SOFT_HYPHEN, "") + (hyphen if token is tokens[-1] else "")
        first = start + len(text[: token.start()].encode())
        extents = [clusters[i] for i in range(first, first + len(token.group().encode())) if i in clusters]
        if word and extents:
            # Letters spaced out to justify a line have some of their space beyond it.
            words.append((word, max(min(extents)[0], edges[0]), min(max(x1 for _, x1 in extents), edges[2])))
    return words


def _rect(rectangle: Any, baseline: int) -> Rect:
    x, y = rectangle.x, rectangle.y - baseline
    return x / _UNIT, y / _UNIT, (x + rectangle.width) / _UNIT, (y + rectangle.height) / _UNIT


def _union(a: Rect, b: Rect) -> Rect:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
