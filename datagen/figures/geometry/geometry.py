"""A maker of plane geometry: figures of school problems, drawn by Cairo, with what `datagen.figures.geometry.plane` writes of
them.

A figure lies anywhere in its image, and its label is that of the figure in the middle: as in the paper, the place is left out.
"""

import cmath
import functools
import itertools
import math
import random
from dataclasses import dataclass, field
from typing import ClassVar

import cairocffi

from datagen.drawing import captions, typefaces
from datagen.figures.geometry import plane, strokes
from datagen.figures.geometry.circles import CIRCLES
from datagen.figures.geometry.plane import Circle, Plane, Segment
from datagen.figures.geometry.sketch import Mark, Sketch
from datagen.figures.geometry.strokes import Ink, Label, Lettering, Strokes
from datagen.figures.geometry.triangles import TRIANGLES
from datagen.record import Box, Region, SampleError
from datagen.work.draws import Drawing

_SIDES = 240, 960  # pixels of an image's longer side
_LEAST = 0.05  # of the figure's diagonal, between points that have a name, and of a segment
_TRIES = 30
_HARD = 16  # segments, from which on a figure is as difficult as any
# The letters that points have in schoolbooks, by script. In most languages they are Latin.
_LETTERS = (
    *(("Latn", "ABCDEFGHIJKLMNPQRSTUVW"),) * 24,
    *(("Latn", "PQRSTUVWXYZABCDEFGH"), ("Latn", "KLMNPQRSTABCDEFG"), ("Latn", "XYZWPQRSTUVABC"), ("Latn", "MNPQRSTABCDEFG")),
    *(("Latn", "DEFGHIJKLMNPQRST"), ("Latn", "abcdefghijkmnpq")),
    *(("Grek", "ΑΒΓΔΕΖΗΘΚΛΜΝΠΡΣ"), ("Grek", "ΑΒΓΔΕΖΗΘΚΛΜΝΠΡΣ"), ("Cyrl", "АБВГДЕЖЗИКЛМН"), ("Arab", "أبجدهوزحطكلمن")),
    *(("Arab", "سصعفقرشت"), ("Hebr", "אבגדהוזחטכלמ"), ("Thai", "กขคงจฉชซญฐถ"), ("Beng", "কখগঘঙচছজঝট"), ("Deva", "कखगघचछजझटठ")),
    *(("Jpan", "あいうえおかきくけこ"), ("Jpan", "アイウエオカキクケコ"), ("Kore", "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊ")),
    ("Armn", "ԱԲԳԴԵԶԷԸԹ"),
)
_EUROPEAN = ("Latn", "Grek", "Cyrl", "Zyyy")
_SUFFIXES = "'₁"  # of a figure's points, where it is the image of another
_OF_MARKS = f"{_SUFFIXES}αβγθφ°?0123456789abtxyO"
_FAMILIES = (
    *("DejaVu Sans", "DejaVu Serif", "FreeSerif", "FreeSans", "Noto Sans", "Noto Serif", "Liberation Serif", "Liberation Sans"),
)
_CAPTIONS = (
    *(
        ("Latn", text)
        for text in ("Fig. {}", "Figure {}", "({})", "Abb. {}", "Figura {}", "Hình {}", "Şekil {}", "Rys. {}", "{}.")
    ),
    *(
        ("Cyrl", "Рис. {}"),
        ("Cyrl", "Фигура {}"),
        ("Grek", "Σχήμα {}"),
        ("Arab", "الشكل {}"),
        ("Arab", "شکل {}"),
        ("Hebr", "איור {}"),
    ),
    *(("Hans", "图{}"), ("Hans", "第{}题图"), ("Hant", "圖 {}"), ("Jpan", "図{}"), ("Kore", "그림 {}"), ("Deva", "चित्र {}")),
    *(("Thai", "รูปที่ {}"), ("Beng", "চিত্র {}"), ("Taml", "படம் {}"), ("Geor", "ნახ. {}"), ("Armn", "Նկ. {}"), ("Khmr", "រូប {}")),
)


