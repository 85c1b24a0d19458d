"""The package's network of lines, as a step: a training's network replaces it, and gets a card.

model/lines/model/       the network, a released folder
model/lines/card.json    its training, and its errors on unseen lines
model/lines/CARD.md      the same for people
"""

import hashlib
import json
import logging
import os
import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datagen.disk.storage import Folder
from datagen.drawing.endless_lines import SOURCES, DrawnLine, Lines
from flywheel.labels import error_rates
from model.files import packaged
from model.train.lines import read_lines
from model.train.start import TOLD_FILE
from model.train.step import flat
from recipes.reads import OTHER_FACES, InstallLines, installed
from recipes.steps import OK, StepRunner

log = logging.getLogger(__name__)

NUM_LINES = 300
FIRST = 60
"""The number of a card's test lines that `make test` reads again."""
_LICENCES = {
    "DejaVu": "Bitstream Vera",
    "Free": "GPL-3.0-or-later with the font exception",
    "Noto": "OFL-1.1",
    "Vazirmatn": "OFL-1.1",
    "AnnapurnaSIL": "OFL-1.1",
}
_THAI = "GPL-2.0-or-later with the font exception"  # TLWG's, all others
_TEXT = "docstrings of Python's library (PSF-2.0) and licences of a Debian system, by chance with accents"
_CARD = """# The network of lines

`make recipe=reads install=1` wrote this page from [card.json](card.json). The network has {parameters:,} parameters,
{kB:,} kB in bf16, and a token a byte: DeepEncoder in small before a dense decoder, as in the paper's stage 1. It learned drawn
lines of up to {longest} characters alone, and no document.

| | |
| --- | --- |
| text | {text} |
| steps | {steps}, seed {seed} |
| typefaces | {num_faces} files of {families} |
| typefaces that only test | {others} |
| frames whose character it sees, in those | {frames:.1%} |
| characters wrong in {lines} unseen lines of 25 to 30 characters, in those | **{cer:.1%}** ({low:.1%} to {high:.1%}) |
| the same in typefaces that it learned | {known:.1%} |
"""


class InstallLinesRunner(StepRunner[InstallLines]):
    def plan(self) -> str:
        return f"makes the network of {self.step.trainings[-1]} the package's, with a card"

    def run(self) -> int:
        target = packaged.FOLDER
        if not os.access(target.parent, os.W_OK):
            raise ValueError(f"install=1: {target} can't be written to")
        model = self.out.sub(self.step.trainings[-1]).sub("model")
        made = card(self.out, self.step.trainings)
        with replaced(target) as new:
            (new / packaged.LINES.name).mkdir(parents=True)
            for name in model.names():
                (new / packaged.LINES.name / name).write_bytes(model.read(name))
            (new / packaged.CARD).write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            (new / packaged.TABLE).write_text(for_people(made), encoding="utf-8")
        log.info("the network of %s is the package's now, in %s", self.step.trainings[-1], target)
        return OK


