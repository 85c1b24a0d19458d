"""Tasks for Label Studio, and what comes back from there, in files as it writes them.

The forms are those of its documentation: docs/source/includes/task_format.md, result_format.md and image_units.md,
docs/source/templates/optical_character_recognition.md and image_bbox.md of github.com/HumanSignal/label-studio.
"""

import copy
import hashlib
import json
import xml.etree.ElementTree as xml
from dataclasses import replace

import pytest

from datagen.publishing import label_studio as form
from datagen.publishing import label_studio_answers as exported
from datagen.record import LABELS, Box, Region, Sample
from tests.inputs.samples import sample

SIZE = (600, 403)  # that of the documentation's picture, whose sides no percentage divides evenly


def page() -> Sample:
    regions = (
        Region(Box(32, 21, 227, 60), "title", "Über 東京", 0.9, "ppocr"),
        Region(Box(32, 95, 227, 276), "text", "first line\nsecond <b>line</b> 👩‍👩‍👧", 0.9, "ppocr", continues=True),
        Region(Box(300, 95, 520, 200), "table", "<table><tr><td>1</td></tr></table>", 0.9, "ppocr", format="html"),
        Region(
            Box(310, 210, 420, 300), "text", "جانبي", 0.9, "ppocr", polygon=((310.5, 215.0), (415.0, 210.25), (419.75, 299.5))
        ),
        Region(Box(10, 380, 40, 400), "text", "", -1.0, "ppocr", is_unread=True),
    )
    return sample("page-000000", size=SIZE, regions=regions, text="whatever")


def exported_task(made: Sample, **annotation) -> dict:
    """A task as Label Studio exports it, once somebody has submitted its prediction as it is."""
    results = copy.deepcopy(list(form.results(made)))
    for result in results:
        result["origin"] = "prediction"
    data = {"image": "/data/local-files/?d=i/page-000000.jpg", "key": made.key, "dataset": "d" * 32, "record": record_of(made)}
    answer = {
        "id": 1001,
        "completed_by": {"id": 10, "email": "ana@example.org", "first_name": "Ana", "last_name": "Пе"},
        "result": results,
        "was_cancelled": False,
    }
    return {"id": 1, "annotations": [answer | annotation], "drafts": [], "predictions": [7], "data": data, "meta": {}}


def record_of(made: Sample) -> str:
    return hashlib.sha256(made.to_json()).hexdigest()


def answered(made: Sample, *tasks: dict, by: str = "") -> dict:
    """The first answer of an export, as a patch has it."""
    _, (task, *_), _ = exported.tasks(json.dumps(tasks, ensure_ascii=False).encode(), by)
    return exported.patched(task, made, made.to_json())


def regions_of(patch: dict) -> list[tuple]:
    return [(r["of"], r["label"], r["text"]) for r in patch["regions"]]


def test_the_configuration_names_every_label_and_every_tag():
    tree = xml.fromstring(form.configuration())
    assert [label.get("value") for label in tree.find("RectangleLabels")] == list(LABELS)
    assert [label.get("value") for label in tree.find("PolygonLabels")] == list(LABELS)
    names = {tag.get("name") for tag in tree.iter() if tag.get("toName")}
    used = {result["from_name"] for made in (page(), replace(page(), regions=())) for result in form.results(made)}
    assert used == {"box", "polygon", "text", "whole"} and used <= names
    assert {tag.get("toName") for tag in tree.iter() if tag.get("toName")} == {"image"}


def test_places_are_in_percent_and_results_of_a_region_share_an_id():
    made = list(form.results(page()))
    box, text = made[:2]
    value = box["value"]
    assert value["rectanglelabels"] == ["title"] and text["value"]["text"] == ["Über 東京"] and box["id"] == text["id"]
    assert [value["x"] * 6, value["y"] * 4.03, value["width"] * 6, value["height"] * 4.03] == pytest.approx([32, 21, 195, 39])
    assert (box["original_width"], box["original_height"], box["type"], text["type"]) == (*SIZE, "rectanglelabels", "textarea")
    polygon = next(result for result in made if result["type"] == "polygonlabels")
    assert polygon["value"]["points"][0] == pytest.approx([310.5 / 6, 215 / 4.03])
    assert len({result["id"] for result in made}) == 5 and len(made) == 9  # the unread one has no text


