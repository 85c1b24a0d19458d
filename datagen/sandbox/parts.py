"""What a child says of a file's parts: pages, lines' pages, images, sheets. Both sides load this file, so it imports little."""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

import msgspec

from datagen.record import Range, SampleError, clean_text

T = TypeVar("T")


class Parts(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The parts that the child will answer for, in order. It says so once, first, if it was asked for no part by number."""

    numbers: list[int]


class Part(msgspec.Struct, Generic[T], frozen=True, tag=True, array_like=True):
    """One part, read. `cpu_s` is the processor time that it took, which the child leaves to the worker to say."""

    number: int
    value: T
    cpu_s: float = 0.0

    @property
    def parts(self) -> Range:
        return Range(self.number, self.number + 1)


class Failed(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Parts that couldn't be read; a `stop` of -1 stands for the last of those that were asked for. `cpu_s` as in `Part`."""

    parts: Range
    reason: str
    detail: str
    cpu_s: float = 0.0


def each(numbers: Iterable[int], read: Callable[[int], T]) -> Iterator[Part[T] | Failed]:
    """What `read` returns for every number, or the `SampleError` that it raises."""
    for number in numbers:
        try:
            part: Part[T] | Failed = Part(number, read(number))
        except SampleError as error:
            part = Failed(Range(number, number + 1), error.reason, clean_text(error.detail))
        yield part
