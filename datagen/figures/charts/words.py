"""The words on charts, in languages of many scripts: names out of Unicode's CLDR, which Babel carries.

CLDR has countries, cities, languages, currencies, months, days, quarters and units, as people write them in a language, and how
they write a date. What is measured, and by what, comes from vocabulary.tsv. Licence of CLDR: Unicode-3.0.
"""

import csv
import datetime
import functools
import math
import random
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date, format_skeleton

from datagen.figures.charts.numbers import NumberFormat

# fmt: off
LANGUAGES: dict[str, tuple[str, int]] = {
    "en": ("en", 24), "zh-Hans": ("zh_Hans", 20), "zh-Hant": ("zh_Hant", 4), "ja": ("ja", 4), "ko": ("ko", 4), "ar": ("ar", 4),
    "fa": ("fa", 2), "ur": ("ur", 1), "he": ("he", 2), "hi": ("hi", 4), "mr": ("mr", 1), "ne": ("ne", 1), "bn": ("bn", 2),
    "ta": ("ta", 2), "te": ("te", 1), "gu": ("gu", 1), "pa": ("pa", 1), "kn": ("kn", 1), "ml": ("ml", 1), "si": ("si", 1),
    "th": ("th", 2), "lo": ("lo", 1), "km": ("km", 2), "my": ("my", 1), "ka": ("ka", 1), "hy": ("hy", 1), "am": ("am", 1),
    "el": ("el", 2), "ru": ("ru", 5), "uk": ("uk", 2), "bg": ("bg", 1), "sr": ("sr", 1), "kk": ("kk", 1), "mn": ("mn", 1),
    "de": ("de", 4), "fr": ("fr", 4), "es": ("es", 4), "pt": ("pt", 3), "it": ("it", 2), "nl": ("nl", 1), "pl": ("pl", 2),
    "cs": ("cs", 1), "hu": ("hu", 1), "ro": ("ro", 1), "tr": ("tr", 2), "vi": ("vi", 3), "id": ("id", 2), "sv": ("sv", 1),
    "da": ("da", 1), "fi": ("fi", 1), "nb": ("nb", 1), "hr": ("hr", 1), "sk": ("sk", 1), "lt": ("lt", 1), "lv": ("lv", 1),
    "et": ("et", 1), "sl": ("sl", 1), "ca": ("ca", 1), "eu": ("eu", 1), "sw": ("sw", 1), "az": ("az", 1), "uz": ("uz", 1),
}
"""Language (BCP-47): its name in CLDR, and how often it comes beside the others."""
# fmt: on

_ZEROS = {"arab": "٠", "arabext": "۰", "deva": "०", "beng": "০", "mymr": "၀"}
_MAX_CHARS = 26
_NO_COUNTRIES = ("ZZ", "XA", "XB")  # nowhere, and what programmers test with
_MONEY = ("USD", "EUR", "GBP", "JPY", "CNY", "INR", "CHF", "BRL", "KRW", "TRY")


@dataclass(frozen=True)
class Category:
    """What one axis of a chart is divided by: the names in order. `division` is that of the vocabulary, "" for none; `when` says
    which time they are of, "" if they say it themselves or if it isn't known. Those in time have a season of `period` steps, 0
    for none, and so many `steps_a_year`. Each `every`-th has room on an axis."""

    names: tuple[str, ...]
    division: str = ""
    when: str = ""
    period: int = 0
    steps_a_year: float = 1.0
    is_time: bool = False
    every: int = 1


