"""The order of lines in scenes, by polygons that are laid out by hand. Names of lines say in which order they are read."""

import math
import random

import pytest

from datagen.record import Box, Line
from datagen.scene.line_order import blocks_in_order

EM = 20.0


def line(
    text: str,
    x: float,
    y: float,
    length: float,
    height: float = EM,
    slant: float = 0.0,
    direction: str = "ltr",
    around: tuple[float, float] = (0.0, 0.0),
) -> Line:
    """A line whose top left corner is at (x, y), then turned by `slant` degrees clockwise about a point."""
    wide, high = (height, length) if direction == "ttb" else (length, height)
    corners = [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)]
    turn = complex(math.cos(math.radians(slant)), math.sin(math.radians(slant)))
    turned = [(complex(*corner) - complex(*around)) * turn + complex(*around) for corner in corners]
    polygon = tuple((point.real, point.imag) for point in turned)
    xs, ys = zip(*polygon, strict=True)
    box = Box(math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys)))
    return Line(box, text, direction=direction, polygon=polygon)


def order(*lines: Line) -> str:
    """The texts in order, blocks parted by bars; the same, however the lines were shuffled, and however large the picture is."""
    results = set()
    for seed, factor in enumerate((1.0, 1.0, 0.6, 7.0)):
        shuffled = [scaled(one, factor) for one in lines]
        random.Random(seed).shuffle(shuffled)
        results.add(" | ".join(" ".join(one.text for one in block) for block in blocks_in_order(shuffled)))
    assert len(results) == 1, results
    return results.pop()


def scaled(one: Line, factor: float) -> Line:
    polygon = tuple((x * factor, y * factor) for x, y in one.polygon)
    x0, y0, x1, y1 = (round(value * factor) for value in one.box)
    return Line(Box(x0, y0, x1, y1), one.text, direction=one.direction, polygon=polygon)


def stack(names: str, x: float, y: float, length: float = 200, pitch: float = 1.4 * EM, **rest) -> list[Line]:
    return [line(name, x, y + n * pitch, length, **rest) for n, name in enumerate(names.split())]


@pytest.mark.parametrize("slant", [0, 12, -25, 45, 90, 180, 270])
def test_two_columns_are_read_one_after_the_other_however_the_picture_is_turned(slant):
    turned = {"slant": slant, "around": (200, 60)}
    title = line("t", 60, -70, 300, 1.9 * EM, **turned)
    columns = stack("a b c d", 0, 0, **turned) + stack("e f g h", 240, 3, **turned)
    assert order(title, *columns) == "t | a b c d | e f g h"


def test_a_narrow_gutter_through_three_rows_parts_columns_and_the_gap_of_a_row_doesnt():
    assert order(*stack("a b c", 0, 0, 100), *stack("d e f", 120, 0, 100)) == "a b c | d e f"
    assert order(*stack("a c", 0, 0, 100), *stack("b d", 120, 0, 100)) == "a b c d"
    uneven = [line(name, 0, 28 * n, length) for n, (name, length) in enumerate((("a", 100), ("b", 30), ("c", 60), ("d", 98)))]
    assert order(*uneven, *stack("e f g h", 122, 0, 100, pitch=28)) == "a b c d | e f g h"
    ragged = [line("a", 0, 0, 100), line("b", 110, 0, 90), line("c", 0, 28, 60), line("d", 70, 28, 130), line("e", 0, 56, 150)]
    assert order(*ragged, line("f", 160, 56, 40)) == "a b c d e f"


def test_words_of_a_row_that_rises_are_read_along_it_though_its_end_is_above_the_row_before():
    rows = [line(f"{row}{n}", 90 * n, 30 * row, 80, slant=-20) for row in range(3) for n in range(6)]
    assert order(*rows) == " ".join(f"{row}{n}" for row in range(3) for n in range(6))


def test_words_around_an_arc_are_one_row_from_its_left_end_and_the_text_below_follows():
    radius, words = 150, []
    for n, degrees in enumerate((-60, -30, 0, 30, 60)):
        words.append(line(f"{n}", -35, -radius, 70, slant=degrees))
    assert order(*words, line("below", -60, -40, 120)) in ("0 1 2 3 4 | below", "0 1 2 3 4 below")


