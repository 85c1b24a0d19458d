"""The pages of a task, in a file. A task names the file and its digest, and stays small."""

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datagen.disk import marks
from datagen.disk.storage import Folder
from flywheel.pools.pools import Place


@dataclass(frozen=True)
class PlaceFile:
    """The file `name` in the folder `url`, with the language of each of its pages. A page is a file's sha256 and a number. If a
    file lies in two folders, each page has two samples, and the key here decides which one counts."""

    url: str = ""
    name: str = ""
    sha256: str = ""

    @classmethod
    def write(
        cls, folder: Folder, name: str, languages: Mapping[Place, str], keys: Mapping[Place, str] | None = None
    ) -> "PlaceFile":
        """The file of these pages; with `keys`, of those pages that have a key."""
        places = languages if keys is None else [place for place in languages if place in keys]
        rows = sorted((*place, languages[place], (keys or {}).get(place, "")) for place in places)
        data = json.dumps(rows, separators=(",", ":")).encode()
        folder.write(name, data)
        return cls(folder.url, name, hashlib.sha256(data).hexdigest())

    @classmethod
    def written(cls, folder: Folder, name: str) -> "PlaceFile":
        """The file that `write` wrote."""
        return cls(folder.url, name, hashlib.sha256(folder.read(name)).hexdigest())

    def languages(self) -> Mapping[Place, str]:
        """The language of each page. The file is read once a process. Raises `ValueError` if its digest isn't `sha256`."""
        return _read(self)[0]

    def keys(self) -> Mapping[str, str]:
        """The language of each sample with a key in the file, by key. Raises as `languages`."""
        return _read(self)[1]


def sample_keys(pages: Folder, rows: Iterable[Mapping[str, Any]], wanted: Mapping[Place, Any]) -> dict[Place, str]:
    """The key of the sample that shows each of the `wanted` pages, by the `rows` of the dataset `pages`. If several samples show
    a page, since its file lies in several folders, the first key counts. Samples marked as copies or near copies aren't read."""
    marked = marks.excluded(pages)
    keys: dict[Place, str] = {}
    for row in sorted(rows, key=lambda row: str(row["key"])):
        place = row["sha256"], row["page"]
        if place in wanted and not marks.is_marked(row["key"], marked):
            keys.setdefault(place, row["key"])
    return keys


@functools.lru_cache(maxsize=8)
def _read(file: PlaceFile) -> tuple[Mapping[Place, str], Mapping[str, str]]:
    data = Folder(file.url).read(file.name)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ValueError(f"{Folder(file.url).path(file.name)} has other pages than the run was planned with")
    rows = json.loads(data)
    return {(sha256, page): lang for sha256, page, lang, _ in rows}, {key: lang for _, _, lang, key in rows if key}
