"""Lines found on an image, as paragraphs in reading order."""

import pytest

from datagen.page.line_regions import FoundLine, regions_of
from datagen.record import Box, Line

EM = 30  # a box is so high, and lines stand so far apart


def line(x0: int, y0: int, text: str, width: int = 0, score: float = 0.9) -> FoundLine:
    box = Box(x0, y0, x0 + (width or 14 * len(text)), y0 + EM)
    return FoundLine(box, (Line(box, text, score=score),))


def made(lines: list[FoundLine], script: str = "Cyrl", is_clear: bool = True):
    return regions_of(lines, script, "flywheel/round-1", "ppocr-detector", lambda box: is_clear)


PROSE = ["сегодня утром мы шли вдоль реки и гово-", "рили о том что было вчера и что ещё бу-", "дет потом когда придёт зима."]


def test_lines_become_a_paragraph_with_words_whole_and_a_wider_gap_ends_it():
    lines = [line(100, 100 + 36 * n, text, 550) for n, text in enumerate(PROSE[:2])]
    lines += [line(100, 172, PROSE[2], 400), line(100, 290, "Другой абзац.", 200, score=0.5)]
    first, second = made(lines)
    assert (
        first.text == "сегодня утром мы шли вдоль реки и говорили о том что было вчера и что ещё будет потом когда придёт зима."
    )
    assert (first.box, second.text) == (Box(100, 100, 650, 202), "Другой абзац.")
    assert [run.text for run in first.lines] == PROSE
    assert (first.by, first.detected_by, first.label) == ("flywheel/round-1", "ppocr-detector", "text")
    assert (first.score, second.score) == (pytest.approx(0.9), 0.5)


def test_a_right_to_left_page_has_its_right_column_first():
    right = [line(560, 100 + 36 * n, f"السطر رقم {n} من العمود الأول هنا", 400) for n in range(8)]
    left = [line(100, 100 + 36 * n, f"السطر رقم {n} من العمود الثاني هنا", 400) for n in range(8)]
    text = " ".join(region.text for region in made([*left, *right], "Arab"))
    assert text.index("الأول") < text.index("الثاني")


def test_a_line_that_was_found_in_two_is_one_again_unless_something_is_drawn_between():
    lines = [line(100, 100, "•", 20), line(150, 100, "один пункт списка", 300)]
    (item,) = made(lines)
    assert (item.text, item.label, len(item.lines)) == ("• один пункт списка", "list", 2)
    assert item.box == Box(100, 100, 450, 130)
    assert len(made(lines, is_clear=False)) == 2
