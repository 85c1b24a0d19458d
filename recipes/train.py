"""Training from the corpus: the paper's stages, and the same in small.

Stage 1 trains DeepEncoder with a compact decoder. Stage 2 trains everything but SAM and the compressor, with the mixture of
experts. Stage 3 goes on from there in gundam-m. Settings in the paper (3.5) are its own. It lacks warm-up, betas, weight decay,
the number of steps of stages 2 and 3, and the shares of image modes: those are ours.
"""

import dataclasses
from typing import Annotated, Any, Unpack

from model.net.config import ModelConfig, full, stage1, tiny
from model.train.step import RANDOM, Batches, Checkpoint, Compute, Evaluation, Optim, Schedule, Train, Weights
from recipes.recipe import Recipe, Report
from recipes.words import values
from recipes.words.training import TrainingWords, with_words

JOINTLY = (("tiny", 1.0), ("small", 1.0), ("base", 1.0), ("large", 1.0), ("gundam", 1.0))

FULL = Train(
    datasets=(),
    model=full(),
    weights=Weights(frozen=("sam",)),
    schedule=Schedule(steps=200_000, curve="step", min_learning_rate=0.0, warmup=2_000),
    optim=Optim(learning_rate=3e-5, weight_decay=0.1),
    batches=Batches(rows_per_step=640, micro_rows=1, length=8192, modes=JOINTLY, scans=0.2, photos=0.1),
    evaluation=Evaluation(
        held_out_share=0.001,
        loss_samples=64,
        loss_every=500,
        read_samples=64,
        read_every=5_000,
        shown_samples=8,
        max_new_tokens=4096,
    ),
    checkpoint=Checkpoint(checkpoint_every=500),
    compute=Compute(checkpointing=None, workers=8, threads=8),
)
"""The paper's stage 2."""
FULL_STAGE_1 = FULL.but(
    model=stage1(),
    frozen=(),
    epochs=2.0,
    rows_per_step=1280,
    length=4096,
    learning_rate=5e-5,
    curve="cosine",
)
"""Two epochs, in at most as many steps as stage 2 has."""
TINY = Train(datasets=(), weights=Weights(frozen=("sam",)), compute=Compute(workers=1))
"""Minutes on two cores."""


LAYOUTS = {"shard": 1, "paper": 4}
"""Stages of the pipeline. The paper's are SAM with the compressor, CLIP, and two halves of the decoder's layers (3.5.2)."""


def train(
    data: str = "",
    start: str = "",
    start_encoder: str = "",
    start_decoder: Annotated[
        str, "FOLDER", "take only decoder and tokenizer of these weights; random: a fresh decoder", values.places
    ] = "",
    stage: Annotated[int, "N", "1: the encoder with a compact decoder; 2: all of it; 3: going on in gundam-m"] = 2,
    variant: str = "full",
    layout: Annotated[
        str,
        "NAME",
        "shard: the GPUs of a machine share the weights; paper: four pipeline stages, replicated",
    ] = "shard",
    cut: Annotated[str, "A,B,…", "stages of layout=paper: sam,clip or sam+clip, then layers: sam+clip,7,5", values.cut] = "",
    **words: Unpack[TrainingWords],
) -> Recipe:
    """A model from datasets: DeepEncoder with a compact decoder (stage=1), or all of it. Stage 2 goes on from `start`, or from
    `start_encoder` and `start_decoder`; stage 1 from SAM's and CLIP's folders, joined by a comma as `start_encoder`, or from
    nothing."""
    if not data:
        raise ValueError("train needs data=A,B,…: folders of datasets, or .jsonl files")
    if stage not in (1, 2, 3):
        raise ValueError(f"stage={stage}: allowed are 1, 2 and 3")
    if variant not in ("full", "tiny"):
        raise ValueError(f"variant={variant}: allowed are full and tiny")
    if layout not in LAYOUTS:
        raise ValueError(f"layout={layout}: allowed are {' and '.join(LAYOUTS)}")
    if stage == 1 and start_decoder not in ("", RANDOM):
        raise ValueError(f"start_decoder={start_decoder}: stage 1 has a compact decoder of its own; leave it out")
    if stage == 2 and not (start or start_decoder):
        raise ValueError(
            "stage 2 goes on from start=FOLDER, or from start_encoder=FOLDER and start_decoder=FOLDER; with a decoder that knows "
            f"nothing it takes far longer: say start_decoder={RANDOM} if that is meant"
        )
    if stage == 2 and start_decoder not in ("", RANDOM) and not start_encoder:
        raise ValueError(
            f"start_decoder={start_decoder}: it needs start_encoder=FOLDER, too; or say start=FOLDER for both in one"
        )
    if stage == 3 and not start:
        raise ValueError("stage 3 goes on from what stage 2 made: start=FOLDER")
    step = _settings(stage, variant)
    step = step.but(
        start=start,
        start_encoder=start_encoder,
        start_decoder=RANDOM if stage == 1 and start_encoder else start_decoder,
        # From nothing, no weights are worth keeping.
        frozen=step.weights.frozen if start or start_encoder else (),
        **_stages(layout, cut),
        steps=FULL.schedule.steps if words.get("epochs") else step.schedule.steps,
    )
    return Recipe("train", (with_words(step, words, data), Report(datasets=())))


def _stages(layout: str, cut: str) -> dict[str, Any]:
    """The fields of `Parallel` for these words."""
    parts = cut.split(",") if cut else []
    if parts and layout != "paper":
        raise ValueError(f"cut={cut}: it is of a pipeline: say layout=paper, too")
    layers = tuple(int(one) for one in parts if one.isdigit())
    return {"pipeline": len(parts) or LAYOUTS[layout], "stage_layers": layers}


def _settings(stage: int, variant: str) -> Train:
    if variant == "tiny":
        return TINY.but(model=_dense(tiny()), frozen=()) if stage == 1 else TINY
    if stage == 1:
        return FULL_STAGE_1
    return FULL.but(modes=(("gundam-m", 1.0),), curve="constant") if stage == 3 else FULL


def _dense(config: ModelConfig) -> ModelConfig:
    """The sizes with a decoder without experts."""
    return dataclasses.replace(config, decoder=dataclasses.replace(config.decoder, num_dense_layers=config.decoder.depth))
