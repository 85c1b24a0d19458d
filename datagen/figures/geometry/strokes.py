"""A figure of plane geometry on paper: its lines, circles, marks and names, drawn by Cairo.

Everything is in pixels of the image, y downwards, as complex numbers.
"""

import cmath
import io
import math
from dataclasses import dataclass, field
from typing import NamedTuple

import cairocffi
import numpy
from PIL import Image

from datagen.figures.geometry.sketch import Mark

Colour = tuple[float, float, float]


class Lettering(NamedTuple):
    """A family of typefaces for names and one for marks, how large in pixels an em, and whether slanted and bold."""

    family: str
    family_of_marks: str
    size: float
    italic: bool = False
    bold: bool = False


@dataclass(frozen=True)
class Ink:
    """How strokes look: their width, the lengths of dashes and gaps and the size of marks in pixels, colours from 0 to 1, and
    whether named points have dots."""

    width: float
    dashes: tuple[float, float]
    ink: Colour
    paper: Colour
    accent: Colour
    mark: float
    dots: bool


class Label(NamedTuple):
    """A text whose middle is at `at`; one of a mark is a letter or number of mathematics, whatever script names are in."""

    at: complex
    text: str
    of_mark: bool = False


@dataclass
class Strokes:
    """What is drawn: lines as (from, to, dashed), circles as (centre, radius), marks in pixels, dots and texts."""

    size: tuple[int, int]
    lines: list[tuple[complex, complex, bool]] = field(default_factory=list)
    circles: list[tuple[complex, float]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    dots: list[complex] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)


def _unit(direction: complex) -> complex:
    return direction / abs(direction) if direction else 1 + 0j


def mark_lines(mark: Mark, size: float) -> list[list[complex]]:
    """A mark as open paths; a filled one (an arrow's head) comes closed."""
    if mark.kind == "right":
        vertex, a, b = mark.at
        u, v = _unit(a - vertex) * size, _unit(b - vertex) * size
        return [[vertex + u, vertex + u + v, vertex + v]]
    if mark.kind == "arc":
        vertex, a, b = mark.at
        start = cmath.phase(a - vertex)
        turn = cmath.phase((b - vertex) / (a - vertex))
        radii = [size * (1.5 + 0.3 * number) for number in range(mark.number)]
        return [[vertex + cmath.rect(radius, start + turn * step / 12) for step in range(13)] for radius in radii]
    if mark.kind == "tick":
        a, b = mark.at
        along, across = _unit(b - a), _unit(b - a) * 1j * size * 0.45
        places = [(a + b) / 2 + along * size * 0.35 * (number - (mark.number - 1) / 2) for number in range(mark.number)]
        return [[place - across, place + across] for place in places]
    if mark.kind == "arrow":
        tail, tip = mark.at
        back = _unit(tail - tip) * size * 1.1
        return [[tip, tip + back * cmath.rect(1, 0.35), tip + back * cmath.rect(1, -0.35), tip]]
    return []


def label_of(mark: Mark, size: float, letter: float) -> Label | None:
    """Where a mark's text stands: in the opening of an angle, or off its place."""
    if not mark.text:
        return None
    if mark.kind == "arc":
        vertex, a, b = mark.at
        middle = _unit(_unit(a - vertex) + _unit(b - vertex))
        half = abs(cmath.phase((b - vertex) / (a - vertex))) / 2
        room = letter * (0.35 + 0.25 * len(mark.text)) / max(0.25, math.sin(half))  # in a narrow angle further out
        return Label(vertex + middle * max(size * (1.5 + 0.3 * mark.number) + letter * 0.5, room), mark.text, True)
    away = _unit(mark.towards) if mark.towards else 0
    return Label(mark.at[0] + away * letter * 0.85, mark.text, True)


def overlap(one: Label, other: Label, letter: float) -> bool:
    """Whether texts of letters of that size would touch."""
    apart = one.at - other.at
    return abs(apart.real) < letter * 0.35 * (len(one.text) + len(other.text)) and abs(apart.imag) < letter


def image(strokes: Strokes, ink: Ink, lettering: Lettering) -> Image.Image:
    """The image, grey where the colours are."""
    width, height = strokes.size
    is_grey = all(len(set(colour)) == 1 for colour in (ink.ink, ink.paper, ink.accent))
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, width, height)
    pen = cairocffi.Context(surface)
    pen.set_source_rgb(*ink.paper)
    pen.paint()
    pen.set_source_rgb(*ink.ink)
    pen.set_line_width(ink.width)
    pen.set_line_cap(cairocffi.LINE_CAP_ROUND)
    pen.set_line_join(cairocffi.LINE_JOIN_ROUND)
    for a, b, dashed in strokes.lines:
        pen.set_dash(ink.dashes if dashed else ())
        pen.move_to(a.real, a.imag)
        pen.line_to(b.real, b.imag)
        pen.stroke()
    pen.set_dash(())
    for centre, radius in strokes.circles:
        pen.arc(centre.real, centre.imag, radius, 0, 2 * math.pi)
        pen.stroke()
    pen.set_source_rgb(*ink.accent)
    pen.set_line_width(max(0.7, ink.width * 0.7))
    for mark in strokes.marks:
        for first, *rest in mark_lines(mark, ink.mark):
            pen.move_to(first.real, first.imag)
            for place in rest:
                pen.line_to(place.real, place.imag)
            if mark.kind == "arrow":
                pen.fill_preserve()
            pen.stroke()
    pen.set_source_rgb(*ink.ink)
    for dot in strokes.dots:
        pen.arc(dot.real, dot.imag, ink.width * 0.8 + 1, 0, 2 * math.pi)
        pen.fill()
    slant = cairocffi.FONT_SLANT_ITALIC if lettering.italic else cairocffi.FONT_SLANT_NORMAL
    weight = cairocffi.FONT_WEIGHT_BOLD if lettering.bold else cairocffi.FONT_WEIGHT_NORMAL
    pen.set_font_size(lettering.size)
    for label in strokes.labels:
        pen.select_font_face(lettering.family_of_marks if label.of_mark else lettering.family, slant, weight)
        x, y, w, h, _, _ = pen.text_extents(label.text)
        pen.move_to(label.at.real - x - w / 2, label.at.imag - y - h / 2)
        pen.show_text(label.text)
    surface.flush()
    bgrx = numpy.frombuffer(surface.get_data(), numpy.uint8).reshape(height, surface.get_stride() // 4, 4)[:, :width]
    return Image.fromarray(bgrx[:, :, 0].copy() if is_grey else bgrx[:, :, 2::-1].copy())


def bytes_of(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = (round(255 * value) for value in colour)
    return red, green, blue


def encoded(image: Image.Image) -> bytes:
    """As PNG."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=3)
    return file.getvalue()
