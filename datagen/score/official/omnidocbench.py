"""OmniDocBench v1.5 by its own rules (`dataset/end2end_dataset.py` and `metrics/` at `COMMIT`), and corrected.

Official: text and formulas by edits over the longer text's length, summed over a page, mean over pages; TEDS as the mean over a
page's tables, mean over pages, which is what its leaderboard prints, and over all tables; order as edits of the blocks' places.
A page without a prediction isn't counted, nor is what was invented; a table in LaTeX is worth 0.

Corrected: a page without a prediction has read nothing; text and formulas that no block asked for are edits; a table that nobody
asked for is worth 0; a paragraph in three pieces isn't doubled; blocks that are known wrong aren't counted. Neither has a clock.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

from datagen.score.official import omnidocbench_tables as html
from datagen.score.official.omnidocbench_markdown import FORMULA, HTML, INLINE, LATEX, TEXT, Piece, pieces
from datagen.score.official.omnidocbench_matching import BESIDE, DISPLAYED, OF_TEXT, Block, Match, matches
from datagen.score.official.omnidocbench_text import shown, words

COMMIT = "7bd6c2ebdb7676e6fd251b0e695e15e09cf3ab5d"
"""Of github.com/opendatalab/OmniDocBench, 2025-12-01."""

NUM_PAGES = 1355
_OTHERS = {981: "v1.0", 1651: "v1.6"}
_ORDERED = (
    "text_block title code_txt code_txt_caption reference equation_caption figure_caption figure_footnote table_caption "
    "table_footnote code_algorithm code_algorithm_caption header footer page_footnote page_number equation_isolated"
).split()
assert set(_ORDERED) == BESIDE | OF_TEXT | {DISPLAYED}


@dataclass
class Counts:
    """What was counted on a page: edits and lengths of texts, of texts in place of formulas, of formulas; formulas to be `drawn`,
    and their CDM, if it was asked for; TEDS of tables; edits and length of the order, None where nothing has an order."""

    text: list[tuple[int, int]] = field(default_factory=list)
    text_of_formulas: list[tuple[int, int]] = field(default_factory=list)
    formula: list[tuple[int, int]] = field(default_factory=list)
    drawn: list[tuple[str, str]] = field(default_factory=list)
    cdm: list[float] = field(default_factory=list)
    tables: list[html.Score] = field(default_factory=list)
    order: tuple[int, int] | None = None


@dataclass
class Page:
    """`official` is None where the official code passes over the page, or stops: `problem` says why."""

    name: str
    official: Counts | None
    corrected: Counts
    problem: str = ""


def read(folder: str, word: str = "gt") -> list[dict[str, Any]]:
    """The pages of OmniDocBench v1.5 as it is downloaded. Raises `ValueError`, one sentence that begins with the `word` that
    names the folder, for another folder or version."""
    where = f"{word}=omnidocbench:{folder}"
    files = sorted(file for file in Path(folder).expanduser().glob("*.json") if "omnidocbench" in file.name.lower())
    if len(files) != 1:
        raise ValueError(
            f"{where}: the folder of OmniDocBench v1.5 with its OmniDocBench.json is needed; {len(files)} such files are there"
        )
    try:
        pages = json.loads(files[0].read_bytes())
        usable = [
            bool(page["page_info"]["image_path"]) and [(box["category_type"], box["anno_id"]) for box in page["layout_dets"]]
            for page in pages
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{where}: {files[0].name} isn't as OmniDocBench writes it ({type(error).__name__}: {error})") from None
    if not usable:
        raise ValueError(f"{where}: {files[0].name} has no page")
    if len(pages) in _OTHERS:
        raise ValueError(
            f"{where}: {len(pages)} pages are those of {_OTHERS[len(pages)]}; the rules here are v1.5's, of {NUM_PAGES} pages"
        )
    return list(pages)


def images(folder: str, word: str) -> list[Path]:
    """Where the pages' images lie. Raises `ValueError` as `read` does."""
    root = Path(folder).expanduser() / "images"
    return [root / Path(page["page_info"]["image_path"]).name for page in read(folder, word)]


def names(page: Mapping[str, Any]) -> tuple[str, ...]:
    """What a prediction of a page may be called, without .md."""
    image = Path(page["page_info"]["image_path"]).name
    return tuple(dict.fromkeys((image[:-4], image[:-4].replace(".pdf", ""), image)))


