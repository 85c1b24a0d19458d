"""Compares two datasets record by record: do they hold the same text at the same places, with the same verdicts?

    python -m tests.bench.compare_corpora OLD NEW [--common]

OLD and NEW are folders of datasets, such as out/coarse. Records are read straight from the tars, without code of the project, so
that two versions of it with different schemas can be compared. What only one of the two schemas has isn't looked at, nor are
images. `--common` compares the samples that both have; without it, one that only OLD or only NEW has is a difference.

Prints for each field how many samples differ in it, and the first ones. Exits with 1 if texts, sizes or boxes differ.
"""

import json
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.bench.measuring import options

Record = dict[str, Any]

NUM_SHOWN = 3
MAX_CHARS = 160


def _of_regions(name: str) -> Callable[[Record], list]:
    return lambda record: [region[name] for region in record["regions"]]


def _of_lines(name: str) -> Callable[[Record], list]:
    return lambda record: [[line[name] for line in region["lines"]] for region in record["regions"]]


def _of_quality(name: str) -> Callable[[Record], Any]:
    return lambda record: record["quality"][name]


# A difference in one of the first makes the program exit with 1.
MUST_BE_EQUAL: dict[str, Callable[[Record], Any]] = {
    "text": lambda record: record["text"],
    "size": lambda record: record["size"],
    "region boxes": _of_regions("box"),
    "region texts": _of_regions("text"),
    "line boxes": _of_lines("box"),
    "line texts": _of_lines("text"),
}
SHOULD_BE_EQUAL: dict[str, Callable[[Record], Any]] = {
    "language": lambda record: [record["lang"], record["script"]],
    "region labels": _of_regions("label"),
    "line fonts": _of_lines("font"),
    "line directions": _of_lines("direction"),
    "verdict": _of_quality("verdict"),
    "reasons": _of_quality("reasons"),
    "signals": lambda record: {signal["name"]: signal["value"] for signal in record["quality"]["signals"]},
}


def records(dataset: Path) -> Iterator[Record]:
    """The dataset's records, shard by shard. Raises `ValueError` for a folder without shards."""
    shards = sorted((dataset / "shards").glob("*.tar"))
    if not shards:
        raise ValueError(f"{dataset} has no shards/*.tar: give the folder of a dataset, such as out/coarse")
    for shard in shards:
        with tarfile.open(shard) as tar:
            for member in tar:
                content = tar.extractfile(member) if member.name.endswith(".json") else None
                if content is not None:
                    yield json.load(content)


def compare(old: Path, new: Path, common: bool = False) -> tuple[list[str], bool]:
    """The lines of a report, and whether texts, sizes and boxes are equal."""
    before = {record["key"]: record for record in records(old)}
    fields = MUST_BE_EQUAL | SHOULD_BE_EQUAL
    differing: dict[str, list[str]] = {name: [] for name in fields}
    examples: dict[str, list[str]] = {name: [] for name in fields}
    num_equal = num_both = 0
    only_new = []
    for record in records(new):
        other = before.pop(record["key"], None)
        if other is None:
            only_new.append(record["key"])
            continue
        num_both += 1
        names = [name for name, field in fields.items() if field(other) != field(record)]
        num_equal += not names
        for name in names:
            differing[name].append(record["key"])
            if len(differing[name]) <= NUM_SHOWN:
                examples[name] += [record["key"], *_first_difference(fields[name](other), fields[name](record))]
    report = [f"{num_both} samples are in both, {num_equal} of them are equal"]
    for where, keys in (("old", list(before)), ("new", only_new)):
        if keys:
            report.append(f"{len(keys)} samples are only in the {where} one, such as {keys[0]}")
    for name, keys in differing.items():
        if keys:
            report += [f"{name}: {len(keys)} samples differ", *(f"    {line}" for line in examples[name])]
    same = num_both > 0 and not any(differing[name] for name in MUST_BE_EQUAL)
    return report, same and (common or not (before or only_new))


def _first_difference(old: Any, new: Any, place: str = "") -> tuple[str, str]:
    """Two lines that show where two values begin to differ."""
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        at = next(i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b)
        return _first_difference(old[at], new[at], f"{place}[{at}]")
    if isinstance(old, dict) and isinstance(new, dict):
        names = [name for name in old | new if old.get(name) != new.get(name)]
        old, new = ({name: value.get(name) for name in names} for value in (old, new))
    elif isinstance(old, str) and isinstance(new, str):
        start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        place = f"{place} at character {start}"
        old, new = (text[max(0, start - 20) :] for text in (old, new))
    return f"old{place}: {old!r}"[:MAX_CHARS], f"new{place}: {new!r}"[:MAX_CHARS]


def main() -> None:
    parser = options(__doc__, common=False)
    parser.add_argument("old", type=Path, metavar="OLD")
    parser.add_argument("new", type=Path, metavar="NEW")
    arguments = parser.parse_args()
    try:
        report, same = compare(arguments.old, arguments.new, arguments.common)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print("\n".join(report))
    sys.exit(not same)


if __name__ == "__main__":
    main()
