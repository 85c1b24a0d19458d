"""Who reads lines, and what readers say, as labels have it."""

import numpy
import pytest

from datagen.engines import ENGINES, Choice, Engines, packaged, tesseract
from datagen.reading.line_readers import LineReaders

MICRO, MU = "\u00b5", "\u03bc"


class Said:
    def read(self, crops, lang="und"):
        return [(text, None) for text in (f"κό{MICRO}{MICRO}α και {MICRO}έρα", f"5 {MICRO}m", f"{MICRO}")]

    def versions(self):
        return {"said": "1"}

    def close(self):
        pass


def test_the_micro_sign_is_a_mu_in_greek_words_alone(monkeypatch):
    monkeypatch.setitem(ENGINES, "said", f"{__name__}:Said")
    with Engines() as engines:
        read = LineReaders(engines).read(Choice("said"), [numpy.zeros((9, 9), numpy.uint8)] * 3)
    assert read == [(f"κό{MU}{MU}α και {MU}έρα", None), (f"5 {MICRO}m", None), (MICRO, None)]


@pytest.mark.parametrize(
    ("lang", "script", "first", "has_tesseract", "reader"),
    [
        ("hi", "Deva", ("Deva",), True, ("script", "hi")),  # it read its test better than Tesseract
        ("hi", "Deva", (), True, ("tesseract", "hi")),
        ("hi", "Deva", (), False, ("script", "hi")),
        ("ta", "Taml", (), True, ("tesseract", "ta")),  # no reader comes with the package
        ("ta", "Taml", (), False, ("ppocr", "ta")),
        ("en", "Latn", (), True, ("ppocr", "en")),
    ],
)
def test_who_reads_a_script(monkeypatch, lang, script, first, has_tesseract, reader):
    monkeypatch.setattr(packaged, "available", lambda: ("Deva", "Latn"))
    monkeypatch.setattr(packaged, "is_first", lambda script: script in first)
    known = {"hi": "Deva", "ta": "Taml"} if has_tesseract else {}
    monkeypatch.setattr(tesseract, "language", lambda lang: "x" if lang in known else "")
    with Engines() as engines:
        who, read_in = LineReaders(engines).who(lang, script)
    assert (who.name, read_in) == reader
    assert who.settings == ((("script", "Deva"),) if who.name == "script" else ())


class Told:
    """Tells lines by their shade: dark ones are Thai, others Greek."""

    scripts = ("Grek", "Thai")

    def likelihoods(self, crops):
        return numpy.array([[-5.0, -1.0] if crop.mean() < 100 else [-1.0, -2.0] for crop in crops])

    def close(self):
        pass


def test_lines_together_tell_the_script(monkeypatch):
    monkeypatch.setitem(ENGINES, "script-of-lines", f"{__name__}:Told")
    dark, light = numpy.zeros((9, 9), numpy.uint8), numpy.full((9, 9), 200, numpy.uint8)
    with Engines() as engines:
        readers = LineReaders(engines)
        assert readers.likely_scripts([dark, light, light], 2) == ["Thai", "Grek"]
        assert readers.guessed_script([light]) == "Grek"
        assert readers.guessed_script([]) == "Zyyy"


@pytest.mark.parametrize(
    ("compared", "on_paper", "first"),
    [
        (None, (), True),
        ({"difference": [0.002, 0.04]}, ("Deva",), True),
        ({"difference": [-0.001, 0.03]}, ("Deva",), False),
    ],
)
def test_a_reader_comes_before_tesseract_where_it_read_better_on_paper_and_beyond_chance(monkeypatch, compared, on_paper, first):
    packaged.is_first.cache_clear()
    monkeypatch.setattr(packaged, "BETTER_ON_PAPER", on_paper)
    monkeypatch.setattr(packaged, "cards", lambda: {"Deva": {"tesseract": compared}})
    assert packaged.is_first("Deva") == first
    packaged.is_first.cache_clear()
