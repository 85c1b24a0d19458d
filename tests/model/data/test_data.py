"""From our shards to batches: which samples, in which order, and what becomes of bad ones."""

import dataclasses
import itertools
import os
import random

import pytest
import torch

from datagen.disk import marks
from datagen.disk.marks import Mark
from datagen.disk.storage import Folder
from datagen.record import Box, Region
from model.data.loader import Loader, job, maker, read
from model.data.mixture import Segment, Source, shares
from model.data.ours import Ours, find_datasets, open_ours
from model.data.plan import Plan
from model.data.rows import NO_ANSWER
from model.data.split import is_held_out, opened
from model.net.attention import PADDING
from model.net.batch import IGNORED
from model.net.tokenizer import train_tokenizer
from tests.model.drawn_rows import Drawn, alone, pages, texts
from tests.model.lines import EIGHT, line_crop, write_dataset

MODES = {"tiny": 1.0}


def samples(task, num, **kwargs):
    return [line_crop(f"{task} {n}", f"{task}{n}", f"document {n % 20}", task, **kwargs) for n in range(num)]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    out = Folder(str(tmp_path_factory.mktemp("out")))
    others = [line_crop("doubtful", "x0", task="page", verdict="suspect"), line_crop("  ", "x1", task="page")]
    crops = samples("crop", 60)
    write_dataset(out, "coarse", [samples("page", 25), samples("page", 40)[25:] + others + crops[:10]])
    write_dataset(out, "round-1", [crops[10:]])
    return out


def planned(corpus, rows_per_step=2, length=300, modes=MODES, **kwargs):
    sources = [Source(dataset.name, "text" if dataset.name == "prose" else "ocr") for dataset in corpus.datasets]
    return Plan(corpus, [Segment(0, shares(corpus, sources))], modes, length, rows_per_step, window=64, **kwargs)


def test_datasets_by_name_and_task(out):
    assert find_datasets(out, ("coarse", "round-*", "fine-*")) == ["coarse", "round-1"]
    assert [dataset.name for dataset in open_ours(out, ("coarse", "round-*"))] == ["coarse", "coarse crop", "round-1 crop"]
    with pytest.raises(ValueError, match="no dataset 'fine'; it has coarse, round-1"):
        open_ours(out, ("fine",))
    with pytest.raises(ValueError, match="task is 'chart'"):
        Ours(out.sub("coarse"), "coarse", "chart")


def test_scenes_without_text_and_pictures_without_caption_or_objects(tmp_path, tokenizer):
    """A scene is a row with nothing written on it, too: then all answers are empty. A picture is one by its caption, or by its
    objects."""
    out = Folder(str(tmp_path))
    sign = line_crop("EXIT 7", "scene0", "a", "scene")
    cat = dataclasses.replace(
        line_crop("", "caption0", "a", "caption"), regions=(Region(Box(0, 0, 9, 9), "image", "cat", None, ""),)
    )
    shard = [
        *[sign, dataclasses.replace(sign, key="scene1", text="", regions=())],
        *[cat, dataclasses.replace(cat, key="caption1", regions=(), caption="A cat.")],
        dataclasses.replace(cat, key="caption2", regions=()),
    ]
    write_dataset(out, "scene", [shard])
    corpus = opened(open_ours(out, ("scene",)), tokenizer, 1e-9)
    assert [dataset.name for dataset in corpus.datasets] == ["scene scene", "scene caption"]
    assert corpus.skipped == {"scene scene": {}, "scene caption": {"no_text": 1}}
    asked = [[str(one.prompt).partition("\n")[2] for one in dataset.prompts] for dataset in corpus.datasets]
    answers = [
        {asked[number][prompt] for prompt, length in enumerate(lengths) if length != NO_ANSWER}
        for number, columns in enumerate(corpus.columns)
        for lengths in columns.answer_NP.tolist()
    ]
    ocr = {"Free OCR.", "<|grounding|>OCR this image.", "<|grounding|>OCR this image, block by block."}
    locate = "Locate <|ref|>xxxx<|/ref|> in the image."
    detect = "Identify all objects in the image and output them in bounding boxes."
    assert answers == [ocr | {locate}, ocr, {detect, locate}, {"Write a caption for this image."}]
    for prompt, of_asked in enumerate(asked[0]):
        if of_asked in ocr:
            of_parts = corpus.datasets[0].reader.read(corpus.datasets[0].place(1), prompt).parts
            assert [(part.text, part.learned) for part in of_parts] == [(f"<image>\n{of_asked}", False), ("", True)]


