"""Texts longer than a training's rows, learned piece by piece: each piece is a row of the dataset.

    M pieces of all rows

A text's tokens are divided into the fewest pieces of nearly equal length. Only the last piece ends with the end-of-sentence
token. All pieces of a text are on one side of a split, and none sees another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from model.data.rows import NO_ANSWER, Asked, Columns, Dataset, Example, Features, Reader
from model.net.tokenizer import TextTokenizer

_AROUND = 2  # tokens of a row beside the text's own: the first and the last


class Piece(NamedTuple):
    """A row's place, and the range of its text's tokens."""

    place: Any
    first: int
    stop: int


@dataclass(frozen=True)
class PieceReader:
    reader: Reader

    def read(self, place: Piece, prompt: int) -> Example:
        return self.reader.read(place.place, prompt)._replace(span=(place.first, place.stop))


class Pieces:
    """The texts of `whole`, a dataset of texts alone, in pieces of at most `length` tokens, special tokens included."""

    def __init__(self, whole: Dataset, length: int):
        self.whole, self.length = whole, max(length, _AROUND + 1)
        self.reader = PieceReader(whole.reader)

    @property
    def name(self) -> str:
        return self.whole.name

    @property
    def digest(self) -> str:
        return f"{self.whole.digest} {self.length}"

    @property
    def prompts(self) -> tuple[Asked, ...]:
        return self.whole.prompts

    def columns(self, tokenizer: TextTokenizer) -> Columns:
        columns = self.whole.columns(tokenizer)
        answer_N = columns.answer_NP[:, 0]
        text_N = np.where(answer_N == NO_ANSWER, 0, answer_N - _AROUND)
        num_N = np.maximum(1, -(-text_N // (self.length - _AROUND)))
        size_N = -(-text_N // num_N)
        self._rows_M = np.repeat(np.arange(len(columns)), num_N)
        number_M = np.arange(len(self._rows_M)) - np.repeat(np.cumsum(num_N) - num_N, num_N)
        self._first_M = number_M * size_N[self._rows_M]
        self._stop_M = np.minimum(self._first_M + size_N[self._rows_M], text_N[self._rows_M])
        is_last_M = number_M == num_N[self._rows_M] - 1
        answer_M = np.where(answer_N[self._rows_M] == NO_ANSWER, NO_ANSWER, 1 + self._stop_M - self._first_M + is_last_M)
        return replace(
            columns,
            width_N=columns.width_N[self._rows_M],
            height_N=columns.height_N[self._rows_M],
            answer_NP=answer_M.astype(np.int32)[:, None],
            lang_N=columns.lang_N[self._rows_M],
            group_N=columns.group_N[self._rows_M],
            features=self._features(columns.features),
        )

    def place(self, row: int) -> Piece:
        return Piece(self.whole.place(int(self._rows_M[row])), int(self._first_M[row]), int(self._stop_M[row]))

    def _features(self, features: Mapping[str, np.ndarray]) -> Features:
        assert isinstance(features, Features)
        return Features(tuple(features.names), lambda name: features[name][self._rows_M])
