"""Which lines a person is asked about, and the sheets that say so."""

from dataclasses import replace

import pytest

from datagen.disk.storage import Folder
from datagen.record import Box
from flywheel.people import review
from flywheel.pools import questions
from flywheel.pools.questions import Answer, Asked, Sheet

PAGE = "0123456789abcdef-01234567-000003"


def line(number: int, reading: str = "слова слова", score: float = 0.4, **values) -> Asked:
    at = Box(10, 40 * number, 300, 40 * number + 30)
    known = {"id": f"{PAGE}-r2-{number:04d}", "lang": "ru", "script": "Cyrl", "reason": "low_confidence", "sha256": "a" * 64}
    return Asked(page=PAGE, uri="file:///a.pdf", number=3, box=at, reading=reading, score=score, **known | values)


WORDS = "кот рот ток корова сорока дорога молоко береза ольха осина".split()


def texts(count: int) -> list[str]:
    """Texts that aren't alike."""
    return [" ".join(WORDS[(i * k) % 10] + str(i * i * k) for k in (1, 3, 7)) for i in range(count)]


def test_lines_with_most_wrong_characters_come_first_and_what_is_no_text_last():
    sure, doubtful, junk = line(1, texts(1)[0], 0.9), line(2, "дорога молоко и береза", 0.2), line(3, "лг", 0.01)
    assert review.choose([sure, doubtful, junk], 2) == [doubtful, sure]
    assert review.choose([junk], 2) == [junk]


def test_each_language_gets_as_many_lines():
    many = [line(i, t, 0.1) for i, t in enumerate(texts(30))]
    few = [line(100 + i, t, 0.9, lang="uk") for i, t in enumerate(texts(4))]
    assert [one.lang for one in review.choose(many + few, 10)] == ["ru"] * 6 + ["uk"] * 4
    assert [one.lang for one in review.choose(many + few, 6)] == ["ru"] * 3 + ["uk"] * 3


def test_what_was_answered_is_not_asked_again_by_whatever_round():
    one = line(1)
    answered = Answer("0123456789abcdef-01234567-000003-r1-0007", one.image, "", "слово", "edit", "Eva")
    assert review.choose([one], 5, [answered]) == []


def test_a_sheet_is_written_under_a_new_number_unless_it_asks_the_same(tmp_path):
    folder = Folder(str(tmp_path))
    first = questions.add_sheet(folder, questions.REVIEW, 2, "why", [line(1)])
    assert questions.add_sheet(folder, questions.REVIEW, 2, "why", [line(1)]) == first
    assert questions.add_sheet(folder, questions.REVIEW, 3, "why", [line(1)]).name == "review-2"
    assert questions.add_sheet(folder, questions.AUDIT, 3, "why", [line(1)]).name == "audit-1"
    assert [sheet.name for sheet in questions.sheets(folder)] == ["audit-1", "review-1", "review-2"]
    assert questions.sheets(folder)[1] == first


def test_a_damaged_sheet_is_named(tmp_path):
    (tmp_path / "review-1.json").write_text('{"name": "review-1"}')
    with pytest.raises(ValueError, match=r"review-1\.json is damaged"):
        questions.sheets(Folder(str(tmp_path)))


def test_lines_of_a_forgotten_source_leave_sheets_and_answers(tmp_path):
    folder = Folder(str(tmp_path))
    other = replace(line(2), page="fedcba9876543210-01234567-000001", id="fedcba9876543210-01234567-000001-r2-0002")
    asked = questions.add_sheet(folder, questions.REVIEW, 2, "why", [line(1), other])
    folder.write("review-1/index.html", b"shows them")
    given = [Answer(one.id, one.image, one.reading, "x", "edit", "Eva") for one in (line(1), other)]
    questions.write_answers(folder, given)
    assert questions.forget(folder, lambda key: key.startswith(PAGE)) == 1
    (sheet,) = questions.sheets(folder)
    assert sheet == Sheet("review-1", "review", 2, "why", (other,), id=asked.id)
    assert questions.answers(folder) == given[1:]
    assert not folder.exists("review-1")
    assert questions.forget(folder, lambda key: key.startswith("fedc")) == 1
    assert not folder.exists(questions.ANSWERS)
