"""The loop that reads a file's parts in a child: a part that ends the parser costs itself alone, and every second is reported."""

import ctypes
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from datagen.record import Range, SampleError
from datagen.sandbox.loop import read_parts
from datagen.sandbox.parts import Failed, Part, Parts, each
from datagen.sandbox.process import Limits

HERE = "tests.unit.sandbox.test_loop:"
LIMITS = Limits(deadline_s=1.0, memory_bytes=1 << 30)


def letters(text: str, numbers: list[int] | None = None, folder: str = "") -> Iterator[Parts | Part[str] | Failed]:
    """A file whose parts are letters. Some do harm: C crashes, H hangs, O crashes once, S takes a while, B is bad."""
    if text.startswith("?"):
        ctypes.string_at(0)
    if numbers is None:
        numbers = list(range(len(text)))
        yield Parts(numbers)

    def read(number: int) -> str:
        letter = text[number]
        mark = Path(folder, str(number))
        if letter == "C" or (letter == "O" and not mark.exists()):
            mark.touch()
            ctypes.string_at(0)
        while letter == "H":
            pass
        if letter == "B":
            raise SampleError("bad_letter", letter)
        started = time.process_time()
        while letter == "S" and time.process_time() - started < 0.4:
            pass
        return letter

    yield from each(numbers, read)


def swapped(numbers: list[int]) -> Iterator[Part[str]]:
    yield from (Part(number, "x") for number in reversed(numbers))


def short(numbers: list[int]) -> Iterator[Part[str]]:
    yield Part(numbers[0], "x")


def too_many(numbers: list[int]) -> Iterator[Part[str]]:
    yield from (Part(number, "x") for number in (*numbers, 99))


def read(text: str, tmp_path: Path, numbers: list[int] | None = None, **values) -> list[Part[str] | Failed]:
    return list(read_parts(HERE + "letters", str, LIMITS, numbers, text=text, folder=str(tmp_path), **values))


def summary(outcomes: list[Part[str] | Failed]) -> list[tuple]:
    return [(x.parts, x.reason) if isinstance(x, Failed) else (x.number, x.value) for x in outcomes]


def test_all_parts_come_in_order(tmp_path):
    assert summary(read("abc", tmp_path)) == [(0, "a"), (1, "b"), (2, "c")]
    assert summary(read("abcd", tmp_path, [1, 3])) == [(1, "b"), (3, "d")]
    assert read("", tmp_path) == read("abc", tmp_path, []) == []


def test_a_bad_part_is_failed_and_the_child_goes_on(tmp_path):
    assert summary(read("aBc", tmp_path)) == [(0, "a"), (Range(1, 2), "bad_letter"), (2, "c")]


@pytest.mark.slow
@pytest.mark.parametrize(("letter", "reason"), [("H", "timeout")])
def test_a_part_that_ends_the_parser_costs_itself_alone(tmp_path, letter, reason):
    assert summary(read(f"a{letter}c", tmp_path)) == [(0, "a"), (Range(1, 2), reason), (2, "c")]


def test_a_part_that_ends_the_parser_once_is_read(tmp_path):
    assert summary(read("OOab", tmp_path)) == [(0, "O"), (1, "O"), (2, "a"), (3, "b")]


def test_the_rest_is_given_up_after_some_fatal_parts(tmp_path):
    outcomes = read("aCCbc", tmp_path, max_fatal=2, noun="letters")
    assert summary(outcomes) == [(0, "a"), (Range(1, 2), "crash"), (Range(2, 3), "crash"), (Range(3, -1), "crash")]
    assert "2 letters after them not tried" in outcomes[-1].detail


def test_the_rest_is_given_up_when_the_file_has_taken_too_long(tmp_path):
    outcomes = read("SSSSSS", tmp_path, max_cpu_s=1.0, noun="letters")
    *parts, rest = outcomes
    assert 2 <= len(parts) <= 4
    assert summary([rest]) == [(Range(len(parts), -1), "timeout")]
    assert rest.detail.endswith(f"{6 - len(parts)} letters not read")


def test_a_parser_that_dies_at_opening_has_no_parts(tmp_path):
    with pytest.raises(SampleError, match="crash: at opening"):
        read("?abc", tmp_path)
    outcomes = read("?ab", tmp_path, [0, 1])  # where parts are known, each is tried
    assert summary(outcomes) == [(Range(0, 1), "crash"), (Range(1, 2), "crash")]


@pytest.mark.parametrize("function", ["swapped", "short", "too_many"])
def test_a_parser_that_answers_for_other_parts_is_not_believed(function):
    """Each part is then read alone, and what comes beside it is nobody's."""
    assert summary(list(read_parts(HERE + function, str, LIMITS, [0, 1]))) == [(0, "x"), (1, "x")]
