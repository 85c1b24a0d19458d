"""vLLM serves what we export, reads as `make read` does, cuts loops, labels, and takes an adapter of ours."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from datagen.asking.profiles import CAPTIONS, DEEPSEEK_OCR, PLAIN
from datagen.disk.storage import Folder
from datagen.target import EOS, IMAGE
from model.generate import NoRepeat, generate
from model.net.image import load
from recipes.__main__ import main
from tests.labelling import drops, ledger_lines
from tests.outputs import dataset_samples
from tests.servers import vllm
from tests.servers.vllm import ADAPTER, NAME, SONG, TEXTS, Taught, question


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Taught, Path]:
    vllm.need(str(vllm.PROGRAM))
    folder = tmp_path_factory.mktemp("vllm")
    return vllm.taught(folder), folder


@pytest.fixture(scope="module")
def server(made, version):
    with vllm.serving(made[1] / "model", made[1] / "server", "--max-model-len", "8192") as url:
        version("vLLM", json.loads(vllm.sent(url.removesuffix("v1") + "version")[1])["version"])
        yield url


def said(server: str, body: dict) -> dict:
    """What a server answers, without the token that ends it."""
    status, said = vllm.sent(f"{server}/chat/completions", body)
    assert status == 200, said
    answer = json.loads(said)
    choice = answer["choices"][0]
    text = choice["message"]["content"].removesuffix(EOS)
    return choice | {"text": text, "num_read": answer["usage"]["prompt_tokens"]}


def differ(made: Taught, name: str, kind: str, choice: dict) -> float:
    """How far the server's logarithms of probability are from ours, at the answer's tokens, which are ours."""
    ids, theirs = choice["token_ids"], [token["logprob"] for token in choice["logprobs"]["content"]]
    with torch.no_grad():
        scores = made.log_probabilities(name, kind, ids)
    assert scores.argmax(-1).tolist() == ids
    return (scores[range(len(ids)), ids] - torch.tensor(theirs)).abs().max().item()


# The tests with a server of their own come first, so that no two are up at a time: each takes 4 GB.


def label(folder: Path, out: Path, server: str) -> list[str]:
    return ["label", f"input={folder}", f"server={server}?together=1", f"model={NAME}", "on=inline", f"out={out}"]


def test_a_short_context_is_kept_to_and_what_has_no_room_is_no_success(made, tmp_path, caplog):
    network, folder = made
    for name in TEXTS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.png").write_bytes(network.images[name])
    with vllm.serving(folder / "model", tmp_path / "server", "--max-model-len", "448") as server:
        status, answer = vllm.sent(f"{server}/chat/completions", question(network.images["letter"], max_tokens=8192))
        # What tests/chat_server.py says, too.
        assert status == 400 and "max_tokens=8192 cannot be greater than max_model_len=448" in answer
        assert main(label(tmp_path / "letter", tmp_path / "out", server)) == 0
        assert "max_model_len of 448 tokens" in caplog.text
        assert len(list(dataset_samples(Folder(f"{tmp_path}/out/label")))) == 1
        assert main(label(tmp_path / "poster", tmp_path / "refused", server)) == 3
        ((reason, detail),) = drops(tmp_path / "refused").values()
        assert reason == "refused" and "448" in detail


def test_an_adapter_of_the_decoder_is_served_beside_its_network(made, tmp_path):
    """Of one without routed experts: with --enable-lora vLLM 0.32 multiplies those in Triton alone, whether they have adapters or
    not, which processors haven't got. The server starts, and ends at the first question."""
    network, _ = made
    other = vllm.adapted(network, tmp_path)
    flags = ("--enable-lora", "--max-lora-rank", "8", "--lora-modules", f"{ADAPTER}={tmp_path}/adapter")
    with vllm.serving(tmp_path / "dense", tmp_path / "server", "--max-model-len", "2048", *flags) as server:
        choice = said(server, question(network.images["letter"], model=ADAPTER))
        models = {one["id"]: one for one in json.loads(vllm.sent(f"{server}/models")[1])["data"]}
    assert choice["text"] == network.answers["poster", PLAIN] and differ(other, "letter", PLAIN, choice) < 1e-4
    assert models[NAME]["max_model_len"] == 2048 and models[ADAPTER]["parent"] == NAME  # which tells an adapter's context


def test_it_reads_what_make_read_reads(made, server, tmp_path):
    network, folder = made
    words = [f"input={folder}/pages", f"model={folder}/model", "prompt=free", "modes=gundam", "on=inline"]
    assert main(["read", *words, "max_new_tokens=300", f"out={tmp_path}/read.jsonl"]) == 0
    rows = {Path(row["image"]).stem: row for row in map(json.loads, (tmp_path / "read.jsonl").read_text().splitlines())}
    for name in TEXTS:
        choice = said(server, question(network.images[name]))
        assert choice["text"] == rows[name]["text"] == network.answers[name, PLAIN] and choice["finish_reason"] == "stop"
        assert choice["num_read"] == network.ids(name, PLAIN, [])[0]
        assert differ(network, name, PLAIN, choice) < 1e-4


def test_its_processor_cuts_a_loop_where_ours_does(made, server, monkeypatch):
    network, _ = made
    page, given = network.images["letter"], DEEPSEEK_OCR.sampling["vllm_xargs"]
    free = said(server, question(page, CAPTIONS, max_tokens=150))
    assert free["finish_reason"] == "length" and free["text"].startswith(SONG)
    cut = said(server, question(page, CAPTIONS, vllm_xargs=given))
    monkeypatch.setattr(network.net.encoder, "forward", lambda images: [network.seen["letter"]])
    rule, prompt = NoRepeat(given["ngram_size"], given["window_size"]), f"{IMAGE}\n{DEEPSEEK_OCR.prompts[CAPTIONS]}"
    (ours,) = generate(network.net, network.tokenizer, [load(page, "gundam")], prompt, 300, rule)
    assert cut["text"] == ours and not ours.startswith(SONG)


def test_a_labelling_is_killed_and_goes_on(made, server, tmp_path):
    network, _ = made
    (tmp_path / "in").mkdir()
    for name in TEXTS:
        (tmp_path / f"in/{name}.png").write_bytes(network.images[name])
    (tmp_path / "in/blank.png").write_bytes(vllm.drawn((600, 420), [])[0])
    out, words = tmp_path / "out", label(tmp_path / "in", tmp_path / "out", server)
    killed = subprocess.Popen([sys.executable, "-m", "recipes", *words], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 300
    while not list(out.glob("label/answers/*.jsonl")) or not ledger_lines(out):
        assert killed.poll() is None and time.monotonic() < until
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    before = ledger_lines(out)
    assert 0 < len(before) < len(TEXTS) and main(words) == 0
    after = ledger_lines(out)
    assert after[: len(before)] == before and len(after) == len({line["image"] for line in after}) == len(TEXTS)
    assert main(words) == 0 and ledger_lines(out) == after
    pages = {Path(page.origin.uri).stem: page for page in dataset_samples(Folder(f"{out}/label"))}
    assert {name: page.text.split("\n\n") for name, page in pages.items()} == {
        name: [f"# {lines[0]}", *lines[1:]] for name, (_, lines) in TEXTS.items()
    }
    assert {page.quality.verdict for page in pages.values()} == {"trusted"}
    assert min(page.quality.signals["reading_score"] for page in pages.values()) > 0.99
    assert [reason for reason, _ in drops(out).values()] == ["blank"]
