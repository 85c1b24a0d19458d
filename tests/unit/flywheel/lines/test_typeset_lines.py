"""Text typeset for readers: in typefaces that have its letters, and some that no reader sees."""

import unicodedata
from dataclasses import replace

import numpy
import pytest

from datagen.disk.storage import Folder
from datagen.drawing import families, typefaces
from datagen.drawing.line_by_pango import line
from datagen.record import Box
from flywheel.labels.evaluate import HeldOut
from flywheel.lines import typeset_lines
from flywheel.lines.crops import Crop, degraded, weights_of
from flywheel.pools import texts
from flywheel.pools.page_lists import PlaceFile
from flywheel.pools.pools import Language, TextLines, assign
from flywheel.pools.texts import TextFile
from flywheel.pools.typefaces import Families, families_of, stacks
from flywheel.rounds.train_readers import FitTask, budget
from flywheel.step import Fit, Pretrained
from tests.inputs.udhr import UDHR

THAI = ["ที่นี่ชื่อ", "ตั้งที่ยู่"]
SCRIPTS = ("Arab", "Deva", "Thai", "Kore")


def made(script: str = "Hebr", most: int = 60) -> texts.Texts:
    lang, text = UDHR[script]
    words = text.split()
    paragraphs = [" ".join([*words[i:], *words[:i]]) for i in range(len(words))]
    gathered = texts.gather(lang, script, paragraphs * 2, (), most, 0)
    assert gathered is not None
    return gathered


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_typeset_within_its_box(script):
    lang, text = UDHR[script]
    for name in families_of([text] * 3, lang).train:
        pixels, box = line(text[:30], name, lang, 36, 20)
        ink = pixels < 128
        assert ink[box.y0 : box.y1, box.x0 : box.x1].sum() == ink.sum() > 200
        assert box.y1 - box.y0 >= 30


def test_right_to_left_text_begins_on_the_right_even_behind_a_latin_word():
    whole, _ = line("III אב", "DejaVu Sans", "he", 40, 0)
    latin, _ = line("III", "DejaVu Sans", "he", 40, 0)
    inked = (whole < 128).any(0)[-latin.shape[1] :].astype(int)
    assert (numpy.diff(inked, prepend=0) == 1).sum() == 3  # the three strokes


def test_some_typefaces_only_test_and_the_same_ones_always():
    first, again = (families_of([UDHR["Hebr"][1]] * 3, "he") for _ in range(2))
    assert first == again and first.has_held_out and first.train and first.test
    known = frozenset().union(*(typefaces.characters(*font) for font in typefaces.installed().values()))
    unknown = next(chr(code) for code in range(0x10000, 0x20000) if unicodedata.category(chr(code)) == "Lo" and code not in known)
    assert families_of([unknown * 40], "und") is None


def test_other_typefaces_than_those_frozen_are_refused():
    found = families_of([UDHR["Hebr"][1]] * 3, "he")
    found.check("he")
    for other in (replace(found, sha256="0" * 64), Families(("No Such Family",), found.test, found.sha256)):
        with pytest.raises(ValueError, match="typefaces that this machine lacks"):
            other.check("he")