def test_a_box_that_is_moved_a_text_that_is_edited_a_region_that_is_deleted():
    task = exported_task(page())
    results = task["annotations"][0]["result"]
    results[0]["value"] |= {"x": 5.33, "y": 23.57, "width": 29.16, "height": 31.26}  # image_units.md's own
    results[0]["origin"] = "prediction-changed"
    text = next(r for r in results if r["id"].endswith("_1") and r["type"] == "textarea")
    text["value"]["text"] = ["first line, corrected"]
    task["annotations"][0]["result"] = [r for r in results if not r["id"].endswith("_2")]
    patch = answered(page(), task)
    assert patch["verdict"] == "corrected" and "text" not in patch
    assert [r["of"] for r in patch["regions"]] == [0, 1, 3, 4]
    moved, edited, turned, unread = patch["regions"]
    assert moved["box"] == [32, 95, 207, 221] and moved["polygon"] == [] and moved["text"] == "Über 東京"
    assert edited["text"] == "first line, corrected" and edited["continues"] and edited["box"] == [32, 95, 227, 276]
    assert turned["polygon"] == [[310.5, 215.0], [415.0, 210.25], [419.75, 299.5]] and turned["box"] == [310, 210, 420, 300]
    assert unread["is_unread"] and unread["text"] == ""


def test_regions_that_are_drawn_anew_stand_where_they_are_read_or_where_an_arrow_says():
    task = exported_task(page())
    results = task["annotations"][0]["result"]
    frame = {"original_width": 600, "original_height": 403, "image_rotation": 0, "to_name": "image", "origin": "manual"}
    place = {"x": 5.5, "y": 16.5, "width": 30, "height": 4.5, "rotation": 0}  # between the title and the text
    drawn = frame | {"id": "Dx_aB91ISN"}
    labelled = place | {"rectanglelabels": ["sub_title"]}
    results.append(drawn | {"from_name": "box", "type": "rectanglelabels", "value": labelled})
    results.append(drawn | {"from_name": "text", "type": "textarea", "value": place | {"text": ["New", "lines"]}})
    low = {"x": 70, "y": 80, "width": 10, "height": 10, "rotation": 0, "rectanglelabels": ["table"]}
    results.append(frame | {"id": "low", "from_name": "box", "type": "rectanglelabels", "value": low})
    patch = answered(page(), task)
    assert regions_of(patch)[:3] == [
        (0, "title", "Über 東京"),
        (-1, "sub_title", "New\nlines"),
        (1, "text", page().regions[1].text),
    ]
    assert regions_of(patch)[-1] == (-1, "table", "") and patch["regions"][-1]["is_unread"]
    assert patch["regions"][-1]["format"] == "html"
    results.append(
        {"type": "relation", "from_id": "page-000000_3", "to_id": "page-000000_0", "direction": "right", "labels": ["next"]}
    )
    assert [r["of"] for r in answered(page(), task)["regions"]] == [-1, 1, 2, 3, 0, 4, -1]
    results[-1] |= {"direction": "left", "from_id": "page-000000_0", "to_id": "page-000000_3"}
    assert [r["of"] for r in answered(page(), task)["regions"]] == [-1, 1, 2, 3, 0, 4, -1]


def test_a_turned_rectangle_becomes_a_polygon_within_its_box():
    task = exported_task(page())
    value = task["annotations"][0]["result"][0]["value"]
    value |= {"x": 50, "y": 60, "width": 10, "height": 20, "rotation": 45}  # image_bbox.md's own: around the top left corner
    region = answered(page(), task)["regions"][0]
    x, y, w, h, half = 300, 241.8, 60, 80.6, 0.5**0.5
    corners = [(x, y), (x + w * half, y + w * half), (x + (w - h) * half, y + (w + h) * half), (x - h * half, y + h * half)]
    assert [c for point in region["polygon"] for c in point] == pytest.approx([c for point in corners for c in point], abs=0.01)
    assert region["box"] == [243, 242, 342, 341]
    value |= {"x": 100, "y": 50, "width": 10, "height": 10, "rotation": 90}  # hangs from the right edge, inside
    assert answered(page(), task)["regions"][0]["box"] == [560, 202, 600, 262]
    value |= {"x": 99, "y": 50, "width": 10, "height": 10, "rotation": 1}  # dragged over the edge
    region = answered(page(), task)["regions"][0]
    assert region["polygon"][1][0] == 600 and region["box"][2] == 600