@dataclass
class Figure:
    """A figure before it is drawn: what its label holds, y upwards, the marks beside, and the points whose names are shown."""

    plane: Plane
    marks: list[Mark] = field(default_factory=list)
    script: str = "Zyyy"


@dataclass(frozen=True)
class Geometry:
    """Figures of school problems, in images whose longer side is within `_SIDES`."""

    version: ClassVar[int] = 2
    name: ClassVar[str] = "geometry"
    task: ClassVar[str] = "figure"

    def draw(self, random: random.Random) -> Drawing:
        figure = problem(random)
        longer = math.exp(random.uniform(*map(math.log, _SIDES)))
        ink, lettering = _look(random, figure.script, longer)
        size, scale, to = _placed(figure.plane, ink, lettering, longer, random)
        caption = captions.drawn(_CAPTIONS, random) if random.random() < 0.12 else None
        drawn = on_paper(figure, scale, to, size, ink, lettering.size)
        image = strokes.image(drawn, ink, lettering)
        if caption:
            image = captions.below(image, caption, round(lettering.size), strokes.bytes_of(ink.ink))
        unit = max(image.size) / 20
        centred = figure.plane.moved(scale / unit, 0j)
        low, high = figure.plane.moved(scale, to).box()
        text = plane.text_of(centred, random)
        edges = (math.floor(low.real), math.floor(size[1] - high.imag), math.ceil(high.real), math.ceil(size[1] - low.imag))
        region = Region(Box(*edges), "geometry", text, None, self.name, format="geometry")
        return Drawing(
            strokes.encoded(image),
            image.size,
            text,
            (region,),
            script=figure.script,
            difficulty=min(1.0, (len(plane.joined(figure.plane.segments)) + len(figure.plane.circles)) / _HARD),
        )

    def engines(self) -> dict[str, str]:
        """What decides how a figure comes out: Cairo and the typefaces. Raises `ValueError`, with what to install, if the machine
        has none for Latin and Greek letters."""
        if not _letterings("Latn"):
            raise ValueError(typefaces.what_to_install(f"ABC{_OF_MARKS}", "en"))
        chosen = {typefaces.installed()[name][0] for script, _ in _LETTERS for name in _letterings(script)}
        return {
            "cairo": cairocffi.cairo_version_string(),
            "faces": typefaces.digest(chosen | captions.faces(_CAPTIONS)),
        }


def _placed(
    shape: Plane, ink: Ink, lettering: Lettering, longer: float, random: random.Random
) -> tuple[tuple[int, int], float, complex]:
    """The image's size, about `longer` pixels, how many of them the figure's unit is, and where its middle goes, y upwards."""
    low, high = shape.box()
    extents = (high - low).real, (high - low).imag
    room = 2 * (lettering.size * 1.3 + ink.width)  # for names around the figure
    scale = max(0.3 * longer, longer * random.uniform(0.5, 0.95) - room) / max(extents)
    sides, shifts = [], []
    for extent in extents:
        least = extent * scale + room
        side = round(max(least, longer * random.choice((1, random.uniform(0.5, 1)))))
        shifts.append(random.uniform(-0.5, 0.5) * (side - least) if random.random() < 0.7 else 0.0)
        sides.append(side)
    return (sides[0], sides[1]), scale, complex(sides[0] / 2 + shifts[0], sides[1] / 2 + shifts[1])


def problem(random: random.Random) -> Figure:
    """A figure of a problem, with its names. Raises `SampleError` if chance gives none whose points are apart."""
    kinds = TRIANGLES if random.random() < 0.55 else CIRCLES
    construct = random.choice(kinds)
    for _ in range(_TRIES):
        sketch = Sketch()
        construct(sketch, random)
        if _is_clear(sketch):
            return _named(_turned(sketch, construct.__name__, random), random)
    raise SampleError("degenerate_figure", construct.__name__)


