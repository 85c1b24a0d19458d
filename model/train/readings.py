"""The network's readings of held-out samples' images, beside the truth."""

import base64
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from PIL import Image
from rapidfuzz.distance import Levenshtein

from datagen.asking.loops import is_loop
from datagen.record import SampleError
from datagen.target import GROUNDING, IMAGE, restore
from model.data.loader import read
from model.data.modes import fitting
from model.data.rows import Draw, Example
from model.data.split import Corpus
from model.data.tokens import opened
from model.generate import NoRepeat, tokens
from model.net.deepseek_ocr import DeepseekOcr
from model.net.image import views
from model.net.tokenizer import TextTokenizer
from model.train.process import GoesOn, Stopped, always
from model.train.ranks import ALONE, Ranks

_Numbered = tuple[int, dict[str, Any]]
_READ_AT_ONCE = 16
_SHOWN_SIDE = 640


@dataclass(frozen=True)
class Readings:
    """A row for each sample that was read, and the number of skipped samples by reason."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)

    @property
    def summary(self) -> dict[str, dict[str, Any]]:
        """For all readings, and for those of each dataset, language and mode: their number, the mean edit distance, the character
        error rate, and the share of loops. Keys are "all", "dataset NAME", "lang NAME" and "mode NAME"."""
        groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in self.rows:
            for key in ("all", *(f"{kind} {row[kind]}" for kind in ("dataset", "lang", "mode"))):
                groups[key].append(row)
        return {key: _summed(of_group) for key, of_group in sorted(groups.items())}

    def shown(self, count: int) -> list[dict[str, Any]]:
        """Up to `count` rows of each dataset, the first of each language in front, so the choice doesn't depend on their
        quality."""
        first: list[dict[str, Any]] = []
        for dataset in dict.fromkeys(row["dataset"] for row in self.rows):
            of_dataset = [row for row in self.rows if row["dataset"] == dataset]
            firsts = {row["lang"]: row for row in reversed(of_dataset)}
            first += sorted(of_dataset, key=lambda row: firsts[row["lang"]] is not row)[:count]
        return first


@dataclass(frozen=True)
class _Asked:
    """A sample with its images decoded, and the mode of each."""

    draw: Draw
    example: Example
    images: list[Image.Image]
    modes: list[str]

    @property
    def mode(self) -> str:
        return "+".join(dict.fromkeys(self.modes))


def edit_distance(truth: str, reading: str) -> float:
    """The Levenshtein distance in characters over the longer text's length, as in OmniDocBench: 0 is exact, 1 all wrong."""
    return Levenshtein.normalized_distance(truth, reading)


def readings(
    net: DeepseekOcr,
    tokenizer: TextTokenizer,
    corpus: Corpus,
    draws: Iterable[Draw],
    modes: Sequence[str],
    max_new_tokens: int,
    goes_on: GoesOn = always,
    ranks: Ranks = ALONE,
) -> Readings:
    """The network's readings of these samples, beside the truth, which is a sample's first answer. The prompt is all that comes
    before it.

    Unreadable samples, and those without an image before their first answer, are skipped. Repetition is allowed, so that loops
    show. `max_new_tokens` cuts a reading, and never the truth. `goes_on` is called before each token. Each of `ranks` has `net`,
    and reads its share; all return the same.
    """
    here, stopped = None, False
    try:
        here = _read_here(net, tokenizer, corpus, list(draws)[ranks.copy :: ranks.layout.copies], modes, max_new_tokens, goes_on)
    except Stopped:
        stopped = True
    if ranks.any(stopped):
        raise Stopped
    result, numbered = Readings(), list[_Numbered]()
    for read_there, passed_over in filter(None, ranks.gathered(here)):
        numbered += read_there
        result.passed_over.update(passed_over)
    result.rows.extend(row for _, row in sorted(numbered, key=lambda pair: pair[0]))
    return result


