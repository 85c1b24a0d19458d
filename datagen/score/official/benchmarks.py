"""The benchmarks that have rules of their own here, by the names that stand in front of their folders."""

from collections.abc import Callable, Sequence

from datagen.score.official import fox, olmocr, omnidocbench_report
from datagen.score.official.report import Excluded, Report
from datagen.score.pages import PredictedPage

Reader = Callable[[str, Sequence[PredictedPage], Excluded], Report]

BENCHMARKS: dict[str, Reader] = {"omnidocbench": omnidocbench_report.report, "fox": fox.report, "olmocr": olmocr.report}
