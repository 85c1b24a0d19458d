"""A paragraph as pages show it: a part for each page and each column, with the text of each piece in that part."""

import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from datagen.page.boxes import around, distance, overlap
from datagen.page.glyphs import clusters_by_place, read_rtl
from datagen.word.file.document import Block, Formula, Paragraph, Text
from datagen.word.pages.page_letters import Letter, Rect
from datagen.word.pages.text_shares import is_shown, letters_of, shares, shown
from datagen.writing.bidi import num_rtl

_UP = 0.5  # of a line's height: a next line that is higher by so much is in another column
_LEADER = re.compile(r"(?:([.·…_])\s*)\1(?:\s*\1)+")  # drawn by a tab
_SAME_LINE = 0.5  # of the lower one's height


@dataclass(frozen=True)
class Segment:
    """Text of one look, or the formula with the number `formula`. `raised`: 1 superscript, -1 subscript."""

    text: str
    is_bold: bool = False
    is_italic: bool = False
    formula: int = -1
    raised: int = 0


@dataclass
class Part:
    """The part of a paragraph in one column of a page. `lines` are its visual lines, `formulas` the places of its formulas, and
    `marker` is the number or bullet in front. `is_exact`: the page has as many letters as the text. `is_found`: the letters on
    both sides of the page's cut are also the text's. `continues`: another part follows."""

    paragraph: Paragraph
    page: int
    letters: list[Letter]
    lines: list[list[Letter]]
    formulas: dict[int, Rect] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    marker: str = ""
    is_exact: bool = True
    is_found: bool = True
    continues: bool = False

    @property
    def box(self) -> Rect:
        """Around its letters and formulas."""
        return around([letter.box for letter in self.letters if letter.counts] + list(self.formulas.values()))


def paragraphs_of(blocks: Sequence[Block]) -> Iterator[Paragraph]:
    """All paragraphs in their order, those in tables included."""
    for block in blocks:
        if isinstance(block, Paragraph):
            yield block
        else:
            for row in block.rows:
                for cell in row.cells:
                    yield from paragraphs_of(cell.blocks)


def formulas_of(blocks: Sequence[Block]) -> list[Formula]:
    """All formulas in their order, those in tables included."""
    return [piece for paragraph in paragraphs_of(blocks) for piece in paragraph.pieces if isinstance(piece, Formula)]


def marks_of(paragraph: Paragraph) -> set[int]:
    marks = {piece.mark for piece in paragraph.pieces if isinstance(piece, Text)} | {paragraph.marker_mark}
    return marks - {0}


def paragraph_parts(
    paragraph: Paragraph,
    letters: Mapping[int, Sequence[Letter]],
    places: Mapping[int, Sequence[tuple[int, Rect]]],
    pictures: Mapping[int, Sequence[Rect]] | None = None,
) -> list[Part]:
    """The parts of a paragraph, in order. `letters` are the paragraph's letters by page, `places` the pages and boxes of each
    formula. `pictures` are the pictures of each page: lines above and below a picture are two parts."""
    around = pictures or {}
    parts = [part for page in sorted(letters) for part in _columns(paragraph, page, letters[page], around.get(page, ()))]
    for piece in paragraph.pieces:
        for page, box in places.get(piece.number, ()) if isinstance(piece, Formula) else ():
            assert isinstance(piece, Formula)
            near = [part for part in parts if part.page == page]
            if not near:
                near = [Part(paragraph, page, [], [])]
                before = sum(part.page < page for part in parts)
                parts.insert(before, near[0])
            apart = [distance(part.box, box) if part.letters or part.formulas else 0.0 for part in near]
            near[apart.index(min(apart))].formulas[piece.number] = box
    _fill(paragraph, parts)
    is_repeated = paragraph.where in ("header", "footer")
    for part, following in itertools.pairwise(parts):
        part.continues = not is_repeated and not (part.page != following.page and _texts(part) == _texts(following))
    return parts


