"""The child process: what it passes on, and every way in which it can end."""

import ctypes
import os
import signal
import struct
import subprocess
import sys
import time

import psutil
import pytest

from datagen.record import SampleError
from datagen.sandbox import ChildBug, ChildDied, Limits, Sandbox

HERE = "tests.unit.test_sandbox:"


def numbers(n):
    yield from range(n)


def spin():
    yield "before"
    while True:
        pass


def nap(seconds):
    yield "before"
    time.sleep(seconds)
    yield "after"


def swallow(num_bytes):
    yield "before"
    yield len(bytearray(num_bytes))


def segfault():
    yield "before"
    ctypes.string_at(0)


def die_while_it_speaks():
    """Half of a message, on the connection that the command line names."""
    yield "before"
    os.write(int(sys.argv[1]), struct.pack("!i", 1000) + bytes(500))
    os.kill(os.getpid(), signal.SIGSEGV)


def refuse():
    raise SampleError("encrypted", "a password")
    yield


def blunder():
    raise KeyError("oops")
    yield


def whoami():
    yield os.getpid()


@pytest.fixture
def box():
    box = Sandbox(Limits(deadline_s=1.0, memory_bytes=2 << 30))
    yield box
    box.close()


def until_death(stream):
    got = []
    with pytest.raises(ChildDied) as death:
        for value in stream:
            got.append(value)
    return got, death.value.reason


def test_values_arrive_in_order_from_one_child(box):
    assert list(box.run(HERE + "numbers", n=1000)) == list(range(1000))
    first, second = list(box.run(HERE + "whoami")), list(box.run(HERE + "whoami"))
    assert first == second != [os.getpid()]


@pytest.mark.parametrize(
    ("function", "arguments", "reason"),
    [
        ("spin", {}, "timeout"),
        ("segfault", {}, "crash"),
        ("die_while_it_speaks", {}, "crash"),
        ("swallow", {"num_bytes": 4 << 30}, "memory"),
    ],
)
def test_what_came_before_the_end_is_kept_and_the_next_call_works(box, function, arguments, reason):
    assert until_death(box.run(HERE + function, **arguments)) == (["before"], reason)
    assert list(box.run(HERE + "numbers", n=3)) == [0, 1, 2]


def test_the_deadline_counts_cpu_and_waiting_is_free(box):
    assert list(box.run(HERE + "nap", seconds=2.5)) == ["before", "after"]


def test_the_wall_clock_stands_behind_it():
    box = Sandbox(Limits(deadline_s=0.2))
    assert until_death(box.run(HERE + "nap", seconds=60)) == (["before"], "timeout")


def test_a_sample_error_passes_and_the_child_lives(box):
    (pid,) = box.run(HERE + "whoami")
    with pytest.raises(SampleError) as error:
        list(box.run(HERE + "refuse"))
    assert (error.value.reason, error.value.detail) == ("encrypted", "a password")
    assert list(box.run(HERE + "whoami")) == [pid]


def test_a_bug_carries_the_childs_traceback(box):
    with pytest.raises(ChildBug, match="KeyError: 'oops'"):
        list(box.run(HERE + "blunder"))


def test_an_abandoned_call_does_not_leak_into_the_next(box):
    stream = box.run(HERE + "numbers", n=1000)
    assert next(stream) == 0
    stream.close()
    assert list(box.run(HERE + "numbers", n=2)) == [0, 1]


def test_a_call_left_open_does_not_either_nor_does_its_end_harm_the_next(box):
    left = box.run(HERE + "numbers", n=1000)  # as an exception's traceback keeps one
    assert next(left) == 0
    stream = box.run(HERE + "numbers", n=3)
    assert next(stream) == 0
    left.close()
    assert list(stream) == [1, 2]
    assert list(box.run(HERE + "numbers", n=2)) == [0, 1]


def test_the_last_call_says_what_it_took_of_the_processor_also_if_it_was_ended(box):
    list(box.run(HERE + "numbers", n=2))
    assert box.call_s < 0.5
    until_death(box.run(HERE + "spin"))
    assert box.call_s > 0.9


def test_the_child_is_replaced_after_its_number_of_messages():
    box = Sandbox(Limits(num_messages=10))
    first = list(box.run(HERE + "whoami"))
    list(box.run(HERE + "numbers", n=20))
    assert list(box.run(HERE + "whoami")) != first
    box.close()


def test_the_child_dies_with_its_parent_even_in_native_code():
    code = f"""
import sys
from datagen.sandbox import Limits, Sandbox
box = Sandbox(Limits(deadline_s=100))
stream = box.run({HERE!r} + "spin")
next(stream)
print(box._process.pid, flush=True)
next(stream)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    assert child.is_running()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert psutil.wait_procs([child], timeout=10)[1] == []


def test_what_cannot_be_imported_is_a_bug_and_said_at_once(box):
    with pytest.raises(ChildBug, match="no_such_module"):
        list(box.run(HERE + "numbers", ["no_such_module:name"], n=1))
    assert list(box.run(HERE + "numbers", n=2)) == [0, 1]


def test_loading_our_own_code_is_not_counted_as_the_documents_time():
    slow = Sandbox(Limits(deadline_s=0.3))
    try:
        assert list(slow.run(HERE + "numbers", ["tests.unit.slow_to_load:name"], n=2)) == [0, 1]
    finally:
        slow.close()
