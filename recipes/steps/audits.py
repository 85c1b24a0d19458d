"""The results of audits of a dataset's labels. They are beside the dataset; `make status` and its report show them."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from datagen.disk.storage import Folder
from datagen.patching.form import Patch
from datagen.score.audit import ALL, Counts
from datagen.work.dataset import AUDITS

if TYPE_CHECKING:
    from recipes.report import Section

Result = dict[str, Any]
_NOTE = (
    "People typed what stands in boxes drawn at random, without seeing a label. Wrong is the share of labels that are drawn as "
    "another text, formula or table, with its 95% interval. Skipped boxes, which nobody can read, are left out."
)


def read(folder: Folder) -> dict[str, Result]:
    """The results of the audits of the dataset in `folder`, by the digest of the patch."""
    results: dict[str, Result] = json.loads(folder.read(AUDITS)) if folder.exists(AUDITS) else {}
    return results


def add(folder: Folder, patch: Patch, counts: Mapping[str, Counts]) -> Result:
    """Write down an audit's result, and return it. An existing result stays, whatever was forgotten since."""
    earlier = read(folder)
    kinds = sorted(counts, key=lambda kind: (kind != ALL, -counts[kind].judged, kind))
    result = {"by": patch.by, "kinds": {kind: _row(counts[kind]) for kind in kinds}}
    results = {patch.digest: result} | earlier
    if patch.digest not in earlier:
        folder.write(AUDITS, json.dumps(results, ensure_ascii=False, indent=1).encode())
    return results[patch.digest]


def lines(result: Result) -> list[str]:
    """An audit's result for people, a line for each kind of label."""
    return [f"{kind}: {_in_words(row)}" for kind, row in result["kinds"].items()]


def sections(name: str, folder: Folder) -> "list[Section]":
    """The report's section on the audits of the dataset; none without audits."""
    if not (results := read(folder)):
        return []
    from recipes.report import Cell, Section, blocks, joined

    parts = [blocks.note(_NOTE)]
    for digest, of in results.items():
        rows = [(kind, Cell(_in_words(row), "num")) for kind, row in of["kinds"].items()]
        parts += [blocks.heading(f"by {of['by']}", digest), blocks.table((), rows)]
    return [Section(f"{name}-label-audits", f"{name}: audits", joined(*parts))]


def _row(counts: Counts) -> Result:
    from datagen.risk.bounds import share  # scipy, which a plan needn't wait for

    of = share(counts.wrong, counts.judged)
    rates = {"rate": of["precision"], "rate_low": of["precision_low"], "rate_high": of["precision_high"]}
    return {"num_judged": counts.judged, "num_wrong": counts.wrong, "num_skipped": counts.skipped} | rates


def _in_words(row: Result) -> str:
    skipped = f", {row['num_skipped']:,} skipped" if row["num_skipped"] else ""
    if row["rate"] is None:
        return f"nothing judged{skipped}"
    return (
        f"{row['num_wrong']:,} of {row['num_judged']:,} wrong, {row['rate']:.1%} "
        f"({row['rate_low']:.1%} to {row['rate_high']:.1%}){skipped}"
    )
