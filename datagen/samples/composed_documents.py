"""Sample documents that `datagen.samples.composed` writes: papers, reports, exams, slides, of real sentences and pictures.

The sentences are those of `TextSamples`, LibreOffice's help and the Universal Declaration of Human Rights; the pictures are
those of `DebianSamples`' packages. Other real documents of markup have few pages with columns, figures and formulas.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from datagen.inputs.census import Census, Listing
from datagen.inputs.items import Item
from datagen.samples.composed import write
from datagen.samples.documents import cache_folder, kept
from datagen.samples.markup_documents import PACKAGES, SCRIPTS
from datagen.samples.texts import TextSamples

_LATIN = tuple("ces dan nld fin fra deu_1996 hun ita pol por_PT ron_2006 rus spa swe tur eng".split())
_SHORTEST, _FEWEST = 30, 20  # characters of a paragraph, paragraphs of a text
_HELP_TIMES = 4  # so much more often than a declaration: there are 14 helps
_MOST_PICTURES, _SIZES = 150, (20_000, 400_000)


@dataclass(frozen=True)
class ComposedSamples(Census):
    """A census of `num` of these documents, in the user's cache; the same `seed` gives the same documents of the same texts."""

    num: int = 1500
    seed: int = 0

    def items(self) -> list[Item]:
        """Sorted by uri. Raises `ValueError`, saying how to go on, where no texts could be had."""
        return list(Listing(str(kept(self._folder(), self._written)), ("html",)).items())

    def pending(self) -> str:
        missing = "" if self._folder().exists() else f"writes {self.num} documents first"
        return "; ".join(filter(None, [missing, TextSamples().pending() if missing else ""]))

    def _written(self, folder: Path) -> Path:
        made = folder / "made"
        (made / "pictures").mkdir(parents=True)
        write(made, self.num, _texts(), _pictures(made), self.seed)
        return made

    def _folder(self) -> Path:
        return cache_folder().with_name("composed") / f"{self.seed}-{self.num}"


def _texts() -> list[tuple[str, Sequence[str]]]:
    """Languages with paragraphs."""
    result: list[tuple[str, Sequence[str]]] = []
    for item in TextSamples().items():
        path = Path(item.uri)
        is_declaration = path.parent.name == "udhr"
        if is_declaration and path.stem not in SCRIPTS + _LATIN:
            continue
        paragraphs = [line for line in path.read_text(encoding="utf-8").split("\n") if len(line) > _SHORTEST]
        if len(paragraphs) > _FEWEST:
            result += [(item.lang, paragraphs)] * (1 if is_declaration else _HELP_TIMES)
    return result


def _pictures(folder: Path) -> list[str]:
    """Addresses, from `folder`, of copies of pictures in the packages that are there already."""
    least, most = _SIZES
    names = sorted({package.name for package in PACKAGES})
    found = [path for name in names for path in sorted((cache_folder() / name).rglob("*")) if path.suffix in (".png", ".jpg")]
    found = [path for path in found if least < path.stat().st_size < most]
    Random(0).shuffle(found)
    for n, path in enumerate(found[:_MOST_PICTURES]):
        shutil.copyfile(path, folder / "pictures" / f"{n}{path.suffix}")
    return [f"pictures/{n}{path.suffix}" for n, path in enumerate(found[:_MOST_PICTURES])]
