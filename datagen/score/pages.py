"""True and predicted pages, whatever they come from: OmniDocBench's JSON, Fox, datasets, folders of Markdown.

Pages go by the name of their image or document without its suffix, `STEM`. A dataset's page has four names: its source's stem
(where no other page has the same source), its key, the source's name with the page's number behind it, from 0, as OmniDocBench
calls pages: `paper.pdf_7`, and the same with the folders before it. A page that a model was asked about and that dropped is
predicted by its answer; a blank one by nothing at all.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from datagen.asking.profiles import BLANK, FATES
from datagen.disk import manifest, marks
from datagen.disk.shards import read_records, read_reports
from datagen.disk.storage import Folder
from datagen.labels import PICTURES, RUNNING, label_of
from datagen.markdown import markdown
from datagen.record import Region, Sample
from datagen.score import parts
from datagen.score.benchmarks import Excluded, fox_pages, omnidocbench_file
from datagen.score.layout import Placed
from datagen.target import REF, decode

BESIDE = frozenset(
    "figure_caption figure_footnote table_caption table_footnote code_algorithm code_algorithm_caption header footer "
    "page_footnote page_number equation_caption image_caption footnote".split()
)
"""Kinds of blocks, OmniDocBench's and the record's, that count neither for text nor for reading order, there as here."""

# Areas that OmniDocBench leaves out of its scores, and what it calls discarded. No label is right or wrong there.
_UNSCORED = frozenset({"abandon", "text_mask", "table_mask", "need_mask", "algorithm_mask", "organic_chemical_formula_mask"})
_COARSER = {"sub_title": "title", "list": "text", "toc": "text"} | dict.fromkeys(PICTURES, "image")
"""What OmniDocBench doesn't tell apart, and so isn't told apart where it is the truth."""
_SIDE = 1000  # of the page that a grounded answer's boxes are put on
_NOTHING: Excluded = {}


class Block(NamedTuple):
    """A block of the ground truth. `kind` is text, table or formula; `text` is plain or Markdown, HTML, LaTeX. `order` is its
    place in reading order, None where it has none. `beside`: one of `BESIDE`. `is_wrong`: known to be wrong, so that it has its
    reading, and neither counts."""

    kind: str
    text: str
    order: float | None
    beside: bool
    is_wrong: bool = False


@dataclass(frozen=True)
class TruePage:
    """`names` are all that a prediction may be called, the usual one first. `placed` are its boxes; `coarse` where labels are
    OmniDocBench's, which are fewer. `blocks` stand in reading order, those without one last."""

    names: tuple[str, ...]
    blocks: tuple[Block, ...]
    placed: tuple[Placed, ...]
    coarse: bool = False

    @property
    def name(self) -> str:
        return self.names[0]


@dataclass(frozen=True)
class PredictedPage:
    """`placed` is None where nobody says boxes, as in Markdown. `grounded` is an answer with boxes, as it stands, or ""."""

    names: tuple[str, ...]
    markdown: str
    placed: tuple[Placed, ...] | None = None
    grounded: str = ""


def truths(path: str, wrong: Excluded = _NOTHING) -> list[TruePage]:
    """The pages of OmniDocBench's JSON, of a dataset's folder, of `omnidocbench:DIR` or of `fox:DIR`. `wrong` are the blocks of
    OmniDocBench's pages that are known to be so. Raises `ValueError` if `path` is none of that."""
    benchmark, _, folder = path.partition(":")
    if benchmark == "fox" and folder:
        return [
            TruePage(tuple(dict.fromkeys((page.image.stem, page.image.name))), _blocks((), page.text), ())
            for page in fox_pages(folder)
            if page.image.name not in wrong
        ]
    file = omnidocbench_file(folder) if benchmark == "omnidocbench" and folder else Path(path)
    if not folder and _is_dataset(path):
        return [TruePage(names, _blocks(page.regions, page.text), _placed(page)) for names, page in _samples(path)]
    try:
        pages = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        problem = "it can't be read" if isinstance(error, OSError) else "it is no JSON"
        raise ValueError(f"gt={path}: OmniDocBench's JSON, a .jsonl of olmOCR-bench, or a dataset is needed; {problem}") from None
    if not isinstance(pages, list) or not pages:
        raise ValueError(f"gt={path}: OmniDocBench's JSON is a list of pages; this is none, or has no page")
    return [_omnidocbench(page, f"gt={path}, page {number}", wrong) for number, page in enumerate(pages, 1)]


