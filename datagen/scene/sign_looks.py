"""The text and look of a sign for a place in a photograph: its words, colours, typeface and light, by chance."""

import functools
import random
from typing import Any

import cairocffi
import numpy

from datagen.drawing.typeset import Style, broken_lines, laid_out
from datagen.scene.sign_blend import Light
from datagen.scene.sign_words import SignWords
from datagen.scene.signs import Colour, Plan, Words

Block = tuple[tuple[str, ...], float]

# Usual colours of ground and ink.
_PANELS: tuple[tuple[Colour, Colour], ...] = (
    ((250, 250, 248), (20, 20, 20)), ((245, 240, 225), (90, 20, 15)), ((20, 90, 55), (250, 250, 245)),
    ((20, 60, 140), (250, 250, 250)), ((180, 25, 25), (255, 255, 250)), ((250, 205, 30), (15, 15, 15)),
    ((95, 60, 35), (250, 240, 220)), ((25, 25, 28), (245, 245, 240)), ((235, 120, 20), (20, 15, 10)),
    ((225, 230, 235), (25, 55, 110)), ((60, 25, 70), (250, 225, 150)), ((200, 215, 190), (30, 55, 25)),
    ((40, 45, 50), (250, 200, 60)), ((255, 225, 225), (160, 20, 60)), ((15, 110, 125), (255, 255, 255)),
)  # fmt: skip
_DARK: tuple[Colour, ...] = ((15, 15, 15), (60, 15, 10), (10, 30, 80), (10, 60, 30), (50, 20, 60), (70, 45, 10))
_PALE: tuple[Colour, ...] = ((250, 250, 250), (255, 240, 200), (255, 230, 90), (215, 240, 255), (255, 215, 215))
_BARE = {"name": 0.6, "shop": 0.15, "poster": 0.1, "list": 0.15, "columns": 0.1, "vertical": 0.25, "arc": 0.5, "wave": 0.6}
"""The share of signs without a panel, by kind."""
_BUSY = 45  # of 255: where brightness varies by more, words need a panel


def plan(kind: str, words: SignWords, source: random.Random, behind: numpy.ndarray, is_bare: bool | None = None) -> Plan | None:
    """A sign of a kind for a place with the pixels `behind`. `is_bare`: without a panel (None: by chance). None if chance gives
    no words for the kind."""
    blocks, columns = _blocks(kind, words, source, family := source.choice(words.families))
    if not blocks:
        return None
    gray = behind.mean(2)
    bare = source.random() < _BARE[kind] if is_bare is None else is_bare
    bare = bare and float(gray.std()) < _BUSY
    ground: Colour | None = None
    rim: Colour | None = None
    if bare:
        ink = source.choice(_DARK if gray.mean() > 118 else _PALE)
    else:
        ground, ink = (_varied(colour, source) for colour in source.choice(_PANELS))
        rim = ink if source.random() < 0.35 else None
    centred = kind in ("name", "shop", "arc", "wave") or (kind in ("poster", "list") and source.random() < 0.4)
    weights = [700 if source.random() < (0.7 if i == 0 else 0.3) else 400 for i in range(len(blocks))]
    made = tuple(Words(lines, size, weight, ink, centred) for (lines, size), weight in zip(blocks, weights, strict=True))
    curve = 0.0
    if kind == "arc":
        curve = source.uniform(0.7, 2.3) * (1 if source.random() < 0.7 else -1)
    elif kind == "wave":
        curve = source.uniform(0.2, 0.5) * source.choice((-1, 1))
    return Plan(
        kind,
        words.lang,
        family,
        made,
        words.is_rtl,
        ground,
        rim,
        leading=source.uniform(0.15, 0.45) if kind != "vertical" else source.uniform(0.2, 0.6),
        gap=source.uniform(1.0, 1.5),
        padding=0.1 if bare else source.uniform(0.5, 1.2),
        columns=columns,
        curve=curve,
        radius=source.choice((0.0, 0.0, 0.25, 0.5)),
    )


