"""What labels are worth: lines of typeset pages, which a second reader reads for real."""

from collections import Counter
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
    return made.with_quality(verdict)


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
    assert 0.1 < result.quality.signals["doubted_share"] < 0.35
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


@pytest.mark.skipif(not tesseract.second_language("en", "Latn"), reason="Tesseract is not installed")
def test_a_little_that_is_disputed_is_unread_on_a_page_that_is_trusted():
    words = page(lambda i, text: text[::-1] if i == 1 else text, by="ppocr", score=0.9, verdict="none")
    result = weighed(words, replace(ONE_EACH, max_disputed=0.4))
    assert (result.quality.verdict, result.quality.reasons) == ("trusted", ("unread_regions",))
    assert [region.is_unread for region in result.regions[:4]] == [False, True, False, False]


@pytest.mark.skipif(not tesseract.second_language("en", "Latn"), reason="Tesseract is not installed")
def test_a_page_that_would_lose_too_much_keeps_its_contradictions(monkeypatch):
    """It is set aside for its structure, then spared: the reason is the structure's, and no reader's."""
    monkeypatch.setattr(judge_page, "doubts", lambda _: Counter(torn=1))
    monkeypatch.setattr(judge_page, "doubtful", lambda *_: frozenset({0, 1}))
    whole = page(by="ppocr", score=0.9, verdict="none")
    result = weighed(whole)
    assert result.quality.verdict == "suspect" and "structure_in_doubt" in result.quality.reasons
    assert result.quality.signals["contradiction_torn"] == 1.0 and "doubted_structure" not in result.quality.signals
    assert [region.text for region in result.regions[:4]] == [region.text for region in whole.regions[:4]]


@pytest.mark.skipif(not tesseract.second_language("en", "Latn"), reason="Tesseract is not installed")
def test_a_word_that_tesseract_and_the_packages_reader_have_alike_is_written_so():
    whole = page(by="ppocr", score=0.9, verdict="none")
    words = whole.regions[1].text.split()
    words[words.index("reason")] = "reaxon"
    result = weighed(page(lambda i, text: " ".join(words) if i == 1 else text, by="ppocr", score=0.9, verdict="none"))
    assert result.regions[1].text == result.regions[1].lines[0].text == whole.regions[1].text
    assert result.text == whole.text and (result.quality.verdict, result.quality.reasons) == ("trusted", ())


@pytest.mark.skipif(not tesseract.second_language("en", "Latn"), reason="Tesseract is not installed")
def test_reasons_of_before_stay_though_two_readers_agree():
    result = weighed(page(by="ppocr", score=0.6).with_quality("suspect", ("unsure_reading",)))
    assert (result.quality.verdict, result.quality.reasons) == ("trusted", ("unsure_reading",))


def test_a_page_that_nobody_else_can_read_is_suspect(monkeypatch):
    monkeypatch.setattr(tesseract, "_installed", frozenset)
    alone = weighed(page(by="ppocr", score=0.9, verdict="none"))
    assert (alone.quality.verdict, alone.quality.reasons) == ("suspect", ("reading_unchecked",))
    assert alone.difficulty == -1.0 and "worth" not in alone.quality.signals


def test_a_page_that_lacked_formulas_alone_is_trusted_once_these_are_unread_and_keeps_its_reasons():
    whole = page()
    unread = replace(whole.regions[0], text="", is_unread=True)
    lacking = replace(whole, regions=(unread, *whole.regions[1:])).with_quality("suspect", ("formula_in_text", "incomplete"))
    result = weighed(lacking)
    assert result.quality.verdict == "trusted"
    assert result.quality.reasons == ("formula_in_text", "incomplete", "unread_regions")
    doubtful = weighed(lacking.with_quality("suspect", ("formula_in_text", "ink_disagrees", "incomplete")))
    assert doubtful.quality.verdict == "suspect"


@pytest.mark.parametrize(
    ("label", "ink_recall", "verdict"), [("image", 0.8, "trusted"), ("image", 0.5, "suspect"), ("text", 0.8, "suspect")]
)
def test_a_page_that_lacked_text_in_pictures_alone_is_trusted_unless_most_of_its_text_may_be_there(label, ink_recall, verdict):
    whole = page()
    picture = replace(whole.regions[0], label=label, text="", lines=())
    lacking = replace(whole, regions=(picture, *whole.regions[1:]))
    lacking = lacking.with_quality("suspect", ("ink_without_text", "incomplete"), ink_recall=ink_recall)
    assert weighed(lacking).quality.verdict == verdict


