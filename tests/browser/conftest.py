"""Browsers, and the look page in one."""

import pytest

from recipes.verbs.look import look
from tests.browser import looking, opened
from tests.inputs import looked_at


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    yield from opened.browser(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def look_browser(tmp_path_factory):
    downloads = tmp_path_factory.mktemp("downloads")
    for driver in opened.browser(tmp_path_factory.mktemp("profile"), downloads):
        driver.downloads = downloads
        yield driver


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """An output with a dataset, its page and its audit."""
    out = tmp_path_factory.mktemp("out")
    looked_at.write_lookable(out, looking.samples())
    look(str(out))
    return out


@pytest.fixture
def opens(look_browser, written):
    """Opens a page of an output; what the console says is checked at the end of each test."""

    def open_page(name: str = "agreed", out=written, fragment: str = ""):
        look_browser.get("about:blank")
        look_browser.get((out / "look" / name / "index.html").as_uri() + fragment)
        looking.WebDriverWait(look_browser, 120).until(lambda d: d.find_elements(looking.By.CSS_SELECTOR, ".stage > *"))
        return look_browser

    open_page().execute_script("localStorage.clear()")
    for file in look_browser.downloads.iterdir():
        file.unlink()
    yield open_page
    assert [entry for entry in look_browser.get_log("browser") if entry["source"] != "intervention"] == []
    assert {name.partition("/")[0] for name in looking.sources(look_browser)} <= {"agreed", "agreed-audit", "data", "images"}
    assert look_browser.execute_script("return window.owned") is None
