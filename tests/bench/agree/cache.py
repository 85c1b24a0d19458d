"""What the engines read on the bench's pages, kept in a folder, so that rules are tried without reading again.

python -m tests.bench.agree.cache FOLDER SEED [SEED …]
"""

import pickle
import sys
from pathlib import Path
from typing import NamedTuple

from datagen.record import Sample
from tests.bench.agree.readers import by_first, by_tesseract
from tests.bench.agree.typeset import SCRIPTS, Known, typeset


class Read(NamedTuple):
    known: Known
    first: Sample
    second: Sample


def read(folder: Path, seed: int, script: str, code: str) -> Read:
    """A page with what two engines read on it; what is in the folder isn't read again."""
    path = folder / f"{seed}-{code}.pickle"
    if path.exists():
        made: Read = pickle.loads(path.read_bytes())
        return made
    known = typeset(seed, script, code)
    made = Read(known, by_first(known), by_tesseract(known))
    folder.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".part").write_bytes(pickle.dumps(made))
    path.with_suffix(".part").rename(path)
    return made


def main() -> None:
    folder, *seeds = sys.argv[1:]
    for seed in map(int, seeds):
        for script, code in SCRIPTS:
            made = read(Path(folder), seed, script, code)
            print(seed, script, len(made.first.regions), len(made.second.regions), flush=True)


if __name__ == "__main__":
    main()
