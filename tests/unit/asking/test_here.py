"""Who answers in this process: questions that come together are answered together."""

import asyncio

from datagen.asking.answers import Answer, Question
from datagen.asking.here import Batches
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
