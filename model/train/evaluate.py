"""How good the network is on samples that were held out: its loss, whether it looks at the image, and what it reads.

T learned tokens of a batch
"""

import base64
import io
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from datagen.record import SampleError
from datagen.target import GROUNDING, IMAGE, restore
from model.batch import Batch
from model.data.loader import job, maker, read
from model.data.modes import fitting, placeholders
from model.data.plan import packed
from model.data.rows import NO_ANSWER, Draw, Example
from model.data.split import Corpus, chosen
from model.deepseek_ocr import DeepseekOcr, Losses
from model.generate import NoRepeat, generate
from model.image import open_upright, views
from model.loss import IGNORED
from model.tokenizer import TextTokenizer

_READ_AT_ONCE = 16
_SHOWN_SIDE = 640
# A piece of text that comes again and again, at least four times and over at least 24 characters.
_LOOP = re.compile(r"(.{1,80}?)\1{3,}", re.DOTALL)
_LOOP_CHARACTERS = 24


def edit_distance(truth: str, reading: str) -> float:
    """The Levenshtein distance in characters over the longer text's length, as in OmniDocBench: 0 is exact, 1 all wrong."""
    return Levenshtein.normalized_distance(truth, reading)


def held_out_draws(corpus: Corpus, modes: Sequence[str], length: int, count: int) -> list[Draw]:
    """Up to `count` held-out samples of each dataset, under the first prompt that each can answer, the modes in turn.

    The same ones at every evaluation and in every run. None is longer than `length`.
    """
    draws: list[Draw] = []
    for number, (columns, rows) in enumerate(zip(corpus.columns, corpus.held_out, strict=True)):
        found: list[Draw] = []
        for row in chosen(rows, columns, 4 * count).tolist():
            prompt = next((p for p, n in enumerate(columns.answer_NP[row]) if n != NO_ANSWER), None)
            if prompt is None or len(found) == count:
                continue
            sizes = columns.sizes(row)
            mode = modes[len(found) % len(modes)] if sizes else ""
            num_tokens = int(columns.answer_NP[row, prompt]) + sum(placeholders(mode, tuple(modes), *size) for size in sizes)
            if num_tokens <= length:
                found.append(Draw(len(draws) + len(found), number, row, prompt, mode, num_tokens, 0))
        draws += found
    return draws


@dataclass(frozen=True)
class HeldOut:
    """Held-out samples as batches; and the same with each image in the place of another of its size, None where no two have one
    size. `exchanged` says of each learned token of a batch whether its sample has another's image."""

    batches: list[Batch]
    others: list[Batch] | None
    exchanged: list[Tensor]
    names: tuple[str, ...]


def held_out(corpus: Corpus, tokenizer: TextTokenizer, modes: Sequence[str], length: int, micro_rows: int, count: int) -> HeldOut:
    """The batches to measure the loss on. Samples that can't be read are left out."""
    draws = held_out_draws(corpus, modes, length, count)
    rows = [[draws[at] for at in row] for row in packed([draw.length for draw in draws], length)]
    make = maker(corpus, tokenizer, modes)
    batches = [make[job(corpus, rows[start : start + micro_rows])] for start in range(0, len(rows), micro_rows)]
    others, exchanged = _exchanged(batches)
    return HeldOut(batches, others, exchanged, tuple(dataset.name for dataset in corpus.datasets))


def _exchanged(batches: Sequence[Batch]) -> tuple[list[Batch] | None, list[Tensor]]:
    places = [(b, n) for b, one in enumerate(batches) for n in range(len(one.images))]
    of_size: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for b, n in places:
        of_size[batches[b].images[n].num_tokens].append((b, n))
    another: dict[tuple[int, int], tuple[int, int]] = {}
    for alike in of_size.values():
        if len(alike) > 1:
            another |= dict(zip(alike, [*alike[1:], alike[0]], strict=True))
    others, exchanged = [], []
    for b, one in enumerate(batches):
        images = [another.get((b, n), (b, n)) for n in range(len(one.images))]
        others.append(replace(one, images=tuple(batches[from_b].images[from_n] for from_b, from_n in images)))
        exchanged.append(_tokens_of(one, [n for n in range(len(one.images)) if (b, n) in another]))
    return (others if another else None), exchanged


def _tokens_of(batch: Batch, images: Sequence[int]) -> Tensor:
    """(T,): whether each learned token is of a sample that has one of these images."""
    samples_BL = batch.samples_BL + batch.samples_BL.shape[1] * torch.arange(len(batch.samples_BL))[:, None]
    of_placeholder = samples_BL[batch.image_BL]
    starts = [0]
    for image in batch.images:
        starts.append(starts[-1] + image.num_tokens)
    wanted = of_placeholder[torch.tensor([starts[n] for n in images], dtype=torch.int64)]
    return torch.isin(samples_BL[batch.labels_BL != IGNORED], wanted)


