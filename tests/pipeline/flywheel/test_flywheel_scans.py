"""Documents without a text layer: which language they are in, who reads them, and what adapts to them."""

import json
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
from flywheel.people import audit, review
from flywheel.pools import lineage, pools_file
from flywheel.pools.typefaces import typeset
from flywheel.rounds import train_readers
from flywheel.step import Flywheel, round_metrics
from recipes.recipe import Recipe
from recipes.run.execute import Place, run
from tests.pipeline.flywheel.test_flywheel_text import text

SAID = "בראשית ברא אלהים את השמים ואת הארץ והארץ היתה תהו ובהו וחשך על פני תהום ורוח מרחפת על פני המים".split()


def lines(folder: Path, count: int) -> Path:
    """Images of lines, and one without text."""
    folder.mkdir()
    draw = numpy.random.default_rng(0)
    for number in range(count):
        made = typeset(" ".join(draw.choice(SAID, 6)), draw)
        assert made
        Image.fromarray(made[0]).save(folder / f"line-{number:02d}.png")
    Image.new("L", (400, 40), 255).save(folder / "blank.png")
    return folder


def turn(folder: Path) -> None:
    """A round over images of lines, whose readers adapt in a few steps."""
    pages = Pipeline(
        "coarse",
        Listing(str(lines(folder / "in", 24)), FORMATS),
        PageFiles(PdfSource(), ImageSource(task="page", shard_images=8, stage="coarse")),
        (IdentifyLanguage(), JudgeTextLayer()),
    )
    given = text(folder / "text", "he.txt", SAID)
    wheel = Flywheel(
        "coarse", rounds=1, needs_gain=False, min_train_lines=50, max_held_out=40, calibration_lines=60, text=given,
        text_packages=(), max_text_lines=300,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_readers, "_ADAPTING", 6)
        assert run(Recipe("scans", (pages, wheel)), Place(str(folder / "out"), "inline", 1)) == 0


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


def test_each_reader_adapts_to_the_lines_that_the_other_one_reads(turned):
    round_1 = out(turned).sub("round-1")
    learned = lineage.read(round_1)
    pools = pools_file.read(out(turned).sub("flywheel")).served[0]
    assert learned == {"Hebr-a": {doc for doc, _ in pools.fold_b}, "Hebr-b": {doc for doc, _ in pools.fold_a}}
    fits = [json.loads(round_1.read(f"reader/{name}/config.json"))["made"]["fit"] for name in learned]
    assert [fit["steps"] for fit in fits] == [6, 6] and all(fit["packaged"] for fit in fits)


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
