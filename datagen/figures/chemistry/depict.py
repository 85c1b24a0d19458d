"""A molecule laid out on paper, what the picture then says, and looks that pictures of molecules have in print.

The label of a molecule with stereo is read back from the picture's own geometry: the coordinates, bonds and wedges that are
drawn, as a molfile, give the SMILES. So a stereocentre that no wedge shows isn't in it, and a double bond that is drawn to one
side is.
"""

import functools
import io
import math
import random
from dataclasses import dataclass
from typing import Any

import numpy
from PIL import Image
from rdkit import Chem, rdBase
from rdkit.Chem import rdAbbreviations, rdCoordGen, rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D

from datagen.drawing import captions, typefaces
from datagen.drawing.captions import Caption
from datagen.record import SampleError

MAX_HEAVY_ATOMS = 90
"""Larger ones don't fit an image in which they can be read."""
MAX_SIDE = 1600  # pixels
STEREO = frozenset("/\\@")
_MAX_WITH_HYDROGENS = 9  # heavy atoms of a molecule whose hydrogens are drawn
# Faces that chemistry is set in, where the machine has them; "" is the one that RDKit carries.
_FACES = (
    *("", "", "", "", "", "", "DejaVuSans.ttf", "FreeSans.ttf", "NotoSans-Regular.ttf", "FreeSerif.ttf", "NotoSerif-Regular.ttf"),
    *("LiberationSans-Regular.ttf", "NotoSansDisplay-Regular.ttf"),
)
# What stands below a structure, by script; {} is its number.
_CAPTIONS = (
    *(("Latn", text) for text in ("{}", "{}", "({})", "{}a", "{}b", "Compound {}", "Figure {}", "Fig. {}", "Scheme {}")),
    *(("Latn", text) for text in ("Verbindung {}", "composé {}", "Compuesto {}", "Hợp chất {}", "Związek {}")),
    *(("Cyrl", "соединение {}"), ("Cyrl", "Рис. {}"), ("Grek", "ένωση {}"), ("Arab", "المركب {}"), ("Hebr", "תרכובת {}")),
    *(("Hans", "化合物 {}"), ("Hans", "图{}"), ("Jpan", "図{}"), ("Jpan", "化合物{}"), ("Kore", "화합물 {}")),
    *(("Deva", "यौगिक {}"), ("Thai", "สารประกอบ {}"), ("Beng", "যৌগ {}"), ("Taml", "சேர்மம் {}")),
    *(("Armn", "Միացություն {}"), ("Geor", "ნაერთი {}")),
)
_INKS = ((0.0, 0.0, 0.0), (0.12, 0.12, 0.12), (0.05, 0.1, 0.35), (0.3, 0.3, 0.3), (0.25, 0.05, 0.05))


@dataclass(frozen=True)
class Look:
    """How a molecule is drawn. Lengths are in pixels, `turn` in degrees, `offset` in parts of a bond's length, `margins` (left
    and right together, above and below together) in parts of the drawing's sides."""

    bond: float
    line: float
    face: str
    font: float
    palette: str
    ink: tuple[float, float, float]
    paper: tuple[float, float, float]
    turn: float
    offset: float
    margins: tuple[float, float]
    caption: Caption | None
    coordgen: bool
    abbreviated: float
    hydrogens: bool
    methyls: bool
    indices: bool
    annotated: bool
    unknown_marked: bool


def look(source: random.Random) -> Look:
    """A look by chance: most as in journals, black or with coloured atoms, few odd."""
    chance = source.random
    caption = captions.drawn(_CAPTIONS, source) if chance() < 0.02 else None
    bond = source.uniform(20, 46)
    tint = source.uniform(0.9, 1.0)
    paper = (1.0, 1.0, 1.0) if chance() < 0.8 else (tint, source.uniform(tint, 1.0), source.uniform(0.86, 1.0))
    return Look(
        bond=bond,
        line=max(0.8, bond * source.uniform(0.035, 0.095)),
        face=typefaces.files().get(source.choice(_FACES), ""),
        font=source.uniform(0.42, 0.72),
        palette=source.choices(("black", "usual", "cdk", "avalon", "ink", "dark"), (52, 26, 7, 5, 8, 2))[0],
        ink=source.choice(_INKS),
        paper=paper,
        turn=source.choice((0.0, 0.0, source.uniform(0, 360), 30.0 * source.randrange(12))),
        offset=source.uniform(0.1, 0.18),
        margins=(source.uniform(0.02, 0.5), source.uniform(0.02, 0.5)) if chance() < 0.3 else (0.05, 0.05),
        caption=caption,
        coordgen=chance() < 0.05,
        abbreviated=source.uniform(0.2, 0.6) if chance() < 0.2 else 0.0,
        hydrogens=chance() < 0.1,
        methyls=chance() < 0.08,
        indices=chance() < 0.02,
        annotated=chance() < 0.04,
        unknown_marked=chance() < 0.04,
    )


