"""The order of a page's regions by a layout that knows one, and of pages that are looked at together."""

from dataclasses import dataclass, replace
from typing import Any

from datagen.engines import Choice
from datagen.fine.annotate_image import AnnotateImage
from datagen.record import Box, Quality
from tests.unit.fine.test_annotate_image import Engine, Told, page, seen


class Ordered(Engine):
    """A layout that knows the order of its regions."""

    is_ordered = True

    def regions(self, images, lines):
        return [tuple(self.told.layout) for _ in images]


@dataclass
class InOrder(Told):
    """The same, with such a layout."""

    def get(self, name: str, **settings: Any) -> Engine:
        return Ordered(self, name) if name == "pp-doclayout" else Engine(self, name)


def test_a_layout_s_own_order_holds_and_what_it_did_not_see_stands_where_it_lies():
    told = InOrder(
        lines=[
            (Box(100, 100, 400, 130), "read second", 0.95),
            (Box(600, 100, 900, 130), "read first", 0.95),
            (Box(100, 900, 400, 930), "not seen", 0.95),
        ],
        layout=[
            seen("text", 600, 90, 900, 140, by="pp-doclayout"),
            seen("text", 100, 90, 400, 140, by="pp-doclayout"),
        ],
    )
    stage = AnnotateImage(layout=Choice("pp-doclayout"), equations=None, orientation=None)
    (result,) = stage([page(told)], told)
    assert [region.text for region in result.regions] == ["read first", "read second", "not seen"]
    (geometric,) = replace(stage, layout=Choice("pymupdf-layout"))([page(told)], told)
    assert [region.text for region in geometric.regions] == ["read second", "read first", "not seen"]


def test_pages_are_looked_at_together_and_come_back_in_their_order():
    told = InOrder(lines=[(Box(100, 100, 400, 130), "a line", 0.95)], layout=[seen("text", 90, 90, 400, 140, by="pp-doclayout")])
    stage = AnnotateImage(layout=Choice("pp-doclayout"), equations=None, orientation=None, batch_size=4)
    trusted = page(told, key="b", text="known", quality=Quality("trusted"))
    batch = [page(told, key="a"), trusted, replace(page(told, key="c"), image=b"no image"), page(told, key="d")]
    first, same, dropped, last = stage(batch, told)
    assert [first.key, same, dropped.key, last.key] == ["a", trusted, "c", "d"]
    assert dropped.reason == "damaged_image"
    assert first.text == last.text == "a line"
