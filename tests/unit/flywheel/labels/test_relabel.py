"""What becomes of a line behind a gate: crops of accepted pieces, and drops of what is refused, where they lie on the page."""

import pytest

from datagen.page.images import pixels
from datagen.record import Drop, Line, Origin, Quality, Region, Sample
from datagen.risk.bounds import NOBODY
from flywheel.labels import relabel
from flywheel.labels.labelled_pages import place_of
from flywheel.labels.line_readings import DetectedLine, encoded
from flywheel.labels.relabel import Gate, LinesOf, ReadLines
from flywheel.pools.page_lists import PlaceFile
from tests.unit.flywheel.labels.test_reading_pieces import LINE, HandReader, drawn

PAGE = "0123456789abcdef-01234567-000003"


def sample(line: DetectedLine) -> Sample:
    """The line as the dataset `lines` has it."""
    height, width = line.gray.shape
    is_unread, text = line.vote is None, line.vote or ""
    region = Region(line.inner, "text", text, None, "tesseract", lines=(Line(line.inner, text),), is_unread=is_unread)
    return Sample(
        key=f"{PAGE}-l0007",
        task="crop",
        image=encoded(line.gray),
        size=(width, height),
        lang="ru",
        script="Cyrl",
        text=line.vote or "",
        regions=(region,),
        quality=Quality("none"),
        origin=Origin("file:///a.pdf", "a" * 64, 3, parent=PAGE, box=line.box),
        stage="lines",
    )


def outcomes(monkeypatch, plain: str, vote: str | None, agreed: float = 0.5, alone: float = NOBODY, **doubtful: float):
    monkeypatch.setattr(relabel.kinds, "reader", lambda *_: HandReader(plain, doubtful=doubtful))
    gate = Gate("ru", "Cyrl", PlaceFile(), "Cyrl", "ab" * 32, agreed, alone)
    line = LinesOf(round=2).given(sample(drawn(plain, vote)))
    return list(ReadLines("readers", 2, (gate,)).outcomes([line], gate))


def test_a_line_that_passes_is_a_crop_of_the_whole_line(monkeypatch):
    (crop,) = outcomes(monkeypatch, LINE, LINE)
    assert (crop.key, crop.text, crop.origin.parent) == (f"{PAGE}-r2-0007", LINE, PAGE)
    assert crop.origin.box == drawn(LINE, LINE).box
    assert (crop.task, crop.stage, crop.round, crop.quality.verdict) == ("crop", "flywheel/round-2", 2, "trusted")
    assert crop.origin.engines["flywheel/round-2"] == "ab" * 32


def test_a_line_is_parted_into_what_passes_and_what_does_not(monkeypatch):
    crop, drop = outcomes(monkeypatch, LINE, "слово дело вещь кнвга стол", г=0.6)
    assert isinstance(crop, Sample) and isinstance(drop, Drop)
    assert (crop.key, crop.text) == (f"{PAGE}-r2-0007-p1", "слово дело вещь")
    assert (drop.key, drop.reason, drop.readings[0].text) == (f"{PAGE}-r2-0007-p2", "disagrees", "книга стол")
    whole, left, right = drawn(LINE, "").box, crop.origin.box, drop.readings[0].box
    assert (left.x0, left.x1, right.x1) == (whole.x0, right.x0, whole.x1)
    assert pixels(crop.image, "L").shape[1] == crop.size[0] == pytest.approx(left.x1 - left.x0, abs=3)
    assert place_of(drop.key) == (PAGE, 7)
    assert crop.quality.signals["agreed"] == 1


def test_a_piece_is_refused_by_the_gate_of_those_who_read_its_line(monkeypatch):
    def reason(vote: str | None, agreed: float = NOBODY, alone: float = NOBODY) -> str:
        (drop,) = outcomes(monkeypatch, LINE, vote, agreed, alone)
        return drop.reason

    assert reason("нет", agreed=0.5, alone=0.5) == "disagrees"
    assert reason(LINE, alone=0.5) == reason(None, agreed=0.5) == "gate_is_shut"
    assert reason(LINE, agreed=1.0, alone=0.5) == reason(None, agreed=0.5, alone=1.0) == "low_confidence"
