import functools

import numpy
import pymupdf
import pytest

from datagen.coarse.page import TEXT_FLAGS
from datagen.drawing.typeset import Style
from tests.inputs.damage import KINDS, damage
from tests.inputs.typeset import typeset
from tests.inputs.udhr import UDHR

REMAPPED = sorted(set(KINDS) - {"hidden", "hidden_opacity", "doubled", "off_page", "spaces_dropped", "outlined"})


@functools.cache
def good(script: str) -> bytes:
    """Two small pages."""
    lang, text = UDHR[script]
    return typeset([text] * 4, lang, Style(width_pt=300, height_pt=160, margin_pt=20)).pdf


def pages(pdf: bytes) -> list[str]:
    """The text of each page, white space as single spaces."""
    with pymupdf.open(stream=pdf, filetype="pdf") as doc:
        return [" ".join(page.get_text(flags=TEXT_FLAGS).split()) for page in doc]


def text(script: str, kind: str = "") -> str:
    return pages(damage(good(script), kind) if kind else good(script))[0]


def ink(pdf: bytes) -> numpy.ndarray:
    with pymupdf.open(stream=pdf, filetype="pdf") as doc:
        pixmap = doc[0].get_pixmap(dpi=100, colorspace=pymupdf.csGRAY)
    return numpy.frombuffer(pixmap.samples, numpy.uint8).reshape(pixmap.height, pixmap.stride).astype(int)


@pytest.mark.parametrize("script", ["Latn", "Deva", "Arab"])
@pytest.mark.parametrize("kind", REMAPPED)
def test_a_changed_map_changes_the_text_and_not_a_pixel(script: str, kind: str) -> None:
    try:
        bad = damage(good(script), kind)
    except ValueError as error:
        assert (kind, str(error)) in {("legacy", "no letters but Latin ones"), ("broken_clusters", "no clusters")}
        return
    assert (ink(bad) == ink(good(script))).all()
    if (script, kind) != ("Latn", "no_tounicode"):  # WinAnsi codes speak for themselves
        assert pages(bad)[0] != text(script)
    assert damage(good(script), kind) == bad
    assert not kind.startswith("permuted") or damage(good(script), kind, seed=1) != bad


def test_what_the_changed_maps_say() -> None:
    good_letters = set(filter(str.isalpha, text("Cyrl")))
    assert set(filter(str.isalpha, text("Cyrl", "permuted"))) == good_letters
    assert sum(a == b for a, b in zip(text("Cyrl"), text("Cyrl", "permuted"), strict=True)) < 0.3 * len(text("Cyrl"))
    assert text("Latn", "shifted").startswith("$OO KXPDQ EHLQJV DUH ERUQ IUHH")
    assert all("\u0900" <= char < "\u0980" for char in text("Deva", "shifted") if char.isalpha())
    assert all(char <= "\xff" for char in text("Beng", "legacy") if char.isalpha())
    assert 0 < sum(a != b for a, b in zip(text("Cyrl"), text("Cyrl", "few_letters"), strict=True)) < 0.4 * len(text("Cyrl"))
    (lost,) = good_letters - set(text("Cyrl", "missing_letter"))
    assert text("Cyrl", "missing_letter").replace("\u00ad", lost).casefold() == text("Cyrl").casefold()
    assert not any(char.isalpha() for char in text("Cyrl", "private_use") + text("Cyrl", "fffd"))
    assert any("\u0900" <= char < "\u0980" for char in text("Deva", "broken_clusters"))
    assert any(char < "\u0500" and char.isalpha() for char in text("Deva", "broken_clusters"))
    assert text("Cyrl", "no_tounicode").count("\ufffd") > 50


@pytest.mark.parametrize("script", ["Latn", "Deva", "Arab"])
def test_dropped_spaces_leave_every_word_where_it_was(script: str) -> None:
    bad = damage(good(script), "spaces_dropped")
    assert (ink(bad) == ink(good(script))).all()
    with pymupdf.open(stream=bad, filetype="pdf") as doc:
        exact = doc[0].get_text(flags=TEXT_FLAGS | pymupdf.TEXT_INHIBIT_SPACES)
    assert " " not in exact.strip()


@pytest.mark.parametrize("script", ["Latn", "Deva", "Arab"])
def test_outlined_words_are_ink_without_text(script: str) -> None:
    bad = damage(good(script), "outlined")
    assert 0.3 * len(text(script)) < len(pages(bad)[0]) < 0.95 * len(text(script))
    assert abs(ink(bad) - ink(good(script))).mean() < 3
