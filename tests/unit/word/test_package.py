import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from datagen.record import SampleError
from datagen.word.file.package import Bounds, Package, opened
from datagen.word.file.package_docx import related
from tests.inputs.word import xml as xml

SECTION = xml.section()
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def reason(path: Path, bounds: Bounds = Bounds()) -> str:  # noqa: B008
    with pytest.raises(SampleError) as error:
        opened(str(path), bounds)
    return error.value.reason


def relationships(*references: tuple[str, str, str, bool]) -> bytes:
    """The references of the main part: id, kind, target, whether it lies elsewhere."""
    inside = "".join(
        f'<Relationship Id="{name}" Type="{_RELS}/{kind}" Target="{target}" TargetMode="{"External" if out else "Internal"}"/>'
        for name, kind, target, out in references
    )
    return f'{_HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{inside}</Relationships>'.encode()


def docx(path: Path, *body: str, references: tuple[tuple[str, str, str, bool], ...] = (), **more: bytes) -> Path:
    members = {name.replace("__", "/").replace("_dot_", "."): content for name, content in more.items()}
    if references:
        members["word/_rels/document.xml.rels"] = relationships(*references)
    return xml.write_docx(path, "".join(body) + SECTION, more=members)


def packed(path: Path, change: Callable[[bytes], bytes] = bytes) -> Path:
    """The same parts, changed and compressed."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: change(archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def text_of(package: Package, name: str = "word/document.xml") -> str:
    return "".join(package.xml(name).itertext())


def png(width: int, height: int) -> bytes:
    """The head of an image of this size, and no pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


# What isn't opened


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "empty_file"), (b"<html>a page of the web", "not_a_word_document"), (OLE + bytes(600), "broken_file")],
)
def test_what_is_no_word_document_says_so(tmp_path, content, why):
    (tmp_path / "a.doc").write_bytes(content)
    assert reason(tmp_path / "a.doc") == why


def test_a_member_with_a_password_is_encrypted(tmp_path):
    path = docx(tmp_path / "a.docx", xml.paragraph(xml.run("a")))
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x01\x02")  # the last member's entry in the directory; its flags are 8 bytes on
    content[at + 8] |= 1
    path.write_bytes(content)
    assert reason(path) == "encrypted"


def test_bombs_are_told_by_what_they_announce(tmp_path):
    path = packed(docx(tmp_path / "a.docx", xml.paragraph(xml.run("a")), word__media__big_dot_bin=bytes(20 << 20)))
    assert reason(path) == "zip_bomb"
    assert reason(path, Bounds(max_unpacked_bytes=1 << 20)) == "zip_bomb"
    assert reason(path, Bounds(max_parts=3)) == "zip_bomb"
    assert reason(path, Bounds(max_bytes=100)) == "too_big"


def test_a_bomb_that_announces_less_than_it_holds_is_broken(tmp_path):
    path = packed(docx(tmp_path / "a.docx", xml.paragraph(xml.run("a")), word__media__big_dot_bin=bytes(50 << 20)))
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<I", 50 << 20), struct.pack("<I", 5)))
    assert reason(path) == "broken_zip"


def test_a_zip_within_the_file_stays_packed_and_goes(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(200 << 20))
    references = (("rId9", "package", "embeddings/inner.zip", False),)
    path = docx(
        tmp_path / "a.docx", xml.paragraph(xml.run("a")), references=references, word__embeddings__inner_dot_zip=inner.getvalue()
    )
    package = opened(str(path))
    assert "word/embeddings/inner.zip" not in package.parts and package.signs == {"cut_embedded_package": 1}


def test_images_too_large_to_draw_are_bombs(tmp_path):
    one = docx(
        tmp_path / "one.docx",
        references=(("rIdPicture", "image", "media/a.png", False),),
        word__media__a_dot_png=png(60_000, 60_000),
    )
    assert reason(one) == "image_bomb"
    many = docx(
        tmp_path / "many.docx",
        references=tuple((f"rId{n}", "image", f"media/{n}.png", False) for n in range(20)),
        **{f"word__media__{n}_dot_png": png(9_000, 9_000) for n in range(20)},
    )
    assert reason(many) == "image_bomb"


