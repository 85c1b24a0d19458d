"""Where the symbols of a reading stand, and how probable a part of it is: what CTC says beside its text.

    frames      _ с т о л _ _ ␣ _ _ с _ т у л _        _ is CTC's blank
    words         └─────┘         └───────┘
    of a word   └─────────────┘                        frames that its probability is of: to the next word's first symbol

The probability of some words is that of all alignments of their symbols, and of the spaces around them, on the frames between the
word before and the word behind them (CTC's forward algorithm). So it says, too, that the word ends where it was read to end.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor
from torch.nn import functional as F

_AT_A_TIME = 4_000_000  # numbers in a batch of slices
NEVER = -1e4
"""The logarithm of a probability of what can't be, such as padding."""


@dataclass(frozen=True, eq=False)
class Spelling:
    """What a reader reads in a line, as it stands from left to right: the classes, and the frames `first` to `stop` of each.

    `words` are the ranges of classes between spaces. `columns` are the classes that `logp_TK` has log-probabilities of: the blank
    and those of the line.
    """

    classes: tuple[int, ...]
    first: tuple[int, ...]
    stop: tuple[int, ...]
    words: tuple[tuple[int, int], ...]
    columns: tuple[int, ...]
    logp_TK: numpy.ndarray

    @property
    def num_frames(self) -> int:
        return len(self.logp_TK)

    def of_words(self, start: int, end: int) -> tuple[int, ...]:
        """The classes of the words from `start` to `end`, exclusive, with the spaces between them."""
        return self.classes[self.words[start][0] : self.words[end - 1][1]] if start < end else ()

    def gap(self, word: int) -> tuple[int, int]:
        """The frames between the last symbol before `word` and its first one; from the line's edge for the first word, and to
        the other edge for the number of words."""
        before = self.stop[self.words[word - 1][1] - 1] if word else 0
        behind = self.first[self.words[word][0]] if word < len(self.words) else self.num_frames
        return before, behind


def spell(logp_BTA: Tensor, num_frames_B: Tensor, space: int) -> list[Spelling]:
    """The best path of each line. `space` is the class of the space, or -1 if the alphabet has none."""
    spellings = []
    for logp_TA, n in zip(logp_BTA, num_frames_B.tolist(), strict=True):
        classes, first, stop = [], [], []
        frame = 0
        for label, run in itertools.groupby(logp_TA[:n].argmax(-1).tolist()):
            end = frame + len(list(run))
            if label:
                classes.append(label)
                first.append(frame)
                stop.append(end)
            frame = end
        columns = (0, *sorted(set(classes)))
        logp_TK = logp_TA[:n, list(columns)].float().numpy()
        spelled = tuple(classes), tuple(first), tuple(stop)
        spellings.append(Spelling(*spelled, tuple(_words(classes, space)), columns, logp_TK))
    return spellings


def probabilities(asked: Sequence[tuple[Spelling, int, int]]) -> list[float]:
    """The probability of the words from `start` to `end`, exclusive, of each line that is `asked` about: (line, start, end)."""
    slices = [_slice(*one) for one in asked]
    of_slices = [0.0] * len(slices)
    for batch in _batches([logp_TK.shape for logp_TK, _ in slices]):
        for i, nll in zip(batch, _nll([slices[i] for i in batch]), strict=True):
            of_slices[i] = math.exp(-max(0.0, nll))
    return of_slices


def _words(classes: Sequence[int], space: int) -> Iterator[tuple[int, int]]:
    start = 0
    for is_space, run in itertools.groupby(classes, lambda c: c == space):
        end = start + len(list(run))
        if not is_space:
            yield start, end
        start = end


def _slice(line: Spelling, start: int, end: int) -> tuple[numpy.ndarray, list[int]]:
    """The log-probabilities of the frames of these words, and the columns of their symbols and of the spaces around them."""
    first_frame, stop_frame = line.gap(start)[0], line.gap(end)[1]
    first_class = line.words[start - 1][1] if start else line.words[0][0]
    stop_class = line.words[end][0] if end < len(line.words) else line.words[-1][1]
    column = {c: i for i, c in enumerate(line.columns)}
    logp_TK = line.logp_TK[first_frame:stop_frame].copy()
    # A symbol that lasts into the gap is still the same symbol: there it counts as blank.
    if start:
        inner, letter = line.first[line.words[start][0]] - first_frame, column[line.classes[first_class - 1]]
        logp_TK[:inner, 0] = numpy.logaddexp(logp_TK[:inner, 0], logp_TK[:inner, letter])
    if end < len(line.words):
        inner, letter = line.stop[line.words[end - 1][1] - 1] - first_frame, column[line.classes[stop_class]]
        logp_TK[inner:, 0] = numpy.logaddexp(logp_TK[inner:, 0], logp_TK[inner:, letter])
    return logp_TK, [column[c] for c in line.classes[first_class:stop_class]]


def _nll(slices: Sequence[tuple[numpy.ndarray, list[int]]]) -> list[float]:
    num_frames = [len(logp_TK) for logp_TK, _ in slices]
    width = max(logp_TK.shape[1] for logp_TK, _ in slices)
    logp_TBK = torch.full((max(num_frames), len(slices), width), NEVER)
    for b, (logp_TK, _) in enumerate(slices):
        logp_TBK[: len(logp_TK), b, : logp_TK.shape[1]] = torch.from_numpy(logp_TK)
    targets = torch.tensor([c for _, target in slices for c in target], dtype=torch.long)
    lengths = torch.tensor([len(target) for _, target in slices])
    nll_B: Tensor = F.ctc_loss(logp_TBK, targets, torch.tensor(num_frames), lengths, reduction="none")
    return [float(nll) for nll in nll_B]


def _batches(shapes: Sequence[tuple[int, ...]]) -> Iterator[list[int]]:
    """Indices in batches of slices about as long."""
    batch: list[int] = []
    widest = 0
    for i in sorted(range(len(shapes)), key=lambda i: (shapes[i], i)):
        widest = max(widest, shapes[i][1])
        if batch and (len(batch) + 1) * shapes[i][0] * widest > _AT_A_TIME:
            yield batch
            batch, widest = [], shapes[i][1]
        batch.append(i)
    if batch:
        yield batch
