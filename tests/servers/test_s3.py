"""Outputs on real object stores: what runs there, is killed there, looked after, forgotten and made anew.

What holds on the stand-in has to hold on each of them, too.
"""

import json
import os
import subprocess
import sys
import time

import psutil
import pytest

from datagen.disk.storage import Folder
from datagen.inputs.census import Listing
from recipes.__main__ import main
from recipes.run.execute import Place, run
from recipes.verbs.status import status, verify
from tests.inputs import wheel
from tests.object_store import BUCKET, reached
from tests.outputs import ROOT, dataset_samples, recipe
from tests.pipeline.disk import test_s3 as on_stand_in
from tests.servers import s3 as stores

listed, undisturbed, digests = on_stand_in.listed, on_stand_in.undisturbed, on_stand_in.digests
globals().update({name: test for name, test in vars(on_stand_in).items() if name.startswith("test_")})

RUN = """
import sys
from recipes.run.execute import Place, run
from tests.outputs import recipe
sys.exit(run(recipe(sys.argv[1]), Place(sys.argv[2], "local", 2)))
"""


@pytest.fixture(scope="module", params=["ceph", "juicefs"])
def s3(request, tmp_path_factory, version):
    """A file system on a server of its own, which also this process's children find."""
    with getattr(stores, request.param)(tmp_path_factory.mktemp(request.param)) as address, reached(address) as fs:
        program = {"ceph": "ceph", "juicefs": stores.JUICEFS}[request.param]
        version(request.param, subprocess.check_output([program, "--version"], text=True).split()[2])
        fs.mkdir(BUCKET)
        yield fs


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


def test_an_output_is_looked_after(s3, listed, capsys):
    def told(*arguments):
        assert main([*arguments]) == 0
        return capsys.readouterr().out

    folder, out = Folder("s3://corpus/verbs/coarse"), "out=s3://corpus/verbs"
    command = ["coarse", "input=s3://corpus/in/[23].pdf", "on=inline", out]
    told(*command)
    made = digests("s3://corpus/verbs")
    assert "12 samples" in told("status", out)
    assert ", 0 faults" in told("verify", out)
    assert "s3://corpus/verbs/look/coarse/index.html" in told("look", out)
    Folder("s3://corpus/verbs").remove("report")
    told("report", out)
    assert s3.exists("corpus/verbs/report/index.html")
    told(*command, "overwrite=1")
    assert digests("s3://corpus/verbs") == made
    assert "6 samples taken out; s3://corpus/verbs/forgotten.jsonl" in told("forget", out, "uri=s3://corpus/in/3.pdf")
    told(*command)
    assert {sample.origin.uri for sample in dataset_samples(folder)} == {"s3://corpus/in/2.pdf"}
    assert ", 0 faults" in told("verify", out)


def test_a_store_that_fails_one_request_in_twenty(s3, listed, undisturbed):
    with stores.faulty(os.environ["AWS_ENDPOINT_URL"]) as (address, faults), reached(address):
        assert run(recipe(listed), Place("s3://corpus/faulty", "inline")) == 0
        assert verify("s3://corpus/faulty")[1]
        Folder("s3://corpus/faulty").remove("report")
    assert digests("s3://corpus/faulty") == undisturbed
    assert not s3.exists("corpus/faulty/report")
    assert faults.keys() == {"", "503", "cut"}


def test_ten_thousand_objects(s3):
    """Listed over many pages, and taken as documents."""
    folder, num = Folder("s3://corpus/many"), 10_000
    s3.pipe({f"corpus/many/{i:05}.pdf": b"" for i in range(num)})
    assert folder.names(".pdf") == [f"{i:05}.pdf" for i in range(num)]
    assert len(Listing(folder.url).items()) == num
    Folder("s3://corpus").remove("many")
    assert folder.names() == []


def test_a_round_of_the_flywheel(s3, tmp_path):
    out = Folder("s3://corpus/wheel")
    s3.put(str(wheel.few_documents(tmp_path / "in")), "corpus/wheel-in", recursive=True)
    assert wheel.turn("s3://corpus/wheel-in", out.url) == 0
    made = json.loads(out.read("round-1/metrics.json"))
    assert made["labels"]["num_accepted"] == len(list(dataset_samples(out.sub("round-1")))) > 0
    assert wheel.turn("s3://corpus/wheel-in", out.url) == 0
    assert json.loads(out.read("round-1/metrics.json")) == made
    assert main(["flywheel", f"out={out.url}", "rollback=0"]) == 0
    assert "aside-round-1" in out.folders() and "round-1" not in out.folders()
