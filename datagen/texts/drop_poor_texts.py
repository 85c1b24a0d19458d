"""Texts that teach little, dropped by the filters of Gopher and FineWeb as datatrove has them, in any script.

datatrove's own way to words is a library for each language. Here a word of a script without spaces is so many letters, and what
goes by words goes by as many times more of these.
"""

import functools
import importlib.metadata
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from datagen.engines import Engines
from datagen.record import Drop, Sample
from datagen.work.pipeline import Stage
from datagen.writing import scripts

FILTERS = ("gopher_quality", "gopher_repetition", "fineweb")
_LETTERS = {2: f"{scripts.IDEOGRAPHS}{scripts.KANA}{scripts.BOPOMOFO}{scripts.YI}", 3: scripts.PHRASED}
"""By how many letters a word has, about: what stands without spaces between words."""
_UNSPACED = {per_word: re.compile(rf"(?=\w)[{letters}]") for per_word, letters in _LETTERS.items()}
_ALL = "".join(_LETTERS.values())
# Words between spaces, as Gopher's are; of what has none a letter, with the marks and the punctuation behind it.
_WORD = re.compile(rf"(?=\w)[{_ALL}](?:(?!\w)\S)*|(?:(?!\w)\S)*[^\s{_ALL}]+(?:(?!\w)\S)*|\S")
_LOOKED_AT = 5000  # characters that tell how a text is written


@dataclass(frozen=True)
class DropPoorTexts(Stage):
    """Drops texts that one of `filters` refuses, some of `FILTERS`, in turn; the reason is the filter's name and its own.

    The limits are those of Gopher (Rae et al. 2021) and FineWeb (Penedo et al. 2024), with these exceptions: common words are
    asked for in English alone; other languages' words are from 2 to 20 characters long on average, in place of 3 to 10, and of
    any length where no spaces are between them. FineWeb's filter is for pages of the web, whose lines are paragraphs. Samples of
    other tasks pass by.
    """

    filters: tuple[str, ...] = ("gopher_quality", "gopher_repetition")
    batch_size: int = 1

    def __post_init__(self) -> None:
        if unknown := [name for name in self.filters if name not in FILTERS]:
            raise ValueError(f"filters: there is no filter {unknown[0]!r} of texts: allowed are {', '.join(FILTERS)}")

    def engines(self) -> dict[str, str]:
        return {"datatrove": importlib.metadata.version("datatrove")}

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        from datatrove.data import Document

        for sample in batch:
            reasons = ""
            if sample.task == "text":
                per_word, is_english = letters_per_word(sample.text), sample.lang.split("-")[0] == "en"
                document = Document(sample.text, sample.key)
                verdicts = ((name, _filter(name, per_word, is_english).filter(document)) for name in self.filters)
                reasons = next((f"{name}: {why[1]}" for name, why in verdicts if why is not True), "")
            yield sample.drop("poor_text", type(self).__name__, reasons) if reasons else sample


def letters_per_word(text: str) -> int:
    """1 for a text with spaces between its words, else how many letters stand for a word."""
    looked_at = text[:_LOOKED_AT]
    num_letters = sum(map(str.isalpha, looked_at))
    for per_word, letters in _UNSPACED.items():
        if 2 * len(letters.findall(looked_at)) > num_letters:
            return per_word
    return 1


@functools.cache
def _filter(name: str, per_word: int, is_english: bool) -> Any:
    """datatrove's filter for texts whose words are so many letters."""
    from datatrove.pipeline.filters import FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Words(WordTokenizer):
        def word_tokenize(self, text: str) -> list[str]:
            return text.split() if per_word == 1 else _WORD.findall(text)

        def sent_tokenize(self, text: str) -> list[str]:
            raise NotImplementedError

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            raise NotImplementedError

    words: Any = Words()
    if name == "gopher_quality":
        return GopherQualityFilter(
            min_doc_words=50 * per_word,
            max_doc_words=None,  # samples are bounded already
            min_avg_word_length=None if per_word > 1 else 3 if is_english else 2,
            max_avg_word_length=None if per_word > 1 else 10 if is_english else 20,
            max_symbol_word_ratio=0.1 / per_word,
            min_stop_words=2 if is_english else None,
            language=words,
        )
    if name == "gopher_repetition":
        # datatrove counts the spaces that it puts between a gram's words.
        spaced = [(n * per_word, share * (2 - 1 / (n * per_word) if per_word > 1 else 1)) for n, share in _TOP_GRAMS]
        again = tuple((n * per_word, share) for n, share in _GRAMS_AGAIN)
        return GopherRepetitionFilter(top_n_grams=tuple(spaced), dup_n_grams=again, language=words)
    return FineWebQualityFilter(new_line_ratio=0.3 / per_word, short_line_length=30 // per_word, language=words)


_TOP_GRAMS = ((2, 0.2), (3, 0.18), (4, 0.16))
_GRAMS_AGAIN = ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10))
"""Of Gopher's table A1: words of a run, and the largest share of the text's characters, of the commonest run, and of repeated
ones."""
