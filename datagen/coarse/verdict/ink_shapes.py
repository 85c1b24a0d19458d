"""Does ink look like what its text claims? It is told without a reader, by a line-up of the claim and of wrong texts.

All are drawn in a reference face. The wrong texts are the same words in random ciphers of their letters. A true claim is far more
like the ink than any of them. A claim that is itself a cipher (a constant shift, a legacy font, a permuted ToUnicode) is no more
like the ink than the others. This works in any script that a font of this machine draws.
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
_HEIGHT = 24  # rows, that ink is compared at
_BLUR = 1.2  # of these rows: typefaces differ by about a stroke
_NUM_CIPHERS, _CIPHERS_A_WORD = 8, 4  # each word is compared with some of them, in turn: drawing is what a line-up costs
_FACE_WORDS = 6  # that tell which face is most like the ink
_MOST_OF = 0.7  # of the words that any face can draw, that one must draw to be compared
_VIRAMA = 9  # the combining class
T = TypeVar("T")
_ASPECT = 0.25  # what a claim loses whose ink is e times as wide for its height as what was found


class Ink(NamedTuple):
    """A word as it stands on the page: its ink at the size that it is compared at, how wide it is for its height, its text."""

    rows: numpy.ndarray
    aspect: float
    text: str


class Lineup(NamedTuple):
    """`margin`: by how much the claims are more like the ink than ciphers of them (a correlation: 0 for a lie, 0.3 to 0.8 for the
    truth); `deviation`: the same in standard errors; `num_words` that were compared, with the reference `face`."""

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

    `num_words` is 0 if no face of this machine has the letters, or if fewer than two words say anything.

    Only the `alike_share` of the words count that are most like their claim or a cipher of it. Ink that is like none of these was
    cut in the wrong places, as happens where words overlap. This spares no lie: of one, ciphers are as like the ink as the claim.
    """
    random = numpy.random.default_rng(seed)
    ciphers = [_cipher("".join(word.text for word in words), random) for _ in range(_NUM_CIPHERS)]
    # Where only the words that are most alike count, few ciphers would favour the claim.
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
    """`text` as a line of about `height` pixels, (H, W) gray bytes with dark ink, in `face` or another one of the script; None if
    none draws it."""
    able = next((name for name in (face, *reference_faces(script)) if name and draws(name, text)), "")
    if not able:
        return None
    image, box = line_by_pillow.line(able, line_by_pillow.size_of_height(able, height), text, height // 2)
    return 255 - image[box.y0 : box.y1]


def preference(word: Ink, other: str, face: str) -> float:
    """By how much a word's ink is more like `other` than like its own text; 0 where the face can't draw both."""
    if not face or not draws(face, word.text + other):
        return 0.0
    return likeness(word, face, other) - likeness(word, face, word.text)


def clusters(text: str, script: str) -> list[tuple[int, float]]:
    """Where the clusters of `text` end, but for the last one. Empty if no face draws it.

    Each end is a number of characters, and the share of the text's width that they take in a face of the script, each cluster as
    wide as it is alone.
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
    """Clusters are measured one by one, since a text's beginnings, each shaped anew, take a hundred times as long."""
    return line_by_pillow.width(face, _SIZE, cluster)


def widths(texts: Sequence[str], script: str) -> list[float]:
    """How wide each text is in one face of the script, in pixels of its drawing. Empty if no face draws them all."""
    face = next((name for name in reference_faces(script) if draws(name, "".join(texts))), "")
    return [line_by_pillow.width(face, _SIZE, text) for text in texts] if face else []


def _joins(left: str, right: str) -> bool:
    """Whether two characters are drawn as parts of one cluster: a mark joins what is before it, a virama what is behind."""
    return (
        unicodedata.category(right)[0] == "M"
        or unicodedata.combining(left) == _VIRAMA
        or left in scripts.JOINERS
        or right in scripts.JOINERS
    )


@functools.cache
def engines() -> dict[str, str]:
    """What decides a line-up: Pillow with its shaper, and the faces that ink is compared with."""
    return line_by_pillow.VERSIONS | {"reference_fonts": typefaces.digest(typefaces.all_reference_faces())}


@functools.lru_cache(maxsize=4096)
def _drawn(path: str, text: str) -> numpy.ndarray | None:
    """The ink of `text`, (H, W) bytes with ink 255."""
    return _trimmed(line_by_pillow.line(path, _SIZE, text, _MARGIN)[0])


def _trimmed(image: numpy.ndarray) -> numpy.ndarray | None:
    """What of an (H, W) image with bright ink holds it; None if there is none to speak of."""
    dark = image > 96
    rows, columns = numpy.flatnonzero(dark.any(axis=1)), numpy.flatnonzero(dark.any(axis=0))
    if len(rows) < 3 or len(columns) < 2:
        return None
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def best_face(words: Sequence[Ink], script: str, most: int = _FACE_WORDS) -> tuple[str, dict[int, float]]:
    """The face in which at most `most` of the words look most like their ink, of those that draw most words; and the likeness in
    it of each word that it draws."""
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
    """At most so many of the items, from all parts."""
    return [items[i * len(items) // most] for i in range(most)] if len(items) > most else items


def likeness(word: Ink, face: str, text: str) -> float:
    """The correlation of a word's ink with `text` as the face draws it, stretched to its width, less a cost of stretching."""
    drawn = _drawn(face, text)
    if drawn is None:
        return -1.0
    other = _resized(drawn, word.rows.shape[1])
    both = float((word.rows * other).sum()) / math.sqrt(float((word.rows**2).sum()) * float((other**2).sum()) + 1e-6)
    return both - _ASPECT * abs(math.log(drawn.shape[1] / drawn.shape[0] / word.aspect))


def drawn_aspect(face: str, text: str) -> float:
    """How wide the ink of `text` is for its height, as the face draws it; 0 where it draws none."""
    drawn = _drawn(face, text)
    return 0.0 if drawn is None else drawn.shape[1] / drawn.shape[0]


def _resized(ink: numpy.ndarray, columns: int) -> numpy.ndarray:
    image = Image.fromarray(ink).resize((columns, _HEIGHT), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(_BLUR))
    resized = numpy.asarray(image, numpy.float32)
    return resized - resized.mean()


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    spread = statistics.stdev(values) if len(values) > 1 else 1.0
    return statistics.fmean(values), max(spread / math.sqrt(len(values)), 5e-3)


def _cipher(letters: str, random: numpy.random.Generator) -> dict[int, str]:
    """A table that shuffles the distinct letters, marks and digits within their general categories, so that marks stay marks.

    Punctuation stays as it is. In a layer that lies it is often true, and would speak for the rest.
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
