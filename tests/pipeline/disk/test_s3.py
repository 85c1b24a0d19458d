"""Lists, documents, archives and outputs on object storage: moto's server on loopback, which speaks S3's protocol over HTTP."""

import os
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import s3fs

from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from recipes.__main__ import main
from recipes.run.execute import Place, run
from recipes.verbs.status import verify
from tests.inputs import pdfs
from tests.object_store import BUCKET, KEY, reached, stand_in
from tests.outputs import dataset_samples, recipe


@pytest.fixture(scope="module")
def s3():
    """A file system on a server of its own, which also this process's children find."""
    with stand_in() as address, reached(address) as fs:
        fs.mkdir(BUCKET)
        yield fs


@pytest.fixture(scope="module")
def listed(s3, tmp_path_factory):
    """A Parquet list in the bucket, of documents in the bucket: PDFs, two of them in a zip, and one that isn't there."""
    folder = tmp_path_factory.mktemp("s3")
    for i in range(6):
        pdfs.write(folder / f"{i}.pdf", *[pdfs.lines(f"Document {i}, page {p}. {pdfs.LATIN}") for p in range(6)])
    with zipfile.ZipFile(folder / "two.zip", "w") as archive:
        for i in range(2):
            archive.write(folder / f"{i}.pdf", f"{i}.pdf")
            (folder / f"{i}.pdf").unlink()
    for path in folder.iterdir():
        s3.put_file(str(path), f"corpus/in/{path.name}")
    uris = [
        *(f"s3://corpus/in/{i}.pdf" for i in range(2, 6)),
        *(f"zip://{i}.pdf::s3://corpus/in/two.zip" for i in range(2)),
        "gone.pdf",
    ]
    pq.write_table(pa.table({"uri": uris, "lang": ["en"] * len(uris)}), folder / "list.parquet")
    s3.put_file(str(folder / "list.parquet"), "corpus/in/list.parquet")
    return "s3://corpus/in/list.parquet"


def digests(url):
    return {r.shard: r.sha256 for r in read_reports(Folder(url).sub("coarse"))}


@pytest.fixture(scope="module")
def undisturbed(listed):
    assert run(recipe(listed), Place("s3://corpus/undisturbed", "inline")) == 0
    return digests("s3://corpus/undisturbed")


def test_what_is_listed_in_a_bucket_is_read_from_it_and_written_to_it(s3, undisturbed):
    folder = Folder("s3://corpus/undisturbed/coarse")
    names = {s.origin.uri.rsplit("/", 1)[-1] for s in dataset_samples(folder)}
    assert names == {*(f"{i}.pdf" for i in range(2, 6)), "two.zip"}
    assert len(list(dataset_samples(folder))) == 36
    assert b'"not_found"' in folder.read("drops.jsonl")
    assert verify("s3://corpus/undisturbed")[1]
    assert b"<html" in s3.cat("corpus/undisturbed/report/index.html")
    assert not [name for name in s3.find("corpus") if ".tmp-" in name]


def test_a_local_output_has_the_same_bytes(listed, undisturbed, tmp_path):
    assert run(recipe(listed), Place(str(tmp_path / "out"), "inline")) == 0
    assert digests(str(tmp_path / "out")) == undisturbed


def test_a_second_run_writes_nothing(s3, listed, undisturbed, caplog):
    caplog.set_level("INFO")
    before = {name: info["LastModified"] for name, info in s3.find("corpus/undisturbed", detail=True).items()}
    assert run(recipe(listed), Place("s3://corpus/undisturbed", "inline")) == 0
    assert {name: info["LastModified"] for name, info in s3.find("corpus/undisturbed", detail=True).items()} == before
    assert "report: s3://corpus/undisturbed/report/index.html" in caplog.messages


def test_what_another_process_writes_is_seen(s3):
    folder, other = Folder("s3://corpus/seen"), s3fs.S3FileSystem(skip_instance_cache=True)
    folder.write("one", b"1")
    assert folder.names() == ["one"]
    other.pipe_file("corpus/seen/two", b"2")
    assert folder.exists("two")
    other.rm_file("corpus/seen/one")
    assert not folder.exists("one")


def test_a_folder_moves_and_goes(s3):
    folder = Folder("s3://corpus/moving")
    for name in ("a/one", "a/b/two", "ab/three"):
        folder.write(name, name.encode())
    folder.write("c/one", b"what an interrupted move left")
    folder.move("a", "c")
    assert folder.read("c/one") == b"a/one"
    assert s3.find("corpus/moving") == [f"corpus/moving/{name}" for name in ("ab/three", "c/b/two", "c/one")]
    folder.remove("c")
    folder.remove("gone")
    assert s3.find("corpus/moving") == ["corpus/moving/ab/three"]
    assert folder.folders() == ["ab"]


@pytest.mark.parametrize(
    ("out", "address", "key", "code", "told"),
    [
        ("corpus/new", "", "wrong", 2, "the store refuses it (HTTP 403, "),
        ("no-such-bucket/new", "", "", 2, "there is no such bucket: correct its name, or make it first"),
        ("no bucket/new", "", "", 2, "S3 allows no such name: correct it"),
        ("corpus/new", "http://127.0.0.1:1", "", 1, "check AWS_ENDPOINT_URL and the network; the same command tries again"),
        ("corpus/new", "127.0.0.1", "", 2, "Invalid endpoint: 127.0.0.1: check AWS_ACCESS_KEY_ID, "),
    ],
    ids=["wrong key", "no such bucket", "no bucket's name", "unreachable", "no address"],
)
def test_what_goes_wrong_is_a_line(s3, tmp_path, capsys, monkeypatch, out, address, key, code, told):
    if address:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # more of them take seconds, and end the same
    pdfs.write(tmp_path / "a.pdf", pdfs.LATIN)
    with reached(address or os.environ["AWS_ENDPOINT_URL"], key or KEY):
        assert main(["coarse", f"input={tmp_path}", f"out=s3://{out}", "on=inline"]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"pagewheel: s3://{out}/") and told in line
    assert not s3.find("corpus/new")
