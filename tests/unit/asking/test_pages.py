"""What becomes of a page: each fate, the tries that it asks for, and regions that are asked about one by one."""

import asyncio

import numpy
import pytest

from datagen.asking.answers import LENGTH, REFUSED, Answer, NothingAnswers, Question
from datagen.asking.client import Fault
from datagen.asking.ledger import Ledger, index
from datagen.asking.pages import Asker, Outcome, Page
from datagen.asking.profiles import FATES, profile_of
from datagen.asking.sent import size
from datagen.disk.storage import Folder
from datagen.page.images import pixels
from datagen.record import Box, Region
from tests.inputs.samples import image

GROUNDED = "<|ref|>text<|/ref|><|det|>[[100, 100, 900, 300]]<|/det|>\nAll human beings are born free and equal."
CYRILLIC = GROUNDED.partition("\n")[0] + "\nВсе люди рождаются свободными и равными в своем достоинстве и правах."
HEAD = "---\nprimary_language: en\nis_rotation_valid: {}\nrotation_correction: {}\nis_table: False\nis_diagram: False\n---\n"
LOOP = Answer(GROUNDED + " and so on" * 200, LENGTH)


class Told:
    """Answers what a function says of each question, and keeps the questions."""

    together = 8

    def __init__(self, says):
        self.says, self.questions = says, []

    async def ask(self, question: Question) -> Answer | Fault:
        self.questions.append(question)
        return self.says(question, len(self.questions))

    def close(self) -> None:
        pass


def asked(tmp_path, says, model="deepseek-ai/DeepSeek-OCR", upright=0, **page) -> tuple[Outcome, list[Question]]:
    told, book = Told(says), Ledger(Folder(str(tmp_path)), "s")
    asker = Asker(profile_of(model), model, told, book, lambda image: upright)
    outcome = asyncio.run(asker.page(Page("p", **{"image": image(200, 300), "size": (200, 300), "script": "Latn"} | page)))
    book.close()
    return outcome, told.questions


@pytest.mark.parametrize(
    ("first", "fate", "num_tries"),
    [
        (Answer(GROUNDED), "labelled", 1),
        (LOOP, "loop", 5),
        (Answer(GROUNDED[:90], LENGTH), "truncated", 3),
        (Answer(" \n"), "blank", 4),
        (Answer("", REFUSED, "too small"), "refused", 1),
        (Answer("I'm sorry, I can't help with that."), "refused", 1),
        (Answer(CYRILLIC), "other_script", 4),
        (Answer("No boxes here, though they were asked for."), "unparsable", 3),
        (Answer("<|ref|>song<|/ref|><|det|>[[1, 1, 9, 9]]<|/det|>\nla la la"), "unparsable", 4),
        (Answer(GROUNDED + f"\n\nnumbers [1, 2, 3, {'7' * 5000}]"), "unparsable", 4),
        (Fault("timeout", "no answer"), "failed", 1),
    ],
)
def test_each_page_has_one_fate_and_is_tried_as_that_asks(tmp_path, first, fate, num_tries):
    outcome, questions = asked(tmp_path, lambda question, n: first)
    assert (outcome.fates[0], len(questions)) == (fate, num_tries) and outcome.fate in (fate, "labelled")
    assert set(outcome.fates) <= set(FATES)
    if fate not in ("labelled", "failed", "refused"):
        assert max(question.parameters["temperature"] for question in questions) >= 0.2 or fate == "truncated"
    assert len({(q.asked, q.number) for q in questions}) == num_tries


def test_a_better_answer_at_a_later_try_is_the_label_and_what_it_cost_is_all_of_them(tmp_path):
    def says(question, n):
        return LOOP._replace(num_written=500) if n < 3 else Answer(GROUNDED, num_read=10, num_written=20)

    outcome, questions = asked(tmp_path, says)
    assert outcome.fates == ["loop", "loop", "labelled"] and outcome.num_written == 1020
    assert [q.parameters["temperature"] for q in questions] == [0, 0.2, 0.6]
    assert questions[2].parameters["max_tokens"] == questions[0].parameters["max_tokens"] / 2


def test_a_page_that_lies_on_its_side_is_turned(tmp_path):
    def says(question, n):
        return Answer(GROUNDED) if size(question.image) == (300, 200) else Answer("")

    outcome, _ = asked(tmp_path, says, upright=1)
    assert (outcome.fates, outcome.quarters) == (["turned", "labelled"], 1)
    assert outcome.read.regions[0].box == Box(30, 20, 270, 60)


def test_olmocr_says_itself_how_a_page_is_to_be_turned(tmp_path):
    def says(question, n):
        return Answer(HEAD.format("True", 0) + "Text of the page.") if n > 1 else Answer(HEAD.format("False", 90) + "txeT")

    outcome, questions = asked(tmp_path, says, "allenai/olmOCR-2-7B-1025")
    assert (outcome.fates, outcome.quarters, outcome.read.text) == (["turned", "labelled"], 3, "Text of the page.")
    assert numpy.array_equal(pixels(questions[1].image).shape[:2], (200, 300))


