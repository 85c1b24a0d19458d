"""What labels are worth: lines of typeset pages, which a second reader reads for real."""

from dataclasses import replace

import cv2
import numpy
import pytest

from datagen.engines import OPEN, Choice, packaged, tesseract
from datagen.fine.verdict import judge_page, read_again
from datagen.fine.verdict.judge_page import WeighLabels
from datagen.fine.verdict.line_witness import Spoken
from datagen.fine.verdict.read_again import as_drawn, second_reader
from datagen.fine.verdict.region_witness import Witnesses
from datagen.formulas.render import draw
from datagen.page import images
from datagen.record import Box, Region
from datagen.risk.bounds import NOBODY, Cutoff
from tests.inputs.samples import sample
from tests.inputs.typeset import drawn_page

ONE_EACH = WeighLabels(lines_a_page=4)


def page(claims=lambda i, text: text, by: str = "pymupdf", score: float | None = None, verdict: str = "trusted", **values):
    """A typeset English page, a region a line; `claims` is told the text of line i."""
    image, size, lines = drawn_page("Latn", 3, "")
    regions = []
    for i, line in enumerate(lines[:4]):
        line = replace(line, text=claims(i, line.text))
        regions.append(Region(line.box, "table_footnote", line.text, score, by, lines=(line,)))
    rest = lines[4:]
    around = Box(*(f(line.box[k] for line in rest) for k, f in enumerate((min, min, max, max))))
    regions.append(Region(around, "image", "", None, by))
    text = "\n\n".join(region.text for region in regions if region.text)
    made = sample(image=image, size=size, lang="en", script="Latn", text=text, regions=tuple(regions), **values)
    return made.with_quality(verdict, structure_score=0.9)


def weighed(page, stage=ONE_EACH):
    (result,) = stage([page], OPEN)
    return result


def test_a_true_page_is_easy_and_each_region_that_was_read_again_has_a_score():
    result = weighed(page())
    signals = result.quality.signals
    assert result.quality.verdict == "trusted" and result.quality.reasons == ()
    assert signals["agreement"] > 0.98 and signals["level"] == 0.0 and signals["coverage"] == 1.0
    assert signals["worth"] == signals["agreement"] and result.difficulty == pytest.approx(1 - signals["worth"])
    assert [region.score is None for region in result.regions] == [False] * 4 + [True]


def test_a_region_whose_text_is_another_becomes_unread_and_the_others_stay():
    whole = page(lambda i, text: text[::-1] if i == 1 else text)
    result = weighed(whole)
    assert [region.is_unread for region in result.regions[:4]] == [False, True, False, False]
    assert result.regions[1].text == "" and result.regions[1].lines == whole.regions[1].lines
    assert result.quality.verdict == "trusted" and result.quality.reasons == ("unread_regions",)
    assert result.quality.signals["agreement"] > 0.98 and result.quality.signals["doubted_readers_disagree"] == 1.0
    assert 0.1 < result.quality.signals["disputed_share"] < 0.35
    assert result.text == "\n\n".join(whole.regions[i].text for i in (0, 2, 3))


@pytest.mark.skipif(
    not tesseract.second_language("en", "Latn"), reason="Tesseract is not installed: apt-get install tesseract-ocr"
)
def test_a_page_that_an_engine_read_is_trusted_where_another_one_agrees():
    assert second_reader(page(by="ppocr"), page().regions[0].lines) == (Choice("tesseract"), "en")
    agreed = weighed(page(by="ppocr", score=0.9, verdict="none"))
    assert agreed.quality.verdict == "trusted" and agreed.quality.signals["agreement"] > 0.95
    assert all(0.85 < region.score <= 0.9 for region in agreed.regions[:4])
    disagreed = weighed(page(lambda i, text: text[::-1] if i else text, by="ppocr", score=0.9, verdict="none"))
    assert (disagreed.quality.verdict, disagreed.quality.reasons) == ("suspect", ("readings_differ", "readers_disagree"))
    assert [region.is_unread for region in disagreed.regions[:4]] == [False] * 4 and disagreed.regions[1].score < 0.5
    assert disagreed.quality.signals["disputed_share"] > 0.6


@pytest.mark.parametrize(
    ("score", "verdict", "reasons"),
    [(0.9, "trusted", ()), (0.3, "suspect", ("structure_in_doubt",)), (None, "suspect", ("structure_in_doubt",))],
)
def test_a_page_whose_labeller_is_unsure_of_its_structure_is_suspect(score, verdict, reasons):
    whole = page()
    quality = replace(whole.quality, signals={"structure_score": score} if score is not None else {})
    result = weighed(replace(whole, quality=quality))
    assert (result.quality.verdict, result.quality.reasons) == (verdict, reasons)


