"""The words `readers`, `start` and `lora` of a recipe: which kind of readers its flywheel trains, and from which weights."""

from dataclasses import replace

from flywheel.step import COMPACT, READERS, Fit, Flywheel, Pretrained

RANDOM = "random"
GOT_OCR = Fit(steps=2000, learning_rate=2e-5)
OURS = Fit(steps=3000, learning_rate=2e-4)
"""Where all weights are trained, in the first round. No one has run these settings on a GPU yet."""
LATER = 0.5
"""The share of the first round's steps, and of its rate, that later rounds have."""
ADAPTERS_FASTER = 10.0


def of_kind(step: Flywheel, kind: str, weights: str, lora: int) -> Flywheel:
    """`step` with readers of this kind, which start from `weights`; with `lora` adapters of that rank are trained. Raises
    `ValueError` for what doesn't go together."""
    if kind not in READERS:
        raise ValueError(f"readers={kind}: allowed are {', '.join(READERS)}")
    if kind == COMPACT:
        if weights not in ("", RANDOM) or lora:
            others = " and ".join(READERS[1:])
            raise ValueError(f"readers={COMPACT} starts from the package's, or start={RANDOM}: folders and lora are for {others}")
        return replace(step, packaged=not weights)
    if not weights:
        named = "the name of a training in the output, as train" if kind == "ours" else "a hub's name"
        raise ValueError(f"readers={kind} needs start=FOLDER: the weights that the readers start from, or {named}")
    fit = replace(GOT_OCR if kind == "got_ocr" else OURS, pretrained=Pretrained(weights, lora))
    fit = replace(fit, learning_rate=fit.learning_rate * (ADAPTERS_FASTER if lora else 1.0))
    later = replace(fit, steps=round(fit.steps * LATER), learning_rate=fit.learning_rate * LATER)
    return replace(step, reader=kind, first=fit, later=later)
