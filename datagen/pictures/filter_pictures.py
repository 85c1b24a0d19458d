"""A filter of pictures by their lists' metadata."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from datagen.engines import Engines
from datagen.record import Drop, Sample
from datagen.work.pipeline import Stage

_YES = ("1", "1.0", "true", "yes", "y", "t", "opt_out", "opted_out")
_VERSION = re.compile(r"-\d+(\.\d+)*$")


@dataclass(frozen=True)
class FilterPictures(Stage):
    """Drops pictures by their metadata. Each filter is off by default, except `drop_opted_out`; each has its own reason:

    | field | drops a picture | reason |
    | --- | --- | --- |
    | `drop_opted_out` | whose `opt_out` says yes | `opted_out` |
    | `max_punsafe` | whose `punsafe`, from 0 to 1, is higher | `unsafe` |
    | `nsfw` | whose `nsfw` is none of these words, such as UNLIKELY | `nsfw` |
    | `max_pwatermark` | whose `pwatermark`, from 0 to 1, is higher | `watermark` |
    | `min_similarity` | whose caption is less like it, by CLIP's cosine | `dissimilar_caption` |
    | `licences` | whose licence is none of these: `cc-by` stands for all of its versions, and not for `cc-by-nc` | `licence` |
    | `languages` | whose caption is in none of these languages, by their first part | `language` |
    | `min_size`, `max_size` | whose shorter side has fewer pixels, whose longer side has more | `too_small`, `too_large` |

    Sizes are those of the sample, after the source's `long_side` has scaled larger pictures down. A picture whose list lacks a
    filter's value drops, too, for `unknown_` and the value's name, such as `unknown_punsafe`, unless `keep_unknown`: an
    unmeasured picture isn't known to be safe. Leave `max_pwatermark` off to keep text: the classifier of watermarks takes other
    text for one, and throws away the signs, posters and covers from which a reader learns.
    """

    drop_opted_out: bool = True
    max_punsafe: float = 1.0
    nsfw: tuple[str, ...] = ()
    max_pwatermark: float = 1.0
    min_similarity: float = 0.0
    licences: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    min_size: int = 0
    max_size: int = 0
    keep_unknown: bool = False
    batch_size: int = field(default=1, init=False)

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for sample in batch:
            reason, detail = self._objection(sample)
            yield sample.drop(reason, type(self).__name__, detail) if reason else sample

    def _objection(self, sample: Sample) -> tuple[str, str]:
        """The first reason against a picture and its detail; "" if there is none."""
        says = sample.metadata
        if self.drop_opted_out and says.get("opt_out", "").strip().lower() in _YES:
            return "opted_out", says["opt_out"]
        bounds = [
            ("unsafe", "punsafe", self.max_punsafe < 1, lambda value: value <= self.max_punsafe),
            ("watermark", "pwatermark", self.max_pwatermark < 1, lambda value: value <= self.max_pwatermark),
            ("dissimilar_caption", "similarity", self.min_similarity > 0, lambda value: value >= self.min_similarity),
        ]
        for reason, name, is_on, holds in bounds:
            value = _number(says.get(name, ""))
            if is_on and value is None and not self.keep_unknown:
                return f"unknown_{name}", says.get(name, "")
            if is_on and value is not None and not holds(value):
                return reason, f"{name} {value:g}"
        words = [
            ("nsfw", says.get("nsfw", "").lower(), {word.lower() for word in self.nsfw}),
            ("licence", _licence(sample.origin.licence, self.licences), set(map(_plain, self.licences))),
            ("language", _language(sample), {language.lower().partition("-")[0] for language in self.languages}),
        ]
        for name, word, allowed in words:
            if allowed and not word and not self.keep_unknown:
                return f"unknown_{name}", ""
            if allowed and word and word not in allowed:
                return name, word
        if min(sample.size) < self.min_size:
            return "too_small", f"{sample.size[0]} x {sample.size[1]} pixels"
        if 0 < self.max_size < max(sample.size):
            return "too_large", f"{sample.size[0]} x {sample.size[1]} pixels"
        return "", ""


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if value == value else None


def _language(sample: Sample) -> str:
    """The language of the caption, else of the text, if known."""
    word = sample.metadata.get("language", "") or ("" if sample.lang == "und" else sample.lang)
    return word.lower().replace("_", "-").partition("-")[0]


def _licence(word: str, allowed: Sequence[str]) -> str:
    """A licence by its plain name, without its version unless an `allowed` licence has that version."""
    plain = _plain(word)
    return plain if plain in set(map(_plain, allowed)) else _VERSION.sub("", plain)


def _plain(word: str) -> str:
    """A licence as its identifier: `https://creativecommons.org/licenses/by-nc/4.0/` is `cc-by-nc-4.0`."""
    small = word.strip().lower().rstrip("/").replace(" ", "-").replace("_", "-")
    _, address, path = small.partition("creativecommons.org/")
    if not address:
        return small
    kind, _, rest = path.partition("/")
    name = "-".join(part for part in rest.split("/")[:2] if part)
    return f"cc-{name}" if kind == "licenses" else {"zero": "cc0"}.get(name.partition("-")[0], name)
