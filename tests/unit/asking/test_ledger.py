"""The ledger: what is written is found, by any run; what a kill left of a line is no answer."""

import asyncio
from dataclasses import replace

import pytest

from datagen.asking import ledger
from datagen.asking.answers import Answer, Question
from datagen.asking.ledger import INDEX, Ledger
from datagen.disk.storage import Folder

ASKED = Question(b"an image", "Read it.", {"model": "m", "temperature": 0, "max_tokens": 9})
ANSWER = Answer("Ein Zweig\n\u2028 in \ud83d" + "x" * 5000, "stop", "", 0.5, 3, 4, 0.25)


def question(number: int) -> Question:
    return replace(ASKED, image=f"image {number}".encode())


def filled(folder: Folder, segment: str, *numbers: int) -> None:
    book = Ledger(folder, segment)

    async def add():
        await asyncio.gather(*(book.add(question(n), Answer(f"answer {n}"), f"page-{n}") for n in numbers))

    asyncio.run(add())
    book.close()


def found(folder: Folder, segment: str, *numbers: int) -> list[str]:
    book = Ledger(folder, segment)
    answers = [book.find(question(n)) for n in numbers]
    book.close()
    return [answer.text if answer else "" for answer in answers]


def test_an_answer_is_on_the_disk_when_it_is_used_and_comes_back_as_it_was(tmp_path):
    folder, book = Folder(str(tmp_path)), Ledger(Folder(str(tmp_path)), "a")
    asyncio.run(book.add(ASKED, ANSWER._replace(text=ANSWER.text.replace("\ud83d", "")), "page"))
    assert len((tmp_path / "a.jsonl").read_bytes()) > 5000
    assert book.find(ASKED) == Ledger(folder, "a").find(ASKED) == ANSWER._replace(text=ANSWER.text.replace("\ud83d", ""))
    for other in (
        replace(ASKED, number=1),
        replace(ASKED, prompt="Read."),
        replace(ASKED, image=b"another"),
        replace(ASKED, system="s"),
    ):
        assert book.find(other) is None
    book.close()


def test_what_a_kill_left_of_the_last_line_is_passed_over_and_written_anew(tmp_path):
    folder = Folder(str(tmp_path))
    filled(folder, "a", 1, 2, 3)
    file = tmp_path / "a.jsonl"
    whole = file.read_bytes()
    for cut in (1, 30, len(whole.splitlines(keepends=True)[2]) - 1):
        file.write_bytes(whole[:-cut])
        assert found(folder, "a", 1, 2, 3) == ["answer 1", "answer 2", ""]
        filled(folder, "a", 3, 4)
        assert found(folder, "a", 1, 2, 3, 4) == [f"answer {n}" for n in (1, 2, 3, 4)]
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1
    file.write_bytes(damaged)
    assert found(folder, "a", 1, 2, 3) == ["answer 1", "", "answer 3"]


def test_another_shard_and_another_run_find_it_by_the_index_which_can_be_made_anew(tmp_path):
    folder = Folder(str(tmp_path))
    filled(folder, "a", 1, 2)
    assert found(folder, "b", 1, 2) == ["", ""]
    assert ledger.index(folder) == 2 and found(folder, "b", 1, 2, 3) == ["answer 1", "answer 2", ""]
    filled(folder, "a", 3)
    assert ledger.index(folder) == 3 == ledger.index(folder) and found(folder, "c", 3) == ["answer 3"]
    (tmp_path / INDEX).write_bytes(b"no database" * 100)
    assert ledger.index(folder) == 3 and found(folder, "c", 1, 2, 3) == ["answer 1", "answer 2", "answer 3"]


def test_forgotten_pages_take_their_answers_along(tmp_path):
    folder = Folder(str(tmp_path))
    filled(folder, "a", 1, 2)
    filled(folder, "b", 3)
    ledger.index(folder)
    assert ledger.forget(folder, lambda page: page in ("page-2", "page-3")) == 2
    assert ledger.index(folder) == 1 and found(folder, "c", 1, 2, 3) == ["answer 1", "", ""]
    assert b"answer 2" not in (tmp_path / "a.jsonl").read_bytes()


def test_object_storage_can_not_be_appended_to():
    with pytest.raises(ValueError, match=r"a folder on a disk is needed.*answers=DIR"):
        Ledger(Folder("memory://ledger"), "a")
