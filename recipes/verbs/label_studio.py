"""`make label_studio`: a dataset's samples as tasks for Label Studio, and what people did there as a patch."""

import json
from pathlib import Path
from typing import Annotated

from datagen.disk.storage import Folder
from datagen.patching.check import rows_of
from datagen.patching.form import dataset_id
from datagen.publishing import label_studio as form
from datagen.publishing import label_studio_answers as exported
from datagen.record import Sample
from recipes.verbs.status import by_name


def label_studio(
    out: str,
    to: Annotated[str, "FILE.json", "the tasks to write; with answers=…, the patch"],
    answers: Annotated[str, "FILE.json", "what Label Studio exported, in its format JSON: makes a patch of it"] = "",
    dataset: Annotated[str, "NAME", "the dataset of the output, where it has several"] = "",
    limit: Annotated[int, "N", "at most N tasks, the worst samples first"] = 0,
    by: Annotated[str, "NAME", "of several people who answered, the one whose answers are taken"] = "",
) -> str:
    """A dataset as tasks for Label Studio, to=FILE.json; and with answers=FILE.json what people did there, as a patch.

    Returns what there is to say, for people. Raises `ValueError`, one sentence, for what can't be read or told."""
    path = Path(to).expanduser().absolute()
    if "://" in to or path.is_dir() or path.suffix != ".json":
        raise ValueError(f"to={to}: a file on a local disk is needed, such as {'patch' if answers else 'tasks'}.json")
    folders = by_name(out, dataset)
    if answers:
        return _patch(answers, folders, by, path, out)
    if len(folders) > 1:
        raise ValueError(f"{out} has {', '.join(folders)}: say which with dataset=…")
    ((name, folder),) = folders.items()
    return _tasks(name, folder, path, limit)


def _tasks(name: str, folder: Folder, path: Path, limit: int) -> str:
    beside, images = Folder(str(path.parent)), f"{path.stem}-images"
    chosen, num_texts = form.rows(folder, limit)
    if not chosen:
        raise ValueError(f"{name} has no sample with an image to look at{f', and {num_texts} texts' if num_texts else ''}")
    beside.write(f"{path.stem}.xml", form.configuration().encode())
    with beside.create(path.name) as file:
        for number, (task, image, content) in enumerate(form.tasks(folder, name, chosen, images)):
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


def _patch(answers: str, folders: dict[str, Folder], by: str, path: Path, out: str) -> str:
    try:
        content = Path(answers).expanduser().read_bytes()
        by, tasks, num_open = exported.tasks(content, by)
    except OSError as error:
        raise ValueError(f"answers={answers}: {error.strerror or 'it cannot be read'}") from None
    except ValueError as error:
        raise ValueError(f"answers={answers}: {error}") from None
    known = {dataset_id(folder): name for name, folder in folders.items()}
    ids = {task.dataset for task in tasks}
    if len(ids) > 1 or not ids <= known.keys():
        raise ValueError(f"answers={answers}: its tasks were made of another dataset than {out} has ({', '.join(folders)})")
    (id,) = ids
    folder = folders[known[id]]
    rows = rows_of(folder, {task.key for task in tasks})
    records = dict(zip(rows, form.records(folder, rows.values()), strict=True))
    samples = []
    for task in tasks:
        if task.key not in records:
            raise ValueError(f"answers={answers}: {known[id]} has no sample {task.key} any more: write the tasks anew")
        record = records[task.key]
        try:
            samples.append(exported.patched(task, Sample.from_json(record), record))
        except ValueError as error:
            raise ValueError(f"answers={answers}: {error}") from None
    patch = {"form": "pagewheel patch", "version": 1, "dataset": {"name": known[id], "id": id}, "by": by, "kind": "correct"}
    Folder(str(path.parent)).write(path.name, json.dumps(patch | {"samples": samples}, ensure_ascii=False, indent=1).encode())
    verdicts = [sample["verdict"] for sample in samples]
    counts = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in ("right", "corrected", "wrong", "skip"))
    left = f"; {num_open} tasks aren't answered" if num_open else ""
    return f"{known[id]}: {counts}, by {by}{left}\nwritten: {path}; make patch out={out} patch={path} takes it in"
