"""Which lines train and which test; and lines on their way to training, the same for the same seed."""

import numpy
import pytest
import simplejpeg

from datagen.disk.storage import Folder
from datagen.record import Origin
from flywheel.labels.evaluate import HeldOut
from flywheel.lines.crops import Crop, degraded, read_crops, rows_of_pages
from flywheel.pools import typefaces
from flywheel.pools.page_lists import PlaceFile
from flywheel.pools.pools import Pools
from flywheel.pools.typefaces import typeset
from flywheel.rounds.train_readers import FitTask
from flywheel.step import Fit
from tests.inputs.samples import page_sample
from tests.outputs import write_dataset

WORDS = "Все люди ґрунт ђак"


def crop() -> Crop:
    pixels, box = typeset(WORDS, numpy.random.default_rng(1))
    jpeg = simplejpeg.encode_jpeg(numpy.ascontiguousarray(pixels)[:, :, None], 90, "GRAY")
    return Crop("k", "ru", "Cyrl", WORDS, jpeg, box)


def test_no_face_no_line():
    assert typeset("a\U0010ffff", numpy.random.default_rng(0)) is None
    assert len(typefaces.sha256()) == 64


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_degradation_follows_from_the_seed_and_leaves_the_line_legible(share):
    line = crop()
    for seed in range(12):
        first, again = (degraded(line, numpy.random.default_rng(seed), share) for _ in range(2))
        assert numpy.array_equal(first, again)
        assert first.dtype == numpy.uint8
        assert first.shape[0] >= 14
        assert 3 < first.shape[1] / first.shape[0] < 40
        assert int(first.max()) - int(first.min()) > 40
    assert not numpy.array_equal(degraded(line, numpy.random.default_rng(1)), degraded(line, numpy.random.default_rng(2)))


DOCUMENT = "ab" * 32
RUSSIAN = Pools("ru", "Cyrl", 0.1, "page_ranges", "", ((DOCUMENT, 0),), ((DOCUMENT, 1),), ((DOCUMENT, 3),))


def lines(folder, *crops: tuple[str, int, str]) -> Folder:
    """A dataset of crops: keys, pages and texts."""
    write_dataset(folder, [page_sample(key, text, page=page, task="crop") for key, page, text in crops], "crops")
    return Folder(str(folder))


def texts(crops) -> dict[str, str]:
    return {c.key: c.text for c in crops}


def test_held_out_lines_are_new_and_each_text_is_taken_once(tmp_path):
    crops = lines(
        tmp_path,
        *[("a1", 0, "learned"), ("a2", 1, "learned"), ("a3", 1, " new  line "), ("a4", 1, "new line"), ("a5", 1, "to be read")],
        *[("a8", 3, "to be read"), ("a9", 1, "\u200b"), ("b1", 4, "in no pool")],
    )
    held_out = HeldOut.read(crops, [RUSSIAN], 10)
    assert {lang: texts(of_it) for lang, of_it in held_out.test.items()} == {"ru": {"a3": "new line"}}
    assert held_out.learned == {"learned"}
    assert all(c.image for c in held_out.test["ru"])


def test_held_out_lines_are_at_most_so_many_and_drawn_by_their_keys(tmp_path):
    crops = lines(tmp_path, *[(f"a{i:02d}", 1, f"line {i}") for i in range(30)])
    drawn = HeldOut.read(crops, [RUSSIAN], 7).test["ru"]
    assert len(drawn) == 7
    assert [c.key for c in drawn] == sorted(c.key for c in drawn)
    more = {c.key for c in HeldOut.read(crops, [RUSSIAN], 12).test["ru"]}
    assert {c.key for c in drawn} < more
    assert sorted(more) != [f"a{i:02d}" for i in range(12)]


def test_a_training_reads_the_lines_of_its_pages_and_script_alone(tmp_path):
    samples = [
        page_sample("b", "text", page=0, task="crop"),
        page_sample("a", "other page", page=0, task="crop"),
        page_sample("c", "other language", lang="sr", page=0, task="crop"),
        page_sample("d", "not to train on", page=1, task="crop"),
        page_sample("e", "  ", page=0, task="crop"),
        page_sample("f", "ελ", lang="el", script="Grek", sha256="cd" * 32, task="crop"),
    ]
    write_dataset(tmp_path / "crops", samples, "crops")
    pages = PlaceFile.write(Folder(str(tmp_path)), "pages.json", {(DOCUMENT, 0): "ru", ("cd" * 32, 0): "el"})
    task = FitTask("Cyrl", "Cyrl", Fit(steps=1, learning_rate=1e-3), pages, str(tmp_path / "crops"), str(tmp_path), "")
    assert texts(task.lines()) == {"a": "other page", "b": "text"}
    assert [c.key for c in task.lines()] == ["a", "b"]
    crops = Folder(str(tmp_path / "crops"))
    assert texts(read_crops(crops, rows_of_pages(crops, pages.languages()))) == {"a": "other page", "b": "text", "f": "ελ"}


def test_a_page_that_came_twice_is_trained_on_once(tmp_path):
    origins = {parent: Origin(f"/in/{parent}.pdf", DOCUMENT, 0, parent=parent) for parent in "ba"}
    samples = [
        page_sample(f"{parent}-{n}", f"line {n}", task="crop", origin=o) for parent, o in origins.items() for n in range(3)
    ]
    write_dataset(tmp_path / "crops", samples, "crops")
    rows = rows_of_pages(Folder(str(tmp_path / "crops")), {(DOCUMENT, 0): "ru"})
    assert [row["key"] for row in rows] == ["b-0", "b-1", "b-2"]


def test_of_the_round_before_a_training_reads_the_lines_of_the_other_fold_alone(tmp_path):
    samples = [
        page_sample("a", "in the other fold", page=5, task="crop"),
        page_sample("b", "in its own fold", page=6, task="crop"),
        page_sample("c", "ελ", lang="el", script="Grek", page=5, task="crop"),
    ]
    write_dataset(tmp_path / "crops", [page_sample("d", "trusted", page=0, task="crop")], "crops")
    write_dataset(tmp_path / "round-1", samples, "round-1")
    folder, fit = Folder(str(tmp_path)), Fit(steps=1, learning_rate=1e-3)
    pages = PlaceFile.write(folder, "pages.json", {(DOCUMENT, 0): "ru"})
    other = PlaceFile.write(folder, "fold_b.json", {(DOCUMENT, 5): "ru"})
    before = str(tmp_path / "round-1")
    task = FitTask("Cyrl-a", "Cyrl", fit, pages, str(tmp_path / "crops"), "", "", before, "Cyrl", other)
    assert [c.text for c in task.lines()] == ["trusted", "in the other fold"]
