"""Whether a reading is like the lines of its language, however sure a reader is of it.

What a line is like is learned from trusted text alone: which characters follow each other, which scripts meet, and how long a
line of so many characters is. Each limit is one that hardly any line passes that the model hasn't seen.

    like = Plausible.learn([("Установка системы", 9.4), …], "Cyrl")
    like.reason("Устанъйжа системы", 9.3)        "implausible"
"""

import functools
import hashlib
import json
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy

from datagen import scripts
from datagen.engines.compact import normalise
from datagen.engines.lookalikes import mended
from datagen.shards import read_records
from datagen.storage import Folder
from flywheel.crops import rows_of_pages
from flywheel.ngrams import Ngrams, count
from flywheel.pools import Pools
from flywheel.score import LEADER
from flywheel.texts import TextFile

REASONS = ("other_script", "implausible", "length_misfit")
LEAST_LINES = 500
"""The number of true lines, each judged by others, that tell what a line of a language is like."""
VERSION = 1  # goes up whenever other readings are plausible

_MOST_LINES = 8_000
_REFUSED = 0.003  # of true lines that the model hasn't seen, by each limit
_PARTS = 4  # of the lines; each is judged by a model of the others
_LENGTHS = (10, 30)  # characters: such lines are compared with each other, and shorter ones with none
_FEWEST = 100  # lines whose quantiles tell something
_SLACK = 2.0  # typefaces are wide or narrow, and a detector's box isn't as high as that of a text layer
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(f"[{scripts.LATIN}]+")
_ACCENTS = re.compile(f"[{scripts.ACCENTS}]")  # those that no letter is composed with: marks of stress
_WITH_HAN = frozenset("Hani Hans Hant Jpan Kore".split())


