"""Short lines of the same pages by our text and as MuPDF gives them; and short samples, clean and worn."""

import dataclasses
import io

import numpy
import pytest
from PIL import Image

from datagen.coarse.raw_lines import RawLines, ShortLineCrops
from datagen.contract import check
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.record import Drop, Sample
from datagen.work.samples_of import ShardsOf, ShortSamples
from flywheel.lines.wear_stage import WearLines
from tests.inputs import pdfs
from tests.model.lines import line_crop, write_dataset
from tests.outputs import make


@pytest.fixture(scope="module")
def coarse(tmp_path_factory):
    """A page of lines whose first one is drawn in two pieces with a gap between them, and one in Russian."""
    root = tmp_path_factory.mktemp("raw")
    content = [
        ((72, 100), "4.6"),
        ((100, 100), "Releases"),
        ((72, 130), "a short line"),
        ((72, 270), "Intro ........ 7"),
        ((72, 160), f"{pdfs.LATIN[:60]}"),
    ]
    document = pdfs.pymupdf.open()
    page = document.new_page()
    for place, text in content:
        page.insert_text(place, text, fontsize=12)
    for n, text in enumerate([pdfs.LATIN[:70], pdfs.LATIN[70:130]]):
        page.insert_text((72, 190 + 30 * n), text, fontsize=12)
    (root / "in").mkdir()
    document.save(root / "in/a.pdf")
    pdfs.write(root / "in/b.pdf", pdfs.lines(pdfs.RUSSIAN * 2), font="helv")
    assert make(root / "in", root / "out") == 0
    return Folder(str(root / "out/coarse"))


def read(source, dataset) -> list[Sample | Drop]:
    items = ShardsOf(dataset.url, tuple(report.shard for report in read_reports(dataset))).items()
    return [outcome for item in items for outcome in source.read(item)]


def test_a_line_that_was_put_together_is_two_raw_ones(coarse):
    ours, raw = ([one for one in read(source, coarse) if isinstance(one, Sample)] for source in (ShortLineCrops(), RawLines()))
    assert [one.text for one in ours] == ["4.6 Releases", "a short line"]
    assert [one.text for one in raw] == ["4.6", "Releases", "a short line", "Intro ........ 7"]
    for crop in (*ours, *raw):
        check(crop)
        image = numpy.asarray(Image.open(io.BytesIO(crop.image)))
        box = crop.regions[0].box
        assert (image < 128)[box.y0 : box.y1, box.x0 : box.x1].sum() > 0.9 * (image < 128).sum() > 0
        assert 20 <= box.y1 - box.y0 <= 60
    assert {one.origin.sha256 for one in ours} == {one.origin.sha256 for one in raw}


def test_short_samples_are_in_the_languages_of_the_datasets_beside_and_of_other_documents(tmp_path):
    out = Folder(str(tmp_path))
    samples = [
        dataclasses.replace(line_crop(text, f"k{n}"), lang=lang)
        for n, (text, lang) in enumerate(
            [("short", "de"), ("a text that is far too long for it", "de"), ("kurz", "fr"), ("x", "de")]
        )
    ]
    write_dataset(out, "all", [samples])
    write_dataset(out, "labels", [[dataclasses.replace(line_crop("other", "other", "b"), lang="de")]])
    (found,) = read(ShortSamples(beside=(f"{tmp_path}/labels",)), out.sub("all"))
    assert (found.key, found.image) == ("k0", samples[0].image)
    write_dataset(out, "same", [[dataclasses.replace(samples[2], key="other")]])
    (drop,) = read(ShortSamples(beside=(f"{tmp_path}/labels", f"{tmp_path}/same")), out.sub("all"))
    assert drop.reason == "nothing_chosen"  # all are of the document that `same` has
    assert [one.key for one in read(ShortSamples(longest=100), out.sub("all"))] == ["k0", "k1", "k2"]


def test_worn_lines_keep_their_text_and_are_the_same_each_time():
    samples = [line_crop("The quick brown fox", f"k{n}") for n in range(12)]
    first, again = ([next(WearLines()([sample], None)) for sample in samples] for _ in range(2))
    assert first == again and len({one.image for one in first}) == 12  # each by its own key
    for one, sample in zip(first, samples, strict=True):
        check(one)
        assert (one.text, one.key, one.regions[0].text) == (sample.text, sample.key, sample.text)
        assert Image.open(io.BytesIO(one.image)).size == one.size
    (dropped,) = WearLines()([dataclasses.replace(samples[0], task="page")], None)
    assert dropped.reason == "no_line"
