"""Verdicts that rest on the ink, through the coarse recipe itself: from PDF to shard."""

import random

import pytest

from datagen.disk.storage import Folder
from datagen.drawing.prose import Prose
from datagen.drawing.sheet import Sheet
from datagen.drawing.typeset import Style
from recipes.coarse import coarse
from recipes.recipe import Recipe
from recipes.run.execute import Place, run
from tests.inputs.damage import damage
from tests.inputs.typeset import typeset
from tests.inputs.udhr import UDHR
from tests.outputs import dataset_samples, shards


def write_documents(folder):
    """True documents and others that lie, a page each, in a script that PP-OCRv6 reads and in one that no engine does; and what
    the recipe makes of them in one process."""
    folder = folder / "in"
    folder.mkdir()
    for script in ("Latn", "Geor"):
        lang, text = UDHR[script]
        words = text.split()
        paragraphs = [" ".join(words[i:] + words[:i]) for i in range(3)]
        pdf = typeset(paragraphs, lang, Style(size_pt=12), max_pages=1).pdf
        (folder / f"{script}.pdf").write_bytes(pdf)
        (folder / f"{script}-permuted.pdf").write_bytes(damage(pdf, "permuted"))
    (folder / "Latn-outlined.pdf").write_bytes(damage((folder / "Latn.pdf").read_bytes(), "outlined"))
    made(folder, folder.parent / "out")


def made(documents, out, on="inline"):
    recipe = coarse(str(documents))
    assert run(Recipe("coarse", recipe.steps[:1]), Place(str(out), on)) == 0
    return out


@pytest.fixture(scope="module")
def judged(shared):
    return shared("ink-verdicts", write_documents)


def test_true_layers_are_trusted_and_lies_are_not(judged):
    pages = {s.origin.uri.rsplit("/")[-1][:-4]: s.quality for s in dataset_samples(Folder(str(judged / "out/coarse")))}
    assert {name: q.verdict for name, q in pages.items() if "-" not in name} == {"Latn": "trusted", "Geor": "trusted"}
    assert "ink_disagrees" in pages["Latn-permuted"].reasons
    assert "ink_disagrees" in pages["Geor-permuted"].reasons
    assert pages["Latn-outlined"].reasons == ("ink_without_text", "incomplete")
    assert pages["Latn-outlined"].words_hold


def test_vertical_text_is_compared_too(tmp_path):
    lang, text = UDHR["Jpan"]
    sheet = Sheet(Prose(lang, [text], random.Random(0)), (842, 595), vertical=True)
    sheet.text("text", text * 4, 56, 56, 700, 12, leading=1.8)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "vertical.pdf").write_bytes(sheet.pdf())
    (page,) = dataset_samples(Folder(str(made(tmp_path / "in", tmp_path / "out") / "coarse")))
    assert {line.direction for region in page.regions for line in region.lines} == {"ttb"}
    assert (page.quality.verdict, page.quality.reasons) == ("trusted", ())


def test_workers_give_the_verdicts_that_one_process_gives(judged, cluster, tmp_path):
    assert shards(made(judged / "in", tmp_path / "two", cluster)) == shards(judged / "out") != {}
