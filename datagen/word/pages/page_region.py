"""The regions of a page with the page's text in their places, and joins of neighbours: whole code, nested lists."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from datagen.page.boxes import around
from datagen.record import Region
from datagen.word.pages.split_tables import TablePiece

_EMPTY_LINE = 0.8  # of a line's height: a gap of so much between two lines of code is an empty line
_INDENT = "    "  # of a nested item: wide enough below "- " and "9. "


@dataclass(frozen=True)
class PageRegion:
    """A region, and the `text` of the page's text layer in its place. `formulas` and `table` are in the region. `depth` is a list
    item's, 0 elsewhere. `unread_text` is on the page, and rightly missing in the region's text: a letter as a bullet, or the
    whole text of an unread region."""

    region: Region
    text: str
    formulas: tuple[int, ...] = ()
    table: TablePiece | None = None
    depth: int = 0
    unread_text: str = ""

    def unread(self) -> "PageRegion":
        """The entry without its region's text, which lacks something."""
        region = replace(self.region, text="", lines=(), is_unread=True)
        return replace(self, region=region, text="", formulas=(), unread_text=self.text + self.unread_text)


def indented(entries: Sequence[PageRegion]) -> list[PageRegion]:
    """The regions with indented items of nested lists. The depths of neighbouring items count from the least of them, since a
    page may begin within a list."""
    result = list(entries)
    start = 0
    for stop in range(len(result) + 1):
        if stop < len(result) and result[stop].region.label == "list":
            continue
        depths = sorted({entry.depth for entry in result[start:stop] if entry.depth})
        for n in range(start, stop):
            entry = result[n]
            if entry.depth and entry.region.text:
                text = _INDENT * depths.index(entry.depth) + entry.region.text
                result[n] = replace(entry, region=replace(entry.region, text=text))
        start = stop + 1
    return result


def with_whole_code(entries: Sequence[tuple[int, int, PageRegion]]) -> Iterator[PageRegion]:
    """The regions in order. Neighbouring paragraphs of code further down on the page become one. A gap on the page becomes an
    empty line: the document has no empty paragraphs."""
    last: PageRegion | None = None
    last_at = -2
    for _, at, entry in entries:
        region = entry.region
        is_code = last is not None and region.label == last.region.label == "code" and region.box.y0 >= last.region.box.y0
        if last is not None and is_code and at == last_at + 1:
            before = last.region
            height = (region.box.y1 - region.box.y0) / max(1, len(region.lines))
            gap = "\n\n" if region.box.y0 - before.box.y1 > _EMPTY_LINE * height else "\n"
            lines = before.lines + region.lines if before.lines and region.lines else ()
            box, text = around([before.box, region.box]), before.text + gap + region.text
            whole = replace(before, box=box, text=text, lines=lines, continues=region.continues)
            last = PageRegion(whole, f"{last.text}\n{entry.text}", last.formulas + entry.formulas)
        else:
            if last is not None:
                yield last
            last = entry
        last_at = at
    if last is not None:
        yield last
