"""PDFs inside archives: read in place; and every way in which an archive can be bad is a reason, and nothing lands outside."""

import hashlib
import io
import json
import struct
import tarfile
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import fsspec
import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from datagen.inputs import archive, local
from datagen.inputs.archive import Member
from datagen.inputs.census import Listing
from datagen.record import SampleError
from datagen.sandbox.process import Limits
from tests.inputs import pdfs
from tests.inputs.picture_files import tar
from tests.outputs import check_corpus, files, make, samples

LIMIT = 3_000_000  # bytes a document may have


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> bytes:
    return pdfs.write(tmp_path_factory.mktemp("pdf") / "a.pdf", pdfs.LATIN, pdfs.LATIN).read_bytes()


UNSAFE = ("../up.pdf", "/etc/absolute.pdf", "a/../../up.pdf", "C:\\up.pdf", "..\\up.pdf")


def bomb() -> bytes:
    """A PDF, by its beginning, and ten megabytes of nothing."""
    return b"%PDF-1.7\n" + bytes(10_000_000)


def zipped(path: Path, good: bytes) -> dict[str, str]:
    """A zip with a good PDF and bad ones; returns the reasons of the latter by name."""
    link = zipfile.ZipInfo("link.pdf")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("good.pdf", "sub/good, too: 100%.pdf", *UNSAFE):
            archive.writestr(name, good)
        archive.writestr(link, "/etc/passwd")
        archive.writestr("bomb.pdf", bomb())
        archive.writestr("empty.pdf", b"")
        archive.writestr("inner.zip", b"PK")
        archive.writestr("notes.txt", "Dear Sir or Madam")
        archive.writestr("letter.pdf", "Dear Sir or Madam")
        archive.writestr("locked.pdf", good)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"locked.pdf") - 46  # its entry in the directory: a flag says that it is encrypted
    data[at + 8] |= 1
    path.write_bytes(data)
    return {
        **dict.fromkeys(UNSAFE, "unsafe_path"),
        "link.pdf": "not_a_file",
        "bomb.pdf": "too_large",
        "empty.pdf": "empty",
        "letter.pdf": "not_a_pdf",
        "locked.pdf": "encrypted",
    }


