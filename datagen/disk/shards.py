"""WebDataset shards: deterministic tar bytes, and the report beside each that commits it.

    shards/{dataset}-{shard:06d}.tar      {key}.jpg, .png or .webp, then {key}.json, for every sample
    shards/{dataset}-{shard:06d}.json     its ShardReport, written last: a shard without one doesn't count

The bytes depend on the samples alone: not on time, user or order of arrival. If all inputs of a shard dropped, it is an empty
tar, so shard numbers have no gaps. `inputs/archive_members.py` reads tars of others. A training reads tars by places
(`model/data/tars.py`), and `members_despite_damage` finds the headers.
"""

import dataclasses
import hashlib
import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

from datagen.contract import check
from datagen.disk.storage import Folder
from datagen.record import SCHEMA, Drop, Sample, another_schema

BLOCK_BYTES = tarfile.BLOCKSIZE
_EXTENSIONS = {b"\xff\xd8\xff": "jpg", b"\x89PN": "png", b"RIF": "webp"}


class Place(NamedTuple):
    """A sample's place in a shard's tar, in bytes: its members with their headers, and its JSON record without a header."""

    offset: int
    num_bytes: int
    record_offset: int
    record_bytes: int


def shard_name(dataset: str, index: int) -> str:
    return f"{dataset}-{index:06d}"


