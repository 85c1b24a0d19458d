"""How an element stands to the ones above and below it in its column: what tells where a paragraph ends.

A gap that is wider than the page's usual one, an indent, a line that ends short although the next line's first word had room.
"""

import numpy

from datagen.layouts.elements import Elements

_IN_COLUMN, _BESIDE, _ALIKE = 0.2, 0.5, 0.1  # shares of the narrower and of the lower one; of sizes, as logarithms
_REACH_EM, _FAR = 12.0, 1e6
_WIDE = 0x2E80  # from here on, a character is a word: Han and kana


def beside_neighbours(
    page: Elements, box_NB: numpy.ndarray, x_shared: numpy.ndarray, y_shared: numpy.ndarray, size_N: numpy.ndarray, em: float
) -> list[numpy.ndarray]:
    """Features (N,) of each element, 0 where it has no neighbour. `size_N`: sizes of letters, 1 for the usual one."""
    x0, y0, x1, y1 = box_NB.T
    middle, num = (y0 + y1) / 2, len(box_NB)
    in_column = (x_shared > _IN_COLUMN) & (y_shared < _BESIDE)
    away = middle[None] - middle[:, None]
    near = in_column & (numpy.abs(away) < _REACH_EM * em)
    most = numpy.maximum(numpy.where(near, x1[None], -_FAR).max(1, initial=-_FAR), x1)
    least = numpy.minimum(numpy.where(near, x0[None], _FAR).min(1, initial=_FAR), x0)
    slack = x0 - least if page.rtl else most - x1
    word = (x1 - x0) * numpy.array([_first_word(line.text) for line in page.lines] + [1.0] * (num - len(page.lines)))
    features = [_log((x0 - least) / em), _log((most - x1) / em)]
    for side in (1, -1):
        distance = numpy.where(in_column & (side * away > 0), numpy.abs(away), _FAR)
        other = distance.argmin(1)
        is_there, pitch = distance.min(1) < _FAR, distance.min(1)
        ratio = numpy.log(size_N[other] / size_N)
        usual = is_there & (numpy.abs(ratio) < _ALIKE)
        typical = numpy.median(pitch[usual]) if usual.any() else em
        upper, lower = (numpy.arange(num), other) if side > 0 else (other, numpy.arange(num))
        made = (
            numpy.clip(numpy.log(numpy.maximum(pitch, 1e-3) / max(typical, 1e-3)), -2, 2),
            _log((x0[other] - x0) / em),
            _log((x1[other] - x1) / em),
            ratio,
            _log((slack[upper] - word[lower]) / em),
        )
        features += [numpy.where(is_there, one, 0.0) for one in made]
    return features


def _first_word(text: str) -> float:
    """The share of a line that its first word takes."""
    first = text.split(" ", 1)[0]
    return (1 if ord(text[0]) >= _WIDE else len(first)) / len(text) if text else 1.0


def _log(values: numpy.ndarray) -> numpy.ndarray:
    result: numpy.ndarray = numpy.sign(values) * numpy.log1p(numpy.abs(values))
    return result
