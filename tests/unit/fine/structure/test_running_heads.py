"""Running heads, feet and page numbers, told by a document's pages together."""

from collections.abc import Sequence

from datagen.engines import OPEN
from datagen.fine.structure.running_heads import LabelRunning
from datagen.markdown import markdown
from datagen.record import Box, Line, Origin, Region, Sample
from tests.inputs.samples import sample

SIZE = (1000, 1400)


def region(text: str, y: int, label: str = "text", lines: int = 1) -> Region:
    box = Box(100, y, 800, y + 20 * lines)
    parts = tuple(Line(Box(100, y + 20 * i, 800, y + 20 * i + 20), part) for i, part in enumerate(text.split("\n")))
    return Region(box, label, text, None, "pymupdf", lines=parts)


def page(number: int, *regions: Region) -> Sample:
    origin = Origin("/in/a.pdf", "ab" * 32, number)
    return sample(f"a-{number:06d}", size=SIZE, regions=regions, text=markdown(regions), origin=origin)


def labelled(*pages: Sample) -> list[Sample]:
    made = list(LabelRunning()(pages, OPEN))
    assert all(isinstance(one, Sample) for one in made)
    return [one for one in made if isinstance(one, Sample)]


def labels(pages: Sequence[Sample]) -> list[list[str]]:
    return [[r.label for r in one.regions] for one in pages]


def test_what_stands_on_three_pages_but_for_its_number_is_a_head_and_leaves_the_markdown():
    pages = [page(n, region(f"Body of page {n}", 300), region(f"**The guide**, version {n}", 40, lines=1)) for n in (4, 5, 6)]
    made = labelled(*pages)
    assert labels(made) == [["header", "text"]] * 3
    assert [one.text for one in made] == [f"Body of page {n}" for n in (4, 5, 6)]
    assert made[0].regions[0].text == "**The guide**, version 4"


def test_two_pages_or_another_height_make_no_head():
    two = [page(n, region("The guide", 40), region(f"Body {n}", 300)) for n in range(2)]
    assert labels(labelled(*two)) == [["text", "text"]] * 2
    moved = [page(n, region("The guide", 40 + 60 * n), region(f"Body {n}", 500)) for n in range(3)]
    assert labels(labelled(*moved)) == [["text", "text"]] * 3
    inside = [page(n, region("The guide", 500), region(f"Body {n}", 700)) for n in range(3)]
    assert labels(labelled(*inside)) == [["text", "text"]] * 3


def test_numbers_that_count_the_pages_are_page_numbers_and_others_are_not():
    counting = [page(n, region("Body", 300 + n), region(str(n + 11), 1350)) for n in (3, 4)]
    assert labels(labelled(*counting)) == [["text", "page_number"]] * 2
    years = [page(n, region("Body", 300 + n), region(text, 1350)) for n, text in ((3, "1999"), (4, "2024"))]
    assert labels(labelled(*years)) == [["text", "text"]] * 2


def test_a_head_that_changes_is_one_where_the_other_pages_have_theirs():
    heads = [page(n, region(f"Chapter {'ABC'[n]}", 40, "header"), region("Body", 300 + n)) for n in range(3)]
    made = labelled(*heads, page(3, region("Appendix", 40), region("Body", 303)))
    assert labels(made) == [["header", "text"]] * 4
    assert made[3].text == "Body"


def test_a_number_and_words_alone_at_both_sides_of_the_top_are_the_pages_number_and_its_head():
    def at(x0: int, x1: int, text: str, label: str = "text") -> Region:
        return Region(Box(x0, 210, x1, 230), label, text, None, "pymupdf", lines=(Line(Box(x0, 210, x1, 230), text),))

    body = region("Body of the page", 300), region("More of it", 400)
    head = at(500, 800, "5. Structures of data")
    assert labels(labelled(page(4, at(100, 130, "88", "sub_title"), head, *body))) == [["page_number", "header", "text", "text"]]
    near = at(140, 800, "Structures of data", "sub_title")
    assert labels(labelled(page(4, at(100, 130, "5", "sub_title"), near, *body)))[0][:2] == ["sub_title", "sub_title"]
    above = region("Text above", 150)
    assert labels(labelled(page(4, above, at(100, 130, "88"), head, *body)))[0][1:3] == ["text", "text"]


def test_what_a_browser_prints_at_a_pages_very_edge_is_furniture():
    date, title = Box(50, 20, 200, 40), Box(400, 20, 700, 40)
    address, number = Box(50, 1360, 300, 1380), Box(900, 1360, 950, 1380)

    def at(text: str, box: Box) -> Region:
        return Region(box, "text", text, None, "pymupdf", lines=(Line(box, text),))

    body = region("Body of the page", 300)
    made = labelled(
        page(0, at("2/3/26, 12:41 PM", date), at("A shop", title), body, at("about:blank", address), at("2/2", number))
    )
    assert labels(made) == [["header", "header", "text", "footer", "page_number"]]
    assert labels(labelled(page(0, at("2 March", date), at("A shop", title), body))) == [["text", "text", "text"]]
    lower = Box(50, 300, 300, 320)
    assert labels(labelled(page(0, at("https://example.org/a", lower), body))) == [["text", "text"]]