def test_each_line_is_learned_in_a_typeface_that_has_its_letters_and_never_in_one_that_tests():
    text = made()
    crops = typeset_lines.to_train(text)
    assert {crop.text for crop in crops} == set(text.train)
    assert {name for crop in crops for name in crop.families} <= set(text.families.train)
    assert crops[0].families and not crops[0].image
    wide = {len(crop.text): crop.box.x1 for crop in crops}
    assert wide[max(wide)] > 2 * wide[min(wide)]
    drawn = [degraded(crops[0], numpy.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert numpy.array_equal(drawn[0], drawn[1]) and not numpy.array_equal(drawn[0], drawn[2])


def test_a_line_of_a_document_is_set_anew_in_the_typefaces_of_its_languages_text():
    text = made()
    (image,) = typeset_lines.to_test(made(most=200), 1, seed=0)
    line = typeset_lines.anew(image, text)
    assert set(line.families) <= set(text.families.train) and line.image
    kept, anew = (degraded(line, numpy.random.default_rng(5), share) for share in (0.0, 1.0))
    assert not numpy.array_equal(kept, anew)
    assert numpy.array_equal(kept, degraded(image, numpy.random.default_rng(5), 0.0))


def test_a_line_that_no_typeface_has_whole_is_left_out():
    text = replace(made(), train=("אב", "אב \U0010ffff", "אב ⿰"))
    assert [crop.text for crop in typeset_lines.to_train(text)] == ["אב"]


def test_a_language_without_a_document_gets_pools_by_its_text_alone():
    language, alone = Language("he", "Hebr", 0.1), TextLines("0" * 64, 400, 40)
    (pools,) = assign([language], 0, 300, {"he": alone})
    assert (pools.kind, pools.not_served, pools.text, pools.num_text_lines) == ("text", "", "0" * 64, 400)
    assert pools.summary()["text"] == {"lines": 400}
    (few,) = assign([language], 0, 300, {"he": replace(alone, num_train=20)})
    assert few.not_served == "20 lines of Hebr to train on, at least 300 are needed"
    (untested,) = assign([language], 0, 300, {"he": replace(alone, num_held_out=0)})
    assert "no document of its own" in untested.not_served


def test_a_training_learns_the_lines_of_its_texts_and_its_round_tests_on_others(tmp_path):
    text = made(most=200)
    folder = Folder(str(tmp_path))
    file = TextFile.write(folder.sub("text"), text)
    pages = PlaceFile.write(folder, "pages.json", {})
    task = FitTask("Hebr", "Hebr", Fit(1, 1e-3), pages, folder.sub("crops").url, folder.url, "", texts=(file,))
    assert [crop.text for crop in task.lines()] == list(text.train)
    (pools,) = assign([Language("he", "Hebr", 0.1)], 0, 10, {"he": TextLines(file.sha256, 200, len(text.held_out))})
    held_out = HeldOut.read(folder.sub("crops"), [pools], 4, texts={"he": file})
    assert held_out.alone == set(held_out.typeset) == {"he"} and held_out.learned == set(text.train)
    assert len(held_out.test["he"]) == min(4, len(text.held_out))


def test_lines_of_documents_are_half_of_what_is_learned_where_they_are_many_and_less_where_they_are_few():
    def lines(images: int, families: int) -> list[Crop]:
        box = Box(0, 0, 10, 10)
        of = [Crop(str(i), "el", "Grek", "α", b"x", box) for i in range(images)]
        return of + [Crop(str(i), "el", "Grek", "α", b"", box, ("DejaVu Sans",)) for i in range(families)]

    for images, share in ((100, 0.1), (2000, 0.5)):
        crops = lines(images, 4000)
        weights = weights_of(crops)
        assert sum(weights[:images]) / sum(weights) == pytest.approx(share)
        assert sum(weights) == pytest.approx(len(crops) ** 0.5)
    assert sum(weights_of(lines(50, 0))) == pytest.approx(50**0.5)


@pytest.mark.parametrize(
    ("lines", "values", "steps"),
    [
        ((2_000,), {}, 1500),
        ((1_000, 8_000, 300), {}, 1500),  # a line of text asks for less than one of a document
        ((0, 8_000, 300), {}, 2121),
        ((9_000, 8_000, 300), {}, 3000),
        ((10,), {}, 300),  # the least share
        ((0, 8_000, 300), {"is_fresh": True}, 10_000),  # text alone
        ((1, 8_000, 300), {"is_fresh": True}, 2122),
        ((0, 0, 300), {"is_fresh": True}, 300),  # there is nothing to learn from
        ((8_000,), {"is_fresh": True, "packaged": "x"}, 300),
        ((8_000,), {"packaged": "x"}, 3000),
    ],
)
def test_steps_follow_from_the_lines_that_there_are(lines, values, steps):
    fit = Fit(steps=3000, learning_rate=1e-3, num_lines=8_000, least_share=0.1)
    made = budget(fit, *lines, **values)
    is_packaged = "packaged" in values and "is_fresh" in values
    assert made == replace(fit, steps=steps, learning_rate=5e-4 if is_packaged else 1e-3, packaged="x" if is_packaged else "")
    if values == {"is_fresh": True}:
        assert budget(replace(fit, pretrained=Pretrained("got")), *lines, **values).steps <= 3000


def test_a_mark_where_no_letter_belongs_is_drawn_only_where_there_is_a_dotted_circle():
    text = "सभी आैर"  # ै under a vowel, as in texts with a wrong key
    of_hindi = families.families("सभी", "hi")
    able = typeset_lines.families_for(text, of_hindi, "hi")
    for name in of_hindi:
        if name in able:
            assert (line(text, name, "hi", 30, 5)[0] < 128).any()
        else:
            with pytest.raises(ValueError, match="no installed font"):
                line(text, name, "hi", 30, 5)
    assert able
    assert set(typeset_lines.families_for("सभी और", of_hindi, "hi")) == set(of_hindi)


def test_a_typeface_that_draws_a_tone_on_its_vowel_is_left_out():
    if "Noto Looped Thai" not in typefaces.installed():
        pytest.skip("Noto Looped Thai isn't there (fonts-noto-core)")
    assert not stacks("Noto Looped Thai", THAI, "th")
    assert stacks("FreeSerif", THAI, "th")
    families = families_of(THAI, "th")
    assert families and "Noto Looped Thai" not in (*families.train, *families.test)
