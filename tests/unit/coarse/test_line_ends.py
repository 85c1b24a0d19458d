"""What a space at a line's end tells in writing that may be cut anywhere."""

from datagen.coarse.line_ends import mark
from datagen.page.line_pieces import Piece


def marked(*texts: str) -> list[str]:
    pieces = [Piece((0.0, 20.0 * i, 400.0, 20.0 * i + 10), text, "Sans", 10.0) for i, text in enumerate(texts)]
    mark(pieces)
    return [piece.text for piece in pieces]


def test_a_line_of_hangul_without_a_space_among_others_that_have_one_ends_within_a_word():
    assert marked("모든 인간은 ", "태어날 때 ", "부터 자유 ", "로우며 존", "abc ") == [
        "모든 인간은",
        "태어날 때",
        "부터 자유",
        "로우며 존\u2060",
        "abc ",
    ]
    assert marked("처리 ", "매칭", "정확하", "지 않은", "결과") == ["처리", "매칭", "정확하", "지 않은", "결과"]  # nothing tells


def test_a_space_that_few_lines_of_thai_end_with_was_typed():
    assert marked("บริษัท เว็ลธ์ ", "แมเนจเม้นท์", "ซิสเท็ม") == ["บริษัท เว็ลธ์\u2063", "แมเนจเม้นท์", "ซิสเท็ม"]
    assert marked("บริษัท ", "แมเนจ ", "ซิสเท็ม") == ["บริษัท", "แมเนจ", "ซิสเท็ม"]
    assert marked("ចប់។ ", "ការងារ", "ថ្មី") == ["ចប់។", "ការងារ", "ថ្មី"]
