"""`make read model=FOLDER`: a network reads, the same however many images it reads together; and what is refused."""

import json
import random
from pathlib import Path

import pytest
import torch
from PIL import Image

from datagen.disk.storage import Folder
from datagen.target import Prompt
from model.files.network_folder import load_model
from model.generate import generate
from model.net.config import line_reader
from model.net.deepseek_ocr import build
from model.net.image import load
from model.net.tokenizer import byte_tokenizer
from model.read_images import _answered
from model.train.export import export
from recipes.__main__ import main


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> Path:
    """One that learned nothing, and answers different images differently."""
    folder, net = tmp_path_factory.mktemp("network"), build(line_reader(), 5)
    with torch.no_grad():
        for parameter in net.encoder.parameters():
            parameter.mul_(3)
    export(Folder(str(folder)), net, byte_tokenizer(), dtype=torch.float32)
    return folder


@pytest.fixture
def lines(tmp_path) -> Path:
    """Lines of several widths, one that is damaged, and a TIFF with two pages."""
    folder, draw = tmp_path / "lines", random.Random(1)
    folder.mkdir()
    for n in range(6):
        picture(draw, 60 + 57 * n).save(folder / f"{n}.png")
    (folder / "bad.png").write_bytes((folder / "0.png").read_bytes()[:-2000])
    pages = [picture(draw, 90), picture(draw, 300)]
    pages[0].save(folder / "two.tiff", save_all=True, append_images=pages[1:])
    return folder


def picture(draw: random.Random, width: int) -> Image.Image:
    return Image.frombytes("L", (width, 40), draw.randbytes(40 * width)).convert("RGB")


def read(network, lines, out, *words: str) -> int:
    given = [f"model={network}", f"input={lines}", f"out={out}", "modes=line", "max_new_tokens=12", "on=inline"]
    return main(["read", *given, *words])


def rows(out: Path) -> dict[str, dict]:
    found = [json.loads(line) for line in out.read_text().splitlines()]
    return {f"{Path(row['image']).name} {row.get('page', '')}".strip(): row for row in found}


def test_many_at_once_answer_as_each_alone(network, lines, tmp_path):
    assert read(network, lines, tmp_path / "many.jsonl") == 0
    assert read(network, lines, tmp_path / "alone.jsonl", "together=1") == 0
    many = rows(tmp_path / "many.jsonl")
    assert many == rows(tmp_path / "alone.jsonl")
    assert list(many) == [*(f"{n}.png" for n in range(6)), "bad.png", "two.tiff 0", "two.tiff 1"]
    assert "error" in many["bad.png"] and not any("error" in row for name, row in many.items() if name != "bad.png")
    texts = {row["text"] for row in many.values() if "text" in row}
    assert len(texts) > 3 and any(row.get("cut") for row in many.values())
    net, tokenizer = load_model(Folder(str(network)))
    (expected,) = generate(net, tokenizer, [load((lines / "3.png").read_bytes(), "line")], Prompt.FREE, 12)
    assert many["3.png"]["text"] == expected


def test_it_goes_on_and_other_words_refuse_the_file(network, lines, tmp_path, capsys):
    out = tmp_path / "rows.jsonl"
    assert read(network, lines, out) == 0
    whole = out.read_bytes()
    out.write_bytes(whole[: whole.index(b"\n") + 5])  # as a kill leaves it
    assert read(network, lines, out) == 0
    assert out.read_bytes() == whole
    assert read(network, lines, out, "prompt=Say what you see.") == 2
    assert "was read with another reader" in capsys.readouterr().err
    for words, message in (
        (["reader=x"], "reader=x and model="),
        (["modes=huge"], "modes has huge: allowed are"),
        (["together=0"], "together=0: at least 1 is needed"),
    ):
        given = [word for word in ("modes=line", "max_new_tokens=12") if word.partition("=")[0] not in words[0]]
        assert main(["read", f"model={network}", f"input={lines}", f"out={out}", *given, *words]) == 2
        assert message in capsys.readouterr().err
    assert read(lines, lines, tmp_path / "other.jsonl") == 2 and "it is no network" in capsys.readouterr().err


def test_an_image_without_room_costs_itself_alone(network, tmp_path):
    """Of 2,048 tokens the prompt takes all but some 50, and one of the images 60."""
    folder, draw = tmp_path / "lines", random.Random(2)
    folder.mkdir()
    for name, width in (("short", 60), ("long", 6000)):
        picture(draw, width).save(folder / f"{name}.png")
    assert read(network, folder, tmp_path / "rows.jsonl", f"prompt={'w' * 1990}") == 0
    found = rows(tmp_path / "rows.jsonl")
    assert "text" in found["short.png"] and found["long.png"]["error"].startswith("no_room: image and prompt take 2058")


def test_boxes_are_in_pixels():
    size = (1000, 500)
    markdown = "<|ref|>title<|/ref|><|det|>[[0, 0, 999, 100]]<|/det|>\n# Über 東京"
    (region,) = _answered(Prompt.MARKDOWN, markdown, size)["regions"]
    assert region["label"] == "title" and region["text"] and region["box"][2] == 1000 and region["box"][3] in range(49, 52)
    line = "<|ref|>Über 東京<|/ref|><|det|>[[0, 0, 500, 100]]<|/det|>"
    (found,) = _answered(Prompt.LINES, line, size)["lines"]
    assert found["text"] == "Über 東京" and found["box"][2] in range(499, 502)
    assert _answered(Prompt.DETECT, line, size)["regions"][0]["text"] == "Über 東京"
    assert _answered(Prompt.FREE, "plain", size) == {"text": "plain"}
