"""Servers beside the workers of a job: the script starts `vllm serve` on each GPU, here a stand-in of that name, and ends it."""

import os
import subprocess
import sys

import psutil
import pytest

from recipes.label import label
from tests.faulty_server import MODEL
from tests.labelling import logged, reports, write_page_dataset
from tests.outputs import ROOT
from tests.programs import stand_in

VLLM = """#!/bin/bash
# vllm serve MODEL --host HOST --port PORT …
echo "$CUDA_VISIBLE_DEVICES $*" >> {folder}/served
[ "$2" = nothing ] && exit 3
exec {python} -m tests.faulty_server {folder}/port-$6 {folder}/log-$6 --port $6 --open 1 --faults 0 --fast 1
"""


def job(tmp_path, model: str, port: int) -> subprocess.CompletedProcess:
    """What a job does: its prologue, and then a worker's work, here in one process."""
    path = stand_in(tmp_path / "bin", "vllm", VLLM.format(folder=tmp_path, python=sys.executable))
    line = label(str(tmp_path / "in"), model=model).steps[0].needs.beside
    work = f"{sys.executable} -m recipes label input={tmp_path}/in model={model} out={tmp_path}/out on=inline"
    env = {"PATH": path, "CUDA_VISIBLE_DEVICES": "3,5", "PAGEWHEEL_PORT": str(port)}
    env |= {"TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    return subprocess.run(["bash", "-c", f"{line}\n{work}"], cwd=ROOT, env=os.environ | env, capture_output=True, text=True)


@pytest.mark.slow
def test_a_job_starts_a_server_on_each_gpu_and_ends_them(tmp_path):
    write_page_dataset(tmp_path / "in", 24, 24)
    done = job(tmp_path, MODEL, 18470)
    assert done.returncode == 0, done.stderr
    assert sum(r.num_samples + len(r.drops) for r in reports(tmp_path / "out")) == 24
    served = sorted((tmp_path / "served").read_text().splitlines())
    assert [line.split()[0] for line in served] == ["3", "5"]
    assert "--logits_processors vllm.model_executor.models.deepseek_ocr:NGramPerReqLogitsProcessor" in served[0]
    assert all(logged(tmp_path / f"log-{port}") for port in (18470, 18471))
    assert not [p for p in psutil.process_iter(["cmdline"]) if f"{tmp_path}/port-18470" in (p.info["cmdline"] or [])]


def test_a_server_that_does_not_come_ends_the_job(tmp_path):
    write_page_dataset(tmp_path / "in", 2, 2)
    done = job(tmp_path, "nothing", 18480)
    assert done.returncode == 1 and "vllm doesn't answer at http://127.0.0.1:18480/v1" in done.stderr
    assert not (tmp_path / "out").exists()
