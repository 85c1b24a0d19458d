"""What a training's `Data` may be: datasets of the output and elsewhere, rows, tars and texts, told apart by their names."""

import io
import json
import tarfile

import pytest

from datagen.storage import Folder
from model.train.data import open_all
from model.train.step import Data, Train
from tests.model.lines import EIGHT, line_crop, rendered, write_dataset


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for name in ("a", "b"):
        write_dataset(Folder(str(root / name)), "coarse", [[line_crop(text, f"{name}{n}") for n, text in enumerate(EIGHT)]])
    (root / "0.jpg").write_bytes(rendered("mine"))
    (root / "mine.jsonl").write_text(json.dumps({"image": "0.jpg", "prompt": "Read.", "answer": "mine"}))
    (root / "prose.txt").write_text("One line.\nAnother.\n")
    with tarfile.open(root / "part-0.tar", "w") as tar:
        for name, data in (("x.jpg", rendered("x")), ("x.json", b'{"text": "x"}')):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return root


def names(root, *datasets):
    opened = open_all(Train(datasets=datasets), Folder(str(root / "a")))
    return [[dataset.name for dataset in of_one] for _, of_one in opened.places], opened.folders


def test_every_kind(root):
    tar = Data(f"{root}/part-0.tar", members=(("answer", "json:text"),))
    found, folders = names(root, "coarse", f"{root}/mine.jsonl", tar, Data(f"{root}/prose.txt", "text"))
    assert found == [["coarse crop"], ["mine.jsonl"], ["part-0.tar"], ["prose.txt"]] and folders == ("coarse",)


def test_datasets_of_one_name_are_told_apart_by_their_paths(root):
    found, folders = names(root, f"{root}/a/coarse/", f"{root}/b/coarse", f"{root}/mine.jsonl")
    assert found == [["a/coarse crop"], ["b/coarse crop"], ["mine.jsonl"]] and folders == ()


def test_a_dataset_is_that_of_the_first_name_that_fits(root):
    assert names(root, "c*", "coarse")[0] == [["coarse crop"], []]


def test_what_is_none_is_refused(root):
    with pytest.raises(ValueError, match=r"data has .*/prose.txt: it is no .jsonl file, no .tar, and no dataset.*group 'text'"):
        names(root, f"{root}/prose.txt")
    with pytest.raises(ValueError, match=r"part-0.tar with members answers: allowed are images, answer, prompts, lang, group"):
        names(root, Data(f"{root}/part-0.tar", members=(("answers", "txt"),)))
    with pytest.raises(ValueError, match="there is no such file"):
        names(root, f"{root}/nothing.jsonl")
