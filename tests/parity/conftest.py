"""The parity table: what each comparison's largest difference came to, printed at the end of the tests."""

import pytest

_ROWS: list[tuple[str, str, float, float]] = []


@pytest.fixture
def differ():
    """`differ(part, case, ours, theirs)` is the largest absolute difference, and a row of the table."""

    def differ(part: str, case: str, ours, theirs, relative: bool = False) -> float:
        assert ours.shape == theirs.shape, f"{part}, {case}: {tuple(ours.shape)} and {tuple(theirs.shape)}"
        scale = theirs.abs().max().item()
        difference = (ours - theirs).abs().max().item() / (scale if relative and scale else 1)
        _ROWS.append((part, case, difference, scale))
        return difference

    return differ


def pytest_terminal_summary(terminalreporter):
    if _ROWS:
        terminalreporter.section("parity with transformers' unlimited_ocr, fp32")
        terminalreporter.write_line(f"{'part':<22} {'case':<38} {'largest difference':>18} {'largest value':>14}")
        for part, case, difference, scale in _ROWS:
            terminalreporter.write_line(f"{part:<22} {case:<38} {difference:>18.1e} {scale:>14.3g}")
