"""Text cut into lines that look like lines of documents: prose, headings, items of lists, names, numbers, Latin words between.
The lines depend on the paragraphs and the seed alone."""

import functools
import random
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from datagen.drawing.endless_lines import prose
from datagen.writing import scripts
from datagen.writing.line_text import normalise

_LETTERS = re.compile(r"[^\W\d_]")
_UNITS = re.compile("[^\\s\u200b]+|[\\s\u200b]+")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,12}")
_COENG = "\u17d2"  # joins Khmer consonants, and has another class than the viramas of India
_JOINING = scripts.JOINERS + _COENG
_NOT_DRAWN = re.compile(f"[{re.sub(chr(0x200B), '', scripts.INVISIBLE)}]")
_SPREAD = 5  # how often a text must have a character, so that a reader can learn it
_OWN_DIGITS = 0.001  # of a text's characters
_LONGEST_UNIT = 12  # clusters of a phrase without spaces that stay together
_PASSES = 6  # how often a short text is cut

# Lengths of lines in characters, with the share of such lines: body text, short lines, cells and headings.
_LENGTHS = ((0.5, 36, 90), (0.3, 14, 40), (0.2, 2, 16))
_BULLETS = ("•", "–", "*", "-", "(a)", "(b)", "→")
_QUOTES = (("«", "»"), ("“", "”"), ('"', '"'), ("(", ")"), ("(", ")"), ("[", "]"))


def cut(paragraphs: Iterable[str], script: str, most: int, seed: int) -> list[str]:
    """At most `most` different lines of the paragraphs, as readers learn them; fewer if the text is short.

    Paragraphs that aren't in `script` are left out, and so are lines with a rare character of the text. A line is a piece of one
    paragraph, of 2 to 90 characters. One in three gets a number, a Latin word, a bullet or brackets. In scripts without spaces
    between words, a line ends where the text allows a break, or between two clusters of letters.
    """
    in_script = [_NOT_DRAWN.sub("", p) for p in paragraphs if scripts.main_script(p)[0] == script]
    counts = Counter(char for paragraph in in_script for char in normalise(paragraph))
    rare = frozenset(char for char, n in counts.items() if n < _SPREAD and not char.isascii())
    units = [_units(paragraph, script) for paragraph in in_script]
    source = random.Random(f"{seed} {script}")
    numbers = _Numbers(counts)
    lines: dict[str, None] = {}
    for _ in range(_PASSES):
        source.shuffle(units)
        for line in (line for of_paragraph in units for line in _pieces(of_paragraph, source)):
            text = normalise(_dressed(line, source, numbers))
            if rare.isdisjoint(text) and (_LETTERS.search(text) or any(char.isdigit() for char in text)):
                lines[text] = None
            if len(lines) == most:
                return list(lines)
    return list(lines)


def _units(text: str, script: str) -> list[tuple[str, str]]:
    """Units that stay together in a line, each with the space behind it, or ""."""
    units: list[tuple[str, str]] = []
    for token in _UNITS.findall(unicodedata.normalize("NFC", text)):
        if not token.strip("\u200b \t\n"):
            if units:
                units[-1] = units[-1][0], " " if token.strip("\u200b") else units[-1][1]
        else:
            units += [(part, "") for part in _parts(token)]
    return units


