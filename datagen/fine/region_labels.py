"""Labels of a page's parts: the layout model's labels, checked against text, fonts and neighbours."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from datagen.coarse.formula_share import is_for_formulas
from datagen.engines.light_pymupdf import pymupdf
from datagen.fine.page_layout import Block
from datagen.fine.wording import FIGURE, ITEM, OF_SECTION, TABLE, TWO_LETTERS
from datagen.labels import HEADINGS, RUNNING, TEXTS, is_page_number
from datagen.page.boldness import is_bold
from datagen.page.boxes import around
from datagen.page.line_breaks import has_one_width, is_monospaced
from datagen.page.line_pieces import Piece, Rect
from datagen.page.paragraphs import Paragraph
from datagen.writing import scripts, signs

_MAX_HEADING_LINES, _MAX_HEADING_CHARS = 4, 240
_LONG_WORD, _MIN_ITEM_WORDS = re.compile(r"[^\W\d_]{4}"), 2
_MIN_ITEM_SPACES = 3  # a numbered sentence has so many spaces, and is no heading
_LARGE = 1.5
_LEAD = (0.1, 0.9)  # the share of bold characters in a line with a bold lead
_LEAD_AND_MORE = re.compile(r"[^:]+:\s*\S|[^\W\d_]{4,} \d[\d.]*[.:]? [^\W\d_]")  # such as "Example 1 Let"
_LARGER, _MAX_SET_CHARS = 1.15, 100
_MAX_HEAD_LINES = 2
_OVER = 0.3  # of the font size: how far a running head's box may reach into the line below
_EDGE = 0.2  # of the page's height or width: a running head is no farther from the edge
_PROSE_CHARS, _PROSE_CJK_CHARS = 80, 30
_CJK = re.compile(f"[{scripts.HAN}{scripts.KANA}{scripts.HANGUL}]")
_ENTRY = re.compile(r"(?:\.{3,}|_{3,})\s*[\divxlcIVXLC]+$")  # of a table of contents
_MIN_ENTRIES = 3
_AS_CAPTION = re.compile(r"\D{3,20}\d+(?:[.-]\d+)*\s?[:.։：]\s")
_REFERENCES = frozenset(
    "references bibliography literature literatur literaturverzeichnis bibliographie références bibliografía referencias "
    "bibliografia referências riferimenti literatuur litteratur kirjallisuus piśmiennictwo literatura irodalom kaynakça "
    "kaynaklar литература литературы библиография література βιβλιογραφία المراجع מקורות 参考文献 參考文獻 참고문헌".split()
)
_OF_FORMULA = re.compile(f"[=<>±×÷√∑∫{scripts.MATH}]")
_WORD, _MAX_REFERENCES_WORDS = re.compile(r"[^\W\d_]+"), 2
_MATH = re.compile(f"[{scripts.MATH}]")
_MAX_FORMULA = 500  # characters
_MAX_PIECE = 15  # characters in a piece of a formula
_WORDS = re.compile(r"[^\W\d_]{4}|[^\W\d_]{2}[^\W\d_]* [^\W\d_]{2}")
_CITED = re.compile(r"(?:\[[\w+-]{1,12}\]|\d{1,3}\.|\(\d{1,3}\))\s*\S")
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
_MAX_DATE = 30
_SIGN = re.compile(f"[{signs.SURE_SIGNS}{signs.DOTS}]")  # of a list item
_STATEMENT = re.compile(r"\w\([^()]*\)\s?[;{]?$|[;{}]$")  # how a statement of code ends, which may have a second line
_IS_ADDRESS = re.compile(r"[<(]?(?:[a-z]+://|www\.|mailto:|[\w.+-]+@)\S+", re.IGNORECASE)
_NEAR_EM, _CAPTION_GAP_EM, _MAX_CAPTION_LINES = 3.0, 1.5, 4


class Usual(NamedTuple):
    """A font and its size in points."""

    font: str
    size: float


@dataclass(eq=False)
class Part:
    """A part of a page that becomes a region: a paragraph, or several of a table, and the layout model's block around them.

    `paragraph` is None for a picture without text. `level` is a heading's level, from 1. `frame` is the frame drawn around a
    table. `has_drawn_sign`: the part is a list item whose sign is a drawing.
    """

    paragraph: Paragraph | None
    block: Block | None
    others: list[Paragraph] = field(default_factory=list)
    label: str = ""
    level: int = 0
    frame: Rect | None = None
    has_drawn_sign: bool = False

    @property
    def paragraphs(self) -> list[Paragraph]:
        return ([] if self.paragraph is None else [self.paragraph]) + self.others

    @property
    def pieces(self) -> list[Piece]:
        """The lines of all paragraphs."""
        return [piece for paragraph in self.paragraphs for piece in paragraph.pieces]

    @property
    def box(self) -> Rect:
        """The box, in points, around the lines and the frame, and around the model's block of a picture, table or formula."""
        boxes = [piece.bbox for piece in self.pieces] + ([] if self.frame is None else [self.frame])
        if self.block is not None and (not boxes or self.block.label in ("image", "table", "equation")):
            boxes.append(self.block.box)
        return around(boxes)

    @property
    def lines(self) -> list[str]:
        return [piece.text for piece in self.pieces]

    @property
    def text(self) -> str:
        return " ".join(self.lines)

    @property
    def size(self) -> float:
        return max((piece.size for piece in self.pieces), default=0.0)

    @property
    def is_in_picture(self) -> bool:
        return self.block is not None and self.block.label == "image"

    @property
    def is_vertical(self) -> bool:
        return any(piece.vertical for piece in self.pieces)

    @property
    def is_code(self) -> bool:
        """Whether all lines are set in a monospaced font."""
        return all(map(is_monospaced, self.pieces))

    @property
    def is_plain(self) -> bool:
        """Whether only the text can tell the label: the model sees text or nothing, and no paragraph is prose."""
        return (self.block is None or self.block.label == "text") and not any(map(is_prose, self.paragraphs))

    @property
    def may_be_formula(self) -> bool:
        """Whether the part is a formula, or a number, a name or a sign that may be a piece of a formula."""
        return self.label == "equation" or (
            self.label == "text" and self.is_plain and len(self.text) <= _MAX_PIECE and not _WORDS.search(self.text)
        )


