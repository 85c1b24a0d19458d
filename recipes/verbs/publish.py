"""`make publish` and `make export`: an output's datasets passed on, as a folder for the Hugging Face viewer, or to the hub; or as
rows for other trainers."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Annotated

from datagen.disk import manifest
from datagen.disk.shards import read_records
from datagen.disk.storage import Folder
from datagen.publishing import files, hub, licences, messages, publication
from datagen.publishing.card import which
from datagen.publishing.files import Survey, Tests
from datagen.publishing.selection import LeftOut, Marked, Wanted
from datagen.record import VERDICTS
from datagen.work import dataset as datasets_of
from datagen.work import tombstones
from datagen.work.assignment import num_shards
from datagen.work.tombstones import Forgotten
from model.data.words import MIN_WORTH
from recipes.run.progress import shown
from recipes.verbs.status import by_name, datasets

log = logging.getLogger(__name__)

_MOST_NAMED = 8
STAGED = "published"
"""The folder in an output for files that go to the hub."""


def publish(
    out: str,
    to: Annotated[str, "FOLDER", "a folder to write, or on the hub OWNER/NAME, with its key in HF_TOKEN"],
    dataset: str = "",
    form: Annotated[str, "FORM", "parquet, or shards: the WebDataset shards as they are"] = "parquet",
    verdict: Annotated[
        str, "A,B,…", "only samples of these verdicts, as trusted; default: all, with a column that says which"
    ] = "",
    licences: str = "",
    pairs: Annotated[
        str, "DIR", "preference pairs in place of samples: a model's answers, as make score takes them, beside the truth"
    ] = "",
    below: Annotated[float, "X", "the reward, up to 1, under which an answer is wrong, and makes a pair"] = 0.95,
    tests: Annotated[
        bool, "0|1", "add tests in olmOCR-bench's form, and the pages as PDFs: what a right reading of them says"
    ] = False,
) -> str:
    """An output's datasets as Parquet that the Hugging Face viewer shows, with a card, in to=….

    Samples that are marked or forgotten, or whose licence isn't free, are left out, and counted; with `pairs` also those that
    aren't trusted, and those whose answer is missing or right. Returns a message for people. Raises `ValueError` if nothing may
    be passed on, if a shard is damaged, or for a wrong word; `OSError` if the disk or the hub fails: the same command goes on.
    """
    name = hub.dataset_name(to)
    key = hub.token() if name else ""
    folder = Folder(out)
    target = folder.sub(STAGED).sub(name.replace("/", "--")) if name else Folder(to)
    if target.local is None:
        raise ValueError(f"{'out' if name else 'to'}={target.url}: a folder on a local disk is needed, or the hub's OWNER/NAME")
    if pairs and (form != files.PARQUET or tests):
        raise ValueError(f"pairs={pairs} makes rows of its own: leave out {'tests' if tests else 'form'}")
    if not 0 < below <= 1:
        raise ValueError(f"below={below}: a reward over 0 and up to 1 is needed")
    passed_on = wanted(out, folder, verdict or ("trusted" if pairs else ""), licences)
    surveys = [each for each in _surveys(out, dataset, form, passed_on, pairs, below) if each.tables]
    with datasets_of.lock(target), shown("publish") as on_state:
        is_new = publication.make(surveys, target, on_state, tests)
        lines = [*map(_outcome, surveys), *_unused(surveys), f"{'written' if is_new else 'unchanged'}: {target.local}"]
        if name:
            lines.append(
                f"sent to {hub.upload(target, name, key, on_state)}; a new dataset there is private until you say otherwise"
            )
    return "\n".join(lines)


def export(
    out: str,
    to: Annotated[str, "FOLDER", "a folder to write"],
    format: Annotated[str, "FORM", "messages: a .jsonl a dataset, with images as files beside"] = "messages",
    dataset: str = "",
    verdict: Annotated[str, "A,B,…", "only samples of these verdicts"] = "trusted",
    licences: str = "",
    grounded: Annotated[bool, "0|1", "also answers with boxes, in DeepSeek-OCR's tokens, where they are the usual ones"] = False,
) -> str:
    """An output's datasets as messages and images, which ms-swift, LLaMA-Factory, TRL, Unsloth and finetune read. The samples
    that `publish` leaves out are left out, and counted, and so are pages that a training here would skip. Returns a message for
    people. Raises `ValueError` and `OSError` as `publish` does."""
    if format not in messages.FORMATS:
        raise ValueError(f"format={format}: allowed is {', '.join(messages.FORMATS)}")
    folder, target = Folder(out), Folder(to)
    if target.local is None:
        raise ValueError(f"to={target.url}: a folder on a local disk is needed")
    passed_on = wanted(out, folder, verdict, licences)
    folders = by_name(out, dataset)
    with datasets_of.lock(target), shown("export") as on_state:
        made, is_new, removed = messages.make(folders, passed_on, messages.Form(grounded, MIN_WORTH), target, on_state)
    if not any(one.rows for one in made.values()):
        raise ValueError(f"nothing to export{''.join(map(_not_exported, made.values()))}")
    lines = [f"{name}: {one.rows:,} rows, {one.images:,} images{_not_exported(one)}" for name, one in made.items()]
    lines += [f"{name}: its rows of an earlier export were removed" for name in removed]
    return "\n".join([*lines, f"{'written' if is_new else 'unchanged'}: {target.local}"])


def _not_exported(made: messages.Made) -> str:
    left_out = Counter({LeftOut(reason, which): n for reason, which, n in made.left_out})
    return f"; left out: {counted(left_out)}{what_to_do(left_out)}" if left_out else ""


def wanted(out: str, folder: Folder, verdict: str, named: str) -> Wanted:
    """The choice by the words `verdict` and `licences`. Raises `ValueError` for a wrong verdict."""
    verdicts = tuple(filter(None, verdict.split(","))) or VERDICTS
    if unknown := set(verdicts) - set(VERDICTS):
        raise ValueError(f"verdict={verdict}: {', '.join(sorted(unknown))} is none of {', '.join(VERDICTS)}")
    places = (folder, Folder(str(PurePosixPath(folder.url).parent))) if folder.exists("census") else (folder,)
    forgotten = Forgotten.of([each for place in places for each in tombstones.read(place)])
    return Wanted(
        verdicts, frozenset(licences.simple(name) for name in named.split(",") if name), forgotten, Marked.of(datasets(out))
    )


def _surveys(out: str, only: str, form: str, wanted: Wanted, answers: str, below: float) -> list[Survey]:
    """The survey of each dataset; with a model's `answers`, a folder, the pairs of answers with a reward under `below`."""
    if form not in (files.PARQUET, files.SHARDS):
        raise ValueError(f"form={form}: allowed are {files.PARQUET}, {files.SHARDS}")
    if answers:
        from datagen.publishing.pairs import Pairs
        from datagen.score.pages import predictions

        predicted = predictions(answers)
    surveys = []
    for name, folder in by_name(out, only).items():
        if answers:
            rows = manifest.rows(folder, lambda row: wanted.left_out(row) is None)
            of_pairs = replace(wanted, pairs=Pairs.of(read_records(folder, rows), predicted, below))
            surveys.append(files.survey(name, folder, of_pairs, files.PAIRS))
        else:
            surveys.append(files.survey(name, folder, wanted, form))
    left_out = sum((each.left_out for each in surveys), Counter[LeftOut]())
    stated = {licences.simple(why.which) for why in left_out if why.reason == "licence"}
    for each in surveys:
        stated |= {licences.simple(licence) for table in each.tables.values() for licence in table.tally.by("licence")}
        if missing := num_shards(each.folder) - len(each.reports):
            log.warning("%s: %d of its shards aren't made yet; the recipe makes them", each.dataset, missing)
        if each.num_local and form == files.SHARDS:
            log.warning("%s: %d records in its shards name a folder of this machine", each.dataset, each.num_local)
    if unknown := sorted(wanted.licences - stated - {"all", licences.UNSTATED}):
        raise ValueError(f"licences: no sample has {unknown[0]}; they have {', '.join(sorted(stated - {''})) or 'none'}")
    if not any(each.tables for each in surveys):
        raise ValueError(f"nothing to publish: {counted(left_out) or 'no sample is there'}{what_to_do(left_out)}")
    return surveys


