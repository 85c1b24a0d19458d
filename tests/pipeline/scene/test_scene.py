"""The recipe of scenes: a folder of pictures is read and judged, scenes are composed, and the datasets are like all others."""

import json
import random
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
from PIL import Image

from datagen.disk import marks
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.drawing.typefaces import text_faces
from datagen.record import SampleError
from datagen.samples import declarations, photographs
from datagen.scene.maker import Scenes, photograph_of
from datagen.scene.read_scene import ReadScene
from recipes import RECIPES
from recipes import scene as scene_recipe
from recipes.__main__ import main
from recipes.recipe import Recipe
from recipes.words.words import Entry
from tests.outputs import check_corpus, dataset_samples

pytestmark = pytest.mark.skipif(not text_faces(), reason="no typefaces here")

DRAWS = 8


def recipe(input: str = "") -> Recipe:
    """The recipe with two pictures a shard, and with a few composed scenes on the photograph beside `input`."""
    pictures, *others = scene_recipe.scene(input).steps
    maker = Scenes(f"{input}/../photographs", ("he",))
    drawn = scene_recipe.composed(maker.source, 0, 0)
    drawn = replace(
        drawn,
        census=replace(drawn.census, count=DRAWS, block=2),
        source=replace(drawn.source, maker=maker, shard_draws=DRAWS // 2),
    )
    pictures = replace(pictures, source=replace(pictures.source, shard_images=2))
    alike, report = (replace(step, datasets=("scene", "drawn_scenes")) for step in others)
    return Recipe("scenes", (pictures, drawn, alike, report))


@pytest.fixture(scope="module", autouse=True)
def scenes_recipe():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "scenes", Entry("tests.pipeline.scene.test_scene:recipe"))
        patch.setattr(declarations, "codes", lambda: [])
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A sign with a caption, a copy of it as another file, a picture without text, and one that is cut short."""
    root = tmp_path_factory.mktemp("scenes")
    (root / "in").mkdir()
    (root / "photographs").mkdir()
    x, y = numpy.mgrid[0:300, 0:400]
    plain = Image.fromarray(numpy.stack([x % 256, (x + y) // 3, y % 256], 2).astype(numpy.uint8))
    plain.resize((800, 600)).save(root / "photographs/plain.jpg")
    maker = Scenes(f"{root}/photographs", ("en",), ("shop",))
    sign = next(sign for i in range(99) if max((sign := maker.draw(random.Random(i))).size) <= 640 and len(sign.text) > 8)
    (root / "in/a.jpg").write_bytes(sign.image)
    (root / "in/a.txt").write_text(f"A photograph of {sign.text}")
    with Image.open(root / "in/a.jpg") as picture:
        picture.resize((picture.width * 3 // 4, picture.height * 3 // 4)).save(root / "in/b.jpg", quality=60)
    plain.save(root / "in/c.jpg")
    (root / "in/d.jpg").write_bytes(sign.image[:4000])
    return root


@pytest.fixture(scope="module")
def out(folder):
    assert main(["scenes", f"input={folder}/in", f"out={folder}/out", "on=inline"]) == 0
    return folder / "out"


def test_pictures_are_read_and_what_gives_nothing_is_dropped(out):
    by_name = {Path(s.origin.uri).name: s for s in dataset_samples(Folder(f"{out}/scene"))}
    assert {"a.jpg", "b.jpg"} <= {*by_name} <= {"a.jpg", "b.jpg", "c.jpg"}
    sign = by_name["a.jpg"]
    assert sign.caption.startswith("A photograph of") and sign.quality.signals["caption_agreement"] > 0.5
    assert all(len(line.polygon) >= 4 for region in sign.regions for line in region.lines)
    drops = {Path(drop.uri).name: drop.reason for report in read_reports(Folder(f"{out}/scene")) for drop in report.drops}
    assert drops["d.jpg"] == "damaged_image" and drops.get("c.jpg", "no_text") in ("no_text", "unread_text")
    check_corpus(out, name="scene")


def test_scenes_are_composed(out):
    samples = dataset_samples(Folder(f"{out}/drawn_scenes"))
    assert len(samples) >= DRAWS / 2 and {sample.lang for sample in samples} == {"he"}
    assert all(s.quality.verdict == "trusted" and s.metadata["name"] == "plain.jpg" for s in samples)
    check_corpus(out, name="drawn_scenes")


def test_no_sign_is_drawn_on_a_photograph_with_text(folder, tmp_path, caplog):
    (tmp_path / "own").mkdir()
    for name, source in {"sign.jpg": "in/a.jpg", "plain.jpg": "in/c.jpg"}.items():
        shutil.copy(folder / source, tmp_path / "own" / name)
    names = {photograph_of(str(tmp_path / "own"), random.Random(n)).name for n in range(9)}
    assert names == {"plain.jpg"} and caplog.text.count("sign.jpg, on which text was found") == 1
    (tmp_path / "own/plain.jpg").unlink()
    photographs.photographs.cache_clear()
    with pytest.raises(SampleError, match="text_in_photographs"):
        Scenes(str(tmp_path / "own"), ("he",)).draw(random.Random(0))


def test_the_report_shows_each_picture_with_its_polygons_and_its_order(out):
    page = (out / "report/index.html").read_text()
    shown = [json.loads(data) for data in re.findall(r'id="scene-page-[^"]*">(.*?)</script>', page)]
    assert len(shown) == len(dataset_samples(Folder(f"{out}/scene"))) and '"show":"loi"' in page
    assert any(line[7] for one in shown for region in one["regions"] for line in region["lines"])
    assert "A photograph of" in page and "caption_agreement" in page
    assert 'id="drawn_scenes-pages"' in page and '"dir":"rtl"' in page


def test_a_picture_is_forgotten_for_good(out, folder):
    copy = folder / "forgetful"
    shutil.copytree(out, copy)
    (uri,) = {s.origin.uri for s in dataset_samples(Folder(f"{copy}/scene")) if s.origin.uri.endswith("a.jpg")}
    assert main(["forget", f"out={copy}", f"uri={uri}"]) == 0
    assert uri not in {s.origin.uri for s in dataset_samples(Folder(f"{copy}/scene"))}
    assert marks.read(Folder(f"{copy}/scene")).num_rows == 0  # its copy is none any more
    assert main(["scenes", f"input={folder}/in", f"out={copy}", "on=inline"]) == 0
    assert uri not in {s.origin.uri for s in dataset_samples(Folder(f"{copy}/scene"))}
    assert "A photograph of" not in (copy / "report/index.html").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["list=wukong"], "input=WHERE, which is missing"),
        (["input=.", "only=max_punsafe"], "no NAME:VALUE with a name of drop_opted_out"),
        (["input=.", "only=max_punsafe:low"], "max_punsafe takes a number, not 'low'"),
        (["input=.", "judge=negatives:2"], "judge=negatives:2: shares of JudgeScene are from 0 to 1"),
        (["input=.", "judge=languages:zh:some"], "languages takes pairs such as en:0.5, joined by a plus, not 'zh:some'"),
        (["input=.", "only=nsfw:a,nsfw:b"], "nsfw is given twice"),
        (["input=.", "reader=."], "no reader is there that a flywheel's round trained"),
        (["input=.", "engines=tables:none"], "scenes are read by a detector and a reader of lines"),
        (["input=.", "list=laion2B-en"], "list=laion2B-en"),
    ],
)
def test_wrong_words_are_refused(words, message, tmp_path, capsys):
    assert main(["scene", *words, f"out={tmp_path}/out", "plan=1"]) == 2
    assert message in capsys.readouterr().err


def test_words_choose_pictures_readers_and_what_a_scene_is_worth():
    (plain,) = (stage for stage in scene_recipe.scene(".").steps[0].stages if isinstance(stage, ReadScene))
    only, judge = "max_punsafe:0.1,licences:cc-by+cc0,min_size:64,keep_unknown:1", "min_sure:0.95,languages:zh:0.5+other:0.1"
    engines = "lines:ppocr?device=gpu&batch_size=64"
    filters, reader, worth, *_ = scene_recipe.scene(".", only=only, engines=engines, judge=judge, seed=3).steps[0].stages
    assert (filters.max_punsafe, filters.licences, filters.min_size) == (0.1, ("cc-by", "cc0"), 64)
    assert filters.keep_unknown and filters.drop_opted_out
    assert dict(reader.lines.settings) == {"device": "gpu", "batch_size": 64}
    assert (reader.batch_size, reader.needs.gpus, plain.batch_size) == (scene_recipe.TOGETHER, 1, 1)  # a GPU reads batches
    assert (worth.min_sure, worth.languages, worth.seed) == (0.95, (("zh", 0.5), ("other", 0.1)), 3)
