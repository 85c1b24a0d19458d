"""Tests on servers of others, `make test-servers`: they need programs that `make setup-servers` installs, and minutes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench import results

VERSIONS: dict[str, str] = {}
REVISION, LOAD = results.revision(), os.getloadavg()[0]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", action="store_true", help="write versions and outcomes to RESULTS.md, as make test-servers does")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.servers)
            item.add_marker(pytest.mark.timeout(1500), append=False)


@pytest.fixture(scope="session")
def version() -> Callable[[str, str], None]:
    """`version("SLURM", "24.11.5")` notes which server the tests ran on, for RESULTS.md."""
    return VERSIONS.__setitem__


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    if not config.getoption("--record"):
        return
    reports = [
        (outcome, report)
        for outcome in ("passed", "failed", "error", "skipped")
        for report in terminalreporter.stats.get(outcome, ())
        if report.when == "call" or outcome != "passed"
    ]
    lines = [f"{name} {number}" for name, number in sorted(VERSIONS.items())]
    for outcome, report in reports:
        why = f": {report.longrepr[2]}" if outcome == "skipped" else ""
        lines.append(f"{outcome:<8}{report.duration:6.0f} s  {report.location[2]}{why}")
    section = results.section("make test-servers", REVISION, LOAD, "\n".join(lines))
    results.record(results.PATH, "servers", section, [*bench.BENCHES, "servers"])
