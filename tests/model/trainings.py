"""A training of some steps, and a corpus for it."""

import dataclasses
from pathlib import Path

from datagen.storage import Folder
from model.config import line_reader
from model.train.step import Train
from tests.model.lines import EIGHT, line_crop, write_dataset

STEP = Train(
    datasets=("coarse", "round-*"),
    model=line_reader(),
    modes=(("line", 1.0),),
    steps=8,
    rows_per_step=4,
    micro_rows=2,
    length=100,
    warmup=2,
    tokenizer_samples=0,
    held_out_share=0.3,
    loss_samples=6,
    loss_every=4,
    looks_after=4,
    read_samples=3,
    shown_samples=2,
    max_new_tokens=8,
    checkpoint_every=3,
    average=0.9,
    threads=1,
)
FEW = dataclasses.replace(STEP, steps=2, loss_samples=1, read_samples=1, max_new_tokens=1, checkpoint_every=1)


def make_corpus(root: Path) -> Folder:
    out = Folder(str(root))
    pages = [line_crop(f"{EIGHT[n % 8]} {n}", f"p{n}", f"document {n % 12}", "page") for n in range(24)]
    crops = [line_crop(f"{EIGHT[n % 8]} {n}", f"c{n}", f"document {n % 12}") for n in range(24)]
    write_dataset(out, "coarse", [pages])
    write_dataset(out, "round-1", [crops])
    return out