def _is_clear(sketch: Sketch) -> bool:
    """Whether the points and the ends of each segment are far enough apart to be told apart."""
    shape = Plane(sketch.segments, [Circle(*circle) for circle in sketch.circles])
    low, high = shape.box()
    least = _LEAST * abs(high - low)
    points = [wanted.at for wanted in sketch.named]
    apart = all(abs(a - b) > least for at, a in enumerate(points) for b in points[at + 1 :])
    return apart and all(abs(s.b - s.a) > least for s in sketch.segments)


def _turned(sketch: Sketch, kind: str, random: random.Random) -> Sketch:
    """The sketch turned, and mirrored, by chance; what stands upright by custom stays."""
    if kind in ("axes", "solids"):
        return sketch
    mirrored = random.random() < 0.5
    turn = cmath.rect(1, math.radians(random.choice((0.0, 0.0, 0.0, random.uniform(-30, 30), random.uniform(0, 360)))))

    def place(at: complex) -> complex:
        return (complex(-at.real, at.imag) if mirrored else at) * turn

    return Sketch(
        [Segment(place(s.a), place(s.b), s.dashed) for s in sketch.segments],
        [(place(centre), radius) for centre, radius in sketch.circles],
        [wanted._replace(at=place(wanted.at)) for wanted in sketch.named],
        [mark._replace(at=tuple(map(place, mark.at)), towards=place(mark.towards)) for mark in sketch.marks],
    )


def _named(sketch: Sketch, random: random.Random) -> Figure:
    """The sketch with letters at its points; some figures have none, or primes and numbers behind them."""
    script, alphabet = random.choice(_LETTERS)
    shape = Plane(list(sketch.segments))
    has_names = random.random() < 0.93 and bool(_letterings(script))
    free = iter(alphabet)
    taken: set[str] = set()
    suffix = random.choices(("", *_SUFFIXES), (95, 3, 2))[0] if script in _EUROPEAN else ""
    for wanted in sketch.named if has_names else ():
        letter = wanted.letter if script == "Latn" and alphabet[0] == "A" else ""
        if not letter or letter in taken:
            letter = next((one for one in free if one not in taken), "")
        if letter:
            taken.add(letter)
            shape.points[letter + suffix] = wanted.at
    names = {point: name for name, point in shape.points.items()}
    shape.circles = [Circle(centre, radius, names.get(centre, "")) for centre, radius in sketch.circles]
    return Figure(shape, sketch.marks, script if taken else "Zyyy")


def on_paper(figure: Figure, scale: float, to: complex, size: tuple[int, int], ink: Ink, letter: float) -> Strokes:
    """The figure as strokes in pixels, `scale` of them a unit, its middle at `to`, y upwards in that. A mark's text that would
    lie over another text is left out."""
    shape = figure.plane
    low, high = shape.box()
    middle = (low + high) / 2

    def place(at: complex) -> complex:
        moved = (at - middle) * scale + to
        return complex(moved.real, size[1] - moved.imag)

    drawn = Strokes(size)
    drawn.lines = [(place(s.a), place(s.b), s.dashed) for s in plane.joined(shape.segments)]
    drawn.circles = [(place(c.centre), c.radius * scale) for c in shape.circles]
    for mark in figure.marks:
        moved = mark._replace(at=tuple(map(place, mark.at)), towards=mark.towards.conjugate())
        if mark.kind == "dot":
            drawn.dots.append(moved.at[0])
        else:
            drawn.marks.append(moved)
    for name, point in shape.points.items():
        at = place(point)
        drawn.labels.append(Label(at + _off(at, drawn) * (letter * 0.8 + ink.width), name))
        if ink.dots:
            drawn.dots.append(at)
    for mark in drawn.marks:
        label = strokes.label_of(mark, ink.mark, letter)
        if label is not None and not any(strokes.overlap(label, other, letter) for other in drawn.labels):
            drawn.labels.append(label)
    return drawn


