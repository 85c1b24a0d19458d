"""Whether a reading is like the lines of its language, however sure a reader is of it.

What a line is like is learned from trusted text alone: which characters follow each other, which scripts meet, and how long a
line of so many characters is. Each limit is one that hardly any line passes that the model hasn't seen.

    like = Plausible.learn([("Установка системы", 9.4), …], "Cyrl")
    like.reason("Устанъйжа системы", 9.3)        "implausible"
"""

import dataclasses
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

from datagen.disk.shards import read_records
from datagen.disk.storage import Folder
from datagen.engines.compact import normalise
from datagen.writing import scripts
from datagen.writing.lookalikes import ALIKE, in_latin, mended
from flywheel.labels.ngrams import Ngrams, count
from flywheel.labels.score_readings import LEADER
from flywheel.lines.crops import rows_of_pages
from flywheel.pools.pools import Pools
from flywheel.pools.texts import TextFile

REASONS = ("other_script", "latin_word", "implausible", "length_misfit")
LEAST_LINES = 500
"""The number of true lines, each judged by others, that tell what a line of a language is like."""
VERSION = 3  # goes up whenever other readings are plausible

_MOST_LINES = 8_000
_REFUSED = 0.003  # of true lines that the model hasn't seen, by each limit
_SURELY = 6.0  # bits: nothing is called Latin that isn't 64 times as likely to be
_NO_LIMIT = 1e9  # bits
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
    number of characters from which on it holds, the fewest and the most of them on a width of one line height. `latin_runs` and
    `latin_counts` are of Latin words beside those of such languages; a word that looks Latin, such as `Туре`, may be rarer by
    `most_latin` bits than the Latin one is among these.
    """

    script: str
    runs: str
    counts: tuple[int, ...]
    most_bits: float
    mixed: frozenset[str]
    per_height: tuple[tuple[int, float, float], ...]
    latin_runs: str = ""
    latin_counts: tuple[int, ...] = ()
    most_latin: float = 0.0

    @classmethod
    def of_script(
        cls, languages: Mapping[str, Sequence[tuple[str, float]]], script: str, own: Iterable[str]
    ) -> "Plausible | None":
        """What lines of a language are like that has too few of its `own`, by those of the other `languages` of its script; None
        if these are too few.

        All of their lines are learned. Each language sets limits by a model of the others, so that words that none of them has
        aren't refused. One other language sets none: then words that mix scripts are refused, and what doesn't fit its width.
        """
        most = _MOST_LINES // max(1, len(languages))
        drawn = {lang: _drawn((line for line, _ in lines if normalise(line)), most) for lang, lines in languages.items()}
        aspects = {line: aspect for lines in languages.values() for line, aspect in lines}
        known = [line for of_lang in drawn.values() for line in of_lang] + _drawn(own)
        if len(_all_spelled(known, script)) < LEAST_LINES:
            return None
        kinds = Counter(kind for line in known for kind in _mixed(line, script))
        mixed = frozenset(kind for kind, num_lines in kinds.items() if num_lines > _REFUSED * len(known))
        per_height = _per_height([(line, aspects[line]) for line in known if aspects.get(line) and not LEADER.search(line)])
        most_bits = _NO_LIMIT
        if len(drawn) > 1:
            rarest = []
            for lang, of_lang in drawn.items():
                others = [line for other, lines in drawn.items() if other != lang for line in lines]
                model = cls(script, *count(_all_spelled(others, script)), 0.0, mixed, per_height)
                rarest.append(_limit(model.ngrams.rarest(_all_spelled(of_lang, script))))
            most_bits = max(rarest)
        return cls(script, *count(_all_spelled(known, script)), most_bits, mixed, per_height)

    @classmethod
    def learn(
        cls,
        lines: Iterable[tuple[str, float]],
        script: str,
        text: Iterable[str] = (),
        held_out: Iterable[str] = (),
        latin: Iterable[str] = (),
    ) -> "Plausible | None":
        """What lines of trusted text teach; None if fewer than `LEAST_LINES` different ones are there to set limits by.

        Each of `lines` comes with how many times it is as wide as it is high (0.0: not known), in the order of pages: neighbours
        are alike. Of the language's `text`, limits come from lines that are `held_out`, of other paragraphs. `latin` are Latin
        words in lines of languages of other scripts.
        """
        aspects = {line: aspect for line, aspect in lines if normalise(line)}
        own, learned, others = (_drawn(of) for of in (aspects, text, held_out))
        of_pages, of_text = _all_spelled(own, script), _all_spelled(learned, script)
        if len(of_pages) + len(_all_spelled(others, script)) < LEAST_LINES:
            return None
        latin_words = _drawn(latin) if script in ALIKE else []
        runs = count(latin_words) if len(latin_words) >= LEAST_LINES else ("", ())
        kinds = Counter(kind for line in own + learned for kind in _mixed(line, script))
        mixed = frozenset(kind for kind, num_lines in kinds.items() if num_lines > _REFUSED * len(own + learned))
        per_height = _per_height([(line, aspects[line]) for line in own if aspects[line] and not LEADER.search(line)])

        def of_lines(spelled: Sequence[str]) -> "Plausible":
            return cls(script, *count(spelled), 0.0, mixed, per_height, *runs)

        if not of_pages + of_text:
            return None
        whole = of_lines(of_pages + of_text)
        judged = [(whole, others)]
        for part in range(_PARTS):  # each line by those that aren't near it
            first, stop = (len(own) * n // _PARTS for n in (part, part + 1))
            if far := _all_spelled(own[:first] + own[stop:], script) + of_text:
                judged.append((of_lines(far), own[first:stop]))
        most_bits, most_latin = (
            _limit(measures)
            for measures in (
                [bits for model, near in judged for bits in model.ngrams.rarest(_all_spelled(near, script))],
                [model.latin_bits(line) for model, near in judged for line in near],
            )
        )
        return dataclasses.replace(whole, most_bits=most_bits, most_latin=max(_SURELY, most_latin))

    def reason(self, text: str, aspect: float = 0.0, is_confirmed: bool = False) -> str:
        """Why the reading `text` of a line, `aspect` times as wide as high, is like no line of the language; "" if it's like one.

        `other_script`: a word mixes scripts, or is in one that the language's lines don't have; Latin words stand anywhere.
        `latin_word`: a word looks Latin, and is likelier a Latin one. `implausible`: characters don't follow each other so.
        `length_misfit`: it is too long or too short for its width.

        What another reader has, too, is not `implausible`: there, rare words are mostly right.
        """
        if not _mixed(text, self.script) <= self.mixed:
            return "other_script"
        if self.latin_bits(text) > self.most_latin:
            return "latin_word"
        if not is_confirmed and self.bits(text) > self.most_bits:
            return "implausible"
        return "length_misfit" if aspect and not self._fits(text, aspect) else ""

    def bits(self, text: str) -> float:
        """How rare the rarest window of the text is; 0.0 if it has no word that is judged."""
        spelled = _spelled(text, self.script)
        return self.ngrams.rarest([spelled])[0] if spelled else 0.0

    def latin_bits(self, text: str) -> float:
        """By how many bits a word of the text that looks Latin is rarer than the Latin one, at most; 0.0 if none is."""
        twins = [(word, twin) for word in _words(text, self.script) if len(word) > 1 and (twin := in_latin(word, self.script))]
        if not twins or not self.latin_runs:
            return 0.0
        own = self.ngrams.bits([_small(word) for word, _ in twins])
        latin = self._latin.bits([_small(twin) for _, twin in twins])
        return max(0.0, *(float(ours.sum() - theirs.sum()) for ours, theirs in zip(own, latin, strict=True)))

    @functools.cached_property
    def ngrams(self) -> Ngrams:
        return Ngrams.of(self.runs, self.counts)

    @functools.cached_property
    def _latin(self) -> Ngrams:
        return Ngrams.of(self.latin_runs, self.latin_counts)

    def _fits(self, text: str, aspect: float) -> bool:
        length = _length(text)
        limits = [] if LEADER.search(text) else [(low, high) for least, low, high in self.per_height if length >= least]
        return not limits or limits[-1][0] <= length / aspect <= limits[-1][1]

    def to_json(self) -> bytes:
        return json.dumps(asdict(self) | {"mixed": sorted(self.mixed)}, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Plausible":
        state = json.loads(content)
        per_height = tuple((least, low, high) for least, low, high in state["per_height"])
        counts = {name: tuple(state[name]) for name in ("counts", "latin_counts")}
        return cls(**state | counts | {"mixed": frozenset(state["mixed"]), "per_height": per_height})


@dataclass(frozen=True)
class PlausibleFile:
    """What lines of the language `lang` are like: a file in the folder `url`, with the sha256 of its bytes."""

    url: str
    lang: str
    sha256: str

    @classmethod
    def write(cls, folder: Folder, lang: str, plausible: Plausible) -> "PlausibleFile":
        content = plausible.to_json()
        folder.write(f"{lang}.json", content)
        return cls(folder.url, lang, hashlib.sha256(content).hexdigest())

    def read(self) -> Plausible:
        """The file is read once a process. Raises `ValueError` if it isn't the one of `sha256`."""
        return _read(self)


