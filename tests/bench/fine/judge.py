"""Pages to judge one by one, and the judgements as lines of `datagen/risk/judged_pages.tsv`.

    python -m tests.bench.fine.judge draw IN OUT     annotates a page of each document in IN, drawn by seed, and writes to
                                                     OUT/judge pages.json, and images and labels of the pages to judge
    python -m tests.bench.fine.judge table OUT       prints the table's lines for OUT/judge/judged.tsv

All pages with a `structure_score` of at least `LEAST` are to be judged, and a share `OTHERS` of the rest: of those below, and of
those that are suspect for another reason. IN has a file sources.tsv: of each document its name and its uri. judged.tsv has a
page's name, right or wrong for its text, right or wrong for its structure, and the fault. Nothing learns from these pages.
"""

import hashlib
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from datagen.coarse.source import PdfSource
from datagen.disk import manifest
from datagen.disk.shards import read_reports, read_samples
from datagen.disk.storage import Folder
from datagen.fine.source import FORMATS, PageFiles
from datagen.fine.verdict.judge_page import WeighLabels
from datagen.fine.verdict.page_shares import is_read
from datagen.layouts import labeller
from datagen.pictures.source import ImageSource
from datagen.record import Sample
from datagen.work.pipeline import Pipeline
from recipes import fine
from recipes.recipe import listed
from recipes.steps import Place
from recipes.steps.pipeline import make
from recipes.words.engines import EMBEDDED

LEAST, OTHERS = 0.3, 0.4
_SEED, _SHARD, _SIDE = 7, 8, 1700


def draw(documents: str, out: str) -> None:
    pdfs = replace(fine.annotated(PdfSource(max_pages=1, seed=_SEED)), shard_pages=_SHARD)
    images = ImageSource(task="page", long_side=fine.LONG_SIDE, shard_images=_SHARD, stage=fine.NAME)
    stages = tuple(replace(one, min_structure=0.0) if isinstance(one, WeighLabels) else one for one in fine.stages(EMBEDDED))
    step = Pipeline(fine.NAME, listed(documents, FORMATS), PageFiles(pdfs, images), stages, max_drop=1.0)
    make(step, "judge", Place(out))
    folder = Path(out, "judge")
    folder.mkdir(exist_ok=True)
    sources = dict(line.split("\t")[:2] for line in Path(documents, "sources.tsv").read_text().splitlines())
    rows: list[dict[str, Any]] = []
    shown: dict[str, Sample] = {}
    for page in _pages(Folder(out).sub(fine.NAME)):
        name = Path(page.origin.uri).name
        score = page.quality.signals.get("structure_score", 0.0) if page.quality.verdict == "trusted" else 0.0
        if name in sources and page.regions:
            kind = "image" if is_read(page) else "pdf"
            row: dict[str, Any] = {"name": name.replace(".", "-"), "kind": kind, "script": page.script, "uri": sources[name]}
            rows.append(row | {"sha256": page.origin.sha256, "page": page.origin.page or 0, "score": round(score, 3)})
            shown[row["name"]] = page
    for row in rows:
        stratum: list[str] = [one["name"] for one in rows if _stratum(one) == _stratum(row)]
        others = sorted(stratum, key=lambda name: hashlib.sha256(name.encode()).digest())
        chosen = stratum if row["score"] >= LEAST else others[: round(OTHERS * len(others))]
        row["chance"] = round(len(chosen) / len(stratum), 3)
        if row["name"] in chosen:
            _show(shown[row["name"]], folder / row["name"])
    (folder / "pages.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False))
    print(f"{len(rows)} pages, {len([*folder.glob('*.txt')])} to judge, in {folder}")


def table(out: str) -> None:
    rows = {row["name"]: row for row in json.loads(Path(out, "judge/pages.json").read_text())}
    version = labeller.versions()["layouts"]
    for line in Path(out, "judge/judged.tsv").read_text().splitlines():
        name, text, structure, *fault = line.split("\t")
        row = rows[name]
        values = [row[key] for key in ("kind", "script", "uri", "sha256", "page")]
        print(*values, version, row["score"], row["chance"], text, structure, *(fault or [""]), sep="\t")


def _stratum(row: dict[str, Any]) -> int:
    return 2 if row["score"] >= LEAST else 1 if row["score"] else 0


def _pages(dataset: Folder) -> Iterator[Sample]:
    for report in read_reports(dataset):
        yield from read_samples(dataset, manifest.read_part(dataset, report.shard).to_pylist())


def _show(page: Sample, path: Path) -> None:
    """Write the page's image, the image with numbered boxes, and the label."""
    image = Image.open(io.BytesIO(page.image or b"")).convert("RGB")
    scale = min(1.0, _SIDE / max(image.size))
    image = image.resize((round(image.width * scale), round(image.height * scale)))
    image.save(f"{path}-plain.png")
    pen = ImageDraw.Draw(image)
    text = [page.text, "==== regions in reading order ===="]
    for number, region in enumerate(page.regions):
        box = [scale * value for value in region.box]
        pen.rectangle(box, outline="red", width=2)
        pen.text((box[0] + 2, max(0, box[1] - 16)), f"{number} {region.label}", "red", font_size=15)
        text.append(f"[{number}] {region.label}{' UNREAD' if region.is_unread else ''}\n{region.text}")
    image.save(f"{path}-boxes.png")
    Path(f"{path}.txt").write_text("\n\n".join(text))


if __name__ == "__main__":
    if sys.argv[1:2] == ["table"]:
        table(*sys.argv[2:])
    else:
        draw(*sys.argv[2:])
