"""Engines by name in a run: a model behind a server gives the pages of a dataset their regions, and a run that is made again, or
with other engines, says so."""

import json
from pathlib import Path

import pytest

from datagen.coarse.source import PdfSource
from datagen.disk.storage import Folder
from datagen.engines import Choice, ppocr, wheels
from datagen.fine.read_pages import ReadPages
from datagen.inputs.census import Listing
from datagen.work.pipeline import Pipeline
from recipes.__main__ import main
from recipes.recipe import Recipe, Report
from recipes.run.execute import Place, run
from tests.chat_server import fails, says, serving
from tests.inputs import pdfs
from tests.inputs.picture_files import image
from tests.outputs import check_corpus, dataset_samples
from tests.unit.engines.test_server_engine import GROUNDED


def recipe(folder: Path, engine: Choice) -> Recipe:
    pages = Pipeline("fine", Listing(str(folder)), PdfSource(long_side=512), (ReadPages(engine),), max_drop=1.0)
    return Recipe("test", (pages, Report(("fine",))))


@pytest.fixture
def documents(tmp_path) -> Path:
    pdfs.write(tmp_path / "in/a.pdf", pdfs.lines(pdfs.LATIN), pdfs.lines(pdfs.LATIN))
    pdfs.write(tmp_path / "in/b.pdf", pdfs.lines(pdfs.LATIN))
    return tmp_path / "in"


def test_a_served_model_s_pages_are_a_dataset_and_its_key_is_written_nowhere(documents, tmp_path, monkeypatch):
    monkeypatch.setenv("KEY_OF_THE_TEST", "a-secret-key")
    out = tmp_path / "out"
    with serving(lambda request: says(GROUNDED, logprobs=[-0.1])) as (url, came):
        engine = Choice.of("server", kind="pages", url=url, model="deepseek-ai/DeepSeek-OCR", key="KEY_OF_THE_TEST")
        assert run(recipe(documents, engine), Place(str(out), "inline")) == 0
    made = dataset_samples(Folder(str(out / "fine")))
    assert len(made) == len(came) == 3
    assert {tuple((r.label, r.score) for r in sample.regions) for sample in made} == {
        (("title", 0.905), ("image", 0.905), ("text", 0.905))
    }
    assert all(request["headers"]["Authorization"] == "Bearer a-secret-key" for request in came)
    check_corpus(out, name="fine")
    written = [path for path in out.rglob("*") if path.is_file() and b"a-secret-key" in path.read_bytes()]
    assert written == []


def test_a_server_that_refuses_the_model_fails_the_run_and_the_same_command_goes_on(documents, tmp_path, caplog):
    out = tmp_path / "out"
    answers = {"now": fails(404, "no such model")}
    with serving(lambda request: answers["now"]) as (url, _):
        engine = Choice.of("server", kind="pages", url=url, model="deepseek-ai/DeepSeek-OCR", wait_s=0.001)
        assert run(recipe(documents, engine), Place(str(out), "inline")) == 1
        assert "no such model" in caplog.text
        answers["now"] = says(GROUNDED)
        assert run(recipe(documents, engine), Place(str(out), "inline")) == 0
    assert len(dataset_samples(Folder(str(out / "fine")))) == 3


MODEL = "Qwen/Qwen3-VL-8B-Instruct"
CAPTION = "A red square on a wall that has been painted for the occasion."


def described(folder: Path, address: str) -> int:
    return main(["vision", f"input={folder}/in", f"captioner={address}", f"out={folder}/out", "on=inline"])


def test_a_run_goes_on_with_its_model_at_another_address_and_asked_more_at_a_time(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    for name, together in (("a", 2), ("b", 64)):
        (tmp_path / f"in/{name}.jpg").write_bytes(image())
        with serving(lambda request: says(CAPTION)) as (url, came):
            assert described(tmp_path, f"{url}#{MODEL}?together={together}&timeout_s={60 + together}") == 0
        assert len(came) == 1  # the pictures of runs before are described
    folder = Folder(f"{tmp_path}/out/vision")
    assert [sample.caption for sample in dataset_samples(folder)] == [CAPTION] * 2
    made_by = [sample.origin.engines[f"server {MODEL}"] for sample in dataset_samples(folder)]
    assert made_by == ["as it is served"] * 2
    assert described(tmp_path, "http://127.0.0.1:1/v1#another/model") == 2
    assert f"captioner.model {MODEL} -> another/model" in capsys.readouterr().err


def test_weights_may_be_moved_and_not_exchanged(tmp_path, capsys):
    for folder in ("in", "weights"):
        (tmp_path / folder).mkdir()
    (tmp_path / "in/a.jpg").write_bytes(image())
    (tmp_path / "weights/inference.onnx").symlink_to(wheels.weights("rapidocr", f"models/{ppocr.DETECTOR}"))
    yml = json.dumps(ppocr.detection_yml(960, ppocr.SURE_LINE))
    (tmp_path / "weights/inference.yml").write_text(yml)

    def read(weights: str) -> int:
        engines = f"engines=detector:ppocr-detector@{tmp_path}/{weights}"
        return main(["scene", f"input={tmp_path}/in", engines, f"out={tmp_path}/out", "on=inline"])

    assert read("weights") == 0
    made = (tmp_path / "out/scene/run.json").read_bytes()
    (tmp_path / "weights").rename(tmp_path / "moved")
    assert read("moved") == 0
    assert (tmp_path / "out/scene/run.json").read_bytes() == made
    (tmp_path / "moved/inference.yml").write_text(f"{yml}\n")
    assert read("moved") == 2
    assert "engines.ppocr-detector/inference.yml" in capsys.readouterr().err
