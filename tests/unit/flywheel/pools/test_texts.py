"""Text to typeset: where it comes from, and the lines it is cut into."""

import os
import time

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from datagen.disk.storage import Folder
from datagen.samples import declarations, documents, translations
from datagen.writing import scripts
from flywheel.pools import texts
from flywheel.pools.text_lines import clusters, cut
from tests.inputs.udhr import UDHR

KHMER = UDHR["Khmr"][1]
ARABIC = [f"{UDHR['Arab'][1]} {i}" for i in range(60)]


def test_lines_follow_from_text_and_seed_and_are_as_long_as_lines_of_documents():
    first, again, other = (cut(ARABIC, "Arab", 400, seed) for seed in (0, 0, 1))
    assert first == again != other
    assert len(set(first)) == len(first) == 400
    lengths = [len(line) for line in first]
    assert max(lengths) < 150 and sum(length > 36 for length in lengths) > 80 and sum(length < 16 for length in lengths) > 40


def test_digits_of_its_own_are_a_languages_that_uses_them():
    western = "".join(cut(["یک دو سه چهار پنج شش 12"] * 3 + [f"هفت {i} هشت" for i in range(30)], "Arab", 300, 0))
    own = "".join(cut([f"هفت ۱۲۳۴۵۶۷۸۹۰ هشت نه ده یازده {'آب ' * i}" for i in range(30)], "Arab", 300, 0))
    assert not set("۰۱۲۳۴۵۶۷۸۹") & set(western)
    assert set("۰۱۲۳۴۵۶۷۸۹") <= set(own)


def test_no_line_cuts_a_cluster():
    lines = cut([KHMER * 3], "Khmr", 200, 0)
    text = " ".join(KHMER.split())
    assert len(lines) > 20
    for line in lines:
        pieces = [word for word in line.split(" ") if any(scripts.script(char) == "Khmr" for char in word)]
        assert all(len(clusters("ក" + piece[0])) == 2 for piece in pieces), line
        assert all(piece[-1] != "\u17d2" for piece in pieces), line
    assert any(line in text for line in lines)


def test_text_in_another_script_and_rare_characters_are_left_out():
    assert cut(["Only English here, as in much of the help."], "Khmr", 100, 0) == []
    lines = cut([*ARABIC, f"{UDHR['Arab'][1]} \u6f22"], "Arab", 400, 0)
    assert lines and not any("\u6f22" in line for line in lines)


def test_a_folder_of_text_names_languages(tmp_path):
    (tmp_path / "km").mkdir()
    (tmp_path / "km" / "b.txt").write_text("ក\n\n ខ \n", encoding="utf-8")
    (tmp_path / "km" / "a.txt").write_text("\ufeffគ\n", encoding="utf-8")
    (tmp_path / "kmr.txt").write_text("Hemû mirov azad\n", encoding="utf-8")
    (tmp_path / "notes.md").write_text("no text")
    found = texts.languages(str(tmp_path))
    assert list(found) == ["km", "kmr"]
    assert texts.read(found["km"]) == ["គ", "ក", "ខ"]


@pytest.mark.parametrize(("name", "message"), [("not a language.txt", "names no language"), ("notes.md", "no text")])
def test_a_folder_that_names_no_language_is_refused(tmp_path, name, message):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ValueError, match=message):
        texts.languages(str(tmp_path))


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "km.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"km\.txt is no UTF-8 text"):
        texts.read([tmp_path / "km.txt"])
    with pytest.raises(ValueError, match="no such folder"):
        texts.languages(str(tmp_path / "missing"))


