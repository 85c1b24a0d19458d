"""Headings, footnotes and captions that a document's pages tell together."""

from dataclasses import replace

from datagen.engines import OPEN
from datagen.fine.structure.document_structure import SettleStructure
from datagen.markdown import markdown
from datagen.record import Box, Line, Origin, Region, Sample
from tests.inputs.samples import sample

SIZE = (1000, 1400)
BODY = "Body text that goes on and on\nas text does in a document of\nseveral pages and many words"


def region(text: str, y: int, label: str = "text", height: int = 20, font: str = "Serif", markdown: str = "") -> Region:
    lines = tuple(Line(Box(100, y + height * i, 800, y + height * (i + 1)), t, font) for i, t in enumerate(text.split("\n")))
    box = Box(100, y, 800, lines[-1].box.y1)
    return Region(box, label, markdown or text.replace("\n", " "), None, "pymupdf", lines=lines)


def heading(text: str, y: int, hashes: str = "##") -> Region:
    return region(text, y, "sub_title", 30, "Sans-Bold", f"{hashes} {text}")


def page(number: int, *regions: Region) -> Sample:
    origin = Origin("/in/a.pdf", "ab" * 32, number)
    return sample(f"a-{number:06d}", size=SIZE, regions=regions, text=markdown(regions), origin=origin)


def settled(*pages: Sample) -> list[list[tuple[str, str]]]:
    made = [one for one in SettleStructure()(pages, OPEN) if isinstance(one, Sample)]
    assert len(made) == len(pages)
    assert all(one.text == markdown(one.regions) for one in made)
    return [[(r.label, r.text) for r in one.regions] for one in made]


def test_small_type_with_a_mark_below_the_text_is_a_footnote_and_goes_on():
    note = region("1 See the policy of names", 1200, height=16, markdown="<sup>1</sup> See the policy of names")
    rest = region("and the list of packages", 1216, height=16)
    above = region("2 a small remark above text", 900, height=16)
    made = settled(page(0, above, region(BODY, 1000), note, rest))[0]
    assert [label for label, _ in made] == ["text", "text", "footnote"]
    assert made[-1][1] == "<sup>1</sup> See the policy of names and the list of packages"


def test_a_caption_is_of_what_it_names_wherever_the_engine_has_it():
    foot = region("Фигура 1.2: Пример на статия", 1250, "footer")
    wrong = region("Table 3: Names of packages", 300, "image_caption")
    prose = region("Table 3 shows names\nof packages and their\nversions", 500)
    labels = [label for label, _ in settled(page(0, wrong, prose, region(BODY, 700), foot))[0]]
    assert labels == ["table_caption", "text", "text", "image_caption"]


def test_a_large_head_of_a_document_of_one_page_is_a_heading_and_one_in_the_size_of_the_text_is_none():
    large, plain = region("A form", 40, "header", 30, "Sans"), region("A guide", 40, "header", 20, "Sans")
    assert settled(page(0, large, region(BODY, 400)))[0][0][0] == "sub_title"
    assert settled(page(0, plain, region(BODY, 400)))[0][0] == ("header", "A guide")


def test_a_large_head_that_no_other_page_has_is_a_heading_with_what_stands_above_it():
    chapter = page(0, region("CHAPTER", 150, "header", 24, "Sans"), region("FOUR", 180, "header", 44, "Sans"), region(BODY, 400))
    others = [page(n, region("The guide", 50, "header"), region(BODY, 400)) for n in (1, 2, 3)]
    labels = [[label for label, _ in one] for one in settled(chapter, *others)]
    assert labels == [["sub_title", "sub_title", "text"]] + [["header", "text"]] * 3


