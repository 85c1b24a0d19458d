"""Pages as a scanner or a camera would see them: what is drawn follows from a seed, and the image keeps its size.

A scan is dull and noisy, a little turned, its ink spread or worn, and saved as a JPEG. A photo is lit from one side, seen at an
angle, out of focus or shaken, and noisier. Distances are shares of the height of the text, as far as an image tells: the smaller
of a thousandth of its longer side and a fortieth of its shorter one.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

cv2.setNumThreads(0)  # workers are processes already
_MAX_SIDE = 32_766
"""OpenCV moves no image that has a longer side. Such an image stays as it is."""


@dataclass(frozen=True)
class Degradations:
    """The shares of images that are degraded as scans and as photos. The others stay as they are."""

    scan: float = 0.2
    camera: float = 0.1

    def __post_init__(self) -> None:
        if min(self.scan, self.camera) < 0 or self.scan + self.camera > 1:
            raise ValueError(f"scan is {self.scan}, camera {self.camera}: shares of all images, together at most 1")

    def __call__(self, image: Image.Image, seed: int, may_move: bool) -> Image.Image:
        """The image as `seed` degrades it. Unless it `may_move`, all stays in its place, because an answer has boxes."""
        random = np.random.Generator(np.random.PCG64(seed))
        u = random.random()
        if u >= self.scan + self.camera or max(image.size) > _MAX_SIDE:
            return image
        steps = _SCAN if u < self.scan else _CAMERA
        pixels = np.asarray(image)
        unit = _unit(pixels)
        for step in steps:
            if may_move or step not in _MOVING:
                pixels = step(pixels, random, unit)
        return Image.fromarray(pixels)


def scanned(pixels: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 3) bytes as a scan, and the (2, 3) matrix that takes a point of the image, (x, y, 1), to its place in the scan."""
    unit, matrix = _unit(pixels), np.eye(2, 3)
    for step in _SCAN:
        if step is turn:
            matrix = askew(pixels, random)
            pixels = _moved(pixels, matrix)
        else:
            pixels = step(pixels, random, unit)
    return pixels, matrix


def _unit(pixels: np.ndarray) -> float:
    """What distances are counted in, in pixels."""
    height, width = pixels.shape[:2]
    return max(0.3, min(max(height, width) / 1000, min(height, width) / 40))


Step = Callable[[np.ndarray, np.random.Generator, float], np.ndarray]


def ink(pixels: np.ndarray, random: np.random.Generator, unit: float) -> np.ndarray:
    """Ink that has spread or worn off, at times."""
    if random.random() < 0.5 or unit < 0.8:
        return pixels
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    changed = (cv2.erode if random.random() < 0.5 else cv2.dilate)(pixels, kernel)
    return cv2.addWeighted(pixels, 1 - (share := random.uniform(0.2, 0.6)), changed, share, 0)


def blur(pixels: np.ndarray, random: np.random.Generator, unit: float) -> np.ndarray:
    """Out of focus."""
    return cv2.GaussianBlur(pixels, (0, 0), unit * random.uniform(0.2, 0.7))


def shake(pixels: np.ndarray, random: np.random.Generator, unit: float) -> np.ndarray:
    """Moved while it was open, at times."""
    if random.random() < 0.5:
        return pixels
    length, angle = unit * random.uniform(0.5, 1.5), random.uniform(0, math.pi)
    reach = math.ceil(length)
    at = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(float)
    along, across = at[1] * math.cos(angle) + at[0] * math.sin(angle), at[0] * math.cos(angle) - at[1] * math.sin(angle)
    kernel = np.clip(1 - np.abs(across), 0, 1) * np.clip(length - np.abs(along) + 0.5, 0, 1)
    return cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def tone(pixels: np.ndarray, random: np.random.Generator, unit: float) -> np.ndarray:
    """Less contrast, another brightness, and a tint of the paper."""
    low, high = random.uniform(0, 60), random.uniform(190, 255)
    tint = random.uniform(0.9, 1, 3)
    table = low + (np.linspace(0, 1, 256) ** random.uniform(0.7, 1.5))[:, None] * (high - low) * tint
    return cv2.LUT(pixels, table.clip(0, 255).astype(np.uint8)[:, None])


def light(pixels: np.ndarray, random: np.random.Generator, unit: float) -> np.ndarray:
    """Brighter on one side, with a soft shadow at times."""
    height, width = pixels.shape[:2]
    angle, strength = random.uniform(0, 2 * math.pi), random.uniform(0.1, 0.45)
    y, x = np.mgrid[0:32, 0:32] / 31 - 0.5
    shade = 1 - strength * (0.5 + x * math.cos(angle) + y * math.sin(angle)).clip(0, 1)
    if random.random() < 0.4:
        edge = (x * math.sin(angle) - y * math.cos(angle) - random.uniform(-0.3, 0.3)) * random.uniform(8, 30)
        shade *= 1 - random.uniform(0.1, 0.35) / (1 + np.exp(-edge))
    shade = cv2.resize(shade.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.multiply(pixels, cv2.merge([shade] * 3), dtype=cv2.CV_8U)


def grain(pixels: np.ndarray, random: np.random.Generator, unit: float) -> np.ndarray:
    """The sensor's noise."""
    noise = random.standard_normal(pixels.shape[:2], np.float32) * np.float32(random.uniform(2, 14))
    return cv2.add(pixels, cv2.merge([noise] * 3), dtype=cv2.CV_8U)


def turn(pixels: np.ndarray, random: np.random.Generator, unit: float) -> np.ndarray:
    """Laid on the glass a little askew, with paper around it."""
    return _moved(pixels, askew(pixels, random))


def askew(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The (2, 3) matrix of a turn around the image's middle."""
    height, width = pixels.shape[:2]
    # So far that the longer side's ends move by a sixtieth of the shorter one, and a hundredth of themselves, at most.
    most = min(math.degrees(math.atan(min(width, height) / max(width, height) / 30)), 1.2)
    return cv2.getRotationMatrix2D((width / 2, height / 2), random.uniform(-most, most), 1)


def _moved(pixels: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    return cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=_paper(pixels))


def tilt(pixels: np.ndarray, random: np.random.Generator, unit: float) -> np.ndarray:
    """Seen at an angle: each corner somewhere nearer to the middle."""
    height, width = pixels.shape[:2]
    reach = 0.04 * min(width, height)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    inward = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float32)
    moved = corners + inward * random.uniform(0, reach, (4, 2)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    return cv2.warpPerspective(pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=_paper(pixels))


def saved(pixels: np.ndarray, random: np.random.Generator, unit: float) -> np.ndarray:
    """As a JPEG of lower quality."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(35, 90))])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def _paper(pixels: np.ndarray) -> tuple[float, ...]:
    """The usual colour of the image's edges."""
    edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return tuple(float(value) for value in np.median(edges, 0))


_MOVING = (turn, tilt)
_SCAN: tuple[Step, ...] = (ink, turn, blur, tone, grain, saved)
_CAMERA: tuple[Step, ...] = (tilt, light, blur, shake, tone, grain, saved)
