"""Accents that are glyphs of their own, drawn over letters."""

import pymupdf
import pytest

from datagen.coarse import drawn_rules
from datagen.drawing import typefaces
from tests.pipeline.page.test_right_to_left import texts

FACE = typefaces.files().get("DejaVuSans.ttf", "")
pytestmark = pytest.mark.skipif(not FACE, reason="no DejaVu Sans on this machine")


def line(*pieces: tuple[float, str], font: pymupdf.Font, size: float, rule: tuple = (), thick: float = 0.4) -> bytes:
    """A page with pieces of a line, each at its x, and a rule from point to point."""
    with pymupdf.open() as doc:
        sheet = doc.new_page(width=595, height=842)
        writer = pymupdf.TextWriter(sheet.rect)
        for x, text in pieces:
            writer.append((x, 100), text, font, size)
        writer.write_text(sheet)
        if rule:
            sheet.draw_line(*rule, width=thick)
        return doc.tobytes()


def page(before: str, accent: str, after: str, place: str) -> bytes:
    """A page with a line in which an accent is drawn over the first letter of `after`, at its end, behind or in front of it."""
    font = pymupdf.Font(fontfile=FACE)
    x = 72 + font.text_length(before, 20)
    own, wide = font.text_length(after[0], 20), font.text_length(accent, 20)
    shift = {"over": (own - wide) / 2, "behind": (own - wide) / 2, "end": own - 0.9 * wide, "front": 0.0}[place]
    pieces = [(72, before), (x + shift, accent), (x + (wide if place == "front" else 0), after)]
    if place == "behind":  # as TeX draws it in its old fonts
        pieces[1:] = [(x, after[0]), pieces[1], (x + own, after[1:])]
    return line(*(piece for piece in pieces if piece[1]), font=font, size=20)


@pytest.mark.parametrize(
    ("before", "accent", "after", "place", "word"),
    [
        ("J", "\u00a8", "org", "over", "J\u00f6rg"),
        ("na", "\u00a8", "\u0131ve", "over", "na\u00efve"),
        ("\u0432", "\u00b4", "\u043e\u0434\u0430", "over", "\u0432\u043e\u0301\u0434\u0430"),
        ("o", "\u00af", "dreden", "over", "o\u0111reden"),
        ("Descri", "\u00b8", "c\u00e3o", "behind", "Descri\u00e7\u00e3o"),
        ("", "\u00b8", "si", "behind", "\u015fi"),
        *(("l", accent, "eau", "front", f"l{accent}eau") for accent in "\u00b4~"),
    ],
)
def test_an_accent_over_a_letter_is_that_letters_and_one_in_front_of_it_stays(before, accent, after, place, word):
    assert texts(page(before, accent, after, place)) == [word]


@pytest.fixture
def of_tex(monkeypatch):
    """A font of the shape of TeX's, of which none is at hand."""
    monkeypatch.setattr(drawn_rules, "worth_a_look", lambda fonts: True)
    return pymupdf.Font("tiro")


@pytest.mark.parametrize(("thick", "up", "text"), [(0.4, 0.0, "fd_set"), (0.4, 6.0, "fd set"), (3.0, 0.0, "fd set")])
def test_a_short_rule_on_the_baseline_is_an_underscore(thick, up, text, of_tex):
    """As TeX draws it where its fonts have none: 0.06 em behind a letter, 0.3 em long."""
    x = 72 + of_tex.text_length("fd", 10)
    rule = (x + 0.6, 100 - up), (x + 3.6, 100 - up)
    assert texts(line((72, "fd"), (x + 3.6, "set"), font=of_tex, size=10, rule=rule, thick=thick)) == [text]


@pytest.mark.parametrize(("up", "text"), [(5.3, "me\u0111u"), (8.0, "medu"), (-1.0, "medu")])
def test_a_d_with_a_short_rule_through_its_stem_is_barred(up, text, of_tex):
    x = 72 + of_tex.text_length("med", 10)
    rule = (x - 3.2, 100 - up), (x - 0.2, 100 - up)
    assert texts(line((72, "med"), (x, "u"), font=of_tex, size=10, rule=rule)) == [text]
