"""The text of a line, as readers learn it and are judged on it."""

import unicodedata

_NORMAL = {0xAD: None, 0xFEFF: None, 0x200B: None, 0xB5: "μ", 0x0F0C: "\u0f0b"}


def normalise(text: str) -> str:
    """A line's text as readers learn and are judged on it: NFC, one space between words, no soft hyphens or other
    characters without a shape, the micro sign a mu, and Tibetan's tsheg that forbids a line break the one that looks the same."""
    return " ".join(unicodedata.normalize("NFC", text.translate(_NORMAL)).split())
