"""Files that sheets saved: what is taken in, what is counted, and what is refused in one sentence."""

import io
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
from tests.outputs import write_dataset
from tests.unit.flywheel.people.test_review import PAGE, line

LINES = [line(1), line(2, "вторая"), line(3, "третья")]
HEARD = line(4, "четвёртая", reason="")


def page(key: str = PAGE) -> Sample:
    image = io.BytesIO()
    Image.new("L", (400, 300), 255).save(image, "JPEG")
    origin = Origin("file:///a.pdf", "a" * 64, 3)
    return Sample(key, "page", image.getvalue(), (400, 300), "ru", "Cyrl", "", (), Quality("trusted"), origin, "coarse")


@pytest.fixture
def folders(tmp_path):
    """The step's folder, with a sheet of each kind, and a dataset with their page."""
    write_dataset(tmp_path / "coarse", [page()])
    folder = Folder(str(tmp_path / "flywheel"))
    questions.add_sheet(folder, questions.REVIEW, 2, "why", LINES)
    questions.add_sheet(folder, questions.AUDIT, 2, "why", [HEARD])
    return folder, Folder(str(tmp_path / "coarse"))


def row(of, verdict: str = "edit", text: str = "слово", **values: object) -> dict:
    return {"id": of.id, "image": of.image, "reading": of.reading, "text": text, "verdict": verdict, "by": "Eva"} | values


def saved(tmp_path, *rows: object) -> str:
    path = tmp_path / "saved.jsonl"
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)) + "\n" for one in rows))
    return str(path)


def test_what_a_sheet_saved_is_taken_in_and_stays(folders, tmp_path):
    folder, pages = folders
    rows = [row(LINES[0]), row(LINES[1], "accept", "вторая"), row(LINES[2], "not_a_line", ""), row(HEARD, "skip", "")]
    taken = gold.take(folder, pages, saved(tmp_path, *rows, rows[0]))
    assert str(taken) == "4 new answers (1 accept, 1 edit, 1 not_a_line, 1 skip); 1 repeated"
    assert taken.audits == ("audit-1",)
    kept = questions.answers(folder)
    assert [(a.id, a.text, a.verdict, a.by) for a in kept] == [(r["id"], r["text"], r["verdict"], "Eva") for r in rows]
    assert [a.sheet for a in kept] == ["review-1"] * 3 + ["audit-1"]
    again = gold.take(folder, pages, saved(tmp_path, *rows))
    assert str(again) == "0 new answers; 4 known already"


def test_a_later_file_corrects_an_earlier_one(folders, tmp_path):
    folder, pages = folders
    gold.take(folder, pages, saved(tmp_path, row(LINES[0], text="слов")))
    taken = gold.take(folder, pages, saved(tmp_path, row(LINES[0], text="слово")))
    assert str(taken) == "0 new answers; 1 changed"
    assert [a.text for a in questions.answers(folder)] == ["слово"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"text": "x"}], "line 1 has no id, which is a text"),
        ([row(LINES[0]) | {"id": 7}], "line 1 has no id"),
        ([row(LINES[0]) | {"text": None}], "line 1 has no text"),
        (['{"id": "a"'], "line 1 is no JSON"),
        (["[1]"], "line 1 is no object with the fields id, image"),
        ([row(LINES[0], "good")], "line 1 has the verdict 'good': allowed are accept, edit, skip, not_a_line"),
        ([row(LINES[0], by=" ")], "line 1 doesn't say by whom"),
        ([row(LINES[0]), "", row(LINES[0], text="иное")], "lines 1 and 3 say different things of"),
        ([row(LINES[0]), row(LINES[1], id="ffff")], "line 2: no sheet of .* asks about ffff: the file is of another output"),
        ([row(LINES[0], image=LINES[1].image)], "the file is of another output"),
        ([row(LINES[0], text="")], "the verdict edit needs a text"),
        ([row(LINES[0], "accept", "не то")], "accept needs the reading as its text"),
        ([row(HEARD, "accept", "четвёртая")], "accept needs the reading as its text"),
        ([row(LINES[0], text=""), row(LINES[1], text="")], "and 1 more lines"),
        ([], "the file has no row"),
    ],
)
def test_a_bad_file_is_refused_as_a_whole_in_a_sentence(folders, tmp_path, rows, message):
    folder, pages = folders
    file = saved(tmp_path, *rows)
    with pytest.raises(ValueError, match=message) as error:
        gold.take(folder, pages, file)
    assert str(error.value).startswith(f"gold={file}: ")
    assert questions.answers(folder) == []


def test_no_such_file_and_no_text_are_refused(folders, tmp_path):
    (tmp_path / "image.jsonl").write_bytes(b"\xff\xd8\xff\xe0")
    for name in ("none.jsonl", "image.jsonl"):
        with pytest.raises(ValueError, match="a file that a sheet saved is needed"):
            gold.take(*folders, str(tmp_path / name))


def test_answers_about_pages_that_are_gone_are_counted(folders, tmp_path):
    folder, _ = folders
    write_dataset(tmp_path / "others", [page("fedcba9876543210-01234567-000003")])
    taken = gold.take(folder, Folder(str(tmp_path / "others")), saved(tmp_path, row(LINES[0])))
    assert str(taken) == "0 new answers; 1 of pages that are gone"


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
