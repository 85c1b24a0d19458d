"""The table of engines and their life in a process; the embedded ones on lines that the tests draw."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
from PIL import Image, ImageDraw, ImageFont

from datagen.engines import ENGINES, MOST_OPEN, Choice, Engines, merged, ppocr, tesseract, wheels
from datagen.work.specification import describe

SANS = "DejaVuSans.ttf"


def drawn(*lines: str, size: tuple[int, int] = (800, 400)) -> numpy.ndarray:
    image = Image.new("RGB", size, "white")
    for i, line in enumerate(lines):
        ImageDraw.Draw(image).text((60, 50 + 80 * i), line, "black", ImageFont.truetype(SANS, 30))
    return numpy.asarray(image)


def test_the_embedded_alphabet_is_read_from_the_model():
    known = ppocr.alphabet()
    assert len(known) > 18_000
    assert set("abcXYZ019漢字かな") <= known
    assert not set("жщїўђ") & known
    assert ppocr.alphabet_share({"a": 3, "ж": 1}) == 0.75
    assert ppocr.alphabet_share({}) == 1.0


def test_the_detector_is_opened_without_torch_and_with_the_package_s_weights_without_paddleocr():
    """PaddleOCR imports clients of model hubs, and one of them torch, transformers and peft: five of seven seconds."""
    code = (
        "import sys, numpy; from datagen.engines import ppocr; image = numpy.full((64, 64, 3), 255, numpy.uint8);"
        "assert ppocr.TextDetector().detect([image]) == [[]] and ppocr.TextReader().read([image]);"
        "print(*sorted({'paddleocr', 'paddlex', 'matplotlib', 'pandas', 'requests'} & set(sys.modules)));"
        "folder = ppocr.as_folder(ppocr.DETECTOR, ppocr.detection_yml(960, 0.6));"
        "opened = ppocr._named('TextDetection', folder.name, 1, 'cpu');"
        "assert len(list(opened.predict(image))) == 1;"
        "print(*sorted({'torch', 'transformers', 'peft', 'modelscope'} & set(sys.modules)));"
        "from paddlex.inference.utils import official_models;"
        "import modelscope; print(modelscope is not official_models.modelscope, callable(modelscope.snapshot_download))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-3:] == ["", "", "True True"]


class Counting:
    """An engine that counts how often it is opened and closed."""

    opened, closed = 0, 0

    def __init__(self, size: int = 1):
        Counting.opened += 1
        self.size = size

    def versions(self) -> dict[str, str]:
        return {"counting": str(self.size)}

    def close(self) -> None:
        Counting.closed += 1


@pytest.fixture
def counting(monkeypatch):
    monkeypatch.setitem(ENGINES, "counting", "tests.unit.engines.test_engines:Counting")
    monkeypatch.setattr(Counting, "opened", 0)
    monkeypatch.setattr(Counting, "closed", 0)


def test_a_choice_opens_the_engine_of_its_settings_and_says_what_a_worker_needs(counting, monkeypatch):
    chosen = Choice.of("counting", size=4)
    assert chosen == Choice("counting", (("size", 4),))
    with Engines() as engines:
        assert chosen.opened(engines) is engines.get("counting", size=4)
    assert chosen.versions() == {"counting": "4"}
    assert chosen.gpus == 0
    monkeypatch.setattr(Counting, "gpus", 1, raising=False)
    assert (chosen.gpus, Choice.of("counting", size=4, device="cpu").gpus) == (1, 0)


def test_what_a_choice_is_described_by_is_what_decides_and_not_how_it_is_reached(tmp_path):
    served = Choice.of("server", kind="text", url="http://gpu-1:8000/v1", model="m", together=64, timeout_s=5.0, max_tokens=9)
    assert describe(served) == ["server", [["kind", "text"], ["max_tokens", 9], ["model", "m"]]]
    assert describe(Choice.of("ppocr", model=str(tmp_path), batch_size=2)) == ["ppocr", [["batch_size", 2]]]
    assert describe(Choice.of("ppocr", model="PP-OCRv5_server_rec")) == ["ppocr", [["model", "PP-OCRv5_server_rec"]]]
    assert merged([{"a": "1", "b": "1"}, {"a": "2"}, {"a": "1"}]) == {"a": "1, 2", "b": "1"}


def test_the_engine_that_was_asked_for_longest_ago_is_closed_when_there_are_many_of_its_name(counting):
    with Engines() as engines:
        other = engines.get("tesseract")
        opened = [engines.get("counting", size=size) for size in range(MOST_OPEN)]
        assert engines.get("counting", size=0) is opened[0] and Counting.closed == 0
        engines.get("counting", size=MOST_OPEN)
        assert Counting.closed == 1
        assert engines.get("counting", size=0) is opened[0]
        assert engines.get("counting", size=1) is not opened[1]
        assert engines.get("tesseract") is other


def test_a_name_that_is_not_in_the_table_is_refused():
    with pytest.raises(ValueError, match="engine 'somebody': allowed are ppocr, "):
        Engines().get("somebody")


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("ppocr", "paddlex"),
        ("compact", "torch"),
        pytest.param("pp-formulanet", "ftfy", marks=pytest.mark.slow),
    ],
)
def test_an_engine_without_its_package_says_what_to_install(name, package):
    """In a process of its own, where the package was never imported; the rest of the table still loads."""
    code = f"""
