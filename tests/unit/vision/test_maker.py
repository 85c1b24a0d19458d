"""Cut-outs on photographs: what is set is named and boxed, nothing else is; over stamps that the test draws itself."""

import io
import random
from collections import Counter

import numpy
import pytest
from PIL import Image

from datagen.record import Box, Region
from datagen.samples.cutouts import in_script_of, read
from datagen.vision.maker import Stamps, caption
from tests.inputs.figures import cutouts


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("stamps")
    cutouts.write(root)
    return root


@pytest.fixture(scope="module")
def packaged(folder):
    with cutouts.packaged(folder):
        yield


def drawings(num, **values):
    return [Stamps(**values).draw(random.Random(f"test {n}")) for n in range(num)]


def test_names_are_phrases_without_full_stops_in_the_script_of_their_language(folder):
    found = {stamp.names["en"]: stamp for stamp in read(folder)}
    assert {name: stamp.names for name, stamp in found.items()} == {
        "A frog": {"en": "A frog", "de": "Ein Frosch", "fa": "قورباغه", "zh-Hans": "青蛙"},
        "A cow": {"en": "A cow", "de": "Eine Kuh", "zh-Hans": "牛", "ta": "ஒரு பசு"},
        "A hat": {"en": "A hat", "fa": "کلاه"},
        "A star": {"en": "A star", "de": "Ein Stern", "fa": "ستاره", "son": "Handaray"},
    }
    assert {name: (stamp.kind, stamp.may_mirror) for name, stamp in found.items()} == {
        "A frog": ("animals", False),
        "A cow": ("animals", True),
        "A hat": ("clothes", True),
        "A star": ("space", True),
    }


@pytest.mark.parametrize(
    ("lang", "name", "fits"),
    [
        ("ta", "´Õ Àî¨º Á¢ÇÌ", False),  # TSCII's bytes as Latin-1's
        *((lang, name, False) for lang, name in (("lv", "Pīļtē\x93viņš"), ("de", "Ein grÃ¼ner Apfel"), ("fa", "A گاو"))),
        ("sr-Latn", "Веверица", False),
        *((lang, name, True) for lang, name in (("ta", "ஒரு பச்சை மிளகு"), ("de", "Ein grüner Apfel"), ("ca", "Un pal·li"))),
        *(
            (lang, name, True)
            for lang, name in (("oc", "L’òli d’oliva"), ("ko", "배추"), ("ko", "젖소 한 마리"), ("ja", "三毛猫"))
        ),
        *((lang, name, True) for lang, name in (("ja", "ロケット"), ("zh-Hant", "塔"), ("sr-Latn", "Veverica"), ("iu", "ᑫᖕᑲᕉ"))),
    ],
)
def test_a_name_is_in_the_script_that_its_language_is_written_in(lang, name, fits):
    assert in_script_of(lang, name) is fits


def test_boxes_are_those_of_the_pixels_that_are_seen(packaged):
    """Each thing has a colour of its own: where its box should be can be read off the picture. Halos are no part of it."""
    num_measured = 0
    for drawing in drawings(20, english=1.0, max_objects=3):
        pixels = numpy.asarray(Image.open(io.BytesIO(drawing.image))).astype(int)
        assert pixels.shape[1::-1] == drawing.size and drawing.text == "" and drawing.lang == "en" and drawing.script == "Latn"
        names = Counter(region.text for region in drawing.regions)
        for region in drawing.regions:
            if names[region.text] == 1:
                near = abs(pixels - numpy.array(cutouts.COLOURS[region.text.removeprefix("A ")])).max(2) < 60
                rows, columns = numpy.flatnonzero(near.any(1)), numpy.flatnonzero(near.any(0))
                truth = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
                assert max(abs(a - b) for a, b in zip(region.box, truth, strict=True)) <= 3
                num_measured += 1
    assert num_measured > 20


def test_what_is_set_is_in_the_caption_and_what_the_photograph_shows_is_not_set(packaged):
    for drawing in drawings(12, english=0.0, chinese=0.0):
        assert drawing.lang in ("fa", "de")
        assert sorted(drawing.caption.split("\n")) == sorted(region.text for region in drawing.regions)
        assert not (
            {"قورباغه", "Ein Frosch"} & {r.text for r in drawing.regions} and "Eine Kuh" in drawing.caption
        )  # one of a kind
        if drawing.metadata["background"] == "photo1.jpg":
            assert not {"Ein Stern", "ستاره"} & {region.text for region in drawing.regions}


def test_draws_are_the_same_again_and_languages_come_as_often_as_asked(packaged):
    first, again = drawings(8), drawings(8)
    assert first == again and len({drawing.image for drawing in first}) == 8
    langs = Counter(drawing.lang for drawing in drawings(30, english=0.5, chinese=0.0, max_objects=1))
    assert set(langs) == {"en", "de", "fa"} and 8 < langs["en"] < 22


def test_places_in_words_are_right():
    boxes = {
        "A": (0, 0, 20, 20),
        "B": (140, 70, 160, 90),
        "C": (270, 80, 300, 100),
        "D": (140, 190, 160, 200),
        "E": (0, 180, 9, 200),
    }
    regions = [Region(Box(*box), "image", name, None, "stamps") for name, box in boxes.items()]
    assert caption(regions, (300, 200)) == "A\nB\nC\nD\nE"
    assert caption(regions, (300, 200), True) == (
        "A at the top left.\nB in the middle.\nC on the right.\nD at the bottom.\nE at the bottom left."
    )
