"""The reward as trainers call it: each form gives the same numbers."""

import importlib.util
import json
from pathlib import Path

import pytest

from datagen.record import Box, Region
from datagen.rewards import adapters
from datagen.rewards.reward import Wanted, reward
from tests.inputs.samples import sample

TRUTHS = ["All human beings are born free.", "Everyone has the right to life."]
ANSWERS = ["All human beings are born free.", "Everyone has a right to live."]
ROWS = [{"truth": truth, "tests": "", "num_letters": -1} for truth in TRUTHS]
EXPECTED = [reward(answer, Wanted(truth)).total for answer, truth in zip(ANSWERS, TRUTHS, strict=True)]


def test_trl_takes_texts_and_chats():
    chats = [[{"role": "assistant", "content": answer}] for answer in ANSWERS]
    parts = [[{"role": "assistant", "content": [{"type": "text", "text": answer}]}] for answer in ANSWERS]
    for completions in (ANSWERS, chats, parts):
        given = adapters.trl(prompts=["Free OCR."] * 2, completions=completions, truth=TRUTHS, trainer_state=None)
        assert given == EXPECTED
    assert EXPECTED[0] == 1 > EXPECTED[1]


def test_swift_calls_as_trl_does_and_verl_passes_one_text_on():
    assert adapters.Swift()(ANSWERS, truth=TRUTHS, solution=["x", "y"]) == EXPECTED
    given = [adapters.verl("pagewheel", answer, adapters.as_json(row), {}) for answer, row in zip(ANSWERS, ROWS, strict=True)]
    assert given == EXPECTED


def test_openrlhf_finds_its_function_in_the_file():
    path = Path(adapters.__file__).with_name("openrlhf.py")
    spec = importlib.util.spec_from_file_location("named_by_a_path", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    queries = [f"Free OCR.{answer}" for answer in ANSWERS]
    given = module.reward_func(queries, ["Free OCR."] * 2, list(map(adapters.as_json, ROWS)))
    assert given["rewards"].tolist() == pytest.approx(EXPECTED)
    assert given["scores"].shape == (2,) and set(given["extra_logs"]) == {"parses", "repetition", "length"}


TABLE = "<table><tr><td>Ada</td><td>12</td></tr></table>"


@pytest.mark.parametrize(
    ("task", "text", "regions"),
    [
        ("page", "", ()),
        ("table", TABLE, ()),
        ("formula", r"a^{2} + b", ()),
        ("figure", "C1CCCCC1", (Region(Box(0, 0, 40, 30), "molecule", "C1CCCCC1", None, "molecules", format="smiles"),)),
    ],
)
def test_what_was_cut_out_or_drawn_is_answered_by_its_text(task, text, regions):
    """As `Prompt.FREE` and `Prompt.FIGURE` ask for it: of a formula its bare LaTeX."""
    row = adapters.columns(sample(task=task, text=text, regions=regions))
    rewards = adapters.trl([text, "Other words."], **{name: [value] * 2 for name, value in row.items()})
    assert rewards[0] == 1 > rewards[1]
    assert reward(text, adapters.from_json(adapters.as_json(row))).total == 1


def test_another_text_is_refused():
    with pytest.raises(ValueError, match="as_json"):
        adapters.verl("pagewheel", "a", json.dumps({"answer": "a"}))
    with pytest.raises(ValueError, match="longer"):
        adapters.trl(["a", "b"], truth=["a"])
