"""DeepEncoder: SAM, the compressor, CLIP and the projector, and the order of an image's tokens for the decoder.

    B views · H W pixels · h w vision tokens · C channels of the compressor and of CLIP · D decoder width · L tokens of an image

The paper's section 3.2 and figure 3. The layout is that of the released `modeling_deepseekocr.py`. The encoder works alone, and
before any decoder that takes embeddings: `model/README.md` shows both.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from model.net.clip import Clip
from model.net.config import ModelConfig, SamConfig
from model.net.cpu import Conv2d, Linear
from model.net.image import Views
from model.net.sam import Sam

Size = torch.Size  # (H, W)


class Compressor(nn.Module):
    """From SAM's neck, (B, C, h, w), to (B, C', h/4, w/4). There is no bias, and no activation between the two convolutions.
    Structure and names: the released DeepSeek-OCR `deepencoder.py`, `net_2` and `net_3`."""

    def __init__(self, config: SamConfig):
        super().__init__()
        self.net_2 = Conv2d(config.neck, config.downsample[0], 3, stride=2, padding=1, bias=False)
        self.net_3 = Conv2d(config.downsample[0], config.downsample[1], 3, stride=2, padding=1, bias=False)

    def forward(self, x_BChw: Tensor) -> Tensor:
        return self.net_3(self.net_2(x_BChw))


class DeepEncoder(nn.Module):
    """From images to vision tokens of the decoder's width. Gradients reach every part; in the released code they reach none."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        width = config.decoder.width
        self.sam = Sam(config.sam)
        self.compressor = Compressor(config.sam)
        self.clip = Clip(config.clip)
        self.projector = Linear(2 * config.clip.width, width)
        self.image_newline = nn.Parameter(torch.empty(width))
        self.view_separator = nn.Parameter(torch.empty(width))

    def seen(self, images: Sequence[Views]) -> dict[Size, Tensor]:
        """(B, C, h, w), where h = H/64, of the views of each size, as `views` returns them: CLIP's input."""
        return {size: self.compressor(self.sam(torch.cat(parts))) for size, parts in views(images).items()}

    def tokens(self, images: Sequence[Views], seen: Mapping[Size, Tensor]) -> list[Tensor]:
        """(L, D) for each image, whose views were seen as `seen`: its tiles' grid, the whole view's grid, the separator. L is the
        image's `num_tokens`."""
        nums = {size: [len(part) for part in parts] for size, parts in views(images).items()}
        grids = {size: iter(self._grids(local_BChw).split(nums[size])) for size, local_BChw in seen.items()}
        tokens = []
        for image in images:
            # In the order of the input views, because a tile may be as large as a whole view.
            whole_1hwD = next(grids[image.whole_3HW.shape[1:]])
            rows = [self._rows(whole_1hwD[0]), self.view_separator[None].to(whole_1hwD.dtype)]
            if image.tiles_N3TT is not None:
                tiles_NhwD = next(grids[image.tiles_N3TT.shape[2:]])
                rows.insert(0, self._rows(stitched(tiles_NhwD, image.grid)))
            tokens.append(torch.cat(rows))
        return tokens

    def forward(self, images: Sequence[Views]) -> list[Tensor]:
        """(L, D) for each image. Views of one size go through the towers in one batch, whichever image they belong to."""
        return self.tokens(images, self.seen(images))

    def _grids(self, local_BChw: Tensor) -> Tensor:
        """(B, h, w, D): the vision tokens of views of one size."""
        global_BLC = self.clip(local_BChw)
        x_BLD = self.projector(torch.cat([global_BLC, local_BChw.flatten(2).transpose(1, 2)], -1))
        return x_BLD.unflatten(1, local_BChw.shape[2:])

    def _rows(self, x_hwD: Tensor) -> Tensor:
        """(h * (w + 1), D): a newline after each row."""
        newline_h1D = self.image_newline.to(x_hwD.dtype).expand(x_hwD.shape[0], 1, -1)
        return torch.cat([x_hwD, newline_h1D], 1).flatten(0, 1)

    def init_marks(self, source: torch.Generator) -> None:
        """Draw new values for the newline and the separator."""
        for mark in (self.image_newline, self.view_separator):
            mark.normal_(0, 1 / math.sqrt(mark.numel()), generator=source)


def views(images: Sequence[Views]) -> dict[Size, list[Tensor]]:
    """(N, 3, H, W) of each image's whole view, then of its tiles, by their sizes (H, W)."""
    parts = defaultdict(list)
    for image in images:
        parts[image.whole_3HW.shape[1:]].append(image.whole_3HW[None])
        if image.tiles_N3TT is not None:
            parts[image.tiles_N3TT.shape[2:]].append(image.tiles_N3TT)
    return parts


def stitched(tiles_NhwD: Tensor, grid: tuple[int, int]) -> Tensor:
    """(rows * h, columns * w, D): the tiles put together. They are ordered row by row over `grid` (columns, rows)."""
    return tiles_NhwD.unflatten(0, (grid[1], grid[0])).transpose(1, 2).flatten(2, 3).flatten(0, 1)


def places(image_BL: Tensor) -> Tensor:
    """(T,), int64: the marked places in `image_BL`, counted over all rows, one after the other. On a GPU this waits for the
    device; a training gets them from its loader."""
    return image_BL.flatten().nonzero()[:, 0]


def placed(x_BLD: Tensor, image_T: Tensor, features: Sequence[Tensor]) -> Tensor:
    """`x_BLD` with the images' tokens at the places `image_T`, in order. The backward pass of a mask would wait for the device,
    to count the marked places. Raises `ValueError` if the numbers of places and tokens differ."""
    if not features:
        return x_BLD
    together_TD = torch.cat(list(features)).to(x_BLD.dtype)
    if len(image_T) != len(together_TD):
        raise ValueError(f"there are {len(image_T)} places for {len(together_TD)} image tokens")
    return x_BLD.flatten(0, 1).index_copy(0, image_T, together_TD).view_as(x_BLD)
