"""What the ink says of text layers that lie: pages typeset here, whose lines claim what the test makes them claim."""

import io
from dataclasses import replace
from functools import cache

import numpy
import pytest
from PIL import Image, ImageDraw, ImageFont

from datagen.coarse.uncovered_ink import uncovered_ink
from datagen.coarse.verdict import ink_letters as letters
from datagen.coarse.verdict import ink_shapes
from datagen.coarse.verdict.ink_fonts import FontInk
from datagen.coarse.verdict.judge_ink import CompareInk
from datagen.disk.storage import Folder
from datagen.drawing.families import families
from datagen.drawing.typeset import Style
from datagen.engines import OPEN, tesseract
from datagen.engines.compact import Alphabet, CompactConfig, CompactNet, Reader
from datagen.record import Box, Region
from tests.inputs.samples import encoded, sample
from tests.inputs.typeset import drawn_page, pictured, typeset
from tests.inputs.udhr import UDHR

READ = "Latn"  # a script that PP-OCRv6 reads
UNREAD = ("Geor", "Tibt", "Hebr")
OTHERS = ("Ethi", "Khmr")
IN_PIECES = ("Thai", "Mong")  # whose lines have no spaces


def page(script: str, lie=lambda text: text, num_paragraphs: int = 6, family: str = ""):
    """A page in `script` as the coarse source would give it, but with its lines as truth has them, and `lie` told of them."""
    return claimed_page(script, drawn_page(script, num_paragraphs, family), lie)


def claimed_page(script: str, drawn, lie):
    """A page of `pictured` lines with `lie` told of them."""
    image, size, lines = drawn
    lines = tuple(replace(line, text=lie(line.text)) for line in lines)
    region = Region(Box(0, 0, *size), "text", "\n".join(line.text for line in lines), None, "pymupdf", lines=lines)
    return sample(image=image, size=size, lang="und", script=script, text=region.text, regions=(region,))


def signals(*pages, **values):
    return [p.quality.signals for p in CompareInk(**values)(pages, OPEN)]


def shuffled(text: str) -> str:
    """Each letter as the next one of the same general category in use: a font whose map is wrong."""
    return text.translate(ink_shapes._cipher(text, numpy.random.default_rng(5)))


@pytest.mark.slow
@pytest.mark.parametrize("script", [READ, *UNREAD, *OTHERS, *IN_PIECES, "Hans"])
def test_a_true_layer_agrees_with_its_ink_in_any_typeface(script):
    for family in families(UDHR[script][1], UDHR[script][0])[:2]:
        (measured,) = signals(page(script, family=family))
        assert measured["ink_checked_share"] == 1.0, family
        assert measured["ink_lies_share"] == 0.0, family


def legacy(script: str):
    """The script under ASCII codes, as an old font draws it."""
    letters = sorted(set(UDHR[script][1]) - set(" "))
    table = {ord(c): chr(ord("A") + i % 58) for i, c in enumerate(letters)}
    return lambda text: text.translate(table)


def turned(letters: str):
    """Each of these letters stands for the next one."""
    return lambda text: text.translate(str.maketrans(letters, letters[1:] + letters[0]))


def frequent(script: str) -> str:
    """Its three most frequent letters."""
    text = UDHR[script][1]
    return "".join(sorted((x for x in set(text) if x.isalpha()), key=lambda x: (-text.count(x), x))[:3])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "lie", "below"),
    [
        *((script, shuffled, {"lineup_margin": 0.15}) for script in (READ, *UNREAD, *OTHERS)),
        *((script, shuffled, {}) for script in IN_PIECES),
        *((script, legacy(script), {}) for script in ("Tibt", "Mong")),
        # Letters that stand for each other are found by a reader, without one by the shapes of their words.
        (READ, turned("aei"), {"reader_error": 0.4}),
        ("Hans", turned("人的和"), {}),
    ],
)
def test_a_layer_that_lies_is_found(script, lie, below):
    (measured,) = signals(page(script, lie))
    assert measured["ink_lies_share"] == 1.0
    assert all(measured[signal] < most for signal, most in below.items())


