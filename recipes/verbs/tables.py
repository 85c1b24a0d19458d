"""Tables for people."""

from collections.abc import Collection, Sequence


def aligned(rows: Sequence[Sequence[str]], figures: Collection[int] = ()) -> list[str]:
    """The rows as lines, in columns as wide as their widest cells. The columns `figures` are aligned right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_cell(row, n, width, n in figures) for n, width in enumerate(widths)).rstrip() for row in rows]


def _cell(row: Sequence[str], number: int, width: int, is_figure: bool) -> str:
    return row[number].rjust(width) if is_figure else row[number].ljust(width)
