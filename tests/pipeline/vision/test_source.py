"""Pictures that others described: COCO's files and conversations, with what is wrong in them."""

import json
import os
from pathlib import Path

import pytest

from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.pictures.source import ImageSource
from datagen.record import Drop, Sample
from datagen.target import Prompt, can_answer
from datagen.vision.source import described
from datagen.work.pipeline import Pipeline
from recipes.__main__ import main
from recipes.steps import OVER_MAX_DROP
from tests.inputs.picture_files import image
from tests.outputs import dataset_samples
from tests.pipeline.pictures.test_pictures import drops, samples

SIZE = (200, 100)


def read(input: Path | str, **values: object) -> list[Sample | Drop]:
    census, source = described(str(input), **values)
    return [
        outcome for shard in source.split(census.items()) for outcome in Pipeline("vision", census, source, ()).process(shard, [])
    ]


def write(path: Path, data: bytes | object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode())


@pytest.fixture
def coco(tmp_path):
    """Two files of one set, one of another; images in folders beside them, as COCO has them, one of a name that two sets have."""
    images = [
        {"id": 1, "file_name": "a.jpg", "width": 200, "height": 100, "license": 4, "coco_url": "http://example.org/a.jpg"},
        {"id": "2", "file_name": "b.jpg", "width": 400, "height": 200},  # twice as large when it was described
        {"id": 3, "file_name": "missing.jpg", "width": 200, "height": 100},
        {"id": 4, "file_name": "bare.jpg"},
        {"id": 5, "file_name": "turned.jpg", "width": 100, "height": 200},
        {"id": 6, "width": float("nan")},  # as Python writes it, and no standard knows
        "a text",
        {"id": 7, "file_name": "broken.jpg", "width": 200, "height": 100},
    ]
    boxes = [
        *[
            (1, 18, [10.2, 20.7, 30, 40], 0),
            (1, 18, [10.2, 20.7, 30, 40], 0),
            (1, 1, [190, 90, 15, 12], 0),
            (1, 1, [180, 50, 90, 20], 0),
        ],
        *[(1, 1, [0, 0, 200, 100], 1), (1, 99, [1, 1, 9, 9], 0), (1, 1, [5, 5, 0, 9], 0), (1, 1, "x", 0)],
        *[(2, 18, [100, 50, 200, 100], 0), (3, 1, [1, 1, 9, 9], 0), (5, 1, [1, 1, 9, 9], 0), (7, 1, [1, 1, 9, 9], 0)],
    ]
    instances = {
        "info": {},
        "licenses": [{"id": 4, "name": "Attribution", "url": "http://creativecommons.org/licenses/by/2.0/"}],
        "images": images,
        "annotations": [
            {"id": n, "image_id": i, "category_id": c, "bbox": b, "iscrowd": crowd, "segmentation": [[1, 2, 3]]}
            for n, (i, c, b, crowd) in enumerate(boxes)
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}],
    }
    captions = {
        "images": images[:2],
        "annotations": [
            {"image_id": 1, "caption": "A dog."},
            {"image_id": 1, "caption": " A dog and a\nman on a field. "},
            {"image_id": 1, "bbox": [10, 20, 30, 40], "sentences": [{"raw": "the dog on the left"}]},
        ],
    }
    write(tmp_path / "annotations/instances_val.json", instances)
    write(tmp_path / "annotations/captions_val.json", captions)
    write(tmp_path / "annotations/instances_train.json", {"images": [{"file_name": "train/b.jpg", "caption": "Blue."}]})
    for name in ("val/a.jpg", "val/b.jpg", "val/bare.jpg", "val/turned.jpg", "train/b.jpg"):
        write(tmp_path / name, image("blue" if "train" in name else "green", size=SIZE))
    write(tmp_path / "val/broken.jpg", image(size=SIZE)[:300])
    return tmp_path


