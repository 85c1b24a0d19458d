"""The readers that come with the package, made anew from text and typefaces of packages."""

from typing import Annotated

from flywheel.scripts.step import Scripts
from recipes.recipe import Recipe

NAME = "scripts"


def scripts(
    scripts: Annotated[
        str, "A,B,…", "make the readers of these scripts alone (ISO 15924: Khmr,Thai), from the package's trunk"
    ] = "",
    install: Annotated[bool, "0|1", "put them into the package, in place of its own"] = False,
) -> Recipe:
    """Readers of some fifty scripts, trained from text and typefaces of packages alone, in some hours; `install=1` makes them
    the package's."""
    names = (name.strip().title() for name in scripts.split(","))
    return Recipe(NAME, (Scripts(tuple(dict.fromkeys(name for name in names if name)), install=install),))
