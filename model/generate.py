"""Reading: greedy generation with a cache, for a batch of images of any modes under one prompt.

    python -m model.generate FOLDER IMAGE [IMAGE ...] [--mode gundam] [--prompt markdown | --prompt "What does the label say?"]

B unfinished rows · L positions · D width · V vocabulary
"""

import argparse
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from PIL import Image, UnidentifiedImageError
from tokenizers.decoders import DecodeStream
from torch import Tensor

from datagen.disk.storage import Folder
from datagen.target import IMAGE, Prompt
from model.net.cache import Cache
from model.net.cpu import keep_packed
from model.net.deepencoder import places
from model.net.deepseek_ocr import DeepseekOcr
from model.net.image import Views, load
from model.net.image_modes import MODES
from model.net.tokenizer import TextTokenizer


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Within, torch computes on one thread: a single token is too little work to share. With another process on the second core,
    two threads took 100 times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True)
class NoRepeat:
    """A rule against loops: no run of `ngram` tokens comes twice in a text and its prompt. 0 allows everything. With `window`, a
    run may not come twice among the last `window` tokens. Tokens in `exempt` are always allowed. The released inference has the
    defaults. Servers use 30, 90, and the ids of `<td>` and `</td>`."""

    ngram: int = 20
    window: int | None = None
    exempt: frozenset[int] = frozenset()