def is_prose(paragraph: Paragraph | None) -> bool:
    """Whether a line of the paragraph continues in the next line, and the paragraph is long enough for running text."""
    if paragraph is None or not any(paragraph.soft):
        return False
    text = "".join(piece.text for piece in paragraph.pieces)
    return len(text) >= (_PROSE_CJK_CHARS if _CJK.search(text) else _PROSE_CHARS)


def label_parts(parts: Sequence[Part], page: pymupdf.Rect) -> None:
    """Set `label` and `level` of all parts.

    - title, sub_title, footnote: the model's label. But a heading of many lines is text. The one heading that is largest, and
      much larger than the text, is the title; names right below it are text. `level` is 1 for a title. For other headings it
      is one more than the count of numbers in front, or follows from the size.
    - equation: the model's label if the part has a sign or font of formulas. Also a part that is nothing but a formula.
    - header, footer: the model's label, but only at the page's edges and outside of its text. A part that is only a number is a
      page_number. A footer that is running text in the size of the page's text is text.
    - list, code: the label of `text_layer`. Also what the model labels a list, and a separate monospaced line, which is code.
    - image_caption, table_caption: what the text says, else what is nearer, a picture or a table.
    - toc: entries with leaders and a page number.
    - reference: entries below a heading such as "References", or entries that fill a page.
    """
    usual = _usual(parts)
    for part in parts:
        part.label = _label(part, page, usual)
    _label_body_as_such(parts)
    _label_set_code(parts, usual)
    _label_set_headings(parts, usual)
    _label_title(parts, usual)
    _label_names_below_title(parts)
    _label_captions(parts, usual)
    _label_references(parts)
    _set_levels(parts)


