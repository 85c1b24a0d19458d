"""The pages of Word documents, as the source reads them, without its child."""

from dataclasses import dataclass
from pathlib import Path

from datagen.record import Region
from datagen.word import office
from datagen.word.file import content
from datagen.word.file.package import opened
from datagen.word.pages.answers import WordPage
from datagen.word.pages.document_pages import Rendering, WordPages
from datagen.word.pages.formula_places import formula_text
from datagen.word.pages.paragraph_parts import formulas_of


@dataclass
class Pages:
    pages: list[WordPage]

    @property
    def regions(self) -> list[Region]:
        return [region for page in self.pages for region in page.regions]

    def labelled(self, *labels: str) -> list[Region]:
        return [region for region in self.regions if region.label in labels]

    @property
    def text(self) -> str:
        return "\n".join(region.text for region in self.regions)


def read_all(paths: list[Path], folder: Path) -> dict[str, Pages]:
    """The pages of these files, converted in one go; the LaTeX of a formula is its text."""
    read = {}
    for path in paths:
        package = opened(str(path))
        document, parts = content.read(package)
        package.write(str(folder / f"{path.stem}-copy.docx"), parts)
        read[path.stem] = document
    pdfs = office.convert([str(folder / f"{path.stem}-copy.docx") for path in paths], str(folder / "pdf"), "pdf")
    result = {}
    for (name, document), pdf in zip(read.items(), pdfs, strict=True):
        latex = {formula.number: formula_text(formula.omml) for formula in formulas_of(document.blocks)}
        pages = WordPages(document, latex, {}, Rendering(pdf, 1200, 85))
        result[name] = Pages([pages.page(number) for number in pages.numbers])
    return result
