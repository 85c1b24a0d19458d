"""Hugging Face datasets, opened: one that was saved to disk, a folder of Parquet files, a file, or one of the hub. None of their
code is run."""

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KINDS = {".parquet": "parquet", ".jsonl": "json", ".json": "json", ".txt": "text"}
_SAVED = ("state.json", "dataset_dict.json")


@functools.lru_cache(maxsize=8)
def opened(where: str, split: str) -> Any:
    """The dataset, which is mapped into memory, not read. Raises `ValueError`, and `ConnectionError` where the hub fails."""
    import datasets  # half a second, which a plan doesn't need

    datasets.disable_progress_bars()
    try:
        if os.path.isdir(where):
            saved = any(os.path.isfile(os.path.join(where, name)) for name in _SAVED)
            found = datasets.load_from_disk(where) if saved else datasets.load_dataset(where)
        elif (kind := KINDS.get(Path(where).suffix)) and os.path.isfile(where):
            return datasets.load_dataset(kind, data_files=where, split="train")
        elif os.path.isabs(where) or where.startswith("."):
            raise ValueError(f"there is no such folder, nor a file of {', '.join(KINDS)}")
        else:
            return datasets.load_dataset(where, split=split)
        if isinstance(found, dict):
            if split not in found:
                raise ValueError(f"it has no split {split!r}, but {', '.join(found)}")
            return found[split]
        return found
    except ConnectionError:
        raise
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetGenerationError) as error:
        raise ValueError(f"{where}: {error}") from error


@functools.lru_cache(maxsize=8)
def undecoded(where: str, split: str) -> Any:
    """The same, with images as their files' bytes and paths."""
    rows = opened(where, split)
    for name in image_columns(rows):
        rows = rows.cast_column(name, _undecoded(rows.features[name]))
    return rows


def image_columns(rows: Any) -> list[str]:
    """The columns that hold images, one a row or a list of them."""
    return [name for name, kind in rows.features.items() if _undecoded(kind) is not None]


def _undecoded(kind: Any) -> Any:
    """The kind of a column of images, as bytes and paths; None for another column."""
    import datasets

    if isinstance(kind, datasets.Image) or (isinstance(kind, dict) and set(kind) == {"bytes", "path"}):
        return datasets.Image(decode=False)
    inner = getattr(kind, "feature", kind[0] if isinstance(kind, list) and kind else None)
    if inner is None or isinstance(inner, datasets.Value):
        return None
    of_one = _undecoded(inner)
    return datasets.List(of_one) if isinstance(of_one, datasets.Image) else None


def images(value: Any) -> Iterator[bytes]:
    """The files of a row's column of images. Raises `OSError` for one that can't be read."""
    for one in value if isinstance(value, list) else [value]:
        if one is None:
            continue
        if one.get("bytes") is not None:
            yield one["bytes"]
        else:
            with open(one["path"], "rb") as file:
                yield file.read()
