"""Typeset pages in many layouts: their ground truth is what they show."""

import io

import numpy
import pymupdf
import pytest
from PIL import Image

from datagen.samples.declarations import Declaration
from datagen.score import facts, pages, parts, scores
from datagen.score.text import bare
from tests.inputs.udhr import UDHR
from tests.typeset import pages as typeset_pages

CODES = {"eng": "Latn", "arb": "Arab", "jpn": "Jpan"}
NAMES = ("paper_en", "columns_ar", "tiers_ja", "tables_en")


@pytest.fixture(autouse=True)
def carried_text(monkeypatch):
    """The package with the whole text is fetched: tests go without it."""

    def declaration(code):
        lang, text = UDHR[CODES[code]]
        pieces = text.split(" ") if " " in text else list(text)
        glue = " " if " " in text else ""
        return Declaration(code, lang, tuple(glue.join(pieces[n:] + pieces[:n]) for n in range(0, len(pieces), 3)))

    monkeypatch.setattr(typeset_pages, "declaration", declaration)


@pytest.mark.parametrize("name", NAMES)
def test_boxes_hold_the_ink_and_the_text_is_the_files(name):
    ((_, pdf, png, truth),) = typeset_pages.pages(only=name)
    gray = numpy.asarray(Image.open(io.BytesIO(png)).convert("L")).copy()
    assert gray.shape == (truth["page_info"]["height"], truth["page_info"]["width"])
    for region in truth["layout_dets"]:
        x0, y0, x1, y1 = (round(region["poly"][n]) for n in (0, 1, 4, 5))
        assert gray[y0:y1, x0:x1].min() < 128, region  # something is in it
        gray[max(0, y0 - 2) : y1 + 2, max(0, x0 - 2) : x1 + 2] = 255
    assert (gray < 128).mean() < 0.002  # and nothing but rules is outside
    texts = [region["text"] for region in truth["layout_dets"] if "text" in region]
    with pymupdf.open("pdf", pdf) as document:
        layer = document[0].get_text()
    tables = [scores.predicted_text(parts.parts(region["html"])) for region in truth["layout_dets"] if "html" in region]
    if name != "columns_ar":  # Cairo writes Arabic as glyphs, in an order of their own
        letters = sorted("".join(map(bare, texts)) + "".join(tables))
        formulas = [region for region in truth["layout_dets"] if "latex" in region]
        assert abs(len(sorted(bare(layer))) - len(letters)) <= 12 * len(formulas)


def test_a_page_is_the_same_twice_and_another_with_another_seed():
    first, again, other = (next(typeset_pages.pages(seed, "tables_en"))[1:3] for seed in (0, 0, 1))
    assert first == again
    assert first[1] != other[1]


def test_paragraphs_that_are_cut_by_a_column_are_related_and_read_in_order():
    ((_, _, _, truth),) = typeset_pages.pages(only="tiers_ja")
    (cut,) = [r for r in truth["extra"]["relation"] if r["relation_type"] == "truncated"][:1]
    first, second = (truth["layout_dets"][cut[end]] for end in ("source_anno_id", "target_anno_id"))
    assert second["order"] == first["order"] + 1
    assert second["poly"][0] > first["poly"][0]  # the second tier begins on the right
    assert second["poly"][1] > first["poly"][5]


def test_the_truth_scores_perfectly_against_itself_and_its_facts_hold(tmp_path):
    typeset_pages.write(tmp_path, only="tables_en")
    (true,) = pages.truths(str(tmp_path / "pages.json"))
    markdown = "\n\n".join(block.text for block in true.blocks if block.order is not None)
    values, broken = scores.of_page(true, markdown)
    assert [values[name][0] / values[name][1] for name in ("page", "teds", "teds_s")] == [0, 1, 1]
    assert values["teds"][1] == 2 and not broken
    read = facts.facts(str(tmp_path / "facts.jsonl"))
    assert {fact.type for fact in read} >= {"order", "present", "table"}
    outcomes = facts.check(read, [pages.PredictedPage(("tables_en",), markdown)])
    assert all(outcome.holds for outcome in outcomes), [outcome for outcome in outcomes if not outcome.holds]
