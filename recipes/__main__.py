"""The command line: `python -m recipes NAME …` runs a recipe, `python -m recipes VERB DIR` inspects an output.

Only this file configures logging. It imports only the standard library until a recipe or a verb is called.
"""

import os
import sys
from typing import Any

from recipes import RECIPES, VERBS
from recipes.words.words import Word, explained, parse, signature

USAGE = 2
TRAINING = ("gpus", "nodes")
"""The words of recipes that train."""


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
        if name in VERBS:
            return run_verb(name, values)
        own = {word: values.pop(word) for word in RECIPES[name].words if word in values}
        return run_recipe(name, own, **values)
    except ValueError as error:
        return complain(error, USAGE)
    except ImportError as error:
        return complain(f"{error} (in the environment of pagewheel: .venv/bin/pip install …)", USAGE)
    except OSError as error:
        return complain(error, USAGE if isinstance(error, FileNotFoundError | PermissionError) else 1)
    except KeyboardInterrupt:
        print("pagewheel: interrupted; the same command goes on where this one stopped", file=sys.stderr)
        return 130


def complain(error: object, code: int) -> int:
    """Print the error in one line, with any characters of file names."""
    print("pagewheel:", " ".join(str(error).split()).encode(errors="replace").decode(), file=sys.stderr)
    return code


def listing() -> str:
    lines = ["recipes   make recipe=NAME [input=DIR] [out=DIR] [limit=N] [plan=1] …   (help=1: all words of a recipe)"]
    lines += [f"  {name:<14}{entry.does}" for name, entry in RECIPES.items()]
    lines += ["verbs     make VERB out=DIR …"]
    lines += [f"  {name:<14}{entry.does}" for name, entry in VERBS.items()]
    return "\n".join(lines)


def help_of(name: str) -> str:
    return "\n".join([f"{name}: {(RECIPES | VERBS)[name].does}", *explained(words_of(name))])


def words_of(name: str) -> dict[str, Word]:
    """The words of the recipe or verb `name`: its own, and for a recipe those of its place. Raises `ValueError` for an unknown
    name."""
    place = signature("recipes.__main__:run_recipe").words
    if name in RECIPES:
        return RECIPES[name].words | {w: word for w, word in place.items() if RECIPES[name].trains or w not in TRAINING}
    if name in VERBS:
        return VERBS[name].words | {"help": place["help"]}
    raise ValueError(f"no recipe or verb {name!r}: recipes are {', '.join(RECIPES)}; verbs are {', '.join(VERBS)}")


def read(name: str, arguments: list[str]) -> dict[str, Any]:
    """The values of the words given to a recipe or verb. Raises `ValueError` for a wrong or missing one."""
    words = words_of(name)
    values = parse(name, words, arguments)
    for word in () if values.get("help") else words.values():
        if word.is_needed and word.name not in values:
            raise ValueError(f"{name} needs {word.name}={word.takes}: {word.help}")
    return values


def checked(arguments: list[str]) -> str:
    """The names of all verbs, for make, after a check of its goals and words: `arguments` are goals, then words as name=value.
    Raises `ValueError` as the command itself would."""
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
        elif given and not VERBS.keys() & goals and not (recipe and "run" in goals):
            raise ValueError(f"make {goal} takes no word {next(iter(words))!r}: words are for recipe=NAME and for verbs")
    return " ".join(["verbs:", *VERBS])


def run_recipe(
    name: str,
    own: dict[str, Any],
    /,
    out: str = "",
    on: str = "local",
    workers: int = 0,
    gpus: int = 0,
    nodes: int = 0,
    overwrite: bool = False,
    plan: bool = False,
    verbose: bool = False,
    help: bool = False,
) -> int:
    """Run, or plan, the recipe `name` with its `own` words. Behind the slash are the words of all recipes."""
    from recipes.run import execute
    from recipes.run.recipe_json import build
    from recipes.steps import Place

    configure_logging(verbose)
    recipe, place = build(name, own), Place(out or os.path.join("out", name), on, workers, overwrite, gpus, nodes)
    if plan:
        print(execute.plan(recipe, place, own))
        return 0
    return execute.run(recipe, place, own)


def run_verb(verb: str, values: dict[str, Any]) -> int:
    import pkgutil

    configure_logging(verbose=False)
    answer = pkgutil.resolve_name(VERBS[verb].function)(**values)
    if isinstance(answer, int):  # it ran something, and the log has all messages
        return answer
    message, is_done = (answer, True) if isinstance(answer, str) else answer
    print(message)
    return 0 if is_done else 1


def configure_logging(verbose: bool) -> None:
    import logging

    from rich.logging import RichHandler

    from recipes.run.progress import console

    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "critical")  # tasks return their own failures
    plain = logging.StreamHandler()
    rich = RichHandler(console=console, show_time=False, show_level=False, show_path=False, markup=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[rich if console.is_terminal else plain])
    for name in ("recipes", "datagen", "flywheel", "model"):
        logging.getLogger(name).setLevel(logging.INFO)
    logging.getLogger("datagen.work.pipeline").setLevel(logging.INFO if verbose else logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
