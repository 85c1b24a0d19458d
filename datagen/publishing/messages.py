"""Samples as rows of messages, from which ms-swift, LLaMA-Factory, TRL and Unsloth train any model, with images as files.

    DATASET.jsonl               {"messages": [{"role": "user", "content": "<image>\\nFree OCR."}, {"role": "assistant", …}],
                                 "images": ["images/DATASET/SHARD/KEY.png"], "id": KEY, "lang": …, "group": …, "licence": …}
    images/DATASET/SHARD/       the images
    dataset_info.json           names the files for LLaMA-Factory
    exported.json               each file, its digest and origin, and the samples left out
    .unfinished/DATASET/        finished shards of an unfinished export; gone at the end

A row asks its sample's usual prompt; text alone has no prompt. The same command goes on after a kill, and writes nothing if
nothing changed. Memory holds one sample.
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from datagen.disk.shards import image_extension, read_reports, read_samples
from datagen.disk.storage import Folder
from datagen.patching.form import dataset_id
from datagen.publishing.files import UNFINISHED, check_shard
from datagen.publishing.selection import Chosen, LeftOut, Wanted, chosen
from datagen.record import Sample
from datagen.target import PROMPTS, can_answer, encode, neutralise
from datagen.work.progress import OnState, State, ignore

VERSION = 1
"""Raise it when the same samples give other bytes."""
FORMATS = ("messages",)
NAME, INFO, IMAGES = "exported.json", "dataset_info.json", "images"
_COLUMNS = ("key", "shard", "offset", "bytes")
_TEXT = "text"
_OF_LLAMA_FACTORY = {
    "formatting": "sharegpt",
    "columns": {"messages": "messages", "images": "images"},
    "tags": {
        **{"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"},
        "system_tag": "system",
    },
}


class Form(NamedTuple):
    """The choice of samples beside `Wanted`, and the prompts: with `grounded` also for boxes, in the released model's tokens.
    Measured labels must be worth at least `min_worth`. Pages with unread regions are left out."""

    grounded: bool = False
    min_worth: float = 0.0


@dataclass
class Made:
    """The file of a dataset, as in exported.json. `left_out` has reasons, their details and the numbers of samples. `of` is the
    dataset's own id (`dataset_id`), empty in older exports."""

    made_from: str
    of: str = ""
    rows: int = 0
    images: int = 0
    num_bytes: int = 0
    left_out: tuple[tuple[str, str, int], ...] = ()


def make(
    folders: Mapping[str, Folder], wanted: Wanted, form: Form, to: Folder, on_state: OnState = ignore
) -> tuple[dict[str, Made], bool, list[str]]:
    """Make the missing files of the datasets in `folders` in `to`, on this machine's disk, and remove those of other datasets.
    Returns the datasets' files, whether anything was written, and the removed datasets.

    For the holder of the lock of `to`. Raises `ValueError` for a shard that differs from its report, and for a folder with other
    files, or with a dataset of the same name from another output; `OSError` if the disk is full.
    """
    known = _known(to)
    ids = {name: dataset_id(folder) for name, folder in folders.items()}
    for name, one in known.items():
        if one.of and name in ids and one.of != ids[name]:
            raise ValueError(f"to={to.url}: {name}.jsonl in it is of another output's {name}: name another folder")
    to.sweep()
    made: dict[str, Made] = {}
    changed = False
    for name, folder in folders.items():
        made_from = _digest(name, folder, wanted, form)
        before = known.get(name)
        if before and before.made_from == made_from and _is_whole(to, name, before):
            made[name] = before
            continue
        to.remove(f"{name}.jsonl")
        made[name] = known[name] = _made(name, folder, wanted, form, to, Made(made_from, ids[name]), on_state)
        changed = True
        _write(to, known)
    removed = sorted(known.keys() - folders.keys())
    for stale in removed:
        to.remove(f"{stale}.jsonl")
        to.remove(f"{IMAGES}/{stale}")
        del known[stale]
        changed = True
    _write(to, known)
    if to.exists(UNFINISHED):
        to.remove(UNFINISHED)
    return made, changed, removed


def row(sample: Sample, image: str, form: Form) -> dict[str, Any] | None:
    """The row of a sample whose image is called `image`; None if the sample has no answer, or none without boxes."""
    values = {"id": sample.key, "lang": sample.lang, "group": sample.group, "licence": sample.origin.licence}
    if sample.task == _TEXT:
        return {"messages": [_message("assistant", neutralise(sample.text))], "images": []} | values
    for asked, *_ in PROMPTS.get(sample.task, ()):
        if can_answer(sample, asked) and (form.grounded or not asked.is_grounded):
            prompt, answer = encode(sample, asked)
            if answer.strip():
                return {"messages": [_message("user", prompt), _message("assistant", answer)], "images": [image]} | values
    return None


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _chosen(folder: Folder, wanted: Wanted, form: Form) -> Iterator[tuple[Chosen, list[dict[str, Any]]]]:
    """The choice shard by shard, with its rows of the manifest that this form takes; the others are counted as left out."""
    for each in chosen(folder, read_reports(folder), wanted):
        rows = []
        for one in each.part.select([*_COLUMNS, "num_unread", "worth"]).to_pylist():
            if one["num_unread"]:
                each.left_out[LeftOut("unread", "regions that nobody read")] += 1
            elif 0 <= one["worth"] < form.min_worth:
                each.left_out[LeftOut("worth", "labels that are worth little")] += 1
            else:
                rows.append({name: one[name] for name in _COLUMNS})
        yield each, rows


