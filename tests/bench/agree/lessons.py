"""What agreement is worth to a model: the same pages' labels as they came and as agreed, for `ablate` to learn from.

    python -m tests.bench.agree.lessons FOLDER [--pages 8] [--truth 2]
    make recipe=ablate a=FOLDER/unagreed b=FOLDER/agreed truth=FOLDER/truth steps=300 out=OUT

Pages of short English lines, each a region; up to half of the labels are wrong, in the ways of `plant.py`. The readers are those
of `agree.py`. A dataset has each line's picture with its label; `agreed` has fewer, since what is open is no sample. `truth` are
lines of other pages, all right."""

import argparse
import io
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from PIL import Image

from datagen.agreement.agree_page import Agreement
from datagen.agreement.blocks import Page
from datagen.drawing.prose import Prose
from datagen.drawing.sheet import Flow, Sheet, columns
from datagen.record import Box, Line, Origin, Quality, Region, Sample
from datagen.samples.declarations import declaration
from tests.bench.agree.plant import planted
from tests.bench.agree.readers import FIRST, SECOND, SIMULATED, by_first, by_tesseract, simulated
from tests.bench.agree.typeset import ZOOM, Known
from tests.outputs import write_run

_COLUMNS, _SIZE = 7, 9.5
_MARGIN = 2  # pixels around a line's picture


def known_page(seed: int) -> Known:
    """A page of short lines, each a region of its own."""
    text, draw = declaration("eng"), random.Random(f"lessons {seed}")
    prose = Prose(text.lang, text.paragraphs, draw)
    sheet = Sheet(prose, serif=draw.random() < 0.5, rtl=False)
    flow = Flow(sheet, columns(48, 56, 499, 800, _COLUMNS, 8))
    while not flow.is_full:
        words = prose.paragraph(60).split()
        for at in range(len(words) - 1, 1, -5):
            words.insert(at, str(draw.randint(10, 2099)))
        flow.text("text_block", " ".join(words), _SIZE, gap=4)
    image = sheet.pixels(ZOOM)
    lines = [line for region in sheet.in_pixels(ZOOM, "truth") for line in region.lines if line.text.strip()]
    truth = tuple(Region(line.box, "text", line.text, None, "truth", lines=(line,)) for line in lines)
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    name, size = f"lessons-{seed}", (image.shape[1], image.shape[0])
    origin = Origin(f"{name}.png", f"{seed:064x}", 0)
    return Known(Sample(name, "page", file.getvalue(), size, text.lang, "Latn", "", (), Quality(), origin, "truth"), truth)


def agreed(known: Known, label: Sample, seed: int) -> Sample:
    first = by_first(known)
    pages = [Page(FIRST, first), Page(SECOND, by_tesseract(known)), Page(SIMULATED, simulated(known, first, seed))]
    return Agreement(Page("label", label), pages).sample()


def line_samples(page: Sample) -> Iterator[Sample]:
    """Each region with text as a picture with its label."""
    image = Image.open(io.BytesIO(page.image or b""))
    for n, region in enumerate(page.regions):
        x0, y0, x1, y1 = region.box
        box = Box(max(0, x0 - _MARGIN), max(0, y0 - _MARGIN), min(page.size[0], x1 + _MARGIN), min(page.size[1], y1 + _MARGIN))
        text = " ".join(region.text.split())
        if region.is_unread or not text:
            continue
        file = io.BytesIO()
        crop = image.crop(box)
        crop.save(file, "png")
        whole = Box(0, 0, *crop.size)
        regions = (Region(whole, "text", text, None, region.by, lines=(Line(whole, text),)),)
        origin = replace(page.origin, parent=page.key, box=box)
        key = f"{page.key}-{n:04d}"
        quality = Quality("trusted")
        yield Sample(key, "crop", file.getvalue(), crop.size, page.lang, page.script, text, regions, quality, origin, "lines")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=8)
    parser.add_argument("--truth", type=int, default=2)
    args = parser.parse_args()
    samples: dict[str, list[list[Sample]]] = {"unagreed": [], "agreed": [], "truth": []}
    for seed in range(args.pages + args.truth):
        known = known_page(seed)
        true = {region.box: region.text for region in known.truth}
        if seed >= args.pages:
            samples["truth"].append(list(line_samples(replace(known.page, regions=known.truth))))
            continue
        label = planted(known, seed).label
        for name, page in (("unagreed", label), ("agreed", agreed(known, label, seed))):
            samples[name].append(list(line_samples(page)))
            right = sum(true.get(region.box) == region.text for region in page.regions)
            print(f"{known.page.key} {name}: {len(samples[name][-1])} lines, {right} as in the truth", flush=True)
    for name, shards in samples.items():
        write_run(args.folder / name, *shards)


if __name__ == "__main__":
    main()
