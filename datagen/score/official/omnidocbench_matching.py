"""Which block of the truth was read by which pieces: OmniDocBench v1.5's quick match (`utils/match_quick.py` and `utils/match.py`
at `omnidocbench.COMMIT`), without its clock of 30 s.

`datagen.score.matching` does what v1.6's does, by our own reading; this does what v1.5's does to the last edit, faults and all:

- Lines without a letter or a digit are left out, and the places and kinds of those behind them are then another line's.
- A piece that is nearly a caption, a header or another block beside the text counts for nothing.
- Texts are put together with a space between them for comparing, and without one for scoring.

Distances of a text within a longer one are asked for there at every place. They change by 2 at most from a place to the next,
so that most places needn't be looked at; nor are runs of pieces that have too few characters in common with a block.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist, extractOne
from scipy.optimize import linear_sum_assignment

from datagen.score.official.omnidocbench_markdown import FORMULA, INLINE, TEXT, Piece
from datagen.score.official.omnidocbench_text import formula, plain

BESIDE = frozenset(
    "figure_caption figure_footnote table_caption table_footnote code_algorithm code_algorithm_caption header footer "
    "page_footnote page_number equation_caption".split()
)
OF_TEXT = frozenset({"text_block", "title", "code_txt", "code_txt_caption", "reference"})
DISPLAYED = "equation_isolated"

_NEARLY, _TOO_FAR, _FITS, _INSIDE = 0.25, 0.7, 0.6, 0.4
_ROUNDING, _KINDS = 1e-9, 256
_STRIDES = 8  # of a text's length, from one place that is looked at in a longer one to the next
_ARRAY = re.compile(r"\\begin\{array\}\{([^}]*)\}(.*?)\\end\{array\}", re.DOTALL)
_BETWEEN_COLUMNS = re.compile(r"\s+|\||[@!]\{[^}]*\}")


class Block(NamedTuple):
    """A block of the truth: its LaTeX where it is DISPLAYED, else its text. `order` is its place in reading order, None or 0
    where it has none; `number` says which block it is."""

    category: str
    text: str
    order: float | None
    number: Any = None


class Match(NamedTuple):
    """What was to be read, and what was, as they are compared. `blocks` are the numbers of the blocks, `orders` their places as
    the scorer has them, `start` that of the piece; `pieces` is empty where nobody read it, `blocks` where nobody asked for it.
    `raw` and `raw_read` are both as they stand there."""

    category: str
    truth: str
    read: str
    raw: str
    raw_read: str
    read_as: str
    orders: tuple[Any, ...]
    start: int | None
    blocks: tuple[Any, ...]
    pieces: tuple[Piece, ...]


def matches(blocks: Sequence[Block], pieces: Sequence[Piece]) -> tuple[list[Match], list[Piece]]:
    """The matches of a page, and the pieces that are nobody's and say something. Raises `ValueError` or `TypeError` where the
    official code stops as well."""
    items = _split_blocks(blocks)
    ranked = _split_pieces(sorted(pieces, key=lambda piece: (piece.fine == INLINE, piece.start)))
    truth = [(block, text) for block in items if (text := _of_block(block)) and block.text]
    read = [(piece, text) for piece in ranked if (text := _of_piece(piece)) and piece.text]
    page = _Page([b for b, _ in truth], [t for _, t in truth], items, [p for p, _ in read], [t for _, t in read], ranked)
    if not read or not truth:
        return [page.match((number,), ()) for number in range(len(truth))], page.invented(range(len(read)), ())
    if len(truth) == len(read) == 1:
        return [page.match((0,), (0,))], []
    beside = [number for number, (block, _) in enumerate(truth) if block.category in BESIDE]
    near = _costs([page.texts[number] for number in beside], page.read) < _NEARLY
    free = [number for number in range(len(read)) if not near[:, number].any()]
    asked = [number for number in range(len(truth)) if truth[number][0].category not in BESIDE]
    pairs = _pairs([page.texts[number] for number in asked], [page.read[number] for number in free])
    matched = [page.match(tuple(asked[t] for t in of), tuple(free[p] for p in by)) for of, by in pairs if of]
    return matched, page.invented(free, {free[p] for of, by in pairs if of for p in by})


class _Page(NamedTuple):
    """`items` and `ranked` are the blocks and pieces before those that say nothing were left out: the places of `blocks` and
    `pieces` are looked up there, as if none had been."""

    blocks: list[Block]
    texts: list[str]
    items: list[Block]
    pieces: list[Piece]
    read: list[str]
    ranked: list[Piece]

    def match(self, of: tuple[int, ...], by: tuple[int, ...]) -> Match:
        categories = Counter(self.blocks[number].category for number in of)
        category = categories.most_common(1)[0][0]
        first = self.ranked[by[0]] if by else None
        read_as = first.category if first else ""
        return Match(
            category,
            "".join(self.texts[number] for number in of),
            "".join(self.read[number] for number in by),
            _whole([self.blocks[number].text for number in of], category == DISPLAYED),
            _whole([self.pieces[number].text for number in by], "equation" in read_as),
            read_as,
            tuple(self.items[number].order or "" for number in of),
            first.start if first else None,
            tuple(self.blocks[number].number for number in of),
            tuple(self.pieces[number] for number in by),
        )

    def invented(self, numbers: Sequence[int], used: Any) -> list[Piece]:
        return [self.pieces[n]._replace(text=self.read[n]) for n in numbers if n not in used and self.pieces[n].fine != INLINE]


def _whole(texts: Sequence[str], is_formula: bool) -> str:
    """The texts in one, formulas below each other."""
    if not is_formula or len(texts) < 2:
        return "".join(texts)
    rows = r" \\ ".join("{" + text.strip("$").strip("\n") + "}" for text in texts)
    return rf"\begin{{array}}{{l}} {rows} \end{{array}}"


def _of_block(block: Block) -> str:
    return formula(block.text) if block.category == DISPLAYED else plain(block.text)


def _of_piece(piece: Piece) -> str:
    return plain(piece.text) if piece.kind == TEXT else formula(piece.text) if piece.kind == FORMULA else piece.text


def _rows(latex: str) -> tuple[list[str], int, str] | None:
    """The rows of an array of one column, where it starts, and what it is made of."""
    array = _ARRAY.search(latex)
    if array is None or _BETWEEN_COLUMNS.sub("", array[1]) not in ("l", "c", "r"):
        return None
    return [row.strip() for row in array[2].split(r"\\") if row.strip()], array.start(2), array[2]


def _split_blocks(blocks: Sequence[Block]) -> list[Block]:
    split: list[Block] = []
    for block in blocks:
        rows = _rows(block.text) if block.category == DISPLAYED and r"\begin{array" in block.text else None
        if rows is None:
            split.append(block)
            continue
        order = float(block.order)  # type: ignore[arg-type]  # as there: a formula without a place stops it
        split += [
            block._replace(text=rf"\[{row}\]", order=round(order + number / 10, 1)) for number, row in enumerate(rows[0], 1)
        ]
    return split


def _split_pieces(pieces: Sequence[Piece]) -> list[Piece]:
    split: list[Piece] = []
    for piece in pieces:
        rows = _rows(piece.text) if piece.kind == FORMULA and r"\begin{array" in piece.text else None
        if rows is None:
            split.append(piece)
            continue
        at = 0
        for row in rows[0]:
            place = rows[2].find(row, at)
            place = at if place < 0 else place
            at = place + len(row)
            split.append(piece._replace(text=rf"\[{row}\]", start=piece.start + rows[1] + place))
    return split


def _costs(texts: Sequence[str], read: Sequence[str]) -> numpy.ndarray:
    if not texts or not read:
        return numpy.zeros((len(texts), len(read)))
    longest = numpy.maximum.outer([len(text) for text in texts], [len(text) for text in read])
    return cdist(texts, read, scorer=Levenshtein.distance, dtype=numpy.int32) / longest


Run = tuple[int, ...]


def _pairs(texts: Sequence[str], read: Sequence[str]) -> list[tuple[Run, Run]]:
    """The blocks that belong together, and the pieces that are their reading; one at most of no block."""
    costs = _costs(texts, read)
    runs, costs = _joined(costs, texts, read)
    of_run: dict[Run, list[int]] = {}
    left = []
    chosen = dict(zip(*linear_sum_assignment(costs), strict=True))
    for block in range(len(texts)):
        if block in chosen and not costs[block, chosen[block]] > _TOO_FAR:
            of_run.setdefault(runs[chosen[block]], []).append(block)
        else:
            left.append(block)
    placed = {block for blocks in of_run.values() for block in blocks}
    for number, text in enumerate(read):
        inside = [block for block in left if is_within(texts[block], text, _INSIDE, False)]
        if inside:
            of_run.setdefault((number,), []).extend(block for block in inside if block not in placed)
            placed.update(inside)
    pairs: dict[Run, list[int]] = {run: sorted(set(blocks)) for run, blocks in of_run.items() if blocks}
    # These sets are walked through in the order that CPython gives them, there as here.
    open_blocks = set(range(len(texts))) - set().union(*(set(blocks) for blocks in of_run.values()))
    open_pieces = set(range(len(read))) - {number for run in of_run for number in run}
    if open_blocks and open_pieces:
        rows, columns = list(open_blocks), list(open_pieces)
        rest = linear_sum_assignment(_costs([texts[b] for b in rows], [read[p] for p in columns]))
        for row, column in zip(*rest, strict=True):
            pairs.setdefault((columns[column],), []).append(rows[row])
    result = [(tuple(blocks), run) for run, blocks in pairs.items()]
    matched = {block for blocks in pairs.values() for block in blocks}
    return result + [((block,), ()) for block in range(len(texts)) if block not in matched]


def _joined(costs: numpy.ndarray, texts: Sequence[str], read: Sequence[str]) -> tuple[list[Run], numpy.ndarray]:
    """The pieces, in order, those together that are likely one block in parts, and what each is from each block."""
    sure = costs < _NEARLY
    rows = [row for row in range(len(texts)) if not sure[row].any()]
    is_open = [not sure[:, column].any() for column in range(len(read))]
    columns = [column for column in range(len(read)) if is_open[column]]
    wanted: list[tuple[list[int], float]] = []
    if rows and columns:
        least = _Least(read, is_open)
        wanted = [_best_run(texts[row], read, columns, is_open, costs[row], least.costs(texts[row])) for row in rows]
    runs: list[Any] = list(range(len(read)))
    for run in _without_conflict(wanted):
        at = runs.index(run[0])
        del runs[at : at + len(run)]
        runs.insert(at, run)
    groups = [tuple(range(run[0], run[-1] + 1)) if isinstance(run, list) else (run,) for run in runs]
    if all(len(group) == 1 for group in groups) and len(groups) == len(read):
        return groups, costs
    longer = [number for number, group in enumerate(groups) if len(group) > 1]
    joined = numpy.empty((len(texts), len(groups)))
    joined[:] = costs[:, [group[0] for group in groups]]
    joined[:, longer] = _costs(texts, [" ".join(read[one] for one in groups[number]) for number in longer])
    return groups, joined


def _best_run(
    text: str, read: Sequence[str], columns: Sequence[int], is_open: Any, costs: numpy.ndarray, least: numpy.ndarray
) -> tuple[list[int], float]:
    """Of the runs from each column on, the first of those that are closest. One that can't be is not looked at."""
    best, best_cost = columns[0], numpy.inf
    run: list[int] = []
    bounds = numpy.minimum(costs, least)
    for column in sorted(columns, key=bounds.__getitem__):
        if bounds[column] > best_cost + _ROUNDING:
            break
        tried, cost = _run(text, read, column, is_open, float(costs[column]))
        if cost < best_cost or (cost == best_cost and column < best):
            best, best_cost, run = column, cost, tried
    return run, best_cost


