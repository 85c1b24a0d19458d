"""The readers of all scripts as a table."""

from collections.abc import Mapping
from typing import Any

_COLUMNS = ("script", "languages", "typefaces", "characters wrong", "Tesseract for ours, lines", "minutes", "kB")

_NAMED = 8  # languages


def table(cards: Mapping[str, Mapping[str, Any]]) -> str:
    """A table in Markdown. A star: no typeface is left that only tests."""
    head = f"| {' | '.join(_COLUMNS)} |\n|{' --- |' * len(_COLUMNS)}\n"
    return head + "".join(f"| {' | '.join(_cells(script, card))} |\n" for script, card in cards.items())


def _cells(script: str, card: Mapping[str, Any]) -> list[str]:
    faces = f"{len(card['typefaces'])}" + ("" if card["unseen_typefaces"] else "*")
    minutes, kilobytes = f"{card['processor_s'] / 60:.1f}", f"{card['bytes'] / 1e3:.0f}"
    if "cer" in card:
        rate = f"{_percent(card['cer'])} ({_percent(card['low'])} to {_percent(card['high'])}), {card['lines']} lines"
    else:
        rate = "no text is left to test"
    theirs = card["tesseract"]
    other = f"{_percent(theirs['cer'])} for {_percent(theirs['ours'])}, {theirs['lines']}" if theirs else ""
    languages = ", ".join(card["text"]) if len(card["text"]) <= _NAMED else f"{len(card['text'])} languages"
    return [script, languages, faces, rate, other, minutes, kilobytes]


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f}%"
