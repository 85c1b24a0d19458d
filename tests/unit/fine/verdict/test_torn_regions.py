"""Paragraphs and items that are torn, or glued, as regions of lines."""

from dataclasses import replace

from datagen.fine.verdict.torn_regions import glued_in_columns, num_glued, num_torn
from datagen.record import Box, Line, Region

EM, PITCH = 20, 30


def region(label: str, top: int, *texts: str, x0: int = 100, end: int = 0, direction: str = "ltr", text: str = "") -> Region:
    """Lines below each other, ten pixels a letter wide; from right to left they begin at `end`."""
    lines = []
    for n, said in enumerate(texts):
        left = end - 10 * len(said) if direction == "rtl" else x0
        lines.append(
            Line(Box(left, top + PITCH * n, left + 10 * len(said), top + PITCH * n + EM), said, "Serif", direction=direction)
        )
    box = Box(min(line.box.x0 for line in lines), top, max(line.box.x1 for line in lines), lines[-1].box.y1)
    return Region(box, label, text or " ".join(texts), None, "pymupdf", lines=tuple(lines))


FULL = "a line that is as long as the column of its page is"
THAI = "ความพึงพอใจในภาพรวมของระบบ"


def test_an_item_of_one_full_line_goes_on_at_the_left_edge():
    body = region("text", 100, *3 * [3 * THAI])
    item, rest = region("list", 300, "4) " + 2 * THAI, x0=100 + 10 * (len(THAI) - 3)), region("text", 330, THAI)
    assert num_torn((body, item, rest)) == 1
    assert num_torn((body, region("list", 300, "4) " + THAI, x0=360), rest)) == 0


def test_a_first_line_with_an_indent_and_lines_without_are_one_paragraph():
    indented = []
    for top in (100, 200):
        one = region("text", top, FULL, FULL)
        first = replace(one.lines[0], box=one.lines[0].box._replace(x0=140))
        indented.append(replace(one, lines=(first, one.lines[1])))
    first = region("text", 300, FULL[:-5] + ".", x0=140)
    rest = region("text", 330, "It goes on below without an indent, as all do", "and ends here.")
    assert num_torn((*indented, first, rest)) == 1
    assert num_torn((first, rest)) == 0


def test_lines_beside_a_picture_each_a_region_are_one_paragraph():
    lines = [
        region("text", 100 + PITCH * n, said, end=800, direction="rtl")
        for n, said in enumerate(("לא מושפע", "דרסטי מהגדלת", "מספר"))
    ]
    assert num_torn(lines) == 3
    names = [region("text", 100 + PITCH * n, said) for n, said in enumerate(("Anna Smith", "Bert Jones", "Carl Young"))]
    assert num_torn(names) == 0


def test_a_line_over_another_one_is_torn_from_it():
    item, over = (
        region("list", 100, "2. E tutto il resto del Network. E"),
        region("text", 100, "E tutto il resto del Network.", x0=130),
    )
    assert num_torn((item, over)) == 1


def test_a_caption_and_a_reference_go_on_in_what_is_of_their_kind():
    for label, other in (("image_caption", "text"), ("reference", "reference")):
        assert num_torn((region(label, 100, FULL, FULL), region(other, 160, "and goes on in small letters."))) == 1
    assert num_torn((region("image_caption", 100, FULL, FULL), region("image_caption", 160, "and goes on."))) == 0


def test_a_short_line_that_ends_a_sentence_within_a_text_ends_a_paragraph():
    assert num_glued(region("text", 100, FULL, "and it ends here.", "Link to it all: it is below", FULL)) == 1
    assert (
        num_glued(region("text", 100, FULL, "and it ends here.", "Link to it", text=f"{FULL} and it ends here.\nLink to it")) == 0
    )
    assert num_glued(region("text", 100, FULL, FULL[:-2] + ".", "Incomprehensibilities go on", FULL)) == 0


def test_a_word_in_bold_that_begins_a_text_begins_another_one_within():
    lines = ("Task 1: Load the files of it in all.", "Incomprehensibly large texts end here and there.")
    plain = region("text", 100, *lines)
    assert num_glued(plain) == 0
    lines = ("Task 1: Load the files that are here, all of them.", "Task 2: Read them and say what is in these files of all.")
    assert num_glued(region("text", 100, *lines, text=f"**Task 1:** {lines[0][8:]} **Task 2:** {lines[1][8:]}")) == 1


