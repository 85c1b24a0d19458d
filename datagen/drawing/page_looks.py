"""Pages in a look that is drawn: paper, sizes, one to three columns; a title, headings, paragraphs, lists and small print."""

import random
from collections.abc import Callable

from datagen.drawing.prose import Text
from datagen.drawing.sheet import Column, Flow, Sheet, columns
from datagen.drawing.typeset import Style
from datagen.writing import scripts

# Width and height in points, and how many columns pages of the kind have.
_PAPERS = ((595, 842, (1, 1, 1, 2, 2)), (612, 792, (1, 1, 2)), (842, 595, (2, 3)))
_SHARES = (0.7, 0.2, 0.1)
_UNSPACED = frozenset("Hans Hant Jpan Khmr Laoo Mymr Thai Tibt".split())  # where justified lines would have a gap or two
SHORT = 34
"""Characters of a heading or of an item of a list, in most documents."""


def style(family: str, script: str, random: random.Random) -> Style:
    """The paper, the columns, and how the body of the text is set."""
    width, height, numbers = random.choices(_PAPERS, _SHARES)[0]
    num_columns = random.choice(numbers)
    return Style(
        width_pt=width,
        height_pt=height,
        margin_pt=random.uniform(34, 80 if num_columns == 1 else 50),
        family=family,
        size_pt=random.uniform(7.5, 12.5 if num_columns == 1 else 10.5),
        line_spacing=random.uniform(1.15, 1.6),
        paragraph_gap_pt=random.uniform(1.5, 11),
        columns=num_columns,
        column_gap_pt=random.uniform(14, 28),
        justify=random.random() < 0.4 and script not in _UNSPACED,
    )


def page(text: Text, script: str, style: Style, between: Callable[[Flow], None] = lambda flow: None) -> Sheet:
    """A sheet of this style, full, or with all that is left of the text. `between` may set more after each paragraph or list."""
    random, size, edge, gap = text.random, style.size_pt, style.margin_pt, style.paragraph_gap_pt
    sheet = Sheet(text, (style.width_pt, style.height_pt), style.family, rtl=script in scripts.RTL)
    sheet.colour = (1 - random.uniform(0.75, 1),) * 3
    width, bottom = style.width_pt - 2 * edge, style.height_pt - edge
    above = Flow(sheet, [Column(edge, edge, width, bottom)])
    lead, indent = style.line_spacing, random.choice((0.0, 0.0, 1.5)) * size
    if random.random() < 0.35 and (title := text.heading(SHORT)):
        above.text("title", title, size * random.uniform(1.5, 2.1), weight=random.choice((400, 700)), gap=2 * gap, leading=lead)
    flow = Flow(sheet, columns(edge, above.y, width, bottom, style.columns, style.column_gap_pt, sheet.rtl))
    while not flow.is_full:
        kind = random.random()
        if kind < 0.2 and (heading := text.heading(SHORT)):
            look = {"weight": random.choice((400, 700, 700, 700)), "italic": random.random() < 0.15}
            flow.text("sub_title", heading, size * random.uniform(1.0, 1.45), gap=gap, leading=lead, together=3 * size, **look)
            continue
        if kind < 0.45 and (items := list(filter(None, (text.item() for _ in range(random.randint(2, 6)))))):
            for item in items:
                flow.text("list", item, size, indent_pt=-size, gap=0.2 * gap, leading=lead)
        elif paragraph := text.paragraph(random.randint(80, 600)):
            is_small, look = random.random() < 0.1, {"italic": random.random() < 0.06, "justify": style.justify}
            flow.text("text", paragraph, size * (0.85 if is_small else 1), indent_pt=indent, leading=lead, **look)
        else:
            break
        flow.skip(gap)
        between(flow)
    return sheet
