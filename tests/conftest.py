import os
from pathlib import Path

import pytest

from tests import pdfs

os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "error")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as recipes.run has it, and for the same reason


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew, after you raised the versions")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder of small good documents in three languages, nine pages in all, one of them blank and first by name."""
    folder = tmp_path / "in"
    pdfs.write(folder / "a-blank.pdf", "")
    pdfs.write(folder / "english.pdf", *[pdfs.lines(f"Page {i}. {pdfs.LATIN}") for i in range(4)])
    pdfs.write(folder / "russian.pdf", *[pdfs.lines(f"Страница {i}. {pdfs.RUSSIAN}") for i in range(3)])
    pdfs.write(folder / "sub" / "chinese.pdf", pdfs.CHINESE, font="china-s")
    return folder
