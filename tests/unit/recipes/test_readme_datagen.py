"""The README's worked examples: a source, a stage and an engine of one's own, as a step with shards, resume and drops."""

import re
from pathlib import Path

from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.engines import ENGINES
from datagen.record import Sample
from recipes.recipe import Recipe, Report
from recipes.run.execute import run
from recipes.steps import Place
from tests.outputs import dataset_samples

README = Path(__file__).parents[3] / "datagen/README.md"


def test_the_examples_make_a_dataset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("datagen.engines.ENGINES", ENGINES.copy())
    Path("notes").mkdir()
    for name, text in {"a": "Quiet words, and few.", "b": "LOUD WORDS", "c": " \n"}.items():
        Path(f"notes/{name}.txt").write_text(text)
    scope: dict = {"__name__": "readme"}
    for block in re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL):
        exec(block, scope)
    recipe = Recipe("texts", (scope["texts"], Report(datasets=("texts",))))
    assert run(recipe, Place("out", "inline")) == 0
    (sample,) = dataset_samples(Folder("out/texts"))
    assert isinstance(sample, Sample)
    assert (sample.text, sample.image) == ("Quiet words, and few.", None)
    assert 0 < sample.quality.signals["capitals"] < 0.1
    (report,) = read_reports(Folder("out/texts"))
    assert sorted((Path(d.uri).name, d.reason, d.stage) for d in report.drops) == [
        ("b.txt", "shouting", "DropShouting"),
        ("c.txt", "empty", "TextFiles"),
    ]
