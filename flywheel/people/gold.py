"""Corrections that people made: files that sheets saved are taken in, and their lines become the dataset `gold`.

    gold=FILE ──> answers.jsonl ──> gold.json ──> gold/      a dataset of crops, made anew when there are other answers

A line of gold says who wrote it (`by: person/NAME`), and how many edits the reading needed. It trains the readers of the next
round. It tests none and calibrates no gate, since its page may only be one that trains, one that waits, or one that is in no
pool. A line of a held-out page, and any line of a held-out document, is a drop, `held_out`: it trains nobody, and no other line
of that page does. No reader learns from gold in a document that it is to read (`lineage.py`). What a round accepted in the
place of a line of gold, and read otherwise, is marked `corrected`, and trains no reader any more.
"""

import functools
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy
from rapidfuzz.distance import Levenshtein

from datagen.disk import manifest, marks
from datagen.disk.marks import Mark
from datagen.disk.shards import read_records, read_reports
from datagen.disk.storage import Folder
from datagen.inputs.items import Inputs, Item
from datagen.page.images import pixels
from datagen.record import Box, Drop, Line, Origin, Quality, Range, Region, Sample
from datagen.work import dataset
from datagen.work.pipeline import Estimate, Pipeline
from datagen.work.samples_of import ShardsOf, ShardSource
from datagen.writing.direction import is_rtl
from datagen.writing.line_text import normalise
from flywheel.labels.line_readings import encoded, view
from flywheel.people import review
from flywheel.pools import questions
from flywheel.pools.pools import Pools
from flywheel.pools.pools_file import FrozenPools
from flywheel.pools.questions import AUDIT, GOLD_LINES, REVIEW, VERDICTS, Answer, Asked
from flywheel.step import GOLD, Flywheel, pages_name

STAGE = "GoldCrops"
TIMES = 4
"""How often a line of gold comes for each time that an accepted one comes."""
_IN_PLACE = 0.8  # of the smaller box
_FIELDS = ("id", "image", "reading", "text", "verdict", "by")


@dataclass(frozen=True)
class Taken:
    """What a file brought: how many answers of each verdict are `new`, how many `changed` an earlier one, and how many were
    `known` already; how many rows repeat another; and how many were given about pages that the output no longer has."""

    new: Counter[str]
    changed: int = 0
    known: int = 0
    repeated: int = 0
    gone: int = 0
    audits: tuple[str, ...] = ()

    def __str__(self) -> str:
        verdicts = ", ".join(f"{number} {verdict}" for verdict, number in sorted(self.new.items()))
        counts = {
            "changed": self.changed,
            "known already": self.known,
            "repeated": self.repeated,
            "of pages that are gone": self.gone,
        }
        others = [f"{number} {what}" for what, number in counts.items() if number]
        return "; ".join([f"{self.new.total()} new answers" + (f" ({verdicts})" if verdicts else ""), *others])


def take(folder: Folder, pages: Folder, file: str) -> Taken:
    """Add the answers in `file`, which a sheet in the step's `folder` saved, to those that are there. A later answer replaces
    an earlier one, but not within a file. Raises `ValueError` if the file isn't one that a sheet of this output saved, or
    contradicts itself; then nothing is taken."""
    all_sheets = questions.sheets(folder)
    lines = {line.id: (sheet, line) for sheet in all_sheets for line in sheet.lines}
    rows, repeated = _rows(file)
    problems, given = [], []
    for number, row in rows:
        sheet, line = lines.get(row["id"], (None, None))
        problem = "" if sheet and line else f"no sheet of {folder.url} asks about {row['id']}: the file is of another output"
        if sheet and line:
            problem = _problem(row, line, sheet.kind)
            given.append(Answer(**row | {"reading": line.reading, "sheet": sheet.name}))
        if problem:
            problems.append(f"line {number}: {problem}")
    if problems:
        raise ValueError(f"gold={file}: {problems[0]}" + (f", and {len(problems) - 1} more lines" if problems[1:] else ""))
    here = {row["key"] for row in review.page_rows(pages)}
    kept = [answer for answer in given if lines[answer.id][1].page in here]
    earlier = {answer.id: answer for answer in questions.answers(folder)}
    new = [answer for answer in kept if answer.id not in earlier]
    changed = [answer for answer in kept if answer.id in earlier and answer != earlier[answer.id]]
    if new or changed:
        questions.write_answers(folder, (earlier | {answer.id: answer for answer in kept}).values())
    ids = {answer.id for answer in kept}
    audits = tuple(sheet.name for sheet in all_sheets if sheet.kind == AUDIT and any(line.id in ids for line in sheet.lines))
    counts = (len(changed), len(kept) - len(new) - len(changed), repeated, len(given) - len(kept))
    return Taken(Counter(answer.verdict for answer in new), *counts, audits)


