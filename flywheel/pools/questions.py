"""Lines that a person is asked about, and the person's answers.

    NAME/review-1/         a sheet: a look page to open in a browser (`index.html`); NAME is the step's
    NAME/review-1.json     the sheet's questions: the lines, their places and readings
    NAME/audit-1/          a sheet that shows no reading
    NAME/answers.jsonl     the answers that were taken in from the patches of sheets
    NAME/audits.json       the results of the answered audits
    NAME/gold.json         the corrections from which the dataset `gold` is made

A line's place is the key of its page in the dataset of pages, and a box. So an answer outlives the round that made the reading. A
review's answers teach. An audit's answers measure, and teach nobody.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from datagen.disk.storage import Folder
from datagen.record import Box
from datagen.writing.vertical_lines import stands

log = logging.getLogger(__name__)

REVIEW, AUDIT = "review", "audit"
ANSWERS = "answers.jsonl"
GOLD_LINES = "gold.json"
AUDITS = "audits.json"


@dataclass(frozen=True)
class Asked:
    """A line at `box` of the page whose key is `page`, in pixels of the page's image, and its `reading`. `reason` tells why the
    reading was refused; "" if it was accepted."""

    id: str
    page: str
    uri: str
    sha256: str
    number: int
    box: Box
    lang: str
    script: str
    reading: str
    score: float
    reason: str = ""

    @property
    def image(self) -> str:
        """The page's key with the box as a media fragment: x, y, width, height."""
        x0, y0, x1, y1 = self.box
        return f"{self.page}#xywh={x0},{y0},{x1 - x0},{y1 - y0}"

    @property
    def is_vertical(self) -> bool:
        return stands(self.box, self.script)


@dataclass(frozen=True)
class Sheet:
    """Questions asked together, about lines of the round `round`. `kind` is `REVIEW` or `AUDIT`. `note` tells how the lines were
    chosen. `layers` has the kind of text layer of an audit's languages. `id` is the sheet's name in its patches, which stays when
    lines are forgotten."""

    name: str
    kind: str
    round: int
    note: str
    lines: tuple[Asked, ...] = ()
    layers: Mapping[str, str] = field(default_factory=dict)
    id: str = ""

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Sheet":
        values = json.loads(data)
        lines = tuple(Asked(**line | {"box": Box(*line["box"])}) for line in values["lines"])
        sheet = cls(**values | {"lines": lines})
        return sheet if sheet.id else sheet.named()

    def named(self) -> "Sheet":
        """The sheet with the id of its questions."""
        return replace(self, id=hashlib.sha256(self.to_json()).hexdigest()[:32])


@dataclass(frozen=True)
class Answer:
    """The answer of the person `by` about a line. The verdict is `accept` (`text` is the reading), `edit` (another `text`),
    `skip` (nobody can tell), or `not_a_line`. `sheet` is the name of the sheet."""

    id: str
    image: str
    reading: str
    text: str
    verdict: str
    by: str
    sheet: str = ""

    @property
    def has_text(self) -> bool:
        return self.verdict in ("accept", "edit")


def sheets(folder: Folder) -> list[Sheet]:
    """All sheets in the step's `folder`, by kind and number. Raises `ValueError` if one is damaged."""
    names = [n for n in folder.names(".json") if n.startswith((f"{REVIEW}-", f"{AUDIT}-"))]
    in_order = []
    for name in sorted(names, key=lambda n: (n.partition("-")[0], _number(n.removesuffix(".json")))):
        try:
            in_order.append(Sheet.from_json(folder.read(name)))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{folder.path(name)} is damaged ({error}): delete it, and ask anew") from None
    return in_order


def add_sheet(
    folder: Folder, kind: str, number: int, note: str, lines: Sequence[Asked], layers: Mapping[str, str] | None = None
) -> Sheet:
    """A sheet of these lines, written under the next number of its kind; or the last sheet, if its questions are the same."""
    earlier = [sheet for sheet in sheets(folder) if sheet.kind == kind]
    last = _number(earlier[-1].name) if earlier else 0
    if earlier and (earlier[-1].round, earlier[-1].lines) == (number, tuple(lines)):
        return earlier[-1]
    sheet = Sheet(f"{kind}-{last + 1}", kind, number, note, tuple(lines), layers or {})
    sheet = sheet.named()
    folder.write(f"{sheet.name}.json", sheet.to_json())
    return sheet


def answers(folder: Folder) -> list[Answer]:
    """The answers that were taken in, in order of their ids. Raises `ValueError` if the file is damaged."""
    if not folder.exists(ANSWERS):
        return []
    try:
        return [Answer(**json.loads(line)) for line in folder.read(ANSWERS).splitlines() if line.strip()]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{folder.path(ANSWERS)} is damaged ({error}): delete it, and take the sheets' files in again") from None


def write_answers(folder: Folder, answers: Iterable[Answer]) -> None:
    rows = sorted(answers, key=lambda answer: answer.id)
    folder.write(ANSWERS, "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows).encode())


def gold_lines(lines: Sequence[Mapping[str, Any]]) -> bytes:
    """The file with the lines of the dataset `gold`."""
    return json.dumps(lines, ensure_ascii=False, indent=1).encode()


def forget(folder: Folder, is_forgotten: Callable[[str], bool]) -> int:
    """Remove the lines on pages of forgotten sources from sheets, answers and gold; returns their number. A sheet's page that
    shows such a line is deleted: the same command as before asks about other lines."""
    num_gone = 0
    for sheet in sheets(folder):
        left = tuple(line for line in sheet.lines if not is_forgotten(line.page))
        if gone := len(sheet.lines) - len(left):
            num_gone += gone
            folder.remove(sheet.name)
            folder.write(f"{sheet.name}.json", replace(sheet, lines=left).to_json())
            log.warning("%s: removed, since it shows %d lines of what is forgotten", folder.path(sheet.name), gone)
    if folder.exists(GOLD_LINES):
        corrected = [line for line in json.loads(folder.read(GOLD_LINES)) if not is_forgotten(line["page"])]
        folder.write(GOLD_LINES, gold_lines(corrected))
    answered = answers(folder)
    if left_answers := [answer for answer in answered if not is_forgotten(answer.image)]:
        if len(left_answers) < len(answered):
            write_answers(folder, left_answers)
    elif answered:
        folder.remove(ANSWERS)
    return num_gone


def _number(name: str) -> int:
    digits = name.rpartition("-")[2]
    if not digits.isdigit():
        raise ValueError(f"{name}: a sheet's name ends with a number")
    return int(digits)