def test_broken_files_say_what_is_broken(tmp_path):
    good = docx(tmp_path / "good.docx", xml.paragraph(xml.run("a"))).read_bytes()
    (tmp_path / "cut.docx").write_bytes(good[: len(good) // 2])
    assert reason(tmp_path / "cut.docx") == "broken_zip"
    assert reason(docx(tmp_path / "xml.docx", word__document_dot_xml=b"<w:document><w:body>")) == "broken_xml"
    deep = f'<w:document xmlns:w="{xml.W}"><w:body>{"<w:tbl>" * 5000}{"</w:tbl>" * 5000}</w:body></w:document>'.encode()
    assert reason(docx(tmp_path / "deep.docx", word__document_dot_xml=deep)) == "broken_xml"
    assert reason(docx(tmp_path / "path.docx", **{"word__..__..__..__x": b"x"})) == "unsafe_path"


def declaring(path: Path, declared: str, text: str) -> Path:
    body = f"<w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body>"
    document = f'<!DOCTYPE w:document {declared}><w:document xmlns:w="{xml.W}">{body}</w:document>'
    return docx(path, word__document_dot_xml=document.encode())


@pytest.mark.parametrize("declared", ['<!ENTITY a "b">', '<!ENTITY a SYSTEM "file:///etc/hostname">'])
def test_entities_are_refused(tmp_path, declared):
    assert reason(declaring(tmp_path / "a.docx", f"[{declared}]", "&a;")) == "entities"
    assert reason(declaring(tmp_path / "b.docx", f"[{declared}]", "a")) == "entities"
    assert reason(declaring(tmp_path / "c.docx", 'SYSTEM "file:///tmp/a.dtd"', "&a;")) in ("entities", "broken_xml")


def test_entities_that_swell_cost_nothing(tmp_path):
    lines = '<!ENTITY a0 "lol">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    document = f'<!DOCTYPE w [{lines}]><w:document xmlns:w="{xml.W}" w:x="&a11;"><w:body/></w:document>'.encode()
    assert reason(docx(tmp_path / "a.docx", word__document_dot_xml=document)) == "entities"


# What is cut out


def test_what_lies_elsewhere_is_cut_out_and_hyperlinks_stay(tmp_path):
    settings = f'<w:settings xmlns:w="{xml.W}" xmlns:r="{_RELS}"><w:attachedTemplate r:id="rId1"/></w:settings>'
    link = f'<w:hyperlink r:id="rIdLink">{xml.run("our site")}</w:hyperlink>'
    path = docx(
        tmp_path / "a.docx",
        xml.paragraph(link, xml.picture().replace('r:embed="rIdPicture"', 'r:link="rIdImage"')),
        xml.paragraph('<w:subDoc r:id="rIdSub"/>', xml.run("behind")),
        '<w:altChunk r:id="rIdChunk"/>',
        references=(
            ("rIdLink", "hyperlink", "https://example.org/", True),
            ("rIdImage", "image", "https://example.org/image.png", True),
            ("rIdSub", "subDocument", "file:///other.docx", True),
            ("rIdChunk", "aFChunk", "chunk.html", False),
            ("rIdMacro", "vbaProject", "vbaProject.bin", False),
            ("rIdControl", "control", "activeX/activeX1.xml", False),
            ("rIdSettings", "settings", "settings.xml", False),
        ),
        word__chunk_dot_html=b"<p>chunk</p>",
        word__vbaProject_dot_bin=b"macros",
        word__activeX__activeX1_dot_xml=b"<a/>",
        word__settings_dot_xml=settings.encode(),
        word___rels__settings_dot_xml_dot_rels=relationships(("rId1", "attachedTemplate", "https://example.org/t.dotm", True)),
    )
    package = opened(str(path))
    package.write(str(tmp_path / "clean.docx"))
    with zipfile.ZipFile(tmp_path / "clean.docx") as archive:
        names = archive.namelist()
        everything = b"".join(map(archive.read, names))
    assert everything.count(b"example.org") == 1 and b"macros" not in everything and b"file:///" not in everything
    assert not [name for name in names if "vba" in name or "activeX" in name or "chunk" in name]
    for element in (b"r:link", b"altChunk", b"subDoc", b"attachedTemplate"):
        assert element not in everything
    assert text_of(package) == "our sitebehind"
    assert related(package.parts, "word/document.xml")["rIdLink"] == ("hyperlink", "https://example.org/")
    assert package.signs == {
        "cut_external_image": 1,
        "cut_external_subDocument": 1,
        "cut_external_attachedTemplate": 1,
        "cut_embedded_aFChunk": 1,
        "cut_embedded_vbaProject": 1,
        "cut_embedded_control": 1,
    }
    again = opened(str(tmp_path / "clean.docx"))
    assert again.parts == package.parts and again.signs == {}


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        ("docm", b"vnd.ms-word.document.macroEnabled.main+xml"),
        ("dotx", b"vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml"),
        ("dotm", b"vnd.ms-word.template.macroEnabledTemplate.main+xml"),
    ],
)
def test_a_template_or_a_document_with_macros_becomes_one_without(tmp_path, suffix, kind):
    path = docx(tmp_path / "a.docx", xml.paragraph(xml.run("a")))
    with zipfile.ZipFile(path) as archive:
        usual = b"vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
        content = archive.read("[Content_Types].xml").replace(usual, kind)
    path = docx(tmp_path / f"b.{suffix}", xml.paragraph(xml.run("a")), **{"[Content_Types]_dot_xml": content})
    types = opened(str(path)).parts["[Content_Types].xml"]
    assert usual in types and kind not in types