import sys, numpy
sys.modules[{package!r}] = None
from datagen.engines import Engines
image = numpy.zeros((64, 64, 3), numpy.uint8)
Engines().get("tesseract")
engine = Engines().get({name!r}, **({{"folder": "none"}} if {name!r} == "compact" else {{}}))
engine.read([image[:, :, 0]]) if hasattr(engine, "read") else engine.detect([image])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    needs = "ppocr" if name.startswith("ppocr") else name
    assert run.stderr.splitlines()[-1] == (
        f"ImportError: engine {needs} needs {package}, which is not installed: pip install {package}"
    )


def test_lines_of_any_script_are_found_from_top_to_bottom():
    image = drawn("Все люди рождаются", "Όλοι οι άνθρωποι", "All human beings")
    with Engines() as engines:
        lines, nothing = engines.get("ppocr-detector").detect([image, drawn()])
    assert nothing == []
    assert len(lines) == 3
    tops = [min(y for _, y in quad) for quad, _ in lines]
    assert tops == sorted(tops)
    for i, (quad, score) in enumerate(lines):
        assert 0.5 < score <= 1
        assert min(y for _, y in quad) < 65 + 80 * i < max(y for _, y in quad)


def test_a_detector_of_pp_ocr_is_opened_from_a_folder(tmp_path):
    (tmp_path / "inference.onnx").symlink_to(wheels.weights("rapidocr", f"models/{ppocr.DETECTOR}"))
    with pytest.raises(ValueError, match="is no detector of PP-OCR: inference"):
        ppocr.TextDetector(model=str(tmp_path))
    (tmp_path / "inference.yml").write_text(json.dumps(ppocr.detection_yml(960, ppocr.SURE_LINE)))
    image = drawn("All human beings", "are born free")
    with Engines() as engines:
        named = engines.get("ppocr-detector", model=str(tmp_path))
        assert named.detect([image]) == engines.get("ppocr-detector").detect([image])
        assert named.versions().keys() >= {"ppocr-detector/inference.onnx", "ppocr-detector/inference.yml"}


@pytest.mark.parametrize("batch_size", [1, 3])
def test_lines_are_read_as_paddleocr_reads_them(batch_size):
    folder = ppocr.as_folder(ppocr.RECOGNISER, ppocr.recognition_yml())
    whole = drawn("All human beings are born free and equal in dignity", "in dignity", "and rights")
    crops = [whole[40 + 80 * i : 100 + 80 * i, 40 : 40 + width] for i, width in enumerate((800, 300, 301))]
    with Engines() as engines:
        readings = engines.get("ppocr", model=folder.name, batch_size=batch_size).read(crops)
        assert engines.get("ppocr", batch_size=batch_size).read(crops) == readings
    assert [text.replace(" ", "") for text, _ in readings][1:] == ["indignity", "andrights"]


@pytest.mark.parametrize(("engine", "method"), [("ppocr", "read"), ("ppocr-detector", "detect")])
def test_a_model_that_paddleocr_does_not_have_is_refused(engine, method):
    with Engines() as engines, pytest.raises(ValueError, match="PaddleOCR opens no model 'PP-OCRv0_no'"):
        getattr(engines.get(engine, model="PP-OCRv0_no"), method)([drawn("a")[:, :, 0] if method == "read" else drawn("a")])


def crops(lines: list[str]) -> list[numpy.ndarray]:
    return [numpy.asarray(Image.fromarray(drawn(line, size=(700, 140))).convert("L"))[40:100] for line in lines]


def test_the_embedded_reader_reads_latin_with_no_download_and_again_after_it_was_closed():
    reader = ppocr.TextReader()
    for _ in range(2):
        ((text, score),) = reader.read(crops(["All human beings are born free"]))
        assert (text.replace(" ", ""), score > 0.9) == ("Allhumanbeingsarebornfree", True)
        reader.close()


