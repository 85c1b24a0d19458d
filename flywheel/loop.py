"""The flywheel: pools once, then one round after the other. Nothing changes a round once its metrics.json is written.

    NAME/pools.json          which document trains, tests, or waits to be read; NAME is the step's
    NAME/text/               text to typeset, by language
    NAME/tesseract.json      how well Tesseract reads the test lines
    crops/                   a dataset: lines of trusted pages, drawn for readers
    gold/                    a dataset: lines that people corrected, if any
    round-N/                 a dataset: the lines that round N's readers read and the gate accepted
        round.json           what the round is made from; written first
        learned_from.json    the documents that each of its readers, and those before it, learned from
        pages_to_train.json  the pages whose lines train its readers, with their languages
        fold_a.json          the pages of the first fold that its readers read, with their languages; fold_b.json: of the second
        reader/NAME/         model.safetensors, alphabet.json, config.json
        pages_to_calibrate.json  the held-out pages that calibrate its gates, with their languages
        marks/               the lines of earlier rounds that this round read again: they train no more
        metrics.json         how good the round is; written last, so a round that has it is whole

After a kill the same command goes on: training from its last checkpoint, reading from its last shard.
"""

import json
import logging

from datagen import dataset
from datagen.pipeline import Pipeline
from datagen.runner import Runner
from datagen.sources.dataset import ShardsOf
from datagen.sources.lines import LineCrops
from datagen.storage import Folder
from flywheel import audit, frozen, gold
from flywheel.frozen import FrozenPools
from flywheel.round import Round, RunPipeline, Watch, values
from flywheel.step import CROPS, GOLD, ORIGIN, Flywheel, clear_round, is_whole, round_folders, round_metrics, round_name
from flywheel.texts import FOLDER as TEXT

log = logging.getLogger(__name__)


def turn(step: Flywheel, out: Folder, run: RunPipeline, runner: Runner, watch: Watch) -> int:
    """Make the rounds that don't exist yet. `runner` trains readers, and `watch` shows how far they are. Returns the exit code.

    Raises `ValueError` if the rounds that exist were made with other values, or if the file of corrections isn't one.
    """
    if step.gold:
        log.info("%s: %s", GOLD, gold.take(out.sub(step.name), out.sub(step.pages), step.gold))
        audit.measure(out.sub(step.name))
    if step.rounds < 1:
        return 0
    pools = frozen.freeze(step, out)
    for p in pools.pools:
        if p.not_served:
            log.info("%s: %s (%s) can't be served: %s", step.name, p.lang, p.script, p.not_served)
    if not pools.served:
        log.info("%s: no language to serve, no round to make", step.name)
        return 0
    todo = [number for number in range(1, step.rounds + 1) if not _is_made(step, out, number)]
    if not todo:
        log.info("%s: nothing new, %d rounds are made", step.name, len(round_metrics(out)))
        return 0
    if code := run(_crops(step, out, pools)):
        return code
    corrected = gold.pipeline(step, out, pools)
    if corrected and (code := run(corrected)):
        return code
    if corrected:
        gold.mark(out, [name for name in round_folders(out) if is_whole(out.sub(name))])
    for number in todo:
        if code := Round(step, out, pools, number).make(run, runner, watch):
            return code
    return 0


def clear(step: Flywheel, out: Folder) -> None:
    """Delete all rounds, the last one first, then crops and pools. What people were asked and answered stays."""
    for name in reversed(round_folders(out)):
        clear_round(out.sub(name))
    for name in (CROPS, GOLD):
        if out.exists(f"{name}/census"):
            dataset.clear(out.sub(name))
    for name in ("tesseract.json", frozen.NAME, TEXT):
        out.sub(step.name).remove(name)


def _crops(step: Flywheel, out: Folder, pools: FrozenPools) -> Pipeline:
    """The pipeline that draws the lines of the served languages' trusted pages."""
    languages = tuple(p.lang for p in pools.served)
    source = LineCrops(languages=languages, seed=step.seed, passwords=step.passwords)
    return Pipeline(CROPS, ShardsOf(out.sub(step.pages).url, tuple(pools.shards)), source, (), max_drop=1.0)


def _is_made(step: Flywheel, out: Folder, number: int) -> bool:
    """Whether the round is whole. Raises `ValueError` if it was made, or begun, with other values."""
    folder = out.sub(round_name(number))
    if folder.exists(ORIGIN) and json.loads(folder.read(ORIGIN))["values"] != values(step, number):
        raise ValueError(
            f"{folder.url} was made with other values: start a new output with out=…, or replace this one with overwrite=1"
        )
    return is_whole(folder)