@dataclass(frozen=True)
class Words:
    """A language's words, those that `can_draw` says yes to."""

    lang: str
    can_draw: Callable[[str], bool] = lambda text: True

    @functools.cached_property
    def _locale(self) -> Locale:
        return Locale.parse(LANGUAGES[self.lang][0])

    def _good(self, names: Sequence[str], most: int = _MAX_CHARS) -> list[str]:
        """Those that are neither long nor in another script, each once, in their order."""
        own = any(unicodedata.name(char, "").startswith("LATIN") for char in self._locale.months["format"]["wide"][1])
        clean = (" ".join(_plain(name).split()) for name in names)
        is_good = (name for name in clean if 0 < len(name) <= most and (own or not name.isascii()) and self.can_draw(name))
        return list(dict.fromkeys(is_good))

    @functools.cached_property
    def countries(self) -> list[str]:
        return self._good(
            [name for code, name in sorted(self._locale.territories.items()) if code.isalpha() and code not in _NO_COUNTRIES]
        )

    @functools.cached_property
    def cities(self) -> list[str]:
        zones = sorted(self._locale.time_zones.items())
        return self._good([zone["city"] for name, zone in zones if "city" in zone and not name.startswith("Etc/")])

    @functools.cached_property
    def languages(self) -> list[str]:
        return self._good([name for _, name in sorted(self._locale.languages.items())])

    def noun(self, name: str) -> str:
        """What a quantity of `topics` is called. Raises `KeyError` for one that the vocabulary hasn't."""
        return _vocabulary()[self.lang][name]

    def divided(self, what: str, by: str) -> str:
        """What is said of a quantity that is given for each country, city, language, month or year: "Exports by country"."""
        phrase = _vocabulary()[self.lang][f"by {by}"]
        return phrase.replace("{}", what) if "{}" in phrase else f"{what} {phrase}"

    def unit(self, key: str) -> str:
        """The name of a unit of CLDR's; "" where the language has none that it can write here."""
        name = self._locale.unit_display_names.get(key, {}).get("long", "")
        return next(iter(self._good([name], 30)), "")

    def money(self, draw: random.Random) -> str:
        return next(iter(self._good([self._locale.currencies.get(draw.choice(_MONEY), "")], 30)), "")

    def date(self, date: datetime.date, skeleton: str) -> str:
        """A date as the language writes it: a day with its month and year, or for "yMMM" the month and year alone."""
        if skeleton:
            return _plain(format_skeleton(skeleton, date, locale=self._locale)).replace("\u202f", " ")
        return _plain(format_date(date, "medium", locale=self._locale)).replace("\u202f", " ")

    def _of_calendar(self, names: Mapping[str, Any], width: str) -> tuple[str, ...]:
        form = names["stand-alone"] if width in names["stand-alone"] else names["format"]
        items = form[width]
        return tuple(" ".join(_plain(items[key]).split()) for key in sorted(items))

    def months(self, is_short: bool) -> tuple[str, ...]:
        return self._of_calendar(self._locale.months, "abbreviated" if is_short else "wide")

    def days(self, is_short: bool) -> tuple[str, ...]:
        return self._of_calendar(self._locale.days, "abbreviated" if is_short else "wide")

    def quarters(self) -> tuple[str, ...]:
        return self._of_calendar(self._locale.quarters, "abbreviated")

    def numbers(self, draw: random.Random) -> NumberFormat:
        """A way in which this language's charts write numbers, without a unit."""
        system = self._locale.default_numbering_system
        if system not in _ZEROS or draw.random() < 0.3:
            system = "latn"
        symbols = self._locale.number_symbols.get(system) or self._locale.number_symbols["latn"]
        decimal, group = _mark(symbols.get("decimal", ".")), _mark(symbols.get("group", ","))
        zero = ord(_ZEROS.get(system, "0"))
        digits = "".join(chr(zero + n) for n in range(10))
        is_grouped = group != decimal and draw.random() < 0.6
        return NumberFormat(decimal, group if is_grouped else "", digits, draw.choice(("-", "\u2212")))

    def percent(self, numbers: NumberFormat) -> tuple[str, str]:
        """What stands before and behind a percentage."""
        pattern = _plain(self._locale.percent_formats[None].pattern).replace("\xa0", " ").replace("\u202f", " ")
        before, after = pattern.split("#")[0], pattern.rsplit("0", 1)[-1]
        sign = "٪" if numbers.digits[0] in "٠۰" else "%"
        return before.replace("%", sign), after.replace("%", sign)

    def thousands(self, largest: float) -> tuple[float, str]:
        """By what numbers up to `largest` are divided, and what stands behind them then: as in 12K. (1, "") for small ones."""
        forms = self._locale.compact_decimal_formats["short"]["other"]
        for power in (9, 8, 6, 4, 3):
            pattern = forms.get(str(10**power))
            if pattern is None or largest < 1.5 * 10**power:
                continue
            text = _plain(pattern.pattern.replace("'", "")).replace("\xa0", " ").replace("\u202f", " ")
            if text.strip("0") and text.startswith("0") and text.count("0") == 1 and self.can_draw(text):
                return float(10**power), text[1:]
        return 1.0, ""

    def year(self, year: int, numbers: NumberFormat) -> str:
        return NumberFormat(digits=numbers.digits).text(year, 0)


@functools.cache
def _vocabulary() -> dict[str, dict[str, str]]:
    """The project's own words, by language. A phrase with {} has the noun in its place; any other stands behind it."""
    with Path(__file__).with_name("vocabulary.tsv").open(encoding="utf-8", newline="") as file:
        return {row.pop("language"): row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}


