"""Pictures in each of the forms in which people have them, as samples with what their lists say."""

import hashlib
import io
import json
import struct
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.pictures.pick_source import pictures
from datagen.record import Drop, Range, Sample
from datagen.work.pipeline import Pipeline
from recipes.__main__ import main
from recipes.recipe import Recipe
from recipes.run.execute import run
from recipes.steps import Place
from tests.inputs.picture_files import image, laion, tar
from tests.outputs import dataset_samples
from tests.programs import stand_in


def read(input: Path, **values: object) -> list[Sample | Drop]:
    census, source = pictures(str(input), **values)
    return list(Pipeline("pictures", census, source, ()).process(tuple(census.items()), []))


def samples(outcomes: list[Sample | Drop]) -> list[Sample]:
    return [outcome for outcome in outcomes if isinstance(outcome, Sample)]


def drops(outcomes: list[Sample | Drop]) -> list[tuple[str, Range | None, str]]:
    return [(Path(o.uri).name, o.part, o.reason) for o in outcomes if isinstance(o, Drop)]


URLS = [f"https://example.org/{number}.jpg" for number in range(4)]


def test_a_folder_of_images_is_joined_with_a_list_of_laion_by_what_the_images_are_called(tmp_path):
    columns = {
        "NSFW": ["UNLIKELY", "UNSURE", None, "NSFW"],
        "LICENSE": ["?", "cc-by-4.0", None, "?"],
        "similarity": [0.31, None, 0.3, 0.25],
        "WIDTH": [640.0, 480.0, None, 1.0],
        "HEIGHT": pa.array([480, 360, 1, 1], pa.int32()),
        "punsafe": pa.array([0.1, 0.9, 0.2, 0.3], pa.float32()),
    }
    laion(tmp_path / "part-00000.parquet", URLS, **columns)
    for number in (0, 1):
        (tmp_path / f"{hashlib.md5(URLS[number].encode()).hexdigest()}.jpg").write_bytes(image())
    (tmp_path / "stray.jpg").write_bytes(image())
    assert len(read(tmp_path / "part-00000.parquet", list="other")) == 5
    with pytest.raises(ValueError, match=r"its columns are LAION's .* say list=NAME"):
        read(tmp_path)
    outcomes = read(tmp_path, list="relaion2b-en-research-safe")
    first, second = samples(outcomes)
    assert (first.caption, first.origin.licence, second.origin.licence) == ("caption 0", "", "cc-by-4.0")
    assert {k: v for k, v in first.metadata.items() if k != "name"} == {
        "url": URLS[0], "nsfw": "UNLIKELY", "similarity": "0.31", "original_width": "640", "original_height": "480",
        "punsafe": "0.1", "list": "relaion2b-en-research-safe",
    }  # fmt: skip
    assert drops(outcomes) == [
        (tmp_path.name, Range(0, 1), "not_in_list"),
        ("part-00000.parquet", Range(2, 3), "no_image"),
        ("part-00000.parquet", Range(3, 4), "no_image"),
    ]


def test_folders_of_wukong_are_joined_with_its_lists_by_number(tmp_path):
    for table in (0, 1):
        rows = "".join(f'https://example.cn/{table}/{row}.jpg,"字 {table}{row}"\n' for row in range(3))
        (tmp_path / f"wukong_100m_{table}.csv").write_text(f"url,caption\n{rows}")
        (tmp_path / f"{table:03d}").mkdir()
        for row in (0, 2):
            (tmp_path / f"{table:03d}" / f"{row:05d}.jpg").write_bytes(image())
    outcomes = read(tmp_path, list="wukong")
    assert [(s.caption, s.metadata["url"][-7:]) for s in samples(outcomes)] == [
        ("字 00", "0/0.jpg"), ("字 02", "0/2.jpg"), ("字 10", "1/0.jpg"), ("字 12", "1/2.jpg"),
    ]  # fmt: skip
    assert [reason for _, _, reason in drops(outcomes)] == ["no_image"] * 2


