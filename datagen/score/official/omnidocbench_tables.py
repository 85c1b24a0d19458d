"""Tables as OmniDocBench v1.5 compares them: HTML made plain (`utils/data_preprocess.py` at `omnidocbench.COMMIT`), and TEDS
(`metrics/table_metric.py` there, which is PubTabNet's: Zhong et al., arXiv 1911.10683).

Trees are compared by Zhang's and Shasha's algorithm over all rows at once; the few with more than rows and cells go to apted.
"""

import html
import re
import unicodedata
from functools import lru_cache
from typing import Any, NamedTuple

import lxml.etree
import lxml.html
import numpy
from apted import APTED, Config  # type: ignore[import-untyped]
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from datagen.score.official.markup import parsed

_CONTENT = re.compile(r"<table\b[^>]*>(.*)</table>", re.DOTALL | re.IGNORECASE)
_ATTRIBUTES = tuple(re.compile(f' {name}=".*?"') for name in ("style", "height", "width", "align", "class"))
_BODY, _SPACE, _COLUMNS = re.compile("</?tbody>"), re.compile(r"\s+"), re.compile("<colgroup>.*?</colgroup>")
_MARKUP = (
    *("<sup>", "</sup>", "<sub>", "</sub>", "<span>", "</span>", "<div>", "</div>", "<p>", "</p>"),
    '<spandata-span-identity="">',
)


class Score(NamedTuple):
    """TEDS with text and without, 1 for the same table. A little under 0 is possible, as there."""

    teds: float
    structure: float


@lru_cache(maxsize=4_000)
def plain(text: str) -> str:
    """A table's rows and cells alone, in a page's HTML; empty where there is no table."""
    if "<table" not in text.replace(" ", ""):
        return ""
    table = unicodedata.normalize("NFKC", html.unescape(_mended(text)).replace("\n", "")).strip()
    table = "".join(_CONTENT.findall(table))
    for pattern in (*_ATTRIBUTES, _BODY):
        table = pattern.sub("", table)
    table = f'<html><body><table border="1" >{_SPACE.sub(" ", table)}</table></body></html>'
    for markup in _MARKUP:
        table = table.replace(markup, "")
    return _COLUMNS.sub("", table)


def score(truth: str, predicted: str) -> Score:
    """TEDS of two `plain` tables; 0 where one is empty, or can't be read."""
    if not truth or not predicted:
        return Score(0.0, 0.0)
    try:
        of_predicted, of_truth = _tree(predicted), _tree(truth)
        if of_predicted is None or of_truth is None:
            return Score(0.0, 0.0)
        num = max(of_predicted.num_nodes, of_truth.num_nodes)
        with_text, structure = (1.0 - distance / num for distance in _distance(of_predicted, of_truth))
    except (ValueError, ArithmeticError, lxml.etree.LxmlError, RecursionError):  # a span that is no number, a table without nodes
        return Score(0.0, 0.0)
    return Score(with_text, structure)


def cells(text: str) -> list[str]:
    """What the cells of a piece of HTML say, those that have one text inside and are no headings."""
    return [cell.string.replace(r"$\cdot$", "").strip() for cell in parsed(text)("td") if cell.string]


def _mended(text: str) -> str:
    """The markup with every element closed, headings as cells, thead and span opened up, MathML as the LaTeX that it names."""
    page = parsed(text)
    for heading in page("th"):
        heading.name = "td"
    for formula in page("math"):
        formula.replace_with(f"${formula.get('alttext', '')}$")
    for element in page(["thead", "span"]):
        element.unwrap()
    return str(page)


class _Node(NamedTuple):
    """`kind` is the tag, and a cell's spans; `tokens` what a cell says, as characters and tags."""

    kind: tuple[Any, ...]
    tokens: tuple[str, ...]
    children: "tuple[_Node, ...]" = ()


class _Tree(NamedTuple):
    root: _Node
    num_nodes: int


