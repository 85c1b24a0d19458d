"""Lines of text put together as a person would type them."""

import re
from collections.abc import Sequence

from datagen import scripts
from datagen.record import Line

# The letters of scripts without spaces between words, and the punctuation that they set in full width.
_UNSPACED = re.compile(f"[{scripts.HAN}{scripts.PHRASED}{scripts.YI}]")


def joined(lines: Sequence[Line]) -> str:
    """The lines' text in one, with words whole that the typesetter cut.

    A hyphen between a letter and a small letter is the typesetter's, and goes: that a compound such as `well-known` was broken at
    its own can't be told from the text. All others stay, and draw the next line to them, as do the letters of scripts without
    spaces between words. Between other lines stands a space.
    """
    text = ""
    for line in lines:
        right = line.text
        if text and right:
            if text[-1] == "-" and text[-2:-1].isalnum():
                text = text[:-1] if text[-2].isalpha() and right[0].islower() else text
            elif not (_UNSPACED.match(text[-1]) and _UNSPACED.match(right)):
                text += " "
        text += right
    return text
