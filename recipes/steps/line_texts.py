"""Text for drawn lines in other scripts, as a step: from packages, as for readers of scripts.

line-texts/SCRIPT.json    the text for training, and for measuring; the origin of both
"""

import json
import logging
from collections.abc import Sequence
from typing import Any

from datagen.drawing import typefaces
from datagen.drawing.endless_lines import Lines
from datagen.work.specification import fingerprint
from flywheel.pools import texts
from recipes.reads import LineTexts
from recipes.steps import OK, StepRunner

LEAST = 2000  # characters: 60 lines or so

log = logging.getLogger(__name__)


class LineTextsRunner(StepRunner[LineTexts]):
    def plan(self) -> str:
        return f"gathers text of packages in {', '.join(self._left()) or 'no further script'}"

    def run(self) -> int:
        for script in self._left():
            made = {"made_of": self._made_of(script)} | text_of(script, self.step)
            log.info("%s: %s: %s characters that train", self.step.name, script, f"{len(made['text']):,}")
            self.folder.write(f"{script}.json", json.dumps(made, ensure_ascii=False, indent=1).encode())
        return OK

    def _left(self) -> list[str]:
        return [script for script, _ in self.step.languages if not self._is_made(script)]

    def _is_made(self, script: str) -> bool:
        made = self.kept(f"{script}.json")
        return bool(made and not self.place.overwrite and made["made_of"] == self._made_of(script))

    def _made_of(self, script: str) -> str:
        return fingerprint([list(texts.PACKAGES), dict(self.step.languages)[script], self.step.faces, self.step.most])


def text_of(script: str, step: LineTexts) -> dict[str, Any]:
    """The contents of a script's file. Raises `ValueError` if one of its languages has no text here, or all have too little."""
    langs = dict(step.languages)[script]
    train: list[str] = []
    held_out: list[str] = []
    paragraphs = {}
    for lang in langs:
        made = texts.gather(lang, script, [], tuple(texts.PACKAGES), step.most // len(langs), 0)
        if made is None:
            asked = ", ".join(texts.missing() or texts.PACKAGES)
            raise ValueError(f"{script}: {asked} gave no text in {lang} to draw lines from")
        train += made.train
        held_out += made.held_out
        paragraphs[lang] = dict(made.paragraphs)
    able = _drawn_by_one(train, step.faces)
    text, other_text = (" ".join(line for line in of if able.issuperset(map(ord, line))) for of in (train, held_out))
    if min(len(text), len(other_text)) < LEAST:
        nums = f"{len(text):,} characters that train and {len(other_text):,} that measure"
        raise ValueError(f"{script}: packages gave {nums}; {LEAST:,} of each are needed")
    return {
        "text": text,
        "other_text": other_text,
        "paragraphs": paragraphs,
        "licence": texts.licence({name for of_lang in paragraphs.values() for name in of_lang}),
    }


def _drawn_by_one(lines: Sequence[str], faces: Sequence[str]) -> frozenset[int]:
    """The code points of the typeface that has most of the lines whole: it can draw pieces of any two of these in one line."""
    known = [typefaces.characters(path) for path in Lines(faces=tuple(faces)).paths()]
    return max(known, key=lambda able: sum(able.issuperset(map(ord, line)) for line in lines))
