"""Where paragraphs end though no gap and no short line says so: bold letters end or begin, or an item's number follows."""

import itertools

import pytest

from datagen.page.line_pieces import Piece
from datagen.page.paragraphs import paragraphs

EM, PITCH, LEFT, RIGHT = 10.0, 13.0, 50.0, 300.0


def row(text: str, n: float = 0, x0: float = LEFT, x1: float = RIGHT, font: str = "Face", bold: float = 0.0) -> Piece:
    """A line `n` pitches below the first."""
    y = 100 + n * PITCH
    return Piece((x0, y, x1, y + EM), text, font, EM, baseline=y + 8, bold_share=bold)


def texts(pieces: list[Piece]) -> list[list[str]]:
    """The texts of the paragraphs of a column."""
    return [[piece.text for piece in paragraph.pieces] for paragraph in paragraphs([pieces], rtl=False)]


def lines_of(*lines: tuple[str, float] | str) -> list[list[str]]:
    """The texts of the paragraphs of a column whose lines are all full, given with the share of each that is bold."""
    rows = [(line, 0.0) if isinstance(line, str) else line for line in lines]
    return texts([row(text, n, bold=share) for n, (text, share) in enumerate(rows)])


HEAD = "The Width Between the Quartiles of a Sample, and Half of It"
TEXT = [
    "The width between the quartiles is what the middle half of",
    "the sample lies in, as it is told by the next formula here",
]


@pytest.mark.parametrize(
    "items",
    [
        # A number needs no space behind it in scripts that have few.
        ["8.) ให้แหล่งที่มาของข้อความ", "9.)ไม่กระทำการรบกวนผู้อื่น", "10.)ดูแลและแก้ไข"],
        ["（一）明知单位和个人涉嫌非法集资，仍为其办理手续的；", "（十二）明知所主管的单位有涉嫌非法集资行为的；"],
        # Circled and Chinese numbers, and marks of remarks.
        *(
            [f"{sign}これは全ての行が右端まで届いている項目です。" for sign in signs]
            for signs in ("①②③", "※※※", ("（一）", "（二）", "（三）"), ("1.", "2.", "3.2025年"))
        ),
    ],
)
def test_items_numbers_and_marks_begin_paragraphs_below_an_ended_line(items):
    assert lines_of(*items) == [[text] for text in items]


def test_a_last_line_of_a_latin_word_ends_a_paragraph_that_is_read_from_the_right():
    hebrew = "בשלב זה בנינו את השלד של התוכנה ואת כל החלקים"
    last = row(". WPF", 2, RIGHT - 30)
    blocks = [[row(hebrew)], [row(hebrew, 1)], [last], [row(hebrew, 3)], [row(hebrew, 4)]]
    assert [len(paragraph.pieces) for paragraph in paragraphs(blocks, rtl=True)] == [3, 2]
    latin = row("WPF.", 2, x1=LEFT + 30)
    assert [len(paragraph.pieces) for paragraph in paragraphs([*blocks[:2], [latin]], rtl=True)] == [2, 1]


def test_entries_numbered_in_full_width_brackets_with_their_addresses_on_a_line_of_another_font():
    entries = [("（2）获取音量（单位：分贝）：", 180.0, "SimSun"), ("http://blog.csdn.net/3840", 220.0, "Calibri")]
    entries += [("（3）How to add a button：", 150.0, "Calibri"), ("http://p.codekk.com/detail", 240.0, "Calibri")]
    entries += [("这些是本文的参考资料，其中有很多网址和其他的资料。", RIGHT, "SimSun")]
    made = texts([row(text, n, x1=x1, font=font) for n, (text, x1, font) in enumerate(entries)])
    assert made[:2] == [[text for text, _, _ in entries[:2]], [text for text, _, _ in entries[2:4]]]


def test_a_word_of_one_letter_within_a_sentence_is_no_bullet():
    lines = ["A. Alumno de pregrado, o de Ingenieria", "o Doctorado de la Escuela de Ingenieria"]
    lines.append("de la misma casa de estudios superiores")
    assert texts([row(text, n, LEFT + 2 * EM * (n > 0)) for n, text in enumerate(lines)]) == [lines]


def column(*lines: tuple[str, float, float]) -> list[list[str]]:
    """The texts of the paragraphs of a column, whose lines come with where they end and how far each is below the one above."""
    places = itertools.accumulate(pitch for _, _, pitch in lines)
    return texts([row(text, y / PITCH, x1=end) for (text, end, _), y in zip(lines, places, strict=True)])


def test_in_justified_text_a_sentence_that_ends_short_of_the_edge_ends_a_paragraph():
    body = [("words of a sentence that goes on in the next line of", RIGHT, PITCH)] * 5
    short = ("the text until it ends here, where no long word fits in.", RIGHT - 12, PITCH)
    after = ("Representatives of all members decide on such questions by", RIGHT, PITCH)
    assert list(map(len, column(*body, short, after, *body, short))) == [6, 7]
    ragged = [(text, end - 9 * (n % 3), pitch) for n, (text, end, pitch) in enumerate(body)]
    assert len(column(*ragged, short, after, *ragged, short)) == 1
    abbreviated = ("the text until it ends as the following list has them:", RIGHT - 12, PITCH)
    assert len(column(*body, abbreviated, after, *body, short)) == 1


@pytest.mark.parametrize("sign", "•☐")
def test_lines_that_begin_with_one_sign_of_items_are_items(sign):
    assert list(map(len, column(*((f"{sign} item {word}", 150.0, PITCH) for word in ("one", "two", "three"))))) == [1, 1, 1]
