"""Lines of a page as ink: cut out of the page's image, split into words, and compared with readings."""

import itertools
import re
import unicodedata
from collections.abc import Sequence

import numpy
from rapidfuzz.distance import Levenshtein

from datagen.page.glyphs import is_mark
from datagen.record import Box, Line, Sample
from datagen.writing import scripts
from datagen.writing.vertical_lines import turned

_MIN_LETTERS, _MAX_WORD, _LONGEST_LINE = 2, 60, 140
_DARK = 160
_REACH = 0.2  # of a line's height: ink may reach this far beyond the line's box
_GAP = 1.3  # the narrowest gap between words, in widths of the widest gap within a word
_MASK_STRIDE = 4
_OFF = 0.4  # of a word's width, or of the mean width in its line: a word that is cut right differs by less
MANY_CLUSTERS, _PIECE_CLUSTERS = 12, 6
_NEAR = 0.4  # of a cluster's width, from where the reference face ends it
_UPRIGHT = re.compile(f"[{scripts.HAN}{scripts.HANGUL}]")
_NARROW = re.compile("[!-~]")
_LEADERS = re.compile(r"\s*(?:[._·․‥…]\s?){3,}")
_FLAT, _NUM_DOTS, _RULE = 0.25, 3, 2  # line heights: a leader is flatter; dots of a leader; line heights: a rule is longer
_ACCENTS = re.compile(f"[{scripts.ACCENTS}]+")


