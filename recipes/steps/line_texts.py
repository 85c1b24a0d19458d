"""Text that lines in other scripts are drawn from, as a step: out of packages, as readers of scripts have it.

    line-texts/SCRIPT.json    the text that is learned, the text that measures, where both are from
"""

import json
import logging
from collections.abc import Sequence

from datagen.drawing import typefaces
from datagen.drawing.endless_lines import Lines
from flywheel.pools import texts
from recipes.reads import LineTexts
from recipes.steps import OK, StepRunner

log = logging.getLogger(__name__)


class LineTextsRunner(StepRunner[LineTexts]):
    def plan(self) -> str:
        return f"gathers text of packages in {', '.join(self._left()) or 'no further script'}"

    def run(self) -> int:
        for script in self._left():
            made = text_of(script, self.step)
            log.info("%s: %s: %s characters of text, %s that measure", self.step.name, script, *(
                f"{len(made[part]):,}" for part in ("text", "other_text")
            ))  # fmt: skip
            self.folder.write(f"{script}.json", json.dumps(made, ensure_ascii=False, indent=1).encode())
        return OK

    def _left(self) -> list[str]:
        return [script for script, _ in self.step.languages if not self.folder.exists(f"{script}.json")]


def text_of(script: str, step: LineTexts) -> dict[str, object]:
    """The text in a script. Raises `ValueError` if there is none in one of its languages."""
    langs = dict(step.languages)[script]
    found = {lang: texts.gather(lang, script, [], tuple(texts.PACKAGES), step.most // len(langs), 0) for lang in langs}
    lacking = ", ".join(texts.missing())
    parts: dict[str, list[str]] = {"text": [], "other_text": []}
    for lang, of in found.items():
        if of is None:
            raise ValueError(f"no text in {lang} to draw lines in {script} from{f': {lacking} cannot be had here' * bool(lacking)}")
        parts["text"] += of.train
        parts["other_text"] += of.held_out
    drawable = _drawn_by_one(parts["text"], step.faces)
    return {
        **{name: " ".join(line for line in lines if drawable.issuperset(map(ord, line))) for name, lines in parts.items()},
        "paragraphs": {lang: dict(of.paragraphs) for lang, of in found.items() if of},
        "licence": texts.licence(sorted({name for of in found.values() if of for name in of.paragraphs})),
    }


def _drawn_by_one(lines: Sequence[str], faces: Sequence[str]) -> frozenset[int]:
    """The code points of the typeface that has most of the lines whole: it can draw any two of these in one line."""
    known = [typefaces.characters(path) for path in Lines(faces=tuple(faces)).paths()]
    return max(known, key=lambda has: sum(has.issuperset(map(ord, line)) for line in lines))
