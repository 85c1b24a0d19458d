"""A figure while it is constructed: its segments, circles and points, and the marks that a teacher adds.

Points are complex numbers, y upwards, in any unit. Marks are what a label doesn't hold: right angles, arcs, ticks, arrows, texts.
"""

import cmath
import itertools
import math
from dataclasses import dataclass, field
from typing import NamedTuple

from datagen.figures.geometry.plane import Segment

Point = complex


class Mark(NamedTuple):
    """`kind` is right, arc, tick, arrow, dot or text. `at` are its points: an angle's vertex and a point on each side; the
    ends of a segment; an arrow's tail and tip; a place. `number` is how many arcs or ticks. `towards`: where a text stands
    off its place."""

    kind: str
    at: tuple[Point, ...]
    number: int = 1
    text: str = ""
    towards: complex = 0j


class Wanted(NamedTuple):
    """A point that is to be named, `letter` if that is free."""

    at: Point
    letter: str


@dataclass
class Sketch:
    """Builds a figure; each method returns the point that it made, if one."""

    segments: list[Segment] = field(default_factory=list)
    circles: list[tuple[Point, float]] = field(default_factory=list)
    named: list[Wanted] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    def point(self, at: Point, letter: str = "") -> Point:
        if all(abs(other.at - at) > 1e-9 for other in self.named):
            self.named.append(Wanted(at, letter))
        return at

    def points(self, *at: Point) -> None:
        for one in at:
            self.point(one)

    def line(self, a: Point, b: Point, dashed: bool = False) -> None:
        self.segments.append(Segment(a, b, dashed))

    def to(self, start: Point, end: Point, letter: str = "", dashed: bool = False) -> Point:
        """A line to a point that is to be named."""
        self.line(start, end, dashed)
        return self.point(end, letter)

    def path(self, *corners: Point) -> None:
        for a, b in itertools.pairwise(corners):
            self.line(a, b)

    def polygon(self, *corners: Point) -> None:
        """A closed path, whose corners are named."""
        self.points(*corners)
        self.path(*corners, corners[0])

    def circle(self, centre: Point, radius: float, letter: str = "O", named: bool = True) -> None:
        self.circles.append((centre, radius))
        if named:
            self.point(centre, letter)
            self.marks.append(Mark("dot", (centre,)))

    def right(self, vertex: Point, a: Point, b: Point) -> None:
        self.marks.append(Mark("right", (vertex, a, b)))

    def arc(self, vertex: Point, a: Point, b: Point, count: int = 1, text: str = "") -> None:
        self.marks.append(Mark("arc", (vertex, a, b), count, text))

    def ticks(self, count: int, *pairs: tuple[Point, Point]) -> None:
        self.marks += [Mark("tick", pair, count) for pair in pairs]

    def arrow(self, tail: Point, tip: Point) -> None:
        self.marks.append(Mark("arrow", (tail, tip)))

    def text(self, at: Point, text: str, towards: complex = 0j) -> None:
        self.marks.append(Mark("text", (at,), 1, text, towards))


def foot(point: Point, a: Point, b: Point) -> Point:
    """Where the perpendicular from `point` meets the line through `a` and `b`."""
    along = (b - a) / abs(b - a)
    return a + along * ((point - a) * along.conjugate()).real


def meet(a: Point, b: Point, c: Point, d: Point) -> Point:
    """Where the line through `a` and `b` meets the one through `c` and `d`, which isn't parallel to it."""
    u, v = b - a, d - c
    return a + u * (((c - a).conjugate() * v).imag / (u.conjugate() * v).imag)


def on(a: Point, b: Point, share: float) -> Point:
    """The point that far from `a` to `b`."""
    return a + (b - a) * share


def circumcentre(a: Point, b: Point, c: Point) -> Point:
    turned = 1j * (b - a), 1j * (c - a)
    return meet(on(a, b, 0.5), on(a, b, 0.5) + turned[0], on(a, c, 0.5), on(a, c, 0.5) + turned[1])


def incentre(a: Point, b: Point, c: Point) -> Point:
    sides = abs(b - c), abs(c - a), abs(a - b)
    return (sides[0] * a + sides[1] * b + sides[2] * c) / sum(sides)


def polar(radius: float, degrees: float) -> Point:
    return cmath.rect(radius, math.radians(degrees))


def angle(vertex: Point, a: Point, b: Point) -> float:
    """The angle at `vertex` between `a` and `b`, in degrees, 0 to 180."""
    return abs(math.degrees(cmath.phase((a - vertex) / (b - vertex))))


def crossings(centre: Point, radius: float, a: Point, b: Point) -> tuple[Point, Point]:
    """Where the line from `a` through `b`, which cuts the circle, enters and leaves it."""
    near, unit = foot(centre, a, b), (b - a) / abs(b - a)
    half = math.sqrt(max(0.0, radius**2 - abs(near - centre) ** 2))
    return near - half * unit, near + half * unit
