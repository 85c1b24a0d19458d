"""Numbers that describe a page's elements and each pair of elements: what the network sees.

Lengths are in multiples of the page's usual line height (em), and most are given as sign(x) * log(1 + |x|).
"""

import math
import re
import unicodedata
from typing import NamedTuple

import numpy

from datagen.labels import is_page_number
from datagen.layouts.elements import Elements, LineElement
from datagen.layouts.neighbours import beside_neighbours
from datagen.page.wording import FIGURE, ITEM, MARK, OF_SECTION, TABLE
from datagen.writing import signs

HEAD, TAIL = 10, 6
"""Characters of a line's beginning and of its end that the network sees, as classes."""
_PUNCTUATION = ".,:;!?()[]{}<>-+*/=|_\"'#%&@$~^`\\"
_FIRST = 2 + len(_PUNCTUATION)
NUM_CLASSES = _FIRST + 15
SEEN_LABELS = (
    "text",
    "title",
    "sub_title",
    "list",
    "equation",
    "image",
    "image_caption",
    "table",
    "header",
    "footer",
    "footnote",
)
_LEADER = re.compile(r"(?:[.·…‧_] ?){3,} ?[\divxlcIVXLC]+$")
_WORDINGS = (FIGURE, TABLE, OF_SECTION, ITEM, MARK)
_FAR, _MAX_DRAWINGS, _MAX_RULES = 1e6, 3000, 200
_IN_BLOCK, _IN_COLUMN, _IN_ROW = 0.3, 0.2, 0.4  # shares of an element's area, width and height
_THIN_EM, _LONG_EM, _FRAME_EM, _RULE_NEAR_EM, _SIGN_EM = 0.3, 2.0, 0.8, 3.0, 2.5
_STOPS, _BULLETS = frozenset("。．।॥።။።۔؟…"), frozenset(signs.BULLETS + signs.CHECKS + signs.BOXES + signs.DOTS + "–—§")


class Features(NamedTuple):
    """Of N elements, the lines and then the pictures: `of_elements` (N, F) and `of_pairs` (N, N, P) float32, and `signs`
    (N, HEAD + TAIL) int64, the classes of characters at both ends of a line; 0 where there is none."""

    of_elements: numpy.ndarray
    of_pairs: numpy.ndarray
    signs: numpy.ndarray


def features(page: Elements) -> Features:
    """The features of a page with at least one line."""
    lines, pictures = page.lines, page.pictures
    num_lines, num = len(lines), len(lines) + len(pictures)
    box_NB = numpy.array([*(line.box for line in lines), *pictures], float).reshape(num, 4)
    x0, y0, x1, y1 = box_NB.T
    num_chars = numpy.array([len(line.text) for line in lines])
    high_N = numpy.where([line.vertical for line in lines], (x1 - x0)[:num_lines], (y1 - y0)[:num_lines])
    em = max(4e-3 * max(page.size), _weighted_median(high_N, num_chars))
    size_N = numpy.array([line.size for line in lines])
    usual = max(1e-3, _weighted_median(size_N, num_chars))
    # Pictures are of the usual size.
    size_N = numpy.concatenate([numpy.maximum(size_N, 1e-3) / usual, numpy.ones(len(pictures))])
    high_N = numpy.concatenate([numpy.maximum(high_N, 1e-3) / em, numpy.ones(len(pictures))])
    look = numpy.array([_look(line.look) for line in lines] + [(0.0,) * 6] * len(pictures)).reshape(num, 6)
    colour = look[:, :2] - numpy.average(look[:num_lines, :2], axis=0, weights=num_chars + 1)
    shapes = numpy.array([_shape(line) for line in lines] + [(0.0,) * _NUM_SHAPE] * len(pictures)).reshape(num, _NUM_SHAPE)
    owner, vote, reach = _votes(page, box_NB, em)
    x_shared, y_shared = _shared(x0, x1), _shared(y0, y1)
    wide, tall = page.size
    whole_page = (math.log(wide / tall), math.log1p(num_lines) / 5, math.log(tall / em) / 5, page.rtl, page.has_fonts)
    of_elements = (
        x0 / wide,
        y0 / tall,
        x1 / wide,
        y1 / tall,
        (x1 - x0) / wide,
        (y1 - y0) / tall,
        numpy.log(size_N),
        numpy.log(high_N),
        _log((x1 - x0) / em),
        *(numpy.full(num, float(value)) for value in whole_page),
        numpy.arange(num) >= num_lines,
        *look.T,
        *colour.T,
        *shapes.T,
        *_gaps(box_NB, x_shared, y_shared, em),
        *_drawn(page, box_NB, em),
        *vote.T,
        *reach.T,
        *beside_neighbours(page, box_NB, x_shared, y_shared, size_N, em),
    )
    bold = shapes[:, 0]
    order = numpy.where(numpy.arange(num) < num_lines, numpy.arange(num), -1)
    step = order[None] - order[:, None]
    is_known = (order[:, None] >= 0) & (order[None] >= 0) & page.has_fonts
    file_block = numpy.array([*(line.block for line in lines), *(-1 - i for i in range(len(pictures)))])
    of_pairs = (
        *(_log((side[None] - side[:, None]) / em) for side in (x0, y0, x1, y1, (x0 + x1) / 2, (y0 + y1) / 2)),
        x_shared,
        y_shared,
        _log(-_between(y0, y1) / em),
        _log(-_between(x0, x1) / em),
        (owner[:, None] == owner[None]) & (owner[:, None] >= 0),
        numpy.abs(numpy.log(size_N[None] / size_N[:, None])),
        numpy.abs(bold[:, None] - bold[None]),
        numpy.abs(look[:, None, :2] - look[None, :, :2]).sum(2),
        numpy.where(is_known, numpy.sign(step), 0),
        is_known & (step == 1),
        is_known & (step == -1),
        (file_block[:, None] == file_block[None]) & is_known,
        *_ruled_apart(page, box_NB, em),
    )
    return Features(
        numpy.stack(of_elements, 1).astype(numpy.float32),
        numpy.stack(of_pairs, 2).astype(numpy.float32),
        numpy.array([_signs(line.text) for line in lines] + [(0,) * (HEAD + TAIL)] * len(pictures), numpy.int64),
    )


