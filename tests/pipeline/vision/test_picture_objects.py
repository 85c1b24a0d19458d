"""Objects of Hugging Face's detection datasets: which form their boxes have, what they are called, and what can't be told."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from datagen.pictures.pick_source import pictures
from datagen.record import Sample
from datagen.vision.captions import JudgeCaptions
from tests.inputs.picture_files import image
from tests.inputs.samples import encoded
from tests.pipeline.pictures.test_pictures import drops, samples
from tests.pipeline.vision.test_source import read

SIZE = (200, 100)
CLASSES = {"names": ["glove", "mask"], "_type": "ClassLabel"}
STRUCT_OF_LISTS = {"feature": {"bbox": {"_type": "Sequence"}, "category": CLASSES}, "_type": "Sequence"}
SINCE_FOUR = {"bbox": {"_type": "List"}, "category": {"feature": CLASSES, "_type": "List"}}
LIST_OF_STRUCTS = [{"bbox": {"_type": "Sequence"}, "category": CLASSES}]


def table(path: Path, objects: list[object], feature: object = STRUCT_OF_LISTS, shown: bytes = b"", **columns: object) -> None:
    images = [{"bytes": shown or image(size=SIZE), "path": None}] * len(objects)
    rows = pa.table({"image": images, "objects": objects, **columns})
    notes = {"huggingface": json.dumps({"info": {"features": {"image": {"_type": "Image"}, "objects": feature}}})}
    pq.write_table(rows.replace_schema_metadata(notes), path)


def regions(sample: Sample) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(region.label, region.text, tuple(region.box)) for region in sample.regions]


def listed(*boxes: list[float], **values: object) -> dict[str, object]:
    return {"bbox": list(boxes), "category": [n % 2 for n in range(len(boxes))], **values}


@pytest.mark.parametrize("feature", [STRUCT_OF_LISTS, SINCE_FOUR])
def test_boxes_of_sides_and_of_corners_are_told_apart_and_classes_named(tmp_path, feature):
    sides = [150, 60, 30.5, 20], [-5, 1, 50, 50], [-60, 1, 70, 50]
    table(tmp_path / "a.parquet", [listed([150, 60, 180.5, 80]), listed([10, 10, 20, 20])], feature)
    table(tmp_path / "b.parquet", [listed(*sides), listed([10, 10, 20, 20])], feature)
    first, second, third, fourth = samples(read(tmp_path))
    assert regions(first) == [("image", "glove", (150, 60, 181, 80))]
    assert regions(second) == [("image", "glove", (10, 10, 20, 20))]
    assert regions(third) == [("image", "glove", (150, 60, 181, 80)), ("image", "mask", (0, 1, 45, 51))]
    assert regions(fourth) == [("image", "glove", (10, 10, 30, 30))]
    assert third.quality.signals == {"boxes_outside": 1.0} and "objects" not in third.metadata


def test_where_both_forms_fit_the_area_tells_and_without_it_no_box_is_taken(tmp_path):
    table(tmp_path / "a.parquet", [listed([10, 10, 20, 30], area=[600])])
    table(tmp_path / "b.parquet", [listed([10, 10, 20, 30], area=[200])])
    table(tmp_path / "c.parquet", [listed([10, 10, 20, 30])] * 2, caption=["", "A hand."])
    table(tmp_path / "d.parquet", [listed([0.1, 0.1, 0.05, 0.3])])
    sides, corners, *unclear = samples(read(tmp_path))
    assert [regions(one)[0][2] for one in (sides, corners)] == [(10, 10, 30, 40), (10, 10, 20, 30)]
    assert [(s.regions, s.metadata["unread_objects"]) for s in unclear] == [((), "ambiguous_boxes")] * 3
    judged = list(JudgeCaptions()(unclear, None))
    assert [getattr(one, "caption", "") or one.reason for one in judged] == ["ambiguous_boxes", "A hand.", "ambiguous_boxes"]


def test_objects_one_by_one_have_words_or_numbers_for_classes_and_a_box_may_say_what_it_is(tmp_path):
    def row(category: object, *boxes: object) -> list[dict[str, object]]:
        return [{"bbox": box, "category": category} for box in boxes]

    table(tmp_path / "a.parquet", [row(1, [150, 60, 30, 20])], LIST_OF_STRUCTS, width=[400], height=[200])
    table(tmp_path / "b.parquet", [row("a cat", [150, 60, 30, 20]), []], {})
    table(tmp_path / "c.parquet", [row(1, [150, 60, 30, 20])], {})
    table(tmp_path / "d.parquet", [[{"x": 1, "y": 2, "w": 3, "h": 4, "names": ["cap", "hat"]}]], {})
    table(tmp_path / "e.parquet", [row("sky", {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4})], {})
    scaled, cat, none, unnamed, cap, sky = samples(read(tmp_path))
    assert regions(scaled) == [("image", "mask", (75, 30, 90, 40))]
    assert regions(cat) == [("image", "a cat", (150, 60, 180, 80))] and none.regions == ()
    assert unnamed.regions == () and unnamed.metadata["unread_objects"] == "unnamed_objects"
    assert regions(cap) == [("image", "cap", (1, 2, 4, 6))] and regions(sky) == [("image", "sky", (1, 2, 3, 4))]


def test_an_image_that_is_turned_has_no_boxes_of_the_file_as_it_lies_and_broken_objects_cost_nothing_else(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    table(tmp_path / "a.parquet", [listed([150, 60, 30, 20])], shown=encoded(Image.new("RGB", SIZE), exif=exif))
    broken = [listed([150, 60, 1e300, 20]), listed([1, 2], [150, 60, 30, 20]), {"bbox": [None], "category": []}, None]
    table(tmp_path / "b.parquet", broken)
    outcomes = read(tmp_path)
    assert [reason for _, _, reason in drops(outcomes)] == ["another_size"]
    read_or_not = [s.metadata.get("unread_objects", len(s.regions)) for s in samples(outcomes)]
    assert read_or_not == ["bad_objects", 1, "unnamed_objects", 0]


def test_a_folder_of_images_has_objects_in_its_list_and_pictures_of_other_tasks_have_none(tmp_path):
    boxes = {"bbox": [[150, 60, 30, 20], [1, 1, 5, 5]], "categories": ["cat", "dog"], "iscrowd": [0, 1]}
    (tmp_path / "a.jpg").write_bytes(image(size=SIZE))
    (tmp_path / "b.jpg").write_bytes(image(size=SIZE))
    rows = [{"file_name": "a.jpg", "objects": boxes}, {"file_name": "b.jpg", "objects": "cats", "text": "Cats."}]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    first, second = samples(read(tmp_path))
    assert regions(first) == [("image", "cat", (150, 60, 180, 80))] and first.quality.signals == {"crowds": 1.0}
    assert (second.caption, second.metadata["unread_objects"]) == ("Cats.", "bad_objects")
    census, source = pictures(str(tmp_path))
    (scene, _) = samples([outcome for item in census.items() for outcome in source.read(item)])
    assert scene.regions == () and "bbox" in scene.metadata["objects"]
