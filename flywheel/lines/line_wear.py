"""What paper, scanners, cameras and detectors do to the image of a line: (H, W) gray bytes, dark on light, in and out.

Each function draws how much it does; `worn` draws which of them are done. Distances are in heights of the image, so that small
and large crops suffer alike.
"""

from collections.abc import Callable

import cv2
import numpy

Step = Callable[[numpy.ndarray, numpy.random.Generator], numpy.ndarray]


def worn(gray: numpy.ndarray, random: numpy.random.Generator) -> numpy.ndarray:
    """The line as it might look on paper that was printed, kept and scanned. Most lines suffer one thing or nothing."""
    for step, share in _STEPS:
        if random.random() < share:
            gray = step(gray, random)
    return gray


def neighbours(gray: numpy.ndarray, random: numpy.random.Generator) -> numpy.ndarray:
    """Feet of the letters above, or heads of those below, at the edge of the frame: a detector's box has them, a drawn one
    hasn't. They are the line's own, moved aside."""
    height, width = gray.shape
    rows = numpy.flatnonzero((gray < 128).any(axis=1))
    if len(rows) < 8:
        return gray
    deep = max(1, round(height * random.uniform(0.03, 0.12)))
    aside = int(random.integers(1, max(2, width)))
    out = gray.copy()
    if random.random() < 0.5:
        out[:deep] = numpy.minimum(out[:deep], numpy.roll(gray[rows[-1] + 1 - deep : rows[-1] + 1], aside, axis=1))
    else:
        out[-deep:] = numpy.minimum(out[-deep:], numpy.roll(gray[rows[0] : rows[0] + deep], aside, axis=1))
    return out


def rules(gray: numpy.ndarray, random: numpy.random.Generator) -> numpy.ndarray:
    """A rule under or over the line, or the edges of a table's cell beside it."""
    height, width = gray.shape
    thick, ink = max(1, round(height * random.uniform(0.02, 0.06))), int(random.integers(0, 150))
    out = gray.copy()
    if random.random() < 0.6:
        y = 0 if random.random() < 0.4 else height - thick
        out[y : y + thick] = numpy.minimum(out[y : y + thick], ink)
    else:
        x = int(random.integers(0, max(1, round(0.1 * height))))
        out[:, x : x + thick] = numpy.minimum(out[:, x : x + thick], ink)
        if random.random() < 0.5:
            out[:, width - x - thick : width - x] = numpy.minimum(out[:, width - x - thick : width - x], ink)
    return out


def broken(gray: numpy.ndarray, random: numpy.random.Generator, line_height: float = 0) -> numpy.ndarray:
    """Strokes with gaps, as worn type and poor copies have them. A page's image has lines of `line_height`."""
    height, width = gray.shape
    size = max(2, round((line_height or height) * random.uniform(0.05, 0.12)))
    grains = random.random((height // size + 2, width // size + 2), numpy.float32)
    noise = cv2.resize(grains, (width, height), interpolation=cv2.INTER_CUBIC)
    gone = (noise < random.uniform(0.1, 0.25)) & (gray < 255)
    return numpy.where(gone, 255 - (255 - gray) // 7, gray)


def bleed_through(gray: numpy.ndarray, random: numpy.random.Generator, line_height: float = 0) -> numpy.ndarray:
    """The other side of the sheet: letters in a mirror, soft and faint, between the lines and across them. A page's image has
    lines of `line_height`."""
    height, width = gray.shape
    back = numpy.roll(gray[:, ::-1], (int(random.integers(0, height)), int(random.integers(0, width))), axis=(0, 1))
    back = cv2.GaussianBlur(back, (0, 0), (line_height or height) * random.uniform(0.02, 0.06))
    faint = random.uniform(0.12, 0.4)
    return numpy.minimum(gray, (255 - faint * (255 - back.astype(numpy.float32))).astype(numpy.uint8))


def skewed(gray: numpy.ndarray, random: numpy.random.Generator) -> numpy.ndarray:
    """A line that climbs or falls a little, with letters that lean. Its ends leave the frame by a twelfth of its height at
    most."""
    height, width = gray.shape
    rise = random.uniform(-0.17, 0.17) * height
    slope, lean = rise / width, random.uniform(-0.06, 0.06)
    matrix = numpy.array([[1, lean, -lean * height / 2], [slope, 1, -slope * width / 2]], numpy.float32)
    return cv2.warpAffine(gray, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def faded(gray: numpy.ndarray, random: numpy.random.Generator) -> numpy.ndarray:
    """Little contrast: gray ink on gray paper, and brighter on one side."""
    width = gray.shape[1]
    dark = random.uniform(60, 130)
    light = min(255.0, dark + random.uniform(60, 120))
    slope = numpy.linspace(-1, 1, width, dtype=numpy.float32) * random.uniform(-20, 20)
    toned = dark + gray.astype(numpy.float32) * ((light - dark) / 255) + slope
    return toned.clip(0, 255).astype(numpy.uint8)


def grounded(gray: numpy.ndarray, random: numpy.random.Generator) -> numpy.ndarray:
    """Paper or a picture behind the letters: soft spots, or a cell's shade that ends somewhere in the line."""
    height, width = gray.shape
    if random.random() < 0.5:
        spots = random.random((4, max(4, 4 * width // height)), numpy.float32)
        shade = cv2.resize(spots, (width, height), interpolation=cv2.INTER_CUBIC) * random.uniform(20, 70)
    else:
        shade = numpy.zeros((height, width), numpy.float32)
        edge = int(random.integers(0, width))
        shade[:, edge:] = random.uniform(20, 80)
    return (gray.astype(numpy.float32) - shade.clip(0, 90) * (gray / 255.0)).clip(0, 255).astype(numpy.uint8)


_STEPS: tuple[tuple[Step, float], ...] = (
    (neighbours, 0.15),
    (rules, 0.06),
    (broken, 0.08),
    (skewed, 0.2),
    (bleed_through, 0.07),
    (grounded, 0.08),
    (faded, 0.1),
)
