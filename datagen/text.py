"""Lines of text put together as a person would type them."""

import re
from collections.abc import Sequence

from datagen.record import Line

# Chinese, Japanese, Thai, Lao, Tibetan, Myanmar and Khmer: the letters, and the punctuation that is set in full width.
_UNSPACED = re.compile(
    "[\u0e00-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u2e80-\u303f\u3041-\u312f\u31a0-\u31ff\u3400-\u9fff\ua000-\ua4cf"
    "\ua9e0-\ua9ff\uaa60-\uaadf\uf900-\ufaff\uff01-\uff9f\U00020000-\U0003ffff]"
)


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