def test_one_polygon_around_an_arc_is_a_line_and_the_next_one_follows_its_bend():
    def bent(text: str, radius: float) -> Line:
        angles = [math.radians(-150 + 20 * n) for n in range(7)]
        top = [(radius * math.cos(a), radius * math.sin(a)) for a in angles]
        bottom = [((radius - EM) * math.cos(a), (radius - EM) * math.sin(a)) for a in reversed(angles)]
        polygon = tuple(top + bottom)
        xs, ys = zip(*polygon, strict=True)
        return Line(Box(int(min(xs)), int(min(ys)), int(max(xs)), int(max(ys))), text, polygon=polygon)

    assert order(bent("b", 270), bent("a", 300), line("c", -80, -180, 160)) == "a b | c"


@pytest.mark.parametrize("slant", [0, 8, -15])
def test_columns_that_stand_are_read_from_the_right(slant):
    columns = [line(name, 100 - 30 * n, 0, 200, slant=slant, direction="ttb") for n, name in enumerate("春夏秋冬")]
    assert order(*columns) == "春 夏 秋 冬"


def test_mongolian_columns_are_read_from_the_left():
    columns = [line(name, 30 * n, 0, 200, direction="ttb") for n, name in enumerate(("ᠮᠣᠩ", "ᠭᠣᠯ", "ᠪᠢᠴ"))]
    assert order(*columns) == "ᠮᠣᠩ ᠭᠣᠯ ᠪᠢᠴ"


def test_signs_that_were_found_one_by_one_stand_where_those_below_are_nearer():
    def grid(step_x: float, step_y: float) -> list[Line]:
        return [
            line(sign, step_x * x, step_y * y, EM)
            for y, row in enumerate(("五一", "六二", "七三", "八四"))
            for x, sign in enumerate(row)
        ]

    assert order(*grid(50, 23)).replace(" |", "") == "一 二 三 四 五 六 七 八"
    assert order(*grid(23, 50)).replace(" |", "") == "五 一 六 二 七 三 八 四"


def test_lines_from_the_right_are_read_from_there_with_their_numbers_and_columns():
    words = [line("ב", 0, 0, 80, direction="rtl"), line("א", 90, 0, 80, direction="rtl"), line("ג", 100, 28, 70, direction="rtl")]
    assert order(*words, line("5", 70, 28, 20)) == "א ב ג 5"
    right = stack("א ב ג ד", 300, 0, direction="rtl")
    left = stack("ה ו ז ח", 0, 0, direction="rtl")
    assert order(*left, *right) == "א ב ג ד | ה ו ז ח"


def test_prices_are_read_with_what_they_are_the_price_of():
    dishes, prices = stack("soup rice tea", 0, 0, 120), stack("3.50 4.20 1", 400, 2, 50)
    assert order(*dishes, *prices) == "soup 3.50 rice 4.20 tea 1"
    days = stack("mo8:00–9:00 tu8:00–9:00 we8:00", 400, 2, 150)
    assert order(*dishes, *days) == "soup rice tea | mo8:00–9:00 tu8:00–9:00 we8:00"


def test_signs_of_different_size_or_far_from_each_other_are_blocks_of_their_own():
    large = line("OPEN", 0, 0, 300, 4 * EM)
    small = stack("mon fri", 10, 4.4 * EM, 200)
    far = stack("shop shoes", 700, 10, 150)
    assert order(large, *small, *far) in ("OPEN | mon fri | shop shoes", "OPEN | shop shoes | mon fri")


def test_a_heading_above_two_columns_is_no_part_of_the_nearer_one():
    assert order(line("t", 0, -33, 260, 1.3 * EM), *stack("a b", 0, 8, 100), *stack("c d", 150, 0, 100)) == "t | a b | c d"


def test_lines_that_have_no_extent_or_lie_on_each_other_are_all_there():
    lines = [
        Line(Box(5, 5, 5, 5), "a", polygon=((5, 5),) * 4),
        *(line("b", 0, 0, 50) for _ in range(3)),
        line("c", 0, 0, 1e-7, 1e-7),
    ]
    assert sorted(one.text for block in blocks_in_order(lines) for one in block) == ["a", "b", "b", "b", "c"]
