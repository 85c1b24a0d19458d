"""What a training draws from, and how often: groups, datasets in a group, languages in a dataset. And how that changed.

A stream is the rows of a dataset, or those of some of its languages. Each has one weight and goes on where it was, epoch after
epoch. The schedule is what was decided, in order: from which window of draws on which streams have which weights, and how many
draws each had had by then. It is part of a checkpoint, and all of it is plain values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from model.data.split import Corpus

GROUPS = {"ocr": 0.7, "vision": 0.2, "text": 0.1}
"""The paper's shares (3.4.4)."""
OTHERS = "*"
_ALL = "all"


@dataclass(frozen=True)
class Source:
    """A dataset's place in the mixture.

    `weight` is its share in its group; None stands for as many as it has rows. `langs` are shares of its languages, in which
    "*" stands for all that aren't named; without them each row comes as often as any other.
    """

    dataset: str
    group: str = "ocr"
    weight: float | None = None
    langs: Mapping[str, float] = field(default_factory=dict)


class Stream(NamedTuple):
    """The rows of a dataset, in these languages, or in all others (`but`)."""

    dataset: str
    langs: tuple[str, ...] = ()
    but: bool = True

    @property
    def name(self) -> str:
        return " ".join([self.dataset, *(["not"] if self.but and self.langs else []), *self.langs])


class Share(NamedTuple):
    """A stream's weight, and how many draws it had had before."""

    stream: Stream
    weight: float
    before: int = 0


class Segment(NamedTuple):
    """The shares from a window of draws on."""

    window: int
    shares: tuple[Share, ...]

    def to_json(self) -> dict[str, Any]:
        shares = [
            {"stream": [stream.dataset, list(stream.langs), stream.but], "weight": weight, "before": before}
            for stream, weight, before in self.shares
        ]
        return {"window": self.window, "shares": shares}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Segment":
        shares = []
        for share in values["shares"]:
            dataset, langs, but = share["stream"]
            shares.append(Share(Stream(dataset, tuple(langs), but), share["weight"], share["before"]))
        return cls(values["window"], tuple(shares))


def shares(corpus: Corpus, sources: Sequence[Source], groups: Mapping[str, float] = GROUPS) -> tuple[Share, ...]:
    """The streams of these sources with their weights, which sum to 1. Groups without a row to train on are left out, and so are
    such datasets, and what has the weight 0. Without `groups` all sources are of one.

    Raises `ValueError` for a dataset or a group that isn't there, for weights that some of a group's datasets lack or that are
    under 0, for languages without a weight, and if there is nothing to train on.
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
    found: list[Share] = []
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
            found += _by_language(corpus, numbers[source.dataset], source, weight * size / sum(sizes))
    total = sum(share.weight for share in found)
    if not total:
        raise ValueError(f"nothing to train on in {', '.join(source.dataset for source in sources) or 'no dataset'}")
    return tuple(share._replace(weight=share.weight / total) for share in found)


def _by_language(corpus: Corpus, number: int, source: Source, weight: float) -> list[Share]:
    if not source.langs:
        return [Share(Stream(source.dataset), weight)]
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
    streams = [(Stream(source.dataset, (lang,), False), source.langs[lang]) for lang in named]
    if others:
        streams.append((Stream(source.dataset, tuple(sorted(named))), source.langs[OTHERS]))
    return [Share(stream, weight * share / total) for stream, share in streams if share]


def rows_of(stream: Stream, corpus: Corpus) -> tuple[int, np.ndarray]:
    """(number of the dataset, the stream's rows). Raises `ValueError` if there are none."""
    numbers = {dataset.name: number for number, dataset in enumerate(corpus.datasets)}
    if stream.dataset not in numbers:
        raise ValueError(f"the schedule names {stream.dataset!r}: there is no such dataset, but {', '.join(numbers)}")
    number = numbers[stream.dataset]
    columns, rows = corpus.columns[number], corpus.train[number]
    if stream.langs:
        codes = [code for code, lang in enumerate(columns.langs) if lang in stream.langs]
        rows = rows[np.isin(columns.lang_N[rows], codes, invert=stream.but)]
    if not len(rows):
        raise ValueError(f"the schedule draws from {stream.name!r}: it has no row to train on")
    return number, rows
