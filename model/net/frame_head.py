"""A head that teaches SAM to see: it tells the character in each frame of a drawn line.

    B views · C channels of SAM's neck · h w its grid · F frames, 8 pixels wide · K kinds of characters

The paper starts from SAM's and CLIP's published weights. Without them SAM's only signal would come through a decoder that can't
read yet. This head upon SAM's neck has a loss of its own. No exported network has the head.
"""

import bisect
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.net.config import SamConfig
from model.net.deepencoder import Size
from model.net.image import Views
from model.net.image_modes import MODES
from model.net.sam import Sam

FRAME = 8  # pixels
TOLD = "told"
"""The name of the head in a training network."""
KINDS = 97
"""The number of kinds: nothing, each printable character of ASCII, and any other character."""
LETTERS = 695
"""The further kinds of a head with letters of other alphabets: code points modulo this, the least number that separates all
letters of Greek, Cyrillic, Armenian and Georgian."""
_PATCH, _ROWS = 16, MODES["line"].side // 16


def frames(text: str, left: float, ends: Sequence[float], width: int) -> list[int]:
    """(F,): the kind of the character in each frame of a line that is `width` pixels wide. The text begins at `left`, and `ends`
    are its characters' right edges."""
    middles = [(n + 0.5) * FRAME for n in range(width // FRAME)]
    at = [bisect.bisect_right(ends, x) if x >= left else len(text) for x in middles]
    return [_kind(text[n]) if n < len(text) else 0 for n in at]


def _kind(char: str) -> int:
    """The kind of a character. A letter with an accent has its plain letter's kind, since its frames look nearly the same."""
    char = unicodedata.normalize("NFD", char)[0]
    if char >= "\u0370" and char.isalpha():
        return KINDS + ord(char) % LETTERS
    return ord(char) - 31 if " " <= char <= "~" else KINDS - 1


class FrameHead(nn.Module):
    """From the neck's columns, (B, C, h, w), to the two frames of each. Without `letters`, all letters of other alphabets are one
    kind."""

    def __init__(self, config: SamConfig, seed: int = 0, letters: bool = False):
        super().__init__()
        self.kinds = KINDS + letters * LETTERS
        self.head = nn.Linear(_ROWS * config.neck, _PATCH // FRAME * self.kinds)
        with torch.no_grad():
            source = torch.Generator().manual_seed(seed)
            self.head.weight.normal_(0, self.head.in_features**-0.5, generator=source)
            self.head.bias.zero_()

    def forward(self, necks: Mapping[Size, Tensor], images: Sequence[Views], frames_F: Tensor) -> tuple[Tensor, Tensor]:
        """(the sum over known frames of -log p of their kinds; the number of frames that were read right). `necks` are SAM's
        outputs by their views' sizes. `frames_F` are the frames of all `images` that are lines, one after the other; a kind under
        0 is unknown."""
        of_size: dict[Size, list[Tensor]] = {}
        start = 0
        for image in images:
            size = image.whole_3HW.shape[1:]
            if num := num_frames(image):
                of_size.setdefault(size, []).append(frames_F[start : start + num])
                start += num
        total, right = frames_F.new_zeros((), dtype=torch.float32), frames_F.new_zeros(())
        for size, kinds in of_size.items():
            kinds_N = torch.cat(kinds)
            kinds_N = kinds_N.masked_fill(kinds_N >= self.kinds, KINDS - 1)
            logits_NK = self.head(necks[size].permute(0, 3, 1, 2).flatten(2)).view(-1, self.kinds).float()
            total = total + F.cross_entropy(logits_NK, kinds_N.clamp(min=0), reduction="none")[kinds_N >= 0].sum()
            right = right + ((logits_NK.argmax(-1) == kinds_N) & (kinds_N >= 0)).sum()
        return total, right


def num_frames(image: Views) -> int:
    """The number of a line's frames; 0 for other images."""
    height, width = image.whole_3HW.shape[1:]
    return width // FRAME if height == MODES["line"].side and image.tiles_N3TT is None else 0


@contextmanager
def sam_outputs(sam: Sam) -> Iterator[dict[Size, Tensor]]:
    """The outputs of `sam` within the block, by the sizes of its inputs."""
    necks: dict[Size, Tensor] = {}
    hook = sam.register_forward_hook(lambda _, given, result: necks.update({given[0].shape[2:]: result}))
    try:
        yield necks
    finally:
        hook.remove()