def test_only_trusted_samples_with_text_on_the_side_of_their_group(out, tokenizer):
    corpus = opened(open_ours(out, ("coarse", "round-*")), tokenizer, 0.3)
    assert corpus.skipped == {"coarse": {"no_text": 1, "not_trusted": 1}, "coarse crop": {}, "round-1 crop": {}}
    assert [len(columns) for columns in corpus.columns] == [40, 10, 50]
    sides = []
    for rows in (corpus.train, corpus.held_out):
        draws = [alone(corpus, number, row, "tiny") for number, some in enumerate(rows) for row in some]
        keys = [read(corpus, draw).key for draw in draws]
        sides.append({f"document {int(key[4:]) % 20}" for key in keys})
    assert len(sides[0]) > 8 and len(sides[1]) > 3 and not sides[0] & sides[1]


def test_a_group_is_held_out_by_name_by_a_document_or_if_none_is(tmp_path, tokenizer):
    out = Folder(str(tmp_path))
    draws = [dataclasses.replace(line_crop(f"draw {n}", f"d{n}", "one", "page"), group=f"draw {n // 2}") for n in range(40)]
    write_dataset(out, "coarse", [draws])
    named = next(f"draw {n}" for n in range(20) if not is_held_out(f"draw {n}", 0.2))

    def held_out(share, names=()):
        corpus = opened(open_ours(out, ("coarse",), frozenset(names)), tokenizer, share)
        return {f"draw {row // 2}" for row in corpus.held_out[0]}, len(corpus.held_out[0])

    by_hash = {f"draw {n}" for n in range(20) if is_held_out(f"draw {n}", 0.2)}
    assert held_out(0.2)[0] == by_hash and len(by_hash) > 1
    assert held_out(0.2, [named])[0] == by_hash | {named}
    assert held_out(1e-9) == ({min((f"draw {n}" for n in range(20)), key=lambda g: _share(g))}, 2)
    assert held_out(1e-9, [draws[0].origin.sha256])[1] == 40
    write_dataset(out, "single", [samples("page", 1) + [line_crop(f"p {n}", f"p{n}", "document 0", "page") for n in range(9)]])
    corpus = opened(open_ours(out, ("single",)), tokenizer, 1e-9)
    assert [len(corpus.train[0]), len(corpus.held_out[0])] == [9, 1]


def _share(group):
    return next(n for n in itertools.count() if is_held_out(group, n / 1000))


def test_what_people_corrected_trains_in_the_place_of_the_old_record(tmp_path, tokenizer):
    out = Folder(str(tmp_path))
    key = ["0123456789abcdef-01234567-00000" + str(n) for n in range(4)]
    second, third = f"{key[1]}-p0a1b2c3d", f"{key[1]}-p3d2c1b0a"
    pages = [line_crop(f"page {k}", k, f"document {n}", "page") for n, k in enumerate((*key, second, third))]
    crops = [line_crop(f"crop {k}", f"{k}-0007", "document") for k in (key[0], key[1], third)]
    write_dataset(out, "coarse", [pages])
    write_dataset(out, "crops", [crops])
    marks.add_of_people(out.sub("coarse"), [Mark(key[1], "corrected", second, 1.0), Mark(second, "corrected", third, 1.0)])
    marks.add_of_people(out.sub("coarse"), [Mark(key[2], "rejected", "", 1.0)])

    def trained():
        corpus = opened(open_ours(out, ("*",)), tokenizer, 0.3)
        return {
            read(corpus, alone(corpus, n, row, "tiny")).key
            for n in (0, 1)
            for side in (corpus.train, corpus.held_out)
            for row in side[n]
        }

    assert trained() == {key[0], key[3], third, f"{key[0]}-0007", f"{third}-0007"}
    marks.write(out.sub("coarse"), [Mark(key[1], "contaminated", "a benchmark's page", 0.9)], "")
    assert trained() == {key[0], key[3], f"{key[0]}-0007"}


def test_lengths_are_those_that_samples_have_and_are_kept(out, tokenizer, monkeypatch):
    corpus = opened(open_ours(out, ("coarse", "round-*")), tokenizer, 0.1)
    for number, dataset in enumerate(corpus.datasets):
        for row, prompt in itertools.product(range(0, len(corpus.columns[number]), 7), range(len(dataset.prompts))):
            draw = alone(corpus, number, row, "tiny", prompt=prompt)
            tokens = maker(corpus, tokenizer, ["tiny"])[job(corpus, [[draw]])]
            assert not tokens.skipped and tokens.num_positions == draw.length
    monkeypatch.delattr("model.data.our_rows.read_records")  # nothing is read again
    again = opened(open_ours(out, ("coarse", "round-*")), tokenizer, 0.1)
    assert again.digests == corpus.digests
    with pytest.raises(NameError):
        opened(open_ours(out, ("coarse",)), train_tokenizer(EIGHT, 300), 0.1)