def plain_picture(text: str, side: int) -> bytes:
    """A PNG, `side` pixels square, of the figure that a label says, with dots and names at its points. Raises `ValueError` if it
    is no label, or of nothing."""
    shape = plane.read(text)
    low, high = shape.box()
    scale = 0.8 * side / max((high - low).real, (high - low).imag, 0.1)
    plain = Ink(1.2, (6, 4), (0, 0, 0), (1, 1, 1), (0, 0, 0), 10, True)
    latin = _letterings("Latn")[0]
    names = (_letterings(script) for script, letters in _LETTERS if any(name[0] in letters for name in shape.points))
    chosen = next((of[0] for of in names if of), latin)
    drawn = on_paper(Figure(shape), scale, complex(side / 2, side / 2), (side, side), plain, 15)
    return strokes.encoded(strokes.image(drawn, plain, Lettering(chosen, latin, 15)))


def _off(at: complex, drawn: Strokes) -> complex:
    """The direction from a point in which there is most room: the middle of the widest gap between the lines at it."""
    ways = []
    for a, b, _ in drawn.lines:
        along = b - a
        share = ((at - a) / along).real
        if abs(at - a - share * along) < 2 and -0.02 < share < 1.02:
            ways += [cmath.phase(end - at) for end in (a, b) if abs(end - at) > 3]
    for centre, radius in drawn.circles:
        if abs(abs(at - centre) - radius) < 2:
            outward = cmath.phase(at - centre)
            ways += [outward + math.pi / 2, outward - math.pi / 2, outward + math.pi]
    if not ways:
        return cmath.rect(1, math.pi / 4)
    turns = sorted(way % (2 * math.pi) for way in ways)
    gaps = [(after - before, before) for before, after in zip(turns, [*turns[1:], turns[0] + 2 * math.pi], strict=True)]
    gap, before = max(gaps)
    return cmath.rect(1, before + gap / 2)


_COLOURS = ((0.05, 0.1, 0.5), (0.45, 0.05, 0.05), (0.0, 0.3, 0.15), (0.2, 0.2, 0.6))


def _look(random: random.Random, script: str, longer: float) -> tuple[Ink, Lettering]:
    """How a figure looks whose image is about `longer` pixels long: most black on white, as large letters as books have."""
    width = max(0.8, longer / 400 * random.choice((random.uniform(0.5, 1.3), random.uniform(0.6, 2.6))))
    dash = width * random.uniform(2.5, 6) + 1
    grey = random.choice((0.0, 0.0, random.uniform(0, 0.35)))
    ink = random.choice(_COLOURS) if random.random() < 0.12 else (grey, grey, grey)
    tint = random.uniform(0.88, 1.0)
    paper = (1.0, 1.0, 1.0) if random.random() < 0.8 else (tint, tint, tint - random.choice((0.0, 0.06)))
    accent = random.choice(((0.75, 0.1, 0.1), (0.1, 0.3, 0.7))) if random.random() < 0.06 else ink
    size = max(12.0, longer * random.uniform(0.03, 0.055))
    is_european = script in _EUROPEAN
    chosen, of_marks = random.choice(_letterings(script) or _letterings("Latn")), random.choice(_letterings("Latn"))
    of_marks = chosen if is_european else of_marks
    lettering = Lettering(chosen, of_marks, size, is_european and random.random() < 0.5, random.random() < 0.15)
    dashes = dash, dash * random.uniform(0.5, 0.9)
    return Ink(width, dashes, ink, paper, accent, size * random.uniform(0.5, 0.8), random.random() < 0.2), lettering


@functools.cache
def _letterings(script: str) -> tuple[str, ...]:
    """Families of the machine's typefaces for the letters of a script; may be none."""
    letters = "".join(alphabet for of, alphabet in _LETTERS if of == script) or "ABC"
    letters += _OF_MARKS if script in _EUROPEAN else ""
    known = typefaces.installed()
    names = [name for name in _FAMILIES if name in known and not typefaces.missing(name, frozenset(letters))]
    if script not in _EUROPEAN or not names:
        names = list(itertools.islice(typefaces.ranked(letters), 2))  # others are for show
    return tuple(names)
