"""Who is one voter."""

import pytest

from datagen.agreement import families
from tests.inputs.agreement import page, region


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ppocr", "PP-OCRv6"),
        ("script", "flywheel/round-2"),
        ("deepseek-ai/DeepSeek-OCR", "Unlimited-OCR"),
        ("tesseract", "tesserocr"),
    ],
)
def test_readers_of_one_network_or_training_set_are_one_family(one, other):
    assert families.family(one) == families.family(other) != ""


def test_others_are_families_of_their_own():
    names = ["ppocr", "tesseract", "script", "pymupdf", "olmOCR-2", "some/model", "person/ada"]
    assert len({families.family(name) for name in names}) == len(names)


def test_who_puts_lines_into_cells_votes_as_who_read_them():
    table = region("<table><tr><td>a</td></tr></table>", by="tables", format="html")
    assert families.voter("tables", page([region("words", by="tesseract"), table])) == "tesseract"


def test_readers_that_err_alike_are_one_voter(monkeypatch):
    monkeypatch.setattr(
        families, "CORRELATED", {frozenset({"a", "b"}): 0.6, frozenset({"b", "c"}): 0.7, frozenset({"c", "d"}): 0.1}
    )
    assert families.merged("a") == families.merged("b") == families.merged("c") == "a"
    assert families.merged("d") == "d"


def test_the_order_is_a_models_or_the_files_or_the_rules():
    assert families.order_voter(page([region("a")], stage="coarse")) == "text layer"
    assert families.order_voter(page([region("a")], stage="fine")) == "rules"
    made = page([region("a")], stage="agreed")
    assert families.order_voter(made) == "model-a"
