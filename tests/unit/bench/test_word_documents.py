"""The Word documents that tests are run on: the same for a seed, and as their truth says."""

import zipfile
from pathlib import Path

from lxml import etree

from tests.inputs.word_documents import LANGUAGES, documents
from tests.inputs.word_xml import M, W


def test_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = documents(tmp_path / "a", 3, first=5), documents(tmp_path / "b", 3, first=5)

    assert [d.path.read_bytes() for d in one] == [d.path.read_bytes() for d in other]
    assert one[0].path.read_bytes() != one[1].path.read_bytes()


def test_truth_is_what_the_parts_hold(tmp_path: Path) -> None:
    for document in documents(tmp_path, 2 * len(LANGUAGES)):
        with zipfile.ZipFile(document.path) as archive:
            parts = [etree.fromstring(archive.read(name)) for name in archive.namelist() if name.endswith(".xml")]
        parts.sort(key=lambda part: part.tag != f"{{{W}}}document")
        formulas = [tuple(t.text for t in formula.iter(f"{{{M}}}t")) for part in parts for formula in part.iter(f"{{{M}}}oMath")]
        tables = [table for part in parts for table in part.iter(f"{{{W}}}tbl")]

        assert formulas == document.formulas
        assert [len(table.findall(f"{{{W}}}tr")) for table in tables] == [len(spans) for spans in document.tables]
