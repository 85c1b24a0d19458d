"""The counts of an index, kept in Parquet files beside a dataset, so that its texts are read once.

    lengths/HASH/PART.parquet      a row for each row of a part of the dataset; a column of numbers of tokens for each prompt

The hash covers all that the numbers depend on: tokenizer, prompts, and the version of this file. A part's file identifies its
bytes, and is made again if they have changed. For a dataset on a web server it is in this user's cache. If a dataset is
read-only, its lengths are counted at each start.
"""

import logging
import os
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import xxhash

from datagen.disk.storage import Folder
from model.data.rows import Asked
from model.net.tokenizer import TextTokenizer

log = logging.getLogger(__name__)

VERSION = 1
_PART = b"part"


def name(tokenizer: TextTokenizer, prompts: Sequence[Asked], kind: str = "") -> str:
    """The folder of the lengths for this tokenizer and these prompts. The prompts' weights have no influence."""
    digest = xxhash.xxh3_128()
    for value in (str(VERSION).encode(), kind.encode(), tokenizer.to_json(), *(asked.prompt.encode() for asked in prompts)):
        digest.update(len(value).to_bytes(8, "big") + value)
    return f"lengths/{digest.hexdigest()}"


def kept(folder: Folder, name: str, part: str, made_of: str, num_rows: int, count: Callable[[], pa.Table]) -> pa.Table:
    """The table of a part with `num_rows` rows (-1: unknown), whose bytes are identified by `made_of`. `count` makes it if it
    isn't kept."""
    table = found(folder, name, part, made_of)
    if table is not None and num_rows in (-1, table.num_rows):
        return table
    table = count()
    keep(folder, name, part, made_of, table)
    return table


def is_kept(folder: Folder, name: str, part: str) -> bool:
    """Whether there is a table for a part, of any bytes."""
    folder, file = _place(folder, name, part)
    return folder.exists(file)


def found(folder: Folder, name: str, part: str, made_of: str) -> pa.Table | None:
    """The kept table of a part whose bytes are identified by `made_of`; None if there is none."""
    folder, file = _place(folder, name, part)
    try:
        table = folder.read_table(file)
        return table if (table.schema.metadata or {}).get(_PART) == made_of.encode() else None
    except FileNotFoundError:
        return None
    except (OSError, pa.ArrowException) as error:
        log.warning("%s can't be read and is made again: %s", folder.path(file), error)
        return None


def keep(folder: Folder, name: str, part: str, made_of: str, table: pa.Table) -> None:
    """Keep a part's table, if its folder can be written."""
    folder, file = _place(folder, name, part)
    try:
        folder.write_table(file, table.replace_schema_metadata({_PART: made_of.encode()}))
    except Exception as error:  # each storage has own exceptions for a failed write
        log.warning("%s can't be written, so that all is read at each start: %s", folder.path(file), error)


def _place(folder: Folder, name: str, part: str) -> tuple[Folder, str]:
    """The place of a part's table: beside the dataset, or, for a web server's dataset, in this user's cache."""
    file = f"{name}/{part}.parquet"
    if not folder.url.startswith(("http://", "https://")):
        return folder, file
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Folder(os.path.join(cache, "pagewheel", xxhash.xxh3_128_hexdigest(folder.url.encode()))), file


def columns(lengths_NP: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of a table, one for each prompt."""
    return {f"prompt_{number}": column for number, column in enumerate(lengths_NP.T)}


def lengths(table: pa.Table, num_prompts: int) -> np.ndarray:
    """(N, P) int32: a table's columns."""
    return np.stack([table[f"prompt_{number}"].to_numpy() for number in range(num_prompts)], axis=1)