@pytest.mark.slow
def test_so_is_one_letter_that_is_told_as_two_such_as_accents_in_an_old_encoding():
    # One letter of seventy: with other seeds, too few of the lines that are read have it.
    (measured,) = signals(page(READ, lambda text: text.replace("y", "ye")), seed=2)
    assert measured["ink_lies_share"] == 1.0
    assert measured["reader_error"] < 0.1


def code_page(lie=lambda text: text, family: str = "DejaVu Sans Mono"):
    """A page of code between quotation marks, as a reader that expects words misreads it."""
    words = UDHR["Cyrl"][1].split()
    quoted = " ".join("".join(f"b''{letter}b''" for letter in word) for word in words[:60])
    made = typeset([quoted] * 4, "ru", Style(family=family, size_pt=9), max_pages=1)
    return replace(claimed_page("Cyrl", pictured(made), lie), lang="ru")


@pytest.mark.slow
def test_a_reader_that_misreads_code_is_no_witness_of_it():
    (font,) = CompareInk().fonts([page_ := code_page()], [page_.image], OPEN).values()
    assert font.error > 0.2  # Tesseract expects words
    assert font.drawn_texts
    assert font.opinion() is True
    assert "words" not in font.witnesses()


def test_but_it_tells_code_that_lies():
    (measured,) = signals(code_page(shuffled))
    assert measured["ink_lies_share"] == 1.0


def test_clusters_end_where_no_mark_and_no_virama_joins():
    assert [end for end, _ in ink_shapes.clusters("กำลังที่", "Thai")] == [1, 2, 4, 5]
    assert [end for end, _ in ink_shapes.clusters("ស្រី", "Khmr")] == []
    shares = [share for _, share in ink_shapes.clusters("iiiWWW", "Latn")]
    assert shares == sorted(shares)
    assert shares[2] < 0.3
    assert ink_shapes.clusters("\U00018b00\U00018b01", "Kits") == []


def test_letters_that_are_swapped_are_counted_and_true_ones_are_not():
    true, lies = (page("Geor", lie) for lie in (lambda t: t, lambda t: t.translate(str.maketrans("აის", "საი"))))
    for sample_, least in ((true, 0), (lies, 2)):
        (font,) = CompareInk().fonts([sample_], [sample_.image], OPEN).values()
        assert (font.num_swapped >= 2) == bool(least)
        assert font.opinion() is not bool(least)


@pytest.mark.slow
def test_a_letter_that_stands_for_a_rare_one_is_enough():
    lies = page("Geor", lambda text: text.translate(str.maketrans("აჭ", "ჭა")))  # too rare to be looked at itself
    (font,) = CompareInk().fonts([lies], [lies.image], OPEN).values()
    assert (font.num_swapped, font.opinion()) == (1, False)


@pytest.mark.parametrize(
    ("likes", "num"),
    [
        ({"a": ("z", 0.17, 3.4, 0.18)}, 0),  # as typefaces differ
        ({"a": ("z", 0.17, 7.0, 0.18)}, 1),
        ({"a": ("b", 0.06, 2.5, 0.05), "b": ("c", 0.03, 0.8, 0.01)}, 1),  # what it stands for stands for another
        ({"a": ("b", 0.06, 2.5, 0.05), "c": ("d", 0.07, 2.1, 0.02)}, 2),
    ],
)
def test_how_many_letters_are_swapped_by_what_their_ink_likes_better(monkeypatch, likes, num):
    monkeypatch.setattr(letters, "preferred", lambda *_: {letter: letters.Preferred(*best) for letter, best in likes.items()})
    assert letters.num_swapped([], "Latn", "face") == num


@pytest.mark.parametrize(("margin", "says"), [(0.5, True), (0.4, None), (0.02, False)])
def test_a_line_up_must_be_clearer_where_nobody_reads_the_script(margin, says):
    assert FontInk(ink_shapes.Lineup(margin, 6.0, 24, "face")).opinion() is says


