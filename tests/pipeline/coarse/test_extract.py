"""What a page gives: its text, and boxes that lie on the ink."""

import io

import numpy
import pymupdf
import pytest
from PIL import Image

from datagen.coarse.source import PdfSource
from datagen.inputs.items import Item
from datagen.record import Box, Sample
from tests.inputs import pdfs


def read(path, **values) -> list[Sample]:
    found = list(PdfSource(**values).read(Item(str(path))))
    assert all(isinstance(s, Sample) for s in found), found
    return found


def ink(sample: Sample) -> numpy.ndarray:
    """Where the page image is dark, as a (height, width) array of bools."""
    image = Image.open(io.BytesIO(sample.image))
    assert image.size == sample.size
    return numpy.asarray(image.convert("L")) < 128


def inside(mask: numpy.ndarray, box: Box) -> int:
    return int(mask[box.y0 : box.y1, box.x0 : box.x1].sum())


@pytest.mark.parametrize(
    ("text", "font", "rotation"),
    [(pdfs.lines(pdfs.RUSSIAN), "helv", 0), (pdfs.CHINESE, "china-s", 90), (pdfs.CHINESE, "china-s", 180)],
)
def test_text_is_right_and_every_line_box_holds_its_ink(tmp_path, text, font, rotation):
    (sample,) = read(pdfs.write(tmp_path / "a.pdf", text, font=font, rotation=rotation))
    lines = [line for region in sample.regions for line in region.lines]
    assert [line.text for line in lines] == text.splitlines()
    mask = ink(sample)
    assert sum(inside(mask, line.box) for line in lines) >= 0.995 * mask.sum() > 0
    assert all(inside(mask, line.box) for line in lines)
    assert max(sample.size) == 1920
    assert (sample.size[0] > sample.size[1]) == (rotation in (90, 270))


def test_the_crop_box_is_the_page(tmp_path):
    with pymupdf.open() as doc:
        page = doc.new_page(width=600, height=800)
        page.insert_text((100, 150), "inside the crop")
        page.insert_text((100, 700), "outside of it")
        page.set_cropbox(pymupdf.Rect(50, 100, 350, 300))
        doc.save(tmp_path / "a.pdf")
    (sample,) = read(tmp_path / "a.pdf", long_side=600)
    assert sample.size == (600, 400)
    assert sample.text == "inside the crop"
    (line,) = sample.regions[0].lines
    assert inside(ink(sample), line.box) == ink(sample).sum() > 0


def test_keys_differ_for_two_copies_of_a_file_and_say_the_page(tmp_path):
    one = pdfs.write(tmp_path / "one.pdf", "a", "b")
    two = tmp_path / "two.pdf"
    two.write_bytes(one.read_bytes())
    keys = [s.key for path in (one, two) for s in read(path, long_side=256)]
    assert len(set(keys)) == 4
    assert [k[-6:] for k in keys] == ["000000", "000001"] * 2
    assert len({k[:16] for k in keys}) == 1


def test_a_page_is_the_same_whatever_was_read_before_it(tmp_path):
    first = pdfs.write(tmp_path / "a.pdf", pdfs.LATIN, pdfs.RUSSIAN)
    second = pdfs.write(tmp_path / "b.pdf", pdfs.CHINESE, font="china-s")
    alone = read(second)
    read(first)
    assert read(second) == alone
