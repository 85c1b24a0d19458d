"""How much of each language: a budget of pages for groups of languages, divided within a group by temperature.

A language with n pages gets a share proportional to n^(1/T): T=1 leaves the languages as they are, a large T makes them alike
(as for multilingual models since Conneau et al. 2020, whose exponent of 0.3 is T=3.3). No language gets more than it has; what it
leaves goes to the others of its group.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from datagen.census import Document, by_seed


@dataclass(frozen=True)
class Share:
    """`num_pages` of `languages` together, by their primary subtags; of all that no other share names, if none is named."""

    num_pages: int
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Weights:
    """Documents of a language are taken in an order given by `seed` until its pages are reached: larger shares keep what smaller
    ones took. A document without a declared language is of the language "und"."""

    shares: tuple[Share, ...]
    temperature: float = 3.3
    seed: int = 0

    def __post_init__(self) -> None:
        named = [lang for share in self.shares for lang in share.languages]
        if len(named) != len(set(named)):
            raise ValueError(f"weights: a language stands in two shares: {' '.join(sorted(named))}")
        if not self.temperature > 0:
            raise ValueError(f"weights: temperature={self.temperature}: a number above 0 is needed")

    def targets(self, available: Mapping[str, int]) -> dict[str, int]:
        """How many pages of each language, out of those `available`."""
        named = {lang for share in self.shares for lang in share.languages}
        wanted: dict[str, int] = {}
        for share in self.shares:
            languages = set(share.languages) or set(available) - named
            have = {lang: n for lang, n in sorted(available.items()) if lang in languages}
            wanted |= self._divided(share.num_pages, have)
        return wanted

    def _divided(self, budget: int, available: dict[str, int]) -> dict[str, int]:
        """A budget over languages. Those whose share is more than they have give all, and the rest is divided again."""
        wanted: dict[str, int] = {}
        open_ = {lang: n ** (1 / self.temperature) for lang, n in available.items() if n > 0}
        while open_:
            total, left = sum(open_.values()), budget - sum(wanted.values())
            exhausted = [lang for lang, weight in open_.items() if left * weight / total >= available[lang]]
            if not exhausted:
                return wanted | {lang: round(left * weight / total) for lang, weight in open_.items()}
            wanted |= {lang: available[lang] for lang in exhausted}
            open_ = {lang: weight for lang, weight in open_.items() if lang not in wanted}
        return wanted


def weigh(
    new: Sequence[Document], held: Iterable[Document], weights: Weights, num_pages: Callable[[Document], int]
) -> list[Document]:
    """Of `new` documents those that belong in a corpus of these weights, beside those that it holds; sorted by uri."""
    taken: dict[str, int] = defaultdict(int)
    for document in held:
        if not document.again:
            taken[language(document)] += num_pages(document)
    found: dict[str, list[Document]] = defaultdict(list)
    for document in new:
        found[language(document)].append(document)
    available = {lang: taken[lang] + sum(map(num_pages, found[lang])) for lang in {*taken, *found}}
    chosen: list[Document] = []
    for lang, target in weights.targets(available).items():
        room = target - taken[lang]
        for document in by_seed(found[lang], weights.seed):
            if room <= 0:
                break
            chosen.append(document)
            room -= num_pages(document)
    return sorted(chosen, key=lambda d: d.uri)


def language(document: Document) -> str:
    """The primary subtag of the language that it is declared to be in, "und" without one."""
    return document.lang.replace("_", "-").split("-")[0].lower() or "und"