def test_footnotes_stand_from_the_top_and_the_head_of_a_note_is_deeper_than_its_section():
    first, last = region("1 One note of the page", 1200, "footnote", 16), region("2 Another note of it", 1250, "footnote", 16)
    assert [label_and_text[1] for label_and_text in settled(page(0, region(BODY, 300), last, first))[0][1:]] == [
        first.text,
        last.text,
    ]
    small = region("NOTE", 600, "sub_title", 22, "Sans", "## NOTE")
    made = settled(page(0, heading("6.3.4 Of disks", 100, "####"), region(BODY, 300), small, region(BODY, 700)))[0]
    assert made[2] == ("sub_title", "##### NOTE")


def test_a_page_that_was_read_is_labelled_by_its_words_and_places():
    def read(text: str, y: int, label: str = "text", height: int = 20, mark: str = "") -> Region:
        return replace(region(text, y, label, height, "", mark), by="ppocr")

    regions = (
        read("A Title", 60, "sub_title", 40, "## A Title"),
        read(BODY, 300),
        read("Table 2: Of words", 500, "image_caption"),
        read("1 A note in small letters", 1250, height=15),
        read("12", 1380),
    )
    made = settled(page(0, *regions))[0]
    assert [label for label, _ in made] == ["title", "text", "table_caption", "footnote", "page_number"]
    assert made[0][1] == "# A Title"
    date = read("28. Juni 2019", 200, "list")
    assert settled(page(0, read(BODY, 100), date, read(BODY, 300)))[0][1][0] == "text"
    assert settled(page(0, read("27. Mai 2018", 160, "list"), date, read(BODY, 300)))[0][1][0] == "list"
    for height, label in ((60, "sub_title"), (24, "page_number")):  # a chapter's number is far larger than the text
        assert settled(page(0, read("3", 60, "page_number", height), read(BODY, 300)))[0][0][0] == label


def test_items_below_the_text_whose_numbers_stand_raised_in_it_are_footnotes_and_the_number_beside_is_the_pages():
    marked = region(BODY, 600, markdown=BODY.replace("\n", " ") + "<sup>7</sup> as the law<sup>8</sup> says.")
    notes = [region(f"{n}. Article {n}0 of the law", 1200 + 20 * n, "list", 18) for n in (7, 8)]
    number = replace(region("5", 1345, height=18), box=Box(500, 1345, 510, 1363))
    made = settled(page(0, region(BODY, 100), marked, notes[0], number, notes[1]))[0]
    assert [label for label, _ in made] == ["text", "text", "footnote", "footnote", "page_number"]
    unmarked = region("9. Article 90 of the law", 1380, "list", 18)
    made = settled(page(0, region(BODY, 100), marked, *notes, unmarked))[0]
    assert [label for label, _ in made] == ["text", "text", "list", "list", "list"]


def test_a_number_that_is_no_more_than_its_chapters_tells_no_level():
    one = [
        heading("4 Components", 100),
        heading("4.1 Reading", 200, "###"),
        region("1 hour", 300, "sub_title", 24, "Sans-Bold", "## 1 hour"),
    ]
    assert [text for _, text in settled(page(0, *one, region(BODY, 400)))[0][:3]] == [
        "## 4 Components",
        "### 4.1 Reading",
        "#### 1 hour",
    ]


def test_short_lines_alone_in_type_a_little_larger_than_the_text_are_headings_unless_one_is_running_text():
    heads = [region(f"What {name} does", 100 + 200 * n, height=22) for n, name in enumerate(("it", "this", "that"))]
    bodies = [region(BODY, 140 + 200 * n) for n in range(3)]
    pieces = [one for pair in zip(heads, bodies, strict=True) for one in pair]
    assert [label for label, _ in settled(page(0, *pieces))[0]] == ["sub_title", "text"] * 3
    long = page(1, region(BODY, 100, height=22))
    assert [label for label, _ in settled(page(0, *pieces), long)[0]] == ["text"] * 6


