"""Drawn molecules: what the picture says is what the label says, and lists in any form give the same lines."""

import csv
import gzip
import io
import random
from collections import Counter
from dataclasses import replace

import numpy
import pytest
from PIL import Image
from rdkit import Chem
from rdkit.Chem import rdChemReactions

from datagen.figures.chemistry import depict, reactions
from datagen.figures.chemistry.molecules import Molecules, recombined
from datagen.record import SampleError
from datagen.samples import molecules as lists

SMILES = (
    "CC(=O)Oc1ccccc1C(=O)O CN1C=NC2=C1C(=O)N(C(=O)N2C)C C[C@H](N)C(=O)O C/C=C/C(=O)OC CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)NCC#N "
    "[Na+].[O-]S(=O)(=O)c1ccccc1 CCN(CC)C(=O)[C@H]1CN([C@@H]2Cc3cn(C(C)=O)c4cccc(c34)C2=C1)C "
    "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O [2H]C([2H])([2H])O O=[N+]([O-])c1ccc(Br)cc1 "
    "FC(F)(F)c1cc(cc(c1)C(F)(F)F)NC(=S)N C1CC1N=Nc1ccccc1 CC(C)(C)OC(=O)N1CCC(CC1)c1ccncc1 C[N+](C)(C)CCO.[Cl-] "
    "c1ccc2c(c1)[nH]c1ccccc12"
).split()
LOOK = replace(depict.look(random.Random(1)), unknown_marked=False, hydrogens=False, coordgen=False)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "list.smi"
    path.write_text("".join(f"{smiles}\n" for smiles in SMILES))
    return str(path)


def canonical(smiles):
    return Chem.MolToSmiles(Chem.MolFromSmiles(smiles))


def bare(smiles):
    return depict.skeleton(Chem.MolFromSmiles(smiles))


def drawings(maker, count, seed=0):
    for number in range(count):
        yield maker.draw(random.Random(f"{seed} {number}"))


def test_the_molecule_that_is_drawn_from_the_label_is_the_label(listed):
    kinds = Counter()
    for drawing in drawings(Molecules(listed), 100):
        sides = drawing.text.split(">")
        kinds[len(sides)] += 1
        for smiles in ".".join(sides[::2]).split("."):
            drawn, again = depict.laid_out(depict.parsed(smiles), LOOK)
            assert again == smiles or "/" not in smiles  # one that no side was marked of is drawn to one
            assert bare(again) == bare(smiles)
            assert Chem.MolToSmiles(Chem.MolFromMolBlock(Chem.MolToMolBlock(drawn))) == again
        with Image.open(io.BytesIO(drawing.image)) as image:
            assert image.size == drawing.size and max(image.size) <= depict.MAX_SIDE + 60
            assert numpy.asarray(image.convert("L")).std() > 3
    assert kinds[1] > kinds[3] > 0


def test_a_label_has_the_stereo_that_the_picture_shows_and_no_other():
    shown = [
        ("C[C@H](N)C(=O)O", "C[C@H](N)C(=O)O"),
        ("CC(N)C(=O)O", "CC(N)C(=O)O"),
        ("C/C=C\\Br", "C/C=C\\Br"),
        ("CC=CBr", "C/C=C/Br"),
    ]
    for smiles, label in shown:
        assert depict.laid_out(depict.parsed(smiles), LOOK)[1] == canonical(label)
    assert depict.laid_out(depict.parsed("CC=CBr"), replace(LOOK, unknown_marked=True))[1] == canonical("CC=CBr")


def test_a_group_in_letters_is_drawn_otherwise_and_says_the_same():
    drawn, smiles = depict.laid_out(depict.parsed("COC(=O)c1ccc(C(F)(F)F)cc1"), LOOK)
    short = depict.abbreviated(drawn, 1.0)
    assert short.GetNumAtoms() < drawn.GetNumAtoms()
    assert smiles == canonical("COC(=O)c1ccc(C(F)(F)F)cc1")


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [("C1CC", "smiles_unreadable"), ("C(C)(C)(C)(C)C", "smiles_unreadable"), ("C" * 91, "molecule_size"), ("", "molecule_size")],
)
def test_what_is_no_molecule_or_too_large_is_a_drop(smiles, reason):
    with pytest.raises(SampleError) as error:
        depict.parsed(smiles)
    assert error.value.reason == reason


