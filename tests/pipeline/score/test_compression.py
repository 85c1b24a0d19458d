"""The table of compression of a small network, from pages to the report; a kill half-way loses no answer."""

import json

import pytest
import torch

from datagen.disk.storage import Folder
from datagen.score import compression_pages
from model.net.config import tiny
from model.net.deepseek_ocr import build
from model.net.tokenizer import train_tokenizer
from model.train.export import export
from recipes.__main__ import main
from tests.inputs.samples import image
from tests.outputs import check_corpus

WORDS = "All human beings are born free and equal in dignity and rights and they are endowed with reason number {}."


@pytest.fixture
def network(tmp_path, monkeypatch):
    """A folder with an untrained network, which answers something."""
    texts = [WORDS.format(number) for number in range(100)]
    monkeypatch.setattr(compression_pages.declarations, "paragraphs", lambda lang: texts)
    monkeypatch.setattr(compression_pages.translations, "paragraphs", lambda lang: [])
    compression_pages.sentences.cache_clear()
    tokenizer = train_tokenizer(texts, 400)
    export(Folder(f"{tmp_path}/network"), build(tiny().with_vocab(len(tokenizer)), seed=0), tokenizer, dtype=torch.float32)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(threads)
    compression_pages.sentences.cache_clear()


def test_a_table_comes_out_and_answers_that_are_there_are_not_asked_again(network, capsys):
    words = ["compression", f"model={network}/network", "modes=tiny,small", "limit=10", "max_new_tokens=2", "on=inline"]
    words.append(f"out={network}/out")
    assert main(words) == 0
    check_corpus(network / "out", name="pages")
    folder = network / "out" / "compression"
    rows = json.loads((folder / "table.json").read_text())
    assert rows[-1]["bin"] == 0 and rows[-1]["num_pages"] == 10
    assert set(rows[-1]["modes"]) == {"tiny", "small"}
    assert 600 / 64 <= rows[-1]["modes"]["tiny"]["compression"] < 1300 / 64
    assert "compression: text out of few tokens" in (network / "out" / "report" / "index.html").read_text()
    answers = {path: path.stat().st_mtime_ns for path in (folder / "answers").iterdir()}
    assert len(answers) == 20
    lost = sorted(answers)[3]
    lost.unlink()
    (folder / "table.json").unlink()
    assert main(words) == 0
    assert {path: path.stat().st_mtime_ns for path in answers if path != lost} == {p: t for p, t in answers.items() if p != lost}
    assert json.loads((folder / "table.json").read_text()) == rows
    assert main([*words, "lang=de"]) == 2
    assert main([*words, "prompt=markdown"]) == 2
    assert main(["status", f"out={network}/out"]) == 0
    assert "10 pages, tiny " in capsys.readouterr().out


def test_a_damaged_image_of_fox_is_left_out_and_the_others_are_read(network, caplog):
    fox = network / "focus_benchmark_test"
    (fox / "en_pdf_png").mkdir(parents=True)
    tokenizer = compression_pages.tokens_of(f"{network}/network/tokenizer.json")
    text = " ".join(WORDS.format(number) for number in range(100))[:4000]
    assert 600 <= len(tokenizer.encode(text).ids) < 1300
    entries = [
        {"image": f"en_{n}.png", "conversations": [{"from": "human", "value": ""}, {"from": "gpt", "value": text}]}
        for n in (1, 2)
    ]
    (fox / "en_page_ocr.json").write_text(json.dumps(entries))
    (fox / "en_pdf_png" / "en_1.png").write_bytes(image())
    (fox / "en_pdf_png" / "en_2.png").write_bytes(image()[:60])
    words = ["compression", f"model={network}/network", f"input=fox:{fox}", "max_new_tokens=2", f"out={network}/out"]
    assert main(words) == 0
    assert json.loads((network / "out" / "compression" / "table.json").read_text())[-1]["num_pages"] == 1
    assert "en_2.png: damaged_image" in caplog.text and "2 images can't be read" in caplog.text


def test_wrong_words_are_refused_in_a_sentence(network, capsys):
    model = f"model={network}/network"
    for words, said in (
        ([], "model=FOLDER"),
        (["model=/nowhere"], "there is no *.safetensors"),
        ([model, "modes=huge"], "allowed are tiny, small"),
        ([model, "prompt=describe"], "allowed are free, plain_markdown, markdown"),
        ([model, "input=/somewhere"], "fox:DIR"),
        ([model, "input=fox:/nowhere"], "focus_benchmark_test"),
    ):
        assert main(["compression", *words, f"out={network}/out"]) == 2
        assert said in capsys.readouterr().err
    assert not (network / "out").exists()
