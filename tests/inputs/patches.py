"""Patches as a look page saves them, made from a dataset's records."""

import hashlib
import json
from pathlib import Path
from typing import Any

from datagen.disk import manifest, marks
from datagen.disk.storage import Folder
from datagen.patching.form import dataset_id

Record = dict[str, Any]


def records(folder: Folder) -> dict[str, tuple[Record, str]]:
    """Each record that nothing marks, with the sha256 of its bytes, by key."""
    found = {}
    marked = marks.excluded(folder)
    for row in manifest.rows(folder, lambda row: not marks.is_marked(row["key"], marked)):
        start = row["record_offset"]
        data = folder.read(f"shards/{row['shard']}.tar", start, start + row["record_bytes"])
        found[row["key"]] = json.loads(data), hashlib.sha256(data).hexdigest()
    return found


def regions(record: Record, **changed: Any) -> list[Record]:
    """A record's regions as a patch has them; those that `changed` names by number, `r0`, with other fields."""
    names = ("box", "polygon", "label", "format", "text", "is_unread", "continues")
    return [
        {name: region[name] for name in names} | {"of": i} | changed.get(f"r{i}", {})
        for i, region in enumerate(record["regions"])
    ]


def patch(folder: Folder, samples: list[Record], kind: str = "correct", by: str = "Ada", **fields: Any) -> Record:
    of = {"name": Path(folder.url).name, "id": dataset_id(folder)}
    return {"form": "pagewheel patch", "version": 1, "dataset": of, "by": by, "kind": kind, "samples": samples} | fields


def write(path: Path, values: Record) -> str:
    path.write_text(json.dumps(values), encoding="utf-8")
    return str(path)


def sheet_patch(path: Path, name: str, id: str, samples: list[Record], kind: str = "correct") -> str:
    """What the page of a flywheel's sheet saves."""
    of = {"name": name, "id": id}
    return write(path, {"form": "pagewheel patch", "version": 1, "dataset": of, "by": "Eva", "kind": kind, "samples": samples})
