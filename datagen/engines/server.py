"""A vision-language model behind a server that speaks OpenAI's chat completions, as vLLM and SGLang do: reads regions, and whole
pages where the model answers with boxes.

    server = Server(kind="tables", url="http://gpu-1:8000/v1", model="PaddlePaddle/PaddleOCR-VL")

Several crops are asked about at a time; the temperature is 0. What the server can't do just now (429, 500, no answer in time) is
asked again, later each time, until it did so to many in a row: then the run stops (`NothingAnswers`). A server that refuses
`logprobs` is asked without them. A key comes from an environment variable and is written nowhere.

What a model is asked depends on its family, which its name tells. The prompts are those of the models' own cards and clients:
PaddleOCR-VL, MinerU2.5 (mineru-vl-utils), GLM-OCR, DeepSeek-OCR. Any other model is asked in plain words.
"""

import asyncio
import base64
import io
import json
import logging
import os
import random
import re
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import aiohttp
import numpy
from PIL import Image

from datagen import target
from datagen.engines import NothingAnswers, mean_probability
from datagen.inputs.formats import HEAD_BYTES, format_of
from datagen.labels import PICTURES, label_of
from datagen.markdown import bare_latex
from datagen.page import images
from datagen.record import Line, Region, Sample, SampleError, clean_text
from datagen.tables import markup
from datagen.tables.cells import to_html

log = logging.getLogger(__name__)

FORMATS = {"text": "markdown", "tables": "html", "formulas": "latex", "pages": "markdown", "captions": "markdown"}
"""What the readings of each kind are."""


Shown = numpy.ndarray | bytes
"""What a server is asked about: pixels, (H, W, 3) RGB bytes, or a JPEG, PNG or WebP."""


@dataclass(frozen=True)
class Family:
    """Models that are asked in the same words. `named` is in the names of all of them, in small letters; `prompts` are by kind,
    `system` is said before, `parameters` are sent besides OpenAI's."""

    named: str
    prompts: dict[str, str]
    system: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)


_WITH_SPECIAL = {"skip_special_tokens": False}  # tokens of tables and boxes are special ones, which vLLM leaves out by itself
FAMILIES = (
    Family("deepseek-ocr", {
        "text": "Free OCR.",
        "tables": f"{target.GROUNDING}Convert the document to markdown.",
        "formulas": f"{target.GROUNDING}Convert the document to markdown.",
        "pages": f"{target.GROUNDING}Convert the document to markdown.",
        "captions": "Describe this image in detail.",
    }, parameters=_WITH_SPECIAL),
    Family("paddleocr-vl", {
        "text": "OCR:", "tables": "Table Recognition:", "formulas": "Formula Recognition:",
    }, parameters=_WITH_SPECIAL),
    Family("mineru", {
        "text": "\nText Recognition:", "tables": "\nTable Recognition:", "formulas": "\nFormula Recognition:",
    }, system="You are a helpful assistant.", parameters=_WITH_SPECIAL),
    Family("glm-ocr", {
        "text": "Text Recognition:", "tables": "Table Recognition:", "formulas": "Formula Recognition:",
    }),
    Family("", {
        "text": "Transcribe the text of this image exactly, as Markdown, in reading order. Write nothing else.",
        "tables": "Transcribe the table of this image as an HTML table with rowspan and colspan. Write nothing else.",
        "formulas": "Transcribe the formula of this image as LaTeX. Write nothing else.",
        "captions": "Describe this image in detail, in plain sentences. Say only what is to be seen. Write nothing else.",
    }),
)  # fmt: skip
"""Tried in this order: the last is for all others."""

