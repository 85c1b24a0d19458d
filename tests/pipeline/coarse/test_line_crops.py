"""Crops of lines, drawn anew from the PDFs behind a dataset of pages."""

import io

import numpy
import pytest
from PIL import Image

from datagen.coarse.line_crops import LineCrops
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.record import Drop, Sample
from datagen.work.samples_of import ShardsOf
from tests.inputs import pdfs
from tests.outputs import make


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    out = tmp_path_factory.mktemp("lines")
    pdfs.write(out / "in" / "a.pdf", pdfs.lines(pdfs.RUSSIAN * 3), pdfs.lines(pdfs.RUSSIAN * 2), font="helv")
    pdfs.write(out / "in" / "b.pdf", pdfs.lines(pdfs.LATIN * 4))
    assert make(out / "in", out / "out") == 0
    return out


def cut(out, **values) -> list[Sample | Drop]:
    coarse = Folder(str(out / "out" / "coarse"))
    source = LineCrops(languages=("ru",), **values)
    documents = ShardsOf(coarse.url, tuple(r.shard for r in read_reports(coarse))).items()
    return [item for document in documents for item in source.read(document)]


def test_every_line_is_a_crop_at_a_readers_height_with_its_text(out):
    crops = [item for item in cut(out) if isinstance(item, Sample)]
    said = " ".join(c.text for c in crops)
    assert said.count("рождаются") == 5
    assert not any("human" in c.text for c in crops)
    for crop in crops:
        image = Image.open(io.BytesIO(crop.image))
        box = crop.regions[0].box
        assert image.size == crop.size
        assert image.mode == "L"
        assert 27 <= box.y1 - box.y0 <= 49
        ink = numpy.asarray(image) < 128
        inside = ink[box.y0 : box.y1, box.x0 : box.x1].sum()
        assert inside > 0.97 * ink.sum()  # the margins are paper, but for a neighbour's tip
        assert (crop.task, crop.stage, crop.quality.verdict) == ("crop", "crops", "trusted")
        assert len({c.key for c in crops}) == len(crops)


def test_a_pdf_that_changed_or_went_costs_its_lines_and_is_counted(out, tmp_path):
    pdfs.write(tmp_path / "in" / "a.pdf", pdfs.lines(pdfs.RUSSIAN * 3), font="helv")
    pdfs.write(tmp_path / "in" / "c.pdf", pdfs.lines(pdfs.RUSSIAN * 4), font="helv")
    assert make(tmp_path / "in", tmp_path / "out") == 0
    pdfs.write(tmp_path / "in" / "a.pdf", "другое", font="helv")
    (tmp_path / "in" / "c.pdf").unlink()
    assert sorted(item.reason for item in cut(tmp_path)) == ["changed", "not_found"]
