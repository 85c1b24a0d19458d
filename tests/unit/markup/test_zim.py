"""ZIM archives in the census and in the reader, and how files of markup are told from others."""

from pathlib import Path

import pytest

from datagen.inputs.archive import Member, parse
from datagen.inputs.census import Listing
from datagen.inputs.formats import MARKUP, format_of
from datagen.inputs.local import fetched
from datagen.markup.documents.read import read
from datagen.record import SampleError
from datagen.sandbox.process import Limits
from tests.unit.markup.test_documents import png

writer = pytest.importorskip("libzim.writer")


class _Entry(writer.Item):
    def __init__(self, path: str, mimetype: str, content: bytes):
        super().__init__()
        self.path, self.mimetype, self.content = path, mimetype, content

    def get_path(self) -> str:
        return self.path

    def get_title(self) -> str:
        return self.path

    def get_mimetype(self) -> str:
        return self.mimetype

    def get_contentprovider(self) -> writer.ContentProvider:
        return writer.StringProvider(self.content)

    def get_hints(self) -> dict:
        return {writer.Hint.FRONT_ARTICLE: self.mimetype == "text/html"}


@pytest.fixture
def wiki(tmp_path: Path) -> str:
    path = tmp_path / "wiki.zim"
    article = (
        '<html lang="my"><head><link rel="stylesheet" href="../-/s.css"></head><body><div id="mw-content-text"><p>မြန်မာ '
        '<img src="../I/red.png"><img src="../I/none.png"><img src="http://x.example/a.png"></p></div></body></html>'
    )
    with writer.Creator(path).config_indexing(False, "mya") as creator:
        creator.set_mainpath("A/Main page")
        creator.add_item(_Entry("A/Main page", "text/html", article.encode()))
        creator.add_item(_Entry("A/ဝီကီ", "text/html", article.encode()))
        creator.add_item(_Entry("-/s.css", "text/css", b"p{background:url(../I/red.png)}"))
        creator.add_item(_Entry("I/red.png", "image/png", png()))
        creator.add_redirection("A/Old", "Old", "A/Main page", {})
    return str(path)


def test_each_article_is_an_item(wiki):
    items = list(Listing(wiki, MARKUP).items())
    assert [item.uri for item in items] == [
        f"zim://A/%E1%80%9D%E1%80%AE%E1%80%80%E1%80%AE::{wiki}",
        f"zim://A/Main%20page::{wiki}",
    ]
    assert parse(items[0].uri) == Member("zim", "A/ဝီကီ", wiki)
    assert all(item.etag for item in items)
    assert [item.uri for item in Listing(str(Path(wiki).parent), MARKUP).items()] == [item.uri for item in items]
    with pytest.raises(ValueError, match="no PDF"):  # other recipes pass such a file over
        Listing(str(Path(wiki).parent), ("pdf",)).items()


def test_an_article_is_fetched_as_other_members(wiki):
    with fetched(f"zim://A/Main%20page::{wiki}", MARKUP, 1 << 20, Limits()) as (path, format):
        assert format.name == "html"
        assert "မြန်မာ" in Path(path).read_text()
    for name, reason in (("A/Old", "redirect"), ("A/None", "not_found"), ("I/red.png", "not_html")):
        with pytest.raises(SampleError, match=reason), fetched(f"zim://{name}::{wiki}", MARKUP, 1 << 20, Limits()):
            pass


def test_an_article_has_the_images_of_its_archive(wiki):
    page = read(wiki, "zim", "", None, "A/Main page")
    assert page.lang == "my"
    assert page.html.count('<img src="data:image/png') == 1
    assert page.css.startswith('p{background:url("data:image/png')
    assert page.left_out == {"image_missing": 1, "image_remote": 1}


def test_a_broken_archive_is_a_counted_loss(tmp_path, wiki):
    broken = tmp_path / "broken.zim"
    broken.write_bytes(Path(wiki).read_bytes()[:500])
    assert [item.uri for item in Listing(str(broken), MARKUP).items()] == [str(broken)]
    with pytest.raises(SampleError, match="broken_archive"):
        read(str(broken), "zim", "", None, "A/Main page")


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\xef\xbb\xbf <!-- c --><!DOCTYPE html><p>", "html"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x">\n<html xmlns="y">', "html"),
        ("<html>".encode("utf-16"), "html"),
        (b"<h1 align=center>Name</h1>\n\nText", "markdown"),
        (b"# Name", "markdown"),
        (b"PK\3\4...", "epub"),
        (b"<?xml version='1.0'?><svg/>", None),
        (b"\0\0", None),
    ],
)
def test_formats_of_markup(head, name):
    format = format_of(head, MARKUP)
    assert (format.name if format else None) == name
