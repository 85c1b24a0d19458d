"""MediaWiki's messages as text: without markup, by language; and CLDR's names."""

import json

import pytest

from datagen.samples import cldr
from datagen.samples.wiki_messages import _by_language, _lines


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        ("ᥔᥩᥐ ᥞᥣᥴ", ["ᥔᥩᥐ ᥞᥣᥴ"]),
        ("<b>Two</b> words\nand a line", ["Two words", "and a line"]),
        ("See [[Help:Contents|the help]] or [https://example.org there]", ["See the help or there"]),
        ("{{PLURAL:$1|one|{{a|b}}}} file of $2", ["file of"]),
        ("'''Bold''' &nbsp;words:", ["Bold words"]),
    ],
)
def test_lines_of_a_message(message, lines):
    assert list(_lines(message)) == lines


def test_messages_by_language_each_once(tmp_path):
    folder = tmp_path / "usr/share/mediawiki/languages/i18n/exif"
    folder.mkdir(parents=True)
    (folder / "tdd.json").write_text(
        json.dumps({"@metadata": {"authors": ["A"]}, "a": "ᥔᥩᥐ ᥞᥣᥴ", "b": "ᥔᥩᥐ ᥞᥣᥴ", "c": ["no text"]})
    )
    (folder / "qqq.json").write_text(json.dumps({"a": "a note for translators"}))
    (folder / "got.json").write_text("{ no json")
    assert {code: list(of) for code, of in _by_language(tmp_path).items()} == {"tdd": ["ᥔᥩᥐ ᥞᥣᥴ"]}


def test_names_of_cldr_are_texts_and_no_patterns():
    names = cldr.paragraphs("or")
    assert "ଓଡ଼ିଆ" in names and len(names) == len(set(names)) > 500
    assert not any("{" in name for name in names)
    assert cldr.paragraphs("no-such-language") == []
    assert isinstance(cldr.paragraphs("el-polyton"), list)  # CLDR writes EL_POLYTON
