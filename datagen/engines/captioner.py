"""Descriptions of pictures by a model behind a server that speaks OpenAI's chat completions: vLLM, SGLang, or a paid one.

    captioner = Captioner(url="http://gpu-1:8000/v1", model="Qwen/Qwen3-VL-8B-Instruct")

Nothing calls it unless it is asked for: each picture costs, and is shown to whoever runs the server. The client is
`datagen.asking.client`, with what that says of tries, waits and keys.
"""

import logging
from collections.abc import Sequence
from typing import Any, ClassVar

from datagen.asking.answers import Answer, ended
from datagen.asking.client import Fault
from datagen.engines import Description
from datagen.engines.server import Server, unread
from datagen.page.images import upright
from datagen.record import SampleError

log = logging.getLogger(__name__)


class Captioner:
    """The model `model` at `url`. Pictures are shown with a longer side of at most `long_side` pixels (0: as they are), since a
    server counts pixels. `settings` are those of `Server`; `prompt` asks in other words, or in another language."""

    reach: ClassVar[tuple[str, ...]] = Server.reach

    def __init__(self, url: str = "", model: str = "", long_side: int = 1024, max_tokens: int = 1024, **settings: Any):
        self._server = Server("captions", url, model, max_tokens=max_tokens, **settings)
        self._long_side = long_side
        self.num_described = self.num_read = self.num_written = 0

    def versions(self) -> dict[str, str]:
        return self._server.versions()

    def describe(self, pictures: Sequence[bytes]) -> list[Description]:
        """Raises as `Server.read`, for a server that isn't there and for one that refuses everything."""
        failures: list[Description | None] = []
        shown: list[bytes] = []
        for picture in pictures:
            try:
                shown.append(upright(picture, long_side=self._long_side)[0])
                failures.append(None)
            except SampleError as error:
                failures.append(Description("", None, error.reason, error.detail))
        answers = iter(self._server.ask(shown))
        described = [one or self._description(next(answers)) for one in failures]
        self.num_read += sum(one.num_read for one in described)
        self.num_written += sum(one.num_written for one in described)
        self.num_described += sum(not one.reason for one in described)
        return described

    def close(self) -> None:
        """Says what the pictures cost."""
        self._server.close()
        if self.num_read or self.num_written:
            costs = f"{self.num_read:,} tokens read, {self.num_written:,} written"
            log.info("%s described %d pictures: %s", self._server.model, self.num_described, costs)

    def _description(self, answer: Answer | Fault) -> Description:
        if isinstance(answer, Fault):
            return Description("", None, answer.reason, answer.detail)
        text = ended(answer, self._server.profile).strip()
        reason = unread(answer) or ("" if text else "empty_answer")
        detail = answer.detail or (answer.text[:100] if reason else "")
        return Description("" if reason else text, answer.score, reason, detail, answer.num_read, answer.num_written)
