"""The pages that a task is about, in a file. A task names the file and its digest, and stays small."""

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from datagen.storage import Folder
from flywheel.pools import Place


@dataclass(frozen=True)
class PlaceFile:
    """The file `name` in the folder `url`, which says the language of each of its pages."""

    url: str = ""
    name: str = ""
    sha256: str = ""

    @classmethod
    def write(cls, folder: Folder, name: str, languages: Mapping[Place, str]) -> "PlaceFile":
        rows = sorted((sha256, page, lang) for (sha256, page), lang in languages.items())
        data = json.dumps(rows, separators=(",", ":")).encode()
        folder.write(name, data)
        return cls(folder.url, name, hashlib.sha256(data).hexdigest())

    def languages(self) -> Mapping[Place, str]:
        """The language of each page. The file is read once a process. Raises `ValueError` if it isn't the one of `sha256`."""
        return _read(self)


@functools.lru_cache(maxsize=8)
def _read(file: PlaceFile) -> Mapping[Place, str]:
    data = Folder(file.url).read(file.name)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ValueError(f"{Folder(file.url).path(file.name)} has other pages than the run was planned with")
    return {(sha256, page): lang for sha256, page, lang in json.loads(data)}
