r"""The regions of a page with the page's text in their places, the Markdown of their text, and joins of neighbours: whole code,
nested lists. Markdown has stars around what stands out, `<sup>` and `<sub>`, and formulas as `\(…\)`."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from datagen.fine.region_markdown import enclosed, starred
from datagen.page.boxes import around
from datagen.record import Region
from datagen.word.pages.paragraph_parts import Part
from datagen.word.pages.split_tables import TablePiece

_EMPTY_LINE = 0.8  # of a line's height: a gap of so much between two lines of code is an empty line
_INDENT = "    "  # of a nested item: wide enough below "- " and "9. "
_LETTERS = re.compile(r"[^\W\d_]")
_TAGS = {1: "sup", -1: "sub"}
_GOES_ON = re.compile(r"</(su[bp])><\1>")
_ROOM_IN_MARKER = re.compile(r"(?<=[([])\s+|\s+(?=[.)\]:])")


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


def part_markdown(part: Part, latex: Mapping[int, str], stands_out: Set[tuple[bool, bool]], clean: Callable[[str], str]) -> str:
    """The part's text, each line passed through `clean`. `latex` has the formulas' LaTeX by number; a formula that it lacks is
    left out. `stands_out` are the styles, bold and italic, that get stars."""
    text = ""
    for run, style in _runs(part, latex):
        stars = "*" * (2 * style[0] + style[1]) if style in stands_out else ""
        text += starred(run, stars) if stars and _LETTERS.search(run) and not {"*", "_"} & set(run) else run
    if part.paragraph.is_code:
        return "\n".join(line.rstrip() for line in text.expandtabs(4).split("\n"))
    return "\n".join(line for line in map(clean, text.split("\n")) if line)


def marker_text(part: Part, clean: Callable[[str], str]) -> str:
    """The number or bullet before the part, without spaces within it."""
    return _ROOM_IN_MARKER.sub("", clean(part.marker))


def _runs(part: Part, latex: Mapping[int, str]) -> list[tuple[str, tuple[bool, bool]]]:
    """The stretches of one style, bold and italic. White space has the style of the text before it."""
    runs: list[tuple[str, tuple[bool, bool]]] = []
    for segment in part.segments:
        style = segment.is_bold, segment.is_italic
        if segment.formula >= 0:
            runs.append((rf"\({latex.get(segment.formula, '')}\)", (False, False)))
            continue
        text = segment.text
        if segment.raised and not part.paragraph.is_code:
            tag = _TAGS[segment.raised]
            text = "\n".join(enclosed(line, f"<{tag}>", f"</{tag}>") for line in text.split("\n"))
        if runs and (runs[-1][1] == style or not text.strip()) and not runs[-1][0].endswith(r"\)"):
            runs[-1] = _GOES_ON.sub("", runs[-1][0] + text), runs[-1][1]
        else:
            runs.append((text, style))
    return runs
