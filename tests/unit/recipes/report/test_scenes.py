"""The gallery of scenes: every block has its polygons and its number outside them, the worst come first, and text is text."""

import io
import re
from dataclasses import replace

import pytest
from PIL import Image

from datagen.record import Box, Line, Quality, Region, Sample
from recipes.report.scenes import scene_section
from tests.inputs.samples import sample
from tests.unit.recipes.report.test_report import survey_of

HOSTILE = "</svg><script>window.owned=1</script>"


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (400, 300), "gray").save(file, "JPEG")
    return file.getvalue()


def line(text: str, direction: str = "ltr", polygon=((50, 60), (150, 60), (150, 90), (50, 90))) -> Line:
    return Line(Box(50, 60, 150, 90), text, "", direction, 0.9, tuple((float(x), float(y)) for x, y in polygon))


def scene(key: str, *lines: Line, difficulty: float = -1.0, **values) -> Sample:
    regions = tuple(Region(one.box, "text", one.text, one.score, "ppocr", lines=(one,)) for one in lines)
    made = sample(key, task="scene", image=picture(), size=(400, 300), regions=regions, text="\n\n".join(r.text for r in regions))
    return replace(made, difficulty=difficulty, quality=Quality("trusted", (), {"reading_score": 0.9}), **values)


def gallery(*scenes: Sample, max_bytes: int = 10_000_000) -> str:
    by_key = {one.key: one for one in scenes}
    survey = survey_of(list(scenes))
    return str(scene_section("scene", survey, lambda row: by_key[row["key"]], 0, max_bytes).html)


@pytest.mark.parametrize(
    ("direction", "is_outside"),
    [
        ("ltr", lambda x, y: x < 50 and 60 < y < 90),
        ("rtl", lambda x, y: x > 150 and 60 < y < 90),
        ("ttb", lambda x, y: 50 < x < 150 and y < 60),
    ],
)
def test_a_number_stands_before_its_block(direction, is_outside):
    (place,) = re.findall(r'<circle cx="([\d.-]+)" cy="([\d.-]+)"', gallery(scene("a", line("sign", direction))))
    assert is_outside(*map(float, place))


def test_polygons_are_those_of_the_lines_and_unread_blocks_have_one():
    unread = Region(Box(1, 2, 31, 12), "text", "", None, "ppocr", is_unread=True)
    made = scene("a", line("one"), line("two"))
    html = gallery(replace(made, regions=(*made.regions, unread)))
    assert html.count('points="50.0,60.0 150.0,60.0 150.0,90.0 50.0,90.0"') == 2
    assert 'points="1.0,2.0 31.0,2.0 31.0,12.0 1.0,12.0"' in html and "<em>not read</em>" in html
    assert re.findall(r"<text [^>]*>(\d)</text>", html) == ["1", "2", "3"]


def test_the_worst_come_first_and_what_has_no_room_is_left_out():
    scenes = [scene(f"key-{i}", line(f"sign{i}"), difficulty=i / 10) for i in range(6)]
    assert re.findall(r"sign(\d)", gallery(*scenes)) == list("543210")
    one = len(gallery(scenes[5]))
    few = gallery(*scenes, max_bytes=3 * one)
    assert "sign5" in few and 1 <= few.count("<svg") < 6


def test_hostile_text_is_text():
    html = gallery(scene("a", line(HOSTILE), caption=HOSTILE, metadata={"url": HOSTILE}))
    assert "<script" not in html and html.count("&lt;script&gt;") == 3
