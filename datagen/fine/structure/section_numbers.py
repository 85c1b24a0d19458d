"""Headings told by nothing but their numbers, which go on through a document: 2, 2.1, 2.1.1, 2.1.2, also written 2-1.1."""

import re
from collections import Counter
from collections.abc import Sequence

_NUMBER = re.compile(r"(\d{1,2}(?:[-.]\d{1,2}){0,4})(?:[.\uff0e\u2024]?\s+|[.\uff0e\u2024]?(?=[^\W\d_A-Za-z]))(?=\S)")
_ENDS_IN_NUMBER = re.compile(r"\d$")  # as an entry of the contents does
_MIN_SECTIONS, _MAX_IN_A_ROW = 3, 3  # more below each other are contents, or a list


def number_of(text: str) -> tuple[int, ...]:
    """The number of a section that a text begins with, by levels; empty for none."""
    number = _NUMBER.match(text)
    return tuple(map(int, re.split("[-.]", number[1]))) if number and not _ENDS_IN_NUMBER.search(text) else ()


def sections(texts: Sequence[str]) -> dict[int, int]:
    """Which of the short texts, in the order of reading, are headings of sections by their numbers, and how deep, from 1. Texts
    that may be none are "".

    A number of two levels and more is a section's if the one before it, or the one that it is part of, is a number that came
    before, or the next one comes behind. Any is one in which the first section comes right behind."""
    numbers = [number_of(text) for text in texts]
    deep = {i: number for i, number in enumerate(numbers) if len(number) > 1}
    found = {i for i, number in deep.items() if _is_next(number, numbers[:i]) or _is_before(number, numbers[i + 1 :])}
    for i, number in reversed(list(enumerate(numbers))):
        if number and any(j in found and numbers[j] == (*number, 1) for j in (i + 1, i + 2)):
            found.add(i)
    found -= _in_rows(found)
    if len(found) < _MIN_SECTIONS or max(Counter(numbers[i] for i in found).values()) > 1:
        return {}
    return {i: len(numbers[i]) for i in sorted(found)}


def _is_next(number: tuple[int, ...], before: Sequence[tuple[int, ...]]) -> bool:
    last = (*number[:-1], number[-1] - 1) if number[-1] > 1 else number[:-1]
    return last in before


def _is_before(number: tuple[int, ...], behind: Sequence[tuple[int, ...]]) -> bool:
    return (*number[:-1], number[-1] + 1) in behind


def _in_rows(found: set[int]) -> set[int]:
    """Those that stand below each other, with no text between, too often for headings."""
    rows: list[list[int]] = []
    for i in sorted(found):
        if rows and rows[-1][-1] == i - 1:
            rows[-1].append(i)
        else:
            rows.append([i])
    return {i for row in rows if len(row) > _MAX_IN_A_ROW for i in row}
