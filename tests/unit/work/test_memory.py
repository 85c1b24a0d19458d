"""A run's own process holds no list of its documents, however many there are."""

import json
import logging
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from datagen.disk import storage
from datagen.disk.storage import Folder
from datagen.inputs.census import Listing
from datagen.inputs.items import Item
from datagen.inputs.language_weights import Share, Weights
from datagen.record import Drop, SampleError
from datagen.work import assignment, dataset
from datagen.work.pipeline import Pipeline, Source
from datagen.work.runner import InProcess

FEW, MANY = 500, 4_000
MOST_BYTES = 100  # a document, most of which is its shard's; a list of documents takes over 200 each


@dataclass(frozen=True)
class Unreadable(Source):
    """Drops all, so that drops weigh, too."""

    def read(self, item: Item) -> Iterator[Drop]:
        raise SampleError("not_found", "404")


def peak(folder: Path, num: int, **choice) -> int:
    """The most bytes that Python held while a run planned and made `num` documents, and planned again."""
    folder.mkdir()
    rows = (json.dumps({"uri": f"s3://nowhere/{at * 7919 % num:08d}.pdf", "pages": 10, "lang": "en"}) for at in range(num))
    (folder / "list.jsonl").write_text("\n".join(rows))
    pipeline, out = Pipeline("pages", Listing(f"{folder}/list.jsonl"), Unreadable(), (), **choice), Folder(f"{folder}/out")
    logging.disable()  # pytest keeps what is logged
    tracemalloc.start()
    try:
        for is_made in (False, True):
            todo = dataset.plan(pipeline, out, pipeline.census.items(), InProcess(), commit=True)
            assert todo.num_shards == (0 if is_made else num // 100)
            dataset.build(pipeline, out, todo, InProcess(), {})
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize("choice", [{}, {"limit": MANY, "weights": Weights((Share(10 * MANY),))}], ids=["all", "chosen"])
def test_eight_times_as_many_documents_take_no_more_memory(tmp_path, monkeypatch, choice):
    monkeypatch.setattr(assignment, "_ROWS", 500)  # what is held at a time, however many there are
    monkeypatch.setattr(storage, "_AT_A_TIME", 1)
    peak(tmp_path / "first", FEW, **choice)  # what is loaded on the way
    few, many = peak(tmp_path / "few", FEW, **choice), peak(tmp_path / "many", MANY, **choice)
    assert many - few < MOST_BYTES * (MANY - FEW)