def _outcome(survey: Survey) -> str:
    """The outcome for a dataset, in words."""
    tables = ", ".join(f"{t.name} {t.tally.num_samples:,} samples, {t.file_bytes / 1e6:,.1f} MB" for t in survey.tables.values())
    left_out = f"; left out: {counted(survey.left_out)}{what_to_do(survey.left_out)}" if survey.left_out else ""
    return "\n".join(
        [f"{survey.dataset}: {tables}{left_out}", *(_about_tests(t.name, t.tests) for t in survey.tables.values() if t.tests)]
    )


def _unused(surveys: Sequence[Survey]) -> list[str]:
    unused = [{page.names[0] for page in pairs.unused} for each in surveys if (pairs := each.wanted.pairs)]
    names = sorted(set.intersection(*unused)) if unused else []
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return [f"{len(names)} answers are about no sample of these: {', '.join(names[:_MOST_NAMED])}{more}"] if names else []


def _about_tests(table: str, tests: Tests) -> str:
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in sorted(tests.types.items())) or "none"
    without = ", ".join(f"{n:,} {why}" for why, n in Counter(tests.without).most_common())
    return f"tests of {table}: {kinds}; of {tests.num_samples:,} samples" + (f"; samples without: {without}" if without else "")


def counted(left_out: Counter[LeftOut]) -> str:
    """The left-out samples and the reasons, in words."""
    counts = [f"{n:,} {_because(why)}" for why, n in left_out.most_common(_MOST_NAMED)]
    rest = left_out.total() - sum(n for _, n in left_out.most_common(_MOST_NAMED))
    return ", ".join(counts + [f"{rest:,} for other reasons, which the card lists"] * bool(rest))


def _because(why: LeftOut) -> str:
    name = " ".join(which(why).split())[:60]
    return {"mark": f"marked {name}", "licence": f"with the licence {name}", "too_large": "too large"}.get(why.reason, name)


def what_to_do(left_out: Counter[LeftOut]) -> str:
    """How to pass on samples that were left out for their licence, in words; "" if there are none."""
    names = [why.which for why in left_out if why.reason == "licence"]
    if not names:
        return ""
    say = licences.simple(names[0]) if names[0] else licences.UNSTATED
    return f" (licences={say} passes such on, if you may)"
