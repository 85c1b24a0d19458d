"""Opens Hugging Face datasets: one saved to disk, a folder of Parquet files, a file, or one of the hub. Their code isn't run."""

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datagen.disk.storage import Folder

KINDS = {".parquet": "parquet", ".jsonl": "json", ".json": "json", ".txt": "text"}
_SAVED = ("state.json", "dataset_dict.json")
_HIDDEN = ".pagewheel"  # `datasets` would take files in a folder without a dot for rows


@functools.cache
def opened(where: str, split: str) -> Any:
    """The dataset, mapped into memory, not read. Raises `ValueError`, and `ConnectionError` if the hub fails."""
    import datasets  # half a second, which a plan doesn't need

    datasets.disable_progress_bars()
    try:
        if os.path.isdir(where):
            saved = any(os.path.isfile(os.path.join(where, name)) for name in _SAVED)
            rows = datasets.load_from_disk(where) if saved else datasets.load_dataset(where)
        elif (kind := KINDS.get(Path(where).suffix)) and os.path.isfile(where):
            return datasets.load_dataset(kind, data_files=where, split="train")
        elif os.path.isabs(where) or where.startswith("."):
            raise ValueError(f"there is no such folder, nor a file of {', '.join(KINDS)}")
        else:
            return datasets.load_dataset(where, split=split)
        if isinstance(rows, dict):
            if split not in rows:
                raise ValueError(f"it has no split {split!r}, but {', '.join(rows)}")
            return rows[split]
        return rows
    except ConnectionError:
        raise
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetGenerationError) as error:
        raise ValueError(f"{where}: {error}") from error


@functools.cache
def undecoded(where: str, split: str) -> Any:
    """The dataset, with images as their files' bytes and paths."""
    rows = opened(where, split)
    for name in image_columns(rows):
        rows = rows.cast_column(name, _undecoded(rows.features[name]))
    return rows


def beside(where: str, split: str) -> tuple[Folder, str]:
    """The folder for a dataset's counts, and the part's name in it: in the dataset's own folder, its file's folder, or the
    library's copy."""
    if os.path.isfile(where):
        return Folder(os.path.dirname(where) or ".").sub(_HIDDEN), os.path.basename(where)
    folder = where if os.path.isdir(where) else os.path.dirname(opened(where, split).cache_files[0]["filename"])
    return Folder(folder).sub(_HIDDEN), split


def image_columns(rows: Any) -> list[str]:
    """The columns with images, one a row or a list of them."""
    return [name for name, kind in rows.features.items() if _undecoded(kind) is not None]


def _undecoded(kind: Any) -> Any:
    """The type of a column of images, as bytes and paths; None for another column."""
    import datasets

    if isinstance(kind, datasets.Image) or (isinstance(kind, dict) and set(kind) == {"bytes", "path"}):
        return datasets.Image(decode=False)
    inner = getattr(kind, "feature", kind[0] if isinstance(kind, list) and kind else None)
    if inner is None or isinstance(inner, datasets.Value):
        return None
    of_one = _undecoded(inner)
    return datasets.List(of_one) if isinstance(of_one, datasets.Image) else None


def images(value: Any, where: str) -> Iterator[bytes]:
    """The image files in a row's column of the dataset `where`. Raises `OSError` for a file that can't be read, or that is
    outside the dataset's folder and the library's caches, since a stranger's dataset may name any path."""
    for one in value if isinstance(value, list) else [value]:
        if one is None:
            continue
        if one.get("bytes") is not None:
            yield one["bytes"]
        elif not one.get("path"):
            raise FileNotFoundError("an image has neither bytes nor a path")
        else:
            with open(_allowed(one["path"], where), "rb") as file:
                yield file.read()


def _allowed(path: str, where: str) -> str:
    import datasets
    from huggingface_hub import constants

    own = os.path.realpath(where if os.path.isdir(where) else os.path.dirname(where) or ".")
    file = os.path.realpath(os.path.join(own, path))
    roots = [own] if os.path.exists(where) else []
    roots += [os.path.realpath(one) for one in (datasets.config.HF_DATASETS_CACHE, constants.HF_HUB_CACHE)]
    if not any(file.startswith(os.path.join(root, "")) for root in roots):
        raise PermissionError(f"{path} is outside the dataset's folder")
    if os.path.exists(file) and not os.path.isfile(file):
        raise FileNotFoundError(f"{path} is no file")
    return file