def faces() -> tuple[str, ...]:
    """Paths of the typefaces of this machine that looks choose from."""
    named = {path for name in _FACES if (path := typefaces.files().get(name))}
    return tuple(sorted(named | captions.faces(_CAPTIONS)))


def parsed(smiles: str) -> Chem.Mol:
    """The molecule of a SMILES. Raises `SampleError` if RDKit can't take it as one, or if it is too large to draw."""
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        raise SampleError("smiles_unreadable", smiles[:200])
    if not molecule.GetNumAtoms() or molecule.GetNumHeavyAtoms() > MAX_HEAVY_ATOMS:
        raise SampleError("molecule_size", f"{molecule.GetNumHeavyAtoms()} heavy atoms, at most {MAX_HEAVY_ATOMS} can be read")
    return molecule


def laid_out(molecule: Chem.Mol, chosen: Look) -> tuple[Chem.Mol, str]:
    """The molecule with coordinates and wedges, ready to draw, and the SMILES that this picture shows, canonical.

    Raises `SampleError` if what the picture says is another molecule, or can't be read.
    """
    with rdBase.BlockLogs():
        flat = Chem.Mol(molecule)
        if chosen.hydrogens and molecule.GetNumHeavyAtoms() <= _MAX_WITH_HYDROGENS:
            flat = Chem.AddHs(flat)
        if chosen.coordgen:
            rdCoordGen.AddCoords(flat)
        else:
            rdDepictor.Compute2DCoords(flat)
        if not chosen.unknown_marked:  # a double bond is read as it is drawn, whether or not the list knew its sides
            Chem.DetectBondStereoChemistry(flat, flat.GetConformer())
            Chem.AssignStereochemistry(flat, cleanIt=True, force=True)
        try:
            ready = rdMolDraw2D.PrepareMolForDrawing(flat)
            smiles = Chem.MolToSmiles(flat)
            if flat.GetNumAtoms() > molecule.GetNumAtoms() or STEREO & set(smiles):
                smiles = _read_back(ready, molecule)
        except (ValueError, RuntimeError) as error:
            raise SampleError("not_drawn", str(error)[:200]) from None
        if canonical(smiles) != smiles:
            raise SampleError("not_read_back", f"{smiles[:200]} is another SMILES when it is parsed again")
    return ready, smiles


def _read_back(ready: Chem.Mol, molecule: Chem.Mol) -> str:
    """The SMILES of what is laid out, by its coordinates and wedges. Raises `SampleError` if that isn't the molecule, but for its
    stereo."""
    seen = Chem.MolFromMolBlock(Chem.MolToMolBlock(ready))
    if seen is None or skeleton(seen) != skeleton(molecule):
        raise SampleError("not_read_back", f"{Chem.MolToSmiles(molecule)[:200]} is drawn as another molecule")
    return Chem.MolToSmiles(seen)


def canonical(smiles: str) -> str:
    """The SMILES as RDKit writes it; "" if it is none."""
    molecule = Chem.MolFromSmiles(smiles)
    return "" if molecule is None else Chem.MolToSmiles(molecule)


def skeleton(molecule: Chem.Mol) -> str:
    """The canonical SMILES without stereo: what drawings of one molecule have in common."""
    plain = Chem.Mol(molecule)
    Chem.RemoveStereochemistry(plain)
    return Chem.MolToSmiles(plain)


def canvas(width: float, height: float, chosen: Look) -> rdMolDraw2D.MolDraw2DCairo:
    """An empty canvas for what is `width` by `height` angstrom, that draws in the look."""
    scale = min(chosen.bond / 1.5, MAX_SIDE / (max(width, height) + 2.4))  # a bond is 1.5 angstrom
    columns, rows = (
        max(48, min(MAX_SIDE, round((side + 2.4) * scale * (1 + margin))))
        for side, margin in zip((width, height), chosen.margins, strict=True)
    )
    drawing = rdMolDraw2D.MolDraw2DCairo(columns, rows)
    options: Any = drawing.drawOptions()  # RDKit's stubs have the wrong type for each of them
    options.prepareMolsBeforeDrawing = False
    options.fixedBondLength = 1.5 * scale
    options.includeMetadata = False
    options.bondLineWidth = chosen.line
    options.scaleBondWidth = False
    options.baseFontSize = chosen.font
    options.minFontSize = 8
    options.maxFontSize = 48
    options.multipleBondOffset = chosen.offset
    options.padding = 0.01
    options.rotate = chosen.turn
    options.explicitMethyl = chosen.methyls
    options.addAtomIndices = chosen.indices
    options.addStereoAnnotation = chosen.annotated
    options.unspecifiedStereoIsUnknown = chosen.unknown_marked
    if chosen.face:
        options.fontFile = chosen.face
    _colour(options, chosen)
    return drawing


