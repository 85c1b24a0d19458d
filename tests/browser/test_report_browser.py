"""The report as a reader meets it: opened from a disk in headless Chromium."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from PIL import Image

from datagen.disk.storage import Folder
from datagen.record import Box, Line, Origin, Quality, Region, Sample
from recipes.report import render
from recipes.report.train import train_sections
from tests.inputs.samples import encoded
from tests.unit.recipes.report.test_report import sections_of, written_training

pytest.importorskip("selenium.webdriver", reason="selenium isn't installed")

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

HOSTILE = "</script><script>window.owned=1</script><img src=x onerror=window.owned=1><svg onload=window.owned=1>"
TABLE = "<table><tr><th colspan=2>Head<td onclick=x><img src=x onerror=window.owned=1>cell</table><script>window.owned=1</script>"
W, H = 600, 800


def sample(key: str, lang: str, verdict: str, text: str, direction: str = "ltr", reasons=(), label="text") -> Sample:
    image = encoded(Image.new("RGB", (W, H), "#eee"))
    box = Box(60, 80, 300, 240)
    script = {"ar": "Arab", "ja": "Jpan"}.get(lang, "Latn")
    lines = (Line(Box(60, 80, 300, 120), text, "", direction),)
    regions = (
        Region(box, label, text, None, "pymupdf", (), lines, "html" if label == "table" else "markdown"),
        Region(Box(330, 400, 540, 700), "text", "second", 0.9, "flywheel/round-1"),
    )
    origin = Origin(f"file:///in/{key}.pdf", "ab" * 32, 2, "CC0-1.0", {"pymupdf": "2.0"})
    quality = Quality(verdict, reasons, {"hidden_share": 0.25})
    return Sample(key, "page", image, (W, H), lang, script, text, regions, quality, origin, "coarse")


SAMPLES = [
    sample("a-0", "en", "trusted", "first page"),
    sample("b-0", "en", "suspect", HOSTILE, reasons=("hidden_text",), label=HOSTILE),
    sample("c-0", "ar", "trusted", "مرحبا بالعالم", "rtl"),
    sample("d-0", "ja", "none", "縦書きの文章", "ttb", reasons=("no_text",)),
    sample("e-0", "fr", "trusted", TABLE, label="table"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> str:
    return written(tmp_path_factory.mktemp("report"), SAMPLES)


@pytest.fixture
def report(browser, url):
    """The report opened by an address's fragment; what the console says is checked at the end of each test."""

    def open_at(**state):
        browser.get("about:blank")
        browser.get(f"{url}#{urlencode({'v': 'coarse', **state})}" if state else url)
        return browser

    yield open_at
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert browser.execute_script("return window.owned") is None


def written(folder, samples) -> str:
    path = folder / "index.html"
    path.write_bytes(render("corpus", [], sections_of(samples)))
    return path.as_uri()


def find(driver, css):
    return driver.find_element(By.CSS_SELECTOR, css)


def wait(driver, what):
    return WebDriverWait(driver, 10).until(what)


def shown(driver) -> str:
    current = driver.find_elements(By.CSS_SELECTOR, ".list [aria-current]")
    return current[0].get_attribute("data-key") if current else ""


def press(driver, key):
    find(driver, "body").send_keys(key)


def listed(driver) -> list[str]:
    return [a.get_attribute("data-key") for a in driver.find_elements(By.CSS_SELECTOR, ".list a")]


def test_it_opens_with_a_page_and_its_image_and_arrow_keys_turn_pages(report):
    driver = report()
    assert shown(driver) == "c-0"
    assert find(driver, ".count").text == "5 of 5 pages"
    wait(driver, lambda d: d.execute_script("return document.querySelector('.sheet img').naturalWidth") == W)
    press(driver, Keys.ARROW_RIGHT)
    wait(driver, lambda d: shown(d) == "a-0")
    press(driver, Keys.ARROW_LEFT)
    wait(driver, lambda d: shown(d) == "c-0")
    press(driver, Keys.ARROW_LEFT)
    assert shown(driver) == "c-0"
    press(driver, "?")
    wait(driver, lambda d: d.find_elements(By.CSS_SELECTOR, "dialog[open]"))
    press(driver, Keys.ESCAPE)
    wait(driver, lambda d: not d.find_elements(By.CSS_SELECTOR, "dialog[open]"))


