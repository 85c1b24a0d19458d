"""Pages as cameras and printers make them: what the annotation reads of set pages in many scripts, clean and photographed.

    python -m tests.bench.fine.fine_photos [--pages 12] [--seed 0]

The pages are those of `tests.bench.fine.photo_pages`: half of them clean, the others turned, askew, bent, creased, in shadow or
dark, through a camera whose geometry is known. Each goes through all stages of the recipe `fine`. Prints, for each page and for
each script: the edit distance of the page's text (letters and digits alone, in reading order), clean and photographed; the share
of the truth's pairs of neighbouring characters that are in the text of any region; where the regions' lines lie (the share of
the truth's text boxes, mapped into the picture, whose middle a line holds); what was done to see the page better, and the
processor seconds. 200 pages are the full bench.
"""

import io
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

import numpy
from PIL import Image

from datagen.engines import OPEN
from datagen.reading.page_views import DONE
from datagen.record import Origin, Quality, Sample
from datagen.score.text import bare, normalised_distance
from datagen.work.pipeline import Stage
from recipes.fine import stages
from recipes.words.engines import EMBEDDED
from tests.bench.bars import at_most
from tests.bench.fine.photo_pages import Page, pages
from tests.bench.measuring import options

CLEAN, PHOTOGRAPHED = 0.06, 0.15


def recall(truth: str, read: str) -> float:
    """The share of the truth's pairs of neighbouring letters that were read, wherever."""
    pairs = [Counter(pairwise(text)) for text in (bare(truth), bare(read))]
    return (pairs[0] & pairs[1]).total() / max(1, pairs[0].total())


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


def main() -> None:
    args = options(__doc__, pages=12, seed=0).parse_args()
    through = stages(EMBEDDED)
    distances: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for page in pages(args.pages, args.seed):
        sample, seconds = annotated(page, through)
        distance = normalised_distance(bare(page.text), bare(sample.text))
        got = recall(page.everything, "\n".join(region.text for region in sample.regions))
        distances[page.script, page.condition == "clean"].append(distance)
        done = {n: round(v, 3) for n, v in sample.quality.signals.items() if n in (*DONE, "lines_placed")}
        print(
            f"  {page.name:<42} distance {distance:.3f}, recall {got:.3f}, placed {placed(page, sample):.2f},"
            f" {seconds:.1f} s, {sample.lang} {done} {' '.join(sample.quality.reasons)}",
            flush=True,
        )
    for is_clean, most in ((True, CLEAN), (False, PHOTOGRAPHED)):
        by_script = {script: fmean(of) for (script, clean), of in distances.items() if clean is is_clean}
        name = "clean" if is_clean else "photographed"
        print(f"{name}: " + ", ".join(f"{script} {value:.3f}" for script, value in by_script.items()))
        mean = fmean(value for (_, clean), of in distances.items() if clean is is_clean for value in of) if by_script else 0.0
        print(f"mean edit distance of {name} pages {mean:.3f} ({at_most(mean, most)})")


if __name__ == "__main__":
    main()
