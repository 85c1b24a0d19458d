"""Samples -> sequences -> rows -> a batch: images beside text alone, one sample a row or several.

B rows · L positions
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from datagen.record import Sample
from datagen.target import Prompt, encode, neutralise
from model.attention import PADDING
from model.image import MODES, Views, load
from model.tokenizer import TextTokenizer

IGNORED = -100


@dataclass(frozen=True)
class Tokens:
    """[bos] image prompt answer [eos], the first `num_asked` of which aren't learned; of text alone that is [bos].

    `truncated`: the answer was cut, and gets no [eos], so that nothing teaches the model to stop there. `upsampled`: the image
    has fewer pixels along its longer side than the mode.
    """

    ids: list[int]
    num_asked: int
    image: Views | None
    truncated: bool
    upsampled: bool


@dataclass(frozen=True)
class Batch:
    """`labels_BL[b, l]` is the token after position l where it belongs to the answer, else `IGNORED`. `samples_BL` numbers a
    row's samples from 0, and is `PADDING` after them. `images` are in the order of their places, row by row."""

    ids_BL: Tensor
    labels_BL: Tensor
    image_BL: Tensor
    samples_BL: Tensor
    images: tuple[Views, ...]
    num_samples: int
    num_truncated: int
    num_upsampled: int

    @property
    def num_tokens(self) -> int:
        return int((self.labels_BL != IGNORED).sum())

    @property
    def num_positions(self) -> int:
        return int((self.samples_BL != PADDING).sum())


def sequence(sample: Sample, prompt: Prompt, tokenizer: TextTokenizer, mode: str, length: int) -> Tokens:
    """At most `length` tokens. Raises `ValueError` if the image and the prompt alone take as many."""
    if sample.image is None:
        ids = [tokenizer.bos, *tokenizer.encode(neutralise(sample.text)), tokenizer.eos]
        return Tokens(ids[:length], 1, None, len(ids) > length, False)
    prompt_text, answer = encode(sample, prompt if sample.regions else Prompt.FREE)
    image = load(sample.image, mode)
    head = tokenizer.prompt(prompt_text, image.num_tokens)
    if len(head) >= length:
        raise ValueError(f"length is {length}: the image and the prompt alone take {len(head)} tokens in mode {mode}")
    ids = [*head, *tokenizer.encode(answer), tokenizer.eos]
    return Tokens(ids[:length], len(head), image, len(ids) > length, max(sample.size) < MODES[mode].side)


def packed(sequences: Iterable[Tokens], length: int) -> list[list[Tokens]]:
    """Rows of at most `length` tokens, each sequence in the first one with room for it."""
    rows: list[list[Tokens]] = []
    room: list[int] = []
    for one in sequences:
        at = next((n for n, left in enumerate(room) if len(one.ids) <= left), len(rows))
        if at == len(rows):
            rows.append([])
            room.append(length)
        rows[at].append(one)
        room[at] -= len(one.ids)
    return rows


def batch(rows: Sequence[Sequence[Tokens]], tokenizer: TextTokenizer) -> Batch:
    """Rows of one sequence or several, padded at the end to the longest."""
    longest = max(sum(len(one.ids) for one in row) for row in rows)
    ids_BL = torch.full((len(rows), longest), tokenizer.pad)
    labels_BL = torch.full((len(rows), longest), IGNORED)
    samples_BL = torch.full((len(rows), longest), PADDING)
    for b, row in enumerate(rows):
        start = 0
        for number, one in enumerate(row):
            end = start + len(one.ids)
            ids_BL[b, start:end] = torch.tensor(one.ids)
            labels_BL[b, start + one.num_asked - 1 : end - 1] = torch.tensor(one.ids[one.num_asked :])
            samples_BL[b, start:end] = number
            start = end
    everything = [one for row in rows for one in row]
    return Batch(
        ids_BL=ids_BL,
        labels_BL=labels_BL,
        image_BL=ids_BL == tokenizer.image,
        samples_BL=samples_BL,
        images=tuple(one.image for one in everything if one.image is not None),
        num_samples=len(everything),
        num_truncated=sum(one.truncated for one in everything),
        num_upsampled=sum(one.upsampled for one in everything),
    )


def collate(samples: Sequence[tuple[Sample, Prompt]], tokenizer: TextTokenizer, mode: str, length: int) -> Batch:
    """All in one row, one after the other: nothing is padded."""
    return batch([[sequence(sample, prompt, tokenizer, mode, length) for sample, prompt in samples]], tokenizer)
