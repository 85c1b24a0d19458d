"""Word files, drawn by LibreOffice: the same bytes from one process, from two workers, and after a SIGKILL amid a shard."""

from dataclasses import replace

import pytest

from datagen.word.source import WordSource
from recipes.recipe import Recipe
from recipes.run.execute import run
from recipes.steps import Place
from recipes.word import word
from tests.inputs.word import formulas as maths
from tests.inputs.word import xml as xml
from tests.office import needs_office
from tests.outputs import check_corpus, shards
from tests.programs import is_running, killed_when

pytestmark = [pytest.mark.slow, needs_office, pytest.mark.timeout(900)]

RUN = "import sys; from tests.robustness.test_word_kill import make; sys.exit(make(*sys.argv[1:4]))"
NUM_DOCUMENTS = 6


def make(folder: str, out: str, on: str) -> int:
    """The recipe with two documents a shard."""
    documents, *others = word(folder).steps
    small = replace(documents, source=WordSource(shard_pages=2, long_side=900))
    return run(Recipe("word", (small, *others)), Place(out, on, 2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("documents")
    for i in range(NUM_DOCUMENTS):
        formula = maths.inline(maths.fraction(maths.text("a"), maths.text(str(i))))
        xml.write_docx(path / f"{i}.docx", xml.paragraph(xml.run(f"Document number {i} has "), formula) + xml.section())
    return path


@pytest.fixture(scope="module")
def undisturbed(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    assert make(str(folder), str(out), "inline") == 0
    check_corpus(out, name="word")
    assert len(shards(out, "word")) == NUM_DOCUMENTS / 2
    return shards(out, "word")


def test_two_workers_give_the_bytes_of_one(folder, undisturbed, tmp_path):
    assert make(str(folder), str(tmp_path / "out"), "local") == 0
    assert shards(tmp_path / "out", "word") == undisturbed


def test_a_killed_run_goes_on_to_the_same_bytes_and_leaves_no_office_behind(folder, undisturbed, tmp_path):
    out = tmp_path / "out"

    def draws() -> bool:
        return any((out / "word/shards").glob("*.json")) and is_running("soffice")

    assert killed_when(draws, RUN, folder, out, "inline") == []
    assert 0 < len(list((out / "word/shards").glob("*.json"))) < len(undisturbed)
    assert make(str(folder), str(out), "inline") == 0
    assert shards(out, "word") == undisturbed
