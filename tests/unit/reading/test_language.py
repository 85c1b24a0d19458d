import pytest

from datagen.engines import OPEN
from datagen.reading.language import IdentifyLanguage, identify, identify_regions
from datagen.record import Box, Region, Sample
from tests.inputs import pdfs
from tests.inputs.samples import sample

TEXTS = {
    ("en", "Latn"): pdfs.LATIN,
    ("ru", "Cyrl"): pdfs.RUSSIAN,
    ("zh", "Hans"): pdfs.CHINESE,
    ("zh", "Hant"): "人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心，並應以兄弟關係的精神相對待。",
    ("ja", "Jpan"): "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    ("ar", "Arab"): "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق. وقد وهبوا عقلاً وضميرًا",
    ("th", "Thai"): "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม",
}
FRENCH = "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de conscience."


def page(*texts: str, lang: str = "und", script: str = "Zyyy") -> Sample:
    """A page with a region a text."""
    regions = tuple(Region(Box(1, i, 60, i + 1), "text", text, None, "pymupdf") for i, text in enumerate(texts))
    return sample(text="\n\n".join(texts), regions=regions, lang=lang, script=script)


def identified(sample: Sample) -> tuple[str, str, dict[str, float]]:
    """The page's language and script, and its shares of languages."""
    (found,) = IdentifyLanguage()([sample], OPEN)
    assert isinstance(found, Sample)
    shares = {n.removeprefix("lang_share_"): v for n, v in found.quality.signals.items() if n.startswith("lang_share_")}
    return found.lang, found.script, shares


@pytest.mark.parametrize(("lang", "script"), TEXTS)
def test_language_and_script(lang, script):
    found = identify(TEXTS[lang, script])
    assert (found.lang, found.script) == (lang, script)
    assert found.share > 0.9


def test_short_text_is_und_rather_than_a_guess():
    assert identify("Fig. 12: 300 x 400").lang == "und"
    assert identify("") == ("und", 0.0, "Zyyy", 0.0)


def test_a_script_that_the_identifier_never_saw_keeps_what_was_declared():
    lepcha = "ᰛᰧᰵᰶ ᰀᰦᰟᰫ ᰕᰪᰰ ᰌᰩᰵ ᰣᰦᰳ ᰛᰧᰵᰶ ᰀᰦᰟᰫ ᰕᰪᰰ ᰌᰩᰵ ᰣᰦᰳ ᰛᰧᰵᰶ ᰀᰦᰟᰫ"
    assert identify(lepcha, declared="lep")[::2] == ("lep", "Lepc")
    assert identify(lepcha).lang == "und"
    mongolian = "ᠬᠦᠮᠦᠨ ᠪᠦᠷ ᠲᠥᠷᠥᠵᠦ ᠮᠡᠨᠳᠡᠯᠡᠬᠦ ᠡᠷᠬᠡ ᠴᠢᠯᠥᠭᠡ ᠲᠡᠢ"
    assert [identify(mongolian, declared=lang).lang for lang in ("mn-Mong", "mn")] == ["mn-Mong", "und"]


def test_a_language_that_the_identifier_cannot_name_is_believed_where_it_is_written():
    dzongkha = "འགྲོ་བ་མི་རིགས་ག་ར་དབང་ཆ་འདྲ་མཏམ་འབད་སྒྱེཝ་ལས་ག་ར་གིས་གཅིག་གིས་གཅིག་ལུ"
    assert [identify(dzongkha, declared=lang).lang for lang in ("dz", "bo", "fil", "d z")] == ["dz", "bo", "bo", "bo"]
    assert identify(pdfs.LATIN, declared="fil").lang == "en"


def test_a_language_not_written_in_the_texts_script_is_no_candidate():
    assert identify(pdfs.LATIN, declared="km").lang == "en"
    assert identify(pdfs.LATIN + " " + pdfs.RUSSIAN).lang != "en"


def test_the_stage_sets_language_script_signals_and_engine():
    (found,) = IdentifyLanguage()([sample(text=pdfs.RUSSIAN, lang="und")], OPEN)
    assert (found.lang, found.script) == ("ru", "Cyrl")
    assert found.quality.signals["lang_score"] > 0.5
    assert found.quality.signals["hidden_share"] == 0.0
    assert "lid.176.ftz" in found.origin.engines
    assert IdentifyLanguage().engines()["lid.176.ftz"].startswith("sha256:")


def test_each_region_by_its_own_text():
    found = identify_regions(page(pdfs.LATIN, pdfs.RUSSIAN, TEXTS["th", "Thai"], lang="en", script="Latn"))
    assert [(f.lang, f.script) for f in found] == [("en", "Latn"), ("ru", "Cyrl"), ("th", "Thai")]


def test_a_short_region_is_und_and_has_a_script():
    found = identify_regions(page("Chapter 12: human rights", "Глава 12", "12.3", "", lang="en", script="Latn"))
    assert [(f.lang, f.script) for f in found] == [("und", "Latn"), ("und", "Cyrl"), ("und", "Zyyy"), ("und", "Zyyy")]


def test_the_pages_language_decides_between_neighbours_in_its_script_only():
    norwegian = "Alle mennesker er født frie og med samme menneskeverd og menneskerettigheter."
    (as_nb,), (as_da,) = (identify_regions(page(norwegian, lang=lang, script="Latn")) for lang in ("nb", "da"))
    assert (as_nb.lang, as_da.lang) == ("nb", "da")
    assert identify_regions(page(pdfs.RUSSIAN, lang="nb", script="Latn"))[0].lang == "ru"
    assert identify_regions(page(FRENCH, lang="nb", script="Latn"))[0].lang == "fr"


@pytest.mark.parametrize("lang", ["und", "fr"])
def test_a_bilingual_page_says_how_much_of_each(lang):
    *_, shares = identified(page(pdfs.LATIN, FRENCH, pdfs.LATIN, FRENCH, pdfs.LATIN, lang=lang))
    assert list(shares) == ["en", "fr"]
    assert 0.5 < shares["en"] < 0.7
    assert shares["en"] + shares["fr"] == pytest.approx(1)


def test_a_page_in_one_language_has_no_shares():
    assert identified(page(pdfs.LATIN, pdfs.LATIN, "Chapitre 1", "Глава 12")) == ("en", "Latn", {})
    assert identified(page(*[pdfs.LATIN] * 20, FRENCH))[2] == {}  # too little of it
    assert identified(page("")) == ("und", "Zyyy", {})
