"""A corpus's pages by language: a budget of pages for each group of languages, divided within the group by temperature.

A language with n pages gets a share proportional to n^(1/T). T=1 leaves the languages as they are; a large T makes them alike
(Conneau et al. 2020 have the exponent 0.3, which is T=3.3). No language gets more pages than it has; the rest goes to the others
of its group.
"""

import functools
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from datagen.inputs.items import Item
from datagen.inputs.selection import by_seed
from datagen.inputs.stored_items import in_order

log = logging.getLogger(__name__)

_HALVINGS = 100  # of the interval in which a group's scale is searched


@dataclass(frozen=True)
class Share:
    """The budget `num_pages` of several `languages` together, by primary subtags. No languages: all that no other share names."""

    num_pages: int
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Weights:
    """A language's documents are taken in an order by `seed` until its pages are reached, so a larger share keeps what a smaller
    one took. A document without a declared language has the language "und"."""

    shares: tuple[Share, ...]
    temperature: float = 3.3
    seed: int = 0

    def __post_init__(self) -> None:
        named = [lang for share in self.shares for lang in share.languages or ("",)]
        if len(named) != len(set(named)):
            raise ValueError("weights: a language stands in two shares, or two shares name none")
        if not self.temperature > 0:
            raise ValueError(f"weights: temperature={self.temperature}: a number above 0 is needed")

    def targets(self, available: Mapping[str, int], taken: Mapping[str, int] | None = None) -> dict[str, int]:
        """The number of pages of each language, at most the `available` ones, and at least those `taken` already."""
        named = {lang for share in self.shares for lang in share.languages}
        wanted: dict[str, int] = {}
        for share in self.shares:
            languages = set(share.languages) or set(available) - named
            have = {lang: n for lang, n in sorted(available.items()) if lang in languages and n > 0}
            if share.num_pages and not have:
                log.warning("weights: no document is in %s", " or ".join(share.languages) or "any other language")
            wanted |= self._divided(share.num_pages, have, taken or {})
        return wanted

    def _divided(self, budget: int, available: dict[str, int], taken: Mapping[str, int]) -> dict[str, int]:
        """A budget divided over languages: a common scale times each language's weight, at least the pages taken, and at most the
        pages available."""
        weights = {lang: n ** (1 / self.temperature) for lang, n in available.items()}

        def at(scale: float) -> dict[str, float]:
            return {lang: min(max(scale * weights[lang], taken.get(lang, 0)), n) for lang, n in available.items()}

        low, high = 0.0, max((n / weights[lang] for lang, n in available.items()), default=0.0)
        if sum(at(high).values()) <= budget:
            return available
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if sum(at(middle).values()) <= budget else (low, middle)
        return {lang: round(n) for lang, n in at(low).items()}


def weigh(new: Iterable[Item], read: Iterable[Item], weights: Weights, num_pages: Callable[[Item], int]) -> Iterator[Item]:
    """The `new` documents that belong in a corpus of these weights, sorted by uri. `new` is gone through twice. `read` are the
    documents that the corpus has read or will read. A document counts with the pages that `num_pages` expects."""
    taken: dict[str, int] = defaultdict(int)
    for document in read:
        taken[language(document.lang)] += num_pages(document)
    available = defaultdict(int, taken)
    for document in new:
        available[language(document.lang)] += num_pages(document)
    room = {lang: target - taken[lang] for lang, target in weights.targets(available, taken).items()}

    def chosen() -> Iterator[Item]:
        for document in by_seed(new, weights.seed):
            lang = language(document.lang)
            if room.get(lang, 0) > 0:
                yield document
                room[lang] -= num_pages(document)

    return in_order(((document.uri,), document) for document in chosen())


@functools.cache
def language(tag: str) -> str:
    """The shortest primary subtag of a language tag (zho, cmn-Hans and zh_TW are zh); "und" of no tag."""
    import langcodes  # takes 0.1 s, which a plan without weights needn't wait for

    try:
        return langcodes.standardize_tag(tag, macro=True).split("-")[0] if tag else "und"
    except ValueError:  # no tag: a language of its own
        return tag.lower()
