"""Pages whose text has a known number of a model's tokens: what the paper's compression table is measured on (section 4.1).

The text are sentences of a language in no order, so that a model that knows the book can't recite it. One column of paragraphs on
an A4 page, in the largest size that the page has room for.
"""

import functools
import hashlib
import importlib.metadata
import io
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import regex
from PIL import Image

from datagen.drawing.prose import Prose
from datagen.drawing.sheet import Column, Flow, Sheet
from datagen.record import SampleError
from datagen.samples import declarations, translations
from datagen.work.draws import Drawing
from datagen.work.specification import PLACE
from datagen.writing import signs
from datagen.writing.direction import is_rtl
from datagen.writing.scripts import main_script

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NUM_TOKENS = "text_tokens"
"""The name of the metadata that has the number."""
LEAST, MOST = 600, 1300

_COLUMN = Column(50, 48, 495, 800)  # points, of an A4 page
_SIZES = tuple(size / 2 for size in range(24, 11, -1))  # points, the largest first
_LONG_SIDE = 1280  # pixels: twice that of the mode `small`
_SENTENCE = regex.compile(rf"[^{signs.STOPS}]{{8,}}[{signs.STOPS}]+")
_MORE = {"en": "en-US"}  # which LibreOffice's help is in
_FEWEST = 40
_SENTENCES = (3, 7)  # of a paragraph, from and to
_TRIED = 12  # sentences more, for the rest of the last one


@dataclass(frozen=True)
class TokenPages:
    """Pages of `LEAST` to `MOST` tokens, evenly, of the tokenizer in the file `tokenizer`, which is told by its `sha256`, in the
    language `lang`."""

    version: ClassVar[int] = 2
    name: ClassVar[str] = "pages"
    task: ClassVar[str] = "page"

    lang: str
    sha256: str
    tokenizer: str = field(default="", metadata=PLACE)

    @classmethod
    def of(cls, file: str, lang: str) -> "TokenPages":
        """Raises `OSError` if the file can't be read."""
        return cls(lang, hashlib.sha256(Path(file).read_bytes()).hexdigest(), file)

    def engines(self) -> dict[str, str]:
        return {name: importlib.metadata.version(name) for name in ("cairocffi", "pangocairocffi", "tokenizers")}

    def draw(self, random: random.Random) -> Drawing:
        wanted = random.randint(LEAST, MOST - 1)
        paragraphs, num = self._text(wanted, random)
        sheet = self._set(paragraphs, random)
        zoom = _LONG_SIDE / max(sheet.paper_pt)
        image = Image.fromarray(sheet.pixels(zoom))
        file = io.BytesIO()
        image.save(file, "PNG")
        text = "\n\n".join(paragraphs)
        script = main_script(text)[0]
        regions = tuple(sheet.in_pixels(zoom, self.name))
        return Drawing(file.getvalue(), image.size, text, regions, self.lang, script, metadata={NUM_TOKENS: str(num)})

    def _text(self, wanted: int, random: random.Random) -> tuple[list[str], int]:
        """Paragraphs of `wanted` tokens, or a few less, and how many they have."""
        tokenizer, pool, paragraphs = tokens_of(self.tokenizer), list(sentences(self.lang)), list[str]()
        random.shuffle(pool)
        left = itertools.cycle(pool)
        space = "" if self.lang[:2] in ("zh", "ja", "th") else " "
        num = 0

        def num_tokens(texts: Sequence[str]) -> int:
            return len(tokenizer.encode("\n\n".join(texts), add_special_tokens=False).ids)

        while True:
            taken = list(itertools.islice(left, random.randint(*_SENTENCES)))
            longer = [*paragraphs, space.join(taken)]
            if (count := num_tokens(longer)) <= wanted:
                paragraphs, num = longer, count
                continue
            for sentence in (*taken, *itertools.islice(left, _TRIED)):  # the last paragraph is as long as there is room for
                longer = [*paragraphs[:-1], f"{paragraphs[-1]}{space}{sentence}"] if paragraphs else [sentence]
                if (count := num_tokens(longer)) <= wanted:
                    paragraphs, num = longer, count
            if num < LEAST:
                raise SampleError("too_few_tokens", f"{num} of {wanted}: a sentence alone is longer than what is left")
            return paragraphs, num

    def _set(self, paragraphs: Sequence[str], source: random.Random) -> Sheet:
        text, family, fitting = "\n\n".join(paragraphs), "", None
        low, high = 0, len(_SIZES)  # of the sizes, the largest first, those before `low` have no room
        while low < high:
            middle = (low + high) // 2
            sheet = Sheet(Prose(self.lang, list(paragraphs), source), family=family, rtl=is_rtl(text, main_script(text)[0]))
            family, flow = sheet.family, Flow(sheet, [_COLUMN])
            for paragraph in paragraphs:
                flow.text("text", paragraph, _SIZES[middle], leading=1.25, gap=0.6 * _SIZES[middle])
            if sum(_num_letters(region.text) for region in sheet.regions) >= _num_letters(text):
                fitting, high = sheet, middle
            else:
                low = middle + 1
        if fitting is None:
            raise SampleError("no_room", f"{len(text)} characters have no room on a page at {_SIZES[-1]} points")
        return fitting


def _num_letters(text: str) -> int:
    return len(text) - sum(map(str.isspace, text))


@functools.lru_cache(maxsize=2)
def tokens_of(file: str) -> "Tokenizer":
    """The tokenizer in a `tokenizer.json`. Raises `ValueError` if there is none."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str(Path(file).read_text(encoding="utf-8"))
    except Exception as error:  # tokenizers raises plain ones
        raise ValueError(f"{file}: a model's tokenizer.json is needed ({error})") from None


@functools.lru_cache(maxsize=2)
def sentences(lang: str) -> tuple[str, ...]:
    """Sentences in a language (BCP-47), each once, out of the packages that are at hand. Raises `ValueError` if they are too few
    to set a page."""
    unique: dict[str, None] = {}
    paragraphs = [*declarations.paragraphs(lang), *translations.paragraphs(_MORE.get(lang, lang))]
    for paragraph in paragraphs:
        unique |= dict.fromkeys(sentence.strip() for sentence in _SENTENCE.findall(paragraph.replace("\n", " ")))
    if len(unique) < _FEWEST:
        raise ValueError(
            f"lang={lang}: packages have {len(unique)} sentences in it, and a page needs {_FEWEST}: choose another one"
        )
    return tuple(unique)
