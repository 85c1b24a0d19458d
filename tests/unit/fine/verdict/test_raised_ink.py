"""Sub- and superscripts by their ink: lines set with scripts, and without, in two typefaces."""

from dataclasses import replace

import numpy
import pymupdf
import pytest

from datagen.coarse.answers import BY
from datagen.fine.verdict.raised_ink import with_scripts
from datagen.record import Box, Line, Region, Sample
from tests.inputs.samples import sample

DPI, SIZE = 150, 11.0
RISE = {"sup": 0.35, "sub": -0.16}
FACES = ("tiro", "helv")
Parts = list[tuple[str, str]]
"""Texts, each with `sup`, `sub` or ""."""


def page(parts: Parts, read: str = "", face: str = "tiro", by: str = "ppocr", **values) -> tuple[Sample, numpy.ndarray]:
    """A page of one line, and its picture. The line was `read` as what stands in it, unless something else is said."""
    document = pymupdf.open()
    sheet = document.new_page(width=500, height=60)
    font, writer, x = pymupdf.Font(face), pymupdf.TextWriter(sheet.rect), 20.0
    for text, tag in parts:
        size = SIZE * (0.65 if tag else 1.0)
        writer.append((x, 35 - RISE.get(tag, 0.0) * SIZE), text, font=font, fontsize=size)
        x += font.text_length(text, size)
    writer.write_text(sheet)
    pixmap = sheet.get_pixmap(dpi=DPI, colorspace=pymupdf.csGRAY)
    gray = numpy.frombuffer(pixmap.samples, numpy.uint8).reshape(pixmap.height, pixmap.width)
    zoom = DPI / 72
    box = Box(round(19 * zoom), round(22 * zoom), round((x + 1) * zoom), round(40 * zoom))
    read = read or "".join(text for text, _ in parts)
    line = Line(box, read, direction="ltr")
    region = Region(box, "text", values.pop("text", read), 0.9, by, lines=(line,))
    made = sample(size=(pixmap.width, pixmap.height), lang="en", script="Latn", text=region.text, regions=(region,))
    return replace(made, **values), gray


def tagged(*args, **values) -> str:
    result = with_scripts(*page(*args, **values))
    assert result.text == result.regions[0].text
    assert result.regions[0].lines[0].text == page(*args, **values)[0].regions[0].lines[0].text  # lines stay plain
    return result.text


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([("about 12 km", ""), ("2", "sup"), (" of all their land", "")], "about 12 km<sup>2</sup> of all their land"),
        (
            [("as H", ""), ("2", "sub"), ("O and as CO", ""), ("2", "sub"), (" do", "")],
            "as H<sub>2</sub>O and as CO<sub>2</sub> do",
        ),
        ([("in the 19", ""), ("th", "sup"), (" century it was", "")], "in the 19<sup>th</sup> century it was"),
    ],
)
def test_scripts_are_tagged_where_the_ink_has_them(parts, text, face):
    assert tagged(parts, face=face) == text


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    "text",
    [
        "about 12 km2 of all their land, as H2O",
        'it\'s said in "this" article 1, p. 20 ‘so’',
        "říční žluť, kterou klienti čtou, à l'exemple, não ça",
    ],
)
def test_nothing_is_tagged_where_letters_stand_on_the_line(text, face):
    assert tagged([(text, "")], face=face) == text


def test_digits_that_were_read_as_raised_ones_are_tagged_and_the_files_own_text_stays():
    parts = [("about 12 km", ""), ("2", "sup"), (" of all their land", "")]
    assert tagged(parts, read="about 12 km² of all their land") == "about 12 km<sup>2</sup> of all their land"
    assert tagged([("plain and flat text", "")], text="5 m² and CO₂") == "5 m<sup>2</sup> and CO<sub>2</sub>"
    own, gray = page(parts, by=BY)
    assert with_scripts(own, gray) == own
