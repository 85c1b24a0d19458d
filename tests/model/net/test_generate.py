"""Greedy generation: a batch says what its samples say alone, and repetition is cut."""

import sys

import pytest
import torch
from PIL import Image

from datagen.disk.storage import Folder
from datagen.target import Prompt
from model.generate import NoRepeat, generate, main, prompt_of, stream
from model.net.config import tiny
from model.net.deepseek_ocr import build
from model.net.image import Views
from model.net.image_modes import MODES
from model.net.tokenizer import train_tokenizer
from model.train.export import export
from tests.model.lines import EIGHT


@pytest.fixture(scope="module")
def reader():
    tokenizer = train_tokenizer(EIGHT, 400)
    return build(tiny().with_vocab(len(tokenizer)), seed=3).eval(), tokenizer


def images(*modes: str, width: int = 300, height: int = 64) -> list[Views]:
    """Noise, as an image of this size has it in each of `modes`."""
    source = torch.Generator().manual_seed(0)
    return [Views(torch.randn(3, *MODES[mode].whole(width, height)[::-1], generator=source)) for mode in modes]


class Scripted(torch.nn.Module):
    """The tiny network with other logits: what `say` makes of the step and the number of rows."""

    def __init__(self, net, say):
        super().__init__()
        self.inner, self.say, self.step = net, say, 0
        self.config, self.lm_head = net.config, net.lm_head

    def forward(self, *args, **more):
        return self.inner(*args, **more)

    def logits(self, h_BD):
        self.step += 1
        return self.say(self.step, len(h_BD))


def test_a_batch_says_what_its_samples_say_alone(reader):
    """Of several modes, so that some rows begin later than others."""
    net, tokenizer = reader
    views = images("tiny", "line", "small", "tiny", "small", "line")
    together = generate(net, tokenizer, views, Prompt.FREE, 12)
    alone = [generate(net, tokenizer, [view], Prompt.FREE, 12)[0] for view in views]
    assert together == alone
    assert all(together)


def preferring(tokenizer, letters: str):
    words = [tokenizer.encode(letter)[0] for letter in letters]

    def say(step, num_rows):
        logits = torch.zeros(num_rows, len(tokenizer))
        logits[:, words] = torch.arange(len(words), 0, -1).float()
        return logits

    return say


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (lambda b: NoRepeat(0), "aaaaaaaaa"),
        (lambda b: NoRepeat(3), "aaabaacaa"),  # no three tokens come twice
        (lambda b: NoRepeat(2, window=4), "aabacaaba"),  # `aa` comes again when the first of it is five back
        (lambda b: NoRepeat(2, exempt=frozenset([b])), "aababbbbb"),
    ],
)
def test_a_rule_by_hand(reader, rule, text):
    """A network that would say `a` for ever, then `b`, then `c`."""
    net, tokenizer = reader
    stuck = Scripted(net, preferring(tokenizer, "abc"))
    assert generate(stuck, tokenizer, images("tiny"), Prompt.FREE, 9, rule(tokenizer.encode("b")[0])) == [text]


def test_eos_ends_a_sample_and_the_others_go_on(reader):
    """The first sample ends after two tokens, the second after four, and the third has all the room there is."""
    net, tokenizer = reader

    def say(step, num_rows):
        logits = torch.zeros(num_rows, len(tokenizer))
        logits[:, tokenizer.encode("x")[0]] = 1
        if step == 3:
            logits[0, tokenizer.eos] = 2
        if step == 5:
            logits[1, tokenizer.eos] = 2  # the last row took the first one's place
        return logits

    assert generate(Scripted(net, say), tokenizer, images("tiny", "small", "tiny"), Prompt.FREE, 7) == ["xx", "xxxx", "x" * 7]


def spelling(tokenizer, ids):
    """A network's word at each step: the next one of `ids`."""

    def say(step, num_rows):
        logits = torch.zeros(num_rows, len(tokenizer))
        logits[:, ids[step - 1]] = 1
        return logits

    return say


def test_a_stream_is_the_text_in_pieces_of_whole_characters(reader):
    net, tokenizer = reader
    spelled = "naïve 東京"
    say = spelling(tokenizer, [*tokenizer.encode(spelled), tokenizer.eos])
    pieces = list(stream(Scripted(net, say), tokenizer, images("tiny"), Prompt.FREE, 40))
    assert "".join(piece for _, piece in pieces) == spelled
    assert len(pieces) > 3 and not any("\ufffd" in piece for _, piece in pieces)


def test_a_stream_that_stops_within_a_character_says_so(reader):
    net, tokenizer = reader
    ids = tokenizer.encode("ab東")
    say = spelling(tokenizer, ids)
    arguments = tokenizer, images("tiny"), Prompt.FREE, len(ids) - 1
    whole = generate(Scripted(net, say), *arguments)[0]
    assert "".join(piece for _, piece in stream(Scripted(net, say), *arguments)) == whole
    assert whole.startswith("ab") and whole.endswith("\ufffd")


def test_what_cannot_be_read_is_told(reader):
    net, tokenizer = reader
    assert generate(net, tokenizer, [], Prompt.FREE, 9) == []
    with pytest.raises(ValueError, match="max_new_tokens is -3: it must be at least 1"):
        generate(net, tokenizer, images("tiny"), Prompt.FREE, -3)
    tiles = Views(torch.zeros(3, 1280, 1280), torch.zeros(9, 3, 1024, 1024), (3, 3))
    with pytest.raises(ValueError, match=r"take 2\d\d\d tokens, of 2048 in all: a smaller mode takes fewer"):
        generate(net, tokenizer, [tiles], Prompt.FREE, 9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_the_command_line_reads_weights_of_any_precision(reader, tmp_path, monkeypatch, capsys, dtype):
    net, tokenizer = reader
    export(Folder(str(tmp_path)), net, tokenizer, dtype=dtype)
    Image.new("RGB", (60, 40), "white").save(tmp_path / "page.png")
    (tmp_path / "no.png").write_text("no")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/tokenizer.json").write_text("{}")
    words = ["model.generate", "--mode", "tiny", "--max-new-tokens", "5"]
    monkeypatch.setattr(sys, "argv", [*words, str(tmp_path), str(tmp_path / "page.png")])
    main()
    assert capsys.readouterr().out.strip()
    for folder, image, message in (
        (tmp_path, tmp_path / "no.png", "is no image that Pillow knows"),
        (tmp_path / "bad", tmp_path / "page.png", "tokenizer.json can't be read"),
        (tmp_path / "nowhere", tmp_path / "page.png", "nowhere"),
    ):
        monkeypatch.setattr(sys, "argv", [*words, str(folder), str(image)])
        with pytest.raises(SystemExit, match=message):
            main()


def test_a_prompt_may_be_named_or_said():
    assert prompt_of("markdown") == Prompt.MARKDOWN.value and prompt_of("Free") == Prompt.FREE.value
    assert prompt_of("What is it?") == "<image>\nWhat is it?" and prompt_of("Read <image>.") == "Read <image>."
    with pytest.raises(ValueError, match="2 times <image>"):
        prompt_of("<image><image>")
