"""Joins the pieces of lines that MuPDF finds into rows and vertical lines, and separates ruby.

Boxes are in points, in the page's frame.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from datagen.page.boxes import overlap
from datagen.page.glyphs import Glyph, is_mark
from datagen.writing import scripts
from datagen.writing.vertical_lines import is_from_left

Rect = tuple[float, float, float, float]

_UPRIGHT = re.compile(f"[{scripts.HAN}{scripts.HANGUL}]")  # in vertical lines
_IDEOGRAPH = re.compile(f"[々{scripts.IDEOGRAPHS}]")
_ANNOTATION = re.compile(f"[{scripts.RUBY}]+|[{scripts.PINYIN} ]+")
_PHRASED = re.compile(f"[{scripts.PHRASED}]")
_CLUSTERED = re.compile(f"[{scripts.CLUSTERED}]")
_TWO_PART_VOWEL = re.compile(f"[{scripts.TWO_PART_VOWELS}]")
_NUMBER = re.compile(r"[!-~]{1,4}")
_DOUBLE_EM = 0.15  # text drawn again so near is drawn twice to look bold
_MAX_SAME = 64  # earlier places of a text that are compared: without a limit, a page of dots would take minutes
_RUBY = 0.65  # of the base's size: ruby is at most so large
_ROW_EM = 0.25  # baselines of one row are no further apart
STRETCHED_EM = 2.5  # how wide a space is set in justified text


@dataclass(slots=True, eq=False)
class Piece:
    """A line, or a part of one.

    `size` is the font's, in points. `direction` is the unit vector along the line. `glyphs` and `baseline`, its place across the
    direction, are set only on request. `mono_share` is the share of characters in monospaced fonts, or None if unknown.
    `bold_share` is the share of bold characters. `ruby` has the annotations beside the line. `from_right`: the line is read from
    the right, though most of its letters aren't right-to-left.
    """

    bbox: Rect
    text: str
    font: str
    size: float
    direction: tuple[float, float] = (1.0, 0.0)
    vertical: bool = False
    num_hidden: int = 0
    glyphs: list[Glyph] = field(default_factory=list)
    baseline: float = 0.0
    num_joined: int = 1
    mono_share: float | None = None
    bold_share: float = 0.0
    ruby: list["Piece"] = field(default_factory=list)
    from_right: bool = False

    @property
    def single_words(self) -> bool:
        """Whether none of the joined pieces has a space within."""
        return self.text.strip().count(" ") < self.num_joined

    @property
    def from_left(self) -> bool:
        """Whether the line is a column, and the next column stands to the right."""
        return self.vertical and is_from_left(self.text)

    @property
    def upright(self) -> bool:
        return self.direction[0] > 0.99 and not self.vertical


Block = list[Piece]


def without_doubles(blocks: Sequence[Block]) -> tuple[list[Block], int]:
    """The blocks without pieces drawn a second time in the same place, and the number of characters in such pieces."""
    seen: dict[str, list[Piece]] = {}
    num = 0
    result: list[Block] = []
    for block in blocks:
        single: Block = []
        for piece in block:
            same = seen.setdefault(piece.text, [])
            near = _DOUBLE_EM * piece.size
            if any(abs(p.bbox[0] - piece.bbox[0]) <= near and abs(p.bbox[1] - piece.bbox[1]) <= near for p in same[-_MAX_SAME:]):
                num += len(piece.text)
            else:
                same.append(piece)
                single.append(piece)
        result.append(single)
    return [block for block in result if block], num


def joined_rows(blocks: Sequence[Block], is_clear: Callable[[Rect], bool]) -> list[Block]:
    """The blocks, with pieces that follow each other on one baseline joined. Only pieces with glyphs are joined.

    The joined piece takes the place of the piece that comes first in the file. MuPDF ends a line wherever right-to-left text
    jumps, which happens at every change of direction. If something is drawn in a gap, words are missing there, and the pieces
    aren't joined.
    """
    first = {id(p): n for n, p in enumerate(p for block in blocks for p in block)}
    pieces = [p for block in blocks for p in block if p.glyphs and not p.vertical]
    instead: dict[int, Piece | None] = {}
    for row in _rows(pieces):
        chain = [row[0]]
        for piece in [*row[1:], None]:
            if piece is not None:
                em = min(piece.size, chain[-1].size)
                gap = _start(piece) - max(_end(p) for p in chain)
                spaced = any(g[0] == " " for g in (max(chain[-1].glyphs, key=_middle), min(piece.glyphs, key=_middle)))
                wide = STRETCHED_EM if spaced and chain[-1].single_words and piece.single_words else 1.0
                alike = (piece.num_hidden > 0) == (chain[0].num_hidden > 0)
                if gap <= -0.6 * em and _fits_between(chain, piece):
                    chain.append(piece)
                    continue
                if -0.6 * em < gap < wide * em and alike and (gap < 0.3 * em or is_clear(_between(chain, piece))):
                    chain.append(piece)
                    continue
            if len(chain) > 1:
                instead |= dict.fromkeys(map(id, chain))
                instead[min(map(id, chain), key=lambda i: first[i])] = joined(chain)
            chain = [piece] if piece is not None else []
    replaced = ([instead.get(id(p), p) for p in block] for block in blocks)
    return [whole for block in replaced if (whole := [p for p in block if p is not None])]


def whole_clusters(blocks: Sequence[Block], has_gap: Callable[[Rect, float], bool]) -> list[Block]:
    """The blocks, with pieces joined that MuPDF divided inside a cluster of letters.

    If an /ActualText stands for several glyphs, MuPDF knows the place of one glyph, and the others become a gap. If this has
    happened on the page, pieces in scripts with clusters are joined across all such gaps without a space. The evidence is the
    text (`_is_cut`), or ink that fills a gap. `has_gap(bbox, width)` tells whether the image has a blank strip there.
    """
    pairs = [pair for block in blocks for pair in itertools.pairwise(block)]
    if not any(_is_cut(a, b) or (_goes_on_over(a, b) and not has_gap(_gap(a, b), 0.3 * b.size)) for a, b in pairs):
        return list(blocks)
    result: list[Block] = []
    for block in blocks:
        whole: Block = []
        for piece in block:
            last = whole[-1] if whole else None
            if last and (_is_cut(last, piece) or _goes_on_over(last, piece)):
                whole[-1] = joined([last, piece])
                if piece.text[0] == last.text[-1] and _TWO_PART_VOWEL.match(piece.text, 1):
                    whole[-1].text = last.text + piece.text[1:]  # the file repeats the letter in place of the vowel's first part
            else:
                whole.append(piece)
        result.append(whole)
    return result


def _is_cut(a: Piece, b: Piece) -> bool:
    """Whether `b` surely continues `a`: it starts with a mark, without a gap, or with the last letter of `a` repeated."""
    if a.direction != b.direction or overlap(a.bbox, b.bbox, 1) <= 0.5 or b.size <= 0:
        return False
    gap = (b.bbox[0] - a.bbox[2]) / b.size
    if is_mark(b.text[0]):
        return abs(gap) < 3
    at_once = -0.5 < gap < 0.3 and _PHRASED.match(a.text[-1]) and _PHRASED.match(b.text)
    return bool(at_once or (0 < gap < 2 and a.text[-1] == b.text[0] and _TWO_PART_VOWEL.match(b.text, 1)))


def _goes_on_over(a: Piece, b: Piece) -> bool:
    """Whether `b` may continue `a`, so that the gap between them may be glyphs of `a`."""
    if a.direction != b.direction or overlap(a.bbox, b.bbox, 1) <= 0.5 or " " in (a.text[-1], b.text[0]):
        return False
    return -0.5 * b.size < b.bbox[0] - a.bbox[2] < 2 * b.size and bool(_CLUSTERED.match(a.text[-1]) and _CLUSTERED.match(b.text))


def _gap(a: Piece, b: Piece) -> Rect:
    return a.bbox[2], b.bbox[1], b.bbox[0], b.bbox[3]


def stacked(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, with glyphs that stand below each other joined to a vertical line, in the block of its first glyph.

    Chromium writes vertical text glyph by glyph, with Latin words in blocks of their own.
    """
    result: list[Block] = []
    run: list[Piece] = []
    home: Block = []
    for block in blocks:
        result.append([])
        for piece in block:
            cell = _is_cell(piece)
            if run and not (cell and _below(run[-1], piece)):
                home += _column(run)
                run = []
            if not cell:
                result[-1].append(piece)
                continue
            home = home if run else result[-1]
            run.append(piece)
    home += _column(run)
    return [block for block in result if block]


