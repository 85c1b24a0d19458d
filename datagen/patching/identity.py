"""What a dataset is known by, for whoever answers about its samples later."""

import hashlib
import json

from datagen.disk.storage import Folder


def dataset_id(folder: Folder) -> str:
    """32 hex digits that stay when documents, retried drops or a patch add shards, or when a source is forgotten.

    They follow from what makes the dataset's bytes (`fingerprint` in run.json) and from what its first run was to read, in which
    another dataset of the same recipe differs. Raises `ValueError` if the folder holds no dataset.
    """
    try:
        made_by = json.loads(folder.read("run.json"))["fingerprint"]
        first_read = folder.read_table("census/000000.parquet").select(["uri", "first", "stop"]).to_pylist()
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{folder.url}: no dataset of pagewheel with a run.json and a census ({error})") from None
    return hashlib.sha256(json.dumps([made_by, first_read], ensure_ascii=True).encode()).hexdigest()[:32]
