"""Figures of problems about triangles and polygons, each a function that draws one by chance on an empty sketch."""

import cmath
import math
import random

from datagen.figures.geometry.sketch import Point, Sketch, angle, circumcentre, foot, incentre, meet, on, polar

Source = random.Random


def triangle(source: Source, widest: float = 80.0, least: float = 32.0) -> tuple[Point, Point, Point]:
    """A top and the two ends of a base that lies flat, angles in degrees of at least `least`, at the base of at most `widest`."""
    while True:
        left, right = source.uniform(least, widest), source.uniform(least, widest)
        if 180 - left - right >= least:
            break
    b, c = 0j, complex(10)
    return meet(b, polar(1, left), c, c + polar(1, 180 - right)), b, c


def altitudes(s: Sketch, source: Source) -> None:
    a, b, c = triangle(source, widest=source.choice((75, 75, 118)))
    s.polygon(a, b, c)
    feet: list[tuple[Point, Point]] = []
    for top, left, right in [(a, b, c), (b, c, a), (c, a, b)][: source.choice((1, 1, 2, 3))]:
        at = s.point(foot(top, left, right), "DEF"[len(feet)])
        feet.append((top, at))
        s.line(top, at, dashed=source.random() < 0.2)
        end = left if abs(at - left) < abs(at - right) else right
        if abs(at - left) + abs(at - right) > abs(left - right) + 1e-6:
            s.line(end, at, dashed=True)
        s.right(at, top, left if abs(at - left) > abs(at - right) else right)
    if len(feet) > 1:
        crossing = meet(*feet[0], *feet[1])
        if all(abs(crossing - top) + abs(crossing - at) < abs(top - at) + 1e-6 for top, at in feet):
            s.point(crossing, "H")


def medians(s: Sketch, source: Source) -> None:
    a, b, c = triangle(source)
    s.polygon(a, b, c)
    count = source.choice((1, 2, 3, 3))
    for number, (top, left, right) in enumerate([(a, b, c), (b, c, a), (c, a, b)][:count]):
        at = s.to(top, on(left, right, 0.5), "DEF"[number] if count > 1 else "M")
        if source.random() < 0.6:
            s.ticks(number + 1, (left, at), (at, right))
    if count > 1:
        s.point((a + b + c) / 3, "G")


def bisectors(s: Sketch, source: Source) -> None:
    a, b, c = triangle(source)
    s.polygon(a, b, c)
    centre = incentre(a, b, c)
    for number, (top, left, right) in enumerate([(a, b, c), (b, c, a), (c, a, b)][: source.choice((1, 2, 3))]):
        at = s.to(top, meet(top, centre, left, right), "DEF"[number])
        s.arc(top, left, at, number + 1)
        s.arc(top, at, right, number + 1)
        if number == 1:
            s.point(centre, "I")


def incircle(s: Sketch, source: Source) -> None:
    a, b, c = triangle(source)
    s.polygon(a, b, c)
    centre = incentre(a, b, c)
    radius = abs(centre - foot(centre, b, c))
    s.circle(centre, radius, source.choice("OI"))
    if source.random() < 0.7:
        for left, right in [(b, c), (c, a), (a, b)][: source.choice((1, 3))]:
            at = s.to(centre, foot(centre, left, right), dashed=source.random() < 0.3)
            if source.random() < 0.6:
                s.right(at, centre, left)
    elif source.random() < 0.5:
        for top in (a, b, c):
            s.line(top, centre)


def circumcircle(s: Sketch, source: Source) -> None:
    a, b, c = triangle(source, widest=70)
    s.polygon(a, b, c)
    centre = circumcentre(a, b, c)
    s.circle(centre, abs(a - centre))
    for top in (a, b, c)[: source.choice((0, 1, 2, 3))]:
        s.line(centre, top, dashed=source.random() < 0.3)
    if source.random() < 0.3:
        at = s.to(centre, foot(centre, b, c), "M")
        s.right(at, centre, c)


