"""Word documents of many languages with known truth: their pages say what was written."""

import re
import unicodedata

import pytest

from datagen.tables import cells as tables
from tests.inputs.word.documents import LANGUAGES, WordDocument, documents
from tests.office import needs_office
from tests.word_pages import Pages, read_all

pytestmark = needs_office


def letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFC", text) if c.isalnum() or unicodedata.category(c)[0] == "M").casefold()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[WordDocument, Pages]]:
    """A document of each language, with its pages."""
    folder = tmp_path_factory.mktemp("word")
    made = documents(folder, len(LANGUAGES), first=8)
    pages = read_all([document.path for document in made], folder)
    return [(document, pages[document.path.stem]) for document in made]


def test_drawn_documents_give_nearly_all_of_their_pages(drawn: list[tuple[WordDocument, Pages]]) -> None:
    pages = [page for _, pages in drawn for page in pages.pages if page.reason != "no_text"]
    complete = [page for page in pages if not page.reason]

    assert {page.reason for page in pages} <= {"", "table_spans_differ", "formula_not_placed"}
    assert len(complete) >= 0.8 * len(pages)
    assert all(page.signals["text_distance"] <= 0.005 for page in complete)


def test_drawn_documents_say_all_that_is_shown_and_nothing_hidden(drawn: list[tuple[WordDocument, Pages]]) -> None:
    for document, pages in drawn:
        text = letters(re.sub(r"\\\(.*?\\\)", "", pages.text))
        lacking = [shown for shown in document.shown if letters(shown) not in text]

        assert len(lacking) <= 0.02 * len(document.shown), (document.path.name, lacking)  # what a page break divides
        assert not any(hidden in pages.text for hidden in document.hidden)


def test_drawn_documents_give_their_formulas_in_order(drawn: list[tuple[WordDocument, Pages]]) -> None:
    for document, pages in drawn:
        cuts = {cut.number: cut.text for page in pages.pages for cut in page.cuts if cut.kind == "formula"}

        lost = {loss.number for page in pages.pages for loss in page.lost if loss.kind == "formula"}

        assert cuts == {n: "".join(tokens) for n, tokens in enumerate(document.formulas) if n not in lost}
        assert len(lost) <= 0.05 * len(document.formulas)


def test_drawn_documents_give_their_tables_with_spans(drawn: list[tuple[WordDocument, Pages]]) -> None:
    num_whole = 0
    for document, pages in drawn:
        cuts = [cut for page in pages.pages for cut in page.cuts if cut.kind == "table"]
        lost = [lost for page in pages.pages for lost in page.lost if lost.kind == "table"]
        assert {cut.number for cut in cuts} | {loss.number for loss in lost} == set(range(len(document.tables)))
        for number, spans in enumerate(document.tables):
            pieces = [cut for cut in cuts if cut.number == number]
            if len(pieces) == 1 and not any(loss.number == number for loss in lost):
                cells = tables.parse(pieces[0].text, is_strict=True).cells
                rows = tuple(tuple((c.rows, c.columns) for c in cells if c.row == row) for row in range(len(spans)))
                assert rows == spans
                num_whole += 1
    assert num_whole >= 8
