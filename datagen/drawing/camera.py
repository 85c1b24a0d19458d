"""A page as a camera sees it that is held over it: a sheet in space that bends or was folded, on a table, in some light.

The geometry is that of a pinhole camera over a developable sheet: the paper bends and doesn't stretch. So it is known where each
point of the page lies in the picture, and a label of the page is one of the picture. The bends are those of arXiv 1807.00375's
kind: along one direction of the sheet, heights follow a curve.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy
from scipy.interpolate import LinearNDInterpolator

from datagen.drawing import wear

_GRID = 49  # points along each side of the sheet
_COARSE = 8  # pixels of the picture from one point where its place on the sheet is computed to the next
_FAR = 2.2  # the camera's distance, in long sides of the sheet


@dataclass(frozen=True)
class Pose:
    """How a page lies before the camera. Angles are degrees.

    `quarters` and `degrees` turn it anticlockwise. `pitch` and `yaw` lean it away. `bend` is how far its middle, or its edge
    towards the spine, stands over the table, as a share of its width; `bend_along` 0 bends the lines of text, 1 the columns.
    `crease` is the angle of a fold across it. `shadow` is the share of light that the shadow takes, and `dark` that all lack.
    `border` is the table around it, as a share of the page.
    """

    quarters: int = 0
    degrees: float = 0.0
    pitch: float = 0.0
    yaw: float = 0.0
    bend: float = 0.0
    bend_along: int = 0
    crease: float = 0.0
    shadow: float = 0.0
    dark: float = 0.0
    border: float = 0.04


Points = Callable[[numpy.ndarray], numpy.ndarray]
"""Takes (N, 2) places on the page, in its pixels, to those in the picture."""


def photographed(page: numpy.ndarray, pose: Pose, random: numpy.random.Generator) -> tuple[numpy.ndarray, Points]:
    """The picture that a camera takes of a page, (H, W, 3) RGB bytes, about as large as the page; and where each point of the
    page lies in it."""
    height, width = page.shape[:2]
    u, v = numpy.meshgrid(numpy.linspace(0, 1, _GRID), numpy.linspace(0, 1, _GRID))
    space = _sheet(u * width, v * height, (width, height), pose, random)
    seen = _projected(space, max(width, height), pose)
    low, high = seen.reshape(-1, 2).min(0), seen.reshape(-1, 2).max(0)
    margin = pose.border * (high - low).max()
    seen += margin - low
    size = numpy.ceil(high - low + 2 * margin).astype(int)
    from_page = numpy.stack([u.ravel() * width, v.ravel() * height], 1)
    back = LinearNDInterpolator(seen.reshape(-1, 2), from_page, fill_value=-1e6)
    xs, ys = (numpy.linspace(0, side - 1, max(2, side // _COARSE)) for side in size)
    coarse = back(*numpy.meshgrid(xs, ys)).astype(numpy.float32)
    inside = (coarse[..., 0] > -1e5).astype(numpy.float32)
    # Places just outside of the sheet follow from those inside, so that its edge isn't torn.
    coarse = _filled(coarse, inside > 0)
    at = (numpy.linspace(0, len(of) - 1, side, dtype=numpy.float32) for of, side in zip((xs, ys), size, strict=True))
    columns, rows = numpy.meshgrid(*at)
    places = cv2.remap(coarse, columns, rows, cv2.INTER_LINEAR)
    table = _table((int(size[0]), int(size[1])), random)
    picture = cv2.remap(page, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    outline = numpy.concatenate([seen[0], seen[1:, -1], seen[-1, -2::-1], seen[-2:0:-1, 0]])
    mask = numpy.zeros(picture.shape[:2], numpy.uint8)
    cv2.fillPoly(mask, [numpy.round(outline).astype(numpy.int32)], (255,))
    picture = numpy.where(mask[..., None] > 0, picture, table)
    picture = _lit(picture, seen, space, pose, random)
    forward = LinearNDInterpolator(from_page, seen.reshape(-1, 2))
    wide, high_ = map(int, size)

    def points(of_page: numpy.ndarray) -> numpy.ndarray:
        x, y = forward(numpy.clip(of_page, 0, (width, height))).T
        across, down = wide, high_
        for _ in range(pose.quarters % 4):
            x, y, across, down = y, across - x, down, across
        return numpy.stack([x, y], 1)

    return numpy.ascontiguousarray(numpy.rot90(picture, pose.quarters)), points


def _sheet(
    x: numpy.ndarray, y: numpy.ndarray, size: tuple[int, int], pose: Pose, random: numpy.random.Generator
) -> numpy.ndarray:
    """The places in space of points of the sheet, (…, 3), its middle at 0, lengths along the paper kept."""
    width, height = size
    x, y = x - width / 2, y - height / 2
    z = numpy.zeros_like(x)
    if pose.bend:
        along, length = (y, height) if pose.bend_along else (x, width)
        at = numpy.linspace(-0.5, 0.5, 513)
        peak = random.uniform(-0.35, 0.35)
        rise = pose.bend * width * (numpy.cos(numpy.pi * (at - peak)) ** 2 * (0.6 + 0.8 * (at + 0.5)))
        run = numpy.sqrt(numpy.maximum(1e-3, 1 - numpy.gradient(rise, at * length) ** 2))
        flat = numpy.concatenate([[0], numpy.cumsum((run[1:] + run[:-1]) / 2 * numpy.diff(at) * length)])
        flat -= flat.mean()
        z = z + numpy.interp(along / length, at, rise)
        moved = numpy.interp(along / length, at, flat)
        x, y = (x, moved) if pose.bend_along else (moved, y)
    if pose.crease:
        way = random.uniform(-0.35, 0.35) + (math.pi / 2 if random.random() < 0.5 else 0)
        normal = numpy.array([math.cos(way), math.sin(way)])
        off = (x * normal[0] + y * normal[1]) - random.uniform(-0.15, 0.15) * width
        beyond = numpy.maximum(0, off)
        angle = math.radians(pose.crease)
        x, y = x - beyond * (1 - math.cos(angle)) * normal[0], y - beyond * (1 - math.cos(angle)) * normal[1]
        z = z + beyond * math.sin(angle)
    return numpy.stack([x, y, z], -1)


def _projected(space: numpy.ndarray, long_side: float, pose: Pose) -> numpy.ndarray:
    """Where the camera sees these points, in pixels."""
    roll, pitch, yaw = (math.radians(angle) for angle in (-pose.degrees, pose.pitch, pose.yaw))
    about_z = numpy.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    about_x = numpy.array([[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]])
    about_y = numpy.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    x, y, z = numpy.moveaxis(space @ (about_y @ about_x @ about_z).T, -1, 0)
    far = _FAR * long_side
    return numpy.stack([x, y], -1) * (far / (far - z))[..., None]


def _filled(places: numpy.ndarray, inside: numpy.ndarray) -> numpy.ndarray:
    """Places where none are known take those of the nearest that are."""
    _, labels = cv2.distanceTransformWithLabels((~inside).astype(numpy.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    of_label = numpy.zeros((labels.max() + 1, 2), numpy.float32)
    of_label[labels[inside]] = places[inside]
    return numpy.where(inside[..., None], places, of_label[labels])


def _table(size: tuple[int, int], random: numpy.random.Generator) -> numpy.ndarray:
    """What the sheet lies on: wood or cloth, brown or gray."""
    colour = numpy.array([110, 85, 60]) if random.random() < 0.6 else numpy.array([70, 72, 78])
    grain = random.standard_normal((size[1] // 3 + 1, size[0] // 40 + 1)).astype(numpy.float32)
    veins = cv2.resize(grain, size, interpolation=cv2.INTER_CUBIC)
    return numpy.clip(colour + 9 * veins[..., None], 0, 255).astype(numpy.uint8)


def _lit(
    picture: numpy.ndarray, seen: numpy.ndarray, space: numpy.ndarray, pose: Pose, random: numpy.random.Generator
) -> numpy.ndarray:
    """The picture in its light: slopes that face away are darker, a shadow lies over it, or there is little light at all."""
    height, width = picture.shape[:2]
    slope = numpy.gradient(space[..., 2], axis=1) / max(1e-6, numpy.abs(numpy.gradient(space[..., 0], axis=1)).mean())
    slope = slope + 0.5 * numpy.gradient(space[..., 2], axis=0) / max(
        1e-6, numpy.abs(numpy.gradient(space[..., 1], axis=0)).mean()
    )
    shade = numpy.clip(1 - 0.45 * slope * random.choice([-1, 1]), 0.45, 1.15)
    xs, ys = numpy.meshgrid(numpy.linspace(0, width, 60), numpy.linspace(0, height, 60))
    lit = LinearNDInterpolator(seen.reshape(-1, 2), shade.ravel(), fill_value=1.0)(xs, ys)
    if pose.shadow:
        angle = random.uniform(0, 2 * math.pi)
        edge = (xs / width - 0.5) * math.cos(angle) + (ys / height - 0.5) * math.sin(angle) - random.uniform(-0.2, 0.2)
        lit = lit * (1 - pose.shadow / (1 + numpy.exp(-edge * random.uniform(12, 40))))
    lit = cv2.resize((lit * (1 - pose.dark)).astype(numpy.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    out = numpy.clip(picture * lit[..., None], 0, 255).astype(numpy.uint8)
    line = max(width, height) / 60
    out = wear.blur(out, random, line, (0.02, 0.04))
    out = wear.grain(out, random, line, (2, 5))
    return wear.jpeg(out, random, line, (70, 92))