def midline(s: Sketch, source: Source) -> None:
    """A line parallel to the base, halfway or anywhere."""
    a, b, c = triangle(source)
    s.polygon(a, b, c)
    share = source.choice((0.5, source.uniform(0.3, 0.75)))
    d, e = s.point(on(a, b, share), "D"), s.point(on(a, c, share), "E")
    s.line(d, e)
    if share == 0.5 and source.random() < 0.6:
        s.ticks(1, (a, d), (d, b))
        s.ticks(2, (a, e), (e, c))
    if source.random() < 0.3:
        s.path(b, e)
    elif source.random() < 0.3:
        s.path(c, d)
        s.path(b, e)
        s.point(meet(c, d, b, e), "O")


def right_triangle(s: Sketch, source: Source) -> None:
    c, b = 0j, complex(source.uniform(6, 11))
    a = complex(0, source.uniform(4, 8))
    s.polygon(a, b, c) if source.random() < 0.5 else s.polygon(c, a, b)
    s.right(c, a, b)
    kind = source.randrange(4)
    if kind == 0:
        at = s.to(c, foot(c, a, b), "D")
        s.right(at, c, b)
    elif kind == 1:
        at = s.to(c, on(a, b, 0.5), "M")
        s.ticks(1, (a, at), (at, b))
    elif kind == 2:  # squares on the sides
        for p, q in ((c, a), (a, b), (b, c)):
            out = 1j * (q - p)
            s.path(p, p + out, q + out, q)
            s.points(p + out, q + out)
    else:
        s.arc(b, a, c, 1, source.choice(("30°", "α", "θ", "β", f"{round(angle(b, a, c))}°")))
        s.text(on(c, b, 0.5), source.choice(("b", "4", "12", "x")), -1j)


def isosceles(s: Sketch, source: Source) -> None:
    width, height = source.uniform(5, 10), source.uniform(5, 10)
    b, c, a = 0j, complex(width), complex(width / 2, width * math.sqrt(3) / 2 if source.random() < 0.3 else height)
    s.polygon(a, b, c)
    s.ticks(source.choice((1, 2)), (a, b), (a, c))
    kind = source.randrange(4)
    if kind == 0:
        d = s.to(a, complex(width / 2), "D")
        s.right(d, a, c)
    elif kind == 1:
        d = s.to(b, on(a, c, source.uniform(0.35, 0.7)), "D")
    elif kind == 2:
        d, e = s.point(on(b, c, 0.28), "D"), s.point(on(b, c, 0.72), "E")
        s.line(a, d)
        s.line(a, e)
    else:
        s.arc(b, a, c)
        s.arc(c, a, b)


def parallelogram(s: Sketch, source: Source) -> None:
    width, height = source.uniform(7, 11), source.uniform(4, 7)
    lean = source.choice((0.0, 0.0, source.uniform(1.5, 4)))
    if source.random() < 0.2:
        height, lean = width, 0.0
    b, c = 0j, complex(width)
    a, d = complex(lean, height), complex(width + lean, height)
    s.polygon(a, b, c, d)
    kind = source.randrange(6)
    if lean == 0 and source.random() < 0.6:
        s.right(b, a, c)
    if kind in (0, 1):
        s.line(a, c)
        if kind == 1:
            s.line(b, d)
            s.point((a + c) / 2, "O")
    elif kind == 2:
        e, f = s.point(on(a, d, source.uniform(0.3, 0.7)), "E"), s.point(on(b, c, source.uniform(0.3, 0.7)), "F")
        s.path(a, f) if source.random() < 0.5 else s.path(b, e)
        s.path(e, f)
    elif kind == 3:
        e = s.point(foot(a, b, c), "E")
        if abs(e - b) > 0.5:
            s.line(a, e)
            s.right(e, a, c)
        else:
            s.line(a, c)
    elif kind == 4:  # folded along a line from a corner
        e = s.point(on(c, d, source.uniform(0.3, 0.6)), "E")
        image = a + (e - a) ** 2 / abs(e - a) ** 2 * (d - a).conjugate()
        s.point(image, "F")
        s.path(a, e)
        s.path(a, image, e)
    else:
        middles = [on(p, q, 0.5) for p, q in ((a, b), (b, c), (c, d), (d, a))]
        s.polygon(*middles)


