"""Sample documents from a package that the test builds itself; only apt's download is stood in for, by copying that file."""

import gzip
import os
import re
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from datagen.inputs.formats import WORD
from datagen.samples import documents, word_documents
from datagen.samples.documents import DebianSamples, Package

PACKAGE = Package("guide", "GPL-2.0-only", ((r"install\.(\w+)\.pdf", ""),))

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb isn't installed")


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A .deb with two guides, one compressed, and a document that the pattern passes over; and the list of downloads made."""
    root = tmp_path / "guide"
    docs = root / "usr/share/doc/guide"
    docs.mkdir(parents=True)
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(
        "Package: guide\nVersion: 1.2-3\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: a guide\n"
    )
    (docs / "copyright").write_text("GPL-2")
    (docs / "other.pdf").write_bytes(b"%PDF-other")
    (docs / "install.ru.pdf").write_bytes(b"%PDF-ru")
    with gzip.open(docs / "install.zh_CN.pdf.gz", "wb") as file:
        file.write(b"%PDF-zh")
    with gzip.open(docs / "guide.docx.gz", "wb") as file:
        file.write(b"PK\3\4docx")
    for path in docs.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    deb = tmp_path / "guide_1.2-3_all.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", str(root), str(deb)], check=True, capture_output=True)
    downloads = []

    def download(name, folder):
        downloads.append(name)
        if name != "guide":
            return f"E: Unable to locate package {name}"
        shutil.copy(deb, folder)
        return ""

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(documents, "download", download)
    return downloads


def test_documents_carry_language_licence_and_the_packages_times(archive, tmp_path):
    samples = DebianSamples((PACKAGE,))
    assert samples.missing() == ["guide"]
    ru, zh = samples.items()
    assert samples.missing() == [] and samples.items() == [ru, zh] and archive == ["guide"]
    assert (ru.lang, ru.licence, zh.lang) == ("ru", "GPL-2.0-only", "zh-Hans")
    assert "guide_1.2-3/usr/share/doc/guide/install.zh_CN.pdf" in zh.uri
    with open(zh.uri, "rb") as file:
        assert file.read() == b"%PDF-zh"
    assert os.stat(zh.uri).st_mtime == os.stat(ru.uri).st_mtime == 1_700_000_000
    assert (tmp_path / "cache/pagewheel/debian/guide_1.2-3/copyright").read_text() == "GPL-2"


def test_runs_that_fetch_at_once_fetch_each_package_once(archive, monkeypatch):
    both_miss_it, waiting = threading.Barrier(2), documents.filelock.FileLock

    def lock(path):
        both_miss_it.wait(20)
        return waiting(path)

    monkeypatch.setattr(documents.filelock, "FileLock", lock)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda samples: samples.items(), [DebianSamples((PACKAGE,))] * 2)
    assert first == second and len(first) == 2 and archive == ["guide"]


def test_a_package_that_cannot_be_had_is_named_and_left_out(archive, caplog):
    both = DebianSamples((PACKAGE, Package("gone", "?", ((r"\.pdf", "en"),))))
    assert len(both.items()) == 2
    assert "gone could not be had from Debian: E: Unable to locate package gone" in caplog.text
    with pytest.raises(ValueError, match="input=DIR"):
        DebianSamples((Package("gone", "?", ((r"\.pdf", "en"),)),)).items()


def test_an_apt_that_fails_in_silence_is_named(tmp_path, monkeypatch):
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\nexit 3\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert documents.download("guide", str(tmp_path)) == "apt-get ended with 3"


def test_every_package_of_word_files_says_their_languages():
    for package in word_documents.PACKAGES:
        assert package.formats == WORD and package.licence
        for pattern, lang in package.documents:
            assert bool(lang) or re.compile(pattern).groups == 1, f"{package.name}: {pattern} names no language"
