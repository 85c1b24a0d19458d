"""The dataset card: README.md with counts for people and the front matter that `datasets.load_dataset(DIR)` reads."""

import html
from collections.abc import Mapping
from typing import Any

from datagen.disk.manifest import Tally
from datagen.disk.shards import Totals
from datagen.target import ANSWERS, IMAGE, PROMPTS

STRING, INT, FLOAT, BOOL = "string", "int64", "float64", "bool"

# Every field of a record (datagen/record.py). Arrow would infer another schema from the first page.
RECORD: dict[str, Any] = {
    "schema": INT,
    "key": STRING,
    "task": STRING,
    "lang": STRING,
    "script": STRING,
    "size": [INT],
    "text": STRING,
    "caption": STRING,
    "regions": [
        {
            "label": STRING,
            "box": [INT],
            "polygon": [[FLOAT]],
            "format": STRING,
            "text": STRING,
            "score": FLOAT,
            "by": STRING,
            "detected_by": STRING,
            "is_unread": BOOL,
            "continues": BOOL,
            "structure": FLOAT,
            "lines": [{"box": [INT], "polygon": [[FLOAT]], "text": STRING, "score": FLOAT, "font": STRING, "direction": STRING}],
        }
    ],
    "masked": [{"box": [INT], "reason": STRING}],
    "quality": {"verdict": STRING, "reasons": [STRING], "signals": [{"name": STRING, "value": FLOAT}]},
    "difficulty": FLOAT,
    "group": STRING,
    "metadata": [{"name": STRING, "value": STRING}],
    "origin": {
        "uri": STRING,
        "sha256": STRING,
        "page": INT,
        "licence": STRING,
        "engines": [{"name": STRING, "version": STRING}],
        "parent": STRING,
        "box": [INT],
    },
    "stage": STRING,
    "round": INT,
}
FEATURES = {"jpg": "image", "png": "image", "webp": "image", "json": RECORD, "__key__": STRING, "__url__": STRING}


def dataset_card(name: str, tally: Tally, totals: Totals, measured: str = "") -> str:
    """The card of the dataset `name` in Markdown. `measured` is further Markdown, with measurements of the dataset."""
    licences = counted(tally, "licence")
    parts = [
        _front_matter(name, totals.digest),
        f"# {name}\n\nMade by pagewheel. Images with annotated text in WebDataset shards; one JSON record beside each image.\n",
        f"{tally.num_samples:,} samples from {tally.num_documents:,} documents in {totals.num_shards:,} shards, "
        f"{totals.num_bytes / 1e6:,.1f} MB; {totals.drops.total():,} dropped, each with its reason in `drops.jsonl`.\n",
        "```python\n"
        'datasets.load_dataset("DIR", split="train")                                # this folder\n'
        'webdataset.WebDataset("DIR/shards/NAME-000000.tar").decode("pil")\n```\n',
        table("language", counted(tally, "lang")),
        table("script", counted(tally, "script")),
        table("verdict on the text", counted(tally, "verdict")),
        _prompts(tally),
        table("licence", {licence or "not stated": n for licence, n in licences.items()}),
        table("dropped because", dict(totals.drops.most_common())),
        measured,
        "The samples keep their documents' licences: `origin.licence` and `origin.uri` in every record say whose they are.\n",
    ]
    return "\n".join(part for part in parts if part)


def counted(tally: Tally, name: str) -> dict[str, int]:
    """Numbers of samples by one of `manifest.Values`, the largest first."""
    return dict(ranked(tally.by(name)))


def ranked(counts: Mapping[Any, int]) -> list[tuple[Any, int]]:
    """The counts and what they count, the largest first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def table(title: str, counts: dict[str, int]) -> str:
    """A table in Markdown; "" without counts."""
    rows = "".join(f"| {plain(name)} | {n:,} |\n" for name, n in counts.items())
    return f"| {title} | samples |\n| --- | ---: |\n{rows}" if rows else ""


def _prompts(tally: Tally) -> str:
    """A table in Markdown of each task's prompts."""
    rows = [
        f"| {f'{kind} {task}'.strip()} | {weight:.0%} | `{prompt.replace(IMAGE, '').strip()}` | {ANSWERS[prompt]} |\n"
        for task in sorted(tally.by("task"))
        for prompt, weight, kind in PROMPTS.get(task, ())
    ]
    if not rows:
        return ""
    head = (
        "A record's `text` is by paragraphs, and Markdown if the page is fine: if its regions are a layout engine's. "
        "`regions[].lines` keep the lines. `datagen/target` asks for each:"
    )
    return f"{head}\n\n| task | share | prompt | answer |\n| --- | ---: | --- | --- |\n" + "".join(rows)


def plain(text: str) -> str:
    """A stranger's text as one table cell without markup."""
    return html.escape(" ".join(text.split())).replace("|", "\\|").replace("[", "\\[")


def _front_matter(name: str, digest: str) -> str:
    # `datasets` caches by the card, not by the files. Without a digest of the content it would serve an older state, or another
    # folder of the same name.
    described = f"  description: content {digest}"
    lines = [f"pretty_name: {name}", "configs:", "- config_name: default", described, "  data_files:"]
    lines += ["  - split: train", "    path: shards/*.tar", "dataset_info:", "  features:", *features_yaml(FEATURES, "  ")]
    return "\n".join(["---", *lines, "---", ""])


def features_yaml(fields: dict, indent: str) -> list[str]:
    """The lines of the card's YAML for `fields`, which have the form of `RECORD`."""
    return [line for name, kind in fields.items() for line in [f"{indent}- name: '{name}'", *_kind(kind, f"{indent}  ")]]


def _kind(kind: object, indent: str) -> list[str]:
    """The lines of a field's type: a type's name, a list, or a struct of named fields."""
    if isinstance(kind, str):
        return [f"{indent}dtype: {kind}"]
    if isinstance(kind, dict):
        return [f"{indent}struct:", *features_yaml(kind, indent)]
    assert isinstance(kind, list)
    (item,) = kind
    if isinstance(item, str):
        return [f"{indent}list: {item}"]
    return [f"{indent}list:", *(features_yaml(item, indent) if isinstance(item, dict) else _kind(item, f"{indent}  "))]
