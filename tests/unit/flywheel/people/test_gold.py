"""Files that sheets saved: what is taken in, what is counted, and what is refused in one sentence."""

import json
from dataclasses import replace

import pytest
from PIL import Image

from datagen.disk import marks
from datagen.disk.storage import Folder
from datagen.record import Box, Origin, Quality, Sample
from flywheel.people import gold
from flywheel.pools import questions
from flywheel.pools.pools import Pools
from tests.inputs.samples import encoded
from tests.outputs import write_dataset
from tests.unit.flywheel.people.test_review import PAGE, line

LINES = [line(1), line(2, "вторая"), line(3, "третья")]
HEARD = line(4, "четвёртая", reason="")


def page(key: str = PAGE) -> Sample:
    jpeg = encoded(Image.new("L", (400, 300), 255), "JPEG")
    origin = Origin("file:///a.pdf", "a" * 64, 3)
    return Sample(key, "page", jpeg, (400, 300), "ru", "Cyrl", "", (), Quality("trusted"), origin, "coarse")


@pytest.fixture
def folders(tmp_path):
    """The step's folder, with a sheet of each kind, and a dataset with their page."""
    write_dataset(tmp_path / "coarse", [page()])
    folder = Folder(str(tmp_path / "flywheel"))
    questions.add_sheet(folder, questions.REVIEW, 2, "why", LINES)
    questions.add_sheet(folder, questions.AUDIT, 2, "why", [HEARD])
    return folder, Folder(str(tmp_path / "coarse"))


def corrected(of, text: str = "слово", **fields: object) -> dict:
    regions = [{"box": [1, 2, 3, 4], "label": "text", "text": text, "of": 0}]
    return {"key": of.id, "record": "0" * 64, "verdict": "corrected", "regions": regions} | fields


def judged(of, verdict: str) -> dict:
    return {"key": of.id, "record": "0" * 64, "verdict": verdict}


def heard(verdict: str = "typed", text: str = "", region: int = 0) -> dict:
    return {"key": HEARD.id, "record": "", "answers": [{"region": region, "box": [1, 2, 3, 4], "verdict": verdict, "text": text}]}


def saved(tmp_path, folder: Folder, *samples: dict, sheet: str = "review-1", **fields: object) -> str:
    (asked,) = [one for one in questions.sheets(folder) if one.name == sheet]
    kind = "audit" if asked.kind == questions.AUDIT else "correct"
    patch = {"form": "pagewheel patch", "version": 1, "dataset": {"name": sheet, "id": asked.id}, "by": "Eva", "kind": kind}
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(patch | {"samples": samples} | fields, ensure_ascii=False))
    return str(path)


def test_what_a_sheet_saved_is_taken_in_and_stays(folders, tmp_path):
    folder, pages = folders
    file = saved(tmp_path, folder, corrected(LINES[0]), judged(LINES[1], "right"), judged(LINES[2], "wrong"))
    assert str(gold.take(folder, pages, file)) == "3 new answers (1 accept, 1 edit, 1 not_a_line)"
    assert [(a.id, a.text, a.verdict, a.by, a.sheet) for a in questions.answers(folder)] == [
        (LINES[0].id, "слово", "edit", "Eva", "review-1"),
        (LINES[1].id, "вторая", "accept", "Eva", "review-1"),
        (LINES[2].id, "", "not_a_line", "Eva", "review-1"),
    ]
    assert str(gold.take(folder, pages, file)) == "0 new answers; 3 known already"


@pytest.mark.parametrize(
    ("said", "verdict", "text"),
    [("typed", "edit", "слово"), ("nothing", "not_a_line", ""), ("skip", "skip", "")],
)
def test_an_audit_is_taken_in(folders, tmp_path, said, verdict, text):
    folder, pages = folders
    taken = gold.take(folder, pages, saved(tmp_path, folder, heard(said, text), sheet="audit-1"))
    assert taken.audits == ("audit-1",)
    (answer,) = questions.answers(folder)
    assert (answer.verdict, answer.text, answer.sheet) == (verdict, text, "audit-1")


def test_an_emptied_text_is_no_line_and_an_unchanged_one_is_accepted(folders, tmp_path):
    folder, pages = folders
    gone = corrected(LINES[2]) | {"regions": []}
    gold.take(folder, pages, saved(tmp_path, folder, corrected(LINES[0], " "), corrected(LINES[1], "вторая "), gone))
    assert [(a.verdict, a.text) for a in questions.answers(folder)] == [
        ("not_a_line", ""),
        ("accept", "вторая"),
        ("not_a_line", ""),
    ]


