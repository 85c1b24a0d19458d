"""Greedy generation: a batch says what its samples say alone, and repetition is cut."""

import pytest
import torch

from datagen.target import Prompt
from model.config import TINY
from model.deepseek_ocr import build
from model.evaluate import edit_distance
from model.generate import generate
from model.tokenizer import train_tokenizer
from tests.model.lines import EIGHT


@pytest.fixture(scope="module")
def reader():
    tokenizer = train_tokenizer(EIGHT, 400)
    return build(TINY.with_vocab(len(tokenizer)), seed=3).eval(), tokenizer


def pixels(count: int) -> torch.Tensor:
    return torch.randn(count, 3, 512, 512, generator=torch.Generator().manual_seed(0))


def test_a_batch_says_what_its_samples_say_alone(reader):
    net, tokenizer = reader
    x_B3SS = pixels(3)
    together = generate(net, tokenizer, x_B3SS, Prompt.FREE, "tiny", 12)
    alone = [generate(net, tokenizer, x[None], Prompt.FREE, "tiny", 12)[0] for x in x_B3SS]
    assert together == alone
    assert all(together)


def test_a_cache_says_what_whole_forwards_say(reader):
    net, tokenizer = reader
    x_B3SS = pixels(1)
    ids = tokenizer.prompt(Prompt.FREE, 73)
    start = len(ids)
    with torch.no_grad():
        for _ in range(10):
            ids_BL = torch.tensor([ids])
            h_BLD = net.model(ids_BL, x_B3SS, ids_BL == tokenizer.image)
            ids.append(int(net.logits(h_BLD[:, -1]).argmax()))
    assert generate(net, tokenizer, x_B3SS, Prompt.FREE, "tiny", 10) == [tokenizer.decode(ids[start:])]


def test_a_banned_ngram_by_hand(reader):
    """A network that would say `a` for ever, then `b`, then `c`: no three tokens come twice."""
    net, tokenizer = reader
    words = [tokenizer.encode(letter)[0] for letter in "abc"]

    class Stuck(torch.nn.Module):
        config = net.config
        training = False
        model = net.model

        def logits(self, h_BD):
            logits = torch.zeros(len(h_BD), len(tokenizer))
            logits[:, words] = torch.tensor([3.0, 2.0, 1.0])
            return logits

    assert generate(Stuck(), tokenizer, pixels(1), Prompt.FREE, "tiny", 9, ngram=3) == ["aaabaacaa"]


def test_eos_ends_a_sample_and_the_others_go_on(reader):
    net, tokenizer = reader

    class Counting(torch.nn.Module):
        """The first sample ends after two tokens, the second after four."""

        config = net.config
        training = False
        model = net.model
        step = 0

        def logits(self, h_BD):
            self.step += 1
            logits = torch.zeros(len(h_BD), len(tokenizer))
            logits[:, tokenizer.encode("x")[0]] = 1
            if self.step in (3, 5):
                logits[0, tokenizer.eos] = 2
            return logits

    assert generate(Counting(), tokenizer, pixels(2), Prompt.FREE, "tiny", 20) == ["xx", "xxxx"]


@pytest.mark.parametrize(
    ("truth", "reading", "distance"),
    [("abc", "abc", 0), ("", "", 0), ("abc", "", 1), ("abcd", "abxd", 0.25), ("ab", "abcd", 0.5)],
)
def test_edit_distance_is_over_the_longer_text(truth, reading, distance):
    assert edit_distance(truth, reading) == distance
