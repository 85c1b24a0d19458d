"""Opens the datasets of a training: those of the recipe's output, and others elsewhere."""

import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from datagen.disk.storage import Folder
from datagen.drawing.endless_lines import Lines, ScriptLines
from model.data.drawn_lines import Drawn
from model.data.hugging_face.pictured import Pictured
from model.data.hugging_face.texts import Texts
from model.data.jsonl import Jsonl
from model.data.members import Members
from model.data.mixture import Source
from model.data.our_rows import Choice
from model.data.ours import Ours, find_datasets, open_ours
from model.data.row_file import is_list
from model.data.rows import Dataset
from model.data.split import Corpus, opened
from model.data.tars import Tars
from model.data.text_pieces import Pieces
from model.data.words import TEXT
from model.files.hub import is_name
from model.net.tokenizer import TextTokenizer
from model.train.data_config import HELD_OUT, LINE_TEXTS, MEASURE, TRAIN, Data
from model.train.step import Train

_PACKED = (".gz", ".zst", ".zip", ".bz2", ".xz")


@dataclass(frozen=True)
class Opened:
    """Each `Data` of a step with its datasets. `folders` are the names of those in the output."""

    places: tuple[tuple[Data, tuple[Dataset, ...]], ...]
    folders: tuple[str, ...]

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        return tuple(dataset for _, datasets in self.places for dataset in datasets)

    @property
    def whole(self) -> tuple[Dataset, ...]:
        """The datasets, without texts in pieces."""
        return tuple(dataset.whole if isinstance(dataset, Pieces) else dataset for dataset in self.datasets)


def open_all(step: Train, out: Folder, held_out: frozenset[str] = frozenset()) -> Opened:
    """All datasets of `step`. A dataset that several names match belongs to the first. A sample marked in one dataset of the
    output is left out of all; the same holds for datasets elsewhere that share a folder. Raises `ValueError` that names a missing
    or unusable dataset."""
    names = [one.where for one in step.data if one.drawn is None and not one.is_elsewhere]
    folders = find_datasets(out, names) if names else []
    waiting = open_ours(out, names, held_out) if names else []
    elsewhere = _names([one.where for one in step.data if one.is_elsewhere])
    places: list[tuple[Data, tuple[Dataset, ...]]] = []
    for one in step.data:
        if (of := one.drawn) is not None:
            drawn = Drawn(_with_text(of.lines, out), of.count, of.held_out, of.shortest, of.longest, one.where, of.tells)
            places.append((one, _chosen(one, [drawn])))
            continue
        if one.is_elsewhere:
            places.append((one, _chosen(one, _elsewhere(one, elsewhere, held_out))))
            continue
        own = set(find_datasets(out, [one.where]))
        places.append((one, _chosen(one, [dataset for dataset in waiting if _name(dataset) in own])))
        waiting = [dataset for dataset in waiting if _name(dataset) not in own]
    return Opened(
        tuple((one, tuple(_in_pieces(of, step.batches.length) for of in datasets)) for one, datasets in places), tuple(folders)
    )


def _with_text(lines: Lines, out: Folder) -> Lines:
    """The lines; those in another script with their text, which a step of the recipe left in the output. Raises `ValueError` if
    it is missing."""
    if not isinstance(lines, ScriptLines) or lines.text:
        return lines
    if not out.exists(name := f"{LINE_TEXTS}/{lines.script}.json"):
        raise ValueError(f"{out.url} has no text in {lines.script} to draw lines from: {name}")
    made = json.loads(out.read(name))
    return replace(lines, text=made["text"], other_text=made["other_text"])


def _in_pieces(dataset: Dataset, length: int) -> Dataset:
    """The dataset, with texts in pieces that fit rows of `length` tokens."""
    is_text = isinstance(dataset, Texts) or (isinstance(dataset, Ours) and dataset.task == TEXT)
    return Pieces(dataset, length) if is_text else dataset


def _chosen(one: Data, datasets: Sequence[Dataset]) -> tuple[Dataset, ...]:
    """The datasets with the samples that `one` chooses. Raises `ValueError` if the choice needs facts that a dataset lacks."""
    choice = Choice(one.unread, one.min_worth)
    if choice == Choice():
        return tuple(datasets)
    asks = choice.unread != Choice().unread or choice.min_worth > 0
    if asks and (others := [dataset.name for dataset in datasets if not isinstance(dataset, Ours)]):
        raise ValueError(
            f"data has {one.where} with unread={one.unread}, min_worth={one.min_worth}: pagewheel didn't write "
            f"{', '.join(others)}, and nobody knows these of its samples"
        )
    return tuple(dataset.choosing(choice) if isinstance(dataset, Ours) else dataset for dataset in datasets)


