"""Figures of problems about circles, lines, axes and solids, each a function that draws one by chance on an empty sketch."""

import cmath
import math
import random

from datagen.figures.geometry.sketch import Point, Sketch, crossings, foot, meet, on, polar

Source = random.Random
_ANGLES = ("α", "β", "γ", "θ", "φ", "x", "x°", "?")


def tangents(s: Sketch, source: Source) -> None:
    radius = source.uniform(3, 4.5)
    s.circle(0j, radius)
    p = s.point(polar(source.uniform(1.7, 2.5) * radius, source.choice((0, 180, source.uniform(0, 360)))), "P")
    spread = math.degrees(math.acos(radius / abs(p)))
    touching = [polar(radius, math.degrees(cmath.phase(p)) + way * spread) for way in (1, -1)][: source.choice((1, 2, 2))]
    for at in touching:
        s.to(p, at)
        s.line(0j, at)
        if source.random() < 0.7:
            s.right(at, 0j, p)
    s.line(0j, p, dashed=source.random() < 0.3)
    if len(touching) == 2 and source.random() < 0.4:
        s.line(touching[0], touching[1])
        s.point(foot(0j, *touching), "M")


def chords(s: Sketch, source: Source) -> None:
    radius = 5.0
    s.circle(0j, radius)
    kind = source.randrange(4)
    if kind == 0:  # a chord, and its distance from the centre
        half = source.uniform(28, 62)
        a, b = s.point(polar(radius, 270 - half)), s.point(polar(radius, 270 + half))
        s.line(a, b)
        m = s.point(foot(0j, a, b), "M")
        if source.random() < 0.5:
            s.line(0j, m)
        else:
            s.to(0j, -1j * radius, "D")
        s.line(0j, a)
        s.right(m, b, 0j)
    elif kind == 1:  # two that meet
        at = sorted(source.uniform(0, 1) for _ in range(4))
        a, b, c, d = (polar(radius, 90 * number + 75 * share) for number, share in enumerate(at))
        for one in (a, b, c, d):
            s.point(one)
        s.line(a, c)
        s.line(b, d)
        s.point(meet(a, c, b, d), source.choice("PE"))
        if source.random() < 0.4:
            s.line(a, b)
            s.line(c, d)
    elif kind == 2:  # two equal ones
        for turn in (source.uniform(110, 160), source.uniform(-70, -20)):
            a, b = s.point(polar(radius, turn)), s.point(polar(radius, turn + 85))
            s.line(a, b)
            s.ticks(1, (a, b))
            s.line(0j, foot(0j, a, b), dashed=source.random() < 0.4)
            s.point(foot(0j, a, b))
    else:  # secants from a point outside
        p = s.point(complex(-source.uniform(8, 10), source.uniform(-1, 1)), "P")
        for turn in (source.uniform(12, 20), -source.uniform(8, 18)):
            ends = crossings(0j, radius, p, p + polar(1, turn) * (-p / abs(p)))
            s.points(*ends)
            s.line(p, ends[1])


def inscribed(s: Sketch, source: Source) -> None:
    radius = 5.0
    kind = source.randrange(4)
    s.circle(0j, radius, named=kind != 3 or source.random() < 0.5)
    left, right = polar(radius, 180 + source.uniform(15, 50)), polar(radius, 360 - source.uniform(15, 50))
    top = polar(radius, source.uniform(55, 125))
    if kind == 0:  # on a diameter
        turn = cmath.rect(1, math.radians(source.choice((0, 0, source.uniform(-25, 25)))))
        left, right = -radius * turn, radius * turn
        s.polygon(left, right, top)
        if source.random() < 0.6:
            s.right(top, left, right)
        if source.random() < 0.4:
            s.line(0j, top)
    elif kind == 1:  # and the one at the centre
        s.points(top, left, right)
        s.path(left, top, right)
        s.path(left, 0j, right)
        s.arc(top, left, right, 1, source.choice(("", *_ANGLES)))
        s.arc(0j, left, right, 1, source.choice(("", *_ANGLES)))
    elif kind == 2:  # two on one arc
        other = polar(radius, source.uniform(15, 40))
        s.points(left, right, top, other)
        s.path(left, top, right, other, left)
        if source.random() < 0.5:
            s.line(left, right)
    else:  # four points of a circle
        corners = [polar(radius, base + source.uniform(-20, 20)) for base in (135, 225, 315, 45)]
        s.polygon(*corners)
        for one, other in ((0, 2), (1, 3))[: source.randrange(3)]:
            s.line(corners[one], corners[other])


