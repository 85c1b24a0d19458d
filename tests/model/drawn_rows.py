"""A dataset whose rows are made when they are read: a blank image of some size, or none, and an answer of some letters."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from PIL import Image

from datagen.record import SampleError
from model.data.plan import mode_and_length
from model.data.rows import NO_ANSWER, Asked, Columns, Draw, Example, Part
from model.data.split import group_hash
from model.data.tokens import counted
from tests.inputs.samples import encoded

PROMPTS = (Asked("<image>\nFree OCR.", 0.75), Asked("<image>\nLetters.", 0.25))


@dataclass(frozen=True)
class DrawnReader:
    name: str
    bad: frozenset[int]

    def read(self, place, prompt):
        row, letters, size, lang = place
        if row in self.bad:
            raise SampleError("bad_row", f"row {row} is bad")
        return Example(parts(letters, size, prompt), (blank(size),) if size else (), f"{row}", self.name, lang)


def parts(letters, size, prompt):
    answer = Part("x " * letters, True)
    return (Part(PROMPTS[prompt].prompt, False), answer) if size else (answer,)


@cache
def blank(size):
    return encoded(Image.new("L", size, 200), "PNG")


class Drawn:
    """`letters` and `sizes` have a value a row; a size of None is text alone. Languages take turns."""

    def __init__(self, name, letters, sizes, langs=("en",), bad=(), digest="1"):
        self.name, self.letters, self.sizes, self.langs, self.digest = name, letters, sizes, langs, digest
        self.reader = DrawnReader(name, frozenset(bad))

    @cached_property
    def prompts(self):
        return PROMPTS if any(self.sizes) else (Asked("", 1.0),)

    def columns(self, tokenizer):
        N, P = len(self.letters), len(self.prompts)
        texts = [parts(*row, prompt) for row in zip(self.letters, self.sizes, strict=True) for prompt in range(P)]
        return Columns(
            width_N=np.array([size[0] if size else 0 for size in self.sizes], np.uint16),
            height_N=np.array([size[1] if size else 0 for size in self.sizes], np.uint16),
            answer_NP=np.array(counted(texts, tokenizer), np.int32).reshape(N, P),
            lang_N=np.arange(N, dtype=np.int16) % len(self.langs),
            group_N=np.array([group_hash(f"{self.name} {n}") for n in range(N)], np.uint64),
            langs=tuple(self.langs),
        )

    def place(self, row):
        return row, self.letters[row], self.sizes[row], self.langs[row % len(self.langs)]


def pages(name, num, seed=0, **kwargs):
    """Rows with images from 300 to 1,500 pixels, and answers of up to 300 letters."""
    random = np.random.default_rng(seed)
    sizes = [(int(side), int(side * 1.3)) for side in random.integers(300, 1200, num)]
    return Drawn(name, random.integers(5, 300, num).tolist(), sizes, **kwargs)


def texts(name, num, seed=0, **kwargs):
    return Drawn(name, np.random.default_rng(seed).integers(5, 300, num).tolist(), [None] * num, **kwargs)


def alone(corpus, dataset, row, mode, modes=(), prompt=0):
    """A draw of this one row: in `mode`, or in the one of `modes` that its image has the pixels for."""
    columns = corpus.columns[dataset]
    if columns.answer_NP[row, prompt] == NO_ANSWER:
        prompt = int(np.flatnonzero(columns.answer_NP[row] != NO_ANSWER)[0])
    mode, length = mode_and_length(columns, row, prompt, mode, tuple(modes) or (mode,))
    return Draw(-1, dataset, row, prompt, mode, length, 0)
