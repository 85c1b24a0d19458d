"""The making of the package's readers as a step: texts, then the trunk, then a reader a script; a table of them at the end.

    scripts/texts/SCRIPT-LANG.json    the text of a language, and its typefaces
    scripts/trunk.safetensors         with trunk.json
    scripts/SCRIPT.safetensors        with its card SCRIPT.json
    scripts/CARDS.md                  all of them

After a kill the same command goes on: a training from its checkpoint.
"""

import json
import logging
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from datagen.engines import packaged
from datagen.engines.packaged import CARDS, TRUNK
from datagen.samples import declarations
from datagen.work.runner import make_runner
from flywheel.scripts import languages, tasks
from flywheel.scripts.card import table
from flywheel.scripts.step import Scripts
from flywheel.scripts.tasks import ReaderTask, TextTask, TrunkTask
from recipes.run.progress import watched
from recipes.steps import OK, SHARD_FAILED, StepRunner
from recipes.steps.install_lines import replaced

log = logging.getLogger(__name__)

_STEP_S, _TRUNK_STEP_S = 0.13, 0.22  # of a busy core, measured
TABLE = "CARDS.md"
_HEAD = """# Readers of scripts

`make recipe=scripts install=1` wrote this table from [cards.json](cards.json); with `scripts=A,B` it makes those alone. The trunk
was trained for {steps:,} steps. Each reader learned from text of packages, set in typefaces of packages. The characters wrong,
with an interval of 95%, are those of lines that it didn't learn, in typefaces that it never saw, worn as a poor scan or a
careless detector would leave them. A star: no typeface is left that only tests, so that lines are narrower or wider than any that
it learned. Tesseract read the first hundred of the same lines, of those languages that it knows here. The last columns are what
others published in 2026 about whole pages, none of the lines here. Surya 2.5 passes 74.9% of its tests over 91 languages.

"""


