"""The model of model/ as a reader of lines: in its mode `line`, after the flywheel has trained it on crops."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy
import torch
from PIL import Image
from torch import Tensor

from datagen.engines import token_reader
from datagen.engines.token_reader import MODEL, TokenReader
from datagen.target import Prompt, neutralise, restore
from model.files.network_folder import load_model
from model.generate import NoRepeat, tokens
from model.net.batch import Batch, Tokens, batch, packed, through
from model.net.deepseek_ocr import DeepseekOcr
from model.net.image import Views, views
from model.net.tokenizer import TextTokenizer

PACKAGES = ("tokenizers",)
MODE = "line"
weights_sha256 = token_reader.weights_sha256

PROMPT = Prompt.FREE.value


def engines() -> dict[str, str]:
    return token_reader.package_versions(PACKAGES)


def view(crop: numpy.ndarray) -> Views:
    """A crop, (H, W) gray bytes, as the encoder takes it."""
    return views(Image.fromarray(numpy.ascontiguousarray(crop)).convert("RGB"), MODE)


def answered(image: Views, answer: Sequence[int], tokenizer: TextTokenizer, source: int = 0) -> Tokens:
    """A line with the tokens of its text and the end token."""
    asked = tokenizer.prompt(PROMPT, image.num_tokens)
    learned = [*answer, tokenizer.eos]
    return Tokens([*asked, *learned], [False] * len(asked) + [True] * len(learned), (image,), source)


def answer(text: str, tokenizer: TextTokenizer) -> list[int]:
    return tokenizer.encode(neutralise(text))


def together(lines: Sequence[Tokens], tokenizer: TextTokenizer) -> Batch:
    """These lines in the fewest rows."""
    return batch(packed(lines, max(len(line.ids) for line in lines)), tokenizer)


@dataclass(frozen=True)
class Network:
    net: DeepseekOcr
    tokenizer: TextTokenizer


class OurReader(TokenReader):
    """The engine `ours`: a reader that the flywheel trained."""

    kind, packages = "ours", PACKAGES

    def _opened(self, device: str, dtype: torch.dtype) -> Network:
        net, tokenizer = load_model(self.folder.sub(MODEL), device, dtype)
        return Network(net.eval(), tokenizer)

    def _readings(self, crops: Sequence[numpy.ndarray]) -> list[tuple[str, float]]:
        network: Network = self.network
        images, tokenizer = [view(crop) for crop in crops], network.tokenizer
        most = self.config["max_new_tokens"]
        # No run of tokens is forbidden, since leaders repeat themselves and the number of tokens is bounded.
        answers: list[list[int]] = [[] for _ in crops]
        for row, token in tokens(network.net, tokenizer, images, PROMPT, most, NoRepeat(ngram=0)):
            answers[row].append(token)
        # A network that learned little writes tokens that aren't text. Its reading ends there, and counts as one without an end.
        no_text = {tokenizer.bos, tokenizer.pad, tokenizer.image}
        written = [list(takewhile(lambda token: token not in no_text, answer)) for answer in answers]
        have_end = [len(text) == len(answer) < most for text, answer in zip(written, answers, strict=True)]
        nats = self._nats(network, [answered(*pair, tokenizer, n) for n, pair in enumerate(zip(images, written, strict=True))])
        texts = [restore(tokenizer.decode(answer)) for answer in written]
        scores = [float(numpy.exp(-n)) if has_end else 0.0 for has_end, n in zip(have_end, nats, strict=True)]
        return list(zip(texts, scores, strict=True))

    def _nats(self, network: Network, lines: Sequence[Tokens]) -> list[float]:
        """The negative log-probability of each line's text, the end included, in nats."""
        one = together(lines, network.tokenizer).to(network.net.lm_head.weight.device)
        each_T: Tensor = through(network.net, one).each_T.double()
        return torch.zeros(len(lines), dtype=torch.double, device=each_T.device).index_add_(0, one.sources_T, each_T).tolist()
