"""Lists whose signs are drawings."""

from types import SimpleNamespace

from datagen.fine.parts import Part
from datagen.fine.text_layer import mark_drawn_signs
from datagen.page.paragraphs import Paragraph

PIECES = tuple(SimpleNamespace(bbox=(40.0, 20.0 * n, 300.0, 20.0 * n + 12), size=10.0) for n in range(4))


def test_two_dots_of_one_size_below_each_other_are_the_signs_of_items_and_two_other_drawings_are_none():
    for height, is_item in ((4.0, True), (7.0, False)):
        signs = [(30.0, 20.0 * n + 3, 34.0, 20.0 * n + 3 + height) for n in (0, 2)]
        parts = [Part(Paragraph((piece,)), "text") for piece in PIECES]
        mark_drawn_signs(parts, SimpleNamespace(drawings=signs, pictures=[]))
        assert [part.has_drawn_sign for part in parts] == [is_item, False, is_item, False]
