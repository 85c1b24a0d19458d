"""What ink, paper, scanners, cameras and careless programs do to an image, as steps. Who wears images has a list of them.

A step takes (H, W) or (H, W, 3) bytes, dark on light, random numbers, and the height of a line of text in pixels. Distances are
counted in that height, so that small and large print suffer alike. What else it takes are its strengths: ranges that it draws
from. It returns an image of the same kind, of the same size unless it is `shrink`, and doesn't change what it was given.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial

import cv2
import numpy
import simplejpeg
from PIL import Image

cv2.setNumThreads(0)  # workers are processes already

Step = Callable[[numpy.ndarray, numpy.random.Generator, float], numpy.ndarray]
Steps = Sequence[tuple[float, Step]]
"""What may happen to an image, in this order, each with the share of images that it happens to."""
Range = tuple[float, float]


def worn(
    pixels: numpy.ndarray, random: numpy.random.Generator, steps: Steps, line_height: float = 0, may_move: bool = True
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The image after those of `steps` that `random` chooses, and the (3, 3) matrix that takes (x, y, 1) to its new place.

    An image of one line (`line_height` 0) is as high as its text. Steps of `MOVES` are left out unless the image `may_move`.
    """
    matrix = numpy.eye(3)
    for share, step in steps:
        if random.random() >= share or (step in MOVES and not may_move):
            continue
        made = step(pixels, random, line_height or len(pixels))
        if step in MOVES:
            size = pixels.shape[1::-1]
            pixels = cv2.warpPerspective(pixels, made, size, flags=cv2.INTER_LINEAR, borderValue=_paper(pixels))
            matrix = made @ matrix
        else:
            pixels = made
    return pixels, matrix


def neighbours(pixels: numpy.ndarray, random: numpy.random.Generator, height: float) -> numpy.ndarray:
    """Feet of the letters above, or heads of those below, at the edge of a line's frame: a detector's box has them, a drawn one
    hasn't. They are the line's own, moved aside."""
    rows = numpy.flatnonzero((pixels < 128).reshape(len(pixels), -1).any(axis=1))
    if len(rows) < 8:
        return pixels
    deep = max(1, round(height * random.uniform(0.03, 0.12)))
    aside = int(random.integers(1, max(2, pixels.shape[1])))
    out = pixels.copy()
    if random.random() < 0.5:
        out[:deep] = numpy.minimum(out[:deep], numpy.roll(pixels[rows[-1] + 1 - deep : rows[-1] + 1], aside, axis=1))
    else:
        out[-deep:] = numpy.minimum(out[-deep:], numpy.roll(pixels[rows[0] : rows[0] + deep], aside, axis=1))
    return out


def rules(pixels: numpy.ndarray, random: numpy.random.Generator, height: float) -> numpy.ndarray:
    """A rule under or over a line, or the edges of a table's cell beside it."""
    thick, ink = max(1, round(height * random.uniform(0.02, 0.06))), int(random.integers(0, 150))
    out = pixels.copy()
    if random.random() < 0.6:
        edges = [out[:thick] if random.random() < 0.4 else out[-thick:]]
    else:
        x = int(random.integers(0, max(1, round(0.1 * height))))
        edges = [out[:, x : x + thick]]
        if random.random() < 0.5:
            edges.append(out[:, ::-1][:, x : x + thick])
    for edge in edges:
        numpy.minimum(edge, ink, out=edge)
    return out