def test_lines_that_test_come_from_other_paragraphs_than_lines_that_train(monkeypatch):
    paragraphs = [" ".join(f"{UDHR['Geor'][1].split()[j % 9]}{'ა' * (i % 7)}" for j in range(i, i + 8)) for i in range(200)]
    monkeypatch.setattr(texts, "_missing", set())
    monkeypatch.setattr(texts, "PACKAGES", {"one": lambda lang: paragraphs, "none": broken})
    made = texts.gather("ka", "Geor", ["მომხმარებლის ტექსტი " * 9], ("none", "one"), 300, 0)
    assert made is not None
    assert made.paragraphs == {"given": 1, "one": 200}
    assert len(made.train) == 300 and made.held_out
    assert not set(made.train) & set(made.held_out)
    assert set("".join(made.held_out)) <= set("".join(made.train))
    assert any("მომხმარებლის" in line for line in made.train + made.held_out)


def broken(lang: str) -> list[str]:
    raise ValueError("could not be had")


def test_frozen_texts_come_back_and_changed_ones_are_refused(tmp_path):
    made = texts.gather("ar", "Arab", ARABIC, (), 100, 0)
    file = texts.TextFile.write(Folder(str(tmp_path)), made)
    assert file.read() == made
    (tmp_path / "ar.json").write_text("{}")
    with pytest.raises(ValueError, match="other text"):
        file.read()


def test_messages_are_text_without_keys_and_placeholders(tmp_path):
    catalogue = Catalog()
    for number, text in enumerate(["_ფაილი", "ნახვა (_V)", "%1 გვერდი", "<b>ძალიან</b>", "ერთი\nორი"]):
        catalogue.add(str(number), text)
    with open(tmp_path / "sw.mo", "wb") as file:
        write_mo(file, catalogue)
    assert list(translations._messages(tmp_path)) == ["ფაილი", "ნახვა V", "ერთი", "ორი"]


def test_the_help_gives_its_paragraphs_and_not_its_menus(tmp_path):
    page = tmp_path / "help/km/text/a.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>Menu</p><div id='DisplayArea'><h1>ក ខ</h1><p>គ <b>ឃ</b>\nង</p></div>", encoding="utf-8")
    assert list(translations._help(tmp_path)) == ["ក ខ", "គ ឃ ង"]


def test_a_package_that_is_not_there_gives_nothing_and_a_word_in_the_log(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(documents.shutil, "which", lambda name: name)
    asked = []
    monkeypatch.setattr(documents, "download", lambda name, folder: asked.append(name) or f"E: Unable to locate package {name}")
    with caplog.at_level("INFO"):
        assert translations.paragraphs("qqq") == []
    assert "there is no such package: libreoffice-l10n-qqq" in caplog.text
    assert translations.paragraphs("qqq") == [] and len(asked) == 2  # the translations and the help, once
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(tmp_path / "pagewheel/translations/libreoffice-l10n-qqq.missing", (two_days_ago, two_days_ago))
    assert translations.paragraphs("qqq") == [] and len(asked) == 3


def test_without_a_network_packages_are_asked_once(tmp_path, monkeypatch, caplog):
    asked = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(texts, "_missing", set())
    monkeypatch.setattr(documents.shutil, "which", lambda name: name)
    monkeypatch.setattr(documents, "download", lambda name, folder: asked.append(name) or "E: Could not resolve the host")
    for lang in ("ka", "km"):
        assert texts.gather(lang, "Geor", [], ("libreoffice",), 100, 0) is None
    assert asked == ["libreoffice-l10n-ka"]
    assert "no text from libreoffice: libreoffice-l10n-ka could not be had from Debian: E: Could not resolve" in caplog.text


def test_declarations_of_a_language_are_its_own_or_those_of_its_regions(tmp_path, monkeypatch):
    folder = tmp_path / "pagewheel/udhr@6.0.0/declaration"
    folder.mkdir(parents=True)
    for code, lang, text in (("a", "el", "ά"), ("b", "el-polyton", "ᾶ"), ("c", "kg-AO", "k")):
        (folder / f"{code}.html").write_text(f'<html data-code="{code}" lang="{lang}"><p>{text}</p></html>', encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    declarations._languages.cache_clear()
    try:
        assert [declarations.paragraphs(lang) for lang in ("el", "kg", "qqq")] == [["ά"], ["k"], []]
    finally:
        declarations._languages.cache_clear()
