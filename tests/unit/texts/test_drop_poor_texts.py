"""Texts that datatrove's filters refuse, and prose in scripts with and without spaces that they leave."""

import random

import pytest

from datagen.engines import OPEN
from datagen.record import Drop
from datagen.texts.drop_poor_texts import DropPoorTexts, letters_per_word
from tests.inputs.samples import sample
from tests.inputs.udhr import UDHR


def prose(script: str, num_words: int = 400) -> str:
    """Words of the language at random, in sentences: nothing in it comes again but the words."""
    text, chance = UDHR[script][1], random.Random(script)
    per_word = letters_per_word(text)
    words = text.split() if per_word == 1 else [text[i : i + 2] for i in range(0, len(text), 2)]
    between = " " if per_word == 1 else ""
    chosen = [chance.choice(words) for _ in range(num_words * per_word)]
    return "\n".join(between.join(chosen[at : at + 12]) for at in range(0, len(chosen), 12))


def reason(text: str, lang: str = "und", **fields) -> str:
    (outcome,) = DropPoorTexts(**fields)([sample(task="text", image=None, text=text, regions=(), lang=lang)], OPEN)
    return outcome.detail if isinstance(outcome, Drop) else ""


@pytest.mark.parametrize("script", ["Latn", "Arab", "Hans", "Khmr"])
def test_prose_stays_in_every_script(script):
    assert reason(prose(script), UDHR[script][0]) == ""
    assert letters_per_word(UDHR[script][1]) == {"Hans": 2, "Thai": 3, "Khmr": 3, "Mymr": 3}.get(script, 1)


@pytest.mark.parametrize("script", ["Latn", "Thai"])
def test_what_repeats_itself_is_dropped(script):
    lines = prose(script).splitlines()
    again = "\n".join(lines[:6] * 12)
    assert reason(again, UDHR[script][0]).startswith("gopher_repetition: dup")
    # The same within one line, where no line comes again.
    assert "gram" in reason(again.replace("\n", " "), UDHR[script][0])


def test_lists_numbers_and_symbols_are_dropped():
    numbers = " ".join(f"{n} {n * n}," for n in range(300))
    assert reason(numbers) == "gopher_quality: gopher_below_alpha_threshold"
    bullets = "\n".join(f"- {line}" for line in prose("Latn").splitlines())
    assert reason(bullets, "de") == "gopher_quality: gopher_too_many_bullets"
    assert reason(prose("Latn").replace(" ", " # "), "de") == "gopher_quality: gopher_too_many_hashes"
    assert reason("A few words are no document.", "en") == "gopher_quality: gopher_short_doc"


def test_fineweb_asks_for_ends_of_sentences():
    with_ends = prose("Latn").replace("\n", ".\n")
    assert reason(with_ends, filters=("fineweb",)) == ""
    assert reason("\n".join(line.rstrip(".") for line in prose("Deva").replace("।", "").splitlines()), filters=("fineweb",)) != ""


def test_other_tasks_pass_and_other_names_are_refused():
    page = sample(text="short")
    assert list(DropPoorTexts()([page], OPEN)) == [page]
    with pytest.raises(ValueError, match="no filter 'gopher'"):
        DropPoorTexts(("gopher",))
