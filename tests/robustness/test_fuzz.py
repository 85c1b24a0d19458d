"""Files damaged at random: whatever comes of them is a sample, or a drop with a reason, and never a bug.

PAGEWHEEL_FUZZ=10000    so many files of each kind, from another seed each time
"""

import functools
import os
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warcio.warcwriter import WARCWriter

from datagen.coarse.source import PdfSource
from datagen.contract import check
from datagen.inputs import archive
from datagen.inputs.items import Item
from datagen.record import Drop, Sample, SampleError
from datagen.sandbox.process import Limits
from tests.inputs import pdfs
from tests.robustness.test_archives import capture

LIMITS = Limits(deadline_s=1.0, memory_bytes=1 << 30)
REASONS = {
    "pdf": {"broken", "broken_page", "no_pages", "not_a_pdf", "encrypted", "empty", "empty_page_box", "page_too_large"},
    "archive": {"broken_archive", "not_found", "unsafe_path", "not_a_file", "encrypted", "too_large", "truncated"},
}
NUM = int(os.environ.get("PAGEWHEEL_FUZZ", 0))
LIMITED = {"timeout", "memory", "crash"}

Edit = tuple[str, float, bytes]
"""What is done, where (a share of the file), and with which bytes."""

KINDS = ("put", "insert", "cut", "copy", "end")
# Words that mean something to a parser do more harm than bytes that don't.
WORDS = b"obj|endobj|stream|/Kids|/Length 99999999|2 0 R|<<|]]|-1|4294967296|\x00|xref".split(b"|")
EDITS = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(WORDS) | st.binary(min_size=1, max_size=24),
    ),
    min_size=1,
    max_size=12,
)


def damaged(data: bytes, edits: list[Edit]) -> bytes:
    for kind, place, some in edits:
        at = int(place * len(data))
        if kind == "put":
            data = data[:at] + some + data[at + len(some) :]
        elif kind == "insert":
            data = data[:at] + some + data[at:]
        elif kind == "cut":
            data = data[:at] + data[at + 8 * len(some) :]
        elif kind == "copy":
            data = data[:at] + data[at : at + 64 * len(some)] + data[at:]
        else:
            data = data[: max(1, at)]
    return data


@functools.cache
def originals() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pdfs.write(folder / "a.pdf", pdfs.lines(pdfs.LATIN), pdfs.lines(pdfs.RUSSIAN))
        pdfs.write(folder / "b.pdf", pdfs.CHINESE, font="china-s", garbage=4, deflate=True, use_objstms=1)
        pdfs.encrypted(folder / "c.pdf")
        for name, compression in (("d.zip", zipfile.ZIP_DEFLATED), ("f.zip", zipfile.ZIP_BZIP2), ("g.zip", zipfile.ZIP_LZMA)):
            with zipfile.ZipFile(folder / name, "w", compression) as made:
                made.write(folder / "a.pdf", "a.pdf")
        with tarfile.open(folder / "e.tar", "w") as made:
            made.add(folder / "a.pdf", "a.pdf")
            made.add(folder / "b.pdf", f"{'b' * 120}.pdf")
        for name in ("h.warc", "i.warc.gz"):
            with open(folder / name, "wb") as file:
                writer = WARCWriter(file, gzip=name.endswith(".gz"))
                for pdf in ("a.pdf", "b.pdf"):
                    writer.write_record(capture(writer, f"https://example.org/{pdf}", (folder / pdf).read_bytes()))
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def check_outcome(name: str, data: bytes, folder: Path) -> None:
    """Raises what is a bug in reading a damaged file."""
    path = folder / name
    path.write_bytes(data)
    reasons: set[str] = set()
    members: list[archive.Member] = []
    try:
        if name.endswith(".pdf"):
            for item in PdfSource(limits=LIMITS, long_side=400).read(Item(str(path))):
                if isinstance(item, Sample):
                    check(item)
                else:
                    assert isinstance(item, Drop)
                    reasons.add(item.reason)
        else:
            for member, _, _ in archive.members(str(path), str(path), ("pdf",), LIMITS):
                members.append(member)
    except SampleError as error:
        reasons.add(error.reason)
    for member in members:
        (folder / "copied").unlink(missing_ok=True)
        try:
            archive.copy(member, str(path), str(folder / "copied"), 1 << 20, LIMITS)
            assert (folder / "copied").exists()
        except SampleError as error:
            reasons.add(error.reason)
    (folder / "copied").unlink(missing_ok=True)
    allowed = REASONS["pdf" if name.endswith(".pdf") else "archive"] | LIMITED
    assert reasons <= allowed, reasons - allowed


@pytest.mark.parametrize("name", ["a.pdf", "b.pdf", "c.pdf", "d.zip", "e.tar", "f.zip", "g.zip", "h.warc", "i.warc.gz"])
@settings(max_examples=NUM or 25, deadline=None, derandomize=not NUM, suppress_health_check=list(HealthCheck))
@given(edits=EDITS)
def test_a_damaged_file_is_read_or_dropped_with_a_reason(name, tmp_path_factory, edits):
    check_outcome(name, damaged(originals()[name], edits), tmp_path_factory.getbasetemp())
