"""Which samples are learned from, and how often: by unread regions, worth, difficulty, and what may not dominate."""

import dataclasses
import io
import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from datagen.disk import manifest
from datagen.disk.storage import Folder
from datagen.record import Box, Origin, Quality, Region
from model.data.loader import job, maker, read
from model.data.mixture import Segment, Share, Source, Stream, deck_of, shares
from model.data.our_rows import Choice
from model.data.ours import open_ours
from model.data.plan import Plan
from model.data.rows import Features
from model.data.split import opened
from model.train.data import open_all, sources
from model.train.data_config import Data
from model.train.step import Train
from tests.inputs.samples import encoded
from tests.model.drawn_rows import alone, pages
from tests.model.lines import line_crop, write_dataset

FORMULA = Box(10, 60, 190, 90)
LEVELS = {"easy": 0.1, "medium": 0.3, "hard": 0.6}
THIRDS = {"medium_from": 0.33, "hard_from": 0.67}


def fine_page(number, difficulty=-1.0, worth=-1.0, unread=False, labels=("text",), document=0):
    """A page with a line of text, and a black formula below it."""
    image = Image.new("RGB", (200, 100), (250, 250, 240))
    image.paste((0, 0, 0), (20, 20, 100, 30))
    image.paste((0, 0, 0), (20, 70, 180, 80))
    formula = {"text": "", "is_unread": True} if unread else {"text": "x"}
    regions = [Region(Box(10, 10, 190, 40), label, f"page {number}", None, "pymupdf", detected_by="cdla") for label in labels]
    regions.append(Region(FORMULA, "equation", score=None, by="pymupdf", format="latex", **formula))
    return dataclasses.replace(
        line_crop(f"page {number}", f"page{number}", task="page"),
        image=encoded(image, "PNG"),
        size=(200, 100),
        regions=tuple(regions),
        difficulty=difficulty,
        quality=Quality("trusted", (), {"worth": worth} if worth >= 0 else {}),
        origin=Origin(f"/in/{document}.pdf", f"{document:064x}", number),
    )


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """Twenty pages: every second one hard, every fifth one with an unread formula, four of them worth little."""
    out = Folder(str(tmp_path_factory.mktemp("out")))
    made = [fine_page(n, [0.1, 0.9][n % 2], n / 20, n % 5 == 0, ("text", "title")[: 1 + n % 2], document=n) for n in range(20)]
    write_dataset(out, "fine", [made[:12], made[12:]])
    return out


def numbers(corpus):
    rows = sorted(np.concatenate([corpus.train[0], corpus.held_out[0]]).tolist())
    return [int(read(corpus, alone(corpus, 0, row, "tiny")).key.removeprefix("page")) for row in rows]


def corpus_of(out, tokenizer, choice):
    return opened([dataset.choosing(choice) for dataset in open_ours(out, ("fine",))], tokenizer, 0.2)


def test_pages_with_unread_regions_are_left_out(out, tokenizer):
    corpus = corpus_of(out, tokenizer, Choice(min_worth=0))
    assert numbers(corpus) == [n for n in range(20) if n % 5]
    assert corpus.skipped == {"fine": {"unread_regions": 4}}


def test_or_these_regions_are_cut_out_of_the_image_and_the_answer(out, tokenizer):
    corpus = corpus_of(out, tokenizer, Choice("cut", min_worth=0))
    assert numbers(corpus) == list(range(20))
    for row in range(20):
        shown = read(corpus, alone(corpus, 0, row, "tiny"))
        image = np.asarray(Image.open(io.BytesIO(shown.images[0])))
        assert (image[20:30, 30:90] < 50).all()
        number = int(shown.key.removeprefix("page"))
        x0, y0, x1, y1 = FORMULA
        if number % 5:
            assert r"\[x\]" in shown.parts[1].text and (image[72:78, 30:170] < 50).all()
        else:
            assert "equation" not in shown.parts[1].text and (image[y0:y1, x0:x1] > 230).all()
    # The index counts what is read.
    rows = [[alone(corpus, 0, row, "tiny") for row in range(20)]]
    assert not maker(corpus, tokenizer, ["tiny"])[job(corpus, rows)].skipped


def test_samples_whose_labels_are_worth_too_little_are_left_out(out, tokenizer):
    corpus = corpus_of(out, tokenizer, Choice("cut", 0.6))
    assert numbers(corpus) == list(range(12, 20)) and corpus.skipped == {"fine": {"worth_little": 12}}


