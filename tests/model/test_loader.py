"""Which samples are trained on, and in which order."""

import dataclasses

import pytest

from datagen import marks
from datagen.marks import Mark
from datagen.shards import read_reports, read_shard
from datagen.storage import Folder
from datagen.target import PROMPTS
from model.loader import Schedule, drawn, find_datasets, index, is_held_out
from model.step import Train
from tests.model.lines import line_crop, write_dataset

STEP = Train(datasets=("coarse", "round-*"), page_batch=2, crop_batch=3, crop_share=0.4)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    out = Folder(str(tmp_path_factory.mktemp("out")))
    pages = [line_crop(f"page {n}", f"p{n}", f"document {n % 20}", "page") for n in range(40)]
    crops = [line_crop(f"crop {n}", f"c{n}", f"document {n % 20}") for n in range(60)]
    others = [
        line_crop("doubtful", "x0", verdict="suspect"),
        line_crop("  ", "x1"),
        line_crop("a formula", "x2", task="formula"),
    ]
    write_dataset(out, "coarse", [pages[:25], pages[25:] + others])
    write_dataset(out, "round-1", [crops])
    return out


def keys(places):
    return [place.key for place in places]


def test_datasets_by_name_and_pattern(out):
    assert find_datasets(out, ("coarse", "round-*", "fine-*")) == ["coarse", "round-1"]
    assert find_datasets(out, ("*",)) == ["coarse", "round-1"]
    with pytest.raises(ValueError, match="no dataset 'fine'; it has coarse, round-1"):
        find_datasets(out, ("fine",))


def test_only_trusted_pages_and_crops_with_text(out):
    corpus = index(out, ["coarse", "round-1"], 0.2)
    assert dict(corpus.skipped) == {"not_trusted": 1, "no_text": 1, "other_task": 1}
    assert len(corpus.train["page"]) + len(corpus.held_out["page"]) == 40
    assert len(corpus.train["crop"]) + len(corpus.held_out["crop"]) == 60


def test_the_manifest_chooses_what_the_records_would(out):
    """The same samples on the same sides in the same order as from reading every record in every shard."""
    sides: dict[str, list[str]] = {"train": [], "held_out": []}
    for dataset in ("coarse", "round-1"):
        for report in read_reports(out.sub(dataset)):
            with out.sub(dataset).open(f"shards/{report.shard}.tar") as file:
                for sample, place in read_shard(file):
                    if sample.task in ("page", "crop") and sample.quality.verdict == "trusted" and sample.text.strip():
                        side = "held_out" if is_held_out(sample.origin.sha256, 0.2) else "train"
                        sides[side].append(f"{sample.key} {report.shard} {place.offset} {place.num_bytes}")
    corpus = index(out, ["coarse", "round-1"], 0.2)
    for side, expected in sides.items():
        places = [place for task in PROMPTS for place in getattr(corpus, side)[task]]
        assert [f"{p.key} {p.shard} {p.offset} {p.num_bytes}" for p in places] == expected and len(expected) > 10


def test_the_split_goes_by_the_group(tmp_path):
    """One file whose samples are in several groups is on both sides, each group on one."""
    out = Folder(str(tmp_path))
    samples = [dataclasses.replace(line_crop(f"draw {n}", f"d{n}", "one", "page"), group=f"draw {n // 2}") for n in range(60)]
    write_dataset(out, "coarse", [samples])
    corpus = index(out, ["coarse"], 0.3, frozenset({"draw 7"}))
    train, held_out = ({p.group for p in side["page"]} for side in (corpus.train, corpus.held_out))
    assert len(train) > 10 and len(held_out) > 3 and not train & held_out and "draw 7" in held_out


def test_crops_of_marked_pages_are_passed_over_in_every_dataset(tmp_path):
    out = Folder(str(tmp_path))
    key = ["0123456789abcdef-01234567-00000" + str(n) for n in range(3)]
    write_dataset(out, "coarse", [[line_crop(f"page {n}", key[n], f"document {n}", "page") for n in range(3)]])
    write_dataset(out, "crops", [[line_crop(f"crop {n}", f"{key[n]}-0007", f"document {n}") for n in range(3)]])
    write_dataset(out, "round-1", [[line_crop(f"read {n}", f"{key[n]}-r1-0007", f"document {n}") for n in range(3)]])
    marks.write(out.sub("coarse"), [Mark(key[1], "contaminated", "a benchmark's page", 0.9)], "")
    corpus = index(out, ["coarse", "crops", "round-1"], 0.3)
    assert dict(corpus.skipped) == {"marked": 3}
    chosen_keys = {place.key for side in (corpus.train, corpus.held_out) for places in side.values() for place in places}
    assert chosen_keys == {f"{key[n]}{end}" for n in (0, 2) for end in ("", "-0007", "-r1-0007")}


