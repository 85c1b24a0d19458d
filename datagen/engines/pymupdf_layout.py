"""PyMuPDF's own layout model over an image: the page is drawn as a PDF anew, with the lines that were read laid on it unseen.

The model groups lines. It looks at the picture, at 72 dpi, at where lines lie, and at the pattern of their characters: digits,
spaces, signs, and letters, whichever they are. So one built-in font serves all scripts: its letters stand for any others.
"""

import functools
import hashlib
import importlib.util
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy
from PIL import Image

from datagen.engines import needed_by
from datagen.engines.light_pymupdf import pymupdf
from datagen.labels import label_of
from datagen.record import Box, Line, Region

NAME = "pymupdf-layout"
_INPUT = "text+post-seg-image"  # lines, and pictures that its network for images sees
_FONT = "helv"
_SIZE, _DESCENT = 1.0, 0.22  # of a line's height: the font's size, and how far its letters reach below the line
_TALL = 1.5  # times as high as wide: a line from top to bottom
_BULLETS = frozenset("•‣◦▪■□→✓※●◆◇○▶►")
_INSTEAD = {"。": ".", "、": ","}


class PymupdfLayout:
    """Groups the lines of a page that is `long_side` points long. Regions stand in the model's own order, column by column."""

    def __init__(self, long_side: int = 800):
        self.long_side = long_side

    def versions(self) -> dict[str, str]:
        return {"pymupdf": pymupdf.__version__, "pymupdf_layout": _weights_sha256()}

    def regions(self, images: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]]) -> list[tuple[Region, ...]]:
        """The regions of each image, (H, W, 3) RGB bytes, with labels of the record, and without text and scores."""
        return [self._regions(image, of_image) for image, of_image in zip(images, lines, strict=True)]

    def close(self) -> None:
        """The model stays: it is the process's, and page functions may use it, too."""

    def _regions(self, image: numpy.ndarray, lines: Sequence[Line]) -> tuple[Region, ...]:
        height, width = image.shape[:2]
        scale = self.long_side / max(width, height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = Image.fromarray(image).resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR)
        with pymupdf.open() as document:
            page = document.new_page(width=size[0], height=size[1])
            page.insert_image(page.rect, pixmap=pymupdf.Pixmap(pymupdf.csRGB, *size, small.tobytes(), False))
            page.insert_font(_FONT)
            (content,) = page.get_contents()
            text = "\n".join(_laid(line, scale, size[1]) for line in lines)
            document.update_stream(content, document.xref_stream(content) + f"\nq BT 3 Tr\n{text}\nET Q\n".encode("cp1252"))
            predicted = layout_model().predict(page)
        regions = []
        for *corners, name in predicted:
            x0, y0, x1, y1 = (round(corner / scale) for corner in corners)
            box = Box(max(0, x0), max(0, y0), min(width, x1), min(height, y1))
            if box.x0 < box.x1 and box.y0 < box.y1:
                regions.append(Region(box, label_of(NAME, name), "", None, NAME, detected_by=NAME, is_unread=True))
        return tuple(regions)


def pattern(text: str) -> str:
    """The text with what the model can tell apart: its ASCII signs and digits, spaces and bullets; x for any letter, ~ for any
    other sign. Marks, which stand on letters, are left out."""
    signs = []
    for char in unicodedata.normalize("NFKC", text):
        char = _INSTEAD.get(char, char)
        if char.isspace():
            signs.append(" ")
        elif char in _BULLETS:
            signs.append("•")
        elif char.isdigit():
            signs.append(char if char.isascii() else "1")
        elif char.isalnum():
            signs.append("x")
        elif char.isascii() and char.isprintable():
            signs.append(char)
        elif unicodedata.category(char)[0] not in "MC":
            signs.append("~")
    return "".join(signs).strip()


def _laid(line: Line, scale: float, height: int) -> str:
    """The operators that lay a line's pattern where it lies, as wide as it is, on a page `height` points high."""
    # A tall letter and one that reaches below the line in turn: MuPDF takes the ink of letters for a line's box.
    text = "".join("Hg"[n % 2] if char == "x" else char for n, char in enumerate(pattern(line.text)))
    if not text:
        return ""
    x0, y0, x1, y1 = (side * scale for side in line.box)
    is_tall = y1 - y0 > _TALL * (x1 - x0)
    wide, high = (y1 - y0, x1 - x0) if is_tall else (x1 - x0, y1 - y0)
    size = _SIZE * high
    stretched = 100 * wide / max(0.01, pymupdf.get_text_length(text, _FONT, size))
    place = (
        f"0 -1 1 0 {x0 + _DESCENT * high:.2f} {height - y0:.2f}"
        if is_tall
        else f"1 0 0 1 {x0:.2f} {height - y1 + _DESCENT * high:.2f}"
    )
    escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return f"/{_FONT} {size:.2f} Tf {stretched:.2f} Tz {place} Tm ({escaped}) Tj"


@functools.cache
def layout_model() -> Any:
    """The model on one thread: a worker has one core, and sums over threads don't give the same bits. It finds no cells of
    tables, which on a page of them takes it as long as all the rest."""
    import onnxruntime

    options = onnxruntime.SessionOptions

    def of_one_thread() -> Any:
        made = options()
        made.intra_op_num_threads = made.inter_op_num_threads = 1
        return made

    with needed_by(NAME):
        activated = pymupdf._get_layout
        pymupdf._get_layout = of_one_thread  # what can be called keeps the package from loading a model as it is imported
        try:
            from pymupdf.layout import DocumentLayoutAnalyzer
        finally:
            pymupdf._get_layout = activated
        with mock.patch.object(onnxruntime, "SessionOptions", of_one_thread):
            model = DocumentLayoutAnalyzer.get_model(input_type=_INPUT)._model
    model.table_grid_extractor = None
    return model


@functools.cache
def _weights_sha256() -> str:
    """The digest of the models that the installed package reads by default."""
    with needed_by(NAME):
        package = importlib.util.find_spec("pymupdf")
        folder = Path(str(package.origin)).parent / "layout" / "resources" / "onnx" if package else Path()
        files = [folder / name for name in ("layout_rf2.4.1+imf1.onnx", "layout_rf2.4.1+imf1.yaml", "feature_imf1.onnx")]
        if not all(file.is_file() for file in files):
            raise ImportError(
                f"engine {NAME} needs PyMuPDF's layout models, of another version than is installed: pip install -U pymupdf",
                name="pymupdf.layout",
            )
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
