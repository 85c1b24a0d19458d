"""Pages from markup whose truth is known, for benchmarks of what annotates pages: real documents in ten scripts and more."""

import json
from pathlib import Path
from random import Random

from datagen.drawing.worn_pages import Wear
from datagen.inputs.items import Item
from datagen.inputs.local import sha256_of
from datagen.layouts import labeller
from datagen.markup.source import MarkupSource
from datagen.record import Sample
from datagen.samples.markup_documents import MarkupSamples

LANGUAGES = "en de fr es vi ru uk el ar fa he ja ko zh-Hans km ta lo ml".split()


def documents(seed: int, of_each: int = 2) -> list[Item]:
    """So many documents of each language, drawn by the seed. The labeller has learned from none of them: its card says so."""
    unseen = set(json.loads(labeller.WEIGHTS.with_name("card.json").read_text(encoding="utf-8"))["unseen"])
    items = sorted(MarkupSamples().items(), key=lambda item: item.uri)
    Random(seed).shuffle(items)
    items = [item for item in items if sha256_of(item.uri)[:16] in unseen]
    return [item for lang in LANGUAGES for item in [item for item in items if item.lang == lang][:of_each]]


def pages(seed: int, pdfs: Path | str = "", of_each: int = 2, max_pages: int = 1) -> list[Sample]:
    """The first pages of `documents`, unworn; each of them also as `pdfs/KEY.pdf`, if that is named. All at once: whatever else
    reads with this process's engines closes the browser behind them."""
    source = MarkupSource(seed=seed, wear=Wear(0, 0), error_share=0.0, max_pages=max_pages, pdfs=str(pdfs))
    made = (found for item in documents(seed, of_each) for found in source.read(item))
    return [sample for sample in made if isinstance(sample, Sample) and sample.task == "page"]