def test_filters_narrow_and_back_undoes_them(report):
    driver = report(key="a-0")
    Select(find(driver, "[data-filter=verdict]")).select_by_value("trusted")
    wait(driver, lambda d: listed(d) == ["c-0", "a-0", "e-0"])
    assert shown(driver) == "a-0"
    Select(find(driver, "[data-filter=lang]")).select_by_value("fr")
    wait(driver, lambda d: shown(d) == "e-0")
    assert find(driver, ".count").text == "1 of 5 pages"
    driver.back()
    wait(driver, lambda d: listed(d) == ["c-0", "a-0", "e-0"])
    assert shown(driver) == "a-0"


def test_toggles_show_and_hide(report):
    def visible(d, layer) -> bool:
        style = d.execute_script("const s = getComputedStyle(arguments[0]); return [s.display, s.visibility]", find(d, layer))
        return style[0] != "none" and style[1] == "visible"

    driver = report(key="a-0")
    for key, layer, before in (("l", ".lines", False), ("o", ".order", False), ("t", ".text", False), ("i", ".sheet img", True)):
        for is_so in (before, not before):
            wait(driver, lambda d, layer=layer, is_so=is_so: visible(d, layer) == is_so)
            assert find(driver, f"[data-toggle={key}]").get_attribute("aria-pressed") == str(is_so).lower()
            press(driver, key)
        wait(driver, lambda d, layer=layer, before=before: visible(d, layer) == before)
    stroke = "return getComputedStyle(document.querySelector('.region')).stroke"
    assert driver.execute_script(stroke) != "none"
    find(driver, "[data-toggle=b]").click()
    wait(driver, lambda d: d.execute_script(stroke) == "none")


def test_what_is_unusual_stands_beside_the_page(browser, tmp_path):
    first, second = SAMPLES[0].regions
    slanted = replace(first.lines[0], score=0.625, polygon=((60.0, 90.0), (290.0, 80.0), (300.0, 110.0), (70.0, 120.0)))
    regions = (
        replace(first, text="E = mc^2", format="latex", detected_by="layouter", continues=True, lines=(slanted,)),
        replace(second, text="", is_unread=True),
    )
    origin = replace(SAMPLES[0].origin, parent="whole-7", box=Box(1, 2, 30, 40))
    more = {"group": "g-12", "difficulty": 0.25, "caption": HOSTILE, "metadata": {"url": "https://example.org/a.png"}}
    page = replace(SAMPLES[0], regions=regions, origin=origin, **more)
    browser.get(written(tmp_path, [page]) + "#v=coarse&show=li")
    by = [node.text for node in browser.find_elements(By.CSS_SELECTOR, ".reading .by")]
    assert by == ["box by layouter · pymupdf · lines 0.625 to 0.625 · latex · goes on elsewhere", "flywheel/round-1 0.9"]
    assert find(browser, "article[data-region='1'] .body").text == "not read yet"
    assert find(browser, ".lines polygon").get_attribute("points") == "60,90 290,80 300,110 70,120"
    facts = find(browser, ".about dl").text
    assert all(fact in facts for fact in ("whole-7 at 1, 2, 30, 40", "g-12", "0.250", HOSTILE, "https://example.org/a.png"))
    assert not browser.find_elements(By.CSS_SELECTOR, ".sheet .name")
    assert browser.execute_script("return window.owned") is None


def test_a_link_restores_the_state_and_an_unknown_key_is_told_of(report):
    driver = report(key="d-0", lang="ja", show="lo")
    assert (shown(driver), listed(driver)) == ("d-0", ["d-0"])
    assert Select(find(driver, "[data-filter=lang]")).first_selected_option.get_attribute("value") == "ja"
    pressed = driver.find_elements(By.CSS_SELECTOR, "[data-toggle][aria-pressed=true]")
    assert [b.get_attribute("data-toggle") for b in pressed] == ["l", "o"]
    driver.execute_script("location.hash = 'v=coarse&key=e-0'")
    wait(driver, lambda d: shown(d) == "e-0")
    driver = report(key="gone-7")
    assert "gone-7" in find(driver, ".message").text
    press(driver, Keys.ARROW_RIGHT)
    wait(driver, lambda d: shown(d) == "c-0")


