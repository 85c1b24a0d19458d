"""What the image of a list's row may be called, by the rules that `join.py` tries."""

import contextlib
import hashlib
from typing import Any
from urllib.parse import unquote, urlsplit

from datagen.record import clean_text

FILE_COLUMNS = ("file_name", "filename", "file", "path", "dir", "image_path", "image_file", "image", "img_path", "filepath")
"""Columns that may name an image's file, the surest first."""
KEY_COLUMNS = ("key", "sample_id", "uid", "id", "image_id", "imagekey", "image_key", "hash", "md5", "sha1", "sha256")
"""Columns whose value may be an image's name without its suffix."""
DIGESTS = {f"{name} of the url": name for name in ("md5", "sha1", "sha256")}
IN_URL = "name in the url"
_URLS = ("url", "image_url", "img_url")


def keys_of(row: dict[str, Any], rule: str = "") -> list[tuple[str, str]]:
    """What a row's image may be called, without its suffix and in small letters, each behind the rule that says so, or by one
    `rule` alone: a column's name, or what is made of the address. `folder/name` comes before `name`."""
    small = {name.lower(): value for name, value in row.items()}
    keys = []
    for column in FILE_COLUMNS if not rule else {rule}.intersection(FILE_COLUMNS):
        value = small.get(column)
        if isinstance(value, str) and value:
            keys += [(column, key) for key in stems(value)]
    for column in KEY_COLUMNS if not rule else {rule}.intersection(KEY_COLUMNS):
        value = small.get(column)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, (str, int)) and value != "":
            keys.append((column, str(value).lower()))
    url = next((small[name] for name in _URLS if isinstance(small.get(name), str)), "")
    if url:
        encoded = url.encode("utf-8", "replace")
        for name in DIGESTS if not rule else {rule}.intersection(DIGESTS):
            keys.append((name, hashlib.new(DIGESTS[name], encoded).hexdigest()))
        if rule in ("", IN_URL):
            with contextlib.suppress(ValueError):  # an address with half a bracket
                keys += [(IN_URL, key) for key in stems(unquote(urlsplit(url).path))[-1:]]
    return [(by, clean_text(key)) for by, key in keys]


def columns_of(rule: str) -> tuple[str, ...]:
    """The columns, in small letters, that a rule makes keys of."""
    return _URLS if rule == IN_URL or rule in DIGESTS else (rule,)


def stems(path: str) -> list[str]:
    """`folder/name`, if it lies in one, and `name`, without the suffix and in small letters."""
    folders, _, file = path.replace("\\", "/").lower().rpartition("/")
    stem, folder = file.rpartition(".")[0] or file, folders.rpartition("/")[2]
    if not stem:
        return []
    return [f"{folder}/{stem}", stem] if folder else [stem]