def _label(part: Part, page: pymupdf.Rect, usual: Usual) -> str:
    by_model = "" if part.block is None else part.block.label
    if part.paragraph is None:
        return by_model
    by_layer = part.paragraph.label
    if _is_contents(part):
        return "toc"
    match by_model:
        case "header" | "footer":
            return _running(part, by_model, page, usual) or by_layer
        case "title" | "sub_title":
            is_long = len(part.lines) > _MAX_HEADING_LINES or len(part.text) > _MAX_HEADING_CHARS
            is_formula = "=" in part.text and not TWO_LETTERS.search(part.text)
            is_ornament = not any(map(str.isalnum, part.text))
            is_item = ITEM.match(part.text) and part.text[-1] in ".;" and part.text.count(" ") >= _MIN_ITEM_SPACES
            return by_layer if is_long or part.is_code or is_formula or is_ornament or is_item or _is_run_in(part) else by_model
        case "table":
            return "code" if all(p.label == "code" for p in part.paragraphs) else by_model
        case "list":
            return by_layer if by_layer != "text" or not (ITEM.match(part.text) or part.has_drawn_sign) else by_model
        case "equation":
            is_item = by_layer == "list" and len(part.lines) == 1 and len(_LONG_WORD.findall(part.text)) >= _MIN_ITEM_WORDS
            return by_model if _is_formula(part) and not is_item else by_layer
        case "text" | "":
            return "equation" if _is_only_formula(part) else "list" if part.has_drawn_sign and by_layer == "text" else by_layer
    return by_model


def _is_run_in(part: Part) -> bool:
    """Whether a line begins with a bold lead (words and a colon, or words such as "Example 1") and goes on in plain letters."""
    pieces, is_named = part.pieces, bool(_LEAD_AND_MORE.match(part.text))
    return len(pieces) == 1 and _LEAD[0] < pieces[0].bold_share < _LEAD[1] and is_named


def _label_body_as_such(parts: Sequence[Part]) -> None:
    """Give headers below a line of the page's text, and footers above such a line, the label of their paragraph. Do the same for
    headers and footers of a page that has no other text but its page number."""
    placed = [part for part in parts if part.paragraph is not None]
    body = [part for part in placed if part.label not in RUNNING and not part.is_vertical]
    for part in placed:
        (_, y0, _, y1), em = part.box, part.size
        is_within = (part.label == "header" and any(other.box[3] < y0 + _OVER * em for other in body)) or (
            part.label == "footer" and any(other.box[1] > y1 - _OVER * em and other.label != "footnote" for other in body)
        )
        if part.paragraph is not None and (is_within or (not body and part.label in ("header", "footer"))):
            part.label = part.paragraph.label


def _is_formula(part: Part) -> bool:
    """Whether a sign or a font of the part belongs to formulas. Vertical text is no formula, though the model labels it so."""
    if part.is_vertical or len(part.text) > _MAX_FORMULA or any(map(is_prose, part.paragraphs)):
        return False
    return any(is_for_formulas(piece.font) or _OF_FORMULA.search(piece.text) for piece in part.pieces)


def _label_set_code(parts: Sequence[Part], usual: Usual) -> None:
    """Label monospaced lines as code, if they stand apart and the page's text isn't monospaced: a command, a listing's line."""
    if has_one_width(usual.font):
        return
    for part in parts:
        is_set = part.label in TEXTS and part.paragraph is not None and part.is_code
        if is_set and (not any(any(p.soft) for p in part.paragraphs) or _STATEMENT.search(part.text)):
            is_item = bool(ITEM.match(part.text)) or bool(_SIGN.match(part.text))
            if not is_item and not _IS_ADDRESS.fullmatch(part.text) and TWO_LETTERS.search(part.text):
                part.label = "code"


