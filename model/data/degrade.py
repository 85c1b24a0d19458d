"""Pages made to look scanned or photographed. The damage depends on a seed, and the image keeps its size.

A scan is dull and noisy, slightly turned, its ink spread or worn, and saved as a JPEG. A photo is lit from one side, seen at an
angle, out of focus or shaken, and noisier. A line of text counts as a fiftieth of the image's longer side high, or half of its
shorter side, whichever is less.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from datagen.drawing import wear

_MAX_SIDE = 32_766
"""The longest side that OpenCV can move. A larger image stays as it is."""


@dataclass(frozen=True)
class Degradations:
    """The shares of images that become scans and photos. The others stay as they are."""

    scan: float = 0.2
    camera: float = 0.1

    def __post_init__(self) -> None:
        if min(self.scan, self.camera) < 0 or self.scan + self.camera > 1:
            raise ValueError(f"scan is {self.scan}, camera {self.camera}: shares of all images, together at most 1")

    def __call__(self, image: Image.Image, seed: int, may_move: bool) -> Image.Image:
        """The image, degraded by `seed`. Unless it `may_move`, all stays in its place, because an answer has boxes."""
        random = np.random.Generator(np.random.PCG64(seed))
        u = random.random()
        if u >= self.scan + self.camera or max(image.size) > _MAX_SIDE:
            return image
        pixels = np.asarray(image)
        line_height = max(6.0, min(max(image.size) / 50, min(image.size) / 2))
        steps = wear.SCAN if u < self.scan else wear.CAMERA
        return Image.fromarray(wear.worn(pixels, random, steps, line_height, may_move)[0])
