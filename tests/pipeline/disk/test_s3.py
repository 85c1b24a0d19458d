"""Lists, documents, archives and outputs on object storage: moto's server on loopback, which speaks S3's protocol over HTTP."""

import json
import os
import re
import subprocess
import sys
import time
import zipfile

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import s3fs

from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from model.train.data import open_all
from model.train.step import Train
from recipes.__main__ import main
from recipes.run.execute import Place, run
from recipes.verbs.forget import forget
from recipes.verbs.status import status, verify
from recipes.words.training_data import mixture
from tests.inputs import pdfs
from tests.inputs.samples import page_sample
from tests.outputs import ROOT, dataset_samples, recipe, write_dataset

RUN = """
import sys
from recipes.run.execute import Place, run
from tests.outputs import recipe
sys.exit(run(recipe(sys.argv[1]), Place(sys.argv[2], "local", 2)))
"""


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """A file system on a server of its own, which also this process's children find."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    address = next(m.group() for line in server.stderr if (m := re.search(r"http://127\.0\.0\.1:\d+", line)))
    drain = subprocess.Popen(["cat"], stdin=server.stderr, stdout=subprocess.DEVNULL)  # or its log would fill the pipe
    known = {"AWS_ENDPOINT_URL": address, "AWS_DEFAULT_REGION": "us-east-1"}
    known |= dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "x")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in known.items():
            patch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        fs = s3fs.S3FileSystem(use_listings_cache=False)
        fs.mkdir("corpus")
        yield fs
    s3fs.S3FileSystem.clear_instance_cache()
    for process in (server, drain):
        process.kill()
        process.wait()


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
    assert sorted({s.origin.uri.rsplit("/", 1)[-1] for s in dataset_samples(folder)}) == [
        *(f"{i}.pdf" for i in range(2, 6)),
        "two.zip",
    ]
    assert len(list(dataset_samples(folder))) == 36
    assert b'"not_found"' in folder.read("drops.jsonl")
    assert verify("s3://corpus/undisturbed")[1]
    assert b"<html" in s3.cat("corpus/undisturbed/report/index.html")
    assert not [name for name in s3.find("corpus") if ".tmp-" in name]


def test_a_local_output_has_the_same_bytes(listed, undisturbed, tmp_path):
    assert run(recipe(listed), Place(str(tmp_path / "out"), "inline")) == 0
    assert digests(str(tmp_path / "out")) == undisturbed


@pytest.mark.slow
def test_a_killed_run_goes_on(listed, undisturbed):
    out = "s3://corpus/killed"
    started = subprocess.Popen([sys.executable, "-c", RUN, listed, out], cwd=ROOT, env=os.environ, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not digests(out) and started.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    family = psutil.Process(started.pid).children(recursive=True)
    started.kill()
    started.wait()
    assert psutil.wait_procs(family, timeout=20)[1] == []
    assert 0 < len(digests(out)) < len(undisturbed)
    assert "left" in status(out)
    assert run(recipe(listed), Place(out, "inline")) == 0
    assert digests(out) == undisturbed


def test_a_second_run_writes_nothing(s3, listed, undisturbed):
    before = {name: info["LastModified"] for name, info in s3.find("corpus/undisturbed", detail=True).items()}
    assert run(recipe(listed), Place("s3://corpus/undisturbed", "inline")) == 0
    assert {name: info["LastModified"] for name, info in s3.find("corpus/undisturbed", detail=True).items()} == before


@pytest.mark.slow
def test_a_source_is_forgotten(s3, listed):
    out = "s3://corpus/forgetful"
    assert run(recipe(listed), Place(out, "inline")) == 0
    assert "6 samples taken out" in forget(out, uri="s3://corpus/in/3.pdf", recipe=recipe(listed))[0]
    assert not [s for s in dataset_samples(Folder(f"{out}/coarse")) if s.origin.uri.endswith("/3.pdf")]
    assert run(recipe(listed), Place(out, "inline")) == 0
    assert len(list(dataset_samples(Folder(f"{out}/coarse")))) == 30
    assert verify(out)[1]


@pytest.mark.slow
def test_a_mixture_draws_from_outputs_in_a_bucket(s3, tmp_path):
    """Each as a dataset, or as the output that has it, and none of them is read anew."""
    parts = {"pages": "coarse", "minority": "round-1", "scene": "scene", "texts": "texts"}
    for part, name in parts.items():
        write_dataset(tmp_path / part / name, [page_sample(f"{part}-000000", "word")])
        (tmp_path / part / "recipe.json").write_text('{"recipe": "other", "values": {}}')
        s3.put(str(tmp_path / part), "corpus/parts/", recursive=True)
    places = {part: f"s3://corpus/parts/{part}" for part in parts} | {"scene": "s3://corpus/parts/scene/scene"}
    words = [f"{part}={where}" for part, where in places.items()]
    assert main(["mixture", *words, "figures=none", f"out={tmp_path}/out", "on=inline"]) == 0
    made = json.loads((tmp_path / "out/mixture.json").read_text())
    assert [one["where"] for one in made["datasets"]] == [f"s3://corpus/parts/{part}/{name}" for part, name in parts.items()]
    assert not (tmp_path / "out/scene").exists()
    opened = open_all(Train(**mixture(f"{tmp_path}/out/mixture.json")), Folder(f"{tmp_path}/train"))
    assert len(opened.datasets) == len(parts)
