import hashlib
import io
import tarfile
from collections import Counter
from dataclasses import replace

import fsspec
import pytest
import webdataset
from fsspec.implementations.memory import MemoryFileSystem

from datagen.disk import manifest
from datagen.disk.shards import (
    ShardReport,
    ShardWriter,
    read_records,
    read_sample,
    read_samples,
    read_shard,
    verify_shard,
)
from datagen.disk.storage import Folder
from datagen.record import Drop
from tests.inputs.samples import image, sample


def write(samples) -> tuple[bytes, str]:
    file = io.BytesIO()
    writer = ShardWriter(file)
    for one in samples:
        writer.write(one)
    sha256 = writer.close()
    return file.getvalue(), sha256


def commit(folder: Folder, samples, name: str = "d-000000") -> ShardReport:
    content, sha256 = write(samples)
    folder.write(f"shards/{name}.tar", content)
    drop = Drop("", "/b.pdf", None, "PdfSource", "empty", "0 bytes")
    report = ShardReport(name, 0, "f", sha256, len(content), len(samples), 2, 1, (drop,), 1.0, 2.0)
    folder.write(f"shards/{name}.json", report.to_json())
    return report


def test_the_same_samples_give_the_same_bytes_and_nothing_of_the_machine():
    samples = [sample("a"), sample("b", image=image(kind="PNG")), sample("c", task="text", image=None)]
    tar_bytes, sha256 = write(samples)
    assert hashlib.sha256(tar_bytes).hexdigest() == sha256
    assert write(samples)[0] == tar_bytes
    with tarfile.open(fileobj=io.BytesIO(tar_bytes)) as tar:
        members = tar.getmembers()
    assert [m.name for m in members] == ["a.jpg", "a.json", "b.png", "b.json", "c.json"]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {(0, 0, 0, "", "", 0o644)}
    assert len(tar_bytes) % tarfile.RECORDSIZE == 0


def test_a_shard_reads_back_with_the_places_of_its_samples(tmp_path):
    samples = [sample("a"), sample("b", task="text", image=None), sample("c", image=image(kind="PNG"))]
    commit(Folder(str(tmp_path)), samples)
    with open(tmp_path / "shards/d-000000.tar", "rb") as file:
        places = list(read_shard(file))
    assert [s for s, _ in places] == samples
    for expected, place in places:
        assert read_sample(Folder(str(tmp_path)), "d-000000", place.offset, place.num_bytes) == expected


@pytest.mark.parametrize("where", ["disk", "memory"])
def test_samples_and_records_are_read_by_rows_of_the_manifest(tmp_path, where):
    folder = Folder(str(tmp_path) if where == "disk" else "memory://pagewheel-test-rows")
    samples = [sample("a"), sample("b", task="text", image=None), sample("c", image=image(kind="WEBP"))]
    assert verify_shard(folder, commit(folder, samples)) == []
    manifest.rebuild(folder, "d-000000")
    rows = manifest.read_part(folder, "d-000000").to_pylist()
    assert list(read_samples(folder, rows[::-1])) == samples[::-1]
    assert list(read_records(folder, rows)) == [replace(s, image=None) for s in samples]
    assert manifest.letters(manifest.read_part(folder, "d-000000")) == {("de", "Latn"): Counter("Über東京" * 3)}


class ReturnsErrors(MemoryFileSystem):
    """What object storage is by older versions of fsspec: the error stands in place of the bytes, whatever was asked for."""

    protocol = "returns-errors"

    def cat_ranges(self, paths, starts, ends, max_gap=None, on_error="return", **values):
        return super().cat_ranges(paths, starts, ends, max_gap, "return", **values)


def test_an_object_that_went_away_is_an_error_and_no_bytes():
    fsspec.register_implementation(ReturnsErrors.protocol, ReturnsErrors, clobber=True)
    folder = Folder("returns-errors://pagewheel-test-gone")
    with pytest.raises(FileNotFoundError):
        list(folder.read_ranges([("shards/a.tar", 0, 9)]))


def test_plain_webdataset_reads_it(tmp_path):
    commit(Folder(str(tmp_path)), [sample("a"), sample("b")])
    found = list(webdataset.WebDataset(str(tmp_path / "shards/d-000000.tar"), shardshuffle=False).decode("pil"))
    assert [f["__key__"] for f in found] == ["a", "b"]
    assert found[0]["jpg"].size == (64, 32)
    assert found[0]["json"]["text"] == "Über 東京"


def test_a_key_twice_and_an_image_of_another_kind_are_refused():
    for samples, why in (([sample("a"), sample("a")], "twice"), ([sample(image=b"GIF89a")], "allowed are JPEG, PNG and WebP")):
        with pytest.raises(ValueError, match=why):
            write(samples)


def test_verify_finds_every_kind_of_damage(tmp_path):
    folder, path = Folder(str(tmp_path)), tmp_path / "shards/d-000000.tar"
    report = commit(folder, [sample("a"), sample("b")])
    good = path.read_bytes()
    assert verify_shard(folder, report) == []
    flipped = bytearray(good)
    flipped[600] ^= 1
    path.write_bytes(flipped)
    assert any("sha256" in fault for fault in verify_shard(folder, report))
    path.write_bytes(good[: len(good) // 2])
    assert any("unreadable" in f or "bytes" in f for f in verify_shard(folder, report))
    path.unlink()
    assert verify_shard(folder, report) == ["shards/d-000000.tar: missing, but its report is there"]