@torch.no_grad()
def losses(net: DeepseekOcr, data: HeldOut, autocast: AbstractContextManager) -> dict[str, Any]:
    """In nats a token: `held_out_loss`, `held_out_by` dataset; `own_image_loss` and `other_image_loss` over the samples whose
    image was exchanged, and whether the two part.

    They part if the difference is more than twice the error that its tokens' spread leaves, and a hundredth of a nat.
    """
    was_training = net.training
    net.eval()
    with autocast:
        own = [_each(net, one) for one in data.batches]
        other = [_each(net, one) for one in data.others or ()]
    net.train(was_training)
    own_T, sources_T = torch.cat(own), torch.cat([one.sources_T for one in data.batches])
    found: dict[str, Any] = {"held_out_loss": _rounded(own_T.mean())}
    by = {name: own_T[sources_T == n] for n, name in enumerate(data.names)}
    found["held_out_by"] = {name: _rounded(each_T.mean()) for name, each_T in by.items() if len(each_T)}
    if data.others is None:
        return found
    exchanged_T = torch.cat(data.exchanged)
    own_T, other_T = own_T[exchanged_T], torch.cat(other)[exchanged_T]
    difference_T = other_T - own_T
    error = difference_T.std().item() / math.sqrt(len(difference_T)) if len(difference_T) > 1 else math.inf
    looks = difference_T.mean().item() > max(0.01, 2 * error)
    return found | {"own_image_loss": _rounded(own_T.mean()), "other_image_loss": _rounded(other_T.mean()), "looks": looks}


def _each(net: DeepseekOcr, batch: Batch) -> Tensor:
    on_device = batch.to(net.lm_head.weight.device)
    found: Losses = net(
        on_device.ids_BL, on_device.images, on_device.image_BL, on_device.samples_BL, labels_BL=on_device.labels_BL
    )
    return found.each_T.cpu()


def _rounded(value: Tensor) -> float:
    return round(value.item(), 5)


def readings(
    net: DeepseekOcr,
    tokenizer: TextTokenizer,
    corpus: Corpus,
    draws: Iterable[Draw],
    modes: Sequence[str],
    max_new_tokens: int,
) -> list[dict[str, Any]]:
    """What the network reads in the images of these samples, beside the truth. Samples without an image, or with several, are
    passed over, and so are those that can't be read.

    Nothing forbids repetition here, so that loops are seen. `max_new_tokens` cuts a reading, and never the truth.
    """
    waiting: dict[str, list[tuple[Draw, Example]]] = defaultdict(list)
    for draw in draws:
        try:
            example = read(corpus, draw)
        except SampleError:
            continue
        if len(example.images) == 1 and len(example.parts) > 1 and example.parts[1].learned:
            waiting[example.parts[0].text].append((draw, example))
    rows = []
    for prompt, samples in waiting.items():
        if prompt.count(IMAGE) != 1:
            continue
        for start in range(0, len(samples), _READ_AT_ONCE):
            some = samples[start : start + _READ_AT_ONCE]
            images = [open_upright(example.images[0]) for _, example in some]
            names = [fitting(draw.mode, modes, *image.size) for (draw, _), image in zip(some, images, strict=True)]
            seen = [views(image, mode) for image, mode in zip(images, names, strict=True)]
            texts = generate(net, tokenizer, seen, prompt, max_new_tokens, NoRepeat(0))
            for (draw, example), mode, text in zip(some, names, texts, strict=True):
                rows.append((draw.number, _row(corpus, draw, example, mode, prompt, text)))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def _row(corpus: Corpus, draw: Draw, example: Example, mode: str, prompt: str, reading: str) -> dict[str, Any]:
    truth = example.parts[1].text
    if GROUNDING not in prompt:
        truth, reading = restore(truth), restore(reading)
    return {
        "dataset": corpus.datasets[draw.dataset].name,
        "key": example.key,
        "lang": example.lang,
        "mode": mode,
        "prompt": prompt,
        "truth": truth,
        "reading": reading,
        "edit_distance": round(edit_distance(truth, reading), 4),
        "num_errors": Levenshtein.distance(truth, reading),
        "loops": loops(reading) and not loops(truth),
        "image": _shown(example.images[0]),
    }


def loops(text: str) -> bool:
    """Whether the text goes round and round."""
    return any(len(match[0]) >= _LOOP_CHARACTERS and match[1].strip() for match in _LOOP.finditer(text))


def _shown(image: bytes) -> str:
    """The image as people are shown it: WebP in base64, at most `_SHOWN_SIDE` pixels long."""
    opened, file = open_upright(image), io.BytesIO()
    opened.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    opened.save(file, "WEBP", quality=75)
    return base64.b64encode(file.getvalue()).decode()


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Of all readings, and of those of each dataset, language and mode: how many, the mean edit distance, the character error
    rate, and the share that loops. Keys are "all", "dataset NAME", "lang NAME" and "mode NAME"."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        for key in ("all", *(f"{kind} {row[kind]}" for kind in ("dataset", "lang", "mode"))):
            groups[key].append(row)
    return {key: _summed(of_group) for key, of_group in sorted(groups.items())}


def _summed(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    num_characters = sum(len(row["truth"]) for row in rows)
    return {
        "num": len(rows),
        "edit_distance": round(sum(row["edit_distance"] for row in rows) / len(rows), 4),
        "character_error_rate": round(sum(row["num_errors"] for row in rows) / max(1, num_characters), 4),
        "loops": round(sum(row["loops"] for row in rows) / len(rows), 4),
    }


def shown(rows: Sequence[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Up to `count` of each dataset, the first of each language in front. So the choice doesn't depend on how well one was
    read."""
    first: list[dict[str, Any]] = []
    for dataset in dict.fromkeys(row["dataset"] for row in rows):
        of_dataset = [row for row in rows if row["dataset"] == dataset]
        firsts = {row["lang"]: row for row in reversed(of_dataset)}
        first += sorted(of_dataset, key=lambda row: firsts[row["lang"]] is not row)[:count]
    return first
