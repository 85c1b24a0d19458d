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
from tests.inputs.samples import encoded


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


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize(("text", "font"), [(pdfs.lines(pdfs.RUSSIAN), "helv"), (pdfs.CHINESE, "china-s")])
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


def test_hidden_text_is_counted_and_text_off_the_page_is_not_there(tmp_path):
    with pymupdf.open() as doc:
        page = doc.new_page()
        page.insert_text((72, 100), "0123456789", render_mode=3)
        page.insert_text((72, 200), "0123456789")
        page.insert_text((72, 5000), "01234567890123456789")
        doc.save(tmp_path / "a.pdf")
    (sample,) = read(tmp_path / "a.pdf", long_side=512)
    signals = sample.quality.signals
    assert (signals["num_chars"], signals["hidden_share"]) == (20, 0.5)
    assert sample.text == "0123456789\n\n0123456789"


def test_pictures_are_measured_and_a_scan_is_all_picture(tmp_path):
    png = encoded(Image.effect_noise((300, 300), 60), "PNG")
    with pymupdf.open() as doc:
        for rect in (pymupdf.Rect(0, 0, 600, 800), pymupdf.Rect(0, 0, 300, 400)):
            doc.new_page(width=600, height=800).insert_image(rect, stream=png, keep_proportion=False)
        doc.save(tmp_path / "a.pdf")
    whole, quarter = read(tmp_path / "a.pdf", long_side=512)
    assert whole.quality.signals["image_share"] == pytest.approx(1.0, abs=0.02)
    assert quarter.quality.signals["image_share"] == pytest.approx(0.25, abs=0.02)
    assert whole.quality.signals["blank"] == 0.0


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
