"""MinerU's output as annotated pages: for each document the file `middle.json`, which both of its backends write.

    mineru -p DIR -o OUT        run by its user
    MinerU("OUT")

MinerU itself isn't called: it needs an environment of its own. A document is known by the stem of its file's name, a page by its
number. `content_list.json` isn't read: captions have no places in it.

The file's form is that of MinerU's reference (docs/en/reference/output_files.md in opendatalab/MinerU, versions 2.5 to 3).
"""

import contextlib
import functools
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, ClassVar, NamedTuple

from datagen.disk.storage import Folder, resolve
from datagen.labels import PICTURES, is_page_number, label_of
from datagen.markdown import bare_latex
from datagen.record import Box, Line, Region, Sample, SampleError
from datagen.tables import markup
from datagen.tables.cells import to_html
from datagen.writing.join_lines import joined

_NAME = "mineru"
_FILE = "middle.json"
_PAGE_FORM = 0.03
"""By so much the form of MinerU's page, width to height, may differ from that of the image."""
_DOCUMENTS = 8
"""Files that are kept open, since the pages of a document come one after another."""


class MinerU:
    """The output folder `folder`, anywhere that fsspec reaches. Raises `ValueError` if it has no `middle.json`."""

    reach: ClassVar[tuple[str, ...]] = ("folder",)

    def __init__(self, folder: str):
        self.folder = Folder(folder)
        self._document = functools.lru_cache(_DOCUMENTS)(self._read)

    def versions(self) -> dict[str, str]:
        """MinerU's version and backend by the first of its files that is whole, and a digest of what lies in the folder."""
        listed = sorted((name, size) for names in self._files.values() for name, size in names)
        version = "unknown"
        for name, _ in listed:
            with contextlib.suppress(SampleError):
                document = self._json(name)
                version = f"{document.get('_version_name', version)} {document.get('_backend', '')}".strip()
                break
        return {_NAME: version, f"{_NAME} folder": hashlib.sha256(json.dumps(listed).encode()).hexdigest()}

    def pages(self, samples: Sequence[Sample]) -> list[tuple[Region, ...] | SampleError]:
        """The regions of each page, in MinerU's order: running heads first, feet last. A sample without such a page, or with one
        of another form, has a reason instead."""
        found: list[tuple[Region, ...] | SampleError] = []
        for sample in samples:
            try:
                found.append(self._page(sample))
            except SampleError as error:
                found.append(error)
        return found

    def close(self) -> None:
        self._document.cache_clear()

    @functools.cached_property
    def _files(self) -> Mapping[str, list[tuple[str, int]]]:
        """The files of each document, with their sizes, by its stem."""
        fs, root = resolve(self.folder.url)
        root = root.rstrip("/")
        files: dict[str, list[tuple[str, int]]] = {}
        for path, info in fs.find(root, detail=True).items():
            name = PurePosixPath(path)
            if name.name.endswith(_FILE):
                stem = name.name.removesuffix(_FILE).removesuffix("_") or name.parent.parent.name
                files.setdefault(stem, []).append((path[len(root) + 1 :], info.get("size") or 0))
        if not files:
            raise ValueError(f"{self.folder.url} holds no {_FILE}: the output folder of mineru -p DIR -o OUT is needed")
        return files

    def _read(self, stem: str) -> dict[str, Any]:
        """The document's file. Raises `SampleError` if there is none, more than one, or one that MinerU didn't write."""
        files = self._files.get(stem, [])
        if len(files) != 1:
            names = ", ".join(sorted(name for name, _ in files))
            raise SampleError("mineru_ambiguous" if files else "not_in_mineru", names or f"no {stem}_{_FILE}")
        return self._json(files[0][0])

    def _json(self, name: str) -> dict[str, Any]:
        try:
            document: dict[str, Any] = json.loads(self.folder.read(name))
            document["pdf_info"][0]
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            raise SampleError("mineru_garbled", f"{name}: {type(error).__name__}: {error}") from None
        return document

    def _page(self, sample: Sample) -> tuple[Region, ...]:
        stem = PurePosixPath(sample.origin.uri).stem
        document = self._document(stem)
        for at, page in enumerate(document["pdf_info"]):
            if page.get("page_idx", at) == sample.origin.page:
                break
        else:
            raise SampleError("not_in_mineru", f"{stem} has no page {sample.origin.page}")
        try:
            return _regions(page, sample.size)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise SampleError("mineru_garbled", f"{stem}, page {sample.origin.page}: {error!r}") from None


class _Frame(NamedTuple):
    """How MinerU's page lies in an image of `size`, and the boxes of lines with which items of lists begin."""

    scale: tuple[float, float]
    size: tuple[int, int]
    starts: frozenset[tuple[float, ...]] = frozenset()

    def box(self, corners: Sequence[float]) -> Box:
        """Pixels of the image; at least one, whatever MinerU says. Raises `ValueError` for what aren't four numbers."""
        x0, y0, x1, y1 = corners
        (left, right), (top, bottom) = (
            _inside(first * scale, last * scale, side)
            for first, last, scale, side in ((x0, x1, self.scale[0], self.size[0]), (y0, y1, self.scale[1], self.size[1]))
        )
        return Box(left, top, right, bottom)


def _inside(first: float, last: float, side: int) -> tuple[int, int]:
    start = min(max(0, math.floor(first)), side - 1)
    return start, min(max(math.ceil(last), start + 1), side)


