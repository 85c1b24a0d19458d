"""What a training's `Data` may be: datasets of the output and elsewhere, rows, tars and texts, told apart by their names."""

import json

import datasets
import pytest

from datagen.disk.storage import Folder
from model.data.loader import read
from model.data.split import opened
from model.net.tokenizer import byte_tokenizer
from model.train.data import corpus_of, open_all
from model.train.data_config import Data
from model.train.step import Train
from tests.model.data.test_others_data import write_tar
from tests.model.drawn_rows import alone
from tests.model.lines import EIGHT, labelled, line_crop, rendered, write_dataset


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for name in ("a", "b"):
        write_dataset(Folder(str(root / name)), "coarse", [[line_crop(text, f"{name}{n}") for n, text in enumerate(EIGHT)]])
    (root / "0.jpg").write_bytes(rendered("mine"))
    (root / "mine.jsonl").write_text(json.dumps({"image": "0.jpg", "prompt": "Read.", "answer": "mine"}))
    (root / "prose.txt").write_text("One line.\nAnother.\n")
    write_tar(root / "part-0.tar", [("x.jpg", rendered("x")), ("x.json", b'{"text": "x"}')])
    return root


def names(root, *wanted):
    found = open_all(Train(datasets=wanted), Folder(str(root / "a")))
    return [[dataset.name for dataset in of_one] for _, of_one in found.places], found.folders


def test_every_kind(root):
    tar = Data(f"{root}/part-0.tar", members=(("answer", "json:text"),))
    found, folders = names(root, "coarse", f"{root}/mine.jsonl", tar, Data(f"{root}/prose.txt", "text"))
    assert found == [["coarse crop"], ["mine.jsonl"], ["part-0.tar"], ["prose.txt"]] and folders == ("coarse",)


def test_datasets_of_one_name_are_told_apart_by_their_paths(root):
    found, folders = names(root, f"{root}/a/coarse/", f"{root}/b/coarse", f"{root}/mine.jsonl")
    assert found == [["a/coarse crop"], ["b/coarse crop"], ["mine.jsonl"]] and folders == ()


def test_a_page_that_a_round_labelled_is_left_out_beside_its_own_page_wherever_the_two_lie(tmp_path):
    page = line_crop("page", "page0", task="page")
    for folder in ("a", "b"):
        write_dataset(Folder(str(tmp_path / folder)), "coarse", [[page]])
        write_dataset(Folder(str(tmp_path / folder)), "pages-round-1", [[labelled(page)]])

    def rows(*where: str) -> list[int]:
        found = open_all(Train(datasets=where), Folder(str(tmp_path / "a")))
        return [len(columns) for columns in opened(found.datasets, byte_tokenizer(), 0.1).columns]

    assert rows("coarse", "pages-round-*") == [1, 0]
    assert rows(f"{tmp_path}/b/pages-round-1/", f"{tmp_path}/b/coarse") == [0, 1]
    assert rows(f"{tmp_path}/b/pages-round-1") == [1]


def test_what_is_none_is_refused(root):
    with pytest.raises(ValueError, match=r"data has .*/prose.txt: it is no .jsonl file, no .json .* group 'text', as in text:/"):
        names(root, f"{root}/prose.txt")
    (root / "mine.jsonl.gz").write_bytes(b"\x1f\x8b")
    (root / "object.json").write_text('{"a": [1]}')
    with pytest.raises(ValueError, match=r"mine.jsonl.gz: it is compressed.*unpack it"):
        names(root, f"{root}/mine.jsonl.gz")
    with pytest.raises(ValueError, match=r"object.json: it is no .jsonl file, no .json file with a list of rows"):
        names(root, f"{root}/object.json")
    with pytest.raises(ValueError, match=r"part-0.tar with members answers: allowed are images, answer, prompts, lang, group"):
        names(root, Data(f"{root}/part-0.tar", members=(("answers", "txt"),)))


