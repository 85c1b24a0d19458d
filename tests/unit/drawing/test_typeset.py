"""Typeset pages against their ink: text, words and boxes have to be true of the image, not only of each other."""

import re
import unicodedata

import numpy
import pymupdf
import pytest

from datagen.drawing import typefaces
from datagen.drawing.families import families
from datagen.drawing.typeset import Rect, Style
from tests.inputs.typeset import Typeset, family, typeset
from tests.inputs.udhr import UDHR

ZOOM = 3
DARK = 128
NARROW = Style(width_pt=300, height_pt=400, margin_pt=30)


def ink(made: Typeset, page: int) -> numpy.ndarray:
    """Where the page is dark, (H, W) bool, at `ZOOM` pixels a point."""
    with pymupdf.open(stream=made.pdf) as doc:
        pixmap = doc[page].get_pixmap(matrix=pymupdf.Matrix(ZOOM, ZOOM), colorspace=pymupdf.csGRAY, alpha=False)
    return numpy.frombuffer(pixmap.samples, numpy.uint8).reshape(pixmap.height, pixmap.width) < DARK


def within(dark: numpy.ndarray, box: Rect, slack_pt: float = 0) -> numpy.ndarray:
    x0, y0, x1, y1 = box
    return dark[
        max(0, round((y0 - slack_pt) * ZOOM)) : round((y1 + slack_pt) * ZOOM),
        max(0, round((x0 - slack_pt) * ZOOM)) : round((x1 + slack_pt) * ZOOM),
    ]


def assert_boxes_hold_the_ink(made: Typeset, bearing_pt: float = 3) -> None:
    """Lines fill their boxes to within `bearing_pt` at either side, and nothing is drawn outside of them."""
    for number, page in enumerate(made.pages):
        dark = ink(made, number)
        for line in page.lines:
            at = numpy.flatnonzero(within(dark, line.box).any(axis=0))
            assert at.size, f"no ink in {line}"
            assert at[0] < bearing_pt * ZOOM, f"box too wide: {line}"
            assert at[-1] > (line.box[2] - line.box[0] - bearing_pt) * ZOOM - 1, f"box too wide: {line}"
        assert dark.any()
        for line in page.lines:
            within(dark, line.box, 1)[:] = False
        assert not dark.any(), f"ink outside of the lines of page {number}: {numpy.argwhere(dark)[:5] / ZOOM}"


def bearing_pt(script: str) -> float:
    """How far ink may stay from a line's edge: marks in the em square of a full-width font leave most of it empty."""
    return 9 if script in ("Hans", "Hant", "Jpan", "Yiii") else 3


def letters(text: str) -> str:
    return re.sub(r"[\s\u00ad-]+", "", unicodedata.normalize("NFC", text))


def read_back(made: Typeset) -> str:
    return "".join(line.text for page in made.pages for line in page.lines)


@pytest.mark.parametrize("script", UDHR)
def test_boxes_hold_the_ink_in_every_script(script):
    lang, text = UDHR[script]
    made = typeset([text, text], lang, NARROW)
    assert_boxes_hold_the_ink(made, bearing_pt(script))
    assert letters(read_back(made)) == letters(text + text)
    assert len(made.pages[0].paragraphs) == 2


def test_typefaces_that_draw_no_conjuncts_in_a_language_are_left_out():
    text = "मानव परिवारका सबै सदस्यहरूको अन्तर्निहित मान तथा सम्मान र अवछिन्न अधिकारहरू"
    assert "FreeMono" in families(text, "hi")
    for lang in ("mr", "ne"):
        assert "FreeMono" not in families(text, lang) and "FreeSerif" in families(text, lang)


def test_what_cannot_be_set_is_a_value_error():
    with pytest.raises(ValueError, match="no installed font has"):
        typeset(["\U00016d43\U00016d44\U00016d45"])  # Kirat Rai, of Unicode 16
    with pytest.raises(ValueError, match="no installed font has '\\\\x92'"):
        typeset(["it\x92s"])
    with pytest.raises(ValueError, match="'No Such Font'"):
        typeset(["text"], style=Style(family="No Such Font"))


def test_a_missing_script_says_which_package_has_it(monkeypatch):
    latin_only = {name: font for name, font in typefaces.installed().items() if name.startswith("DejaVu")}
    monkeypatch.setattr(typefaces, "installed", lambda: latin_only)
    with pytest.raises(ValueError, match=r"Khmr.*fonts-noto-core"):
        family(UDHR["Khmr"][1], "km")
    with pytest.raises(ValueError, match=r"Hans.*fonts-noto-cjk"):
        family(UDHR["Hans"][1], "zh")
