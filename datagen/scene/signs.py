"""Signs: lines of text laid out on a flat panel, with the exact place of each line. `sign_blend` sets signs onto photographs.

A plan has a sign's look and text. `laid_out` draws the plan at a size. Lines are straight, follow an arc or a wave, or are
columns from the right.
"""

import functools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy
from PIL import Image, ImageDraw, ImageFont

from datagen.drawing import typefaces
from datagen.drawing.line_by_pango import line as drawn_line
from datagen.writing import scripts

KINDS = ("name", "shop", "poster", "list", "columns", "vertical", "arc", "wave")
_CURVE_POINTS = 9  # along each edge of a bent line
_RTL = re.compile(f"[{scripts.RIGHT_TO_LEFT}]")
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Words:
    """The lines of a block, all at `size` times the sign's size, in one weight and colour."""

    lines: tuple[str, ...]
    size: float = 1.0
    weight: int = 400
    colour: Colour = (0, 0, 0)
    is_centred: bool = False


@dataclass(frozen=True)
class Plan:
    """A sign: blocks of words in reading order. `ground` is the panel's colour, None for words without a panel; `rim` is the
    colour of the panel's frame. The last `columns` blocks stand side by side. `curve` is the angle of an arc in radians, negative
    for an arc that opens upwards, or the height of a wave in lines."""

    kind: str
    lang: str
    family: str
    blocks: tuple[Words, ...]
    is_rtl: bool = False
    ground: Colour | None = None
    rim: Colour | None = None
    leading: float = 0.25
    gap: float = 0.9
    padding: float = 0.7
    columns: int = 0
    curve: float = 0.0
    radius: float = 0.0  # of the panel's corners, in sizes


class LaidLine(NamedTuple):
    """A line's text and direction. `corners` lie on the panel, (N, 2) floats, clockwise from the top left of the first character
    as it stands upright."""

    text: str
    direction: str
    corners: numpy.ndarray


@dataclass
class Panel:
    """A drawn sign. `colours` are (H, W, 3) bytes. `opaque` and `ink`, (H, W) bytes, say how opaque each pixel is and how much of
    it is ink. `blocks` has the lines of each block, in reading order."""

    colours: numpy.ndarray
    opaque: numpy.ndarray
    ink: numpy.ndarray
    blocks: list[list[LaidLine]] = field(default_factory=list)


class _Piece(NamedTuple):
    """A drawn line or column: its ink, (H, W) bytes, and the line's corners in this image."""

    ink: numpy.ndarray
    corners: numpy.ndarray
    text: str
    direction: str
    colour: Colour


def laid_out(plan: Plan, size: float) -> Panel:
    """The sign at `size` pixels an em. Raises `ValueError` if no typeface has one of its characters."""
    pieces = [[_piece(plan, block, text, size) for text in block.lines] for block in plan.blocks]
    places, width, height = _placed(plan, pieces, size)
    pad = round(plan.padding * size)
    panel = _empty(plan, width + 2 * pad, height + 2 * pad, size)
    for of_block, at in zip(pieces, places, strict=True):
        lines = []
        for piece, (x, y) in zip(of_block, at, strict=True):
            x, y = x + pad, y + pad
            h, w = piece.ink.shape
            part = panel.ink[y : y + h, x : x + w]
            where = piece.ink > part
            part[where] = piece.ink[where]
            share = piece.ink[..., None].astype(numpy.float32) / 255
            ground = panel.colours[y : y + h, x : x + w]
            if plan.ground is None:
                ground[piece.ink > 0] = piece.colour
            else:
                ground[:] = ground * (1 - share) + numpy.array(piece.colour, numpy.float32) * share
            lines.append(LaidLine(" ".join(piece.text.split()), piece.direction, piece.corners + numpy.array((x, y))))
        panel.blocks.append(lines)
    if plan.ground is None:
        panel.opaque[:] = panel.ink
    return panel


