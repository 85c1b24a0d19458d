"""ECharts' script, and the texts of what it draws: where they are, and in which typefaces."""

import pytest

from datagen.figures.charts import echarts_engine
from datagen.figures.charts.faces import faces, needed
from datagen.samples import npm
from tests.inputs.picture_files import tar


def test_the_script_is_fetched_once(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = []

    def packed(package, folder):
        asked.append(package)
        tar(folder / "echarts.tgz", {"package/dist/echarts.min.js": b"hello"}, "w:gz")
        return folder / "echarts.tgz"

    monkeypatch.setattr(npm, "packed", packed)
    monkeypatch.setattr(echarts_engine, "_INTEGRITY", None)
    assert echarts_engine.script().read_text() == echarts_engine.script().read_text() == "hello"
    assert asked == [echarts_engine.PACKAGE]


def test_without_npm_somebody_is_told_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ValueError, match=r"echarts@.* is needed, and there is no npm here: apt-get install npm"):
        echarts_engine.script()


def test_texts_of_an_svg_are_where_they_are_drawn():
    face = faces("en").sans[0]
    style = 'style="font-size:20px;font-family:x;"'
    svg = (
        f'<text dominant-baseline="central" text-anchor="end" {style} transform="translate(100 50)" fill="#000">a &amp; b</text>'
        f'<text dominant-baseline="central" text-anchor="middle" {style} y="-10" transform="translate(100 50)">mid</text>'
        f'<text dominant-baseline="central" text-anchor="start" {style} transform="matrix(0,-1,1,0,30,200)">up</text>'
        f'<text dominant-baseline="central" text-anchor="end" {style} transform="matrix(0.866,-0.5,0.5,0.866,9,9)">tilted</text>'
    )
    one, mid, up, tilted = echarts_engine.texts(svg, face)
    assert (one.text, one.box[1:]) == ("a & b", (40, 100, 60))
    assert 100 - one.box[0] == pytest.approx(echarts_engine.measured(face, 20, "a & b"))
    assert mid.box[1::2] == (30, 50)
    assert mid.box[0] + mid.box[2] == pytest.approx(200)
    assert (up.box[0], up.box[2], up.box[3]) == (20, 40, 200)
    assert [text.is_upright for text in (one, mid, up, tilted)] == [True, True, True, False]


@pytest.mark.parametrize(("lang", "words"), [("ar", "الإنتاج حسب البلد"), ("hy", "Բնակչություն ըստ երկրների")])
def test_digits_beside_ligatures_are_drawn_in_another_typeface(lang, words):
    own = faces(lang)
    used = needed(own.sans[0], own.fallbacks, f"{words} (1998)")
    text = '<text y="30" font-family="{}" font-size="20">{} {}</text>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="40">{text}</svg>'
    families = ", ".join(face.family for face in used)
    drawn = {
        echarts_engine.png(svg.format(families, words, end), "#ffffff", used) for end in ("(1998)", "(1997)", "[1998]", "[1997]")
    }
    assert len(drawn) == 4  # boxes for all of them are one picture
