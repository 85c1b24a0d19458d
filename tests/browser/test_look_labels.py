"""What a look page makes of labels: as they run, side by side, hostile ones, hidden ones, a thousand."""

import hashlib
import json
from dataclasses import replace

import pytest

from datagen.record import Quality
from recipes.verbs.look import look
from tests.inputs import looked_at
from tests.inputs.looked_at import decided, page, region, with_decisions

pytest.importorskip("selenium.webdriver", reason="selenium isn't installed")

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.looking import arrives, chord, counts, find, go_to, press, samples, saved, sources

ATTRIBUTES = """return [...document.querySelectorAll('article .body *')].flatMap(n => [...n.attributes].map(a => a.name))
    .filter(a => /^on|href|src|action|xlink/.test(a))"""
STRANGE = """return [...document.querySelectorAll('article .body *')]
    .filter(n => n.namespaceURI.endsWith('xhtml') && !n.matches(arguments[0])).map(n => n.outerHTML)"""
ALLOWED = "p,strong,em,code,span,small,sub,sup,br,table,tbody,tr,td,th,pre,h1,h2,div,hr,blockquote,u,s,b"
MARKS = """return [...document.querySelectorAll('article .reading-of')].map(r => [r.querySelector('small').textContent,
    [...r.querySelectorAll('mark')].map(m => m.textContent)])"""
CELLS = """return [...document.querySelectorAll('article .reading-of')]
    .map(r => [...r.querySelectorAll('.differs')].map(m => m.textContent))"""
TABLE_CELLS = """const c = document.querySelector('article[data-region="0"] table').rows[0].cells;
    return [c[0].colSpan, c[2].textContent, c[2].querySelector('sub').textContent]"""


def test_readings_stand_side_by_side_with_what_differs_marked(opens):
    driver = opens()
    go_to(driver, 4)
    press(driver, Keys.ARROW_DOWN)
    assert driver.execute_script(MARKS) == [["fine 0.10", []], ["label-a against 0.10", ["!"]], ["label-b against 0.10", ["r"]]]
    go_to(driver, 5)
    press(driver, Keys.ARROW_DOWN)
    assert driver.execute_script(CELLS) == [[], ["3"]]
    go_to(driver, 4)
    find(driver, ".decided-of summary").click()
    assert "a region that is gone" in find(driver, ".decided-of .read").text
    press(driver, Keys.ARROW_DOWN, "9")
    assert "no such reading" in find(driver, "#message").text


def test_labels_are_drawn_as_they_run(opens):
    driver = opens()
    style = "const s = getComputedStyle(document.querySelector(arguments[0])); return [s.direction, s.writingMode]"
    seen = {}
    for number, lang in ((1, "ar"), (2, "ja"), (3, "hi")):
        go_to(driver, number)
        press(driver, Keys.ARROW_DOWN)
        seen[lang] = [driver.execute_script(style, "article.chosen .drawn")]
        press(driver, "e")
        seen[lang].append(driver.execute_script(style, "article.chosen textarea"))
        assert find(driver, "article.chosen textarea").get_attribute("lang") == lang
        press(driver, Keys.ESCAPE)
    assert seen["ar"] == [["rtl", "horizontal-tb"]] * 2
    assert seen["ja"] == [["ltr", "vertical-rl"]] * 2
    assert seen["hi"] == [["ltr", "horizontal-tb"]] * 2
    go_to(driver, 6)
    assert driver.execute_script("return document.querySelector('article mfrac').textContent") == "ab"
    go_to(driver, 5)
    assert driver.execute_script("return document.querySelector('article table').rows[1].cells[1].textContent") == "2"


