"""The recipe of pictures: made here of cut-outs, and others' as they have them."""

import pytest

from datagen.disk.shards import read_report
from datagen.disk.storage import Folder
from datagen.pictures.filter_pictures import FilterPictures
from model.data.ours import open_ours
from recipes.run.execute import run
from recipes.steps import Place
from recipes.vision import vision
from tests.inputs.figures import cutouts
from tests.inputs.picture_files import image, tar
from tests.outputs import check_corpus, dataset_samples

CAPTIONS = {
    "a": "A red square on a wall that has been painted for the occasion.",
    "b": "一个红色的正方形挂在刚刚粉刷过的墙上，旁边什么也没有。",
    "c": "7",
    "d": "",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("vision")
    (root / "stamps").mkdir()
    cutouts.write(root / "stamps")
    with cutouts.packaged(root / "stamps"):
        assert run(vision(limit=50, seed=1), Place(f"{root}/out", "inline")) == 0
    return root / "out"


def test_pictures_of_cut_outs_have_captions_objects_and_a_licence(made):
    samples = dataset_samples(Folder(f"{made}/vision"))
    assert len(samples) == 50 and {s.task for s in samples} == {"caption"} and {s.quality.verdict for s in samples} == {"trusted"}
    assert all(s.caption and s.regions and not s.text for s in samples)
    assert {s.origin.licence for s in samples} == {"GPL-2.0-or-later AND CC-BY-4.0 AND CC-BY-SA-4.0 AND CC-BY-SA-3.0"}
    assert {s.lang for s in samples} == {"en", "de", "fa"}
    check_corpus(made, name="vision")
    assert 'id="vision-index"' in (made / "report" / "index.html").read_text()


def test_captions_of_others_are_taken_as_they_are(tmp_path):
    files = {f"{key}.txt": caption.encode() for key, caption in CAPTIONS.items()}
    tar(tmp_path / "00000.tar", files | {f"{key}.jpg": image((40 * n, 90, 20)) for n, key in enumerate(CAPTIONS)})
    assert run(vision(str(tmp_path / "00000.tar")), Place(f"{tmp_path}/out", "inline")) == 0
    out = Folder(f"{tmp_path}/out/vision")
    samples = dataset_samples(out)
    taken = {(s.caption, s.lang, s.script) for s in samples}
    assert taken == {(CAPTIONS["a"], "en", "Latn"), (CAPTIONS["b"], "zh", "Hans")}
    assert {s.quality.verdict for s in samples} == {"trusted"}
    assert sorted(drop.reason for drop in read_report(out, "vision-000000").drops) == ["no_caption", "short_caption"]
    assert [len(dataset.prompts) for dataset in open_ours(Folder(f"{tmp_path}/out"), ["vision"])] == [6]


def test_words_about_pictures_choose_them_and_need_some(tmp_path):
    tar(tmp_path / "00000.tar", {"a.jpg": image(), "a.txt": b"A red square."})
    assert vision(str(tmp_path), only="max_punsafe:0.1").steps[0].stages[0] == FilterPictures(max_punsafe=0.1)
    for words in ({"list": "wukong"}, {"only": "min_size:9"}):
        with pytest.raises(ValueError, match="it is about the pictures at input=WHERE, which is missing"):
            vision(**words)
