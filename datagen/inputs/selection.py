"""The choice of items: a limit over languages, and draws by a seed that are the same on every machine."""

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
    """At most `limit` items, sorted by uri. Languages take turns, and `seed` orders each language's items. A larger limit keeps
    what a smaller one chose."""
    by_uri = in_order(((item.uri,), item) for item in items)
    by_lang = in_order(((item.lang, _draw(item, seed)), item) for item in by_uri)
    in_turn = in_order(
        ((turn, seeded(seed, lang)), item)
        for lang, of_lang in itertools.groupby(by_lang, attrgetter("lang"))
        for turn, item in enumerate(of_lang)
    )
    return in_order(((item.uri,), item) for item in itertools.islice(in_turn, limit))


def first_parts(items: Iterable[Item], limit: int, seed: int, count: Callable[[Item], int]) -> list[Item]:
    """Items with at most `limit` parts in all, by `seed`. The last item may be cut, and a larger limit goes on there. `count`
    tells the parts of an item without a count."""
    chosen, left = [], limit
    for item in by_seed(items, seed):
        if not left:
            break
        num = item.count if item.count >= 0 else count(item)
        chosen.append(item if num <= left else replace(item, stop=left))
        left -= min(num, left)
    return sorted(chosen, key=lambda item: item.uri)


def by_seed(items: Iterable[Item], seed: int) -> Iterator[Item]:
    """`items` in an order by the seed and the ends of their uris, so the folder's place doesn't matter."""
    return in_order(((_draw(item, seed),), item) for item in items)


def _draw(item: Item, seed: int) -> bytes:
    return seeded(seed, _end(item.uri))


def _end(uri: str) -> str:
    """The part of a uri that stays when a folder is moved: its last two names, or an archive's name with a member's place and
    name."""
    try:
        member = archive.parse(uri)
    except SampleError:  # reading it fails, and is counted
        member = None
    if member is None:
        return "/".join(uri.split("/")[-2:])
    return f"{PurePosixPath(member.archive).name}/{member.first}/{member.name}"


def seeded(seed: int, *values: object) -> bytes:
    """A digest of the values, for a random draw that is the same on every machine and in any order of calls."""
    return hashlib.sha256(repr((seed, *values)).encode(errors="surrogateescape")).digest()
