"""A step kind is a class, its runner, and a line in `RUNNERS`. Steps may have any names. That a new kind is planned, run and
forgets, the examples of recipes/README.md show."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from markupsafe import Markup

import recipes
from datagen.disk.storage import Folder
from flywheel.pools.pools import Pools
from flywheel.pools.pools_file import FrozenPools
from flywheel.step import Flywheel
from model.train.step import Train
from recipes.recipe import Recipe
from recipes.report import Section
from recipes.run import recipe_json
from recipes.run.execute import Place, run
from recipes.steps import OK, RUNNERS, StepRunner, runner_of
from recipes.verbs.status import status
from recipes.words.words import Entry
from tests import outputs

RUNNERS["CountLetters"] = "tests.pipeline.recipes.test_steps:CountRunner"
RUNNERS["Look"] = "tests.pipeline.recipes.test_steps:LookRunner"


@dataclass(frozen=True)
class CountLetters:
    """A step kind that no file of the project knows: how often letters stand in a dataset's texts."""

    dataset: str
    name: str = "letters"


class CountRunner(StepRunner[CountLetters]):
    def run(self) -> int:
        texts = {s.origin.uri: s.text for s in outputs.samples(Path(self.place.out))}
        self.folder.write("counts.json", json.dumps({uri: len(text) for uri, text in texts.items()}).encode())
        return OK

    def counts(self) -> dict[str, int]:
        return self.kept("counts.json") or {}

    def shown(self):
        return self.counts()

    def sections(self, report, max_bytes):
        return [Section(self.step.name, "Letters", Markup(f"<p>{len(self.counts())} counted</p>"), css="/* of letters */")]


def letters(input: str = "") -> Recipe:
    pages, report = outputs.recipe(input).steps
    return Recipe("letters", (pages, CountLetters("coarse"), report))


@dataclass(frozen=True)
class Look:
    """Writes down what the report shows by then."""

    name: str = "look"


class LookRunner(StepRunner[Look]):
    def run(self) -> int:
        if self.out.exists("report/index.html"):
            self.folder.write("seen.html", self.out.read("report/index.html"))
        return OK


def test_the_report_can_be_looked_at_while_later_steps_run(corpus, tmp_path):
    pages, report = outputs.recipe(str(corpus)).steps
    for after, seen in (((), False), (("coarse",), True)):
        place = Place(str(tmp_path / str(seen)), "inline")
        made = Recipe("looked", (pages, Look(), CountLetters("coarse"), replace(report, after=after)))
        assert run(made, place) == 0
        assert Folder(place.out).exists("look/seen.html") == seen
        late = Folder(place.out).read("report/index.html").decode()
        assert "<p>4 counted</p>" in late and late.count("/* of letters */") == 1
    early = (tmp_path / "True/look/seen.html").read_text()
    assert 'id="coarse' in early and "<p>0 counted</p>" in early


def test_a_flywheel_under_another_name_holds_out_what_it_tests_on(tmp_path):
    out = Folder(str(tmp_path))
    train, test = (("a", 0), ("both", 0)), (("c", 0), ("both", 1))
    pools = Pools("ru", "Cyrl", 0.1, "documents", "", train, (("b", 0), *test), (("d", 0),))
    out.write("wheel/pools.json", FrozenPools([], {}, (pools,)).to_json())
    wheel = Flywheel("coarse", name="wheel")
    made = Recipe("renamed", (wheel, Train(("coarse",), name="stage-1"), Train(("coarse",), name="stage-2")))
    for train in made.steps[1:]:
        runner = runner_of(train, made, Place(out.url))
        assert frozenset().union(*(earlier.held_out() for earlier in runner.earlier())) == {"b", "c"}
    out.write("round-1/round.json", b"{}")
    other = replace(made, steps=(replace(wheel, name="other"), *made.steps[1:]))
    with pytest.raises(ValueError, match=r"has round-1 but no other/pools\.json"):
        runner_of(other.steps[0], other, Place(out.url)).held_out()


def test_a_word_that_the_recipe_of_an_output_does_not_have_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(recipes.RECIPES, "letters", Entry("tests.pipeline.recipes.test_steps:letters"))
    recipe_json.remember(Folder(str(tmp_path)), "letters", {"input": "somewhere"})
    with pytest.raises(ValueError, match="letters has no word 'passwords': its words are input"):
        recipe_json.again(Folder(str(tmp_path)), passwords="file")


def test_recipe_json_that_names_an_unknown_recipe_is_told_of(corpus, tmp_path):
    out = tmp_path / "out"
    assert outputs.make(corpus, out) == 0
    recipe_json.remember(Folder(str(out)), "gone", {})
    message = status(str(out))
    assert "coarse: " in message and "names the recipe 'gone', which isn't there" in message