@dataclass(frozen=True)
class ShardReport:
    """The outcome of a shard. Times are Unix seconds. `num_barren` of the documents that begin in the shard weren't read. If a
    source has been taken out of the shard since, `identity` is the first sha256. Steps that read the shard know it by `known_as`,
    so they needn't be made again."""

    shard: str
    generation: int
    fingerprint: str
    sha256: str
    num_bytes: int
    num_samples: int
    num_documents: int
    num_barren: int
    drops: tuple[Drop, ...]
    started: float
    finished: float
    identity: str = ""

    @property
    def known_as(self) -> str:
        return self.identity or self.sha256

    def to_json(self) -> bytes:
        values = {"schema": SCHEMA} | dataclasses.asdict(self) | {"drops": [d.to_dict() for d in self.drops]}
        return json.dumps(values, ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "ShardReport":
        """Raises `ValueError` if `data` is not a report of this schema."""
        try:
            values = json.loads(data)
            schema = values.pop("schema")
            if schema == SCHEMA:
                return cls(**values | {"drops": tuple(map(Drop.from_dict, values["drops"]))})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a shard's report ({error}): delete it, and its shard is made again") from None
        raise ValueError(another_schema(schema))


@dataclass
class Totals:
    """Sums over reports of shards. `drops` are counted by reason. `times` are when each shard was begun and done. `digest` covers
    the shards and the numbers of their drops: while it stays, the card and drops.jsonl stay."""

    num_shards: int = 0
    num_samples: int = 0
    num_bytes: int = 0
    num_documents: int = 0
    num_barren: int = 0
    drops: Counter[str] = field(default_factory=Counter)
    times: list[tuple[float, float]] = field(default_factory=list)
    digest: str = ""

    @classmethod
    def of(cls, reports: Iterable[ShardReport]) -> "Totals":
        totals, digest = cls(), hashlib.sha256()
        for report in reports:
            totals.num_shards += 1
            totals.num_samples += report.num_samples
            totals.num_bytes += report.num_bytes
            totals.num_documents += report.num_documents
            totals.num_barren += report.num_barren
            totals.drops.update(drop.reason for drop in report.drops)
            totals.times.append((report.started, report.finished))
            digest.update(f"{report.sha256} {len(report.drops)}\n".encode())
        totals.digest = digest.hexdigest()
        return totals


class ShardWriter:
    """Writes samples to an open file as a tar and hashes the bytes. A shard is whole only after `close`."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._hash = hashlib.sha256()
        self._keys: set[str] = set()
        self.num_bytes = 0

    @property
    def num_samples(self) -> int:
        return len(self._keys)

    def write(self, sample: Sample) -> Place:
        """Append a sample. Raises `ValueError` on a bad record."""
        check(sample)
        start = self._begin(sample.key)
        if sample.image is not None:
            self._member(f"{sample.key}.{image_extension(sample.image)}", sample.image)
        record = sample.to_json()
        record_offset = self.num_bytes + BLOCK_BYTES
        self._member(f"{sample.key}.json", record)
        return Place(start, self.num_bytes - start, record_offset, len(record))

    def copy(self, key: str, members: bytes, place: Place) -> Place:
        """Append a sample's members, copied from `place` in another shard."""
        start = self._begin(key)
        self._put(members)
        return Place(start, len(members), start + place.record_offset - place.offset, place.record_bytes)

    def close(self) -> str:
        """Write the end of the archive; returns the archive's sha256 in hex."""
        self._put(bytes(tarfile.RECORDSIZE - self.num_bytes % tarfile.RECORDSIZE))
        return self._hash.hexdigest()

    def _begin(self, key: str) -> int:
        if key in self._keys:
            raise ValueError(f"key {key} twice in a shard")
        self._keys.add(key)
        return self.num_bytes

    def _member(self, name: str, data: bytes) -> None:
        info = tarfile.TarInfo(name)  # mtime 0, no user, mode 0644: tarfile's defaults hold nothing of the machine
        info.size = len(data)
        self._put(info.tobuf(tarfile.USTAR_FORMAT))
        self._put(data)
        self._put(bytes(-len(data) % BLOCK_BYTES))

    def _put(self, data: bytes) -> None:
        self._hash.update(data)
        self._file.write(data)
        self.num_bytes += len(data)


def image_extension(image: bytes) -> str:
    """The ending of a member's name, without its dot. Raises `ValueError` unless the image is a JPEG, PNG or WebP."""
    try:
        return _EXTENSIONS[image[:3]]
    except KeyError:
        raise ValueError(f"image starts with {image[:4]!r}: allowed are JPEG, PNG and WebP") from None


def read_shard(file: BinaryIO) -> Iterator[tuple[Sample, Place]]:
    """The samples of an open tar and their places. Raises `ValueError`, `KeyError` or `TypeError` on damage."""
    image, start = None, 0
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                content = tar.extractfile(member)
                if content is None:
                    raise ValueError(f"{member.name} is not a plain file")
                data = content.read()
                if len(data) != member.size:
                    raise ValueError(f"{member.name} is cut short")
                if not member.name.endswith(".json"):
                    image, start = data, member.offset
                    continue
                if image is None:
                    start = member.offset
                end = member.offset_data + member.size + -member.size % BLOCK_BYTES
                yield Sample.from_json(data, image), Place(start, end - start, member.offset_data, member.size)
                image = None
    except tarfile.TarError as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def read_sample(folder: Folder, shard: str, offset: int, num_bytes: int) -> Sample:
    """One sample of the dataset in `folder`, by its place in the manifest. Raises as `read_shard` does."""
    (sample,) = read_samples(folder, [{"shard": shard, "offset": offset, "bytes": num_bytes}])
    return sample


def read_samples(folder: Folder, rows: Iterable[Mapping[str, Any]]) -> Iterator[Sample]:
    """The samples of a manifest's `rows` with their images, in order. A row needs shard, offset and bytes. Raises as
    `read_shard`."""
    for data in folder.read_ranges((_tar(row), row["offset"], row["offset"] + row["bytes"]) for row in rows):
        ((sample, _),) = read_shard(io.BytesIO(data + bytes(2 * BLOCK_BYTES)))
        yield sample


def read_records(folder: Folder, rows: Iterable[Mapping[str, Any]]) -> Iterator[Sample]:
    """The samples of a manifest's `rows`, in order. No byte of an image is read. A row needs shard, record_offset and
    record_bytes."""
    ranges = ((_tar(row), row["record_offset"], row["record_offset"] + row["record_bytes"]) for row in rows)
    yield from map(Sample.from_json, folder.read_ranges(ranges))


def _tar(row: Mapping[str, Any]) -> str:
    return f"shards/{row['shard']}.tar"


def members_despite_damage(file: BinaryIO) -> Iterator[tarfile.TarInfo]:
    """The headers of any tar, also those behind damage."""
    file.seek(0)
    with _DamagedTar(fileobj=file, ignore_zeros=True) as tar:
        while member := tar.next():
            tar.members = []  # type: ignore[attr-defined]  # it would keep them all
            yield member


class _DamagedTar(tarfile.TarFile):
    """Skips damaged headers. `tarfile` does so too, but gives up at damage behind a PAX header, which stands before the member's
    own header."""

    def next(self) -> tarfile.TarInfo | None:
        while True:
            try:
                return super().next()
            except (tarfile.TarError, ValueError, OverflowError):
                self.offset += BLOCK_BYTES
                file: Any = self.fileobj
                if self.offset >= file.seek(0, io.SEEK_END):
                    return None


def read_report(folder: Folder, shard: str) -> ShardReport | None:
    """The report that commits `shard`, or None. Raises `ValueError`, naming the file, if it is damaged."""
    return next(each_report(folder, [shard]), None)


def read_reports(folder: Folder) -> list[ShardReport]:
    """The reports of all committed shards of the dataset in `folder`, in order. Raises `ValueError` as `read_report` does."""
    return list(each_report(folder))


def each_report(folder: Folder, shards: Iterable[str] | None = None) -> Iterator[ShardReport]:
    """As `read_reports`, one report at a time, since drops may be many. Only reports of `shards`, if given."""
    if shards is None:
        names = [f"shards/{name}" for name in folder.sub("shards").names(".json")]
    else:
        names = [f"shards/{shard}.json" for shard in shards]
    for name, data in zip(names, folder.read_each(names), strict=True):
        if data is None:
            continue
        try:
            report = ShardReport.from_json(data)
        except ValueError as error:
            raise ValueError(f"{folder.path(name)}: {error}") from None
        yield report


def verify_shard(folder: Folder, report: ShardReport) -> list[str]:
    """The differences between a shard and its report, found by reading every byte; [] if there are none."""
    name = f"shards/{report.shard}.tar"
    try:
        with folder.open(name) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            num_samples = 0
            for sample, _ in read_shard(file):
                check(sample)
                num_samples += 1
            facts = (
                (size == report.num_bytes, f"{size} bytes, its report says {report.num_bytes}"),
                (digest == report.sha256, f"sha256 {digest[:12]}…, its report says {report.sha256[:12]}…"),
                (num_samples == report.num_samples, f"{num_samples} samples, its report says {report.num_samples}"),
            )
            return [f"{name}: {what}" for is_same, what in facts if not is_same]
    except FileNotFoundError:
        return [f"{name}: missing, but its report is there"]
    except (ValueError, KeyError, TypeError, OSError) as error:
        return [f"{name}: unreadable: {error}"]