@pytest.mark.parametrize(
    ("samples", "fields", "message"),
    [
        ([corrected(LINES[0])], {"dataset": {"name": "coarse", "id": "0" * 32}}, "no sheet of .* asked that"),
        ([heard("skip")], {"kind": "audit"}, "no sheet of .* asked that"),
        ([corrected(LINES[0], "a\x07")], {}, r"U\+0007"),
        ([corrected(LINES[0]) | {"regions": corrected(LINES[0])["regions"] * 2}], {}, "it is one line"),
        ([corrected(LINES[0]) | {"regions": [corrected(LINES[0])["regions"][0] | {"of": -1}]}], {}, "it is one line"),
        ([judged(LINES[0], "good")], {}, "verdict"),
        ([judged(LINES[1], "right"), judged(LINES[1], "wrong")], {}, "twice"),
        ([], {"by": " "}, "who did this"),
    ],
)
def test_a_bad_file_is_refused_as_a_whole_in_a_sentence(folders, tmp_path, samples, fields, message):
    folder, pages = folders
    file = saved(tmp_path, folder, judged(LINES[2], "skip"), *samples, **fields)
    with pytest.raises(ValueError, match=message) as error:
        gold.take(folder, pages, file)
    assert str(error.value).startswith(f"gold={file}: ")
    assert questions.answers(folder) == []


def test_no_such_file_and_no_patch_are_refused(folders, tmp_path):
    (tmp_path / "image.json").write_bytes(b"\xff\xd8\xff\xe0")
    for name in ("none.json", "image.json"):
        with pytest.raises(ValueError, match=f"gold={tmp_path / name}: .*look page"):
            gold.take(*folders, str(tmp_path / name))


def test_answers_about_pages_that_are_gone_are_counted(folders, tmp_path):
    folder, _ = folders
    write_dataset(tmp_path / "others", [page("fedcba9876543210-01234567-000003")])
    file = saved(tmp_path, folder, corrected(LINES[0]), corrected(line(9)))
    taken = gold.take(folder, Folder(str(tmp_path / "others")), file)
    assert str(taken) == "0 new answers; 2 of pages that are gone"


def pools(kind: str, **places) -> Pools:
    return Pools("ru", "Cyrl", 0.5, kind, "", **{name: tuple(value) for name, value in places.items()})


def test_gold_of_a_held_out_document_trains_nobody():
    doc, other = LINES[0].sha256, "b" * 64
    waits = pools("documents", fold_a=[(doc, 3)], held_out=[(other, 0)])
    tests = pools("documents", held_out=[(doc, 9)], train=[(other, 0)])
    both = pools("page_ranges", train=[(doc, 3)], held_out=[(doc, 9)])
    assert [gold._unfit(LINES[0], [p]) for p in (waits, tests, both)] == ["", "held_out", ""]
    assert gold._unfit(replace(LINES[0], number=5), [both]) == "held_out"  # between what trains and what tests
    assert gold._unfit(LINES[0], []) == ""


def test_what_a_round_accepted_in_the_place_of_gold_and_read_otherwise_is_marked(tmp_path):
    out, at = Folder(str(tmp_path)), Box(10, 40, 300, 70)

    def crop(key: str, text: str, box: Box) -> Sample:
        origin = Origin("file:///a.pdf", "a" * 64, 3, parent=PAGE, box=box)
        return replace(page(key), task="crop", text=text, origin=origin)

    write_dataset(tmp_path / "gold", [crop(f"{PAGE}-r1-0001-gold", "кот рот", at)], "gold")
    beside, part = Box(10, 140, 300, 170), Box(10, 40, 90, 70)
    labels = {"same": ("кот рот", at), "other": ("кот рог", at), "beside": ("кот рог", beside), "part": ("кот", part)}
    labels |= {"apart": ("ко", part), "longer": ("сок кот рот", Box(2, 38, 380, 72))}
    write_dataset(tmp_path / "round-1", [crop(f"{PAGE}-{name}", *label) for name, label in labels.items()], "round-1")
    whole = replace(page(f"{PAGE}-page-r1"), origin=Origin("file:///a.pdf", "a" * 64, 3, parent=PAGE))
    other = replace(whole, key="another-page-r1", origin=replace(whole.origin, parent="another"))
    write_dataset(tmp_path / "pages-round-1", [whole, other], "pages-round-1")
    gold.mark(out, ["round-1"])
    rows = marks.read(out.sub("gold")).to_pylist()
    assert sorted(row["key"] for row in rows) == [f"{PAGE}-apart", f"{PAGE}-other", f"{PAGE}-page-r1"]
    assert {(row["mark"], row["of"]) for row in rows} == {("corrected", f"{PAGE}-r1-0001-gold")}
