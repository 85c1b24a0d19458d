"""Are sentences of real pages in the corpus as a person would type them? Tests of the kinds that olmOCR-bench has.

    python -m tests.bench.coarse.sentences [DATASET …]

`sentences.jsonl` has a test a line, for born-digital pages of public documents. It was written by looking at the pages, not at
any program's output. `page` counts from 0. A page's text is its record's, by paragraphs.

    present   the sentence stands in the text, in one paragraph
    absent    the text doesn't hold it: it would run across columns or cells
    order     the sentence `before` ends before the sentence `after` begins

DATASETS are folders of datasets, by default that of `make recipe=multilingual`. Spaces are compared as one space, quotes and
dashes by their plain forms, all else letter for letter. Prints each test that fails, the share that holds, and how many tests
have no page in the datasets. Exits with 1 if one fails, or if there is none to try."""

import json
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.compare_corpora import records
from tests.bench.measuring import options

LIST = Path(__file__).with_name("sentences.jsonl")
_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "‐": "-", "‑": "-", "–": "-", "—": "-", "−": "-"})

Test = Mapping[str, Any]


def read_list(path: Path = LIST) -> list[Test]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def plain(text: str) -> str:
    """The text to compare by: a paragraph stays apart from the next."""
    text = unicodedata.normalize("NFC", text).translate(_PLAIN)
    return re.sub(r" *\n *", "\n", re.sub(r"[^\S\n]+", " ", text)).strip()


def holds(test: Test, text: str) -> bool:
    """Whether a page of that text passes. Raises `ValueError` for a type of test that there isn't."""
    text = plain(text)
    match test["type"]:
        case "present":
            return plain(test["text"]) in text
        case "absent":
            return plain(test["text"]) not in text.replace("\n", " ")
        case "order":
            before, after = text.find(plain(test["before"])), text.find(plain(test["after"]))
            return before >= 0 and before + len(plain(test["before"])) <= after
    raise ValueError(f"there is no test of type {test['type']!r}: allowed are present, absent, order")


def outcomes(tests: Sequence[Test], datasets: Sequence[Path]) -> Iterator[tuple[Test, bool]]:
    """The tests whose pages are in the datasets, and whether each holds."""
    wanted = {(test["pdf"], test["page"]) for test in tests}
    pages = {}
    for record in (record for dataset in datasets for record in records(dataset)):
        place = (record["origin"]["uri"].rsplit("/", 1)[-1], record["origin"]["page"])
        if place in wanted:
            pages[place] = record["text"]
    for test in tests:
        if (place := (test["pdf"], test["page"])) in pages:
            yield test, holds(test, pages[place])


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("datasets", nargs="*", type=Path, default=[Path("out/multilingual/coarse")], metavar="DATASET")
    tests = read_list()
    tried = list(outcomes(tests, parser.parse_args().datasets))
    for test, is_right in tried:
        if not is_right:
            print(f"fails: {json.dumps(test, ensure_ascii=False)}")
    num_right = sum(is_right for _, is_right in tried)
    print(f"{num_right} of {len(tried)} tests of sentences hold; {len(tests) - len(tried)} have no page in the datasets")
    sys.exit(num_right < len(tried) or not tried)


if __name__ == "__main__":
    main()