@dataclass
class _Text:
    """The tokens of a row. `followers` has, for each run of `ngram` - 1 tokens, the tokens that followed it, and the last start
    of each such run."""

    row: int
    ids: list[int]
    rule: NoRepeat
    num_asked: int = 0
    draws: torch.Generator | None = None
    followers: dict[tuple[int, ...], dict[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.num_asked = len(self.ids)
        asked, self.ids = self.ids, []
        for token in asked:
            self.append(token)

    def append(self, token: int) -> None:
        start = len(self.ids) - (self.rule.ngram - 1)
        if start >= 0:
            self.followers.setdefault(tuple(self.ids[start:]), {})[token] = start
        self.ids.append(token)

    def banned(self) -> list[int]:
        if not self.rule.ngram:
            return []
        start = len(self.ids) - (self.rule.ngram - 1)
        if start < 0:
            return []
        oldest = 0 if self.rule.window is None else len(self.ids) - self.rule.window
        followers = self.followers.get(tuple(self.ids[start:]), {})
        return [token for token, began in followers.items() if began >= oldest and token not in self.rule.exempt]

    @property
    def answer(self) -> list[int]:
        return self.ids[self.num_asked :]


Asked = Views | Sequence[Views]  # the image of a text; or all images of its prompt, in order


@torch.no_grad()
def tokens(
    net: DeepseekOcr,
    tokenizer: TextTokenizer,
    images: Sequence[Asked],
    prompt: str,
    max_new_tokens: int,
    no_repeat: NoRepeat = NoRepeat(),
    temperature: float = 0.0,
    seed: int = 0,
) -> Generator[tuple[int, int], None, None]:
    """(number of the text, token), as the tokens come. A text ends before its [eos], or after `max_new_tokens`. At a
    `temperature` above 0, tokens are drawn, for each text by `seed`.

    There is a text for each of `images`, all under one prompt, which has an `<image>` for each image of a text. A text doesn't
    depend on the others in the batch, except for rounding. Until the iterator ends, the network is in evaluation mode. Raises
    `ValueError` if an image leaves no room for an answer, or has no place in the prompt.
    """
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens is {max_new_tokens}: it must be at least 1")
    if not images:
        return
    device, max_positions = net.lm_head.weight.device, net.config.decoder.max_positions
    of_texts = [[asked] if isinstance(asked, Views) else list(asked) for asked in images]
    heads = [tokenizer.prompt(prompt, *[image.num_tokens for image in of_text]) for of_text in of_texts]
    draws = [torch.Generator().manual_seed(seed) if temperature else None for _ in heads]
    texts = [_Text(row, head, no_repeat, draws=draws[row]) for row, head in enumerate(heads)]
    longest = max(map(len, heads))
    if longest >= max_positions:
        raise ValueError(f"the image and the prompt take {longest} tokens, of {max_positions} in all: a smaller mode takes fewer")
    max_new_tokens = min(max_new_tokens, max_positions - longest)
    ids_BL = torch.full((len(heads), longest), tokenizer.pad)
    for row, head in enumerate(heads):
        ids_BL[row, longest - len(head) :] = torch.tensor(head)  # aligned at the end, so that all rows go on at one place
    starts_B = torch.tensor([longest - len(head) for head in heads], device=device)
    autocast = torch.is_autocast_enabled(device.type)
    dtype = torch.get_autocast_dtype(device.type) if autocast else net.lm_head.weight.dtype
    cache = Cache(net.config.decoder, starts_B, longest + max_new_tokens, dtype)
    with _reading(net):
        ids_BL = ids_BL.to(device)
        views = [image.to(device) for of_text in of_texts for image in of_text]
        h_BLD = net(ids_BL, views, places(ids_BL == tokenizer.image), cache=cache)
        for left in reversed(range(max_new_tokens)):
            next_B = _choose(net.logits(h_BLD[:, -1]), texts, temperature)
            new = next_B.tolist()
            for row in reversed(range(len(texts))):
                if new[row] == tokenizer.eos:
                    cache.drop(row)  # the last row takes its place in the cache, and likewise here
                    texts[row], new[row] = texts[-1], new[-1]
                    del texts[-1], new[-1]
            for text, token in zip(texts, new, strict=True):
                text.append(token)
                yield text.row, token
            if not texts or not left:
                return
            h_BLD = net(torch.tensor(new, device=device)[:, None], cache=cache)


@contextmanager
def _reading(net: DeepseekOcr) -> Iterator[None]:
    was_training = net.training
    net.eval()
    try:
        with keep_packed(net):
            yield
    finally:
        net.train(was_training)


def _choose(logits_BV: Tensor, texts: list[_Text], temperature: float) -> Tensor:
    for b, text in enumerate(texts):
        if banned := text.banned():
            logits_BV[b, banned] = -torch.inf
    if not temperature:
        return logits_BV.argmax(-1)
    shares_BV = torch.softmax(logits_BV.float() / temperature, dim=-1).cpu()
    drawn = [torch.multinomial(shares_BV[b], 1, generator=text.draws) for b, text in enumerate(texts)]
    return torch.cat(drawn).to(logits_BV.device)


def stream(
    net: DeepseekOcr,
    tokenizer: TextTokenizer,
    images: Sequence[Views],
    prompt: str,
    max_new_tokens: int,
    no_repeat: NoRepeat = NoRepeat(),
) -> Iterator[tuple[int, str]]:
    """(number of the image, piece of its text), each piece as soon as its tokens make whole characters. A text that stops within
    a character ends in U+FFFD, as from `generate`."""
    decoders = [DecodeStream(skip_special_tokens=False) for _ in images]
    ids_of: list[list[int]] = [[] for _ in images]
    num_given = [0] * len(images)
    for row, token in tokens(net, tokenizer, images, prompt, max_new_tokens, no_repeat):
        ids_of[row].append(token)
        if piece := decoders[row].step(tokenizer.inner, token):
            num_given[row] += len(piece)
            yield row, piece
    for row, ids in enumerate(ids_of):
        if rest := tokenizer.decode(ids)[num_given[row] :]:
            yield row, rest


def generate(
    net: DeepseekOcr,
    tokenizer: TextTokenizer,
    images: Sequence[Asked],
    prompt: str,
    max_new_tokens: int,
    no_repeat: NoRepeat = NoRepeat(),
) -> list[str]:
    """The network's text for each image, in the spelling of its tokens, which `datagen.target` decodes (`decode`, `restore`)."""
    ids_of: list[list[int]] = [[] for _ in images]
    for row, token in tokens(net, tokenizer, images, prompt, max_new_tokens, no_repeat):
        ids_of[row].append(token)
    return [tokenizer.decode(ids) for ids in ids_of]


def main() -> None:
    from model.files.network_folder import load_model

    parser = argparse.ArgumentParser(prog="python -m model.generate", description="read images with a trained network")
    parser.add_argument("folder", help="of model.safetensors, config.json and tokenizer.json")
    parser.add_argument("images", nargs="+", metavar="IMAGE")
    parser.add_argument("--mode", choices=MODES, default="base")
    names = ", ".join(prompt.name.lower() for prompt in Prompt)
    parser.add_argument("--prompt", default="free", help=f"{names}, or any other that the network was trained on, in its words")
    parser.add_argument("--max-new-tokens", type=int, default=4096)
    args = parser.parse_args()
    try:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        net, tokenizer = load_model(Folder(args.folder), device)
        for name in args.images:
            images = [_opened(name, args.mode)]
            if len(args.images) > 1:
                print(f"\n==> {name} <==")
            for _, piece in stream(net, tokenizer, images, prompt_of(args.prompt), args.max_new_tokens):
                print(piece, end="", flush=True)
            print()
    except (OSError, ValueError) as error:
        sys.exit(str(error))


def prompt_of(words: str) -> str:
    """The prompt for `words`: one of `Prompt` by its name, or the words themselves, with the image above them unless they place
    it. Raises `ValueError` for several images."""
    if words.upper() in Prompt.__members__:
        return Prompt[words.upper()].value
    if words.count(IMAGE) > 1:
        raise ValueError(f"the prompt has {words.count(IMAGE)} times {IMAGE}: an image is read at a time")
    return words if IMAGE in words else f"{IMAGE}\n{words}"


def _opened(name: str, mode: str) -> Views:
    try:
        return load(Path(name).read_bytes(), mode)
    except UnidentifiedImageError:
        raise ValueError(f"{name} is no image that Pillow knows") from None
    except Image.DecompressionBombError as error:
        raise ValueError(f"{name}: {error}") from None


if __name__ == "__main__":
    main()
