"""The benchmarks that have rules of their own here, by the names that stand in front of their folders."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from datagen.disk.storage import resolve
from datagen.inputs.census import Census, file_item
from datagen.inputs.items import Item
from datagen.score.official import fox, olmocr, omnidocbench, omnidocbench_report
from datagen.score.official.report import Report


class Benchmark(NamedTuple):
    """`report` scores predictions (folder, `PredictedPage`s, `Excluded`) against the benchmark in a folder; `pages` are the files
    that have its pages, as the word says that named the folder. Both raise `ValueError`, one sentence, for another folder."""

    report: Callable[..., Report]
    pages: Callable[[str, str], list[Path]]


BENCHMARKS = {
    "omnidocbench": Benchmark(omnidocbench_report.report, omnidocbench.images),
    "fox": Benchmark(fox.report, fox.images),
    "olmocr": Benchmark(olmocr.report, olmocr.pdfs),
}


@dataclass(frozen=True)
class BenchmarkPages(Census):
    """The images or PDFs of a benchmark, as it is downloaded into `folder`, an item each."""

    benchmark: str
    folder: str

    def items(self) -> list[Item]:
        """Sorted by uri. Raises `ValueError`, one sentence, if the folder isn't the benchmark or has none of its pages."""
        files = BENCHMARKS[self.benchmark].pages(self.folder, "input")
        if not any(file.is_file() for file in files):
            raise ValueError(f"input={self.benchmark}:{self.folder}: none of its {len(files)} pages is there, such as {files[0]}")
        items = [file_item(resolve(str(file))[0], {"name": str(file)}) for file in files]
        return sorted({item.uri: item for item in items}.values(), key=lambda item: item.uri)