def _weighted_median(values: numpy.ndarray, weights: numpy.ndarray) -> float:
    order = numpy.argsort(values, kind="stable")
    total = numpy.cumsum(weights[order])
    return float(values[order][numpy.searchsorted(total, total[-1] / 2)])


def _log(values: numpy.ndarray) -> numpy.ndarray:
    return numpy.sign(values) * numpy.log1p(numpy.abs(values))


def _between(low: numpy.ndarray, high: numpy.ndarray) -> numpy.ndarray:
    """(N, N): how far each two elements overlap along an axis; below 0 if they are apart."""
    return numpy.minimum(high[:, None], high[None]) - numpy.maximum(low[:, None], low[None])


def _shared(low: numpy.ndarray, high: numpy.ndarray) -> numpy.ndarray:
    """(N, N): the share of the shorter element's extent that both have; 0 for an element and itself."""
    shorter = numpy.maximum(numpy.minimum((high - low)[:, None], (high - low)[None]), 1e-6)
    share: numpy.ndarray = numpy.maximum(_between(low, high), 0) / shorter
    numpy.fill_diagonal(share, 0)
    return share


def _look(look: str) -> tuple[float, ...]:
    """How colourful and how light the letters are, from 0 to 1; bold, italic, underlined, highlighted. Zeros if unknown."""
    if not look:
        return (0.0,) * 6
    _, colour, *marks = look.split()
    rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return max(rgb) - min(rgb), sum(rgb) / 3, *(mark in marks for mark in ("bold", "italic", "underlined", "highlighted"))


_NUM_SHAPE = 16


def _shape(line: LineElement) -> tuple[float, ...]:
    text, num = line.text, max(1, len(line.text))
    categories = [unicodedata.category(char) for char in text]
    return (
        line.bold,
        line.mono,
        line.vertical,
        math.log1p(len(text)),
        sum(category == "Nd" for category in categories) / num,
        sum(category == "Lu" for category in categories) / num,
        sum(category[0] == "L" for category in categories) / num,
        text.count(" ") / num,
        sum(category[0] == "S" for category in categories) / num,
        sum(unicodedata.bidirectional(char) in ("R", "AL") for char in text) / num,
        *(bool(wording.match(text)) for wording in _WORDINGS),
        is_page_number(text) + 2.0 * bool(_LEADER.search(text)),
    )


def _signs(text: str) -> list[int]:
    classes = [_class(char) for char in text.strip()]
    head, tail = classes[:HEAD], classes[-TAIL:]
    return head + [0] * (HEAD + TAIL - len(head) - len(tail)) + tail


