"""Datasets as rows of messages: read back here and by `datasets`, whole or not there, and nothing that may not be passed on."""

import io
import json
from dataclasses import replace
from pathlib import Path

import datasets
from PIL import Image

from datagen.disk.storage import Folder
from datagen.publishing import messages
from datagen.record import Box, Quality, Region
from datagen.target import Prompt
from model.data.jsonl import Jsonl
from model.data.ours import open_ours
from model.net.tokenizer import byte_tokenizer
from recipes.__main__ import main
from tests.inputs.samples import sample
from tests.outputs import files, write_run
from tests.published import finishes_wherever_it_ends, output, page


def export(out: Path, to: Path, **words: str) -> int:
    return main(["export", f"out={out}", f"to={to}", "format=messages", *(f"{name}={value}" for name, value in words.items())])


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_what_is_written_is_read_here_as_the_dataset_itself(tmp_path, capsys):
    """The same prompts, answers and images as a training learns from the shards, of the rows that may be passed on."""
    out, to = output(tmp_path / "out"), tmp_path / "rows"
    assert export(out, to, licences="all") == 0
    said = capsys.readouterr().out
    assert "coarse: 10 rows, 10 images; left out: 1 marked duplicate, 1 suspect" in said and "texts: 1 rows, 0 images" in said
    tokenizer = byte_tokenizer()
    for name, label in (("coarse", "coarse"), ("texts", "texts text")):
        exported, (ours,) = Jsonl(str(to / f"{name}.jsonl")), open_ours(Folder(str(out)), [name])
        columns, own = exported.columns(tokenizer), ours.columns(tokenizer)
        assert ours.name == label and len(columns) == len(own) and not columns.skipped
        assert columns.sizes(0) == own.sizes(0) and (columns.answer_NP[:, 0] == own.answer_NP[:, 0]).all()
        for row in range(len(own)):
            mine, theirs = exported.reader.read(exported.place(row), 0), ours.reader.read(ours.place(row), 0)
            assert (mine.parts, mine.images, mine.key) == (theirs.parts, theirs.images, theirs.key)
    info = json.loads((to / "dataset_info.json").read_text())
    assert info.keys() == {"coarse"} and info["coarse"]["columns"] == {"messages": "messages", "images": "images"}


def test_datasets_reads_it_with_its_images(tmp_path, monkeypatch):
    out, to = output(tmp_path / "out"), tmp_path / "rows"
    assert export(out, to, dataset="coarse") == 0
    monkeypatch.chdir(to)  # as ms-swift and LLaMA-Factory have their folder of images
    rows = datasets.load_dataset("json", data_files="coarse.jsonl", split="train", cache_dir=str(tmp_path / "cache"))
    rows = rows.cast_column("images", datasets.List(datasets.Image()))
    assert rows["id"] == [f"page-{i:06}" for i in (0, 4, 5, 6, 8, 9, 10, 11)]
    assert rows[1]["messages"][0] == {"role": "user", "content": Prompt.FREE.value}
    assert rows[1]["images"][0].tobytes() == Image.open(io.BytesIO(page(4).image)).tobytes()
    assert set(rows["licence"]) == {"CC0-1.0"}


def test_filters_are_those_of_publish(tmp_path, capsys):
    out = output(tmp_path / "out")
    assert export(out, tmp_path / "a", dataset="coarse", verdict="suspect") == 0
    assert [row["id"] for row in rows_of(tmp_path / "a/coarse.jsonl")] == ["page-000001"]
    assert export(out, tmp_path / "b", dataset="coarse", licences="CC-BY-NC-4.0") == 0
    assert "page-000002" in {row["id"] for row in rows_of(tmp_path / "b/coarse.jsonl")}
    capsys.readouterr()
    assert main(["export", f"out={out}", f"to={tmp_path}/c", "format=alpaca"]) == 2
    assert "format=alpaca: allowed is messages" in capsys.readouterr().err
    write_run(tmp_path / "unstated/coarse", [page(3, "")])
    assert export(tmp_path / "unstated", tmp_path / "d") == 2
    said = "nothing to export; left out: 1 with the licence not stated (licences=unstated passes such on, if you may)"
    assert said in capsys.readouterr().err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/book.txt").touch()
    assert export(out, tmp_path / "mine") == 2
    assert "book.txt is in it, and no export of pagewheel" in capsys.readouterr().err


