"""The benchmark of agreement in small: its errors are errors, and are found by readers that are nearly right."""

from collections import Counter
from dataclasses import replace

import pytest

from datagen.record import Region, Sample
from tests.bench.agree.agree import LEFT, fates
from tests.bench.agree.plant import KINDS, planted
from tests.bench.agree.readers import Read
from tests.bench.agree.typeset import typeset


def read_well(page: Sample, truth: tuple[Region, ...], by: str, stage: str) -> Sample:
    """The lines that were set, as a reader of lines has them; in tables it reads nothing."""
    regions = [Region(line.box, "text", line.text, 0.9, by, lines=(line,)) for r in truth for line in r.lines]
    return replace(page, image=None, regions=tuple(regions), stage=stage)


@pytest.fixture(scope="module")
def one() -> Read:
    known = typeset(7, "Latn", "eng")
    return Read(
        known, *(read_well(known.page, known.truth, by, stage) for by, stage in (("ppocr", "fine"), ("tesseract", "own")))
    )


def test_labels_have_errors_of_all_kinds_and_as_many_right_ones(one):
    items = [item for seed in range(6) for item in planted(one.known, seed)[1]]
    kinds = Counter(item.kind for item in items)
    assert kinds.keys() == {"", *KINDS}
    assert 0.4 < kinds[""] / kinds.total() < 0.6
    assert all(item.label.text == item.truth.text for item in items if item.form != "order" and not item.kind)


def test_good_readers_find_the_wrong_ones_and_leave_the_right_ones(one):
    found = [fate for seed in range(2) for fate in fates(one, seed) if fate.item.form in ("text", "order")]
    assert [fate for fate in found if fate.item.kind and fate.what == LEFT] == []
    assert [fate for fate in found if not fate.item.kind and fate.what != LEFT] == []
    changed = [fate for fate in found if fate.item.kind and fate.what == "changed"]
    assert len(changed) >= 10
    assert all(fate.is_right for fate in changed)