class _Least:
    """How close a text can be to runs of two pieces or more, at best: an edit changes a character and two pairs of neighbours,
    and those that both have are counted."""

    def __init__(self, read: Sequence[str], is_open: Sequence[bool]) -> None:
        lengths = numpy.array([len(text) + 1 for text in read])  # with the space behind each
        self.ends = numpy.cumsum(lengths)
        self.starts = self.ends - lengths
        self.lasts = numpy.empty(len(read), int)  # the last piece of the longest run from each on
        last = len(read) - 1
        for number in range(len(read) - 1, -1, -1):
            self.lasts[number] = last
            if not is_open[number]:
                last = number - 1
        rows = numpy.repeat(numpy.arange(len(read)) * _KINDS, lengths)
        self.sums = []
        for kinds in _kinds_of(" ".join(read) + "  "):
            counts = numpy.bincount(rows + kinds[: len(rows)], minlength=len(read) * _KINDS).reshape(-1, _KINDS)
            self.sums.append(numpy.concatenate((numpy.zeros((1, _KINDS), numpy.int32), numpy.cumsum(counts, 0, numpy.int32))))

    def costs(self, text: str) -> numpy.ndarray:
        """Each run, by its first piece, costs so much at least; infinite where there is none."""
        room = numpy.searchsorted(
            self.ends, self.starts + len(text) + 1, "right"
        )  # the piece with which a run is longer than the text
        lasts = numpy.minimum(self.lasts, room)
        least = numpy.zeros(len(lasts))
        for size, (sums, kinds) in enumerate(zip(self.sums, _kinds_of(text), strict=True), 1):
            common = sums[lasts + 1]
            common -= sums[:-1]
            numpy.minimum(common, numpy.bincount(kinds, minlength=_KINDS), out=common)
            numpy.maximum(least, (len(text) - size + 1 - common.sum(axis=1)) / (size * len(text)), out=least)
        return numpy.where(lasts > numpy.arange(len(lasts)), least, numpy.inf)


