"""From token sequences to rows and a batch. A row has one sample or several, with images or of text alone.

B rows · L positions
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from model.net.attention import PADDING
from model.net.deepencoder import places
from model.net.deepseek_ocr import Losses
from model.net.image import Views, parted, together
from model.net.loss import IGNORED
from model.net.tokenizer import TextTokenizer


class Skipped(NamedTuple):
    """A sample that couldn't be made: its dataset, row, place, and the reason. `reason` is stable snake_case."""

    source: str
    row: int
    place: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Tokens:
    """One sample as tokens: [bos], then texts, images' placeholders and answers; an [eos] follows each answer.

    learned      for each token whether it belongs to an answer
    images       in the order of their placeholders
    source       a number that groups losses
    upsampled    whether an image has fewer pixels than its mode
    frames       the kinds of characters in the frames of images that are lines: `frame_head.py`
    looks        for each token the place in the sample of the image token that shows it, -1 if unknown; (): all unknown
    """

    ids: list[int]
    learned: list[bool]
    images: tuple[Views, ...] = ()
    source: int = 0
    upsampled: bool = False
    frames: Sequence[int] = ()
    looks: Sequence[int] = ()


@dataclass(frozen=True)
class Batch:
    """The input of a training step.

    `labels_BL[b, l]` is the token after position l if that token belongs to an answer, else `IGNORED`. `image_T` are the places
    of images' placeholders in all rows, one after the other. `samples_BL` numbers a row's samples from 0, and is `PADDING` after
    them. `images` are in the order of their placeholders, row by row. `sources_T` has the source of each learned token, in the
    labels' order, row by row. `frames_F` are the kinds of characters in the frames of images that are lines (`frame_head.py`), -1
    if unknown. `lengths` are the tokens of each row's samples. `skipped` are the samples that couldn't be made.
    """

    ids_BL: Tensor
    labels_BL: Tensor
    image_T: Tensor
    samples_BL: Tensor
    images: tuple[Views, ...]
    sources_T: Tensor
    learned_T: Tensor
    frames_F: Tensor
    looks_T: Tensor
    lengths: tuple[tuple[int, ...], ...]
    num_upsampled: int
    skipped: tuple[Skipped, ...] = ()
    pixels: Tensor | None = None

    @property
    def num_samples(self) -> int:
        return sum(map(len, self.lengths))

    @property
    def num_tokens(self) -> int:
        """The number of learned tokens."""
        return len(self.sources_T)

    @property
    def num_known_frames(self) -> int:
        """The number of lines' frames with known characters."""
        return int((self.frames_F >= 0).sum())

    @property
    def num_known_places(self) -> int:
        """The number of learned tokens with a known place in the image."""
        return int((self.looks_T >= 0).sum())

    @property
    def num_positions(self) -> int:
        """The number of positions that aren't padding."""
        return sum(map(sum, self.lengths))

    def to(self, device: torch.device | str) -> "Batch":
        pixels = self.pixels if self.pixels is None else self.pixels.to(device, non_blocking=True)
        images = tuple(image.to(device) for image in self.images) if pixels is None else parted(pixels, self.images)
        return self._with(images, pixels, lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> "Batch":
        """This batch in memory from which a GPU can copy while it computes."""
        pixels = (together(self.images) if self.pixels is None else self.pixels).pin_memory()
        return self._with(parted(pixels, self.images), pixels, Tensor.pin_memory)

    def _with(self, images: tuple[Views, ...], pixels: Tensor | None, moved: Callable[[Tensor], Tensor]) -> "Batch":
        tensors: dict[str, Any] = {name: moved(getattr(self, name)) for name in _TENSORS}
        return replace(self, images=images, pixels=pixels, **tensors)


_TENSORS = ("ids_BL", "labels_BL", "image_T", "samples_BL", "sources_T", "learned_T", "frames_F", "looks_T")


def through(net: nn.Module, one: Batch, scale: float = 1.0, balance_scale: float | None = None) -> Losses:
    """The losses of a batch on the network's device."""
    losses: Losses = net(
        one.ids_BL,
        one.images,
        one.image_T,
        one.samples_BL,
        labels_BL=one.labels_BL,
        scale=scale,
        balance_scale=balance_scale,
        learned_T=one.learned_T,
        lengths=one.lengths,
    )
    return losses


def packed(sequences: Iterable[Tokens], length: int) -> list[list[Tokens]]:
    """Rows of at most `length` tokens. Each sequence goes into the first row with room for it."""
    rows: list[list[Tokens]] = []
    room: list[int] = []
    for tokens in sequences:
        row = next((n for n, left in enumerate(room) if len(tokens.ids) <= left), len(rows))
        if row == len(rows):
            rows.append([])
            room.append(length)
        rows[row].append(tokens)
        room[row] -= len(tokens.ids)
    return rows


def batch(rows: Sequence[Sequence[Tokens]], tokenizer: TextTokenizer, length: int = 0, skipped: Sequence[Skipped] = ()) -> Batch:
    """The batch of these rows, each padded to the longest row's length, or to `length` tokens. An empty row is a [bos] that
    belongs to no sample."""
    longest = max(length, 1, *(sum(len(tokens.ids) for tokens in row) for row in rows))
    ids_BL = torch.full((len(rows), longest), tokenizer.pad)
    labels_BL = torch.full((len(rows), longest), IGNORED)
    samples_BL = torch.full((len(rows), longest), PADDING)
    sources_BL = torch.zeros((len(rows), longest), dtype=torch.int64)
    looks_BL = torch.full((len(rows), longest), -1)
    for b, row in enumerate(rows):
        start = 0
        if not row:
            ids_BL[b, 0] = tokenizer.bos
        for number, tokens in enumerate(row):
            end = start + len(tokens.ids)
            ids_BL[b, start:end] = ids_L = torch.tensor(tokens.ids)
            labels_BL[b, start : end - 1] = torch.where(torch.tensor(tokens.learned), ids_L, IGNORED)[1:]
            samples_BL[b, start:end] = number
            if tokens.looks:
                looks_L = torch.tensor(tokens.looks[1:])
                looks_BL[b, start : end - 1] = torch.where(looks_L >= 0, looks_L + start + b * longest, -1)
            sources_BL[b, start:end] = tokens.source
            start = end
    sequences = [tokens for row in rows for tokens in row]
    learned_BL = labels_BL != IGNORED
    return Batch(
        ids_BL=ids_BL,
        labels_BL=labels_BL,
        image_T=places(ids_BL == tokenizer.image),
        samples_BL=samples_BL,
        images=tuple(image for tokens in sequences for image in tokens.images),
        sources_T=sources_BL[learned_BL],
        learned_T=learned_BL.flatten().nonzero()[:, 0],
        frames_F=torch.tensor([kind for tokens in sequences for kind in tokens.frames], dtype=torch.int64),
        looks_T=looks_BL[learned_BL],
        lengths=tuple(tuple(len(tokens.ids) for tokens in row) for row in rows),
        num_upsampled=sum(tokens.upsampled for tokens in sequences),
        skipped=tuple(skipped),
    )
