"""What a run was planned with, and a worker that has something else."""

import os
import pickle
import socket
from dataclasses import dataclass

import pytest

from datagen.disk.storage import Folder
from datagen.inputs.census import Listing
from datagen.inputs.items import Item
from datagen.record import Drop
from datagen.work import dataset
from datagen.work.pipeline import Pipeline, Source
from datagen.work.runner import DaskRunner, InProcess
from datagen.work.specification import describe, differences, fingerprint, verify_worker


@dataclass(frozen=True)
class Documents(Source):
    """A source of drops, by a parser whose version a variable of the machine says."""

    pages: tuple[int, ...] = ()
    name: str = ""

    def split(self, items):
        return [(item,) for item in items]

    def read(self, item):
        yield Drop("", item.uri, None, "Documents", "nothing")

    def engines(self):
        return {"parser": os.environ.get("TEST_PARSER", "2.0.0"), "weights": "ab"}


def planned(folder: Folder):
    pipeline = Pipeline("test", Listing(""), Documents((1, 2), folder.url), ())
    return pipeline, dataset.plan(pipeline, folder, [Item("a"), Item("b")], InProcess(), commit=True)


@pytest.mark.slow
@pytest.mark.parametrize("runner", [InProcess(), DaskRunner("local", 1)], ids=["inline", "local"])
def test_a_worker_with_another_engine_fails_its_tasks_and_names_it(runner, tmp_path, monkeypatch):
    folder = Folder(str(tmp_path / "out"))
    pipeline, todo = planned(folder)
    monkeypatch.setenv("TEST_PARSER", "2.0.1")
    outcome = dataset.build(pipeline, folder, todo, runner, {})
    assert outcome.totals.num_shards == 0
    assert {str(error) for error in outcome.failed.values()} == {
        f"worker {socket.gethostname()} has other engines than the run was planned with: parser 2.0.1, not 2.0.0"
    }
    monkeypatch.delenv("TEST_PARSER")
    assert dataset.build(pipeline, folder, todo, InProcess(), {}).totals.num_shards == 2


def test_a_worker_is_compared_once_with_what_was_planned(tmp_path):
    asked = []

    def here():
        asked.append(1)
        return {"source": str(tmp_path)}

    for _ in range(3):
        verify_worker(here, fingerprint({"source": str(tmp_path)}), Folder(str(tmp_path)))
    assert len(asked) == 1


def test_a_worker_that_cannot_read_what_was_planned_still_refuses(tmp_path):
    with pytest.raises(RuntimeError, match="other engines than the run was planned with"):
        verify_worker(lambda: {"source": 1}, "another", Folder(str(tmp_path)))


def test_differences_are_named_by_their_place():
    one, other = Documents((1, 2)), Documents((1, 3))
    assert differences(describe(one), describe(other)) == {"pages": ([1, 2], [1, 3])}
    assert differences({"a": {"b": 1}}, {"a": {}}) == {"a.b": (1, None)}
    assert differences(describe(one), describe(one)) == {}


def test_a_task_says_what_it_was_planned_with_in_a_few_bytes(tmp_path):
    _, todo = planned(Folder(str(tmp_path / "out")))
    assert max(len(pickle.dumps(task)) for task in todo.todo()) < 2000
