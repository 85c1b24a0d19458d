"""Pixels in, tensors out: the released resolution modes, with their padding, resizing and tiles.

    S side of the whole view in pixels · N tiles · T side of a tile

Sizes and rules are those of the released processing code (`process/image_process.py`) and of the paper's table 1. Mean and
standard deviation are 0.5. Padding is grey 127. EXIF's turn comes first.
"""

import functools
import io
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

GREY = (127, 127, 127)
MAX_TILES = 9
# SAM's patch of 16 pixels, and 4 patches along a side to one token.
_TOKEN_SIDE = 64


@dataclass(frozen=True)
class Mode:
    """A resolution mode. `side` is that of the whole view, `tile` that of the tiles, 0 for no tiles. A whole view that isn't
    `padded` to a square is squeezed into one."""

    side: int
    padded: bool
    tile: int = 0

    def num_tokens(self, grid: tuple[int, int] = (0, 0)) -> int:
        """The number of an image's placeholders in the decoder, if it is cut into `grid` (columns, rows) tiles.

        The tiles, put together, have a newline after each row of tokens. So has the whole view. Then comes one separator.
        """
        return _num_tokens(self.side, self.tile, grid)


def _num_tokens(side: int, tile: int, grid: tuple[int, int]) -> int:
    columns, rows = (count * tile // _TOKEN_SIDE for count in grid)
    side //= _TOKEN_SIDE
    return rows * (columns + 1) + side * (side + 1) + 1


MODES = {
    "tiny": Mode(512, padded=False),
    "small": Mode(640, padded=False),
    "base": Mode(1024, padded=True),
    "large": Mode(1280, padded=True),
    "gundam": Mode(1024, padded=True, tile=640),
    "gundam-m": Mode(1280, padded=True, tile=1024),
}


@dataclass(frozen=True)
class Views:
    """One image for the encoder: the whole view, (3, S, S), and tiles, (N, 3, T, T), row by row over `grid` (columns, rows)."""

    whole_3SS: Tensor
    tiles_N3TT: Tensor | None = None
    grid: tuple[int, int] = (0, 0)

    @property
    def num_tokens(self) -> int:
        tile = 0 if self.tiles_N3TT is None else self.tiles_N3TT.shape[-1]
        return _num_tokens(self.whole_3SS.shape[-1], tile, self.grid)

    def to(self, device: torch.device | str) -> "Views":
        tiles = None if self.tiles_N3TT is None else self.tiles_N3TT.to(device, non_blocking=True)
        return Views(self.whole_3SS.to(device, non_blocking=True), tiles, self.grid)


def tile_grid(width: int, height: int, tile: int, max_tiles: int = MAX_TILES) -> tuple[int, int]:
    """(columns, rows) of the tiles for an image of so many pixels, or (0, 0) if it fits into one tile and gets none.

    It is the grid of 2 to `max_tiles` tiles whose shape is nearest to the image's. Grids with
    fewer tiles come first. Of two that are equally near, the later counts if the image has more than half of its pixels.
    """
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


def open_upright(image: bytes) -> Image.Image:
    """The decoded image in RGB, turned as its EXIF says. Raises Pillow's errors."""
    with Image.open(io.BytesIO(image)) as opened:
        return ImageOps.exif_transpose(opened).convert("RGB")


def views(image: Image.Image, mode: str) -> Views:
    """The views of an upright RGB image in `mode`, a key of `MODES`: fp32 from -1 to 1."""
    chosen = MODES[mode]
    square = (chosen.side, chosen.side)
    whole_3SS = pixels(ImageOps.pad(image, square, color=GREY) if chosen.padded else image.resize(square))
    columns, rows = grid = tile_grid(*image.size, chosen.tile) if chosen.tile else (0, 0)
    if not columns:
        return Views(whole_3SS)
    # The tiles don't keep the image's shape: it is resized to the grid's.
    stretched = pixels(image.resize((columns * chosen.tile, rows * chosen.tile)))
    tiles_N3TT = stretched.unflatten(2, (columns, -1)).unflatten(1, (rows, -1)).permute(1, 3, 0, 2, 4).flatten(0, 1)
    return Views(whole_3SS, tiles_N3TT.contiguous(), grid)


def load(image: bytes, mode: str) -> Views:
    """The views of an encoded image in `mode`. Raises Pillow's errors."""
    return views(open_upright(image), mode)


def pixels(image: Image.Image) -> Tensor:
    """(3, H, W) in fp32, from -1 to 1."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float().div_(255).sub_(0.5).div_(0.5)
