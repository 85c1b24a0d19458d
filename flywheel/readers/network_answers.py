"""A network of ours that answers about pages in this process: a folder that a training or `model.train.export` wrote.

It gets the released model's prompts, in the words of the profile `deepseek-ocr`. Served by vLLM, the same folder answers by HTTP.
"""

import functools
import io
from collections import defaultdict
from collections.abc import Sequence
from itertools import takewhile
from typing import ClassVar

import torch
from PIL import Image

from datagen.asking.answers import LENGTH, REFUSED, STOP, Answer, Question
from datagen.asking.client import Fault
from datagen.asking.here import Batches
from datagen.disk.storage import Folder
from datagen.target import IMAGE
from model.files.network_folder import load_model
from model.generate import NoRepeat, tokens
from model.net.deepseek_ocr import DeepseekOcr
from model.net.image import views
from model.net.image_modes import MODES
from model.net.tokenizer import TextTokenizer

_ROOM = 0.75  # of the network's positions, for an answer; the rest is for the image and the prompt
_LET_THROUGH = ("<td>", "</td>")


class NetworkAnswers:
    """The network in `folder`, which sees images in `mode`, `together` of them at a time, on the `device`: cpu, cuda, or "" for a
    GPU if there is one. Raises `ValueError` for an unknown mode."""

    gpus: ClassVar[int] = 1
    reach: ClassVar[tuple[str, ...]] = ("together", "device")
    where: ClassVar[str] = "folder"

    def __init__(self, folder: str, mode: str = "gundam", together: int = 8, device: str = ""):
        if mode not in MODES:
            raise ValueError(f"mode={mode}: allowed are {', '.join(MODES)}")
        self.folder, self.mode, self.together, self.device = folder, mode, together, device
        self._batches = Batches(self._answers, together)

    def versions(self) -> dict[str, str]:
        return {"torch": torch.__version__}

    async def ask(self, question: Question) -> Answer | Fault:
        return await self._batches.ask(question)

    def close(self) -> None:
        self.__dict__.pop("_network", None)

    @functools.cached_property
    def _network(self) -> tuple[DeepseekOcr, TextTokenizer]:
        device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        net, tokenizer = load_model(Folder(self.folder), device)
        return net.eval(), tokenizer

    def _answers(self, questions: Sequence[Question]) -> list[Answer]:
        """The answers. Questions with the same words are asked together."""
        groups: dict[tuple[str, int, float], list[int]] = defaultdict(list)
        for i, question in enumerate(questions):
            parameters = question.parameters
            groups[question.prompt, parameters["max_tokens"], parameters["temperature"]].append(i)
        answers = [Answer("")] * len(questions)
        for (prompt, most, temperature), places in groups.items():
            of_group = self._written([questions[i] for i in places], prompt, most, temperature)
            for i, answer in zip(places, of_group, strict=True):
                answers[i] = answer
        return answers

    def _written(self, questions: Sequence[Question], prompt: str, most: int, temperature: float) -> list[Answer]:
        net, tokenizer = self._network
        words = prompt if IMAGE in prompt else f"{IMAGE}\n{prompt}"
        images = [views(Image.open(io.BytesIO(question.image)).convert("RGB"), self.mode) for question in questions]
        most = min(most, int(_ROOM * net.config.decoder.max_positions))
        seed = questions[0].parameters.get("seed", 0)
        ids: list[list[int]] = [[] for _ in questions]
        try:
            with torch.inference_mode():
                rule = _no_repeat(questions[0], tokenizer)
                for row, token in tokens(net, tokenizer, images, words, most, rule, temperature, seed):
                    ids[row].append(token)
        except ValueError as error:  # no room for an answer
            return [Answer("", REFUSED, str(error)) for _ in questions]
        # A network that learned little writes tokens that aren't text. Its answer ends there, and counts as one without an end.
        no_text = {tokenizer.bos, tokenizer.pad, tokenizer.image}
        answers = []
        for image, written in zip(images, ids, strict=True):
            text = list(takewhile(lambda token: token not in no_text, written))
            end = STOP if len(text) == len(written) < most else LENGTH
            answers.append(Answer(tokenizer.decode(text), end, "", None, image.num_tokens, len(written)))
        return answers


def _no_repeat(question: Question, tokenizer: TextTokenizer) -> NoRepeat:
    """The question's rule against repetition, in this tokenizer's numbers."""
    asked = question.parameters.get("vllm_xargs", {})
    if "ngram_size" not in asked:
        return NoRepeat(ngram=0)
    exempt = frozenset(tokenizer.id(token) for token in _LET_THROUGH)
    return NoRepeat(asked["ngram_size"], asked["window_size"], exempt)
