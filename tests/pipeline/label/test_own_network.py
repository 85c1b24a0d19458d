"""The whole with a network of ours as the model: it learns two pages by heart, reads them in this process, and they are
labels."""

from dataclasses import replace

import pytest
import torch

from datagen.disk.storage import Folder
from datagen.engines.token_reader import files_sha256
from datagen.target import Prompt
from model.data.ours import example
from model.data.rows import Draw
from model.data.tokens import counted, made
from model.net.batch import batch
from model.net.config import line_reader
from model.net.deepseek_ocr import build
from model.net.image_modes import num_tokens
from model.net.tokenizer import train_tokenizer
from model.train.export import export
from recipes.__main__ import main
from tests.model.lines import EIGHT, learn_by_heart, line_crop
from tests.outputs import check_corpus, dataset_samples

MODE, NUM = "line", 2


@pytest.fixture
def network(tmp_path):
    """A folder with a network that answers about two pages, and the pages."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    pages = [line_crop(text, f"p{n}", f"{n}", "page") for n, text in enumerate(EIGHT[:NUM])]
    fine = [replace(page, regions=tuple(replace(region, detected_by="truth") for region in page.regions)) for page in pages]
    rows = [example(page, Prompt.MARKDOWN, "test") for page in fine]
    tokenizer = train_tokenizer(list(EIGHT[:NUM]), 512)
    learned = []
    for page, row in zip(pages, rows, strict=True):
        length = counted([row.parts], tokenizer)[0] + num_tokens(MODE, *page.size)
        learned.append(made(row, Draw(0, 0, 0, 0, MODE, length, 0), [MODE], tokenizer))
    one, net = batch([learned], tokenizer), build(line_reader().with_vocab(len(tokenizer)), seed=0).train()
    learn_by_heart(net, one, steps=45, rate=3e-3)
    export(Folder(f"{tmp_path}/network"), net, tokenizer, dtype=torch.float32)
    (tmp_path / "in").mkdir()
    for n, page in enumerate(pages):
        (tmp_path / "in" / f"{n}.jpg").write_bytes(page.image or b"")
    yield tmp_path
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_a_network_of_ours_labels_pages_and_is_not_asked_again(network):
    words = ["label", f"input={network}/in", f"model={network}/network", f"mode={MODE}", "on=inline"]
    assert main([*words, f"out={network}/out"]) == 0
    pages = dataset_samples(Folder(f"{network}/out/label"))
    assert [page.text for page in pages] == list(EIGHT[:NUM])
    assert [[region.label for region in page.regions] for page in pages] == [["text"]] * NUM
    assert {page.quality.signals["tries"] for page in pages} == {1.0}
    assert pages[0].origin.engines["label network"] == files_sha256(Folder(f"{network}/network"))
    check_corpus(network / "out", name="label")
    # From the ledger alone, which another output may share: the same bytes.
    answers = f"answers={network}/out/label/answers"
    assert main([*words, "server=ledger", answers, f"out={network}/again"]) == 0
    first, again = (next(network.glob(f"{name}/label/shards/*.tar")).read_bytes() for name in ("out", "again"))
    assert first == again
