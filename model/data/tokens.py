"""From a sample's parts to its tokens. Counts and workers use the same pieces of text."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Protocol

from PIL import Image

from datagen.record import SampleError
from datagen.target import DET, GROUNDING, IMAGE
from model.data.modes import fitting
from model.data.rows import Draw, Example, Part
from model.net.batch import Tokens
from model.net.frame_head import FRAME, frames, num_frames
from model.net.image import Views, open_upright, views
from model.net.image_modes import MODES, TOKEN_SIDE
from model.net.tokenizer import TextTokenizer

IMAGE_ERRORS = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, RuntimeError, struct.error),
    Image.DecompressionBombError,
)
"""The exceptions of Pillow's plugins for damaged files, other files, and bombs."""


class Degrade(Protocol):
    def __call__(self, image: Image.Image, seed: int, may_move: bool) -> Image.Image:
        """The image as scanned or photographed, of the same size. Unless it `may_move`, all stays in its place."""
        ...


def pieces(parts: Sequence[Part]) -> list[str]:
    """The texts that are encoded one by one: an image stands between two pieces of a part that isn't learned."""
    return [piece for part in parts for piece in ([part.text] if part.learned else part.text.split(IMAGE))]


def num_tokens(parts: Sequence[Part], of_pieces: Iterable[int]) -> int:
    """The sample's tokens without placeholders of images, by its pieces' numbers."""
    return 1 + sum(of_pieces) + sum(part.learned for part in parts)


def counted(examples: Sequence[Sequence[Part]], tokenizer: TextTokenizer) -> list[int]:
    """`num_tokens` of each sample's parts. All texts are encoded in one call, which uses all cores."""
    all_pieces = [pieces(parts) for parts in examples]
    lengths = tokenizer.lengths([piece for of_one in all_pieces for piece in of_one])
    ends = [0]
    for of_one in all_pieces:
        ends.append(ends[-1] + len(of_one))
    return [num_tokens(parts, lengths[start:end]) for parts, (start, end) in zip(examples, pairwise(ends), strict=True)]


def made(example: Example, draw: Draw, modes: Sequence[str], tokenizer: TextTokenizer, degrade: Degrade | None = None) -> Tokens:
    """The drawn sample as tokens. Raises `SampleError` if an image can't be read, or if the sample's length isn't that of its
    dataset's index."""
    images, upsampled, kinds = [], False, list[int]()
    # A user may ask for boxes in own words, as by `Locate <|ref|>…<|/ref|> in the image.`
    may_move = not any(token in part.text for part in example.parts for token in (GROUNDING, DET))
    for number, image in enumerate(opened(example.images)):
        if degrade is not None:
            image = degrade(image, draw.seed + number, may_move)
        mode = fitting(draw.mode, modes, *image.size)
        upsampled |= MODES[mode].upsamples(*image.size)
        images.append(views(image, mode))
        if number_of_frames := num_frames(images[-1]):
            kinds += _kinds(example, number_of_frames, image.size)
    waiting = iter(images)
    ids, learned = [tokenizer.bos], [False]
    for part in example.parts:
        if part.learned:
            answer = [*tokenizer.encode(part.text), tokenizer.eos]
            if example.span is not None:
                first, stop = example.span
                answer = answer[first : stop + (stop == len(answer) - 1)]
            ids += answer
            learned += [True] * len(answer)
            continue
        for number, piece in enumerate(part.text.split(IMAGE)):
            if number:
                image_views = next(waiting, None)
                if image_views is None:
                    raise SampleError("image_missing", f"{example.key} has {len(images)} images, and asks for more")
                ids += [tokenizer.image] * image_views.num_tokens
            ids += tokenizer.encode(piece)
        learned += [False] * (len(ids) - len(learned))
    if len(ids) != draw.length:
        raise SampleError("another_length", f"{example.key} has {len(ids)} tokens, the index says {draw.length}")
    looks = _looks(example, ids, images, tokenizer)
    return Tokens(ids, learned, tuple(images), draw.dataset, upsampled, kinds, looks)


def _kinds(example: Example, num: int, size: tuple[int, int]) -> list[int]:
    """The kinds of characters in a line's frames: -1 if unknown."""
    if not example.edges or size[1] != MODES["line"].side:
        return [-1] * num
    left, *ends = example.edges
    return frames(example.parts[-1].text, left, ends, num * FRAME)


def _looks(example: Example, ids: Sequence[int], images: Sequence[Views], tokenizer: TextTokenizer) -> list[int]:
    """For each token the place of the image token with its character, -1 for others; [] if unknown, or if a token isn't a
    character, or a byte of one."""
    text = example.parts[-1].text
    if not example.edges or len(images) != 1 or not num_frames(images[0]):
        return []
    sizes = [len(char.encode()) for char in text]
    if (num := len(tokenizer.encode(text))) == len(text):
        sizes = [1] * len(text)
    elif num != sum(sizes):
        return []
    first, start = ids.index(tokenizer.image), len(ids) - 1 - num
    last = images[0].whole_3HW.shape[2] // TOKEN_SIDE - 1
    looks = [-1] * start
    for size, (left, right) in zip(sizes, pairwise(example.edges), strict=True):
        looks += [first + min(last, int((left + right) / 2 // TOKEN_SIDE))] * size
    return [*looks, -1]


def opened(images: Sequence[bytes]) -> Iterator[Image.Image]:
    """The images, decoded and upright. Raises `SampleError` for an unreadable one."""
    for image in images:
        try:
            yield open_upright(image)
        except IMAGE_ERRORS as error:
            raise SampleError("bad_image", f"{type(error).__name__}: {error}") from error
