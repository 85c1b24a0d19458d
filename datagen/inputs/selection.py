"""Which items are taken: a limit over languages, and draws by a seed that come out the same on every machine."""

import hashlib
import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from datagen.inputs import archive
from datagen.inputs.items import Item
from datagen.record import SampleError


def choose(items: Iterable[Item], limit: int, seed: int) -> list[Item]:
    """At most `limit` items (0: all), taken in turn from each language, each language's in an order that the seed gives.

    A larger limit keeps what a smaller one chose.
    """
    items = sorted(items, key=lambda item: item.uri)
    if limit >= len(items) or not limit:
        return items
    by_lang: dict[str, list[Item]] = {}
    for item in by_seed(items, seed):
        by_lang.setdefault(item.lang, []).append(item)
    languages = sorted(by_lang, key=lambda lang: seeded(seed, lang))
    rounds = itertools.zip_longest(*(by_lang[lang] for lang in languages))
    chosen = (item for round_ in rounds for item in round_ if item is not None)
    return sorted(itertools.islice(chosen, limit), key=lambda item: item.uri)


def first_parts(items: Iterable[Item], limit: int, seed: int, count: Callable[[Item], int]) -> list[Item]:
    """Items with at most `limit` parts in all, by `seed`; the last may be cut, where a larger limit goes on. `count` says how
    many an item has that doesn't say so itself."""
    chosen, left = [], limit
    for item in by_seed(items, seed):
        if not left:
            break
        num = item.count if item.count >= 0 else count(item)
        chosen.append(item if num <= left else replace(item, stop=left))
        left -= min(num, left)
    return sorted(chosen, key=lambda item: item.uri)


def by_seed(items: Iterable[Item], seed: int) -> list[Item]:
    """`items` in an order that the seed gives. It goes by the ends of their uris, so it doesn't depend on where a folder lies."""
    return sorted(items, key=lambda item: seeded(seed, _end(item.uri)))


def _end(uri: str) -> str:
    """The part of a uri that stays when a folder is moved: its last two names, or an archive's name and a member's place and
    name."""
    try:
        member = archive.parse(uri)
    except SampleError:  # reading it will tell
        member = None
    if member is None:
        return "/".join(uri.split("/")[-2:])
    return f"{PurePosixPath(member.archive).name}/{member.first}/{member.name}"


def seeded(seed: int, *values: object) -> bytes:
    """A digest of the values that stands for a random draw: the same on every machine, in any order of calls."""
    return hashlib.sha256(repr((seed, *values)).encode(errors="surrogateescape")).digest()