def test_a_batch_is_what_the_samples_are(out, tokenizer):
    corpus = opened([*open_ours(out, ("coarse",)), texts("prose", 30)], tokenizer, 0.1)
    plan = planned(corpus, rows_per_step=6)
    (batch,) = next(Loader(plan, tokenizer, micro_rows=6).steps(3, 4))
    for b, row in enumerate(plan.step(3)):
        found_L = batch.samples_BL[b] != PADDING
        for number, draw in enumerate(row):
            here_L = batch.samples_BL[b] == number
            example = read(corpus, draw)
            assert int(here_L.sum()) == draw.length
            labels = batch.labels_BL[b][here_L]
            answer = [*tokenizer.encode(example.parts[-1].text), tokenizer.eos]
            assert labels[labels != IGNORED].tolist() == answer
            assert int((batch.ids_BL[b][here_L] == tokenizer.image).sum()) == (73 if example.images else 0)
        assert int(found_L.sum()) == sum(draw.length for draw in row)
    draws = [draw for row in plan.step(3) for draw in row]
    assert len(batch.images) == sum(bool(draw.mode) for draw in draws)
    sources = [draw.dataset for draw in draws for _ in range(len(tokenizer.encode(read(corpus, draw).parts[-1].text)) + 1)]
    assert batch.sources_T.tolist() == sources and batch.num_tokens == len(sources) and len(set(sources)) > 1


def same(one, other):
    assert torch.equal(one.ids_BL, other.ids_BL) and torch.equal(one.labels_BL, other.labels_BL)
    assert torch.equal(one.samples_BL, other.samples_BL) and torch.equal(one.sources_T, other.sources_T)
    assert len(one.images) == len(other.images)
    for a, b in zip(one.images, other.images, strict=True):
        (whole, tiles, grid), (other_whole, other_tiles, other_grid) = (vars(image).values() for image in (a, b))
        assert torch.equal(whole, other_whole) and grid == other_grid
        assert (tiles is None) == (other_tiles is None)
        assert tiles is None or torch.equal(tiles, other_tiles)


def test_workers_make_what_this_process_makes(tokenizer):
    corpus = opened([pages("pages", 30), texts("prose", 30)], tokenizer, 0.1)
    plan = planned(corpus, 4, 1500, {"tiny": 1, "gundam": 1})
    alone = [batch for step in Loader(plan, tokenizer, micro_rows=2).steps(0, 2) for batch in step]
    helped = [batch for step in Loader(plan, tokenizer, micro_rows=2, workers=2).steps(0, 2) for batch in step]
    assert len(alone) == len(helped) == 4 and any(image.grid != (0, 0) for batch in alone for image in batch.images)
    for one, other in zip(alone, helped, strict=True):
        same(one, other)


def test_ranks_together_are_one(tokenizer):
    corpus = opened([pages("pages", 30), texts("prose", 30)], tokenizer, 0.1)
    plan = planned(corpus, 4, 600)
    (alone,) = Loader(plan, tokenizer, micro_rows=1).steps(5, 6)
    ranks = [next(Loader(planned(corpus, 4, 600), tokenizer, rank=rank, world=2).steps(5, 6)) for rank in (0, 1)]
    for one, other in zip(alone, [ranks[0][0], ranks[1][0], ranks[0][1], ranks[1][1]], strict=True):
        same(one, other)
    with pytest.raises(ValueError, match="rows_per_step is 4: it must be a multiple of the number of ranks, 3"):
        Loader(plan, tokenizer, world=3)


def test_rows_are_padded_to_one_length_for_a_gpu(tokenizer):
    corpus = opened([texts("prose", 30)], tokenizer, 0.1)
    batches = [step[0] for step in Loader(planned(corpus, 2, 700), tokenizer, micro_rows=2, fills=True).steps(0, 3)]
    assert {batch.ids_BL.shape for batch in batches} == {(2, 700)}


def test_a_bad_sample_is_passed_over_counted_and_named(tokenizer, caplog):
    corpus = opened([pages("pages", 20, bad=range(5)), texts("prose", 20)], tokenizer, 0.1)
    loader = Loader(planned(corpus, 4, 600), tokenizer)
    batches = [batch for step in loader.steps(0, 8) for batch in step]
    draws = [draw for n in range(8) for row in loader.plan.step(n) for draw in row]
    bad = [draw for draw in draws if draw.dataset == 0 and draw.row < 5]
    assert loader.skipped == {("pages", "bad_row"): len(bad)} and bad
    assert sum(batch.num_samples for batch in batches) == len(draws) - len(bad)
    assert sum(len(batch.skipped) for batch in batches) == len(bad)
    assert f"passed over row {bad[0].row} of pages: bad_row: row {bad[0].row} is bad" in caplog.text