def test_hostile_labels_are_shown_and_nothing_of_them_runs_or_loads(opens, tmp_path):
    bad = looked_at.HOSTILE
    regions = tuple(region(n % 7, text) for n, text in enumerate(bad.values()))
    tables = (
        region(0, looked_at.HOSTILE_TABLE, "table", "html"),
        region(1, looked_at.HOSTILE_TABLE),
        region(2, bad["script"], "code"),
    )
    formulas = tuple(region(n, text, "equation", "latex") for n, text in enumerate(looked_at.HOSTILE_FORMULAS))
    inline = tuple(region(4 + n, rf"so \({text}\) holds", "list") for n, text in enumerate(looked_at.HOSTILE_FORMULAS[:3]))
    decisions = with_decisions(
        decided(0, bad["script"], ((bad["script"], None), (bad["bidi"], bad["script"]), (bad["link"], bad["stars"])))
    )
    origin = replace(page(0, ()).origin, uri=f"file:///in/{bad['script']}{bad['bidi']}.pdf", licence=bad["script"])
    quality = Quality("suspect", (bad["script"], bad["bidi"]), {bad["script"]: 1.0})
    made = [
        page(0, regions, metadata=decisions | {bad["script"]: bad["script"]}, origin=origin, quality=quality),
        page(1, tables, lang="en", caption=bad["script"]),
        replace(page(2, (*formulas, *inline)), lang=bad["script"][:30], script=bad["script"]),
        page(3, (), task="text", image=None, size=(0, 0), text=bad["script"] + bad["huge"]),
    ]
    looked_at.write_lookable(tmp_path, made)
    look(str(tmp_path))
    driver = opens(out=tmp_path)
    for number in range(4):
        go_to(driver, number)
        for _ in range(len(made[number].regions) or 1):
            press(driver, Keys.ARROW_DOWN)
        press(driver, "e", " ", Keys.ESCAPE)
        assert driver.execute_script(STRANGE, ALLOWED) == []
        assert driver.execute_script(ATTRIBUTES) == []
    go_to(driver, 0)
    drawn = driver.execute_script("return document.querySelector('article[data-region=\"0\"] .drawn').textContent")
    assert bad["script"] in drawn and "javascript:" in drawn
    assert find(driver, "body").is_displayed()
    go_to(driver, 1)
    assert driver.execute_script(TABLE_CELLS) == [100, "x2\ny", "2"]
    go_to(driver, 2)
    assert driver.execute_script("return document.querySelectorAll('article math').length") >= 1
    wrong = len(driver.find_elements(By.CSS_SELECTOR, "article .latex.wrong"))
    assert wrong >= 2  # what doesn't parse, or asks for too much
    images = driver.execute_script("return [...document.images].map(i => new URL(i.src).protocol + i.src.split('/').at(-2))")
    assert set(images) == {"file:images"}


def test_a_thousand_samples_open_with_what_the_first_one_needs(opens, tmp_path):
    shared = looked_at.picture()
    many = [page(n, tuple(region(k % 7, f"{n} {k} " + "text " * 60) for k in range(12)), image=shared) for n in range(1000)]
    looked_at.write_lookable(tmp_path, many)
    look(str(tmp_path))
    assert len(list((tmp_path / "look/agreed/data").iterdir())) == 1 + 63
    driver = opens(out=tmp_path)
    arrives(driver, "1 / 1000")
    loaded = sources(driver, "data") + sources(driver, "images")
    assert len(loaded) == 3 and loaded[1] == "data/index.js" and loaded[2].startswith("images/")  # a chunk, the index, an image
    assert len(driver.find_elements(By.CSS_SELECTOR, "#cards article")) == 12
    chunk = (tmp_path / "look/agreed" / loaded[0]).read_text()
    assert "0 0 text" in chunk and "500 0 text" not in chunk


def test_an_audit_asks_without_telling(opens, written):
    message, _ = look(str(written), audit=12, seed=3)
    assert "12 regions to audit" in message
    folder = written / "look/agreed-audit"
    records = {n: s.to_json() for n, s in enumerate(samples())}
    told = [*{r.text for s in samples() for r in s.regions if r.text}, *(hashlib.sha256(r).hexdigest() for r in records.values())]
    told += [hashlib.sha256(text.encode()).hexdigest() for text in told]
    for file in folder.rglob("*"):
        if file.suffix in (".html", ".js") and file.name not in ("katex.js", "look.js"):
            text = file.read_text()
            assert [each for each in told if each in text or json.dumps(each)[1:-1] in text] == []
    driver = opens("agreed-audit")
    assert find(driver, "#answer").get_property("value") == ""
    press(driver, "what I read")
    chord(driver, Keys.CONTROL, Keys.ENTER)
    press(driver, Keys.ESCAPE, "x")
    press(driver, Keys.ESCAPE, "s")
    assert counts(driver) == "3 of 12 judged"
    driver = opens("agreed-audit")
    assert counts(driver) == "3 of 12 judged"
    patch = saved(driver, "audit-agreed")
    answers = [(said["key"], answer) for said in patch["samples"] for answer in said["answers"]]
    assert patch["kind"] == "audit" and {said["record"] for said in patch["samples"]} == {""}
    said = sorted((answer["verdict"], answer["text"]) for _, answer in answers)
    assert said == [("nothing", ""), ("skip", ""), ("typed", "what I read")]
    boxes = {(s.key, n): list(r.box) for s in samples() for n, r in enumerate(s.regions)}
    assert all(answer["box"] == boxes[key, answer["region"]] for key, answer in answers)