@contextmanager
def replaced(target: Path) -> Iterator[Path]:
    """A folder to write beside `target`, which replaces it at the end. If something fails, `target` stays."""
    new, old = target.with_name(f"{target.name}.new"), target.with_name(f"{target.name}.old")
    shutil.rmtree(new, ignore_errors=True)
    yield new
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def card(out: Folder, trainings: Sequence[str]) -> dict[str, Any]:
    """The training and the errors of the network of the last of these trainings."""
    runs = [flat(json.loads(out.sub(name).read("run.json"))["step"]) for name in trainings]
    metrics = json.loads(out.sub(trainings[-1]).read("metrics.json"))
    learned = [run["datasets"][0]["drawn"]["lines"] for run in runs]
    faces = sorted({face for of_run in learned for face in of_run["faces"]})
    others = installed(OTHER_FACES)
    truths = Lines().unseen(NUM_LINES, 25, 30)
    lines = drawn(truths, others)
    weights = next(name for name in out.sub(trainings[-1]).sub("model").names(".safetensors"))
    raw = out.sub(trainings[-1]).sub("model").read(weights)
    readings = read(out.sub(trainings[-1]).sub("model"), lines)
    rates, first = error_rates.errors(truths, readings), error_rates.errors(truths[:FIRST], readings[:FIRST])
    return {
        "steps": {name: max(line["step"] for line in read_lines(out.sub(name), "loss.jsonl")) for name in trainings},
        "seed": runs[-1]["seed"],
        "num_drawn": metrics["counts"]["samples"],
        "longest": max(of_run["longest"] for of_run in learned),
        "text": _TEXT,
        "sources": SOURCES,
        "typefaces": {face: licence(face) for face in faces},
        "typefaces_to_test": {face: licence(face) for face in others},
        "frames_right": frames_right(out.sub(trainings[-1]), lines),
        "rates": _rates(rates),
        "known_typefaces": metrics["read"]["dataset lines"]["character_error_rate"],
        "first": {"lines": truths[:FIRST], "rates": _rates(first)},
        "parameters": metrics["num_parameters"],
        "bytes": len(raw),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "licence": "Apache-2.0",
    }


def drawn(truths: Sequence[str], faces: Sequence[str]) -> list[DrawnLine]:
    """The test lines of the network, in these typefaces in turn."""
    each = [Lines(faces=(face,)) for face in faces]
    return [each[n % len(each)].drawn(text, random.Random(f"card {n}")) for n, text in enumerate(truths)]


def read(folder: Folder, lines: Sequence[DrawnLine], together: int = 30) -> list[str]:
    """The readings of drawn lines by the network in `folder`, in fp32."""
    import torch

    from datagen.target import Prompt
    from model.files.network_folder import load_model
    from model.generate import generate
    from model.net.image import load

    net, tokenizer = load_model(folder, dtype=torch.float32)
    images = [load(line.image, "line") for line in lines]
    parts = [images[start : start + together] for start in range(0, len(images), together)]
    return [text for part in parts for text in generate(net, tokenizer, part, Prompt.FREE.value, 60)]


def frames_right(training: Folder, lines: Sequence[DrawnLine]) -> float:
    """The share of the lines' frames, of those with ink and without, whose character the head of the training's SAM tells
    right."""
    import safetensors.torch
    import torch

    from model.files.network_folder import load_model
    from model.net.frame_head import FrameHead, frames, sam_outputs
    from model.net.image import load

    net, _ = load_model(training.sub("model"), dtype=torch.float32)
    head = FrameHead(net.config.sam)
    head.load_state_dict(safetensors.torch.load(training.read(TOLD_FILE)))
    right = num = 0
    with torch.no_grad():
        for line in lines:
            image = load(line.image, "line")
            kinds = torch.tensor(frames(line.text, line.look.left, line.ends(), image.whole_3HW.shape[2]))
            with sam_outputs(net.encoder.sam) as necks:
                net.encoder.sam(image.whole_3HW[None])
            right += int(head(necks, [image], kinds)[1])
            num += len(kinds)
    return round(right / num, 4)


def licence(face: str) -> str:
    return next((of for start, of in _LICENCES.items() if face.startswith(start)), _THAI)


def for_people(made: dict[str, Any]) -> str:
    rates, faces = made["rates"], [Path(face).stem.partition("-")[0] for face in made["typefaces"]]
    families = [face for face in dict.fromkeys(faces) if not any(face.startswith(other) for other in faces if other != face)]
    values = {
        "text": made["text"],
        "steps": ", ".join(f"{num:,} of {name}" for name, num in made["steps"].items()),
        "num_faces": len(faces),
        "families": ", ".join(families),
        "others": ", ".join(made["typefaces_to_test"]),
        "frames": made["frames_right"],
        "known": made["known_typefaces"],
        "kB": round(made["bytes"] / 1000),
    }
    return _CARD.format(**made | rates | values)


def _rates(errors: error_rates.Errors) -> dict[str, Any]:
    return {"cer": errors.cer, "low": errors.cer_low, "high": errors.cer_high, "lines": errors.num_lines}
