"""Servers that speak OpenAI's chat completions, as vLLM and SGLang do, asked by one client: many at a time, over connections that
are kept.

    servers = Servers("http://gpu-1:8000/v1,http://gpu-2:8000/v1?together=128", "deepseek-ai/DeepSeek-OCR")

A question goes to the server with the most room. What a server can't do just now (429, 500, no answer in time, half of one) is
asked again, later each time and maybe elsewhere; a server that says when (`Retry-After`) has no more questions until then. A
question that nobody answers, though a server is there, has failed. While no server is there, all wait for one, and none fails. A
key comes from an environment variable and is written nowhere."""

import asyncio
import contextlib
import email.utils
import json
import logging
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import aiohttp

from datagen.asking import answers
from datagen.asking.answers import LENGTH, REFUSED, Answer, Garbled, NothingAnswers, Question, WrongServer
from datagen.asking.loop import on_loop

log = logging.getLogger(__name__)

_BUSY = (408, 409, 425, 429, 500, 502, 503, 504)
_NOT_NOW = (429, 503)
_REFUSED = (400, 413, 415, 422)
_TOO_LONG = ("max_tokens", "context length")  # what vLLM and SGLang say of an answer that their context has no room for
BUSY, TIMEOUT, UNREACHABLE, GARBLED = "busy", "timeout", "unreachable", "garbled"
"""Why there is no answer: reasons that lie with the server, and not with what it is shown."""
BESIDE, VARIABLE = "beside", "PAGEWHEEL_SERVERS"
"""In place of an address: the servers that recipes/run/serve.sh started on this machine, whose addresses the variable has."""
_LONGEST_WAIT_S = 60.0
_CONNECT_S, _PROBE_S = 20.0, 10.0


class Fault(NamedTuple):
    """Why a question has no answer, and a `detail` for people."""

    reason: str
    detail: str = ""


@dataclass
class _Server:
    """An address, which ends in /v1 as a rule; how many questions it may have at a time, and has; and until when it wants
    none. `context` is how many tokens a question and its answer may have together, 0 where the server doesn't say, None before
    it was asked; `num_read` is the most tokens that a question had so far."""

    url: str
    together: int
    num_asked: int = 0
    not_before: float = 0.0
    faults: int = 0
    context: int | None = None
    num_read: int = 0
    learning: asyncio.Lock = field(default_factory=asyncio.Lock)

    def room(self, now: float) -> int:
        return self.together - self.num_asked if now >= self.not_before else 0


