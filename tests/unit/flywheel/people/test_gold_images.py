"""Images of lines with their texts are taken in, and divided."""

from pathlib import Path

import pytest
from PIL import Image

from datagen.disk.storage import Folder
from flywheel.people import gold_images
from flywheel.people.gold_images import CALIBRATE, TRAIN
from flywheel.pools.pools import Scan
from flywheel.step import Flywheel

STEP = Flywheel("coarse")


def line(folder: Path, name: str, text: str | None, suffix: str = ".png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("L", (300, 40), 255).save(folder / f"{name}{suffix}")
    if text is not None:
        (folder / f"{name.partition('.')[0]}.gt.txt").write_text(text, encoding="utf-8")


def take(typed: Path, tmp_path: Path) -> tuple[str, dict[str, str]]:
    out = Folder(str(tmp_path / "out"))
    counts = gold_images.take(STEP, out, str(typed))
    return counts, {Path(one.uri).name: one.use for one in gold_images.lines_of(out.sub(STEP.name))}


def test_what_is_no_line_with_a_text_is_counted(tmp_path):
    typed = tmp_path / "typed"
    for name, written in {"a": "one", "b": "two\n\n", "c": "two\nlines", "d": " ", "e": None}.items():
        line(typed, name, written)
    line(typed, "f.bin", "OCRopus names", ".png")
    line(typed, "g", "x")
    (typed / "g.gt.txt").write_bytes(b"\xff\xfe")
    counts, uses = take(typed, tmp_path)
    assert sorted(uses) == ["a.png", "b.png", "f.bin.png"]
    assert "3 lines in" in counts
    for reason in ("1 images without a text", "1 texts of several lines", "1 empty texts", "1 texts that are not UTF-8"):
        assert reason in counts


def test_a_folder_without_a_text_is_refused(tmp_path):
    line(tmp_path / "typed", "a", None)
    with pytest.raises(ValueError, match=r"line\.gt\.txt; 1 images without a text"):
        take(tmp_path / "typed", tmp_path)


def test_halves_are_whole_documents_where_there_are_several(tmp_path):
    typed = tmp_path / "typed"
    for book, count in {"one": 6, "two": 4, "three": 5, "four": 3}.items():
        for number in range(count):
            line(typed / book, f"{book}-{number}", f"line {number}")
    _, uses = take(typed, tmp_path)
    of_book = {
        name.partition("-")[0]: {uses[other] for other in uses if other.startswith(name.partition("-")[0])} for name in uses
    }
    assert all(len(halves) == 1 for halves in of_book.values())
    assert sorted([*uses.values()].count(half) for half in (TRAIN, CALIBRATE)) == [9, 9]


def test_a_line_is_in_the_script_of_its_folders_lines(tmp_path):
    for name, written in {"a": "две строки", "b": "12", "c": "ΩΣ", "d": "ещё одна"}.items():
        line(tmp_path / "typed", name, written)
    take(tmp_path / "typed", tmp_path)
    out = Folder(str(tmp_path / "out"))
    assert {one.script for one in gold_images.lines_of(out.sub(STEP.name))} == {"Cyrl"}
    (typed,) = gold_images.letters(STEP, out, [Scan("kv", "Cyrl", "1" * 64, {}, [0, 1]), Scan("ru", "Cyrl", "2" * 64, {}, [0])])
    assert (typed.lang, typed.script, typed.pages, typed.letters["о"]) == ("kv", "Cyrl", [], 2)


def test_lines_of_one_document_are_divided_and_later_ones_change_no_half(tmp_path):
    typed = tmp_path / "typed"
    for number in range(10):
        line(typed, f"{number:02d}", f"line {number}")
    _, first = take(typed, tmp_path)
    assert sorted(first.values()) == [CALIBRATE] * 5 + [TRAIN] * 5
    for number in range(10, 14):
        line(typed, f"{number:02d}", f"line {number}")
    _, second = take(typed, tmp_path)
    assert {name: use for name, use in second.items() if name in first} == first
    assert sorted(second.values()) == [CALIBRATE] * 7 + [TRAIN] * 7
