import json
import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datagen.coarse.source import PdfSource
from datagen.disk.storage import Folder
from datagen.inputs.census import Listing
from datagen.inputs.formats import WORD
from datagen.inputs.items import Item
from datagen.inputs.selection import choose
from datagen.work.assignment import Assigned, Assignment, add_generation, assigned, new_items, num_shards


@pytest.fixture
def folder(tmp_path):
    for name in ("b.pdf", "a.PDF", "sub/c.pdf", "notes.txt"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%PDF-1.7")
    return tmp_path / "in"


def names(documents) -> list[str]:
    return [d.uri.rsplit("/in/", 1)[1] for d in documents]


def test_linked_folders_are_followed_once(folder):
    (folder / "link").symlink_to(folder / "sub")
    (folder / "loop").symlink_to(folder)
    found = Listing(str(folder)).items()
    assert sorted(d.uri.rsplit("/", 1)[1] for d in found) == ["a.PDF", "b.pdf", "c.pdf"]


def test_a_folder_that_cannot_be_read_is_an_input_and_no_silence(folder, monkeypatch):
    real = os.walk

    def walk(path, onerror, **words):
        onerror(PermissionError(13, "Permission denied", str(folder / "closed")))
        return real(path, onerror=onerror, **words)

    monkeypatch.setattr(os, "walk", walk)
    assert str(folder / "closed") in [d.uri for d in Listing(str(folder)).items()]


def test_lists_carry_what_is_known(folder):
    rows = [{"uri": "b.pdf", "lang": "ru", "licence": "CC0-1.0", "pages": 7}, {"uri": "s3://bucket/x.pdf", "bytes": 99}]
    (folder / "l.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    pq.write_table(
        pa.Table.from_pylist([{"lang": None, "licence": None, "pages": None, "bytes": None, **r} for r in rows]),
        folder / "l.parquet",
    )
    for kind in ("jsonl", "parquet"):
        b, x = Listing(f"{folder}/l.{kind}").items()
        assert (b.uri, b.lang, b.licence, b.count, b.num_bytes) == (str(folder / "b.pdf"), "ru", "CC0-1.0", 7, 8)
        assert x == Item("s3://bucket/x.pdf", num_bytes=99)


def test_an_archive_is_looked_into_wherever_it_is_named(folder):
    with zipfile.ZipFile(folder / "a.zip", "w") as made:
        made.writestr("x.pdf", b"%PDF-1.7")
    (folder / "l.jsonl").write_text('{"uri": "a.zip", "lang": "ru", "licence": "CC0-1.0"}\n')
    (folder / "m.jsonl").write_text(json.dumps({"uri": f"zip://x.pdf::{folder}/a.zip"}))
    uri = f"zip://x.pdf::{folder}/a.zip"
    for input in ("*.zip", "a.zip", "l.jsonl", "m.jsonl", "[ab].*"):
        assert uri in [d.uri for d in Listing(f"{folder}/{input}").items()], input
        assert str(folder / "a.zip") not in [d.uri for d in Listing(f"{folder}/{input}").items()], input
    (member,) = Listing(f"{folder}/l.jsonl").items()
    assert (member.lang, member.licence, member.num_bytes) == ("ru", "CC0-1.0", 8)


def test_a_folder_or_a_fifo_that_is_called_an_archive_is_an_input_and_no_bug(folder):
    (folder / "folder.zip").mkdir()
    os.mkfifo(folder / "fifo.tar")
    (folder / "l.jsonl").write_text('{"uri": "folder.zip"}\n{"uri": "fifo.tar"}\n{"uri": "gone.zip"}\n')
    assert names(Listing(f"{folder}/l.jsonl").items()) == ["fifo.tar", "folder.zip", "gone.zip"]


def test_a_list_of_documents_and_captures_has_one_of_two_columns_in_a_row(folder):
    capture = {"uri": None, "url": "u", "warc_filename": "x.warc.gz", "warc_record_offset": 7, "warc_record_length": 9}
    rows = [dict.fromkeys(capture) | {"uri": "b.pdf"}, capture]
    pq.write_table(pa.Table.from_pylist(rows), folder / "l.parquet")
    found = Listing(f"{folder}/l.parquet").items()
    assert [d.uri for d in found] == [str(folder / "b.pdf"), "warc://7-9/u::https://data.commoncrawl.org/x.warc.gz"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"uri": "b.pdf", "pages": "many"}\n', r"row 1: .*b\.pdf: bytes and pages are whole numbers"),
        ('{"uri": "b.pdf"}\n{"uri": "b.pdf", "lang": 5}\n', r"row 2: .*b\.pdf: etag, lang and licence are words"),
        ('{"warc_filename": "x", "warc_record_offset": "x", "warc_record_length": 9}\n', "row 1: .*length are whole numbers"),
        ('{"url": "x"}\n', "every row needs a uri"),
        ("not json\n", "not a readable list"),
        ("", "no PDF to read"),
    ],
)
def test_a_bad_list_is_one_clear_error(folder, content, said):
    (folder / "l.jsonl").write_text(content)
    with pytest.raises(ValueError, match=said):
        Listing(f"{folder}/l.jsonl").items()


