"""The cells of a born-digital table: text from the text layer, places from its lines and from what is drawn between them."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from datagen.coarse.page import TEXT_FLAGS, OpenPage, native, textpage_of
from datagen.engines.light_pymupdf import pymupdf
from datagen.page import raised
from datagen.record import Box, Line
from datagen.tables.cells import to_html
from datagen.tables.grid import line_height, table
from datagen.tables.rules import Rule, rules

NO_SCRIPTS: raised.Scripts = {}
_FLAGS = TEXT_FLAGS & ~pymupdf.TEXT_PRESERVE_LIGATURES
_MARGIN_EM = 0.6  # around the region, in which its frame may be drawn
_THROUGH = 0.95  # of a line's height, of a rule that goes through it
_SPACE_EM = 0.45  # of a line's height; a wider gap isn't a space between words


def table_html(
    view: OpenPage, box: Box, lines: Sequence[Line], scripts: raised.Scripts = NO_SCRIPTS, words: Collection[str] = ()
) -> str | None:
    """The HTML of the table at `box`, whose text is `lines`, both in the image's pixels: see `table_grid.table` for how its cells
    are found. None where it isn't plain what they are: the text stands, and nobody knows in which cell. `scripts` are the page's
    superscripts and subscripts, `words` its words, with which `joined` makes words whole that a line cuts.

    A line is cut, at the words of the page, where a rule goes through it and at gaps. Raises `SampleError` (`broken_page`)."""
    em = line_height(lines)
    if not em:
        return None
    margin = round(_MARGIN_EM * em)
    x0, y0 = max(0, box.x0 - margin), max(0, box.y0 - margin)
    crop = view.image[y0 : box.y1 + margin, x0 : box.x1 + margin]
    horizontal, vertical = rules(crop, em, [_moved_box(line.box, -x0, -y0) for line in lines])
    horizontal, vertical = [_moved(rule, y0, x0) for rule in horizontal], [_moved(rule, x0, y0) for rule in vertical]
    pieces = _words(view, box, vertical)
    parts = [part for line in lines for part in _parts(line, vertical, pieces)]
    placed = raised.moved(scripts, view.pixels)
    grid = table([_with_scripts(part, placed) for part in parts], horizontal, vertical, words)
    return to_html(grid) if grid is not None and grid.has_text else None


def _with_scripts(part: Line, scripts: raised.Scripts) -> Line:
    box = part.box
    text = raised.written(part.text, (box.x0, box.y0, box.x1, box.y1), scripts, part.direction == "rtl")
    return part if text == part.text else replace(part, text=text)


def _moved_box(box: Box, x: int, y: int) -> Box:
    return Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y)


def _moved(rule: Rule, across: int, along: int) -> Rule:
    return rule._replace(at=rule.at + across, parts=tuple((first + along, stop + along) for first, stop in rule.parts))


def _words(view: OpenPage, box: Box, vertical: Sequence[Rule]) -> list[tuple[Box, str]]:
    """The page's words at the height of a box, from the left, those through which a rule goes by letter."""

    def placed(bbox: tuple[float, float, float, float], text: str) -> list[tuple[Box, str]]:
        at = view.pixels(bbox)
        return [(at, text)] if at and at.y1 > box.y0 and at.y0 < box.y1 else []

    with native("broken_page"):
        textpage = textpage_of(view.page, _FLAGS)
        words = [part for word in textpage.extractWORDS() for part in placed(word[:4], word[4])]
        cut = [word for word in words if any(_goes_through(rule, word[0]) for rule in vertical)]
        if cut:
            chars = [
                part
                for block in textpage.extractRAWDICT()["blocks"]
                for line in block.get("lines", ())
                for span in line["spans"]
                for char in span["chars"]
                for part in placed(char["bbox"], char["c"])
            ]
            inside = [(at, c) for at, c in chars if not c.isspace() and any(_is_in(at, word) for word, _ in cut)]
            words = [word for word in words if word not in cut] + inside
    return sorted(words)


def _goes_through(rule: Rule, box: Box) -> bool:
    return box.x0 < rule.at < box.x1 and rule.covered(box.y0, box.y1) > _THROUGH


def _parts(line: Line, vertical: Sequence[Rule], pieces: Sequence[tuple[Box, str]]) -> list[Line]:
    """A line in parts, between which a gap is wider than a space, or a rule goes through. The line itself, if the page's words
    aren't plainly its own: those of formulas and of lines in two directions are not."""
    box = line.box
    own = [(at, text) for at, text in pieces if _is_in(at, box)]
    if line.direction == "rtl":
        own.reverse()
    letters = [i for i, char in enumerate(line.text) if not char.isspace()]
    if len(own) < 2 or line.direction == "ttb" or sum(len(text) for _, text in own) != len(letters):
        return [line]
    rules = [rule.at for rule in vertical if _goes_through(rule, box)]
    parts: list[tuple[list[Box], list[int]]] = []
    last, place = None, 0
    for at, text in own:
        if line.direction == "rtl" and "".join(line.text[i] for i in letters[place : place + len(text)]) != text:
            return [line]
        first, stop = (at.x1, last.x0) if last and line.direction == "rtl" else (last.x1 if last else 0, at.x0)
        is_cut = stop - first > _SPACE_EM * (box.y1 - box.y0) or any(first - 2 <= rule <= stop + 2 for rule in rules)
        if last is None or is_cut:
            parts.append(([], []))
        parts[-1][0].append(at)
        parts[-1][1].extend(letters[place : place + len(text)])
        last, place = at, place + len(text)
    return [_part(line, *part) for part in parts] if len(parts) > 1 else [line]


def _is_in(inner: Box, outer: Box) -> bool:
    return outer.y0 < (inner.y0 + inner.y1) / 2 < outer.y1 and inner.x0 >= outer.x0 - 2 and inner.x1 <= outer.x1 + 2


def _part(line: Line, boxes: Sequence[Box], letters: Sequence[int]) -> Line:
    x0, x1 = min(box.x0 for box in boxes), max(box.x1 for box in boxes)
    return replace(line, box=Box(x0, line.box.y0, x1, line.box.y1), text=line.text[letters[0] : letters[-1] + 1], polygon=())
