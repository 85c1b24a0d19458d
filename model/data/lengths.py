"""What an index has counted, kept in Parquet files beside a dataset, so that its texts are read once.

    lengths/HASH/PART.parquet      a row for each row of a part of the dataset; a column for each prompt: how many tokens it has

The hash is of what the numbers follow from: tokenizer, prompts, and the version of this file. A part's file says which bytes it
is of, and is made again if they have changed. Where a dataset can't be written to, its lengths are counted at each start.
"""

import logging
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import xxhash

from datagen.storage import Folder
from model.data.rows import Asked
from model.tokenizer import TextTokenizer

log = logging.getLogger(__name__)

VERSION = 1
_PART = b"part"


def name(tokenizer: TextTokenizer, prompts: Sequence[Asked], kind: str = "") -> str:
    """The folder of the lengths under this tokenizer and these prompts. The prompts' weights don't count."""
    digest = xxhash.xxh3_128()
    for value in (str(VERSION).encode(), kind.encode(), tokenizer.to_json(), *(asked.prompt.encode() for asked in prompts)):
        digest.update(len(value).to_bytes(8, "big") + value)
    return f"lengths/{digest.hexdigest()}"


def kept(folder: Folder, name: str, part: str, made_of: str, num_rows: int, count: Callable[[], pa.Table]) -> pa.Table:
    """The table of a part with `num_rows` rows, or -1 where nobody knows, whose bytes are known by `made_of`. `count` makes it if
    it isn't kept."""
    file = f"{name}/{part}.parquet"
    try:
        table = folder.read_table(file)
        if (table.schema.metadata or {}).get(_PART) == made_of.encode() and num_rows in (-1, table.num_rows):
            return table
    except FileNotFoundError:
        pass
    except (OSError, pa.ArrowException) as error:
        log.warning("%s can't be read and is made again: %s", folder.path(file), error)
    table = count()
    try:
        folder.write_table(file, table.replace_schema_metadata({_PART: made_of.encode()}))
    except OSError as error:
        log.warning("%s can't be written, so that the texts are read at each start: %s", folder.path(file), error)
    return table


def columns(lengths_NP: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of a table, one for each prompt."""
    return {f"prompt_{number}": column for number, column in enumerate(lengths_NP.T)}


def lengths(table: pa.Table, num_prompts: int) -> np.ndarray:
    """(N, P) int32 of a table's columns."""
    return np.stack([table[f"prompt_{number}"].to_numpy() for number in range(num_prompts)], axis=1)
