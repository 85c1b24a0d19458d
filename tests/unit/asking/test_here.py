"""Models in this process: questions that come together are answered together, and vLLM is asked as its recipe has it."""

import asyncio
import sys
import types

import pytest

from datagen.asking.answers import LENGTH, Answer, Question
from datagen.asking.here import Batches, Nobody, Vllm
from datagen.asking.profiles import profile_of
from tests.inputs.samples import image

MODEL = "deepseek-ai/DeepSeek-OCR"


def questions(number: int) -> list[Question]:
    return [Question.of(profile_of(MODEL), MODEL, "pages", image(40 + n, 48)) for n in range(number)]


def asked(answerer, number: int) -> list:
    async def all_of_them():
        return await asyncio.gather(*map(answerer.ask, questions(number)), return_exceptions=True)

    return asyncio.run(all_of_them())


def test_questions_that_come_together_are_answered_together():
    sizes = []

    def answer(batch):
        sizes.append(len(batch))
        return [Answer(question.shown) for question in batch]

    assert [one.text for one in asked(Batches(answer, 4), 10)] == [question.shown for question in questions(10)]
    assert sizes == [4, 4, 2]


def test_what_fails_fails_for_who_asked():
    def answer(batch):
        raise MemoryError("no room")

    assert [type(one) for one in asked(Batches(answer, 4), 5)] == [MemoryError] * 5


def test_nobody_answers_nothing():
    assert {one.reason for one in asked(Nobody(), 2)} == {"not_in_ledger"}


@pytest.fixture
def vllm(monkeypatch):
    """A stand-in for the package, which keeps what it was asked: vLLM itself runs on no machine of these tests."""
    kept = types.SimpleNamespace(made=[], chats=[])

    class LLM:
        def __init__(self, **settings):
            kept.made.append(settings)

        def chat(self, conversations, sampling, use_tqdm):
            kept.chats.append((conversations, [one.asked for one in sampling]))
            chosen = {7: types.SimpleNamespace(logprob=-0.1)}
            said = [
                types.SimpleNamespace(
                    text=f"answer {n}", token_ids=[7, 7], logprobs=[chosen, chosen], finish_reason=("stop", "length")[n % 2]
                )
                for n in range(len(conversations))
            ]
            return [types.SimpleNamespace(outputs=[one], prompt_token_ids=[1, 2, 3]) for one in said]

    class SamplingParams:
        def __init__(self, **asked):
            self.asked = asked

    package = types.SimpleNamespace(LLM=LLM, SamplingParams=SamplingParams)
    processor = types.SimpleNamespace(NGramPerReqLogitsProcessor="the processor")
    monkeypatch.setitem(sys.modules, "vllm", package)
    monkeypatch.setitem(sys.modules, "vllm.model_executor.models.deepseek_ocr", processor)
    return kept


def test_vllm_is_asked_as_its_recipe_has_it(vllm):
    answerer = Vllm(MODEL)
    first, second = asked(answerer, 2)
    (made,) = vllm.made
    assert made == {
        "model": MODEL,
        "enable_prefix_caching": False,
        "mm_processor_cache_gb": 0,
        "logits_processors": ["the processor"],
    }
    ((conversations, (sampling, _)),) = vllm.chats
    assert sampling["extra_args"] == {"ngram_size": 30, "window_size": 90, "whitelist_token_ids": [128821, 128822]}
    assert (sampling["temperature"], sampling["max_tokens"], sampling["skip_special_tokens"]) == (0, 8192, False)
    assert "model" not in sampling and conversations[0][0]["content"][0]["type"] == "image_url"
    assert first == Answer("answer 0", "stop", "", 0.905, 3, 2) and second.end == LENGTH
    answerer.close()