def test_chinese_numbers_that_go_on_with_those_of_headings_are_headings():
    titles = [
        region(f"({number})研究變數", 100 + 200 * n, label)
        for n, (number, label) in enumerate((("一", "list"), ("二", "sub_title"), ("三", "sub_title")))
    ]
    text = [region(BODY, 140 + 200 * n) for n in range(3)]
    pieces = [one for pair in zip(titles, text, strict=True) for one in pair]
    assert [label for label, _ in settled(page(0, *pieces))[0]] == ["sub_title", "text"] * 3
    assert settled(page(0, *pieces[2:], pieces[0], pieces[1]))[0][4][0] == "list"


def test_a_text_whose_number_goes_on_from_an_items_is_an_item_and_letters_with_hyphens_are_items_together():
    first = region("1.3 Work from afar.", 100, "list")
    made = settled(page(0, first, region("1.4 Candidates of the branch", 140), region("1.6 Others", 180), region(BODY, 400)))[0]
    assert [label for label, _ in made] == ["list", "list", "text", "text"]
    hyphens = [region(f"{letter}- The address of it", 100 + 40 * n) for n, letter in enumerate("abc")]
    assert [label for label, _ in settled(page(0, *hyphens, region(BODY, 400)))[0]] == ["list"] * 3 + ["text"]
    assert settled(page(0, hyphens[0], region(BODY, 400)))[0][0][0] == "text"


def test_a_line_that_goes_on_with_a_heading_is_no_heading_of_its_own():
    first = region("F- Ways (articles 6, 7 and", 100, "sub_title", 30, "Sans-Bold", "## F- Ways (articles 6, 7 and")
    second = region("9-1 of the statutes)", 130, "sub_title", 30, "Sans-Bold", "## 9-1 of the statutes)")
    assert settled(page(0, first, second, region(BODY, 300)))[0][0] == (
        "sub_title",
        "## F- Ways (articles 6, 7 and 9-1 of the statutes)",
    )
    part, name, other = heading("Part IX", 100), heading("Financial Data", 100), heading("Other Data", 100)
    part = replace(part, box=Box(100, 100, 200, 130))
    name, other = replace(name, box=Box(230, 100, 420, 130)), replace(other, box=Box(500, 100, 700, 130))
    assert settled(page(0, part, name, region(BODY, 300)))[0][0] == ("sub_title", "## Part IX Financial Data")
    assert settled(page(0, part, other, region(BODY, 300)))[0][0] == ("sub_title", "## Part IX")


def test_a_plainly_larger_heading_is_higher_on_all_pages_and_headings_of_one_look_are_as_deep():
    def titled(text: str, y: int, height: int, hashes: str) -> Region:
        return region(text, y, "sub_title", height, "Sans-Bold", f"{hashes} {text}")

    first = page(0, titled("Art. 5. The head", 100, 30, "##"), region(BODY, 200))
    second = page(1, titled("Title III", 100, 40, "##"), titled("Art. 6. Others", 200, 30, "###"), region(BODY, 300))
    texts = [text for one in settled(first, second) for label, text in one if label == "sub_title"]
    assert texts == ["### Art. 5. The head", "## Title III", "### Art. 6. Others"]
    small, below = titled("A forest", 100, 24, "###"), titled("Its end", 300, 30, "##")
    third = page(2, small, region(BODY, 150), below, region(BODY, 400))
    texts = [text for one in settled(first, second, third) for label, text in one if label == "sub_title"]
    assert texts[3:] == ["#### A forest", "### Its end"]


def test_texts_that_begin_with_a_term_in_bold_and_hang_are_items():
    def term(name: str, y: int, indent: int) -> Region:
        made = region(
            f"{name} shows what it does\nin a line or two", y, markdown=f"**{name}** shows what it does in a line or two"
        )
        first, second = made.lines
        return replace(made, lines=(first, replace(second, box=second.box._replace(x0=100 + indent))))

    for indent, label in ((40, "list"), (0, "text")):
        terms = [term(name, 100 + 100 * n, indent) for n, name in enumerate(("main", "local", "setup"))]
        assert [made for made, _ in settled(page(0, *terms, region(BODY, 600)))[0]] == [label] * 3 + ["text"]
