"""Which items are taken: a limit over languages, and draws by a seed that come out the same on every machine."""

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from operator import attrgetter
from pathlib import PurePosixPath

from datagen.inputs import archive
from datagen.inputs.items import Item
from datagen.inputs.stored_items import in_order
from datagen.record import SampleError


def choose(items: Iterable[Item], limit: int, seed: int) -> Iterator[Item]:
    """At most `limit` items, sorted by uri: taken in turn from each language, each language's in an order that the seed gives.

    A larger limit keeps what a smaller one chose.
    """
    by_uri = in_order(((item.uri,), item) for item in items)
    by_lang = in_order(((item.lang, _draw(item, seed)), item) for item in by_uri)
    in_turn = in_order(
        ((turn, seeded(seed, lang)), item)
        for lang, of_lang in itertools.groupby(by_lang, attrgetter("lang"))
        for turn, item in enumerate(of_lang)
    )
    return in_order(((item.uri,), item) for item in itertools.islice(in_turn, limit))


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


def by_seed(items: Iterable[Item], seed: int) -> Iterator[Item]:
    """`items` in an order that the seed gives. It goes by the ends of their uris, so it doesn't depend on where a folder lies."""
    return in_order(((_draw(item, seed),), item) for item in items)


def _draw(item: Item, seed: int) -> bytes:
    return seeded(seed, _end(item.uri))


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
