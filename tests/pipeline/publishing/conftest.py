import pytest

from datagen.publishing import parquet


@pytest.fixture
def small_groups(monkeypatch):
    """A few pages make a row group, and two groups a file."""
    monkeypatch.setattr(parquet, "_BATCH_BYTES", 5_000)
    monkeypatch.setattr(parquet, "GROUP_BYTES", 18_000)
    monkeypatch.setattr(parquet, "FILE_BYTES", 50_000)