def test_tars_of_img2dataset_say_of_what_they_lack(tmp_path):
    files, rows = {}, []
    errors = ["", "HTTP Error 404: Not Found", "Use of image disallowed by X-Robots-Tag directive", ""]
    for number, error in enumerate(errors):
        key = f"{number:09d}"
        row = {"key": key, "url": URLS[number], "caption": f"caption {number}", "status": "success", "error_message": None,
               "original_width": 640, "original_height": 480, "width": 48, "height": 32, "exif": "", "sha256": "ab"}  # fmt: skip
        if error:
            row |= {"status": "failed_to_download", "error_message": error, "original_width": None, "sha256": None}
        else:
            files |= {f"{key}.jpg": image(), f"{key}.txt": row["caption"].encode(), f"{key}.json": json.dumps(row).encode()}
        rows.append(row)
    tar(tmp_path / "00000.tar", files)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "00000.parquet")
    (tmp_path / "00000_stats.json").write_text("{}")
    outcomes = read(tmp_path)
    assert [s.caption for s in samples(outcomes)] == ["caption 0", "caption 3"]
    assert samples(outcomes)[0].metadata == {
        "name": "000000000.jpg", "key": "000000000", "url": URLS[0], "original_width": "640", "original_height": "480",
        "sha256": "ab",
    }  # fmt: skip
    assert drops(outcomes) == [("00000.tar", Range(2, 3), "http_404"), ("00000.tar", Range(3, 4), "opted_out")]


def test_tables_with_images_are_read_row_by_row(tmp_path):
    rows = [
        {"image": {"bytes": image("red"), "path": "a.jpg"}, "text": "red", "license": "CC0-1.0", "label": 3},
        {"image": {"bytes": None, "path": None}, "text": None, "license": None, "label": None},
        {"image": {"bytes": b"<html>", "path": "b.jpg"}, "text": "no image", "license": "", "label": 1},
    ]
    features = {"label": {"names": ["cat", "dog", "cow", "hen"], "_type": "ClassLabel"}, "image": {"_type": "Image"}}
    table = pa.Table.from_pylist(rows).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, tmp_path / "train-00000-of-00001.parquet", row_group_size=2)
    with pa.OSFile(str(tmp_path / "data-00000-of-00001.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    outcomes = read(tmp_path)
    for sample in samples(outcomes):
        assert (sample.caption, sample.origin.licence) == ("red", "CC0-1.0")
        assert sample.metadata == {"name": "a.jpg", "label": "hen"}
    assert [s.origin.page for s in samples(outcomes)] == [0, 0]
    assert [reason for _, _, reason in drops(outcomes)] == ["no_image", "other_format"] * 2


def test_urls_alone_are_refused_with_the_command_that_downloads_them(tmp_path):
    laion(tmp_path / "list.parquet", URLS, punsafe=[0.1] * 4)
    with pytest.raises(
        ValueError, match=r"img2dataset --url_list=\S*list.parquet --input_format=parquet --url_col=URL --caption_col=TEXT"
    ):
        read(tmp_path, list="other")


def test_lists_older_than_re_laion_are_refused_unless_they_are_asked_for():
    for name in ("laion400m", "laion/laion2B-en", "laion-something-new", "my_laion400m"):
        with pytest.raises(ValueError, match="Re-LAION-5B of 2024"):
            pictures("in", list=name)
    with pytest.raises(ValueError, match="say list=relaion2b-en-research-safe if that is meant"):
        pictures("in", list="relaion2B-en-reserch-safe")
    assert pictures("in", list="laion/Re-LAION-5B")[1].list_name == "re-laion-5b"
    assert pictures("in", list="laion400m", unsafe_list=True)[1].list_name == "laion400m"


def test_an_image_folder_of_hugging_face_is_joined_by_the_names_that_it_says(tmp_path):
    for folder in ("train", "test"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "0.png").write_bytes(image(kind="PNG"))
    (tmp_path / "metadata.csv").write_text(
        'file_name;text\ntrain/0.png;one\ntest/0.png;"another"\ntrain/1.png;gone\nonly one cell\n'
    )
    outcomes = read(tmp_path)
    assert [(s.caption, s.metadata["name"]) for s in samples(outcomes)] == [("one", "0.png"), ("another", "0.png")]
    assert [reason for _, _, reason in drops(outcomes)] == ["no_image", "bad_row"]


def test_what_is_damaged_costs_itself_alone(tmp_path):
    rows = [{"image": {"bytes": image("red"), "path": f"{n}.jpg"}, "text": f"{n}"} for n in range(40)]
    whole = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), whole, row_group_size=20, compression="none")
    data = bytearray(whole.getvalue())
    group = pq.ParquetFile(pa.BufferReader(bytes(data))).metadata.row_group(1).column(0)
    data[group.data_page_offset : group.data_page_offset + 30] = b"\xff" * 30
    (tmp_path / "half.parquet").write_bytes(data)
    (tmp_path / "none.parquet").write_bytes(b"PAR1" + bytes(100))
    (tmp_path / "cut.parquet").write_bytes(whole.getvalue()[:500])
    (tmp_path / "none.arrow").write_bytes(b"\xff\xff\xff\xff" + b"\x7f" * 60)
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "packed.tar.gz").write_bytes(b"\x1f\x8b")
    tar(tmp_path / "00000.tar", {"0.jpg": image(), "1.jpg": image()})
    cut = (tmp_path / "00000.tar").read_bytes()[:2600]
    (tmp_path / "00000.tar").write_bytes(cut)
    (tmp_path / "00000.parquet").write_bytes(b"no table")
    outcomes = read(tmp_path)
    assert [(Path(s.origin.uri).name, s.origin.page) for s in samples(outcomes)] == [
        ("00000.tar", 0), *(("half.parquet", n) for n in range(20)),
    ]  # fmt: skip
    reasons = {(name, reason) for name, _, reason in drops(outcomes)}
    assert reasons == {
        ("00000.tar", "broken_archive"), ("00000.tar", "broken_table"), ("half.parquet", "broken_table"),
        ("none.parquet", "broken_table"), ("cut.parquet", "broken_table"), ("none.arrow", "broken_table"),
        ("empty.csv", "broken_table"), ("packed.tar.gz", "unsupported_archive"),
    }  # fmt: skip
    assert sum(name == "half.parquet" for name, _, _ in drops(outcomes)) == 20
    assert drops(read(tmp_path / "none.parquet")) == [("none.parquet", None, "broken_table")]


