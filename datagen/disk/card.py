"""The dataset card: README.md with the front matter that `datasets.load_dataset(DIR)` reads, and the counts for people."""

import hashlib
import html
from collections import Counter

from datagen.disk.manifest import Tally
from datagen.disk.shards import ShardReport
from datagen.target import ANSWERS, IMAGE, PROMPTS

_STRING, _INT, _FLOAT, _BOOL = "string", "int64", "float64", "bool"

# Every field of a record (datagen/record.py), so that Arrow need not infer a schema from whatever page comes first.
RECORD = {
    "schema": _INT,
    "key": _STRING,
    "task": _STRING,
    "lang": _STRING,
    "script": _STRING,
    "size": [_INT],
    "text": _STRING,
    "caption": _STRING,
    "regions": [
        {
            "label": _STRING,
            "box": [_INT],
            "polygon": [[_FLOAT]],
            "format": _STRING,
            "text": _STRING,
            "score": _FLOAT,
            "by": _STRING,
            "detected_by": _STRING,
            "is_unread": _BOOL,
            "continues": _BOOL,
            "lines": [
                {
                    "box": [_INT],
                    "polygon": [[_FLOAT]],
                    "text": _STRING,
                    "score": _FLOAT,
                    "font": _STRING,
                    "direction": _STRING,
                }
            ],
        }
    ],
    "quality": {"verdict": _STRING, "reasons": [_STRING], "signals": [{"name": _STRING, "value": _FLOAT}]},
    "difficulty": _FLOAT,
    "group": _STRING,
    "metadata": [{"name": _STRING, "value": _STRING}],
    "origin": {
        "uri": _STRING,
        "sha256": _STRING,
        "page": _INT,
        "licence": _STRING,
        "engines": [{"name": _STRING, "version": _STRING}],
        "parent": _STRING,
        "box": [_INT],
    },
    "stage": _STRING,
    "round": _INT,
}
FEATURES = {"jpg": "image", "png": "image", "webp": "image", "json": RECORD, "__key__": _STRING, "__url__": _STRING}


def dataset_card(name: str, tally: Tally, reports: list[ShardReport], measured: str = "") -> str:
    """The card of the dataset `name`, from what its manifest adds up to and its shards' reports, with what was `measured` of it,
    in Markdown."""
    drops = Counter(d.reason for r in reports for d in r.drops)
    licences = _count(tally, "licence")
    parts = [
        _front_matter(name, reports),
        f"# {name}\n\nMade by pagewheel. Images with annotated text in WebDataset shards; one JSON record beside each image.\n",
        f"{tally.num_samples:,} samples from {tally.num_documents:,} documents in {len(reports):,} shards, "
        f"{sum(r.num_bytes for r in reports) / 1e6:,.1f} MB; {drops.total():,} dropped, each with its reason in `drops.jsonl`.\n",
        "```python\n"
        'datasets.load_dataset("DIR", split="train")                                # this folder\n'
        'webdataset.WebDataset("DIR/shards/NAME-000000.tar").decode("pil")\n```\n',
        _table("language", _count(tally, "lang")),
        _table("script", _count(tally, "script")),
        _table("verdict on the text", _count(tally, "verdict")),
        _prompts(tally),
        _table("licence", {licence or "not stated": n for licence, n in licences.items()}),
        _table("dropped because", dict(drops.most_common())),
        measured,
        "The samples keep their documents' licences: `origin.licence` and `origin.uri` in every record say whose they are.\n",
    ]
    return "\n".join(part for part in parts if part)


def _count(tally: Tally, name: str) -> dict[str, int]:
    return dict(sorted(tally.by(name).items(), key=lambda item: (-item[1], item[0])))


def _table(title: str, counts: dict[str, int]) -> str:
    rows = "".join(f"| {_plain(name)} | {n:,} |\n" for name, n in counts.items())
    return f"| {title} | samples |\n| --- | ---: |\n{rows}" if rows else ""


def _prompts(tally: Tally) -> str:
    """How the model is asked for the samples of each task."""
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


def _plain(text: str) -> str:
    """`text`, which may be a stranger's, as one table cell without markup."""
    return html.escape(" ".join(text.split())).replace("|", "\\|").replace("[", "\\[")


def content_digest(reports: list[ShardReport]) -> str:
    """Of the shards and of how many drops there are: the same digest, the same card and drops.jsonl."""
    return hashlib.sha256("".join(f"{r.sha256} {len(r.drops)}\n" for r in reports).encode()).hexdigest()


def _front_matter(name: str, reports: list[ShardReport]) -> str:
    # `datasets` caches by the card, not by the files: without a digest of the content it would serve an older state, or another
    # folder of the same name.
    described = f"  description: content {content_digest(reports)}"
    lines = [f"pretty_name: {name}", "configs:", "- config_name: default", described, "  data_files:"]
    lines += ["  - split: train", "    path: shards/*.tar", "dataset_info:", "  features:", *_struct(FEATURES, "  ")]
    return "\n".join(["---", *lines, "---", ""])


def _struct(fields: dict, indent: str) -> list[str]:
    return [line for name, kind in fields.items() for line in [f"{indent}- name: '{name}'", *_kind(kind, f"{indent}  ")]]


def _kind(kind: object, indent: str) -> list[str]:
    """A feature in the card's YAML: a type's name, a list of something, or a struct of named fields."""
    if isinstance(kind, str):
        return [f"{indent}dtype: {kind}"]
    if isinstance(kind, dict):
        return [f"{indent}struct:", *_struct(kind, indent)]
    assert isinstance(kind, list)
    (item,) = kind
    if isinstance(item, str):
        return [f"{indent}list: {item}"]
    if isinstance(item, dict):
        return [f"{indent}list:", *_struct(item, indent)]
    return [f"{indent}list:", *_kind(item, f"{indent}  ")]