def _texts(part: Part) -> list[str]:
    return [segment.text for segment in part.segments]


def _columns(paragraph: Paragraph, page: int, letters: Sequence[Letter], pictures: Sequence[Rect]) -> Iterator[Part]:
    """The parts of the paragraph on a page, with their lines. A new part begins where the text goes on higher up, or below a
    picture."""
    part: Part | None = None
    for line in _runs(letters):
        box = around([letter.box for letter in line])
        if part is not None:
            last = around([letter.box for letter in part.lines[-1] if letter.counts])
            if _is_elsewhere(last, box, line[0].is_vertical) or any(_is_between(last, picture, box) for picture in pictures):
                yield part
                part = None
            elif overlap(last, box, 0 if line[0].is_vertical else 1) >= _SAME_LINE:
                part.lines[-1] += line
                part.letters += line
                continue
        if part is None:
            part = Part(paragraph, page, [], [])
        part.lines.append(list(line))
        part.letters += line
    if part is not None:
        yield part


def _runs(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    """Runs of letters that follow each other in one of MuPDF's lines. Runs of white space alone are left out."""
    run: list[Letter] = []
    for letter in letters:
        if run and letter.line != run[-1].line:
            if any(other.counts for other in run):
                yield run
            run = []
        run.append(letter)
    if any(other.counts for other in run):
        yield run


def _is_elsewhere(last: Rect, box: Rect, is_vertical: bool) -> bool:
    if is_vertical:
        return (box[0] + box[2]) / 2 > last[2] + _UP * (last[2] - last[0])
    return (box[1] + box[3]) / 2 < last[1] - _UP * (last[3] - last[1])


def _is_between(last: Rect, picture: Rect, box: Rect) -> bool:
    """Whether a picture lies below one line and above the next."""
    middle = (picture[1] + picture[3]) / 2
    return last[3] < middle < box[1] and overlap(picture, box, 0) > 0 and overlap(picture, last, 0) > 0


def _fill(paragraph: Paragraph, parts: Sequence[Part]) -> None:
    """Give each part its segments of the paragraph's text, in the text's order."""
    by_part = [_by_mark(part.letters) for part in parts]
    last = -1  # the part of the piece before
    for piece in paragraph.pieces:
        if isinstance(piece, Formula):
            for n, part in enumerate(parts):
                if piece.number in part.formulas:
                    part.segments.append(Segment("", formula=piece.number))
                    last = n
        elif isinstance(piece, Text):
            groups = [letters.get(piece.mark, "") for letters in by_part]
            if not piece.text.strip() and not any(map(str.strip, groups)):
                if last >= 0:
                    parts[last].segments.append(Segment(piece.text))
                continue
            for n, (text, is_exact, is_found) in enumerate(_shares_of(piece, groups)):
                if text:
                    parts[n].segments.append(Segment(text, piece.is_bold, piece.is_italic, raised=piece.raised))
                    parts[n].is_exact &= is_exact
                    parts[n].is_found &= is_found
                    last = n
    texts = [piece for piece in paragraph.pieces if isinstance(piece, Text)]
    signs = [piece.mark for piece in texts if piece.is_generated and piece.raised and not piece.text]
    for part in parts if signs else ():
        part.is_found &= _are_in_place(part, signs)
    for part in parts:  # letters of a piece that another part has whole: a large initial, which LibreOffice takes for more of it
        part.is_found &= bool(part.segments) or not any(x.counts and x.mark != paragraph.marker_mark for x in part.letters)
    if paragraph.marker_mark:
        for part, letters in zip(parts, by_part, strict=True):
            part.marker = letters.get(paragraph.marker_mark, "").strip()


def _are_in_place(part: Part, signs: Sequence[int]) -> bool:
    """Whether each sign of a note stands in one line, beside other text. These signs have no style of their own in the PDF."""
    has_text = any(isinstance(x, Text) and x.mark not in signs and x.text.strip() for x in part.paragraph.pieces)
    lines = [[letter.mark for letter in line if letter.counts] for line in part.lines]
    are_alone = has_text and any(not set(marks).difference(signs) for marks in lines if marks)
    return not are_alone and all(sum(sign in marks for marks in lines) <= 1 for sign in signs)


def _by_mark(letters: Sequence[Letter]) -> dict[int, str]:
    """The letters of each mark, with a space for each end of a line."""
    texts: dict[int, str] = {}
    lines: dict[int, int] = {}
    for letter in letters:
        text = texts.get(letter.mark, "")
        is_new = text and lines[letter.mark] != letter.line and not text[-1].isspace()
        texts[letter.mark] = text + (" " if is_new else "") + letter.char
        lines[letter.mark] = letter.line
    return texts


def _shares_of(piece: Text, groups: Sequence[str]) -> Iterator[tuple[str, bool, bool]]:
    """For each group of the page's letters: its share of the piece's text, whether the two have as many letters, and whether the
    place of the cut was found."""
    if piece.is_generated or not any(map(is_shown, piece.text)):
        yield from ((group, True, True) for group in groups)
        return
    spans, are_found = shares(piece.text, groups)
    for (start, stop), group in zip(spans, groups, strict=True):
        text = piece.text[start:stop]
        if "\t" in text and (leader := _LEADER.search(group)):
            text = leader[0].join(text.rsplit("\t", 1))
        letters, places = list(filter(is_shown, group)), shown(text)
        is_exact = len(letters) == len(places)
        if is_exact and any(text[n] != char for n, char in zip(places, letters, strict=True)):
            text = _in_case(text, places, letters)
        yield text, is_exact, are_found


def _in_case(text: str, places: Sequence[int], letters: Sequence[str]) -> str:
    """The text, in the page's capitals if the two differ in capitals alone, since a style may ask for capitals."""
    if any(text[n].casefold() != char.casefold() for n, char in zip(places, letters, strict=True)):
        return text
    chars = list(text)
    for n, char in zip(places, letters, strict=True):
        chars[n] = char
    return "".join(chars)


def line_text(line: Sequence[Letter], is_rtl: bool, label: str = "") -> str:
    """A visual line's text by the page alone, in the order of reading. The order of right-to-left text comes from the places of
    its letters. If the letters of the `label` are in the text layer's order, that order holds: points stand over their letters,
    and their places don't tell which is read first."""
    text = "".join(letter.char for letter in line)
    if line[0].is_vertical or not is_rtl_within(text) or letters_of(text) in label:
        return text
    glyphs = [(letter.char, letter.box[0], letter.box[2]) for letter in line]
    return read_rtl(clusters_by_place(glyphs, line[0].size_pt), is_rtl)


def is_rtl_within(text: str) -> bool:
    """Whether any letter of a text runs from right to left."""
    return not text.isascii() and any(map(_is_rtl, text))


@functools.lru_cache(maxsize=1 << 16)
def _is_rtl(char: str) -> bool:
    return num_rtl(char) > 0


def line_texts(part: Part) -> list[str] | None:
    """The texts of the part's lines, cut from the part's text by the number of each line's letters. None if a cut isn't sure."""
    if not part.is_exact or part.formulas:
        return None
    whole = "".join(segment.text for segment in part.segments)
    places = shown(whole)
    mark = part.paragraph.marker_mark
    texts, at = [], 0
    for line in part.lines:
        own = [letter for letter in line if not (mark and letter.mark == mark) and is_shown(letter.char)]
        marker = "".join(letter.char for letter in line if mark and letter.mark == mark).strip()
        if at + len(own) > len(places):
            return None
        stop = places[at + len(own)] if at + len(own) < len(places) else len(whole)
        text = " ".join(whole[places[at] if own else stop : stop].split())
        texts.append(f"{marker} {text}".strip())
        at += len(own)
    return texts if at == len(places) else None