def test_a_file_beside_is_no_folder_of_the_output(root, monkeypatch):
    monkeypatch.chdir(root)
    (root / "rows.json").write_text(json.dumps([{"text": "x"}, {"text": "y"}], indent=1))
    (root / "table.parquet").write_bytes(b"PAR1")
    found, folders = names(root, "rows.json", Data("prose.txt", "text"), Data("./rows.json", "text"))
    assert found == [["rows.json"], ["prose.txt"], ["./rows.json"]] and folders == ()
    with pytest.raises(ValueError, match=r"table.parquet: Parquet file size is 4 bytes"):
        names(root, "table.parquet")


def test_a_column_a_split_and_a_folder_of_images_can_be_said(root, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    table = {split: datasets.Dataset.from_dict({"body": [f"{split} {n}" for n in range(3)]}) for split in ("train", "test")}
    datasets.DatasetDict(table).save_to_disk(tmp_path / "saved")
    (tmp_path / "bodies.jsonl").write_text("".join(json.dumps({"body": f"line {n}"}) + "\n" for n in range(3)))
    (tmp_path / "mine.jsonl").write_text(json.dumps({"image": "0.jpg", "answer": "mine"}))
    wanted = (
        Data(f"{tmp_path}/saved", "text", column="body", split="test"),
        Data(f"{tmp_path}/bodies.jsonl", "text", column="body"),
        Data(f"{tmp_path}/mine.jsonl", images=str(root)),
    )
    corpus = opened(open_all(Train(datasets=wanted), Folder(str(root / "a"))).datasets, byte_tokenizer(), 0.1)
    texts = [read(corpus, alone(corpus, number, 0, "line")).parts[-1].text for number in range(3)]
    assert texts == ["test 0", "line 0", "mine"]


def test_documents_that_must_not_be_trained_on_are_held_out_of_every_kind(root):
    rows = [{"text": f"{n}", "group": "never" if n < 2 else f"{n}"} for n in range(6)]
    (root / "grouped.jsonl").write_text("\n".join(map(json.dumps, rows)))
    names = [f"{'never' if n < 2 else n}/{n}" for n in range(6)]
    members = [member for name in names for member in ((f"{name}.jpg", rendered(name)), (f"{name}.txt", b"x"))]
    write_tar(root / "grouped.tar", members)
    wanted = (f"{root}/grouped.jsonl", Data(f"{root}/grouped.tar", members=(("group", "folder"),)))
    found = open_all(Train(datasets=wanted), Folder(str(root / "a")), frozenset(["never"]))
    corpus = opened(found.datasets, byte_tokenizer(), 1e-9)
    assert [rows.tolist() for rows in corpus.held_out] == [[0, 1], [0, 1]]


def test_a_dataset_may_be_learned_from_or_measured_alone(root):
    tokenizer = byte_tokenizer()

    def of(held_out: frozenset[str]) -> dict[str, list[tuple[int, int]]]:
        """How many samples of each dataset are learned from, and how many are measured, by what the second one is for."""
        found = {}
        for use in ("", "train", "measure"):
            step = Train(datasets=(f"{root}/a/coarse", Data(f"{root}/b/coarse", only=use)))
            corpus = corpus_of(open_all(step, Folder(str(root / "a")), held_out), tokenizer, 1e-9)
            found[use] = [(len(ours), len(theirs)) for ours, theirs in zip(corpus.train, corpus.held_out, strict=True)]
        return found

    document = frozenset({line_crop("x").origin.sha256})  # of all samples
    assert of(document) == {"": [(0, 8), (0, 8)], "train": [(0, 8), (0, 0)], "measure": [(0, 8), (0, 8)]}
    among = of(frozenset())
    assert among[""][1][0] > 0 == among["measure"][1][0] and among["train"][1] == (among[""][1][0], 0)
    with pytest.raises(ValueError, match="only='both': allowed are train, measure"):
        Data("coarse", only="both")
