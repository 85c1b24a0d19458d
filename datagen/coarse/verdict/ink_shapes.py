"""Does ink look like its claimed text? A line-up of the claim and of wrong texts tells, without a reader.

All texts are drawn in a reference face. The wrong texts are the same words in random ciphers of their letters. A true claim is
far more like the ink than the ciphers. A claim that is itself a cipher (a constant shift, a legacy font, a permuted ToUnicode) is
no more like the ink than the others. This works in any script that a font of this machine draws.
"""

import functools
import itertools
import math
import statistics
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy
from PIL import Image, ImageFilter

from datagen.drawing import line_by_pillow, typefaces
from datagen.drawing.typefaces import draws, reference_faces
from datagen.writing import scripts

_SIZE = 40  # pixels an em, of the drawn words
_MARGIN = 60  # of these pixels: stacked letters and swashes reach far beyond a line
_HEIGHT = 24  # rows at which ink is compared
_BLUR = 1.2  # of these rows: typefaces differ by about a stroke
_NUM_CIPHERS, _CIPHERS_A_WORD = 8, 4  # each word is compared with some ciphers only, in turn, since drawing takes longest
_FACE_WORDS = 6  # words that tell which face is most like the ink
_MOST_OF = 0.7  # of the words that some face can draw: a face that draws fewer isn't compared
_VIRAMA = 9  # the combining class
T = TypeVar("T")
_ASPECT = 0.25  # likeness that a text loses if it is drawn e times as wide for its height as the ink


class Ink(NamedTuple):
    """A word on the page: its ink at the compared size, its width for its height, its text."""

    rows: numpy.ndarray
    aspect: float
    text: str


class Lineup(NamedTuple):
    """`margin`: how much more like the ink the claims are than ciphers of them (a correlation: 0 for a wrong text, 0.3 to 0.8 for
    a right one). `deviation`: the margin in standard errors. `num_words` were compared, in the reference `face`."""

    margin: float = 0.0
    deviation: float = 0.0
    num_words: int = 0
    face: str = ""


def ink(image: numpy.ndarray, text: str) -> Ink | None:
    """A word, (H, W) gray bytes with dark ink, and its claimed text, ready to be compared; None if it has no ink."""
    trimmed = _trimmed(255 - image)
    if trimmed is None:
        return None
    height, width = trimmed.shape
    return Ink(_resized(trimmed, max(8, round(width * _HEIGHT / height))), width / height, text)


def lineup(words: Sequence[Ink], script: str, seed: int = 0, alike_share: float = 1.0) -> Lineup:
    """How much more like their ink the claimed texts of `words` are than ciphers of them.

    `num_words` is 0 if no face of this machine has the letters, or if fewer than two words could be compared.

    Only the share `alike_share` of the words counts: the words that are most like their claim or a cipher of it. Ink that is like
    none of these was cut in the wrong places, as happens where words overlap. This choice helps no wrong text, since its ciphers
    are as like the ink as the claim.
    """
    random = numpy.random.default_rng(seed)
    ciphers = [_cipher("".join(word.text for word in words), random) for _ in range(_NUM_CIPHERS)]
    # If only the words that are most alike count, a few ciphers would favour the claim.
    step = 1 if alike_share < 1 else _NUM_CIPHERS // _CIPHERS_A_WORD
    best, alike = best_face(words, script)
    compared = []
    for i, claimed in alike.items():
        text = words[i].text
        in_turn = [ciphers[(i + k) % _NUM_CIPHERS] for k in range(0, _NUM_CIPHERS, step)]
        # A word whose letters a cipher leaves alone says nothing.
        others = [likeness(words[i], best, other) for c in in_turn if (other := text.translate(c)) != text]
        if others:
            compared.append((max(claimed, *others), claimed - statistics.fmean(others)))
    if len(compared) < 2:
        return Lineup()
    compared.sort(reverse=True)
    margins = [margin for _, margin in compared[: max(2, round(alike_share * len(compared)))]]
    margin, error = mean_and_error(margins)
    return Lineup(margin, margin / error, len(margins), best)