def test_rectangles_and_labels_of_their_template_for_ocr():
    """A project with their template has the place, the label and the text as three results."""
    task = exported_task(page())
    place = {"x": 5, "y": 5, "width": 30, "height": 8, "rotation": 0}
    frame = {"original_width": 600, "original_height": 403, "image_rotation": 0, "to_name": "image", "id": "one"}
    task["annotations"][0]["result"] = [
        frame | {"from_name": "bbox", "type": "rectangle", "value": place},
        frame | {"from_name": "label", "type": "labels", "value": place | {"labels": ["title"]}},
        frame | {"from_name": "transcription", "type": "textarea", "value": place | {"text": ["Typed"]}},
    ]
    assert regions_of(answered(page(), task)) == [(-1, "title", "Typed")]


def test_skipped_wrong_and_without_regions():
    assert answered(page(), exported_task(page(), was_cancelled=True, result=[]))["verdict"] == "skip"
    task = exported_task(page())
    task["annotations"][0]["result"].append(
        {"from_name": "verdict", "type": "choices", "value": {"choices": ["wrong"]}, "id": "v"}
    )
    assert answered(page(), task)["verdict"] == "wrong" and "regions" not in answered(page(), task)
    picture = sample("page-000000", task="caption", size=SIZE, regions=(), text="", caption="Two men in\na boat")
    assert answered(picture, exported_task(picture))["verdict"] == "right"
    task = exported_task(picture)
    task["annotations"][0]["result"][0]["value"]["text"] = ["Three men in a boat"]
    assert (answered(picture, task)["verdict"], answered(picture, task)["caption"]) == ("corrected", "Three men in a boat")
    picture = replace(picture, regions=(Region(Box(1, 1, 9, 9), "image", "boat", None, "coco"),))
    task = exported_task(picture)
    assert answered(picture, task)["verdict"] == "right"
    task["annotations"][0]["result"][0]["value"]["text"] = ["Three men in a boat"]
    assert answered(picture, task)["caption"] == "Three men in a boat" and "regions" not in answered(picture, task)
    scene = sample("page-000000", task="scene", size=SIZE, regions=(), text="EXIT")
    task = exported_task(scene)
    task["annotations"][0]["result"][0]["value"]["text"] = ["EXIT\nonly"]
    assert answered(scene, task)["text"] == "EXIT\nonly"
    task["annotations"][0]["result"].append(
        {"id": "new", "type": "rectangle", "value": {"x": 1, "y": 1, "width": 9, "height": 9}}
    )
    with pytest.raises(ValueError, match="it has regions, of which its text is made"):
        answered(scene, task)


def test_several_people():
    first, second = exported_task(page()), exported_task(page())
    second["annotations"][0] |= {"completed_by": 12, "was_cancelled": True}
    with pytest.raises(ValueError, match=r"several people answered, Ana Пе \(1\), user 12 \(1\): take one at a time with by="):
        answered(page(), first, second)
    assert answered(page(), first, second, by="user 12")["verdict"] == "skip"
    assert answered(page(), first, second, by="Ana Пе")["verdict"] == "right"
    with pytest.raises(ValueError, match="nobody of that name"):
        answered(page(), first, by="ben")
    with pytest.raises(ValueError, match="more than once"):
        answered(page(), first, exported_task(page()))
    assert exported.person({"completed_by": {"id": 3, "email": "ben@example.org", "first_name": "", "last_name": ""}}) == "ben"


def broken(**changes) -> list[dict]:
    task = exported_task(page())
    task["annotations"][0]["result"][0] |= changes
    return [task]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfe", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (json.dumps([exported_task(page()) | {"annotations": []}]).encode(), "nobody has submitted"),
        (json.dumps([exported_task(page()) | {"data": {"image": "a.jpg"}}]).encode(), "isn't one of those that pagewheel wrote"),
        (broken(image_rotation=90), "turned by 90 degrees"),
        (broken(type="brushlabels"), "of the type brushlabels"),
        (broken(value={"x": 1, "y": 1, "width": 5, "height": 5, "rectanglelabels": ["Airplane"]}), "'Airplane' is none of"),
        (broken(value={"x": 1, "y": 1, "width": 0.01, "height": 5, "rectanglelabels": ["text"]}), "narrower than a pixel"),
        (broken(value={"x": "1e999", "y": 1, "width": 5, "height": 5}), "can't be read"),
    ],
)
def test_what_cannot_be_told_is_refused_in_a_sentence(content, why):
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    with pytest.raises(ValueError, match=why) as refused:
        _, (task, *_), _ = exported.tasks(data)
        exported.patched(task, page(), page().to_json())
    assert "\n" not in str(refused.value)
