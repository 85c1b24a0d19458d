"""The pages that a round trains on and reads, as files that its tasks refer to."""

import pickle

import pytest

from datagen.disk import marks
from datagen.disk.marks import Mark
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.inputs.items import Item
from datagen.work.assignment import Assigned
from datagen.work.pipeline import Pipeline, shard_task
from datagen.work.samples_of import ShardsOf
from flywheel.labels.calibrate import CalibrateTask
from flywheel.labels.relabel import Gate, LinesOf, ReadLines
from flywheel.pools.page_lists import PlaceFile
from flywheel.pools.pools import Pools
from flywheel.pools.pools_file import FrozenPools
from flywheel.rounds.round import Round
from flywheel.rounds.train_readers import FitTask
from flywheel.step import Fit, Flywheel
from tests.inputs.samples import page_sample
from tests.outputs import write_dataset


def test_a_page_that_several_samples_show_is_one_of_them(tmp_path):
    """A file that lies in two folders: its pages are read once, and not at all if they are marked as copies of others."""
    document, other = "ab" * 32, "cd" * 32
    pages = [
        page_sample(f"{folder}{n}", "где", lang="ru", page=n, sha256=document) for folder in ("b", "a") for n in range(3)
    ]  # fmt: skip
    pages += [page_sample(f"c{n}", "где", lang="ru", page=n, sha256=other) for n in range(2)]
    folder = Folder(str(tmp_path))
    write_dataset(tmp_path / "coarse", pages)
    marks.write(folder.sub("coarse"), [Mark("a1", "duplicate", "b1", 1.0), Mark("c0", "near_duplicate", "a0", 0.9)], "")
    waiting = tuple((doc, n) for doc, count in ((document, 3), (other, 2)) for n in range(count))
    pools = Pools("ru", "Cyrl", 0.3, "documents", "", fold_a=waiting)
    shards = {report.shard: report.known_as for report in read_reports(folder.sub("coarse"))}
    made = Round(Flywheel("coarse"), folder, FrozenPools([], shards, (pools,)), 1)
    file = made._pages_file("fold_a.json", dict.fromkeys(waiting, "ru"))
    assert dict(file.keys()) == dict.fromkeys(("a0", "b1", "a2", "c1"), "ru")
    assert sorted(row["key"] for row in made._rows_of(file)) == ["a0", "a2", "b1", "c1"]
    assert set(file.languages()) == {*waiting} - {(other, 0)}
    marks.write(folder.sub("coarse"), [Mark("a0", "duplicate", "b0", 1.0)], "")
    assert (
        made._pages_file("fold_a.json", dict.fromkeys(waiting, "ru")) == file
    )  # a round that has begun reads what it began with


def test_a_file_that_changed_since_the_task_was_planned_is_refused(tmp_path):
    file = PlaceFile.write(Folder(str(tmp_path)), "pages.json", {("ab" * 32, 3): "ru"})
    PlaceFile.write(Folder(str(tmp_path)), "pages.json", {("ab" * 32, 4): "ru"})
    with pytest.raises(ValueError, match=r"pages\.json has other pages than the run was planned with"):
        file.languages()


def test_a_task_is_small_however_many_pages_and_shards_there_are(tmp_path):
    folder = Folder(str(tmp_path))
    languages = {(f"{i:064x}", page): "ru" for i in range(10_000) for page in range(10)}
    pages = PlaceFile.write(folder, "pages.json", languages)
    read = ReadLines("readers", 1, (Gate("ru", "Cyrl", pages, "Cyrl-a", "ab" * 32, 0.9, 0.99),))
    census = ShardsOf("out/lines", tuple(f"lines-{i:06d}" for i in range(10_000)))
    pipeline = Pipeline("round-1", census, LinesOf(pages=(("ru", pages),), round=1), (read,))
    task = shard_task(pipeline, folder.url, Assigned(0, 0, (Item("out/lines/shards/lines-000000.tar"),)), {})
    assert len(pickle.dumps(task)) < 4000
    assert len(str(pipeline.description())) < 4000
    fit = Fit(steps=1, learning_rate=1e-3)
    training = FitTask("Cyrl-a", "Cyrl", fit, pages, "out/crops", "out/round-2", "ab" * 32, "out/round-1", "Cyrl", pages)
    assert len(pickle.dumps(training)) < 4000
    where = ("out/round-2/reader", pages, "out/lines", "lines-000000", "out/coarse", ("coarse-000000",))
    calibration = CalibrateTask("Cyrl-a", "Cyrl", "ab" * 32, *where)
    assert len(pickle.dumps(calibration)) < 4000
