"""PDF files and images of pages in one folder, one archive, one run."""

import zipfile
from pathlib import Path

import pytest

from datagen.coarse.source import PdfSource
from datagen.fine.source import FORMATS, PageFiles
from datagen.inputs import archive
from datagen.inputs.census import Listing
from datagen.inputs.items import Item
from datagen.pictures.source import ImageSource
from datagen.record import Drop
from datagen.work.pipeline import Pipeline
from tests.inputs import pdfs
from tests.inputs.samples import image

SOURCE = PageFiles(PdfSource(stage="fine"), ImageSource(task="page", stage="fine"))


def make_folder(folder: Path) -> Path:
    pdfs.write(folder / "a.pdf", pdfs.lines(pdfs.LATIN), "a second page")
    (folder / "b.PNG").write_bytes(image(200, 300, "PNG"))
    with zipfile.ZipFile(folder / "c.zip", "w") as archive:
        archive.write(folder / "a.pdf", "in/d.pdf")
        archive.write(folder / "b.PNG", "in/e.png")
    return folder


def read(items):
    return [outcome for inputs in SOURCE.split(items) for item in inputs for outcome in SOURCE.read(item)]


def test_each_file_is_read_by_the_source_for_its_kind(tmp_path):
    items = Listing(str(make_folder(tmp_path)), FORMATS).items()
    outcomes = read(items)
    assert {(archive.name_of(o.origin.uri), o.task, o.stage, bool(o.text)) for o in outcomes} == {
        ("a.pdf", "page", "fine", True),
        ("b.PNG", "page", "fine", False),
        ("d.pdf", "page", "fine", True),
        ("e.png", "page", "fine", False),
    }
    assert len({o.key for o in outcomes}) == len(outcomes) == 6


def test_a_shard_has_files_of_one_kind_and_its_estimate(tmp_path):
    items = Listing(str(make_folder(tmp_path)), FORMATS).items()
    shards = list(SOURCE.split(items))
    assert [len(inputs) for inputs in shards] == [2, 2]
    pages, images = map(SOURCE.estimate, shards)
    assert pages == SOURCE.pdf.estimate(shards[0]) and images == SOURCE.images.estimate(shards[1])


@pytest.mark.parametrize(
    ("name", "content", "reason"), [("page", image(), "not_a_pdf"), ("page.png", b"%PDF-1.7", "other_format")]
)
def test_what_has_another_name_is_taken_for_a_pdf_and_dropped_with_a_reason(tmp_path, name, content, reason):
    path = tmp_path / name
    path.write_bytes(content)
    pipeline = Pipeline("fine", Listing(str(path), FORMATS), SOURCE, ())
    assert [o.reason for o in pipeline.process((Item(str(path)),), []) if isinstance(o, Drop)] == [reason]
