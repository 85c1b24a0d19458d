"""Drawn lines as a dataset: what the index says is what a worker makes, in their order; unseen lines are held out."""

from dataclasses import replace

import pytest

from datagen.drawing.endless_lines import Lines, ScriptLines, prose
from model.data.drawn_lines import Drawn
from model.data.loader import Loader
from model.data.mixture import Segment, Source, shares
from model.data.plan import Plan
from model.data.split import opened
from model.net.tokenizer import byte_tokenizer

LENGTH, WINDOW = 128, 64


@pytest.fixture(scope="module")
def plan():
    return planned(Drawn(Lines(longest=4), 400, held_out=20))


def planned(dataset):
    corpus = opened([dataset], byte_tokenizer(), 0.1)
    modes = {"line": 1.0}
    return Plan(corpus, (Segment(0, shares(corpus, [Source(dataset.name)])),), modes, LENGTH, rows_per_step=2, window=WINDOW)


def test_what_the_index_says_is_what_is_made(plan):
    """A sample that isn't as long as the index says would be passed over."""
    (batches,) = zip(*Loader(plan, byte_tokenizer(), micro_rows=2).steps(0, 8), strict=True)
    assert not any(batch.skipped for batch in batches)
    for number, batch in enumerate(batches):
        rows = plan.step(number)
        assert batch.num_samples == sum(map(len, rows)) and batch.num_upsampled == 0
        assert batch.num_positions == sum(draw.length for row in rows for draw in row)
        assert {image.whole_3HW.shape[1] for image in batch.images} == {64}


def test_a_checkpoint_with_another_pythons_prose_is_refused_by_what_the_lines_are_drawn_from(plan, monkeypatch):
    saved = plan.to_json()
    monkeypatch.setattr("datagen.drawing.endless_lines.prose", lambda held_out: prose(held_out).replace("the", "eht"))
    other = planned(Drawn(Lines(longest=4), 400, held_out=20))
    with pytest.raises(ValueError, match=r"dataset lines has changed \(its lines are drawn from the docstrings of Python 3\."):
        other.resumed(saved)


def test_what_makes_no_lines_is_refused():
    with pytest.raises(ValueError, match="lines: count=-1 held_out=300 shortest=8 longest=12"):
        Drawn(Lines(), -1)


def test_lines_in_another_script_are_its_language_and_as_long_as_their_bytes():
    text = "все люди рождаются свободными и равными в своём достоинстве и правах " * 4
    of = ScriptLines(longest=8, script="Cyrl", text=text, other_text=text[::-1])
    dataset = Drawn(of, 30, held_out=4, shortest=6, longest=8, tells=True)
    columns = dataset.columns(byte_tokenizer())
    assert columns.langs == ("und-Cyrl",) and len(columns.answer_NP) == 34
    for row in range(34):
        example = dataset.reader.read(dataset.place(row), 0)
        said = example.parts[1].text
        assert example.lang == "und-Cyrl" and len(example.edges) == len(said) + 1
        others = dataset.reader.read(dataset.place(0), 0).parts[1].text
        assert columns.answer_NP[row, 0] - columns.answer_NP[0, 0] == len(said.encode()) - len(others.encode())
    assert dataset.digest != Drawn(replace(of, text=text[1:]), 30, 4, 6, 8, tells=True).digest
