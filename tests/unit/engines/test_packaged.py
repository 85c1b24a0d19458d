"""The readers that come with the package: each has a card, and reads the first lines of its test as well as the card says."""

import numpy
import pytest

from datagen.drawing import typefaces
from datagen.engines import packaged, script_readers
from flywheel.labels import gate
from flywheel.scripts import card

MOST_BYTES = 24_000_000
FEW = ("Armn", "Deva", "Geor", "Thai")
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
    found = gate.errors([crop.text for crop in crops], readings)
    assert first["rates"]["low"] <= found.cer <= first["rates"]["high"]


def test_lines_of_a_script_are_told_by_their_image():
    told = script_readers.ScriptOfLines()
    for script in FEW:
        lines = packaged.cards()[script]["first"]["lines"][:12]
        crops = [card.to_draw(lang, script, text, family) for lang, text, family, _ in lines if family in typefaces.installed()]
        if crops:
            drawn = card.images(crops, [True] * len(crops), seed=0)
            assert told.scripts[told.likelihoods(drawn).sum(0).argmax()] == script


def test_a_blank_line_says_nothing():
    reader = script_readers.ScriptReader(packaged.available()[0])
    ((text, score),) = reader.read([numpy.full((40, 200), 255, numpy.uint8)])
    assert len(text) <= 2 and 0 <= score <= 1
