"""Ends a run at one of its commit points, in the process, as a kill between two of them would."""

import contextlib
import math
from collections.abc import Callable, Iterator

import pytest

from datagen.disk.storage import Folder
from datagen.work import progress


class Killed(BaseException):
    """No `except Exception` catches it, as none catches SIGKILL."""


@contextlib.contextmanager
def killed_before(change: int, within: str = "") -> Iterator[list[str]]:
    """Whatever runs in this block ends before it commits, deletes or moves the file number `change`, counted from 0; the names of
    the changes that came to pass, and the one that didn't, are the list. Files outside of folders whose URL has `within` in it
    don't count.

    Nothing is changed after that: a process that is dead doesn't tidy up.
    """
    names: list[str] = []
    create, remove, move = Folder.create, Folder.remove, Folder.move

    def count(folder: Folder, name: str) -> None:
        if len(names) <= change and within in folder.path(name):
            names.append(name)
        if len(names) > change:
            raise Killed(name)

    @contextlib.contextmanager
    def counted_create(folder: Folder, name: str):
        with create(folder, name) as file:
            yield file
            count(folder, name)

    def counted_remove(folder: Folder, name: str) -> None:
        count(folder, name)
        remove(folder, name)

    def counted_move(folder: Folder, name: str, to: str) -> None:
        count(folder, name)
        move(folder, name, to)

    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(Killed):
        patch.setattr(Folder, "create", counted_create)
        patch.setattr(Folder, "remove", counted_remove)
        patch.setattr(Folder, "move", counted_move)
        patch.setattr(progress, "EVERY_S", math.inf)  # a slow machine writes progress once more, and changes have other numbers
        yield names


def at_every_commit(
    run: Callable[[int], object],
    check: Callable[[int, str], None],
    within: str = "",
    kind: Callable[[str], str] | None = None,
    most: int = 200,
) -> list[str]:
    """Call `run(n)`, ended before its change number n, then `check(n, name)` with the name of the file that it was about to
    change, for every n up to the last change that `run` makes; with `kind`, for the first change of each kind of names alone.
    Returns the names of all changes.

    `run` begins from the same state each time; it is called once with `most` and comes to its end.
    """
    with killed_before(most, within) as names:
        run(most)
    assert len(names) < most, f"{most} changes, and it hasn't come to its end"
    seen = set()
    for number, name in enumerate(names):
        if kind is None or kind(name) not in seen:
            with killed_before(number, within) as changed:
                run(number)
            assert changed == names[: number + 1]
            check(number, name)
        seen.add(kind(name) if kind else name)
    return names
