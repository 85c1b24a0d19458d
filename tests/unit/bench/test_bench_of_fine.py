"""What the benchmark of the fine recipe says of regions that nobody read."""

from datagen.disk.storage import Folder
from datagen.record import Box, Region
from tests.bench.fine import fine
from tests.inputs.samples import sample
from tests.outputs import write_dataset


def test_the_share_of_unread_regions_is_told_by_label(tmp_path):
    read = Region(Box(0, 0, 9, 9), "text", "a", None, "pymupdf")
    left = Region(Box(0, 0, 9, 9), "equation", "", None, "", is_unread=True)
    write_dataset(tmp_path, [sample("a-000000", regions=(read, left)), sample("a-000001", regions=(left, read, read))])
    assert fine.unread(Folder(str(tmp_path))) == "unread: 2 of 5 regions (equation 2 of 2)"
