"""A sheet as a person meets it: opened from a disk in headless Chromium, corrected by keyboard, saved, and taken in."""

import io
import json
from dataclasses import replace

import pytest
from PIL import Image, ImageDraw

from datagen.disk.storage import Folder
from datagen.record import Box, Origin, Quality, Sample
from flywheel.people import gold, review
from flywheel.pools import questions
from flywheel.pools.questions import Asked, Sheet
from recipes.report.sheet import write_sheet
from tests.browser import opened
from tests.outputs import write_dataset

pytest.importorskip("selenium.webdriver", reason="selenium isn't installed")

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

HOSTILE = "</script><script>window.owned=1</script><img src=x onerror=window.owned=1>"
KEYS = {name: f"{number:016x}-00000000-000000" for number, name in enumerate(("ru", "ar", "mn", "am"))}
SCRIPTS = {"ru": "Cyrl", "ar": "Arab", "mn": "Mong", "am": "Ethi"}
STANDING = Box(500, 100, 530, 700)


def page(lang: str) -> Sample:
    image = Image.new("L", (800, 1000), 255)
    draw = ImageDraw.Draw(image)
    for y in range(100, 700, 100):
        draw.rectangle((60, y, 400, y + 30), fill=30)
    draw.rectangle(STANDING, fill=30)
    out = io.BytesIO()
    image.save(out, "JPEG")
    origin = Origin(f"file:///in/{lang}.pdf", "ab" * 32, 6)
    return Sample(KEYS[lang], "page", out.getvalue(), image.size, lang, SCRIPTS[lang], "", (), Quality("none"), origin, "coarse")


def line(lang: str, number: int, reading: str, box: Box | None = None) -> Asked:
    at = box or Box(60, 100 * number, 401, 100 * number + 31)
    where = (KEYS[lang], f"file:///in/{lang}.pdf", "ab" * 32, 6, at)
    return Asked(f"{KEYS[lang]}-r2-{number:04d}", *where, lang, SCRIPTS[lang], reading, 0.125, "look_alike")


