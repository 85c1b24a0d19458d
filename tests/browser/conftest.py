"""Browsers, and the look page in one."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recipes.verbs.look import look
from tests.browser import looking
from tests.inputs import looked_at

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1400,900 "
    # A tab that isn't in front is not slowed down: tests open two, and a busy machine may take its only window for hidden.
    "--disable-background-timer-throttling --disable-backgrounding-occluded-windows --disable-renderer-backgrounding "
    # Chromium 156 gives a file's page an empty localStorage of its own in one load of five; all pages share one with this flag.
    "--allow-file-access-from-files"
).split()


def _driver(profile: Path, downloads: Path | None = None) -> Iterator[Any]:
    """A driver, with what its console says. It saves files in `downloads`. Skips the test where there is no Chromium."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium isn't installed")
    if not CHROMIUM or not CHROMEDRIVER:
        pytest.skip("needs chromium and chromedriver on PATH (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if downloads:
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    # A path of its own keeps selenium from looking for, and downloading, another driver.
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=CHROMEDRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    yield from _driver(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def look_browser(tmp_path_factory):
    downloads = tmp_path_factory.mktemp("downloads")
    for driver in _driver(tmp_path_factory.mktemp("profile"), downloads):
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
