"""The compressor between SAM and CLIP: two strided convolutions that leave a sixteenth of SAM's tokens.

    B images · h w SAM's patches · C channels

Structure and names: the released DeepSeek-OCR `deepencoder.py`, `net_2` and `net_3`; the paper's section 3.2.
"""

from torch import Tensor, nn

from model.net.config import SamConfig
from model.net.cpu import Conv2d


class Compressor(nn.Module):
    """From SAM's neck, (B, C, h, w), to (B, C', h/4, w/4). There is no bias, and no activation between the two convolutions."""

    def __init__(self, config: SamConfig):
        super().__init__()
        self.net_2 = Conv2d(config.neck, config.downsample[0], 3, stride=2, padding=1, bias=False)
        self.net_3 = Conv2d(config.downsample[0], config.downsample[1], 3, stride=2, padding=1, bias=False)

    def forward(self, x_BChw: Tensor) -> Tensor:
        return self.net_3(self.net_2(x_BChw))
