"""Samples of accepted lines, and what their transcriptions say of the labels."""

from collections import Counter
from dataclasses import replace

import pytest

from datagen.disk.storage import Folder
from datagen.risk import bounds
from flywheel.people import audit
from flywheel.pools import questions
from flywheel.pools.questions import Answer
from tests.unit.flywheel.people.test_review import line


def lines(lang: str, **documents: int) -> list[questions.Asked]:
    return [
        line(number, f"слово {number}", lang=lang, sha256=doc * 64, reason="", id=f"{lang}-{doc}-{number}")
        for doc, count in documents.items()
        for number in range(count)
    ]


def test_each_language_and_each_of_its_documents_gives_as_many_lines():
    chosen = audit.uniform({"ru": lines("ru", a=50, b=50), "uk": lines("uk", c=30, d=2), "bg": lines("bg", e=3)}, 33)
    assert Counter((one.lang, one.sha256[0]) for one in chosen) == {
        ("ru", "a"): 8, ("ru", "b"): 7, ("uk", "c"): 13, ("uk", "d"): 2, ("bg", "e"): 3
    }  # fmt: skip
    assert len({one.lang for one in chosen[:10]}) > 1  # whoever stops early has asked about more than one language
    assert audit.uniform({"ru": lines("ru", a=5)}, 33) == sorted(lines("ru", a=5), key=audit._drawn)


def answer(one, verdict: str = "edit", text: str | None = None) -> Answer:
    return Answer(one.id, one.image, one.reading, one.reading if text is None else text, verdict, "Eva", "audit-1")


def test_the_precision_of_a_language_with_its_interval():
    ru, uk = lines("ru", a=5), lines("uk", b=2)
    answers = [
        answer(ru[0]),
        answer(ru[1], text="  слово  1 "),
        answer(ru[2], text="слово не то"),
        answer(ru[3], "not_a_line", ""),
        answer(ru[4], "skip", ""),
        replace(answer(uk[0]), sheet="review-1"),
    ]
    found = audit.result(questions.Sheet("audit-1", "audit", 2, "", (*ru, *uk)), answers, {"ru": "no layer"})
    assert found["languages"]["ru"] == {
        "num_asked": 5, "num_judged": 4, "num_skipped": 1, "num_right": 2, "precision": 0.5, "precision_low":
        pytest.approx(bounds.interval(2, 4)[0], abs=1e-4), "precision_high": pytest.approx(bounds.interval(2, 4)[1], abs=1e-4),
        "layer": "no layer",
    }  # fmt: skip
    assert (found["languages"]["uk"]["num_judged"], found["languages"]["uk"]["precision"]) == (0, None)
    assert (found["all"]["num_asked"], found["all"]["num_judged"], found["all"]["num_right"]) == (7, 4, 2)
    assert (found["round"], found["by"]) == (2, {"Eva": 5})


def test_results_are_written_and_go_with_the_answers(tmp_path):
    folder = Folder(str(tmp_path))
    (one,) = lines("ru", a=1)
    questions.add_sheet(folder, questions.AUDIT, 2, "", [one], {"ru": "hidden layer"})
    assert audit.measure(folder) == {} and audit.results(folder) == {}
    questions.write_answers(folder, [answer(one)])
    found = audit.measure(folder)
    assert found["audit-1"]["languages"]["ru"]["layer"] == "hidden layer"
    assert audit.results(folder) == found
    questions.forget(folder, lambda key: key.startswith(one.page))
    assert audit.measure(folder) == {} and not folder.exists(questions.AUDITS)
