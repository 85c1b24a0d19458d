"""What the benchmarks record; what they measure is `make bench`'s to say."""

import time

import pytest

from recipes.run.sample_costs import processor
from tests.bench import results
from tests.bench.__main__ import BENCHES, chosen


def test_a_benchmark_records_its_own_section_and_leaves_the_others(tmp_path):
    path = tmp_path / "RESULTS.md"
    results.record(path, "word", results.section("python -m tests.bench.word.word", "abc", 0.1, "9 documents/s\n"), list(BENCHES))
    printed = "## ratio 9.1\n\n  lines\n"
    results.record(path, "lines", results.section("python -m tests.bench.coarse.lines", "abd", 1.7, printed), list(BENCHES))
    first = path.read_text()
    assert first.index("## lines") < first.index("## word")  # in the order in which they run
    assert "    ## ratio 9.1\n\n      lines\n" in first
    assert f"{time.strftime('%Y-%m-%d')}, {processor()}" in first
    assert "revision abd; 1.7 processes of others wanted a core" in first
    results.record(path, "lines", "anew", list(BENCHES))
    second = path.read_text()
    assert "ratio 9.1" not in second and "\n## lines\n\nanew\n" in second
    assert second[second.index("## word") :] == first[first.index("## word") :]


def test_a_benchmark_that_there_is_not_is_refused_with_the_names():
    assert chosen("") == list(BENCHES)
    assert chosen("word") == ["word"]
    with pytest.raises(ValueError, match="there is no such benchmark") as refused:
        chosen("speed")
    assert str(refused.value) == f"only=speed: there is no such benchmark; allowed are {', '.join(BENCHES)}"
