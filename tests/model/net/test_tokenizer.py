"""The byte-level tokenizer loses nothing, in any script, and knows the special tokens by name."""

import random

import pytest

from datagen.target import IMAGE, SPECIAL_TOKENS, Prompt
from model.net.tokenizer import TextTokenizer, byte_tokenizer, train_tokenizer
from tests.model.lines import EIGHT


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(EIGHT, 512)


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