def tarred(path: Path, good: bytes) -> dict[str, str]:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("good.pdf", "ä" * 120 + ".pdf", *UNSAFE[:2]):
            info = tarfile.TarInfo(name)
            info.size = len(good)
            archive.addfile(info, io.BytesIO(good))
        for name, kind in (("soft.pdf", tarfile.SYMTYPE), ("hard.pdf", tarfile.LNKTYPE), ("fifo.pdf", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("bomb.pdf")
        info.size = len(bomb())
        archive.addfile(info, io.BytesIO(bomb()))
    return {
        **dict.fromkeys(UNSAFE[:2], "unsafe_path"),
        **dict.fromkeys(("soft.pdf", "hard.pdf", "fifo.pdf"), "not_a_file"),
        "bomb.pdf": "too_large",
    }


def capture(writer: WARCWriter, address: str, body: bytes, kind="application/pdf", http=(), warc=(), rec_type="response"):
    head = StatusAndHeaders("200 OK", [("Content-Type", kind), *http], protocol="HTTP/1.1")
    about = {"http_headers": head, "warc_headers_dict": dict(warc)}
    return writer.create_warc_record(address, rec_type, payload=io.BytesIO(body), **about)


def crawled(path: Path, good: bytes) -> dict[str, str]:
    """A WARC as crawlers write them: a record of each kind, a gzip member each."""
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (good[:1000], good[1000:], b""))
    with open(path, "wb") as file:
        writer = WARCWriter(file, gzip=path.suffix == ".gz")

        def add(*about, **more) -> None:
            writer.write_record(capture(writer, *about, **more))

        add("https://example.org/page.html", b"<p>%PDF it is not", "text/html")
        add("https://example.org/good.pdf", good)
        add("https://example.org/download?id=7&as=::pdf", good, "application/octet-stream")
        add("https://example.org/chunked.pdf", chunked, http=[("Transfer-Encoding", "chunked")])
        add("https://example.org/cut.pdf", good[: len(good) // 2], warc=[("WARC-Truncated", "length")])
        add("https://example.org/../../bomb.pdf", bomb())
        add("https://example.org/good.pdf", b"", rec_type="request")
    return {"https://example.org/cut.pdf": "truncated", "https://example.org/../../bomb.pdf": "too_large"}


def drop_reasons(out: Path) -> Counter:
    """How often which member or file was dropped for which reason."""
    drops = [json.loads(line) for line in (out / "coarse/drops.jsonl").read_text().splitlines()]
    return Counter((archive.parse(d["uri"]).name if "::" in d["uri"] else Path(d["uri"]).name, d["reason"]) for d in drops)


@pytest.mark.parametrize(("name", "write", "num_good"), [("a.zip", zipped, 2), ("a.tar", tarred, 2), ("a.warc.gz", crawled, 3)])
def test_good_members_are_read_and_bad_ones_told(tmp_path, good, name, write, num_good):
    inputs, out = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    bad = write(inputs / name, good)
    for i in range(len(bad)):
        pdfs.write(inputs / f"plain{i}.pdf", pdfs.LATIN)
    before = files(tmp_path)
    assert make(inputs, out, max_bytes=LIMIT) == 0
    assert drop_reasons(out) == Counter(bad.items())
    inside = [s for s in samples(out) if "::" in s.origin.uri]
    assert len(inside) == 2 * num_good
    assert len({s.origin.uri for s in inside}) == num_good
    assert {s.origin.sha256 for s in inside} == {hashlib.sha256(good).hexdigest()}
    assert before.items() <= files(tmp_path).items()
    assert {p.name for p in tmp_path.iterdir()} == {"in", "out"}
    check_corpus(out)
    state = files(out)
    assert make(inputs, out, max_bytes=LIMIT) == 0
    assert files(out) == state


def test_members_of_one_name_in_a_zip_are_all_read_each_as_itself(tmp_path):
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        for text in ("the first of them", "the one between", "the last of them"):
            made.write(pdfs.write(tmp_path / "page.pdf", text), "a.pdf")
        made.write(tmp_path / "page.pdf", "other.pdf")
    uris = sorted(item.uri.partition("::")[0] for item in Listing(str(tmp_path / "a.zip")).items())
    assert uris == ["zip://a.pdf", "zip://a.pdf#1", "zip://a.pdf#2", "zip://other.pdf"]
    assert make(tmp_path / "a.zip", tmp_path / "out") == 0
    texts = {sample.origin.uri.partition("::")[0]: sample.text for sample in samples(tmp_path / "out")}
    assert texts == dict(zip(uris, ["the last of them", "the one between", "the first of them", "the last of them"], strict=True))
    gone = f"zip://a.pdf#3::{tmp_path}/a.zip"
    with pytest.raises(SampleError, match="not_found"), local.fetched(gone, ("pdf",), LIMIT, Limits()):
        pass


def test_a_hash_in_a_name_is_no_number(tmp_path, good):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("sub/a#1, too: 100%.pdf", good)
        made.writestr("b.pdf#1", good)
    (item,) = Listing(str(tmp_path / "a.zip")).items()
    assert item.uri == f"zip://sub/a%231%2C%20too%3A%20100%25.pdf::{tmp_path}/a.zip"
    assert archive.parse(f"zip://b.pdf%231::{tmp_path}/a.zip") == Member("zip", "b.pdf#1", f"{tmp_path}/a.zip")
    with local.fetched(f"zip://b.pdf%231::{tmp_path}/a.zip", ("pdf",), LIMIT, Limits()) as (path, format):
        assert Path(path).read_bytes() == good
        assert format.name == "pdf"


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".warc.gz"])
def test_an_archive_is_listed_for_the_formats_that_are_asked_for(tmp_path, good, suffix):
    picture = b"\x89PNG\r\n\x1a\n" + bytes(100)
    path = tmp_path / f"a{suffix}"
    members = {"a.pdf": good, "b.png": picture, "c.txt": b"Dear Sir or Madam"}
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as made:
            for name, data in members.items():
                made.writestr(name, data)
    elif suffix == ".tar":
        tar(path, members)
    else:
        with open(path, "wb") as file:
            writer = WARCWriter(file, gzip=True)
            for name, data in members.items():
                writer.write_record(writer.create_warc_record(name, "resource", payload=io.BytesIO(data)))
    for formats, names in ((("pdf",), ["a.pdf"]), (("jpeg", "png"), ["b.png"]), (("png", "pdf"), ["a.pdf", "b.png"])):
        listing = list(archive.members(str(path), str(path), formats, Limits()))
        assert [member.name for member, _, _ in listing] == names
        for member, _, _ in listing:
            with local.fetched(member.uri, formats, LIMIT, Limits()) as (copy, format):
                assert Path(copy).read_bytes() == members[member.name]
                assert format.name == member.name[-3:]
    with pytest.raises(SampleError, match="other_format"), local.fetched(member.uri, ("jpeg", "tiff"), LIMIT, Limits()):
        pass


def listed(path: Path) -> list[str]:
    """The names of what the census finds in an archive; the archive's own where it can't be looked into to its end."""
    items = Listing(str(path)).items()
    return sorted(archive.parse(d.uri).name if "::" in d.uri else Path(d.uri).name for d in items)


def test_a_response_without_its_address_is_told_of(tmp_path, good):
    path = tmp_path / "a.warc.gz"
    with open(path, "wb") as file:
        writer = WARCWriter(file, gzip=True)
        for address in ("https://example.org/a.pdf", "https://example.org/b.pdf"):
            record = capture(writer, address, good)
            if address.endswith("b.pdf"):
                record.rec_headers.remove_header("WARC-Target-URI")
            writer.write_record(record)
    assert listed(path) == sorted([path.name, "https://example.org/a.pdf"])


@pytest.mark.parametrize("suffix", [".warc", ".warc.gz"])
def test_a_warc_that_does_not_reach_its_end_is_told_of(tmp_path, good, suffix):
    path = tmp_path / f"a{suffix}"
    crawled(path, good)
    whole, members = path.read_bytes(), [archive.parse(d.uri) for d in Listing(str(path)).items()]
    first = min(members, key=lambda m: m.first)
    end = first.first + first.num_bytes
    middle = first.first + first.num_bytes // 2
    damaged = {  # of a .warc, what follows a record are blank lines
        "nothing": (b"", 0),
        "cut in the first record": (whole[:middle], 0),
        "a record's first bytes": (whole[: end + 4] + whole[end : end + 5], 1),
        "cut in the last": (whole[:-30], 5),
        "garbage behind it": (whole + b"\x00garbage" * 20, 5),
    }
    if suffix == ".warc.gz":
        damaged["a byte"] = (whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :], 0)
    else:
        damaged["cut behind a record's headers"] = (whole[: whole.index(b"HTTP/1.1 200 OK", end)], 1)
    for what, (data, num_listed) in damaged.items():
        path.write_bytes(data)
        names = listed(path)
        assert path.name in names, what
        assert len(names) == num_listed + 1, what