def predictions(path: str) -> list[PredictedPage]:
    """The pages of a folder of STEM.md, plain or grounded, or of a dataset's folder. Raises `ValueError` if there is neither."""
    if _is_dataset(path):
        return [
            PredictedPage(names, markdown(page.regions) if page.regions else page.text, _placed(page) if page.regions else None)
            for names, page in _samples(path)
        ] + _answered(path)
    folder = Path(path)
    files = sorted(file for file in folder.rglob("*") if file.suffix in (".md", ".mmd", ".txt")) if folder.is_dir() else []
    if not files:
        raise ValueError(f"pred={path}: a folder of STEM.md files, or of one of our datasets, is needed; there is neither")
    names = [dict.fromkeys((file.relative_to(folder).with_suffix("").as_posix(), file.stem)) for file in files]
    texts = (file.read_text(encoding="utf-8", errors="replace") for file in files)
    return [as_prediction(tuple(of), text) for of, text in zip(names, texts, strict=True)]


def paired(
    truth: Sequence[TruePage], predicted: Sequence[PredictedPage]
) -> tuple[list[PredictedPage | None], list[PredictedPage]]:
    """The prediction of each true page, None where there is none, and the predictions of no page. A name that two predictions
    have is nobody's."""
    holders: dict[str, list[PredictedPage]] = {}
    for page in predicted:
        for name in page.names:
            holders.setdefault(name, []).append(page)
    chosen = [next((holders[name][0] for name in page.names if len(holders.get(name, ())) == 1), None) for page in truth]
    used = {id(page) for page in chosen if page is not None}
    return chosen, [page for page in predicted if id(page) not in used]


def as_coarse(placed: Iterable[Placed]) -> tuple[Placed, ...]:
    """With labels that OmniDocBench has."""
    return tuple(one._replace(label=_COARSER.get(one.label, one.label)) for one in placed)


def as_prediction(names: tuple[str, ...], text: str) -> PredictedPage:
    """A page of these names, of Markdown or of a grounded answer, whose blocks are its text, but for those of every page."""
    regions = decode(text, (_SIDE, _SIDE)) if REF in text else ()
    if not regions:
        return PredictedPage(names, text)
    placed = tuple(Placed(r.label, (r.box[0] / _SIDE, r.box[1] / _SIDE, r.box[2] / _SIDE, r.box[3] / _SIDE)) for r in regions)
    return PredictedPage(names, "\n\n".join(r.text for r in regions if r.label not in RUNNING), placed, text)


def _is_dataset(path: str) -> bool:
    return Folder(path).exists("shards")


def _samples(path: str) -> Iterator[tuple[tuple[str, ...], Sample]]:
    """The pages of a dataset, as `named` calls them; of those that people corrected, the last state. Raises `ValueError` if there
    is none."""
    folder = Folder(path)
    aside = marks.set_aside(folder)
    samples = list(read_records(folder, manifest.rows(folder, lambda row: not marks.is_marked(row["key"], aside))))
    if not samples:
        raise ValueError(f"{path} is a dataset without samples: run its recipe first")
    return named(samples)


def named(samples: Sequence[Sample]) -> Iterator[tuple[tuple[str, ...], Sample]]:
    """The samples of a dataset, pages, crops, tables and formulas each, with all that a prediction of them may be called."""
    places = [(sample.origin.uri, sample.origin.page, sample.key) for sample in samples]
    return zip(_names(places), samples, strict=True)


def _answered(path: str) -> list[PredictedPage]:
    """What a model said of the pages that dropped for what it said, such as loops."""
    drops = [drop for report in read_reports(Folder(path)) for drop in report.drops if drop.part and drop.reason in FATES]
    answered = [(drop, drop.readings[0].text if drop.readings else "") for drop in drops if drop.readings or drop.reason == BLANK]
    names = _names([(drop.uri, drop.part.first, drop.key) for drop, _ in answered if drop.part])
    return [as_prediction(of, text) for of, (_, text) in zip(names, answered, strict=True)]


def _names(places: Sequence[tuple[str, int, str]]) -> Iterator[tuple[str, ...]]:
    """The names of pages by their source, number and key."""
    num_of_uri = Counter(uri for uri, _, _ in places)
    for uri, number, key in places:
        source = PurePosixPath(uri.replace("::", "/"))
        yield (*((source.stem,) if num_of_uri[uri] == 1 else ()), key, f"{source.name}_{number}", f"{source}_{number}")


def _placed(sample: Sample) -> tuple[Placed, ...]:
    w, h = sample.size
    return tuple(
        Placed(r.label, (r.box[0] / w, r.box[1] / h, r.box[2] / w, r.box[3] / h), 1.0 if r.score is None else r.score)
        for r in sample.regions
    )


