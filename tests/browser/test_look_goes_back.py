"""What was done on a page in headless Chromium goes back: a sheet's lines as gold, a dataset's labels into the dataset."""

import pytest

from datagen.disk import marks
from datagen.disk.storage import Folder
from flywheel.people import gold, review
from flywheel.pools import questions
from recipes.look.sheets import write_sheet
from recipes.verbs.look import look
from recipes.verbs.patch import patch
from recipes.verbs.status import verify
from tests.browser.looking import By, Keys, WebDriverWait, chord, counts, find, press, saved, type_anew
from tests.inputs import patches
from tests.outputs import check_corpus, make, write_dataset
from tests.pipeline.flywheel.test_sheets import LINES, page

pytest.importorskip("selenium.webdriver", reason="selenium isn't installed")


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """The step's folder with a review and its page; and the dataset of pages."""
    place = tmp_path_factory.mktemp("out")
    write_dataset(place / "coarse", [page()])
    folder, pages = Folder(str(place / "flywheel")), Folder(str(place / "coarse"))
    assert write_sheet(folder, questions.add_sheet(folder, questions.REVIEW, 2, review.NOTE, LINES), pages) == []
    return folder, pages


@pytest.fixture
def driver(look_browser):
    yield look_browser
    assert [entry for entry in look_browser.get_log("browser") if entry["source"] != "intervention"] == []


def open_page(driver, folder, place=""):
    driver.get("about:blank")  # an address that differs behind its # alone isn't loaded again
    driver.get((folder / "index.html").as_uri() + place)
    WebDriverWait(driver, 120).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".stage > *"))


def judged(driver, number: int):
    WebDriverWait(driver, 120).until(lambda d: counts(d).startswith(f"{number} of"))


def file_of(driver, name: str) -> str:
    saved(driver, name)
    return str(driver.downloads / f"{name}.json")


def test_lines_are_corrected_saved_and_taken_in(driver, asked):
    open_page(driver, asked[0].local / "review-1")
    press(driver, Keys.ENTER)
    judged(driver, 1)
    press(driver, Keys.ARROW_DOWN)
    type_anew(driver, "самая первая")
    judged(driver, 2)
    press(driver, Keys.ARROW_RIGHT, "x")
    judged(driver, 3)
    assert str(gold.take(*asked, file_of(driver, "patch-review-1"))) == "3 new answers (1 accept, 1 edit, 1 not_a_line)"
    kept = {answer.id: (answer.text, answer.by) for answer in questions.answers(asked[0])}
    assert [kept[one.id] for one in LINES] == [(LINES[0].reading, "Eva"), ("самая первая", "Eva"), ("", "Eva")]


def test_what_was_done_on_a_page_becomes_the_dataset(driver, corpus, tmp_path):
    (corpus / "a-blank.pdf").unlink()
    out = tmp_path / "out"
    assert make(corpus, out) == 0
    folder = Folder(str(out / "coarse"))
    look(str(out))
    open_page(driver, out / "look/coarse")
    press(driver, Keys.ARROW_DOWN)
    type_anew(driver, "Сказка")
    judged(driver, 1)
    press(driver, Keys.ARROW_RIGHT, "x")
    judged(driver, 2)
    first, second = saved(driver, "patch-coarse")["samples"]
    assert "1 corrected, 1 wrong, by Eva; 1 records made" in patch(str(out), file_of(driver, "patch-coarse"))
    said = {mark.key: mark for mark in marks.of_people(folder)}
    assert {key: mark.mark for key, mark in said.items()} == {first["key"]: "corrected", second["key"]: "rejected"}
    record, _ = patches.records(folder)[said[first["key"]].of]
    assert (record["regions"][0]["text"], record["regions"][0]["by"]) == ("Сказка", "person/Eva")
    check_corpus(out)
    assert verify(str(out))[1]

    look(str(out), dataset="coarse")
    open_page(driver, out / "look/coarse", f"#key={second['key']}")
    assert find(driver, "[data-verdict=right]").text.startswith("Restore")
    press(driver, Keys.ENTER)
    judged(driver, 1)
    assert "1 restored, by Eva" in patch(str(out), file_of(driver, "patch-coarse"))
    assert [mark.mark for mark in marks.of_people(folder)] == ["corrected"]

    look(str(out), dataset="coarse", audit=2)
    open_page(driver, out / "look/coarse-audit")
    press(driver, "surely not what stands there")
    chord(driver, Keys.CONTROL, Keys.ENTER)
    judged(driver, 1)
    press(driver, Keys.ESCAPE, "s")
    judged(driver, 2)
    assert "all: 1 of 1 wrong" in patch(str(out), file_of(driver, "audit-coarse"))
