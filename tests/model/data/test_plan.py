"""Which samples each step has: a function of seed, step, datasets and schedule alone."""

import json
from collections import Counter

import numpy as np
import pytest

from model.data.mixture import Segment, Source, shares
from model.data.plan import Plan, packed
from model.data.split import opened
from model.net.image_modes import num_tokens
from tests.model.drawn_rows import Drawn, pages, texts

MODES_DRAWN = {"tiny": 1.0, "small": 1.0, "base": 2.0}
SOURCES = (Source("pages"), Source("web", "vision"), Source("prose", "text"))


@pytest.fixture(scope="module")
def corpus(tokenizer):
    return opened([pages("pages", 300, langs=("en", "de", "ja")), pages("web", 50, 1), texts("prose", 80)], tokenizer, 0.1)


def plan(corpus, sources=SOURCES, length=1500, rows_per_step=4, seed=0, window=256, modes=MODES_DRAWN, **kwargs):
    schedule = kwargs.pop("schedule", None) or [Segment(0, shares(corpus, sources))]
    return Plan(corpus, schedule, modes, length, rows_per_step, seed, window, **kwargs)


def draws(plan, first, stop):
    return [draw for n in range(first, stop) for row in plan.step(n) for draw in row]


def test_a_step_alone_equals_the_step_after_all_before(corpus):
    ahead = plan(corpus)
    steps = [ahead.step(n) for n in range(80)]
    for n in (79, 0, 41, 3):
        assert plan(corpus).step(n) == steps[n]
    assert plan(corpus, seed=1).step(3) != steps[3]
    assert len({tuple(row) for step in steps for row in step}) == 80 * 4


@pytest.mark.parametrize("num_draws", [256, 512, 700])
def test_so_many_steps_have_so_many_draws(corpus, num_draws):
    """But for those of the last row of a window, and of the last step."""
    one = plan(corpus, length=4000)
    came = len(draws(one, 0, one.num_steps(num_draws)))
    a_step = came / one.num_steps(num_draws)
    assert num_draws - a_step / 4 <= came <= num_draws + 1.25 * a_step


def test_weights_by_language(corpus):
    langs = {"ja": 0.5, "*": 0.5}
    counts = Counter(corpus.columns[0].lang_N[d.row] for d in draws(plan(corpus, [Source("pages", langs=langs)]), 0, 200))
    assert counts[2] / counts.total() == pytest.approx(0.5, abs=0.02) and counts[0] and counts[1]
    with pytest.raises(ValueError, match="pages has no language fr; it has de, en, ja"):
        shares(corpus, [Source("pages", langs={"fr": 1})])
    with pytest.raises(ValueError, match="de, en have no weight"):
        shares(corpus, [Source("pages", langs={"ja": 1})])


def test_groups_and_datasets(corpus):
    found = {share.stream.name: share.weight for share in shares(corpus, SOURCES)}
    assert found == pytest.approx({"pages": 0.7, "web": 0.2, "prose": 0.1})
    found = {share.stream.name: share.weight for share in shares(corpus, [Source("pages", weight=3), Source("web", weight=1)])}
    assert found == pytest.approx({"pages": 0.75, "web": 0.25})
    by_size = {share.stream.name: share.weight for share in shares(corpus, [Source("pages"), Source("web")])}
    sizes = [len(corpus.train[0]), len(corpus.train[1])]
    assert by_size == pytest.approx({"pages": sizes[0] / sum(sizes), "web": sizes[1] / sum(sizes)})
    # Without groups each row comes as often as any other, whatever group its dataset is in.
    no_groups = {share.stream.name: share.weight for share in shares(corpus, SOURCES, {})}
    sizes = dict(zip(("pages", "web", "prose"), map(len, corpus.train), strict=True))
    assert no_groups == pytest.approx({name: size / sum(sizes.values()) for name, size in sizes.items()})
    with pytest.raises(ValueError, match="no such dataset"):
        shares(corpus, [Source("elsewhere")])
    with pytest.raises(ValueError, match="allowed are ocr, vision, text"):
        shares(corpus, [Source("pages", "ocd")])
    with pytest.raises(ValueError, match="give all one, or none"):
        shares(corpus, [Source("pages", weight=1), Source("web")])
    with pytest.raises(ValueError, match="nothing to train on"):
        shares(corpus, [Source("pages", weight=0)])


