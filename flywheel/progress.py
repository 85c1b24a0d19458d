"""How far trainings are that run on workers elsewhere: each leaves a small file beside its checkpoint, and somebody looks."""

import contextlib
import json
import logging
import threading
from collections.abc import Iterator, Mapping

from datagen.storage import Folder

log = logging.getLogger(__name__)

NAME = "progress.json"
_LOOK_EVERY_S = 10.0


def tell(folder: Folder, step: int, steps: int, loss: float, left_s: float) -> None:
    """Leave word in a reader's folder; `loss` is in nats a character."""
    said = f"step {step} of {steps}, loss {loss:.2f}, {left_s:.0f} s left"
    folder.write(NAME, json.dumps(said).encode())


@contextlib.contextmanager
def watched(folders: Mapping[str, Folder], name: str) -> Iterator[None]:
    """While the block runs, log what the trainings in `folders`, by script, say of themselves."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_EVERY_S):
            said = [f"{script} {word}" for script, folder in folders.items() if (word := _word(folder))]
            if said:
                log.info("%s: %s", name, "; ".join(said))

    thread = threading.Thread(target=watch, daemon=True)
    if folders:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if folders:
            thread.join()


def _word(folder: Folder) -> str:
    try:
        return str(json.loads(folder.read(NAME)))
    except (OSError, ValueError):
        return ""
