"""The child process: what it passes on, every way in which it can end, and what it can reach."""

import contextlib
import ctypes
import functools
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from datagen.record import Box, Line, Region, SampleError
from datagen.sandbox import process
from datagen.sandbox.process import ChildBug, ChildDied, Limits, Sandbox
from datagen.sandbox.walls import LENGTH_BYTES

HERE = "tests.unit.sandbox.test_process:"


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
    os.write(int(sys.argv[1]), (1000).to_bytes(LENGTH_BYTES) + bytes(500))
    ctypes.string_at(0)


def trickle():
    """A message that never ends, a byte at a time."""
    yield "before"
    os.write(int(sys.argv[1]), (1000).to_bytes(LENGTH_BYTES))
    while True:
        os.write(int(sys.argv[1]), b" ")
        time.sleep(0.1)


def write(data: bytes):
    """What is no answer, in place of one."""
    os.write(int(sys.argv[1]), len(data).to_bytes(LENGTH_BYTES) + data)
    time.sleep(60)
    yield


def announce(num_bytes):
    os.write(int(sys.argv[1]), num_bytes.to_bytes(LENGTH_BYTES))
    time.sleep(60)
    yield


def hang_up():
    os.close(int(sys.argv[1]))
    time.sleep(60)
    yield


class Touch:
    """Unpickling it makes a file."""

    def __init__(self, path: str):
        self.path = path

    def __reduce__(self):
        return os.mknod, (self.path,)


def refuse():
    raise SampleError("encrypted", "a password")
    yield


def blunder():
    raise KeyError("oops")
    yield


def whoami():
    """The process as this machine knows it, whatever number it has in a namespace of its own."""
    yield int(os.readlink("/proc/self"))


def environment():
    yield dict(os.environ)
    yield sorted(os.listdir(os.environ["HOME"]))


class Order(NamedTuple):
    number: int
    box: Box


def widths(orders: list[Order], by_name: dict[str, Box]) -> Iterator[int]:
    yield from (order.box.x1 - order.box.x0 for order in orders)
    yield from (box.x1 for box in by_name.values())


def region(n: int) -> Iterator[Region]:
    lines = tuple(Line(Box(0, i, 9, i + 1), f"line {i}", "Helvetica") for i in range(n))
    yield Region(Box(0, 0, 9, 99), "text", "text \ufffd", None, "test", lines=lines)


def connect(port: int) -> Iterator[str]:
    """What comes of every way to reach an address."""
    for family, kind in (
        (socket.AF_INET, socket.SOCK_STREAM),
        (socket.AF_INET, socket.SOCK_DGRAM),
        (socket.AF_INET6, socket.SOCK_STREAM),
    ):
        try:
            with socket.socket(family, kind) as end:
                end.connect(("127.0.0.1" if family == socket.AF_INET else "::1", port))
            yield "connected"
        except OSError as error:
            yield type(error).__name__
    command = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
    yield f"exit {subprocess.run([sys.executable, '-c', command], capture_output=True).returncode}"


def run_and_wait(seconds: float) -> Iterator[str]:
    """A program that takes so many seconds of the processor, waited for."""
    code = f"import time\nwhile time.process_time() < {seconds}: pass"
    yield "before"
    subprocess.run([sys.executable, "-c", code])
    yield "after"


@pytest.fixture
def box():
    box = Sandbox(Limits(deadline_s=1.0, memory_bytes=2 << 30))
    yield box
    box.close()


def values(stream) -> list[Any]:
    return [answer.value for answer in stream]


def until_death(stream):
    got = []
    with pytest.raises(ChildDied) as death:
        for answer in stream:
            got.append(answer.value)
    return got, death.value.reason


def test_arguments_and_answers_arrive_as_their_types(box):
    orders, by_name = [Order(0, Box(1, 2, 30, 4)), Order(1, Box(0, 0, 7, 1))], {"a": Box(0, 0, 5, 5)}
    assert values(box.run(HERE + "widths", int, orders=orders, by_name=by_name)) == [29, 7, 5]
    assert values(box.run(HERE + "region", Region, n=3)) == list(region(3))
    assert values(box.run(HERE + "large", bytes, num_bytes=5_000_000)) == [bytes(5_000_000)]


def large(num_bytes):
    yield bytes(num_bytes)


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
    assert until_death(box.run(HERE + function, str, **arguments)) == (["before"], reason)
    assert values(box.run(HERE + "numbers", int, n=3)) == [0, 1, 2]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda path: pickle.dumps(Touch(path)), id="a pickle"),
        pytest.param(lambda path: pickle.dumps(("yield", Touch(path), 0.0)), id="a pickle of an answer"),
        pytest.param(lambda path: b"", id="nothing"),
        pytest.param(lambda path: b"\x94\xa5yield\xcb" + bytes(8) + b"\xc2\xa3abc", id="an answer of another type"),
        pytest.param(lambda path: b"\x91" * 100_000, id="a deep one"),
        pytest.param(lambda path: b"\x94\xa3say\xcb" + bytes(8) + b"\xc2\x07", id="of no kind"),
    ],
)
def test_a_hostile_answer_is_a_crash_and_runs_nothing(box, tmp_path, data):
    made = tmp_path / "made"
    assert until_death(box.run(HERE + "write", int, data=data(str(made)))) == ([], "crash")
    assert not made.exists()
    assert values(box.run(HERE + "numbers", int, n=2)) == [0, 1]


