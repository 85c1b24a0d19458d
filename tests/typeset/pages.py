"""Thirty typeset pages in many layouts, languages and scripts, as PNG and PDF, with ground truth in OmniDocBench's form.

`write` gives a folder `images/`, `pdf/`, `pages.json`, and `facts.jsonl`: tests in olmOCR-bench's form over the same pages
(heads and feet absent, order in and across columns, cells beside cells). The same seed, fonts and libraries give the same bytes.
The texts are those of the Universal Declaration of Human Rights: its sentences have a sense, what a page says has none. Footnotes
come last in the order of reading here; OmniDocBench gives them no place.
"""

import html
import json
import random
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pymupdf

from datagen.drawing.prose import Prose
from datagen.drawing.sheet import SetRegion, Sheet
from datagen.samples.declarations import declaration
from tests.typeset import layouts

_SLIDE = {"size_pt": (720, 405), "dpi": 128, "serif": False}
_TURNED = {"size_pt": (842, 595), "vertical": True}
LAYOUTS: tuple[tuple[str, Callable[[Sheet], None], str, str, dict[str, Any]], ...] = (
    ("article_en", layouts.article, "eng", "single_column", {}),
    ("dictionary_it", layouts.dictionary, "ita", "three_column", {"dpi": 200}),
    ("paper_en", layouts.paper, "eng", "1andmore_column", {"dpi": 200}),
    ("newsletter_en", layouts.newsletter, "eng", "three_column", {"serif": False}),
    ("newspaper_en", layouts.newspaper, "eng", "other_layout", {"dpi": 200}),
    ("newspaper_zh", layouts.newspaper, "cmn_hans", "other_layout", {"dpi": 200}),
    ("sidebar_fr", layouts.sidebar, "fra", "other_layout", {"serif": False}),
    ("figures_fr", layouts.figures, "fra", "double_column", {}),
    ("figures_zh", layouts.figures, "cmn_hans", "double_column", {"serif": False}),
    ("footnotes_de", layouts.footnotes, "deu_1996", "single_column", {"dpi": 120}),
    ("footnotes_ru", layouts.footnotes, "rus", "single_column", {}),
    ("lists_en", layouts.lists, "eng", "single_column", {"serif": False}),
    ("lists_th", layouts.lists, "tha", "single_column", {}),
    ("tables_en", layouts.tables, "eng", "single_column", {}),
    ("tables_zh", layouts.tables, "cmn_hans", "single_column", {"serif": False}),
    ("code_en", layouts.code, "eng", "single_column", {}),
    ("exam_en", layouts.exam, "eng", "double_column", {"serif": False}),
    ("exam_zh", layouts.exam, "cmn_hans", "double_column", {}),
    ("slide_en", layouts.slide, "eng", "other_layout", _SLIDE),
    ("slide_zh", layouts.slide, "cmn_hans", "other_layout", _SLIDE),
    ("columns_ru", layouts.two_columns, "rus", "double_column", {}),
    ("columns_ar", layouts.two_columns, "arb", "double_column", {"rtl": True}),
    ("columns_he", layouts.two_columns, "heb", "double_column", {"serif": False, "rtl": True}),
    ("columns_ja", layouts.two_columns, "jpn", "double_column", {}),
    ("columns_ko", layouts.two_columns, "kor", "double_column", {"serif": False}),
    ("plain_hi", layouts.plain, "hin", "single_column", {}),
    ("magazine_es", layouts.magazine, "spa", "three_column", {"serif": False}),
    ("letter_de", layouts.letter, "deu_1996", "single_column", {"serif": False}),
    ("tiers_ja", layouts.tiers, "jpn", "other_layout", _TURNED),
    ("upright_zh", layouts.upright, "cmn_hant", "other_layout", _TURNED),
)
"""The pages: the name, what sets it, the text's code, OmniDocBench's name of its layout, and how the sheet differs."""


def pages(seed: int = 0, only: str = "", shuffled: bool = False) -> Iterator[tuple[str, bytes, bytes, dict[str, Any]]]:
    """Each page's name, PDF, PNG and ground truth, or those of the one whose name is `only`. `shuffled` PDFs draw their text
    in no order."""
    for name, layout, code, columned, how in LAYOUTS:
        if only in ("", name):
            text, dpi = declaration(code), how.get("dpi", 150)
            prose = Prose(text.lang, text.paragraphs, random.Random(f"{seed} {name}"))
            sheet = Sheet(prose, shuffled=shuffled, **{word: value for word, value in how.items() if word != "dpi"})
            layout(sheet)
            _check(name, sheet)
            pdf = sheet.pdf()
            with pymupdf.open("pdf", pdf) as document:
                pixmap = document[0].get_pixmap(dpi=dpi)
            attributes = {"data_source": layout.__name__, "language": text.lang, "layout": columned, "special_issue": []}
            info = {"page_attribute": attributes, "page_no": 0, "height": pixmap.height, "width": pixmap.width}
            truth = _truth(sheet.regions, dpi / 72) | {"page_info": info | {"image_path": f"{name}.png"}}
            yield name, pdf, pixmap.tobytes("png"), truth


