import pytest

from datagen.publishing import columns


@pytest.fixture
def small_groups(monkeypatch):
    """A few pages make a row group, and two groups a file."""
    monkeypatch.setattr(columns, "_BATCH_BYTES", 5_000)
    monkeypatch.setattr(columns, "GROUP_BYTES", 18_000)
    monkeypatch.setattr(columns, "FILE_BYTES", 50_000)
