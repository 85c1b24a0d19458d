"""Pictures in each of the forms in which people have them, as samples with what their lists say."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from datagen.pipeline import Pipeline
from datagen.record import Drop, Range, Sample
from datagen.sources.pictures import pictures


def image(color: object = "navy", kind: str = "JPEG", size: tuple[int, int] = (48, 32)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, kind)
    return file.getvalue()


def tar(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def read(input: Path, **values: object) -> list[Sample | Drop]:
    census, source = pictures(str(input), **values)
    return list(Pipeline("pictures", census, source, ()).process(tuple(census.items()), []))


def samples(outcomes: list[Sample | Drop]) -> list[Sample]:
    return [outcome for outcome in outcomes if isinstance(outcome, Sample)]


def drops(outcomes: list[Sample | Drop]) -> list[tuple[str, Range | None, str]]:
    return [(Path(o.uri).name, o.part, o.reason) for o in outcomes if isinstance(o, Drop)]


def laion(path: Path, urls: list[str], **columns: object) -> None:
    table = {"URL": urls, "TEXT": [f"caption {i}" for i in range(len(urls))], **columns}
    pq.write_table(pa.table(table), path)


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
    table = pa.Table.from_pylist(rows)
    pq.write_table(table, tmp_path / "train-00000-of-00001.parquet", row_group_size=2)
    with pa.OSFile(str(tmp_path / "data-00000-of-00001.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    outcomes = read(tmp_path)
    for sample in samples(outcomes):
        assert (sample.caption, sample.origin.licence) == ("red", "CC0-1.0")
        assert sample.metadata == {"name": "a.jpg", "label": "3"}
    assert [s.origin.page for s in samples(outcomes)] == [0, 0]
    assert [reason for _, _, reason in drops(outcomes)] == ["no_image", "other_format"] * 2


def test_urls_alone_are_refused_with_the_command_that_downloads_them(tmp_path):
    laion(tmp_path / "list.parquet", URLS, punsafe=[0.1] * 4)
    with pytest.raises(
        ValueError, match=r"img2dataset --url_list=\S*list.parquet --input_format=parquet --url_col=URL --caption_col=TEXT"
    ):
        read(tmp_path, list="other")


def test_lists_older_than_re_laion_are_refused_unless_they_are_asked_for():
    for name in ("laion400m", "laion/laion2B-en", "laion-something-new"):
        with pytest.raises(ValueError, match="Re-LAION-5B of 2024"):
            pictures("in", list=name)
    assert pictures("in", list="laion400m", unsafe_list=True)[1].list_name == "laion400m"
