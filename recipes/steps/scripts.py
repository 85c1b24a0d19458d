"""The making of the package's readers as a step: texts, then the trunk, then a reader a script; a table of them at the end.

    scripts/texts/SCRIPT-LANG.json    the text of a language, and its typefaces
    scripts/trunk.safetensors         with trunk.json
    scripts/SCRIPT.safetensors        with its card SCRIPT.json
    scripts/CARDS.md                  all of them

After a kill the same command goes on: a training from its checkpoint.
"""

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from typing import Any

from datagen.engines import packaged
from datagen.engines.packaged import CARDS, TRUNK
from datagen.samples import declarations
from datagen.work.runner import make_runner
from flywheel.scripts import languages, tasks
from flywheel.scripts.step import Scripts
from flywheel.scripts.table import table
from flywheel.scripts.tasks import ReaderTask, TextTask, TrunkTask
from recipes.run.progress import watched
from recipes.steps import OK, SHARD_FAILED, StepRunner

log = logging.getLogger(__name__)

_STEP_S, _TRUNK_STEP_S = 0.16, 0.25  # of a busy core, measured
TABLE = "CARDS.md"
_HEAD = """# Readers of scripts

`make recipe=scripts install=1` wrote this table, from [cards.json](cards.json). Each reader learned from text of packages, set in
typefaces of packages. The characters wrong, with an interval of 95%, are those of lines that it didn't learn, in typefaces that
it never saw, worn as a poor scan or a careless detector would leave them. A star: no typeface is left that only tests, so that
lines are narrower or wider than any that it learned. Tesseract read the first hundred of the same lines, of those languages that
it knows here.

"""


class ScriptsRunner(StepRunner[Scripts]):
    def plan(self) -> str:
        if not declarations.is_fetched():
            return "fetches text of packages first, then knows its scripts"
        made = [script for script in self._scripts() if self.folder.exists(f"{script}.json")]
        left = [script for script in self._scripts() if script not in made]
        has_trunk = bool(self.step.scripts) or self.folder.exists(f"{TRUNK}.safetensors")
        seconds = len(left) * self.step.change.steps * _STEP_S + (0 if has_trunk else self.step.trunk.steps * _TRUNK_STEP_S)
        own = "" if has_trunk else f"a trunk of {self.step.trunk.steps:,} steps, then "
        readers = f"{len(left)} readers to make, each of {self.step.change.steps:,} steps; {len(made)} made"
        return f"{own}{readers}; about {seconds / 3600:.1f} processor hours"

    def run(self) -> int:
        if self.place.overwrite:
            self.folder.sweep()
            for name in self.folder.names():
                if not name.startswith(f"{tasks.TEXTS}/"):
                    self.folder.remove(name)
        texts = [task for of in self._texts().values() for task in of]
        left = [task for task in texts if not self.folder.exists(task.name)]
        if not self._all(tasks.run_text, left, [f"{task.script} {task.lang}" for task in left], "texts"):
            return SHARD_FAILED
        if not self.folder.exists(f"{TRUNK}.safetensors") and not self._trunk():
            return SHARD_FAILED
        todo = [task for task in self._readers() if not task.is_made()]
        is_done = self._all(tasks.run_reader, todo, [task.script for task in todo], "readers")
        cards = self._cards()
        self.folder.write(TABLE, table(cards).encode())
        log.info("scripts: %d readers, %s", len(cards), self.folder.path(TABLE))
        if not is_done:
            return SHARD_FAILED
        if self.step.install:
            self._install(cards)
        return OK

    def status(self) -> list[str]:
        return table(self._cards()).splitlines() if self.folder.exists(TABLE) else []

    def _scripts(self) -> Sequence[str]:
        """The scripts that get a reader, as asked for."""
        known = [script for script in languages.languages() if script not in languages.TRUNK_ALONE]
        if unknown := [script for script in self.step.scripts if script not in known]:
            raise ValueError(f"scripts={unknown[0]}: there is text in {', '.join(known)}")
        return self.step.scripts or known

    def _texts(self) -> dict[str, list[TextTask]]:
        """The texts of each script that this run needs: all that the trunk learns, if one is trained."""
        wanted = self._scripts() if self.step.scripts else languages.languages()
        return {
            script: [TextTask(script, lang, languages.num_lines(script, len(of)), self.step.seed, self.folder.url) for lang in of]
            for script, of in languages.languages().items()
            if script in wanted
        }

    def _with_text(self, of: Sequence[TextTask]) -> tuple[str, ...]:
        """The files of a script's texts; none where there is too little of it to learn the script."""
        num_lines = {task.name: tasks.num_lines(self.folder, task.name) for task in of}
        return tuple(name for name, num in num_lines.items() if num) if sum(num_lines.values()) >= tasks.FEWEST else ()

    def _trunk(self) -> bool:
        if self.step.scripts:
            for name in (f"{TRUNK}.safetensors", f"{TRUNK}.json"):
                self.folder.write(name, (packaged.FOLDER / name).read_bytes())
            return True
        texts = tuple(name for of in self._texts().values() for name in self._with_text(of))
        return self._all(tasks.run_trunk, [TrunkTask(self.step.trunk, texts, self.folder.url)], [TRUNK], "scripts")

    def _readers(self) -> list[ReaderTask]:
        step, made = self.step, []
        for script in self._scripts():
            if texts := self._with_text(self._texts()[script]):
                made.append(ReaderTask(script, step.change, texts, step.max_test, step.compared, step.seed, self.folder.url))
            else:
                log.info("%s: no text, or no typeface that has its letters", script)
        return made

    def _all(self, function: Callable[[Any], Any], todo: Sequence[Any], names: Sequence[str], what: str) -> bool:
        """Whether the runner did all of these tasks. What failed is in the log, and is tried again by the same command."""
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
        """Make the readers those of the package. Others of the package stay, unless the trunk is another."""
        target = packaged.FOLDER
        target.mkdir(exist_ok=True)
        trunk = f"{TRUNK}.safetensors"
        is_same = (target / trunk).exists() and (target / trunk).read_bytes() == self.folder.read(trunk)
        before = json.loads((target / CARDS).read_text(encoding="utf-8")) if is_same and (target / CARDS).exists() else {}
        if not is_same:
            shutil.rmtree(target)
            target.mkdir()
        for name in (trunk, f"{TRUNK}.json", *(f"{script}.safetensors" for script in cards)):
            (target / name).write_bytes(self.folder.read(name))
        together = dict(sorted((before | cards).items()))
        (target / CARDS).write_text(json.dumps(together, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        (target / TABLE).write_text(_HEAD + table(together), encoding="utf-8")
        log.info("scripts: %d readers are the package's now, in %s", len(together), target)