def _colour(options: rdMolDraw2D.MolDrawOptions, chosen: Look) -> None:
    if chosen.palette == "dark":
        rdMolDraw2D.SetDarkMode(options)
        return
    options.setBackgroundColour(chosen.paper)
    if chosen.palette == "black":
        options.useBWAtomPalette()
    elif chosen.palette == "cdk":
        options.useCDKAtomPalette()
    elif chosen.palette == "avalon":
        options.useAvalonAtomPalette()
    elif chosen.palette == "ink":
        options.setAtomPalette({-1: chosen.ink})


@functools.cache
def _abbreviations() -> list[object]:
    """RDKit's, but for those that leave it to the reader whether nitrogen has a hydrogen."""
    return [of for of in rdAbbreviations.GetDefaultAbbreviations() if of.label not in ("NMe", "NCF3", "N(OH)CH3")]


def abbreviated(drawn: Chem.Mol, most: float) -> Chem.Mol:
    """The molecule with groups such as OMe and CO2Et in letters, as far as they are at most `most` of its atoms."""
    with rdBase.BlockLogs():
        return rdAbbreviations.CondenseMolAbbreviations(drawn, _abbreviations(), maxCoverage=most)


def picture(drawn: Chem.Mol, chosen: Look) -> tuple[bytes, tuple[int, int]]:
    """A PNG of a molecule that is laid out, and its size. Raises `SampleError` if RDKit can't draw it."""
    x_N, y_N = drawn.GetConformer().GetPositions().T[:2]
    turn = math.radians(chosen.turn)
    width, height = (numpy.ptp(x_N * math.cos(a) + y_N * math.sin(a)) for a in (turn, turn + math.pi / 2))
    drawing = canvas(float(width), float(height), chosen)
    with rdBase.BlockLogs():
        try:
            shown = abbreviated(drawn, chosen.abbreviated) if chosen.abbreviated else drawn
            drawing.DrawMolecule(shown)
            drawing.FinishDrawing()
        except (ValueError, RuntimeError) as error:
            raise SampleError("not_drawn", str(error)[:200]) from None
    if chosen.caption:
        return encoded(pixels(drawing, chosen), chosen)
    return drawing.GetDrawingText(), (drawing.Width(), drawing.Height())


def pixels(drawing: rdMolDraw2D.MolDraw2DCairo, chosen: Look) -> Image.Image:
    """What is drawn, grey where the look is."""
    is_grey = chosen.palette == "black" and len(set(chosen.paper)) == 1
    return Image.open(io.BytesIO(drawing.GetDrawingText())).convert("L" if is_grey else "RGB")


def encoded(image: Image.Image, chosen: Look) -> tuple[bytes, tuple[int, int]]:
    """A PNG of the image with the look's caption below it, if there is one, and its size."""
    if chosen.caption:
        ink = (235, 235, 235) if chosen.palette == "dark" else (0, 0, 0)
        image = captions.below(image, chosen.caption, round(max(13, min(26, chosen.bond * 0.6))), ink)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=2)
    return file.getvalue(), image.size


def plain_picture(smiles: str, side: int = 300) -> bytes:
    """A PNG of the SMILES of a molecule or a reaction, drawn as RDKit does by itself. Raises `ValueError` if it is none."""
    from rdkit.Chem import rdChemReactions

    drawing = rdMolDraw2D.MolDraw2DCairo(2 * side if ">" in smiles else side, side)
    with rdBase.BlockLogs():
        if ">" in smiles:
            drawing.DrawReaction(rdChemReactions.ReactionFromSmarts(smiles, useSmiles=True))
        else:
            molecule = Chem.MolFromSmiles(smiles)
            if molecule is None:
                raise ValueError(f"{smiles} is no SMILES")
            rdMolDraw2D.PrepareAndDrawMolecule(drawing, molecule)
        drawing.FinishDrawing()
    return drawing.GetDrawingText()
