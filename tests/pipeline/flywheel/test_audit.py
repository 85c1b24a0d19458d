"""Accepted lines for a person to transcribe: of scans where there are some, else of pages whose text layer is hidden."""

import json
import random
import shutil
from pathlib import Path

import pymupdf
import pytest

from datagen.disk.shards import shard_name
from datagen.disk.storage import Folder
from datagen.record import Origin, Quality, Sample
from flywheel.people import audit, scanned_pages
from flywheel.pools import lineage, questions
from flywheel.rounds import documents_learned
from flywheel.step import round_metrics
from recipes.__main__ import main
from recipes.run import recipe_json
from tests.inputs import pdfs, wheel
from tests.inputs.patches import sheet_patch
from tests.outputs import write_shard

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
STEP = wheel.recipe(Path("in"), 2).steps[1]


@pytest.fixture
def scanned(output, tmp_path):
    """The output with two pages of a scan, in shards of their own; and what their lines say, by the page's key."""
    draw = random.Random("scan")
    said = [[" ".join(draw.choices(wheel.WORDS, k=4)) for _ in range(wheel.LINES)] for _ in range(2)]
    document = pymupdf.open(pdfs.write(tmp_path / "scan.pdf", *map("\n".join, said)))
    pages = []
    for number, page in enumerate(document):
        image = page.get_pixmap(matrix=pymupdf.Matrix(1920 / page.rect.height, 1920 / page.rect.height))
        origin, quality = Origin("file:///scan.pdf", "f" * 64, number), Quality("none", ("picture_page",))
        key, size = f"ffffffffffffffff-00000000-{number:06d}", (image.width, image.height)
        pages.append(Sample(key, "page", image.tobytes("jpeg"), size, "und", "Zyyy", "", (), quality, origin, "coarse"))
    write_shard(Folder(str(output / "coarse")), shard_name("coarse", 99), pages)
    return output, {page.key: lines for page, lines in zip(pages, said, strict=True)}


def test_scans_are_read_behind_the_gate_by_a_reader_that_never_learned_them(scanned):
    output, said = scanned
    out = Folder(str(output))
    metrics = round_metrics(out)[-1]
    lines, layers = audit.sample(STEP, out, metrics, 20)
    assert layers == {"ru": "no layer"}
    assert 5 < len(lines) <= 20
    assert {one.page for one in lines} <= {*said}
    gates = [gate["confidence"] for strata in metrics["gates"].values() for gate in strata.values() if gate["confidence"]]
    assert all(one.score >= round(min(gates), 3) and one.lang == "ru" for one in lines)
    right = sum(one.reading in said[one.page] for one in lines)
    assert right / len(lines) > 0.5  # the wheel's gate promises half
    learned = frozenset().union(*lineage.read(out.sub("round-2")).values())
    assert "f" * 64 not in learned | documents_learned.held_out(STEP, out)


def test_refused_lines_of_scans_can_be_corrected(scanned):
    output, said = scanned
    out = Folder(str(output))
    metrics = round_metrics(out)[-1]
    shut = metrics | {
        "gates": {
            name: {stratum: gate | {"confidence": None} for stratum, gate in strata.items()}
            for name, strata in metrics["gates"].items()
        }
    }
    lines = scanned_pages.refused(STEP, out, shut, 10)
    assert len(lines) > 10
    assert {one.page for one in lines} <= {*said} and all(one.reason for one in lines)
    assert sum(one.reading in said[one.page] for one in lines) / len(lines) > 0.3


def test_an_audit_goes_round_by_the_verb(scanned, tmp_path, capsys, monkeypatch):
    output, said = scanned
    monkeypatch.setattr(recipe_json, "again", lambda out: wheel.recipe(Path("in"), 2))
    assert main(["flywheel", f"out={output}", "audit=20"]) == 0
    printed = capsys.readouterr().out
    assert "ru: on pages without a text layer" in printed and (output / "flywheel/audit-1/index.html").exists()
    (sheet,) = questions.sheets(Folder(str(output / "flywheel")))
    page = "".join(path.read_text() for path in (output / "flywheel/audit-1").rglob("*.js"))
    assert all(one.id in page and one.reading not in page for one in sheet.lines)
    truths = {one.id: one.reading if one.reading in said[one.page] else "сон" for one in sheet.lines}
    answers = {one.id: [{"region": 0, "verdict": "typed", "text": truths[one.id]}] for one in sheet.lines}
    rows = [{"key": key, "answers": of_line} for key, of_line in answers.items()]
    path = sheet_patch(tmp_path / "audit-1.json", sheet.name, sheet.id, rows, "audit")
    assert main(["flywheel", f"out={output}", f"gold={path}"]) == 0
    right = sum(one.reading == truths[one.id] for one in sheet.lines)
    assert f"audit-1, round 2, ru: {right / len(rows):.1%} (" in capsys.readouterr().out
    found = json.loads((output / "flywheel/audits.json").read_text())["audit-1"]
    assert (found["all"]["num_right"], found["all"]["num_judged"]) == (right, len(rows))
    assert not (output / "gold").exists()  # an audit teaches nobody


def test_shut_gates_leave_nothing_to_audit(output, capsys, monkeypatch):
    monkeypatch.setattr(recipe_json, "again", lambda out: wheel.recipe(Path("in"), 2))
    shutil.rmtree(output / "round-2/shards")
    shutil.rmtree(output / "round-2/manifest")
    assert main(["flywheel", f"out={output}", "audit=20"]) == 2
    assert "let no line through" in capsys.readouterr().err
