"""A published folder: opened by `datasets`, within the limits of the viewer, whole or refused."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import datasets
import pyarrow.parquet as pq
import pytest

from datagen.disk import manifest, marks
from datagen.disk.shards import ShardReport
from datagen.disk.storage import Folder
from datagen.record import Quality
from datagen.work import tombstones
from datagen.work.tombstones import Tombstone
from recipes.__main__ import main
from tests.commits import at_every_commit, killed_before
from tests.inputs.picture_files import tar
from tests.outputs import ROOT, files, write_run
from tests.programs import full_disk
from tests.published import ODD, card, contents, finishes_wherever_it_ends, opened, output, page, publish


def test_datasets_opens_what_is_published(tmp_path, capsys, small_groups):
    to = tmp_path / "pub"
    assert publish(output(tmp_path / "out"), to) == 0
    said = capsys.readouterr().out
    assert "1 marked duplicate" in said and "1 with the licence CC-BY-NC-4.0" in said and "licences=" in said

    rows = opened(to, None, tmp_path / "cache")  # the first table is the default
    assert rows["key"] == [f"page-{i:06}" for i in (0, 1, 4, 5, 6, 8, 9, 10, 11)]
    assert isinstance(rows.features["image"], datasets.Image) and rows[0]["image"].size == (64, 32)
    assert rows[0]["image"].tobytes() == random.Random(0).randbytes(64 * 32 * 3)
    assert rows[0]["regions"][0]["lines"][0]["text"] == "Über 東京" and rows[0]["uri"] == "0.pdf"
    assert rows[1]["text"] == ODD and rows[1]["verdict"] == "suspect" and rows[1]["reasons"] == ["loose_marks"]
    (text,) = opened(to, "texts", tmp_path / "cache")
    assert text["image"] is None and text["text"] == ODD

    names = sorted(path.name for path in (to / "coarse").iterdir())
    assert names == [f"train-{i:06}.parquet" for i in range(2)]
    groups = [pq.read_metadata(to / "coarse" / name) for name in names]
    sizes = [each.row_group(i).total_byte_size for each in groups for i in range(each.num_row_groups)]
    assert len(sizes) == 5 and max(sizes) < 20_000  # pages have 6 kB
    assert not any(path.name.startswith(".unfinished") for path in to.rglob("*"))


def test_the_card_says_what_is_there_and_what_is_left_out(tmp_path):
    to = tmp_path / "pub"
    assert publish(output(tmp_path / "out"), to) == 0
    head = card(to)
    assert head["license"] == ["cc0-1.0"] and head["language"] == ["de"]
    assert head["task_categories"] == ["image-to-text", "image-text-to-text", "object-detection", "text-generation"]
    assert head["size_categories"] == ["n<1K"]
    paths = {c["config_name"]: c["data_files"][0]["path"] for c in head["configs"]}
    assert paths == {"coarse": "coarse/*.parquet", "texts": "texts/*.parquet"}
    splits = {info["config_name"]: info["splits"][0]["num_examples"] for info in head["dataset_info"]}
    assert splits == {"coarse": 9, "texts": 1}
    assert {"name": "image", "dtype": "image"} in head["dataset_info"][0]["features"]
    text = (to / "README.md").read_text(encoding="utf-8")
    for row in ("| 1 | CC-BY-NC-4.0 |", "| 1 | not stated |", "| 1 | duplicate |", "| CC0-1.0 | files of its maker | 10 |"):
        assert row in text
    assert "PdfSource 6" in text and "pymupdf 2.0" in text and "/home/me" not in text
    left_out = json.loads((to / "published.json").read_text())["left_out"]["coarse"]
    assert left_out == [["licence", "", 1], ["licence", "CC-BY-NC-4.0", 1], ["mark", "duplicate", 1]]


def test_the_same_again_writes_nothing_and_new_shards_only_their_own(tmp_path, small_groups):
    out, to = output(tmp_path / "out"), tmp_path / "pub"
    assert publish(out, to) == 0
    before = files(to)
    assert publish(out, to) == 0 and files(to) == before
    write_run(out / "coarse", [page(i) for i in range(12, 17)], first=3)
    assert publish(out, to) == 0
    assert card(to)["dataset_info"][0]["splits"][0]["num_examples"] == 14
    changed = {name for name, value in files(to).items() if before.get(name) != value}
    assert changed == {"README.md", "published.json", "coarse/train-000001.parquet", "coarse/train-000002.parquet"}
    assert publish(out, tmp_path / "anew") == 0
    assert contents(tmp_path / "anew") == contents(to)
    (to / "coarse" / "mine.parquet").write_text("somebody's own")
    assert publish(out, to, dataset="texts") == 0
    assert sorted(p.name for p in to.iterdir() if p.name != ".lock") == ["README.md", "coarse", "published.json", "texts"]
    assert [p.name for p in (to / "coarse").iterdir()] == ["mine.parquet"]


def test_ended_anywhere_the_same_command_finishes_and_nothing_half_is_taken_for_whole(tmp_path, small_groups):
    out = output(tmp_path / "out")

    def nothing_is_shown_without_its_card(to: Path, name: str) -> None:
        assert not list(to.glob("*/*.parquet")) or (to / "README.md").exists(), name

    names = finishes_wherever_it_ends(tmp_path, lambda to: publish(out, to), nothing_is_shown_without_its_card)
    assert len(names) > 8 and "README.md" in names

    # From one table to another, with the old one's files still named in published.json while they go.
    def shrunk(number: int, name: str) -> None:
        to = tmp_path / f"less{number}"
        assert publish(out, to, dataset="texts") == 0
        assert sorted(p.name for p in to.iterdir() if p.name != ".lock") == ["README.md", "published.json", "texts"], name

    def less(number: int) -> None:
        to = tmp_path / f"less{number}"
        shutil.copytree(tmp_path / "whole", to)
        publish(out, to, dataset="texts")

    at_every_commit(less, shrunk, within=str(tmp_path / "less"))

    moves = names.index("README.md") + 2
    with killed_before(moves, within=str(tmp_path / "half")):
        publish(out, tmp_path / "half")
    with pytest.raises(Exception, match=r"(?i)splits|num_examples|mismatch"):
        opened(tmp_path / "half", "coarse", tmp_path / "cache")


@pytest.mark.slow
def test_killed_while_it_writes_the_same_command_finishes(tmp_path):
    """A process of its own, with SIGKILL, at whatever place it has come to."""
    out, to = tmp_path / "out", tmp_path / "pub"
    write_run(out / "coarse", *[[page(100 * s + i) for i in range(100)] for s in range(8)])
    command = [sys.executable, "-m", "recipes", "publish", f"out={out}", f"to={to}"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    for number in range(3):
        with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as running:
            while running.poll() is None and not list(to.glob(".unfinished/.tmp-*")):
                time.sleep(0.002)
            time.sleep(0.1 * number)
            running.kill()
        assert not list(to.glob("*/*.parquet")) or (to / "README.md").exists()
    assert publish(out, to) == 0 and publish(out, tmp_path / "whole") == 0
    assert contents(to) == contents(tmp_path / "whole")
    assert len(opened(to, "coarse", tmp_path / "cache")) == 800


def test_a_full_disk_is_said_and_gone_on_from(tmp_path, capsys, small_groups):
    out, to = output(tmp_path / "out"), tmp_path / "pub"
    with full_disk(20_000):
        assert publish(out, to) == 1
    assert "pagewheel: " in capsys.readouterr().err
    assert [p.name for p in to.rglob("*") if p.is_file() and p.name != ".lock"] == []
    assert publish(out, to) == 0
    assert len(opened(to, "coarse", tmp_path / "cache")) == 9


@pytest.mark.parametrize("damage", ["flip", "gone"])
def test_a_damaged_shard_is_refused_in_a_sentence(tmp_path, capsys, damage):
    out, to = output(tmp_path / "out"), tmp_path / "pub"
    tar = out / "coarse" / "shards" / "coarse-000001.tar"
    data = bytearray(tar.read_bytes())
    data[700] ^= 1
    tar.write_bytes(data)
    if damage == "gone":
        tar.unlink()
    assert publish(out, to) == 2
    said = capsys.readouterr().err
    assert "coarse-000001.tar is " in said and said.count("\n") <= 3
    assert not list(to.rglob("*.parquet")) and not (to / "README.md").exists()


def test_a_sample_without_its_image_is_refused(tmp_path, capsys):
    out = tmp_path / "out"
    write_run(out / "coarse", [page(0)])
    shard = out / "coarse" / "shards" / "coarse-000000"
    tar(Path(f"{shard}.tar"), {"page-000000.json": page(0).to_json()})
    report = ShardReport.from_json(Path(f"{shard}.json").read_bytes())
    changed = replace(report, sha256=hashlib.sha256(Path(f"{shard}.tar").read_bytes()).hexdigest())
    Path(f"{shard}.json").write_bytes(changed.to_json())
    manifest.rebuild(Folder(str(out / "coarse")), "coarse-000000")
    assert publish(out, tmp_path / "pub") == 2
    assert "page-000000: a page sample needs an image" in capsys.readouterr().err


def test_only_what_may_be_passed_on(tmp_path, capsys):
    out, to = tmp_path / "out", tmp_path / "pub"
    write_run(out / "fine", [page(0, ""), page(1, "", quality=Quality("suspect"))])
    assert publish(out, to) == 2
    assert "nothing to publish: 2 with the licence not stated (licences=unstated" in capsys.readouterr().err
    assert publish(out, to, licences="unstated,MIT") == 2
    assert "no sample has mit" in capsys.readouterr().err
    assert publish(out, to, licences="unstated", verdict="trusted") == 0
    assert opened(to, "fine", tmp_path / "cache")["key"] == ["page-000000"]
    assert publish(out, to, licences="all") == 0
    assert card(to)["license"] == ["unknown"]


def test_forgotten_samples_are_left_out_before_and_after_they_are_gone(tmp_path):
    out, to = output(tmp_path / "out"), tmp_path / "pub"
    assert publish(out, to) == 0
    uri = "/home/me/4.pdf"
    tombstones.write(Folder(str(out)), [Tombstone(uri, "", ((uri, f"{4:064x}"),))])
    assert publish(out, to) == 0
    assert "page-000004" not in opened(to, "coarse", tmp_path / "cache")["key"]
    tombstones.write(Folder(str(out)), [])
    (out / "published" / "me--pages").mkdir(parents=True)  # what went to the hub
    assert main(["forget", f"out={out}", f"uri={uri}"]) in (0, 1)
    assert not (out / "published").exists()
    assert publish(out, to) == 0
    assert "page-000004" not in opened(to, "coarse", tmp_path / "cache")["key"]


def test_what_people_corrected_stands_for_what_they_corrected(tmp_path, capsys):
    """And what was cut from a page goes with it: crops lie in a dataset of their own, with the page's key before theirs."""
    folder = tmp_path / "out" / "fine"
    keys = ("page-000000", "page-000000-p0123abcd", "page-000001", "page-000002", "page-000002-p0123abcd")
    write_run(folder, [replace(page(i), key=key) for i, key in enumerate(keys)])
    cut = ("page-000000-crop", "page-000000-p0123abcd-crop", "page-000001-crop", "page-000003-crop")
    write_run(tmp_path / "out" / "lines", [replace(page(i), key=key) for i, key in enumerate(cut)])
    marks.write(Folder(str(folder)), [marks.Mark("page-000002", "duplicate", "page-000001", 1.0)], "")
    people = [marks.Mark("page-000000", "corrected", keys[1], 1.0), marks.Mark("page-000001", "rejected", "", 1.0)]
    marks.add_of_people(Folder(str(folder)), people)
    assert publish(tmp_path / "out", tmp_path / "pub") == 0
    assert opened(tmp_path / "pub", "fine", tmp_path / "cache")["key"] == ["page-000000-p0123abcd"]
    said = capsys.readouterr().out
    assert "2 marked duplicate, 1 marked corrected, 1 marked rejected" in said
    assert "lines: lines 2 samples" in said and "1 marked corrected, 1 marked rejected" in said
    assert opened(tmp_path / "pub", "lines", tmp_path / "cache")["key"] == [cut[1], cut[3]]


