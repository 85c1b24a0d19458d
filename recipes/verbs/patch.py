"""`make patch`: what a person did on a look page, taken into its dataset."""

import contextlib
from collections import Counter
from pathlib import Path
from typing import Annotated

from datagen.disk.storage import Folder
from datagen.patching import form
from datagen.patching.form import AUDIT, Patch, PatchError, dataset_id
from datagen.score import audit
from datagen.work import tombstones
from datagen.work.dataset import lock
from datagen.work.take_patch import Taken, take
from datagen.work.tombstones import Forgotten
from recipes.steps import audits
from recipes.verbs.status import datasets


def patch(
    out: str,
    patch: Annotated[str, "FILE", "the patch that a look page saved"],
    dataset: Annotated[str, "NAME", "the dataset that the patch is of, where the output has several copies of it"] = "",
) -> str:
    """Take in what a person corrected or audited on a look page, patch=FILE.

    Returns what changed, for people. Raises `ValueError`, one sentence, and has written nothing then, if the patch isn't whole,
    or is for another dataset or for samples that have changed since.
    """
    read, folder = form.read(patch), Folder(out)
    of_out = datasets(out)
    if folder.exists("census"):
        raise ValueError(f"out={out} is a dataset: name the output folder that it lies in, whose other steps follow from it")
    with lock(folder):
        target = _meant(of_out, read, out, dataset)
        target.sweep()
        try:
            taken = take(target, read, Forgotten.of(tombstones.read(folder)))
        except PatchError as error:
            raise ValueError(f"patch={patch}: {error}") from None
        lines = [f"{Path(target.url).name}: {_counts(taken)}"]
        if read.kind == AUDIT:
            lines += audits.lines(audits.add(target, taken.patch, audit.count(taken.asked.audited)))
    return "\n".join(lines)


def _meant(folders: list[Folder], patch: Patch, out: str, name: str) -> Folder:
    """The dataset that the patch is of."""
    ids = {}
    for folder in folders:
        with contextlib.suppress(ValueError):  # one that is hardly begun
            ids[Path(folder.url).name] = dataset_id(folder)
    if name and name not in ids:
        raise ValueError(f"dataset={name}: {out} has {', '.join(ids)}")
    fits = [n for n, known in ids.items() if known == patch.dataset.id and name in ("", n)]
    if not fits:
        of = f"its dataset {patch.dataset.name[:100]!r} has the id {patch.dataset.id[:32]}, which none here has"
        raise ValueError(f"patch for another dataset: {of} ({', '.join(ids)}): name the output that the look page was made of")
    if len(fits) > 1 and patch.dataset.name in fits:
        fits = [patch.dataset.name]
    if len(fits) > 1:
        raise ValueError(f"the patch fits {' and '.join(fits)}: say which with dataset=…")
    return next(folder for folder in folders if Path(folder.url).name == fits[0])


def _counts(taken: Taken) -> str:
    samples = [sample for _, sample in taken.patch.given()]
    if taken.patch.kind == AUDIT:
        return f"an audit by {taken.patch.by}, {sum(len(sample.answers) for sample in samples):,} answers"
    verdicts = Counter(sample.verdict for sample in samples)
    counts = ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts.most_common()) or "no sample"
    made = f"{taken.num_made:,} records made" if taken.num_made else "no record made anew"
    return f"{counts}, by {taken.patch.by}; {made}, {len(taken.asked.marks):,} samples marked"