def test_a_row_of_bad_samples_alone_is_a_row_that_teaches_nothing(tokenizer, monkeypatch):
    corpus = opened([pages("pages", 20, bad=range(20))], tokenizer, 0.1)
    plan = planned(corpus, 1, 300)
    ((batch,),) = Loader(plan, tokenizer).steps(0, 1)
    assert batch.ids_BL.tolist() == [[tokenizer.bos]] and batch.num_tokens == 0 and len(batch.skipped) == len(plan.step(0)[0])
    assert batch.num_samples == batch.num_positions == 0 and (batch.samples_BL == PADDING).all()
    with pytest.raises(ValueError, match=r"of \d+ samples are bad \(\d+ of pages: bad_row\)"):
        list(Loader(plan, tokenizer).steps(0, 100))
    # Nor does a row that is left empty count as a good sample: here each row has one, and 60% are bad.
    one_a_row = opened([Drawn("pages", [60] * 200, [(600, 700)] * 200, bad=range(120))], tokenizer, 0.1)
    with pytest.raises(ValueError, match=r"of \d+ samples are bad"):
        list(Loader(planned(one_a_row, 4, 250), tokenizer, micro_rows=4).steps(0, 60))

    def fails(self, place, prompt):
        raise OSError("input/output error")

    # A disk that fails is no fault of the samples, so that whoever starts trainings begins it again.
    monkeypatch.setattr(type(corpus.datasets[0].reader), "read", fails)
    with pytest.raises(OSError, match=r"of \d+ samples are bad \(\d+ of pages: unreadable\)"):
        list(Loader(plan, tokenizer).steps(0, 100))


@pytest.fixture
def copy(tmp_path):
    """Forty pages in two shards, which a test may damage."""
    write_dataset(Folder(str(tmp_path)), "coarse", [samples("page", 20), samples("page", 40)[20:]])
    return Folder(str(tmp_path))


def test_a_shard_that_is_missing_or_short_is_one_clear_error(copy, tmp_path):
    tar = tmp_path / "coarse" / "shards" / "coarse-000001.tar"
    whole = tar.read_bytes()
    tar.write_bytes(whole[:-1024])
    with pytest.raises(ValueError, match=r"coarse-000001.tar has \d+ bytes, its report says \d+"):
        open_ours(copy, ("coarse",))
    os.remove(tar)
    with pytest.raises(ValueError, match=r"coarse-000001\.tar is missing, but its report is there"):
        open_ours(copy, ("coarse",))


def test_a_manifest_of_other_shards_is_one_clear_error(copy, tokenizer):
    part = "coarse/manifest/coarse-000001.parquet"
    copy.write_table(part, copy.read_table(part)[:7])
    with pytest.raises(ValueError, match="the manifest of coarse-000001 has 7 samples, its shard has 20"):
        opened(open_ours(copy, ("coarse",)), tokenizer, 0.1)
    copy.remove(part)
    with pytest.raises(FileNotFoundError, match=r"manifest/coarse-000001\.parquet"):
        open_ours(copy, ("coarse",))


def test_a_tar_that_is_damaged_in_the_middle_loses_the_samples_there(copy, tmp_path, tokenizer):
    corpus = opened(open_ours(copy, ("coarse",)), tokenizer, 0.1)
    place = corpus.datasets[0].place(7)
    tar = tmp_path / "coarse" / "shards" / f"{place.shard}.tar"
    data = bytearray(tar.read_bytes())
    # Over three samples: from the middle of an image on.
    start = place.offset + 700
    data[start : start + 2 * place.num_bytes] = random.Random(0).randbytes(2 * place.num_bytes)
    tar.write_bytes(data)
    rows = [[alone(corpus, 0, row, "tiny") for row in range(20)]]
    batch = maker(corpus, tokenizer, ["tiny"])[job(corpus, rows)]
    assert {skipped.row for skipped in batch.skipped} == {7, 8, 9} or {skipped.row for skipped in batch.skipped} == {7, 8}
    assert {skipped.reason for skipped in batch.skipped} <= {"bad_record", "bad_image"} and "coarse-000000" in batch.skipped[
        0
    ].place
    # An index that is made after the damage leaves out what it can't read.
    copy.sub("coarse").remove("lengths")
    assert len(opened(open_ours(copy, ("coarse",)), tokenizer, 0.1).train[0]) >= 30


def test_a_sample_that_is_not_what_the_index_says_is_passed_over(out, tokenizer):
    corpus = opened(open_ours(out, ("coarse",)), tokenizer, 0.1)
    draw = alone(corpus, 0, 3, "tiny")
    batch = maker(corpus, tokenizer, ["tiny"])[job(corpus, [[draw._replace(length=draw.length + 1), draw]])]
    assert [skipped.reason for skipped in batch.skipped] == ["another_length"] and batch.num_positions == draw.length