def test_a_place_reads_back(out):
    for place in index(out, ["coarse", "round-1"], 0.2).train["crop"][:5]:
        sample = place.read(out)
        assert sample.key == place.key and sample.text == f"crop {place.key[1:]}" and sample.image


def test_a_document_is_on_one_side(out):
    corpus = index(out, ["coarse", "round-1"], 0.3)
    train = {p.group for places in corpus.train.values() for p in places}
    held_out = {p.group for places in corpus.held_out.values() for p in places}
    assert train and held_out and not train & held_out


def test_where_no_hash_holds_a_document_out_one_is(out, tmp_path):
    corpus = index(out, ["coarse", "round-1"], 1e-9)
    held_out = {p.group for places in corpus.held_out.values() for p in places}
    assert len(held_out) == 1
    assert len(corpus.train["page"]) + len(corpus.held_out["page"]) == 40
    assert not held_out & {p.group for places in corpus.train.values() for p in places}


def test_of_a_single_document_some_samples_are_held_out(tmp_path):
    alone = Folder(str(tmp_path))
    write_dataset(alone, "coarse", [[line_crop(f"page {n}", f"p{n}", "one", "page") for n in range(10)]])
    corpus = index(alone, ["coarse"], 1e-9)
    assert (len(corpus.train["page"]), len(corpus.held_out["page"])) == (9, 1)


def test_documents_held_out_from_outside(out):
    before = index(out, ["coarse", "round-1"], 0.2)
    chosen = before.train["page"][0].group
    after = index(out, ["coarse", "round-1"], 0.2, frozenset({chosen}))
    assert chosen not in {p.group for places in after.train.values() for p in places}
    assert {p.task for places in after.held_out.values() for p in places if p.group == chosen} == {"page", "crop"}


def test_the_share_held_out():
    share = sum(is_held_out(f"{n:064x}", 0.1) for n in range(5000)) / 5000
    assert 0.08 < share < 0.12


def test_order_is_a_pure_function_of_seed_and_step(out):
    places = index(out, ["coarse", "round-1"], 0.2).train
    forwards = [Schedule(places, STEP).at(n) for n in range(50)]
    backwards = [Schedule(places, STEP).at(n) for n in reversed(range(50))][::-1]
    assert forwards == backwards
    assert forwards != [Schedule(places, dataclasses.replace(STEP, seed=1)).at(n) for n in range(50)]


def test_an_epoch_sees_every_sample_once_and_steps_are_of_one_kind(out):
    places = index(out, ["coarse", "round-1"], 0.2).train
    steps = [Schedule(places, STEP).at(n) for n in range(200)]
    for samples in steps:
        assert len({place.task for place, _ in samples}) == 1
    assert sum(samples[0][0].task == "crop" for samples in steps) == 80
    for task in ("page", "crop"):
        seen = [place.key for samples in steps for place, _ in samples if place.task == task]
        size = len(places[task])
        assert sorted(seen[:size]) == sorted(seen[size : 2 * size]) == sorted(keys(places[task]))
        assert seen[:size] != seen[size : 2 * size]


def test_samples_are_asked_all_prompts_of_their_task(out):
    steps = [Schedule(index(out, ["coarse", "round-1"], 0.2).train, STEP).at(n) for n in range(60)]
    asked = {(place.task, prompt) for samples in steps for place, prompt in samples}
    assert asked == {(task, prompt) for task, prompts in PROMPTS.items() for prompt, _ in prompts}


def test_one_kind_alone(out):
    pages = Schedule(index(out, ["coarse"], 0.2).train, STEP)
    crops = Schedule(index(out, ["round-1"], 0.2).train, STEP)
    assert {place.task for n in range(10) for place, _ in pages.at(n)} == {"page"}
    assert {place.task for n in range(10) for place, _ in crops.at(n)} == {"crop"}
    with pytest.raises(ValueError, match="nothing to train on"):
        Schedule({"page": [], "crop": []}, STEP)


def test_a_draw_does_not_depend_on_order(out):
    places = index(out, ["coarse", "round-1"], 0.2).train["page"]
    assert drawn(places, 5) == drawn(places[::-1], 5)
    assert len(drawn(places, 5)) == 5 and len(drawn(places, 500)) == len(places)