@pytest.mark.skipif(not tesseract.second_language("en", "Latn"), reason="Tesseract is not installed")
def test_a_region_in_a_script_that_nobody_reads_again_is_unread_and_the_others_stay():
    result = weighed(page(lambda i, text: "ཀཁགངཅཆཇཉ" if i == 2 else text, by="ppocr", score=0.99))
    assert [region.is_unread for region in result.regions[:4]] == [False, False, True, False]
    assert result.quality.verdict == "trusted" and "ཀ" not in result.text


@pytest.mark.skipif(not tesseract.second_language("en", "Latn"), reason="Tesseract is not installed")
def test_a_page_of_which_little_was_read_is_suspect_and_nothing_that_was_read_disappears():
    whole = page(lambda i, text: text[:8] if i < 2 else text, by="ppocr", score=0.99)
    result = weighed(whole)
    assert result.quality.signals["doubted_ink_says_more"] == 2.0 and result.quality.signals["ink_more_share"] > 0.4
    assert (result.quality.verdict, result.quality.reasons) == ("suspect", ("readers_disagree",))
    assert [region.text for region in result.regions] == [region.text for region in whole.regions]
    assert "spared_share" in result.quality.signals and result.regions[0].score < 0.99  # its worth, though it stays


def test_a_page_is_suspect_whose_table_became_text_or_whose_words_lie_in_pictures():
    whole = page()
    flat = weighed(whole.with_quality("trusted", (), tables_as_text=1.0))
    assert (flat.quality.verdict, flat.quality.reasons) == ("suspect", ("tables_as_text",))
    read = page(by="ppocr", score=0.9)
    pictured = replace(read, regions=(replace(read.regions[0], label="image", text=""), *read.regions[1:]))
    result = weighed(pictured)
    assert result.quality.signals["pictured_share"] > 0.2
    assert result.quality.verdict == "suspect" and "text_in_pictures" in result.quality.reasons


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


def test_what_nobody_has_read_is_named_and_read_by_nobody_here():
    whole = page()
    unread = replace(whole.regions[0], text="", is_unread=True, label="equation", format="latex")
    result = weighed(replace(whole, regions=(unread, *whole.regions[1:])))
    assert result.quality.reasons == ("unread_regions",) and result.quality.verdict == "trusted"
    assert result.regions[0].score is None and 0 < result.quality.signals["unread_share"] < 1


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


def test_the_same_lines_are_drawn_whatever_the_batch():
    two = list(ONE_EACH([page(), page(key="b-000000")], OPEN))
    assert [r.score for r in two[0].regions] == [r.score for r in weighed(page()).regions]


def test_pages_without_image_or_regions_pass_by():
    assert "coverage" not in weighed(replace(page(), image=None)).quality.signals
    assert weighed(sample(regions=(), text="")).regions == ()


def test_what_two_readers_read_in_other_signs_makes_a_page_suspect_and_so_does_a_table(monkeypatch):
    """A letter that is large in one reading alone is no dispute that makes a region unread."""
    monkeypatch.setattr(read_again, "third_reader", lambda *_: None)
    alike = weighed(page(by="tables", score=0.99, verdict="suspect"), replace(ONE_EACH, read_lines_a_page=8))
    other = page(lambda i, text: text.replace("o", "O", 1), by="tables", score=0.99, verdict="suspect")
    differing = weighed(other, replace(ONE_EACH, read_lines_a_page=8))
    assert alike.quality.verdict == "trusted" and alike.quality.signals["unlike_share"] == 0
    assert differing.quality.verdict == "suspect" and "readings_differ" in differing.quality.reasons
    one = page(lambda i, text: text.replace("o", "O", 1) if i == 1 else text, by="tables", score=0.99, verdict="suspect")
    mostly = weighed(one, replace(ONE_EACH, read_lines_a_page=16, max_unlike=0.5, max_disputed=0.5))
    assert [region.is_unread for region in mostly.regions[:4]] == [False, True, False, False]
    assert mostly.quality.verdict == "trusted" and mostly.quality.signals["doubted_readings_differ"] == 1
    few = weighed(one, replace(ONE_EACH, read_lines_a_page=16, max_unlike=0.5))
    assert few.quality.verdict == "suspect" and not any(region.is_unread for region in few.regions[:4])
    first, *others = alike.regions
    cells = replace(first, label="table", format="html", text=f"<table><tr><td>{first.text}</td></tr></table>")
    with_table = replace(alike, regions=(cells, *others))
    assert "tables_unchecked" in weighed(with_table).quality.reasons
    without = weighed(with_table, replace(ONE_EACH, max_aside=0.4, max_disputed=0.4))
    assert all(one.text for one in weighed(with_table, replace(ONE_EACH, max_aside=0.4)).regions[:4])
    assert (without.quality.verdict, without.quality.reasons) == ("trusted", ("unread_regions",))
    assert [region.is_unread for region in without.regions[:4]] == [True, False, False, False]


