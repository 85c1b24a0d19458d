"""vLLM by its build for processors, and a network for it: the released SAM, CLIP and gundam sizes, which vLLM asks for, before a
short decoder that was taught a few pages by heart.

Tried once beside it: `transformers serve` (5.24) takes the network as transformers' `unlimited_ocr` saves it, with a processor
and a template, and gives the same texts; it refuses `skip_special_tokens` and the like with 422, so that no profile of ours with
them can be asked there. SGLang (0.5.23) asks for CUDA's libraries and wasn't installed.
"""

import base64
import io
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from datagen.asking.profiles import CAPTIONS, DEEPSEEK_OCR, PAGES, PLAIN, profile_of
from datagen.disk.storage import Folder
from datagen.record import Box
from datagen.target import IMAGE
from datagen.target.grammar import marked
from model.files.lora import adapt, save_adapter
from model.generate import on_one_thread
from model.net.config import DecoderConfig, ModelConfig
from model.net.deepencoder import placed, places
from model.net.deepseek_ocr import DeepseekOcr, build
from model.net.image import load
from model.net.tokenizer import TextTokenizer, train_tokenizer
from model.train.export import export
from tests.servers.processes import answers, free_port, need, running

PROGRAM = Path(sys.prefix) / "servers/bin/vllm"
NAME, ADAPTER = "deepseek-ocr-short", "own"
SHORT = DecoderConfig(1, 256, 2, 4, 512, num_experts=8, num_shared_experts=2, num_experts_per_token=2, expert_width=128)
TEXTS = {
    "letter": ((600, 420), ["Harbour notes", "The ferry leaves at seven each morning.", "Bring a coat, for the wind is strong."]),
    "poster": ((1000, 500), ["Repair log", "The pump was cleaned in March.", "No leak has been found since then."]),  # has tiles
}
SONG = "la li " * 60  # an answer that doesn't end