def test_shards_as_they_are(tmp_path, caplog):
    out, to = output(tmp_path / "out"), tmp_path / "pub"
    assert publish(out, to, form="shards", dataset="coarse") == 0
    assert "9 records in its shards name a folder of this machine" in caplog.text
    there, here = out / "coarse" / "shards", to / "coarse"
    assert (here / "coarse-000002.tar").read_bytes() == (there / "coarse-000002.tar").read_bytes()
    with tarfile.open(here / "coarse-000001.tar") as tar:
        assert "page-000007.json" not in tar.getnames() and "page-000008.png" in tar.getnames()
    rows = opened(to, "coarse", tmp_path / "cache")
    assert rows[0]["png"].size == (64, 32) and rows[0]["json"]["text"] == "Über 東京" and len(rows) == 9
    before = files(to)
    assert publish(out, to, form="shards", dataset="coarse") == 0 and files(to) == before
    assert publish(out, to, dataset="coarse") == 0  # the other form takes its place
    assert not list(to.rglob("*.tar")) and len(opened(to, "coarse", tmp_path / "cache")) == 9


def test_wrong_words_and_a_folder_with_something_else_in_it_are_refused(tmp_path, capsys):
    out, to = output(tmp_path / "out"), tmp_path / "pub"
    to.mkdir()
    (to / "thesis.tex").write_text("years of work")
    for words, why in (
        ({"dataset": "fine"}, "has no fine; it has coarse, texts"),
        ({"form": "csv"}, "allowed are parquet, shards"),
        ({"verdict": "right"}, "right is none of trusted, suspect, none"),
        ({}, "thesis.tex is in it"),
    ):
        assert publish(out, to, **words) == 2
        assert why in capsys.readouterr().err
    assert [p.name for p in to.iterdir() if p.name != ".lock"] == ["thesis.tex"]
