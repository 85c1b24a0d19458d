"""`make patch`: a person's work on a look page, taken into its dataset. `make label_studio`: samples as tasks for Label Studio,
and people's work there as a patch."""

import contextlib
import json
from collections import Counter
from pathlib import Path
from typing import Annotated

from datagen.disk.storage import Folder
from datagen.patching import form
from datagen.patching.check import rows_of
from datagen.patching.form import AUDIT, Patch, PatchError, dataset_id
from datagen.publishing import label_studio as label_tasks
from datagen.publishing import label_studio_answers as label_answers
from datagen.record import Sample
from datagen.score import audit
from datagen.work import tombstones
from datagen.work.dataset import lock
from datagen.work.take_patch import Taken, take
from datagen.work.tombstones import Forgotten
from recipes.steps import audits
from recipes.verbs.status import by_name


def patch(
    out: str,
    patch: Annotated[str, "FILE", "the patch that a look page saved"],
    dataset: Annotated[str, "NAME", "the dataset that the patch is of, where the output has several copies of it"] = "",
) -> str:
    """Take in what a person corrected or audited on a look page, patch=FILE. Returns the changes, for people. Raises
    `ValueError`, one sentence, and writes nothing, if the patch isn't whole, or is for another dataset or for samples that have
    changed since."""
    read, folder = form.read(patch), Folder(out)
    of_out = by_name(out)
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


def _meant(folders: dict[str, Folder], patch: Patch, out: str, name: str) -> Folder:
    """The dataset of the patch."""
    ids = {}
    for each, folder in folders.items():
        with contextlib.suppress(ValueError):  # a dataset that has hardly begun
            ids[each] = dataset_id(folder)
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
    return folders[fits[0]]


def _counts(taken: Taken) -> str:
    samples = [sample for _, sample in taken.patch.given()]
    if taken.patch.kind == AUDIT:
        return f"an audit by {taken.patch.by}, {sum(len(sample.answers) for sample in samples):,} answers"
    verdicts = Counter(sample.verdict for sample in samples)
    counts = ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts.most_common()) or "no sample"
    made = f"{taken.num_made:,} records made" if taken.num_made else "no record made anew"
    return f"{counts}, by {taken.patch.by}; {made}, {len(taken.asked.marks):,} samples marked"


def label_studio(
    out: str,
    to: Annotated[str, "FILE.json", "the tasks to write; with answers=…, the patch"],
    answers: Annotated[str, "FILE.json", "what Label Studio exported, in its format JSON: makes a patch of it"] = "",
    dataset: Annotated[str, "NAME", "the dataset of the output, where it has several"] = "",
    limit: Annotated[int, "N", "at most N tasks, the worst samples first"] = 0,
    by: Annotated[str, "NAME", "of several people who answered, the one whose answers are taken"] = "",
) -> str:
    """A dataset as tasks for Label Studio, to=FILE.json; and with answers=FILE.json what people did there, as a patch. Returns a
    message for people. Raises `ValueError`, one sentence, for wrong or unreadable files."""
    path = Path(to).expanduser().absolute()
    if "://" in to or path.is_dir() or path.suffix != ".json":
        raise ValueError(f"to={to}: a file on a local disk is needed, such as {'patch' if answers else 'tasks'}.json")
    folders = by_name(out, dataset)
    if answers:
        try:
            return _patch_of(answers, folders, by, path, out)
        except ValueError as error:
            raise ValueError(f"answers={answers}: {error}") from None
    if len(folders) > 1:
        raise ValueError(f"{out} has {', '.join(folders)}: say which with dataset=…")
    ((name, folder),) = folders.items()
    return _tasks(name, folder, path, limit)


def _tasks(name: str, folder: Folder, path: Path, limit: int) -> str:
    beside, images = Folder(str(path.parent)), f"{path.stem}-images"
    chosen, num_texts = label_tasks.rows(folder, limit)
    if not chosen:
        raise ValueError(f"{name} has no sample with an image to look at{f', and {num_texts} texts' if num_texts else ''}")
    beside.write(f"{path.stem}.xml", label_tasks.configuration().encode())
    with beside.create(path.name) as file:
        for number, (task, image, content) in enumerate(label_tasks.tasks(folder, name, chosen, images)):
            beside.write(f"{images}/{image}", content)
            line = json.dumps(task, ensure_ascii=False, separators=(",", ":"))
            file.write((b"[" if number == 0 else b",\n") + line.encode("utf-8", "replace"))
        file.write(b"]\n")
    texts = f"; {num_texts} texts have no image, so they are left out" if num_texts else ""
    return "\n".join(
        [
            f"{name}: {len(chosen):,} tasks in {path}{texts}",
            f"start Label Studio with LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true and "
            f"LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={path.parent}",
            f"in a project: paste {path.stem}.xml as its labeling interface, add {path.parent / images} as local storage without "
            f"syncing it, import {path.name}; later export it as JSON, for answers=…",
        ]
    )


def _patch_of(answers: str, folders: dict[str, Folder], by: str, path: Path, out: str) -> str:
    """Raises `ValueError`, without the word's name, for answers that can't be taken."""
    try:
        content = Path(answers).expanduser().read_bytes()
    except OSError as error:
        raise ValueError(error.strerror or "it cannot be read") from None
    by, tasks, num_open = label_answers.tasks(content, by)
    known = {dataset_id(folder): name for name, folder in folders.items()}
    ids = {task.dataset for task in tasks}
    if len(ids) > 1 or not ids <= known.keys():
        raise ValueError(f"its tasks were made of another dataset than {out} has ({', '.join(folders)})")
    (id,) = ids
    folder = folders[known[id]]
    rows = rows_of(folder, {task.key for task in tasks})
    records = dict(zip(rows, label_tasks.records(folder, rows.values()), strict=True))
    samples = []
    for task in tasks:
        if task.key not in records:
            raise ValueError(f"{known[id]} has no sample {task.key} any more: write the tasks anew")
        samples.append(label_answers.patched(task, Sample.from_json(records[task.key]), records[task.key]))
    patch = {"form": "pagewheel patch", "version": 1, "dataset": {"name": known[id], "id": id}, "by": by, "kind": "correct"}
    Folder(str(path.parent)).write(path.name, json.dumps(patch | {"samples": samples}, ensure_ascii=False, indent=1).encode())
    verdicts = [sample["verdict"] for sample in samples]
    counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in ("right", "corrected", "wrong", "skip"))
    left = f"; {num_open} tasks aren't answered" if num_open else ""
    return f"{known[id]}: {counts}, by {by}{left}\nwritten: {path}; make patch out={out} patch={path} takes it in"
