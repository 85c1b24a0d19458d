"""The samples of each step of a training, packed into rows: a function of seed, step, datasets and schedule alone.

    W draws of a window

All draws of a training are in one endless order, in windows of W. The wheel gives the stream of each draw; the stream's own
shuffle gives the row, epoch after epoch. A window's samples are packed into rows of `length` tokens by best fit, the longest
first, and its rows are shuffled. Step n takes the `rows_per_step` rows from n times that on, whatever the number of ranks.

The number of rows before each window is cached. These numbers aren't state: counting them again takes a few milliseconds a
window.
"""

import bisect
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from datagen.drawing.endless_lines import SOURCES
from model.data import modes as image_modes
from model.data.drawn_lines import Drawn
from model.data.mixture import Segment, Share, Stream, deck_of
from model.data.order import Deck, Wheel, key, noise, uniform
from model.data.rows import NO_ANSWER, Columns, Draw
from model.data.split import Corpus

WINDOW = 4096
_SMALLEST = 64
_KEPT = 8
_MAX_EMPTY = 16
_COUNTED = 32


def _wheel(segment: Segment, seed: int) -> Wheel:
    return Wheel([share.weight for share in segment.shares], key("wheel", seed, segment.window))


class Plan:
    """The steps of a training. `modes` are image modes with their weights. A step has `rows_per_step` rows of `length` tokens.
    The schedule's first segment begins with window 0. A `window` of 0 is chosen by the number of rows. `known` are the numbers of
    rows before windows, from `to_json`. Raises `ValueError` for values that aren't allowed."""

    def __init__(
        self,
        corpus: Corpus,
        schedule: Sequence[Segment],
        modes: Mapping[str, float],
        length: int,
        rows_per_step: int,
        seed: int = 0,
        window: int = 0,
        known: Sequence[int] = (),
    ):
        image_modes.check(modes)
        for name, value in {"length": length, "rows_per_step": rows_per_step}.items():
            if value < 1:
                raise ValueError(f"{name} is {value}: it must be at least 1")
        assert schedule and schedule[0].window == 0
        self.corpus, self.length, self.rows_per_step = corpus, length, rows_per_step
        self.modes = {mode: weight for mode, weight in modes.items() if weight}
        self.seed, self.window = seed, window or _window(corpus)
        self.schedule = tuple(schedule)
        self._streams: dict[int, list[tuple[int, Deck]]] = {}
        self._rows_before = list(known) or [0]
        self._packed: OrderedDict[int, tuple[list[list[Draw]], Counter[str]]] = OrderedDict()
        self._one_at_a_time = threading.RLock()  # the loader's thread plans a step ahead

    def step(self, number: int) -> list[list[Draw]]:
        """The packed rows of step `number`, which counts from 0."""
        with self._one_at_a_time:
            first = number * self.rows_per_step
            rows: list[list[Draw]] = []
            window = self._first_from(first + 1) - 1  # that of the first row
            while len(rows) < self.rows_per_step:
                start = first + len(rows) - self._before(window)
                rows += self._window(window)[0][start : start + self.rows_per_step - len(rows)]
                window += 1
            return rows

    def num_steps(self, num_draws: int) -> int:
        """The number of steps until `num_draws` draws. Over many windows it is estimated from some of them, spread evenly, so it
        is soon known, and the same at each start."""
        window, left = divmod(num_draws, self.window)
        if window <= _COUNTED:
            num_rows = self._before(window)
        else:
            num_rows = round(sum(len(self._window(at * window // _COUNTED)[0]) for at in range(_COUNTED)) * window / _COUNTED)
        if left:
            num_rows += -(-len(self._window(window)[0]) * left // self.window)
        return -(-num_rows // self.rows_per_step)

    def dropped(self, number: int) -> Counter[str]:
        """The number of draws left out because they are longer than `length`, by dataset, in the windows whose first row is in
        step `number`."""
        with self._one_at_a_time:
            first = number * self.rows_per_step
            dropped: Counter[str] = Counter()
            window = self._first_from(first)
            while self._before(window) < first + self.rows_per_step:
                dropped += self._window(window)[1]
                window += 1
            return dropped

    def changed(self, number: int, shares: Sequence[Share]) -> "Plan":
        """The plan with other shares from step `number` on, from the first window that no earlier step has begun. Streams with
        draws go on where they were."""
        window = self._first_from(number * self.rows_per_step)
        known = self._rows_before[: window + 1]
        earlier = [segment for segment in self.schedule if segment.window < window]
        had: dict[Stream, int] = {}
        for segment, end in zip(earlier, [*(segment.window for segment in earlier[1:]), window], strict=True):
            had |= dict(zip((share.stream for share in segment.shares), self._counts(segment, end), strict=True))
        last = Segment(window, tuple(share._replace(before=had.get(share.stream, 0)) for share in shares))
        return self._with([*earlier, last], known)

    def _with(self, schedule: Sequence[Segment], known: Sequence[int], window: int = 0) -> "Plan":
        window = window or self.window
        return Plan(self.corpus, schedule, self.modes, self.length, self.rows_per_step, self.seed, window, known)

    def _counts(self, segment: Segment, window: int) -> list[int]:
        """The draws of each stream of the segment before `window`."""
        turns = _wheel(segment, self.seed).before((window - segment.window) * self.window)
        return [share.before + n for share, n in zip(segment.shares, turns, strict=True)]

    def _first_from(self, row: int) -> int:
        """The first window whose rows begin at `row` or later."""
        while self._rows_before[-1] < row:
            self._before(len(self._rows_before))
        return bisect.bisect_left(self._rows_before, row)

    def _before(self, window: int) -> int:
        """The number of rows before this window. Raises `ValueError` if no sample of many windows fits into a row."""
        while len(self._rows_before) <= window:
            at = len(self._rows_before) - 1
            num_rows = len(self._window(at)[0])
            self._rows_before.append(self._rows_before[at] + num_rows)
            if at + 1 >= _MAX_EMPTY and self._rows_before[at + 1] == self._rows_before[at + 1 - _MAX_EMPTY]:
                shortest = min(draw.length for draw in self._draws(at))
                raise ValueError(
                    f"length is {self.length}: all {_MAX_EMPTY * self.window} samples in turn, up to number "
                    f"{(at + 1) * self.window}, are longer; the shortest of the last {self.window} has {shortest} tokens, in one "
                    f"of the modes {', '.join(self.modes)}"
                )
        return self._rows_before[window]

    def _segment(self, window: int) -> tuple[Segment, list[tuple[int, Deck]]]:
        """The segment of this window; and for each of its streams the number of the dataset, and the rows."""
        segment = next(s for s in reversed(self.schedule) if s.window <= window)
        if segment.window not in self._streams:
            self._streams[segment.window] = [deck_of(share.stream, self.corpus) for share in segment.shares]
        return segment, self._streams[segment.window]

    def _window(self, number: int) -> tuple[list[list[Draw]], Counter[str]]:
        """The window's rows, and the number of its too long draws, by dataset."""
        if number in self._packed:
            self._packed.move_to_end(number)
            return self._packed[number]
        draws = self._draws(number)
        fit = [draw for draw in draws if draw.length <= self.length]
        rows = packed([draw.length for draw in fit], self.length)
        order = np.argsort(noise(np.arange(len(rows)), key("rows", self.seed, number)), kind="stable")
        dropped = Counter(self.corpus.datasets[draw.dataset].name for draw in draws if draw.length > self.length)
        self._packed[number] = [[fit[at] for at in rows[row]] for row in order], dropped
        if len(self._packed) > _KEPT:
            self._packed.popitem(last=False)
        return self._packed[number]

    def _draws(self, window: int) -> list[Draw]:
        segment, streams = self._segment(window)
        start = (window - segment.window) * self.window
        streams_W = _wheel(segment, self.seed).shares(start, start + self.window)
        counts = self._counts(segment, window)
        names = tuple(self.modes)
        numbers_W = np.arange(window * self.window, (window + 1) * self.window)
        prompts_W = uniform(numbers_W, key("prompt", self.seed))
        modes_W = uniform(numbers_W, key("mode", self.seed))
        seeds_W = noise(numbers_W, key("draw", self.seed))
        draws: list[Draw | None] = [None] * self.window
        for stream, (dataset, deck) in enumerate(streams):
            at = np.flatnonzero(streams_W == stream)
            if not len(at):
                continue
            columns = self.corpus.columns[dataset]
            seed = key("stream", self.seed, segment.shares[stream].stream.name)
            chosen = deck.dealt(counts[stream] + np.arange(len(at)), seed)
            prompts = self._prompts(dataset, chosen, prompts_W[at])
            for w, row, prompt in zip(at.tolist(), chosen.tolist(), prompts.tolist(), strict=True):
                mode = image_modes.drawn(self.modes, modes_W[w])
                mode, length = mode_and_length(columns, row, prompt, mode, names)
                draws[w] = Draw(int(numbers_W[w]), dataset, row, prompt, mode, length, int(seeds_W[w]))
        return [draw for draw in draws if draw is not None]

    def _prompts(self, dataset: int, rows: np.ndarray, u: np.ndarray) -> np.ndarray:
        """The prompt of each row, drawn by weight among those that it can answer. `u` is from 0 to 1."""
        weights_P = np.array([asked.weight for asked in self.corpus.datasets[dataset].prompts])
        weights_NP = weights_P * (self.corpus.columns[dataset].answer_NP[rows] != NO_ANSWER)
        # A row whose prompts have no weight gets the first prompt that it can answer.
        weights_NP[weights_NP.sum(1) == 0] = (self.corpus.columns[dataset].answer_NP[rows] != NO_ANSWER)[weights_NP.sum(1) == 0]
        sums_NP = weights_NP.cumsum(1)
        return (sums_NP <= (u * sums_NP[:, -1])[:, None]).sum(1)

    def identity(self) -> dict[str, Any]:
        """The plain values on which all steps depend, beside the schedule: a training goes on only with the same values."""
        return {
            "datasets": self.corpus.digests,
            "modes": [[mode, weight] for mode, weight in self.modes.items()],
            "length": self.length,
            "rows_per_step": self.rows_per_step,
            "seed": self.seed,
            "window": self.window,
        }

    def to_json(self) -> dict[str, Any]:
        """A plan's part of a checkpoint."""
        return {"identity": self.identity(), "schedule": [s.to_json() for s in self.schedule], "known": list(self._rows_before)}

    def resumed(self, saved: Mapping[str, Any]) -> "Plan":
        """This plan with the schedule of the saved one. There may be more datasets than it had. Raises `ValueError` with the
        names if its datasets or values would give other steps."""
        ours, theirs = self.identity(), saved["identity"]
        for name, digest in theirs["datasets"].items():
            if ours["datasets"].get(name) != digest:
                what = "has changed" if name in ours["datasets"] else "is missing"
                if any(one.name == name and isinstance(one, Drawn) for one in self.corpus.datasets):
                    what += f" (its lines are drawn from {SOURCES})"
                raise ValueError(f"dataset {name} {what} since the checkpoint, so that its steps can't go on: train anew")
        changed = [name for name in ours if name not in ("datasets", "window") and ours[name] != theirs[name]]
        if changed:
            values = "; ".join(f"{name} is {ours[name]} and was {theirs[name]}" for name in changed)
            raise ValueError(f"the checkpoint is of another training: {values}")
        schedule = [Segment.from_json(segment) for segment in saved["schedule"]]
        return self._with(schedule, saved["known"], theirs["window"])


def _window(corpus: Corpus) -> int:
    """A window that fills rows well, with no more draws than there are rows to train on: otherwise a sample would come twice
    before others have come."""
    num_rows = sum(map(len, corpus.train))
    return int(min(WINDOW, max(_SMALLEST, 2 ** (max(num_rows, 1).bit_length() - 1))))


def mode_and_length(columns: Columns, row: int, prompt: int, mode: str, modes: tuple[str, ...]) -> tuple[str, int]:
    """The mode of a row's image, if `mode` was drawn, and the row's tokens. Each of several images gets its own mode."""
    length, sizes = int(columns.answer_NP[row, prompt]), columns.sizes(row)
    if not sizes:
        return "", length
    if len(sizes) == 1:
        mode = image_modes.fitting(mode, modes, *sizes[0])
    return mode, length + sum(image_modes.placeholders(mode, modes, *size) for size in sizes)


def packed(lengths: Sequence[int], length: int) -> list[list[int]]:
    """Rows of at most `length` tokens, as indices of `lengths`: the longest first, each into the row with the least room for
    it."""
    rows: list[list[int]] = []
    rooms: list[tuple[int, int]] = []  # (room left, row), sorted
    for at in sorted(range(len(lengths)), key=lambda at: (-lengths[at], at)):
        place = bisect.bisect_left(rooms, (lengths[at], -1))
        if place == len(rooms):
            rows.append([])
            room, row = length, len(rows) - 1
        else:
            room, row = rooms.pop(place)
        rows[row].append(at)
        bisect.insort(rooms, (room - lengths[at], row))
    return rows
