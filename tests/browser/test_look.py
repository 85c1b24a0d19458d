"""The look page as a person meets it: opened from a disk in headless Chromium, corrected by keys and mouse, saved as a patch."""

import hashlib
import json
import time
from dataclasses import replace

import pytest

from datagen.disk import manifest
from datagen.record import Box, Quality
from recipes.verbs.look import look
from tests.browser import opened
from tests.inputs import looked_at
from tests.inputs.looked_at import decided, page, region, with_decisions

pytest.importorskip("selenium.webdriver", reason="selenium isn't installed")

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

TABLE = "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table>"
OTHER_TABLE = TABLE.replace("2", "3")
THREE = (region(0, "first", "title"), region(1, "second line\nthird line"), region(2, "fourth"))


def samples():
    """Twenty-one pages; the first is the worst."""
    made = [page(n, THREE) for n in range(21)]
    made[1] = page(1, (region(0, "مرحبا بالعالم", direction="rtl"), *THREE[1:]), "ar")
    made[2] = page(2, (region(0, "縦書きの文章", direction="ttb"), *THREE[1:]), "ja")
    made[3] = page(3, (region(0, "नमस्ते दुनिया", direction="ltr"), *THREE[1:]), "hi")
    readings = (("fine", None), ("label-a", "first!"), ("label-b", "frist"))
    made[4] = replace(made[4], metadata=with_decisions(decided(0, "replaced", readings, "fine")))
    tables = decided(0, "drawn", (("fine", None), ("label-a", OTHER_TABLE)), "fine")
    made[5] = page(5, (region(0, TABLE, "table", "html"), *THREE[1:]), metadata=with_decisions(tables))
    made[6] = page(6, (region(0, r"\frac{a}{b}", "equation", "latex"), *THREE[1:]))
    made[7] = page(7, (replace(THREE[0], text="", is_unread=True), *THREE[1:]))
    made[20] = page(20, (), task="text", image=None, size=(0, 0), text="plain text alone", quality=Quality("trusted"))
    return made


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    downloads = tmp_path_factory.mktemp("downloads")
    for driver in opened.browser(tmp_path_factory.mktemp("profile"), downloads):
        driver.downloads = downloads
        yield driver


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """An output with a dataset, its page and its audit."""
    out = tmp_path_factory.mktemp("out")
    looked_at.write_lookable(out, samples())
    look(str(out))
    return out


@pytest.fixture
def opens(browser, written):
    """Opens a page of an output; what the console says is checked at the end of each test."""

    def open_page(name: str = "agreed", out=written, fragment: str = ""):
        browser.get("about:blank")
        browser.get((out / "look" / name / "index.html").as_uri() + fragment)
        WebDriverWait(browser, 30).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".stage > *"))
        return browser

    open_page().execute_script("localStorage.clear()")
    for file in browser.downloads.iterdir():
        file.unlink()
    yield open_page
    assert [entry for entry in browser.get_log("browser") if entry["source"] != "intervention"] == []
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map(r => r.name)")
    assert [name for name in loaded if not name.startswith("file:")] == []
    assert browser.execute_script("return window.owned") is None


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
    for key in reversed(keys[:-1]):
        chain.key_up(key)
    chain.perform()


def shown(driver) -> str:
    return driver.execute_script("return document.querySelector('.list [aria-current]')?.getAttribute('href') ?? ''").removeprefix("#key=")


def go_to(driver, number: int):
    key = f"{number:016x}-00000000-000000"
    driver.execute_script("location.hash = arguments[0]", f"key={key}")
    WebDriverWait(driver, 30).until(lambda d: shown(d) == key)


def arrives(driver, position: str):
    WebDriverWait(driver, 30).until(lambda d: find(d, ".position").text == position)


def region_rect(driver, number: int):
    script = "const r = document.querySelector(arguments[0]).getBoundingClientRect(); return [r.left, r.top, r.width, r.height]"
    return driver.execute_script(script, f".region[data-region='{number}']")


def scale(driver) -> float:
    return driver.execute_script("return document.querySelector('.sheet svg').getBoundingClientRect().width / 600")


def drag(driver, start, end):
    actions = ActionChains(driver, duration=50)
    actions.w3c_actions.pointer_action.move_to_location(*map(round, start))
    actions.w3c_actions.pointer_action.pointer_down()
    actions.w3c_actions.pointer_action.move_to_location(*(round((a + b) / 2) for a, b in zip(start, end, strict=True)))
    actions.w3c_actions.pointer_action.move_to_location(*map(round, end))
    actions.w3c_actions.pointer_action.pointer_up()
    actions.perform()


def type_anew(driver, text: str):
    press(driver, "e")
    chord(driver, Keys.CONTROL, "a")
    press(driver, text, Keys.ESCAPE)


def saved(driver, name: str = "patch-agreed") -> dict:
    who = find(driver, "#who")
    if not who.get_property("value"):
        who.send_keys("Eva", Keys.ENTER)
    path = driver.downloads / f"{name}.json"
    path.unlink(missing_ok=True)
    chord(driver, Keys.CONTROL, "s")
    WebDriverWait(driver, 30).until(lambda _: path.exists() and path.stat().st_size)
    return json.loads(path.read_text())


