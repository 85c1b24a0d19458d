"""`make publish`: an output's datasets passed on, as a folder that the Hugging Face viewer shows, or to the hub itself."""

import logging
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Annotated

from datagen.disk.storage import Folder
from datagen.publishing import files, hub, licences, publication
from datagen.publishing.card import which
from datagen.publishing.files import Survey
from datagen.publishing.selection import LeftOut, Marked, Wanted
from datagen.record import VERDICTS
from datagen.work import dataset as datasets_of
from datagen.work import tombstones
from datagen.work.assignment import assigned
from datagen.work.tombstones import Forgotten
from recipes.run.progress import shown
from recipes.verbs.status import datasets

log = logging.getLogger(__name__)

_MOST_NAMED = 8
STAGED = "published"
"""Where in an output that what goes to the hub is made."""


def publish(
    out: str,
    to: Annotated[str, "FOLDER", "a folder to write, or on the hub OWNER/NAME, with its key in HF_TOKEN"],
    dataset: str = "",
    form: Annotated[str, "FORM", "parquet, or shards: the WebDataset shards as they are"] = "parquet",
    verdict: Annotated[
        str, "A,B,…", "only samples of these verdicts, as trusted; default: all, with a column that says which"
    ] = "",
    licences: str = "",
) -> str:
    """An output's datasets as Parquet that the Hugging Face viewer shows, with a card, in to=….

    Samples are left out, and counted, that are marked, that were forgotten, or whose licence doesn't let anybody pass them on.
    Returns what there is to say, for people. Raises `ValueError` if nothing may be passed on, if a shard is damaged, or for a
    wrong word; `OSError` where the disk or the hub fails: the same command goes on."""
    name = hub.dataset_name(to)
    key = hub.token() if name else ""
    folder = Folder(out)
    target = folder.sub(STAGED).sub(name.replace("/", "--")) if name else Folder(to)
    if target.local is None:
        raise ValueError(f"{'out' if name else 'to'}={target.url}: a folder on a local disk is needed, or the hub's OWNER/NAME")
    surveys = [
        surveyed for surveyed in _surveys(out, folder, dataset, form, wanted(out, folder, verdict, licences)) if surveyed.tables
    ]
    with datasets_of.lock(target), shown("publish") as on_state:
        is_new = publication.make(surveys, target, on_state)
        lines = [*map(_said, surveys), f"{'written' if is_new else 'unchanged'}: {target.local}"]
        if name:
            lines.append(
                f"sent to {hub.upload(target, name, key, on_state)}; a new dataset there is private until you say otherwise"
            )
    return "\n".join(lines)


def wanted(out: str, folder: Folder, verdict: str, named: str) -> Wanted:
    """What is passed on of the output by the words `verdict` and `licences`. Raises `ValueError` for a wrong verdict."""
    verdicts = tuple(filter(None, verdict.split(","))) or VERDICTS
    if unknown := set(verdicts) - set(VERDICTS):
        raise ValueError(f"verdict={verdict}: {', '.join(sorted(unknown))} is none of {', '.join(VERDICTS)}")
    places = (folder, Folder(str(PurePosixPath(folder.url).parent))) if folder.exists("census") else (folder,)
    forgotten = Forgotten.of([each for place in places for each in tombstones.read(place)])
    return Wanted(
        verdicts, frozenset(licences.simple(name) for name in named.split(",") if name), forgotten, Marked.of(datasets(out))
    )


def _surveys(out: str, folder: Folder, only: str, form: str, wanted: Wanted) -> list[Survey]:
    if form not in files.FORMS:
        raise ValueError(f"form={form}: allowed are {', '.join(files.FORMS)}")
    surveys = [files.survey(name, each, wanted, form) for name, each in chosen_datasets(out, only).items()]
    left_out = sum((each.left_out for each in surveys), Counter[LeftOut]())
    stated = {licences.simple(why.which) for why in left_out if why.reason == "licence"}
    for each in surveys:
        stated |= {licences.simple(licence) for table in each.tables.values() for licence in table.tally.by("licence")}
        if missing := len(assigned(each.folder)) - len(each.reports):
            log.warning("%s: %d of its shards aren't made yet; the recipe makes them", each.dataset, missing)
        if each.num_local and form == files.SHARDS:
            log.warning("%s: %d records in its shards name a folder of this machine", each.dataset, each.num_local)
    if unknown := sorted(wanted.licences - stated - {"all", licences.UNSTATED}):
        raise ValueError(f"licences: no sample has {unknown[0]}; they have {', '.join(sorted(stated - {''})) or 'none'}")
    if not any(each.tables for each in surveys):
        raise ValueError(f"nothing to publish: {counted(left_out) or 'no sample is there'}{_what_to_do(left_out)}")
    return surveys


def chosen_datasets(out: str, only: str) -> dict[str, Folder]:
    """The output's datasets that the word `dataset` names, all for "". Raises `ValueError` for one that isn't there."""
    folder_of = {Path(each.url).name: each for each in datasets(out)}
    names = list(filter(None, only.split(","))) or list(folder_of)
    if unknown := [name for name in names if name not in folder_of]:
        raise ValueError(f"dataset={only}: {out} has no {unknown[0]}; it has {', '.join(folder_of)}")
    return {name: folder_of[name] for name in names}


def _said(found: Survey) -> str:
    """What became of a dataset, for people."""
    tables = ", ".join(f"{t.name} {t.tally.num_samples:,} samples, {t.file_bytes / 1e6:,.1f} MB" for t in found.tables.values())
    left_out = f"; left out: {counted(found.left_out)}{_what_to_do(found.left_out)}" if found.left_out else ""
    return f"{found.dataset}: {tables}{left_out}"


def counted(left_out: Counter[LeftOut]) -> str:
    """What was left out, and why, for people."""
    counts = [f"{n:,} {_because(why)}" for why, n in left_out.most_common(_MOST_NAMED)]
    rest = left_out.total() - sum(n for _, n in left_out.most_common(_MOST_NAMED))
    return ", ".join(counts + [f"{rest:,} for other reasons, which the card lists"] * bool(rest))


def _because(why: LeftOut) -> str:
    name = " ".join(which(why).split())[:60]
    return {"mark": f"marked {name}", "licence": f"with the licence {name}", "too_large": "too large"}.get(why.reason, name)


def _what_to_do(left_out: Counter[LeftOut]) -> str:
    names = [why.which for why in left_out if why.reason == "licence"]
    if not names:
        return ""
    say = licences.simple(names[0]) if names[0] else licences.UNSTATED
    return f" (licences={say} passes such on, if you may)"
