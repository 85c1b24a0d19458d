import functools
import gc
import importlib.metadata
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from filelock import FileLock

os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "error")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as recipes.run.execute has it, and for the same reason
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy comes: its threads wait busily for what others are doing

from tests.inputs import pdfs

# A busy machine is no fault: hypothesis's clocks fail tests of which one example waited.
hypothesis.settings.register_profile("no clocks", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("no clocks")
os.fsync = lambda file: None  # tests kill processes, no machines: what a process wrote is there without waiting for a disk
importlib.metadata.version = functools.cache(importlib.metadata.version)  # read from files, dozens of times in each run


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew, after you raised the versions")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A slow test has an hour: it ends a test that hangs, and none that waits for what else the machine does."""
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(3600), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported for the tests stays, so nobody needs to look for garbage among it, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_terminal_summary(terminalreporter) -> None:
    """The tables of parity. Here, for where tests run in several processes, this file alone is read by the one that reports."""
    reports = [
        report for reports in terminalreporter.stats.values() for report in reports if getattr(report, "when", "") == "call"
    ]
    by_file = sorted(reports, key=lambda report: report.location[0])
    rows = [value for report in by_file for name, value in report.user_properties if name == "parity"]
    if rows:
        terminalreporter.section("parity with transformers' unlimited_ocr, fp32")
        terminalreporter.write_line(f"{'part':<22} {'case':<38} {'largest difference':>18} {'largest value':>14}")
        for part, case, difference, scale in rows:
            terminalreporter.write_line(f"{part:<22} {case:<38} {difference:>18.1e} {scale:>14.3g}")
    layouts = [value for report in by_file for name, value in report.user_properties if name == "layout"]
    if layouts:
        terminalreporter.section("layouts over ranks, against one process, fp32: largest relative differences")
        terminalreporter.write_line(f"{'layout':<24} {'loss, to 5 decimals':>20} {'first gradients':>18}")
        for layout, losses, gradients in layouts:
            terminalreporter.write_line(f"{layout:<24} {losses:>20.1e} {gradients:>18.1e}")


@pytest.fixture
def no_readers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if no reader of a script came with the package: Tesseract then reads what PP-OCR doesn't know."""
    from datagen.engines import packaged

    monkeypatch.setattr(packaged, "available", lambda: ())
    packaged.digest.cache_clear()
    yield
    packaged.digest.cache_clear()


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Callable[[str, Callable[[Path], object]], Path]:
    """`shared(name, fill)` returns a folder that `fill(folder)` filled once in this session, whichever process came first.

    Tests of all processes read the folder, so no test may write to it: a test that runs something in it copies it first.
    """
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # each process has a folder of its own in the session's

    def folder(name: str, fill: Callable[[Path], object]) -> Path:
        target, filled = base / name, base / f"{name}.filled"
        with FileLock(base / f"{name}.lock"):
            if not filled.exists():  # a mark, since a folder that is renamed would change the addresses in what `fill` makes
                shutil.rmtree(target, ignore_errors=True)
                target.mkdir()
                fill(target)
                filled.touch()
        return target

    return folder


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """`on=` for two worker processes that all tests of this process share: the address of the cluster that `on=local` starts."""
    from datagen.work.cluster import local_cluster

    with local_cluster(2) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder of small good documents in three languages, nine pages in all, one of them blank and first by name."""
    return pdfs.write_corpus(tmp_path / "in")
