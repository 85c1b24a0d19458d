"""Documents without a text layer: which language they are in, who reads them, and what adapts to them."""

import json
import shutil
from pathlib import Path

import numpy
import pytest
from PIL import Image

from datagen.coarse.source import PdfSource
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.disk import manifest
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.fine.source import FORMATS, PageFiles
from datagen.inputs.census import Listing
from datagen.pictures.source import ImageSource
from datagen.reading.language import IdentifyLanguage
from datagen.work.pipeline import Pipeline
from flywheel.labels import calibrate
from flywheel.people import audit, gold_images, review
from flywheel.pools import lineage, pools_file
from flywheel.pools.page_lists import PlaceFile
from flywheel.pools.typefaces import typeset
from flywheel.rounds import train_readers
from flywheel.step import Flywheel, round_metrics
from recipes.recipe import Recipe
from recipes.run.execute import Place, run
from tests.outputs import check_corpus
from tests.pipeline.flywheel.test_flywheel_text import text

SAID = "בראשית ברא אלהים את השמים ואת הארץ והארץ היתה תהו ובהו וחשך על פני תהום ורוח מרחפת על פני המים".split()


def lines(folder: Path, count: int, with_text: int = 0) -> Path:
    """Images of lines, the first ones with their text beside them, and one image without a letter."""
    folder.mkdir()
    draw = numpy.random.default_rng(0)
    for number in range(count):
        written = " ".join(draw.choice(SAID, 6))
        made = typeset(written, draw)
        assert made
        Image.fromarray(made[0]).save(folder / f"line-{number:02d}.png")
        if number < with_text:
            (folder / f"line-{number:02d}.gt.txt").write_text(written + "\n", encoding="utf-8")
    Image.new("L", (400, 40), 255).save(folder / "blank.png")
    return folder


def turn(folder: Path) -> None:
    """A round over images of lines, whose readers adapt in a few steps."""
    lines(folder / "in", 24)
    assert turn_wheel(folder, text(folder / "text", "he.txt", SAID)) == 0


def turn_wheel(folder: Path, given: str, rounds: int = 1, gold: str = "") -> int:
    pages = Pipeline(
        "coarse",
        Listing(str(folder / "in"), FORMATS),
        PageFiles(PdfSource(), ImageSource(task="page", shard_images=8, stage="coarse")),
        (IdentifyLanguage(), JudgeTextLayer()),
    )
    wheel = Flywheel(
        "coarse", rounds=rounds, gold=gold, needs_gain=False, min_train_lines=50, max_held_out=40, calibration_lines=60,
        text=given, text_packages=(), max_text_lines=300,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_readers, "_ADAPTING", 6)
        return run(Recipe("scans", (pages, wheel)), Place(str(folder / "out"), "inline", 1))


@pytest.fixture(scope="module")
def turned(shared):
    return shared("flywheel-scans", turn)


def out(turned) -> Folder:
    return Folder(str(turned / "out"))


def test_the_lines_images_tell_their_language(turned):
    rows = list(manifest.rows(out(turned).sub("scans")))
    assert {row["script"] for row in rows} == {"Hebr"}
    assert len(rows) > 20
    pools = pools_file.read(out(turned).sub("flywheel"))
    (hebrew,) = (p for p in pools.served if p.script == "Hebr")
    assert (hebrew.lang, hebrew.kind, len(hebrew.scans)) == ("he", "scans", 25)
    assert {len(hebrew.fold_a), len(hebrew.fold_b)} == {12, 13}


def test_the_reader_adapts_to_the_lines_that_it_reads_and_learns_no_label_of_them(turned):
    round_1 = out(turned).sub("round-1")
    assert lineage.read(round_1) == {"Hebr": frozenset()}
    (hebrew,) = pools_file.read(out(turned).sub("flywheel")).served
    assert PlaceFile.written(round_1, "scans_Hebr.json").languages().keys() == {*hebrew.scans}
    fit = json.loads(round_1.read("reader/Hebr/config.json"))["made"]["fit"]
    assert fit["steps"] == 6 and fit["packaged"]


def test_a_round_reads_them_and_no_text_layer_judges_them(turned):
    (metrics,) = round_metrics(out(turned))
    row = metrics["languages"]["he"]
    num_refused = sum(row["rejected"].values())
    assert row["num_accepted"] + num_refused >= 24
    assert (row["num_judged"], row["precision"], row["tested_on"]) == (0, None, "typeset")
    assert metrics["labels"]["num_judged"] == 0
    drops = [drop for report in read_reports(out(turned).sub("round-1")) for drop in report.drops if drop.readings]
    assert len(drops) == num_refused


def test_refused_lines_of_scans_can_be_corrected_and_accepted_ones_audited(turned):
    (metrics,) = round_metrics(out(turned))
    asked = review.candidates(out(turned).sub("round-1"), out(turned).sub("coarse"), {"he": "Hebr"})
    assert asked and {line.script for line in asked} == {"Hebr"}
    step = Flywheel("coarse")
    lines, layers = audit.sample(step, out(turned), metrics, 10)
    assert len(lines) == min(10, metrics["languages"]["he"]["num_accepted"])
    assert set(layers.values()) <= {audit.NO_LAYER}


def test_half_of_the_lines_that_people_typed_train_and_the_others_test_and_calibrate(turned, tmp_path):
    """The lines are those of the input, and come after a round that adapted to them."""
    folder = shutil.copytree(turned, tmp_path / "turned")
    typed = lines(folder / "typed", 24, with_text=10)
    code = turn_wheel(folder, str(folder / "text"), 2, str(typed))
    assert code == 0
    made = out(folder)
    halves = gold_images.Halves.of(Flywheel("coarse"), made)
    assert (len(halves.train), len(halves.calibrate)) == (5, 5)
    learned = lineage.read(made.sub("round-2"))
    train, calibrating = ({doc for doc, _ in half} for half in (halves.train, halves.calibrate))
    assert all(train <= documents for documents in learned.values())
    first = lineage.read(made.sub("round-1"))
    assert {name: documents & calibrating for name, documents in learned.items()} == {
        name: documents & calibrating for name, documents in first.items()
    }
    row = round_metrics(made)[1]["languages"]["he"]
    assert (row["tested_on"], row["pools"]["fold_a"]["pages"] + row["pools"]["fold_b"]["pages"]) == ("gold", 25)
    read = {Path(drop.uri).name for report in read_reports(made.sub("round-2")) for drop in report.drops}
    read |= {Path(row["uri"]).name for row in manifest.rows(made.sub("round-2"))}
    assert read >= {f"line-{number:02d}.png" for number in range(10, 24)}
    assert not read & {f"line-{number:02d}.png" for number in range(10)}
    check_corpus(folder / "out", name="gold-images")
    served = pools_file.read(made.sub("flywheel")).served
    (sentence,) = calibrate.outlook(Flywheel("coarse"), made, served)
    num_typeset = len(list(manifest.rows(made.sub("typeset-lines"))))
    assert num_typeset + 5 < 135
    assert sentence == (
        f"the gate of Hebr is calibrated by {num_typeset} typeset lines and 5 lines of people, "
        f"and stays shut: {2 * (135 - num_typeset - 5)} more lines of people would do (gold=FOLDER)"
    )
