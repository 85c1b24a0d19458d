"""The card of a publication: YAML that the hub, its viewer and `datasets` read, and tables for people.

The YAML's fields are those of https://huggingface.co/docs/hub/datasets-cards. The same samples give the same card.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from datagen.disk.card import FEATURES, features_yaml, plain, ranked, table
from datagen.disk.storage import Folder
from datagen.publishing import licences
from datagen.publishing.columns import FIELDS, NO_ANSWER, NOT_ASKED, OF_PAIRS, RIGHT, UNREAD
from datagen.publishing.files import PAIRS, PARQUET, SHARDS, Survey, Table, Written
from datagen.publishing.selection import LeftOut

_SIZES = (
    *((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M")),
    *((10**7, "1M<n<10M"), (10**8, "10M<n<100M"), (10**9, "100M<n<1B")),
)
_MOST_ROWS = 50
_NO_LANGUAGE = frozenset({"und", "mul", "mis", "zxx", ""})
_WHY = {
    "licence": "its licence doesn't let anybody pass it on, changed, for any purpose",
    "mark": "it is marked",
    "verdict": "its verdict wasn't asked for",
    "forgotten": "its source was taken out",
    "too_large": "it is larger than the viewer shows",
    NO_ANSWER: "there is no answer about it",
    RIGHT: "the answer is right enough",
    UNREAD: "a region of it is unread",
    NOT_ASKED: "its truth hasn't the answer's form, or isn't read",
}


_UNTESTED = {
    "task": "it isn't a task to read",
    "verdict": "its text isn't trusted",
    "unread": "a region of it is unread",
    "no_image": "it has no image",
    "damaged_image": "its image can't be read",
    "image_too_large": "its image is too large",
    "nothing_to_ask": "no more can be asked than that there is text",
}
_TESTS = (
    "`bench_data` has tests in the form of olmOCR-bench, and the samples as PDFs of a page. A right answer to "
    "`pdfs/TABLE/KEY.pdf` has all of its tests; it is named `CANDIDATE/TABLE/KEY_pg1_repeat1.md`. "
    "`python -m olmocr.bench.benchmark --dir bench_data` scores what lies there, as does pagewheel's "
    "`make score pred=CANDIDATE gt=olmocr:FOLDER`."
)


def card(surveys: Sequence[Survey], written: Mapping[str, Written]) -> str:
    """The card of these datasets in these files."""
    tables = [t for s in surveys for t in s.tables.values()]
    total = sum(t.tally.num_samples for t in tables)
    name = ", ".join(s.dataset for s in surveys)
    left_out = sum((s.left_out for s in surveys), Counter())
    form = surveys[0].form
    parts = [
        _front_matter(name, surveys, written),
        f"# {name}\n\n{_WHAT[form]}, made by pagewheel.\n",
        f"{total:,} samples, {sum(t.tally.num_chars for t in tables):,} characters, "
        f"{sum(t.file_bytes for t in tables) / 1e6:,.1f} MB.\n",
        f'```python\ndatasets.load_dataset("FOLDER", "{tables[0].name}", split="train")[0]\n```\n',
        _rows(("table", "task", "samples", "documents", "MB"), (_about(t) for t in tables)),
        *(table(title, _together(tables, by)) for title, by in (("language", "lang"), ("script", "script"))),
        table("verdict on the text", _together(tables, "verdict")),
        ""
        if form == PAIRS
        else "Train on those that are `trusted`; `reasons` says what is wrong with those that are `suspect`.\n",
        _tests(tables),
        _licences(tables),
        _left_out(left_out),
        _how(surveys),
        f"## Fields\n\n{_FIELDS[form]}\n",
    ]
    return "\n".join(part for part in parts if part)


_ROW = (
    "`image` is the page or picture, empty where there is text alone. `text` is what is written, in reading order: Markdown"
    " of pages with labelled regions, else plain. `regions` have a `label`, a `box` (x0, y0, x1, y1 in pixels, the last two"
    " exclusive), the `format` of their `text`, `by` whom it was read, and `lines`. `verdict`, `reasons` and `signals` say "
    "what is believed of the text, and why. `uri`, `sha256`, `page` and `licence` say where it comes from; `engines` who "
    "read it. `group`: samples of one are on one side of any split. -1 stands for what nobody measured, `und` for a "
    "language that can't be told."
)
_RECORD = "Beside each image lies its record, `json`: text, regions, verdict, origin. -1 stands for what nobody measured."
_PAIR = (
    "Each row is a preference in the form of TRL: `DPOTrainer(train_dataset=…)` takes it as it is. `images` has the page or "
    "picture, `prompt` what a model is asked, `chosen` the truth, `rejected` a model's answer that is wrong. `reward` says how "
    "right that is, from 0 to 1. `uri`, `page` and `licence` say where the page comes from."
)
_FIELDS = {PARQUET: _ROW, SHARDS: _RECORD, PAIRS: _PAIR}
_WHAT = {
    PARQUET: "Document images with annotated text in Parquet files",
    SHARDS: "Document images with annotated text in WebDataset shards",
    PAIRS: "Preference pairs about document images in Parquet files",
}
_FEATURES: Mapping[str, Mapping[str, Any]] = {PARQUET: FIELDS, SHARDS: FEATURES, PAIRS: OF_PAIRS}


def _front_matter(name: str, surveys: Sequence[Survey], written: Mapping[str, Written]) -> str:
    tables = [t for s in surveys for t in s.tables.values()]
    tasks = {task for t in tables for task in t.tally.by("task")}
    langs = {lang.partition("-")[0].lower() for t in tables for lang in t.tally.by("lang")} - _NO_LANGUAGE
    stated = {licence for t in tables for licence in t.tally.by("licence")}
    of_hub = sorted({hub for licence in stated for hub in licences.on_the_hub(licence)})
    categories = ["image-to-text", "image-text-to-text", "object-detection"] if tasks - {"text"} else []
    categories += ["text-generation"] if "text" in tasks else []
    total = sum(t.tally.num_samples for t in tables)
    size = next((name for most, name in _SIZES if total < most), "1B<n<10B")
    lines = [f"pretty_name: {json.dumps(name, ensure_ascii=False)}"]
    lines += _list("license", of_hub)
    if of_hub == ["other"]:  # then the hub wants a name
        lines += ["license_name: see-licences-by-source", "license_link: README.md"]
    lines += _list("language", sorted(langs)) + _list("task_categories", categories) + _list("size_categories", [size])
    tags = ["ocr", "documents", "pagewheel", *(["preference", "trl"] if surveys[0].form == PAIRS else []), *sorted(tasks)]
    lines += [*_list("tags", tags), "configs:"]
    for index, each in enumerate(tables):
        files = {n: w for n, w in written.items() if n.startswith(f"{each.name}/")}
        # `datasets` caches by the card: without a digest of the content it would serve an older state.
        digest = hashlib.sha256("".join(f"{n} {w.made_from}\n" for n, w in sorted(files.items())).encode()).hexdigest()
        lines += [f"- config_name: {json.dumps(each.name)}", f"  description: content {digest}"]
        lines += ["  default: true"] * (index == 0) + ["  data_files:", "  - split: train"]
        lines += [f"    path: {json.dumps(f'{each.name}/*' + ('.tar' if surveys[0].form == SHARDS else '.parquet'))}"]
    features = features_yaml(dict(_FEATURES[surveys[0].form]), "  ")
    lines += ["dataset_info:"]
    for each in tables:
        lines += [f"- config_name: {json.dumps(each.name)}", "  features:", *features, "  splits:", "  - name: train"]
        lines += [f"    num_bytes: {each.num_bytes}", f"    num_examples: {each.tally.num_samples}"]
        lines += [f"  download_size: {each.file_bytes}", f"  dataset_size: {each.num_bytes}"]
    return "\n".join(["---", *lines, "---", ""])


def _list(name: str, values: Sequence[str]) -> list[str]:
    return [f"{name}:", *(f"- {json.dumps(value, ensure_ascii=False)}" for value in values)] if values else []


def _about(each: Table) -> tuple[str, ...]:
    tally = each.tally
    tasks = ", ".join(sorted(tally.by("task")))
    return each.name, tasks, f"{tally.num_samples:,}", f"{tally.num_documents:,}", f"{each.file_bytes / 1e6:,.1f}"


def _together(tables: Sequence[Table], by: str) -> dict[str, int]:
    return dict(ranked(sum((each.tally.by(by) for each in tables), Counter())))


def _licences(tables: Sequence[Table]) -> str:
    counts = sum((t.sources for t in tables), Counter())
    by_source = ranked(counts)
    rows = [(licence or "not stated", source, f"{n:,}") for (licence, source), n in by_source[:_MOST_ROWS]]
    if rest := by_source[_MOST_ROWS:]:
        rows.append(("these and others", f"{len(rest):,} more sources", f"{sum(n for _, n in rest):,}"))
    head = "## Licences by source\n\nEach sample keeps its source's licence, which `licence` states; keep to all of them.\n\n"
    return head + _rows(("licence", "source", "samples"), rows)


def _tests(tables: Sequence[Table]) -> str:
    tested = [(each.name, each.tests) for each in tables if each.tests]
    if not tested:
        return ""
    rows = [(name, kind, f"{n:,}") for name, tests in tested for kind, n in sorted(tests.types.items())]
    without = [(name, f"{n:,}", _UNTESTED[why]) for name, tests in tested for why, n in sorted(tests.without.items())]
    made = f"{_TESTS}\n\n" + _rows(("table", "type", "tests"), rows) if rows else "None could be made.\n"
    return f"## Tests\n\n{made}" + (
        f"\nSamples without tests:\n\n{_rows(('table', 'samples', 'because'), without)}" if without else ""
    )


def _left_out(counts: Counter[LeftOut]) -> str:
    if not counts:
        return "## Left out\n\nNothing.\n"
    by_reason = ranked(counts)
    rows = [(f"{n:,}", which(why), _WHY[why.reason]) for why, n in by_reason[:_MOST_ROWS]]
    if rest := by_reason[_MOST_ROWS:]:
        rows.append((f"{sum(n for _, n in rest):,}", f"{len(rest):,} others", "of the same reasons; published.json lists them"))
    return f"## Left out\n\n{counts.total():,} samples.\n\n" + _rows(("samples", "", "because"), rows)


def which(why: LeftOut) -> str:
    """The reason for leaving a sample out, for people: a licence, a mark, a verdict."""
    return why.which or ("not stated" if why.reason == "licence" else why.reason)


def _how(surveys: Sequence[Survey]) -> str:
    rows = []
    for each in surveys:
        recipe, steps, engines = made_by(each.folder)
        rows.append((each.dataset, recipe, ", ".join(steps), ", ".join(f"{n} {v}" for n, v in sorted(engines.items()))))
    return "## How it was made\n\n" + _rows(("dataset", "recipe", "source and stages, with versions", "engines"), rows)


def made_by(folder: Folder) -> tuple[str, list[str], dict[str, str]]:
    """A dataset's recipe and pagewheel's version, its source and stages, and their engines with versions. Facts that run.json
    lacks are empty."""
    try:
        run = json.loads(folder.read("run.json"))
        last = (run["runs"] or [{}])[-1]
        description = run["description"]
        steps = [f"{step['type']} {step['version']}" for step in (description["source"], *description.get("stages", []))]
        recipe = f"{last.get('recipe', '')}, pagewheel {last.get('versions', {}).get('pagewheel', '')}".strip(", ")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "", [], {}
    return recipe, steps, {name: version[:20] for name, version in _engines(description).items()}


def _engines(description: Any) -> dict[str, str]:
    """The values of all fields `engines`, at any depth."""
    versions: dict[str, str] = {}
    if isinstance(description, list):
        description = dict(enumerate(description))
    for name, value in description.items() if isinstance(description, dict) else ():
        if name == "engines" and isinstance(value, dict):
            versions |= {str(engine): str(version) for engine, version in value.items()}
        else:
            versions |= _engines(value)
    return versions


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([plain(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