def gaps(pixels: numpy.ndarray, random: numpy.random.Generator, height: float) -> numpy.ndarray:
    """Strokes with gaps, as worn type and poor copies have them."""
    grain = max(2, round(height * random.uniform(0.05, 0.12)))
    rows, columns = pixels.shape[:2]
    noise = _grown(random.random((rows // grain + 2, columns // grain + 2), numpy.float32), pixels)
    gone = noise < random.uniform(0.1, 0.25)
    return numpy.where(gone if pixels.ndim == 2 else gone[..., None], 255 - (255 - pixels) // 7, pixels)


def bleed_through(pixels: numpy.ndarray, random: numpy.random.Generator, height: float) -> numpy.ndarray:
    """The other side of the sheet: letters in a mirror, soft and faint, between the lines and across them."""
    by = int(random.integers(0, len(pixels))), int(random.integers(0, pixels.shape[1]))
    back = blur(numpy.roll(pixels[:, ::-1], by, axis=(0, 1)), random, height, (0.02, 0.06))
    faint = random.uniform(0.12, 0.4)
    return numpy.minimum(pixels, (255 - faint * (255 - back.astype(numpy.float32))).astype(numpy.uint8))


def spread(pixels: numpy.ndarray, random: numpy.random.Generator, height: float) -> numpy.ndarray:
    """Ink that has spread or worn off."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    changed = (cv2.erode if random.random() < 0.5 else cv2.dilate)(pixels, kernel)
    share = random.uniform(0.2, 0.6) * min(1.0, height / 16)
    return cv2.addWeighted(pixels, 1 - share, changed, share, 0)


def ground(pixels: numpy.ndarray, random: numpy.random.Generator, height: float) -> numpy.ndarray:
    """Paper or a picture behind the letters: soft spots, or a cell's shade that ends somewhere in the line."""
    if random.random() < 0.5:
        spots = random.random((4, max(4, 4 * pixels.shape[1] // len(pixels))), numpy.float32)
        shade = _grown(spots, pixels) * random.uniform(20, 70)
    else:
        shade = numpy.zeros(pixels.shape[:2], numpy.float32)
        shade[:, int(random.integers(0, pixels.shape[1])) :] = random.uniform(20, 80)
    return _lit(pixels, 1 - shade.clip(0, 90) / 255)


def light(
    pixels: numpy.ndarray, random: numpy.random.Generator, height: float, strengths: Range = (0.1, 0.45), shadows: float = 0.4
) -> numpy.ndarray:
    """Brighter on one side, with a soft shadow in the share `shadows`."""
    angle, strength = random.uniform(0, 2 * math.pi), random.uniform(*strengths)
    y, x = numpy.mgrid[0:32, 0:32] / 31 - 0.5
    shade = 1 - strength * (0.5 + x * math.cos(angle) + y * math.sin(angle)).clip(0, 1)
    if random.random() < shadows:
        edge = (x * math.sin(angle) - y * math.cos(angle) - random.uniform(-0.3, 0.3)) * random.uniform(8, 30)
        shade *= 1 - random.uniform(0.1, 0.35) / (1 + numpy.exp(-edge))
    return _lit(pixels, _grown(shade.astype(numpy.float32), pixels, cv2.INTER_LINEAR))


def tone(
    pixels: numpy.ndarray,
    random: numpy.random.Generator,
    height: float,
    dark: Range = (0, 60),
    bright: Range = (190, 255),
    bends: Range = (1, 1),
    tint: float = 0.0,
) -> numpy.ndarray:
    """Black at a brightness of `dark` and white at one of `bright`, the grays between them bent by a power; less of each colour
    by up to `tint`."""
    low, high = random.uniform(*dark), random.uniform(*bright)
    colours = random.uniform(1 - tint, 1, pixels.shape[2:] or 1)
    table = low + (numpy.linspace(0, 1, 256) ** random.uniform(*bends))[:, None] * (high - low) * colours
    return cv2.LUT(pixels, table.clip(0, 255).astype(numpy.uint8)[:, None])


def invert(pixels: numpy.ndarray, random: numpy.random.Generator, height: float) -> numpy.ndarray:
    """Light on dark."""
    return 255 - pixels


def shrink(
    pixels: numpy.ndarray, random: numpy.random.Generator, height: float, heights: tuple[int, int], tall: float = 1.0
) -> numpy.ndarray:
    """A line in small print: `tall` times as high as one of the `heights`, in pixels."""
    rows = round(int(random.integers(*heights)) * tall)
    size = max(4, round(pixels.shape[1] * rows / len(pixels))), rows
    filters = (Image.Resampling.LANCZOS, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)
    return numpy.asarray(Image.fromarray(pixels).resize(size, filters[int(random.integers(3))]))


def blur(pixels: numpy.ndarray, random: numpy.random.Generator, height: float, sigmas: Range = (0.01, 0.035)) -> numpy.ndarray:
    """Out of focus."""
    return cv2.GaussianBlur(pixels, (0, 0), height * random.uniform(*sigmas))


def shake(pixels: numpy.ndarray, random: numpy.random.Generator, height: float, lengths: Range = (0.025, 0.075)) -> numpy.ndarray:
    """Moved while the camera was open."""
    length, angle = height * random.uniform(*lengths), random.uniform(0, math.pi)
    reach = math.ceil(length)
    at = numpy.mgrid[-reach : reach + 1, -reach : reach + 1].astype(float)
    along, across = at[1] * math.cos(angle) + at[0] * math.sin(angle), at[0] * math.cos(angle) - at[1] * math.sin(angle)
    kernel = numpy.clip(1 - numpy.abs(across), 0, 1) * numpy.clip(length - numpy.abs(along) + 0.5, 0, 1)
    return cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def grain(pixels: numpy.ndarray, random: numpy.random.Generator, height: float, sigmas: Range = (2, 14)) -> numpy.ndarray:
    """The sensor's noise, of 255."""
    noise = random.standard_normal(pixels.shape[:2], numpy.float32) * numpy.float32(random.uniform(*sigmas))
    return cv2.add(pixels, _of_colours(noise, pixels), dtype=cv2.CV_8U)


def jpeg(
    pixels: numpy.ndarray, random: numpy.random.Generator, height: float, qualities: tuple[int, int] = (35, 90)
) -> numpy.ndarray:
    """Saved as a JPEG of lower quality."""
    space = "GRAY" if pixels.ndim == 2 else "RGB"
    encoded = simplejpeg.encode_jpeg(
        numpy.ascontiguousarray(pixels if pixels.ndim == 3 else pixels[..., None]), int(random.integers(*qualities)), space, "420"
    )
    return simplejpeg.decode_jpeg(encoded, space).reshape(pixels.shape)


def lean(pixels: numpy.ndarray, random: numpy.random.Generator, height: float) -> numpy.ndarray:
    """A line that climbs or falls a little, with letters that lean. Its ends leave the frame by a twelfth of its height at
    most."""
    width = pixels.shape[1]
    slope, slant = random.uniform(-0.17, 0.17) * height / width, random.uniform(-0.06, 0.06)
    return numpy.array([[1, slant, -slant * height / 2], [slope, 1, -slope * width / 2], [0, 0, 1]])


def turn(pixels: numpy.ndarray, random: numpy.random.Generator, height: float) -> numpy.ndarray:
    """Laid on the glass a little askew, with paper around it."""
    rows, columns = pixels.shape[:2]
    # So far that the longer side's ends move by a sixtieth of the shorter one, and a hundredth of themselves, at most.
    most = min(math.degrees(math.atan(min(rows, columns) / max(rows, columns) / 30)), 1.2)
    return numpy.vstack([cv2.getRotationMatrix2D((columns / 2, rows / 2), random.uniform(-most, most), 1), (0, 0, 1)])


def tilt(pixels: numpy.ndarray, random: numpy.random.Generator, height: float) -> numpy.ndarray:
    """Seen at an angle: each corner somewhere nearer to the middle."""
    rows, columns = pixels.shape[:2]
    corners = numpy.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], numpy.float32)
    inward = numpy.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], numpy.float32)
    moved = corners + inward * random.uniform(0, 0.04 * min(rows, columns), (4, 2)).astype(numpy.float32)
    return cv2.getPerspectiveTransform(corners, moved)


MOVES: tuple[Step, ...] = (lean, turn, tilt)
"""Steps that move what is on an image: in place of an image they return the (3, 3) matrix that says where to."""

_DULL = (1.0, partial(tone, bends=(0.7, 1.5), tint=0.1))
SCAN: Steps = ((0.5, spread), (1, turn), (1, blur), _DULL, (1, grain), (1, jpeg))
"""What a scanner does to a page."""
CAMERA: Steps = ((1, tilt), (1, light), (1, blur), (0.5, shake), _DULL, (1, grain), (1, jpeg))
"""What a camera does to a flat page; `camera` bends and folds it."""


def _grown(small: numpy.ndarray, pixels: numpy.ndarray, how: int = cv2.INTER_CUBIC) -> numpy.ndarray:
    return cv2.resize(small, pixels.shape[1::-1], interpolation=how)


def _lit(pixels: numpy.ndarray, share: numpy.ndarray) -> numpy.ndarray:
    return cv2.multiply(pixels, _of_colours(share, pixels), dtype=cv2.CV_8U)


def _of_colours(layer: numpy.ndarray, pixels: numpy.ndarray) -> numpy.ndarray:
    return layer if pixels.ndim == 2 else cv2.merge([layer] * 3)


def _paper(pixels: numpy.ndarray) -> list[float]:
    """The usual colour of the image's edges."""
    edges = numpy.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return numpy.atleast_1d(numpy.median(edges, 0)).tolist()