def test_files_of_one_set_are_joined_and_boxes_are_pixels_of_the_image(coco):
    outcomes = read(coco)
    first, second, train = samples(outcomes)
    assert train.caption == "Blue." and train.regions == ()
    assert [tuple(r.box) for r in second.regions] == [(50, 25, 150, 75)]  # its image is half as large as it was
    assert [(r.label, r.text, tuple(r.box)) for r in first.regions] == [
        ("image_caption", "the dog on the left", (10, 20, 40, 60)),
        ("image", "dog", (10, 20, 41, 61)),
        ("image", "person", (190, 90, 200, 100)),
    ]
    assert first.caption == "A dog and a man on a field." and first.metadata["other_captions"] == "A dog."
    assert first.quality.signals == {"crowds": 1.0, "boxes_outside": 2.0}
    assert first.origin.licence == "http://creativecommons.org/licenses/by/2.0/" and first.metadata["url"].endswith("a.jpg")
    assert len(samples(read(coco, bare=True))) == len(samples(outcomes)) + 1  # for a captioner
    # A crowd has no box, so that nobody could name all objects.
    assert can_answer(first, Prompt.CAPTION) and not can_answer(first, Prompt.DETECT)
    assert {(name, reason) for name, part, reason in drops(outcomes)} == {
        ("captions_val.json", reason) for reason in ("no_image", "not_described", "another_size", "bad_row", "damaged_image")
    }


def test_a_file_is_read_with_those_of_its_set_and_a_scaled_picture_has_scaled_boxes(coco):
    (coco / "val").rename(coco / "other")  # nothing tells now which of two images is meant
    outcomes = read(coco / "annotations/instances_val.json", long_side=100)
    assert len(read(coco / "annotations/instances_val.json", limit=2)) == 2
    assert [(s.size, [tuple(r.box) for r in s.regions if r.text == "dog"]) for s in samples(outcomes)] == [
        ((100, 50), [(5, 10, 21, 31)]),
    ]
    assert "ambiguous_image" in {reason for _, _, reason in drops(outcomes)}


def turns(*said: str) -> list[dict[str, str]]:
    return [{"from": ("human", "gpt")[n % 2], "value": text} for n, text in enumerate(said)]


def test_of_a_conversation_the_description_is_the_caption(tmp_path):
    rows = [
        {
            "id": "1",
            "image": "coco/a.jpg",
            "conversations": turns("<image>\nHow many dogs are there?", "One.", "Describe it.", "A dog."),
        },
        {"image": "a.jpg", "conversations": turns("What color is the dog in the image?\n<image>", "Brown.")},
        {"image": "b.jpg", "conversations": turns("<image>\n请描述这张图片。", "一只狗。")},
        {"image": "gone.jpg", "conversations": turns("<image>\nDescribe the image concisely.", "A cat.")},
        {"conversations": turns("Write a poem.", "Roses are red.")},
        {"images": ["a.jpg", "b.jpg"], "conversations": turns("Describe them.", "Two dogs.")},
        "a text",
    ]
    write(tmp_path / "llava.json", rows)
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is in the picture?"}]}]
    write(tmp_path / "damaged.json", json.dumps(rows[:3]).encode().replace(b"Brown", b"\xff\xfe"))
    row = {"messages": [*messages, {"role": "assistant", "content": " A meadow. "}], "images": [{"path": "/far/away/b.jpg"}]}
    write(tmp_path / "more.jsonl", json.dumps(row).encode() + b"\n{broken\n\n")
    for name in ("images/coco/a.jpg", "images/b.jpg"):
        write(tmp_path / name, image(size=SIZE))
    outcomes = read(tmp_path)
    assert [(s.caption, s.metadata["name"]) for s in samples(outcomes)] == [
        *[("A dog.", "a.jpg"), ("一只狗。", "b.jpg")] * 2,
        ("A meadow.", "b.jpg"),
    ]
    assert [(name, part.first, reason) for name, part, reason in drops(outcomes)] == [
        ("damaged.json", 1, "broken_row"),
        *[("llava.json", 1, "no_description"), ("llava.json", 3, "no_image"), ("llava.json", 4, "no_image")],
        *[("llava.json", 5, "several_images"), ("llava.json", 6, "bad_row"), ("more.jsonl", 1, "broken_row")],
    ]


