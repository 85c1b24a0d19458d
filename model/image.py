"""Pixels in, tensors out: the released resolution modes, one view an image.

Every image is padded to its mode's square, as in the released base and large modes. Not here yet: the resize without padding of
the released tiny and small modes, and gundam's tiles. Mean and standard deviation are 0.5, padding is grey 127.
"""

import io

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

MODES = {"tiny": 512, "small": 640, "base": 1024, "large": 1280}
_GREY = 127
# SAM's patch of 16 pixels, and 4 patches along a side to one token.
_TOKEN_SIDE = 64


def num_tokens(mode: str) -> int:
    """The placeholders that an image stands for in the decoder: its grid, a newline after each row, and the separator."""
    side = MODES[mode] // _TOKEN_SIDE
    return side * (side + 1) + 1


def load(image: bytes, mode: str) -> Tensor:
    """(3, S, S) fp32 in -1..1 of an encoded image, turned as its EXIF says, S the side of `mode`.

    A large JPEG is decoded at the half, quarter or eighth that still covers S: half the time on pages of 1920 pixels. The pixels
    then differ a little from the released code's, which decodes it whole.
    """
    side = MODES[mode]
    with Image.open(io.BytesIO(image)) as opened:
        opened.draft("RGB", (side, side))
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    padded = ImageOps.pad(upright, (side, side), color=(_GREY, _GREY, _GREY))
    pixels_HW3 = torch.from_numpy(np.array(padded))
    return pixels_HW3.permute(2, 0, 1).float().div_(127.5).sub_(1)
