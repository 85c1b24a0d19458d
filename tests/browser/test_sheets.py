"""A sheet of lines in headless Chromium: corrected, or transcribed, by keyboard, saved, and taken in as gold."""

import pytest

from datagen.disk.storage import Folder
from flywheel.people import gold, review
from flywheel.pools import questions
from recipes.look.sheets import write_sheet
from tests.browser import opened
from tests.outputs import write_dataset
from tests.pipeline.flywheel.test_sheets import LINES, page

pytest.importorskip("selenium.webdriver", reason="selenium isn't installed")

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    downloads = tmp_path_factory.mktemp("downloads")
    for driver in opened.browser(tmp_path_factory.mktemp("profile"), downloads):
        driver.downloads = downloads
        yield driver


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The step's folder with a review, an audit and their pages; and the dataset of pages."""
    place = tmp_path_factory.mktemp("out")
    write_dataset(place / "coarse", [page()])
    folder, pages = Folder(str(place / "flywheel")), Folder(str(place / "coarse"))
    for kind, lines in ((questions.REVIEW, LINES), (questions.AUDIT, LINES[:2])):
        assert write_sheet(folder, questions.add_sheet(folder, kind, 2, review.NOTE, lines), pages) == []
    return folder, pages


def find(driver, css):
    return driver.find_element(By.CSS_SELECTOR, css)


def press(driver, *keys):
    for key in keys:
        ActionChains(driver).send_keys(key).perform()


def chord(driver, *keys):
    chain = ActionChains(driver)
    for key in keys[:-1]:
        chain.key_down(key)
    chain.send_keys(keys[-1])
    for key in keys[:-1]:
        chain.key_up(key)
    chain.perform()


def open_sheet(driver, folder: Folder, name: str):
    driver.get((folder.local / name / "index.html").as_uri())
    WebDriverWait(driver, 30).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".stage > *"))


def judged(driver, number: int):
    WebDriverWait(driver, 30).until(lambda d: find(d, "#counts").text.startswith(f"{number} of"))


def saved(driver, name: str) -> str:
    find(driver, "#who").send_keys("Eva", Keys.ENTER)
    chord(driver, Keys.CONTROL, "s")
    path = driver.downloads / f"{name}.json"
    WebDriverWait(driver, 30).until(lambda _: path.exists() and path.stat().st_size)
    assert [entry for entry in driver.get_log("browser") if entry["source"] != "intervention"] == []
    return str(path)


def test_lines_are_corrected_saved_and_taken_in(browser, written):
    open_sheet(browser, written[0], "review-1")
    press(browser, Keys.ENTER)
    judged(browser, 1)
    press(browser, Keys.ARROW_DOWN, "e")
    chord(browser, Keys.CONTROL, "a")
    press(browser, "самая первая", Keys.ESCAPE)
    judged(browser, 2)
    press(browser, Keys.ARROW_RIGHT, "x")
    judged(browser, 3)
    taken = gold.take(*written, saved(browser, "patch-review-1"))
    assert str(taken) == "3 new answers (1 accept, 1 edit, 1 not_a_line)"
    kept = {answer.id: (answer.text, answer.by) for answer in questions.answers(written[0])}
    assert [kept[one.id] for one in LINES] == [(LINES[0].reading, "Eva"), ("самая первая", "Eva"), ("", "Eva")]


def test_who_transcribes_is_taken_in(browser, written):
    open_sheet(browser, written[0], "audit-1")
    for number in (1, 2):
        press(browser, "вторая строка")
        chord(browser, Keys.CONTROL, Keys.ENTER)
        judged(browser, number)
    taken = gold.take(*written, saved(browser, "audit-audit-1"))
    assert taken.audits == ("audit-1",)
    answers = {answer.id: answer for answer in questions.answers(written[0])}
    assert {answers[one.id].text for one in LINES[:2]} == {"вторая строка"}
