"""Blocks that are read again on worn images."""

import json

import pytest

from datagen.agreement.agree_page import DECISIONS
from datagen.agreement.mark_fragile import MarkFragile
from datagen.engines import OPEN
from tests.inputs.agreement import LINES, agreed, lines, page

pytestmark = pytest.mark.slow


def marked(stage: MarkFragile):
    label = page(lines(LINES, "ppocr"), stage="fine")
    (sample,) = stage([agreed(label, page(lines(LINES, "tesseract")))], OPEN)
    return sample, [entry["is_fragile"] for entry in json.loads(sample.metadata[DECISIONS])]


def test_clear_print_is_not_fragile_and_what_changes_is():
    sample, fragile = marked(MarkFragile())
    assert fragile == [False] * 3 and sample.to_json() == marked(MarkFragile())[0].to_json()
    assert sample.quality.signals["num_fragile"] == 0.0
    sample, fragile = marked(MarkFragile(most=-1.0))  # every reading differs by more
    assert fragile == [True] * 3
    assert sample.quality.signals["num_fragile"] == 3.0