class Servers:
    """The model `model` behind the servers at `url`, several joined by commas. Each has at most `together` questions at a time,
    unless its own address ends in ?together=N. A question is asked `tries` times, has `timeout_s` for each, and waits at first
    for `wait_s`, then twice as long each time. After `most_failed` failures in a row, or `patience_s` in which no server was
    there, it gives up. `key` names the environment variable that holds the servers' key, if they want one. With `logprobs`
    answers are scored, unless a server refuses that. An answer that may be longer than a server's context has what the question
    leaves of it. Raises `ValueError` for an address that is none."""

    reach: ClassVar[tuple[str, ...]] = ("url", "key", "together", "tries", "timeout_s", "wait_s", "most_failed", "patience_s")

    def __init__(
        self,
        url: str,
        model: str,
        key: str = "OPENAI_API_KEY",
        together: int = 64,
        tries: int = 6,
        timeout_s: float = 600.0,
        wait_s: float = 1.0,
        most_failed: int = 64,
        patience_s: float = 900.0,
        logprobs: bool = True,
    ):
        if key and not key.isidentifier():
            raise ValueError("key= is the name of an environment variable that holds the key, and no key itself")
        self.url, self.model, self.key, self.logprobs = url, model, key, logprobs
        self.tries, self.timeout_s, self.wait_s = max(1, tries), timeout_s, wait_s
        self.most_failed, self.patience_s = most_failed, patience_s
        self._servers = [_server(one, together) for one in _named(url).split(",")]
        self._session: aiohttp.ClientSession | None = None
        self._room = asyncio.Condition()
        self._num_failed, self._has_answers, self._alone_since = 0, False, 0.0
        self._probe: asyncio.Future[bool] | None = None

    def versions(self) -> dict[str, str]:
        return {}

    @property
    def together(self) -> int:
        """Questions that may be under way at a time."""
        return sum(server.together for server in self._servers)

    async def ask(self, question: Question) -> Answer | Fault:
        """The answer, or why there is none. Raises `WrongServer` for a wrong address, model or key, and `NothingAnswers` when it
        gives up."""
        num_tries, num_waits = 0, 0
        while True:
            server = await self._chosen()
            try:
                outcome, wait_s = await self._asked(server, question, num_tries + num_waits)
            finally:
                await self._left(server)
            if isinstance(outcome, Answer):
                if outcome.end == REFUSED and not self._has_answers:
                    self._count(Fault(REFUSED, outcome.detail))
                else:
                    self._num_failed, self._has_answers, self._alone_since = 0, True, 0.0
                return outcome
            if self.patience_s and await self._is_everybodys(outcome):
                num_waits += 1
                await self._wait(outcome, wait_s)
                continue
            num_tries += 1
            if num_tries < self.tries:
                await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # so that not all come back at once
            elif await self._is_there():
                self._count(outcome)
                return outcome
            else:
                await self._wait(outcome, wait_s)

    async def check(self) -> None:
        """Raises `WrongServer`, one sentence, if one of the servers can't be reached, has no such model or takes no such key."""
        for server in self._servers:
            try:
                async with self._opened().get(f"{server.url}/models", timeout=_limit(_PROBE_S)) as response:
                    body = await _limited(response)
                    if response.status in (401, 403):
                        raise WrongServer(f"{server.url} answers {response.status}: it takes no such key as ${self.key} has")
                    if response.status == 200:
                        server.context = self._context(server.url, body)
                    elif response.status not in _BUSY:
                        raise WrongServer(f"{server.url}/models answers {response.status}: is it the address of a server's /v1?")
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                if isinstance(error, WrongServer):
                    raise
                detail = str(error) or f"no answer within {_PROBE_S:g} s"
                raise WrongServer(f"{server.url} can't be reached: {type(error).__name__}: {detail}") from None

    def short(self, max_tokens: int) -> list[str]:
        """A sentence for each server that `check` found to have no room for answers of `max_tokens`."""
        return [
            f"{one.url} has a max_model_len of {one.context:,} tokens: an answer may have what its page leaves of them, "
            f"and not {max_tokens:,}"
            for one in self._servers
            if one.context and one.context <= max_tokens
        ]

    def close(self) -> None:
        if self._session is not None:
            on_loop(self._session.close())
            self._session = None

    def _context(self, url: str, body: bytes) -> int:
        """What a list of models says of ours: its `max_model_len`, or that of the model which it is an adapter of. Raises
        `WrongServer` for a list without our model."""
        try:
            models = {str(one["id"]): one for one in json.loads(body)["data"]}
            own = models.get(self.model, {})
            context = int(own.get("max_model_len") or models.get(own.get("parent"), {}).get("max_model_len") or 0)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise WrongServer(f"{url}/models is no list of models: is it the address of a server's /v1?") from None
        if models and self.model not in models:
            raise WrongServer(f"{url} has no model {self.model}: it has {', '.join([*models][:5])}")
        return context

    async def _has_room(self, server: _Server, max_tokens: int) -> bool:
        """Whether an answer of `max_tokens` fits into the server's context, as far as is known."""
        async with server.learning:
            if server.context is None:
                async with self._opened().get(f"{server.url}/models", timeout=_limit(_PROBE_S)) as response:
                    body = await _limited(response)
                    if response.status not in _BUSY:
                        server.context = self._context(server.url, body) if response.status == 200 else 0
        return not server.context or server.num_read + max_tokens < server.context

    def _without_key(self, content: bytes) -> bytes:
        """A body without the key, which some servers repeat, before anything of it is cut off."""
        key = os.environ.get(self.key, "")
        return content.replace(key.encode(), f"${self.key}".encode()) if len(key) >= 4 else content

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            key = os.environ.get(self.key, "")
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=75.0)
            self._session = aiohttp.ClientSession(headers=headers, timeout=_limit(self.timeout_s), connector=connector)
        return self._session

    async def _chosen(self) -> _Server:
        """The server with the most room; waits until there is one."""
        async with self._room:
            while True:
                now = time.monotonic()
                server = max(self._servers, key=lambda one: (one.room(now), -one.faults))
                if server.room(now) > 0:
                    server.num_asked += 1
                    return server
                soonest = min((one.not_before for one in self._servers if one.not_before > now), default=now + 1.0)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._room.wait(), max(0.001, soonest - now))

    async def _left(self, server: _Server) -> None:
        server.num_asked -= 1
        async with self._room:
            self._room.notify()

    async def _asked(
        self, server: _Server, question: Question, num_tries: int, cut: bool = False
    ) -> tuple[Answer | Fault, float]:
        """What a server says, and for how long to wait if that is no answer. With `cut` the server says how long an answer may
        be: it alone knows how many tokens the image takes."""
        wait_s = min(_LONGEST_WAIT_S, self.wait_s * 2**num_tries)
        started = time.monotonic()
        body = question.body() | ({"logprobs": True} if self.logprobs else {})  # only now: it is larger than the image
        try:
            if cut := cut or not await self._has_room(server, body["max_tokens"]):
                del body["max_tokens"]
            async with self._opened().post(f"{server.url}/chat/completions", json=body) as response:
                content = await _limited(response)
                if response.status == 200:
                    answer = answers.parsed(self._without_key(content))
                    server.faults = 0
                    server.num_read = max(server.num_read, answer.num_read)
                    why = f"context is {server.context or 'short'}" if cut and answer.end == LENGTH else ""
                    return answer._replace(detail=why or answer.detail, seconds=round(time.monotonic() - started, 3)), 0.0
                words = answers.words(self._without_key(content))
                if response.status in _REFUSED and "logprobs" in body and "logprob" in words.lower():
                    if self.logprobs:
                        log.warning("%s refuses logprobs: its answers have no scores", server.url)
                    self.logprobs = False
                    return await self._asked(server, question, num_tries)
                if response.status in _REFUSED and not cut and any(one in words for one in _TOO_LONG):
                    return await self._asked(server, question, num_tries, cut=True)
                if response.status in _REFUSED:
                    return Answer("", REFUSED, words, seconds=round(time.monotonic() - started, 3)), 0.0
                if response.status not in _BUSY and response.status < 500:
                    raise WrongServer(f"{server.url} answers {response.status} for {self.model}: {words}")
                asked_s = _asked_wait(response.headers.get("Retry-After"))
                if asked_s is not None and response.status in _NOT_NOW:
                    server.not_before = time.monotonic() + asked_s  # another one may answer at once
                elif asked_s is not None:
                    wait_s = asked_s
                fault = Fault(BUSY, f"{response.status} {words}")
        except Garbled as error:
            fault = Fault(GARBLED, str(error))
        except TimeoutError:
            fault = Fault(TIMEOUT, f"no answer within {self.timeout_s:g} s")
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(error, WrongServer):
                raise
            reason = GARBLED if isinstance(error, aiohttp.ClientPayloadError) else UNREACHABLE
            fault = Fault(reason, f"{type(error).__name__}: {error}")
        server.faults += 1
        return fault, wait_s

    def _count(self, fault: Fault) -> None:
        """Raises `NothingAnswers` where this is the last of too many failures in a row."""
        self._num_failed += 1
        if self._num_failed >= self.most_failed:
            num, self._num_failed = self._num_failed, 0
            raise NothingAnswers(
                f"{self.url} gave no answer for {self.model} {num} times in a row, the last time {fault.reason}: "
                f"{fault.detail or 'it says nothing else'}. When the server answers, the same command goes on."
            )

    async def _is_everybodys(self, fault: Fault) -> bool:
        """Whether a fault is no question's own: a limit on how many may be asked, or a server that isn't there at all."""
        if fault.reason == BUSY:
            return fault.detail.startswith("429 ")
        return fault.reason in (UNREACHABLE, TIMEOUT) and not await self._is_there()

    async def _is_there(self) -> bool:
        """Whether any server says what models it has: then a question that it doesn't answer is to blame itself. Who asks this
        while another does waits for the same answer."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.ensure_future(self._probed())
        return await asyncio.shield(self._probe)

    async def _probed(self) -> bool:
        for server in sorted(self._servers, key=lambda one: one.faults):
            try:
                async with self._opened().get(f"{server.url}/models", timeout=_limit(_PROBE_S)) as response:
                    await _limited(response)
                    if response.status not in _BUSY:
                        return True
            except (aiohttp.ClientError, OSError, TimeoutError):
                continue
        return False

    async def _wait(self, fault: Fault, wait_s: float) -> None:
        """Wait before a question is asked again that can't be answered now. Raises `NothingAnswers` where nobody has been
        answered for too long."""
        now = time.monotonic()
        self._alone_since = self._alone_since or now
        if now - self._alone_since >= self.patience_s:
            raise NothingAnswers(
                f"{self.url} can't be reached: {fault.reason}: {fault.detail or 'it says nothing else'}. "
                "When a server is there, the same command goes on."
            )
        await asyncio.sleep(min(wait_s, self.patience_s) * random.uniform(0.5, 1.0))


def _named(url: str) -> str:
    """What `BESIDE` stands for on this machine. Raises `ValueError` where nobody started servers beside this process."""
    if url != BESIDE:
        return url
    if not os.environ.get(VARIABLE):
        raise ValueError(f"no server was started beside this process: ${VARIABLE} is empty; name one with server=…")
    return os.environ[VARIABLE]


def _server(address: str, together: int) -> _Server:
    url, _, option = address.strip().partition("?together=")
    if "@" in url:
        raise ValueError("an address with a name and a password would be written down: give the key with key=VARIABLE")
    if not url.startswith(("http://", "https://")) or (option and not option.isdigit()):
        raise ValueError(f"{address!r} is no address: http://HOST:8000/v1 is one, and ?together=N may follow it")
    return _Server(url.rstrip("/"), max(1, int(option or together)))


def _limit(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, _CONNECT_S))


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    """The body. Raises `Garbled` for one that is larger than any answer."""
    parts, left = [], answers.MAX_BODY_BYTES
    async for part in response.content.iter_any():
        left -= len(part)
        if left < 0:
            response.close()
            raise Garbled(f"a body of over {answers.MAX_BODY_BYTES:,} bytes")
        parts.append(part)
    return b"".join(parts)


def _asked_wait(retry_after: str | None) -> float | None:
    """The seconds that a server asks for, or the time until the date that it names."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time()
        except (ValueError, TypeError):
            return None
    return min(_LONGEST_WAIT_S, max(0.0, seconds))


def addresses(url: str) -> Sequence[str]:
    """The servers' addresses, without their limits."""
    return [_server(one, 1).url for one in url.split(",")]