_GROUNDED = "deepseek-ocr"
# Where special tokens aren't left out, some servers give the one that ends an answer, too.
ENDS = re.compile(rf"(?:\s|<\|im_end\|>|<\|endoftext\|>|</s>|{re.escape(target.EOS)})+\Z")
_BUSY = (408, 409, 425, 429, 500, 502, 503, 504)
_REFUSED = (400, 413, 415, 422)
_FAULTS = ("busy", "timeout", "unreachable", "garbled")
"""Reasons that lie with the server, and not with what it is shown."""
_LONGEST_WAIT_S = 60.0
_SMALLEST = 32
"""Pixels: vision networks refuse images that are smaller than two of their patches."""


class Answer(NamedTuple):
    """What a server said: the text and its score, or the `reason` why there is none, with a `detail` for people; and the tokens
    that it counted, of what was asked and of what it answered, 0 where it doesn't say."""

    text: str
    score: float | None = None
    reason: str = ""
    detail: str = ""
    num_asked: int = 0
    num_answered: int = 0


def _none(reason: str, detail: str = "") -> Answer:
    return Answer("", None, reason, detail)


class Server:
    """The model `model` at `url`, which ends in /v1 as a rule, asked about regions of a `kind`: text, tables or formulas; or
    about pages.

    `prompt` is asked in place of the family's own, `family` stands for the model's name where that doesn't tell it. `key` names
    the environment variable that holds the server's key, if it wants one. At most `together` crops are under way at a time; each
    is asked `tries` times, has `timeout_s` for each, and waits at first for `wait_s`, then twice as long each time. After
    `most_failed` in a row whose failures are the server's (or that it refused, having answered none) it gives up. Raises
    `ValueError` for settings that don't go together.
    """

    reach: ClassVar[tuple[str, ...]] = ("url", "key", "together", "tries", "timeout_s", "wait_s", "most_failed")

    def __init__(
        self,
        kind: str = "text",
        url: str = "",
        model: str = "",
        prompt: str = "",
        family: str = "",
        key: str = "OPENAI_API_KEY",
        together: int = 16,
        tries: int = 5,
        timeout_s: float = 300.0,
        wait_s: float = 1.0,
        max_tokens: int = 4096,
        logprobs: bool = True,
        most_failed: int = 16,
    ):
        if not url.startswith(("http://", "https://")) or not model:
            raise ValueError(f"server needs the address and the model, as http://HOST:8000/v1#MODEL, not {url}#{model}")
        if kind not in FORMATS:
            raise ValueError(f"server reads no {kind!r}: allowed are {', '.join(FORMATS)}")
        self.family = next(one for one in FAMILIES if one.named in (family or model).lower())
        if not (prompt or kind in self.family.prompts):
            why = "only DeepSeek-OCR and models like it answer with boxes" if kind == "pages" else "name one with prompt=…"
            raise ValueError(f"{model} has no prompt for {kind}: {why}")
        self.kind, self.url, self.model, self.key = kind, url.rstrip("/"), model, key
        self.prompt = prompt or self.family.prompts[kind]
        self.together, self.tries, self.timeout_s, self.wait_s = together, tries, timeout_s, wait_s
        self.max_tokens, self.logprobs = max_tokens, logprobs
        self.format = FORMATS[kind]
        self.most_failed = most_failed
        self._num_failed, self._answers = 0, False
        self.reasons: tuple[str, ...] = ()

    def versions(self) -> dict[str, str]:
        return {f"server {self.model}": "as it is served", "aiohttp": aiohttp.__version__}

    def read(
        self, crops: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]] = (), lang: str = "und"
    ) -> list[tuple[str, float | None]]:
        """The text of each crop, (H, W, 3) RGB bytes, and the mean probability of its tokens, None if the server doesn't tell it.
        "" stands for a crop without an answer; `reasons` has why. Raises `ConnectionError` if the server can't be reached,
        `NothingAnswers` after `most_failed` failures in a row, and `ValueError` if it knows no such model or refuses the key."""
        answers = [self._converted(answer) for answer in self.ask(crops)]
        self.reasons = tuple(answer.reason for answer in answers)
        return [(answer.text, answer.score) for answer in answers]

    def pages(self, samples: Sequence[Sample]) -> list[tuple[Region, ...] | SampleError]:
        """The regions of each page, with their text, in the model's order; or why there are none. Raises as `read`."""
        found: dict[str, tuple[Region, ...] | SampleError] = {}
        shown: list[tuple[Sample, numpy.ndarray]] = []
        for sample in samples:
            try:
                shown.append((sample, images.pixels(sample.image or b"")))
            except SampleError as error:
                found[sample.key] = error
        answers = self.ask([image for _, image in shown])
        found |= {sample.key: self._regions(answer, sample) for answer, (sample, _) in zip(answers, shown, strict=True)}
        return [found[sample.key] for sample in samples]

    def ask(self, shown: Sequence[Shown]) -> list[Answer]:
        """What the server says about each, as it says it. Raises as `read`."""
        return asyncio.run(self._all(shown))

    def close(self) -> None:
        """Nothing stays open between calls."""

    def _converted(self, answer: Answer) -> Answer:
        """The answer as text of this kind."""
        if answer.reason:
            return answer
        text = markup.unfenced(ENDS.sub("", answer.text)).strip()
        if target.REF in text:
            wanted = {"tables": "table", "formulas": "equation"}.get(self.kind)
            regions = target.decode(text, (1000, 1000))
            text = "\n\n".join(region.text for region in regions if wanted in (None, region.label))
        if self.kind == "formulas":
            text = bare_latex(text)
        elif self.kind == "tables" and text:
            try:
                text = to_html(markup.read(text))
            except ValueError:
                return _none("no_table")
        return answer._replace(text=text) if text else _none("empty_answer")

    def _regions(self, answer: Answer, sample: Sample) -> tuple[Region, ...] | SampleError:
        if answer.reason:
            return SampleError(f"server_{answer.reason}", f"{self.model}: {answer.detail}")
        regions = target.decode(ENDS.sub("", answer.text), sample.size, self.model)
        try:
            return tuple(
                replace(
                    region,
                    label=label_of(_GROUNDED, region.label),
                    score=answer.score,
                    detected_by=_GROUNDED,
                    is_unread=not region.text and region.label not in PICTURES,
                )
                for region in regions
            )
        except ValueError as error:
            return SampleError("server_unknown_label", str(error))

    async def _all(self, crops: Sequence[Shown]) -> list[Answer]:
        """The answers, in the order of the crops, of which `together` are asked about at a time."""
        room = asyncio.Semaphore(self.together)
        key = os.environ.get(self.key, "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = aiohttp.ClientTimeout(total=self.timeout_s)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:

            async def asked(crop: Shown) -> Answer:
                async with room:
                    answer = await self._one(session, crop)
                    self._count(answer)
                    return answer

            answers = await _whole([asked(crop) for crop in crops])
        if answers and all(answer.reason == "unreachable" for answer in answers):
            raise ConnectionError(f"{self.url} can't be reached: {answers[0].detail}")
        return answers

    def _count(self, answer: Answer) -> None:
        """Raises `NothingAnswers` where this is the last of too many failures in a row."""
        is_fault = answer.reason in _FAULTS or (answer.reason == "refused" and not self._answers)
        self._num_failed = self._num_failed + 1 if is_fault else 0
        self._answers |= not is_fault
        if self._num_failed >= self.most_failed:
            num, self._num_failed = self._num_failed, 0
            raise NothingAnswers(
                f"{self.url} gave no answer for {self.model} {num} times in a row, the last time {answer.reason}: "
                f"{answer.detail or 'it says nothing else'}. When the server answers, the same command goes on."
            )

    async def _one(self, session: aiohttp.ClientSession, crop: Shown) -> Answer:
        """The answer about a crop, asked for up to `tries` times."""
        body = self._body(crop)
        answer = _none("unreachable")
        for attempt in range(self.tries):
            wait_s = min(_LONGEST_WAIT_S, self.wait_s * 2**attempt)
            try:
                async with session.post(f"{self.url}/chat/completions", json=body) as response:
                    if response.status == 200:
                        return _answer(await response.read())
                    words = " ".join((await response.text(errors="replace")).split())
                    reason = words[:200]
                    if response.status in _REFUSED and "logprobs" in body and "logprob" in words.lower():
                        if self.logprobs:
                            log.warning("%s refuses logprobs: its answers have no scores", self.url)
                        self.logprobs = False
                        return await self._one(session, crop)
                    if response.status in _REFUSED:
                        return _none("refused", reason)
                    if response.status not in _BUSY:
                        raise ValueError(f"{self.url} answers {response.status} for {self.model}: {reason}")
                    answer = _none("busy", f"{response.status} {reason}")
                    wait_s = _asked_wait(response.headers.get("Retry-After"), wait_s)
            except TimeoutError:
                answer = _none("timeout", f"no answer within {self.timeout_s:g} s")
            except (aiohttp.ClientError, OSError) as error:
                answer = _none("unreachable", f"{type(error).__name__}: {error}")
            if attempt + 1 < self.tries:
                await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # so that not all come back at once
        return answer

    def _body(self, crop: Shown) -> dict[str, Any]:
        """The request, with the crop as PNG, or the file as it is."""
        if isinstance(crop, bytes):
            kind = format_of(crop[:HEAD_BYTES], ("jpeg", "png", "webp"))
            url = f"data:image/{kind.name if kind else 'png'};base64,{base64.b64encode(crop).decode()}"
        else:
            url = f"data:image/png;base64,{_png(crop)}"
        image = {"type": "image_url", "image_url": {"url": url}}
        messages: list[dict[str, Any]] = [{"role": "user", "content": [image, {"type": "text", "text": self.prompt}]}]
        if self.family.system:
            messages.insert(0, {"role": "system", "content": self.family.system})
        asked = {"model": self.model, "messages": messages, "temperature": 0, "max_tokens": self.max_tokens}
        return asked | ({"logprobs": True} if self.logprobs else {}) | self.family.parameters


def _answer(body: bytes) -> Answer:
    """What a whole answer of the server says."""
    try:
        answer = json.loads(body)
        choice = answer["choices"][0]
        text, finish = _text(choice["message"]["content"]), choice.get("finish_reason")
        tokens = (choice.get("logprobs") or {}).get("content") or []
        logp = [float(token["logprob"]) for token in tokens]
        usage = answer.get("usage") or {}
        counts = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        shown = " ".join(body[:200].decode("utf-8", "replace").split())
        return _none("garbled", clean_text(f"{type(error).__name__}: {error}: {shown}"))
    if finish == "length":
        return Answer("", None, "too_long", text[:100], *counts)
    return Answer(text, mean_probability(logp) if logp else None, "", "", *counts)


def _text(content: Any) -> str:
    """The text of a message, which some servers give in parts."""
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part.get("type", "text") == "text")
    return clean_text(str(content or ""))


async def _whole(asked: Sequence[Coroutine[Any, Any, Answer]]) -> list[Answer]:
    """All answers; if one raises, the others are called off first."""
    tasks = [asyncio.ensure_future(one) for one in asked]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _asked_wait(retry_after: str | None, wait_s: float) -> float:
    """The seconds that a server asks for, if it does so in seconds."""
    try:
        return min(_LONGEST_WAIT_S, max(0.0, float(retry_after or wait_s)))
    except ValueError:  # a date
        return wait_s


def _png(crop: numpy.ndarray) -> str:
    """The crop as PNG in base64, on white paper if it is smaller than networks take."""
    image = Image.fromarray(numpy.ascontiguousarray(crop)).convert("RGB")
    if min(image.size) < _SMALLEST:
        paper = Image.new("RGB", (max(_SMALLEST, image.width), max(_SMALLEST, image.height)), "white")
        paper.paste(image)
        image = paper
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return base64.b64encode(file.getvalue()).decode()
