"""Coarse extraction alone, from any PDFs: what `fitz` gave the paper's 30M pages, with a verdict on each text layer."""

from datagen.coarse.source import PdfSource
from datagen.coarse.verdict.judge_ink import CompareInk
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.inputs.census import Listing
from datagen.reading.language import IdentifyLanguage
from datagen.work.pipeline import Pipeline
from recipes.recipe import Recipe, corpus, read_passwords


def coarse(input: str = "", limit: int = 0, deep: bool = False, passwords: str = "", benchmarks: str = "") -> Recipe:
    """Page images and text layers of any PDFs, in shards, with a report."""
    if not input:
        raise ValueError("coarse needs input=DIR, a glob, or a LIST.parquet or LIST.jsonl with a uri column")
    stages = (IdentifyLanguage(), CompareInk(budget_s=9.0), JudgeTextLayer())
    pages = Pipeline("coarse", Listing(input), PdfSource(passwords=read_passwords(passwords)), stages, limit=limit, deep=deep)
    return corpus("coarse", (pages,), benchmarks)
