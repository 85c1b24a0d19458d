"""What a user types, and what is said of a wrong word."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from recipes import RECIPES, VERBS
from recipes.__main__ import main

ROOT = Path(__file__).parents[2]


def said(capsys) -> str:
    return capsys.readouterr().err.strip()


@pytest.mark.parametrize(
    ("argv", "allowed"),
    [
        (["corase"], "recipes are coarse, multilingual, corpus30m; verbs are status, verify"),
        (["coarse", "--imput", "x"], "--input"),
        (["coarse", "--workers", "many", "--input", "x"], "invalid whole number"),
        (["coarse", "--limit", "-1", "--input", "x"], "invalid whole number"),
        (["coarse", "--rounds", "2", "--input", "x"], "coarse has no flywheel"),
        (["multilingual", "--rounds", "auto"], "not there yet; say how many rounds"),
        (["multilingual", "--rounds", "-1"], "invalid whole number"),
        (["coarse", "--on", "moon", "--input", "x"], "inline, local, slurm and tcp://HOST:PORT"),
        (["coarse"], "input=DIR"),
        (["coarse", "--input", "/nowhere/at/all"], "no such file or folder"),
        (["status"], "required: DIR"),
        (["status", "/nowhere/at/all"], "no output of pagewheel"),
        (["verify", "/nowhere/at/all"], "no output of pagewheel"),
    ],
)
def test_a_wrong_word_is_one_line_that_says_what_is_allowed(argv, allowed, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(argv)
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    line = said(capsys)
    assert allowed in line
    assert len(line.splitlines()) == 1


def test_an_empty_input_makes_no_dataset(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    assert main(["coarse", "--input", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--on", "inline"]) == 2
    assert "no PDF to read there" in said(capsys)
    assert [p.name for p in (tmp_path / "out").rglob("*")] == [".lock"]


def test_the_listing_names_every_recipe_and_verb(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in (*RECIPES, *VERBS))


def test_nothing_but_the_command_line_configures_logging():
    for path in [path for package in ("datagen", "flywheel", "model", "recipes") for path in ROOT.glob(f"{package}/**/*.py")]:
        if path.name != "__main__.py":
            assert "basicConfig" not in path.read_text(), path


@pytest.mark.skipif(shutil.which("make") is None, reason="make isn't installed")
@pytest.mark.parametrize(
    ("words", "allowed"),
    [(["recipe=coarse", "imput=x"], "allowed are recipe input"), (["recipe=coarse", "plan=yes"], "allowed are 0 and 1")],
)
def test_make_knows_its_words(words, allowed):
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    done = subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, env=env)
    assert done.returncode == 2
    assert allowed in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