def _piece(plan: Plan, block: Words, text: str, size: float) -> _Piece:
    em = block.size * size
    if plan.kind == "vertical":
        return _column(plan.family, text, em, block.colour)
    margin = max(1, round(0.15 * em))
    gray, box = drawn_line(text, plan.family, plan.lang, em, margin, block.weight)
    ink, corners = 255 - gray, _corners(*box)
    if plan.curve:
        ink, corners = _bent(ink, corners, plan.kind, plan.curve)
    return _Piece(ink, corners, text, "rtl" if _RTL.search(text) else "ltr", block.colour)


def _column(family: str, text: str, em: float, colour: Colour) -> _Piece:
    font = _font(family, max(8, round(em)))
    if missing := typefaces.missing(family, frozenset(text)):
        raise ValueError(f"{family} has no {''.join(sorted(missing))!r}")
    height = round(font.getlength(text, direction="ttb"))
    side = font.size
    margin = max(1, round(0.15 * side))
    image = Image.new("L", (round(side) + 2 * margin, height + 2 * margin))
    middle = margin + side / 2
    ImageDraw.Draw(image).text((middle, margin), text, 255, font, anchor="mt", direction="ttb")
    corners = _corners(margin, margin, margin + side, margin + height)
    return _Piece(numpy.array(image), corners, text, "ttb", colour)


def _corners(x0: float, y0: float, x1: float, y1: float) -> numpy.ndarray:
    return numpy.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], numpy.float64)


@functools.lru_cache(maxsize=64)
def _font(family: str, size: int) -> ImageFont.FreeTypeFont:
    path, index = typefaces.installed()[family]
    return ImageFont.truetype(path, size, index=index, layout_engine=ImageFont.Layout.RAQM)


