"""Models that answer in this process: many questions at a time, those that came while the last ones were being answered."""

import asyncio
import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from datagen.asking.answers import LENGTH, MAX_CHARS, REFUSED, STOP, Answer, Question, mean_probability
from datagen.asking.client import Fault
from datagen.record import clean_text

_GATHER_S = 0.01


class Batches:
    """Answers questions by `answer`, at most `together` at a time, on another thread."""

    def __init__(self, answer: Callable[[Sequence[Question]], Sequence[Answer]], together: int):
        self._answer, self.together = answer, max(1, together)
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._working: asyncio.Future[None] | None = None

    async def ask(self, question: Question) -> Answer | Fault:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._working is None or self._working.done():
            self._working = asyncio.ensure_future(self._work())
        return await future

    def close(self) -> None:
        """Nothing stays open."""

    async def _work(self) -> None:
        await asyncio.sleep(_GATHER_S)
        while self._waiting:
            batch, self._waiting = self._waiting[: self.together], self._waiting[self.together :]
            try:
                answers = await asyncio.to_thread(self._answer, [question for question, _ in batch])
            except BaseException as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


class Nobody:
    """Answers nothing: what the ledger has is all that there is."""

    together = 64

    def versions(self) -> dict[str, str]:
        return {}

    async def ask(self, question: Question) -> Answer | Fault:
        return Fault("not_in_ledger", "the ledger has no answer, and no server was to be asked")

    def close(self) -> None:
        """Nothing is open."""


class Vllm:
    """The model `model`, a folder or a hub's name, by vLLM's `LLM` in this process, as vLLM's recipes for DeepSeek-OCR have it:
    without caches of prefixes and images, and with its processor against repeated n-grams where the questions ask for that
    (https://docs.vllm.ai/projects/recipes/en/latest/DeepSeek/DeepSeek-OCR.html). Raises `ImportError` where vLLM isn't
    installed."""

    gpus: ClassVar[int] = 1
    reach: ClassVar[tuple[str, ...]] = ("together",)

    def __init__(self, model: str, together: int = 256):
        self.model, self.together = model, together
        self._batches = Batches(self._answers, together)

    def versions(self) -> dict[str, str]:
        return {}

    async def ask(self, question: Question) -> Answer | Fault:
        return await self._batches.ask(question)

    def close(self) -> None:
        self.__dict__.pop("_llms", None)

    def _answers(self, questions: Sequence[Question]) -> list[Answer]:
        from vllm import SamplingParams

        llm = self._opened("ngram_size" in questions[0].parameters.get("vllm_xargs", {}))
        conversations = [question.body()["messages"] for question in questions]
        outputs = llm.chat(conversations, [SamplingParams(**_sampling(question)) for question in questions], use_tqdm=False)
        return [_answer(output) for output in outputs]

    @functools.cached_property
    def _llms(self) -> dict[bool, Any]:
        return {}

    def _opened(self, against_loops: bool) -> Any:
        if against_loops not in self._llms:
            self._llms[against_loops] = self._made(against_loops)
        return self._llms[against_loops]

    def _made(self, against_loops: bool) -> Any:
        from vllm import LLM

        processors: list[Any] = []
        if against_loops:
            from vllm.model_executor.models.deepseek_ocr import NGramPerReqLogitsProcessor

            processors = [NGramPerReqLogitsProcessor]
        return LLM(model=self.model, enable_prefix_caching=False, mm_processor_cache_gb=0, logits_processors=processors)


def _sampling(question: Question) -> dict[str, Any]:
    """What vLLM's `SamplingParams` calls what a request asks for."""
    asked = {name: value for name, value in question.parameters.items() if name not in ("model", "vllm_xargs")}
    return asked | {"logprobs": 1} | ({"extra_args": xargs} if (xargs := question.parameters.get("vllm_xargs")) else {})


def _answer(output: Any) -> Answer:
    if not output.outputs:
        return Answer("", REFUSED, "vLLM gives no output")
    completion = output.outputs[0]
    tokens = list(completion.token_ids)
    logp = [chosen[token].logprob for token, chosen in zip(tokens, completion.logprobs or (), strict=False) if token in chosen]
    end = LENGTH if completion.finish_reason == "length" else STOP
    score = mean_probability(logp) if logp else None
    text = clean_text(completion.text)[:MAX_CHARS]
    return Answer(text, end, "", score, len(output.prompt_token_ids or ()), len(tokens))
