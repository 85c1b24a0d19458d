"""What the report says of a page's reasons of doubt: sentences, and excerpts of the lines that they rest on."""

from dataclasses import replace

from PIL import Image, ImageDraw

from datagen.record import Box, Line, Quality, Region, Sample
from recipes.report.reasons import REASONS, doubts, excerpt, font_of_share, letters, unseen
from tests.inputs.samples import encoded
from tests.unit.recipes.report.test_report import BLANK, sample, sections_of


def page_of(lines: list[tuple[Line, ...]], image: bytes = BLANK, script="Latn", reason="x", **signals: float) -> Sample:
    regions = [Region(group[0].box, "text", "\n".join(li.text for li in group), None, "pymupdf", (), group) for group in lines]
    page = replace(sample(), regions=tuple(regions), text="\n".join(r.text for r in regions), script=script, image=image)
    return replace(page, quality=Quality("suspect", (reason,), signals))


def lines_at(y: int, *texts: str, font="Serif", x=30, height=12) -> tuple[Line, ...]:
    return tuple(Line(Box(x, y + 16 * i, 240, y + 16 * i + height), text, font) for i, text in enumerate(texts))


def texts_of(page: Sample, weigh) -> list[str]:
    return [line.text for line in excerpt(page, weigh)[1]]


def test_reasons_say_what_they_mean_and_rest_on():
    known, unknown = sample(reasons=["incomplete"]), sample(reasons=["never_heard_of"])
    assert doubts(known)[0] | {"sentence": ""} == {
        "reason": "incomplete", "sentence": "", "signals": [["ink_recall", 0.5]], "whole": True, "gone": False, "box": None,
        "lines": [], "cut": False,
    }  # fmt: skip
    assert doubts(known)[0]["sentence"] == REASONS["incomplete"].sentence
    # A reason that isn't known here shows what signals there are.
    assert (doubts(unknown)[0]["sentence"], doubts(unknown)[0]["signals"]) == ("", [["ink_recall", 0.5]])
    counts = sections_of([known, unknown])[0].html
    assert REASONS["incomplete"].sentence in counts and "never_heard_of" in counts
    assert 'href="#v=coarse&amp;reason=incomplete"' in counts


def test_the_lines_shown_are_those_in_the_box():
    page = page_of([lines_at(20, "Alpha"), lines_at(100, "gamma one", "gamma two"), lines_at(300, "omega")])
    box, lines = excerpt(page, lambda line: "omega" in line.text)
    assert [line.text for line in lines] == ["omega"]
    assert box == (25, 295, 245, 317)
    assert texts_of(page, letters(page)) == ["gamma one", "gamma two"]


def test_the_font_in_doubt_is_the_one_with_that_share():
    page = page_of([lines_at(100, "abcdefgh" * 3, font="True"), lines_at(200, "lies", font="False")])
    assert texts_of(page, font_of_share(page, 0.1)) == ["lies"]
    lies = replace(page, quality=Quality("suspect", ("ink_disagrees",), {"ink_lies_share": 0.1}))
    assert doubts(lies)[0]["lines"] == [{"dir": "ltr", "runs": [("", "lies")]}]


def test_hidden_lines_are_those_without_ink():
    image = Image.new("RGB", (300, 400), "white")
    ImageDraw.Draw(image).rectangle((30, 100, 240, 112), "black", "white")
    ImageDraw.Draw(image).line((30, 104, 240, 104), "white")
    page = page_of([lines_at(100, "what is shown"), lines_at(200, "hidden")], encoded(image, "PNG"))
    assert [unseen(page)(region.lines[0]) for region in page.regions] == [0, 6]


def test_telling_characters_are_marked_or_gone():
    here = page_of([lines_at(20, "none"), lines_at(300, "a = b")], reason="formula_in_text")
    assert doubts(here)[0]["lines"] == [{"dir": "ltr", "runs": [("", "a "), ("mark", "="), ("", " b")]}]
    gone = page_of([lines_at(20, "none")], reason="formula_in_text")
    assert [doubts(page)[0]["gone"] for page in (here, gone)] == [False, True]


def test_words_of_two_scripts_weigh():
    weigh = REASONS["mixed_words"].weight(sample())
    assert [weigh(Line(Box(0, 0, 1, 1), text)) for text in ("слoво and слово", "слово word 12")] == [1, 0]


def test_doubts_of_pages_without_lines_regions_or_image():
    bare = replace(sample(reasons=["mixed_words"]), task="crop", regions=(), text="words alone")
    assert doubts(bare)[0]["lines"] == [{"dir": "ltr", "runs": [("", "words alone")]}]
    assert doubts(sample(reasons=["hidden_text"], image=b"not an image"))[0]["box"] == (25, 35, 275, 65)
    assert doubts(replace(sample(reasons=["mixed_words"]), regions=(), text=""))[0]["lines"] == []