@lru_cache(maxsize=1_000)
def _tree(table: str) -> _Tree | None:
    page = lxml.html.fromstring(table, parser=lxml.html.HTMLParser(remove_comments=True, encoding="utf-8"))
    tables = page.xpath("body/table")
    return _Tree(_node(tables[0]), len(tables[0].xpath(".//*"))) if tables else None


def _node(element: Any) -> _Node:
    if element.tag == "td":
        kind = ("td", int(element.get("colspan", "1")), int(element.get("rowspan", "1")))
        return _Node(kind, tuple(_tokens(element)[1:-1]))
    return _Node((element.tag,), (), tuple(_node(child) for child in element))


def _tokens(element: Any) -> list[str]:
    tokens = [f"<{element.tag}>", *(element.text or "")]
    for child in element:
        tokens += _tokens(child)
    if element.tag != "unk":
        tokens.append(f"</{element.tag}>")
    return tokens + list(element.tail or "") if element.tag != "td" else tokens


def _distance(first: _Tree, second: _Tree) -> tuple[float, float]:
    """Edit distances of two trees, with what cells say and without."""
    both = (first.root, second.root)
    rows = [root.children for root in both]
    deeper = any(leaf.children for row in (*rows[0], *rows[1]) for leaf in row.children)
    if deeper or len({row.kind for row in (*rows[0], *rows[1]) if row.children}) > 1:
        return _by_apted(*both, True), _by_apted(*both, False)
    leaves = [[node for row in of for node in (row.children or (row,))] for of in rows]
    of_rows = next((row.kind for row in (*rows[0], *rows[1]) if row.children), None)
    counts = [[len(row.children) for row in of] for of in rows]
    unlike = numpy.array([[float(one.kind != other.kind) for other in leaves[1]] for one in leaves[0]])
    sides = [
        _Side(count, [leaf.kind != of_rows for leaf in leaf_of], [row.kind != of_rows for row in row_of])
        for count, leaf_of, row_of in zip(counts, leaves, rows, strict=True)
    ]
    if not unlike.size:
        return (float(sum(map(len, leaves)) + sum(count > 0 for count in (*counts[0], *counts[1]))),) * 2
    texts = _texts(leaves)
    longest = numpy.maximum(1, numpy.maximum.outer([len(text) for text in texts[0]], [len(text) for text in texts[1]]))
    edits = numpy.where(unlike > 0, 1.0, cdist(*texts, scorer=Levenshtein.distance) / longest)
    return _of_rows(sides, edits), _of_rows(sides, unlike)


def _texts(leaves: list[list[_Node]]) -> list[list[str]]:
    """What cells say, each tag as a character that no cell has."""
    tags = {token for of in leaves for leaf in of for token in leaf.tokens if len(token) > 1}
    if not tags:
        return [["".join(leaf.tokens) for leaf in of] for of in leaves]
    used = {token for of in leaves for leaf in of for token in leaf.tokens}
    free = (chr(code) for code in range(0xE000, 0x10000) if chr(code) not in used)
    sign = {tag: next(free) for tag in sorted(tags)}
    return [["".join(sign.get(token, token) for token in leaf.tokens) for leaf in of] for of in leaves]


class _Side:
    """A table as rows: how many leaves each has, where they start, and whether leaves and rows are of another kind than rows."""

    def __init__(self, counts: list[int], leaf_unlike: list[bool], row_unlike: list[bool]) -> None:
        self.counts = numpy.array(counts, int)
        self.starts = numpy.concatenate(([0], numpy.cumsum(numpy.maximum(1, self.counts)))).astype(int)
        self.leaf_unlike, self.row_unlike = numpy.array(leaf_unlike, float), numpy.array(row_unlike, float)
        # In the order of their ends: each node's number among leaves and, behind them, rows; and the first that is within it.
        self.nodes: list[int] = []
        self.firsts: list[int] = []
        num_leaves = len(leaf_unlike)
        for row, (count, start) in enumerate(zip(counts, self.starts, strict=False)):
            at = len(self.nodes)
            self.nodes += [*range(start, start + count), num_leaves + row]
            self.firsts += [*range(at, at + count), at]