@pytest.mark.parametrize("content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe-3.0 EPSF-3.0", b"\x1f\x8b\x08"])
def test_images_that_name_files_or_run_programs_are_cut_out(tmp_path, content):
    path = docx(
        tmp_path / "a.docx",
        xml.paragraph(xml.picture()),
        references=(("rIdPicture", "image", "media/a.png", False),),
        word__media__a_dot_png=content,
    )
    package = opened(str(path))
    assert package.signs == {"cut_embedded_image": 1} and "word/media/a.png" not in package.parts
    assert b"r:embed" not in package.parts["word/document.xml"]


@pytest.mark.parametrize(
    "code", ["INCLUDETEXT file:///etc/hostname", "dde excel x y", "DATE", 'IncludePicture "http://example.org/a.png"']
)
def test_what_cut_fields_showed_stays_as_text(tmp_path, code):
    half = len(code) // 2
    split = xml.field(code, "shown").replace(f" {code} ", f" {code[:half]}</w:instrText><w:instrText>{code[half:]} ")
    simple = f'<w:fldSimple w:instr="{code.replace(chr(34), "&quot;")}">{xml.run("simply")}</w:fldSimple>'
    page = xml.field("PAGE", "7")
    package = opened(
        str(docx(tmp_path / "a.docx", xml.paragraph(xml.run("a "), split, xml.run(" b "), simple, xml.run(" "), page)))
    )
    root = package.xml("word/document.xml")
    assert text_of(package) == "a shown b simply  PAGE 7"
    assert len(list(root.iter("{*}fldChar"))) == 3 and sum(package.signs.values()) == 2


def test_a_field_within_a_calling_fields_instruction_goes_with_it(tmp_path):
    inner = xml.field("MERGEFIELD x", "inner")
    marks = [f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")]
    outer = f"{marks[0]}<w:r><w:instrText>LINK </w:instrText></w:r>{inner}{marks[1]}{xml.run('shown')}{marks[2]}"
    within = f"{marks[0]}<w:r><w:instrText>IF </w:instrText></w:r>{marks[1]}{xml.field('DDE a b', 'yes')}{marks[2]}"
    split = [f"<w:r><w:instrText>{part}</w:instrText></w:r>" for part in ("INCLUDE", "TEXT a")]
    hidden = f"{marks[0]}{split[0]}{xml.field('DATE', '')}{split[1]}{marks[1]}{marks[2]}"  # one word, once the DATE is gone
    package = opened(str(docx(tmp_path / "a.docx", xml.paragraph(outer, xml.run(" "), within, hidden))))
    assert text_of(package) == "shown IF yes"
    assert package.signs == {"cut_field_LINK": 1, "cut_field_DDE": 1, "cut_field_DATE": 1, "cut_field_INCLUDETEXT": 1}


def test_the_strict_kind_is_read_as_the_usual_one(tmp_path):
    def strict(content: bytes) -> bytes:
        for kind in (b"officeDocument", b"wordprocessingml"):
            content = content.replace(b"http://schemas.openxmlformats.org/%s/2006" % kind, b"http://purl.oclc.org/ooxml/" + kind)
        return content

    path = packed(docx(tmp_path / "a.docx", xml.paragraph(xml.run("strictly"))), strict)
    with zipfile.ZipFile(path) as archive:
        assert b"http://purl.oclc.org/ooxml/wordprocessingml/main" in archive.read("word/document.xml")
    package = opened(str(path))
    assert [p.tag for p in package.xml("word/document.xml").iter(f"{{{xml.W}}}p")] and text_of(package) == "strictly"


def odt(path: Path, body: str = "", manifest: str = "", **more: bytes) -> Path:
    office = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<office:document-content xmlns:office="{office}:office:1.0" xmlns:text="{office}:text:1.0" '
        f'xmlns:draw="{office}:drawing:1.0" xmlns:script="{office}:script:1.0" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f"<office:scripts/><office:body><office:text>{body}</office:text></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.text"
    types = {"/": kind, "content.xml": "text/xml"} | dict.fromkeys(more, "")
    entries = "".join(f'<m:file-entry m:full-path="{name}" m:media-type="{of}"/>' for name, of in types.items())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{office}:manifest:1.0">{entries}{manifest}</m:manifest>')
        for name, part in more.items():
            archive.writestr(name, part)
    return path
