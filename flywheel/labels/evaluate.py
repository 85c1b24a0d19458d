"""The test lines of readers, on which no reader was trained, and readings of them."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from datagen.disk.shards import read_records
from datagen.disk.storage import Folder
from datagen.engines import Reader
from datagen.writing.line_text import normalise
from flywheel.lines import typeset_lines
from flywheel.lines.crops import Crop, Row, read_crops, rows_of_pages
from flywheel.pools.pools import Pools
from flywheel.pools.texts import TextFile

MARGIN = 0.1
"""The margin of a held-out line, in heights of the line."""


TYPESET_LINES = 100
"""The number of typeset test lines of a language that has test lines of documents, too."""


@dataclass(frozen=True)
class HeldOut:
    """Crops of held-out lines by language. `learned` are the texts on training pages. Languages with text to typeset have
    `typeset` lines: no reader learns these lines, and no reader sees their typefaces. Languages without a test line of a document
    are `alone`: typeset lines are their only test. Languages with lines that people typed are `on_gold`."""

    test: Mapping[str, Sequence[Crop]]
    learned: frozenset[str]
    typeset: Mapping[str, Sequence[Crop]] = field(default_factory=dict)
    alone: frozenset[str] = frozenset()
    on_gold: frozenset[str] = frozenset()

    @classmethod
    def read(
        cls,
        crops: Folder,
        served: Sequence[Pools],
        most: int,
        taught: frozenset[str] = frozenset(),
        texts: Mapping[str, TextFile] = MappingProxyType({}),
        seed: int = 0,
        gold: Sequence[Crop] = (),
    ) -> "HeldOut":
        """At most `most` crops of each language, drawn by a hash, and all of `gold`. The texts `taught`, and the training texts
        in `texts`, count as learned, beside those of the crops. A text on a training page is left out, and so is one on a page to
        be read, since the next round trains on it. Each text is taken once. Texts come from the records; images are read only for
        drawn crops."""
        learned = set(taught)
        waiting: set[str] = set()
        test: dict[str, dict[str, Row]] = defaultdict(dict)
        pool_of = {place: name for p in served for name in ("train", "held_out", "unlabelled") for place in getattr(p, name)}
        places = {place: p.lang for p in served for place in p.train + p.held_out + p.unlabelled}
        rows = list(rows_of_pages(crops, places))
        for row, record in zip(rows, read_records(crops, rows), strict=True):
            text, pool = normalise(record.text), pool_of[row["sha256"], row["page"]]
            if pool != "held_out":
                (learned if pool == "train" else waiting).add(text)
            elif text:
                by_text = test[row["lang"]]
                by_text[text] = min(row, by_text.get(text, row), key=_drawn_by)
        to_typeset = {lang: file.read() for lang, file in texts.items()}
        learned.update(line for text in to_typeset.values() for line in text.train)
        drawn = _by_language(crops, _drawn(test, learned | waiting, most))
        served_langs = {p.lang for p in served}
        of_gold = [crop for crop in gold if crop.lang in served_langs and crop.text not in learned]
        for crop in of_gold:
            drawn.setdefault(crop.lang, []).append(crop)
        set_lines = {
            lang: typeset_lines.to_test(text, min(most, TYPESET_LINES) if lang in drawn else most, seed)
            for lang, text in to_typeset.items()
        }
        set_lines = {lang: of_lang for lang, of_lang in set_lines.items() if of_lang}
        alone = frozenset(set_lines.keys() - drawn.keys())
        on_both = drawn | {lang: set_lines[lang] for lang in alone}
        return cls(dict(sorted(on_both.items())), frozenset(learned), set_lines, alone, frozenset(crop.lang for crop in of_gold))


def readings(reader: Reader, crops: Sequence[Crop]) -> list[str]:
    """A reader's readings of crops in the text layer's frames."""
    return [text for text, _ in reader.read([c.line(MARGIN) for c in crops])]


def _drawn(by_text: Mapping[str, Mapping[str, Row]], learned: set[str], most: int) -> list[Row]:
    """At most `most` rows of each language whose text is not `learned`, in the order of the dataset."""
    drawn: list[Row] = []
    for rows in by_text.values():
        new = [row for text, row in rows.items() if text not in learned]
        drawn += sorted(new, key=_drawn_by)[:most]
    return sorted(drawn, key=lambda row: (row["shard"], row["offset"]))


def _drawn_by(row: Row) -> bytes:
    """A line's key for drawing, the same wherever its document lies."""
    line = row["key"].removeprefix(row["parent"])
    return hashlib.sha256(f"{row['sha256']}/{row['page']}/{line}".encode()).digest()


def _by_language(dataset: Folder, rows: Sequence[Row]) -> dict[str, list[Crop]]:
    """The crops of these rows by language, both in order."""
    crops: dict[str, list[Crop]] = defaultdict(list)
    for crop in read_crops(dataset, rows):
        crops[crop.lang].append(crop)
    return dict(sorted(crops.items()))