def counts(driver) -> str:
    return find(driver, "#counts").text


def text_of(reg: dict) -> tuple[str, int]:
    return reg["text"], reg["of"]


def test_twenty_labels_are_corrected_by_keys_and_mouse_and_saved(opens, written):
    driver = opens()
    assert shown(driver) == f"{5:016x}-00000000-000000"  # its decision is open; the others follow by difficulty
    press(driver, Keys.ARROW_RIGHT)
    WebDriverWait(driver, 30).until(lambda d: shown(d) == f"{0:016x}-00000000-000000")

    def at(number: int, target: int = 0) -> None:
        go_to(driver, number)
        press(driver, *[Keys.ARROW_DOWN] * (target + 1))

    at(0)
    type_anew(driver, "first, mended")
    for number, text in ((1, "مرحبا أيها العالم"), (2, "縦書きの文書"), (3, "नमस्ते संसार"), (6, r"\frac{a}{c}"), (7, "read now")):
        at(number)
        type_anew(driver, text)
    at(4)
    press(driver, "2")
    at(5)
    find(driver, "[data-reading='1']").click()
    at(8)
    per_pixel = scale(driver)
    left, top, width, height = region_rect(driver, 0)
    drag(driver, (left + width / 2, top + height / 2), (left + width / 2 + 20 * per_pixel, top + height / 2 + 10 * per_pixel))
    at(9)
    left, top, width, height = region_rect(driver, 0)
    drag(driver, (left + width, top + height), (left + width - 40 * per_pixel, top + height + 6 * per_pixel))
    at(10)
    Select(find(driver, "article.chosen [data-select='label']")).select_by_value("list")
    at(11)
    press(driver, "f")
    driver.switch_to.active_element.send_keys("html", Keys.ENTER)
    at(12)
    chord(driver, Keys.ALT, Keys.ARROW_DOWN)
    at(13)
    press(driver, "r")
    for number in (2, 2):  # the last one, then what was the second
        find(driver, f".region[data-region='{number}']").click()
    press(driver, "r")
    at(14, 1)
    press(driver, "v")
    at(15, 1)
    press(driver, "j")
    at(16, 1)
    press(driver, Keys.DELETE)
    at(17, 1)
    press(driver, "n")
    left, top, *_ = region_rect(driver, 0)
    drag(driver, (left + 100 * per_pixel, top + 400 * per_pixel), (left + 300 * per_pixel, top + 500 * per_pixel))
    press(driver, "quite new", Keys.ESCAPE)
    at(18, 1)
    press(driver, "u", Keys.ARROW_DOWN, "g")
    at(19)
    chord(driver, Keys.SHIFT, Keys.ARROW_RIGHT)
    chord(driver, Keys.CONTROL, Keys.ARROW_DOWN)
    press(driver, "m", "the box was too high", Keys.ENTER)
    assert counts(driver) == "20 of 21 judged, 20 corrected"
    patch = saved(driver)

    index = {row["key"]: row for row in manifest.rows(looked_at.Folder(str(written / "agreed")))}
    assert (patch["form"], patch["version"], patch["by"], patch["kind"]) == ("pagewheel patch", 1, "Eva", "correct")
    assert patch["dataset"]["name"] == "agreed" and len(patch["dataset"]["id"]) == 32
    assert {len(said) for said in patch["samples"]} == {5} and {said["verdict"] for said in patch["samples"]} == {"corrected"}
    for said in patch["samples"]:
        row = index[said["key"]]
        shard = (written / "agreed/shards" / f"{row['shard']}.tar").read_bytes()
        record = shard[row["record_offset"] : row["record_offset"] + row["record_bytes"]]
        assert said["record"] == hashlib.sha256(record).hexdigest()
    by_number = {int(said["key"][:16], 16): said["regions"] for said in patch["samples"]}
    assert sorted(by_number) == list(range(20))
    plain = {"polygon": [], "format": "markdown", "is_unread": False, "continues": False}
    first = {"box": [60, 60, 540, 140], "label": "title", "text": "first", "of": 0} | plain
    second = {"box": [60, 160, 540, 240], "label": "text", "text": "second line\nthird line", "of": 1} | plain
    third = {"box": [60, 260, 540, 340], "label": "text", "text": "fourth", "of": 2} | plain
    rest = [second, third]
    a_text, a_formula, a_table = first | {"label": "text"}, first | {"label": "equation", "format": "latex"}, first | {"label": "table", "format": "html"}
    assert by_number[0] == [first | {"text": "first, mended"}, *rest]
    assert by_number[1] == [a_text | {"text": "مرحبا أيها العالم"}, *rest]
    assert by_number[2] == [a_text | {"text": "縦書きの文書"}, *rest]
    assert by_number[3] == [a_text | {"text": "नमस्ते संसार"}, *rest]
    assert by_number[4] == [first | {"text": "first!"}, *rest]
    assert by_number[5] == [a_table | {"text": OTHER_TABLE}, *rest]
    assert by_number[6] == [a_formula | {"text": r"\frac{a}{c}"}, *rest]
    assert by_number[7] == [first | {"text": "read now"}, *rest]
    assert by_number[8][0]["box"] == pytest.approx([80, 70, 560, 150], abs=2) and by_number[8][1:] == rest
    assert by_number[9][0]["box"] == pytest.approx([60, 60, 500, 146], abs=2) and by_number[9][0]["box"][:2] == [60, 60]
    assert by_number[10] == [first | {"label": "list"}, *rest]
    assert by_number[11] == [first | {"format": "html"}, *rest]
    assert by_number[12] == [second, first, third]
    assert by_number[13] == [third, second, first]
    assert by_number[14] == [first, second | {"box": [60, 160, 540, 200], "text": "second line"}, second | {"box": [60, 200, 540, 240], "text": "third line"}, third]
    assert by_number[15] == [first, second | {"box": [60, 160, 540, 340], "text": "second line\nthird line fourth"}]
    assert by_number[16] == [first, third]
    new = by_number[17][2]
    assert new["box"] == pytest.approx([160, 460, 360, 560], abs=2)
    assert by_number[17] == [first, second, {"box": new["box"], "label": "text", "text": "quite new", "of": -1} | plain, third]
    assert by_number[18] == [first, second | {"text": "", "is_unread": True}, third | {"continues": True}]
    assert by_number[19] == [first | {"box": [64, 60, 544, 142]}, *rest]
    assert [said["note"] for said in patch["samples"] if said["note"]] == ["the box was too high"]


