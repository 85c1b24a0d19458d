"""The flywheel: pools are made once, then one round follows the other. A round with metrics.json never changes. A round that is
not kept is moved aside.

    NAME/pools.json          which document trains, tests, or waits to be read; NAME is the step's
    NAME/text/               text to typeset, by language
    NAME/existing.json       the existing reader that reads each language best: Tesseract with some data, or PP-OCR
    NAME/tesseract.json      how well the existing readers read the test lines
    NAME/scans_to_ask.json   the pages of `scans`, with the languages that are declared for them
    NAME/pages_to_detect.json  the pages whose lines are the dataset `lines`
    scans/                   a dataset: a page of each document without a valid text layer, in the language that it is read in
    crops/                   a dataset: lines of trusted pages, drawn for readers
    lines/                   a dataset: lines that the detector found on the pages to read, with the existing reader's readings
    typeset/                 a dataset: typeset pages that calibrate gates, if any
    typeset-lines/           a dataset: the lines that the detector found on typeset pages
    gold/                    a dataset: lines that people corrected, if any
    gold-images/             a dataset: images of lines with a text that people wrote, if any
    gold-image-lines/        a dataset: the lines found on those of these images that calibrate gates
    aside-round-N/           a round that is set aside; its aside.json says why
    pages-round-N/           a dataset: the pages of which round N accepted most, if the round labelled any line
    round-N/                 a dataset: the lines that round N's readers read and the gate accepted
        round.json           what the round is made from; written first
        learned_from.json    the documents that each reader, and the readers that it started from, learned from
        pages_to_train.json  the pages whose lines train readers, with their languages
        fold_a.json          the pages of the first fold that readers read, with their languages; fold_b.json: the second fold
        reader/NAME/         model.safetensors, alphabet.json, config.json
        errors.json          by reader, language and held-out line, the reading's edits from the truth
        scans_SCRIPT.json    the scans to which a script's readers adapt
        pages_to_calibrate.json  the held-out pages that calibrate gates, with their languages
        typeset_to_calibrate.json  the typeset pages that calibrate gates; gold_to_calibrate.json: images of gold
        marks/               the lines of earlier rounds that this round read again; marked lines train no more
        calibration.json     by reader, the pieces that calibrated its gate
        metrics.json         how good the round is; written last, so a round with this file is whole

After a kill the same command goes on: a training from its last checkpoint, reading from its last shard.
"""

import json
import logging
from collections.abc import Mapping

from datagen.coarse.line_crops import LineCrops
from datagen.disk import manifest
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.work import dataset
from datagen.work.pipeline import Pipeline
from datagen.work.runner import Runner
from datagen.work.samples_of import ShardsOf
from flywheel.labels import calibrate, existing_readers, scan_languages, typeset_pages
from flywheel.labels.detected_lines import DetectLines, PagesOf
from flywheel.people import audit, gold, gold_images
from flywheel.pools import page_lists, pools_file
from flywheel.pools.page_lists import PlaceFile
from flywheel.pools.pools_file import FrozenPools
from flywheel.pools.texts import FOLDER as TEXT
from flywheel.rounds import set_aside
from flywheel.rounds.round import Round, RunPipeline, Watch, values
from flywheel.step import (
    CROPS,
    GOLD,
    GOLD_IMAGE_LINES,
    GOLD_IMAGES,
    LINES,
    ORIGIN,
    SHARED,
    TYPESET,
    TYPESET_LINES,
    Flywheel,
    clear_round,
    next_number,
    numbers,
    numbers_aside,
    round_folders,
    round_metrics,
    round_name,
    whole_rounds,
)

TO_DETECT = "pages_to_detect.json"
"""The file in the step's folder that has the pages whose lines are the dataset `lines`."""

TYPESET_TO_DETECT = "typeset_to_detect.json"
"""The file in the step's folder that has the typeset pages."""

GOLD_TO_DETECT = "gold_to_detect.json"
"""The file in the step's folder that has the calibrating images of gold."""

Readers = tuple[tuple[str, str], ...]
"""The existing reader of each language that has one."""

