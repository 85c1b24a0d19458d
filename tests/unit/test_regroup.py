"""Lines in an order that the layout model's blocks give, where the file has none."""

import random

from datagen.sources.pdf_layout import Block
from datagen.sources.pdf_pieces import Piece
from datagen.sources.pdf_regroup import regrouped

COLUMNS = (72.0, 310.0)


def page(labels: tuple[str, str] = ("text", "text")) -> tuple[list[list[Piece]], dict[int, int], list[Block]]:
    """Two columns of six lines, the model's block around each, and the lines' owners."""
    blocks, owners, seen = [], {}, []
    for column, left in enumerate(COLUMNS):
        pieces = [
            Piece((left, 90 + 14 * n, left + 200, 100 + 14 * n), f"column {column} line {n}", "Serif", 10) for n in range(6)
        ]
        owners |= {id(piece): column for piece in pieces}
        seen.append(Block((left, 90, left + 200, 170), labels[column], ()))
        blocks.append(pieces)
    return blocks, owners, seen


def texts(blocks: list[list[Piece]]) -> list[str]:
    return [piece.text for block in blocks for piece in block]


def test_an_order_that_holds_stays():
    blocks, owners, seen = page()
    assert regrouped(blocks, owners, seen, rtl=False) is None
    assert regrouped(blocks[::-1], owners, seen, rtl=False) is None  # the file may know better than columns do


def test_lines_in_disorder_are_read_block_by_block():
    blocks, owners, seen = page()
    truth = texts(blocks)
    pieces = [piece for block in blocks for piece in block]
    by_rows = [pieces[6 * column + n] for n in range(6) for column in (0, 1)]
    shuffled = random.Random(1).sample(pieces, len(pieces))
    for disorder in (by_rows, shuffled):
        made = regrouped([[piece] for piece in disorder], owners, seen, rtl=False)
        assert made is not None and texts(made) == truth


def test_in_a_table_lines_may_stand_in_any_order():
    blocks, owners, seen = page(("table", "table"))
    by_rows = [blocks[column][n] for n in range(6) for column in (0, 1)]
    assert regrouped([by_rows], owners, seen, rtl=False) is None


def test_a_line_in_no_block_is_kept():
    blocks, owners, seen = page()
    stray = Piece((72, 300, 272, 310), "stray", "Serif", 10)
    disorder = [blocks[column][n] for n in range(6) for column in (0, 1)]
    made = regrouped([[*disorder, stray]], owners | {id(stray): -1}, seen, rtl=False)
    assert made is not None and sorted(texts(made)) == sorted([*texts(blocks), "stray"])
