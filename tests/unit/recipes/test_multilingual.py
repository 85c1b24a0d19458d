"""How much the default recipe takes where nobody says: little of the default documents, all of one's own."""

import pytest

from datagen.fine.source import PageFiles
from datagen.samples.documents import DebianSamples
from datagen.work.pipeline import Pipeline
from flywheel.step import Flywheel
from recipes.multilingual import multilingual


@pytest.mark.parametrize(
    ("words", "limit", "of_fine", "max_pages"),
    [
        ({}, 72, 24, 14),
        ({"limit": 8}, 8, 8, 40),
        ({"input": "here", "limit": 8}, 8, 8, 40),
    ],
)
def test_a_first_run_takes_few_of_the_default_documents(words, limit, of_fine, max_pages):
    steps = {step.name: step for step in multilingual(**words).steps}
    coarse, fine, wheel = steps["coarse"], steps["fine"], steps["flywheel"]
    assert isinstance(coarse, Pipeline) and isinstance(fine, Pipeline) and isinstance(wheel, Flywheel)
    assert isinstance(coarse.source, PageFiles)  # images are pages, too
    assert (coarse.limit, fine.limit, coarse.source.pdf.max_pages) == (limit, of_fine, max_pages)
    assert isinstance(coarse.census, DebianSamples) == ("input" not in words)
    assert wheel.rounds == 1
    assert (wheel.calibration_lines < Flywheel(pages="p").calibration_lines) == (max_pages == 14)
    assert bool(wheel.max_scan_pages) == (max_pages == 14)
