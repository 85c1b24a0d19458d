"""Signs set onto photographs: seen at an angle, in the light of their place, with shadows."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy

from datagen.record import Box
from datagen.scene.signs import Panel

cv2.setNumThreads(0)  # workers are processes already
_LUMA = numpy.array([0.299, 0.587, 0.114], numpy.float32)
_INK, _GROUND = 160, 8  # of 255: certain ink has at least the first, the ground at most the second
_SHADOW_REACH = 14  # pixels


@dataclass(frozen=True)
class View:
    """How a sign is turned: `angle` in radians; `yaw` and `pitch` away from the eye, shares of its width and height from -1 to 1.
    The nearer end is larger than the other by this share."""

    angle: float
    yaw: float
    pitch: float

    def corners(self, width: float, height: float) -> numpy.ndarray:
        """The corners of a panel around 0, (4, 2) floats, clockwise from its top left corner."""
        w, h = width / 2 * (1 - 0.35 * abs(self.yaw)), height / 2 * (1 - 0.35 * abs(self.pitch))
        left, right, top, bottom = 1 - self.yaw * 0.4, 1 + self.yaw * 0.4, 1 - self.pitch * 0.4, 1 + self.pitch * 0.4
        flat = numpy.array([(-w * top, -h * left), (w * top, -h * right), (w * bottom, h * right), (-w * bottom, h * left)])
        turn = numpy.array([(math.cos(self.angle), math.sin(self.angle)), (-math.sin(self.angle), math.cos(self.angle))])
        return flat @ turn


@dataclass(frozen=True)
class Light:
    """A sign's light. `shading` is the influence of the light behind the sign, `paint` its paint's opacity, `shadow` the darkness
    of its shadow, each from 0 to 1. The shadow falls `dx`, `dy` pixels away."""

    shading: float
    paint: float
    shadow: float
    dx: int
    dy: int


class Seen(NamedTuple):
    """A sign in a picture. `canvas` is the picture's part `box` with the sign on it; `ink` and `matrix` are of the same part."""

    box: Box
    canvas: numpy.ndarray
    ink: numpy.ndarray
    matrix: numpy.ndarray  # from the panel to the whole picture

    def place(self, corners: numpy.ndarray) -> numpy.ndarray:
        """(N, 2) points of the panel as points of the picture."""
        placed: numpy.ndarray = cv2.perspectiveTransform(corners[None].astype(numpy.float64), self.matrix)[0]
        return placed

    def contrast(self, corners: numpy.ndarray) -> float:
        """The difference of 0 to 255 in brightness between ink and ground within a line's polygon, less the variation of both. -1
        without ink or ground. `corners` are in the picture."""
        left, top = self.box.x0, self.box.y0
        mask = numpy.zeros(self.ink.shape, numpy.uint8)
        cv2.fillPoly(mask, [numpy.round(corners - (left, top)).astype(numpy.int32)], (1.0,))
        ink, ground = (mask > 0) & (self.ink >= _INK), (mask > 0) & (self.ink <= _GROUND)
        if ink.sum() < 12 or ground.sum() < 12:
            return -1.0
        inks, grounds = self.canvas[ink], self.canvas[ground]
        luma = abs(float((inks @ _LUMA).mean() - (grounds @ _LUMA).mean()))
        return luma - 0.7 * float((grounds @ _LUMA).std()) - 0.4 * float((inks @ _LUMA).std())


def seen(picture: numpy.ndarray, panel: Panel, corners: numpy.ndarray, light: Light) -> Seen:
    """The panel in `picture`, (H, W, 3) bytes, with its corners at `corners`, and the part around it. `picture` isn't changed."""
    reach = _SHADOW_REACH if light.shadow else 2
    x0, y0 = numpy.maximum(0, numpy.floor(corners.min(0)).astype(int) - reach)
    x1, y1 = numpy.minimum((picture.shape[1], picture.shape[0]), numpy.ceil(corners.max(0)).astype(int) + reach)
    height, width = panel.opaque.shape
    flat = numpy.array([(0, 0), (width, 0), (width, height), (0, height)], numpy.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners.astype(numpy.float32))
    shift = numpy.array([(1, 0, -x0), (0, 1, -y0), (0, 0, 1)], numpy.float64)
    size = (int(x1 - x0), int(y1 - y0))
    share = panel.opaque[..., None].astype(numpy.float32) / 255
    layers = numpy.concatenate([panel.colours * share, share * 255, panel.ink[..., None].astype(numpy.float32)], 2)
    warped = cv2.warpPerspective(layers, shift @ matrix, size, flags=cv2.INTER_LINEAR)
    colours, opaque, ink = warped[..., :3], warped[..., 3] / 255, warped[..., 4]
    part = picture[y0:y1, x0:x1].astype(numpy.float32)
    if light.shadow:
        soft = cv2.GaussianBlur(opaque, (0, 0), 3.0)
        moved = cv2.warpAffine(soft, numpy.array([(1, 0, light.dx), (0, 1, light.dy)], numpy.float64), size)
        part *= (1 - light.shadow * moved)[..., None]
    behind = cv2.GaussianBlur(part @ _LUMA, (0, 0), max(4.0, 0.06 * max(size)))
    shade = 1 - light.shading + light.shading * numpy.clip(behind / max(30.0, float(behind.mean())), 0.55, 1.5)
    canvas = part * (1 - light.paint * opaque)[..., None] + light.paint * colours * shade[..., None]
    return Seen(Box(int(x0), int(y0), int(x1), int(y1)), numpy.clip(canvas, 0, 255), ink.astype(numpy.uint8), matrix)
