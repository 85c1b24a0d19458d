"""Preference pairs in the form of TRL's trainers (https://huggingface.co/docs/trl/dataset_formats). The truth of a sample is
chosen, and a model's wrong answer is rejected.

    images    the sample's image, a list of one
    prompt    a list of one message: the prompt for such an answer (`datagen.target`), without a mark for the image
    chosen    a list of one message: the truth in the form of the answer: plain, Markdown, or with boxes
    rejected  a list of one message: the answer
    reward    of the answer (`datagen.rewards.reward`), from 0 to 1, so that rows can be chosen by it
    key task lang script uri page licence

TRL puts the image into the message. A sample whose truth is in doubt gives no pair, since it would teach errors.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from datagen.markdown import lacks_text
from datagen.publishing import columns
from datagen.publishing.columns import NO_ANSWER, NOT_ASKED, RIGHT, UNREAD
from datagen.record import Sample
from datagen.rewards.reward import Wanted, reward
from datagen.score.pages import PredictedPage, TruePage, named, paired
from datagen.target import IMAGE, PROMPTS, REF, Prompt, can_answer, encode, is_fine


class Wrong(NamedTuple):
    answer: str
    prompt: Prompt
    reward: float


@dataclass(frozen=True)
class Pairs:
    """The wrong answers about a dataset's samples by key, and the reasons why other samples give no pair. `unused` are
    predictions without a sample."""

    wrong: Mapping[str, Wrong]
    why_none: Mapping[str, str]
    unused: Sequence[PredictedPage] = ()

    @classmethod
    def of(cls, samples: Iterable[Sample], predicted: Sequence[PredictedPage], below: float) -> "Pairs":
        pages = list(named(list(samples)))
        answers, unused = paired([TruePage(names, (), ()) for names, _ in pages], predicted)
        wrong: dict[str, Wrong] = {}
        why_none: dict[str, str] = {}
        for (_, sample), page in zip(pages, answers, strict=True):
            judged = _judged(sample, page.grounded or page.markdown, below) if page else NO_ANSWER
            if isinstance(judged, Wrong):
                wrong[sample.key] = judged
            else:
                why_none[sample.key] = judged
        return cls(wrong, why_none, unused)

    def digest(self, key: str) -> bytes:
        """A digest of a sample's answer, from which its pair follows."""
        return hashlib.sha256(repr(tuple(self.wrong[key])).encode(errors="surrogatepass")).digest()

    def row(self, sample: Sample) -> dict[str, Any]:
        wrong, fields = self.wrong[sample.key], columns.row(sample)
        question, truth = encode(sample, wrong.prompt)
        return {
            "images": [fields["image"]],
            "prompt": _message("user", question.removeprefix(IMAGE).strip()),
            "chosen": _message("assistant", truth),
            "rejected": _message("assistant", wrong.answer),
            "reward": wrong.reward,
            **{name: fields[name] for name in columns.OF_ORIGIN},
        }


def _judged(sample: Sample, answer: str, below: float) -> Wrong | str:
    """The answer if it is wrong, else the reason why it gives no pair."""
    if any(lacks_text(region) for region in sample.regions):
        return UNREAD
    prompt = _prompt(sample, answer)
    if prompt is None:
        return NOT_ASKED
    gained = reward(answer, Wanted(encode(sample, prompt)[1])).total
    return Wrong(answer, prompt, round(gained, 4)) if gained < below else RIGHT


def _prompt(sample: Sample, answer: str) -> Prompt | None:
    """The prompt for answers of this form; None if the sample can't be asked that."""
    if sample.task in ("text", "caption"):
        return None
    plain = Prompt.PLAIN_MARKDOWN if is_fine(sample) else PROMPTS[sample.task][0].prompt
    prompt = Prompt.MARKDOWN if REF in answer else plain
    return prompt if can_answer(sample, prompt) else None


def _message(role: str, content: str) -> list[dict[str, str]]:
    return [{"role": role, "content": content}]