def test_a_directory_that_claims_a_billion_members_ends_with_a_reason(tmp_path, good):
    """The end of central directory says what it likes."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr("good.pdf", good)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    at = data.rindex(b"PK\x05\x06")
    data[at + 10 : at + 16] = struct.pack("<HI", 0xFFFF, 0xFFFFFF00)
    (tmp_path / "a.zip").write_bytes(data)
    assert make(tmp_path / "a.zip", tmp_path / "out") == 3
    assert drop_reasons(tmp_path / "out") == {("a.zip", "broken_archive"): 1}


def test_captures_are_read_from_afar_by_their_range(tmp_path, good):
    """A list of records on a file system that isn't a disk: only their bytes are fetched."""
    crawled(tmp_path / "a.warc.gz", good)
    memory = fsspec.filesystem("memory")
    memory.pipe("/crawl/a.warc.gz", (tmp_path / "a.warc.gz").read_bytes())
    uris = [d.uri.replace(f"::{tmp_path}/", "::memory://crawl/") for d in Listing(str(tmp_path / "a.warc.gz")).items()]
    (tmp_path / "list.jsonl").write_text("\n".join(json.dumps({"uri": uri}) for uri in uris))
    assert make(tmp_path / "list.jsonl", tmp_path / "out", max_bytes=LIMIT) == 0
    assert len(samples(tmp_path / "out")) == 6
    assert drop_reasons(tmp_path / "out")["https://example.org/cut.pdf", "truncated"] == 1


@pytest.mark.parametrize(
    "uri",
    ["zip://a.pdf", "zip://a.pdf::", "warc://a::b.warc", "warc://1/a::b.warc", "warc://-1-5/a::b.warc", "tar://x/a.pdf::b.tar"],
)
def test_a_uri_that_names_no_place_is_bad(uri):
    with pytest.raises(SampleError, match="bad_uri"):
        archive.parse(uri)
