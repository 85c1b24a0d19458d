"""The command line: `python -m recipes NAME …` runs a recipe, `python -m recipes VERB DIR` looks at an output.

The only place that configures logging. It imports the standard library alone until a recipe or a verb is called.
"""

import os
import sys
from typing import Any

from recipes import RECIPES, VERBS
from recipes.words.words import EVERY_RECIPE, EVERY_VERB, TRAINING, WORDS, explained, parse

USAGE = 2


def main(argv: list[str] | None = None) -> int:
    """Returns the exit code: 0 done, 1 a shard failed (or a verb left something undone), 2 usage, 3 too many documents gave
    nothing."""
    argv = sys.argv[1:] if argv is None else argv
    name, rest = (argv[0], argv[1:]) if argv else ("list", [])
    try:
        if name in ("list", "-h", "--help"):
            print(listing())
            return 0
        if name == "words":
            print(checked(rest))
            return 0
        values = read(name, rest)
        if values.pop("help", False):
            print(help_of(name))
            return 0
        return run_recipe(name, values) if name in RECIPES else run_verb(name, values)
    except ValueError as error:
        return complain(error, USAGE)
    except ImportError as error:
        return complain(f"{error} (in the environment of pagewheel: .venv/bin/pip install …)", USAGE)
    except OSError as error:
        return complain(error, 1)
    except KeyboardInterrupt:
        print("pagewheel: interrupted; the same command goes on where this one stopped", file=sys.stderr)
        return 130


def complain(error: object, code: int) -> int:
    """Print it in one line, whatever characters a file's name brought into it."""
    print("pagewheel:", " ".join(str(error).split()).encode(errors="replace").decode(), file=sys.stderr)
    return code


def listing() -> str:
    """The recipes and verbs, a line each."""
    lines = ["recipes   make recipe=NAME [input=DIR] [out=DIR] [limit=N] [plan=1] …   (help=1: all words of a recipe)"]
    lines += [f"  {name:<14}{entry.does}" for name, entry in RECIPES.items()]
    lines += ["verbs     make VERB out=DIR …"]
    lines += [f"  {name:<14}{entry.does}" for name, entry in VERBS.items()]
    return "\n".join(lines)


def help_of(name: str) -> str:
    """A recipe or a verb, and a line for each of its words."""
    entry = RECIPES.get(name) or VERBS[name]
    return "\n".join([f"{name}: {entry.does}", *explained(words_of(name))])


def words_of(name: str) -> tuple[str, ...]:
    """The words that the recipe or verb `name` takes. Raises `ValueError` if there is none of that name."""
    if name in RECIPES:
        entry = RECIPES[name]
        return (*entry.words, *EVERY_RECIPE, *(TRAINING if entry.trains else ()))
    if name in VERBS:
        return (*VERBS[name].words, *EVERY_VERB)
    raise ValueError(f"no recipe or verb {name!r}: recipes are {', '.join(RECIPES)}; verbs are {', '.join(VERBS)}")


def read(name: str, arguments: list[str]) -> dict[str, Any]:
    """The values of the words given to a recipe or verb. Raises `ValueError` if one is wrong, or if one is missing."""
    values = parse(name, words_of(name), arguments)
    for word in () if values.get("help") else (RECIPES | VERBS)[name].needs:
        if word not in values:
            raise ValueError(f"{name} needs {word}={WORDS[word].takes}: {WORDS[word].help}")
    return values


def checked(arguments: list[str]) -> str:
    """The names of all verbs, for make, once its goals and words are right: `arguments` are goals, then words as name=value.

    Raises `ValueError` as the command itself would.
    """
    words = {name: typed for name, joined, typed in (a.partition("=") for a in arguments) if joined}
    goals = [a for a in arguments if "=" not in a]
    recipe = words.pop("recipe", "")
    given = [f"{name}={typed}" for name, typed in words.items()]
    for goal in goals or ["run"]:
        if goal in VERBS:
            read(goal, given + ([f"recipe={recipe}"] if recipe else []))
        elif goal == "run" and recipe:
            read(recipe, given)
        elif "run" in goals:
            raise ValueError(f"make run needs recipe=NAME: recipes are {', '.join(RECIPES)}")
        elif unknown := [name for name in words if name not in WORDS]:
            raise ValueError(f"no word {unknown[0]!r}: words are recipe, {', '.join(WORDS)}")
    return " ".join(["verbs:", *VERBS])


def run_recipe(name: str, values: dict[str, Any]) -> int:
    from recipes.run.execute import plan, run
    from recipes.run.recipe_json import build
    from recipes.steps import Place

    configure_logging(values.get("verbose", False))
    of_recipe = {word: value for word, value in values.items() if word in RECIPES[name].words}
    recipe = build(name, of_recipe)
    place = Place(
        out=values.get("out", os.path.join("out", name)),
        on=values.get("on", "local"),
        workers=values.get("workers", 0),
        overwrite=values.get("overwrite", False),
        gpus=values.get("gpus", 0),
        nodes=values.get("nodes", 0),
    )
    if values.get("plan"):
        print(plan(recipe, place, of_recipe))
        return 0
    return run(recipe, place, of_recipe)


def run_verb(verb: str, values: dict[str, Any]) -> int:
    import pkgutil

    configure_logging(verbose=False)
    code: int = pkgutil.resolve_name(VERBS[verb].function)(**values)
    return code


def configure_logging(verbose: bool) -> None:
    import logging

    from rich.logging import RichHandler

    from recipes.run.progress import console

    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "critical")  # what fails comes back from the tasks themselves
    plain = logging.StreamHandler()
    rich = RichHandler(console=console, show_time=False, show_level=False, show_path=False, markup=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[rich if console.is_terminal else plain])
    for name in ("recipes", "datagen", "flywheel", "model"):
        logging.getLogger(name).setLevel(logging.INFO)
    logging.getLogger("datagen.work.pipeline").setLevel(logging.INFO if verbose else logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
