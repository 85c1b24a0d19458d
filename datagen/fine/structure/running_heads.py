"""Running heads, feet and page numbers, told by what stands in one place on several pages of a document."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from datagen.engines import Engines
from datagen.labels import HEADINGS, PICTURES, RUNNING, is_page_number
from datagen.markdown import markdown
from datagen.page.wording import plain
from datagen.record import Drop, Region, Sample
from datagen.work.pipeline import DOCUMENT, Stage

_DIGITS = re.compile(r"\d+")
_MIN_REGIONS, _APART_EM = 4, 3.0
_TOP, _VERY_EDGE, _SAME_HEIGHT = 0.2, 0.04, 0.008  # of the page's height
_PRINTED = re.compile(r"(?:\d{1,4}[./-] ?){2}\d{1,4}\.?,? +\d{1,2}:\d\d(?: ?[AaPp]\.?[Mm]\.?)?|(?:https?|file)://\S+|about:\w+")
_LARGE = frozenset({"table", "equation", "code", "toc"}) | PICTURES


@dataclass(frozen=True)
class LabelRunning(Stage):
    """Labels regions at a page's top or bottom `header`, `footer` or `page_number` if the document says so, puts heads before the
    page's other regions and feet behind them, and makes the page's Markdown anew, which has neither.

    Within `edge` of a page's height from its top or bottom, a region of at most `max_lines` lines is one

    - if its text, but for numbers, stands at the same height on `min_pages` pages; a heading's numbers count as text;
    - if it is but a number, at the same height on two pages that are as far apart as the numbers are;
    - if it and a number stand alone at the top, at both sides of the text and far apart;
    - if it is a date with the time or an address, or level with one, at the very edge, as a browser prints them;
    - if it is the outermost, and the outermost regions at its height are heads or feet on `min_pages` pages, and on most that
      have any there.

    Heights are the same within `near` of the page's height.
    """

    version: ClassVar[int] = 7

    min_pages: int = 3
    edge: float = 0.15
    near: float = _SAME_HEIGHT
    max_lines: int = 2
    batch_size: int = field(default=DOCUMENT, init=False)

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        placed = [(n, i, self._height(page, region)) for n, page in enumerate(batch) for i, region in enumerate(page.regions)]
        at_edges = [(n, i, height) for n, i, height in placed if height is not None]
        labels: dict[tuple[int, int], str] = {}
        for same in self._of_one_text(batch, at_edges):
            labels |= {(n, i): _side(batch[n], batch[n].regions[i]) for n, i in same}
        labels |= dict.fromkeys(self._numbers(batch, at_edges), "page_number")
        labels |= self._at_heights(batch, at_edges, labels)
        labels |= {(n, i): label for n, page in enumerate(batch) for i, label in self._across(page).items()}
        labels |= self._printed(batch, at_edges)
        for n, page in enumerate(batch):
            regions = [
                _running(region, labels[n, i]) if (n, i) in labels and region.label not in RUNNING else region
                for i, region in enumerate(page.regions)
            ]
            yield page if regions == list(page.regions) else _rearranged(page, regions)

    def _height(self, page: Sample, region: Region) -> float | None:
        """Where a region stands, as a share of the page's height; None for one that is no head or foot."""
        if not region.lines or len(region.lines) > self.max_lines or region.label in _LARGE:
            return None
        top, bottom = region.box.y0 / page.size[1], region.box.y1 / page.size[1]
        return (top + bottom) / 2 if bottom < self.edge or top > 1 - self.edge else None

    def _of_one_text(
        self, batch: Sequence[Sample], at_edges: Sequence[tuple[int, int, float]]
    ) -> Iterator[list[tuple[int, int]]]:
        by_text: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
        for n, i, height in at_edges:
            region = batch[n].regions[i]
            text = plain(region)  # headings such as "Problem 1" and "Problem 2" are none
            by_text[text if region.label in HEADINGS else _DIGITS.sub("0", text)].append((n, i, height))
        for text, places in by_text.items():
            if not text.strip("0 .-–—"):
                continue
            for group in self._level(places):
                if len({n for n, _ in group}) >= self.min_pages:
                    yield group

    def _numbers(self, batch: Sequence[Sample], at_edges: Sequence[tuple[int, int, float]]) -> Iterator[tuple[int, int]]:
        """Numbers that count the pages. A page's own number is in the document, which may begin with others."""
        numbers = [
            (n, i, height) for n, i, height in at_edges if is_page_number(text := plain(batch[n].regions[i])) and text.isdecimal()
        ]
        for group in self._level(numbers):
            by_offset: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for n, i in group:
                by_offset[int(plain(batch[n].regions[i])) - batch[n].origin.page].append((n, i))
            for same in by_offset.values():
                if len({n for n, _ in same}) >= 2:
                    yield from same

    def _at_heights(
        self, batch: Sequence[Sample], at_edges: Sequence[tuple[int, int, float]], labels: dict[tuple[int, int], str]
    ) -> dict[tuple[int, int], str]:
        result = {}
        outermost: dict[tuple[int, bool], float] = {}
        for n, _, height in at_edges:
            side = n, height < 0.5
            outermost[side] = (min if height < 0.5 else max)(height, outermost.get(side, height))
        for group in self._level([p for p in at_edges if abs(p[2] - outermost[p[0], p[2] < 0.5]) <= self.near]):
            running = {n for n, i in group if batch[n].regions[i].label in RUNNING or (n, i) in labels}
            if len(running) >= self.min_pages and 2 * len(running) > len({n for n, _ in group}):
                for n, i in group:
                    region = batch[n].regions[i]
                    result[n, i] = labels.get((n, i)) or (
                        "page_number" if is_page_number(plain(region)) else _side(batch[n], region)
                    )
        return result

    def _across(self, page: Sample) -> dict[int, str]:
        """The page's topmost line where that is a number at one side of the text and a few words at the other, far apart."""
        placed = [i for i, region in enumerate(page.regions) if region.lines]
        if len(placed) < _MIN_REGIONS:
            return {}
        top, other = sorted(placed, key=lambda i: page.regions[i].box.y0 + page.regions[i].box.y1)[:2]
        boxes = [page.regions[i].box for i in placed]
        left, right = min(box.x0 for box in boxes), max(box.x1 for box in boxes)
        number, words = (top, other) if plain(page.regions[top]).isdecimal() else (other, top)
        a, b = page.regions[number], page.regions[words]
        if not plain(a).isdecimal() or is_page_number(plain(b)) or b.label in _LARGE:
            return {}
        em = a.box.y1 - a.box.y0
        are_beside = len(a.lines) == len(b.lines) == 1 and min(a.box.y1, b.box.y1) - max(a.box.y0, b.box.y0) > 0.7 * em
        are_alone = all(page.regions[i].box.y0 > max(a.box.y1, b.box.y1) for i in placed if i not in (number, words))
        is_apart = max(a.box.x0, b.box.x0) - min(a.box.x1, b.box.x1) > _APART_EM * em
        is_flush = min(a.box.x0, b.box.x0) < left + em and max(a.box.x1, b.box.x1) > right - em
        is_head = a.box.y1 < _TOP * page.size[1] and are_beside and are_alone and is_apart and is_flush
        return {number: "page_number", words: "header"} if is_head else {}

    def _printed(self, batch: Sequence[Sample], at_edges: Sequence[tuple[int, int, float]]) -> dict[tuple[int, int], str]:
        """What a browser prints at a page's very edge: the date and the address, with the title and the number beside them."""
        outer = [(n, i, height) for n, i, height in at_edges if min(height, 1 - height) < _VERY_EDGE]
        printed = [(n, height) for n, i, height in outer if _PRINTED.fullmatch(plain(batch[n].regions[i]).strip())]
        result = {}
        for n, i, height in outer:
            region = batch[n].regions[i]
            if any(page == n and abs(height - other) < self.near for page, other in printed):
                result[n, i] = "page_number" if is_page_number(plain(region)) else _side(batch[n], region)
        return result

    def _level(self, places: Sequence[tuple[int, int, float]]) -> Iterator[list[tuple[int, int]]]:
        """The places, page and region, in groups that stand at one height."""
        group: list[tuple[int, int]] = []
        first = 0.0
        for n, i, height in sorted(places, key=lambda place: (place[2], place[:2])):
            if group and height - first > self.near:
                yield group
                group = []
            if not group:
                first = height
            group.append((n, i))
        if group:
            yield group


def _side(page: Sample, region: Region) -> str:
    return "header" if 2 * region.box.y0 < page.size[1] else "footer"


def _running(region: Region, label: str) -> Region:
    return replace(region, label=label, text=plain(region), format="markdown", is_unread=False, continues=False)


def _rearranged(page: Sample, regions: Sequence[Region]) -> Sample:
    heads = [r for r in regions if r.label in RUNNING and _side(page, r) == "header"]
    feet = [r for r in regions if r.label in RUNNING and _side(page, r) == "footer"]
    ordered = (*heads, *(r for r in regions if r.label not in RUNNING), *feet)
    return replace(page, regions=ordered, text=markdown(ordered))