def _label_names_below_title(parts: Sequence[Part]) -> None:
    """Label headings right below a page's title as text, because they are authors and dates: if there are several, or if one has
    a year, or if a date stands below. The date is text, too, and no list item."""
    place = next((i for i, part in enumerate(parts) if part.label == "title"), None)
    if place is None:
        return
    behind = parts[place + 1 :]
    names = list(itertools.takewhile(lambda part: part.label == "sub_title" and not OF_SECTION.match(part.text), behind))
    date = behind[len(names) : len(names) + 1]
    date = [part for part in date if part.label in TEXTS and len(part.text) < _MAX_DATE and _YEAR.search(part.text)]
    for part in date:
        part.label = "text"
    if len(names) > 1 or (names and (date or _YEAR.search(names[0].text))):
        for part in names:
            part.label = "text" if part.paragraph is None else part.paragraph.label


def _label_set_headings(parts: Sequence[Part], usual: Usual) -> None:
    """Find headings that the model labels as text: in some scripts it misses most. If more than half of the texts are set like
    headings, none is a heading."""
    plain = [part for part in parts if part.label == "text" and (part.block is None or part.block.label in TEXTS)]
    headings = [part for part in plain if _is_set_as_heading(part, usual)]
    if 2 * len(headings) <= len(plain):
        for part in headings:
            part.label = "sub_title"


def _is_set_as_heading(part: Part, usual: Usual) -> bool:
    """Whether a part is set like a heading: larger than the text, or one bold line."""
    text, pieces = part.text, part.pieces
    if part.paragraph is None or part.paragraph.label != "text" or part.is_code or len(pieces) > 2 or _is_run_in(part):
        return False
    if len(text) > _MAX_SET_CHARS or signs.ends_clause(text) or not TWO_LETTERS.search(text):
        return False
    if min(piece.size for piece in pieces) > _LARGER * usual.size:
        return True
    return len(pieces) == 1 and part.size > 0.95 * usual.size and is_bold(pieces[0].font) and not is_bold(usual.font)


def _is_only_formula(part: Part) -> bool:
    """Whether a part is nothing but a formula, or a piece of a formula."""
    is_math = [is_for_formulas(piece.font) or bool(_MATH.search(piece.text)) for piece in part.pieces]
    return all(is_math) and not any(map(_WORDS.search, part.lines))


def _running(part: Part, label: str, page: pymupdf.Rect, usual: Usual) -> str:
    """The label of a running header or footer; "" for what is none. A header in large type is a title here: `LabelRunning` later
    finds out whether it stands on other pages, too."""
    if part.is_vertical:
        return "page_number" if is_page_number(part.text) else ""
    x0, y0, x1, y1 = part.box
    top, bottom = y0 < _EDGE * page.height, y1 > (1 - _EDGE) * page.height
    if not (top or bottom or x1 < _EDGE * page.width or x0 > (1 - _EDGE) * page.width):
        return ""
    if is_page_number(part.text):
        return "page_number"
    if label == "header" and len(part.lines) > _MAX_HEAD_LINES:
        return ""  # a letterhead
    if label == "footer" and (_AS_CAPTION.match(part.text) or (is_prose(part.paragraph) and part.size > 0.95 * usual.size)):
        return ""
    return "title" if label == "header" and part.size > _LARGE * usual.size else label


def _usual(parts: Sequence[Part]) -> Usual:
    """The font and size of most characters of the page."""
    num_chars: Counter[Usual] = Counter()
    for piece in (piece for part in parts for piece in part.pieces):
        num_chars[Usual(piece.font, round(piece.size, 1))] += len(piece.text)
    return num_chars.most_common(1)[0][0] if num_chars else Usual("", 0.0)


def _is_contents(part: Part) -> bool:
    lines = part.lines
    num = sum(bool(_ENTRY.search(line)) for line in lines)
    return num >= 1 and 2 * num >= len(lines) and (num >= _MIN_ENTRIES or len(lines) == num)


