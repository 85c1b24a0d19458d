"""OmniDocBench, Fox and olmOCR-bench as they are downloaded: where their pages lie, and what is known wrong in them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from datagen.disk.storage import resolve
from datagen.inputs.census import Census, file_item
from datagen.inputs.items import Item

_FOX_FILES = ("en_page_ocr.json", "cn_page_ocr.json")

Excluded = Mapping[str, frozenset[str]]
"""Of each page's image, or each PDF: the numbers of the blocks, or the names of the tests, that are known wrong."""


class FoxPage(NamedTuple):
    """A page of page OCR: where its image lies, and what it says."""

    image: Path
    text: str


class TestFiles(NamedTuple):
    """The files of olmOCR-bench's tests, the folder of its PDFs, and the names of the PDFs in that folder."""

    files: tuple[Path, ...]
    pdfs: Path
    names: tuple[str, ...]


def omnidocbench_file(folder: str, word: str = "gt") -> Path:
    """OmniDocBench's JSON in its folder. Raises `ValueError`, as do the functions below, for another folder: one sentence that
    begins with the `word` that named the folder."""
    files = sorted(file for file in Path(folder).expanduser().glob("*.json") if "omnidocbench" in file.name.lower())
    if len(files) != 1:
        raise ValueError(
            f"{word}=omnidocbench:{folder}: OmniDocBench's folder with its OmniDocBench.json is needed; "
            f"{len(files)} such files are there"
        )
    return files[0]


def fox_pages(folder: str, word: str = "gt", names: tuple[str, ...] = _FOX_FILES) -> list[FoxPage]:
    """The pages of the files `names`, in or below Fox's folder."""
    where = f"{word}=fox:{folder}"
    files = [file for name in names for file in sorted(Path(folder).expanduser().rglob(name))]
    if not files:
        raise ValueError(f"{where}: the folder focus_benchmark_test with {' or '.join(names)} is needed; it isn't there")
    pages = []
    for file in files:
        images = file.parent / f"{file.name.partition('_')[0]}_pdf_png"
        try:
            for entry in json.loads(file.read_bytes()):
                texts = [turn["value"] for turn in entry["conversations"] if turn["from"] != "human"]
                pages.append(FoxPage(images / Path(entry["image"]).name, str(texts[0])))
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise _unlike(where, file, "Fox", error) from None
    if not pages:
        raise ValueError(f"{where}: {' and '.join(file.name for file in files)} have no page")
    return pages


def olmocr_files(folder: str, word: str = "gt") -> TestFiles:
    """The files of olmOCR-bench, in the folder or in `bench_data` below it."""
    root = Path(folder).expanduser()
    root = root / "bench_data" if (root / "bench_data").is_dir() else root
    files, pdfs = sorted(root.glob("*.jsonl")), root / "pdfs"
    names = sorted(path.relative_to(pdfs).as_posix() for path in pdfs.rglob("*.pdf"))
    if not files or not names:
        raise ValueError(
            f"{word}=olmocr:{folder}: olmOCR-bench's folder of .jsonl files and pdfs/ is needed; "
            f"{len(files)} and {len(names)} are there"
        )
    return TestFiles(tuple(files), pdfs, tuple(names))


def _files(benchmark: str, folder: str) -> list[Path]:
    """Where the images or PDFs of a benchmark lie."""
    if benchmark == "fox":
        return [page.image for page in fox_pages(folder, "input")]
    if benchmark == "olmocr":
        files = olmocr_files(folder, "input")
        return [files.pdfs / name for name in files.names]
    file = omnidocbench_file(folder, "input")
    try:
        pages = [Path(page["page_info"]["image_path"]).name for page in json.loads(file.read_bytes())]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unlike(f"input=omnidocbench:{folder}", file, "OmniDocBench", error) from None
    return [file.parent / "images" / name for name in pages]


@dataclass(frozen=True)
class BenchmarkPages(Census):
    """The images or PDFs of a benchmark, as it is downloaded into `folder`, an item each."""

    benchmark: str
    folder: str

    def items(self) -> list[Item]:
        """Sorted by uri. Raises `ValueError`, one sentence, if the folder isn't the benchmark or has none of its pages."""
        files = _files(self.benchmark, self.folder)
        if not any(file.is_file() for file in files):
            where = f"input={self.benchmark}:{self.folder}"
            raise ValueError(f"{where}: none of its {len(files)} pages is there{f', such as {files[0]}' if files else ''}")
        items = [file_item(resolve(str(file))[0], {"name": str(file)}) for file in files]
        return sorted({item.uri: item for item in items}.values(), key=lambda item: item.uri)


def excluded(path: str) -> dict[str, frozenset[str]]:
    """What a list says, a line each: a page's image or a test's PDF, a tab, the number of a block or the name of a test. Raises
    `ValueError`, which names the line."""
    left_out: dict[str, set[str]] = {}
    for number, line in enumerate(lines_of(Path(path).expanduser(), f"without={path}") if path else (), 1):
        if line.strip():
            page, _, block = line.partition("\t")
            if not block.strip():
                raise ValueError(f"without={path}, line {number}: a page's image, a tab and a block's number are needed")
            left_out.setdefault(page.strip(), set()).add(block.strip())
    return {page: frozenset(blocks) for page, blocks in left_out.items()}


def lines_of(file: Path, where: str) -> list[str]:
    """Raises `ValueError`, which begins with `where`, for a file that isn't UTF-8 text."""
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"{where}: there is no file of UTF-8 text that can be read") from None


def _unlike(where: str, file: Path, benchmark: str, error: Any) -> ValueError:
    return ValueError(f"{where}: {file.name} isn't as {benchmark} writes it ({type(error).__name__}: {error})")
