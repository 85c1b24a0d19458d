"""recipes/README.md: its examples run as they stand there, and it names every method of a runner."""

import inspect
import re
import sys
from pathlib import Path

import pytest

import recipes.steps
from recipes import RECIPES
from recipes.__main__ import main
from recipes.steps import RUNNERS, StepRunner
from recipes.words.words import Entry
from tests.inputs import pdfs

README = (Path(__file__).parents[3] / "recipes" / "README.md").read_text()


def test_every_method_of_a_runner_is_named():
    methods = {name for name, _ in inspect.getmembers(StepRunner, inspect.isfunction) if not name.startswith("_")}
    behind_examples = README.rsplit("```", 1)[1]
    assert set(re.findall(r"`(\w+)`", behind_examples)) == methods - {"earlier"}


@pytest.fixture
def example(monkeypatch, tmp_path):
    """The files of the examples, in a folder that is looked into behind the project's own."""
    monkeypatch.setattr("recipes.steps.RUNNERS", RUNNERS.copy())
    recipe, line, step, runner = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    for package, code in ((recipes, step + recipe), (recipes.steps, runner)):
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / "letters.py").write_text(code, encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        monkeypatch.setitem(sys.modules, f"{package.__name__}.letters", None)
        del sys.modules[f"{package.__name__}.letters"]
    for name, entry in eval("{" + line + "}", {"Entry": Entry}).items():
        monkeypatch.setitem(RECIPES, name, entry)


def test_the_examples_run(example, tmp_path, capsys):
    pdfs.write(tmp_path / "in/a.pdf", "abc")
    pdfs.write(tmp_path / "in/b.pdf", "abd")
    words = [f"out={tmp_path}/out", f"input={tmp_path}/in", "on=inline"]
    assert main(["letters", *words, "plan=1"]) == 0
    assert "letters: counts the letters of pages" in capsys.readouterr().out
    assert main(["letters", *words]) == 0
    assert main(["status", f"{tmp_path}/out"]) == 0
    assert "letters: 4 letters" in capsys.readouterr().out
    assert main(["forget", f"{tmp_path}/out", f"uri={tmp_path}/in/b.pdf"]) == 0
    assert main(["status", f"{tmp_path}/out"]) == 0
    assert "letters: 3 letters" in capsys.readouterr().out