def _digest(name: str, folder: Folder, wanted: Wanted, form: Form) -> str:
    digest = hashlib.sha256(f"{name} {VERSION} {list(form)}".encode())
    for each, rows in _chosen(folder, wanted, form):
        digest.update(f"\n{_of_shard(each, rows, form)} {sorted(each.left_out.items())}".encode())
    return digest.hexdigest()


def _of_shard(each: Chosen, rows: Sequence[Mapping[str, Any]], form: Form) -> str:
    what = f"{VERSION} {list(form)} {each.report.shard} {each.report.sha256} {[one['offset'] for one in rows]}"
    return hashlib.sha256(what.encode()).hexdigest()


def _made(name: str, folder: Folder, wanted: Wanted, form: Form, to: Folder, made: Made, on_state: OnState) -> Made:
    left_out, staged, shards = Counter[LeftOut](), list[str](), set[str]()
    for each, rows in _chosen(folder, wanted, form):
        shard, of_shard = f"{UNFINISHED}/{name}/{each.report.shard}", _of_shard(each, rows, form)
        counts = json.loads(to.read(f"{shard}.json")) if to.exists(f"{shard}.json") else {}
        if counts.get("made_from") != of_shard:
            to.remove(f"{shard}.json")  # first, so that it never stands beside images of other rows
            counts = {"made_from": of_shard} | _shard(name, folder, each, rows, form, to, f"{shard}.jsonl")
            to.write(f"{shard}.json", json.dumps(counts).encode())
        staged.append(f"{shard}.jsonl")
        shards.add(each.report.shard)
        made.rows += counts["rows"]
        made.images += counts["images"]
        left_out += each.left_out
        left_out[LeftOut("no_answer", "nothing to answer" + " without boxes" * (not form.grounded))] += counts["no_answer"]
        on_state(State(made.rows, 0, "rows", name))
    for stale in set(to.sub(f"{IMAGES}/{name}").folders()) - shards:
        to.remove(f"{UNFINISHED}/{name}/{stale}.json")
        to.remove(f"{IMAGES}/{name}/{stale}")
    with to.create(f"{name}.jsonl") as file:
        for part in staged:
            with to.open(part) as opened:
                shutil.copyfileobj(opened, file, 1 << 20)
        made.num_bytes = file.tell()
    made.left_out = tuple((*why, n) for why, n in sorted(left_out.items()) if n)
    return made


def _shard(
    name: str, folder: Folder, each: Chosen, rows: Sequence[Mapping[str, Any]], form: Form, to: Folder, part: str
) -> dict[str, int]:
    """Write the rows of a shard and its images; returns their counts."""
    check_shard(folder, each.report)
    place, images = to.sub(f"{IMAGES}/{name}/{each.report.shard}"), set[str]()
    counts = {"rows": 0, "images": 0, "no_answer": 0}
    with to.create(part) as file:
        for sample in read_samples(folder, rows):
            image = f"{sample.key}.{image_extension(sample.image)}" if sample.image else ""
            made = row(sample, f"{IMAGES}/{name}/{each.report.shard}/{image}", form)
            if made is None:
                counts["no_answer"] += 1
                continue
            if sample.image and made["images"]:
                place.write(image, sample.image)
                images.add(image)
            file.write(json.dumps(made, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
            counts["rows"] += 1
    counts["images"] = len(images)
    for stale in set(place.names()) - images:
        place.remove(stale)
    return counts


def _write(to: Folder, known: Mapping[str, Made]) -> None:
    content = {"format": FORMATS[0], "datasets": {name: asdict(made) for name, made in sorted(known.items())}}
    info = {name: {"file_name": f"{name}.jsonl"} | _OF_LLAMA_FACTORY for name, made in sorted(known.items()) if made.images}
    to.write(INFO, json.dumps(info, indent=1).encode())
    to.write(NAME, json.dumps(content, ensure_ascii=False, indent=1).encode())


def _is_whole(to: Folder, name: str, made: Made) -> bool:
    path, images = to.local and to.local / f"{name}.jsonl", to.sub(f"{IMAGES}/{name}")
    if not path or not path.is_file() or path.stat().st_size != made.num_bytes:
        return False
    return sum(len(images.sub(shard).names()) for shard in images.folders()) == made.images


def _known(to: Folder) -> dict[str, Made]:
    """The datasets in the export. Raises `ValueError` for a folder with other files."""
    if not to.exists(NAME):
        if strange := [n for n in [*to.names(), *to.folders()] if n not in (".lock", INFO, UNFINISHED)]:
            raise ValueError(f"to={to.url}: {strange[0]} is in it, and no export of pagewheel: name an empty folder")
        _write(to, {})  # from now on it is an export
    try:
        datasets = json.loads(to.read(NAME))["datasets"]
        return {name: Made(**values) for name, values in datasets.items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{to.path(NAME)} is damaged ({error}): delete the folder, or name another one") from None
