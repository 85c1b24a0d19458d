"""The gallery of Word documents' labels in headless Chromium: formulas and tables are laid out, and nothing else happens."""

from pathlib import Path

import pytest
from PIL import Image

from datagen.disk import manifest
from datagen.disk.storage import Folder
from datagen.record import Box, Origin, Quality, Region, Sample
from recipes.report import render
from recipes.report.word import word_sections
from recipes.steps.word_tally import counted
from tests.inputs.samples import encoded
from tests.outputs import write_dataset

pytest.importorskip("selenium.webdriver", reason="selenium isn't installed")

from selenium.webdriver.common.by import By

HOSTILE = "<img src=x onerror=window.owned=1></script><script>window.owned=1</script>"
TABLE = '<table><tr><td colspan="2">over two columns</td></tr><tr><td>one</td><td>two \\(\\frac{p}{q}\\)</td></tr></table>'
LABELS = {
    "f0000": r"\frac{a+b}{c}",
    "f0002": r"\text{" + HOSTILE + "}",
    "f0003": r"\nothing{x}",
    "t0000": TABLE,
    "t0001": f'<table onclick="window.owned=1"><tr><td>{HOSTILE}</td></tr></table>',
}


def sample(suffix: str, label: str) -> Sample:
    image = encoded(Image.new("RGB", (200, 60), "#eee"))
    is_formula = suffix.startswith("f")
    region = Region(Box(4, 4, 190, 50), "equation" if is_formula else "table", label, None, "word", format="latex")
    origin = Origin(f"file:///in/{HOSTILE}.docx", "ab" * 32, 0, parent="k-000000")
    task = "formula" if is_formula else "table"
    quality = Quality("trusted", signals={"formula_agreement": 0.5} if is_formula else {"structure_equal": 1.0})
    return Sample(f"k-000000-{suffix}", task, image, (200, 60), "en", "Latn", label, (region,), quality, origin, "word")


@pytest.fixture(scope="module")
def gallery(browser, tmp_path_factory):
    folder = Path(tmp_path_factory.mktemp("report"))
    samples = [sample(suffix, label) for suffix, label in LABELS.items()]
    write_dataset(folder / "word", samples, "word")
    dataset = Folder(str(folder / "word"))
    rows = {row["key"]: row for row in manifest.rows(dataset)}
    summary = counted(((one, rows[one.key]) for one in samples), [])
    page = folder / "index.html"
    page.write_bytes(render("word", [], word_sections("word", summary, dataset, 10_000_000)))
    browser.get(page.as_uri())
    yield browser
    assert browser.get_log("browser") == []
    script = "return performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:')).length"
    assert browser.execute_script(script) == 0
    assert browser.execute_script("return window.owned") is None


def boxes(browser, css: str) -> list[dict]:
    script = "return [...document.querySelectorAll(arguments[0])].map(e => e.getBoundingClientRect().toJSON())"
    return browser.execute_script(script, css)


def test_each_label_stands_beside_its_image(gallery):
    pairs = gallery.find_elements(By.CSS_SELECTOR, ".card")
    assert len(pairs) == len(LABELS)
    for pair in pairs:
        image, drawn = (pair.find_element(By.CSS_SELECTOR, css).rect for css in (".shown img", ".drawn"))
        assert image["width"] > 100 and abs(image["y"] - drawn["y"]) < 3 and image["x"] + image["width"] <= drawn["x"]
    notes = [pair.text for pair in pairs if "can’t be drawn here" in pair.text]
    assert len(notes) == 1 and "formula 4" in notes[0]


def test_hostile_labels_are_text(gallery):
    assert gallery.find_elements(By.CSS_SELECTOR, ".drawn img, .drawn script, .drawn [onclick], .drawn [onerror]") == []
    (cell,) = boxes(gallery, '.card[data-kind="formula"] mtext')
    assert cell["width"] > 100
