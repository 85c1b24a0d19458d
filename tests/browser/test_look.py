"""The look page as a person meets it: opened from a disk in headless Chromium, corrected by keys and mouse, saved as a patch."""

import json
import shutil

import pytest

from recipes.verbs.patch import patch as take_patch
from tests.inputs import patches

pytest.importorskip("selenium.webdriver", reason="selenium isn't installed")

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.browser.looking import (
    OTHER_TABLE,
    arrives,
    chord,
    counts,
    drag,
    find,
    go_to,
    press,
    region_rect,
    saved,
    scale,
    shown,
    type_anew,
)  # fmt: skip


def test_twenty_labels_are_corrected_by_keys_and_mouse_saved_and_taken_in(opens, written, tmp_path):
    driver = opens()
    assert shown(driver) == f"{5:016x}-00000000-000000"  # its decision is open; the others follow by difficulty
    press(driver, Keys.ARROW_RIGHT)
    WebDriverWait(driver, 120).until(lambda d: shown(d) == f"{0:016x}-00000000-000000")

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

    assert (patch["form"], patch["version"], patch["by"], patch["kind"]) == ("pagewheel patch", 1, "Eva", "correct")
    assert patch["dataset"]["name"] == "agreed" and len(patch["dataset"]["id"]) == 32
    assert {len(said) for said in patch["samples"]} == {5} and {said["verdict"] for said in patch["samples"]} == {"corrected"}
    by_number = {int(said["key"][:16], 16): said["regions"] for said in patch["samples"]}
    assert sorted(by_number) == list(range(20))
    plain = {"polygon": [], "format": "markdown", "is_unread": False, "continues": False}
    first = {"box": [60, 60, 540, 140], "label": "title", "text": "first", "of": 0} | plain
    second = {"box": [60, 160, 540, 240], "label": "text", "text": "second line\nthird line", "of": 1} | plain
    third = {"box": [60, 260, 540, 340], "label": "text", "text": "fourth", "of": 2} | plain
    rest = [second, third]
    a_text = first | {"label": "text"}
    assert by_number[0] == [first | {"text": "first, mended"}, *rest]
    assert by_number[1] == [a_text | {"text": "مرحبا أيها العالم"}, *rest]
    assert by_number[2] == [a_text | {"text": "縦書きの文書"}, *rest]
    assert by_number[3] == [a_text | {"text": "नमस्ते संसार"}, *rest]
    assert by_number[4] == [first | {"text": "first!"}, *rest]
    assert by_number[5] == [first | {"label": "table", "format": "html", "text": OTHER_TABLE}, *rest]
    assert by_number[6] == [first | {"label": "equation", "format": "latex", "text": r"\frac{a}{c}"}, *rest]
    assert by_number[7] == [first | {"text": "read now"}, *rest]
    assert by_number[8][0]["box"] == pytest.approx([80, 70, 560, 150], abs=2) and by_number[8][1:] == rest
    assert by_number[9][0]["box"] == pytest.approx([60, 60, 500, 146], abs=2) and by_number[9][0]["box"][:2] == [60, 60]
    assert by_number[10] == [first | {"label": "list"}, *rest]
    assert by_number[11] == [first | {"format": "html"}, *rest]
    assert by_number[12] == [second, first, third]
    assert by_number[13] == [third, second, first]
    assert by_number[14] == [
        first,
        second | {"box": [60, 160, 540, 200], "text": "second line"},
        second | {"box": [60, 200, 540, 240], "text": "third line"},
        third,
    ]
    assert by_number[15] == [first, second | {"box": [60, 160, 540, 340], "text": "second line\nthird line fourth"}]
    assert by_number[16] == [first, third]
    new = by_number[17][2]
    assert new["box"] == pytest.approx([160, 460, 360, 560], abs=2)
    assert by_number[17] == [first, second, {"box": new["box"], "label": "text", "text": "quite new", "of": -1} | plain, third]
    assert by_number[18] == [first, second | {"text": "", "is_unread": True}, third | {"continues": True}]
    assert by_number[19] == [first | {"box": [64, 60, 544, 142]}, *rest]
    assert [said["note"] for said in patch["samples"] if said["note"]] == ["the box was too high"]

    out = shutil.copytree(written, tmp_path / "out")
    assert "20 corrected, by Eva; 20 records made" in take_patch(str(out), patches.write(tmp_path / "patch.json", patch))


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
    WebDriverWait(driver, 120).until(lambda d: counts(d) == "2 of 21 judged, 1 corrected")
    patch["dataset"]["id"] = "0" * 32
    file.write_text(json.dumps(patch))
    find(driver, "#load").send_keys(str(file))
    WebDriverWait(driver, 120).until(lambda d: "another dataset" in find(d, "#message").text)


def test_two_tabs_keep_each_others_work(opens):
    driver = opens()
    first = driver.current_window_handle
    address = driver.current_url
    driver.switch_to.new_window("tab")
    try:
        driver.get(address.partition("#")[0])
        press(driver, "x")
        driver.switch_to.window(first)
        WebDriverWait(driver, 120).until(lambda d: counts(d) == "1 of 21 judged")
    finally:
        second = next(handle for handle in driver.window_handles if handle != first)
        driver.switch_to.window(second)
        driver.close()
        driver.switch_to.window(first)


def test_filters_and_search_find_samples_and_what_was_typed(opens):
    driver = opens()
    Select(find(driver, "[data-filter='lang']")).select_by_value("hi")
    arrives(driver, "1 / 1")
    find(driver, "#clear").click()
    Select(find(driver, "[data-filter='outcome']")).select_by_value("replaced")
    WebDriverWait(driver, 120).until(lambda d: shown(d).startswith(f"{4:016x}"))
    Select(find(driver, "[data-filter='outcome']")).select_by_value("")
    press(driver, Keys.ESCAPE)
    go_to(driver, 12)
    press(driver, Keys.ARROW_DOWN)
    type_anew(driver, "Quetzalcoatl")
    Select(find(driver, "[data-filter='work']")).select_by_value("corrected")
    arrives(driver, "1 / 1")
    find(driver, "#clear").click()
    press(driver, "/", "quetzal", Keys.ENTER)
    WebDriverWait(driver, 120).until(lambda d: find(d, ".count").text == "1 of 21")
    press(driver, "/")
    chord(driver, Keys.CONTROL, "a")
    press(driver, "दुनिया", Keys.ENTER)
    WebDriverWait(driver, 120).until(lambda d: shown(d).startswith(f"{3:016x}"))