def dark_on_white(page: numpy.ndarray, box: Box) -> numpy.ndarray:
    """The part of a page in `box`, (H, W) gray bytes, with dark ink on white paper, whatever colours the page has."""
    crop = page[box.y0 : box.y1, box.x0 : box.x1].astype(numpy.int16)
    ink = numpy.abs(crop - int(numpy.median(crop)))
    strongest = int(ink.max())
    if strongest < 40:  # nothing but noise
        return numpy.full(crop.shape, 255, numpy.uint8)
    return (255 - ink * 255 // strongest).astype(numpy.uint8)


def whole(page: numpy.ndarray, box: Box) -> Box:
    """A line's `box`. Where the box cuts ink, it is made higher to where the ink ends, if the ink ends near.

    Signs of some scripts stand above or below the line that their typefaces declare.
    """
    reach = round(_REACH * (box.y1 - box.y0))
    y0, y1 = max(0, box.y0 - reach), min(page.shape[0], box.y1 + reach)
    inked = (dark_on_white(page, Box(box.x0, y0, box.x1, y1)) < _DARK).any(axis=1)
    blank = numpy.flatnonzero(~inked) + y0
    above, below = blank[blank <= box.y0], blank[blank >= box.y1 - 1]
    return Box(box.x0, int(above[-1]) if len(above) else box.y0, box.x1, int(below[0]) + 1 if len(below) else box.y1)


def without_leaders(text: str) -> str:
    """`text` with a space in place of each leader, a row of dots or underscores."""
    return _LEADERS.sub(" ", text).strip()


def without_leader_ink(crop: numpy.ndarray) -> numpy.ndarray:
    """A line, (H, W) gray bytes with dark ink, with white paper in place of leaders and of rules to write on."""
    height = crop.shape[0]
    columns = numpy.flatnonzero((crop < _DARK).any(axis=0))
    if not len(columns):
        return crop
    cuts = numpy.flatnonzero(numpy.diff(columns) > 1)
    firsts, lasts = columns[numpy.r_[0, cuts + 1]], columns[numpy.r_[cuts, -1]]
    rows = [numpy.flatnonzero((crop[:, a : b + 1] < _DARK).any(axis=1)) for a, b in zip(firsts, lasts, strict=True)]
    flat = [bool(r[-1] - r[0] < _FLAT * height) for r in rows]
    bare_crop, start = crop.copy(), 0
    for is_flat, group in itertools.groupby(flat):
        stop = start + len(list(group))
        if is_flat and (stop - start >= _NUM_DOTS or lasts[stop - 1] - firsts[start] > _RULE * height):
            bare_crop[:, firsts[start] : lasts[stop - 1] + 1] = 255
        start = stop
    return bare_crop


def comparable(line: Line) -> bool:
    """Whether a line's ink can be compared with its text.

    The line must have more than one letter, not too many, and a box that is longer along the line than half its extent across.
    Characters that stand below each other must have cells that are about square.
    """
    width, height = line.box.x1 - line.box.x0, line.box.y1 - line.box.y0
    along, across = (height, width) if line.direction == "ttb" else (width, height)
    num = sum(not (c.isspace() or is_mark(c)) for c in without_leaders(line.text))
    if along <= across / 2 or across < 8 or not _MIN_LETTERS <= num <= _LONGEST_LINE:
        return False
    if line.direction != "ttb" or not _stands_upright(line.text):
        return True
    return not _NARROW.search(line.text) and across / 2 <= along / len(line.text) <= 2 * across


def laid_flat(crop: numpy.ndarray, text: str) -> numpy.ndarray:
    """A comparable vertical line as a horizontal one.

    Upright characters, such as Chinese and Japanese ones, are put side by side. Lines of other characters, such as Mongolian, are
    turned by a quarter.
    """
    if not _stands_upright(text):
        return turned(crop)
    cell = crop.shape[0] / len(text)
    return numpy.hstack([crop[round(i * cell) :][: int(cell)] for i in range(len(text))])


def _stands_upright(text: str) -> bool:
    return 2 * len(_UPRIGHT.findall(text)) > len(_NARROW.sub("", text))


def split_words(crop: numpy.ndarray, line: Line) -> list[tuple[numpy.ndarray, str]]:
    """The ink of a line's words, (H, W) gray bytes each, and their texts, from left to right.

    The line is cut at its widest gaps; there are as many cuts as spaces in the text. Empty if these gaps aren't clearly wider
    than the other gaps.
    """
    texts = line.text.split()
    if line.direction == "rtl":
        texts.reverse()
    columns = numpy.flatnonzero((crop < _DARK).any(axis=0))
    if not len(columns) or not texts:
        return []
    steps = numpy.diff(columns)
    gaps = numpy.flatnonzero(steps > 1)
    widest = gaps[numpy.argsort(-steps[gaps], kind="stable")][: len(texts) - 1]
    others = numpy.setdiff1d(gaps, widest)
    if len(widest) < len(texts) - 1 or (len(widest) and len(others) and steps[widest].min() < _GAP * steps[others].max()):
        return []
    cuts = sorted(int(i) for i in widest)
    firsts = [columns[0], *(columns[i + 1] for i in cuts)]
    lasts = [*(columns[i] for i in cuts), columns[-1]]
    return [(crop[:, a : b + 1], text) for a, b, text in zip(firsts, lasts, texts, strict=True)]


def cut_as_drawn(parts: Sequence[tuple[numpy.ndarray, str]], widths: Sequence[float]) -> bool:
    """Whether the words of a line are about as wide, compared with each other, as drawn words. `widths` are of any unit. Words
    that lean over each other, as in Nastaliq, have no gaps between them and wide gaps within, and are cut wrongly."""
    cut = numpy.array([image.shape[1] for image, _ in parts], float)
    drawn = numpy.array(widths, float)
    drawn *= cut.sum() / drawn.sum()
    return bool((numpy.abs(cut - drawn) <= _OFF * numpy.maximum(drawn, drawn.mean())).all())


def split_long(crop: numpy.ndarray, text: str, clusters: Sequence[tuple[int, float]]) -> list[tuple[numpy.ndarray, str]]:
    """The pieces of a long text: a line, or a word of a script that puts no spaces between words.

    The text is cut at gaps in the ink near the ends of its `clusters`. Each end is a number of characters and a share of the
    text's width. A text without such gaps, or with few clusters, stays whole.
    """
    columns = numpy.flatnonzero((crop < _DARK).any(axis=0))
    if len(clusters) < MANY_CLUSTERS or len(columns) < 2:
        return [(crop, text)]
    at = numpy.flatnonzero(numpy.diff(columns) > 1)
    gaps = (columns[at] + columns[at + 1]) / 2
    done, share, left, last = 0, 0.0, float(columns[0]), float(columns[-1])
    near = _NEAR * (last - left) / (len(clusters) + 1)
    pieces = []
    i = _PIECE_CLUSTERS
    while i < len(clusters) - _PIECE_CLUSTERS // 2 and len(gaps):
        off = []
        for end, at_share in clusters[i - 2 : i + 3]:
            x = left + (at_share - share) / (1 - share) * (last - left)
            gap = float(gaps[numpy.abs(gaps - x).argmin()])
            off.append((abs(gap - x), end, at_share, gap))
        distance, end, at_share, gap = min(off)
        i += _PIECE_CLUSTERS
        if distance <= near and gap > left:
            pieces.append((crop[:, round(left) : round(gap) + 1], text[done:end].strip()))
            done, share, left = end, at_share, gap
    return [*pieces, (crop[:, round(left) :], text[done:].strip())]


def aligned(parts: Sequence[str], other: str) -> list[str]:
    """`other` in as many parts as `parts`, cut at the same places of the text, as far as the two texts are alike.

    Spaces don't count in the comparison. Spaces of `other` within a part stay.
    """
    places = [i for i, char in enumerate(other) if not char.isspace()]
    whole, dense = "".join("".join(parts).split()), "".join(other[i] for i in places)
    blocks = Levenshtein.opcodes(whole, dense)
    cuts, done = [0], 0
    for part in parts[:-1]:
        done += len("".join(part.split()))
        block = next(b for b in blocks if done <= b.src_end)
        share = (done - block.src_start) / max(1, block.src_end - block.src_start)
        cuts.append(block.dest_start + round(share * (block.dest_end - block.dest_start)))
    bounds = itertools.pairwise([*cuts, len(dense)]) if parts else ()
    return [other[places[a] : places[b - 1] + 1] if a < b else "" for a, b in bounds]


def telling(text: str) -> bool:
    """Whether a word has enough different characters to be compared, and not too many."""
    return _MIN_LETTERS <= len(text) <= _MAX_WORD and len(set(text)) > 1  # rows of dots say nothing


def text_error(claimed: Sequence[str], readings: Sequence[str]) -> float:
    """The character error rate of the claimed lines, if `readings` are right. Case, spaces and width forms don't count."""
    pairs = [(plain(a), plain(b)) for a, b in zip(claimed, readings, strict=True)]
    total = sum(len(a) for a, _ in pairs)
    return min(1.0, sum(Levenshtein.distance(a, b) for a, b in pairs) / total) if total else 1.0


def plain(text: str) -> str:
    """`text` without case, spaces, leaders and width forms, in which readings differ at random."""
    return "".join(unicodedata.normalize("NFKC", without_leaders(text)).casefold().split())


def bare(text: str) -> str:
    """`plain` text without accents. Readers mix accents up, and line boxes cut them off above capitals."""
    return _ACCENTS.sub("", unicodedata.normalize("NFD", plain(text)))


def covered_share(quads: Sequence[Sequence[tuple[float, float]]], page: Sample) -> float:
    """The share of the area of detected `quads` that the page's lines cover.

    Detectors and fonts frame lines differently. So a quad is covered wherever a line covers half of the quad's height. A gap
    counts only if it is longer than the quad is high: such a gap is a word that the line lacks.
    """
    mask = numpy.zeros([n // _MASK_STRIDE + 1 for n in reversed(page.size)], bool)
    for line in (line for region in page.regions for line in region.lines):
        x0, y0, x1, y1 = (v // _MASK_STRIDE for v in line.box)
        pad = (y1 - y0) // 4
        mask[max(0, y0 - pad) : y1 + pad + 1, max(0, x0 - pad) : x1 + pad + 1] = True
    area = covered = 0.0
    for quad in quads:
        xs, ys = [int(x) // _MASK_STRIDE for x, _ in quad], [int(y) // _MASK_STRIDE for _, y in quad]
        under = mask[max(0, min(ys)) : max(ys) + 1, max(0, min(xs)) : max(xs) + 1]
        if under.size:
            across = 0 if under.shape[1] >= under.shape[0] else 1
            area += under.size
            covered += under.size * _filled(under.mean(axis=across) >= 0.5, under.shape[across])
    return covered / area if area else 1.0


def _filled(covered: numpy.ndarray, gap: int) -> float:
    """The share of a row that is covered. Holes of up to `gap` count as covered."""
    inside = numpy.flatnonzero(covered)
    if not len(inside):
        return 0.0
    steps = numpy.diff(numpy.concatenate(([-1], inside, [len(covered)]))) - 1
    return 1.0 - float(steps[steps > gap].sum()) / len(covered)