def _check(name: str, sheet: Sheet) -> None:
    """No region may leave the page or lie in another: a layout that does so is wrong."""
    width, height = sheet.paper_pt
    for number, region in enumerate(sheet.regions):
        x0, y0, x1, y1 = region.box
        assert -1 < x0 < x1 < width + 1 and -1 < y0 < y1 < height + 1, f"{name}: {region}"
        for other in sheet.regions[:number]:
            left, top, right, bottom = other.box
            inner = (min(x1, right) - max(x0, left), min(y1, bottom) - max(y0, top))
            assert min(inner) < 4, f"{name}: {region} lies in {other}"


def _truth(regions: list[SetRegion], zoom: float) -> dict[str, Any]:
    """The regions in OmniDocBench's form, and which of them go on in the next."""
    detections, relations = [], []
    for number, region in enumerate(regions):
        x0, y0, x1, y1 = (round(value * zoom, 2) for value in region.box)
        values = ({"text": region.text} if region.text else {}) | region.values
        kind = {"category_type": region.label, "order": region.order}
        poly = [x0, y0, x1, y0, x1, y1, x0, y1]
        detections.append({"anno_id": number, "ignore": False, "poly": poly, **kind, **values})
        if region.continues:
            relations.append({"source_anno_id": number, "target_anno_id": number + 1, "relation_type": "truncated"})
    return {"layout_dets": detections, "extra": {"relation": relations}}


def facts(truth: dict[str, Any], draw: random.Random) -> Iterator[dict[str, Any]]:
    """Tests of a page in olmOCR-bench's form: what stands on every page is absent, neighbours in reading order are in it, a piece
    of a text is there, and a table's cells are beside each other."""
    name = Path(truth["page_info"]["image_path"]).stem
    of_page = {"pdf": f"{name}.pdf", "page": 1, "max_diffs": 2}
    regions = truth["layout_dets"]
    texts = [region for region in regions if region.get("order") and "text" in region]
    text = [region for region in texts if len(region["text"]) >= 60 and "$" not in region["text"]]
    whole = " ".join(region["text"] for region in texts)
    for number, region in enumerate(regions):
        if region["category_type"] in ("header", "footer") and len(region["text"]) >= 12 and region["text"] not in whole:
            yield of_page | {"id": f"{name}_absent_{number}", "type": "absent", "text": region["text"]}
        for row, cells in enumerate(re.findall("<tr>(.*?)</tr>", region.get("html", ""))):
            row_texts = [html.unescape(cell) for cell in re.findall("<td>(.*?)</td>", cells)]
            if row > 1 and len(row_texts) > 2:
                at = draw.randrange(1, len(row_texts))
                values = {"cell": row_texts[at], "left": row_texts[at - 1], "left_heading": row_texts[0], "max_diffs": 0}
                yield of_page | {"id": f"{name}_table_{number}_{row}", "type": "table"} | values
    for number, (first, second) in enumerate(pairwise(text)):
        values = {"before": first["text"][-30:].strip(), "after": second["text"][:30].strip(), "max_diffs": 5}
        if values["before"] not in second["text"] and values["after"] not in first["text"]:
            yield of_page | {"id": f"{name}_order_{number}", "type": "order"} | values
    for number, region in enumerate(draw.sample(text, min(2, len(text)))):
        at = draw.randrange(max(1, len(region["text"]) - 50))
        values = {"text": region["text"][at : at + 50].strip(), "max_diffs": 5}
        yield of_page | {"id": f"{name}_present_{number}", "type": "present"} | values


def write(out: Path, seed: int = 0, only: str = "") -> None:
    """All pages, or one, into a folder."""
    for folder in ("images", "pdf"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    truths: list[dict[str, Any]] = []
    tests: list[dict[str, Any]] = []
    for name, pdf, png, truth in pages(seed, only):
        (out / "pdf" / f"{name}.pdf").write_bytes(pdf)
        (out / "images" / f"{name}.png").write_bytes(png)
        truths.append(truth)
        tests += facts(truth, random.Random(f"{seed} {name}"))
    (out / "pages.json").write_text(json.dumps(truths, ensure_ascii=False, indent=1), encoding="utf-8")
    lines = [json.dumps(test, ensure_ascii=False) + "\n" for test in tests]
    (out / "facts.jsonl").write_text("".join(lines), encoding="utf-8")
