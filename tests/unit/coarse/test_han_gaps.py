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


@pytest.mark.parametrize(
    ("lines", "texts"),
    [
        # Gaps among places without one are spaces, however the file writes them.
        *(
            (
                [line(f"以{drawn}A4{drawn}紙張{drawn}4{drawn}至", 0.28), line("為Times的14點與12點", 0.28)],
                ["以 A4 紙張 4 至", "為Times的14點與12點"],
            )
            for drawn in " ~_"
        ),
        # Gaps as wide as a letter of one width are spaces, and what is too narrow to be seen is none.
        ([line("在_Li~社区和_X~有Li", 0.6)], ["在 Li 社区和 X 有Li"]),
        ([line("每人 800 元", 0.05), line("每人~800~元與12元和3", 0.3)], ["每人800元", "每人 800 元與12元和3"]),
        # The file's own space stays in a gap wider than a typesetter's where other places have none.
        ([line("表_2", 0.28), line("2.3 情報", 0.6), line("第_3~章", 0.28)], ["表2", "2.3 情報", "第3章"]),
    ],
)
def test_typed_spaces_are_written(lines, texts):
    assert write_typed_spaces(lines)
    assert written(lines) == texts


@pytest.mark.parametrize(
    "lines",
    [
        [line("以_A4~紙張_4~至_10~頁_Word~的", 0.25)],
        # Another font's places without gaps say nothing where one font has gaps in all.
        [line("以_A4~紙張_4~至_10~頁", 0.25), line("群聊7和群聊1", 0.25, "Hei")],
        # Letters that are set apart are measured by their own gaps.
        [line("每_人_8_0_0_元_以_上_者", 0.2), line("每人8元", 0.2)],
        [line("表_2", 0.28), line("2.3 情報", 0.28), line("第_3~章", 0.28)],
    ],
)
def test_gaps_in_all_places_are_the_typesetters(lines):
    before = written(lines)
    assert not write_typed_spaces(lines)
    assert written(lines) == before and " " not in "".join(before[:1])
