"""`make label_studio`: tasks with their pictures out, and an export of them in, as a patch."""

import hashlib
import json
from dataclasses import replace
from urllib.parse import unquote

import pytest

from datagen.disk import marks
from datagen.disk.storage import Folder
from datagen.patching.form import dataset_id, parse
from datagen.record import Box, Quality, Region
from recipes.__main__ import main
from tests.inputs.samples import sample
from tests.outputs import write_run
from tests.published import contents


@pytest.fixture
def out(tmp_path):
    """Five samples: a hard one, one with an unread region, an easy one, a marked one, and a text."""
    unread = Region(Box(1, 14, 30, 24), "text", "", None, "ppocr", is_unread=True)
    pages = [
        sample("easy-000000"),
        sample("hard-000000", difficulty=0.9, quality=Quality("suspect", ("readings_differ",), {})),
        replace(sample("open-000000"), regions=(*sample().regions, unread)),
        sample("twin-000000"),
    ]
    text = sample("text-000000", task="text", image=None, size=(0, 0), regions=())
    write_run(tmp_path / "out" / "fine", pages, [text])
    marks.write(Folder(str(tmp_path / "out" / "fine")), [marks.Mark("twin-000000", "duplicate", "easy-000000", 1.0)], "")
    return tmp_path / "out"


def exported(tasks: list[dict]) -> list[dict]:
    """The tasks as Label Studio exports them once a person submitted all predictions."""
    made = []
    for number, task in enumerate(tasks):
        (prediction,) = task["predictions"]
        annotation = {"id": number, "completed_by": 1, "result": prediction["result"], "was_cancelled": False}
        made.append({"id": number, "data": task["data"], "annotations": [annotation], "predictions": []})
    return made


def test_tasks_out_and_answers_in(tmp_path, out, capsys):
    to = tmp_path / "sheets" / "näch ste.json"
    assert main(["label_studio", f"out={out}", f"to={to}"]) == 0
    said = capsys.readouterr().out
    assert "3 tasks" in said and "1 texts have no image" in said and f"DOCUMENT_ROOT={to.parent}" in said
    tasks = json.loads(to.read_text(encoding="utf-8"))
    assert [task["data"]["key"] for task in tasks] == ["open-000000", "hard-000000", "easy-000000"]
    for task in tasks:
        path = unquote(task["data"]["image"].removeprefix("/data/local-files/?d="))
        assert (to.parent / path).read_bytes() == sample().image
        assert task["data"]["dataset"] == dataset_id(Folder(str(out / "fine")))
    assert (to.parent / "näch ste.xml").read_text().startswith("<View>")
    before = contents(to.parent)
    assert main(["label_studio", f"out={out}", f"to={to}"]) == 0
    assert contents(to.parent) == before

    answers = exported(tasks)
    results = answers[0]["annotations"][0]["result"]
    results.append(results[-1] | {"from_name": "text", "type": "textarea", "value": {"text": ["read by eye"]}})
    answers[1]["annotations"] = []
    (tmp_path / "export.json").write_text(json.dumps(answers))
    assert main(["label_studio", f"out={out}", f"to={tmp_path / 'patch.json'}", f"answers={tmp_path / 'export.json'}"]) == 0
    assert "1 right, 1 corrected, 0 wrong, 0 skip, by user 1; 1 tasks aren't answered" in capsys.readouterr().out
    assert len(parse((tmp_path / "patch.json").read_bytes()).samples) == 2  # as make patch reads it
    patch = json.loads((tmp_path / "patch.json").read_text())
    assert (patch["form"], patch["by"], patch["kind"]) == ("pagewheel patch", "user 1", "correct")
    assert patch["dataset"] == {"name": "fine", "id": dataset_id(Folder(str(out / "fine")))}
    corrected, right = patch["samples"]
    assert (right["key"], right["verdict"]) == ("easy-000000", "right")
    assert right["record"] == hashlib.sha256(sample("easy-000000").to_json()).hexdigest()
    regions = [(r["of"], r["text"], r["is_unread"]) for r in corrected["regions"]]
    assert regions == [(0, "Über 東京", False), (1, "read by eye", False)]


def test_only_so_many_the_worst_first(tmp_path, out):
    assert main(["label_studio", f"out={out}", f"to={tmp_path / 'tasks.json'}", "limit=2"]) == 0
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    assert [task["data"]["key"] for task in tasks] == ["open-000000", "hard-000000"]
    assert len(list((tmp_path / "tasks-images").iterdir())) == 2


@pytest.mark.parametrize(
    ("data", "to", "why"),
    [
        ({"dataset": "0" * 32}, "patch.json", "its tasks were made of another dataset"),
        ({"record": "0" * 64}, "patch.json", "open-000000 has changed since"),
        ({"key": "none-000000"}, "patch.json", "fine has no sample none-000000 any more"),
        (None, "patch.json", "No such file"),
        ({}, "out", "a file on a local disk is needed, such as patch.json"),
        ({}, "patch.txt", "a file on a local disk is needed, such as patch.json"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_written(tmp_path, out, capsys, data, to, why):
    assert main(["label_studio", f"out={out}", f"to={tmp_path / 'tasks.json'}"]) == 0
    answers = exported(json.loads((tmp_path / "tasks.json").read_text()))
    if data is not None:
        answers[0]["data"] |= data
        (tmp_path / "export.json").write_text(json.dumps(answers))
    assert main(["label_studio", f"out={out}", f"to={tmp_path / to}", f"answers={tmp_path / 'export.json'}"]) == 2
    assert why in capsys.readouterr().err
    assert not (tmp_path / "patch.json").exists() and not (tmp_path / "patch.txt").exists()


def test_of_several_datasets_one_is_named(tmp_path, out, capsys):
    write_run(out / "word", [sample("word-000000")])
    assert main(["label_studio", f"out={out}", f"to={tmp_path / 'tasks.json'}"]) == 2
    assert "say which with dataset=" in capsys.readouterr().err
    assert main(["label_studio", f"out={out}", f"to={tmp_path / 'tasks.json'}", "dataset=word"]) == 0
    assert [task["data"]["key"] for task in json.loads((tmp_path / "tasks.json").read_text())] == ["word-000000"]