def _blocks(regions: Sequence[Region], text: str) -> tuple[Block, ...]:
    if not regions:
        return tuple(Block(part.kind, part.text, number, False) for number, part in enumerate(parts.parts(text)))
    kinds = {"html": parts.TABLE, "latex": parts.FORMULA}
    readable = [region for region in regions if region.label not in PICTURES and not region.is_unread and region.text.strip()]
    orders = [None if region.label in RUNNING else number for number, region in enumerate(readable)]
    return tuple(
        Block(kinds.get(region.format, parts.TEXT), region.text, order, region.label in BESIDE)
        for region, order in zip(readable, orders, strict=True)
    )


def _omnidocbench(page: Any, where: str, wrong: Excluded) -> TruePage:
    try:
        info, boxes = page["page_info"], page["layout_dets"]
        size = _size(info, boxes)
        name = str(info["image_path"])
        scored = [box for box in boxes if not box.get("ignore") and box["category_type"] not in _UNSCORED]
        placed = [Placed(label_of("omnidocbench", box["category_type"]), _shares(box["poly"], size)) for box in scored]
        numbers = wrong.get(PurePosixPath(name).name, frozenset())
        blocks = [block for box in _whole(scored, page.get("extra") or {}) if (block := _block(box, numbers))]
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"{where} isn't as OmniDocBench writes it: {type(error).__name__}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    blocks.sort(key=lambda block: (block.order is None, block.order or 0))
    path = PurePosixPath(name)
    names = path.stem, path.with_suffix("").as_posix(), path.stem.replace(".pdf", ""), path.name
    return TruePage(tuple(dict.fromkeys(names)), tuple(blocks), as_coarse(placed), True)


def _size(info: Mapping[str, Any], boxes: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """A page's width and height. Some of OmniDocBench's files have the two exchanged: boxes then leave the page, and don't leave
    it with the sides as they ought to be."""
    width, height = float(info["width"]), float(info["height"])
    right, bottom = (max((max(box["poly"][side::2]) for box in boxes), default=0.0) for side in (0, 1))
    leaves = right > width or bottom > height
    return (height, width) if leaves and right <= height and bottom <= width else (width, height)


def _block(box: Mapping[str, Any], wrong: frozenset[str]) -> Block | None:
    category = box["category_type"]
    kind = {"table": parts.TABLE, "equation_isolated": parts.FORMULA}.get(category, parts.TEXT)
    field = {parts.TABLE: "html", parts.FORMULA: "latex", parts.TEXT: "text"}[kind]
    text = str(box.get(field) or "")
    order = box.get("order")
    if not text.strip():
        return None
    numbers = box.get("numbers") or [box.get("anno_id")]
    is_wrong = not wrong.isdisjoint(map(str, numbers))
    return Block(kind, text, None if order is None else float(order), category in BESIDE, is_wrong)


def _whole(boxes: Sequence[Mapping[str, Any]], extra: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The boxes, with those in one that are pieces of one paragraph, as the relation `truncated` says: in the first's place, with
    the `numbers` of all."""
    by_id = {box.get("anno_id"): box for box in boxes if "text" in box and box.get("order") is not None}
    head: dict[Any, Any] = {}

    def first(piece: Any) -> Any:
        while piece in head:
            piece = head[piece]
        return piece

    for relation in extra.get("relation") or ():
        pair = first(relation["source_anno_id"]), first(relation["target_anno_id"])
        if relation["relation_type"] == "truncated" and pair[0] != pair[1] and all(piece in by_id for piece in pair):
            earlier, later = sorted(pair, key=lambda piece: float(by_id[piece]["order"]))
            head[later] = earlier
    pieces: dict[Any, list[Mapping[str, Any]]] = {}
    for piece in by_id:
        pieces.setdefault(first(piece), []).append(by_id[piece])
    whole = []
    for box in boxes:
        number = box.get("anno_id")
        if by_id.get(number) is not box:
            whole.append(box)
        elif number not in head:
            of_text = sorted(pieces[number], key=lambda piece: float(piece["order"]))
            text = "".join(str(piece["text"]) for piece in of_text)
            whole.append({**box, "text": text, "numbers": [piece.get("anno_id") for piece in of_text]})
    return whole


def _shares(poly: Sequence[float], size: tuple[float, float]) -> tuple[float, float, float, float]:
    xs, ys = poly[0::2], poly[1::2]
    return min(xs) / size[0], min(ys) / size[1], max(xs) / size[0], max(ys) / size[1]