def _kinds_of(text: str) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The kind of each character, and of each pair of neighbours, below `_KINDS`. What is of one kind needn't be alike."""
    codes = numpy.frombuffer(text.encode("utf-32-le", "surrogatepass"), numpy.uint32)
    pairs = codes[:-1] * numpy.uint32(2654435761) + codes[1:] * numpy.uint32(40503)
    return codes % _KINDS, pairs >> 7 & (_KINDS - 1)


def _run(text: str, read: Sequence[str], first: int, is_open: Any, cost: float) -> tuple[list[int], float]:
    """From `first` on, pieces that together come no less close to `text`, each of which is somewhere in it."""
    run, joined = [first], read[first]
    while run[-1] + 1 < len(read) and is_open[run[-1] + 1]:
        piece = read[run[-1] + 1]
        if len(piece) > len(text) or (len(run) == 1 and len(joined) > len(text)):
            break
        longer = f"{joined} {piece}"
        length = max(len(text), len(longer))
        distance = Levenshtein.distance(text, longer, score_cutoff=int(cost * length) + 1) / length
        if distance > cost or not is_within(piece, text, _FITS, False):
            break
        if len(run) == 1 and not is_within(joined, text, _FITS, True):
            break
        run.append(run[-1] + 1)
        joined, cost = longer, distance
        if len(longer) > len(text):
            break
    return run, cost


