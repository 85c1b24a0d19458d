"""The embedded engines: alphabets, detection and Tesseract, on lines that the tests draw."""

import re
from pathlib import Path

import numpy
import pytest
from PIL import Image, ImageDraw, ImageFont

from datagen.engines import ppocr, tesseract

SANS = "DejaVuSans.ttf"


def drawn(*lines: str, size: tuple[int, int] = (800, 400)) -> numpy.ndarray:
    image = Image.new("RGB", size, "white")
    for i, line in enumerate(lines):
        ImageDraw.Draw(image).text((60, 50 + 80 * i), line, "black", ImageFont.truetype(SANS, 30))
    return numpy.asarray(image)


def test_the_embedded_alphabet_is_read_from_the_model():
    known = ppocr.alphabet()
    assert len(known) > 18_000
    assert set("abcXYZ019漢字かな") <= known
    assert not set("жщїўђ") & known
    assert ppocr.alphabet_share({"a": 3, "ж": 1}) == 0.75
    assert ppocr.alphabet_share({}) == 1.0


def test_lines_of_any_script_are_found_from_top_to_bottom():
    image = drawn("Все люди рождаются", "Όλοι οι άνθρωποι", "All human beings")
    found = ppocr.TextDetector().detect(image)
    assert len(found) == 3
    tops = [min(y for _, y in quad) for quad, _ in found]
    assert tops == sorted(tops)
    for i, (quad, score) in enumerate(found):
        assert 0.5 < score <= 1
        assert min(y for _, y in quad) < 65 + 80 * i < max(y for _, y in quad)
    assert ppocr.TextDetector().detect(drawn()) == []


@pytest.mark.skipif(
    not tesseract.language("ru"), reason="Tesseract with Russian is not installed: apt-get install tesseract-ocr-rus"
)
def test_tesseract_reads_lines_in_order():
    lines = ["Все люди рождаются", "свободными и равными", "в своем достоинстве"]
    crops = [numpy.asarray(Image.fromarray(drawn(line, size=(700, 140))).convert("L"))[40:100] for line in lines]
    assert tesseract.read_lines(crops, "ru") == lines


def test_setup_installs_the_languages_that_tesseract_is_asked_in():
    makefile = Path(__file__).parents[2].joinpath("Makefile").read_text().replace("\\\n", " ")
    (listed,) = re.findall(r"addprefix tesseract-ocr-,([a-z\s]+)\)", makefile)
    assert sorted(listed.split()) == sorted(set(tesseract._NAMES.values()))


def test_a_script_is_read_in_a_language_that_stands_for_it(monkeypatch):
    monkeypatch.setattr(tesseract, "_installed", lambda: frozenset(("hin", "mar")))
    assert tesseract.reads("mr", "Deva") == "mr"
    assert tesseract.reads("und", "Deva") == "hi"
    assert tesseract.reads("und", "Cyrl") == ""
    assert tesseract.reads("th", "Thai") == ""


def test_a_language_without_data_is_named():
    assert tesseract.language("xx") == ""
    with pytest.raises(ValueError, match="tesseract has no data for xx"):
        tesseract.read_lines([], "xx")