def test_a_change_of_weights_goes_on_where_each_stream_was(corpus):
    before = plan(corpus)
    halves = shares(corpus, [Source("web", "vision"), Source("prose", "text")], {"vision": 0.5, "text": 0.5})
    after = before.changed(20, halves)
    assert [after.step(n) for n in range(20)] == [before.step(n) for n in range(20)]
    # Through a checkpoint, without what is known of windows.
    saved = json.loads(json.dumps(after.to_json()))
    again = plan(corpus).resumed(saved | {"known": []})
    assert [again.step(n) for n in (60, 20, 21)] == [after.step(n) for n in (60, 20, 21)]
    whole = draws(after, 0, 60)
    last = max(draw.number for draw in whole) // after.window * after.window  # the last window isn't there in full
    changed = {draw.number: draw for draw in whole if draw.number < last}
    start = after.schedule[1].window * after.window
    assert {draw.dataset for n, draw in changed.items() if n >= start} == {1, 2}
    # Each epoch of a stream is whole over the change.
    rows = [changed[n].row for n in sorted(changed) if changed[n].dataset == 1]
    size = len(corpus.train[1])
    for epoch in range(len(rows) // size):
        assert sorted(rows[epoch * size : (epoch + 1) * size]) == corpus.train[1].tolist()
    assert start // size and sum(1 for n in changed if n < start and changed[n].dataset == 1) % size > 0
    # And back: what was left out for a while goes on, too.
    back = after.changed(60, shares(corpus, SOURCES)).schedule[2]
    before_back = {share.stream.name: share.before for share in back.shares}
    assert before_back["pages"] == sum(1 for n in range(start) if changed[n].dataset == 0)


def test_what_is_too_long_is_dropped_and_counted(tokenizer):
    corpus = opened([Drawn("prose", [10, 600] * 20, [None] * 40), pages("pages", 20)], tokenizer, 0.1)
    short = plan(corpus, [Source("prose", "text")], length=300, window=64)
    dropped = sum((short.dropped(n) for n in range(40)), Counter())
    kept = draws(short, 0, 40)
    assert {draw.length for draw in kept} == {22} or max(draw.length for draw in kept) <= 300
    assert set(dropped) == {"prose"} and 0.4 < dropped["prose"] / (dropped["prose"] + len(kept)) < 0.6
    with pytest.raises(
        ValueError, match=r"length is 50: all 1024 samples in turn, up to number 1024, are longer; the shortest of the last 64"
    ):
        plan(corpus, [Source("pages")], length=50, window=64).step(0)


def test_no_mode_is_above_the_pixels(tokenizer):
    sizes = [(100, 500), (600, 700), (900, 1024), (1024, 1280), (3000, 2000), (40, 39)]
    corpus = opened([Drawn("pages", [5] * 60, sizes * 10)], tokenizer, 0.1)
    every = dict.fromkeys(("tiny", "small", "base", "large", "gundam", "gundam-m"), 1.0)
    seen = {}
    for draw in draws(plan(corpus, [Source("pages")], modes=every, length=4000), 0, 40):
        size = corpus.columns[0].sizes(draw.row)[0]
        seen.setdefault(size, set()).add(draw.mode)
        assert draw.length == corpus.columns[0].answer_NP[draw.row, draw.prompt] + num_tokens(draw.mode, *size)
    assert seen == {
        (100, 500): {"tiny"},  # nothing is so small: counted as upsampled where it is made
        (600, 700): {"tiny", "small"},
        (900, 1024): {"tiny", "small", "base", "gundam"},
        (1024, 1280): set(every),
        (3000, 2000): set(every),
        (40, 39): {"tiny"},
    }


def test_a_line_gets_the_mode_of_lines_and_nothing_else_does(tokenizer):
    sizes = [(700, 40), (700, 96), (700, 97), (40, 60), (900, 1024)]
    corpus = opened([Drawn("pages", [5] * 50, sizes * 10)], tokenizer, 0.1)
    seen = {}
    modes = {"tiny": 1.0, "base": 1.0, "line": 1.0}
    for draw in draws(plan(corpus, [Source("pages")], modes=modes), 0, 40):
        seen.setdefault(corpus.columns[0].sizes(draw.row)[0], set()).add(draw.mode)
    assert seen == {
        (700, 40): {"line"},
        (700, 96): {"line"},
        (700, 97): {"tiny"},
        (40, 60): {"tiny"},
        (900, 1024): {"tiny", "base"},
    }
    assert {draw.mode for draw in draws(plan(corpus, [Source("pages")], modes={"line": 1.0}), 0, 9)} == {"line"}


def test_a_checkpoint_of_other_data_or_values_is_refused(tokenizer, corpus):
    saved = json.loads(json.dumps(plan(corpus).to_json()))
    assert plan(corpus).resumed(saved).step(5) == plan(corpus).step(5)
    other = opened([pages("pages", 300, langs=("en", "de", "ja"), digest="2"), *corpus.datasets[1:]], tokenizer, 0.1)
    with pytest.raises(ValueError, match="dataset pages has changed since the checkpoint"):
        plan(other).resumed(saved)
    with pytest.raises(ValueError, match="dataset web is missing"):
        plan(opened([corpus.datasets[0]], tokenizer, 0.1), SOURCES[:1]).resumed(saved)
    with pytest.raises(ValueError, match="length is 1400 and was 1500"):
        plan(corpus, length=1400).resumed(saved)
    for weights in ({"tiny": 1.0, "small": 1.0, "base": 3.0}, {"base": 2.0, "small": 1.0, "tiny": 1.0}):
        with pytest.raises(ValueError, match=r"the checkpoint is of another training: modes is"):
            plan(corpus, modes=weights).resumed(saved)
    asked = pages("pages", 300, langs=("en", "de", "ja"))
    asked.prompts = tuple(one._replace(weight=1.0) for one in asked.prompts)
    changed = opened([asked, *corpus.datasets[1:]], tokenizer, 0.1)
    for other in (changed, opened(corpus.datasets, tokenizer, 0.2)):
        with pytest.raises(ValueError, match="dataset pages has changed since the checkpoint"):
            plan(other).resumed(saved)


def test_values_that_are_not_allowed(corpus):
    with pytest.raises(ValueError, match="modes has huge: allowed are tiny"):
        plan(corpus, modes={"huge": 1})
    with pytest.raises(ValueError, match="rows_per_step is 0"):
        plan(corpus, rows_per_step=0)
    with pytest.raises(ValueError, match="give at least one a weight"):
        plan(corpus, modes={"tiny": 0})


def test_packing_is_best_fit_of_the_longest_first():
    assert packed([5, 8, 3, 2, 4], 10) == [[1, 3], [0, 4], [2]]
    lengths = np.random.default_rng(0).integers(1, 900, 2000).tolist()
    rows = packed(lengths, 1024)
    assert sorted(at for row in rows for at in row) == list(range(2000))
    assert max(sum(lengths[at] for at in row) for row in rows) <= 1024 and sum(lengths) / (1024 * len(rows)) > 0.98


def test_weights_of_nothing_are_left_out_and_those_under_it_refused(corpus):
    found = shares(corpus, SOURCES, {"ocr": 0.5, "vision": 0.0, "text": 0.5})
    assert [share.stream.name for share in found] == ["pages", "prose"] and plan(corpus, schedule=[Segment(0, found)]).step(0)
    with pytest.raises(ValueError, match="nothing to train on"):
        shares(corpus, SOURCES, {"ocr": 0.0, "vision": 0.0, "text": 0.0})
    with pytest.raises(ValueError, match=r"groups is .*: shares must be at least 0"):
        shares(corpus, SOURCES, {"ocr": 1.0, "vision": -0.1, "text": 0.1})
    with pytest.raises(ValueError, match=r"pages has languages with the weights \{'de': -1.0\}"):
        shares(corpus, [Source("pages", langs={"de": -1.0, "*": 2.0})])
    with pytest.raises(ValueError, match=r"pages: its languages' weights are .*: give at least one above 0"):
        shares(corpus, [Source("pages", langs={"*": 0.0})])
