"""DeepEncoder's fusion: SAM, the compressor, CLIP, and what the decoder gets of them.

B images · H W pixels · h w vision tokens · L = h*w · C channels of the compressor and of CLIP · D decoder width
"""

import torch
from torch import Tensor, nn

from model.clip import Clip
from model.sam import Sam


class Projector(nn.Module):
    def __init__(self, width_in: int, width_out: int):
        super().__init__()
        self.layers = nn.Linear(width_in, width_out)  # one layer, named in the plural in the checkpoint

    def forward(self, x_BLC: Tensor) -> Tensor:
        return self.layers(x_BLC)


def encode(sam: Sam, clip: Clip, projector: Projector, x_B3HW: Tensor) -> Tensor:
    """(B, h, w, D): vision tokens of one view of each image."""
    sam_BChw = sam(x_B3HW)
    clip_BLC = clip(sam_BChw)
    x_BLD = projector(torch.cat([clip_BLC, sam_BChw.flatten(2).transpose(1, 2)], -1))
    return x_BLD.unflatten(1, sam_BChw.shape[2:])


def laid_out(x_BhwD: Tensor, newline_D: Tensor, separator_D: Tensor) -> Tensor:
    """(B, h * (w + 1) + 1, D): the grid row by row, a newline after each row, then the separator."""
    B, h, _, D = x_BhwD.shape
    rows_BhwD = torch.cat([x_BhwD, newline_D.to(x_BhwD.dtype).expand(B, h, 1, D)], 2)
    return torch.cat([rows_BhwD.flatten(1, 2), separator_D.to(x_BhwD.dtype).expand(B, 1, D)], 1)
