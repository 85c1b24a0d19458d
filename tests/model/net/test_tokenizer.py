"""The byte-level tokenizer loses nothing, in any script, and knows the special tokens by name."""

import random

import pytest

from datagen.target import IMAGE, SPECIAL_TOKENS, Prompt
from model.net.tokenizer import TextTokenizer, byte_tokenizer, train_tokenizer
from tests.model.lines import EIGHT

# One line of as many scripts as Unicode's blocks of letters; none of these are in the tokenizer's training text.
# fmt: off
BLOCKS = (0x0041, 0x0100, 0x0370, 0x0400, 0x0530, 0x05D0, 0x0620, 0x0710, 0x0780, 0x0900, 0x0980, 0x0A00, 0x0A80, 0x0B00, 0x0B80)
BLOCKS += (0x0C00, 0x0C80, 0x0D00, 0x0D80, 0x0E00, 0x0E80, 0x0F00, 0x1000, 0x10A0, 0x1100, 0x1200, 0x13A0, 0x1400, 0x1680, 0x16A0)
BLOCKS += (0x1780, 0x1800, 0x1E00, 0x2200, 0x2C80, 0x2D30, 0x3040, 0x30A0, 0x4E00, 0xA000, 0xAC00, 0xFB50, 0x10400, 0x12000)
BLOCKS += (0x1F600,)
# fmt: on


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(EIGHT, 512)


@pytest.mark.parametrize("start", BLOCKS, ids=hex)
def test_every_script_comes_back(tokenizer, start):
    text = "".join(chr(start + n) for n in range(32))
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_random_text_comes_back(tokenizer):
    source = random.Random(0)
    for _ in range(500):
        codes = [source.choice((source.randrange(0x20), source.randrange(0x250), source.randrange(0x110000))) for _ in range(30)]
        text = "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)
        assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize(
    "text", ["", " ", "  two  spaces ", "\n\n\ttab\r\n", "e\u0301 stays apart", "１２３ 123456789", "<|ref|>x<|/ref|>"]
)
def test_nothing_is_normalised(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_special_tokens_are_one_token_each(tokenizer):
    for token in SPECIAL_TOKENS:
        assert tokenizer.encode(token) == [tokenizer.id(token)]
    assert len({tokenizer.id(token) for token in SPECIAL_TOKENS}) == len(SPECIAL_TOKENS)


def test_a_prompt_holds_the_placeholders(tokenizer):
    ids = tokenizer.prompt(Prompt.MARKDOWN, 5)
    assert tokenizer.decode(ids) == "<｜begin▁of▁sentence｜>" + Prompt.MARKDOWN.replace(IMAGE, IMAGE * 5)
    assert ids.count(tokenizer.image) == 5


def test_the_same_text_gives_the_same_bytes_and_a_file_reads_back(tokenizer):
    data = tokenizer.to_json()
    assert train_tokenizer(EIGHT, 512).to_json() == data
    again = TextTokenizer.from_json(data)
    assert again.encode(EIGHT[1]) == tokenizer.encode(EIGHT[1]) and again.to_json() == data


def test_merges_are_learned(tokenizer):
    assert len(tokenizer) <= 512
    assert len(tokenizer.encode(EIGHT[0])) < len(EIGHT[0].encode()) / 2


def test_an_unknown_name_is_refused(tokenizer):
    with pytest.raises(ValueError, match="<none>"):
        tokenizer.id("<none>")


def test_bytes_have_a_token_each():
    tokenizer = byte_tokenizer()
    text = "é, 中 and\n</td>"
    assert len(tokenizer) == 256 + len(SPECIAL_TOKENS)
    assert len(tokenizer.encode(text)) == len(text.removesuffix("</td>").encode()) + 1
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.to_json() == byte_tokenizer().to_json()
