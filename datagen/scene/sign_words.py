"""The words of signs, in languages of many scripts: names, lists and prose.

Names of places, languages, days and months, prices, times and opening hours come from Unicode's CLDR, which Babel has. Prose
comes from the texts that are named; without a text it is a list of names. CLDR's licence is Unicode-3.0; the Universal
Declaration of Human Rights is in the public domain.
"""

import datetime
import functools
import random
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from babel import Locale, dates, numbers
from babel.core import get_global

from datagen.drawing.families import families
from datagen.figures.charts.words import LANGUAGES, Words, cached
from datagen.samples import declarations
from datagen.writing import scripts

TEXTS: Mapping[str, Callable[[str], list[str]]] = {"udhr": declarations.paragraphs}
"""Functions that give the paragraphs of a language (BCP-47), by name. They raise `ValueError` if there are none."""
LICENCE = "Unicode-3.0"
_CASELESS = ("tr", "az", "el", "de", "lt")  # their capitals need more than Python's `upper`
_JOINED = ("Arab", "Deva", "Beng", "Guru", "Syrc")  # their letters join: monospaced typefaces draw them torn
_SAMPLE = 80  # names by which a language's typefaces are chosen
_WIDE_AND_UPRIGHT = "ー"


@dataclass(frozen=True)
class SignWords:
    """A language's words, its script (ISO 15924), and the typefaces that draw them."""

    lang: str
    script: str
    families: tuple[str, ...]
    words: Words
    paragraphs: tuple[str, ...]

    @property
    def is_rtl(self) -> bool:
        return self.script in scripts.RTL

    @property
    def locale(self) -> str:
        return LANGUAGES[self.lang][0]

    def name(self, source: random.Random, most: int = 26) -> str:
        """A name, mostly of a place; at times in capitals."""
        lists = (self.words.cities, self.words.countries, self.words.languages)
        names = [name for name in source.choices(lists, (6, 3, 1))[0] if len(name) <= most] or self.words.countries
        name = source.choice(names)
        return name.upper() if source.random() < 0.35 and self.lang not in _CASELESS else name

    def short(self, source: random.Random) -> str:
        """A short number: a price, a time, a year, a number of a house or of a telephone."""
        match source.randrange(5):
            case 0:
                return self._price(source)
            case 1:
                return self._time(source)
            case 2:
                return self.words.year(source.randint(1890, 2026), self.words.numbers(source))
            case 3:
                return self.words.year(source.randint(1, 300), self.words.numbers(source))
            case _:
                return "-".join(f"{source.randrange(10**n):0{n}}" for n in source.choice(((3, 4), (2, 3, 4), (4, 4), (3, 3, 3))))

    def items(self, source: random.Random, number: int) -> list[str]:
        """At most `number` lines of a list: names, prices, opening hours, distances, or departures."""
        kind = source.randrange(5)
        names = [self.name(source, 16) for _ in range(number)]
        if kind == 0:
            return [f"{name}  {self._price(source)}" for name in names]
        if kind == 1:
            days = self.words.days(is_short=source.random() < 0.5)
            opens, closes = self._time(source, 6, 11), self._time(source, 15, 22)
            first = source.randrange(max(1, len(days) - number + 1))
            return [f"{day}  {opens}–{closes}" for day in days[first : first + number]]
        if kind == 2:
            return [f"{name}  {source.randint(1, 240)} km" for name in names]
        if kind == 3:
            return [f"{self._time(source)}  {name}" for name in names]
        return names

    def prose(self, source: random.Random) -> str:
        """A paragraph; without texts, names joined by commas."""
        if self.paragraphs:
            return source.choice(self.paragraphs)
        comma = {"Arab": "، ", "Hans": "、", "Hant": "、", "Jpan": "、"}.get(self.script, ", ")
        return comma.join(self.name(source, 18) for _ in range(source.randint(4, 9)))

    def squares(self, source: random.Random, most: int) -> str:
        """Up to `most` full-width characters that can stand in a column; "" if chance gives none."""
        text = self.prose(source) if source.random() < 0.5 else self.name(source)
        wide = [c for c in text if c in _WIDE_AND_UPRIGHT or unicodedata.east_asian_width(c) in "WF"]
        return "".join(wide[:most]).strip("、。，,；・ ").strip()

    def _price(self, source: random.Random) -> str:
        value = source.choice((source.randint(1, 99) - 0.01, source.randint(1, 500) / 10, float(source.randint(1, 900))))
        return _plain(numbers.format_currency(value, _currency(self.locale), locale=self.locale))

    def _time(self, source: random.Random, first: int = 0, last: int = 23) -> str:
        time = datetime.time(source.randint(first, last), source.choice((0, 0, 15, 30, 45, source.randrange(60))))
        return _plain(dates.format_time(time, "HH:mm" if source.random() < 0.6 else "short", locale=self.locale))


@functools.lru_cache(maxsize=128)
def words_of(lang: str, texts: tuple[str, ...]) -> SignWords | None:
    """The words of a language of `charts.words.LANGUAGES`; None if this machine has no typeface for them."""
    words = cached(lang, _any)
    sample = " ".join([*words.countries[:_SAMPLE], *words.cities[:_SAMPLE], *words.months(False), *words.days(False)])
    script = scripts.main_script(sample)[0]
    fitting = (p for name in texts for p in TEXTS[name](lang) if 20 <= len(p) <= 400)
    paragraphs = tuple(p for p in fitting if scripts.main_script(p)[0] == script)
    able = tuple(name for name in families(sample, lang) if script not in _JOINED or "Mono" not in name)
    return SignWords(lang, script, able, words, paragraphs) if able else None


def _any(text: str) -> bool:
    return True


@functools.cache
def _currency(locale: str) -> str:
    """The currency of the country where the language is at home."""
    likely = get_global("likely_subtags")
    place = Locale.parse(str(likely.get(locale, likely.get(locale.partition("_")[0], "en_Latn_US")))).territory or "US"
    return str((numbers.get_territory_currencies(place) or ["USD"])[-1])


def _plain(text: str) -> str:
    """Text without marks of direction, and with plain spaces, as people type it."""
    shown = "".join(char for char in text if unicodedata.category(char) != "Cf" or char in "\u200c\u200d")
    return " ".join(shown.split())
