"""Who reads a page by its image: PP-OCR, Tesseract, in which language, and which lines."""

import pytest

from datagen.record import Box
from tests.unit.fine.test_annotate_image import LEFT, Told, annotated, rows

pytestmark = pytest.mark.usefixtures("no_readers")


def test_a_page_whose_language_is_declared_is_read_by_who_knows_it():
    told = Told(
        lines=[(box, "xx", 0.3) for box, *_ in LEFT],
        tesseract={1: "Это первая строка", 2: "а это вторая", 3: "и третья строка текста"},
    )
    result = annotated(told, lang="ru")
    assert {asked for asked in told.asked if asked[0] in ("ppocr", "tesseract")} == {("tesseract", "ru")}
    assert (result.lang, result.script, result.quality.verdict, result.quality.reasons) == (
        "ru",
        "Cyrl",
        "suspect",
        ("unscored_reading",),
    )
    assert {r.by for r in result.regions} == {"tesseract"}


def test_a_page_in_a_script_that_ppocr_does_not_know_is_read_in_the_language_that_it_looks_like():
    words = {
        1: "Усі люди народжуються вільними і рівними",
        2: "у своїй гідності та правах, вони наділені",
        3: "розумом і совістю і повинні діяти",
    }
    told = Told(lines=[(box, "xx", 0.3) for box, *_ in LEFT], tesseract=words, script_guess="Cyrl")
    result = annotated(told)
    asked = [asked for asked in told.asked if asked[0] in ("ppocr", "tesseract")]
    assert asked[:2] == [("ppocr", "und"), ("tesseract", "ru")] and asked[-1] == ("tesseract", "uk")
    assert (result.lang, result.script) == ("uk", "Cyrl")


def test_a_page_on_which_ppocr_fails_in_many_lines_is_read_by_who_knows_their_script():
    latin = rows(50, 200, 400, *(f"apt-get install package{n}" for n in range(8)), score=0.99)
    cyrillic = rows(550, 200, 400, *("yctaHobHtb" for _ in range(8)), score=0.7)
    words = {n: text for n, (_, text, _) in enumerate(latin, 1)} | dict.fromkeys(range(9, 17), "установить пакет из хранилища")
    told = Told(lines=[*latin, *cyrillic], tesseract=words, script_guess="Cyrl")
    result = annotated(told)
    assert [name for name, _ in told.asked if name in ("ppocr", "tesseract")][-1] == "tesseract"
    assert "установить" in result.text and "package7" in result.text
    few = Told(lines=[*latin, *cyrillic[:2]], script_guess="Cyrl")
    assert {r.by for r in annotated(few).regions} == {"ppocr"}


def test_a_blurred_page_stays_with_the_reader_that_knows_its_letters_better():
    lines = rows(50, 200, 800, *("Todos los seres humanos nacen libres e iguales" for _ in range(8)), score=0.75)
    tamil = dict.fromkeys(range(1, 9), "மனிதர் யாவரும் சுதந்திரமாகவே பிறக்கின்றனர்")
    unsure = annotated(Told(lines=lines, script_guess="Taml", tesseract=tamil, confidence=0.4))
    assert (unsure.lang, {r.by for r in unsure.regions}) == ("es", {"ppocr"})
    sure = annotated(Told(lines=lines, script_guess="Taml", tesseract=tamil, confidence=0.9))
    assert (sure.lang, {r.by for r in sure.regions}) == ("ta", {"tesseract"})


def test_a_page_of_columns_is_read_by_who_reads_columns_whatever_its_heads_look_like():
    columns = [(Box(700 - 80 * n, 100, 740 - 80 * n, 800), "何でも薄暗いじめじめした所で泣いていた", 0.97) for n in range(8)]
    heads = rows(50, 900, 200, *("xx" for _ in range(7)), score=0.4)
    told = Told(lines=[*columns, *heads], script_guess="Cyrl", tesseract=dict.fromkeys(range(1, 16), "установить пакет"))
    result = annotated(told)
    assert {r.by for r in result.regions} == {"ppocr"} and (result.lang, result.script) == ("ja", "Jpan")


def test_lines_in_latin_that_ppocr_is_sure_of_stay_on_a_page_that_tesseract_reads():
    latin = [(Box(100, 100 + 50 * n, 800, 130 + 50 * n), f"a licence in English {n}", 0.99) for n in range(6)]
    persian = [(Box(200, 500 + 50 * n, 700, 530 + 50 * n), "", 0.0) for n in range(7)]
    words = dict.fromkeys(range(7, 14), "این نوشتار آزاد است")
    told = Told(lines=[*latin, *persian], tesseract=dict.fromkeys(range(1, 7), "a 1icence") | words, script_guess="Arab")
    result = annotated(told)
    lines = [line for region in result.regions for line in region.lines]
    assert sorted((line.text, line.score) for line in lines if line.score) == [(text, 0.99) for _, text, _ in latin]
    assert [line.text for line in lines if line.score is None] == ["این نوشتار آزاد است"] * 7
    # A script with letters of the same shapes as Latin ones is read whole by who knows it.
    told = Told(lines=[*latin, *persian], tesseract=dict.fromkeys(range(1, 14), "свободный текст"), script_guess="Cyrl")
    lines = [line for region in annotated(told).regions for line in region.lines]
    assert {line.text for line in lines} == {"свободный текст"}
