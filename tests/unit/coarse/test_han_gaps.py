"""Spaces between Chinese and Latin: typed ones are kept, the typesetter's own gaps are none."""

from typing import Any

import pytest

from datagen.coarse.han_gaps import write_typed_spaces

EM = 10.0


def line(text: str, gap: float, font: str = "Song") -> dict[str, Any]:
    """A `rawdict` line. At `_` is a gap of so many em that the file draws no space in, at `~` one that MuPDF saw."""
    x, chars = 0.0, []
    for char in text:
        if char in " _~":
            if char != "_":
                chars.append({"c": " ", "bbox": (x, 0.0, x + gap * EM, EM), "synthetic": char == "~"})
            x += gap * EM
            continue
        width = EM if ord(char) > 0x2E80 else EM / 2
        chars.append({"c": char, "bbox": (x, 0.0, x + width, EM), "synthetic": False})
        x += width
    return {"dir": (1.0, 0.0), "wmode": 0, "spans": [{"size": EM, "font": font, "chars": chars}]}


def written(lines: list[dict[str, Any]]) -> list[str]:
    return ["".join(c["c"] for span in row["spans"] for c in span["chars"] if not c["synthetic"]) for row in lines]


@pytest.mark.parametrize("drawn", [" ", "~", "_"])
def test_gaps_among_places_without_one_are_spaces_however_the_file_writes_them(drawn: str):
    lines = [line(f"以{drawn}A4{drawn}紙張{drawn}4{drawn}至", 0.28), line("為Times的14點與12點", 0.28)]
    assert write_typed_spaces(lines)
    assert written(lines) == ["以 A4 紙張 4 至", "為Times的14點與12點"]


def test_gaps_in_all_places_are_the_typesetters():
    lines = [line("以_A4~紙張_4~至_10~頁_Word~的", 0.25)]
    assert not write_typed_spaces(lines)
    assert written(lines) == ["以A4紙張4至10頁Word的"]


def test_another_fonts_places_without_gaps_say_nothing_where_one_font_has_gaps_in_all():
    lines = [line("以_A4~紙張_4~至_10~頁", 0.25), line("群聊7和群聊1", 0.25, "Hei")]
    assert not write_typed_spaces(lines)


def test_gaps_as_wide_as_a_letter_of_one_width_are_spaces():
    lines = [line("在_Li~社区和_X~有Li", 0.6)]
    assert write_typed_spaces(lines)
    assert written(lines) == ["在 Li 社区和 X 有Li"]


def test_what_is_too_narrow_to_be_seen_is_no_space():
    lines = [line("每人 800 元", 0.05), line("每人~800~元與12元和3", 0.3)]
    assert write_typed_spaces(lines)
    assert written(lines) == ["每人800元", "每人 800 元與12元和3"]


def test_letters_that_are_set_apart_are_measured_by_their_own_gaps():
    stretched = line("每_人_8_0_0_元_以_上_者", 0.2)
    assert not write_typed_spaces([stretched, line("每人8元", 0.2)])


def test_the_files_own_space_in_a_gap_wider_than_a_typesetters_is_kept_where_other_places_have_none():
    lines = [line("表_2", 0.28), line("2.3 情報", 0.6), line("第_3~章", 0.28)]
    assert write_typed_spaces(lines)
    assert written(lines) == ["表2", "2.3 情報", "第3章"]
    assert not write_typed_spaces([line("表_2", 0.28), line("2.3 情報", 0.28), line("第_3~章", 0.28)])
