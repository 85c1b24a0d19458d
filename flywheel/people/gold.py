"""People's corrections: the patches of sheets are taken in, and their lines become the dataset `gold`.

    gold=PATCH ──> answers.jsonl ──> gold.json ──> gold/      a dataset of crops, made anew for new answers

A line of gold has its author (`by: person/NAME`) and the number of edits that the reading needed. It trains the readers of the
next round. It tests nothing and calibrates no gate, since its page trains, waits, or is in no pool. A line of a held-out page,
and any line of a held-out document, is a drop, `held_out`, and trains nobody; so are the other lines of that page. No reader
learns gold of a document that it is to read (`lineage.py`). If a round accepted another reading in the place of a line of gold,
the accepted label is marked `corrected`, and trains no reader any more.
"""

import functools
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy
from rapidfuzz.distance import Levenshtein

from datagen.disk import manifest, marks
from datagen.disk.marks import Mark
from datagen.disk.shards import read_records, read_reports
from datagen.disk.storage import Folder
from datagen.inputs.items import Inputs, Item
from datagen.page.boxes import area, shared
from datagen.page.images import pixels
from datagen.patching import form
from datagen.patching.form import PatchedSample
from datagen.record import Box, Drop, Line, Origin, Quality, Range, Region, Sample
from datagen.work import dataset
from datagen.work.pipeline import Estimate, Pipeline
from datagen.work.samples_of import ShardsOf, ShardSource
from datagen.writing.direction import is_rtl
from datagen.writing.line_text import normalise
from flywheel.labels.line_readings import encoded, view
from flywheel.pools import questions
from flywheel.pools.pools import Pools
from flywheel.pools.pools_file import FrozenPools
from flywheel.pools.questions import AUDIT, GOLD_LINES, REVIEW, Answer, Asked, Sheet
from flywheel.step import GOLD, Flywheel, pages_name

STAGE = "GoldCrops"
TIMES = 4
"""How often a line of gold is learned for each time that an accepted line is learned."""
_IN_PLACE = 0.8  # of the smaller box
_OF_REVIEW = {"right": "accept", "wrong": "not_a_line", "restored": "skip", "skip": "skip"}
_OF_AUDIT = {"typed": "edit", "nothing": "not_a_line", "skip": "skip"}


@dataclass(frozen=True)
class Taken:
    """The effect of a file: the numbers of `new` answers by verdict, of answers that `changed` an earlier one, of `known`
    answers, and of answers about pages that are `gone` from the output."""

    new: Counter[str]
    changed: int = 0
    known: int = 0
    gone: int = 0
    audits: tuple[str, ...] = ()

    def __str__(self) -> str:
        verdicts = ", ".join(f"{number} {verdict}" for verdict, number in sorted(self.new.items()))
        counts = {"changed": self.changed, "known already": self.known, "of pages that are gone": self.gone}
        others = [f"{number} {what}" for what, number in counts.items() if number]
        return "; ".join([f"{self.new.total()} new answers" + (f" ({verdicts})" if verdicts else ""), *others])


def take(folder: Folder, pages: Folder, file: str) -> Taken:
    """Add the answers in `file`, the patch that a sheet's page saved in the step's `folder`, to the answers there. A later answer
    replaces an earlier one. Raises `ValueError`, and takes nothing, if no sheet of this output saved the file, or if an answer
    can't be of a line."""
    patch = form.read(file, "gold")
    sheet = next((sheet for sheet in questions.sheets(folder) if sheet.id == patch.dataset.id), None)
    if sheet is None or patch.kind != (form.AUDIT if sheet.kind == AUDIT else form.CORRECT):
        raise ValueError(f"gold={file}: no sheet of {folder.url} asked that: the file is of another output, or a dataset's patch")
    lines = {line.id: line for line in sheet.lines}
    here = {row["key"] for row in manifest.rows(pages)}
    given, num_gone = list[Answer](), 0
    for _, sample in patch.given():
        line = lines.get(sample.key)  # a sheet loses the lines of forgotten sources
        if line is None or line.page not in here:
            num_gone += 1
            continue
        try:
            given.append(_answer(sample, line, patch.by, sheet))
        except ValueError as error:
            raise ValueError(f"gold={file}: {line.id}: {error}") from None
    earlier = {answer.id: answer for answer in questions.answers(folder)}
    new = [answer for answer in given if answer.id not in earlier]
    changed = [answer for answer in given if answer.id in earlier and answer != earlier[answer.id]]
    if new or changed:
        questions.write_answers(folder, (earlier | {answer.id: answer for answer in given}).values())
    audits = (sheet.name,) if sheet.kind == AUDIT and given else ()
    counts = (len(changed), len(given) - len(new) - len(changed), num_gone)
    return Taken(Counter(answer.verdict for answer in new), *counts, audits)


