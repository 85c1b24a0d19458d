"""Hugging Face datasets with images, from a folder, as Parquet and on the hub, for which a server on this machine stands."""

import io
import json
import os
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from datagen.disk.storage import Folder
from datagen.target import Prompt
from model.data.hugging_face import opening
from model.data.hugging_face.pictured import Pictured
from model.net.deepseek_ocr import build
from model.net.tokenizer import byte_tokenizer
from model.train.data import open_all
from model.train.data_config import Data
from model.train.export import export
from model.train.step import Train, flat
from recipes.__main__ import main
from recipes.finetune import TINY
from tests.hub_server import TOKEN, hub
from tests.model.lines import EIGHT, rendered
from tests.model.train.test_training_words import SMALL

TEXT = datasets.Value("string")


def lines(*features: tuple[str, object], first: int = 0, count: int = 8) -> dict[str, list]:
    numbers = range(first, first + count)
    columns = {"image": [{"bytes": rendered(f"{EIGHT[n % 8][:9]}{n}"), "path": None} for n in numbers]}
    columns |= {"text": [f"{EIGHT[n % 8][:9]}{n}" for n in numbers]}
    return columns | {name: [value(n) for n in numbers] for name, value in features}


def dataset(columns: dict[str, list], **features: object) -> datasets.Dataset:
    kinds = {"image": datasets.Image(), "text": TEXT} | features
    return datasets.Dataset.from_dict(columns, features=datasets.Features({name: kinds[name] for name in columns}))


def parquet(rows: datasets.Dataset) -> bytes:
    file = io.BytesIO()
    rows.to_parquet(file)
    return file.getvalue()


