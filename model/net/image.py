"""Pixels in, tensors out: the views and tiles of an image in one of the `image_modes`.

    H W the whole view in pixels · N tiles · T side of a tile

Mean and standard deviation are 0.5, and padding is grey 127, as in the released processing code. EXIF's turn comes first.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from model.net.image_modes import MODES, placeholders, tile_grid

GREY = (127, 127, 127)
WHITE = (255, 255, 255)
_WIDE = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")


@dataclass(frozen=True)
class Views:
    """One image for the encoder: the whole view, (3, H, W), and tiles, (N, 3, T, T), row by row over `grid` (columns, rows).
    Pixels are bytes, a quarter of floats on their way from a worker to a GPU. `scaled` makes floats of them."""

    whole_3HW: Tensor
    tiles_N3TT: Tensor | None = None
    grid: tuple[int, int] = (0, 0)

    @property
    def num_tokens(self) -> int:
        height, width = self.whole_3HW.shape[1:]
        return placeholders((width, height), 0 if self.tiles_N3TT is None else self.tiles_N3TT.shape[-1], self.grid)

    @property
    def views(self) -> list[Tensor]:
        """The whole view, and the tiles if there are any."""
        return [self.whole_3HW] if self.tiles_N3TT is None else [self.whole_3HW, self.tiles_N3TT]

    def like(self, views: Sequence[Tensor]) -> "Views":
        return Views(views[0], views[1] if len(views) > 1 else None, self.grid)

    def to(self, device: torch.device | str) -> "Views":
        return self.like([view.to(device, non_blocking=True) for view in self.views])


def together(images: Sequence[Views]) -> Tensor:
    """The pixels of all views, one after the other."""
    parts = [view.flatten() for image in images for view in image.views]
    return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.uint8)


def parted(pixels: Tensor, images: Sequence[Views]) -> tuple[Views, ...]:
    """Views like `images`, with the pixels of `pixels`, which `together` returned."""
    parts = iter(pixels.split([view.numel() for image in images for view in image.views]))
    return tuple(image.like([next(parts).view(view.shape) for view in image.views]) for image in images)


def open_upright(image: bytes) -> Image.Image:
    """The decoded image in RGB, turned by its EXIF. Transparent parts show white paper, and 16 bits a pixel become 8. Raises
    Pillow's errors."""
    opened: Image.Image = Image.open(io.BytesIO(image))
    opened.load()
    # In place, and converted only if needed: each copy of a page costs as much as decoding it.
    ImageOps.exif_transpose(opened, in_place=True)
    if opened.mode in _WIDE:
        opened = _narrow(opened)
    elif opened.has_transparency_data:
        opened = _on_paper(opened)
    return opened if opened.mode == "RGB" else opened.convert("RGB")


def _narrow(image: Image.Image) -> Image.Image:
    """An image of one wide number a pixel, with 8 bits in place of 16. Pillow would cut off values over 255, which leaves a white
    page."""
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
    """The views of an upright RGB image in `mode`, a key of `MODES`."""
    chosen = MODES[mode]
    size = chosen.whole(*image.size)
    if chosen.line:
        # Centred, text would begin elsewhere in each image; a line begins at the left. White, because paper mostly is.
        text = image.resize((chosen.text_width(*image.size), chosen.side))
        return Views(pixels(ImageOps.expand(text, (0, 0, size[0] - text.width, 0), WHITE)))
    whole_3HW = pixels(ImageOps.pad(image, size, color=GREY) if chosen.padded else image.resize(size))
    columns, rows = grid = tile_grid(*image.size, chosen.tile) if chosen.tile else (0, 0)
    if not columns:
        return Views(whole_3HW)
    # The tiles don't keep the image's shape: it is resized to their grid.
    stretched_3HW = pixels(image.resize((columns * chosen.tile, rows * chosen.tile)))
    tiles_N3TT = stretched_3HW.unflatten(2, (columns, -1)).unflatten(1, (rows, -1)).permute(1, 3, 0, 2, 4).flatten(0, 1)
    return Views(whole_3HW, tiles_N3TT, grid)


def load(image: bytes, mode: str) -> Views:
    """The views of an encoded image in `mode`. Raises Pillow's errors."""
    return views(open_upright(image), mode)


def pixels(image: Image.Image) -> Tensor:
    """(3, H, W) in bytes."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def scaled(values: Tensor) -> Tensor:
    """Bytes as fp32 from -1 to 1. Floats are returned unchanged."""
    return values if values.is_floating_point() else values.float().div_(255).sub_(0.5).div_(0.5)
