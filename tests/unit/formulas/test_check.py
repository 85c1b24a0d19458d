"""Formula samples whose LaTeX is drawn again and compared with their image."""

import numpy
import pytest
from PIL import Image

from datagen.engines import OPEN
from datagen.formulas.check import CheckFormulas
from datagen.formulas.render import draw
from datagen.record import Box, Drop, Origin, Region, Sample
from tests.inputs.samples import encoded, sample

MARGIN = 6
RIGHT = (r"E = mc^2", r"x", r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}")
WRONG = {
    r"E = mc^2": r"\int_0^1 f(t)\,dt",
    r"\sum_{i=1}^{n} x_i": r"E = mc^2",
}


def formula(shown: str, label: str, task: str = "formula") -> Sample:
    """A sample whose image shows one formula, and whose label is another."""
    ink = draw(shown).ink
    small = Image.fromarray(255 - ink).resize((max(1, ink.shape[1] // 2), max(1, ink.shape[0] // 2)), Image.Resampling.BICUBIC)
    image = Image.new("L", (small.width + 2 * MARGIN, small.height + 2 * MARGIN), 255)
    image.paste(small, (MARGIN, MARGIN))
    box = Box(MARGIN, MARGIN, MARGIN + small.width, MARGIN + small.height)
    region = Region(box, "equation", label, None, "word", format="latex")
    origin = Origin("/in/a.docx", "ab" * 32, 3)
    text = rf"\[{label}\]"
    return sample(
        "a-000003-f0001",
        task=task,
        image=encoded(image.convert("RGB"), "JPEG", quality=90),
        size=image.size,
        text=text,
        regions=(region,),
        origin=origin,
        stage="w",
    )


def checked(one: Sample, **values: float) -> Sample | Drop:
    (outcome,) = CheckFormulas(**values)([one], OPEN)
    return outcome


@pytest.mark.parametrize("latex", RIGHT)
def test_what_is_like_its_image_stays_and_says_how_like(latex):
    checked_sample = checked(formula(latex, latex))
    assert isinstance(checked_sample, Sample)
    assert checked_sample.quality.signals["formula_agreement"] > 0.75


@pytest.mark.parametrize(("shown", "label"), WRONG.items())
def test_another_formula_drops_with_its_figure(shown, label):
    drop = checked(formula(shown, label))
    assert isinstance(drop, Drop)
    assert (drop.key, drop.reason, drop.stage) == ("a-000003-f0001", "formula_unlike", "CheckFormulas")
    assert drop.part == (3, 4)
    assert drop.detail.startswith("0.") and "0.4 are needed" in drop.detail and label in drop.detail
    assert isinstance(checked(formula(shown, label), min_likeness=0.0), Sample)


@pytest.mark.parametrize(("label", "reason"), [(r"\nothing x", "unknown_command")])
def test_what_cant_be_drawn_stays_and_is_counted(label, reason):
    checked_sample = checked(formula("x", label))
    assert isinstance(checked_sample, Sample)
    assert checked_sample.quality.signals.keys() - {"hidden_share"} == {f"undrawn_{reason}"}


def test_an_image_without_ink_is_counted_too():
    blank = formula("x", "x")
    png = encoded(Image.fromarray(numpy.full((blank.size[1], blank.size[0]), 255, numpy.uint8)), "PNG")
    checked_sample = checked(sample(blank.key, task="formula", image=png, size=blank.size, regions=blank.regions))
    assert isinstance(checked_sample, Sample) and checked_sample.quality.signals["undrawn_no_ink"] == 1.0
