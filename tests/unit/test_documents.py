"""The project's READMEs: what they link to is there, the words of their commands exist, and they stay short."""

import re
from pathlib import Path

import pytest

from recipes import RECIPES, VERBS
from recipes.__main__ import main

ROOT = Path(__file__).parents[2]
PACKAGES = ("datagen", "flywheel", "model", "recipes", "tests")
DOCUMENTS = [ROOT / "README.md", *sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.md"))]
READMES = [path for path in DOCUMENTS if path.name == "README.md"]
COMMAND = re.compile(r"make (?:recipe=)?(\w+)((?: +\w+=[^\s`]+)*)")
MOST = {ROOT: 6_000} | {ROOT / package: 8_000 for package in PACKAGES}
MOST_OF_A_FOLDER, MOST_OF_ALL = 2_500, 80_000
"""Bytes."""


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_linked_is_there(path):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_folder_of_datagen_has_a_readme_and_all_are_short():
    folders = {path.parent for path in (ROOT / "datagen").glob("*/__init__.py")}
    assert folders <= {path.parent for path in READMES}
    sizes = {path: path.stat().st_size for path in READMES}
    assert {path: size for path, size in sizes.items() if size > MOST.get(path.parent, MOST_OF_A_FOLDER)} == {}
    assert sum(sizes.values()) <= MOST_OF_ALL


def test_commands_have_words_that_exist(capsys):
    typed: dict[str, set[str]] = {}
    for path in READMES:
        for name, words in COMMAND.findall(path.read_text(encoding="utf-8")):
            if name in RECIPES or name in VERBS:
                typed.setdefault(name, set()).update(re.findall(r"(\w+)=", words))
    assert typed.keys() == {*RECIPES, *VERBS}
    for name, words in typed.items():
        assert main([name, "help=1"]) == 0
        assert words <= set(re.findall(r"^ +(\w+)=", capsys.readouterr().out, re.MULTILINE)), name
