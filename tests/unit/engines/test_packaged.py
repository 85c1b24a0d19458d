"""The readers that come with the package: each has a card, and reads the first lines of its test as well as the card says."""

import numpy
import pytest

from datagen.drawing import families, typefaces
from datagen.engines import packaged, script_readers
from flywheel.labels import error_rates
from flywheel.scripts import card

MOST_BYTES = 24_000_000
SENTENCES = [
    ("Arab", "ar", "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق"),
    ("Armn", "hy", "Բոլոր մարդիկ ծնվում են ազատ ու հավասար"),
    ("Beng", "bn", "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা"),
    ("Cyrl", "ru", "Все люди рождаются свободными и равными"),
    ("Deva", "hi", "सभी मनुष्यों को गौरव और अधिकारों के मामले में"),
    ("Ethi", "am", "የሰው ልጅ ሁሉ ሲወለድ ነጻና በክብርና በመብትም"),
    ("Geor", "ka", "ყველა ადამიანი იბადება თავისუფალი"),
    ("Grek", "el", "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι"),
    ("Hebr", "he", "כל בני אדם נולדו בני חורין ושווים בערכם"),
    ("Khmr", "km", "មនុស្សទាំងអស់កើតមកមានសេរីភាព"),
    ("Kore", "ko", "모든 인간은 태어날 때부터 자유로우며"),
    ("Latn", "es", "Todos los seres humanos nacen libres e iguales"),
    ("Taml", "ta", "மனிதப் பிறிவியினர் சகலரும் சுதந்திரமாகவே"),
    ("Thai", "th", "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกัน"),
    ("Tibt", "bo", "འགྲོ་བ་མིའི་རིགས་རྒྱུད་ཡོངས་ལ"),
]
FEW = ("Armn", "Deva", "Grek", "Thai")
SCRIPTS = [pytest.param(s, marks=() if s in FEW else pytest.mark.slow) for s in packaged.available()]


def test_each_reader_has_a_card_and_all_together_are_small():
    assert packaged.cards().keys() == set(packaged.available())
    assert sum(path.stat().st_size for path in packaged.FOLDER.glob("*.safetensors")) <= MOST_BYTES
    for script, of in packaged.cards().items():
        assert {"text", "typefaces", "licence", "steps", "seed", "languages", "first"} <= of.keys(), script


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_first_lines_are_read_as_the_card_says(script):
    of = packaged.cards()[script]
    first = of["first"]
    if not first["lines"]:
        pytest.skip("no line of its text is left to test it")
    if missing := {family for *_, family, _ in first["lines"]} - set(typefaces.installed()):
        pytest.skip(f"this machine lacks the typefaces {', '.join(sorted(missing))}")
    crops = [card.to_draw(lang, script, text, family) for lang, text, family, _ in first["lines"]]
    lines = card.images(crops, [is_unseen for *_, is_unseen in first["lines"]], of["seed"])
    readings = [text for text, _ in script_readers.ScriptReader(script).read(lines)]
    found = error_rates.errors([crop.text for crop in crops], readings)
    assert first["rates"]["low"] <= found.cer <= first["rates"]["high"]


@pytest.mark.parametrize(("script", "lang", "text"), SENTENCES)
def test_the_script_of_a_line_is_told_by_its_image(script, lang, text):
    names = families.families(text, lang)
    if not names:
        pytest.skip(f"no typeface of this machine has the letters of {script}")
    crops = [card.to_draw(lang, script, text, name) for name in names[:: max(1, len(names) // 4)]][:4]
    classifier = script_readers.ScriptOfLines()
    drawn = card.images(crops, [True] * len(crops), seed=0)
    assert classifier.scripts[classifier.likelihoods(drawn).sum(0).argmax()] == script


@pytest.mark.parametrize("script", FEW)
def test_a_blank_line_says_nothing(script):
    paper = numpy.random.default_rng(0).integers(-4, 5, (40, 200))
    sheets = [(gray + paper).clip(0, 255).astype(numpy.uint8) for gray in (0, 120, 255)]
    reader = script_readers.ScriptReader(script)
    assert all(text == "" and 0 <= score <= 1 for text, score in reader.read(sheets))
    assert not any(line.classes for line in reader.spell(sheets))
