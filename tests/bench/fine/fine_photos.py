"""Pages as cameras and printers make them: what the annotation reads of set pages in many scripts, clean and photographed.

    python -m tests.bench.fine.fine_photos [--pages 12] [--seed 0] [--engines] [--without STEP] [--keep OUT]

The pages are those of `tests.bench.fine.photo_pages`: half of them clean, the others turned, askew, bent, creased, in shadow or
dark, through a camera whose geometry is known. Each goes through all stages of the recipe `fine`. Prints, for each page and for
each script: the edit distance of the page's text (letters and digits alone, in reading order), clean and photographed; the share
of the truth's pairs of neighbouring characters that are in the text of any region; where the regions' lines lie (the share of
the truth's text boxes, mapped into the picture, whose middle a line holds); what was done to see the page better, and the
processor seconds. `--engines` adds what PP-OCR and Tesseract, each alone and in the page's language, read of the picture as it
came. `--without` leaves out one of the steps by which a page is seen better, and the stages behind the reading, so that two runs
tell what it costs and gains. 200 pages are the full bench; `--keep` writes pictures with what was found drawn on them.
"""

import argparse
import io
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import numpy
from PIL import Image, ImageDraw

from datagen.engines import OPEN
from datagen.fine.annotate_image import AnnotateImage
from datagen.page.views import View
from datagen.reading import page_views
from datagen.reading.page_views import DONE
from datagen.record import Origin, Quality, Sample
from datagen.score.text import bare, normalised_distance
from datagen.work.pipeline import Stage
from recipes.fine import stages
from recipes.words.engines import EMBEDDED
from tests.bench.bars import at_most
from tests.bench.fine.photo_pages import Page, pages

CLEAN, PHOTOGRAPHED = 0.06, 0.15
_TESSERACT = {"zh-Hans": "chi_sim", "zh-Hant": "chi_tra", "ja": "jpn", "ko": "kor", "en": "eng", "es": "spa", "vi": "vie",
              "ru": "rus", "el": "ell", "ar": "ara", "he": "heb", "hi": "hin", "bn": "ben", "ta": "tam", "te": "tel", "th": "tha",
              "ka": "kat", "hy": "hye"}  # fmt: skip


def recall(truth: str, read: str) -> float:
    """The share of the truth's pairs of neighbouring letters that were read, wherever."""
    pairs = [Counter(pairwise(text)) for text in (bare(truth), bare(read))]
    return (pairs[0] & pairs[1]).total() / max(1, pairs[0].total())


def without(step: str) -> list[Stage]:
    """The stages of the recipe up to the reading of a page, without one of the steps of `page_views`, or with `all`."""
    if step == "askew":
        page_views._ASKEW = 360.0
    elif step == "lit":
        View.lit = lambda self: self  # type: ignore[method-assign]
    whole = stages(EMBEDDED)
    place = next(n for n, stage in enumerate(whole) if isinstance(stage, AnnotateImage))
    annotates = whole[place]
    assert isinstance(annotates, AnnotateImage)
    if step == "turned":
        annotates = replace(annotates, orientation=None)
    elif step == "unwarped":
        annotates = replace(annotates, unwarping=None)
    return [*whole[:place], annotates]


def annotated(page: Page, through: Sequence[Stage]) -> tuple[Sample, float]:
    """The page's sample, and the processor seconds that it took."""
    file = io.BytesIO()
    Image.fromarray(page.pixels).save(file, "PNG")
    size = page.pixels.shape[1::-1]
    sample = Sample(page.name, "page", file.getvalue(), size, "und", "Zyyy", "", (), Quality(), Origin("x", "0" * 64, 0), "fine")
    started = time.process_time()
    for stage in through:
        (made,) = stage([sample], OPEN)
        assert isinstance(made, Sample), made
        sample = made
    return sample, time.process_time() - started


def placed(page: Page, sample: Sample) -> float:
    """The share of the truth's regions whose middle, in the picture, lies in the box of a region."""
    held = []
    for _, (x0, y0, x1, y1) in page.regions:
        middle = numpy.array([[(x0 + x1) / 2, (y0 + y1) / 2]])
        x, y = (page.points(middle) if page.points else middle)[0]
        held.append(any(r.box.x0 <= x <= r.box.x1 and r.box.y0 <= y <= r.box.y1 for r in sample.regions))
    return fmean(held)


