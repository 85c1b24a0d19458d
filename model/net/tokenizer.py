"""A byte-level BPE tokenizer, trained on the corpus, with DeepSeek's special tokens, which are found by name, never by id."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from datagen.target import BOS, EOS, IMAGE, PAD, SPECIAL_TOKENS

# DeepSeek's own split of text before its merges: numbers by at most three digits, runs of Han and kana by themselves.
_NUMBERS = r"\p{N}{1,3}"
_HAN_KANA = r"[\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+"


@dataclass(frozen=True)
class TextTokenizer:
    """From text to ids and back. Every text comes back unchanged: any byte has a token, and nothing is normalised."""

    inner: Tokenizer

    def __len__(self) -> int:
        return self.inner.get_vocab_size()

    def id(self, token: str) -> int:
        """The id of a token by its name. Raises `ValueError` if there is none."""
        number = self.inner.token_to_id(token)
        if number is None:
            raise ValueError(f"the tokenizer has no token {token!r}")
        return number

    @property
    def bos(self) -> int:
        return self.id(BOS)

    @property
    def eos(self) -> int:
        return self.id(EOS)

    @property
    def pad(self) -> int:
        return self.id(PAD)

    @property
    def image(self) -> int:
        return self.id(IMAGE)

    def encode(self, text: str) -> list[int]:
        return self.inner.encode(text, add_special_tokens=False).ids

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text."""
        return [len(encoding) for encoding in self.inner.encode_batch(list(texts), add_special_tokens=False)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text, with special tokens as their names, and U+FFFD for bytes that are no UTF-8."""
        return self.inner.decode(list(ids), skip_special_tokens=False)

    def prompt(self, text: str, *num_image: int) -> list[int]:
        """The ids of [bos] and `text`, in which each `<image>` becomes its number of placeholders. Raises `ValueError` unless
        `text` has as many `<image>` as there are numbers."""
        first, *others = text.split(IMAGE)
        ids = [self.bos, *self.encode(first)]
        for num, piece in zip(num_image, others, strict=True):
            ids += [self.image] * num + self.encode(piece)
        return ids

    def to_json(self) -> bytes:
        return self.inner.to_str(pretty=True).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "TextTokenizer":
        """The tokenizer of a `tokenizer.json`. Raises `ValueError` for other data."""
        try:
            return cls(Tokenizer.from_str(data.decode()))
        except Exception as error:  # the library has no exception of its own
            raise ValueError(f"tokenizer.json can't be read: {error}") from error


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> TextTokenizer:
    """A tokenizer of at most `vocab_size` tokens, the special ones first. The same texts give the same tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_NUMBERS), "isolated"),
            pre_tokenizers.Split(Regex(_HAN_KANA), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return TextTokenizer(tokenizer)


def byte_tokenizer() -> TextTokenizer:
    """The tokenizer without merges: the special tokens, and a token a byte. It needs no corpus, and has the fewest tokens for a
    small network to tell apart."""
    return train_tokenizer((), len(SPECIAL_TOKENS) + len(pre_tokenizers.ByteLevel.alphabet()))
