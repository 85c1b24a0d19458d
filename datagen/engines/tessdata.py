"""Tesseract's data of some languages from npm, kept in the user's cache: for Arabic it reads far better than Debian's.

It is asked for by whoever compares readers, and never needed. A language's data is a package of its own, such as
`@tesseract.js-data/ara`, which npm fetches and checks; what it holds has to have the sha256 that stands here.
"""

import gzip
import hashlib
import logging
import tempfile
from pathlib import Path

from datagen.samples import npm
from datagen.samples.documents import cache_folder

log = logging.getLogger(__name__)

_PACKAGE = "@tesseract.js-data/{name}@1.0.0"
_FILE = "4.0.0_best_int/{name}.traineddata.gz"
SHA256 = {
    "amh": "f1644849fd6afb587f7b2fea19b02a5c0a2a2f138cb04ff7cf0272ce66e28b80",
    "ara": "f4746c44b02342dd5b3d4f0198000f47d7c49f1a229e63e0f436c0592dcd9639",
    "fas": "b5847360e25f646c55449f1fe93eee57d53e406a265ead2374e7320bf0b82025",
    "heb": "9c70b524200dae77fb25e3567566eee600ccbcae9aeb89722990ccae0e84e805",
    "hin": "f3b6a0d320df38d886178cdd727b90dbf9df3db053adb32bd9cf73f0463cda07",
    "kat": "74505e238b208fc30471654b9f694bda08e521cdc7c8a5e0846d1340ed585899",
}
"""Of the compressed data, by Tesseract's names: the languages that it was compared in."""

_missing: set[str] = set()
"""What couldn't be had. After that nothing is asked for, since each may wait for a network that isn't there."""


def folder() -> Path:
    """Where the data lies."""
    return cache_folder().with_name("tessdata")


def has(name: str) -> bool:
    """Whether the data of a language, by Tesseract's name, is there, after it was asked for where it isn't. The log says once why
    it can't be had."""
    return name in SHA256 and (_path(name).is_file() or (not _missing and _fetched(name)))


def _path(name: str) -> Path:
    return folder() / f"{name}.traineddata"


def _fetched(name: str) -> bool:
    package = _PACKAGE.format(name=name)
    try:
        traineddata = _traineddata(name, package)
    except (OSError, ValueError) as error:
        _missing.add(name)
        log.warning("no data for tesseract from npm, Debian's is taken: %s: %s", package, error)
        return False
    folder().mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder(), prefix=".tmp-", delete=False) as file:
        file.write(traineddata)
    Path(file.name).rename(_path(name))
    return True


def _traineddata(name: str, package: str) -> bytes:
    """The data of a language. Raises `ValueError` if npm has it not, or has another one."""
    with tempfile.TemporaryDirectory() as tmp:
        packed = (npm.unpacked(package, Path(tmp), None) / _FILE.format(name=name)).read_bytes()
    if hashlib.sha256(packed).hexdigest() != SHA256[name]:
        raise ValueError("it is another one than was compared")
    return gzip.decompress(packed)
