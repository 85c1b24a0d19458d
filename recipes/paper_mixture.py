"""The paper's data table (DeepSeek-OCR, arXiv 2510.18234, section 3.4), and the cost of making it."""

from collections.abc import Mapping
from dataclasses import dataclass

from recipes.run.sample_costs import DOCUMENT_PAGES, Rate
from recipes.verbs.tables import aligned

SHARD_PAGES = 1024
"""The approximate number of pages in a shard of `recipes/corpus30m.py`."""
SHARD_FIGURES = 1000
"""The number of figures in a shard of `recipes/figures.py`."""
SHARD_PICTURES, SHARD_SCENES = 1000, 250
"""The number of described pictures in a shard, and of pictures whose text is read."""
SHARD_BYTES = 450e6
"""The approximate size of a shard of samples that aren't cut by their number."""


@dataclass(frozen=True)
class Part:
    """A row of the table. `made_by` is what makes it here. A sample's bytes in a shard, and its core-seconds, are sums of rates
    by name; `gpu_s`, its seconds of a GPU, is a guess. A shard has `shard_samples` samples, or 0 if bytes decide. `key` is its
    word in the recipe `mixture`, and `group` its group."""

    key: str
    name: str
    num_samples: int
    made_by: str
    num_bytes: tuple[str, ...]
    core_s: tuple[str, ...]
    shard_samples: int = 0
    gpu_s: float = 0.0
    group: str = "ocr"


# General vision is 20% of the mix and text 10%; the rest, 70%, are the rows above them. Counted in samples, since the paper
# doesn't say.
_OTHERS = (30_000_000 + 4_000_000 + 600_000 + 3_000_000 + 20_000_000) + (10_000_000 + 5_000_000 + 1_000_000)
_LOOKS, _TEXTS = round(_OTHERS / 0.7 * 0.2), round(_OTHERS / 0.7 * 0.1)
_PAGES, _FIGURES = f"PDF pages, coarse ({DOCUMENT_PAGES} a document)", "recipes/figures.py"
_PAGE_BYTES, _COARSE = ("coarse.page_bytes",), ("coarse.read_core_s", "coarse.ink_core_s")


def _costs(sample: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The rates of a sample with rates of its own."""
    return (f"{sample}_bytes",), (f"{sample}_core_s",)


PAPER = (
    Part("pages", _PAGES, 30_000_000, "recipes/corpus30m.py", _PAGE_BYTES, _COARSE, SHARD_PAGES),
    Part("fine", "PDF pages, fine (2M zh, 2M en)", 4_000_000, "recipes/fine.py", _PAGE_BYTES, ("fine.page_core_s",)),
    Part("minority", "minority languages", 600_000, "flywheel/", _PAGE_BYTES, ("minority.page_core_s",)),
    Part("word", "Word documents", 3_000_000, "recipes/word.py", *_costs("word.sample")),
    Part("scene", "scene text (10M zh, 10M en)", 20_000_000, "recipes/scene.py", *_costs("scene.picture"), SHARD_SCENES, 0.05),
    Part("charts", "charts", 10_000_000, _FIGURES, *_costs("figures.chart"), SHARD_FIGURES),
    Part("molecules", "chemical formulas", 5_000_000, _FIGURES, *_costs("figures.molecule"), SHARD_FIGURES),
    Part("geometry", "plane geometry", 1_000_000, _FIGURES, *_costs("figures.geometry"), SHARD_FIGURES),
    Part(
        "vision", "general vision (20%)", _LOOKS, "recipes/vision.py", *_costs("vision.picture"), SHARD_PICTURES, group="vision"
    ),
    Part("texts", "text only (10%)", _TEXTS, "recipes/texts.py", *_costs("texts.sample"), group="text"),
)


def table(parts: tuple[Part, ...], rates: Mapping[str, Rate]) -> str:
    """The costs of each part and of all, for people; a guess has a question mark."""
    header = ("part", "samples", "shards", "TB", "core-hours", "GPU-hours", "made by")
    rows, sums = [], [0.0] * 5
    for part in parts:
        num_bytes, sure_bytes = _cost(part.num_bytes, rates)
        core_s, sure_core = _cost(part.core_s, rates)
        n = part.num_samples
        shards = n / part.shard_samples if part.shard_samples else n * num_bytes / SHARD_BYTES
        values = (n, max(1, round(shards)), n * num_bytes / 1e12, n * core_s / 3600, n * part.gpu_s / 3600)
        sums = [a + b for a, b in zip(sums, values, strict=True)]
        sure_shards = sure_bytes or bool(part.shard_samples)
        rows.append((part.name, *_row(values, sure_shards, sure_bytes, sure_core), part.made_by))
    rows.append(("together", *_row(tuple(sums), False, False, False), ""))
    measured = sorted({rate.by for rate in rates.values() if rate.by})
    notes = [f"measured: {by}" for by in measured] or ["nothing is measured on this machine yet: make bench does it"]
    notes.append("? rests on a guess, which recipes/paper_mixture.py or recipes/run/sample_costs.py holds")
    return "\n".join([*aligned([header, *rows], range(1, len(header) - 1)), "", *notes])


def _cost(names: tuple[str, ...], rates: Mapping[str, Rate]) -> tuple[float, bool]:
    """The sum of these rates, and whether all were measured."""
    return sum(rates[name].value for name in names), all(rates[name].by for name in names)


def _row(values: tuple[float, ...], sure_shards: bool, sure_bytes: bool, sure_core: bool) -> tuple[str, ...]:
    samples, shards, terabytes, core_h, gpu_h = values
    of_shards, of_bytes, of_core = ("" if sure else "?" for sure in (sure_shards, sure_bytes, sure_core))
    return (
        f"{samples:,.0f}",
        f"{shards:,.0f}{of_shards}",
        f"{terabytes:,.2f}{of_bytes}",
        f"{core_h:,.0f}{of_core}",
        f"{gpu_h:,.0f}?" if gpu_h else "0",
    )
