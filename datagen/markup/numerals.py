"""Numbers as a script or a document writes them: its own digits, Roman numerals, and the word for a page."""

import functools
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

_PERSIAN = frozenset("fa ur ps ckb sd ks ug".split())
_ROMAN = ("m 1000|cm 900|d 500|cd 400|c 100|xc 90|l 50|xl 40|x 10|ix 9|v 5|iv 4|i 1").split("|")


def digit_style(script: str, lang: str) -> str:
    """The CSS counter style of the numbers that a script has beside ours; "decimal" if it has none."""
    if script == "Arab" and lang.split("-")[0].lower() in _PERSIAN:
        return "persian"
    return _known()["digits"].get(script, ("decimal", ""))[0]


def numeral(number: int, style: str) -> str:
    """A number from 1 on: in digits of a script if `style` is their counter style, in Roman numerals if it is "roman"."""
    if style == "roman":
        text = ""
        for letters, value in (pair.split() for pair in _ROMAN):
            count, number = divmod(number, int(value))
            text += letters * count
        return text
    zero = next(
        (zero for name, zero in _known()["digits"].values() if name == style and zero), "۰" if style == "persian" else "0"
    )
    return "".join(chr(ord(zero) + unicodedata.digit(digit)) for digit in str(number))


def with_word(number: str, lang: str, script: str) -> str:
    """A page's number with the word for a page in a language (BCP-47), such as "Page 12"; alone if we know no word."""
    words = _known()["page"]
    return words.get(script, words.get(lang.split("-")[0].lower(), "{}")).format(number)


@functools.cache
def _known() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("numerals.toml").read_text(encoding="utf-8"))
