"""Headings found by their numbers alone, which form a series through the document: 2, 2.1, 2.1.1, 2.1.2; also 2-1.1."""

import re
from collections import Counter
from collections.abc import Sequence

_NUMBER = re.compile(r"(\d{1,2}(?:[-.]\d{1,2}){0,4})(?:[.\uff0e\u2024]?\s+|[.\uff0e\u2024]?(?=[^\W\d_A-Za-z]))(?=\S)")
_ENDS_IN_NUMBER = re.compile(r"\d$")  # as an entry of the contents does
_MIN_SECTIONS, _MAX_IN_A_ROW = 3, 3  # more below each other are contents, or a list


def number_of(text: str) -> tuple[int, ...]:
    """The section number at the beginning of a text, one value for each level; empty if there is none."""
    number = _NUMBER.match(text)
    return tuple(map(int, re.split("[-.]", number[1]))) if number and not _ENDS_IN_NUMBER.search(text) else ()


def sections(texts: Sequence[str]) -> dict[int, int]:
    """The levels, from 1, of texts that are section headings by their numbers, by index. The texts are in reading order; a text
    that can't be a heading is "".

    A number of two or more levels is a section's if the preceding number or its parent came before, or if the next number
    follows. Any number is a section's if its first subsection follows right after."""
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
    """The texts that follow each other without text between, too often for headings."""
    rows: list[list[int]] = []
    for i in sorted(found):
        if rows and rows[-1][-1] == i - 1:
            rows[-1].append(i)
        else:
            rows.append([i])
    return {i for row in rows if len(row) > _MAX_IN_A_ROW for i in row}