_COLUMNS = ["key", "shard", "sha256", "page"]

log = logging.getLogger(__name__)


def turn(step: Flywheel, out: Folder, run: RunPipeline, runner: Runner, watch: Watch) -> int:
    """Make the rounds that don't exist yet. `runner` trains readers, and `watch` shows their progress. Returns the exit code.
    Raises `ValueError` if existing rounds were made with other values, or if `step.gold` isn't a file of corrections."""
    if step.gold:
        log.info("%s: %s", GOLD, take(step, out))
    if not step.rounds:
        return 0
    is_begun = bool(numbers(out) or numbers_aside(out))
    if not is_begun and (asked := scan_languages.pipeline(step, out)) and (code := run(asked)):
        return code
    scans = [] if is_begun else scan_languages.scans(step, out)
    pools = pools_file.freeze(step, out, [*scans, *gold_images.letters(step, out, scans)])
    for p in pools.pools:
        if p.not_served:
            log.info("%s: %s (%s) can't be served: %s", step.name, p.lang, p.script, p.not_served)
    if not pools.served:
        log.info("%s: no language to serve, no round to make", step.name)
        return 0
    _check(step, out)
    settle(out)
    if why := set_aside.enough(step, out):
        log.info("%s: nothing new: %s", step.name, why)
        return 0
    if code := run(_crops(step, out, pools)):
        return code
    typeset = typeset_pages.pipeline(step, out, pools)
    if typeset and (code := run(typeset)):
        return code
    readers = tuple(sorted(existing_readers.choose(step, out, pools).items()))
    for lines in filter(None, (_lines(step, out, pools, readers), _typeset_lines(step, out, readers) if typeset else None)):
        if code := run(lines):
            return code
    images = gold_images.pipeline(step, out, pools.served)
    if images and (code := run(images) or run(_gold_lines(step, out, readers))):
        return code
    corrected = gold.pipeline(step, out, pools)
    if corrected and (code := run(corrected)):
        return code
    if corrected:
        gold.mark(out, whole_rounds(out))
    for sentence in calibrate.outlook(step, out, pools.served):
        log.info("%s: %s", step.name, sentence)
    while not (why := set_aside.enough(step, out)):
        if code := Round(step, out, pools, next_number(out), whole_rounds(out)).make(run, runner, watch):
            return code
        settle(out)
    log.info("%s: %s", step.name, why)
    return 0


def take(step: Flywheel, out: Folder) -> str:
    """Take in the lines of people that `step.gold` names; returns the numbers, for people. Raises `ValueError` if it has none."""
    if gold_images.is_folder(step.gold):
        return gold_images.take(step, out, step.gold)
    taken = gold.take(out.sub(step.name), out.sub(step.pages), step.gold)
    audit.measure(out.sub(step.name))
    return str(taken)


def settle(out: Folder) -> None:
    """Set aside the rounds that aren't kept, and log the reasons. A second call finishes an interrupted one."""
    set_aside.finish(out)
    for made in round_metrics(out):
        if not made["verdict"]["kept"]:
            log.warning("%s is set aside: %s", round_name(made["round"]), made["verdict"]["reason"])
            set_aside.set_aside(out, made["round"], set_aside.RULE, made["verdict"]["reason"])


def clear(step: Flywheel, out: Folder) -> None:
    """Delete all rounds, the last one first, then rounds that are set aside, then the shared datasets and the pools. People's
    questions and answers stay in the step's folder."""
    for number in reversed(numbers(out)):
        clear_round(out, number)
    set_aside.clear(out)
    for name in (*SHARED, GOLD):
        if out.exists(f"{name}/census"):
            dataset.clear(out.sub(name))
    for name in (
        existing_readers.NAME,
        existing_readers.RATES,
        scan_languages.ASKED,
        TO_DETECT,
        TYPESET_TO_DETECT,
        GOLD_TO_DETECT,
        pools_file.NAME,
        TEXT,
    ):
        out.sub(step.name).remove(name)


