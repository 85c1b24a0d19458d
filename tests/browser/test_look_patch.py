"""From a page in headless Chromium into the dataset: a label corrected, one called wrong, and an audit."""

import json

import pytest

from datagen.disk import marks
from datagen.disk.storage import Folder
from recipes.verbs.look import look
from recipes.verbs.patch import patch
from recipes.verbs.status import verify
from tests.browser import opened
from tests.browser.test_sheets import chord, find, judged, press
from tests.inputs import patches
from tests.outputs import check_corpus, make

pytest.importorskip("selenium.webdriver", reason="selenium isn't installed")

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait


@pytest.fixture
def browser(tmp_path):
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    for driver in opened.browser(tmp_path / "profile", downloads):
        driver.downloads = downloads
        yield driver


def open_page(driver, out, name: str):
    driver.get((out / "look" / name / "index.html").as_uri())
    WebDriverWait(driver, 30).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".stage > *"))


def saved(driver, name: str) -> str:
    find(driver, "#who").send_keys("Eva", Keys.ENTER)
    chord(driver, Keys.CONTROL, "s")
    path = driver.downloads / f"{name}.json"
    WebDriverWait(driver, 30).until(lambda _: path.exists() and path.stat().st_size)
    assert [entry for entry in driver.get_log("browser") if entry["source"] != "intervention"] == []
    return str(path)


def test_what_was_done_on_a_page_becomes_the_dataset(browser, corpus, tmp_path):
    (corpus / "a-blank.pdf").unlink()
    out = tmp_path / "out"
    assert make(corpus, out) == 0
    folder = Folder(str(out / "coarse"))
    look(str(out))
    open_page(browser, out, "coarse")
    press(browser, Keys.ARROW_DOWN, "e")
    chord(browser, Keys.CONTROL, "a")
    press(browser, "Сказка", Keys.ESCAPE)
    judged(browser, 1)
    press(browser, Keys.ARROW_RIGHT, "x")
    judged(browser, 2)
    file = saved(browser, "patch-coarse")
    first, second = json.loads((browser.downloads / "patch-coarse.json").read_text())["samples"]
    assert "1 corrected, 1 wrong, by Eva; 1 records made" in patch(str(out), file)
    said = {mark.key: mark for mark in marks.of_people(folder)}
    assert {key: mark.mark for key, mark in said.items()} == {first["key"]: "corrected", second["key"]: "rejected"}
    record, _ = patches.records(folder)[said[first["key"]].of]
    assert (record["regions"][0]["text"], record["regions"][0]["by"]) == ("Сказка", "person/Eva")
    check_corpus(out)
    assert verify(str(out))[1]

    look(str(out), dataset="coarse", audit=2)
    open_page(browser, out, "coarse-audit")
    press(browser, "surely not what stands there")
    chord(browser, Keys.CONTROL, Keys.ENTER)
    judged(browser, 1)
    press(browser, Keys.ESCAPE, "s")
    judged(browser, 2)
    assert "all: 1 of 1 wrong" in patch(str(out), saved(browser, "audit-coarse"))
