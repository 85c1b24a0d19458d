"""The look page's files: which samples, in which order, and what a second run writes."""

import hashlib
import io
import json
import shutil
from dataclasses import replace

import pytest
from PIL import Image

from datagen.disk import marks
from datagen.disk.marks import Mark
from datagen.record import Quality
from recipes.look import page as look_page
from recipes.look.audit import drawn
from recipes.look.choose import census
from recipes.look.page import LONGEST, picture
from recipes.verbs.look import look
from tests.commits import killed_before
from tests.inputs.looked_at import decided, page, region, with_decisions, write_lookable
from tests.inputs.looked_at import picture as image_of
from tests.outputs import files

ONE = (region(0, "one"),)


def index_of(folder) -> dict:
    text = (folder / "data/index.js").read_text()
    return json.loads(text.removeprefix("window.pagewheelIndex=").removesuffix(";\n"))


def chunk_of(folder, name: str) -> list[dict]:
    text = (folder / f"data/{name}.js").read_text()
    return json.loads(text.removeprefix(f'pagewheelChunk("{name}",').removesuffix(");\n"))


def numbers(entries) -> list[int]:
    return [int(entry["key"][:16], 16) for entry in entries]


def test_the_worst_come_first(tmp_path):
    trusted, suspect = Quality("trusted"), Quality("suspect", ("x",))
    sure, unsure = (replace(ONE[0], score=0.9),), (replace(ONE[0], score=0.2),)
    made = [
        page(1, sure, difficulty=-1.0, quality=trusted),
        page(2, unsure, difficulty=-1.0, quality=trusted),
        page(3, sure, difficulty=-1.0, quality=suspect),
        page(4, sure, difficulty=0.1, quality=trusted),
        page(5, sure, difficulty=0.9, quality=trusted),
        page(6, sure, difficulty=0.0, quality=trusted, metadata=with_decisions(decided(0, "drawn", (("a", None),)))),
        page(7, sure, difficulty=0.0, quality=trusted, metadata=with_decisions(decided(0, "kept", (("a", None),)))),
    ]
    dataset = write_lookable(tmp_path, made)
    found = census(dataset)
    assert numbers(entry.row for entry in found.entries) == [6, 5, 4, 7, 3, 2, 1]
    assert [entry.outcomes for entry in found.entries[:4]] == [("drawn",), (), (), ("kept",)]


def test_marked_samples_are_left_out_and_counted_and_damaged_ones_too(tmp_path):
    made = [page(n, ONE) for n in range(4)]
    dataset = write_lookable(tmp_path, made)
    marks.write(dataset, [Mark(made[0].key, "duplicate", made[1].key, 1.0), Mark(made[1].key, "corrected", "other", 0.0)], "")
    tar = tmp_path / "agreed/shards/agreed-000000.tar"
    record = made[3].to_json()
    tar.write_bytes(tar.read_bytes().replace(record, b"{" * len(record)))
    found = census(dataset)
    assert numbers(entry.row for entry in found.entries) == [2]
    assert (found.marked, found.damaged) == ({"corrected": 1, "duplicate": 1}, 1)
    message, _ = look(str(tmp_path))
    assert "without 1 corrected, without 1 duplicate; 1 can't be read" in message
    tar.unlink()
    assert census(dataset).damaged == 2


def test_a_sample_is_there_as_its_record_says(tmp_path):
    regions = (region(0, "مرحبا", direction="rtl"), region(1, "</script>\u2028", is_unread=False))
    made = page(1, regions, "ar", metadata=with_decisions(decided(0, "kept", (("a", None),), "a")) | {"source": "web"})
    write_lookable(tmp_path, [made])
    look(str(tmp_path), by="Eva")
    folder = tmp_path / "look/agreed"
    index = index_of(folder)
    (entry,) = index["entries"]
    assert (index["kind"], index["by"], index["total"], index["katex"]) == ("correct", "Eva", 1, True)
    assert entry["record"] == hashlib.sha256(made.to_json()).hexdigest()
    assert (entry["lang"], entry["level"], entry["outcomes"]) == ("ar", "medium", ["kept"])
    (sample,) = chunk_of(folder, entry["chunk"])
    record = json.loads(made.to_json())
    shared = ("label", "box", "polygon", "format", "text", "score", "by", "detected_by", "is_unread", "continues")
    assert [{name: r[name] for name in shared} for r in sample["regions"]] == [
        {name: r[name] for name in shared} for r in record["regions"]
    ]
    assert [r["dir"] for r in sample["regions"]] == ["rtl", "rtl"]
    assert (sample["text"], sample["record"], sample["more"]) == (
        made.text,
        entry["record"],
        [["difficulty", "1.000"], ["source", "web"]],
    )
    assert sample["decisions"][0]["outcome"] == "kept"
    assert (folder / sample["image"]).read_bytes() == made.image
    html = (folder / "index.html").read_text()
    assert b"Permission is hereby granted" in (folder / "katex.js").read_bytes()
    assert "default-src 'none'; img-src 'self';" in html and "script-src 'self'; base-uri 'none'; form-action 'none'" in html
    raw = (folder / f"data/{entry['chunk']}.js").read_bytes()
    assert b"</script>" not in raw and b"\xe2\x80\xa8" not in raw