def test_files_beside_the_inputs_are_counted_and_named(tmp_path, caplog):
    inputs = ("a.docx", "b.DOCM", "c.dotx", "d.dotm", "e.rtf")
    others = ("f.txt", "g.txt", "h.jpg", "readme", "i.xlsx", "j.pptx")
    for name in (*inputs, *others):
        (tmp_path / name).write_bytes(b"x")
    with caplog.at_level("INFO", logger="datagen.inputs.census"):
        found = Listing(str(tmp_path), WORD).items()
    assert [Path(item.uri).name for item in found] == list(inputs)
    said = "2 .txt, 1 without a suffix, 1 .jpg, 1 .pptx, 1 of other suffixes"
    assert caplog.messages == [f"census: 6 files that are not DOCX/DOC/ODT/RTF left alone: {said}"]


def test_nothing_to_read_says_what_was_seen(folder, tmp_path):
    (tmp_path / "void").mkdir()
    with pytest.raises(ValueError, match="no file found"):
        Listing(str(tmp_path / "void")).items()
    for path in folder.rglob("*.[pP]*"):
        path.unlink()
    with pytest.raises(ValueError, match=r"1 \.txt found"):
        Listing(str(folder)).items()
    with pytest.raises(ValueError, match="no such file"):
        Listing(str(tmp_path / "gone")).items()


def test_a_name_that_is_not_utf8_is_listed(folder):
    with open(os.fsencode(str(folder)) + b"/\xff.pdf", "wb") as file:
        file.write(b"%PDF-")
    with open(os.fsencode(str(folder)) + b"/\xfe.pdf", "wb") as file:
        file.write(b"%PDF-")
    assert {"\\xfe.pdf", "\\xff.pdf"} <= set(names(Listing(str(folder)).items()))


def documents(**langs: int) -> list[Item]:
    return [Item(f"/in/{lang}/{i}.pdf", f"e{i}", 50_000, lang) for lang, n in langs.items() for i in range(n)]


def test_limit_goes_round_the_languages_and_is_stable():
    chosen = list(choose(documents(ru=50, de=50, my=1), 9, seed=0))
    counts = {lang: sum(d.lang == lang for d in chosen) for lang in ("ru", "de", "my")}
    assert counts == {"ru": 4, "de": 4, "my": 1}
    assert set(chosen) < set(choose(documents(ru=50, de=50, my=1), 20, seed=0))
    assert chosen == list(choose(reversed(documents(ru=50, de=50, my=1)), 9, seed=0))
    assert chosen != list(choose(documents(ru=50, de=50, my=1), 9, seed=1))