def _parts(token: str) -> list[str]:
    """A word as a whole; a long phrase of a script without spaces between words in pieces."""
    if not re.search(f"[{scripts.PHRASED}{scripts.HAN}]", token):
        return [token]
    of = clusters(token)
    if len(of) <= _LONGEST_UNIT:
        return [token]
    return ["".join(of[i : i + _LONGEST_UNIT // 2]) for i in range(0, len(of), _LONGEST_UNIT // 2)]


def clusters(text: str) -> list[str]:
    """The letters of a text, each with its marks and with the letters that a virama joins to it."""
    units: list[str] = []
    for char in text:
        before = units[-1][-1] if units else ""
        joined = before and (before in _JOINING or unicodedata.combining(before) == 9)
        if units and (joined or unicodedata.category(char)[0] == "M" or char in scripts.JOINERS):
            units[-1] += char
        else:
            units.append(char)
    return units


def _pieces(units: Sequence[tuple[str, str]], source: random.Random) -> Iterator[str]:
    """A paragraph's lines, in random lengths."""
    start = 0
    while start < len(units):
        length, text, stop = _length(source), "", start
        while stop < len(units) and (not text or len(text) + len(units[stop][0]) <= length):
            text += "".join(units[stop])
            stop += 1
        start = stop
        if len(text) <= 2 * _LENGTHS[0][2]:  # a word without an end is an address or a table
            yield text.strip()


def _length(source: random.Random) -> int:
    (low, high) = source.choices([of[1:] for of in _LENGTHS], [of[0] for of in _LENGTHS])[0]
    return source.randint(low, high)


def _dressed(line: str, source: random.Random, numbers: "_Numbers") -> str:
    """The line, at times with an ornament of documents: a number, a bullet, brackets."""
    u, words = source.random(), line.split(" ")
    at = source.randrange(len(words) + 1)
    if u < 0.06:
        return f"{numbers.section(source)} {line}"
    if u < 0.10:
        return f"{source.choice(_BULLETS)} {line}"
    if u < 0.19:
        return " ".join([*words[:at], numbers.drawn(source), *words[at:]])
    if u < 0.27:
        return " ".join([*words[:at], _latin(source), *words[at:]])
    if u < 0.31 and words[at:]:
        opening, closing = source.choice(_QUOTES)
        stop = source.randint(at + 1, len(words))
        return " ".join([*words[:at], f"{opening}{' '.join(words[at:stop])}{closing}", *words[stop:]])
    if u < 0.33:
        return f"{line} {source.choice(('.', '…')) * source.randint(1, 5)} {numbers.integer(source)}"
    if u < 0.35:
        return " ".join(numbers.drawn(source) for _ in range(source.randint(1, 4)))
    return line


def _latin(source: random.Random) -> str:
    """A Latin word or a few, as names in text of another script."""
    words = _latin_words()
    chosen = [words[source.randrange(len(words))] for _ in range(source.choice((1, 1, 1, 2, 3)))]
    style = source.random()
    if style < 0.4:
        return " ".join(word.capitalize() for word in chosen)
    if style < 0.55:
        return chosen[0].upper()[:6]
    if style < 0.65:
        return f"{chosen[0].lower()}@{chosen[-1].lower()}.{source.choice(('org', 'com', 'net'))}"
    if style < 0.75:
        return f"www.{chosen[0].lower()}.{source.choice(('org', 'com', 'net'))}/{chosen[-1].lower()}"
    return " ".join(chosen)


@functools.cache
def _latin_words() -> tuple[str, ...]:
    return tuple(sorted(set(_LATIN_WORD.findall(prose(held_out=False)))))


class _Numbers:
    """Numbers in the script's own digits if the text has some, and in European digits."""

    def __init__(self, counts: Counter[str]):
        of_zero = {zero: sum(counts[chr(ord(zero) + i)] for i in range(10)) for zero in _zeros()}
        self.zeros = (*(zero for zero, n in of_zero.items() if n > _OWN_DIGITS * counts.total()), "0")

    def integer(self, source: random.Random, most: int = 9_999) -> str:
        zero = ord(source.choice(self.zeros))
        digits = str(source.randint(0, most) if source.random() < 0.5 else source.randint(0, min(most, 99)))
        return "".join(chr(zero + int(digit)) for digit in digits)

    def section(self, source: random.Random) -> str:
        zero = ord(source.choice(self.zeros))
        parts = [source.randint(1, 20) for _ in range(source.choice((1, 1, 2, 3)))]
        text = ".".join("".join(chr(zero + int(digit)) for digit in str(part)) for part in parts)
        return text + (source.choice((".", ")", "")) if len(parts) == 1 else "")

    def drawn(self, source: random.Random) -> str:
        zero = ord(source.choice(self.zeros))
        made = source.choice(
            (
                f"{source.randint(0, 99_999)}",
                f"{source.randint(1900, 2099)}",
                f"{source.randint(0, 999)}{source.choice('.,')}{source.randint(0, 99):02d}",
                f"{source.randint(0, 100)}%",
                f"{source.randint(1, 31):02d}{(sep := source.choice('./-'))}{source.randint(1, 12):02d}{sep}"
                f"{source.randint(1900, 2099)}",
                f"{source.randint(0, 23):02d}:{source.randint(0, 59):02d}",
                f"({source.randint(1, 99)})",
                f"{source.randint(1, 99)}-{source.randint(100, 999)}",
            )
        )
        return "".join(chr(zero + int(char)) if char.isascii() and char.isdigit() else char for char in made)


@functools.cache
def _zeros() -> tuple[str, ...]:
    """The zeros of all decimal digits except Europe's and the styled ones of mathematics."""
    zeros = (chr(code) for code in range(0x80, sys.maxunicode + 1) if unicodedata.digit(chr(code), -1) == 0)
    return tuple(char for char in zeros if unicodedata.category(char) == "Nd" and not unicodedata.decomposition(char))
