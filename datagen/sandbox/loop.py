"""The loop that reads a file's parts in a child, whatever the parser: a part that ends the parser costs itself alone."""

import contextlib
import math
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from datagen.record import Range, SampleError
from datagen.sandbox.parts import Failed, Part, Parts
from datagen.sandbox.process import ChildDied, Limits, sandbox

T = TypeVar("T")


def read_parts(
    function: str,
    value_type: type[T],
    limits: Limits,
    numbers: Sequence[int] | None = None,
    *,
    imports: Sequence[str] = (),
    max_fatal: int = 3,
    max_cpu_s: float = math.inf,
    noun: str = "parts",
    **arguments: Any,
) -> Iterator[Part[T] | Failed]:
    """Every part of a file, read by `function` in this thread's child, in order.

    `function` is a generator function ("module:name"). It gets `numbers` and `arguments`, and yields a `Part` of `value_type`, or
    a `Failed`, for each number. If `numbers` is None, it first yields the `Parts` that there are.

    A part at which the child died is read again, alone, in a fresh child; reading goes on behind it. Only if it ends that child,
    too, is it `Failed`. The rest is given up after `max_fatal` such parts, or when the file has taken `max_cpu_s` seconds of
    processor time. `noun` is what people call the parts.

    Raises `SampleError` for the file as a whole, and `ChildBug`.
    """
    generic: Any = Part
    answer_type = Parts | Failed | generic[value_type]
    remaining = None if numbers is None else deque(numbers)
    is_second_try, num_fatal = False, 0
    spent_s = unreported_s = 0.0  # in all; and what no part has reported yet
    while remaining is None or remaining:
        wanted = None if remaining is None else [remaining[0]] if is_second_try else list(remaining)
        num_due = len(wanted or ())
        death: ChildDied | None = None
        answers = sandbox(limits).run(function, answer_type, imports, numbers=wanted, **arguments)
        try:
            with contextlib.closing(answers):
                for answer, cpu_s in answers:
                    spent_s, unreported_s = spent_s + cpu_s, unreported_s + cpu_s
                    if remaining is None:
                        if not isinstance(answer, Parts):
                            raise ChildDied("crash", "read a part before it named the parts")
                        remaining = deque(answer.numbers)
                        num_due = len(remaining)
                    else:
                        _check_turn(answer, remaining[0] if num_due else None)
                        remaining.popleft()
                        num_due -= 1
                        yield msgspec.structs.replace(answer, cpu_s=unreported_s)
                        unreported_s = 0.0
                        if remaining and spent_s > max_cpu_s:
                            detail = f"over {max_cpu_s:g} s for the file; {len(remaining)} {noun} not read"
                            yield Failed(Range(remaining[0]), "timeout", detail)
                            return
                    is_second_try = False
                if remaining is None or num_due:
                    raise ChildDied("crash", "returned before its last part")
        except ChildDied as error:
            death = error
            spent_s, unreported_s = spent_s + error.cpu_s, unreported_s + error.cpu_s
        if death is None or (remaining is not None and not remaining):
            continue
        if not is_second_try:
            is_second_try = True
            continue
        if remaining is None:
            raise SampleError(death.reason, f"at opening: {death.detail}")
        is_second_try = False
        number = remaining.popleft()
        num_fatal += 1
        yield Failed(Range(number, number + 1), death.reason, death.detail, unreported_s)
        unreported_s = 0.0
        if num_fatal == max_fatal and remaining:
            detail = f"{num_fatal} {noun} ended the parser; {len(remaining)} {noun} after them not tried"
            yield Failed(Range(remaining[0]), death.reason, detail)
            return


def _check_turn(answer: Parts | Part[Any] | Failed, number: int | None) -> None:
    """Raise `ChildDied` unless the answer is for the part whose turn it is."""
    expected = Range(-1) if number is None else Range(number, number + 1)
    parts = None if isinstance(answer, Parts) else answer.parts
    if parts != expected:
        raise ChildDied("crash", f"answered for {parts} where {expected} was due")
