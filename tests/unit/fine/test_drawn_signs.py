"""Lists whose signs are drawings."""

from types import SimpleNamespace

from datagen.fine.drawn_signs import divided_at_drawn_signs, mark_drawn_signs
from datagen.fine.region_labels import Part
from datagen.page.paragraphs import Paragraph

PIECES = tuple(SimpleNamespace(bbox=(40.0, 20.0 * n, 300.0, 20.0 * n + 12), size=10.0) for n in range(4))
SIGN = (30.0, 4.0, 34.0, 8.0)


def divided(*signs):
    layout = SimpleNamespace(drawings=list(signs), pictures=[])
    return list(divided_at_drawn_signs([Paragraph(PIECES, (True, False, True), "list", continues=True)], layout))


def test_a_paragraph_ends_where_another_sign_stands():
    (first, second) = divided(SIGN, (30.0, 44.0, 34.0, 48.0))
    assert (first.pieces, first.soft, first.continues) == (PIECES[:2], (True,), False)
    assert (second.pieces, second.soft, second.label, second.continues) == (PIECES[2:], (True,), "list", True)


def test_two_dots_of_one_size_below_each_other_are_the_signs_of_items_and_two_other_drawings_are_none():
    for height, is_item in ((4.0, True), (7.0, False)):
        signs = [(30.0, 20.0 * n + 3, 34.0, 20.0 * n + 3 + height) for n in (0, 2)]
        parts = [Part(Paragraph((piece,)), None) for piece in PIECES]
        mark_drawn_signs(parts, SimpleNamespace(drawings=signs, pictures=[]))
        assert [part.has_drawn_sign for part in parts] == [is_item, False, is_item, False]