def score(page: Mapping[str, Any], markdown: str | None, without: frozenset[Any] = frozenset()) -> Page:
    """Counts a page both ways; `markdown` is None where there is no prediction. `without` are the numbers (`anno_id`) of the
    blocks that the corrected figures leave out."""
    image = Path(page["page_info"]["image_path"]).name
    name = image if image.endswith((".jpg", ".png")) else image.rpartition("_")[0]  # as there, so that pages may fall together
    cut = pieces(markdown or "")
    official: Counts | None = None
    problem = "no prediction" if markdown is None else ""
    if markdown is not None:
        try:
            official = _counts(page, cut, None)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            problem = f"the official code stops: {type(error).__name__}: {error}"
    return Page(name, official, _counts(_filled(page), cut, without), problem)


def figures(pages: Iterable[tuple[str, Counts]]) -> dict[str, float]:
    """The figures of many pages, each with its name; those that nothing was counted for are left out. Texts and order: 0 is best;
    TEDS: 1; overall: 100."""
    of_page: dict[str, dict[str, list[Any]]] = {}
    counted = list(pages)
    has_text = any(counts.text for _, counts in counted)
    for name, counts in counted:
        lists = of_page.setdefault(name, {"text": [], "formula": [], "order": [], "cdm": [], "tables": []})
        lists["text"] += counts.text + (counts.text_of_formulas if has_text else [])
        lists["formula"] += counts.formula
        lists["order"] += [counts.order] if counts.order else []
        lists["cdm"] += counts.cdm
        lists["tables"] += counts.tables
    measured: dict[str, float] = {}
    for kind in ("text", "formula", "order"):
        shares = [_share(lists[kind]) for lists in of_page.values() if lists[kind]]
        if shares:
            measured[kind] = _mean(shares)
    if with_cdm := [lists["cdm"] for lists in of_page.values() if lists["cdm"]]:
        measured["cdm"] = _mean([_mean(page) for page in with_cdm])
    with_tables = [lists["tables"] for lists in of_page.values() if lists["tables"]]
    if with_tables:
        measured["teds"] = _mean([_mean([one.teds for one in page]) for page in with_tables])
        measured["teds_s"] = _mean([_mean([one.structure for one in page]) for page in with_tables])
        measured["teds_of_tables"] = _mean([one.teds for page in with_tables for one in page])
        measured["teds_s_of_tables"] = _mean([one.structure for page in with_tables for one in page])
    if "text" in measured and "teds" in measured:
        parts = [1 - measured["text"], measured["teds"], *([measured["cdm"]] if with_cdm else [])]
        measured["overall" if with_cdm else "overall_without_cdm"] = 100 * _mean(parts)
    return measured


def _share(counts: Sequence[tuple[int, int]]) -> float:
    return sum(edits for edits, _ in counts) / max(1, sum(length for _, length in counts))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _filled(page: Mapping[str, Any]) -> dict[str, Any]:
    """The page with all that the official code takes for granted, so that it stops nowhere."""
    boxes = [
        box | {"text": box.get("text") or "", "html": box.get("html") or "", "order": _order(box)}
        | {"latex": box.get("latex") or box.get("html") or ""}
        for box in page["layout_dets"]
    ]  # fmt: skip
    with_text = {box["anno_id"] for box in page["layout_dets"] if "text" in box}
    relations = (page.get("extra") or {}).get("relation") or ()
    known = [one for one in relations if {one["source_anno_id"], one["target_anno_id"]} <= with_text]
    return {"layout_dets": boxes, "extra": {"relation": known}}


def _counts(page: Mapping[str, Any], cut: Sequence[Piece], without: frozenset[Any] | None) -> Counts:
    """`without` is None for the official counts."""
    is_official = without is None
    left_out = without or frozenset()
    elements = _elements(page, without)
    true_tables = sorted(elements.get("table", ()), key=_order)
    scores, cells, num_invented = _tables(true_tables, cut, without)
    counts = Counts(tables=scores)
    kinds = dict.fromkeys(piece.kind for piece in cut if piece.kind in (TEXT, FORMULA))
    mixed = [piece for kind in kinds for piece in cut if piece.kind == kind] + cells
    ordered = sorted((box for kind in _ORDERED for box in elements.get(kind, ())), key=_order)
    blocks = [_block(box) for box in ordered]
    matched, invented = matches(blocks, mixed)
    matched = [match for match in matched if left_out.isdisjoint(match.blocks)]
    for match in matched:
        if match.category == DISPLAYED:
            if match.read_as in (INLINE, FORMULA, ""):
                counts.formula.append(_edits(match.truth, match.read))
                counts.drawn.append((match.raw, match.raw_read))
            else:
                text = _shown(match.raw, is_official)
                counts.text_of_formulas.append(_edits(words(text) or text, match.read))
        elif match.category in OF_TEXT:
            counts.text.append(_edits(match.truth, match.read))
    counts.order = _order_edits([match for match in matched if match.category in OF_TEXT])
    if not is_official:
        counts.text += [(len(piece.text), len(piece.text)) for piece in invented if piece.kind == TEXT and not piece.is_cell]
        formulas = [piece.text for piece in invented if piece.kind == FORMULA]
        counts.formula += [(len(text), len(text)) for text in formulas]
        counts.drawn += [("", text) for text in formulas]
        counts.tables += [html.Score(0.0, 0.0)] * num_invented
    return counts


