"""What lies where in a tar of others, whose samples are as webdataset writes them, so that a training reads members by places.

After damage the next header that parses is found again. Shards of ours have a manifest: `datagen/disk/shards.py` reads them.
"""

import io
from collections.abc import Iterator
from typing import BinaryIO

from webdataset.tariterators import base_plus_ext

from datagen.disk.shards import BLOCK_BYTES, members_despite_damage

_AT_A_TIME = 1 << 16


def samples(file: BinaryIO, name: str) -> Iterator[tuple[str, dict[str, tuple[int, int]] | None]]:
    """(key, place in bytes of each member by its ending) of a tar's samples, in order; (what was damaged, None) where bytes are
    no members. Raises `ValueError` if it is no tar at all."""
    size, end, key = file.seek(0, io.SEEK_END), 0, ""
    found: dict[str, tuple[int, int]] = {}
    for member in members_despite_damage(file):
        if not _is_blank(file, end, member.offset):
            yield f"{name} at {end}", None
        end = member.offset_data + member.size + -member.size % BLOCK_BYTES
        base, ending = base_plus_ext(member.name)
        if not member.isfile() or base is None:
            continue
        if found and base != key:
            yield key, found
            found = {}
        key = base
        if member.offset_data + member.size <= size:
            found[ending.lower()] = member.offset_data, member.size
    if found:
        yield key, found
    if not size:
        raise ValueError(f"{name} is empty, not even a tar without members")
    if not end and not _is_blank(file, 0, size):
        raise ValueError(f"{name} is no tar, or compressed: it has no member that can be read")
    if not _is_blank(file, end, size):
        yield f"{name} at {end}", None


def span(file: BinaryIO, offset: int, num_bytes: int) -> bytes:
    """These bytes of `file`, which stays where it was."""
    before = file.tell()
    file.seek(offset)
    data = file.read(num_bytes)
    file.seek(before)
    return data


def _is_blank(file: BinaryIO, start: int, end: int) -> bool:
    """Whether there is nothing but zeros from `start` to `end`, as between tars that were joined, and at their ends."""
    if start > end:
        return False
    return not any(any(span(file, at, min(_AT_A_TIME, end - at))) for at in range(start, end, _AT_A_TIME))