def test_a_second_run_writes_what_changed_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(look_page, "PER_CHUNK", 2)
    write_lookable(tmp_path / "out", [page(n, ONE) for n in range(6)])
    look(str(tmp_path / "out"))
    folder = tmp_path / "out/look/agreed"
    first = files(folder)
    assert "0 files written" in look(str(tmp_path / "out"))[0] and files(folder) == first
    write_lookable(tmp_path / "out", [page(n, (region(0, "two" if n == 5 else "one"),)) for n in range(6)])
    look(str(tmp_path / "out"))
    second = files(folder)
    assert {name for name in second if first.get(name) != second[name]} - {"data/index.js"} == set(second) - set(first)
    assert len(set(second) - set(first)) == len(set(first) - set(second)) == 1  # a chunk: nothing else, and the old one is gone
    (folder / next(name for name in second if name.startswith("images/"))).unlink()
    (folder / next(name for name in second if name.startswith("data/") and "index" not in name)).unlink()
    look(str(tmp_path / "out"))
    assert {name: file[2] for name, file in files(folder).items()} == {name: file[2] for name, file in second.items()}


def test_large_images_become_smaller_and_no_image_is_none():
    large = picture(image_of((3000, 200)))
    assert large is not None and large[0] == f"{LONGEST}.jpg"
    assert Image.open(io.BytesIO(large[1])).size == (2000, 133)
    same = image_of()
    assert picture(same) == ("jpg", same)
    assert [picture(bad) for bad in (None, b"", b"\xff\xd8\xff broken", b"<svg onload=x>")] == [None] * 4


def test_another_katex_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(look_page, "KATEX_SHA256", "0" * 64)
    write_lookable(tmp_path, [page(0, ONE)])
    look(str(tmp_path))
    assert (tmp_path / "look/agreed/katex.js").read_bytes() == b"" and not index_of(tmp_path / "look/agreed")["katex"]


def test_an_audit_draws_regions_that_have_a_text_alike(tmp_path):
    regions = (region(0, "a"), region(1, "", is_unread=True), region(2, "b", "image"), region(3, "c"))
    made = [page(n, regions) for n in range(30)]
    dataset = write_lookable(tmp_path, made)
    entries = census(dataset).entries
    all_drawn = drawn(dataset, entries, 1000, 0)
    assert {(s.key, i) for _, s, i in all_drawn} == {(s.key, i) for s in made for i in (0, 3)}
    some = [(s.key, i) for _, s, i in drawn(dataset, entries, 20, 0)]
    assert some == [(s.key, i) for _, s, i in all_drawn][:20]  # a larger audit goes on with a smaller one
    assert some != [(s.key, i) for _, s, i in drawn(dataset, entries, 20, 1)]
    assert {i for _, i in some} == {0, 3}


def test_what_is_not_there_is_refused(tmp_path):
    write_lookable(tmp_path, [page(0, ONE)])
    with pytest.raises(ValueError, match=r"dataset=other: .* has no other; it has agreed"):
        look(str(tmp_path), dataset="other")
    with pytest.raises(ValueError, match="no output of pagewheel"):
        look(str(tmp_path / "nothing"))
    write_lookable(tmp_path, [page(0, ONE)], "begun")
    (tmp_path / "begun/run.json").unlink()
    message, all_done = look(str(tmp_path))
    assert not all_done and "begun: " in message and "no dataset of pagewheel" in message
    assert sorted(folder.name for folder in (tmp_path / "look").iterdir()) == ["agreed"]


def test_a_dataset_itself_can_be_looked_at(tmp_path):
    write_lookable(tmp_path, [page(0, ONE)])
    look(str(tmp_path / "agreed"))
    assert (tmp_path / "agreed/look/agreed/index.html").exists()


def test_a_run_that_ends_anywhere_leaves_a_whole_page_and_the_next_one_finishes(tmp_path, monkeypatch):
    monkeypatch.setattr(look_page, "PER_CHUNK", 2)
    monkeypatch.setattr(look_page, "_AT_ONCE", 1)  # in a known order
    before, after = [page(n, ONE) for n in range(4)], [page(n, (region(0, "two"),)) for n in range(1, 5)]
    write_lookable(tmp_path / "undisturbed", after)
    look(str(tmp_path / "undisturbed"))
    folder = tmp_path / "out/look/agreed"

    def run(_: int) -> None:
        look(str(tmp_path / "out"))

    def from_an_earlier_page() -> None:
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        write_lookable(tmp_path / "out", before)
        run(0)
        write_lookable(tmp_path / "out", after)

    def check() -> None:
        index = index_of(folder)
        for entry in index["entries"]:
            (sample,) = (each for each in chunk_of(folder, entry["chunk"]) if each["key"] == entry["key"])
            assert (folder / sample["image"]).exists()
        run(0)
        whole = {name: file[2] for name, file in files(folder).items()}
        assert whole == {name: file[2] for name, file in files(tmp_path / "undisturbed/look/agreed").items()}
        from_an_earlier_page()

    from_an_earlier_page()
    with killed_before(200) as names:
        run(0)
    assert "data/index.js" in names and len(names) < 20
    from_an_earlier_page()
    for number in range(len(names)):
        with killed_before(number):
            run(number)
        check()


def test_a_killed_runs_leftovers_are_swept(tmp_path):
    write_lookable(tmp_path, [page(0, ONE)])
    look(str(tmp_path))
    left = tmp_path / "look/agreed/images" / f".tmp-{'0' * 32}"
    left.write_bytes(b"half")
    look(str(tmp_path))
    assert not left.exists()


@pytest.mark.parametrize("bad", ["{", "[1]", '[{"outcome": "kept", "readings": [null, {"voter": 1}], "region": "x"}]'])
def test_decisions_of_any_form_are_read(tmp_path, bad):
    write_lookable(tmp_path, [page(0, ONE, metadata={"decisions": bad})])
    look(str(tmp_path))
    folder = tmp_path / "look/agreed"
    (sample,) = chunk_of(folder, index_of(folder)["entries"][0]["chunk"])
    assert all(
        isinstance(each["outcome"], str) and all(isinstance(one, dict) for one in each["readings"])
        for each in sample["decisions"]
    )
