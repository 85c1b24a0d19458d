"""Files of rows: what damage costs, whichever form a file has."""

import csv
import functools
import gzip

import pyarrow as pa
import pytest

from datagen.inputs import tables
from datagen.inputs.tables import Arrow, Csv, JsonLines
from datagen.record import SampleError


def arrow() -> bytes:
    sink, table = pa.BufferOutputStream(), pa.table({"a": [f"{n}" * 9 for n in range(10)]})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for first in (0, 5):
            writer.write_table(table.slice(first, 5))
    whole: bytes = sink.getvalue().to_pybytes()
    return whole[:-60]


@pytest.mark.parametrize(
    ("kind", "data", "num_good"),
    [
        (Arrow, arrow(), 5),
        (JsonLines, gzip.compress(b'{"a": "b"}\n' * 9_000)[:-20], 5_957),
        (Csv, b'a,b\n1,2\n3,"4444', 1),
    ],
)
def test_one_more_row_stands_for_all_behind_damage(tmp_path, monkeypatch, request, kind, data, num_good):
    request.addfinalizer(functools.partial(csv.field_size_limit, csv.field_size_limit()))  # the whole process has one
    monkeypatch.setattr(tables, "_LONGEST_CELL", 3)
    (tmp_path / "file").write_bytes(data)
    table = kind(str(tmp_path / "file"), "broken")
    assert table.num_rows() == num_good + 1
    *good, (number, last) = table.rows(range(num_good + 1))
    assert [at for at, row in good if isinstance(row, dict)] == list(range(num_good))
    assert number == num_good and isinstance(last, SampleError) and last.reason == "broken"
    assert [row for _, row in table.rows([0, num_good - 1])] == [good[0][1], good[-1][1]]
