"""Looks as they are drawn, and their stylesheets in a browser."""

import random
import re
from dataclasses import replace

import pytest

from datagen.drawing import typefaces
from datagen.markup.block import Frame
from datagen.markup.look import Look, contrast, drawn
from datagen.markup.look_css import FIT, css, page_html
from tests.inputs.udhr import UDHR

SCRIPTS = ("Latn", "Cyrl", "Arab", "Deva", "Jpan", "Hant", "Mong", "Thai", "Kore", "Hebr")
HTML = (
    "<h1>Title</h1><h2>First</h2><p>" + "All human beings are born free and equal. " * 60 + "</p><ul><li>One</li></ul>"
    "<table><caption>C</caption><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>"
    "<table><tr>" + "<td>unbreakable</td>" * 15 + "</tr></table><div class='wide'>wide</div>"
    "<pre>x = 1\n</pre><blockquote><p>quote</p></blockquote><p class='end'>The end.</p>"
)
HOSTILE = """* { position: fixed; float: left; color: red !important; font-size: 3px; line-height: 1px } } } h1 { display: block }
.wide { width: 9000px !important; height: 1px; overflow: hidden; transform: rotate(40deg); position: absolute !important }
body, .columns, #flow { display: flex; padding: 300px } p { margin-left: -500px; white-space: nowrap } td { width: 2000px }"""


def look(seed: int, script: str = "Latn") -> Look:
    lang, text = UDHR[script]
    return drawn(random.Random(seed), lang, script, "", text)


def test_a_seed_gives_one_look_and_seeds_give_many():
    looks = [look(seed) for seed in range(60)]
    assert looks == [look(seed) for seed in range(60)]
    assert len(set(map(repr, looks))) == 60
    for name in ("kind", "columns", "body", "table_rules", "quote", "number", "head", "ink", "text_align", "heading_numbers"):
        assert len({look.values()[name] for look in looks}) > 1, name
    assert all(isinstance(value, str | int | float) for value in looks[0].values().values())


@pytest.mark.parametrize("script", SCRIPTS)
def test_typefaces_draw_the_text_and_inks_can_be_read(script):
    letters = frozenset(char for char in UDHR[script][1] if char.isalpha())
    for seed in range(12):
        one = look(seed, script)
        assert not typefaces.missing(one.body, letters)
        for ground in (one.paper, one.tint):
            assert contrast(one.ink, ground) >= 4.5
            assert contrast(one.accent, ground) >= 4.5
        assert one.direction == ("rtl" if script in ("Arab", "Hebr") else "ltr")
        assert one.writing == "vertical-lr" if script == "Mong" else one.writing != "vertical-lr"
        assert one.words["drop_cap"] == 0 or script in ("Latn", "Cyrl", "Jpan", "Hant", "Kore", "Hebr")


def test_chinese_and_japanese_are_vertical_at_times():
    assert {look(seed, "Jpan").writing for seed in range(60)} == {"horizontal-tb", "vertical-rl"}


def test_a_text_that_no_typeface_draws_says_what_to_install():
    with pytest.raises(ValueError, match="apt-get install"):
        drawn(random.Random(1), "und", "Latn", "ltr", "\u0378\ua7d0 abc \ue000 \U0001df25" * 9)


@pytest.mark.parametrize("script", ["Latn", "Arab", "Jpan", "Mong"])
def test_boxes_stand_on_the_page_outside_of_the_text(script):
    for seed in range(80):
        one = look(seed, script)
        for name, box in [*one.boxes(0, notes=50).items(), *one.boxes(1, notes=50).items()]:
            text = one.text_box(notes=50)
            assert box.left >= 0 and box.top >= 0 and box.width > 0 and box.height > 0, (seed, name)
            assert box.left + box.width <= one.width and box.top + box.height <= one.height, (seed, name)
            is_above = box.top + box.height <= text.top or box.top >= text.top + text.height
            assert is_above or box.left + box.width <= text.left or box.left >= text.left + text.width, (seed, name)
            assert box.align in ("left", "right", "center", "start")
        spans = [box for name, box in one.boxes(0).items()]
        assert len(spans) < 2 or spans[0].top != spans[1].top or spans[0].width + spans[1].width <= one.text_box().width + 1


def test_page_numbers_have_the_form_of_the_look():
    one = look(1, "Deva")
    forms = {"decimal": "12", "roman": "xii", "digits": "१२", "hyphens": "- 12 -", "word": "पृष्ठ 12", "brackets": "[12]"}
    assert {form: replace(one, number_form=form).page_number(11) for form in forms} == forms
    assert replace(one, script="Arab", lang="fa", number_form="digits").page_number(11) == "۱۲"
    assert replace(one, script="Latn", lang="xx", number_form="word").page_number(11) == "12"


@pytest.fixture(scope="module")
def page():
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        except api.Error:
            pytest.skip("no Chromium")
        yield browser.new_context(java_script_enabled=False).new_page()
        browser.close()


def test_a_browser_knows_all_that_the_stylesheet_says(page):
    text = re.sub(r"/\*.*?\*/| !important", "", re.sub(r'"[^"]*"', "''", css(look(1))), flags=re.DOTALL)
    assert text.count("{") == text.count("}")
    said = sorted(set(re.findall(r"(?<=[;{])\s*([a-z-]+):\s+([^;{}]+?)(?=\s*[;}])", text)))
    assert len(said) > 150
    unknown = page.evaluate("(said) => said.filter(([name, value]) => !CSS.supports(name, value))", said)
    assert {name for name, _ in unknown} <= {"system", "prefix", "suffix"}, unknown  # of the counter style


def test_words_of_looks_have_styles():
    styles = css(look(1))
    named = set(re.findall(r"\[data-([a-z-]+)", styles))
    assert named <= {name.replace("_", "-") for name in look(1).values()}
    for script in SCRIPTS[:2]:
        for one in (look(seed, script) for seed in range(100)):
            for name in ("bullet", "quote", "heading_style", "definitions", "code_style"):
                word = one.words[name]
                assert word == "plain" or f'[data-{name.replace("_", "-")}="{word}"]' in styles, (name, word)


@pytest.mark.parametrize("script", ["Latn", "Jpan", "Mong", "Arab"])
@pytest.mark.parametrize("document_css", ["", HOSTILE])
def test_pages_hold_a_document_whatever_its_css_says(page, script, document_css):
    for seed in range(4):
        one = look(seed, script)
        page.set_content(page_html(one, HTML, document_css))
        assert page.evaluate(FIT) == 0
        parts = page.evaluate(
            """() => [...document.querySelectorAll("#flow > .columns *")].flatMap((e) => [...e.getClientRects()]
            .filter((r) => r.width && r.height).map((r) => [e.tagName, r.left, r.top, r.right, r.bottom]))"""
        )
        box, slack = one.text_box(), one.size * one.words["line_height"]
        for name, left, top, right, bottom in parts:
            number = int((top if one.is_vertical else left) // (one.height if one.is_vertical else one.width))
            x, y = Frame(one.width, one.height, one.writing).origin(number)
            assert left >= x + box.left - slack and right <= x + box.left + box.width + slack, (seed, name)
            assert top >= y + box.top - slack and bottom <= y + box.top + box.height + slack, (seed, name)
        colour, size = page.evaluate("(s => [s.color, s.fontSize])(getComputedStyle(document.querySelector('.end')))")
        assert colour != "rgb(255, 0, 0)" or one.colours == "kept"
        assert float(size[:-2]) == pytest.approx(one.size, abs=0.01)
