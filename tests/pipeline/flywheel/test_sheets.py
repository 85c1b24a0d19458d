"""Sheets of lines as look pages: what they show, what they hide, and what is left out."""

import json
from dataclasses import replace

import pytest
from PIL import Image, ImageDraw

from datagen.disk.storage import Folder
from datagen.record import Box, Origin, Quality, Sample
from flywheel.people import review
from flywheel.pools import questions
from flywheel.pools.questions import Asked, Sheet
from recipes.look.sheets import write_sheet
from tests.inputs.samples import encoded
from tests.outputs import write_dataset

KEY = "0123456789abcdef-00000000-000000"
STANDING = Box(500, 100, 530, 700)


def page() -> Sample:
    image = Image.new("L", (800, 1000), 255)
    draw = ImageDraw.Draw(image)
    for box in (*((60, y, 400, y + 30) for y in range(100, 700, 100)), STANDING):
        draw.rectangle(box, fill=30)
    origin = Origin("file:///in/ru.pdf", "ab" * 32, 6)
    return Sample(KEY, "page", encoded(image, "JPEG"), image.size, "ru", "Cyrl", "", (), Quality("none"), origin, "coarse")


def line(number: int, reading: str, box: Box | None = None, lang: str = "ru", script: str = "Cyrl") -> Asked:
    at = box or Box(60, 100 * number, 401, 100 * number + 31)
    place = (KEY, "file:///in/ru.pdf", "ab" * 32, 6, at)
    return Asked(f"{KEY}-r2-{number:04d}", *place, lang, script, reading, 0.125, "look_alike")


LINES = (line(2, "вторая строка"), line(1, "первая строка"), line(3, "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ", STANDING, "mn", "Mong"))


@pytest.fixture
def pages(tmp_path):
    write_dataset(tmp_path / "coarse", [page()])
    return Folder(str(tmp_path / "coarse"))


def data(folder: Folder, name: str) -> dict:
    text = folder.read(f"{name}/data/index.js").decode()
    return json.loads(text[text.index("{") : text.rindex("}") + 1])


def test_a_review_asks_in_its_order_and_shows_the_line_in_its_surroundings(tmp_path, pages):
    folder = Folder(str(tmp_path / "flywheel"))
    sheet = questions.add_sheet(folder, questions.REVIEW, 2, review.NOTE, LINES)
    assert write_sheet(folder, sheet, pages) == []
    index = data(folder, "review-1")
    assert index["dataset"] == {"name": "review-1", "id": sheet.id} and index["kind"] == "correct"
    assert [entry["key"] for entry in index["entries"]] == [one.id for one in LINES]
    samples = {}
    for name in folder.sub("review-1/data").names(".js"):
        text = folder.read(f"review-1/data/{name}").decode()
        if name != "index.js":
            samples |= {sample["key"]: sample for sample in json.loads(text[text.index(",") + 1 : text.rindex(")")])}
    shown = samples[LINES[1].id]
    (region,) = shown["regions"]
    assert (region["text"], region["by"], region["box"]) == ("первая строка", "flywheel/round-2", [60, 68, 401, 99])
    with Image.open(folder.local / "review-1" / shown["image"]) as picture:
        assert list(picture.size) == shown["size"] and max(picture.convert("L").crop(region["box"]).getextrema()) < 60
    assert samples[LINES[2].id]["regions"][0]["dir"] == "ttb"


def test_an_audit_has_no_reading_in_any_file(tmp_path, pages):
    folder = Folder(str(tmp_path / "flywheel"))
    sheet = questions.add_sheet(folder, questions.AUDIT, 2, "", [replace(one, reason="") for one in LINES])
    assert write_sheet(folder, sheet, pages) == []
    files = [path for path in (tmp_path / "flywheel/audit-1").rglob("*") if path.is_file()]
    assert len([path for path in files if path.suffix == ".jpg"]) == 3
    assert not [path for path in files for one in LINES if one.reading.encode() in path.read_bytes()]
    index = data(folder, "audit-1")
    assert sorted((entry["key"], entry["region"]) for entry in index["entries"]) == sorted((one.id, 0) for one in LINES)


def test_a_page_that_is_gone_is_left_out(tmp_path, pages):
    lost = replace(LINES[1], page="f" * 16 + "-00000000-000000", id="f" * 16 + "-r2-0001")
    folder = Folder(str(tmp_path / "lost"))
    assert write_sheet(folder, Sheet("review-1", questions.REVIEW, 2, "", (LINES[0], lost)).named(), pages) == [lost.id]
    assert [entry["key"] for entry in data(folder, "review-1")["entries"]] == [LINES[0].id]