def _label_title(parts: Sequence[Part], usual: Usual) -> None:
    """Label as the title the one heading that has no number, is much larger than the text, and is larger than all other headings.
    The model hardly distinguishes the title from section headings."""
    headings = [part for part in parts if part.label in HEADINGS]
    largest = max((part.size for part in headings), default=0.0)
    alone = [part for part in headings if part.size > largest - 0.5]
    if len(alone) == 1 and largest > _LARGE * usual.size and not OF_SECTION.match(alone[0].text):
        alone[0].label = "title"


def _label_captions(parts: Sequence[Part], usual: Usual) -> None:
    things = [part for part in parts if part.label in ("image", "table")]
    for part in parts:
        if part.paragraph is None or part.label not in ("image_caption", "text", "sub_title"):
            continue
        says = "table_caption" if TABLE.match(part.text) else "image_caption" if FIGURE.match(part.text) else ""
        near = min(things, key=lambda thing: _distance(part.box, thing.box), default=None)
        if (
            part.label != "image_caption"
            and not (says and _is_caption(part, says, near))
            and not _is_set_as_caption(part, near, usual)
        ):
            continue
        part.label = says or ("table_caption" if near is not None and near.label == "table" else "image_caption")


def _is_caption(part: Part, says: str, near: Part | None) -> bool:
    """Whether a part that begins like a caption is a caption. Running text may begin like a caption, too. A caption stands near
    its figure or table, or the model labels it a heading."""
    if near is not None and near.label == says.removesuffix("_caption") and _distance(part.box, near.box) < _NEAR_EM * part.size:
        return True
    return part.label == "sub_title" and bool(_AS_CAPTION.match(part.text))


def _is_set_as_caption(part: Part, near: Part | None, usual: Usual) -> bool:
    """Whether a part is smaller than the text and stands right below a picture, or on a picture."""
    if near is None or near.label != "image" or part.size >= 0.97 * usual.size or len(part.lines) > _MAX_CAPTION_LINES:
        return False
    (x0, y0, x1, _), (left, top, right, bottom) = part.box, near.box
    return left - part.size < x0 < x1 < right + part.size and top < y0 < bottom + _CAPTION_GAP_EM * part.size


def _distance(a: Rect, b: Rect) -> float:
    """The distance of two boxes. Horizontal distance counts twice, since captions stand above or below."""
    across = max(0.0, a[0] - b[2], b[0] - a[2])
    return 2 * across + max(0.0, a[1] - b[3], b[1] - a[3])


def _label_references(parts: Sequence[Part]) -> None:
    behind = False
    entries = []
    for part in parts:
        if part.label in HEADINGS:
            words = _WORD.findall(OF_SECTION.sub("", part.text).lower())
            behind = len(words) <= _MAX_REFERENCES_WORDS and not _REFERENCES.isdisjoint(words)
        elif part.label in TEXTS and _CITED.match(part.text) and _YEAR.search(part.text):
            entries.append(part)
        if behind and part.label in TEXTS:
            part.label = "reference"
    num_text = sum(part.label in TEXTS for part in parts)
    if len(entries) >= 5 and 10 * len(entries) >= 8 * num_text:
        for part in entries:
            part.label = "reference"


def _set_levels(parts: Sequence[Part]) -> None:
    """Set the levels of headings. A title has level 1. A section number tells the level. A heading without a number has the
    level of a numbered heading in its size, else a deeper level than larger headings."""
    headings = [part for part in parts if part.label in HEADINGS]
    by_size: dict[int, int] = {}
    for part in headings:
        if part.label == "title":
            part.level = 1
        elif number := OF_SECTION.match(part.text):
            part.level = min(6, 2 + number[0].strip(".").count("."))
            by_size.setdefault(round(2 * part.size), part.level)
    sizes = sorted({round(2 * part.size) for part in headings if not part.level} - by_size.keys(), reverse=True)
    for i, size in enumerate(sizes):
        larger = [level for other, level in by_size.items() if other > size]
        by_size[size] = min(6, max(larger, default=1 + (i > 0)) + 1) if larger else min(6, 2 + i)
    for part in headings:
        part.level = part.level or by_size[round(2 * part.size)]