class ScriptsRunner(StepRunner[Scripts]):
    def plan(self) -> str:
        if not declarations.is_fetched():
            return "fetches text of packages first, then knows its scripts"
        made = [script for script in self._scripts() if self.folder.exists(f"{script}.json")]
        left = [script for script in self._scripts() if script not in made]
        has_trunk = bool(self.step.scripts) or self.folder.exists(f"{TRUNK}.safetensors")
        steps = sum(self.step.fit_of(script).steps for script in left)
        seconds = steps * _STEP_S + (0 if has_trunk else self.step.trunk.steps * _TRUNK_STEP_S)
        own = "" if has_trunk else f"a trunk of {self.step.trunk.steps:,} steps, then "
        readers = f"{len(left)} readers to make, {steps:,} steps in all; {len(made)} made"
        return f"{own}{readers}; about {seconds / 3600:.1f} processor hours"

    def run(self) -> int:
        if self.step.install and not os.access(packaged.FOLDER.parent, os.W_OK):
            raise ValueError(f"install=1: {packaged.FOLDER} can't be written to")
        if self.place.overwrite:
            self._clear()
        texts = [task for of in self._texts().values() for task in of]
        left = [task for task in texts if not self.folder.exists(task.name)]
        if not self._all(tasks.run_text, left, [f"{task.script} {task.lang}" for task in left], "texts"):
            return SHARD_FAILED
        if not self._trunk():
            return SHARD_FAILED
        todo = [task for task in self._readers() if not task.is_made()]
        is_done = self._all(tasks.run_reader, todo, [task.script for task in todo], "readers")
        cards = self._cards()
        self.folder.write(TABLE, table(cards).encode())
        log.info("scripts: %d readers, %s", len(cards), self.folder.path(TABLE))
        if not is_done:
            return SHARD_FAILED
        if self.step.install:
            self._install({task.script: cards[task.script] for task in self._readers()})
        return OK

    def status(self) -> list[str]:
        return table(self._cards()).splitlines() if self.folder.exists(TABLE) else []

    def _scripts(self) -> Sequence[str]:
        """The scripts that get a reader."""
        known = [script for script in languages.languages() if script not in languages.TRUNK_ALONE]
        if unknown := [script for script in self.step.scripts if script not in known]:
            raise ValueError(f"scripts={unknown[0]}: there is text in {', '.join(known)}")
        return self.step.scripts or known

    def _texts(self) -> dict[str, list[TextTask]]:
        """The texts of each script for this run: all texts of the trunk, if one is trained."""
        wanted = self._scripts() if self.step.scripts else languages.languages()
        return {
            script: [TextTask(script, lang, languages.num_lines(script, len(of)), self.step.seed, self.folder.url) for lang in of]
            for script, of in languages.languages().items()
            if script in wanted
        }

    def _with_text(self, of: Sequence[TextTask]) -> tuple[str, ...]:
        """The files of a script's texts; none if there is too little to learn the script."""
        num_lines = {task.name: tasks.num_lines(self.folder, task.name) for task in of}
        return tuple(name for name, num in num_lines.items() if num) if sum(num_lines.values()) >= tasks.FEWEST else ()

    def _clear(self) -> None:
        """Remove the step's files from the output."""
        self.folder.sweep()
        for folder in (self.folder, *map(self.folder.sub, self.folder.folders())):
            for name in folder.names():
                folder.remove(name)

    def _trunk(self) -> bool:
        """Whether the trunk is there: the package's for a few scripts, else one that is trained here. Raises `ValueError` if the
        output has another."""
        weights, about = f"{TRUNK}.safetensors", f"{TRUNK}.json"
        if self.step.scripts:
            own = (packaged.FOLDER / weights).read_bytes()
            is_other = self.folder.exists(weights) and self.folder.read(weights) != own
            if not is_other:
                self.folder.write(about, (packaged.FOLDER / about).read_bytes())
                self.folder.write(weights, own)
        else:
            texts = tuple(name for of in self._texts().values() for name in self._with_text(of))
            task = TrunkTask(replace(self.step.trunk, seed=self.step.seed), texts, self.folder.url)
            if not self.folder.exists(weights):
                return self._all(tasks.run_trunk, [task], [TRUNK], "scripts")
            is_other = tasks.made_card(self.folder, TRUNK)["made_of"] != task.mark()
        if is_other:
            raise ValueError(f"{self.folder.url} has another trunk than this command's: choose another out=…, or overwrite=1")
        return True

    def _readers(self) -> list[ReaderTask]:
        step, made = self.step, []
        for script in self._scripts():
            if texts := self._with_text(self._texts()[script]):
                made.append(ReaderTask(script, step.fit_of(script), texts, step.max_test, step.compared, self.folder.url))
            else:
                log.info("%s: fewer than %d lines of text, or no typeface that has its letters", script, tasks.FEWEST)
        return made

    def _all(self, function: Callable[[Any], Any], todo: Sequence[Any], names: Sequence[str], what: str) -> bool:
        """Whether the runner did all of these tasks. The log has the failed ones, and the same command tries them again."""
        runner, done, failed = make_runner(self.place.on, self.place.workers), 0, 0
        name_of = dict(zip(todo, names, strict=True))
        with watched(what, {name: self.folder.sub(f"training-{name}") for name in names if what != "texts"}):
            for task, _, error in runner.map(function, todo) if todo else ():
                done += 1
                if error is not None:
                    failed += 1
                    log.error("%s: %s: %s: %s", what, name_of[task], type(error).__name__, error)
                else:
                    log.info("%s: %s, %d of %d", what, name_of[task], done, len(todo))
        return not failed

    def _cards(self) -> dict[str, dict[str, Any]]:
        scripts = [s for s in languages.languages() if self.folder.exists(f"{s}.json")]
        return {script: tasks.made_card(self.folder, script) for script in scripts}

    def _install(self, cards: dict[str, dict[str, Any]]) -> None:
        """Make the readers the package's. The package's other readers stay, if the trunk is theirs."""
        target, trunk = packaged.FOLDER, f"{TRUNK}.safetensors"
        is_same = (target / trunk).exists() and (target / trunk).read_bytes() == self.folder.read(trunk)
        with replaced(target) as new:
            if is_same:
                shutil.copytree(target, new)
            new.mkdir(exist_ok=True)
            together = json.loads((new / CARDS).read_text(encoding="utf-8")) if (new / CARDS).exists() else {}
            together = dict(sorted((together | cards).items()))
            for name in (trunk, f"{TRUNK}.json", *(f"{script}.safetensors" for script in cards)):
                (new / name).write_bytes(self.folder.read(name))
            (new / CARDS).write_text(json.dumps(together, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            about = tasks.made_card(self.folder, TRUNK)
            (new / TABLE).write_text(_HEAD.format(steps=about["steps"]) + table(together), encoding="utf-8")
        log.info("scripts: %d readers are the package's now, in %s", len(together), target)