def _class(char: str) -> int:
    """The class of a character, from 1: each sign of ASCII is one."""
    if char.isspace():
        return 1
    if char in _PUNCTUATION:
        return 2 + _PUNCTUATION.index(char)
    category, code = unicodedata.category(char), ord(char)
    if category[0] == "N":
        return _FIRST
    if category in ("Lu", "Lt"):
        return _FIRST + 1
    if category == "Ll":
        return _FIRST + 2
    if 0x3400 <= code < 0xA000:  # Han
        return _FIRST + 3
    if 0x3040 <= code < 0x3100:  # kana
        return _FIRST + 4
    if 0xAC00 <= code < 0xD7B0:  # Hangul
        return _FIRST + 5
    if 0x590 <= code < 0x900 and category[0] == "L":  # from right to left
        return _FIRST + 6
    if char in _STOPS:
        return _FIRST + 7
    if char in _BULLETS:
        return _FIRST + 8
    if char in "、，،；：":
        return _FIRST + 9
    by_category = {"L": 10, "M": 11, "S": 12, "P": 13}
    return _FIRST + by_category.get(category[0], 14)


def _votes(page: Elements, box_NB: numpy.ndarray, em: float) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """The index (N,) of the block that holds most of each element, -1 for none; its label, one-hot with a last place for none;
    and how far each side of the element is from the block's, with the share of the element in it, (N, 5)."""
    num = len(box_NB)
    vote, reach = numpy.zeros((num, len(SEEN_LABELS) + 1)), numpy.zeros((num, 5))
    owner = numpy.full(num, -1)
    if page.blocks:
        block_box = numpy.array([block.box for block in page.blocks], float)
        wide = numpy.minimum(box_NB[:, None, 2], block_box[None, :, 2]) - numpy.maximum(box_NB[:, None, 0], block_box[None, :, 0])
        high = numpy.minimum(box_NB[:, None, 3], block_box[None, :, 3]) - numpy.maximum(box_NB[:, None, 1], block_box[None, :, 1])
        overlap = numpy.maximum(wide, 0) * numpy.maximum(high, 0)
        areas = numpy.maximum((box_NB[:, 2] - box_NB[:, 0]) * (box_NB[:, 3] - box_NB[:, 1]), 1e-6)
        shares = overlap / areas[:, None]
        block_area = (block_box[:, 2] - block_box[:, 0]) * (block_box[:, 3] - block_box[:, 1])
        smaller = numpy.argsort(block_area, kind="stable")  # of two that hold an element, as a formula in a paragraph
        best = smaller[shares[:, smaller].round(1).argmax(1)]
        share = shares[numpy.arange(num), best]
        owner = numpy.where(share > _IN_BLOCK, best, -1)
        held = owner >= 0
        reach[held, :4] = _log((box_NB[held] - block_box[owner[held]]) / em)
        reach[:, 4] = share
    labels = [page.blocks[i].label if i >= 0 else "" for i in owner]
    for n, label in enumerate(labels):
        vote[n, SEEN_LABELS.index(label) if label in SEEN_LABELS else len(SEEN_LABELS)] = 1
    return owner, vote, reach


def _gaps(box_NB: numpy.ndarray, x_shared: numpy.ndarray, y_shared: numpy.ndarray, em: float) -> list[numpy.ndarray]:
    """The distance to the next element above, below, to the left and to the right, whether there is none, and how many are in
    the same row."""
    x0, y0, x1, y1 = box_NB.T
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    in_column, in_row = (x_shared > _IN_COLUMN) & (y_shared < 0.5), y_shared > _IN_ROW
    gaps = (
        numpy.where(in_column & (middle_y[None] < middle_y[:, None]), y0[:, None] - y1[None], _FAR).min(1),
        numpy.where(in_column & (middle_y[None] > middle_y[:, None]), y0[None] - y1[:, None], _FAR).min(1),
        numpy.where(in_row & (middle_x[None] < middle_x[:, None]), x0[:, None] - x1[None], _FAR).min(1),
        numpy.where(in_row & (middle_x[None] > middle_x[:, None]), x0[None] - x1[:, None], _FAR).min(1),
    )
    ends = [gap >= _FAR for gap in gaps]
    return [
        *(numpy.where(end, 0, _log(gap / em)) for gap, end in zip(gaps, ends, strict=True)),
        *ends,
        numpy.minimum(in_row.sum(1), 6) / 3,
    ]