def drawn_line(text: str, script: str, face: str, height: int) -> numpy.ndarray | None:
    """`text` as a line of about `height` pixels, (H, W) gray bytes with dark ink, in `face` or another face of the script. None
    if no face draws the text."""
    able = next((name for name in (face, *reference_faces(script)) if name and draws(name, text)), "")
    if not able:
        return None
    image, box = line_by_pillow.line(able, line_by_pillow.size_of_height(able, height), text, height // 2)
    return 255 - image[box.y0 : box.y1]


def preference(word: Ink, other: str, face: str) -> float:
    """How much more a word's ink is like `other` than like its own text; 0 where the face can't draw both."""
    if not face or not draws(face, word.text + other):
        return 0.0
    return likeness(word, face, other) - likeness(word, face, word.text)


def clusters(text: str, script: str) -> list[tuple[int, float]]:
    """The ends of the clusters of `text`, without the last end. Empty if no face draws the text.

    Each end is a number of characters, and the share of the text's width that these characters take in a face of the script. Each
    cluster is measured alone.
    """
    ends = [i for i in range(1, len(text)) if not _joins(text[i - 1], text[i])]
    face = next((name for name in reference_faces(script) if draws(name, text)), "")
    if not face:
        return []
    bounds = itertools.pairwise([0, *ends, len(text)])
    shares = list(itertools.accumulate(_cluster_width(face, text[a:b]) for a, b in bounds))
    return [(i, share / shares[-1]) for i, share in zip(ends, shares, strict=False) if share < shares[-1]]


@functools.lru_cache(maxsize=16384)
def _cluster_width(face: str, cluster: str) -> float:
    """The width of a cluster alone. To shape each beginning of the text instead takes a hundred times as long."""
    return line_by_pillow.width(face, _SIZE, cluster)


def widths(texts: Sequence[str], script: str) -> list[float]:
    """The width of each text in one face of the script, in pixels of its drawing. Empty if no face draws all texts."""
    face = next((name for name in reference_faces(script) if draws(name, "".join(texts))), "")
    return [line_by_pillow.width(face, _SIZE, text) for text in texts] if face else []


def _joins(left: str, right: str) -> bool:
    """Whether two characters are drawn as one cluster: a mark joins the character before it, a virama the one behind it."""
    return (
        unicodedata.category(right)[0] == "M"
        or unicodedata.combining(left) == _VIRAMA
        or left in scripts.JOINERS
        or right in scripts.JOINERS
    )


@functools.cache
def engines() -> dict[str, str]:
    """The versions that decide a line-up: Pillow with its shaper, and the reference faces."""
    return line_by_pillow.VERSIONS | {"reference_fonts": typefaces.digest(typefaces.all_reference_faces())}


@functools.lru_cache(maxsize=4096)
def _drawn(path: str, text: str) -> numpy.ndarray | None:
    """The ink of `text`, (H, W) bytes with ink 255."""
    return _trimmed(line_by_pillow.line(path, _SIZE, text, _MARGIN)[0])


def _trimmed(image: numpy.ndarray) -> numpy.ndarray | None:
    """The part of an (H, W) image that holds its bright ink; None if there is hardly any ink."""
    dark = image > 96
    rows, columns = numpy.flatnonzero(dark.any(axis=1)), numpy.flatnonzero(dark.any(axis=0))
    if len(rows) < 3 or len(columns) < 2:
        return None
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def best_face(words: Sequence[Ink], script: str, most: int = _FACE_WORDS) -> tuple[str, dict[int, float]]:
    """Of the faces that draw most words, the face in which at most `most` words look most like their ink; and the likeness of
    each word that this face draws. "" and no likeness if there is no such face."""
    able = {face: [i for i, word in enumerate(words) if draws(face, word.text)] for face in reference_faces(script)}
    least = max(1, _MOST_OF * max(map(len, able.values()), default=0))
    means = {}
    for face, drawn in able.items():
        if len(drawn) >= least:
            some = spread(drawn, most)
            means[face] = statistics.fmean(max(0.0, likeness(words[i], face, words[i].text)) for i in some)
    best = max(means, key=lambda face: means[face], default="")
    if not best or not means[best]:
        return "", {}
    return best, {i: likeness(words[i], best, words[i].text) for i in able[best]}


def spread(items: Sequence[T], most: int) -> Sequence[T]:
    """At most `most` of the items, evenly spread."""
    return [items[i * len(items) // most] for i in range(most)] if len(items) > most else items


def likeness(word: Ink, face: str, text: str) -> float:
    """The correlation of a word's ink with `text`, drawn in the face and stretched to the ink's width, less a cost of the
    stretch. -1 if the face draws no ink."""
    drawn = _drawn(face, text)
    if drawn is None:
        return -1.0
    other = _resized(drawn, word.rows.shape[1])
    both = float((word.rows * other).sum()) / math.sqrt(float((word.rows**2).sum()) * float((other**2).sum()) + 1e-6)
    return both - _ASPECT * abs(math.log(drawn.shape[1] / drawn.shape[0] / word.aspect))


def _resized(ink: numpy.ndarray, columns: int) -> numpy.ndarray:
    image = Image.fromarray(ink).resize((columns, _HEIGHT), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(_BLUR))
    resized = numpy.asarray(image, numpy.float32)
    return resized - resized.mean()


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    spread = statistics.stdev(values) if len(values) > 1 else 1.0
    return statistics.fmean(values), max(spread / math.sqrt(len(values)), 5e-3)


def _cipher(letters: str, random: numpy.random.Generator) -> dict[int, str]:
    """A table that shuffles the distinct letters, marks and digits within their general categories, so marks stay marks.

    Punctuation stays as it is. In a wrong layer the punctuation is often right, and would speak for the rest.
    """
    kinds: dict[str, list[str]] = {}
    for letter in sorted(set(letters)):
        kind = unicodedata.category(letter)
        if kind[0] in "LMN":
            kinds.setdefault(kind, []).append(letter)
    shuffled: dict[int, str] = {}
    for members in kinds.values():
        order = random.permutation(len(members))
        shuffled |= {ord(letter): members[i] for letter, i in zip(members, order, strict=True)}
    return shuffled