@functools.cache
def cached(lang: str, can_draw: Callable[[str], bool]) -> Words:
    """The same words as ever for a language, so that each list is made once."""
    return Words(lang, can_draw)


def time_axis(words: Words, draw: random.Random, numbers: NumberFormat, is_yearly: bool = False) -> Category:
    """Years, months, days or quarters in a row; years alone if `is_yearly`."""
    year = words.year(draw.randint(2000, 2025), numbers)
    weights = (1, 0, 0, 0, 0) if is_yearly else (9, 7, 2, 3, 2)
    match draw.choices(("years", "months", "days", "quarters", "days of a month"), weights)[0]:
        case "years":
            num = draw.randint(4, 16)
            first = draw.randint(1950, 2026 - num)
            return Category(tuple(words.year(first + k, numbers) for k in range(num)), "year", is_time=True)
        case "months":
            months = words.months(is_short=draw.random() < 0.7)
            num = draw.choice((6, 8, 12, 12, 12, 12))
            first = 0 if num == 12 else draw.randint(0, 12 - num)
            return Category(months[first : first + num], "month", year, period=12, steps_a_year=12, is_time=True)
        case "days":
            return Category(words.days(is_short=draw.random() < 0.6), period=7, steps_a_year=365, is_time=True)
        case "quarters":
            first = draw.randint(2005, 2023)
            names = words.quarters()
            return Category(
                tuple(f"{name} {words.year(first + k, numbers)}" for k in range(draw.randint(1, 3)) for name in names),
                period=4,
                steps_a_year=4,
                is_time=True,
            )
        case _:
            num = draw.randint(5, 20)
            days = tuple(words.year(k + 1, numbers) for k in range(num))
            month = words.date(datetime.date(draw.randint(2000, 2025), draw.randint(1, 12), 1), "yMMMM")
            return Category(days, "", month if words.can_draw(month) else "", steps_a_year=365, is_time=True)


def date_axis(words: Words, draw: random.Random, numbers: NumberFormat, is_yearly: bool = False) -> Category:
    """Many days, weeks, months or years in a row, of which each `every`-th has room to be written."""
    num = draw.randint(18, 48)
    start = datetime.date(draw.randint(1998, 2022), draw.randint(1, 12), 1)
    match "year" if is_yearly else draw.choice(("day", "week", "month", "year")):
        case "day":
            names = [words.date(start + datetime.timedelta(days=k), "") for k in range(num)]
            made = Category(tuple(names), period=7, steps_a_year=365, is_time=True, every=draw.choice((5, 7, 10)))
        case "week":
            names = [words.date(start + datetime.timedelta(days=7 * k), "") for k in range(num)]
            made = Category(tuple(names), period=52, steps_a_year=52, is_time=True, every=draw.choice((4, 8)))
        case "month":
            months = [
                start.replace(year=start.year + (start.month - 1 + k) // 12, month=(start.month - 1 + k) % 12 + 1)
                for k in range(num)
            ]
            names = [words.date(month, "yMMM") for month in months]
            made = Category(tuple(names), "month", period=12, steps_a_year=12, is_time=True, every=draw.choice((3, 6, 12)))
        case _:
            first = 5 * draw.randint(390, 395)
            names = [words.year(first + k, numbers) for k in range(num)]
            made = Category(tuple(names), "year", is_time=True, every=draw.choice((5, 5, 10)))
    every = max(made.every, math.ceil(num / 7) if made.division != "year" else 5)
    is_good = words.can_draw("".join(made.names)) and len(set(made.names)) == num
    return replace(made, every=every) if is_good else time_axis(words, draw, numbers, is_yearly)


def names_axis(
    words: Words,
    draw: random.Random,
    num: int,
    most: int = _MAX_CHARS,
    but: Sequence[str] = (),
    divisions: Sequence[str] = ("country", "city"),
) -> Category:
    """So many countries, cities or languages, none of `but`. Fewer where the language has no more."""
    division = draw.choice(divisions)
    names = {"country": words.countries, "city": words.cities, "language": words.languages}[division]
    fitting = [name for name in names if len(name) <= most and name not in but]
    if len(fitting) < num:
        fitting = [name for name in names if len(name) <= max(most, 16) and name not in but]
    return Category(tuple(draw.sample(fitting, min(num, len(fitting)))), division)


def _plain(text: str) -> str:
    """Text without marks of direction, which CLDR has around signs; joiners stay."""
    return "".join(char for char in text if unicodedata.category(char) != "Cf" or char in "\u200c\u200d")


def _mark(mark: str) -> str:
    mark = _plain(mark)
    return " " if mark in ("\xa0", "\u202f", "\u2009") else mark
