"""Tars that are cut, or whose headers are wrong: what stands before the damage is listed, and the damage is told."""

import tarfile

import pytest

from tests.inputs import pdfs
from tests.inputs.picture_files import tar
from tests.robustness.test_archives import listed


@pytest.fixture
def five(tmp_path):
    """A tar of five PDFs, and where each one's header is, and the end."""
    good = pdfs.write(tmp_path / "a.pdf", pdfs.LATIN).read_bytes()
    tar(tmp_path / "five.tar", {f"{i}.pdf": good for i in range(5)})
    with tarfile.open(tmp_path / "five.tar") as archive:
        return tmp_path / "five.tar", [*(info.offset for info in archive.getmembers()), archive.offset]


def test_a_tar_that_does_not_reach_its_end_is_told_of(five):
    path, at = five
    whole = path.read_bytes()
    assert listed(path) == [f"{i}.pdf" for i in range(5)]
    damaged = {
        "nothing": (b"", 0),
        "a byte of a header": (whole[: at[2] + 150] + bytes([whole[at[2] + 150] ^ 1]) + whole[at[2] + 151 :], 2),
        "a header of zeros": (whole[: at[2]] + bytes(512) + whole[at[2] + 512 :], 2),
        "two blocks of zeros": (whole[: at[2]] + bytes(1024) + whole[at[2] + 1024 :], 2),
        "cut in a header": (whole[: at[2] + 200], 2),
        "cut between members": (whole[: at[2]], 2),
        "cut in a member": (whole[: at[2] + 1000], 3),
        "no mark of the end": (whole[: at[5]], 5),
        "another behind it": (whole + whole, 5),
    }
    for what, (data, num_listed) in damaged.items():
        path.write_bytes(data)
        assert listed(path) == [*(f"{i}.pdf" for i in range(num_listed)), "five.tar"], what
    for num_zeros in (512, 1024, 100_000):  # a lone block of them is end enough
        path.write_bytes(whole[: at[5]] + bytes(num_zeros))
        assert listed(path) == [f"{i}.pdf" for i in range(5)]


def test_a_tar_that_leads_back_ends(five):
    path, at = five
    data = bytearray(path.read_bytes())
    header = data[at[1] : at[1] + 512]
    header[124:136] = (-1024).to_bytes(12, "big", signed=True)  # its size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data[at[1] : at[1] + 512] = header
    path.write_bytes(data)
    assert listed(path) == ["0.pdf", "1.pdf", "five.tar"]


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_tar_of_headers_that_each_announce_one_more_is_a_drop(tmp_path, kind):
    info = tarfile.TarInfo("more")
    info.type, info.size = kind, 10
    (tmp_path / "a.tar").write_bytes((info.tobuf(tarfile.GNU_FORMAT) + b"10 a=bcde\n".ljust(512, b"\0")) * 3000 + bytes(10240))
    assert listed(tmp_path / "a.tar") == ["a.tar"]


@pytest.mark.parametrize(("field", "value"), [("mtime", "nan"), ("size", f"{2**80}")])
def test_a_tar_of_impossible_numbers_ends_there(tmp_path, field, value):
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as made:
        for name in ("0.pdf", "1.pdf"):
            info = tarfile.TarInfo(name)
            info.pax_headers = {field: value} if name == "1.pdf" else {}
            made.addfile(info)
    assert {"0.pdf", "a.tar"} <= set(listed(tmp_path / "a.tar"))