def test_pages_that_a_training_would_pass_over_and_boxes(tmp_path, capsys):
    region = Region(Box(1, 1, 30, 12), "title", "Über 東京", None, "layout")
    fine = replace(sample("fine-000000"), regions=(region,))
    unread = Region(Box(1, 14, 30, 24), "text", "", None, "ppocr", is_unread=True)
    pages = [fine, replace(fine, key="open-000000", regions=(region, unread))]
    pages += [replace(fine, key="poor-000000", quality=Quality("trusted", (), {"worth": 0.2}))]
    wordless = replace(sample("sign-000000"), task="scene", regions=(), text="")
    write_run(tmp_path / "out" / "fine", [*pages, wordless])
    assert export(tmp_path / "out", tmp_path / "plain", licences="all") == 0
    said = capsys.readouterr().out
    for reason in ("1 regions that nobody read", "1 labels that are worth little", "1 nothing to answer without boxes"):
        assert reason in said
    (row,) = rows_of(tmp_path / "plain/fine.jsonl")
    assert row["messages"][0]["content"] == Prompt.PLAIN_MARKDOWN and "<|det|>" not in row["messages"][1]["content"]
    assert export(tmp_path / "out", tmp_path / "boxes", licences="all", grounded="1") == 0
    (row,) = rows_of(tmp_path / "boxes/fine.jsonl")
    assert row["messages"][0]["content"] == Prompt.MARKDOWN and "<|det|>" in row["messages"][1]["content"]


def test_the_same_again_writes_nothing_and_what_is_gone_goes(tmp_path, capsys):
    out, to = output(tmp_path / "out"), tmp_path / "rows"
    assert export(out, to) == 0
    before = files(to)
    assert export(out, to) == 0 and files(to) == before and "unchanged" in capsys.readouterr().out
    write_run(out / "coarse", [page(20)], first=3)
    assert export(out, to) == 0
    changed = {name for name, value in files(to).items() if before.get(name) != value}
    assert {name for name in changed if "images" in name} == {"images/coarse/coarse-000003/page-000020.png"}
    assert len(rows_of(to / "coarse.jsonl")) == 9
    (to / "images/coarse/coarse-000003/page-000020.png").unlink()
    assert export(out, to) == 0 and (to / "images/coarse/coarse-000003/page-000020.png").exists()
    assert export(out, to, dataset="texts") == 0
    assert "coarse: its rows of an earlier export were removed" in capsys.readouterr().out
    assert {path.name for path in to.iterdir()} - {".lock"} == {"texts.jsonl", "exported.json", "dataset_info.json", "images"}


def test_another_outputs_dataset_of_the_same_name_is_not_replaced(tmp_path, capsys):
    out, other, to = output(tmp_path / "out"), tmp_path / "other", tmp_path / "rows"
    write_run(other / "coarse", [page(30)])
    assert export(out, to) == 0
    before = files(to)
    assert export(other, to) == 2 and "coarse.jsonl in it is of another output's coarse" in capsys.readouterr().err
    assert files(to) == before


def test_images_stay_beside_rows_after_two_interrupted_runs_with_other_words(tmp_path, monkeypatch):
    """Two shards: each run ends before the second."""
    out, to = tmp_path / "out", tmp_path / "rows"
    write_run(out / "coarse", [page(0), page(2, "CC-BY-NC-4.0")], [page(4)])
    check = messages.check_shard

    def once(folder, report):
        if report.shard.endswith("1"):
            raise OSError("the disk is full")
        check(folder, report)

    monkeypatch.setattr(messages, "check_shard", once)
    for words in ({"licences": "all"}, {}):
        assert export(out, to, **words) != 0
    monkeypatch.setattr(messages, "check_shard", check)
    assert export(out, to, licences="all") == 0
    rows = rows_of(to / "coarse.jsonl")
    assert len(rows) == 3 and all((to / image).is_file() for row in rows for image in row["images"])


def test_ended_anywhere_the_same_command_finishes(tmp_path):
    out = tmp_path / "out"
    write_run(out / "coarse", [page(0)], [page(2)])

    def whole_or_not_there(to: Path, _: str) -> None:
        assert not (to / "coarse.jsonl").exists() or len(rows_of(to / "coarse.jsonl")) == 2

    names = finishes_wherever_it_ends(tmp_path, lambda to: export(out, to), whole_or_not_there)
    assert len(names) > 8 and "coarse.jsonl" in names