def test_text_runs_in_its_own_direction(report):
    style = "const s = getComputedStyle(document.querySelector('.reading .body')); return [s.direction, s.writingMode]"
    driver = report(key="c-0")
    assert driver.execute_script(style) == ["rtl", "horizontal-tb"]
    assert find(driver, ".reading .body").get_attribute("lang") == "ar"
    driver = report(key="d-0")
    assert driver.execute_script(style) == ["ltr", "vertical-rl"]
    driver = report(key="a-0")
    assert driver.execute_script(style) == ["ltr", "horizontal-tb"]


def test_hostile_text_is_shown_and_not_run(report):
    driver = report(key="b-0", show="btoi")
    assert find(driver, ".reading .body").text == HOSTILE
    driver = report(key="e-0", show="bti")
    assert find(driver, ".reading table").text.split() == ["Head", "cell"]
    assert not driver.find_elements(By.CSS_SELECTOR, ".reading img, .reading script, .reading [onclick]")


def test_boxes_lie_on_the_image_where_they_should(report):
    driver = report(key="a-0", show="bzi")

    def rect(css):
        r = driver.execute_script("return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", css)
        return r["left"], r["top"], r["width"], r["height"]

    left, top, width, height = rect(".sheet img")
    x, y, w, h = rect(".region[data-region='0']")
    box = SAMPLES[0].regions[0].box
    assert ((x - left) / width, (y - top) / height) == pytest.approx((box.x0 / W, box.y0 / H), abs=0.005)
    assert (w / width, h / height) == pytest.approx(((box.x1 - box.x0) / W, (box.y1 - box.y0) / H), abs=0.005)
    assert width / height == pytest.approx(W / H, rel=0.01)


def test_a_region_and_its_text_light_up_together(report):
    driver = report(key="a-0")
    driver.execute_script("document.querySelector('article[data-region=\"1\"]').focus()")
    wait(driver, lambda d: "hot" in find(d, ".region[data-region='1']").get_attribute("class"))
    driver.execute_script(
        "document.querySelector('.region[data-region=\"0\"]').dispatchEvent(new MouseEvent('mouseenter', {screenX: 5}))"
    )
    wait(driver, lambda d: "hot" in find(d, "article[data-region='0']").get_attribute("class"))
    assert "hot" not in find(driver, ".region[data-region='1']").get_attribute("class")


def test_a_doubtful_page_shows_why(report):
    driver = report(key="b-0")
    assert find(driver, ".doubts header").text.split() == ["hidden_text", "hidden_share", "0.25"]
    assert "isn’t visible" in find(driver, ".doubts p").text
    assert find(driver, ".doubts .layer").text == HOSTILE


def test_blank_lines_of_a_model_are_counted_and_long_texts_scroll(browser, tmp_path):
    readings = ["one" + "\n" * 313 + "two\n\nthree", "\n".join(f"line {i}" for i in range(300)), HOSTILE]
    written_training(Folder(str(tmp_path)), readings)
    page = replace(SAMPLES[0], regions=(replace(SAMPLES[0].regions[0], text=readings[0]),))
    sections = [*train_sections("train", Folder(str(tmp_path))), *sections_of([page])]
    (tmp_path / "index.html").write_bytes(render("corpus", [], sections))
    browser.get((tmp_path / "index.html").as_uri())
    cells = browser.find_elements(By.CSS_SELECTOR, ".card .text")
    assert [cell.text for cell in cells[:2]] == ["one\n⋯ 312 blank lines\ntwo\n\nthree"] * 2  # the truth and the reading
    assert find(browser, ".reading .body").text == cells[0].text
    scrolls = "return [arguments[0].clientHeight < innerHeight / 2, arguments[0].scrollHeight > arguments[0].clientHeight]"
    assert [browser.execute_script(scrolls, cell) for cell in (cells[0], cells[2])] == [[True, False], [True, True]]
    assert "line 299" in cells[2].text
    assert cells[4].text == HOSTILE
    assert browser.execute_script("return window.owned") is None


def test_nothing_is_wider_than_a_phone(browser, url):
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    )
    try:
        browser.get("about:blank")
        browser.get(url)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
