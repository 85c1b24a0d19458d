"""recipe.json: the words of an output's recipe, so that verbs can build it again."""

import json
import pkgutil
from typing import Any

from datagen.disk.storage import Folder
from recipes import RECIPES
from recipes.recipe import Recipe
from recipes.words import values as reading

NAME = "recipe.json"


def build(name: str, values: dict[str, Any]) -> Recipe:
    """The recipe `name` with these words. Raises `ValueError` as its function does."""
    recipe: Recipe = pkgutil.resolve_name(RECIPES[name].function)(**values)
    return recipe


def remember(out: Folder, name: str, values: dict[str, Any]) -> None:
    """Write down the words with absolute paths, so that the next command may come from another folder."""
    out.write(NAME, json.dumps({"recipe": name, "values": absolute(name, values)}, ensure_ascii=False, indent=1).encode())


def absolute(name: str, values: dict[str, Any]) -> dict[str, Any]:
    """The words of the recipe `name` with absolute paths in place of relative ones."""
    words = RECIPES[name].words if values else {}
    return {n: reading.absolute(value) if words[n].read is reading.path else value for n, value in values.items()}


def again(out: Folder, **changed: Any) -> Recipe:
    """The output's last recipe, except for words that have `changed`. Raises `ValueError` if recipe.json is missing or damaged,
    or if the recipe lacks one of the words."""
    if not out.exists(NAME):
        raise ValueError(f"{out.url} has no {NAME}, which says how it was made: run its recipe again first")
    try:
        record = json.loads(out.read(NAME))
        name, values = record["recipe"], dict(record["values"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{out.path(NAME)} is damaged ({error}): run its recipe again") from None
    if name not in RECIPES:
        raise ValueError(f"{out.path(NAME)} names the recipe {name!r}, which isn't there: recipes are {', '.join(RECIPES)}")
    values |= changed
    words = RECIPES[name].words
    if unknown := sorted(values.keys() - words.keys()):
        raise ValueError(f"{name} has no word {unknown[0]!r}: its words are {', '.join(words)}")
    return build(name, values)
