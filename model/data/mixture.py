"""The mixture of a training: shares of groups, of datasets in a group, of languages and degrees of difficulty in a dataset; and
its history.

A stream is the rows of a dataset, or those of some of its languages, or of a degree of difficulty. Each has one weight and goes
on where it was, epoch after epoch. Rows of a stream come equally often, unless no document, source, language or layout may
dominate it: then `Deck` has the turns of large ones. The schedule lists all decisions in order: the window of draws from which
streams have their weights, and the draws of each stream before. It is part of a checkpoint, as plain values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from model.data.order import Deck
from model.data.rows import DIFFICULTY
from model.data.split import Corpus
from model.data.words import LEVELS

GROUPS = {"ocr": 0.7, "vision": 0.2, "text": 0.1}
"""The paper's shares (3.4.4)."""
OTHERS = "*"
_ALL = "all"
_UNKNOWN, _HARDEST = -1000, 1000  # thousandths


@dataclass(frozen=True)
class Source:
    """A dataset's place in the mixture.

    `weight` is its share in its group; None stands for its number of rows. `langs` are shares of its languages, where "*" stands
    for all others; without them rows come equally often. `difficulty` are shares of `LEVELS` in the same way; a row is no longer
    easy from `medium_from` on, and hard from `hard_from` on. In each part by `diverse`, one of `DIVERSE`, n rows come as often as
    n ** `power` rows.
    """

    dataset: str
    group: str = "ocr"
    weight: float | None = None
    langs: Mapping[str, float] = field(default_factory=dict)
    difficulty: Mapping[str, float] = field(default_factory=dict)
    medium_from: float = 0.02
    hard_from: float = 0.1
    diverse: str = ""
    power: float = 0.5


class Stream(NamedTuple):
    """The rows of a dataset, in these languages, or in all others (`but`), and with a difficulty in one of `bands` (from, to, in
    thousandths; none: any). Parts that are equal in `diverse` get turns by a `power`."""

    dataset: str
    langs: tuple[str, ...] = ()
    but: bool = True
    bands: tuple[tuple[int, int], ...] = ()
    diverse: str = ""
    power: float = 1.0

    @property
    def name(self) -> str:
        words = [self.dataset, *(["not"] if self.but and self.langs else []), *self.langs]
        return " ".join([*words, *(f"{low}..{high}" for low, high in self.bands)])


class Share(NamedTuple):
    """A stream's weight, and its draws before."""

    stream: Stream
    weight: float
    before: int = 0


class Segment(NamedTuple):
    """The shares from a window of draws on."""

    window: int
    shares: tuple[Share, ...]

    def to_json(self) -> dict[str, Any]:
        shares = [
            {
                "stream": [s.dataset, list(s.langs), s.but, [list(band) for band in s.bands], s.diverse, s.power],
                "weight": weight,
                "before": before,
            }
            for s, weight, before in self.shares
        ]
        return {"window": self.window, "shares": shares}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Segment":
        shares = []
        for share in values["shares"]:
            dataset, langs, but, *others = share["stream"]
            bands, diverse, power = others or ((), "", 1.0)  # earlier versions lacked these
            stream = Stream(dataset, tuple(langs), but, tuple((low, high) for low, high in bands), diverse, power)
            shares.append(Share(stream, share["weight"], share["before"]))
        return cls(values["window"], tuple(shares))


def shares(corpus: Corpus, sources: Sequence[Source], groups: Mapping[str, float] = GROUPS) -> tuple[Share, ...]:
    """The streams of these sources with their weights, which sum to 1. Groups and datasets without a row to train on are left
    out, and so are those of weight 0. Without `groups` all sources are one group.

    Raises `ValueError` for a missing dataset or group, for weights that only some of a group's datasets have or that are under 0,
    for languages or degrees of difficulty without a weight, and if there is nothing to train on.
    """
    numbers = {dataset.name: number for number, dataset in enumerate(corpus.datasets)}
    if not groups:
        sources, groups = [replace(source, group=_ALL) for source in sources], {_ALL: 1.0}
    for source in sources:
        if source.dataset not in numbers:
            raise ValueError(f"the mixture names {source.dataset!r}: there is no such dataset, but {', '.join(numbers)}")
        if source.group not in groups:
            raise ValueError(f"{source.dataset} is in group {source.group!r}: allowed are {', '.join(groups)}")
        if source.weight is not None and source.weight < 0:
            raise ValueError(f"{source.dataset} has the weight {source.weight}: it must be at least 0")
        if negative := {lang: weight for lang, weight in source.langs.items() if weight < 0}:
            raise ValueError(f"{source.dataset} has languages with the weights {negative}: they must be at least 0")
    if min(groups.values()) < 0:
        raise ValueError(f"groups is {dict(groups)}: shares must be at least 0")
    weighted: list[Share] = []
    for group, weight in groups.items():
        if not weight:
            continue
        members = [s for s in sources if s.group == group and s.weight != 0 and len(corpus.train[numbers[s.dataset]])]
        given = [source.dataset for source in members if source.weight is not None]
        if lacking := [source.dataset for source in members if source.weight is None] if given else []:
            raise ValueError(
                f"group {group}: {', '.join(given)} have a weight, {', '.join(lacking)} have none: give all one, or none"
            )
        sizes = [len(corpus.train[numbers[s.dataset]]) if s.weight is None else s.weight for s in members]
        for source, size in zip(members, sizes, strict=True):
            for share in _by_language(corpus, numbers[source.dataset], source, weight * size / sum(sizes)):
                weighted += _by_difficulty(corpus, numbers[source.dataset], source, share)
    total = sum(share.weight for share in weighted)
    if not total:
        raise ValueError(f"nothing to train on in {', '.join(source.dataset for source in sources) or 'no dataset'}")
    return tuple(share._replace(weight=share.weight / total) for share in weighted)