@pytest.mark.parametrize(
    ("least", "unsure", "verdict", "reasons"),
    [
        (0.5, (), "trusted", ()),
        (0.5, (1,), "trusted", ()),
        (0.5, (0, 1, 2), "suspect", ("structure_in_doubt", "too_much_doubted")),
        (NOBODY, (), "suspect", ("uncalibrated",)),
    ],
)
def test_with_a_risk_doubted_regions_are_masked_and_the_page_stays(monkeypatch, least, unsure, verdict, reasons):
    asked = []
    monkeypatch.setattr(judge_page, "threshold", lambda *risk: asked.append(risk) or Cutoff(least, 100))
    whole = page()
    regions = [replace(region, structure=0.4 if i in unsure else 0.9) for i, region in enumerate(whole.regions)]
    whole = replace(whole, regions=tuple(regions)).with_quality("trusted", (), structure_score=0.1)
    result = weighed(whole, replace(ONE_EACH, risk=(0.05, 0.1)))
    assert (result.quality.verdict, result.quality.reasons) == (verdict, reasons)
    assert {*asked} == {("pdf", 0.1)}
    is_masked = unsure == (1,)
    assert [mask.reason for mask in result.masked] == ["structure_in_doubt"] * is_masked
    assert len(result.regions) == len(whole.regions) - is_masked
    assert (whole.regions[1].text in result.text) is not is_masked and (result.image == whole.image) is not is_masked
    if is_masked:
        assert result.masked[0].box == whole.regions[1].box and 0.6 <= result.quality.signals["accepted_share"] < 1
        assert result.quality.signals["num_masked"] == 1.0


@pytest.mark.skipif(not tesseract.second_language("en", "Latn"), reason="Tesseract is not installed")
def test_a_word_that_tesseract_and_the_packages_reader_have_alike_is_written_so():
    whole = page(by="ppocr", score=0.9, verdict="none")
    words = whole.regions[1].text.split()
    words[words.index("reason")] = "reaxon"
    result = weighed(page(lambda i, text: " ".join(words) if i == 1 else text, by="ppocr", score=0.9, verdict="none"))
    assert result.regions[1].text == result.regions[1].lines[0].text == whole.regions[1].text
    assert result.text == whole.text and (result.quality.verdict, result.quality.reasons) == ("trusted", ())


def test_a_page_that_nobody_else_can_read_is_suspect(monkeypatch):
    monkeypatch.setattr(tesseract, "_installed", frozenset)
    alone = weighed(page(by="ppocr", score=0.9, verdict="none"))
    assert (alone.quality.verdict, alone.quality.reasons) == ("suspect", ("reading_unchecked",))
    assert alone.difficulty == -1.0 and "worth" not in alone.quality.signals


@pytest.mark.skipif(not tesseract.second_language("en", "Latn"), reason="Tesseract is not installed")
def test_a_page_of_which_little_was_read_is_suspect_and_nothing_that_was_read_disappears():
    whole = page(lambda i, text: text[:8] if i < 2 else text, by="ppocr", score=0.99)
    result = weighed(whole)
    assert result.quality.signals["doubted_readers_disagree"] == 2.0 and result.quality.signals["disputed_share"] > 0.4
    assert (result.quality.verdict, result.quality.reasons) == ("suspect", ("readings_differ", "readers_disagree"))
    assert [region.text for region in result.regions] == [region.text for region in whole.regions]
    assert result.regions[0].score < 0.99  # its worth, though it stays


def in_two_regions(whole):
    boxes = [region.box for region in whole.regions[:4]]
    around = Box(*(f(box[k] for box in boxes) for k, f in enumerate((min, min, max, max))))
    return replace(whole.regions[0], box=around), *whole.regions[1:]


def half_unread(whole):
    return *(replace(region, text="", is_unread=True) for region in whole.regions[:2]), *whole.regions[2:]


@pytest.mark.parametrize(
    ("changed", "reason", "signal", "low", "high"),
    [
        (lambda whole: whole.regions[:2], "incomplete", "coverage", 0.1, 0.9),
        (in_two_regions, "regions_overlap", "overlap_share", 0.75, 0.75),
        (half_unread, "unread_regions", "unread_text_share", 0.15, 1.0),
    ],
)
def test_a_page_is_suspect_whose_ink_is_in_no_region_or_in_two_or_unread(changed, reason, signal, low, high):
    whole = page()
    result = weighed(replace(whole, regions=changed(whole)))
    assert (result.quality.verdict, result.quality.reasons) == ("suspect", (reason,))
    assert low <= result.quality.signals[signal] <= high
    assert result.quality.signals["worth"] == min(result.quality.signals[name] for name in ("agreement", "coverage"))


