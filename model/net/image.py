"""Pixels in, tensors out: the released resolution modes, with their padding, resizing and tiles, and `line`, which is ours.

    H W the whole view in pixels · N tiles · T side of a tile

Sizes and rules are those of the released processing code (`process/image_process.py`) and of the paper's table 1. Mean and
standard deviation are 0.5. Padding is grey 127. EXIF's turn comes first.

`line` is for the image of one line of text. The view is 64 pixels high, one row of tokens, and as wide as the text is at that
height. In a square such an image would be mostly padding: that takes its time, and a small network doesn't find the ink in it.
"""

import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

GREY = (127, 127, 127)
WHITE = (255, 255, 255)
_WIDE = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
MAX_LINE_WIDTH = 4096  # some 170 characters: a rule, 1 pixel high and 2,000 wide, must not become an image of 128,000
MAX_TILES = 9
# SAM's patch of 16 pixels, and 4 patches along a side to one token.
TOKEN_SIDE = 64


@dataclass(frozen=True)
class Mode:
    """A resolution mode. `side` is that of the whole view, `tile` that of the tiles, 0 for no tiles. A whole view that isn't
    `padded` to a square is squeezed into one. With `line` it is no square: it is `side` pixels high, and as wide as its text."""

    side: int
    padded: bool
    tile: int = 0
    line: bool = False

    def whole(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of the whole view of an image of so many pixels. A line's width is a multiple of 64."""
        if not self.line:
            return self.side, self.side
        return min(MAX_LINE_WIDTH, -(-self.text_width(width, height) // TOKEN_SIDE) * TOKEN_SIDE), self.side

    def text_width(self, width: int, height: int) -> int:
        """How wide an image is when it is as high as a line, at most `MAX_LINE_WIDTH`."""
        return max(1, min(MAX_LINE_WIDTH, round(width * self.side / height)))

    def upsamples(self, width: int, height: int) -> bool:
        """Whether the mode is above the image's pixels: a line's height, else the longer side."""
        return (height if self.line else max(width, height)) < self.side

    def num_tokens(self, grid: tuple[int, int] = (0, 0), whole: tuple[int, int] | None = None) -> int:
        """The number of an image's placeholders in the decoder, if it is cut into `grid` (columns, rows) tiles.

        The tiles, put together, have a newline after each row of tokens. So has the whole view, of `whole` (width, height)
        pixels: a line's must be given, the others' are the mode's square. Then comes one separator.
        """
        return _num_tokens(whole or (self.side, self.side), self.tile, grid)


def _num_tokens(whole: tuple[int, int], tile: int, grid: tuple[int, int]) -> int:
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
    """The number of placeholders of an image of so many pixels in `mode`: that of its `views`, without looking at it."""
    chosen = MODES[mode]
    grid = tile_grid(width, height, chosen.tile) if chosen.tile else (0, 0)
    return chosen.num_tokens(grid, chosen.whole(width, height))


@dataclass(frozen=True)
class Views:
    """One image for the encoder: the whole view, (3, H, W), and tiles, (N, 3, T, T), row by row over `grid` (columns, rows)."""

    whole_3HW: Tensor
    tiles_N3TT: Tensor | None = None
    grid: tuple[int, int] = (0, 0)

    @property
    def num_tokens(self) -> int:
        height, width = self.whole_3HW.shape[1:]
        return _num_tokens((width, height), 0 if self.tiles_N3TT is None else self.tiles_N3TT.shape[-1], self.grid)

    @property
    def views(self) -> list[Tensor]:
        """The whole view, and the tiles if there are such."""
        return [self.whole_3HW] if self.tiles_N3TT is None else [self.whole_3HW, self.tiles_N3TT]

    def like(self, views: Sequence[Tensor]) -> "Views":
        """This image with other `views`."""
        return Views(views[0], views[1] if len(views) > 1 else None, self.grid)

    def to(self, device: torch.device | str) -> "Views":
        return self.like([view.to(device, non_blocking=True) for view in self.views])


def together(images: Sequence[Views]) -> Tensor:
    """The pixels of all views, one after the other."""
    return torch.cat([torch.zeros(0), *(view.flatten() for image in images for view in image.views)])


def parted(pixels: Tensor, images: Sequence[Views]) -> tuple[Views, ...]:
    """Views like `images`, whose pixels are parts of `pixels` as `together` has them."""
    parts = iter(pixels.split([view.numel() for image in images for view in image.views]))
    return tuple(image.like([next(parts).view(view.shape) for view in image.views]) for image in images)


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
    """The decoded image in RGB, turned as its EXIF says. What is transparent shows white paper, and 16 bits a pixel become 8.
    Raises Pillow's errors."""
    opened: Image.Image = Image.open(io.BytesIO(image))
    opened.load()
    # In place, and converted only if need be: each copy of a page costs as long as decoding it.
    ImageOps.exif_transpose(opened, in_place=True)
    if opened.mode in _WIDE:
        opened = _narrow(opened)
    elif opened.has_transparency_data:
        opened = _on_paper(opened)
    return opened if opened.mode == "RGB" else opened.convert("RGB")


def _narrow(image: Image.Image) -> Image.Image:
    """An image of one wide number a pixel, with 8 bits in place of 16. Pillow alone cuts off what is over 255, which leaves a
    white page."""
    values = np.nan_to_num(np.asarray(image).astype(np.float64))
    most = values.max(initial=0)
    if most > 255:
        values = values // 256
    elif most <= 1 and image.mode == "F":
        values = values * 255
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def _on_paper(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, WHITE), rgba)


def views(image: Image.Image, mode: str) -> Views:
    """The views of an upright RGB image in `mode`, a key of `MODES`: fp32 from -1 to 1."""
    chosen = MODES[mode]
    size = chosen.whole(*image.size)
    if chosen.line:
        # Centred, the text would begin elsewhere in each; a line begins at the left. White, because paper mostly is.
        text = image.resize((chosen.text_width(*image.size), chosen.side))
        return Views(pixels(ImageOps.expand(text, (0, 0, size[0] - text.width, 0), WHITE)))
    whole_3HW = pixels(ImageOps.pad(image, size, color=GREY) if chosen.padded else image.resize(size))
    columns, rows = grid = tile_grid(*image.size, chosen.tile) if chosen.tile else (0, 0)
    if not columns:
        return Views(whole_3HW)
    # The tiles don't keep the image's shape: it is resized to the grid's.
    stretched_HW3 = _bytes(image.resize((columns * chosen.tile, rows * chosen.tile)))
    # They are cut while they are bytes, a quarter of what they take as numbers.
    tiles_N3TT = stretched_HW3.unflatten(1, (columns, -1)).unflatten(0, (rows, -1)).permute(0, 2, 4, 1, 3).flatten(0, 1)
    return Views(whole_3HW, _scaled(tiles_N3TT), grid)


def load(image: bytes, mode: str) -> Views:
    """The views of an encoded image in `mode`. Raises Pillow's errors."""
    return views(open_upright(image), mode)


def pixels(image: Image.Image) -> Tensor:
    """(3, H, W) in fp32, from -1 to 1."""
    return _scaled(_bytes(image).permute(2, 0, 1))


def _bytes(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image))


def _scaled(values: Tensor) -> Tensor:
    return values.float().div_(255).sub_(0.5).div_(0.5)