def with_ruby_apart(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, with ruby moved to the `ruby` of the pieces beside it. Lines that ruby had divided are joined."""
    sizes = [p.size for block in blocks for p in block]
    if not sizes or min(sizes) > _RUBY * max(sizes):
        return list(blocks)
    bases = [p for block in blocks for p in block if _IDEOGRAPH.search(p.text)]
    has_ruby = False
    remaining: list[Block] = []
    for block in blocks:
        remaining.append([])
        for piece in block:
            small = _ANNOTATION.fullmatch(piece.text.strip())
            base = next((b for b in bases if _annotates(piece, b)), None) if small else None
            if base is None:
                remaining[-1].append(piece)
            else:
                base.ruby.append(piece)
                has_ruby = True
    return _mended(remaining) if has_ruby else list(blocks)


def _mended(blocks: Sequence[Block]) -> list[Block]:
    result: list[Block] = []
    last: Piece | None = None
    for block in blocks:
        result.append([])
        for piece in block:
            if last is not None and _goes_on(last, piece):
                home = next(b for b in reversed(result) if b)
                home[-1] = last = joined([last, piece])
            else:
                result[-1].append(piece)
                last = piece
    return [block for block in result if block]


def _goes_on(a: Piece, b: Piece) -> bool:
    """Whether `b` continues line `a`, in the same row or column."""
    if a.size != b.size or a.vertical != b.vertical:
        return False
    if a.vertical:
        return overlap(a.bbox, b.bbox, 0) > 0.9 and -0.3 * b.size < b.bbox[1] - a.bbox[3] < 0.5 * b.size
    return a.upright and b.upright and overlap(a.bbox, b.bbox, 1) > 0.9 and -0.3 * b.size < b.bbox[0] - a.bbox[2] < 0.5 * b.size


def _middle(glyph: Glyph) -> float:
    return glyph[1] + glyph[2]


def _start(piece: Piece) -> float:
    return min(g[1] for g in piece.glyphs)


def _end(piece: Piece) -> float:
    return max(g[2] for g in piece.glyphs)


def _between(chain: Sequence[Piece], piece: Piece) -> Rect:
    """The box of the gap in front of a piece; empty if the piece isn't upright."""
    x0 = max(_end(p) for p in chain)
    return (x0, piece.bbox[1], _start(piece), piece.bbox[3]) if piece.upright else (x0, 0.0, x0, 0.0)


def _fits_between(chain: Sequence[Piece], piece: Piece) -> bool:
    """Whether a piece fits into a gap between glyphs of the chain, such as leaders between a title and its page number."""
    start, end, near = _start(piece), _end(piece), 0.1 * piece.size
    return all(g[2] < start + near or g[1] > end - near for p in chain for g in p.glyphs)


def _rows(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Rows of pieces on one baseline, each sorted along the line."""
    row: list[Piece] = []

    def turned(p: Piece) -> tuple[int, int]:
        return round(p.direction[0]), round(p.direction[1])

    for piece in sorted(pieces, key=lambda p: (turned(p), p.baseline)):
        if row and (turned(piece) != turned(row[-1]) or piece.baseline - row[-1].baseline > _ROW_EM * piece.size):
            yield sorted(row, key=_start)
            row = []
        row.append(piece)
    if row:
        yield sorted(row, key=_start)


def joined(chain: Sequence[Piece], text: str = "") -> Piece:
    """One piece joined from several, in the font of most characters. Its text is `text`, or else the pieces' texts in
    sequence."""
    x0, y0, x1, y1 = zip(*(p.bbox for p in chain), strict=True)
    num_chars: Counter[tuple[str, float]] = Counter()
    for piece in chain:
        num_chars[piece.font, piece.size] += len(piece.text)
    most = max(num_chars, key=num_chars.__getitem__)
    longest = max((p for p in chain if (p.font, p.size) == most), key=lambda p: len(p.text))
    box = (min(x0), min(y0), max(x1), max(y1))
    text = text or "".join(p.text for p in chain)
    glyphs = [g for p in chain for g in p.glyphs]
    num_joined, ruby = sum(p.num_joined for p in chain), [r for p in chain for r in p.ruby]
    made = replace(longest, bbox=box, text=text, glyphs=glyphs, num_joined=num_joined, ruby=ruby)
    shares = [(p.mono_share, len(p.text)) for p in chain if p.mono_share is not None]
    made.from_right = any(p.from_right for p in chain)
    made.bold_share = sum(p.bold_share * len(p.text) for p in chain) / max(1, sum(len(p.text) for p in chain))
    if shares:
        made.mono_share = sum(share * num for share, num in shares) / max(1, sum(num for _, num in shares))
    return made


def _is_cell(piece: Piece) -> bool:
    """Whether a piece may be part of a vertical line: a single character, a short upright number, or a run that goes down."""
    if piece.vertical or piece.direction[1] > 0.99:
        return True
    text = piece.text.strip()
    return piece.upright and (len(text) == 1 or bool(_NUMBER.fullmatch(text)))


def _below(a: Piece, b: Piece) -> bool:
    em = max(a.size, b.size)
    aligned = abs(a.bbox[0] + a.bbox[2] - b.bbox[0] - b.bbox[2]) < 0.7 * em
    return aligned and -0.5 * em < b.bbox[1] - a.bbox[3] < em and 0.8 < a.size / max(b.size, 0.01) < 1.25


def _column(run: Block) -> Block:
    if any(is_from_left(p.text) for p in run):  # the letters lie on their side
        return [replace(joined(run), vertical=True)]
    num_upright = sum(p.upright and bool(_UPRIGHT.match(p.text)) for p in run)
    if len(run) < 2 or not (num_upright >= 2 or (num_upright and len(run) > 2) or any(p.vertical for p in run)):
        return run
    return [replace(joined(run), vertical=True)]


def _annotates(piece: Piece, base: Piece) -> bool:
    if piece is base or piece.size > _RUBY * base.size or (piece.vertical != base.vertical and len(piece.text.strip()) > 1):
        return False
    a, b, em = piece.bbox, base.bbox, base.size
    if base.vertical:
        return -0.5 * em < a[0] - b[2] < 0.7 * em and b[1] - em < a[1] and a[3] < b[3] + em
    return -0.7 * em < b[1] - a[3] < 0.5 * em and b[0] - em < a[0] and a[2] < b[2] + em
