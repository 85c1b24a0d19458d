"""Reactions as chemists draw them: what a molecule was made from, or becomes, with a plus, an arrow, and what stands above it.

The other side comes from templates of textbook reactions. Everything is laid out on one canvas at one scale, and the label is
the reaction SMILES of what is drawn: starting materials, agents, products.
"""

import functools
import random
import re
from dataclasses import replace
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont
from rdkit import Chem, rdBase
from rdkit.Chem import rdChemReactions
from rdkit.Geometry import Point2D, Point3D

from datagen.figures.chemistry import depict
from datagen.record import SampleError

_MAX_HEAVY_ATOMS = 24
_GAP = 1.6  # angstrom around a plus and an arrow, a bond is 1.5
_ARROW = 4.2


class _Template(NamedTuple):
    """A reaction as SMARTS, from what is in the list to the other side; whether that other side stands left of the arrow; what is
    written above the arrow, and that as SMILES."""

    smarts: str
    is_made: bool
    above: str
    agents: str


_TEMPLATES = (
    # The molecule of the list is the product.
    _Template(
        "[C:1](=[O:2])[NX3;!$(N=*);!$(N-[C,S]=[O,S,N].[C]=O):3]>>[C:1](=[O:2])O.[N:3]", True, "DCC", "C(=NC1CCCCC1)=NC1CCCCC1"
    ),
    _Template("[#6:4][C:1](=[O:2])[O;R0:3][CX4;H3,H2:5]>>[#6:4][C:1](=[O:2])O.[OH:3][C:5]", True, "H2SO4", "OS(=O)(=O)O"),
    _Template("[#6:4][S:1](=[O:2])(=[O:5])[NX3;R0:3]>>[#6:4][S:1](=[O:2])(=[O:5])Cl.[N:3]", True, "pyridine", "c1ccncc1"),
    _Template("[c:1]-!@[c:2]>>[c:1]Br.[c:2]B(O)O", True, "K2CO3", "O=C([O-])[O-].[K+].[K+]"),
    _Template("[c:1][O;R0:2][CX4;H3,H2:3]>>[c:1][OH:2].[C:3]Br", True, "NaOH", "[OH-].[Na+]"),
    _Template("[c:1][NH2:2]>>[c:1][N+:2](=O)[O-]", True, "SnCl2", "Cl[Sn]Cl"),
    # It is what one starts from.
    _Template("[c:1][N+:2](=O)[O-]>>[c:1][NH2:2]", False, "SnCl2", "Cl[Sn]Cl"),
    _Template("[#6:3][C;R0:1](=[O:2])[#6:4]>>[#6:3][C:1]([OH:2])[#6:4]", False, "NaBH4", "[BH4-].[Na+]"),
    _Template("[CX4;H2:1][OH:2]>>[C:1]=[O:2]", False, "PCC", "c1cc[nH+]cc1.O=[Cr](=O)([O-])Cl"),
    _Template("[C;R0:1]#N>>[C:1](=O)O", False, "H2O, H2SO4", "O.OS(=O)(=O)O"),
    _Template("[CX3;!a;R0:1]=[CX3;!a;R0:2]>>[CX4:1][CX4:2]", False, "H2, Pd/C", "[H][H].[Pd]"),
    _Template("[#6:4][C:1](=[O:2])[OH]>>[#6:4][C:1](=[O:2])OC", False, "MeOH, H2SO4", "CO.OS(=O)(=O)O"),
    _Template("[#6:4][C:1](=[O:2])O[CX4;H3]>>[#6:4][C:1](=[O:2])O", False, "LiOH", "[Li+].[OH-]"),
    _Template("[c:1][OH:2]>>[c:1][O:2]C(C)=O", False, "Ac2O", "CC(=O)OC(C)=O"),
    _Template(
        "[cH:1]1[c:2][c:3][c:4][c:5][c:6]1>>[c:1]1(Br)[c:2][c:3][c:4][c:5][c:6]1", False, "Br2, FeBr3", "BrBr.Br[Fe](Br)Br"
    ),
)


class Reaction(NamedTuple):
    """What stands left and right of the arrow, and above it, as letters and as SMILES."""

    left: tuple[Chem.Mol, ...]
    right: tuple[Chem.Mol, ...]
    above: str
    agents: str


@functools.cache
def _compiled() -> tuple[tuple[_Template, rdChemReactions.ChemicalReaction], ...]:
    return tuple((template, rdChemReactions.ReactionFromSmarts(template.smarts)) for template in _TEMPLATES)


