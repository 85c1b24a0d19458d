"""A question about an image as it is sent, what it is filed under, and the answer of a server that may be anything."""

import base64
import functools
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from datagen.asking.profiles import FIRST, Profile, Try
from datagen.inputs.formats import HEAD_BYTES, format_of
from datagen.record import clean_text

MAX_BODY_BYTES, MAX_CHARS = 16 << 20, 400_000
"""Of a server's answer, and of the text in it. 8,192 tokens have some 30,000 characters, and with their probabilities a
megabyte."""
STOP, LENGTH, REFUSED = "stop", "length", "refused"
"""How an answer ended: by itself, for want of room, or before it began."""


class NothingAnswers(ConnectionError):
    """What was asked is elsewhere and answers nothing more. The run stops, since no other shard would fare better."""


class WrongServer(NothingAnswers, ValueError):
    """The server answers, but not to us: a wrong address, model or key. Whoever set them has to change them."""


class Garbled(ValueError):
    """A body that isn't of the form of OpenAI's chat completions, or half of one."""


@dataclass(frozen=True)
class Question:
    """An `image`, the bytes of a JPEG, PNG or WebP, and what is asked about it. `parameters` are all that is sent besides: they
    and the prompt decide the answer, and so does `number`, the try that it is."""

    image: bytes
    prompt: str
    parameters: dict[str, Any]
    system: str = ""
    text_first: bool = False
    number: int = 0

    @classmethod
    def of(cls, profile: Profile, model: str, kind: str, image: bytes, one: Try = FIRST, number: int = 0) -> "Question":
        """The question of this `kind` that the profile has for `model` at a try, the `number`th."""
        sent = profile.sent(kind)
        temperature = max(one.temperature, sent.pop("temperature", 0))
        room = max(1, round(profile.max_tokens * one.share))
        seed = {"seed": number} if temperature else {}
        parameters = {"model": model, "temperature": temperature, "max_tokens": room} | sent | seed
        return cls(image, profile.prompts[kind], parameters, profile.system, profile.text_first, number)

    @functools.cached_property
    def asked(self) -> str:
        """A digest of all that is sent but the image: the profile's fingerprint, at this try."""
        values = [self.prompt, self.system, self.text_first, self.parameters, self.number]
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    @functools.cached_property
    def shown(self) -> str:
        """The sha256 of the image as it is sent."""
        return hashlib.sha256(self.image).hexdigest()

    def body(self) -> dict[str, Any]:
        """The request, as OpenAI's chat completions have it."""
        kind = format_of(self.image[:HEAD_BYTES], ("jpeg", "png", "webp"))
        url = f"data:image/{kind.name if kind else 'png'};base64,{base64.b64encode(self.image).decode()}"
        content: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url}}]
        if self.prompt:
            content.insert(0 if self.text_first else 1, {"type": "text", "text": self.prompt})
        messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
        if self.system:
            messages.insert(0, {"role": "system", "content": self.system})
        return {"messages": messages} | self.parameters


class Answer(NamedTuple):
    """What came back: the text, and how it ended, with a `detail` for people where it was refused. `score` is the mean
    probability of its tokens, None where nobody says it; `num_read` and `num_written` are tokens, 0 where nobody counts them;
    `seconds` is how long it took."""

    text: str
    end: str = STOP
    detail: str = ""
    score: float | None = None
    num_read: int = 0
    num_written: int = 0
    seconds: float = 0.0


def parsed(body: bytes) -> Answer:
    """The answer in a whole body. Raises `Garbled`."""
    try:
        answer = json.loads(body)
        choice = answer["choices"][0]
        text, finish = _text(choice["message"]["content"]), choice.get("finish_reason")
        tokens = (choice.get("logprobs") or {}).get("content") or []
        logp = [float(token["logprob"]) for token in tokens]
        usage = answer.get("usage") or {}
        counts = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
        score = mean_probability(logp) if logp else None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise Garbled(clean_text(f"{type(error).__name__}: {error}"[:200] + f": {words(body)}")) from None
    if finish == "content_filter":
        return Answer("", REFUSED, "content_filter", None, *counts)
    end = LENGTH if finish == "length" or len(text) > MAX_CHARS else STOP
    return Answer(text[:MAX_CHARS], end, "", score, *counts)


def words(body: bytes) -> str:
    """The beginning of a body, for people."""
    return clean_text(" ".join(body[:400].decode("utf-8", "replace").split()))[:200]


def mean_probability(logp: Sequence[float]) -> float:
    """The score of what a model writes token by token: the geometric mean of the tokens' probabilities, of which `logp` are the
    logarithms, to 3 decimals. That of all of them together says little of a long answer."""
    mean = sum(logp) / len(logp)
    return round(min(1.0, math.exp(mean)), 3) if math.isfinite(mean) else 0.0


def ended(answer: Answer, profile: Profile) -> str:
    """The answer's text without the tokens that end it, which some servers give, too."""
    text = answer.text.rstrip()
    while end := next((end for end in profile.ends if text.endswith(end)), ""):
        text = text.removesuffix(end).rstrip()
    return text


def _text(content: Any) -> str:
    """The text of a message, which some servers give in parts."""
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part.get("type", "text") == "text")
    return clean_text(str(content or ""))
