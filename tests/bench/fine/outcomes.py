"""Regions of held-out annotated pages, right or wrong, as lines of `datagen/risk/region_outcomes.tsv`.

    python -m tests.bench.fine.outcomes PDFS OUT > region_outcomes.tsv

PDFS is a folder with files of `datagen/layouts/annotated_pages.tsv`. Only repositories count from which nothing was learned. OUT
keeps the annotated pages, so that a later call goes on. Pages whose text layer isn't valid are left out: engines read them.
"""

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pymupdf

from datagen.coarse.source import PdfSource
from datagen.disk import manifest
from datagen.disk.shards import read_reports, read_samples
from datagen.disk.storage import Folder
from datagen.fine.source import FORMATS, PageFiles
from datagen.fine.verdict.page_shares import is_read
from datagen.labels import PICTURES
from datagen.layouts import labeller
from datagen.layouts.annotated_pages import UNIT, AnnotatedPage, annotated_pages
from datagen.layouts.elements import Elements, LineElement
from datagen.layouts.groups import Group
from datagen.layouts.odds import are_right
from datagen.layouts.training import is_held_out
from datagen.layouts.truth import answer
from datagen.record import Sample
from datagen.risk.region_outcomes import PageOutcomes, written
from datagen.work.pipeline import Pipeline
from recipes import fine
from recipes.recipe import listed
from recipes.steps import Place
from recipes.steps.pipeline import make
from recipes.words.engines import EMBEDDED

_SHARD = 8


def show(pdfs: str, out: str) -> dict[str, AnnotatedPage]:
    """The pages by the name of their files in OUT/pages, which are written if they are missing."""
    to = Path(out, "pages")
    to.mkdir(parents=True, exist_ok=True)
    files = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in Path(pdfs).rglob("*.pdf")}
    shown = {}
    for page in annotated_pages():
        is_measured = is_held_out(page.repository, 3) and not is_held_out(page.repository, 3, "measured")
        if not is_measured or page.sha256 not in files:
            continue
        path = to / f"{page.sha256[:16]}-{page.page}.pdf"
        shown[path.name] = page
        if not path.exists():
            with pymupdf.open(files[page.sha256]) as document:
                document.select([page.page])
                document.save(path)
    return shown


def annotated(out: str) -> list[Sample]:
    pdfs = replace(fine.annotated(PdfSource()), shard_pages=_SHARD)
    step = Pipeline(fine.NAME, listed(f"{out}/pages", FORMATS), PageFiles(pdfs, fine.IMAGES), fine.stages(EMBEDDED), max_drop=1.0)
    make(step, "outcomes", Place(out))
    folder = Folder(out).sub(fine.NAME)
    parts = (manifest.read_part(folder, report.shard).to_pylist() for report in read_reports(folder))
    return [sample for rows in parts for sample in read_samples(folder, rows)]


def structure(sample: Sample, page: AnnotatedPage) -> list[bool]:
    """Of each region, whether its label, its lines and its place in the order are right."""
    lines: list[LineElement] = []
    pictures = [region.box for region in sample.regions if region.label in PICTURES]
    groups: list[Group] = []
    for region in sample.regions:
        is_picture = region.label in PICTURES
        own = [] if is_picture else [LineElement(part.box, "", 1.0) for part in region.lines or [region]]
        members = tuple(range(len(lines), len(lines) + len(own)))
        picture = sum(group.picture >= 0 for group in groups) if is_picture else -1
        groups.append(Group(members, picture, "image" if is_picture else region.label))
        lines += own
    truth = answer(Elements((sample.size[0], sample.size[1]), lines, pictures=pictures), page.regions, (UNIT, UNIT))
    return are_right(groups, truth, len(lines))


def outcomes(pdfs: str, out: str) -> Iterator[PageOutcomes]:
    shown, weights = show(pdfs, out), labeller.versions()["layouts"]
    for sample in annotated(out):
        page = shown[Path(sample.origin.uri).name]
        if sample.regions and not is_read(sample):
            scores = [region.structure or 0.0 for region in sample.regions]
            regions = tuple(zip(scores, structure(sample, page), strict=True))
            yield PageOutcomes("pdf", weights, page.repository, regions)


if __name__ == "__main__":
    print(written(outcomes(*sys.argv[1:])), end="")
