"""Languages that a folder of text brings into the wheel. What text teaches is measured by `tests/bench/flywheel/languages.py`."""

import json
import random

import pytest

from datagen.disk import manifest
from datagen.disk.shards import read_samples
from datagen.disk.storage import Folder
from flywheel.pools import pools_file
from flywheel.pools.page_lists import PlaceFile
from flywheel.pools.pools import survey
from flywheel.step import Fit
from tests.inputs import wheel

HEBREW = "אב גד אגד דג בד דאג באג גב אבד גאד".split()
BROUGHT = {"text_packages": (), "max_text_lines": 400}


def text(folder, name: str, words: list[str] = HEBREW, lines: int = 300) -> str:
    """A folder with a file of text in these words."""
    folder.mkdir()
    drawn = random.Random(0)
    written = [" ".join(drawn.choices(words, k=drawn.randint(2, 6))) for _ in range(lines)]
    (folder / name).write_text("\n".join(written), encoding="utf-8")
    return str(folder)


def turn(folder) -> None:
    wheel.few_documents(folder / "in")
    given = text(folder / "text", "he.txt")
    assert wheel.turn(folder / "in", folder / "out", text=given, **BROUGHT | wheel.UNTRAINED) == 0


@pytest.fixture(scope="module")
def turned(shared):
    """A round of untrained readers over Russian documents and Hebrew text."""
    return shared("flywheel-text", turn)


def metrics(folder) -> dict:
    return json.loads((folder / "out/round-1/metrics.json").read_text())


def test_a_language_without_a_document_gets_a_reader_that_is_tested_on_typeset_lines(turned):
    rows = metrics(turned)["languages"]
    assert (rows["he"]["not_served"], rows["he"]["tested_on"], rows["he"]["reader"]) == ("", "typeset", "Hebr")
    assert rows["he"]["num_lines"] > 10 and rows["he"]["cer"] is not None
    assert rows["he"]["pools"]["kind"] == "text" and rows["he"]["pools"]["text"]["lines"] == 400
    assert rows["he"]["typeset"]["cer"] == rows["he"]["cer"]
    assert (rows["ru"]["tested_on"], rows["ru"]["typeset"]) == ("documents", None)
    assert rows["ru"]["pools"]["text"]["lines"] == 0
    assert set(metrics(turned)["readers"]) == {"Cyrl", "Hebr"}
    assert [gate["confidence"] for gate in metrics(turned)["gates"]["Hebr"].values()] == [None, None]


def test_its_gate_is_calibrated_on_typeset_pages(turned):
    assert metrics(turned)["gates"]["Hebr"].keys() == {"agreed", "alone"}  # shut: its reader read nothing yet
    lines = Folder(str(turned / "out/typeset-lines"))
    calibrating = PlaceFile.written(Folder(str(turned / "out/round-1")), "typeset_to_calibrate.json").keys()
    detected = list(read_samples(lines, manifest.rows(lines)))
    assert len(detected) > 5 and {line.origin.parent for line in detected} <= calibrating.keys()
    detection = metrics(turned)["detection"]["typeset"]["Hebr"]
    assert detection["num_lines"] > 20 and detection["num_detected"] > 0.9 * detection["num_lines"]
    folder = Folder(str(turned / "out/typeset"))
    pages = list(read_samples(folder, manifest.rows(folder)))
    assert {page.lang for page in pages} == {"he"}
    made = json.loads((turned / "out/flywheel/text/he.json").read_text())
    assert {page.metadata["typeface"] for page in pages} <= set(made["families"]["test"])
    origin = json.loads((turned / "out/round-1/round.json").read_text())
    assert len(origin["shards"]["typeset"]) == len(origin["shards"]["typeset-lines"]) == 1


@pytest.mark.slow
def test_text_alone_opens_a_gate(tmp_path):
    """Few letters, so that a reader learns them in a minute; and a precision that few pieces can show."""
    wheel.few_documents(tmp_path / "in")
    given = text(tmp_path / "text", "he.txt", lines=900)
    first = Fit(steps=150, learning_rate=2e-3, batch_width=1_200, num_lines=1)
    brought = BROUGHT | {"text": given, "max_text_lines": 1_200, "first": first}
    assert wheel.turn(tmp_path / "in", tmp_path / "out", **brought) == 0
    row, gate = metrics(tmp_path)["languages"]["he"], metrics(tmp_path)["gates"]["Hebr"]["agreed"]
    assert row["cer"] < 0.5
    assert gate["confidence"] is not None and gate["languages"] == ["he"] and gate["num_right"] > 0.7 * gate["num_above"] > 3


def test_a_language_whose_letters_the_embedded_reader_has_gets_none(tmp_path, turned, caplog):
    pages = Folder(str(turned / "out/coarse"))
    step = wheel.recipe(
        turned / "in", text=text(tmp_path / "text", "sw.txt", "watu wote wamezaliwa huru".split()), **BROUGHT
    ).steps[1]
    with caplog.at_level("INFO"):
        assert pools_file.supplied(step, survey(pages, lambda letters: 0.0, 0.99)) == {}
    assert "sw (Latn) needs no reader of its own" in caplog.text
