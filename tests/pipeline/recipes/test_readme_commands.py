"""The commands of all READMEs: each recipe can be planned as it stands there, each verb says something of a small output."""

import gzip
import re
import shutil
import zipfile
from pathlib import Path

import dask
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from datagen.disk.storage import Folder
from datagen.engines.compact import Alphabet, CompactConfig, CompactNet, Reader
from datagen.fine.annotate_image import AnnotateImage
from datagen.fine.read_regions import ReadRegions
from recipes import RECIPES, VERBS
from recipes.__main__ import main
from tests.inputs import pdfs
from tests.inputs.samples import page_sample
from tests.outputs import ROOT, SMALL, make_small, write_dataset
from tests.unit.flywheel.rounds.test_set_aside import write_round

PACKAGES = ("datagen", "flywheel", "model", "recipes")
READMES = [ROOT / "README.md", *(path for package in PACKAGES for path in sorted((ROOT / package).rglob("README.md")))]
COMMAND = re.compile(r"^(?: {4}|\| `)make (recipe=\w+|\w+)((?>(?: +\w+=(?:'[^']*'|[^\s`]+))*))(?= |$|`)(?! …)", re.MULTILINE)
"""A line of a block or of a table, unless it says that words are left out. In the middle of a sentence they may be, too."""
COMMANDS = list(dict.fromkeys(command for path in READMES for command in COMMAND.findall(path.read_text(encoding="utf-8"))))
IN_RECIPES = [(name.removeprefix("recipe="), words) for name, words in COMMANDS if name.removeprefix("recipe=") in RECIPES]
OF_VERBS = [command for command in COMMANDS if command[0] in VERBS]
FOR_PEOPLE = re.compile(r"\b(review|audit|gold|patch)=")
"""These words have tests with the answers of a person."""
PLACES = {
    **{"word": "words", "markup": "web", "scene": "pictures", "vision": "pictures", "texts": "texts"},
    **{"a": "a", "b": "b", "truth": "truth"},
}
"""What DIR stands for, by the word or the recipe, below the fixture's folder: PDFs for all others."""


def typed(owner: str, words: str, here: Path) -> list[str]:
    """The words with what lies in `here` in place of what they name."""
    arguments = []
    for name, value in re.findall(r"(\w+)=('[^']*'|\S+)", words):
        parts = value.strip("'").removesuffix(",…").replace("…", "some").split(",")
        parts = ["http://127.0.0.1:9/v1" if part == "URL" else part for part in parts]
        parts = [PLACES.get(name, PLACES.get(owner, "pdfs")) if part == "DIR" else part for part in parts]
        parts = [f"{here}/{part}" if (here / part.partition("/")[0]).exists() else part for part in parts]
        arguments.append(f"{name}={','.join(parts)}")
    return arguments


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """What the commands name: inputs of each kind, lists, archives, and outputs of earlier commands."""
    root = tmp_path_factory.mktemp("readmes")
    for name in ("pdfs/a.pdf", "scans/2024-a.pdf"):
        pdfs.write(root / name, pdfs.lines(pdfs.LATIN))
    for name in ("words", "web", "pictures", "texts", "out", "FOLDER"):
        (root / name).mkdir()
    (root / "words/a.docx").write_bytes(b"PK")
    (root / "web/a.html").write_text("<p>Quiet words.")
    Image.fromarray(np.full((64, 96, 3), 200, np.uint8)).save(root / "pictures/a.jpg")
    (root / "pictures/a.txt").write_text("A grey wall.")
    (root / "texts/a.txt").write_text("Quiet words.")
    Image.fromarray(np.full((32, 200, 3), 200, np.uint8)).save(root / "FOLDER/line.png")
    (root / "FOLDER/line.gt.txt").write_text("Quiet words.")
    pq.write_table(pa.table({"uri": ["pdfs/a.pdf", "gone.pdf"]}), root / "LIST.parquet")
    with zipfile.ZipFile(root / "FILE.zip", "w") as archive:
        archive.write(root / "pdfs/a.pdf", "a.pdf")
    (root / "CID-SMILES.gz").write_bytes(gzip.compress(b"702\tCCO\n"))
    for name in ("coarse", "fine", "label", "multilingual"):
        write_dataset(root / "out" / name / name, [page_sample("a-000000", "word")])
        (root / "out" / name / "recipe.json").write_text(f'{{"recipe": "{name}", "values": {{}}}}')
    (root / "out/mixture").mkdir()
    (root / "NETWORK").mkdir()
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        (root / "NETWORK" / name).touch()
    (root / "out/mixture/mixture.json").write_text('{"datasets": [{"where": "../coarse/coarse"}]}')
    return root


def test_each_recipe_and_verb_is_shown():
    assert {name for name, _ in IN_RECIPES} == RECIPES.keys() and {name for name, _ in OF_VERBS} == VERBS.keys()


@pytest.mark.parametrize(("name", "words"), IN_RECIPES)
def test_a_recipe_is_planned(name, words, here, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")  # a GPU, as some of them need
    for stage in (AnnotateImage, ReadRegions):
        monkeypatch.setattr(stage, "engines", lambda self: {})  # the paper's weights are a hub's
    arguments = [f"out={tmp_path}/out", "plan=1", *typed(name, words, here)]
    given = {argument.partition("=")[0]: argument for argument in arguments}  # what the README says comes last
    with dask.config.set(jobqueue={"slurm": {"queue": "cpu"}, "slurm-train": {"queue": "gpu"}}):
        assert main([name, *given.values()]) == 0
    assert capsys.readouterr().out.startswith(name)


@pytest.fixture(scope="module")
def made(here):
    """The output of a document, and of one that isn't there, with a round's files and a reader that learned nothing."""
    config = CompactConfig(channels=(4, 8, 8), width=32, layers=1, heads=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "small", SMALL)
        assert make_small(here / "LIST.parquet", here / "small") == 0
        for number in (1, 2):
            write_round(Folder(f"{here}/small"), number)
        Reader(CompactNet(config, 8), Alphabet("Cyrl", "абвгдеж"), config, bf16=False).save(Folder(f"{here}/reader"), {})
        yield here / "small"


@pytest.mark.parametrize(("verb", "words"), [command for command in OF_VERBS if not FOR_PEOPLE.search(command[1])])
def test_a_verb_looks_at_an_output(verb, words, made, here, tmp_path, capsys):
    out = shutil.copytree(made, tmp_path / "out")
    places = {"reader": here / "reader", "input": here / "pictures", "uri": here / "pdfs/a.pdf", "reason": "not_found"}
    places |= {"pred": out / "coarse", "gt": out / "coarse", "out": f"{tmp_path}/readings.jsonl" if verb == "read" else out}
    places["to"] = f"{tmp_path}/to{'.json' if verb == 'label_studio' else ''}"
    arguments = [f"{name}={places.get(name, value)}" for name, value in re.findall(r"(\w+)=(\S+)", words)]
    # Its PDFs state no licence.
    arguments += ["on=inline"] * (verb in ("read", "retry")) + ["licences=unstated"] * (verb in ("publish", "export"))
    assert main([verb, *arguments]) == 0
    assert verb in ("report", "retry", "read") or capsys.readouterr().out.strip()