def _answer(sample: PatchedSample, line: Asked, by: str, sheet: Sheet) -> Answer:
    """The answer of a patch's sample about a line. The line keeps its place. Raises `ValueError` if the answer isn't of one
    line."""
    verdict, text = _verdict_and_text(sample, line, sheet.kind)
    if strange := form.strange_character(text):
        raise ValueError(f"its text has the character {strange}, which no text may have: take it out")
    if not normalise(text) and verdict in ("accept", "edit"):
        verdict, text = "not_a_line", ""
    if verdict == "edit" and sheet.kind == REVIEW and text == line.reading.strip():
        verdict = "accept"
    return Answer(line.id, line.image, line.reading, text, verdict, by, sheet.name)


def _verdict_and_text(sample: PatchedSample, line: Asked, kind: str) -> tuple[str, str]:
    """The verdict and the text of an answer."""
    if kind == AUDIT:
        if [answer.region for answer in sample.answers] != [0]:
            raise ValueError("it is one line: give one answer, of the region 0")
        (answer,) = sample.answers
        return _OF_AUDIT[answer.verdict], answer.text.strip()
    if sample.verdict != "corrected":
        return _OF_REVIEW[sample.verdict], line.reading.strip() if sample.verdict == "right" else ""
    texts = [region.text for region in sample.regions or () if not region.is_unread]
    if sample.regions is None or len(texts) > 1 or any(region.of != 0 for region in sample.regions):
        raise ValueError("it is one line: correct its text, and leave its box alone")
    return "edit", "".join(texts).strip()


@dataclass(frozen=True)
class GoldFile:
    """The file `name` in the folder `url`, with the lines of gold. A task identifies it by its digest."""

    url: str = ""
    name: str = ""
    sha256: str = ""

    def lines(self) -> Mapping[str, list[dict[str, Any]]]:
        """The lines by the key of their page. The file is read once a process. Raises `ValueError` if its digest isn't
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
    """The lines of gold as crops, cut from the images of their pages as the readers' own labels are. A crop's region is `by` the
    person who wrote its text. The signal `edits` is the number that the reading needed. A line that is `held_out` is a drop."""

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
    """The pipeline that makes the dataset of gold; None without gold. A dataset of other answers is deleted."""
    folder, pages = out.sub(step.name), out.sub(step.pages)
    lines = {line.id: line for sheet in questions.sheets(folder) if sheet.kind == REVIEW for line in sheet.lines}
    rows = {row["key"]: row for row in manifest.rows(pages)}
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
    """Mark labels of these rounds that differ from a line of gold in their place, and the pages made of such labels: they train
    no more. The marks are in the dataset of gold. If a label lies in a line of gold, or the other way round, the shorter text
    must be whole words of the longer one."""
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
    return shared(one, other) >= _IN_PLACE * min(area(one), area(other))


def _agree(line: Sample, label: Sample) -> bool:
    """Whether the shorter text is whole words of the longer one; two texts of one length must be equal."""
    shorter, longer = sorted((normalise(line.text), normalise(label.text)), key=len)
    return f" {shorter} " in f" {longer} "


def _unfit(line: Asked, pools: Sequence[Pools]) -> str:
    """Why a line of gold may train nobody; "" if it may. In a held-out document only training pages may."""
    held_out = any(line.sha256 == doc for p in pools for doc, _ in p.held_out)
    trains = any((line.sha256, line.number) in p.train for p in pools)
    return "held_out" if held_out and not trains else ""


def _key(line: Mapping[str, Any]) -> str:
    return f"{line['id']}-gold"
