"""Who answers in this process: a network, many questions at a time, or nobody."""

import asyncio
from collections.abc import Callable, Sequence

from datagen.asking.answers import Answer, Question
from datagen.asking.client import Fault

_GATHER_S = 0.01


class Batches:
    """Answers questions by `answer` on another thread: at most `together` at a time, of those that came while it answered the
    last ones."""

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