def of(molecule: Chem.Mol, source: random.Random) -> Reaction | None:
    """A reaction of the molecule, by a template that fits it; None if none does, or if it is a mixture or too large."""
    if not 3 <= molecule.GetNumHeavyAtoms() <= _MAX_HEAVY_ATOMS or "." in Chem.MolToSmiles(molecule):
        return None
    templates = list(_compiled())
    source.shuffle(templates)
    with rdBase.BlockLogs():
        for template, reaction in templates:
            results = reaction.RunReactants((molecule,))
            if results and (others := _sound(results[source.randrange(len(results))])):
                left, right = (others, (molecule,)) if template.is_made else ((molecule,), others)
                agents = Chem.MolToSmiles(Chem.MolFromSmiles(template.agents)) if source.random() < 0.7 else ""
                if template.agents.startswith("BrBr") and source.random() < 0.6:  # it fits almost every molecule
                    continue
                return Reaction(left, right, template.above if agents else "", agents)
    return None


def _sound(products: tuple[Chem.Mol, ...]) -> tuple[Chem.Mol, ...]:
    """The products as molecules of their own; none if one isn't sound."""
    again = []
    for product in products:
        smiles = Chem.MolToSmiles(product) if Chem.SanitizeMol(product, catchErrors=True) == 0 else ""
        molecule = Chem.MolFromSmiles(smiles) if smiles and "." not in smiles else None
        if molecule is None:
            return ()
        again.append(molecule)
    return tuple(again)


def picture(reaction: Reaction, chosen: depict.Look) -> tuple[bytes, tuple[int, int], str]:
    """A PNG of the reaction, its size, and the reaction SMILES that it shows. Raises `SampleError` as a molecule does."""
    chosen = replace(chosen, turn=0.0, margins=(0.03, 0.15))
    texts: list[list[str]] = []  # by side
    whole, at, marks, height = None, 0.0, [], 2.4
    for side in (reaction.left, reaction.right):
        if texts:
            marks.append(("arrow", at + _GAP / 2))
            at += _ARROW + _GAP
        texts.append([])
        for number, molecule in enumerate(side):
            if number:
                marks.append(("+", at + _GAP / 2))
                at += _GAP
            drawn, smiles = depict.laid_out(molecule, chosen)
            texts[-1].append(smiles)
            xs, ys, _ = zip(*drawn.GetConformer().GetPositions(), strict=True)
            place = Point3D(at + 0.4 - min(xs), -(min(ys) + max(ys)) / 2, 0.0)
            whole = Chem.CombineMols(whole if whole is not None else Chem.Mol(), drawn, place)
            at += max(xs) - min(xs) + 0.8
            height = max(height, max(ys) - min(ys))
    drawing = depict.canvas(at, height, chosen)
    with rdBase.BlockLogs():
        try:
            drawing.DrawMolecule(whole)
            drawing.FinishDrawing()
        except (ValueError, RuntimeError) as error:
            raise SampleError("not_drawn", str(error)[:200]) from None
    image = depict.pixels(drawing, chosen)
    for kind, x in marks:
        places = [drawing.GetDrawCoords(Point2D(*place)) for place in ((x, 0.0), (x + _ARROW, 0.0))]
        _mark(image, kind, (places[0].x, places[1].x, places[0].y), reaction.above, chosen)
    equation = f"{'.'.join(sorted(texts[0]))}>{reaction.agents}>{'.'.join(sorted(texts[1]))}"
    return *depict.encoded(image, chosen), equation


def _mark(image: Image.Image, kind: str, place: tuple[float, float, float], above: str, chosen: depict.Look) -> None:
    """A plus, or an arrow and what stands above it, from one pixel of a row to another: `place` is both and the row."""
    pen, ink = ImageDraw.Draw(image), "#e1e1e1" if chosen.palette == "dark" else "#000000"
    left, right, middle = place
    angstrom, width = (right - left) / _ARROW, max(1, round(chosen.line))
    if kind == "+":
        reach = 0.35 * angstrom
        pen.line((left - reach, middle, left + reach, middle), ink, width)
        pen.line((left, middle - reach, left, middle + reach), ink, width)
        return
    head = 0.3 * angstrom
    pen.line((left, middle, right - head, middle), ink, width)
    pen.polygon([(right, middle), (right - 1.8 * head, middle - 0.6 * head), (right - 1.8 * head, middle + 0.6 * head)], ink)
    size = max(9, round(0.55 * angstrom))
    small = max(7, round(0.7 * size))
    runs = [(part, small if part.isdigit() else size) for part in re.findall(r"(?<=[A-Za-z])\d+|[^\d]+|\d+", above)]
    fonts = {of: ImageFont.truetype(chosen.face, of) if chosen.face else ImageFont.load_default(of) for of in (size, small)}
    x = (left + right - sum(fonts[of].getlength(part) for part, of in runs)) / 2
    for part, of in runs:
        pen.text((x, middle - 0.35 * size + (0.2 * size if of == small else 0)), part, ink, fonts[of], anchor="ls")
        x += fonts[of].getlength(part)