def _stream(source: Source) -> Stream:
    return Stream(source.dataset, diverse=source.diverse, power=source.power if source.diverse else 1.0)


def _by_language(corpus: Corpus, number: int, source: Source, weight: float) -> list[Share]:
    if not source.langs:
        return [Share(_stream(source), weight)]
    columns, rows = corpus.columns[number], corpus.train[number]
    has = {columns.langs[code] for code in np.unique(columns.lang_N[rows])}
    named = tuple(lang for lang in source.langs if lang != OTHERS)
    if unknown := sorted(set(named) - has):
        raise ValueError(f"{source.dataset} has no language {', '.join(unknown)}; it has {', '.join(sorted(has))}")
    if (others := sorted(has - set(named))) and OTHERS not in source.langs:
        raise ValueError(f"{source.dataset}: {', '.join(others)} have no weight; {OTHERS!r} stands for all that aren't named")
    total = sum(share for lang, share in source.langs.items() if lang != OTHERS or others)
    if not total:
        raise ValueError(f"{source.dataset}: its languages' weights are {dict(source.langs)}: give at least one above 0")
    streams = [(_stream(source)._replace(langs=(lang,), but=False), source.langs[lang]) for lang in named]
    if others:
        streams.append((_stream(source)._replace(langs=tuple(sorted(named))), source.langs[OTHERS]))
    return [Share(stream, weight * share / total) for stream, share in streams if share]


def _by_difficulty(corpus: Corpus, number: int, source: Source, share: Share) -> list[Share]:
    """The share, split by the source's degrees of difficulty, if it has shares for them. Degrees without rows are left out."""
    if not source.difficulty:
        return [share]
    measured_M = _feature(corpus, number, DIFFICULTY, source.dataset)[_rows(share.stream, corpus, number)]
    medium, hard = round(1000 * source.medium_from), round(1000 * source.hard_from)
    bands = {"easy": (0, medium), "medium": (medium, hard), "hard": (hard, _HARDEST + 1), "unknown": (_UNKNOWN, 0)}
    has = {level for level, (low, high) in bands.items() if ((measured_M >= low) & (measured_M < high)).any()}
    named = [level for level in LEVELS if level in source.difficulty]
    if (others := [level for level in LEVELS if level in has and level not in named]) and OTHERS not in source.difficulty:
        raise ValueError(
            f"{source.dataset}: samples that are {', '.join(others)} have no weight; {OTHERS!r} stands for the others"
        )
    wanted: list[tuple[tuple[tuple[int, int], ...], float]]
    wanted = [((bands[level],), source.difficulty[level]) for level in named if level in has]
    if others:
        wanted.append((tuple(bands[level] for level in others), source.difficulty[OTHERS]))
    total = sum(weight for _, weight in wanted)
    if not total:
        raise ValueError(
            f"{source.dataset}: its weights by difficulty are {dict(source.difficulty)}, and its samples are "
            f"{', '.join(level for level in LEVELS if level in has)}: give these one above 0"
        )
    return [Share(share.stream._replace(bands=chosen), share.weight * weight / total) for chosen, weight in wanted if weight]


def deck_of(stream: Stream, corpus: Corpus) -> tuple[int, Deck]:
    """(number of the dataset, the stream's rows). Raises `ValueError` if there are no rows, or if their parts by `diverse` aren't
    known."""
    numbers = {dataset.name: number for number, dataset in enumerate(corpus.datasets)}
    if stream.dataset not in numbers:
        raise ValueError(f"the schedule names {stream.dataset!r}: there is no such dataset, but {', '.join(numbers)}")
    number = numbers[stream.dataset]
    columns, rows = corpus.columns[number], _rows(stream, corpus, number)
    if not len(rows):
        raise ValueError(f"the schedule draws from {stream.name!r}: it has no row to train on")
    if not stream.diverse:
        return number, Deck(rows, in_order=columns.in_order)
    if columns.in_order:
        raise ValueError(f"{stream.dataset} is learned in its own order: it can't be diverse by {stream.diverse}")
    of_columns = {"document": columns.group_N, "lang": columns.lang_N}
    parts_N = (
        of_columns[stream.diverse] if stream.diverse in of_columns else _feature(corpus, number, stream.diverse, stream.dataset)
    )
    return number, Deck(rows, parts_N[rows], stream.power)


def _rows(stream: Stream, corpus: Corpus, number: int) -> np.ndarray:
    columns, rows = corpus.columns[number], corpus.train[number]
    if stream.langs:
        codes = [code for code, lang in enumerate(columns.langs) if lang in stream.langs]
        rows = rows[np.isin(columns.lang_N[rows], codes, invert=stream.but)]
    if stream.bands:
        measured_M = _feature(corpus, number, DIFFICULTY, stream.dataset)[rows]
        rows = rows[np.any([(measured_M >= low) & (measured_M < high) for low, high in stream.bands], axis=0)]
    return rows


def _feature(corpus: Corpus, number: int, name: str, dataset: str) -> np.ndarray:
    if name not in corpus.columns[number].features.names:
        raise ValueError(f"{dataset} doesn't say the {name} of its samples: only datasets that pagewheel wrote do")
    return corpus.columns[number].features[name]
