"""Pictures with fewer pixels, by how large they are shown."""

import io

import numpy
import pytest
from lxml import etree
from PIL import Image

from datagen.word.file.fitting_pictures import Shown, fitting_pictures, shown_pictures
from datagen.word.file.package import opened
from datagen.word.file.package_docx import related
from tests.inputs.samples import encoded
from tests.inputs.word import xml as xml


def picture(kind: str, mode: str, size: tuple[int, int]) -> bytes:
    ramp = numpy.linspace(0, 255, size[0], dtype=numpy.uint8)[None, :].repeat(size[1], 0)
    return encoded(Image.fromarray(ramp).convert(mode), kind)


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("JPEG", "RGB")])
def test_a_picture_with_more_pixels_than_the_page_shows_gets_fewer(kind: str, mode: str) -> None:
    parts = {"a": picture(kind, mode, (1600, 400))}
    small = fitting_pictures(parts, [Shown("a", 79.2, 10), Shown("a", 158.4, 39.6)], 1000)  # 240 pixels

    with Image.open(io.BytesIO(small["a"])) as made:
        assert (made.format, made.mode, made.size) == (kind, mode, (267, 67))
        assert [int(value) for value in numpy.asarray(made.convert("L"))[30, [5, 133, 260]]] == pytest.approx(
            [5, 127, 249], abs=4
        )


def test_others_stay_as_they_are() -> None:
    parts = {
        "enough": picture("PNG", "RGB", (470, 100)),
        "unknown": picture("PNG", "RGB", (1600, 100)),
        "palette": picture("PNG", "P", (1600, 100)),
        "gif": picture("GIF", "L", (1600, 100)),
        "broken": picture("PNG", "RGB", (1600, 100))[:60],
    }
    pictures = [Shown(part, 158.4, 9.9) for part in (*parts, "missing")] + [Shown("unknown", 0, 0)]

    assert fitting_pictures(parts, pictures, 1000) == {}


def test_pictures_are_shown_as_large_as_their_frame_says(tmp_path) -> None:  # type: ignore[no-untyped-def]
    body = xml.paragraph(xml.picture(120, 80), xml.picture(60, 40)) + xml.section()
    package = opened(str(xml.write_docx(tmp_path / "a.docx", body, picture_png=picture("PNG", "RGB", (30, 20)))))
    root, references = package.xml(package.main), related(package.parts, package.main)
    (part,) = (name for name in package.parts if "media" in name)

    assert list(shown_pictures(root, references)) == [Shown(part, 120, 80), Shown(part, 60, 40)]
    for blip in list(root.iter("{*}blip"))[:1]:
        etree.SubElement(blip.getparent(), "{http://schemas.openxmlformats.org/drawingml/2006/main}srcRect").set("l", "10000")
    assert list(shown_pictures(root, references)) == [Shown(part, 0, 0), Shown(part, 60, 40)]
