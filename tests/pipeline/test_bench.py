"""The benchmarks still run; what they measure is `make bench`'s to say."""

from tests import pdfs
from tests.bench.extraction import measure_ours


def test_the_extraction_benchmark_measures_something(tmp_path):
    path = pdfs.write(tmp_path / "long.pdf", *[f"page {i}" for i in range(200)])
    assert measure_ours([str(path)], long_side=128, workers=1) > 0