def two_circles(s: Sketch, source: Source) -> None:
    one, other = source.uniform(3.5, 5), source.uniform(2.2, 3.6)
    kind = source.randrange(4)
    if kind == 0:  # which cut each other
        apart = complex(source.uniform(0.65, 0.85) * (one + other))
        s.circle(0j, one, "O")
        s.circle(apart, other, "P")
        x = (abs(apart) ** 2 + one**2 - other**2) / (2 * abs(apart))
        y = math.sqrt(one**2 - x**2)
        a, b = s.point(complex(x, y), "A"), s.point(complex(x, -y), "B")
        s.line(a, b)
        if source.random() < 0.6:
            s.line(0j, apart)
        if source.random() < 0.5:
            s.path(0j, a, apart)
    elif kind == 1:  # which touch, with a common tangent
        apart = complex(one + other)
        lifted = (one - other) / abs(apart)
        up = complex(lifted, math.sqrt(1 - lifted**2))
        s.circle(0j, one, "O")
        s.circle(apart, other, "P")
        a, b = s.point(one * up, "A"), s.point(apart + other * up, "B")
        s.line(a, b)
        s.line(0j, a)
        s.line(apart, b)
        s.line(0j, apart)
        s.point(complex(one), "C")
    elif kind == 2:  # one inside the other
        s.circle(0j, one, "O")
        s.circle(0j, one * source.uniform(0.45, 0.65), named=False)
        inner = s.circles[1][1]
        a = polar(inner, source.uniform(200, 340))
        ends = crossings(0j, one, a, a + 1j * a)
        s.points(*ends)
        s.line(*ends)
        s.to(0j, a, "C")
        s.line(0j, ends[0])
    else:  # through each other's centres
        s.circle(0j, one, "A")
        s.circle(complex(one), one, "B")
        top, low = (polar(one, 60 * way) for way in (1, -1))
        s.point(top, "C")
        s.polygon(0j, complex(one), top)
        if source.random() < 0.5:
            s.to(top, low, "D")


def parallels(s: Sketch, source: Source) -> None:
    """Parallel lines cut by another, with numbered angles."""
    count, gap = source.choice((2, 2, 2, 3)), source.uniform(3, 4.5)
    turn = source.uniform(48, 78)
    crossing = [complex(gap * number / math.tan(math.radians(turn)), gap * number) for number in range(count)]
    letters = iter("ABCDEF" if source.random() < 0.7 else "")
    for number, at in enumerate(crossing):
        left, right = complex(-5, at.imag), complex(crossing[-1].real + 5, at.imag)
        s.line(left, right)
        letter = next(letters, "")
        if letter:
            s.point(left, letter)
            s.point(right, next(letters))
        else:
            s.text(right, "abc"[number], complex(1))
        if source.random() < 0.4:
            s.arrow(left, on(left, right, 0.3))
    low, high = crossing[0] - polar(2.5, turn), crossing[-1] + polar(2.5, turn)
    s.line(low, high)
    s.point(high, "E") if letters else s.text(high, "t", 1j)
    ways = (0, turn, 180, 180 + turn)
    for number, at in enumerate(crossing[:2]):
        for which in source.sample(range(4), source.choice((1, 2, 4))):
            a, b = at + polar(1, ways[which]), at + polar(1, ways[(which + 1) % 4])
            s.arc(at, a, b, 1, str(4 * number + which + 1) if source.random() < 0.8 else source.choice(_ANGLES))


def lines_through(s: Sketch, source: Source) -> None:
    """Rays and lines through one point: angles beside and across each other, and their bisectors."""
    o = s.point(0j, "O")
    if source.random() < 0.5:
        turns = sorted(source.uniform(20, 70) + 90 * number for number in range(2))
        for turn in (0.0, *turns[: source.choice((1, 2))]):
            a, b = s.point(polar(6, turn)), s.point(polar(-5, turn))
            s.line(a, b)
        s.arc(o, polar(1, 0), polar(1, turns[0]), 1, source.choice(("1", "α", "40°", "")))
        s.arc(o, polar(-1, 0), polar(-1, turns[0]), 1, source.choice(("2", "β", "")))
        return
    wide = source.uniform(50, 140)
    a, b, c = s.point(polar(6, wide), "A"), s.point(polar(6, 0), "B"), s.point(polar(6, wide / 2), "C")
    for end in (a, b, c):
        s.line(o, end)
    s.arc(o, a, c, 1)
    s.arc(o, c, b, 1)
    if source.random() < 0.5:
        p = on(o, c, source.uniform(0.5, 0.75))
        s.point(p, "P")
        for end in (a, b):
            at = s.to(p, foot(p, o, end))
            s.right(at, p, o)


