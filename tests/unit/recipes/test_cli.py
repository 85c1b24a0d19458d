"""What a user types, and what is said of a wrong word."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from recipes import RECIPES, VERBS
from recipes.__main__ import main, words_of
from recipes.words.words import parse
from tests.inputs import pdfs

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ["corase"],
            "recipes are coarse, fine, word, markup, multilingual, scene, figures, texts, vision, scripts, corpus30m, mixture, ",
        ),
        (["coarse", "--imput", "x"], "coarse has no word 'imput': its words are input, "),
        (["coarse", "input=x", "workers=many"], "workers=many: a whole number is needed"),
        (["coarse", "--input", "x", "--limit", "-1"], "limit=-1: a whole number is needed"),
        (["multilingual", "text=a,b"], "text=a,b: folder is given twice"),
        (["multilingual", "text=none,packages"], "text=none,packages: packages and none exclude each other"),
        (["multilingual", "text=packages:yes"], "text=packages:yes: packages takes 0 or 1, not 'yes'"),
        (["coarse", "plan=yes"], "plan=yes: allowed are 0 and 1"),
        (["coarse", "--input"], "input needs a value: input=WHERE"),
        (["coarse", "input=a", "--input", "b"], "input is given twice"),
        (["coarse", "on=moon", "input=x"], "inline, local, slurm and tcp://HOST:PORT"),
        (["coarse"], "input=DIR"),
        (["coarse", "input=/nowhere/at/all"], "no such file or folder"),
        (["coarse", "input=.", "on=inline", "out=out"], "no PDF to read there"),
        (["status"], "status needs out=DIR"),
        (["status", "out=x", "limit=3"], "status has no word 'limit': its words are out, help"),
        (["status", "/nowhere/at/all"], "no output of pagewheel"),
        (["read", "out=x.jsonl"], "read needs input="),
        (["read", "reader=/nowhere", "input=x", "out=x.jsonl"], "/nowhere holds no reader"),
        (["read", "reader=/nowhere", "input=x", "out=x.jsonl", "kind=word"], "kind=word: allowed are auto, line, page"),
    ],
)
def test_a_wrong_word_is_one_line_that_says_what_is_allowed(argv, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not [path for path in tmp_path.rglob("*") if path.name != ".lock" and path.is_file()]


@pytest.mark.parametrize(
    "argv",
    [
        ["input=a b", "deep=1", "limit=3"],
        ["--input", "a b", "--deep", "--limit=3"],
        ["--input=a b", "limit=3", "deep=1"],
    ],
)
def test_words_are_read_in_every_spelling(argv):
    assert parse("coarse", RECIPES["coarse"].words, argv) == {"input": "a b", "deep": True, "limit": 3}


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("multilingual input=here readers=ours start=train", ["weights='train'"]),
        ("multilingual input=here readers=got_ocr start=stepfun-ai/GOT-OCR", ["weights='stepfun-ai/GOT-OCR'"]),
        ("multilingual input=here readers=ours start=here", ["weights='HERE/here'"]),
        ("train data=10:00/out stage=1 variant=tiny", ["where='HERE/10:00/out'"]),
        (
            "train data=text:10:00/out,vision:a.jsonl,s3://b/c.jsonl stage=1 variant=tiny",
            ["where='HERE/10:00/out'", "where='HERE/a.jsonl'", "where='s3://b/c.jsonl'"],
        ),
        (
            "train data=coarse,text:org/prose start_encoder=stage1 start_decoder=random variant=tiny",
            ["where='coarse'", "where='org/prose'", "start_encoder='stage1'", "start_decoder='random'"],
        ),
        ("mixture pages=10:00/out figures=none", ["where='HERE/10:00/out'"]),
        ("multilingual input=here text=10:00,packages", ["text='HERE/10:00'", "serve_by_text=True"]),
        ("fine input=here risk=0.05", ["risk=(0.05, 0.05)"]),
        ("multilingual input=here risk=0.05,0.10", ["risk=(0.05, 0.1)"]),
        ("multilingual input=here text=none existing=ppocr,here", ["text_packages=()", "existing=('ppocr', 'HERE/here')"]),
    ],
)
def test_a_path_is_absolute_and_a_name_stays(words, values, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pdfs.write(tmp_path / "here/a.pdf", "a")
    (tmp_path / "10:00/out/shards").mkdir(parents=True)
    (tmp_path / "a.jsonl").touch()
    assert main([*words.split(), "on=inline", "plan=1"]) == 0
    planned = capsys.readouterr().out
    assert [value for value in values if value.replace("HERE", str(tmp_path)) not in planned] == []
    assert "nothing lies" not in planned


def test_a_plan_names_data_that_does_not_exist(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "data=rows.jsonl,coarse", "stage=1", "variant=tiny", "plan=1"]) == 0
    assert f"nothing lies at {tmp_path}/rows.jsonl yet" in capsys.readouterr().out


@pytest.mark.parametrize("name", [*RECIPES, *VERBS])
def test_help_names_every_word_of_one_recipe_or_verb(name, capsys):
    assert main([name, "help=1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("=")[0].strip() for line in lines[1:]] == list(words_of(name))


def test_the_listing_names_every_recipe_and_verb(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in (*RECIPES, *VERBS))


def make(*words: str) -> subprocess.CompletedProcess:
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, env=env)


@pytest.mark.skipif(shutil.which("make") is None, reason="make isn't installed")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["recipe=coarse", "input=it's", "plan=yes"], "plan=yes: allowed are 0 and 1"),
        (["recipe=corase"], "no recipe or verb 'corase'"),
        (["status"], "status needs out=DIR"),
        (["retry", "out=x", "limit=3"], "retry has no word 'limit'"),
        (["test", "imput=x"], "make test takes no word 'imput'"),
        (["run"], "make run needs recipe=NAME"),
    ],
)
def test_make_knows_its_words_before_anything_is_set_up(words, message):
    done = make(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.skipif(shutil.which("make") is None, reason="make isn't installed")
def test_make_passes_every_word_on_as_it_was_typed():
    commands = make("-n", "recipe=coarse", "input=it's a $(file), $HOME", "deep=1").stdout
    (command,) = (line for line in commands.splitlines() if "-m recipes" in line)
    _, _, _, recipe, *words = shlex.split(command)
    assert recipe == "coarse"
    assert sorted(words) == ["deep=1", "input=it's a $(file), $HOME"]
    commands = make("-n", "forget", "out=a b", "uri=x").stdout
    (command,) = (line for line in commands.splitlines() if "-m recipes" in line)
    assert sorted(shlex.split(command)[3:]) == ["forget", "out=a b", "uri=x"]