def test_a_draw_is_the_same_by_its_seed(listed):
    ours, again = (list(drawings(Molecules(listed), 12, seed=5)) for _ in range(2))
    assert ours == again
    assert [d.text for d in ours] != [d.text for d in drawings(Molecules(listed), 12, seed=6)]


def test_a_reaction_says_what_stands_on_both_sides_of_the_arrow():
    amide = depict.parsed("CC(=O)Nc1ccccc1C#N")
    labels = [reactions.picture(r, LOOK)[2] for n in range(40) if (r := reactions.of(amide, random.Random(n)))]
    assert any(
        label.startswith("CC(=O)O.N#Cc1ccccc1N>") and label.endswith(f">{canonical('CC(=O)Nc1ccccc1C#N')}") for label in labels
    )
    assert all(rdChemReactions.ReactionFromSmarts(label, useSmiles=True).GetNumProductTemplates() == 1 for label in labels)
    assert reactions.of(depict.parsed("[Na+].[Cl-]"), random.Random(1)) is None


def test_molecules_are_recombined_into_new_ones():
    first, second = (depict.parsed(SMILES[at]) for at in (4, 12))
    new = {Chem.MolToSmiles(of) for n in range(10) if (of := recombined(first, second, random.Random(n)))}
    assert new and not new & {canonical(smiles) for smiles in SMILES}
    assert all(depict.parsed(smiles) for smiles in new)


def write_list(path, form):
    rows = [[str(number + 1), smiles, f"name, {number}"] for number, smiles in enumerate(SMILES)]
    if form == "CID-SMILES.gz":
        with gzip.open(path, "wt") as file:
            file.writelines(f"{number}\t{smiles}\n" for number, smiles, _ in rows)
    elif form == "list.smi":
        path.write_text("".join(f"{smiles} mol{number}\n" for number, smiles, _ in rows))
    else:
        with open(path, "w", newline="") as file:
            csv.writer(file, delimiter="\t" if form.endswith("tsv") else ",").writerows(
                [["id", "Canonical_SMILES", "name"], *rows]
            )


@pytest.mark.parametrize("form", ["CID-SMILES.gz", "list.smi", "list.csv", "list.tsv"])
def test_a_list_is_taken_as_it_comes(tmp_path, form):
    write_list(tmp_path / form, form)
    (taken,) = lists.fetch(str(tmp_path / form))
    assert taken.path.read_text().splitlines() == SMILES


def test_a_quotation_mark_in_a_name_is_no_quotation(tmp_path):
    (tmp_path / "a.tsv").write_text('CCO\t"spirit\nCC=O\tethanal\nC=O\t5" rods\n')
    assert lists.fetch(str(tmp_path / "a.tsv"))[0].path.read_text() == "CCO\nCC=O\nC=O\n"


DAMAGES = {
    "cut": lambda data: data[: len(data) // 2],
    "no_gzip": lambda data: b"\xff\xfe" + data,
    "header": lambda data: b"\x1f\x8b" + data,
    "zeros": lambda data: data[:40] + bytes(len(data) - 40),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_list_that_breaks_off_is_refused_and_leaves_nothing(tmp_path, damage):
    path = tmp_path / "a.smi.gz"
    path.write_bytes(DAMAGES[damage](gzip.compress("".join(f"{s}\n" for s in SMILES * 400).encode())))
    with pytest.raises(ValueError, match="can't be read as text"):
        lists.fetch(str(path))
    assert list((tmp_path / "cache").rglob("*.smi")) == [] == list((tmp_path / "cache").rglob(".tmp-*"))


@pytest.mark.parametrize(
    ("text", "says"), [("1\tabc\n2\tdef\n", "none of its columns holds SMILES"), ("", "none of its columns")]
)
def test_a_file_without_smiles_is_refused(tmp_path, text, says):
    (tmp_path / "a.smi").write_text(text)
    with pytest.raises(ValueError, match=says):
        lists.fetch(str(tmp_path / "a.smi"))
    with pytest.raises(ValueError, match="a list of SMILES is needed"):
        lists.fetch(str(tmp_path / "b.smi"))
