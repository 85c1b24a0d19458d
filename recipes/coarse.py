"""Coarse extraction alone, from any PDFs: what `fitz` gave the paper's 30M pages, with a verdict on each text layer."""

from datagen.alike import MarkAlike
from datagen.census import Listing
from datagen.pipeline import Pipeline
from datagen.sources.pdf import PdfSource
from datagen.stages.ink import CompareInk
from datagen.stages.language import IdentifyLanguage
from datagen.stages.textlayer import JudgeTextLayer
from recipes.recipe import Recipe, Report, benchmark_folder, read_passwords


def coarse(input: str = "", limit: int = 0, deep: bool = False, passwords: str = "", benchmarks: str = "") -> Recipe:
    """`input`: a folder, a glob, a PDF, or a .parquet or .jsonl list of them; `passwords`: a text file, one a line;
    `benchmarks`: a folder of pages that the corpus must not hold."""
    if not input:
        raise ValueError("coarse needs input=DIR, a glob, or a LIST.parquet or LIST.jsonl with a uri column")
    stages = (IdentifyLanguage(), CompareInk(budget_s=9.0), JudgeTextLayer())
    pages = Pipeline("coarse", Listing(input), PdfSource(passwords=read_passwords(passwords)), stages, limit=limit, deep=deep)
    alike = MarkAlike(datasets=("coarse",), benchmarks=benchmark_folder(benchmarks))
    return Recipe("coarse", (pages, alike, Report(datasets=("coarse",))))