def _rows(file: str) -> tuple[list[tuple[int, dict[str, str]]], int]:
    """The rows of a file with their numbers, each once, and how many repeat one. Raises `ValueError` if it has others."""
    try:
        written = Path(file).expanduser().read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"gold={file}: a file that a sheet saved is needed ({error})") from None
    rows: dict[str, tuple[int, dict[str, str]]] = {}
    num_repeated = 0
    for number, text in enumerate(written, 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except ValueError as error:
            raise ValueError(f"gold={file}: line {number} is no JSON ({error})") from None
        row = _checked(row, f"gold={file}: line {number}")
        first, known = rows.setdefault(row["id"], (number, row))
        if known != row:
            raise ValueError(f"gold={file}: lines {first} and {number} say different things of {row['id']}: delete one of them")
        num_repeated += first != number
    if not rows:
        raise ValueError(f"gold={file}: the file has no row")
    return list(rows.values()), num_repeated


def _checked(row: Any, where: str) -> dict[str, str]:
    """The row's fields. Raises `ValueError` if one is missing, is no text, or is a verdict that isn't allowed."""
    if not isinstance(row, dict):
        raise ValueError(f"{where} is no object with the fields {', '.join(_FIELDS)}")
    for name in _FIELDS:
        if not isinstance(row.get(name), str):
            raise ValueError(f"{where} has no {name}, which is a text")
    if row["verdict"] not in VERDICTS:
        raise ValueError(f"{where} has the verdict {row['verdict']!r}: allowed are {', '.join(VERDICTS)}")
    if not row["by"].strip():
        raise ValueError(f"{where} doesn't say by whom it is")
    return {name: row[name].strip() if name in ("by", "text") else row[name] for name in _FIELDS}


def _problem(row: Mapping[str, str], line: Asked, kind: str) -> str:
    """What is wrong with an answer about `line`; "" if nothing is."""
    if row["image"] != line.image:
        return f"{row['id']} lies at {line.image} here, and not at {row['image']}: the file is of another output"
    has_text = row["verdict"] in ("accept", "edit")
    if has_text and not normalise(row["text"]):
        return f"the verdict {row['verdict']} needs a text; allowed without one are skip and not_a_line"
    if row["verdict"] == "accept" and (kind == AUDIT or row["text"] != line.reading.strip()):
        return "the verdict accept needs the reading as its text; another text has the verdict edit"
    return ""


@dataclass(frozen=True)
class GoldFile:
    """The file `name` in the folder `url`, with the lines of gold, which a task names by its digest."""

    url: str = ""
    name: str = ""
    sha256: str = ""

    def lines(self) -> Mapping[str, list[dict[str, Any]]]:
        """The lines by the key of their page. The file is read once a process. Raises `ValueError` if it isn't that of
        `sha256`."""
        return _read(self)


@functools.lru_cache(maxsize=4)
def _read(file: GoldFile) -> Mapping[str, list[dict[str, Any]]]:
    data = Folder(file.url).read(file.name)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ValueError(f"{Folder(file.url).path(file.name)} has other lines than the run was planned with")
    of_page: dict[str, list[dict[str, Any]]] = {}
    for line in json.loads(data):
        of_page.setdefault(line["page"], []).append(line)
    return of_page


@dataclass(frozen=True)
class GoldCrops(ShardSource):
    """The lines of gold as crops, cut from the images of their pages as the readers' own labels are.

    A crop's region is `by` the person who wrote its text. The signal `edits` says how many the reading needed. A line that is
    `held_out` is a drop.
    """

    version: ClassVar[int] = 2

    gold: GoldFile = GoldFile()

    def estimate(self, inputs: Inputs) -> Estimate:
        count = sum(map(len, self.gold.lines().values()))
        return Estimate(count, 12_000 * count, 0.02 * count)

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        num_items = 0
        for page in self.samples(item, lambda row: row["key"] in self.gold.lines(), images=True):
            gray = pixels(page.image or b"", "L")
            for line in self.gold.lines()[page.key]:
                num_items += 1
                if line["use"]:
                    part = Range(page.origin.page, page.origin.page + 1)
                    yield Drop(_key(line), page.origin.uri, part, STAGE, line["use"])
                else:
                    yield self._crop(page, gray, line)
        if not num_items:
            yield Drop("", item.uri, None, STAGE, "no_pages", "no page with a line of gold")

    def _crop(self, page: Sample, gray: numpy.ndarray, line: dict[str, Any]) -> Sample:
        crop = view(gray, Box(*line["box"]), line["script"])
        height, width = crop.shape
        box, by, o = Box(0, 0, width, height), f"person/{line['by']}", page.origin
        text, edits = line["text"], Levenshtein.distance(normalise(line["reading"]), normalise(line["text"]))
        direction = "rtl" if is_rtl(text, line["script"]) else "ltr"
        return Sample(
            key=_key(line),
            task="crop",
            image=encoded(crop),
            size=(width, height),
            lang=line["lang"],
            script=line["script"],
            text=text,
            regions=(Region(box, "text", text, None, by, lines=(Line(box, text, direction=direction),)),),
            quality=Quality("trusted", signals={"edits": edits}),
            origin=Origin(o.uri, o.sha256, o.page, o.licence, {}, page.key, Box(*line["box"])),
            stage=GOLD,
            group=page.group,
            metadata={"reading": line["reading"], "verdict": line["verdict"]},
        )


def pipeline(step: Flywheel, out: Folder, pools: FrozenPools) -> Pipeline | None:
    """The pipeline that makes the dataset of gold; None if there is none. A dataset of other answers is deleted."""
    folder, pages = out.sub(step.name), out.sub(step.pages)
    lines = {line.id: line for sheet in questions.sheets(folder) if sheet.kind == REVIEW for line in sheet.lines}
    rows = {row["key"]: row for row in review.page_rows(pages)}
    written = [
        asdict(line) | asdict(answer) | {"use": _unfit(line, pools.pools)}
        for answer in questions.answers(folder)
        if answer.has_text and (line := lines.get(answer.id)) and line.page in rows
    ]
    known = [report.shard for report in read_reports(pages) if report.shard in {rows[line["page"]]["shard"] for line in written}]
    data = questions.gold_lines(written)
    is_made = out.exists(f"{GOLD}/census")
    if is_made and (not written or not folder.exists(GOLD_LINES) or folder.read(GOLD_LINES) != data):
        dataset.clear(out.sub(GOLD))
    if not written:
        folder.remove(GOLD_LINES)
        return None
    folder.write(GOLD_LINES, data)
    source = GoldCrops(GoldFile(folder.url, GOLD_LINES, hashlib.sha256(data).hexdigest()))
    return Pipeline(GOLD, ShardsOf(pages.url, tuple(known)), source, (), max_drop=1.0)


def mark(out: Folder, rounds: Iterable[str]) -> None:
    """Mark what these rounds accepted in the place of a line of gold, and read otherwise, and the pages that they made of such
    readings: they train no more.

    The marks lie in the dataset of gold. A label that lies in a line of gold must be whole words of it, and the other way round.
    """
    corrected: dict[str, list[Sample]] = defaultdict(list)
    for line in read_records(out.sub(GOLD), manifest.rows(out.sub(GOLD))):
        corrected[line.origin.parent].append(line)
    marked = []
    for name in rounds:
        folder, wrong = out.sub(name), {}
        for label in read_records(folder, manifest.rows(folder, lambda row: row["parent"] in corrected)):
            for line in corrected[label.origin.parent]:
                if _is_there(line.origin.box, label.origin.box) and not _agree(line, label):
                    marked.append(Mark(label.key, "corrected", line.key, 1.0))
                    wrong[label.origin.parent] = line.key
        made = ((row["key"], row["parent"]) for row in manifest.rows(out.sub(pages_name(name))))
        marked += [Mark(key, "corrected", wrong[page], 1.0) for key, page in made if page in wrong]
    marks.write(out.sub(GOLD), marked, "")


def _is_there(one: Box, other: Box) -> bool:
    """Whether one of two boxes lies in the other, as lines and parts of lines do."""
    width, height = min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0)
    smaller = min((box.x1 - box.x0) * (box.y1 - box.y0) for box in (one, other))
    return max(0, width) * max(0, height) >= _IN_PLACE * smaller


def _agree(line: Sample, label: Sample) -> bool:
    """Whether the shorter text is whole words of the longer one; two texts of one length are the same."""
    shorter, longer = sorted((normalise(line.text), normalise(label.text)), key=len)
    return f" {shorter} " in f" {longer} "


def _unfit(line: Asked, pools: Sequence[Pools]) -> str:
    """Why a line of gold may train nobody; "" if it may. Of a document that is held out only pages that train are free."""
    held_out = any(line.sha256 == doc for p in pools for doc, _ in p.held_out)
    trains = any((line.sha256, line.number) in p.train for p in pools)
    return "held_out" if held_out and not trains else ""


def _key(line: Mapping[str, Any]) -> str:
    return f"{line['id']}-gold"
