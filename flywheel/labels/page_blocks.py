"""Lines of text as the blocks of a page, in a look that is drawn: titles, headings, paragraphs, lists, small print, one to three
columns."""

import random
import re
from collections.abc import Iterator, Sequence

from datagen.drawing.sheet import Block
from datagen.drawing.typeset import Style
from flywheel.labels.score_readings import LEADER

# Width and height in points, and how many columns pages of the kind have.
_SHEETS = ((595, 842, (1, 1, 1, 2, 2)), (612, 792, (1, 1, 2)), (842, 595, (2, 3)))
_SHARES = (0.7, 0.2, 0.1)
_ITEM = re.compile(r"[•–*→-]|\(?\w{1,2}\)|\d+[.)]|\d+(\.\d+)+ ")
_UNSPACED = frozenset("Hans Hant Jpan Khmr Laoo Mymr Thai Tibt".split())  # where justified lines would have a gap or two
_SHORT = 34  # characters: a heading or an item of a list, in most documents


def style(family: str, script: str, random: random.Random) -> Style:
    """The paper, the columns, and how the body of the text is set."""
    width, height, columns = random.choices(_SHEETS, _SHARES)[0]
    num_columns = random.choice(columns)
    return Style(
        width_pt=width,
        height_pt=height,
        margin_pt=random.uniform(34, 80 if num_columns == 1 else 50),
        family=family,
        size_pt=random.uniform(7.5, 12.5 if num_columns == 1 else 10.5),
        line_spacing=random.uniform(1.15, 1.6),
        columns=num_columns,
        column_gap_pt=random.uniform(14, 28),
        justify=random.random() < 0.4 and script not in _UNSPACED,
    )


class Queue:
    """Lines that wait to be set, each with the typefaces that can set it."""

    def __init__(self, lines: Sequence[tuple[str, Sequence[str]]]):
        self._lines = list(lines)

    def __bool__(self) -> bool:
        return bool(self._lines)

    def has(self, family: str) -> bool:
        """Whether a line is left for a typeface."""
        return any(family in families for _, families in self._lines)

    def take(self, family: str, is_item: bool | None = None) -> str:
        """The next line for a typeface, one for an item, or one for a paragraph, if there is one; "" if no line is left."""
        able = (i for i, (_, families) in enumerate(self._lines) if family in families)
        for any_kind in (False, True):
            for i in able:
                if any_kind or is_item is None or _is_item(self._lines[i][0]) == is_item:
                    return self._lines.pop(i)[0]
            able = (i for i, (_, families) in enumerate(self._lines) if family in families)
        return ""


def blocks(queue: Queue, style: Style, random: random.Random) -> Iterator[Block]:
    """Blocks of a page, as long as lines are left. Lines are taken out of the queue as the blocks are asked for."""
    size, family = style.size_pt, style.family
    gap = random.uniform(0.2, 0.9) * size
    indent = random.choice((0.0, 0.0, 1.5)) * size
    if random.random() < 0.35 and (text := queue.take(family, True)):
        yield Block(text, "title", size * random.uniform(1.5, 2.1), random.choice((400, 700)), gap_pt=gap)
    while queue.has(family):
        kind = random.random()
        if kind < 0.2 and (text := queue.take(family, True)):
            look = random.choice((400, 700, 700, 700)), random.random() < 0.15
            yield Block(text, "sub_title", size * random.uniform(1.0, 1.45), *look, gap_pt=2 * gap)
        elif kind < 0.45:
            for number in range(random.randint(2, 6)):
                if text := queue.take(family, True):
                    yield Block(text, "list", size, indent_pt=-size, gap_pt=gap if number == 0 else 0.2 * gap)
        else:
            lines = [queue.take(family, False) for _ in range(random.randint(2, 7))]
            is_small, is_italic = random.random() < 0.1, random.random() < 0.06
            text = " ".join(line for line in lines if line)
            yield Block(text, "text", size * (0.85 if is_small else 1), 400, is_italic, indent, gap)


def _is_item(text: str) -> bool:
    return len(text) <= _SHORT or bool(_ITEM.match(text) or LEADER.search(text))