def test_a_manifest_of_an_earlier_version_knows_none_of_it(out, tmp_path, tokenizer):
    write_dataset(Folder(str(tmp_path)), "fine", [[fine_page(n) for n in range(4)]])
    folder = Folder(str(tmp_path)).sub("fine")
    name = "manifest/fine-000000.parquet"
    folder.write_table(name, folder.read_table(name).drop_columns(["worth", "labels", "num_unread"]))
    (part,) = manifest.parts(folder, ["fine-000000"], ["key", "labels", "num_unread", "worth"])
    assert part.to_pylist()[0] == {"key": "page0", "labels": [], "num_unread": 0, "worth": -1.0}
    assert manifest.read(folder, ["fine-000000"]).schema.equals(manifest.SCHEMA)
    with pytest.raises(KeyError):
        next(manifest.parts(folder, ["fine-000000"], ["no_such_column"]))
    assert len(corpus_of(Folder(str(tmp_path)), tokenizer, Choice("leave", 0.9)).columns[0]) == 4


# What follows is about the plan of a training.


@pytest.fixture(scope="module")
def corpus(tokenizer):
    """Two hundred rows: 150 of one source, five each of ten others; of all difficulties, and some that nobody knows."""
    made = opened([pages("pages", 200, langs=("en", "de"))], tokenizer, 0.1)
    rows = np.arange(200)
    difficulty = np.where(rows % 7 == 0, -1000, rows * 7919 % 1001).astype(np.int16)
    sources = np.where(rows < 150, 0, rows // 5).astype(np.uint64)
    columns = dataclasses.replace(made.columns[0], features=Features(difficulty=difficulty, source=sources))
    return dataclasses.replace(made, columns=(columns,))


def plan(corpus, source, seed=0):
    return Plan(corpus, [Segment(0, shares(corpus, [source]))], {"tiny": 1.0}, 1500, 4, seed, 64)


def draws(made, first, stop):
    return [draw for n in range(first, stop) for row in made.step(n) for draw in row]


def level(corpus, row):
    measured = corpus.columns[0].features["difficulty"][row]
    return "unknown" if measured < 0 else "easy" if measured < 330 else "medium" if measured < 670 else "hard"


def test_degrees_of_difficulty_come_by_weight(corpus):
    source = Source("pages", difficulty={**LEVELS, "unknown": 0.0}, **THIRDS)
    counts = Counter(level(corpus, draw.row) for draw in draws(plan(corpus, source), 0, 200))
    assert {name: n / counts.total() for name, n in counts.items()} == pytest.approx(LEVELS, abs=0.02)


def test_a_degree_that_no_row_has_is_left_out(corpus):
    columns = dataclasses.replace(corpus.columns[0], features=Features(difficulty=np.full(200, 100, np.int16)))
    found = shares(dataclasses.replace(corpus, columns=(columns,)), [Source("pages", difficulty=LEVELS, **THIRDS)])
    assert [(share.stream.bands, share.weight) for share in found] == [(((0, 330),), 1.0)]
    with pytest.raises(ValueError, match="samples are easy: give these one above 0"):
        shares(dataclasses.replace(corpus, columns=(columns,)), [Source("pages", difficulty={"easy": 0, "hard": 1}, **THIRDS)])


def test_degrees_without_a_weight_are_told(corpus):
    with pytest.raises(ValueError, match="pages: samples that are unknown have no weight"):
        shares(corpus, [Source("pages", difficulty=LEVELS)])


@pytest.mark.parametrize(("power", "turns"), [(1.0, 150), (0.5, 12), (0.0, 1)])
def test_a_large_part_comes_less_often_and_all_of_its_rows_do(corpus, power, turns):
    everything = dataclasses.replace(corpus, train=(np.arange(200),))
    stream = shares(everything, [Source("pages", diverse="source", power=power)])[0].stream
    _, deck = deck_of(stream, everything)
    of_others = {1.0: 50, 0.5: 20, 0.0: 10}[power]  # ten parts of five rows
    assert deck.num_turns == turns + of_others
    rows = deck.dealt(np.arange(deck.num_turns * 300), 7)
    for epoch in (0, 1, 17):
        of_epoch = rows[epoch * deck.num_turns : (epoch + 1) * deck.num_turns]
        assert (of_epoch < 150).sum() == turns and len(set(of_epoch.tolist())) == len(of_epoch)
    counts = np.bincount(rows, minlength=200)
    assert counts[:150].max() - counts[:150].min() <= 1 and counts[150:].max() - counts[150:].min() <= 1
    # A turn can be asked for alone, and another seed is another order.
    assert deck.dealt(np.array([1234]), 7)[0] == rows[1234]
    assert (deck.dealt(np.arange(100), 8) != rows[:100]).any()


@pytest.mark.parametrize("diverse", ["document", "lang", "source"])
def test_steps_stay_a_function_of_seed_and_number(corpus, diverse):
    source = Source("pages", difficulty={"hard": 2, "*": 1}, diverse=diverse)
    whole = plan(corpus, source)
    steps = [whole.step(n) for n in range(60)]
    assert [plan(corpus, source).step(n) for n in (59, 3)] == [steps[59], steps[3]]
    saved = json.loads(json.dumps(whole.to_json()))
    # A training that goes on has the schedule of its checkpoint, whatever the recipe says now.
    again = plan(corpus, Source("pages")).resumed(saved | {"known": []})
    assert [again.step(n) for n in (59, 20, 21)] == [steps[59], steps[20], steps[21]]
    changed = again.changed(20, shares(corpus, [Source("pages")]))
    assert [changed.step(n) for n in (3, 19)] == [steps[3], steps[19]] and changed.step(59) != steps[59]
    assert plan(corpus, source, seed=1).step(0) != steps[0]


def test_schedules_of_earlier_versions_are_read():
    share = {"stream": ["pages", ["de"], False], "weight": 1.0, "before": 7}
    (read_share,) = Segment.from_json({"window": 0, "shares": [share]}).shares
    assert read_share == Share(Stream("pages", ("de",), False), 1.0, 7)


def test_what_a_dataset_does_not_say_is_refused(corpus):
    nothing = dataclasses.replace(corpus, columns=(dataclasses.replace(corpus.columns[0], features=Features()),))
    with pytest.raises(
        ValueError, match="pages doesn't say the difficulty of its samples: only datasets that pagewheel wrote do"
    ):
        shares(nothing, [Source("pages", difficulty=LEVELS)])
    with pytest.raises(ValueError, match="pages doesn't say the layout of its samples"):
        deck_of(shares(corpus, [Source("pages", diverse="layout")])[0].stream, corpus)
    in_order = dataclasses.replace(corpus, columns=(dataclasses.replace(corpus.columns[0], in_order=True),))
    with pytest.raises(ValueError, match="learned in its own order"):
        deck_of(shares(in_order, [Source("pages", diverse="document")])[0].stream, in_order)


# And what recipes say.


def open_data(out, tokenizer, **values):
    step = Train(datasets=(Data("fine", **values),))
    data = open_all(step, out)
    corpus = opened(data.datasets, tokenizer, 0.2)
    return corpus, shares(corpus, sources(data, corpus), dict(step.groups))


def test_a_recipe_says_it_by_fields_of_its_data(out, tokenizer):
    levels = {"difficulty": (("easy", 1.0), ("hard", 3.0)), "medium_from": 0.33, "hard_from": 0.5}
    corpus, found = open_data(out, tokenizer, unread="cut", min_worth=0.5, diverse="layout", power=0.0, **levels)
    assert len(corpus.columns[0]) == 10
    assert corpus.columns[0].features["difficulty"].tolist() == [[100, 900][n % 2] for n in range(10, 20)]
    assert [(share.stream.bands, share.stream.diverse, share.weight) for share in found] == [
        (((0, 330),), "layout", 0.25),
        (((500, 1001),), "layout", 0.75),
    ]
    layouts = corpus.columns[0].features["layout"]  # pages of even numbers have no title
    assert len(set(layouts.tolist())) == 2 and len(set(layouts[::2].tolist())) == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"unread": "skip"}, "unread='skip': allowed are leave, cut"),
        ({"diverse": "author"}, "diverse='author': allowed are document, source, lang, layout"),
        ({"difficulty": (("harder", 1.0),)}, "difficulty harder: allowed are easy, medium, hard, unknown and"),
        ({"medium_from": 0.7}, "the first below the second"),
        ({"min_worth": 2.0}, "min_worth=2.0: it must be from 0 to 1"),
    ],
)
def test_values_that_are_not_allowed(values, message):
    with pytest.raises(ValueError, match=message):
        Data("fine", **values)


def test_what_others_wrote_knows_no_difficulty(tmp_path, out):
    (tmp_path / "rows.jsonl").write_text(json.dumps({"text": "one"}) + "\n")
    for values in ({"unread": "cut"}, {"min_worth": 0.5}):
        with pytest.raises(ValueError, match=r"pagewheel didn't write rows\.jsonl"):
            open_all(Train(datasets=(Data(f"{tmp_path}/rows.jsonl", **values),)), out)
    assert open_all(Train(datasets=(Data(f"{tmp_path}/rows.jsonl", diverse="document"),)), out).datasets
