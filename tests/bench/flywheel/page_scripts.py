"""Whether the script of a page is told right from the image alone: pages of eighteen lines each, of text that the package's
readers never learned, from their cards, set, blurred, made grainy and JPEG. Lines are found by PP-OCR's detector, and all of a
page's are asked about together, as `read_lines` does. Prints how many pages of each script are right.

    python -m tests.bench.flywheel.page_scripts [--scripts Thaa,Thai] [--pages 20] [--seed 0]
"""

from collections import Counter

import cv2
import numpy
import simplejpeg

from datagen.engines import OPEN, packaged
from datagen.reading.cuts import cut
from datagen.reading.line_readers import LineReaders
from datagen.reading.page_lines import drift
from flywheel.pools.typefaces import in_family
from tests.bench.bars import at_least
from tests.bench.measuring import options

NUM_LINES = 18
LEFT, FIRST, STEP, HEIGHT, WIDTH = 90, 80, 80, 1_600, 1_240  # pixels: of an A4 page at 150 dpi


def page(script: str, number: int, seed: int) -> numpy.ndarray:
    """(H, W, 3) RGB bytes of the page of that number."""
    random = numpy.random.default_rng([seed, number, *script.encode()])
    lines = packaged.cards()[script]["first"]["lines"]  # type: ignore[index]
    sheet = numpy.full((HEIGHT, WIDTH), 255, numpy.uint8)
    for row, chosen in enumerate(random.permutation(max(NUM_LINES, len(lines)))[:NUM_LINES] % len(lines)):
        lang, text, family, _ = lines[int(chosen)]
        ink = in_family((family,), text, lang, random)[0]
        high = int(random.integers(38, 58))
        wide = min(WIDTH - 2 * LEFT, max(1, round(ink.shape[1] * high / ink.shape[0])))
        ink = cv2.resize(ink, (wide, high), interpolation=cv2.INTER_AREA)
        top = FIRST + row * STEP
        sheet[top : top + high, LEFT : LEFT + wide] = ink
    seen = cv2.GaussianBlur(sheet, (0, 0), float(random.uniform(0.6, 1.4))).astype(numpy.float32)
    seen += random.normal(0, float(random.uniform(4, 14)), seen.shape)
    pixels = numpy.repeat(seen.clip(0, 255).astype(numpy.uint8)[..., None], 3, axis=2)
    jpeg = simplejpeg.encode_jpeg(numpy.ascontiguousarray(pixels), quality=int(random.integers(45, 80)))
    return numpy.asarray(simplejpeg.decode_jpeg(jpeg))


def main() -> None:
    args = options(__doc__, scripts=",".join(packaged.available()), pages=20, seed=0).parse_args()
    scripts = args.scripts.split(",")
    readers, detector = LineReaders(OPEN), OPEN.get("ppocr-detector")
    total = 0
    for script in scripts:
        guesses: Counter[str] = Counter()
        for number in range(args.pages):
            image = page(script, number, args.seed)
            gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
            quads = [quad for quad, _ in detector.detect([image])[0]]
            guesses[readers.guessed_script([cut(gray, quad, drift(quad)).image for quad in quads])] += 1
        total += guesses[script]
        wrong = ", ".join(f"{other} {num}" for other, num in guesses.most_common() if other != script)
        print(f"{script}  {guesses[script]} of {args.pages}{f', called {wrong}' if wrong else ''}", flush=True)
    OPEN.close()
    pages = len(scripts) * args.pages
    print(f"right: {total} of {pages}, {100 * total / pages:.1f}% ({at_least(100 * total / pages, 99.5, '%')})")


if __name__ == "__main__":
    main()
