"""A vision-language model behind a server that speaks OpenAI's chat completions, as vLLM and SGLang do: reads regions, and whole
pages where the model answers with boxes.

    server = Server(kind="tables", url="http://gpu-1:8000/v1", model="PaddlePaddle/PaddleOCR-VL")

How a model is asked is its profile's to say, which its name tells (`datagen.asking.profiles`); tries, waits and keys are as in
`datagen.asking.client`. The temperature is 0.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import aiohttp
import numpy

from datagen.asking import forms, profiles, sent
from datagen.asking.answers import LENGTH, REFUSED, Answer, Question, ended
from datagen.asking.client import Fault, Servers
from datagen.asking.forms import Amiss
from datagen.asking.loop import on_loop
from datagen.asking.loops import is_loop
from datagen.page.images import pixels
from datagen.record import Line, Region, Sample, SampleError

FORMATS = {"text": "markdown", "tables": "html", "formulas": "latex", "pages": "markdown", "captions": "markdown"}
"""What the readings of each kind are."""
_CLIENT = {"together": 16, "tries": 5, "timeout_s": 300.0, "most_failed": 16, "patience_s": 0.0}
_REASONS = {profiles.UNPARSABLE: "no_table", profiles.BLANK: "empty_answer"}


class Server:
    """The model `model` at `url`, which ends in /v1 as a rule, asked about regions of a `kind`: text, tables or formulas; or
    about pages.

    `prompt` is asked in place of the profile's own, `family` stands for the model's name where that doesn't tell it. `max_tokens`
    is the length of an answer. The other `settings` are those of `Servers`; it waits less for a server than a run that labels
    does. Raises `ValueError` for settings that don't go together.
    """

    reach: ClassVar[tuple[str, ...]] = Servers.reach

    def __init__(
        self,
        kind: str = "text",
        url: str = "",
        model: str = "",
        prompt: str = "",
        family: str = "",
        max_tokens: int = 4096,
        **settings: Any,
    ):
        if not url.startswith(("http://", "https://")) or not model:
            raise ValueError(f"server needs the address and the model, as http://HOST:8000/v1#MODEL, not {url}#{model}")
        if kind not in FORMATS:
            raise ValueError(f"server reads no {kind!r}: allowed are {', '.join(FORMATS)}")
        profile = profiles.profile_of(model, family)
        is_boxless = kind == profiles.PAGES and profile.form != profiles.GROUNDED
        if not prompt and (kind not in profile.prompts or is_boxless):
            why = "only DeepSeek-OCR and models like it answer with boxes" if kind == "pages" else "name one with prompt=…"
            raise ValueError(f"{model} has no prompt for {kind}: {why}")
        self.kind, self.model, self.format = kind, model, FORMATS[kind]
        prompts = {kind: prompt or profile.prompts[kind]}
        self.profile = replace(profile, prompts=prompts, max_tokens=max_tokens, sampling=profile.sent(kind))
        self._servers = Servers(url, model, **_CLIENT | settings)
        self.reasons: tuple[str, ...] = ()

    def versions(self) -> dict[str, str]:
        return {f"server {self.model}": "as it is served", "aiohttp": aiohttp.__version__}

    def read(
        self, crops: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]] = (), lang: str = "und"
    ) -> list[tuple[str, float | None]]:
        """The text of each crop, (H, W, 3) RGB bytes, and the mean probability of its tokens, None if the server doesn't tell
        it. "" stands for a crop without an answer; `reasons` has why. Raises `NothingAnswers` if the server can't be reached, or
        after `most_failed` failures in a row, and `WrongServer` if it knows no such model or refuses the key."""
        readings, reasons = [], []
        for answer in self.ask([sent.crop(crop) for crop in crops]):
            text, reason = self._read(answer)
            score = answer.score if text and isinstance(answer, Answer) else None
            readings.append((text, score))
            reasons.append(reason)
        self.reasons = tuple(reasons)
        return readings

    def pages(self, samples: Sequence[Sample]) -> list[tuple[Region, ...] | SampleError]:
        """The regions of each page, with their text, in the model's order; or why there are none. Raises as `read`."""
        found: dict[str, tuple[Region, ...] | SampleError] = {}
        shown: list[tuple[Sample, bytes]] = []
        for sample in samples:
            try:
                shown.append((sample, sent.crop(pixels(sample.image or b""))))
            except SampleError as error:
                found[sample.key] = error
        answers = self.ask([image for _, image in shown])
        found |= {sample.key: self._regions(answer, sample) for answer, (sample, _) in zip(answers, shown, strict=True)}
        return [found[sample.key] for sample in samples]

    def ask(self, shown: Sequence[bytes]) -> list[Answer | Fault]:
        """What the server says about each encoded image, as it says it. Raises as `read`."""

        async def all_of_them() -> list[Answer | Fault]:
            questions = [Question.of(self.profile, self.model, self.kind, image) for image in shown]
            tasks = [asyncio.ensure_future(self._servers.ask(question)) for question in questions]
            try:
                return list(await asyncio.gather(*tasks))
            finally:  # if one raises, the others are called off
                for task in tasks:
                    task.cancel()

        return on_loop(all_of_them())

    def close(self) -> None:
        self._servers.close()

    def _read(self, answer: Answer | Fault) -> tuple[str, str]:
        """The answer as text of this kind, or why there is none."""
        if (reason := unread(answer)) or isinstance(answer, Fault):
            return "", reason
        try:
            return forms.region(self.kind, ended(answer, self.profile))[0], ""
        except Amiss as amiss:
            return "", _REASONS.get(amiss.fate, amiss.fate)

    def _regions(self, answer: Answer | Fault, sample: Sample) -> tuple[Region, ...] | SampleError:
        if (reason := unread(answer)) or isinstance(answer, Fault):
            return SampleError(f"server_{reason}", f"{self.model}: {answer.detail}")
        try:
            read = forms.page(self.profile, ended(answer, self.profile), sample.size, self.model)
        except Amiss as amiss:
            return SampleError(f"server_{amiss.fate}", amiss.detail)
        return tuple(replace(region, score=answer.score) for region in read.regions)


def unread(answer: Answer | Fault) -> str:
    """Why an answer can't be used, whatever it is about; "" if it can."""
    if isinstance(answer, Fault):
        return answer.reason
    if answer.end == REFUSED:
        return "refused"
    if is_loop(answer.text, answer.end == LENGTH):
        return "loop"
    return "too_long" if answer.end == LENGTH else ""
