"""The first verdict on a page's text layer, from what its reading counted: cheap, and only where the signs are plain.

A layer that draws one letter and says another passes here; only a look at the ink finds it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from datagen.record import Drop, Sample


@dataclass(frozen=True)
class JudgeTextLayer:
    """Sets a page's verdict and reasons from its signals. A limit is the largest share of the layer's characters that may be so.

    `none`     there is no text: `blank`, `picture_page` (images cover it), or `no_text`
    `suspect`  `unmapped_characters` (U+FFFD), `private_use`, `control_characters`, `presentation_forms` (of Arabic),
               `hidden_text`, `picture_page` (an image lies over or under all of it: a scan's hidden layer),
               `unknown_language` (enough letters for the identifier, and it knows nothing like them), `mixed_scripts`
               (a third one beside Latin)
    `trusted`  none of these
    """

    version: ClassVar[int] = 1

    max_unmapped_share: float = 0.0
    max_private_use_share: float = 0.01
    max_control_share: float = 0.01
    max_presentation_share: float = 0.05
    max_hidden_share: float = 0.05
    max_image_share: float = 0.8
    min_letters: int = 200
    min_lang_score: float = 0.3
    min_script_share: float = 0.8
    batch_size: int = 1

    def __call__(self, batch: Sequence[Sample]) -> Iterator[Sample | Drop]:
        for sample in batch:
            reasons = self.reasons(sample)
            verdict = "none" if not sample.text else "suspect" if reasons else "trusted"
            yield sample.with_quality(verdict, reasons)

    def engines(self) -> dict[str, str]:
        return {}

    def reasons(self, sample: Sample) -> tuple[str, ...]:
        s = sample.quality.signals
        pictured = s.get("image_share", 0.0) >= self.max_image_share
        if not sample.text:
            return ("picture_page" if pictured else "blank" if s.get("blank") else "no_text",)
        readable = len(sample.text) >= self.min_letters and "lang_score" in s
        found = {
            "unmapped_characters": s.get("unmapped_share", 0.0) > self.max_unmapped_share,
            "private_use": s.get("private_use_share", 0.0) > self.max_private_use_share,
            "control_characters": s.get("control_share", 0.0) > self.max_control_share,
            "presentation_forms": s.get("presentation_share", 0.0) > self.max_presentation_share,
            "hidden_text": s.get("hidden_share", 0.0) > self.max_hidden_share,
            "picture_page": pictured,
            "unknown_language": readable and sample.lang == "und" and s["lang_score"] < self.min_lang_score,
            "mixed_scripts": readable and s["script_share"] < self.min_script_share,
        }
        return tuple(reason for reason, holds in found.items() if holds)
