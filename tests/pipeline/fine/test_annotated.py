"""Pages of PDFs as labelled regions: their text is the file's, their labels and order those of what was drawn."""

import itertools
import re

import numpy
import pymupdf
import pytest
from rapidfuzz.distance import Levenshtein

from datagen.contract import check
from datagen.engines import OPEN
from datagen.fine import text_layer
from datagen.fine.page_layout import Block, PageLayout
from datagen.fine.structure.level_headings import LevelHeadings
from datagen.fine.text_layer import annotated_layer
from datagen.markdown import markdown
from datagen.page.line_pieces import Rect
from datagen.record import Region
from tests.inputs.pdfs import LATIN, assemble, stream
from tests.inputs.samples import sample
from tests.opened import read

SENTENCES = [f"{word} {LATIN[18:]}" for word in ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth")]


class Sheet:
    """A page that text is set on from the top, in a column."""

    def __init__(self, rotation: int = 0, width: float = 595, height: float = 842):
        self.doc = pymupdf.open()
        self.page = self.doc.new_page(width=width, height=height)
        self.left, self.right, self.y = 72.0, 523.0, 90.0
        self.rotation = rotation

    def put(self, text: str, size: float = 10, font: str = "tiro", gap: float = 10, indent: float = 0) -> str:
        """A paragraph, a word behind the other; words between stars are bold. Returns its text."""
        y, x = self.y + size, self.left + indent
        for word in text.split(" "):
            face = "tibo" if word.startswith("*") else font
            plain = word.strip("*")
            wide = pymupdf.get_text_length(plain + " ", face, size)
            if x + wide > self.right:
                x, y = self.left + indent, y + 1.25 * size
            self.page.insert_text((x, y), plain + " ", fontname=face, fontsize=size)
            x += wide
        self.y = y + gap
        return text.replace("*", "")

    def at(self, x: float, y: float, text: str, size: float = 9, font: str = "tiro") -> None:
        self.page.insert_text((x, y), text, fontname=font, fontsize=size)

    def regions(self) -> tuple[Region, ...]:
        if self.rotation:  # the content lies on its side, and the page is turned so that it is shown upright
            self.page.set_rotation(360 - self.rotation)
            self.page.remove_rotation()
            self.page.set_rotation(self.rotation)
        return read(self.doc.tobytes(), function=annotated_layer).regions


def article(rotation: int = 0) -> tuple[Sheet, str]:
    """A page of an article in two columns, and its text as it is read."""
    sheet, texts = Sheet(rotation), []
    sheet.at(72, 50, "Journal of Rights, volume 12")
    sheet.at(500, 50, "217")
    texts.append(sheet.put("A Study of Rights and Reason", size=20, font="tibo", gap=24))
    top = sheet.y
    for column, (left, right) in enumerate(((72, 285), (310, 523))):
        sheet.left, sheet.right, sheet.y = left, right, top
        for section in range(2):
            number = 2 * column + section + 1
            texts.append(sheet.put(f"{number} Section of rights", size=12, font="tibo", gap=12))
            for sentence in SENTENCES[2 * number - 2 : 2 * number]:
                texts.append(sheet.put(f"{sentence} {SENTENCES[0]}", gap=14))
    sheet.at(72, 800, "Printed for the test of pages", size=8)
    return sheet, "".join(texts)


def distance(a: str, b: str) -> float:
    return Levenshtein.normalized_distance(re.sub(r"\W+", "", a), re.sub(r"\W+", "", b))


@pytest.mark.parametrize("rotation", [0, 90])
def test_an_article_in_two_columns_is_read_in_order_however_its_page_is_turned(rotation):
    sheet, truth = article(rotation)
    regions = sheet.regions()
    labels = [region.label for region in regions]
    assert distance(markdown(regions), truth) == 0
    assert (labels.count("title"), labels.count("sub_title")) == (1, 4)
    assert {r.label for r in regions if "Journal" in r.text or r.text == "217"} == {"header", "page_number"}
    assert [r.label for r in regions if "Printed" in r.text] == ["footer"]


def test_every_line_of_the_text_layer_is_in_one_region():
    sheet, _ = article()
    pdf = sheet.doc.tobytes()
    annotated, plain = read(pdf, function=annotated_layer), read(pdf)
    assert lines_of(annotated.regions) == lines_of(plain.regions)
    assert plain.signals.items() <= annotated.signals.items()
    assert 0 <= annotated.signals["structure_score"] <= 1


def lines_of(regions: tuple[Region, ...]) -> list[tuple]:
    return sorted((line.box, line.text, line.font) for region in regions for line in region.lines)


def test_headings_have_levels_by_number_and_by_size():
    sheet = Sheet()
    for text, size in (("2 Rights", 14), ("2.1 Of all", 13), ("Without a number", 13), ("2.1.1 Of some", 11)):
        sheet.put(text, size=size, font="tibo", gap=12)
        sheet.put(" ".join(SENTENCES[:2]), gap=16)
    (page,) = LevelHeadings()([sample(regions=sheet.regions(), size=(1357, 1920))], OPEN)
    headings = [r.text for r in page.regions if r.label == "sub_title"]
    assert headings == ["## 2 Rights", "### 2.1 Of all", "### Without a number", "#### 2.1.1 Of some"]


def test_what_is_bold_in_a_paragraph_is_emphasised_and_its_lines_are_plain():
    sheet = Sheet()
    sheet.put("*Note: the parts of a *whole *thing, and all the rest, are set so that " + " ".join(SENTENCES[:3]))
    (region,) = sheet.regions()
    assert region.text.startswith("**Note:** the parts of a **whole thing,** and all the rest, are set so that First")
    assert not any("*" in line.text for line in region.lines)


def test_items_are_markdown_and_stand_below_each_other():
    sheet = Sheet()
    sheet.put(SENTENCES[0], gap=14)
    for sentence in SENTENCES[1:4]:
        sheet.put(f"• {sentence}", gap=5, indent=12)
    sheet.y += 12
    for number, sentence in enumerate(SENTENCES[4:7], 1):
        sheet.put(f"{number}. {sentence}", gap=5, indent=12)
    items = [r.text for r in sheet.regions() if r.label == "list"]
    assert items == [f"- {s}" for s in SENTENCES[1:4]] + [f"{n}. {s}" for n, s in enumerate(SENTENCES[4:7], 1)]


def test_code_keeps_its_indents_and_its_empty_lines():
    sheet = Sheet()
    sheet.put(SENTENCES[0], gap=14)
    code = ["import people", "", "def rights(those):", "    for one in those:", "        if one.is_born:",
            "            yield one.rights", "", "for right in rights(people.all()):", "    print(right)"]  # fmt: skip
    for i, line in enumerate(code):
        if line:
            indent = len(line) - len(line.lstrip())
            sheet.at(90 + indent * 5.4, sheet.y + 12 * i, line.lstrip(), font="cour")
    sheet.y += 130
    sheet.put(SENTENCES[1])
    assert ["\n".join(code)] == [r.text for r in sheet.regions() if r.label == "code"]


def test_a_picture_is_a_region_without_text_beside_its_caption():
    sheet = Sheet()
    sheet.put(" ".join(SENTENCES[:2]), gap=20)
    pixels = numpy.random.default_rng(1).integers(0, 255, (60, 100, 3), dtype=numpy.uint8)
    place = pymupdf.Rect(150, sheet.y, 400, sheet.y + 150)
    sheet.page.insert_image(place, pixmap=pymupdf.Pixmap(pymupdf.csRGB, 100, 60, pixels.tobytes(), False))
    sheet.y += 160
    sheet.put("Figure 3: noise, as a machine draws it", size=9, gap=20, indent=90)
    sheet.put(" ".join(SENTENCES[2:4]))
    regions = sheet.regions()
    assert [r.label for r in regions] == ["text", "image", "image_caption", "text"]
    picture = regions[1]
    zoom = 1920 / 842
    assert picture.text == "" and not picture.lines and not picture.is_unread
    assert numpy.abs(numpy.array(picture.box) - numpy.array(place) * zoom).max() < 2


def table(sheet: Sheet, rows: int = 5, dash: tuple[int, int] | None = None) -> None:
    xs, ys = (100, 200, 300, 420), [sheet.y + 18 * i for i in range(rows + 1)]
    for x in xs:
        sheet.page.draw_line((x, ys[0]), (x, ys[-1]))
    for y in ys:
        sheet.page.draw_line((xs[0], y), (xs[-1], y))
    for row, column in itertools.product(range(rows), range(3)):
        text = "-" if (row, column) == dash else f"{column}{row}.5"
        sheet.at(xs[column] + 5, ys[row] + 12, ("Name", "Right", "Year")[column] if row == 0 else text)
    sheet.y = ys[-1] + 20


def test_a_table_is_one_region_with_its_rules_and_its_caption_is_a_tables():
    sheet = Sheet()
    sheet.put(SENTENCES[0], gap=24)
    sheet.put("Table 1: what rights there are", size=9, indent=60, gap=8)
    top = sheet.y
    table(sheet)
    sheet.put(SENTENCES[1])
    regions = sheet.regions()
    assert [r.label for r in regions] == ["text", "table_caption", "table", "text"]
    (made,) = [r for r in regions if r.label == "table"]
    assert made.format == "html" and len(made.lines) == 15
    assert made.text.count("<tr>") == 5 and "<td>12.5</td>" in made.text
    assert made.box.y0 <= top * 1920 / 842 + 1 and made.box.y1 >= (top + 90) * 1920 / 842 - 1


def seen(monkeypatch, *blocks: tuple[str, Rect, tuple[Rect, ...]]) -> None:
    """Has the model see these: a label, a box, and the boxes of what is in it."""
    layout = PageLayout(tuple(Block(box, label, parts) for label, box, parts in blocks))
    monkeypatch.setattr(text_layer, "page_layout", lambda view: layout)


def test_a_dash_that_the_model_doesnt_see_is_a_cell_of_the_table_around_it(monkeypatch):
    sheet = Sheet()
    top = sheet.y
    table(sheet, dash=(1, 2))
    below = (100, top + 36, 420, sheet.y - 20)
    seen(monkeypatch, ("table", (100, top, 420, sheet.y - 20), ((100, top, 420, top + 18), (100, top, 290, top + 36), below)))
    (made,) = sheet.regions()
    assert made.label == "table" and len(made.lines) == 15 and "<td>-</td>" in made.text


def test_a_page_that_is_too_large_for_the_layout_model_is_labelled_by_its_lines_alone():
    sheet = Sheet(width=5800, height=5900)
    sheet.put(SENTENCES[0])
    content = read(sheet.doc.tobytes(), function=annotated_layer)
    assert [(region.label, region.text) for region in content.regions] == [("text", SENTENCES[0])]
    assert content.signals["layout_failed"] == 1.0


@pytest.mark.parametrize("text", ["", "x y"])
def test_little_text_is_no_reason_to_fail(text: str):
    sheet = Sheet()
    sheet.put(text, size=3)
    content = read(sheet.doc.tobytes(), function=annotated_layer)
    assert lines_of(content.regions) == lines_of(read(sheet.doc.tobytes()).regions)
    check(sample(regions=content.regions, size=(1357, 1920)))


def tagged(kind: str) -> tuple[bytes, ...]:
    """A page with a heading and a paragraph, the first of which the file's tree calls `kind`."""
    content = (
        f"/{kind} <</MCID 0>> BDC BT /F 18 Tf 72 760 Td (1 Rights of all) Tj ET EMC\n"
        f"/P <</MCID 1>> BDC BT /F 10 Tf 72 730 Td ({LATIN[:60]}) Tj 0 -12 Td ({LATIN[60:]}) Tj ET EMC"
    )
    return (
        b"<</Type/Catalog/Pages 2 0 R/StructTreeRoot 6 0 R/MarkInfo<</Marked true>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/StructParents 0/Resources<</Font<</F 5 0 R>>>>>>",
        stream(content.encode()),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold>>",
        b"<</Type/StructTreeRoot/K[7 0 R 8 0 R]/ParentTree<</Nums[0[7 0 R 8 0 R]]>>>>",
        b"<</Type/StructElem/S/%b/P 6 0 R/Pg 3 0 R/K 0>>" % kind.encode(),
        b"<</Type/StructElem/S/P/P 6 0 R/Pg 3 0 R/K 1>>",
    )


def test_tags_say_nothing(tmp_path):
    content = read(assemble(tmp_path / "a.pdf", list(tagged("L"))), function=annotated_layer)
    assert [r.label for r in content.regions] == ["sub_title", "text"]


def test_an_item_begins_at_its_sign_though_its_line_is_nearly_all_a_command():
    sheet = Sheet()
    for name in ("one", "two"):
        sheet.at(72, 100 + 14 * len(name) * (name == "two"), f"\u2022 \\command{name}{name}{name}{name} makes it", font="cour")
    assert [(region.label, region.text[:10]) for region in sheet.regions()] == [("list", "- \\command"), ("list", "- \\command")]