def test_regions_are_asked_about_one_by_one_and_one_that_is_not_read_stays_unread(tmp_path):
    regions = (
        Region(Box(10, 10, 190, 40), "title", "", None, "layout", is_unread=True),
        Region(Box(10, 50, 190, 120), "table", "", None, "layout", is_unread=True),
        Region(Box(10, 130, 190, 180), "image", "", None, "layout"),
        Region(Box(10, 190, 190, 280), "text", "", None, "layout", is_unread=True),
    )

    def says(question, n):
        return {"OCR:": Answer("Words of a region.", score=0.9), "Table Recognition:": Answer("<table><tr><td>")}[question.prompt]

    outcome, questions = asked(tmp_path, says, "PaddlePaddle/PaddleOCR-VL", regions=regions)
    read = outcome.read.regions
    assert [(r.label, r.text, r.is_unread, r.score) for r in read] == [
        ("title", "Words of a region.", False, 0.9),
        ("table", "", True, None),
        ("image", "", False, None),
        ("text", "Words of a region.", False, 0.9),
    ]
    assert outcome.num_unread == 1 and sum(q.prompt == "Table Recognition:" for q in questions) == 3


def test_mineru_says_first_where_the_regions_are(tmp_path):
    layout = (
        "<|box_start|>050 033 950 133<|box_end|><|ref_start|>title<|ref_end|><|rotate_up|>\n"
        "<|box_start|>050 200 950 900<|box_end|><|ref_start|>text<|ref_end|><|rotate_up|>"
    )

    def says(question, n):
        return Answer(layout) if "Layout" in question.prompt else Answer("What it says.")

    outcome, questions = asked(tmp_path, says, "opendatalab/MinerU2.5-2509-1.2B")
    assert [(r.label, r.box, r.text) for r in outcome.read.regions] == [
        ("sub_title", Box(10, 9, 190, 40), "What it says."),
        ("text", Box(10, 60, 190, 270), "What it says."),
    ]
    assert size(questions[0].image) == (1036, 1036) and questions[0].system


def test_got_writes_tables_as_latex(tmp_path):
    text = r"Before. \begin{tabular}{l} a \\ b \\ \end{tabular} Behind."
    outcome, _ = asked(tmp_path, lambda question, n: Answer(text), "stepfun-ai/GOT-OCR-2.0-hf")
    assert outcome.read.text == "Before. \n\n<table><tr><td>a</td></tr><tr><td>b</td></tr></table>\n\n Behind."


def test_pages_that_are_alike_are_asked_about_once_and_a_retry_asks_in_other_words(tmp_path):
    told, book = Told(lambda question, n: LOOP), Ledger(Folder(str(tmp_path)), "s")
    asker = Asker(profile_of("deepseek-ocr"), "deepseek-ocr", told, book)

    async def both():
        pages = [Page(key, image(200, 300), (200, 300)) for key in ("a", "b")]
        return await asyncio.gather(*map(asker.page, pages))

    first, second = asyncio.run(both())
    assert first.fates == second.fates == ["loop"] * 5 and len(told.questions) == 5
    asyncio.run(asker.page(Page("a", image(200, 300), (200, 300), round=1)))
    assert len(told.questions) == 10 and min(q.parameters["temperature"] for q in told.questions[5:]) == 0.3
    book.close()


def test_a_damaged_image_fails_alone(tmp_path):
    outcome, questions = asked(tmp_path, lambda question, n: Answer(GROUNDED), image=b"no image")
    assert outcome.fate == "failed" and not questions and "damaged_image" in outcome.detail


@pytest.mark.parametrize(("num_pages", "is_all"), [(40, True), (40, False), (3, True)])
def test_a_server_that_refuses_everything_is_wrong_and_nothing_is_written_down(tmp_path, num_pages, is_all):
    refusal, book = Answer("", REFUSED, "no images, please"), Ledger(Folder(str(tmp_path)), "s")
    told = Told(lambda question, n: Answer(GROUNDED) if n == num_pages and not is_all else refusal)
    asker = Asker(profile_of(""), "m", told, book)

    async def all_of_them():
        for number in range(num_pages):
            await asker.page(Page(f"p{number}", image(100 + number, 60), (100 + number, 60)))
        await asker.end()

    if is_all and num_pages > 12:
        with pytest.raises(NothingAnswers, match="refused all 40 questions, the last one with: no images, please"):
            asyncio.run(all_of_them())
    else:
        asyncio.run(all_of_them())
    book.close()
    assert index(Folder(str(tmp_path))) == (0 if is_all and num_pages > 12 else num_pages)