def _read_here(
    net: DeepseekOcr,
    tokenizer: TextTokenizer,
    corpus: Corpus,
    draws: Sequence[Draw],
    modes: Sequence[str],
    max_new_tokens: int,
    goes_on: GoesOn,
) -> tuple[list[_Numbered], Counter[str]]:
    """(rows, each with its draw's number; the number of skipped samples by reason)"""
    waiting: dict[str, list[tuple[Draw, Example]]] = defaultdict(list)
    passed_over = Counter[str]()
    for draw in draws:
        try:
            example = read(corpus, draw)
        except SampleError as error:
            passed_over[error.reason] += 1
            continue
        if prompt := asked(example):
            waiting[prompt].append((draw, example))
        else:
            passed_over["no_image" if not example.images else "no_image_before_its_answer"] += 1
    numbered: list[_Numbered] = []
    for prompt, samples in waiting.items():
        for start in range(0, len(samples), _READ_AT_ONCE):
            some = _decoded(samples[start : start + _READ_AT_ONCE], modes, prompt.count(IMAGE), passed_over)
            seen = [[views(image, mode) for image, mode in zip(one.images, one.modes, strict=True)] for one in some]
            ids: list[list[int]] = [[] for _ in some]
            with closing(tokens(net, tokenizer, seen, prompt, max_new_tokens, NoRepeat(0))) as coming:
                goes_on()
                for text, token in coming:
                    goes_on()
                    ids[text].append(token)
            for one, of_one in zip(some, ids, strict=True):
                row = _row(corpus, one, prompt, tokenizer.decode(of_one), len(of_one) >= max_new_tokens)
                numbered.append((one.draw.number, row))
    return numbered, passed_over


def asked(example: Example) -> str:
    """All text before a sample's first answer, also a system's; "" if no image is there."""
    at = next(at for at, part in enumerate(example.parts) if part.learned)
    prompt = "".join(part.text for part in example.parts[:at])
    return prompt if IMAGE in prompt else ""


def _decoded(
    samples: Sequence[tuple[Draw, Example]], modes: Sequence[str], num_images: int, passed_over: Counter[str]
) -> list[_Asked]:
    """The samples, with the images of their prompts."""
    good = []
    for draw, example in samples:
        try:
            images = list(opened(example.images[:num_images]))
        except SampleError as error:
            passed_over[error.reason] += 1
            continue
        if len(images) < num_images:
            passed_over["image_missing"] += 1
            continue
        good.append(_Asked(draw, example, images, [fitting(draw.mode, modes, *image.size) for image in images]))
    return good


def _row(corpus: Corpus, one: _Asked, prompt: str, reading: str, is_cut: bool) -> dict[str, Any]:
    truth = next(part.text for part in one.example.parts if part.learned)
    if GROUNDING not in prompt:
        truth, reading = restore(truth), restore(reading)
    return {
        "dataset": corpus.datasets[one.draw.dataset].name,
        "key": one.example.key,
        "lang": one.example.lang,
        "mode": one.mode,
        "prompt": prompt,
        "truth": truth,
        "reading": reading,
        "edit_distance": round(edit_distance(truth, reading), 4),
        "num_errors": Levenshtein.distance(truth, reading),
        "loops": is_loop(reading, is_cut),
        "image": _shown(one.images[0]),
    }


def _shown(image: Image.Image) -> str:
    """The image for people: WebP in base64, at most `_SHOWN_SIDE` pixels long."""
    small, file = image.copy(), io.BytesIO()
    small.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    small.save(file, "WEBP", quality=75)
    return base64.b64encode(file.getvalue()).decode()


def _summed(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    num_characters = sum(len(row["truth"]) for row in rows)
    return {
        "num": len(rows),
        "edit_distance": round(sum(row["edit_distance"] for row in rows) / len(rows), 4),
        "character_error_rate": round(sum(row["num_errors"] for row in rows) / max(1, num_characters), 4),
        "loops": round(sum(row["loops"] for row in rows) / len(rows), 4),
    }