def test_a_table_reads_no_file_outside_of_its_folder(tmp_path):
    (tmp_path / "secret.jpg").write_bytes(image())
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "beside.jpg").write_bytes(image())
    paths = ["../secret.jpg", str(tmp_path / "secret.jpg"), "beside.jpg"]
    rows = [{"image": {"bytes": None, "path": path}, "text": path} for path in paths]
    schema = pa.schema([("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("text", pa.string())])
    pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "in" / "train.parquet")
    outcomes = read(tmp_path / "in" / "train.parquet")
    assert [s.caption for s in samples(outcomes)] == ["beside.jpg"]
    assert [(part, reason) for _, part, reason in drops(outcomes)] == [(Range(0, 1), "no_image"), (Range(1, 2), "no_image")]


def test_img2dataset_downloads_a_list_once_where_it_is_asked_to(tmp_path, monkeypatch):
    path_with_it = stand_in(tmp_path / "bin", "img2dataset", f"#!{sys.executable}\n" + DOWNLOADER)
    (tmp_path / "image.jpg").write_bytes(image())
    (tmp_path / "in").mkdir()
    laion(tmp_path / "in" / "list.parquet", URLS[:2])
    census, source = pictures(str(tmp_path / "in"), list="other", download="public")
    census = census.within(Folder(str(tmp_path / "out")))
    assert census.pending() == "downloads 1 lists with img2dataset"
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(ValueError, match="pip install img2dataset first"):
        census.items()
    monkeypatch.setenv("PATH", path_with_it)
    for _ in range(2):
        outcomes = list(Pipeline("pictures", census, source, ()).process(tuple(census.items()), []))
        assert [s.metadata["list"] for s in samples(outcomes)] == ["other"]
    assert (tmp_path / "runs.txt").read_text() == "1"


DOWNLOADER = """
import pathlib, sys, tarfile
words = dict(word.removeprefix("--").split("=", 1) for word in sys.argv[1:])
here = pathlib.Path(sys.argv[0]).parents[1]
runs = here / "runs.txt"
runs.write_text(str(int(runs.read_text() if runs.exists() else 0) + 1))
with tarfile.open(pathlib.Path(words["output_folder"]) / "00000.tar", "w") as tar:
    tar.add(here / "image.jpg", "000000000.jpg")
"""


def test_names_in_urls_join_images_that_one_url_names_and_no_others(tmp_path):
    urls = ["https://a.org/cat.jpg?w=1", "https://b.org/x/dog%201.png", "https://c.org/200x200.jpg", "https://d.org/200x200.jpg"]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps({"url": url, "caption": url[8]}) + "\n" for url in urls))
    for name in ("cat.jpg", "dog 1.jpg", "200x200.jpg"):
        (tmp_path / name).write_bytes(image())
    outcomes = read(tmp_path)
    assert [(s.caption, s.metadata["name"]) for s in samples(outcomes)] == [("a", "cat.jpg"), ("b", "dog 1.jpg")]
    assert [reason for _, _, reason in drops(outcomes)] == ["no_image"] * 2


def test_images_that_no_rule_joins_with_the_list_beside_them_are_refused(tmp_path):
    (tmp_path / "list.csv").write_text("url,caption\nhttps://a.org/1,one\n")
    (tmp_path / "unlike.jpg").write_bytes(image())
    with pytest.raises(ValueError, match=r"no row of .*list\.csv names one of the 1 images"):
        read(tmp_path)
    assert len(samples(read(tmp_path / "*.jpg"))) == 1