def between_parallels(s: Sketch, source: Source) -> None:
    """A bend between two parallels, or a triangle with a line through its top."""
    if source.random() < 0.5:
        a, b, c, d = 0j + 4j, complex(8, 4), 0j, complex(8)
        e = s.point(complex(source.uniform(4, 6.5), source.uniform(1.4, 2.6)), "E")
        s.points(a, b, c, d)
        s.line(a, b)
        s.line(c, d)
        s.path(on(a, b, source.uniform(0.05, 0.3)), e, on(c, d, source.uniform(0.05, 0.3)))
        s.arc(e, a, c, 1, source.choice(("", *_ANGLES)))
        return
    b, c = 0j, complex(8)
    a = complex(source.uniform(2, 6), source.uniform(4, 6))
    s.polygon(a, b, c)
    d, e = s.point(a - source.uniform(3, 5), "D"), s.point(a + source.uniform(3, 5), "E")
    s.line(d, e)
    s.arc(a, d, b, 1)
    s.arc(b, a, c, 1)
    s.arc(a, c, e, 2)
    s.arc(c, a, b, 2)


def axes(s: Sketch, source: Source) -> None:
    """Coordinate axes with ticks, and a triangle, a line or a circle on them."""
    reach = source.choice((4, 5, 6))
    left, low = source.choice((-reach, -1, -2)), source.choice((-reach, -1, -2))
    right, high = complex(reach + 0.8), complex(0, reach + 0.8)
    for tail, tip, name, way in ((complex(left - 0.6), right, "x", -1j), (complex(0, low - 0.6), high, "y", -1)):
        s.line(tail, tip)
        s.arrow(tail, tip)
        s.text(tip, name, complex(way))
    s.text(0j, source.choice("OO0"), complex(-1, -1))
    has_numbers = source.random() < 0.6
    for value in range(left, reach + 1) if source.random() < 0.7 else ():
        if value:
            s.ticks(1, (value - 1, value + 1))
            if has_numbers:
                s.text(complex(value), str(value), -1j)
    for value in range(low, reach + 1) if has_numbers else ():
        if value:
            s.ticks(1, ((value - 1) * 1j, (value + 1) * 1j))
            s.text(complex(0, value), str(value), complex(-1))

    def grid() -> Point:
        places = ([value for value in range(least, reach + 1) if value] for least in (left, low))
        return complex(*map(source.choice, places))

    kind = source.randrange(4)
    if kind == 0:
        s.polygon(grid(), grid(), grid())
    elif kind == 1:
        a, b = s.point(complex(reach * 0.7), "A"), s.point(complex(0, reach * source.uniform(0.4, 0.8)), "B")
        out = (a - b) * 0.25
        s.line(b - out, a + out)
    elif kind == 2:
        centre = complex(source.choice((0, 2)), source.choice((0, 2)))
        radius = source.uniform(1.5, 2.5)
        s.circle(centre, radius, "C", named=centre != 0)
        s.point(centre + polar(radius, source.uniform(20, 70)), "P")
    else:
        p = s.point(complex(reach * source.uniform(0.5, 0.9), reach * source.uniform(0.4, 0.9)), "P")
        s.line(p, complex(p.real), dashed=True)
        s.line(p, complex(0, p.imag), dashed=True)
        s.line(0j, p)
        s.point(complex(p.real), "A")


def solids(s: Sketch, source: Source) -> None:
    """Boxes, prisms and pyramids in oblique view, with hidden edges dashed."""
    kind = source.randrange(3)
    width, depth, height = source.uniform(5, 8), polar(source.uniform(2.5, 4), source.uniform(30, 50)), source.uniform(4, 7)
    if source.random() < 0.3:
        height = width
    front = 0j, complex(width), complex(width) + depth, depth
    if kind == 0:
        tops = [corner + 1j * height for corner in front]
        s.points(*front, *tops)
        s.path(*tops, tops[0])
        s.path(tops[0], front[0], front[1], front[2], tops[2])
        s.line(front[1], tops[1])
        for other in (front[0], front[2], tops[3]):
            s.line(front[3], other, dashed=True)
        if source.random() < 0.4:
            s.line(tops[0], front[1] if source.random() < 0.5 else tops[2])
    elif kind == 1:
        apex = (front[0] + front[2]) / 2 + 1j * height
        s.point(apex, "P")
        s.points(*front)
        s.path(front[0], front[1], front[2])
        for corner in front[:3]:
            s.line(apex, corner)
        for other in (front[0], front[2], apex):
            s.line(front[3], other, dashed=True)
        if source.random() < 0.5:
            s.line(front[0], front[2], dashed=True)
            s.line(front[1], front[3], dashed=True)
            s.to(apex, (front[0] + front[2]) / 2, "O", dashed=True)
    else:
        base = 0j, complex(width), complex(width * source.uniform(0.55, 0.75), 2.4)
        tops = [corner + 1j * height for corner in base]
        s.points(*base, *tops)
        s.path(*tops, tops[0])
        s.path(tops[0], base[0], base[1], tops[1])
        for other in (base[0], base[1], tops[2]):
            s.line(base[2], other, dashed=True)


CIRCLES = (tangents, chords, chords, inscribed, inscribed, two_circles, parallels, lines_through, between_parallels, axes, solids)