@pytest.mark.slow
def test_what_the_embedded_reader_reads_does_not_depend_on_the_lines_beside_it():
    lines = crops(["born free", "equal in dignity and rights", "and"])
    images = [*lines, numpy.repeat(lines[0][:, :, None], 3, 2)]
    reader = ppocr.TextReader(batch_size=4)
    together = reader.read([image[:, : 60 * (n + 4)] for n, image in enumerate(images)])
    assert together == [reader.read([image[:, : 60 * (n + 4)]])[0] for n, image in enumerate(images)]
    assert together[0][0].replace(" ", "") == "bornfree" == ppocr.TextReader().read(images[3:])[0][0].replace(" ", "")


def test_the_embedded_classifier_tells_lines_that_are_upside_down():
    upright = [numpy.repeat(crop[:, :400, None], 3, 2) for crop in crops(["All human beings", "are born free"])]
    with Engines() as engines:
        angles = engines.get("line-angle").turned([*upright, *(crop[::-1, ::-1] for crop in upright)])
        assert engines.get("line-angle").versions()
    assert max(angles[:2]) < 0.1 and min(angles[2:]) > 0.9


@pytest.mark.skipif(not tesseract.language("el"), reason="Tesseract's Greek is not installed: apt-get install tesseract-ocr-ell")
def test_what_tesseract_reads_depends_on_the_line_alone():
    lines = ["Όλοι οι άνθρωποι", "All human beings", "γεννιούνται ελεύθεροι", "(2.1)", "Όλοι οι άνθρωποι"]
    one, several = tesseract.Tesseract(), tesseract.Tesseract(workers=3)
    forward = one.read(crops(lines), "el")
    assert [text for text, _ in forward] == lines
    assert one.read(crops(lines)[::-1], "el") == forward[::-1]
    assert several.read(crops(lines), "el") == forward
    assert several.read([], "el") == []
    one.close()
    assert one.read(crops(lines[:1]), "el") == forward[:1]


def test_tesseract_with_data_that_cannot_be_loaded_raises(monkeypatch, tmp_path):
    """What it reads decides verdicts, so that a page without its answer would be another page."""
    tmp_path.joinpath("rus.traineddata").write_bytes(b"no data")
    monkeypatch.setattr(tesseract, "_data_folder", lambda: tmp_path)
    monkeypatch.setattr(tesseract, "_installed", lambda: frozenset({"rus"}))
    with pytest.raises(RuntimeError, match="init"):
        tesseract.Tesseract().read(crops(["мир"]), "ru")


def test_setup_installs_the_languages_that_tesseract_is_asked_in():
    makefile = Path(__file__).parents[3].joinpath("Makefile").read_text().replace("\\\n", " ")
    (listed,) = re.findall(r"addprefix tesseract-ocr-,([a-z\s-]+)\)", makefile)
    asked = {*tesseract._NAMES.values(), *tesseract._SECOND_NAMES.values(), *tesseract._WHOLE_NAMES.values()}
    packages = {tesseract._package(name) for name in asked - {"eng"}}  # English comes with Tesseract
    assert sorted(listed.split()) == sorted(packages)


@pytest.mark.parametrize(
    ("installed", "lang", "script", "first", "second"),
    [
        ("eng deu", "de", "Latn", "", "de"),
        ("eng deu", "sv", "Latn", "", "en"),
        ("eng deu Latin", "et", "Latn", "", "und-Latn"),
        ("eng deu Latin", "und", "Latn", "", "und-Latn"),
        ("chi_sim", "und", "Hani", "", "zh"),
        ("chi_sim", "zh-Hans", "Hans", "", "zh-Hans"),
        ("chi_tra", "zh-Hant", "Hant", "", "zh-Hant"),
        ("eng", "ja", "Jpan", "", ""),
        ("rus", "ru", "Cyrl", "ru", "ru"),
        ("hin mar", "mr", "Deva", "mr", "mr"),
        ("hin mar", "und", "Deva", "hi", "hi"),
        ("hin mar", "und", "Cyrl", "", ""),
        ("hin mar", "th", "Thai", "", ""),
        ("san", "sa", "Deva", "sa", "sa"),
        ("mon", "mn", "Cyrl", "mn", "mn"),
    ],
)
def test_the_language_in_which_a_script_is_read(monkeypatch, installed, lang, script, first, second):
    monkeypatch.setattr(tesseract, "_installed", lambda: frozenset(installed.split()))
    assert (tesseract.reads(lang, script), tesseract.second_language(lang, script)) == (first, second)


@pytest.mark.parametrize(("lang", "script"), [("sa-Gran", "Gran"), ("mn-Mong", "Mong")])
def test_tesseract_reads_no_script_that_its_data_lack(monkeypatch, lang, script):
    monkeypatch.setattr(tesseract, "_installed", lambda: frozenset(("san", "mon")))
    assert tesseract.reads(lang, script) == ""


def test_a_language_without_data_is_named():
    assert tesseract.language("xx") == ""
    with pytest.raises(ValueError, match="tesseract has no data for xx"):
        tesseract.Tesseract().read([], "xx")