LINES = (
    line("ar", 1, "مرحبا بالعالم"),
    line("mn", 1, "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ", STANDING),
    line("ru", 1, "первая строка"),
    line("ru", 2, "вторая строка"),
    line("ru", 3, HOSTILE),
    line("ru", 4, "четвёртая"),
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    downloads = tmp_path_factory.mktemp("downloads")
    for driver in opened.browser(tmp_path_factory.mktemp("profile"), downloads):
        driver.downloads = downloads
        yield driver


@pytest.fixture
def written(tmp_path):
    """The step's folder with a review, an audit and their pages; and the dataset of pages."""
    write_dataset(tmp_path / "coarse", [page(lang) for lang in KEYS])
    folder, pages = Folder(str(tmp_path / "flywheel")), Folder(str(tmp_path / "coarse"))
    heard = tuple(replace(one, id=f"{one.id}-heard", reason="") for one in (LINES[2], LINES[3]))
    for kind, lines in ((questions.REVIEW, LINES), (questions.AUDIT, heard)):
        assert write_sheet(folder, questions.add_sheet(folder, kind, 2, review.NOTE, lines), pages) == []
    return folder, pages


@pytest.fixture
def sheet(browser, written):
    """Opens a sheet; what the console says is checked at the end of each test."""

    def open_sheet(name: str = "review-1"):
        browser.get("about:blank")
        browser.get((written[0].local / f"{name}.html").as_uri())
        return browser

    open_sheet().execute_script("localStorage.clear()")
    for file in browser.downloads.iterdir():
        file.unlink()
    yield open_sheet
    # Chromium says that it doesn't ask before it closes a page on which a script pressed all keys.
    assert [entry for entry in browser.get_log("browser") if entry["source"] != "intervention"] == []
    assert (
        browser.execute_script("return performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:'))") == []
    )
    assert browser.execute_script("return window.owned") is None


def find(driver, css):
    return driver.find_element(By.CSS_SELECTOR, css)


def press(driver, *keys):
    for key in keys:
        ActionChains(driver).send_keys(key).perform()


def place(driver) -> str:
    return find(driver, ".facts-of-line b").text


def text(driver) -> str:
    return find(driver, "#text").get_property("value")


def classes(driver) -> list[str]:
    return [cell.get_attribute("class") for cell in driver.find_elements(By.CSS_SELECTOR, ".cells button")]


def saved(driver, name: str) -> str:
    find(driver, "#who").send_keys("Eva", Keys.ENTER)
    ActionChains(driver).key_down(Keys.CONTROL).send_keys("s").key_up(Keys.CONTROL).perform()
    path = driver.downloads / f"{name}.jsonl"
    WebDriverWait(driver, 30).until(lambda _: path.exists() and path.stat().st_size)  # Chromium makes it before it writes it
    return str(path)


def test_lines_are_corrected_by_keyboard_saved_and_taken_in(sheet, written):
    driver = sheet()
    assert (place(driver), text(driver)) == ("1 of 6", LINES[0].reading)
    press(driver, Keys.ENTER)  # right as it stands
    press(driver, "x")  # no line
    assert (place(driver), text(driver)) == ("3 of 6", "первая строка")
    press(driver, "e", Keys.HOME, "Самая ", Keys.ENTER)
    press(driver, Keys.ESCAPE, "s")
    press(driver, Keys.ARROW_LEFT)
    assert (place(driver), text(driver)) == ("4 of 6", "вторая строка")  # skipped, and shown again as it was read
    assert find(driver, "#counts").text == "4 of 6 judged"
    assert classes(driver) == ["accept", "not_a_line", "edit", "skip", "", ""]
    file = saved(driver, "review-1")
    taken = gold.take(*written, file)
    assert str(taken) == "4 new answers (1 accept, 1 edit, 1 not_a_line, 1 skip)"
    kept = {answer.id: answer for answer in questions.answers(written[0])}
    assert [kept[one.id].text if one.id in kept else None for one in LINES] == [
        LINES[0].reading, "", "Самая первая строка", "", None, None
    ]  # fmt: skip
    assert {answer.by for answer in kept.values()} == {"Eva"}


def test_the_work_survives_the_tab(sheet):
    driver = sheet()
    press(driver, Keys.ENTER, Keys.ARROW_RIGHT, "e", Keys.END, " и ещё")
    driver = sheet()
    assert classes(driver) == ["accept", "", "draft", "", "", ""]
    assert find(driver, "#counts").text == "1 of 6 judged"
    assert "Going on: 1 of 6" in find(driver, "#message").text
    press(driver, Keys.ARROW_RIGHT)
    assert text(driver) == "первая строка и ещё"


def test_a_saved_file_goes_on_in_another_browser(sheet):
    driver = sheet()
    press(driver, Keys.ENTER, "x", "x")
    file = saved(driver, "review-1")
    driver.execute_script("localStorage.clear()")
    driver = sheet()
    assert find(driver, "#counts").text == "0 of 6 judged"
    find(driver, "#load").send_keys(file)
    WebDriverWait(driver, 30).until(lambda d: find(d, "#counts").text == "3 of 6 judged")


def test_the_browser_asks_before_it_closes_work_that_no_file_has(sheet):
    asks = "const close = new Event('beforeunload', {cancelable: true}); dispatchEvent(close); return close.defaultPrevented"
    driver = sheet()
    assert not driver.execute_script(asks)
    press(driver, "x")
    assert driver.execute_script(asks)
    file = saved(driver, "review-1")
    assert not driver.execute_script(asks)
    driver.execute_script("localStorage.clear()")
    driver = sheet()
    find(driver, "#load").send_keys(file)
    WebDriverWait(driver, 30).until(lambda d: find(d, "#counts").text == "1 of 6 judged")
    assert not driver.execute_script(asks)


def test_an_emptied_text_and_a_missing_name_are_said(sheet):
    driver = sheet()
    press(driver, "e")
    find(driver, "#text").send_keys(Keys.CONTROL, "a")
    press(driver, Keys.DELETE, Keys.ENTER)
    assert "Type what the line says" in find(driver, "#message").text
    find(driver, "#save").click()
    assert "Write your name" in find(driver, "#message").text


def test_a_keyboard_of_another_script_and_a_word_that_is_being_composed(sheet):
    driver = sheet()
    typed = "arguments[0].dispatchEvent(new KeyboardEvent('keydown', {bubbles: true, ...arguments[1]}))"
    driver.execute_script(typed, find(driver, "#desk"), {"key": "ы", "code": "KeyS"})
    assert (place(driver), find(driver, "#counts").text) == ("2 of 6", "1 of 6 judged")
    driver.execute_script(typed, find(driver, "#text"), {"key": "Enter", "code": "Enter", "isComposing": True})
    assert place(driver) == "2 of 6"
    driver.execute_script(typed, find(driver, "#text"), {"key": "Enter", "code": "Enter"})
    assert place(driver) == "3 of 6"


def test_two_tabs_keep_each_others_work(sheet):
    driver = sheet()
    first = driver.current_window_handle
    address = driver.current_url
    driver.switch_to.new_window("tab")
    try:
        driver.get(address)
        press(driver, Keys.ENTER)
        driver.switch_to.window(first)
        WebDriverWait(driver, 30).until(lambda d: find(d, "#counts").text == "1 of 6 judged")
        press(driver, Keys.ARROW_RIGHT, "x")
    finally:
        second = next(handle for handle in driver.window_handles if handle != first)
        driver.switch_to.window(second)
        driver.close()
        driver.switch_to.window(first)
    assert classes(sheet()) == ["accept", "not_a_line", "", "", "", ""]


def test_text_runs_as_its_script_does(sheet):
    driver = sheet()
    style = "const s = getComputedStyle(document.getElementById('text')); return [s.direction, s.writingMode, s.fontFamily]"
    seen = {}
    for number, one in enumerate(LINES[:3]):
        driver.find_elements(By.CSS_SELECTOR, ".cells button")[number].click()
        seen[one.lang] = driver.execute_script(style)
        assert find(driver, "#text").get_attribute("lang") == one.lang
    assert [seen["ar"][0], seen["ru"][0]] == ["rtl", "ltr"]
    assert [seen["mn"][1], seen["ru"][1]] == ["vertical-lr", "horizontal-tb"]
    assert "Arabic" in seen["ar"][2] and "Mongolian" in seen["mn"][2]


def test_hostile_text_is_shown_and_not_run(sheet):
    driver = sheet()
    driver.find_elements(By.CSS_SELECTOR, ".cells button")[4].click()
    assert text(driver) == HOSTILE


@pytest.mark.parametrize("number", [1, 2])
def test_the_line_is_framed_on_its_page_and_cut_out(sheet, number):
    driver = sheet()
    driver.find_elements(By.CSS_SELECTOR, ".cells button")[number].click()
    WebDriverWait(driver, 30).until(lambda d: d.execute_script("return document.querySelector('.crop img').naturalWidth > 0"))
    rect = "const r = document.querySelector(arguments[0]).getBoundingClientRect(); return [r.left, r.top, r.width, r.height]"
    left, top, width, _ = driver.execute_script(rect, ".context img")
    x, y, w, h = driver.execute_script(rect, ".context i")
    data = driver.execute_script(f"return JSON.parse(document.getElementById('lines').textContent).lines[{number}]")
    scale = width / data["size"][0]
    x0, y0, x1, y1 = data["box"]
    framed = [x0 * scale - 3, y0 * scale - 3, (x1 - x0) * scale + 6, (y1 - y0) * scale + 6]
    assert [x - left, y - top, w, h] == pytest.approx(framed, abs=1)
    box = LINES[number].box
    assert (x1 - x0) / (y1 - y0) == pytest.approx((box.x1 - box.x0) / (box.y1 - box.y0), rel=0.02)
    small = driver.execute_script(rect, ".crop .inner")
    press(driver, Keys.ESCAPE, "=")
    assert driver.execute_script(rect, ".crop .inner")[2] == pytest.approx(1.5 * small[2], rel=0.01)


def test_a_language_alone(sheet):
    driver = sheet()
    Select(find(driver, "#language")).select_by_value("ru")
    assert (place(driver), find(driver, "#counts").text) == ("3 of 6", "0 of 4 judged")
    shown = [cell.is_displayed() for cell in driver.find_elements(By.CSS_SELECTOR, ".cells li")]
    assert shown == [False, False, True, True, True, True]


def test_who_transcribes_sees_no_reading(sheet, written):
    page = written[0].read("audit-1.html").decode()
    assert all(json.dumps(one.reading, ensure_ascii=False)[1:-1] not in page for one in LINES[2:4])
    driver = sheet("audit-1")
    assert text(driver) == ""
    press(driver, "первая строка", Keys.ENTER, "вторая строкo", Keys.ENTER)
    assert find(driver, "#counts").text == "2 of 2 judged"
    taken = gold.take(*written, saved(driver, "audit-1"))
    assert (str(taken), taken.audits) == ("2 new answers (2 edit)", ("audit-1",))


def test_hundreds_of_lines_cost_no_more_than_one(browser, written, tmp_path):
    many = tuple(replace(LINES[2], id=f"{LINES[2].id}-{number}") for number in range(400))
    folder = Folder(str(tmp_path / "many"))
    write_sheet(folder, Sheet("review-1", questions.REVIEW, 2, "", many), written[1])
    browser.get((tmp_path / "many/review-1.html").as_uri())
    assert len(browser.find_elements(By.CSS_SELECTOR, ".cells button")) == 400
    assert len(browser.find_elements(By.CSS_SELECTOR, "img")) == 2


def test_a_page_that_is_gone_is_left_out(written, tmp_path):
    lost = replace(LINES[2], page="f" * 16 + "-00000000-000000")
    folder = Folder(str(tmp_path / "lost"))
    assert write_sheet(folder, Sheet("review-1", questions.REVIEW, 2, "", (LINES[3], lost)), written[1]) == [lost.id]
    assert folder.exists("review-1.html")
