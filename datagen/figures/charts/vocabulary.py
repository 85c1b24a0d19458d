"""What charts are about, in their languages: the quantities of `topics`, and what stands for "by country" and its like.

The words are the project's own, in vocabulary.tsv: a row for each language. A phrase with {} has the noun in its place; any other
stands behind it.
"""

import csv
import functools
from pathlib import Path

_FILE = Path(__file__).with_name("vocabulary.tsv")


def noun(lang: str, name: str) -> str:
    """What a quantity is called in a language. Raises `KeyError` for one that the list hasn't."""
    return _words()[lang][name]


def divided(lang: str, what: str, by: str) -> str:
    """What is said of a quantity that is given for each country, city, language, month or year: "Exports by country"."""
    phrase = _words()[lang][f"by {by}"]
    return phrase.replace("{}", what) if "{}" in phrase else f"{what} {phrase}"


@functools.cache
def _words() -> dict[str, dict[str, str]]:
    with _FILE.open(encoding="utf-8", newline="") as file:
        return {row.pop("language"): row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
