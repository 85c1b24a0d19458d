"""Headless Chromium for tests of pages."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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


def browser(profile: Path, downloads: Path | None = None) -> Iterator[Any]:
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
