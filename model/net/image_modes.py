"""The released resolution modes: the sizes of their views and tiles, and an image's number of placeholders.

Sizes and rules are those of the released processing code (`process/image_process.py`) and of the paper's table 1. `line` is ours:
the image of one line of text. Its view is 64 pixels high, one row of tokens, and as wide as the text at that height. In a square,
such an image would be mostly padding, which costs time, and in which a small network doesn't find the ink.
"""

import functools
from dataclasses import dataclass

MAX_LINE_WIDTH = 4096  # some 170 characters: a rule, 1 pixel high and 2,000 wide, must not become 128,000 wide
MAX_TILES = 9
# SAM's patch of 16 pixels, and 4 patches along a side to one token.
TOKEN_SIDE = 64


@dataclass(frozen=True)
class Mode:
    """A resolution mode. `side` is the whole view's, `tile` the tiles', 0 for no tiles. A whole view that isn't `padded` to a
    square is squeezed into one. A `line` isn't square: it is `side` pixels high, and as wide as its text."""

    side: int
    padded: bool
    tile: int = 0
    line: bool = False

    def whole(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of an image's whole view. A line's width is a multiple of 64."""
        if not self.line:
            return self.side, self.side
        return min(MAX_LINE_WIDTH, -(-self.text_width(width, height) // TOKEN_SIDE) * TOKEN_SIDE), self.side

    def text_width(self, width: int, height: int) -> int:
        """The width of an image at a line's height, at most `MAX_LINE_WIDTH`."""
        return max(1, min(MAX_LINE_WIDTH, round(width * self.side / height)))

    def upsamples(self, width: int, height: int) -> bool:
        """Whether the mode is above the image's pixels: a line's height, else the longer side."""
        return (height if self.line else max(width, height)) < self.side

    def num_tokens(self, grid: tuple[int, int] = (0, 0), whole: tuple[int, int] | None = None) -> int:
        """The number of an image's placeholders in the decoder, if it has `grid` (columns, rows) tiles. The joined tiles have a
        newline after each row of tokens, and so has the whole view of `whole` (width, height) pixels: a line needs it, other
        modes have their square. Then comes one separator."""
        return placeholders(whole or (self.side, self.side), self.tile, grid)


def placeholders(whole: tuple[int, int], tile: int, grid: tuple[int, int]) -> int:
    """The number for a whole view of (width, height) pixels, and a `grid` of tiles with sides of `tile` pixels."""
    columns, rows = (count * tile // TOKEN_SIDE for count in grid)
    across, down = (side // TOKEN_SIDE for side in whole)
    return rows * (columns + 1) + down * (across + 1) + 1


MODES = {
    "tiny": Mode(512, padded=False),
    "small": Mode(640, padded=False),
    "base": Mode(1024, padded=True),
    "large": Mode(1280, padded=True),
    "gundam": Mode(1024, padded=True, tile=640),
    "gundam-m": Mode(1280, padded=True, tile=1024),
    "line": Mode(TOKEN_SIDE, padded=True, line=True),
}


def num_tokens(mode: str, width: int, height: int) -> int:
    """The number of an image's placeholders in `mode`: that of its `views`, without reading it."""
    chosen = MODES[mode]
    grid = tile_grid(width, height, chosen.tile) if chosen.tile else (0, 0)
    return chosen.num_tokens(grid, chosen.whole(width, height))


def tile_grid(width: int, height: int, tile: int, max_tiles: int = MAX_TILES) -> tuple[int, int]:
    """(columns, rows) of an image's tiles, or (0, 0) if the image fits into one tile and gets none. The grid has 2 to `max_tiles`
    tiles, and the shape nearest to the image's. Smaller grids come first. Of two equally near grids the later wins if the image
    has more than half of its pixels."""
    if width <= tile and height <= tile:
        return 0, 0
    shape, nearest, best = width / height, float("inf"), (1, 1)
    for columns, rows in _grids(max_tiles):
        distance = abs(shape - columns / rows)
        large = width * height > 0.5 * tile * tile * columns * rows
        if distance < nearest or (distance == nearest and large):
            nearest, best = distance, (columns, rows)
    return best


@functools.cache
def _grids(max_tiles: int) -> list[tuple[int, int]]:
    sides = range(1, max_tiles + 1)
    return sorted(((i, j) for i in sides for j in sides if 2 <= i * j <= max_tiles), key=lambda grid: grid[0] * grid[1])
