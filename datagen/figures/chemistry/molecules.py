"""A maker of chemical structures: molecules of a list, drawn by RDKit, with the SMILES that each picture shows."""

import functools
import hashlib
import random
from dataclasses import dataclass
from typing import ClassVar

import rdkit
from rdkit import Chem, rdBase
from rdkit.Chem import BRICS

from datagen.drawing import typefaces
from datagen.figures.chemistry import depict, reactions
from datagen.inputs.items import Item
from datagen.record import Box, Region
from datagen.samples import molecules as lists
from datagen.work.draws import Drawing, Draws

_HARD = 45  # heavy atoms, from which on a molecule is as difficult as any


@dataclass(frozen=True)
class MoleculeDraws(Draws):
    """Draws from lists of molecules, which are fetched, or made plain, when the draws are first listed."""

    source: str = lists.PACKAGES

    def items(self) -> list[Item]:
        lists.fetch(self.source)
        return super().items()

    def pending(self) -> str:
        missing = lists.missing(self.source)
        return f"fetches the lists of molecules in {' and '.join(missing)} first" if missing else ""


@dataclass(frozen=True)
class Molecules:
    """Molecules of `source`: a file of SMILES, or `packages`, of whose lists each is drawn from as often as the others.

    A share of `recombined` are new ones: two of the list, cut where BRICS would, and put together crosswise. A share of
    `reactions` are a reaction of the molecule, where one of `datagen.figures.chemistry.reactions` fits it. Pictures of one
    molecule are one group in any split, whatever their stereo.
    """

    version: ClassVar[int] = 1
    name: ClassVar[str] = "molecules"
    task: ClassVar[str] = "figure"

    source: str = lists.PACKAGES
    recombined: float = 0.01
    reactions: float = 0.02

    def draw(self, random: random.Random) -> Drawing:
        chosen = depict.look(random)
        molecule = self._molecule(random)
        if random.random() < self.reactions and (reaction := reactions.of(molecule, random)):
            image, size, text = reactions.picture(reaction, chosen)
            group = ">".join(sorted(map(depict.skeleton, (*reaction.left, *reaction.right))))
        else:
            drawn, text = depict.laid_out(molecule, chosen)
            image, size = depict.picture(drawn, chosen)
            group = depict.skeleton(molecule) if depict.STEREO & set(text) else text
        return Drawing(
            image,
            size,
            text,
            (Region(Box(0, 0, *size), "molecule", text, None, self.name, format="smiles"),),
            difficulty=min(1.0, molecule.GetNumHeavyAtoms() / _HARD),
            group=hashlib.sha256(group.encode()).hexdigest(),
        )

    def engines(self) -> dict[str, str]:
        """What decides how a molecule comes out, beside the fields: RDKit, the lists, and the typefaces."""
        listed = hashlib.sha256("".join(of.sha256 for of in _lists(self.source)).encode()).hexdigest()
        return {"rdkit": rdkit.__version__, "molecules": listed[:16], "faces": typefaces.digest(depict.faces())}

    def _molecule(self, random: random.Random) -> Chem.Mol:
        of_source = _lists(self.source)
        first = depict.parsed(random.choice(of_source).draw(random))
        if random.random() < self.recombined:
            second = depict.parsed(random.choice(of_source).draw(random))
            return recombined(first, second, random) or first
        return first


def recombined(first: Chem.Mol, second: Chem.Mol, random: random.Random) -> Chem.Mol | None:
    """A molecule of pieces of both, cut at BRICS' bonds and joined by its rules; None if they give none of a drawable size."""
    if max(first.GetNumHeavyAtoms(), second.GetNumHeavyAtoms()) > depict.MAX_HEAVY_ATOMS // 2:
        return None
    with rdBase.BlockLogs():
        pieces = [sorted(BRICS.BRICSDecompose(of, minFragmentSize=3)) for of in (first, second)]
        ends = [piece for of in pieces for piece in random.sample(of, min(2, len(of))) if piece.count("*") == 1]
        if len(ends) < 2:
            return None
        built = BRICS.BRICSBuild([Chem.MolFromSmiles(piece) for piece in ends], maxDepth=0, scrambleReagents=False)
        new = sorted(Chem.MolToSmiles(of) for of in built)
        return depict.parsed(random.choice(new)) if new else None


@functools.lru_cache(maxsize=4)
def _lists(source: str) -> tuple[lists.Molecules, ...]:
    return lists.fetch(source)