def is_within(part: str, whole: str, most: float, or_equal: bool) -> bool:
    """Whether a piece of `whole`, as long as `part`, is less than `most` of its length from it, or no further with `or_equal`."""
    length = len(part)
    if not 0 < length <= len(whole):
        return False
    allowed = int(length * most) + 1
    while allowed / length > most or (allowed / length == most and not or_equal):
        allowed -= 1
    return _is_near(part, whole, allowed)


@lru_cache(maxsize=100_000)
def _is_near(part: str, whole: str, allowed: int) -> bool:
    length = len(part)
    last = len(whole) - length
    stride = max(1, length // _STRIDES)
    sampled = [*range(0, last, stride), last]
    windows = [whole[at : at + length] for at in sampled]
    best = extractOne(part, windows, scorer=Levenshtein.distance, score_cutoff=allowed + stride)
    if best is None or best[1] <= allowed:
        return best is not None
    distances = cdist([part], windows, scorer=Levenshtein.distance)[0]
    for number in numpy.flatnonzero(distances <= allowed + stride):
        at, end = max(0, sampled[number] - stride + 1), min(last, sampled[number] + stride - 1)
        while at <= end:
            distance = Levenshtein.distance(part, whole[at : at + length])
            if distance <= allowed:
                return True
            at += (distance - allowed + 1) // 2
    return False


def _without_conflict(wanted: list[tuple[list[int], float]]) -> list[list[int]]:
    """Of runs that share a piece, those that go together and cost the least on average, as the official code finds them: not
    always the best ones."""
    ranked = sorted(wanted, key=lambda one: one[0][0])
    clusters: list[list[tuple[list[int], float]]] = []
    for one in ranked:
        if clusters and any(not set(one[0]).isdisjoint(other) for other, _ in clusters[-1]):
            clusters[-1].append(one)
        else:
            clusters.append([one])
    chosen: list[list[int]] = []
    for cluster in clusters:
        ways = [[cluster[0]]]
        for one in cluster[1:]:
            is_known = is_taken = False
            for way in ways:
                shares = same = False
                for other in way:  # grows while it is walked through, as there
                    if other[0] == one[0]:
                        shares = same = True
                        if other[1] > one[1]:
                            way.pop(way.index(other))
                            way.append(one)
                    elif not set(one[0]).isdisjoint(other[0]):
                        shares = True
                if not shares:
                    way.append(one)
                    is_taken = True
                is_known = is_known or same
            if not is_known and not is_taken:
                ways.append([one])
        chosen += [run for run, _ in min(ways, key=lambda way: sum(cost for _, cost in way) / len(way))]
    return chosen