def alone(page: Page) -> dict[str, float]:
    """What PP-OCR and Tesseract read of the picture as it came, each alone."""
    (detected,) = OPEN.get("ppocr-detector").detect([page.pixels])
    crops = []
    for quad, _ in detected:
        xs, ys = zip(*quad, strict=True)
        crop = page.pixels[max(0, int(min(ys))) : int(max(ys)) + 1, max(0, int(min(xs))) : int(max(xs)) + 1]
        crops.append(crop if crop.shape[0] <= 1.5 * crop.shape[1] else numpy.ascontiguousarray(numpy.rot90(crop)))
    read = {"ppocr": "".join(text for text, _ in OPEN.get("ppocr").read(crops))}
    if (name := _TESSERACT.get(page.lang) or _TESSERACT.get(page.lang.split("-")[0])) and not page.script.endswith("ttb"):
        from tesserocr import PSM, PyTessBaseAPI

        from datagen.engines.tesseract import _data_folder

        with PyTessBaseAPI(path=str(_data_folder()), lang=name, psm=PSM.AUTO) as api:
            api.SetImage(Image.fromarray(page.pixels))
            read["tesseract"] = api.GetUTF8Text()
    return {engine: recall(page.everything, text) for engine, text in read.items()}


def drawn(page: Page, sample: Sample) -> Image.Image:
    """The picture with the regions, numbered in reading order, and their lines."""
    image = Image.fromarray(page.pixels)
    draw = ImageDraw.Draw(image)
    for number, region in enumerate(sample.regions):
        x0, y0, x1, y1 = region.box
        corners = region.polygon or ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
        draw.polygon(corners, outline="red", width=3)
        draw.text(corners[0], f"{number} {region.label}", fill="red", font_size=26)
        for line in region.lines:
            draw.polygon(line.corners, outline="green")
    return image


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pages", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="numbers of pages, with commas between")
    parser.add_argument("--engines", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--without", choices=("all", "turned", "unwarped", "askew", "lit"))
    args = parser.parse_args()
    through = stages(EMBEDDED) if args.without is None else without(args.without)
    distances: dict[tuple[str, bool], list[float]] = defaultdict(list)
    worst = 0.0
    only = [int(number) for number in args.only.split(",") if number]
    for page in pages(args.pages, args.seed, only):
        sample, seconds = annotated(page, through)
        distance = normalised_distance(bare(page.text), bare(sample.text))
        got = recall(page.everything, "\n".join(region.text for region in sample.regions))
        distances[page.script, page.condition == "clean"].append(distance)
        done = {n: round(v, 3) for n, v in sample.quality.signals.items() if n in (*DONE, "lines_placed")}
        others = alone(page) if args.engines else {}
        worst = max([worst, *(value - got for value in others.values())])
        beside = "".join(f", {engine} {value:.3f}" for engine, value in others.items())
        print(
            f"  {page.name:<42} distance {distance:.3f}, recall {got:.3f}{beside}, placed {placed(page, sample):.2f},"
            f" {seconds:.1f} s, {sample.lang} {done} {' '.join(sample.quality.reasons)}",
            flush=True,
        )
        if args.keep:
            args.keep.mkdir(parents=True, exist_ok=True)
            drawn(page, sample).save(args.keep / f"{page.name}.png")
    for is_clean, most in ((True, CLEAN), (False, PHOTOGRAPHED)):
        by_script = {script: fmean(of) for (script, clean), of in distances.items() if clean is is_clean}
        name = "clean" if is_clean else "photographed"
        print(f"{name}: " + ", ".join(f"{script} {value:.3f}" for script, value in by_script.items()))
        mean = fmean(value for (_, clean), of in distances.items() if clean is is_clean for value in of) if by_script else 0.0
        print(f"mean edit distance of {name} pages {mean:.3f} ({at_most(mean, most)})")
    if args.engines:
        print(f"recall under the better engine alone by {worst:.3f} at most ({at_most(worst, 0.05)})")


if __name__ == "__main__":
    main()
