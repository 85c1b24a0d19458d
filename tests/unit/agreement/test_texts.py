"""The rules by which a text is kept, replaced, drawn or left open."""

import json
from dataclasses import replace

import pytest

from datagen.agreement.agree_page import DECISIONS, NO_REGION
from datagen.agreement.ink import PageInk
from datagen.record import Box, Line, Region
from tests.inputs.agreement import LINES, PITCH, agreed, agreement, box, drawn, lines, page, region

TEXT = " ".join(LINES)


def entries(sample) -> list[dict]:
    return json.loads(sample.metadata[DECISIONS])


def outcome(sample, number: int = 0) -> tuple[str, str]:
    (entry,) = (e for e in entries(sample) if e["region"] == number)
    return entry["outcome"], entry["why"]


def label(text: str = TEXT):
    return page([region(text, 0, 2)])


def reading(texts=LINES, by: str = "ppocr", **values):
    return page(lines(texts, by), stage="fine", **values)


def changed(old: str, new: str) -> list[str]:
    return [line.replace(old, new) for line in LINES]


MASTERS = changed("sisters", "masters")


@pytest.mark.parametrize(
    ("own", "one", "other", "likes", "expected"),
    [
        (TEXT, LINES, changed("1948", "1943"), None, ("kept", "another_agrees")),
        (TEXT, MASTERS, MASTERS, None, ("drawn", "ink_against_two")),
        (TEXT, changed("sisters", "sistars"), changed("sisters", "mastirx"), 0.01, ("drawn", "ink_sees_no_difference")),
        (
            TEXT.replace("1948", "1943"),
            LINES,
            LINES,
            0.01,
            ("replaced", "two_agree_against_it"),
        ),  # a number, of which ink says little
        (TEXT, changed("sisters", "sistrs"), changed("sisters", "slsters"), None, ("kept", "each_sign_is_read")),
        (f"{LINES[0]} {LINES[2]}", LINES, LINES, None, ("replaced", "two_have_more")),
        (f"{LINES[0]} and nobody had ever seen it {LINES[1]} {LINES[2]}", LINES, LINES, None, ("replaced", "two_do_not_have_it")),
    ],
)
def test_two_readers_keep_or_mend_a_text(monkeypatch, own, one, other, likes, expected):
    """`likes`: by how much the ink is more like the readings, where the test says it."""
    if likes is not None:
        monkeypatch.setattr(PageInk, "likes", lambda *_: [0.0, likes])
    made = agreed(label(own), reading(one), reading(other, "tesseract"))
    assert (outcome(made), made.text.split()) == (expected, TEXT.split())
    assert made.quality.signals["level"] == float(expected[0] != "kept")


@pytest.mark.parametrize(
    ("own", "one", "other", "likes", "why"),
    [
        (TEXT, changed("sisters", "sistars"), changed("sisters", "sistirs"), 0.2, "ink_takes_no_side"),
        (f"{LINES[1]} {LINES[2]}", changed("1948", "1943"), LINES, None, "two_against_it_differ"),
        (TEXT, LINES[:2], LINES[:2], None, "ink_that_two_do_not_read"),
    ],
)
def test_two_readers_leave_a_text_open(monkeypatch, own, one, other, likes, why):
    if likes is not None:
        monkeypatch.setattr(PageInk, "likes", lambda *_: [0.0, likes])
    assert outcome(agreed(label(own), reading(one), reading(other, "tesseract"))) == ("unread", why)


def test_readers_of_one_family_are_one_voter_and_do_not_replace():
    made = agreed(label(TEXT.replace("trade", "grade")), reading(), reading(by="PP-OCRv6"))
    assert outcome(made)[0] in ("drawn", "unread") and outcome(made)[1] != "two_agree_against_it"


def test_one_against_one_is_decided_by_the_ink():
    kept = agreed(label(), reading(changed("sisters", "masters")))
    assert outcome(kept) == ("drawn", "ink_is_like_it")
    assert kept.text == TEXT
    mended = agreed(label(TEXT.replace("sisters", "masters")), reading())
    assert outcome(mended) == ("drawn", "ink_is_like_another")
    assert mended.text == TEXT
    assert mended.quality.signals["level"] == 1.0


def test_two_that_misread_a_sign_that_looks_alike_do_not_replace_it(monkeypatch):
    typed = [*LINES[:1], LINES[1].replace("trade", "tradé"), LINES[2]]
    others = [page(lines(LINES, by), stage="fine", image=drawn(typed)) for by in ("ppocr", "tesseract")]
    monkeypatch.setattr(PageInk, "likes", lambda *_: [0.0, 0.01])
    made = agreed(page([region(" ".join(typed), 0, 2)], image=drawn(typed)), *others)
    assert outcome(made) == ("drawn", "ink_sees_no_difference")
    assert made.text == " ".join(typed)


def test_a_foot_that_boxes_cut_off_speaks_for_no_reading_that_lacks_it():
    above = Box(36, 34, 640, 58)  # the feet of p, g and y end at 63
    texts = changed("by", "bv")
    others = [
        page(tuple(replace(r, lines=(replace(r.lines[0], box=above),)) if n == 0 else r for n, r in enumerate(lines(texts, by))))
        for by in ("ppocr", "tesseract")
    ]
    made = agreed(label(), *others)
    assert (outcome(made), made.text) == (("drawn", "ink_against_two"), TEXT)


