"""Lines that run from right to left: their text in the order in which it is read, and in the order in which it stands.

A reader sees a line from left to right. Its alphabet turns the text of a line that it learns, and turns back what it reads. This
is the one place that turns: all other text is in the order of reading. What a line's look doesn't tell, as the order of two
numbers with a dash between them, comes back in the first of the orders that would have been drawn so.
"""

import re

from datagen.writing import scripts
from datagen.writing.bidi import levels, logical_order, mirror, visual_order

_RTL = re.compile(f"[{scripts.RIGHT_TO_LEFT}]")


def is_rtl(text: str, script: str) -> bool:
    """Whether a line in a text of `script` begins on the right: if the script is written so, and the line has a letter of one
    that is. A line of Latin words or numbers alone begins on the left."""
    return script in scripts.RTL and _RTL.search(text) is not None


def as_it_stands(text: str, script: str) -> str:
    """The characters of a line of a text in `script` from left to right, brackets as they look, marks in front of their letter
    where that runs from right to left."""
    if not _RTL.search(text):
        return text
    embedding = levels(text, is_rtl(text, script))
    return "".join(mirror(text[i]) if embedding[i] % 2 else text[i] for i in visual_order(embedding))


def as_it_is_read(drawn: str, script: str) -> str:
    """The text that `as_it_stands` was given, as far as its look tells."""
    if not _RTL.search(drawn):
        return drawn
    order = logical_order(drawn, is_rtl(drawn, script))
    return "".join(mirror(drawn[i]) if turned else drawn[i] for i, turned in order)