def test_a_file_that_is_hostile_or_cut_short_costs_itself(coco, tmp_path_factory):
    nested, huge = coco / "annotations/instances_nested.json", coco / "annotations/instances_huge.json"
    write(coco / "annotations/instances_test.json", (coco / "annotations/instances_train.json").read_bytes()[:-9])
    write(nested, b'{"images": [{"file_name": "a.jpg", "more": ' + b"[" * 1_000_000)
    write(huge, b'{"images": [{"file_name": "a.jpg", "caption": "')
    os.truncate(huge, 4 << 30)  # a hole, which takes no room on the disk, and more than a child may have
    write(coco / "turns.json", b'[{"image": "a.jpg", "conversations": [{"from": "human", "value": ' + b'{"x":' * 1_000_000)
    images = b'"images": [{"id": 1, "file_name": "a\\ud800.jpg", "caption": "A dog."}]'
    write(coco / "ids.json", b'{%s, "annotations": [{"image_id": 1, "bbox": [1%s, 1, 1, 1]}]}' % (images, b"0" * 999))
    out = tmp_path_factory.mktemp("out")
    assert main(["vision", "--input", str(coco), "--out", str(out), "--on", "inline"]) == OVER_MAX_DROP
    dropped = {(Path(d.uri).name, d.reason) for r in read_reports(Folder(f"{out}/vision")) for d in r.drops}
    assert dropped > {
        *(("instances_nested.json", "broken_json"), ("instances_huge.json", "memory")),
        *(("turns.json", "broken_json"), ("ids.json", "no_image"), ("instances_test.json", "broken_json")),
    }  # fmt: skip
    assert len(dataset_samples(Folder(f"{out}/vision"))) == 3


def test_ids_tell_images_apart_or_nothing_is_said_of_them(tmp_path):
    """A table that was read with holes has ids like 1.0, some of them none; of an id that two images have nobody knows whose it
    is."""
    images = [{"id": 1.0, "file_name": "a.jpg"}, {"id": 2.0, "file_name": "b.jpg"}, {"id": None, "file_name": "c.jpg"}]
    images += [{"id": 3, "file_name": "d.jpg"}, {"id": "3", "file_name": "e.jpg"}, images[0]]
    boxes = [{"image_id": id, "category_id": 1, "bbox": [id or 9, 0, 20, 20]} for id in (1, 2.0, None, 3)]
    rows = {"images": images, "annotations": boxes, "categories": [{"id": 1.0, "name": "dog"}]}
    write(tmp_path / "instances.json", b"\xef\xbb\xbf" + json.dumps(rows).encode())
    (tmp_path / "link.json").symlink_to(tmp_path / "gone")
    for name in "abcde":
        write(tmp_path / f"{name}.jpg", image(size=SIZE))
    outcomes = read(tmp_path)
    assert [(s.metadata["name"], [r.box.x0 for r in s.regions]) for s in samples(outcomes)] == [("a.jpg", [1]), ("b.jpg", [2])]
    assert [reason for _, _, reason in drops(outcomes)] == ["not_described", "ambiguous_id", "ambiguous_id", "not_found"]


def test_what_describes_nothing_is_read_as_pictures_and_nothing_is_one_clear_error(tmp_path):
    write(tmp_path / "pictures/a.jpg", image())
    write(tmp_path / "pictures/a.json", {"images": [{"caption": "beside it"}]})
    assert isinstance(described(str(tmp_path / "pictures"))[1], ImageSource)
    with pytest.raises(ValueError, match="no such file or folder"):
        described(str(tmp_path / "gone"))[0].items()
    write(tmp_path / "x/rows.jsonl", {"image": "a.jpg", "conversations": turns("Describe it.", "A.")})
    with pytest.raises(ValueError, match="neither list nor download"):
        described(str(tmp_path / "x"), list="wukong")
