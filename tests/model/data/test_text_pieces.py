"""Long texts alone are learned from in pieces: together they are the text, and each fits into a row."""

import json

import numpy as np

from datagen.disk.storage import Folder
from datagen.record import Origin
from model.data.hugging_face.texts import Texts
from model.data.loader import read
from model.data.ours import open_ours
from model.data.split import opened
from model.data.text_pieces import Pieces
from model.data.tokens import made
from model.train.data import open_all
from model.train.data_config import Data
from model.train.step import Batches, Train
from tests.inputs.samples import sample
from tests.model.drawn_rows import alone
from tests.model.lines import EIGHT
from tests.outputs import write_dataset

LONG = " ".join(f"{n} of {EIGHT[n % len(EIGHT)]}" for n in range(60))
SHORT = EIGHT[0]
LENGTH = 48


def tokens_of(corpus, tokenizer):
    """The ids of each row, by itself."""
    draws = [alone(corpus, 0, row, "tiny") for row in range(len(corpus.columns[0]))]
    return [list(made(read(corpus, draw), draw, ["tiny"], tokenizer).ids) for draw in draws]


def check(dataset, tokenizer):
    corpus = opened([Pieces(dataset, LENGTH)], tokenizer, 0.5)
    rows = tokens_of(corpus, tokenizer)
    assert all(len(ids) <= LENGTH and ids[0] == tokenizer.bos for ids in rows)
    *pieces, short = rows
    assert short == [tokenizer.bos, *tokenizer.encode(SHORT), tokenizer.eos]
    assert len(pieces) > 5 and [token for ids in pieces for token in ids[1:]] == [*tokenizer.encode(LONG), tokenizer.eos]
    assert all(tokenizer.eos not in ids for ids in pieces[:-1])
    columns = corpus.columns[0]
    assert len(set(columns.group_N[:-1].tolist())) == 1 and columns.answer_NP[:, 0].tolist() == [len(ids) for ids in rows]
    assert len(np.intersect1d(corpus.train[0], corpus.held_out[0])) == 0
    return columns


def test_the_pieces_of_a_file_of_texts_are_the_texts(tmp_path, tokenizer):
    file = tmp_path / "prose.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in (LONG, SHORT)))
    check(Texts(str(file), "prose", "text"), tokenizer)


def test_the_pieces_of_our_texts_are_the_texts_and_have_their_features(tmp_path, tokenizer):
    texts = []
    for n, text in enumerate((LONG, SHORT)):
        origin = Origin(f"/in/{n}.txt", f"{n}" * 64, 0)
        texts.append(sample(f"text-{n}", task="text", image=None, size=(0, 0), text=text, regions=(), origin=origin))
    write_dataset(tmp_path / "texts", texts, "texts")
    (dataset,) = open_ours(Folder(str(tmp_path)), ["texts"])
    columns = check(dataset, tokenizer)
    assert len(columns.features["source"]) == len(columns)
    (found,) = open_all(
        Train((Data(f"{tmp_path}/texts", "text"),), batches=Batches(length=LENGTH)), Folder(str(tmp_path / "out"))
    ).datasets
    assert isinstance(found, Pieces) and found.length == LENGTH
