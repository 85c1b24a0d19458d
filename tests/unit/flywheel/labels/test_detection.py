"""Lines that a detector finds: whole ones, ones in parts, and none that it runs together."""

from dataclasses import replace

import pytest

from datagen.record import Box, Line, Region
from flywheel.labels.detection import is_detected, recall
from tests.inputs.samples import sample

LINE = Line(Box(100, 100, 300, 120), "одна строка")


@pytest.mark.parametrize(
    ("boxes", "is_there"),
    [
        ([Box(98, 97, 303, 124)], True),
        ([Box(98, 97, 200, 124), Box(205, 99, 302, 120)], True),
        ([Box(98, 97, 200, 124)], False),
        ([Box(0, 97, 900, 124)], True),  # cells side by side
        ([Box(98, 121, 303, 145)], False),  # the next line
        ([Box(90, 60, 310, 160)], False),  # three lines in one box
        ([Box(98, 97, 200, 124), Box(99, 98, 201, 123)], False),  # one half twice
    ],
)
def test_a_line_is_detected_where_boxes_at_its_height_cover_it(boxes, is_there):
    assert is_detected(LINE, boxes) is is_there


def test_recall_is_by_script_and_leaves_vertical_lines_out():
    upright = replace(LINE, direction="ttb")
    region = Region(LINE.box, "text", LINE.text, None, "pymupdf", lines=(LINE, upright, replace(LINE, box=Box(0, 500, 90, 520))))
    one, other = (replace(sample(), key=key, script=script, regions=(region,)) for key, script in (("a", "Cyrl"), ("b", "Khmr")))
    assert recall([one, other], {"a": [LINE.box]}) == {"Cyrl": (1, 2), "Khmr": (0, 2)}


def test_a_column_is_detected_where_boxes_at_its_width_cover_it():
    column = Line(Box(100, 100, 120, 300), "ᠮᠣᠩᠭᠣᠯ", direction="ttb")
    assert is_detected(column, [Box(97, 98, 124, 200), Box(99, 205, 122, 303)])
    assert not is_detected(column, [Box(97, 98, 124, 200)])
    region = Region(column.box, "text", column.text, None, "pymupdf", lines=(column,))
    page = replace(sample(), key="a", script="Mong", regions=(region,))
    assert recall([page], {"a": [column.box]}) == {"Mong": (1, 1)}
