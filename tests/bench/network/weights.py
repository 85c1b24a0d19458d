"""The whole network's weights, at the released size and random: written, looked at, rearranged and put back, byte for byte.

    python -m tests.bench.network.weights [--out DIR]

Writes three times 6.7 GB. Each step is a process of its own; prints how long it took and the most memory it held.
"""

import argparse
import filecmp
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from datagen.disk.storage import Folder
from model.files import weights
from model.net.config import full
from model.net.deepseek_ocr import DeepseekOcr
from tests.bench.measuring import options


def main() -> None:
    parser = options(__doc__, out="")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        {"make": make, "load": load}[args.work[0]](args.work[1])
        return
    with tempfile.TemporaryDirectory(prefix="pagewheel-weights-") as folder:
        measure(Path(args.out or folder))


def measure(out: Path) -> None:
    released, ours, back = (str(out / name) for name in ("released", "ours", "back"))
    bench = [sys.executable, "-m", "tests.bench.network.weights", "--work"]
    command = [sys.executable, "-m", "model.files.weights"]
    for title, program in (
        ("random weights in bf16, saved", [*bench, "make", released]),
        ("looked at", [*command, "inspect", released]),
        ("converted to our names", [*command, "convert", released, ours]),
        ("converted back", [*command, "convert", ours, back]),
        ("loaded", [*bench, "load", ours]),
    ):
        began = time.monotonic()
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as run:
            printed = run.stdout.read() if run.stdout else ""
            _, status, used = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
        if run.returncode:
            sys.exit(f"{title}: it ended with {run.returncode}")
        print(f"{title}: {time.monotonic() - began:.0f} s, {used.ru_maxrss / 1e6:.2f} GB at most\n{printed.strip()}", flush=True)
    names = sorted(path.name for path in Path(released).iterdir())
    same, other, failed = filecmp.cmpfiles(released, back, names, shallow=False)
    print(f"after the round trip {len(same)} of {len(names)} files are the same bytes; {other + failed} are not")
    for name in names:
        print(f"  {name}: {(Path(released) / name).stat().st_size:,} bytes")


def make(folder: str) -> None:
    with torch.device("meta"):
        net = DeepseekOcr(full())
    net = net.to(torch.bfloat16).to_empty(device="cpu")
    source = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0, 0.02, generator=source)
        ids = net.encoder.clip.embeddings.position_ids
        ids.copy_(torch.arange(ids.shape[1])[None])
    weights.write(Folder(folder), weights.released_tensors(net), {"format": "pt"}, weights.MAX_FILE_BYTES, print)
    Folder(folder).write(weights.CONFIG, full().to_json())


def load(folder: str) -> None:
    net = weights.load(folder)
    print(f"{sum(p.numel() for p in net.parameters()):,} parameters, {len(weights.released_tensors(net)):,} released tensors")


if __name__ == "__main__":
    main()