def test_one_lying_font_is_not_diluted_by_true_ones():
    true = page(READ)
    (region,) = true.regions
    lines = tuple(replace(li, font="other", text=shuffled(li.text)) if i % 4 == 0 else li for i, li in enumerate(region.lines))
    mixed = replace(true, regions=(replace(region, lines=lines),))
    (measured,) = signals(mixed)
    assert 0.1 < measured["ink_lies_share"] < 0.4


def test_fonts_are_judged_over_all_of_a_documents_pages():
    true, bare = page(READ), page(READ)
    (region,) = bare.regions
    bare = replace(bare, key="b-000001", regions=(replace(region, lines=region.lines[:1]),))
    both = signals(true, bare)
    assert [s["ink_checked_share"] for s in both] == [1.0, 1.0]


@pytest.mark.slow
def test_the_ink_of_any_image_format_is_looked_at():
    """Without loss of pixels, what is said of a page is what is said of its JPEG, or nearly so."""
    jpeg, expected = page_with_notes()
    (measured,) = signals(replace(jpeg, image=encoded(Image.open(io.BytesIO(jpeg.image)), "PNG")))
    assert measured.keys() == expected.keys()
    assert measured["ink_checked_share"] == 1.0
    assert measured["ink_recall"] == pytest.approx(expected["ink_recall"], abs=0.02)


def test_a_flywheel_reader_in_a_folder_is_asked_in_its_script(tmp_path, monkeypatch, no_readers):
    monkeypatch.setattr(tesseract, "reads", lambda lang, script: "")
    config = CompactConfig(channels=(8, 8, 8), width=16, layers=1, heads=2)
    for script in ("Geor", "Cyrl"):
        alphabet = Alphabet.of(script, [UDHR[script][1]])
        reader = Reader(CompactNet(config, len(alphabet.symbols) + 1), alphabet, config, bf16=False)
        reader.save(Folder(str(tmp_path / script)), {})
    asked, other = (signals(page("Geor"), reader=str(tmp_path / script))[0] for script in ("Geor", "Cyrl"))
    assert asked["reader_error"] > 0.5  # it was never trained; the line-up overrules it
    assert asked["ink_lies_share"] == 0.0
    assert "reader_error" not in other
    assert (
        CompareInk(reader=str(tmp_path / "Geor")).engines()["compact"]
        != CompareInk(reader=str(tmp_path / "Cyrl")).engines()["compact"]
    )


def test_what_the_budget_does_not_reach_is_unchecked():
    (measured,) = signals(page("Armn"), budget_s=0.1)
    assert measured["ink_checked_share"] == 0.0
    assert "lineup_margin" not in measured


@pytest.mark.parametrize(("of", "values"), [(page(READ), {"budget_s": 0}), (sample(text="", regions=()), {})])
def test_without_a_budget_or_letters_nothing_is_said(of, values):
    assert signals(of, **values) == [sample().quality.signals]


def with_ink_outside(text: str):
    """A page on which `text` is drawn below all lines, without being in the layer."""
    true = page(READ, num_paragraphs=3)
    picture = Image.open(io.BytesIO(true.image))
    ImageDraw.Draw(picture).multiline_text((200, 1200), text, "black", ImageFont.load_default(34))
    jpeg = encoded(picture, "JPEG", quality=90)
    boxes = [line.box for region in true.regions for line in region.lines]
    share = uncovered_ink(numpy.asarray(picture), boxes)
    quality = replace(true.quality, signals={"uncovered_ink": share})
    return replace(true, image=jpeg, quality=quality)


@cache
def page_with_notes():
    """A page with text outside of its layer, and its signals."""
    written = with_ink_outside("Written by hand, and\nnot in the text layer")
    return written, signals(written)[0]


@pytest.mark.slow
def test_a_letter_that_says_a_space_is_found_by_a_reader():
    """Words then don't stand apart where the text says, but those that were read do."""
    (measured,) = signals(page(READ, lie=lambda text: text.replace("n", " ")))
    assert measured["lies_by_words"] == 1.0
