"""The inventory of typefaces, and the lines that are drawn in them."""

from pathlib import Path

import numpy
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from datagen.drawing import line_by_pillow, typefaces
from tests.inputs.udhr import UDHR

# Noto has a typeface for the letters of each.
SCRIPTS = ("Latn", "Arab", "Khmr", "Hans")


def test_a_digest_follows_names_and_bytes(tmp_path):
    paths = [str(tmp_path / name) for name in ("a.ttf", "b.ttf")]
    for path in paths:
        Path(path).write_bytes(b"one")
    digests = {typefaces.digest(chosen) for chosen in (paths, paths[:1], paths[1:])}
    other = tmp_path / "moved" / "a.ttf"
    other.parent.mkdir()
    other.write_bytes(b"one")
    assert len(digests) == 3
    assert typefaces.digest([str(other)]) == typefaces.digest(paths[:1]) != typefaces.digest([])
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "a.ttf").write_bytes(b"two")  # as long, and not the same
    assert typefaces.digest([str(tmp_path / "c" / "a.ttf")]) not in digests


@pytest.mark.parametrize("script", SCRIPTS)
def test_faces_of_a_script_draw_its_letters(script):
    lang, text = UDHR[script]
    faces = typefaces.reference_faces(script)
    assert any(typefaces.draws(face, text) for face in faces)
    assert set(faces) <= set(typefaces.all_reference_faces())
    for name in typefaces.ranked(text, lang):
        path, index = typefaces.installed()[name]
        assert typefaces.characters(path, index) >= {ord(char) for char in text if char.isalpha()}


def test_a_family_that_draws_a_box_for_every_letter_is_none(tmp_path, monkeypatch):
    letters, pen = "αβγδεζΑΒΓΔΕΖ", TTGlyphPen(None)
    for point in ((0, 0), (0, 700), (400, 700), (400, 0)):
        pen.moveTo(point) if point == (0, 0) else pen.lineTo(point)
    pen.closePath()
    names = {ord(char): f"letter{number}" for number, char in enumerate(letters)}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap(names)
    builder.setupGlyf(dict.fromkeys([".notdef", *names.values()], pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys([".notdef", *names.values()], (500, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "boxes.ttf")
    fonts = {"Boxes": (str(tmp_path / "boxes.ttf"), 0), "DejaVu Sans": typefaces.installed()["DejaVu Sans"]}
    monkeypatch.setattr(typefaces, "installed", lambda: fonts)
    assert not typefaces.missing("Boxes", frozenset(letters))
    assert [*typefaces.ranked(letters, "el")] == ["DejaVu Sans"]
    assert set(typefaces.ranked("123")) == {"Boxes", "DejaVu Sans"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_line_is_drawn_around_its_box(script):
    text = UDHR[script][1][:20].strip()
    face = next(face for face in typefaces.reference_faces(script) if typefaces.draws(face, text))
    ink, box = line_by_pillow.line(face, 40, text, margin=30)
    assert ink.shape == (box.y1 + 30, box.x1 + 30) and (box.x0, box.y0) == (30, 30)
    assert box.x1 - box.x0 == round(line_by_pillow.width(face, 40, text))
    inside = ink[box.y0 : box.y1, box.x0 - 5 : box.x1 + 5]
    assert inside.max() == 255 and inside.sum(dtype=numpy.int64) > 0.97 * ink.sum(dtype=numpy.int64)
    assert abs(line_by_pillow.height(face, line_by_pillow.size_of_height(face, 48)) - 48) <= 2