def _of_rows(sides: list[_Side], costs: numpy.ndarray) -> float:
    """The edit distance of two tables, given what it costs to make a leaf another one."""
    one, other = sides
    changes = _of_subtrees(one, other, costs)[numpy.ix_(one.nodes, other.nodes)]
    firsts = numpy.array(other.firsts)
    steps = numpy.arange(len(other.nodes) + 1, dtype=float)
    best = numpy.empty((len(one.nodes) + 1, len(steps)))
    best[0] = steps
    for number, first in enumerate(one.firsts, 1):
        line = best[number]
        line[0] = number
        numpy.minimum(best[number - 1, 1:] + 1, best[first, firsts] + changes[number - 1], out=line[1:])
        line -= steps
        numpy.minimum.accumulate(line, out=line)
        line += steps
    return float(best[-1, -1])


def _of_subtrees(one: _Side, other: _Side, costs: numpy.ndarray) -> numpy.ndarray:
    """What it costs to make each leaf, and each row behind them, of one table each of the other."""
    height, width = costs.shape
    result = numpy.zeros((height + len(one.counts), width + len(other.counts)))
    result[:height, :width] = costs
    result[height:, :width] = _rows_as_leaves(one, costs, other.leaf_unlike)
    result[:height, width:] = _rows_as_leaves(other, costs.T, one.leaf_unlike).T
    empty = _rows_as_leaves(one, result[:height, width:], other.row_unlike)
    turned = _rows_as_leaves(other, result[height:, :width].T, one.row_unlike).T
    result[height:, width:] = numpy.where(one.counts[:, None] > 0, empty, turned)
    full = numpy.logical_and.outer(one.counts > 0, other.counts > 0)
    if full.any():
        result[height:, width:][full] = _of_pairs(one, other, costs)[full]
    return result


def _rows_as_leaves(side: _Side, costs: numpy.ndarray, unlike: numpy.ndarray) -> numpy.ndarray:
    """Each row as each leaf of the other table: all of it goes but one node, the row itself or the cell that is most alike."""
    least = numpy.minimum.reduceat(costs, side.starts[:-1], axis=0)
    return numpy.where(side.counts[:, None] > 0, side.counts[:, None] + numpy.minimum(unlike, least), least)


def _of_pairs(one: _Side, other: _Side, costs: numpy.ndarray) -> numpy.ndarray:
    """The edit distances of the cells of each row and each other row, all pairs of rows side by side."""
    places = [
        side.starts[:-1, None] + numpy.minimum(numpy.arange(side.counts.max()), numpy.maximum(1, side.counts)[:, None] - 1)
        for side in (one, other)
    ]
    steps = numpy.arange(places[1].shape[1] + 1, dtype=float)
    line = numpy.broadcast_to(steps, (len(one.counts), len(other.counts), len(steps))).copy()
    result = numpy.zeros((len(one.counts), len(other.counts)))
    columns = numpy.arange(len(other.counts))
    for number in range(places[0].shape[1]):
        change = costs[places[0][:, number][:, None, None], places[1][None, :, :]]
        line[:, :, 1:] = numpy.minimum(line[:, :, 1:] + 1, line[:, :, :-1] + change)
        line[:, :, 0] = number + 1
        line = numpy.minimum.accumulate(line - steps, axis=2) + steps
        done = one.counts == number + 1
        result[done] = line[done][:, columns, other.counts]
    return result


class _Costs(Config):
    def __init__(self, with_text: bool) -> None:
        self.with_text = with_text

    def rename(self, node1: _Node, node2: _Node) -> float:
        if node1.kind != node2.kind:
            return 1.0
        return Levenshtein.normalized_distance(node1.tokens, node2.tokens) if self.with_text else 0.0

    def children(self, node: _Node) -> tuple[_Node, ...]:
        return node.children


def _by_apted(first: _Node, second: _Node, with_text: bool) -> float:
    return float(APTED(first, second, _Costs(with_text)).compute_edit_distance())