def _crops(step: Flywheel, out: Folder, pools: FrozenPools) -> Pipeline:
    """The pipeline that draws the lines of the served languages' trusted pages."""
    languages = tuple(p.lang for p in pools.served)
    source = LineCrops(languages=languages, seed=step.seed, passwords=step.passwords)
    return Pipeline(CROPS, ShardsOf(out.sub(step.pages).url, tuple(pools.shards)), source, (), max_drop=1.0)


def _lines(step: Flywheel, out: Folder, pools: FrozenPools, readers: Readers) -> Pipeline | None:
    """The pipeline that finds the lines of pages that wait or calibrate. None if there is no such page, or the lines are made.
    The pages are chosen, and all their lines found, before the first round begins. If an earlier run was interrupted before that,
    and had chosen other pages, its lines are deleted."""
    folder, pages = out.sub(step.name), out.sub(step.pages)
    if _is_whole(out, LINES):
        return None
    rows = [row for part in manifest.parts(pages, list(pools.shards)) for row in part.select(_COLUMNS).to_pylist()]
    earlier = PlaceFile.written(folder, TO_DETECT) if folder.exists(TO_DETECT) else None
    waiting = {place: p.lang for p in pools.served for place in p.unlabelled}
    languages = waiting | calibrate.pages(pools.served, step.max_calibration_pages)
    scripts = {p.lang: p.script for p in pools.served}
    chosen = PlaceFile.write(folder, TO_DETECT, languages, page_lists.sample_keys(pages, rows, languages))
    if chosen != earlier and out.exists(f"{LINES}/census"):
        dataset.clear(out.sub(LINES))
    keys = chosen.keys()
    shards = tuple(dict.fromkeys(row["shard"] for row in rows if row["key"] in keys))
    return _detection(LINES, ShardsOf(pages.url, shards), chosen, readers, scripts) if shards else None


def _typeset_lines(step: Flywheel, out: Folder, readers: Readers) -> Pipeline | None:
    """The pipeline that finds the lines of typeset pages. None if there is no such page, or the lines are made."""
    if _is_whole(out, TYPESET_LINES):
        return None
    pages = out.sub(TYPESET)
    rows = list(manifest.rows(pages))
    languages = {(row["sha256"], row["page"]): row["lang"] for row in rows}
    chosen = PlaceFile.write(out.sub(step.name), TYPESET_TO_DETECT, languages, page_lists.sample_keys(pages, rows, languages))
    return _detection(TYPESET_LINES, ShardsOf(pages.url), chosen, readers, {}) if rows else None


def _gold_lines(step: Flywheel, out: Folder, readers: Readers) -> Pipeline:
    """The pipeline that finds the lines on gold's images that calibrate."""
    images, calibrate = out.sub(GOLD_IMAGES), gold_images.Halves.of(step, out).calibrate
    keys = page_lists.sample_keys(images, manifest.rows(images), calibrate)
    chosen = PlaceFile.write(out.sub(step.name), GOLD_TO_DETECT, calibrate, keys)
    return _detection(GOLD_IMAGE_LINES, ShardsOf(images.url), chosen, readers, {})


def _detection(name: str, pages: ShardsOf, chosen: PlaceFile, readers: Readers, scripts: Mapping[str, str]) -> Pipeline:
    source = PagesOf(pages=chosen, scripts=tuple(sorted(scripts.items())))
    return Pipeline(name, pages, source, (DetectLines(readers),), max_drop=1.0)


def _is_whole(out: Folder, name: str) -> bool:
    """Whether the dataset `name`, which is made before the first round, has shards, and a round has begun."""
    return bool(numbers(out) or numbers_aside(out)) and bool(read_reports(out.sub(name)))


def _check(step: Flywheel, out: Folder) -> None:
    """Raise `ValueError` if a round was made, or begun, with other values."""
    for i, name in enumerate(round_folders(out)):
        folder = out.sub(name)
        made, here = json.loads(folder.read(ORIGIN))["values"], values(step, is_first=i == 0)
        if made != here:
            how = "with other values" if made[0] == here[0] else f"by version {made[0]} of rounds, and this is {here[0]}"
            raise ValueError(f"{folder.url} was made {how}: start a new output with out=…, or replace this one with overwrite=1")
