"""Pages with figures: the figure stands where the record says, its parse is there, and the page's answer has its box alone."""

import io
import random
from dataclasses import dataclass
from typing import ClassVar

import numpy
import pytest
from PIL import Image

from datagen.contract import check
from datagen.figures import figure_pages
from datagen.figures.figure_pages import FigurePages
from datagen.markdown import markdown
from datagen.record import Box, Origin, Region, SampleError
from datagen.samples import declarations
from datagen.samples.declarations import Declaration
from datagen.target import Prompt, decode, encode, is_fine, usual
from datagen.work.draws import Drawing
from tests.inputs.samples import encoded, sample
from tests.inputs.udhr import UDHR

TEXTS = {"grek": "Grek", "hebr": "Hebr"}


@dataclass(frozen=True)
class Squares:
    """A red square as a molecule, of which every third draw fails; a wide strip that no column shows legibly."""

    version: ClassVar[int] = 1
    name: ClassVar[str] = "squares"
    task: ClassVar[str] = "figure"

    size: tuple[int, int] = (300, 300)

    def draw(self, random: random.Random) -> Drawing:
        if random.random() < 0.3:
            raise SampleError("no_luck")
        png = encoded(Image.new("RGB", self.size, (255, 0, 0)), "PNG")
        return Drawing(png, self.size, "CCO", (Region(Box(0, 0, *self.size), "molecule", "CCO", None, "", format="smiles"),))

    def engines(self) -> dict[str, str]:
        return {"squares": "1"}


@pytest.fixture(scope="module", autouse=True)
def texts():
    """Declarations of 30 paragraphs, each with its number as a heading before."""

    def declaration(code: str) -> Declaration:
        lang, text = UDHR[TEXTS[code]]
        text = text.replace(" ", " \u2010-", 3)  # signs that look as if a typesetter had made them
        return Declaration(code, lang, (text[:30], *(part for n in range(30) for part in (f"{text[:6]} {n}", text))))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(declarations, "codes", lambda: list(TEXTS))
        patch.setattr(declarations, "declaration", declaration)
        patch.setattr(declarations, "version", lambda: "6")
        patch.setattr(figure_pages, "_LONG_SIDES", (800, 960))
        for cached in (figure_pages._codes, figure_pages._text, figure_pages._families):
            cached.cache_clear()
        yield
    for cached in (figure_pages._codes, figure_pages._text, figure_pages._families):
        cached.cache_clear()


def pages(num: int, *makers: Squares):
    made = []
    for n in range(num):
        drawing = FigurePages(makers).draw(random.Random(f"page {n}"))
        values = {"size": drawing.size, "image": drawing.image, "lang": drawing.lang, "script": drawing.script}
        made.append(
            sample(f"p-{n}", regions=drawing.regions, text=drawing.text, origin=Origin("draws://a", "ab" * 32, n), **values)
        )
    return made


def test_a_figure_stands_where_the_record_says_and_lines_stand_beside_it():
    made = pages(6, Squares(), Squares((4000, 90)))
    assert {page.script for page in made} == {"Grek", "Hebr"}
    for page in made:
        check(page)
        pixels = numpy.asarray(Image.open(io.BytesIO(page.image))).astype(int)
        red = (pixels[:, :, 0] > 180) & (pixels[:, :, 1] < 90)
        figures = [region for region in page.regions if region.label == "molecule"]
        assert 1 <= len(figures) <= 4
        for figure in figures:
            x0, y0, x1, y1 = figure.box
            assert (figure.text, figure.format, figure.lines) == ("CCO", "smiles", ()) and x1 - x0 == y1 - y0
            assert red[y0 + 3 : y1 - 3, x0 + 3 : x1 - 3].all()
            red[y0 - 8 : y1 + 8, x0 - 8 : x1 + 8] = False  # JPEG's colours are blurred
            for line in (line for region in page.regions for line in region.lines):
                assert line.box.x1 <= x0 or line.box.x0 >= x1 or line.box.y1 <= y0 or line.box.y0 >= y1
            assert all(
                "".join(r.text.split()) == "".join(line.text for line in r.lines).replace(" ", "")
                for r in page.regions
                if r.lines
            )
        assert not red.any()
        assert {region.label for region in page.regions} <= {"title", "sub_title", "text", "list", "molecule"}


def test_a_pages_answer_has_the_figures_box_and_not_its_parse():
    (page,) = pages(1, Squares())
    assert is_fine(page) and usual(page) == Prompt.MARKDOWN and page.text == markdown(page.regions)
    answer = encode(page, Prompt.MARKDOWN)[1]
    assert "CCO" not in answer and "CCO" not in page.text
    found = [region.box for region in decode(answer, page.size) if region.label == "image"]
    truth = [region.box for region in page.regions if region.label == "molecule"]
    assert len(found) == len(truth) > 0
    for one, other in zip(found, truth, strict=True):
        assert max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 2


def test_pages_are_the_same_again_and_one_on_which_nothing_fits_is_no_page():
    assert pages(2, Squares()) == pages(2, Squares())
    with pytest.raises(SampleError, match="no_figure"):
        pages(1, Squares((4000, 90)))
    assert FigurePages((Squares(),)).engines()["squares"] == "1"