def _regions(page: Mapping[str, Any], size: tuple[int, int]) -> tuple[Region, ...]:
    """The regions of a page, in pixels of an image of `size`."""
    width, height = map(float, page["page_size"])
    if abs(width * size[1] - height * size[0]) > _PAGE_FORM * width * size[1]:
        raise SampleError("mineru_other_page", f"{width:g} x {height:g}, the image has {size[0]} x {size[1]} pixels")
    # The pipeline's paragraphs hold lines of later columns and pages, so its blocks before these were joined are read.
    paragraphs = page.get("para_blocks") or []
    marked = (line for block in paragraphs for line in block.get("lines") or [] if line.get("is_list_start_line"))
    frame = _Frame((size[0] / width, size[1] / height), size, frozenset(tuple(line["bbox"]) for line in marked))
    kinds = {tuple(block["bbox"]): block["type"] for block in paragraphs if block["type"] in ("list", "index")}
    going_on = _going_on(paragraphs)
    body = [
        replace(region, continues=tuple(block["bbox"]) in going_on)
        for block in page.get("preproc_blocks") or paragraphs
        for region in _of_block(block, frame, kinds.get(tuple(block["bbox"]), block["type"]))
    ]
    running = [
        region
        for block in page.get("discarded_blocks") or []
        for region in _of_block(block, frame, _of_page(block, height) if block["type"] == "discarded" else block["type"])
    ]
    above = [region for region in running if region.box.y0 + region.box.y1 < size[1]]
    return (*above, *body, *(region for region in running if region not in above))


def _going_on(paragraphs: Sequence[Mapping[str, Any]]) -> set[tuple[float, ...]]:
    """The boxes of blocks that go on in the next column or page: MinerU has moved the lines from there to them."""
    boxes: set[tuple[float, ...]] = set()
    before: tuple[float, ...] = ()
    for block in paragraphs:
        if block.get("lines_deleted") and before:
            boxes.add(before)
        if block["type"] in ("text", "list"):
            before = tuple(block["bbox"])
            if any(_is_elsewhere(line) for line in block.get("lines") or []):
                boxes.add(before)
    return boxes


def _is_elsewhere(line: Mapping[str, Any]) -> bool:
    """Whether a line stands on the next page."""
    return any(span.get("cross_page") for span in line["spans"])


def _of_page(block: Mapping[str, Any], height: float) -> str:
    """The type of what old versions discard without saying what it is."""
    if is_page_number("".join(_text_of(line) for line in block.get("lines") or [])):
        return "page_number"
    return "header" if block["bbox"][1] + block["bbox"][3] < height else "footer"


def _of_block(block: Mapping[str, Any], frame: _Frame, kind: str) -> Iterator[Region]:
    """The regions of a block: of what it is made of, where that are blocks."""
    if inner := block.get("blocks"):
        item = {"list": "ref_text" if block.get("sub_type") == "ref_text" else "list", "index": "index"}.get(kind, "")
        for part in inner:
            yield from _of_block(part, frame, item or part["type"])
        return
    label = label_of(_NAME, kind)
    lines = [line for line in block.get("lines") or [] if not _is_elsewhere(line)]
    spans = [span for line in lines for span in line["spans"]]
    text, form = "", "markdown"
    if label == "table":
        text, form = _table(spans), "html"
    elif label == "equation":
        text, form = bare_latex("\n".join(span.get("content") or "" for span in spans)), "latex"
    elif label == "code":
        text = markup.unfenced("\n".join(map(_text_of, lines)).strip("\n"))
    elif label not in PICTURES:
        filled = [line for line in lines if _text_of(line)]
        text = joined(list(map(_text_of, filled)), [tuple(line["bbox"]) not in frame.starts for line in filled[1:]])
    scores = [float(span["score"]) for span in spans if span.get("score") is not None]
    yield Region(
        frame.box(block["bbox"]),
        label,
        text,
        round(min(scores), 3) if scores and text else None,
        _NAME,
        lines=tuple(_lines(lines, frame)) if form == "markdown" and text else (),
        format=form,
        detected_by=_NAME,
        is_unread=not text and label not in PICTURES,
    )


def _text_of(line: Mapping[str, Any]) -> str:
    """The Markdown of a line, formulas in it as LaTeX."""
    parts = []
    for span in line["spans"]:
        content = (span.get("content") or "").strip()
        is_formula = span["type"] in ("inline_equation", "interline_equation")
        parts.append(rf"\({bare_latex(content)}\)" if is_formula and content else content)
    return joined([part for part in parts if part])


def _table(spans: Sequence[Mapping[str, Any]]) -> str:
    """The HTML of a table's spans; "" where MinerU didn't read it, or wrote what isn't one."""
    written = [span.get("html") or span.get("latex") or "" for span in spans if span["type"] == "table"]
    try:
        return to_html(markup.read(written[0])) if len(written) == 1 else ""
    except ValueError:
        return ""


def _lines(lines: Sequence[Mapping[str, Any]], frame: _Frame) -> Iterator[Line]:
    """The lines where they stand; the VLM has a whole block in one, which says nothing."""
    if len({tuple(line["bbox"]) for line in lines}) < len(lines) or any("\n" in _text_of(line) for line in lines):
        return
    for line in lines:
        if text := _text_of(line):
            yield Line(frame.box(line["bbox"]), text)