def trapezium(s: Sketch, source: Source) -> None:
    width, height = source.uniform(8, 12), source.uniform(4, 7)
    b, c = 0j, complex(width)
    left = source.choice((0.0, source.uniform(1, 3)))
    a, d = complex(left, height), complex(left + source.uniform(3, 5), height)
    s.polygon(a, b, c, d)
    kind = source.randrange(4)
    if kind == 0:
        s.line(s.point(on(a, b, 0.5), "E"), s.point(on(d, c, 0.5), "F"))
    elif kind == 1:
        s.line(a, c)
        s.line(b, d)
        s.point(meet(a, c, b, d), "O")
    elif kind == 2 and left:
        for top, letter in ((a, "E"), (d, "F")):
            at = s.to(top, foot(top, b, c), letter, dashed=source.random() < 0.5)
            s.right(at, top, c)
    else:
        apex = s.to(a, meet(b, a, c, d), "E", dashed=True)
        s.line(d, apex, dashed=True)


def quadrilateral(s: Sketch, source: Source) -> None:
    """A kite, or any convex one."""
    if source.random() < 0.4:
        half, up, down = source.uniform(2.5, 4), source.uniform(2, 4), source.uniform(4, 8)
        a, b, c, d = complex(0, up), complex(-half), complex(0, -down), complex(half)
        s.ticks(1, (a, b), (a, d))
        s.ticks(2, (c, b), (c, d))
    else:
        a, b, c, d = (polar(source.uniform(4, 6.5), base + source.uniform(-22, 22)) for base in (130, 215, 320, 45))
    s.polygon(a, b, c, d)
    if source.random() < 0.75:
        s.line(a, c)
        if source.random() < 0.7:
            s.line(b, d)
            s.point(meet(a, c, b, d), source.choice("OE"))


def regular(s: Sketch, source: Source) -> None:
    count = source.choice((5, 5, 6, 6, 8))
    turn = 90 if count % 2 else source.choice((0, 180 / count))
    corners = [polar(5, turn + 360 * number / count) for number in range(count)]
    s.polygon(*corners)
    kind = source.randrange(4)
    if kind == 0:
        s.circle(0j, 5)
    elif kind == 1:
        for other in range(2, count - 1):
            s.line(corners[0], corners[other])
    elif kind == 2 and count < 8:
        for number in range(count):
            s.line(corners[number], corners[(number + 2) % count])
    else:
        s.point(0j, "O")
        for corner in corners[: source.choice((2, count))]:
            s.line(0j, corner)


def similar(s: Sketch, source: Source) -> None:
    """Two triangles that share a corner, or stand side by side."""
    if source.random() < 0.6:
        a, b = 0j, complex(source.uniform(5, 8))
        o = complex(source.uniform(1.5, 5), -source.uniform(2.5, 4))
        share = -source.uniform(0.6, 1.5)
        c, d = o + (a - o) * share, o + (b - o) * share
        s.points(a, b)
        s.points(d, c) if source.random() < 0.5 else s.points(c, d)
        s.path(a, b)
        s.path(c, d)
        s.path(a, c)
        s.path(b, d)
        s.point(o, "O")
        return
    a, b, c = triangle(source)
    s.polygon(a, b, c)
    scale, place = source.uniform(0.5, 1), complex(13, 0)
    turned = cmath.rect(scale, source.choice((0.0, 0.0, math.radians(source.uniform(-20, 20)))))
    for letter, corner in zip("DEF", (a, b, c), strict=True):
        s.point(corner * turned + place, letter)
    others = [corner * turned + place for corner in (a, b, c)]
    s.path(*others, others[0])
    for (p, q), (u, v), count in zip(((a, b), (b, c)), ((others[0], others[1]), (others[1], others[2])), (1, 2), strict=True):
        if scale > 0.95:
            s.ticks(count, (p, q), (u, v))


def cevians(s: Sketch, source: Source) -> None:
    """Lines from corners to points on the sides, and what they meet in."""
    a, b, c = triangle(source)
    s.polygon(a, b, c)
    d, e = s.point(on(b, c, source.uniform(0.3, 0.7)), "D"), s.point(on(a, c, source.uniform(0.35, 0.65)), "E")
    s.line(a, d)
    s.line(b, e)
    f = s.point(meet(a, d, b, e), "F")
    if source.random() < 0.5:
        s.line(c, f)
    elif source.random() < 0.5:
        s.line(d, e)


TRIANGLES = (
    *(altitudes, medians, bisectors, incircle, circumcircle, midline, right_triangle, isosceles, parallelogram, parallelogram),
    *(trapezium, quadrilateral, regular, similar, cevians),
)
