"""The benchmarks still run; what they measure is `make bench`'s to say."""

import torch

from tests import pdfs
from tests.bench import reader
from tests.bench.extraction import measure_ours


def test_the_extraction_benchmark_measures_something(tmp_path):
    path = pdfs.write(tmp_path / "long.pdf", *[f"page {i}" for i in range(200)])
    assert measure_ours([str(path)], long_side=128, workers=1) > 0


def test_the_readers_benchmark_runs(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # what it measures so isn't this machine's rate
    threads = torch.get_num_threads()
    for name, value in {"NUM_LINES": 4, "NUM_STEPS": 1, "TURNS": 1}.items():
        monkeypatch.setattr(reader, name, value)
    reader.main()
    torch.set_num_threads(threads)
    said = capsys.readouterr().out
    assert said.count("ratio") >= 1
    assert "lines/s" in said
