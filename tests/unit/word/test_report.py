"""What the report says of Word documents: figures counted from samples and drops."""

import ast
import re
from pathlib import Path

import pytest

from datagen import word
from datagen.record import LABELS, Drop, Origin, Quality, Range, Sample
from datagen.word.reasons import REASONS
from recipes.steps.word_tally import counted, lines
from tests.inputs.samples import sample


def made(document: str, page: int, suffix: str = "", **signals: float) -> Sample:
    """A page of a document with three formulas and two tables, or what was cut out of it."""
    origin = Origin(f"/in/{document}", "ab" * 32, page, parent=f"k-{page:06d}" if suffix else "")
    task = {"": "page", "f": "formula", "t": "table"}[suffix[1:2]]
    shown = {} if suffix else {"shows_formulas": "0" if page == 0 else "", "shows_tables": "0 1" if page == 1 else ""}
    of_document = {"formulas": "3", "tables": "2"}
    quality = Quality("trusted", signals=signals)
    return sample(f"k-{page:06d}{suffix}", task=task, origin=origin, quality=quality, metadata=of_document | shown)


def dropped(document: str, page: int, suffix: str, reason: str) -> Drop:
    return Drop(f"k-{page:06d}{suffix}", f"/in/{document}", Range(page, page + 1), "WordSource", reason)


SAMPLES = [
    made("a.docx", 0, text_distance=0.0),
    made("a.docx", 1, text_distance=0.018),
    made("a.docx", 0, "-f0000", formula_agreement=0.9),
    made("a.docx", 1, "-f0001", undrawn_unknown_command=1.0),
    made("a.docx", 0, "-t0000", structure_equal=1.0, text_distance=0.0),
    made("a.docx", 2, "-t0001-1", structure_equal=0.0, text_distance=0.01),
]
DROPS = [
    dropped("a.docx", 1, "-f0002", "formula_not_katex"),
    dropped("a.docx", 1, "-t0000-1", "table_text_differs"),  # on a page that was kept, which shows the table
    dropped("a.docx", 2, "-t0001-2", "table_text_differs"),  # on one that wasn't
    dropped("a.docx", 2, "", "page_text_differs"),
    dropped("b.docx", 0, "", "not_rendered"),
    dropped("b.docx", 0, "-f0003", "not_rendered"),
    Drop("", "/in/c.docx", None, "WordSource", "encrypted"),
]


def summary(samples=SAMPLES, drops=DROPS) -> dict:
    return counted(samples, drops)


def test_what_came_out_is_counted_against_the_xml():
    counts = summary()
    assert counts["documents"] == (1, 3)
    assert counts["formulas"] == (2, 3 + 4)  # b.docx has lost its fourth formula, so it has four
    assert counts["tables"] == (1, 2)  # of the second a piece is missing
    assert (counts["parsed"], counts["tokens"]) == ((2, 3), (3, 3))
    assert (counts["drawn"], counts["undrawn"], counts["likeness"]) == ((1, 2), {"unknown_command": 1}, 0.9)
    assert counts["structure"] == (1, 2)
    assert counts["pages"] == (2, 4)
    assert (counts["within"], counts["worst_distance"]) == ((2, 2), 0.018)
    assert counts["distance"] == pytest.approx(0.009)


def test_a_suspect_page_wasnt_kept():
    page = made("a.docx", 1, text_distance=0.018)
    counts = summary([page.with_quality("suspect", ("formula_unlike",)), *SAMPLES[2:]])
    assert counts["pages"] == (0, 3) and counts["within"] == (0, 0)
    assert counts["tables"] == (0, 2)  # its first table had lost a piece there


def strings_of_reasons() -> set[str]:
    """The strings in the code that reads Word files which are reasons: what errors and refusals are made with, and what has
    the form of one."""
    named = re.compile(r"(?:formula|table|page|text|equation)(?:_[a-z]+)+|no_text")
    others = {*LABELS, "text_distance"}
    reasons: set[str] = set()
    for file in Path(word.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("SampleError", "Refusal"):
                reasons |= {a.value for a in node.args[:1] if isinstance(a, ast.Constant)}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and named.fullmatch(node.value):
                reasons.add(node.value)
    return reasons - others


def test_every_reason_has_its_sentence_and_is_used():
    reasons = strings_of_reasons()
    assert {"formula_not_katex", "page_text_differs", "zip_bomb", "table_not_placed"} <= reasons
    assert reasons - REASONS.keys() == set()
    assert all(sentence.endswith(".") for sentence in REASONS.values())


def test_figures_are_told_with_their_numerators():
    figures = dict(lines(summary()))
    assert figures["formulas of the XML that came out"] == "2 of 7 (28.6%)"
    assert figures["distance of kept pages"] == "0.0090 on average, 0.0180 at worst"
    assert figures["formula samples that can’t be drawn"] == "1 unknown_command"
    assert {figure for _, figure in lines(summary([], []))} == {"none there"}