@pytest.fixture(autouse=True)
def caches(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def on_hub(tmp_path, monkeypatch):
    from huggingface_hub import constants

    with hub() as server:
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        for config in (constants, datasets.config):  # which read it from what other tests set
            monkeypatch.setattr(config, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        url = f"{server.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url)
        monkeypatch.setattr(datasets.config, "HF_ENDPOINT", server.address)
        yield server


def test_a_fine_tuning_from_the_hub_on_datasets_there_and_here(tmp_path, on_hub, monkeypatch, caplog, capsys):
    monkeypatch.setattr("recipes.finetune.TINY", TINY.but(read_samples=1, loss_samples=2, max_new_tokens=2, threads=1))
    export(Folder("net"), build(SMALL, 3), byte_tokenizer())
    net = {path.name: path.read_bytes() for path in Path("net").iterdir()}
    on_hub.files["me/net"] = net | {"modeling_deepseekocr.py": b"raise SystemExit", "pytorch_model.bin": b"\x80pickle"}
    on_hub.files["me/pages"] = {"data/train-00000-of-00001.parquet": parquet(dataset(lines()))}
    Path("here").mkdir()
    Path("here/part.parquet").write_bytes(parquet(dataset(lines(first=8))))
    words = ["finetune", "start=me/net", "variant=tiny", "modes=line", "lora=1", "steps=1", "on=inline", "out=out"]
    assert main([*words, "data=me/pages,here"]) == 0
    metrics = json.loads(Path("out/train/metrics.json").read_text())
    assert metrics["num_train"].keys() == {"pages", "here"} and sum(metrics["num_train"].values()) >= 8
    (snapshot,) = Path("hub").glob("models--me--net/snapshots/*")
    assert {path.name for path in snapshot.iterdir()} == {name for name in net if name.endswith((".json", ".safetensors"))}
    step = flat(json.loads(Path("out/train/run.json").read_text())["step"])
    assert step["start"] == "me/net"
    assert json.loads(Path("out/train/adapter/adapter_config.json").read_text())["base_model_name_or_path"] == "me/net"
    on_hub.files.clear()
    assert main([*words, "data=me/pages,here"]) == 0 and "nothing new, the model is trained" in caplog.text
    assert main([*words[:1], "start=me/gone", *words[2:-1], "out=other", "data=here"]) == 2
    assert "me/gone: nothing of that name lies here, and the hub has no such weights (404)" in capsys.readouterr().err


def opened(where: str, **values) -> Pictured:
    (found,) = open_all(Train(datasets=(Data(where, **values),)), Folder(".")).datasets
    assert isinstance(found, Pictured)
    return found


def test_an_image_and_its_text_are_asked_for_free_and_told_apart_by_images(caplog):
    columns = lines(("group", lambda n: "a book" if n < 2 else None), ("lang", lambda n: "de"))
    columns["image"][5] = columns["image"][4]
    columns["image"][6] = {"bytes": b"no image", "path": None}
    columns["text"][7] = None
    dataset(columns, group=TEXT, lang=TEXT).save_to_disk("saved")
    found, tokenizer = opened("./saved"), byte_tokenizer()
    read = found.reader.read(found.place(3), 0)
    assert [part.text for part in read.parts] == [Prompt.FREE, columns["text"][3]] and read.parts[1].learned
    assert read.images == (columns["image"][3]["bytes"],) and (read.lang, read.key) == ("de", "3")
    rows = found.columns(tokenizer)
    assert rows.skipped == {"bad_image": 1, "no_answer": 1} and "row 6 can't be used: bad_image" in caplog.text
    assert rows.sizes(3) == (Image.open(io.BytesIO(columns["image"][3]["bytes"])).size,)
    assert rows.group_N[0] == rows.group_N[1] != rows.group_N[2] and rows.group_N[4] == rows.group_N[5]
    assert (rows.answer_NP[:6, 0] > 0).all() and (rows.answer_NP[6:, 0] < 0).all()
    again = opened("./saved")
    assert again.digest == found.digest and np.array_equal(again.columns(tokenizer).answer_NP, rows.answer_NP)
    assert opened("./saved", column="lang").digest != found.digest


def test_messages_with_several_images_and_a_split(tmp_path):
    """As TRL has them."""
    part = {"type": TEXT, "text": TEXT}
    asked = [{"type": "image", "text": None}, {"type": "image", "text": None}, {"type": "text", "text": "Which differs?"}]
    messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": [{"type": "text", "text": "The second"}]}]
    features = {
        "messages": datasets.List({"role": TEXT, "content": datasets.List(part)}),
        "images": datasets.List(datasets.Image()),
    }
    images = [{"bytes": rendered(text), "path": None} for text in ("one", "a longer one")]
    columns = {"messages": [messages] * 2, "images": [images, images[::-1]]}
    one = datasets.Dataset.from_dict(columns, features=datasets.Features(features))
    datasets.DatasetDict({"train": one, "test": one.select([1])}).save_to_disk("both")
    found = opened("./both", split="test")
    read = found.reader.read(0, 0)
    assert read.images == tuple(image["bytes"] for image in images[::-1])
    assert "".join(part.text for part in read.parts) == "<image><image>Which differs?The second"
    rows = found.columns(byte_tokenizer())
    assert len(rows) == 1 and len(rows.sizes(0)) == 2 and rows.sizes(0)[0][0] > rows.sizes(0)[1][0]
    with pytest.raises(ValueError, match="both: it has no split 'val', but train, test"):
        opened("./both", split="val")


def test_plain_parquet_and_a_column_by_name():
    """As other tools write it: a struct of bytes, and no word of `datasets`."""
    columns = lines(("latex", lambda n: f"x^{n}"), count=3)
    pq.write_table(pa.table(columns), "plain.parquet")
    found = opened("plain.parquet", column="latex")
    assert [part.text for part in found.reader.read(2, 0).parts] == [Prompt.FREE, "x^2"]
    with pytest.raises(ValueError, match=r"has no column 'tex', but image, text, latex"):
        opened("plain.parquet", column="tex")
    pq.write_table(pa.table({"text": ["alone"]}), "texts.parquet")
    with pytest.raises(ValueError, match=r"no column of images, but text; texts are of the group text, as in text:"):
        opened("texts.parquet")


def clear():
    opening.opened.cache_clear()
    opening.undecoded.cache_clear()


def test_images_of_a_dataset_are_files_in_its_folder(tmp_path):
    """What nobody can read, or a dataset has no business with, is counted."""
    Path("here").mkdir()
    Path("here/own.png").write_bytes(rendered("own"))
    Path("other.png").write_bytes(rendered("other"))
    os.mkfifo("here/pipe.png")
    paths = ["own.png", str(tmp_path / "here/own.png"), "../other.png", "pipe.png", "/dev/zero", None]
    columns = {"image": [{"bytes": None, "path": path} for path in paths], "text": ["a text"] * 6}
    pq.write_table(pa.table(columns), "here/rows.parquet")
    rows = opened("./here").columns(byte_tokenizer())
    assert rows.skipped == {"image_missing": 4} and (rows.answer_NP[:2, 0] > 0).all()


def test_what_is_no_dataset_is_told(on_hub, capsys):
    Path("empty").mkdir()
    with pytest.raises(ValueError, match=r"empty: .*data"):
        opened("./empty")
    with pytest.raises(ValueError, match="me/nothing"):
        opened("me/nothing")
    assert main(["finetune", "start=s", "data=me/nothing,gone/rows.jsonl", "variant=tiny", "plan=1"]) == 0
    said = capsys.readouterr().out
    assert "gone/rows.jsonl yet" in said and "me/nothing yet" not in said