def test_a_piece_of_a_line_that_was_found_apart_stands_in_its_line():
    rest = LINES[1].removeprefix("two ")
    apart = lines((LINES[0], rest, LINES[2]), "tesseract")
    apart = [replace(r, lines=(replace(r.lines[0], box=r.box._replace(x0=90)),), box=r.box._replace(x0=90)) for r in apart]
    piece = Box(40, box(1).y0, 84, box(1).y1 - 4)
    again = Box(600, box(0).y0, 620, box(0).y1)
    ends = [Region(b, "text", t, 0.9, "tesseract", lines=(Line(b, t),)) for b, t in ((piece, "two"), (again, "by"))]
    found = agreement(label(), page([*apart, *ends])).beside.texts[0]["reader-0"]
    assert found.text.text.split() == TEXT.split()


def test_what_nobody_can_settle_is_open_and_the_page_is_hard():
    blank = drawn(())
    made = agreed(page([region(TEXT, 0, 2)], image=blank), reading(changed("trade", "grade"), image=blank))
    assert outcome(made)[0] == "unread"
    assert made.regions[0].is_unread
    assert made.regions[0].text == ""
    assert made.quality.signals["level"] == 2.0
    assert made.quality.verdict != "trusted"
    (own, other) = entries(made)[0]["readings"]
    assert (own["text"], other["vote"]) == (TEXT, "against")


def test_an_invented_region_goes_and_a_doubled_one():
    below = Region(Box(36, 300, 640, 330), "text", "Nothing of this is on the page.", None, "model-a")
    made = agreed(page([region(TEXT, 0, 2), below]), reading(), reading(by="tesseract"))
    assert [r.text for r in made.regions] == [TEXT]
    assert outcome(made, NO_REGION) == ("replaced", "two_do_not_have_it")
    twice = agreed(page([region(TEXT, 0, 2), region(TEXT, 0, 2)]), reading(), reading(by="tesseract"))
    assert [r.text for r in twice.regions] == [TEXT]


def test_a_lost_region_is_put_in_where_it_stands():
    made = agreed(page([region(LINES[0], 0), region(LINES[2], 2)]), reading(), reading(by="tesseract"))
    assert [r.text for r in made.regions] == list(LINES)
    assert made.regions[1].by == "agreed"


def test_what_one_alone_has_more_is_put_in_if_the_ink_shows_it():
    made = agreed(page([region(LINES[0], 0), region(LINES[2], 2)]), reading())
    assert [r.text for r in made.regions] == list(LINES)
    assert outcome(made, 1) == ("drawn", "ink_shows_more")
    false = ("Every morning brings another", *LINES[1:])
    made = agreed(page([region(LINES[1], 1), region(LINES[2], 2)]), reading(false))
    assert [r.text for r in made.regions] == list(LINES[1:])
    assert outcome(made, NO_REGION) == ("unread", "one_has_more")


def test_an_unread_region_is_read_where_two_say_the_same():
    empty = page([region("", 0, 2, is_unread=True)])
    assert agreed(empty, reading(), reading(by="tesseract")).regions[0].text.split() == TEXT.split()
    assert agreed(empty, reading()).regions[0].is_unread


def test_lines_that_were_changed_go_and_others_stay():
    wrong = [line.replace("1948", "1943") for line in LINES]
    own = tuple(line for r in lines(wrong, "model-a") for line in r.lines)
    made = agreed(page([region(" ".join(wrong), 0, 2, lines=own)]), reading(), reading(by="tesseract"))
    assert [line.text for line in made.regions[0].lines] == list(LINES[1:])


def test_the_order_that_two_read_is_taken():
    swapped = [lines(LINES, "model-a")[n] for n in (1, 0, 2)]
    model = page(
        lines(LINES, "model-b"), origin=page([]).origin.__class__("/in/a.pdf", "ab" * 32, 0, engines={"label model-b": "1"})
    )
    made = agreed(page(swapped), reading(), model)
    assert [r.text for r in made.regions] == list(LINES)
    assert outcome(made, NO_REGION) == ("replaced", "two_read_it_in_another_order")


@pytest.mark.parametrize("where", [Box(0, 0, 700, 420), Box(36, 28, 640, 28 + 3 * PITCH)])
def test_an_answer_without_places_is_parted_by_what_it_says(where):
    whole = Region(where, "text", TEXT.replace("1948", "1943"), None, "model-b")
    found = agreement(page(lines(LINES, "ppocr"), stage="fine"), page([whole])).beside
    assert [found.texts[n]["reader-0"].text.text.split()[:2] for n in range(3)] == [
        ["The", "printing"],
        ["two", "sisters"],
        ["a", "small"],
    ]


def test_hostile_readings_change_nothing_and_raise_nothing():
    for text in ("\u202e" * 50, "<td>" * 200, "\\[" * 100, "​", "\ud7ff", "0" * 5000):
        strange = page([Region(Box(0, 0, 700, 420), "text", text, None, "model-b")])
        made = agreed(label(), reading(), strange)
        assert made.text == TEXT