def _shown(latex: str, is_official: bool) -> str:
    try:
        return shown(latex)
    except Exception as error:  # whatever pylatexenc says of LaTeX that is none
        if is_official:
            raise ValueError(f"pylatexenc can't read a formula: {type(error).__name__}") from None
        return latex


def _edits(truth: str, read: str) -> tuple[int, int]:
    return Levenshtein.distance(truth, read), max(len(truth), len(read))


def _order(box: Mapping[str, Any]) -> Any:
    return box.get("order") or 0


def _block(box: Mapping[str, Any]) -> Block:
    text = box["latex" if box["category_type"] == DISPLAYED else "text"]
    return Block(box.get("fine_category_type") or box["category_type"], str(text), box.get("order"), box["anno_id"])


def _elements(page: Mapping[str, Any], without: frozenset[Any] | None) -> dict[str, list[Mapping[str, Any]]]:
    """The boxes by their kinds, those put together that are pieces of one text. The official code takes a piece that has one on
    either side twice."""
    by_number = {box["anno_id"]: box for box in page["layout_dets"]}
    related: list[list[Any]] = []
    for relation in page["extra"]["relation"]:
        if relation["relation_type"] == "truncated":
            pair = [relation["source_anno_id"], relation["target_anno_id"]]
            known = [of for of in related if pair[0] in of or pair[1] in of]
            for of in known:
                of += pair
            if not known:
                related.append(pair)
    pieces_of = {number for of in related for number in of}
    elements: dict[str, list[Mapping[str, Any]]] = {}
    for box in page["layout_dets"]:
        if box["anno_id"] not in pieces_of:
            elements.setdefault(box["category_type"], []).append(box)
    for of in related:
        boxes = sorted(
            (by_number[number] for number in (of if without is None else dict.fromkeys(of))), key=lambda box: box["order"]
        )
        number = next((number for number in of if number in (without or ())), boxes[0]["anno_id"])
        whole = {"category_type": boxes[0]["category_type"], "order": boxes[0].get("order"), "anno_id": number}
        elements.setdefault(boxes[0]["category_type"], []).append(whole | {"text": "".join(box["text"] for box in boxes)})
    return elements


def _tables(
    true: Sequence[Mapping[str, Any]], cut: Sequence[Piece], without: frozenset[Any] | None
) -> tuple[list[html.Score], list[Piece], int]:
    """How well each true table was read; the cells of those that nobody wanted, as texts; and how many those are."""
    as_html = [piece for piece in cut if piece.kind == HTML]
    as_latex = [piece for piece in cut if piece.kind == LATEX]
    num = len(as_html) + len(as_latex)
    if not true:
        return [], [], num
    is_latex = len(as_latex) > len(as_html)
    wanted = [box for box in true if box["html"] and (not is_latex or box["latex"])]
    is_scored = [box["anno_id"] not in (without or ()) for box in wanted]
    if is_latex or not as_html:
        return [html.Score(0.0, 0.0)] * sum(is_scored), [], max(0, num - len(wanted))
    texts, read = [str(box["html"]) for box in wanted], [piece.text for piece in as_html]
    scores = [html.Score(0.0, 0.0)] * len(wanted)
    taken = set()
    if wanted:
        longest = [[max(1, len(text), len(table)) for table in read] for text in texts]
        for row, column in zip(*linear_sum_assignment(cdist(texts, read, scorer=Levenshtein.distance) / longest), strict=True):
            scores[row] = html.score(html.plain(texts[row]), html.plain(read[column]))
            taken.add(int(column))
    unwanted = [piece for number, piece in enumerate(as_html) if number not in taken]
    cells = [piece._replace(kind=TEXT, text=cell, is_cell=True) for piece in unwanted for cell in html.cells(piece.text)]
    return [one for one, is_kept in zip(scores, is_scored, strict=True) if is_kept], cells, len(unwanted) + len(as_latex)


def _order_edits(found: Sequence[Match]) -> tuple[int, int] | None:
    placed = [match for match in found if match.orders != ("",)]
    ranked = sorted((match for match in placed if match.start is not None), key=lambda match: match.start or 0)
    true = sorted(order for match in placed for order in match.orders if order)
    orders = [order for match in ranked for order in match.orders if order]
    return (Levenshtein.distance(true, orders), max(len(true), len(orders))) if true or orders else None