def test_limit_draws_among_an_archives_members():
    zipped = [Item(f"zip://{i:04d}.pdf::/data/big.zip") for i in range(1000)]
    drawn = [[d.uri for d in choose(zipped, 5, seed)] for seed in (0, 1)]
    assert drawn[0] != drawn[1]
    assert drawn[0] != [d.uri for d in zipped[:5]]
    moved = [Item(d.uri.replace("/data/", "s3://bucket/")) for d in zipped]
    assert [d.uri.replace("s3://bucket/", "/data/") for d in choose(moved, 5, 0)] == drawn[0]
    crawl = "https://data.commoncrawl.org/crawl-data/CC/warc"
    crawled = [Item(f"warc://{i}-9/https%3A//e.org/{i}.pdf::{crawl}/W{w}.warc.gz") for w in range(4) for i in range(1000)]
    chosen = list(choose(crawled, 500, 0))
    counts = [sum(d.uri.endswith(f"W{w}.warc.gz") for d in chosen) for w in range(4)]
    assert min(counts) > 90
    assert sum(int(d.uri[7:].split("-")[0]) >= 500 for d in chosen) > 200


def test_a_uri_that_is_no_archives_is_drawn_as_it_is():
    assert len(list(choose([Item(f"zip://{i}.pdf") for i in range(9)], 5, 0))) == 5


def test_generations_keep_their_numbers(tmp_path):
    folder = Folder(str(tmp_path))
    a, b, c = (Item(f"/{name}.pdf", "1", 5, "ru", "cc0", 7, "f" * 64, 1, 6, name == "c") for name in "abc")
    add_generation(folder, [(a,), (b,)])
    add_generation(folder, [(c, a)])
    add_generation(folder, [])
    assert list(assigned(folder)) == [Assigned(0, 0, (a,)), Assigned(1, 0, (b,)), Assigned(2, 1, (c, a))]
    assert num_shards(folder) == 3


def test_only_new_documents_are_new_and_changed_ones_are_refused():
    read = Assignment([Assigned(0, 0, (Item("/a.pdf", "1"),))])
    assert list(new_items([Item("/a.pdf", "1"), Item("/b.pdf", "1")], read)) == [Item("/b.pdf", "1")]
    with pytest.raises(ValueError, match=r"1 inputs have changed.*overwrite=1"):
        list(new_items([Item("/a.pdf", "2")], read))


def test_large_documents_are_split_when_their_pages_are_known():
    source = PdfSource(shard_pages=100, few_pages=0)
    shards = source.split([Item("/a.pdf", count=250), Item("/b.pdf", count=30), Item("/c.pdf", count=60)])
    spans = [[(d.uri, d.first, d.stop) for d in shard] for shard in shards]
    assert spans == [
        [("/a.pdf", 0, 100)],
        [("/a.pdf", 100, 200)],
        [("/a.pdf", 200, -1), ("/b.pdf", 0, -1)],
        [("/c.pdf", 0, -1)],
    ]


def test_behind_the_first_parts_of_a_container_a_wider_census_goes_on():
    a, b = (Item("/a", first=0, stop=3), Item("/a", first=3, stop=5)), (Item("/b", first=0, stop=4), Item("/b", first=4))
    read = Assignment([Assigned(0, 0, a), Assigned(1, 0, b)])
    assert list(new_items([Item("/a", stop=5), Item("/b")], read)) == []
    assert list(new_items([Item("/a", stop=9), Item("/b", stop=9)], read)) == [Item("/a", first=5, stop=9)]
    assert list(new_items([Item("/a"), Item("/c", stop=2)], read)) == [Item("/a", first=5), Item("/c", stop=2)]


def test_shards_know_what_later_generations_read_of_their_containers():
    first, again, rest = Item("/a", stop=3), Item("/a", stop=2, again=True), Item("/a", first=3)
    shards = [Assigned(0, 0, (first, Item("/b"))), Assigned(1, 0, (Item("/c"),)), Assigned(2, 1, (again, Item("/d")))]
    read = Assignment(shards)
    assert [read.later(shard) for shard in shards] == [(again,), (), ()]
    read.add([Assigned(3, 2, (rest,))])
    assert [read.later(shard) for shard in shards] == [(again, rest), (), (rest,)]