@functools.lru_cache(maxsize=64)
def _read(file: PlausibleFile) -> Plausible:
    content = Folder(file.url).read(f"{file.lang}.json")
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise ValueError(f"{Folder(file.url).path(file.lang)}.json isn't the one that the run was planned with")
    return Plausible.from_json(content)


def learn(folder: Folder, crops: Folder, served: Sequence[Pools], texts: Mapping[str, TextFile]) -> dict[str, PlausibleFile]:
    """What lines of each language are like, in files of `folder`, by language: from the lines of the dataset `crops` on pages
    that train, and from the language's text to typeset. A language that has too few lines of both is judged by those of the
    others in its script; without such, it has no file."""
    lines: dict[str, list[tuple[str, float]]] = defaultdict(list)
    rows = list(rows_of_pages(crops, {place: p.lang for p in served for place in p.train}))
    for record in read_records(crops, rows):
        box = record.regions[0].box
        lines[record.lang].append((record.text, (box.x1 - box.x0) / (box.y1 - box.y0)))
    others = {p.lang for p in served if p.script != "Latn"}
    latin = [words for lang in sorted(others & lines.keys()) for line, _ in lines[lang] if (words := _latin_words(line))]
    files = {}
    of_script: dict[str, dict[str, list[tuple[str, float]]]] = defaultdict(dict)
    for p in served:
        text = texts[p.lang].read() if p.lang in texts else None
        of_text = (text.train, text.held_out) if text else ((), ())
        if plausible := Plausible.learn(lines[p.lang], p.script, *of_text, latin):
            files[p.lang] = PlausibleFile.write(folder, p.lang, plausible)
            of_script[p.script][p.lang] = lines[p.lang] + [(line, 0.0) for line in of_text[0]]
    for p in (p for p in served if p.lang not in files):
        if plausible := Plausible.of_script(of_script[p.script], p.script, [line for line, _ in lines[p.lang]]):
            files[p.lang] = PlausibleFile.write(folder, p.lang, plausible)
    return files


