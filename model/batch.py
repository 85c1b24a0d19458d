"""From samples to token sequences, rows and a batch. A row holds one sample or several, with images or of text alone.

B rows · L positions
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from datagen.record import Sample
from datagen.target import Prompt, can_answer, encode, neutralise
from model.attention import PADDING
from model.image import MODES, Views, load
from model.loss import IGNORED
from model.tokenizer import TextTokenizer


@dataclass(frozen=True)
class Tokens:
    """One sample as tokens: [bos] image prompt answer [eos], or [bos] text [eos]. The first `num_asked` tokens are not learned.

    `truncated` says that the answer was cut. It then ends without [eos], so that nothing teaches the model to stop there.
    `upsampled` says that the image has fewer pixels than the mode.
    """

    ids: list[int]
    num_asked: int
    image: Views | None
    truncated: bool
    upsampled: bool


@dataclass(frozen=True)
class Batch:
    """What a training step learns from.

    `labels_BL[b, l]` is the token after position l if that token belongs to an answer, else `IGNORED`. `image_BL` marks the
    placeholders of images. `samples_BL` numbers a row's samples from 0, and is `PADDING` after them. `images` are in the order of
    their placeholders, row by row.
    """

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
        """The tokens that are learned."""
        return int((self.labels_BL != IGNORED).sum())

    @property
    def num_positions(self) -> int:
        """The positions that aren't padding."""
        return int((self.samples_BL != PADDING).sum())


def sequence(sample: Sample, prompt: Prompt, tokenizer: TextTokenizer, mode: str, length: int) -> Tokens:
    """A sample as at most `length` tokens, under `prompt`, or under `FREE` if it can't answer that.

    Raises `ValueError` if the image and the prompt alone take `length` tokens.
    """
    if sample.image is None:
        ids = [tokenizer.bos, *tokenizer.encode(neutralise(sample.text)), tokenizer.eos]
        return Tokens(ids[:length], 1, None, len(ids) > length, False)
    prompt_text, answer = encode(sample, prompt if can_answer(sample, prompt) else Prompt.FREE)
    image = load(sample.image, mode)
    head = tokenizer.prompt(prompt_text, image.num_tokens)
    if len(head) >= length:
        raise ValueError(f"length is {length}: the image and the prompt alone take {len(head)} tokens in mode {mode}")
    ids = [*head, *tokenizer.encode(answer), tokenizer.eos]
    return Tokens(ids[:length], len(head), image, len(ids) > length, MODES[mode].upsamples(*sample.size))


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


def batch(rows: Sequence[Sequence[Tokens]], tokenizer: TextTokenizer) -> Batch:
    """The batch of these rows, each padded at its end to the longest row's length."""
    longest = max(sum(len(tokens.ids) for tokens in row) for row in rows)
    ids_BL = torch.full((len(rows), longest), tokenizer.pad)
    labels_BL = torch.full((len(rows), longest), IGNORED)
    samples_BL = torch.full((len(rows), longest), PADDING)
    for b, row in enumerate(rows):
        start = 0
        for number, tokens in enumerate(row):
            end = start + len(tokens.ids)
            ids_BL[b, start:end] = torch.tensor(tokens.ids)
            labels_BL[b, start + tokens.num_asked - 1 : end - 1] = torch.tensor(tokens.ids[tokens.num_asked :])
            samples_BL[b, start:end] = number
            start = end
    sequences = [tokens for row in rows for tokens in row]
    return Batch(
        ids_BL=ids_BL,
        labels_BL=labels_BL,
        image_BL=ids_BL == tokenizer.image,
        samples_BL=samples_BL,
        images=tuple(tokens.image for tokens in sequences if tokens.image is not None),
        num_samples=len(sequences),
        num_truncated=sum(tokens.truncated for tokens in sequences),
        num_upsampled=sum(tokens.upsampled for tokens in sequences),
    )


def collate(samples: Sequence[tuple[Sample, Prompt]], tokenizer: TextTokenizer, mode: str, length: int) -> Batch:
    """The batch of these samples in one row, one after the other, without padding."""
    return batch([[sequence(sample, prompt, tokenizer, mode, length) for sample, prompt in samples]], tokenizer)
