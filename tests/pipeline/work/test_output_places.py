"""Where an output lies: in memory, moved, in the way of something, in somebody else's folder."""

import shutil

import pytest

from datagen.disk.storage import Folder
from recipes.run.execute import Place, run
from recipes.verbs.status import verify
from tests.outputs import files, make, recipe


@pytest.mark.parametrize("overwrite", [False, True])
def test_somebody_elses_folder_is_left_alone(corpus, tmp_path, overwrite):
    (tmp_path / "out/coarse").mkdir(parents=True)
    (tmp_path / "out/coarse/README.md").write_text("my thesis")
    with pytest.raises(ValueError, match=r"holds README\.md, and no dataset of pagewheel"):
        make(corpus, tmp_path / "out", overwrite=overwrite)
    assert (tmp_path / "out/coarse/README.md").read_text() == "my thesis"


def test_an_output_whose_name_holds_a_colon(corpus, tmp_path):
    assert make(corpus, tmp_path / "a::b") == 0
    assert verify(str(tmp_path / "a::b"))[1]
    assert not (tmp_path / "a").exists()


def test_a_file_in_the_way_of_the_output(corpus, tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(ValueError, match="a file is in the way"):
        make(corpus, tmp_path / "out")


def test_an_output_in_memory(corpus):
    out = "memory://pagewheel-test-out"
    assert run(recipe(corpus), Place(out, "inline")) == 0
    said, clean = verify(out)
    assert clean, said
    assert Folder(out).exists("report/index.html")


def test_the_output_can_be_moved(corpus, tmp_path):
    make(corpus, tmp_path / "out")
    shutil.move(tmp_path / "out", tmp_path / "elsewhere")
    assert verify(str(tmp_path / "elsewhere"))[1]
    shutil.copytree(tmp_path / "elsewhere/coarse", tmp_path / "my corpus")
    assert verify(str(tmp_path / "my corpus"))[1]
    before = files(tmp_path / "elsewhere/coarse")
    assert make(corpus, tmp_path / "elsewhere") == 0
    assert files(tmp_path / "elsewhere/coarse") == before
