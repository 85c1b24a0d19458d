"""Accepted lines for a person to transcribe, on pages whose text layer is hidden; `test_flywheel_scans.py` has those of scans."""

import json
import shutil
from pathlib import Path

import pytest

from datagen.disk.storage import Folder
from flywheel.pools import questions
from recipes.__main__ import main
from recipes.run import recipe_json
from tests.inputs import wheel
from tests.inputs.patches import sheet_patch

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_an_audit_goes_round_by_the_verb(output, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(recipe_json, "again", lambda out: wheel.recipe(Path("in"), 2))
    assert main(["flywheel", f"out={output}", "audit=20"]) == 0
    printed = capsys.readouterr().out
    assert "ru: on pages whose text layer is hidden" in printed and (output / "flywheel/audit-1/index.html").exists()
    (sheet,) = questions.sheets(Folder(str(output / "flywheel")))
    page = "".join(path.read_text() for path in (output / "flywheel/audit-1").rglob("*.js"))
    assert all(one.id in page and one.reading not in page for one in sheet.lines)
    truths = {one.id: one.reading if number % 3 else "сон" for number, one in enumerate(sheet.lines)}
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
