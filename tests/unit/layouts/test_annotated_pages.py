"""Real pages with true regions: the table, and what the labeller should answer for such a page."""

from dataclasses import replace

from datagen.layouts import annotated_pages as annotated
from datagen.layouts.annotated_pages import UNIT, annotated_pages, written
from datagen.layouts.labeller import LABELS
from datagen.layouts.truth import UNKNOWN, answer
from datagen.record import Box, Region
from tests.unit.layouts.test_labeller import page


def test_the_table_is_read_as_it_was_written(tmp_path):
    pages = annotated_pages()
    (tmp_path / "again.tsv").write_text("uri\tsha256\tpage\tregions\n" + "".join(f"{written(one)}\n" for one in pages))
    assert annotated_pages(tmp_path / "again.tsv") == pages and len(pages) > 1000
    regions = [region for one in pages for region in one.regions]
    assert {region.label for region in regions} <= {*annotated.LABELS} and not any(r.text for r in regions)
    assert all(0 <= x0 <= x1 <= UNIT and 0 <= y0 <= y1 <= UNIT for x0, y0, x1, y1 in (region.box for region in regions))
    assert {one.repository.count("/") for one in pages} == {1}


def test_nothing_is_known_of_what_nobody_could_tell():
    shown = replace(page(columns=1), pictures=[(0, 0, 50, 40), (400, 600, 500, 700)])
    x0, y0, x1, y1 = shown.lines[0].box
    boxes = {"title": (x0, y0, x1, y1), "none": (0, 0, 50, 40), "image": (400, 600, 500, 700), "unsure": (0, y1 + 1, 600, 600)}
    scale = (UNIT / 600, UNIT / 800) * 2
    truth = [
        Region(Box(*(round(side * by) for side, by in zip(box, scale, strict=True))), label, "", None, "annotated")
        for label, box in boxes.items()
    ]
    made = answer(shown, truth, (UNIT, UNIT))
    labels = [LABELS[n] if n >= 0 else n for n in made.label.tolist()]
    assert labels[0] == "title" and labels[-2:] == ["", "image"] and set(labels[1:-2]) == {UNKNOWN}
    assert made.region.tolist()[0] == 0 and set(made.region.tolist()[1:-1]) == {UNKNOWN} and made.region[-1] == 2