@pytest.mark.slow
def test_the_shards_of_a_long_list_are_made_by_several_workers_and_read_again_alone(tmp_path):
    """No worker joins anything: it gets the images of its own rows."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    laion(folder / "list.parquet", [f"https://example.org/{row}.jpg" for row in range(1200)])
    for row in (0, 999, 1100):
        (folder / f"{row:05d}.jpg").write_bytes(image((row % 256, 0, 0)))
    words = ["vision", "--input", str(folder), "--list", "other", "--out", str(out)]

    def captions() -> list[tuple[str, str]]:
        return sorted((s.caption, s.metadata["name"]) for s in dataset_samples(Folder(f"{out}/vision")))

    assert main([*words, "--on", "local", "--workers", "2"]) == 0
    reports = read_reports(Folder(f"{out}/vision"))
    assert [(report.num_samples, len(report.drops)) for report in reports] == [(2, 998), (1, 199)]
    assert captions() == [("caption 0", "00000.jpg"), ("caption 1100", "01100.jpg"), ("caption 999", "00999.jpg")]
    (out / f"vision/shards/{reports[1].shard}.json").unlink()  # as a kill leaves it
    assert main([*words, "--on", "inline"]) == 0
    assert read_reports(Folder(f"{out}/vision"))[1].sha256 == reports[1].sha256
    (folder / "01101.jpg").write_bytes(image("red"))
    assert main(["retry", str(out), "--reason", "no_image", "--on", "inline"]) == 0
    assert len(captions()) == 4 and captions()[2] == ("caption 1101", "01101.jpg")


def test_a_limit_counts_pictures_and_a_larger_one_goes_on(tmp_path):
    for number in range(3):
        tar(tmp_path / "in" / f"{number:05d}.tar", {f"{n}.jpg": image((number, n, 0)) for n in range(4)})
    seen = []
    for limit in (3, 6, 0):
        census, source = pictures(str(tmp_path / "in"), limit=limit, seed=1, shard_images=2)
        recipe = Recipe("pictures", (Pipeline("pictures", census, source, ()),))
        assert run(recipe, Place(str(tmp_path / "out"), "inline")) == 0
        seen.append({s.key for s in dataset_samples(Folder(str(tmp_path / "out" / "pictures")))})
    assert [len(keys) for keys in seen] == [3, 6, 12]
    assert seen[0] < seen[1] < seen[2]


def test_tars_of_laion_are_asked_for_their_list_however_they_are_named(tmp_path):
    tar(tmp_path / "0.tar", {"0.jpg": image(), "0.json": json.dumps({"url": URLS[0], "caption": "x", "punsafe": 0.1}).encode()})
    for input in (tmp_path, tmp_path / "0.tar", tmp_path / "*.tar"):
        with pytest.raises(ValueError, match="its columns are LAION's"):
            read(input)
        assert len(samples(read(input, list="other"))) == 1


def test_tables_that_lie_about_their_insides_end_no_shard(tmp_path):
    table = pa.Table.from_pylist([{"image": {"bytes": image(), "path": "a.jpg"}, "text": "four"} for _ in range(20)])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, 10)
    whole = sink.getvalue().to_pybytes()
    (tmp_path / "cut.arrow").write_bytes(whole[: len(whole) * 3 // 4])
    offsets = struct.pack("<3i", 0, 4, 8)  # of the texts: where each begins
    assert whole.count(offsets) >= 2
    (tmp_path / "offsets.arrow").write_bytes(whole.replace(offsets, struct.pack("<3i", 0, 2**30, 8), 1))
    (tmp_path / "bytes.arrow").write_bytes(whole.replace(b"fourfour", b"fo\xff\xfefour", 1))
    huge = pa.Table.from_pydict({"url": pa.array([""] * 100_000)})
    pq.write_table(huge, tmp_path / "huge.parquet")
    outcomes = read(tmp_path)
    assert [(Path(s.origin.uri).name, s.origin.page) for s in samples(outcomes)] == [
        *(("bytes.arrow", n) for n in range(20)), *(("cut.arrow", n) for n in range(10)),
        *(("offsets.arrow", n) for n in range(10, 20)),
    ]  # fmt: skip
    assert samples(outcomes)[0].caption == "fo\ufffd\ufffd"
    assert {(name, reason) for name, _, reason in drops(outcomes)} == {
        ("cut.arrow", "broken_table"), ("huge.parquet", "broken_table"), ("offsets.arrow", "broken_table"),
    }  # fmt: skip
