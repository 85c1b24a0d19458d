"""The flywheel: pools once, then one round after the other. Nothing changes a round once its metrics.json is written; one that
isn't kept is moved aside.

    NAME/pools.json          which document trains, tests, or waits to be read; NAME is the step's
    NAME/text/               text to typeset, by language
    NAME/tesseract.json      how well Tesseract reads the test lines
    crops/                   a dataset: lines of trusted pages, drawn for readers
    typeset/                 a dataset: pages of typeset text that calibrate gates, if any
    gold/                    a dataset: lines that people corrected, if any
    aside-round-N/           a round that is set aside, with aside.json, which says why
    round-N/                 a dataset: the lines that round N's readers read and the gate accepted
        round.json           what the round is made from; written first
        learned_from.json    the documents that each of its readers, and those before it, learned from
        pages_to_train.json  the pages whose lines train its readers, with their languages
        fold_a.json          the pages of the first fold that its readers read, with their languages; fold_b.json: of the second
        reader/NAME/         model.safetensors, alphabet.json, config.json
        errors.json          by reader, language and held-out line, how many edits a reading is from the truth
        pages_to_calibrate.json  the held-out pages that calibrate its gates, with their languages
        typeset_to_calibrate.json  the typeset pages that do
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
from flywheel import aside, audit, frozen, gold, typesetpages
from flywheel.enough import enough
from flywheel.frozen import FrozenPools
from flywheel.round import Round, RunPipeline, Watch, values
from flywheel.step import (
    CROPS,
    GOLD,
    ORIGIN,
    TYPESET,
    Flywheel,
    clear_round,
    next_number,
    round_folders,
    round_metrics,
    round_name,
    whole_rounds,
)
from flywheel.texts import FOLDER as TEXT

log = logging.getLogger(__name__)


def turn(step: Flywheel, out: Folder, run: RunPipeline, runner: Runner, watch: Watch) -> int:
    """Make the rounds that don't exist yet. `runner` trains readers, and `watch` shows how far they are. Returns the exit code.

    Raises `ValueError` if the rounds that exist were made with other values, or if the file of corrections isn't one.
    """
    if step.gold:
        log.info("%s: %s", GOLD, gold.take(out.sub(step.name), out.sub(step.pages), step.gold))
        audit.measure(out.sub(step.name))
    if not step.rounds:
        return 0
    pools = frozen.freeze(step, out)
    for p in pools.pools:
        if p.not_served:
            log.info("%s: %s (%s) can't be served: %s", step.name, p.lang, p.script, p.not_served)
    if not pools.served:
        log.info("%s: no language to serve, no round to make", step.name)
        return 0
    _check(step, out)
    settle(out)
    if why := enough(step, out):
        log.info("%s: nothing new: %s", step.name, why)
        return 0
    if code := run(_crops(step, out, pools)):
        return code
    typeset = typesetpages.pipeline(step, out, pools)
    if typeset and (code := run(typeset)):
        return code
    corrected = gold.pipeline(step, out, pools)
    if corrected and (code := run(corrected)):
        return code
    if corrected:
        gold.mark(out, whole_rounds(out))
    while not (why := enough(step, out)):
        if code := Round(step, out, pools, next_number(out), whole_rounds(out)).make(run, runner, watch):
            return code
        settle(out)
    log.info("%s: %s", step.name, why)
    return 0


def settle(out: Folder) -> None:
    """Set aside the rounds that aren't kept, and say why. Done again, it finishes what was interrupted."""
    aside.finish(out)
    for made in round_metrics(out):
        if not made["verdict"]["kept"]:
            log.warning("%s is set aside: %s", round_name(made["round"]), made["verdict"]["reason"])
            aside.set_aside(out, made["round"], aside.RULE, made["verdict"]["reason"])


def clear(step: Flywheel, out: Folder) -> None:
    """Delete all rounds, the last one first, then those that are set aside, crops and pools. What people were asked and answered
    stays."""
    for name in reversed(round_folders(out)):
        clear_round(out.sub(name))
    aside.clear(out)
    for name in (CROPS, TYPESET, GOLD):
        if out.exists(f"{name}/census"):
            dataset.clear(out.sub(name))
    for name in ("tesseract.json", frozen.NAME, TEXT):
        out.sub(step.name).remove(name)


def _crops(step: Flywheel, out: Folder, pools: FrozenPools) -> Pipeline:
    """The pipeline that draws the lines of the served languages' trusted pages."""
    languages = tuple(p.lang for p in pools.served)
    source = LineCrops(languages=languages, seed=step.seed, passwords=step.passwords)
    return Pipeline(CROPS, ShardsOf(out.sub(step.pages).url, tuple(pools.shards)), source, (), max_drop=1.0)


def _check(step: Flywheel, out: Folder) -> None:
    """Raise `ValueError` if one of the rounds was made, or begun, with other values."""
    for i, name in enumerate(round_folders(out)):
        folder = out.sub(name)
        if json.loads(folder.read(ORIGIN))["values"] != values(step, is_first=i == 0):
            raise ValueError(
                f"{folder.url} was made with other values: start a new output with out=…, or replace this one with overwrite=1"
            )