@dataclass
class Taught:
    """A network and what it knows by heart: the PNG of each page and its answers by the prompt's kind."""

    net: DeepseekOcr
    tokenizer: TextTokenizer
    images: dict[str, bytes]
    answers: dict[tuple[str, str], str]
    seen: dict[str, Tensor]  # what the encoder makes of each image, (tokens, width): it learns nothing, and takes longest

    def ids(self, name: str, kind: str, answer: list[int]) -> tuple[int, Tensor]:
        """(the number of the prompt's tokens, the ids of prompt and answer, (1, L))."""
        head = self.tokenizer.prompt(f"{IMAGE}\n{DEEPSEEK_OCR.prompts[kind]}", len(self.seen[name]))
        return len(head), torch.tensor([head + answer])

    def log_probabilities(self, name: str, kind: str, answer: list[int]) -> Tensor:
        """(len(answer), vocabulary): of each token of an answer about a page, as if those before it were written."""
        start, ids_1L = self.ids(name, kind, answer[:-1])
        embedded = placed(self.net.decoder.embed_tokens(ids_1L), places(ids_1L == self.tokenizer.image), [self.seen[name]])
        return torch.log_softmax(self.net.logits(self.net.decoder(embedded)[0, start - 1 :]).float(), -1)

    def learn(self, rows: dict[tuple[str, str], str], most: int, rate: float = 1.5e-3) -> None:
        """Teach what isn't frozen these answers, in `most` steps at most, until a token's loss is under 0.003."""
        ended = {row: [] if text == SONG else [self.tokenizer.eos] for row, text in rows.items()}
        learning = [p for p in self.net.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(learning, rate, weight_decay=0.0)
        for step in range(most):
            worst = 0.0
            for (name, kind), text in rows.items():
                answer = self.tokenizer.encode(text) + ended[name, kind]
                scores = self.log_probabilities(name, kind, answer)
                loss = torch.nn.functional.nll_loss(scores, torch.tensor(answer))
                loss.backward()
                worst = max(worst, loss.item())
            optimizer.param_groups[0]["lr"] = rate * min(1.0, (step + 1) / 20)
            torch.nn.utils.clip_grad_norm_(learning, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            if worst < 0.003:
                return
        raise AssertionError(f"the pages aren't known by heart after {most} steps: {worst:.4f}")


def drawn(size: tuple[int, int], lines: list[str]) -> tuple[bytes, str]:
    """A page as a PNG, and the answer with boxes that the profile's first prompt asks for."""
    image, blocks = Image.new("RGB", size, "white"), []
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(24)
    for n, line in enumerate(lines):
        at = (40, 60 + 90 * n)
        draw.text(at, line, fill="black", font=font)
        left, top, right, bottom = draw.textbbox(at, line, font=font)
        box = Box(int(left) - 4, int(top) - 4, int(right) + 5, int(bottom) + 5)
        blocks.append(f"{marked('text' if n else 'title', [box], size)}\n{'' if n else '# '}{line}")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue(), "\n\n".join(blocks)


def taught(folder: Path) -> Taught:
    """The network, exported into `folder/model`, in fp32, so that numbers can be compared, and its pages into
    `folder/pages`."""
    torch.manual_seed(0)
    images, known = {}, {}
    for name, (size, lines) in TEXTS.items():
        images[name], known[name, PAGES] = drawn(size, lines)
        known[name, PLAIN] = "\n\n".join(lines)
    known["letter", CAPTIONS] = SONG
    tokenizer = train_tokenizer([*known.values(), *DEEPSEEK_OCR.prompts.values()], 600)
    net = build(ModelConfig(decoder=SHORT).with_vocab(len(tokenizer)))
    net.encoder.requires_grad_(False)
    with torch.no_grad():
        seen = {name: net.encoder([load(image, "gundam")])[0] for name, image in images.items()}
    made = Taught(net, tokenizer, images, known, seen)
    with on_one_thread():
        made.learn(known, 300)
    export(Folder(str(folder / "model")), net.eval(), tokenizer, dtype=torch.float32)
    (folder / "pages").mkdir()
    for name, image in images.items():
        (folder / "pages" / f"{name}.png").write_bytes(image)
    return made


def adapted(made: Taught, folder: Path) -> Taught:
    """A network with the same encoder and no routed experts, exported into `folder/dense`, that knows the pages. Its adapter,
    in `folder/adapter`, says of the letter what stands on the poster."""
    layers = replace(SHORT, num_dense_layers=SHORT.depth)
    other = replace(made, net=build(ModelConfig(decoder=layers).with_vocab(len(made.tokenizer))))
    other.net.encoder = made.net.encoder
    right, wrong = made.answers["letter", PLAIN], made.answers["poster", PLAIN]
    with on_one_thread():
        other.learn({("letter", PLAIN): right, ("poster", PLAIN): wrong}, 300)
        export(Folder(str(folder / "dense")), other.net.eval(), made.tokenizer, dtype=torch.float32)
        adapt(other.net, 8, 16)
        other.learn({("letter", PLAIN): wrong}, 200)
    save_adapter(Folder(str(folder / "adapter")), other.net.eval(), str(folder / "dense"))
    return other


@contextmanager
def serving(model: Path, folder: Path, *flags: str, family: str = DEEPSEEK_OCR.named) -> Iterator[str]:
    """The address, with /v1, of vLLM with the network in `model`, served with the flags of its `family`'s profile and these. It
    writes into `folder` alone."""
    need(str(PROGRAM))
    port = free_port()
    command = [PROGRAM, "serve", model, "--host", "127.0.0.1", "--port", str(port), "--served-model-name", NAME]
    command += ["--dtype", "float32", "--max-num-seqs", "2", "--skip-mm-profiling", "--enforce-eager"]
    quiet = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    small = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "2"}
    env = os.environ | quiet | small | {"HOME": str(folder), "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
    env.pop("PYTHONPATH", None)  # it runs in an environment of its own
    folder.mkdir(exist_ok=True)
    url = f"http://127.0.0.1:{port}"
    with running([*command, *profile_of("", family).serve, *flags], folder, lambda: answers(f"{url}/health"), 600, env):
        yield f"{url}/v1"


def sent(url: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
    """What a server answers, status and text, to a GET, or to a POST of `body`."""
    request = urllib.request.Request(url, body and json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=600) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def question(image: bytes, kind: str = PLAIN, model: str = NAME, **more: Any) -> dict[str, Any]:
    """A question about a page, which wants the tokens of the answer and their logarithms of probability."""
    url = f"data:image/png;base64,{base64.b64encode(image).decode()}"
    content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": DEEPSEEK_OCR.prompts[kind]}]
    wanted = {"logprobs": True, "return_token_ids": True, "skip_special_tokens": False, "temperature": 0.0}
    return {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 300} | wanted | more
