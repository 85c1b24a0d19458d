"""Pages as cameras make them: what the annotation reads of pages in many scripts, clean and photographed.

    python -m tests.bench.fine.fine_photos [--each 1] [--seed 0]

The pages are those of `markup_pages`, `--each` of a language, each of them clean and as a picture: turned, askew, bent, creased,
in shadow or dark, through a camera whose geometry is known. Each goes through all stages of the recipe `fine`. Prints, for each
page and for each script: the edit distance of the page's text (letters and digits alone, in reading order), clean and
photographed; the share of the truth's pairs of neighbouring characters that are in the text of any region; where the regions lie
(the share of the truth's regions with text, mapped into the picture, whose middle a region holds); what was done to see the page
better, and the processor seconds.
"""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import fmean

import numpy
import simplejpeg

from datagen.drawing.camera import Pose, photographed
from datagen.drawing.worn_pages import moved
from datagen.engines import OPEN
from datagen.page.images import pixels
from datagen.reading.page_views import DONE
from datagen.record import Origin, Quality, Sample
from datagen.score.text import bare, normalised_distance
from datagen.work.pipeline import Stage
from recipes.fine import stages
from recipes.words.engines import EMBEDDED
from tests.bench.bars import at_most
from tests.bench.fine import markup_pages
from tests.bench.measuring import options

CLEAN, PHOTOGRAPHED = 0.06, 0.15
CONDITIONS = ("quarter", "askew", "bent", "creased", "shadow", "dark", "half")


def pose(condition: str, draw: random.Random) -> Pose:
    """How a camera sees a page of that condition: always a little from one side."""
    leaning = Pose(pitch=draw.uniform(-6, 6), yaw=draw.uniform(-6, 6), degrees=draw.uniform(-2, 2))
    match condition:
        case "quarter":
            return replace(leaning, quarters=draw.choice((1, 3)))
        case "half":
            return replace(leaning, quarters=2)
        case "askew":
            return replace(leaning, degrees=draw.choice((-1, 1)) * draw.uniform(4, 14))
        case "bent":
            return replace(leaning, bend=draw.uniform(0.06, 0.16), bend_along=draw.randrange(4) // 3)
        case "creased":
            return replace(leaning, crease=draw.uniform(12, 28))
        case "shadow":
            return replace(leaning, shadow=draw.uniform(0.3, 0.6))
    return replace(leaning, dark=draw.uniform(0.45, 0.7), shadow=draw.uniform(0, 0.3))


def pages(seed: int, each: int) -> Iterator[tuple[str, Sample]]:
    """Pages with their truth, each of them clean and then photographed in one of the conditions."""
    for number, page in enumerate(markup_pages.pages(seed, of_each=each)):
        yield "clean", page
        condition, draw = CONDITIONS[number % len(CONDITIONS)], random.Random(f"{seed} {number}")
        clean = pixels(page.image or b"")
        picture, points = photographed(clean, pose(condition, draw), numpy.random.default_rng([seed, number]))
        size = picture.shape[1::-1]
        image = simplejpeg.encode_jpeg(picture, quality=90, colorspace="RGB")
        yield condition, replace(page, image=image, size=size, regions=tuple(moved(page.regions, points, size)))


def recall(truth: str, read: str) -> float:
    """The share of the truth's pairs of neighbouring letters that were read, wherever."""
    pairs = [Counter(pairwise(text)) for text in (bare(truth), bare(read))]
    return (pairs[0] & pairs[1]).total() / max(1, pairs[0].total())


def annotated(page: Sample, through: Sequence[Stage]) -> tuple[Sample, float]:
    """The sample of the page's image alone, and the processor seconds that it took."""
    origin = Origin("x", "0" * 64, 0)
    sample = Sample(page.key, "page", page.image, page.size, "und", "Zyyy", "", (), Quality(), origin, "fine")
    started = time.process_time()
    for stage in through:
        (made,) = stage([sample], OPEN)
        assert isinstance(made, Sample), made
        sample = made
    return sample, time.process_time() - started


def placed(page: Sample, sample: Sample) -> float:
    """The share of the page's regions with text whose middle lies in the box of a region that was found."""
    middles = [((r.box.x0 + r.box.x1) / 2, (r.box.y0 + r.box.y1) / 2) for r in page.regions if r.text]
    boxes = [r.box for r in sample.regions]
    return fmean(any(b.x0 <= x <= b.x1 and b.y0 <= y <= b.y1 for b in boxes) for x, y in middles) if middles else 1.0


def main() -> None:
    args = options(__doc__, each=1, seed=0).parse_args()
    through = stages(EMBEDDED)
    distances: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for condition, page in pages(args.seed, args.each):
        sample, seconds = annotated(page, through)
        distance = normalised_distance(bare(page.text), bare(sample.text))
        got, of_regions = ("\n".join(region.text for region in of.regions) for of in (sample, page))
        distances[page.script, condition == "clean"].append(distance)
        done = {n: round(v, 3) for n, v in sample.quality.signals.items() if n in DONE}
        print(
            f"  {page.script} {page.key:<24} {condition:<8} distance {distance:.3f}, recall {recall(of_regions, got):.3f},"
            f" placed {placed(page, sample):.2f}, {seconds:.1f} s, {sample.lang} {done} {' '.join(sample.quality.reasons)}",
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