def _bent(ink: numpy.ndarray, corners: numpy.ndarray, kind: str, curve: float) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The line bent along an arc or a wave; the length of its middle stays. Also the bent line's corners, as many above as
    below."""
    height, width = ink.shape
    (x0, y0), (x1, y1) = corners[0], corners[2]
    middle = height / 2
    if kind == "wave":
        rise, length = curve * (y1 - y0), max(width * 0.75, 4.0 * height)
        out_height = math.ceil(height + 2 * abs(rise))
        ys, xs = numpy.mgrid[0:out_height, 0:width].astype(numpy.float32)
        shift = rise * numpy.sin(2 * math.pi * xs / length)
        bent = cv2.remap(ink, xs, (ys - abs(rise) - shift).astype(numpy.float32), cv2.INTER_LINEAR, borderValue=(0.0,))
        u = numpy.linspace(x0, x1, 2 * _CURVE_POINTS - 1)
        lift = abs(rise) + rise * numpy.sin(2 * math.pi * u / length)
        return bent, numpy.concatenate([numpy.stack([u, y0 + lift], 1), numpy.stack([u, y1 + lift], 1)[::-1]])
    radius, up = width / abs(curve), curve > 0
    if radius < 1.2 * height:
        radius = 1.2 * height
    half = width / radius / 2
    outer, inner = radius + middle, radius - middle
    reach = outer * math.sin(min(half, math.pi / 2))
    depth = outer - inner * math.cos(half)
    out_width, out_height = math.ceil(2 * reach) + 2, math.ceil(depth) + 2
    ys, xs = numpy.mgrid[0:out_height, 0:out_width].astype(numpy.float32)
    dx = xs - out_width / 2
    dy = outer + 1 - ys if up else ys + 1 - (out_height - outer)
    distance, angle = numpy.hypot(dx, dy), numpy.arctan2(dx, dy)
    u, v = angle * radius + width / 2, (outer - distance) if up else (distance - inner)
    bent = cv2.remap(ink, u.astype(numpy.float32), v.astype(numpy.float32), cv2.INTER_LINEAR, borderValue=(0.0,))

    def edge(y: float) -> numpy.ndarray:
        along = (numpy.linspace(x0, x1, _CURVE_POINTS) - width / 2) / radius
        far = outer - y if up else inner + y
        down = outer + 1 - far * numpy.cos(along) if up else out_height - outer - 1 + far * numpy.cos(along)
        return numpy.stack([out_width / 2 + far * numpy.sin(along), down], 1)

    return bent, numpy.concatenate([edge(y0), edge(y1)[::-1]])


def _placed(plan: Plan, pieces: Sequence[Sequence[_Piece]], size: float) -> tuple[list[list[tuple[int, int]]], int, int]:
    """The place of each piece of each block, and the width and height of all."""
    if plan.kind == "vertical":
        return _from_the_right(plan, pieces, size)
    above = len(pieces) - plan.columns
    stacks = [_stacked(plan, block, of, size) for block, of in zip(plan.blocks, pieces, strict=True)]
    head = stacks[:above]
    between = round(plan.gap * size)
    columns = stacks[above:]
    beside = sum(width for _, width, _ in columns) + round(1.6 * size) * max(0, len(columns) - 1)
    width = max([beside, *(w for _, w, _ in head)])
    places, y = [], 0
    for (at, w, h), block in zip(head, plan.blocks, strict=False):
        x = (width - w) // 2 if block.is_centred else (width - w if plan.is_rtl else 0)
        places.append([(x + px, y + py) for px, py in at])
        y += h + between
    x = width if plan.is_rtl else 0
    bottom = y
    for at, w, h in columns:
        left = x - w if plan.is_rtl else x
        places.append([(left + px, y + py) for px, py in at])
        x += (-1 if plan.is_rtl else 1) * (w + round(1.6 * size))
        bottom = max(bottom, y + h + between)
    return places, width, bottom - between


def _stacked(plan: Plan, block: Words, pieces: Sequence[_Piece], size: float) -> tuple[list[tuple[int, int]], int, int]:
    """The places of lines below each other, and their width and height."""
    width = max(piece.ink.shape[1] for piece in pieces)
    places, y = [], 0
    for piece in pieces:
        free = width - piece.ink.shape[1]
        places.append((free // 2 if block.is_centred else (free if plan.is_rtl else 0), y))
        y += piece.ink.shape[0] + round(plan.leading * block.size * size)
    return places, width, y - round(plan.leading * block.size * size)


def _from_the_right(plan: Plan, pieces: Sequence[Sequence[_Piece]], size: float) -> tuple[list[list[tuple[int, int]]], int, int]:
    """The places of columns of text, the first one rightmost, and their width and height."""
    steps = []
    for block, of in zip(plan.blocks, pieces, strict=True):
        steps += [piece.ink.shape[1] + round(plan.leading * block.size * size) for piece in of]
        steps[-1] += round(plan.gap * size)
    width, places = sum(steps) - round((plan.leading * plan.blocks[-1].size + plan.gap) * size), []
    x, flat = width, iter(steps)
    for of in pieces:
        at = []
        for piece in of:
            at.append((x - piece.ink.shape[1], 0))
            x -= next(flat)
        places.append(at)
    return places, width, max(piece.ink.shape[0] for of in pieces for piece in of)


def _empty(plan: Plan, width: int, height: int, size: float) -> Panel:
    colours = numpy.zeros((height, width, 3), numpy.uint8)
    opaque = numpy.zeros((height, width), numpy.uint8)
    if plan.ground is not None:
        shape = Image.new("L", (width, height))
        draw = ImageDraw.Draw(shape)
        draw.rounded_rectangle((0, 0, width - 1, height - 1), round(plan.radius * size), 255)
        opaque[:] = numpy.asarray(shape)
        colours[:] = plan.ground
        if plan.rim is not None:
            rim = Image.fromarray(colours)
            inset, line = round(0.18 * size), max(1, round(0.09 * size))
            ImageDraw.Draw(rim).rounded_rectangle(
                (inset, inset, width - 1 - inset, height - 1 - inset), round(plan.radius * size * 0.8), None, plan.rim, line
            )
            colours[:] = numpy.asarray(rim)
    return Panel(colours, opaque, numpy.zeros((height, width), numpy.uint8))
