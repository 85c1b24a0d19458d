"""Plane geometry as text: the segments and circles of a figure, and its named points, as the released model writes them.

Known is what the released program reads of an answer: a Python literal, whose lines are points joined by " -- ", of which it
takes the first and the last, each with a type (it asks for "--"), and names and centres before ": ", y upwards. From the paper
and the program of Slow Perception come the frame, -10..10 with two decimals; the perception ruler, by which a line longer than 4
has points to gaze at on its way, each moved by chance; and that segments of one line are joined and their ends sorted.

Chosen here: "-" is a solid line and "--" a dashed one, as in that program; lines go from left to right, points by name; a centre
without a name has "" before ": "; without a circle there is no `Circle`; 20 units are the image's longer side, so that both axes
have one unit.
"""

import ast
import itertools
import math
import random
import re
from dataclasses import dataclass, field

_TOUCH = 1e-6  # of a line's length
_RULER, _JITTER = 4.0, 0.1  # the length of the perception ruler; of a line's length: how far a point to gaze at may lie aside
SOLID, DASHED = "-", "--"
_POINT = re.compile(r"\(\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)\s*\)")


@dataclass(frozen=True)
class Segment:
    """From `a` to `b`, as complex numbers."""

    a: complex
    b: complex
    dashed: bool = False


@dataclass(frozen=True)
class Circle:
    """`name` is that of its centre, "" where it has none."""

    centre: complex
    radius: float
    name: str = ""


@dataclass
class Plane:
    """What a label holds: segments, circles, and points by name, in one frame, y upwards."""

    segments: list[Segment] = field(default_factory=list)
    circles: list[Circle] = field(default_factory=list)
    points: dict[str, complex] = field(default_factory=dict)

    def box(self) -> tuple[complex, complex]:
        """The lower left and the upper right corner of what is drawn. Raises `ValueError` of nothing."""
        corners = [end for segment in self.segments for end in (segment.a, segment.b)]
        for circle in self.circles:
            reach = circle.radius * (1 + 1j)
            corners += [circle.centre - reach, circle.centre + reach]
        xs, ys = [c.real for c in corners], [c.imag for c in corners]
        return complex(min(xs), min(ys)), complex(max(xs), max(ys))

    def moved(self, scale: float, to: complex) -> "Plane":
        """Scaled by `scale`, its box's middle at `to`."""
        low, high = self.box()
        middle = (low + high) / 2

        def place(point: complex) -> complex:
            return (point - middle) * scale + to

        return Plane(
            [Segment(place(s.a), place(s.b), s.dashed) for s in self.segments],
            [Circle(place(c.centre), c.radius * scale, c.name) for c in self.circles],
            {name: place(point) for name, point in self.points.items()},
        )


def joined(segments: list[Segment]) -> list[Segment]:
    """Segments of one kind that lie on one line and touch or overlap are one; the ends of each are in order, by x, then y."""
    rest = [_ordered(segment) for segment in segments if abs(segment.b - segment.a) > 0]
    done: list[Segment] = []
    while rest:
        segment = rest.pop()
        for at, other in enumerate(rest):
            if (union := _union(segment, other)) is not None:
                rest[at] = union
                break
        else:
            done.append(segment)
    return sorted(done, key=lambda s: (s.a.real, s.a.imag, s.b.real, s.b.imag))


def _ordered(segment: Segment) -> Segment:
    a, b = sorted((segment.a, segment.b), key=lambda end: (round(end.real, 6), end.imag))
    return Segment(a, b, segment.dashed)


def _union(one: Segment, other: Segment) -> Segment | None:
    """Both as one, None if they don't lie on one line, don't touch, or differ in kind."""
    along = one.b - one.a
    length = abs(along)
    places = [(end - one.a) / along for end in (other.a, other.b)]
    off = max(abs(place.imag) for place in places)
    if one.dashed != other.dashed or off > 1e-4 or off * length > 1e-4 * max(length, abs(other.b - other.a)):
        return None
    low, high = sorted(place.real for place in places)
    if low > 1 + _TOUCH or high < -_TOUCH:
        return None
    ends = sorted((one.a, one.b, other.a, other.b), key=lambda end: ((end - one.a) / along).real)
    return _ordered(Segment(ends[0], ends[-1], one.dashed))


def text_of(plane: Plane, source: random.Random) -> str:
    """The label of a figure in the frame -10..10. Each point to gaze at is moved along both axes by one chance of up to a tenth
    of its line's length, as Slow Perception moves it."""
    segments = sorted(joined(plane.segments), key=lambda s: (*_rounded(s.a), *_rounded(s.b)))
    names = {name: point for name, point in sorted(plane.points.items()) if _is_of_a_line(name, plane)}
    parsed: dict[str, dict[str, list]] = {
        "Line": {
            "line": [" -- ".join(map(_written, _gazed(s, source))) for s in segments],
            "line_type": [DASHED if s.dashed else SOLID for s in segments],
            "line_endpoint": [f"{name}: {_written(point)}" for name, point in names.items()],
        }
    }
    if plane.circles:
        circles = sorted(plane.circles, key=lambda c: (*_rounded(c.centre), c.radius))
        parsed["Circle"] = {
            "circle_center": [f"{c.name}: {_written(c.centre)}" for c in circles],
            "radius": [_number(c.radius) for c in circles],
        }
    return str(parsed)


def _is_of_a_line(name: str, plane: Plane) -> bool:
    """Whether the point belongs into the list of lines' points: all but centres at which no line ends."""
    point = plane.points[name]
    is_end = any(min(abs(point - s.a), abs(point - s.b)) < 1e-6 for s in plane.segments)
    return is_end or all(circle.name != name for circle in plane.circles)


def _gazed(segment: Segment, source: random.Random) -> list[complex]:
    length = abs(segment.b - segment.a)
    points = [segment.a]
    if length > _RULER:
        unit = (segment.b - segment.a) / length
        for number in range(1, math.ceil(length / _RULER)):
            points.append(segment.a + number * _RULER * unit + source.uniform(-1, 1) * _JITTER * length * (1 + 1j))
    return [*points, segment.b]


def _number(value: float) -> float:
    return round(value, 2) + 0.0  # no -0.0


def _rounded(point: complex) -> tuple[float, float]:
    return _number(point.real), _number(point.imag)


def _written(point: complex) -> str:
    return f"({_number(point.real)},{_number(point.imag)})"


def read(text: str) -> Plane:
    """The figure that a label says, points to gaze at left out. Raises `ValueError` if it isn't one."""
    try:
        parsed = ast.literal_eval(text)
        lines = parsed["Line"]
        plane = Plane()
        for line, kind in itertools.zip_longest(lines["line"], lines["line_type"]):
            first, *_, last = map(_point, line.split(" -- "))
            plane.segments.append(Segment(first, last, kind == DASHED))
        plane.points = {name: _point(place) for name, place in (end.rsplit(": ", 1) for end in lines["line_endpoint"])}
        circles = parsed.get("Circle", {"circle_center": [], "radius": []})
        for centre, radius in zip(circles["circle_center"], circles["radius"], strict=True):
            name, place = centre.rsplit(": ", 1)
            plane.circles.append(Circle(_point(place), float(radius), name))
    except (ValueError, TypeError, KeyError, SyntaxError, AttributeError, MemoryError, RecursionError) as error:
        raise ValueError(f"{text[:80]!r} is no label of plane geometry: {error}") from None
    return plane


def _point(text: str) -> complex:
    match = _POINT.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is no point")
    return complex(float(match[1]), float(match[2]))