def test_verdicts_go_on_to_the_next_that_is_not_judged(opens):
    driver = opens()
    arrives(driver, "1 / 21")
    press(driver, Keys.ENTER)
    arrives(driver, "2 / 21")
    ActionChains(driver).send_keys("x", Keys.ARROW_RIGHT, Keys.ARROW_LEFT, "s").perform()  # faster than samples are loaded
    arrives(driver, "4 / 21")
    press(driver, Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ENTER)  # judged again: still right
    arrives(driver, "4 / 21")
    assert counts(driver) == "3 of 21 judged"
    assert [said["verdict"] for said in saved(driver)["samples"]] == ["right", "wrong", "skip"]
    assert all(said.keys() == {"key", "record", "verdict", "note"} for said in saved(driver)["samples"])


def test_a_text_alone_is_corrected(opens):
    driver = opens()
    go_to(driver, 20)
    assert not find(driver, ".stage").is_displayed()
    press(driver, Keys.ARROW_DOWN)
    type_anew(driver, "another text")
    (said,) = saved(driver)["samples"]
    assert (said["verdict"], said["text"]) == ("corrected", "another text") and "regions" not in said


def test_undo_and_redo_reach_over_samples(opens):
    driver = opens()
    go_to(driver, 12)
    press(driver, Keys.ARROW_DOWN, Keys.DELETE)
    go_to(driver, 13)
    press(driver, Keys.ARROW_DOWN)
    type_anew(driver, "typed letter by letter")
    assert counts(driver) == "2 of 21 judged, 2 corrected"
    chord(driver, Keys.CONTROL, "z")  # all that was typed is one step
    assert counts(driver) == "1 of 21 judged, 1 corrected" and find(driver, "article[data-region='0'] .body").text == "first"
    chord(driver, Keys.CONTROL, "z")
    assert counts(driver) == "0 of 21 judged" and shown(driver).startswith(f"{12:016x}")
    chord(driver, Keys.CONTROL, Keys.SHIFT, "z")
    chord(driver, Keys.CONTROL, "y")
    assert counts(driver) == "2 of 21 judged, 2 corrected" and shown(driver).startswith(f"{13:016x}")
    press(driver, "k")
    assert counts(driver) == "1 of 21 judged, 1 corrected"


def test_the_work_survives_the_tab_and_a_saved_patch_goes_on_elsewhere(opens):
    driver = opens()
    go_to(driver, 12)
    press(driver, Keys.ARROW_DOWN, Keys.DELETE)
    press(driver, "x")
    go_to(driver, 13)
    press(driver, Keys.ARROW_DOWN, "e", Keys.END, " and mo")  # in the middle of a word
    asks = "const close = new Event('beforeunload', {cancelable: true}); dispatchEvent(close); return close.defaultPrevented"
    assert driver.execute_script(asks)
    driver = opens()
    assert counts(driver) == "2 of 21 judged, 1 corrected"
    assert not driver.execute_script(asks)
    patch = saved(driver)
    assert patch["samples"][1]["regions"][0]["text"] == "first and mo"
    file = driver.downloads / "kept.json"
    file.write_text(json.dumps(patch))
    driver.execute_script("localStorage.clear()")
    driver = opens()
    assert counts(driver) == "0 of 21 judged"
    find(driver, "#load").send_keys(str(file))
    WebDriverWait(driver, 30).until(lambda d: counts(d) == "2 of 21 judged, 1 corrected")
    patch["dataset"]["id"] = "0" * 32
    file.write_text(json.dumps(patch))
    find(driver, "#load").send_keys(str(file))
    WebDriverWait(driver, 30).until(lambda d: "another dataset" in find(d, "#message").text)