def formula_page(latex: str, drawn: str = r"E = m c^2 + \sum_{i} x_i"):
    """The page, with a region for the formula `latex` where the ink of another is, which an engine read."""
    whole = page()
    ink = 255 - draw(drawn).ink
    height, width = ink.shape
    pixels = numpy.full((whole.size[1] + height + 60, max(whole.size[0], width + 60), 3), 255, numpy.uint8)
    pixels[: whole.size[1], : whole.size[0]] = images.pixels(whole.image)
    top = whole.size[1] + 30
    pixels[top : top + height, 30 : 30 + width] = ink[..., None]
    formula = Region(Box(24, top - 6, 36 + width, top + height + 6), "equation", latex, 0.9, "got", format="latex")
    size = pixels.shape[1::-1]
    return replace(whole, image=cv2.imencode(".png", pixels)[1].tobytes(), size=size, regions=(*whole.regions, formula))


def test_a_formula_that_is_drawn_otherwise_than_its_ink_has_less_agreement():
    true = weighed(formula_page(r"E = mc^{2} + \sum_{i} x_{i}"))
    assert true.regions[-1].score > 0.85 and true.quality.signals["formula_agreement"] > 0.95
    other = weighed(formula_page(r"E = mc^{3} + \sum_{j} y_{i}"))
    assert other.regions[-1].score < true.regions[-1].score - 0.1
    assert other.quality.signals["agreement"] < true.quality.signals["agreement"]


def test_a_formula_that_cant_be_drawn_has_no_agreement_and_is_counted():
    result = weighed(formula_page(r"\nothing{x}"))
    assert result.regions[-1].score == 0.9 and result.quality.signals["undrawn_unknown_command"] == 1.0
    assert "formula_agreement" not in result.quality.signals


def test_formulas_alone_dont_speak_for_text_that_nobody_read_again(monkeypatch):
    monkeypatch.setattr(tesseract, "_installed", frozenset)
    read = formula_page("E = m")
    regions = [replace(region, by="ppocr") for region in read.regions[:-1]]
    alone = weighed(replace(read, regions=(*regions, read.regions[-1])).with_quality("none"))
    assert alone.quality.reasons == ("reading_unchecked",) and "formula_agreement" in alone.quality.signals


def test_a_bar_where_the_first_reader_saw_a_lone_capital_is_no_other_reading(monkeypatch):
    class Bars:
        def read(self, crops, lang):
            return [(text.replace("I ", "| "), 0.9)]

    text = "as I have said before and will say"
    whole = page(lambda i, _: text, by="tables", score=0.99, verdict="suspect")
    monkeypatch.setattr(read_again, "third_reader", lambda *_: None)
    monkeypatch.setattr(Choice, "opened", lambda *_: Bars())
    _, found = read_again.ReadAgain(4, 16, 0).witnesses(whole, numpy.full(whole.size[::-1], 255, numpy.uint8), OPEN)
    assert [line.is_alike for of in found.values() for line in of.all_lines] == [True] * 4


@pytest.mark.parametrize(
    ("by", "languages", "second"),
    [
        ("script", {"hi"}, "tesseract"),
        ("script", set(), None),  # nobody else knows the script
        ("tesseract", {"hi"}, "script"),
    ],
)
def test_the_packages_reader_and_tesseract_are_each_others_second_reader(monkeypatch, by, languages, second):
    monkeypatch.setattr(packaged, "available", lambda: ("Deva",))
    monkeypatch.setattr(tesseract, "second_language", lambda lang, script: lang if lang in languages else "")
    hindi = replace(page(by=by), lang="hi", script="Deva")
    lines = [replace(line, text="सभी मनुष्य जन्म से स्वतन्त्र") for line in hindi.regions[0].lines]
    reader, lang = second_reader(hindi, lines)
    assert (reader and reader.name, lang) == (second, "hi" if second else "")


@pytest.mark.parametrize(("seen", "drawn"), [((2, 0), "l’air"), ((0, 2), "l'air"), ((0, 0), "l'air")])
def test_apostrophes_of_what_was_read_are_as_the_second_reader_has_them(seen, drawn):
    read = page(lambda i, text: "l'air d'un 'mot'" if i == 0 else text, by="ppocr")
    witnesses = Witnesses()
    witnesses.lines["Latn"].append(Spoken(10, apostrophes=seen))
    made = as_drawn(read, [witnesses])
    assert made.regions[0].lines[0].text == made.regions[0].text and made.text.startswith(made.regions[0].text)
    assert made.regions[0].text == f"{drawn} {drawn.replace('l', 'd').replace('air', 'un')} 'mot'"
    files = page(lambda i, text: "l'air" if i == 0 else text)
    assert as_drawn(files, [witnesses]).regions == files.regions
