"""What the child answers of a Word file: pages by number, files of other kinds, what can't be drawn."""

from pathlib import Path
from typing import Any

import pytest

from datagen.record import Range, SampleError
from datagen.sandbox.parts import Failed, Part, Parts
from datagen.word import office
from datagen.word.child import read_document
from datagen.word.pages.answers import WordPage
from tests.inputs.word import formulas as maths
from tests.inputs.word import xml as xml
from tests.office import needs_office


def answers(path: Path, numbers: list[int] | None = None, **changed: Any) -> list[Parts | Part[WordPage] | Failed]:
    arguments: dict[str, Any] = {"within": Range(0), "long_side": 800, "jpeg_quality": 80, "max_pages": 0} | changed
    return list(read_document(str(path), numbers=numbers, **arguments))


def three_pages(path: Path) -> Path:
    """Pages of a line each, and a formula on the last one."""
    new = "<w:pageBreakBefore/>"
    formula = maths.inline(maths.fraction(maths.text("a"), maths.text("b")))
    return xml.write_docx(
        path,
        xml.paragraph(xml.run("One."))
        + xml.paragraph(xml.run("Two."), look=new)
        + xml.paragraph(xml.run("Three "), formula, look=new)
        + xml.section(),
    )


@pytest.mark.slow
@needs_office
def test_pages_by_number_within_a_range_and_up_to_the_most(tmp_path: Path) -> None:
    path = three_pages(tmp_path / "a.docx")

    (only,) = answers(path, [1])
    named, _, _ = answers(path, within=Range(1))
    few, page = answers(path, max_pages=1)

    assert isinstance(only, Part)
    assert (only.number, only.value.regions[0].text) == (1, "Two.")
    assert named == Parts([1, 2])
    assert few == Parts([0])
    assert isinstance(page, Part)
    assert [(lost.number, lost.reason) for lost in page.value.lost] == [(0, "page_not_read")]


@needs_office
def test_rich_text_is_read_by_way_of_docx(tmp_path: Path) -> None:
    path = tmp_path / "a.rtf"
    path.write_text(r"{\rtf1\ansi A {\b bold} word and {\v hidden} more of the plain text.\par}")

    _, page = answers(path)

    assert isinstance(page, Part)
    assert [region.text for region in page.value.regions] == ["A **bold** word and more of the plain text."]


def test_what_cannot_be_drawn_is_a_page_without_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no(*_: object) -> list[str]:
        raise SampleError("not_rendered", "ended by SIGKILL")

    monkeypatch.setattr(office, "convert", no)
    body = xml.table([[(xml.paragraph(maths.inline(maths.text("x"))), 1, 1)]])
    path = xml.write_docx(tmp_path / "a.docx", body + xml.paragraph() + xml.section())

    first, page = answers(path)

    assert first == Parts([0])
    assert isinstance(page, Part)
    assert (page.value.image, page.value.reason, page.value.detail) == (b"", "not_rendered", "ended by SIGKILL")
    assert [(lost.kind, lost.number, lost.reason) for lost in page.value.lost] == [
        ("formula", 0, "not_rendered"),
        ("table", 0, "not_rendered"),
    ]


def test_what_is_no_document_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"none")

    with pytest.raises(SampleError, match="not_a_word_document"):
        answers(tmp_path / "a.docx")
