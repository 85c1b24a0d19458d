"""Brackets of right-to-left lines, told by what they stand close to."""

import pytest

from datagen.page.brackets import as_they_look
from datagen.writing.bidi import logical_order, mirror

WORD, OTHER, THIRD = "םלוע", "םולש", "ישילש"  # as they stand from left to right


def look(*lines: str, fonts: dict[str, str] | None = None, opens=lambda x0, x1: 0) -> list[str]:
    """The lines as they look; `fonts` are those of each character's place by the line's text; `opens` is the image's word."""
    placed = []
    for line in lines:
        clusters = [(char, 10.0 * i, 10.0 * i + 9) for i, char in enumerate(line)]
        names = (fonts or {}).get(line, "A" * len(line))
        placed.append((clusters, {c[1:]: name for c, name in zip(clusters, names, strict=True)}, opens))
    return ["".join(cluster[0] for cluster in line) for line in as_they_look(placed)]


def test_a_bracket_opens_towards_what_it_stands_close_to():
    """The file says of each glyph the other bracket: what it was first used for."""
    assert look(f"{WORD} ){OTHER}( {THIRD}") == [f"{WORD} ({OTHER}) {THIRD}"]
    assert look(f"{WORD} ({OTHER}) {THIRD}") == [f"{WORD} ({OTHER}) {THIRD}"]


def test_a_lone_bracket_goes_by_its_own_place_whose_partner_is_on_the_next_line():
    assert look(f"{WORD} {OTHER}( {THIRD}") == [f"{WORD} {OTHER}) {THIRD}"]


def test_brackets_between_latin_letters_vote_apart():
    line = f"{WORD} ){OTHER}( {THIRD} use f (x) (MFA) b"
    assert look(line) == [f"{WORD} ({OTHER}) {THIRD} use f (x) (MFA) b"]


def test_each_font_votes_for_itself():
    first, second = f"{WORD} ){OTHER}( {THIRD}", f"{WORD} ({OTHER}) {THIRD}"
    fonts = {first: "A" * len(first), second: "B" * len(second)}
    assert look(first, second, fonts=fonts) == [f"{WORD} ({OTHER}) {THIRD}"] * 2


def test_a_bracket_without_a_plain_place_goes_with_the_others_of_its_font():
    assert look(f"{WORD} ){OTHER}( {THIRD}", f"{WORD})x{OTHER}") == [f"{WORD} ({OTHER}) {THIRD}", f"{WORD}(x{OTHER}"]


def test_names_between_which_a_comma_stands_on_the_left_are_read_from_the_right():
    visual = "וא bcrypt ,scrypt (V9) ,Argon2 םולש"
    read = "שלום Argon2, scrypt (V9), bcrypt או"
    assert "".join(mirror(visual[i]) if odd else visual[i] for i, odd in logical_order(visual, True)) == read
    plain = "bcrypt, scrypt םולש"
    assert "".join(plain[i] for i, _ in logical_order(plain, True)) == "שלום bcrypt, scrypt"


@pytest.mark.parametrize(
    ("visual", "read"),
    [
        ("םולש (SAMM) OWASP", "OWASP (SAMM) שלום"),
        ("(Token-Based) Token ססובמ", "מבוסס Token (Token-Based)"),
        ("םולש (דחא) password_hash()", "password_hash() (אחד) שלום"),
    ],
)
def test_brackets_typed_between_hebrew_letters_run_from_the_right(visual, read):
    assert "".join(mirror(visual[i]) if odd else visual[i] for i, odd in logical_order(visual, True)) == read


def test_a_run_of_latin_votes_apart_though_its_bracket_stands_beside_the_other_direction():
    line = f"{WORD}( O(1)-{OTHER} {THIRD}( {WORD}"
    start = line.index("O(1)")
    fonts = "".join("L" if start <= i < start + 4 else "A" for i in range(len(line)))
    assert look(line, fonts={line: fonts}) == [f"{WORD}) O(1)-{OTHER} {THIRD}) {WORD}"]


def test_the_image_goes_before_all_votes():
    """PowerPoint's two fonts of one name: one says of a glyph what the other one says of its pair."""
    line = f"ABC (DE( {OTHER}( {THIRD}( {WORD}"
    drawn = {10.0 * 4: 1, 10.0 * 7: -1}
    assert look(line, opens=lambda x0, x1: drawn.get(x0, 0)) == [f"ABC (DE) {OTHER}) {THIRD}) {WORD}"]