def test_a_bar_where_the_first_reader_saw_a_lone_capital_is_no_other_reading(monkeypatch):
    class Bars:
        def read(self, crops, lang):
            return [(text.replace("I ", "| "), 0.9)]

    text = "as I have said before and will say"
    whole = page(lambda i, _: text, by="tables", score=0.99, verdict="suspect")
    monkeypatch.setattr(read_again, "third_reader", lambda *_: None)
    monkeypatch.setattr(Choice, "opened", lambda *_: Bars())
    _, found = read_again.ReadAgain(4, 16, 0, 0).witnesses(whole, numpy.full(whole.size[::-1], 255, numpy.uint8), OPEN)
    assert [line.is_alike for of in found.values() for line in of.all_lines] == [True] * 4


@pytest.mark.parametrize(
    ("by", "languages", "second"),
    [
        ("script", {"hi"}, "tesseract"),
        ("script", set(), None),  # nobody else knows the script
        ("tesseract", {"hi"}, "script"),
        ("mineru", set(), "script"),
    ],
)
def test_the_packages_reader_and_tesseract_are_each_others_second_reader(monkeypatch, by, languages, second):
    monkeypatch.setattr(packaged, "available", lambda: ("Deva",))
    monkeypatch.setattr(tesseract, "second_language", lambda lang, script: lang if lang in languages else "")
    hindi = replace(page(by=by), lang="hi", script="Deva")
    lines = [replace(line, text="सभी मनुष्य जन्म से स्वतन्त्र") for line in hindi.regions[0].lines]
    reader, lang = second_reader(hindi, lines)
    assert (reader and reader.name, lang) == (second, "hi" if second else "")


@pytest.mark.skipif(not tesseract.second_language("en", "Latn"), reason="Tesseract is not installed")
def test_a_line_before_which_a_second_reader_has_a_sign_is_an_item_without_it():
    image, _, lines = drawn_page("Latn", 3, "")
    drawn = images.pixels(image).copy()
    box, em = lines[0].box, lines[0].box.y1 - lines[0].box.y0
    widened = Box(box.x0 - 3 * em // 2, box.y0, box.x1, box.y1)
    cv2.circle(drawn, (box.x0 - em, (box.y0 + box.y1) // 2), em // 6, (0, 0, 0), -1)
    as_read = page(by="ppocr", score=0.99, verdict="suspect")
    first, *others = as_read.regions
    dotted = replace(first, box=widened, lines=(replace(first.lines[0], box=widened),))
    lacking = replace(as_read, image=cv2.imencode(".png", drawn)[1].tobytes(), regions=(dotted, *others))
    result = weighed(lacking, replace(ONE_EACH, read_lines_a_page=8))
    assert result.quality.signals["contradiction_items"] == 1.0 and result.quality.verdict == "suspect"


@pytest.mark.parametrize(("seen", "drawn"), [((2, 0), "l’air"), ((0, 2), "l'air"), ((4, 1), "l'air"), ((0, 0), "l'air")])
def test_apostrophes_of_what_was_read_are_as_the_second_reader_has_them(seen, drawn):
    read = page(lambda i, text: "l'air d'un 'mot'" if i == 0 else text, by="ppocr")
    witnesses = Witnesses()
    witnesses.lines["Latn"].append(Spoken(10, apostrophes=seen))
    made = as_drawn(read, [witnesses])
    assert made.regions[0].lines[0].text == made.regions[0].text and made.text.startswith(made.regions[0].text)
    assert made.regions[0].text == f"{drawn} {drawn.replace('l', 'd').replace('air', 'un')} 'mot'"
    files = page(lambda i, text: "l'air" if i == 0 else text)
    assert as_drawn(files, [witnesses]).regions == files.regions