def _name(dataset: Ours) -> str:
    return posixpath.basename(dataset.folder.url.rstrip("/"))


def _elsewhere(one: Data, names: Mapping[str, str], held_out: frozenset[str]) -> Sequence[Dataset]:
    """The datasets at a path: a file of rows, tars of others, a dataset of ours, texts, or a Hugging Face dataset with images,
    which may be on the hub. `names` has the name of each path of the training."""
    name = names[one.where]
    is_rows = one.where.endswith(".jsonl") or (one.where.endswith(".json") and _is_list(one.where))
    if is_rows and not one.column:
        return [Jsonl(one.where, name, one.images, held_out)]
    if one.where.endswith(".tar"):
        return [Tars(one.where, name, _members(one), held_out)]
    folder = Folder(one.where.rstrip("/"))
    if folder.exists("shards"):
        parent, own = posixpath.split(folder.url)
        others = [posixpath.split(Folder(where.rstrip("/")).url) for where in names if where != one.where]
        beside = [other for place, other in others if place == parent and Folder(parent).exists(f"{other}/shards")]
        return open_ours(Folder(parent), [own], held_out, posixpath.split(name)[0], beside)
    if one.group == TEXT:
        return [Texts(one.where, name, one.column or "text", one.split)]
    if one.where.endswith(_PACKED):
        raise ValueError(f"data has {one.where}: it is compressed, and a row couldn't be read by its place: unpack it")
    if one.where.endswith(".parquet") or (folder.local and folder.local.is_dir()) or is_name(one.where):
        return [Pictured(one.where.rstrip("/"), name, one.column, one.split, held_out)]
    raise ValueError(
        f"data has {one.where}: it is no .jsonl file, no .json file with a list of rows, no .tar, no Parquet file, and no folder "
        f"with `shards`, Parquet files or a saved dataset; texts are of the group {TEXT!r}, as in text:{one.where}"
    )


def _is_list(where: str) -> bool:
    parent, name = posixpath.split(where)
    folder = Folder(parent or ".")
    return folder.exists(name) and is_list(folder, name)


def _members(one: Data) -> Members:
    names = [field.name for field in fields(Members)]
    if unknown := [name for name, _ in one.members if name not in names]:
        raise ValueError(f"data has {one.where} with members {', '.join(unknown)}: allowed are {', '.join(names)}")
    return Members(**dict(one.members))


def _names(wheres: Sequence[str]) -> dict[str, str]:
    """The shortest end of each path that distinguishes it from the others."""
    paths = {where: where.rstrip("/").split("/") for where in wheres}
    longest = max(map(len, paths.values()), default=0)
    for where, path in paths.items():
        others = [other for one, other in paths.items() if one != where]
        num = next((n for n in range(1, longest) if all(other[-n:] != path[-n:] for other in others)), longest)
        paths[where] = path[-num:]
    return {where: "/".join(path) for where, path in paths.items()}


def corpus_of(data: Opened, tokenizer: TextTokenizer, held_out_share: float) -> Corpus:
    """The datasets' rows, split, without the side that a `Data` excludes. Raises `ValueError` if a dataset is unusable."""
    uses = [one.only for one, datasets in data.places for _ in datasets]
    corpus = opened(data.datasets, tokenizer, held_out_share, [use == HELD_OUT for use in uses])
    return replace(
        corpus,
        train=tuple(rows[:0] if use == MEASURE else rows for use, rows in zip(uses, corpus.train, strict=True)),
        held_out=tuple(rows[:0] if use == TRAIN else rows for use, rows in zip(uses, corpus.held_out, strict=True)),
    )


def sources(data: Opened, corpus: Corpus) -> list[Source]:
    """The datasets' places in the mixture. The weight of a name that stands for several is divided by their numbers of
    samples."""
    places = []
    sizes = {dataset.name: len(rows) for dataset, rows in zip(corpus.datasets, corpus.train, strict=True)}
    for one, datasets in data.places:
        num = sum(sizes[dataset.name] for dataset in datasets)
        for dataset in datasets:
            weight = one.weight if one.weight is None else one.weight * sizes[dataset.name] / max(1, num)
            levels = (dict(one.difficulty), one.medium_from, one.hard_from)
            places.append(Source(dataset.name, one.group, weight, dict(one.langs), *levels, one.diverse, one.power))
    return places