@pytest.mark.parametrize(("function", "arguments"), [("announce", {"num_bytes": (1 << 32) - 1}), ("hang_up", {})])
def test_an_answer_beyond_all_measure_and_a_child_that_hangs_up_are_crashes(box, monkeypatch, function, arguments):
    monkeypatch.setattr("datagen.sandbox.process._ENDING_S", 0.5)
    assert until_death(box.run(HERE + function, int, **arguments)) == ([], "crash")
    assert values(box.run(HERE + "numbers", int, n=2)) == [0, 1]


def test_the_deadline_counts_cpu_and_waiting_is_free(box):
    assert values(box.run(HERE + "nap", str, seconds=2.5)) == ["before", "after"]


@pytest.mark.parametrize("function", ["nap", "trickle"])
def test_the_wall_clock_stands_behind_it(function):
    box = Sandbox(Limits(deadline_s=0.1))
    arguments = {"seconds": 60} if function == "nap" else {}
    assert until_death(box.run(HERE + function, str, **arguments)) == (["before"], "timeout")


def test_a_sample_error_passes_and_the_child_lives(box):
    (pid,) = values(box.run(HERE + "whoami", int))
    with pytest.raises(SampleError) as error:
        list(box.run(HERE + "refuse", int))
    assert (error.value.reason, error.value.detail) == ("encrypted", "a password")
    assert values(box.run(HERE + "whoami", int)) == [pid]


def test_a_bug_carries_the_childs_traceback(box):
    with pytest.raises(ChildBug, match="KeyError: 'oops'"):
        list(box.run(HERE + "blunder", int))


def test_a_call_left_open_does_not_either_nor_does_its_end_harm_the_next(box):
    left = box.run(HERE + "numbers", int, n=1000)  # as an exception's traceback keeps one
    assert next(left).value == 0
    stream = box.run(HERE + "numbers", int, n=3)
    assert next(stream).value == 0
    left.close()
    assert values(stream) == [1, 2]
    assert values(box.run(HERE + "numbers", int, n=2)) == [0, 1]


def test_every_answer_and_death_tells_what_it_took_of_the_processor(box, monkeypatch):
    monkeypatch.setattr(process, "WALL_FACTOR", 1000)  # on a busy machine the wall clock would end it before
    assert sum(answer.cpu_s for answer in box.run(HERE + "numbers", int, n=2)) < 0.5
    before, after = box.run(HERE + "run_and_wait", str, seconds=0.5)
    assert before.cpu_s < 0.3 < 0.5 <= after.cpu_s
    with pytest.raises(ChildDied) as death:
        list(box.run(HERE + "spin", str))
    assert death.value.cpu_s > 0.9


def test_the_child_is_replaced_after_its_number_of_messages():
    box = Sandbox(Limits(num_messages=10))
    first = values(box.run(HERE + "whoami", int))
    list(box.run(HERE + "numbers", int, n=20))
    assert values(box.run(HERE + "whoami", int)) != first
    box.close()


# What the child can reach.


def test_the_environment_holds_no_credential_and_the_home_is_empty(box, monkeypatch):
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HF_TOKEN", "SSH_AUTH_SOCK", "MALLOC_TRIM_THRESHOLD_"):
        monkeypatch.setenv(name, "a secret")
    monkeypatch.setenv("LC_TIME", "C.UTF-8")
    variables, home = values(box.run(HERE + "environment", Any))
    assert "a secret" not in variables.values()
    assert variables["LC_TIME"] == "C.UTF-8"
    assert variables["HOME"] not in ("", os.environ.get("HOME"))
    assert home == []
    box.close()
    assert not os.path.exists(variables["HOME"])


def test_the_network_is_closed(box):
    if not box.walls().network_is_closed:
        pytest.skip("this kernel filters no system calls for us")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=functools.partial(accept, listener), daemon=True).start()
        with socket.create_connection(("127.0.0.1", port)):  # from out here it can be reached
            pass
        assert values(box.run(HERE + "connect", str, port=port)) == ["PermissionError"] * 3 + ["exit 1"]


def accept(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            listener.accept()[0].close()


def test_what_cannot_be_imported_is_a_bug_and_said_at_once(box):
    with pytest.raises(ChildBug, match="no_such_module"):
        list(box.run(HERE + "numbers", int, ["no_such_module:name"], n=1))
    assert values(box.run(HERE + "numbers", int, n=2)) == [0, 1]