def _drawn(page: Elements, box_NB: numpy.ndarray, em: float) -> list[numpy.ndarray]:
    """How near the next rules above, below, to the left and to the right of an element are, 1 for touching; whether a frame is
    around it, and how high; and whether a small drawing stands in front of it, as the sign of a list's item does."""
    x0, y0, x1, y1 = box_NB.T
    middle, slack = (y0 + y1) / 2, 0.3 * em
    drawn = numpy.array(page.drawings[:_MAX_DRAWINGS], float).reshape(-1, 4)
    wide, high = drawn[:, 2] - drawn[:, 0], drawn[:, 3] - drawn[:, 1]
    rules = drawn[(high < _THIN_EM * em) & (wide > _LONG_EM * em)]
    posts = drawn[(wide < _THIN_EM * em) & (high > em)]
    passes = (posts[None, :, 1] <= middle[:, None]) & (middle[:, None] <= posts[None, :, 3])
    left = numpy.where(passes & (posts[None, :, 0] <= x0[:, None] + slack), x0[:, None] - posts[None, :, 0], _FAR)
    right = numpy.where(passes & (posts[None, :, 2] >= x1[:, None] - slack), posts[None, :, 2] - x1[:, None], _FAR)
    dots = drawn[(wide < em) & (high < em) & (wide > 0.1 * em) & (high > 0.05 * em)]
    ahead = numpy.minimum(numpy.abs(x0[:, None] - dots[None, :, 2]), numpy.abs(dots[None, :, 0] - x1[:, None])) < _SIGN_EM * em
    level = (dots[None, :, 1] + dots[None, :, 3]) / 2
    has_sign = (ahead & (y0[:, None] < level) & (level < y1[:, None])).any(1)
    frames = drawn[(high > _FRAME_EM * em) & (wide > em) & (wide * high < 0.7 * page.size[0] * page.size[1])]
    crosses = (numpy.minimum(x1[:, None], rules[None, :, 2]) - numpy.maximum(x0[:, None], rules[None, :, 0])) > 0
    above = numpy.where(crosses & (rules[None, :, 3] <= middle[:, None]), middle[:, None] - rules[None, :, 3], _FAR)
    below = numpy.where(crosses & (rules[None, :, 1] > middle[:, None]), rules[None, :, 1] - middle[:, None], _FAR)
    holds = (
        (frames[None, :, 0] <= x0[:, None] + slack)
        & (frames[None, :, 2] >= x1[:, None] - slack)
        & (frames[None, :, 1] <= y0[:, None] + slack)
        & (frames[None, :, 3] >= y1[:, None] - slack)
    )
    lowest = numpy.where(holds, (frames[:, 3] - frames[:, 1])[None] / em, _FAR).min(1, initial=_FAR)
    return [
        numpy.exp(-above.min(1, initial=_FAR) / (_RULE_NEAR_EM * em)),
        numpy.exp(-below.min(1, initial=_FAR) / (_RULE_NEAR_EM * em)),
        numpy.exp(-numpy.maximum(left, 0).min(1, initial=_FAR) / (_RULE_NEAR_EM * em)),
        numpy.exp(-numpy.maximum(right, 0).min(1, initial=_FAR) / (_RULE_NEAR_EM * em)),
        holds.any(1),
        numpy.where(holds.any(1), numpy.log1p(lowest), 0),
        has_sign,
    ]


def _ruled_apart(page: Elements, box_NB: numpy.ndarray, em: float) -> list[numpy.ndarray]:
    """(N, N): whether a rule lies between two elements one of which stands above the other, and whether one stands between two of
    a row."""
    x0, y0, x1, y1 = box_NB.T
    drawn = numpy.array(page.drawings[:_MAX_DRAWINGS], float).reshape(-1, 4)
    wide, high = drawn[:, 2] - drawn[:, 0], drawn[:, 3] - drawn[:, 1]
    across = drawn[(high < _THIN_EM * em) & (wide > _LONG_EM * em)]
    upright = drawn[(wide < _THIN_EM * em) & (high > em)]

    def between(
        rules: numpy.ndarray, at: int, low: numpy.ndarray, high: numpy.ndarray, start: numpy.ndarray, end: numpy.ndarray
    ) -> numpy.ndarray:
        apart = numpy.zeros((len(low), len(low)), bool)
        for rule in rules[numpy.argsort(rules[:, at] - rules[:, at + 2], kind="stable")][:_MAX_RULES]:
            place = (rule[at] + rule[at + 2]) / 2
            crossed = (numpy.minimum(end, rule[3 - at]) - numpy.maximum(start, rule[1 - at])) > 0
            before, behind = crossed & (low + (high - low) / 2 < place), crossed & (low + (high - low) / 2 > place)
            apart |= before[:, None] & behind[None]
        return apart | apart.T

    return [between(across, 1, y0, y1, x0, x1), between(upright, 0, x0, x1, y0, y1)]
