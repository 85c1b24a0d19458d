"""What a benchmark says of predictions: the official figures, and beside each the corrected one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datagen.score.pages import PredictedPage

Excluded = Mapping[str, frozenset[str]]
"""Of each page's name, the numbers of the blocks, or the tests, that are known wrong."""


@dataclass(frozen=True)
class Report:
    """`rows` are names, figures (None where there is nothing to count) and what they are. `differs` says in one sentence how the
    corrected figures differ. `notes` are for people; `of_pages` goes to a file."""

    rules: str
    rows: tuple[tuple[str, float | None, float | None, str], ...]
    differs: str
    notes: tuple[str, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    of_pages: tuple[Mapping[str, Any], ...]


def excluded(path: str) -> dict[str, frozenset[str]]:
    """What a list says, a line each: a page's image or a test's file, a tab, the number of a block or the name of a test. Raises
    `ValueError`, which names the line."""
    left_out: dict[str, set[str]] = {}
    try:
        lines = Path(path).expanduser().read_text(encoding="utf-8").splitlines() if path else []
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"without={path}: there is no file of UTF-8 text that can be read") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            page, _, block = line.partition("\t")
            if not block.strip():
                raise ValueError(f"without={path}, line {number}: a page's image, a tab and a block's number are needed")
            left_out.setdefault(page.strip(), set()).add(block.strip())
    return {page: frozenset(blocks) for page, blocks in left_out.items()}


def paired(
    names: Sequence[tuple[str, ...]], predicted: Sequence[PredictedPage], example: str
) -> tuple[list[PredictedPage | None], tuple[str, ...]]:
    """The prediction of each page, and the names of those of no page. Raises `ValueError` if none is of any page."""
    of_name: dict[str, PredictedPage] = {}
    for page in predicted:
        for name in page.names:
            of_name.setdefault(name, page)
    chosen = [next((of_name[name] for name in one if name in of_name), None) for one in names]
    used = {id(page) for page in chosen if page is not None}
    if not used:
        raise ValueError(f"no prediction is of a page of the benchmark: name each as {example}.md")
    return chosen, tuple(page.names[0] for page in predicted if id(page) not in used)
