"""What tests do on a look page: keys, mouse, the patch; and the pages that they look at."""

import json
from dataclasses import replace

from datagen.record import Quality
from tests.inputs.looked_at import decided, page, region, with_decisions

try:  # without it the tests that use this are skipped
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    pass

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
    gone = decided(-1, "kept", (("label-a", "a region that is gone"),))
    made[4] = replace(made[4], metadata=with_decisions(decided(0, "replaced", readings, "fine"), gone))
    tables = decided(0, "drawn", (("fine", None), ("label-a", OTHER_TABLE)), "fine")
    made[5] = page(5, (region(0, TABLE, "table", "html"), *THREE[1:]), metadata=with_decisions(tables))
    made[6] = page(6, (region(0, r"\frac{a}{b}", "equation", "latex"), *THREE[1:]))
    made[7] = page(7, (replace(THREE[0], text="", is_unread=True), *THREE[1:]))
    made[20] = page(20, (), task="text", image=None, size=(0, 0), text="plain text alone", quality=Quality("trusted"))
    return made


def find(driver, css):
    return driver.find_element(By.CSS_SELECTOR, css)


def press(driver, *keys):
    for key in keys:
        ActionChains(driver).send_keys(key).perform()


def sources(driver, folder: str = "") -> list[str]:
    """The files that the page loaded, or those in one of its folders."""
    nodes = "document.querySelectorAll('script[src], img, link[href], image, iframe, object, embed')"
    addresses = driver.execute_script(f"return [...{nodes}].map(n => n.src || n.href || n.data)")
    names = ["/".join(address.split("/")[-2:]) for address in addresses]
    return sorted({name for name in names if name.startswith(folder)})


def chord(driver, *keys):
    chain = ActionChains(driver)
    for key in keys[:-1]:
        chain.key_down(key)
    chain.send_keys(keys[-1])
    for key in reversed(keys[:-1]):
        chain.key_up(key)
    chain.perform()


def shown(driver) -> str:
    return driver.execute_script(
        "return document.querySelector('.list [aria-current]')?.getAttribute('href') ?? ''"
    ).removeprefix("#key=")


def go_to(driver, number: int):
    key = f"{number:016x}-00000000-000000"

    def is_there(d) -> bool:  # a sample that was on its way may have come after the address was set
        d.execute_script("if (location.hash !== arguments[0]) location.hash = arguments[0]", f"#key={key}")
        return shown(d) == key

    WebDriverWait(driver, 120).until(is_there)


def arrives(driver, position: str):
    WebDriverWait(driver, 120).until(lambda d: find(d, ".position").text == position)


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
    WebDriverWait(driver, 120).until(lambda _: path.exists() and path.stat().st_size)
    return json.loads(path.read_text())


def counts(driver) -> str:
    return find(driver, "#counts").text


def text_of(reg: dict) -> tuple[str, int]:
    return reg["text"], reg["of"]
