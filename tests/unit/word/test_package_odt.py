"""Word files of another kind, OpenDocument, and files of both that are damaged at random."""

import random
import zipfile
from collections import Counter

import pytest

from datagen.record import SampleError
from datagen.word.file.package import opened
from tests.inputs.word import xml as xml
from tests.unit.word.test_package import docx, odt, png, reason


def test_the_fields_of_an_odt_show_what_they_showed_last(tmp_path):
    path = odt(
        tmp_path / "a.docx", '<text:p>kept <text:date text:date-value="1999-12-31" text:fixed="false">1999</text:date></text:p>'
    )
    package = opened(str(path))
    assert package.kind == "odt" and b'text:date-value="1999-12-31" text:fixed="true">1999' in package.parts["content.xml"]
    package.write(str(tmp_path / "b.odt"))
    with zipfile.ZipFile(tmp_path / "b.odt") as archive:
        assert archive.infolist()[0].filename == "mimetype" and archive.infolist()[0].compress_type == zipfile.ZIP_STORED


@pytest.mark.parametrize("part", ["content.xml", "META-INF/manifest.xml"])
def test_an_odt_without_its_main_parts_is_broken(tmp_path, part):
    path = odt(tmp_path / "a.odt")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name != part}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert reason(path) == "broken_zip"


def test_an_encrypted_odt_says_so(tmp_path):
    manifest = '<m:file-entry m:full-path="styles.xml"><m:encryption-data/></m:file-entry>'
    assert reason(odt(tmp_path / "a.odt", manifest=manifest)) == "encrypted"


def damaged(content: bytes, rng: random.Random) -> bytes:
    at, length = rng.randrange(len(content)), rng.randrange(1, 200)
    other = rng.choice([b"", rng.randbytes(9), content[at : at + length] * 2, content[: rng.randrange(len(content))]])
    return content[:at] + other + content[at + length * rng.randrange(2) :]


def test_a_file_damaged_at_random_has_a_reason_or_is_read(tmp_path):
    word = docx(
        tmp_path / "a.docx",
        xml.paragraph(xml.field("PAGE", "7"), xml.picture()),
        references=(("rIdPicture", "image", "media/a.png", False), ("rIdLink", "hyperlink", "https://example.org/", True)),
        word__media__a_dot_png=png(4, 4),
    )
    results = Counter()
    for original in (word, odt(tmp_path / "a.odt", "<text:p>words</text:p>")):
        with zipfile.ZipFile(original) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        for seed in range(150):
            rng = random.Random(seed)
            name = rng.choice(list(parts))
            with zipfile.ZipFile(tmp_path / "b", "w") as archive:
                for other, content in (parts | {name: damaged(parts[name], rng)}).items():
                    archive.writestr(other, content)
            if seed % 5 == 0:
                (tmp_path / "b").write_bytes(damaged((tmp_path / "b").read_bytes(), rng))
            try:
                package = opened(str(tmp_path / "b"))
                package.write(str(tmp_path / "c"))
                assert opened(str(tmp_path / "c")).parts == package.parts
                results["read"] += 1
            except SampleError as error:
                results[error.reason] += 1
    assert results["read"] > 20 and results["broken_xml"] > 20 and results["broken_zip"] > 5
    others = {"not_a_word_document", "unsafe_path", "entities", "encrypted", "zip_bomb"}
    assert set(results) <= {"read", "broken_xml", "broken_zip", *others}