def test_a_bit_of_text_right_beside_a_formula_as_high_as_a_line_is_torn_from_it():
    formula = Region(Box(100, 100, 300, 122), "equation", "", None, "pymupdf", format="latex", is_unread=True)
    assert num_torn((formula, region("list", 100, "2)。", x0=304))) == 1
    assert num_torn((formula, region("text", 100, "(22)", x0=700))) == 0
    assert num_torn((replace(formula, box=Box(100, 80, 300, 150)), region("text", 100, "where", x0=304))) == 0


def test_paragraphs_within_one_end_short_of_a_justified_edge_or_of_wide_signs():
    edge, short = "a line of a paragraph that goes on to the right edge", "and here it ends so near to the very same edge. "
    body = [edge, short.strip(), "Representatives of it decide on that, and on others,", edge]
    assert num_glued(region("text", 100, *body, "the end")) == 1
    ragged = [line[: len(line) - 2 * n] for n, line in enumerate(body)]
    assert num_glued(region("text", 100, *ragged, "the end")) == 0
    wide = ["一" * 30, "二" * 12 + "。", "三" * 30]
    assert num_glued(region("text", 100, *wide, text="".join(wide))) == 1
    for num, found in ((29, 0), (28, 0), (27, 1)):  # there is room for the next sign, and for half of one more
        lines = [wide[0], "二" * num + "。", wide[2]]
        assert num_glued(region("text", 100, *lines, text="".join(lines))) == found


def test_a_short_line_of_a_column_that_an_engine_read_flush_ends_a_paragraph():
    """Of two lines alone nothing tells it; of the page's others it does."""
    two = replace(region("text", 400, FULL[:-8] + ".", "Incomprehensibilities go on"), by="ppocr")
    column = [replace(region("text", top, FULL, FULL, FULL), by="ppocr") for top in (100, 250)]
    assert num_glued(two) == 0
    assert glued_in_columns([two]) == []
    assert glued_in_columns([*column, two]) == [2]
    assert glued_in_columns([*column, replace(two, by="pymupdf")]) == []  # a file's own lines are measured elsewhere
    ragged = [replace(region("text", top, FULL, FULL[:-9], FULL[:-4]), by="ppocr") for top in (100, 250)]
    assert glued_in_columns([*ragged, two]) == []
    full = replace(region("text", 400, FULL[:-1] + ".", "Incomprehensibilities go on"), by="ppocr")
    assert glued_in_columns([*column, full]) == []


def test_text_across_two_columns_tells_nothing_of_where_the_first_one_ends_nor_does_text_in_another_direction():
    across = [replace(region("text", top, *3 * [FULL]), by="ppocr") for top in (100, 250)]
    half = replace(region("text", 400, "A half of that width.", "Incomprehensibilities"), by="ppocr")
    assert glued_in_columns([*across, half]) == [2]
    assert glued_in_columns([*across, half, replace(region("text", 400, "the other half", x0=350), by="ppocr")]) == []
    assert glued_in_columns([*across, half, replace(region("image", 400, "a picture", x0=350), by="ppocr")]) == []
    rtl = replace(region("text", 400, FULL[:-8] + ".", "Incomprehensibilities go on", end=600, direction="rtl"), by="ppocr")
    assert glued_in_columns([*across, rtl]) == []


def test_a_line_alone_with_no_room_for_the_next_word_goes_on_in_lines_of_its_look():
    body = region("text", 400, "א" * 50, "ב" * 50, direction="rtl", end=600)
    first, rest = (region("text", y, text, direction="rtl", end=600) for y, text in ((100, "א" * 38), (125, "ב" * 12 + " ג")))
    assert num_torn((first, rest, body)) == 1
    assert num_torn((first, region("text", 125, "ב" * 9 + " ג", direction="rtl", end=600), body)) == 0
    high = replace(first.lines[0], box=first.lines[0].box._replace(y0=90))
    assert num_torn((replace(first, lines=(high,)), rest, body)) == 0
    alike = [replace(one, lines=(replace(line, look="12 #000000"),)) for one, line in ((first, high), (rest, rest.lines[0]))]
    assert num_torn((*alike, body)) == 1