def _limit(measures: Sequence[float]) -> float:
    """What hardly any of the measures is over."""
    return math.ceil(100 * float(numpy.quantile(measures, 1 - _REFUSED, method="higher"))) / 100


def _drawn(lines: Iterable[str], most: int = _MOST_LINES) -> list[str]:
    """The different ones of the lines, at most so many, drawn by hashes and in order."""
    different = dict.fromkeys(lines)
    chosen = frozenset(sorted(different, key=lambda line: hashlib.sha256(line.encode()).digest())[:most])
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
    spelled = " ".join(map(_small, words))
    return unicodedata.normalize("NFD", spelled) if script == "Kore" else spelled


def _own(script: str) -> frozenset[str]:
    """The scripts of characters that a text in `script` has."""
    return scripts.EAST_ASIAN if script in _WITH_HAN else frozenset((script,))


def _is_plain(word: str) -> bool:
    """Whether a word has capitals as words have them, not as `PPPoE` has."""
    return word.isupper() or word[1:] == word[1:].lower()


def _small(word: str) -> str:
    return word.lower() if _is_plain(word) else word


def _words(text: str, script: str) -> list[str]:
    return _WORD.findall(mended(normalise(text), script))


def _latin_words(text: str) -> str:
    """The Latin words of a text in another script, as they are counted."""
    return " ".join(_small(word) for word in _WORD.findall(normalise(text)) if word.isascii() and len(word) > 1)


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
    for word in _words(text, script):
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
