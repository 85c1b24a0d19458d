"""Tests of a page out of its record: they hold on its text, and fail on a damaged one."""

import random
from dataclasses import replace

import pytest

from datagen.markdown import markdown
from datagen.record import Box, Quality, Region
from datagen.rewards.page_tests import own_markdown, page_tests, why_none
from datagen.score.facts import fact, why_not
from tests.inputs.samples import sample
from tests.published import TABLE, region, telling_page


def failing(tests, text: str) -> set[str]:
    return {test["type"] for test in tests if why_not(fact(test), text)}


def test_each_kind_is_there_and_holds_on_the_page_s_own_text():
    one = telling_page("abc-000003")
    tests = page_tests(one)
    assert {test["type"] for test in tests} == {"present", "absent", "order", "table", "math", "baseline"}
    assert not failing(tests, one.text)
    assert len({test["id"] for test in tests}) == len(tests)
    assert {(test["pdf"], test["page"]) for test in tests} == {("a.pdf", 4)}
    assert page_tests(one) == tests


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("present", lambda text: text.replace("412", "413")),
        ("present", lambda text: text.replace(" Nobody knows why it sold none in autumn.", "")),
        ("absent", lambda text: "Annual report of the company\n\n" + text),
        ("order", lambda text: "\n\n".join(reversed(text.split("\n\n")))),
        ("table", lambda text: text.replace("<td>12</td>", "<td>40</td>")),
        ("math", lambda text: text.replace("b^{2}", "b^{3}")),
        ("baseline", lambda text: ""),
    ],
)
def test_a_damaged_text_fails_tests_of_the_kind(kind, damage):
    one = telling_page("abc-000003")
    assert kind in failing(page_tests(one), damage(one.text))


def test_pages_in_doubt_have_no_tests():
    one = telling_page("abc-000003")
    assert page_tests(replace(one, quality=Quality("suspect", ("order",)))) == []
    assert page_tests(replace(one, regions=(*one.regions, replace(region("text", "", 500), is_unread=True)))) == []


def test_what_was_cut_out_or_drawn_has_tests_of_its_kind():
    chart = Region(Box(0, 0, 40, 30), "chart", TABLE, None, "charts", format="html")
    kinds = {
        ("table", TABLE, ()): "table",
        ("formula", r"a^{2} + b^{2}", ()): "math",
        ("figure", TABLE, (chart,)): "table",
        ("crop", "Nobody knows why it sold none in autumn.", ()): "present",
    }
    for (task, text, regions), kind in kinds.items():
        one = sample("abc-000006", task=task, size=(40, 30), regions=regions, text=text)
        tests = page_tests(one)
        assert {test["type"] for test in tests} == {"baseline", kind}
        assert not failing(tests, own_markdown(one))
    assert why_none(sample(task="caption", text="", regions=(), caption="A boat.")) == "task"
    (test,) = page_tests(sample("abc-000004", regions=(), text=""))  # a blank page is to stay blank
    assert not why_not(fact(test), "") and why_not(fact(test), "Invented.")


FORMS = [
    *((label, "markdown") for label in ("text", "list", "title", "code", "header", "page_number")),
    ("equation", "latex"),
    ("table", "html"),
]


def test_what_markup_a_region_holds_does_not_matter():
    """Texts of signs: whatever the regions hold, the tests that come out hold on the page's own text."""
    source = random.Random(0)
    for number in range(60):
        texts = ["".join(source.choices("ab *_$\\<>|[]#.!?\n12 é漢", k=source.randint(0, 60))) for _ in range(4)]
        forms = source.choices(FORMS, k=len(texts))
        regions = tuple(
            region(label, text, 40 * n, form) for n, (text, (label, form)) in enumerate(zip(texts, forms, strict=True))
        )
        one = sample(f"abc-{number:06}", regions=regions, text=markdown(regions))
        assert not failing(page_tests(one), markdown(one.regions))