def light(source: random.Random, sign: Plan) -> Light:
    has_shadow = source.random() < 0.5
    dx, dy = source.randint(-5, 6), source.randint(1, 7)
    shadow = source.uniform(0.2, 0.5) if has_shadow else 0.0
    paint = source.uniform(0.86, 1.0) if sign.ground is None else source.uniform(0.93, 1.0)
    return Light(source.uniform(0.1, 0.7), paint, shadow if sign.ground is not None else shadow * 0.6, dx, dy)


def _blocks(kind: str, words: SignWords, source: random.Random, family: str) -> tuple[list[Block], int]:
    """The lines and size of each block, and the number of last blocks that stand side by side."""
    match kind:
        case "shop":
            return _shop(words, source), 0
        case "poster":
            return _poster(words, source, family), 0
        case "list":
            items: Block = (tuple(words.items(source, source.randint(3, 6))), 1.0)
            return [*_head(words, source), items], 0
        case "columns":
            columns = _columns(words, source, family)
            return [*_head(words, source), *columns], len(columns)
        case "vertical":
            return _upright(words, source), 0
        case _:
            return [((words.name(source) if source.random() < 0.9 else words.short(source),), 1.0)], 0


def _head(words: SignWords, source: random.Random) -> list[Block]:
    return [((words.name(source, 18),), source.uniform(1.3, 1.8))] if source.random() < 0.6 else []


def _shop(words: SignWords, source: random.Random) -> list[Block]:
    blocks: list[Block] = [((words.name(source, 16),), source.uniform(1.5, 2.4))]
    if source.random() < 0.75:
        blocks.append(((words.name(source), words.short(source))[: source.randint(1, 2)], 1.0))
    return blocks


def _poster(words: SignWords, source: random.Random, family: str) -> list[Block]:
    head = _wrapped(words.name(source), words, source.uniform(6, 10), family, 2)
    body = _wrapped(words.prose(source), words, source.uniform(10, 18), family, source.randint(2, 6))
    blocks = [(head, source.uniform(1.5, 2.2)), (body, 1.0)]
    if source.random() < 0.5:
        blocks.append(((words.short(source),), source.uniform(0.9, 1.3)))
    return blocks


def _columns(words: SignWords, source: random.Random, family: str) -> list[Block]:
    number, ems, count = source.choice((2, 2, 3)), source.uniform(7, 11), source.randint(3, 5)
    if source.random() < 0.5 and words.paragraphs:
        return [(_wrapped(words.prose(source), words, ems, family, count), 1.0) for _ in range(number)]
    return [(tuple(words.name(source, 14) for _ in range(count)), 1.0) for _ in range(number)]


def _upright(words: SignWords, source: random.Random) -> list[Block]:
    """Columns of full-width characters; [] if chance gives no such words."""
    most = source.randint(4, 10)
    texts = [words.squares(source, most) for _ in range(source.randint(1, 3))]
    blocks: list[Block] = [(tuple(text for text in texts if text), 1.0)]
    if source.random() < 0.4:
        blocks.insert(0, ((words.squares(source, 8),), source.uniform(1.3, 1.8)))
    return blocks if all(lines and all(lines) for lines, _ in blocks) else []


def _wrapped(text: str, words: SignWords, ems: float, family: str, most: int) -> tuple[str, ...]:
    """At most `most` lines of a text, broken at `ems` sizes by its language's rules."""
    style = Style(width_pt=10 * ems, margin_pt=0, size_pt=10)
    layout = laid_out(_context(), text, family, words.lang, style)
    lines = tuple(line.text for line in broken_lines(layout, text.encode()) if line.text.strip())
    return lines[:most]


@functools.cache
def _context() -> Any:
    return cairocffi.Context(cairocffi.ImageSurface(cairocffi.FORMAT_A8, 1, 1))


def _varied(colour: Colour, source: random.Random) -> Colour:
    red, green, blue = (min(255, max(0, part + source.randint(-18, 18))) for part in colour)
    return red, green, blue
