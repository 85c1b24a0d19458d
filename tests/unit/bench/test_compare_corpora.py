"""The comparison of two datasets, on tars written by hand in both schemas."""

import io
import json
import tarfile

import pytest

from tests.bench.compare_corpora import compare


def record(key: str, text: str = "a b", box=(1, 2, 3, 4), **quality) -> dict:
    line = {"box": box, "text": text, "font": "F", "direction": "ltr"}
    region = {"label": "text", "box": box, "text": text, "lines": [line]}
    quality = {"verdict": "trusted", "reasons": [], "signals": [{"name": "num_chars", "value": 3.0}]} | quality
    return {"key": key, "size": [9, 9], "lang": "en", "script": "Latn", "text": text, "regions": [region], "quality": quality}


def dataset(folder, *records: dict):
    (folder / "shards").mkdir(parents=True)
    with tarfile.open(folder / "shards" / "coarse-000000.tar", "w") as tar:
        for each in records:
            data = json.dumps(each).encode()
            info = tarfile.TarInfo(f"{each['key']}.json")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
            tar.addfile(tarfile.TarInfo(f"{each['key']}.jpg"))
    return folder


@pytest.mark.parametrize(
    ("other", "named", "same"),
    [
        (record("k1", text="a c"), ["text", "region texts", "line texts"], False),
        (record("k1", box=(1, 2, 3, 5)), ["region boxes", "line boxes"], False),
        (record("k1", verdict="suspect", reasons=["form"]), ["verdict", "reasons"], True),
    ],
)
def test_a_difference_is_named_with_its_place(tmp_path, other, named, same):
    report, equal = compare(dataset(tmp_path / "old", record("k1")), dataset(tmp_path / "new", other))
    assert report[0] == "1 samples are in both, 0 of them are equal"
    assert [line.split(":")[0] for line in report[1:] if not line.startswith(" ")] == named
    assert equal == same
    if "text" in named:
        assert report[2:5] == ["    k1", "    old at character 2: 'a b'", "    new at character 2: 'a c'"]


def test_samples_of_one_dataset_alone_count_unless_common_ones_are_asked_for(tmp_path):
    old, new = dataset(tmp_path / "old", record("k1"), record("k2")), dataset(tmp_path / "new", record("k1"))
    assert compare(old, new)[1] is False
    assert compare(old, new, common=True)[1] is True
    assert compare(new, dataset(tmp_path / "other", record("k3")), common=True)[1] is False  # nothing was compared
    with pytest.raises(ValueError, match=r"no shards/\*\.tar"):
        compare(tmp_path, new)