@dataclass(frozen=True)
class Plausible:
    """What lines of a language are like.

    `runs` and `counts` are what `ngrams.count` gives for true lines. A window of a line is at most so rare as `most_bits` says.
    `mixed` are the foreign scripts, and the mixtures of scripts within a word, that true lines have. `per_height` has, by the
    number of characters from which on it holds, the fewest and the most of them on a width of one line height.
    """

    script: str
    runs: str
    counts: tuple[int, ...]
    most_bits: float
    mixed: frozenset[str]
    per_height: tuple[tuple[int, float, float], ...]

    @classmethod
    def learn(
        cls, lines: Iterable[tuple[str, float]], script: str, text: Iterable[str] = (), held_out: Iterable[str] = ()
    ) -> "Plausible | None":
        """What lines of trusted text teach; None if fewer than `LEAST_LINES` different ones are there to set limits by.

        Each of `lines` comes with how many times it is as wide as it is high (0.0: not known), in the order of pages: neighbours
        are alike. Of the language's `text`, limits come from lines that are `held_out`, of other paragraphs.
        """
        aspects = {line: aspect for line, aspect in lines if normalise(line)}
        own, learned = _drawn(aspects), _drawn(text)
        of_pages, of_text, others = (_all_spelled(texts, script) for texts in (own, learned, _drawn(held_out)))
        if len(of_pages) + len(others) < LEAST_LINES or not of_pages + of_text:
            return None
        runs, counts = count(of_pages + of_text)
        bits = Ngrams.of(runs, counts).rarest(others)
        for part in range(_PARTS if len(of_pages) >= _PARTS else 0):  # each line by those that aren't near it
            first, stop = (len(of_pages) * n // _PARTS for n in (part, part + 1))
            bits += Ngrams.of(*count(of_pages[:first] + of_pages[stop:] + of_text)).rarest(of_pages[first:stop])
        most_bits = math.ceil(100 * numpy.quantile(bits, 1 - _REFUSED, method="higher")) / 100
        kinds = Counter(kind for line in own + learned for kind in _mixed(line, script))
        mixed = frozenset(kind for kind, num_lines in kinds.items() if num_lines > _REFUSED * len(own + learned))
        per_height = _per_height([(line, aspects[line]) for line in own if aspects[line] and not LEADER.search(line)])
        return cls(script, runs, counts, most_bits, mixed, per_height)

    def reason(self, text: str, aspect: float = 0.0) -> str:
        """Why the reading `text` of a line, `aspect` times as wide as high, is like no line of the language; "" if it's like one.

        `other_script`: a word mixes scripts, or is in one that the language's lines don't have; Latin words stand anywhere.
        `implausible`: characters don't follow each other so. `length_misfit`: it is too long or too short for its width.
        """
        if not _mixed(text, self.script) <= self.mixed:
            return "other_script"
        if self.bits(text) > self.most_bits:
            return "implausible"
        return "length_misfit" if aspect and not self._fits(text, aspect) else ""

    def bits(self, text: str) -> float:
        """How rare the rarest window of the text is; 0.0 if it has no word that is judged."""
        spelled = _spelled(text, self.script)
        return self._ngrams.rarest([spelled])[0] if spelled else 0.0

    @functools.cached_property
    def _ngrams(self) -> Ngrams:
        return Ngrams.of(self.runs, self.counts)

    def _fits(self, text: str, aspect: float) -> bool:
        length = _length(text)
        limits = [] if LEADER.search(text) else [(low, high) for least, low, high in self.per_height if length >= least]
        return not limits or limits[-1][0] <= length / aspect <= limits[-1][1]

    def to_json(self) -> bytes:
        return json.dumps(asdict(self) | {"mixed": sorted(self.mixed)}, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Plausible":
        state = json.loads(data)
        per_height = tuple((least, low, high) for least, low, high in state["per_height"])
        return cls(**state | {"counts": tuple(state["counts"]), "mixed": frozenset(state["mixed"]), "per_height": per_height})


@dataclass(frozen=True)
class PlausibleFile:
    """What lines of the language `lang` are like: a file in the folder `url`, with the sha256 of its bytes."""

    url: str
    lang: str
    sha256: str

    @classmethod
    def write(cls, folder: Folder, lang: str, plausible: Plausible) -> "PlausibleFile":
        data = plausible.to_json()
        folder.write(f"{lang}.json", data)
        return cls(folder.url, lang, hashlib.sha256(data).hexdigest())

    def read(self) -> Plausible:
        """The file is read once a process. Raises `ValueError` if it isn't the one of `sha256`."""
        return _read(self)


@functools.lru_cache(maxsize=64)
def _read(file: PlausibleFile) -> Plausible:
    data = Folder(file.url).read(f"{file.lang}.json")
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ValueError(f"{Folder(file.url).path(file.lang)}.json isn't the one that the run was planned with")
    return Plausible.from_json(data)


def learn(folder: Folder, crops: Folder, served: Sequence[Pools], texts: Mapping[str, TextFile]) -> dict[str, PlausibleFile]:
    """What lines of each language are like, in files of `folder`, by language: from the lines of the dataset `crops` on pages
    that train, and from the language's text to typeset. A language that has too few lines of both has no file."""
    lines: dict[str, list[tuple[str, float]]] = defaultdict(list)
    rows = list(rows_of_pages(crops, {place: p.lang for p in served for place in p.train}))
    for record in read_records(crops, rows):
        box = record.regions[0].box
        lines[record.lang].append((record.text, (box.x1 - box.x0) / (box.y1 - box.y0)))
    files = {}
    for p in served:
        text = texts[p.lang].read() if p.lang in texts else None
        of_text = (text.train, text.held_out) if text else ()
        if plausible := Plausible.learn(lines[p.lang], p.script, *of_text):
            files[p.lang] = PlausibleFile.write(folder, p.lang, plausible)
    return files


def _drawn(lines: Iterable[str]) -> list[str]:
    """The different ones of the lines, at most `_MOST_LINES`, drawn by hashes and in order."""
    different = dict.fromkeys(lines)
    chosen = frozenset(sorted(different, key=lambda line: hashlib.sha256(line.encode()).digest())[:_MOST_LINES])
    return [line for line in different if line in chosen]


def _all_spelled(lines: Iterable[str], script: str) -> list[str]:
    """Those of the lines, spelled, that have a word to judge."""
    return [spelled for line in lines if (spelled := _spelled(line, script))]


def _spelled(text: str, script: str) -> str:
    """The words of the text as their characters are counted: none in another script than the text's, and no Latin names, since
    these may stand anywhere. One that is capitalised, or all in capitals, is written small.

    Chinese, Japanese and Korean write Latin words and their own as one; of these the own part counts. Hangul is written in its
    letters, since documents have few of the syllables.
    """
    text = _ACCENTS.sub("", mended(normalise(text), script))
    words = (_LATIN.sub(" ", text) if script in _WITH_HAN else text).translate(_PARTED).split()
    if script == "Latn":
        words = [word for word in words if _is_plain(word) and not (word.isascii() and word.isupper() and len(word) > 1)]
    else:
        own = _own(script)
        words = [word for word in words if any(scripts.script(char) in own for char in word)]
    spelled = " ".join(word.lower() if _is_plain(word) else word for word in words)
    return unicodedata.normalize("NFD", spelled) if script == "Kore" else spelled


def _own(script: str) -> frozenset[str]:
    """The scripts of characters that a text in `script` has."""
    return scripts.EAST_ASIAN if script in _WITH_HAN else frozenset((script,))


def _is_plain(word: str) -> bool:
    """Whether a word has capitals as words have them, not as `PPPoE` has."""
    return word.isupper() or word[1:] == word[1:].lower()


class _Parted(dict[int, int]):
    """What parts words is a space; letters, and what stands within words beside them, stay as they are."""

    def __missing__(self, point: int) -> int:
        is_inside = unicodedata.category(chr(point))[0] in "LM" or chr(point) in scripts.JOINERS
        self[point] = point if is_inside else ord(" ")
        return self[point]


_PARTED = _Parted()


def _mixed(text: str, script: str) -> frozenset[str]:
    """The scripts of whole words that are neither the page's nor Latin, and the scripts that are mixed within a word. A letter
    that stands alone is a symbol."""
    own = _own(script)
    mixed = set()
    for word in _WORD.findall(mended(normalise(text), script)):
        codes = {script if code in own else code for char in word if (code := scripts.script(char)) not in scripts.NO_SCRIPT}
        if len(codes) > 1 or (len(word) > 1 and not codes <= {script, "Latn"}):
            mixed.add("+".join(sorted(codes)))
    return frozenset(mixed)


def _length(text: str) -> int:
    """About how wide a text is: its characters without marks, those of Chinese, Japanese and Korean twice."""
    return sum(
        2 if unicodedata.east_asian_width(char) in "WF" else unicodedata.category(char) != "Mn" for char in normalise(text)
    )


def _per_height(lines: Sequence[tuple[str, float]]) -> tuple[tuple[int, float, float], ...]:
    """The fewest and the most characters on a width of one height, in lines of about the lengths in `_LENGTHS`. Where there are
    too few such lines, there is no limit."""
    limits = []
    for least, stop in zip(_LENGTHS, (*_LENGTHS[1:], 1 << 30), strict=True):
        shares = [length / aspect for text, aspect in lines if least <= (length := _length(text)) < stop]
        low, high = 0.0, float(1 << 30)
        if len(shares) >= _FEWEST:
            low, high = (float(share) for share in numpy.quantile(shares, (_REFUSED / 2, 1 - _REFUSED / 2)))
        limits.append((least, round(low / _SLACK, 3), round(high * _SLACK, 3)))
    return tuple(limits)
