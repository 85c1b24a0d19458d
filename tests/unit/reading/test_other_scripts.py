"""Lines in another script than their page's: which of them another reader reads, and when it is believed."""

from typing import Any

import numpy
import pytest

from datagen.engines import Choice
from datagen.reading.cuts import LineView
from datagen.reading.line_readers import LineReaders, Reading
from datagen.reading.other_scripts import in_other_scripts

pytestmark = pytest.mark.usefixtures("no_readers")

RUSSIAN, GREEK = "Все люди рождаются свободными", "Ολοι οι άνθρωποι γεννιούνται"


class Engines:
    """Tesseract reads Russian lines, which are dark, as surely as it is told; the classifier tells them by their shade."""

    scripts = ("Cyrl", "Grek")

    def __init__(self, sure: float, likelier: float = 100.0):
        self.sure, self.likelier, self.confidences = sure, likelier, list[float]()

    def get(self, name: str, **settings: Any) -> "Engines":
        return self

    def likelihoods(self, crops):
        return numpy.array([(0.0, -self.likelier) if crop.max() < 128 else (-self.likelier, 0.0) for crop in crops])

    def read(self, crops, lang="und"):
        self.confidences = [self.sure] * len(crops)
        return [(RUSSIAN, None) for _ in crops]


def lines_read_anew(engines: Engines, num_russian: int = 4, sure: float = 0.6) -> list[tuple[int, str]]:
    """Which lines of a page in Greek, of which the first ones are Russian, are read anew, and as what. The Greek reader is `sure`
    of these."""
    shades = [50] * num_russian + [200] * 4
    lines = [LineView((), numpy.full((30, 400), shade, numpy.uint8)) for shade in shades]
    scores = [sure] * num_russian + [0.97] * 4
    readings = {id(of): Reading(GREEK, score, score) for of, score in zip(lines, scores, strict=True)}
    page = Choice("greek")
    anew = in_other_scripts(lines, readings, page, "Grek", LineReaders(engines))  # type: ignore[arg-type]
    assert {reader.name for *_, reader in anew} <= {"tesseract"}
    places = {id(of): n for n, of in enumerate(lines)}
    return [(places[id(of)], reading.text) for of, reading, _ in anew]


def test_lines_that_the_page_s_reader_is_unsure_of_are_read_by_that_of_the_script_that_they_look_like():
    assert lines_read_anew(Engines(0.9)) == [(n, RUSSIAN) for n in range(4)]


@pytest.mark.parametrize(
    ("engines", "how"),
    [
        (Engines(0.65), {}),  # no surer
        (Engines(0.9), {"num_russian": 2}),  # too few
        (Engines(0.9), {"sure": 0.95}),  # the page's reader is sure
        (Engines(0.9, likelier=1.0), {}),  # as likely in the page's own
    ],
)
def test_otherwise_they_stay_as_they_are(engines, how):
    assert lines_read_anew(engines, **how) == []
