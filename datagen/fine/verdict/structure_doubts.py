"""Contradictions that show that a page's regions were divided or labelled wrongly: paragraphs, lists, code, headings, tables.

No second engine checks the structure. But a page that was divided wrongly contradicts itself: a sentence stops in mid-line and
continues in the next region, an item's sign stands within a paragraph, or a line of code is outside of its listing.
"""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from datagen.coarse.answers import BY
from datagen.fine.verdict import item_doubts, label_doubts, line_doubts, look_doubts, read_doubts
from datagen.fine.verdict.torn_regions import BULLET, CLOSED, num_glued, num_torn
from datagen.fine.wording import ITALIC
from datagen.labels import HEADINGS, RUNNING, TEXTS
from datagen.page.boldness import is_bold
from datagen.page.boxes import line_height, overlap, rows_of
from datagen.page.paragraphs import SECTION
from datagen.record import Line, Region, Sample
from datagen.tables.cells import Cell, parse
from datagen.writing import scripts, signs

_BODY = frozenset({"text", "list", "code"})
_NUMBERED_HEADING = re.compile(r"(?:[\dA-Z]{1,3}\.)+\d{1,3}\.?\s+\S")
_LEAD = re.compile(r"\**[^:*]+(?:\*\*:|:\*\*|:)\s*[^\s*]")  # as "Author: a name"
_ALL_BOLD = re.compile(r"\*\*[^*\n]+\*\*:?")
_ENDS_IN_NUMBER = re.compile(r"[^\d.]\s\d{1,3}$")
# A line of code: a command, a tag, a bracket, the end of a statement.
_AS_CODE = re.compile(r"(?:\d+\s*)?(?:[\\{}<]|[#$%] ?\w|//|/\*)|.*(?:[;{}]|\\)$|[\w.]+\(.*\)$|[\w.-]+ --?\w")
# A statement in any typeface: a bracket alone, or a beginning or an end that sentences hardly have.
_STATEMENT = re.compile(
    r"(?:\d{1,3}\s+)?(?:[{};]+$|[{}]|.*(?:[={}\[\]<>\\].*|[)\]]\s?);$|.*[{}]$|(?:if|while|for|switch|printf?)\s*\(|(?:from\s\S+\s)?import\s\S+$"
    r"|[A-Za-z_][A-Za-z_0-9.\[\]]*\s?[+-]?=\s?[A-Za-z_0-9.]+[(\[{]|(?:pip3?|npm|sudo|apt|git)\s(?:install|clone)\s"
    r"|(?:def|class|void|int|char|public|private|static|typedef|struct|return|#include|var|let|const)\s\S.*[:;{(,)]$)"
)
_MIN_STATEMENTS, _STATEMENTS_SHARE = 4, 0.25
_SHORT, _MAX_CELL, _MIN_ROWS = _BODY | HEADINGS, 80, 3  # regions like cells: labels, most characters, fewest rows
_WIDE = 4  # columns: in narrower tables cells often break at the same lines
_ITEM_NUMBER = re.compile(r"\d{1,2}[.\u3001]")
_BRANCH = re.compile("[\u2500-\u257f]")
_HANGUL = re.compile(f"[{scripts.HANGUL}]")
# A particle or an ending, which is hardly a word, at the beginning of a line.
_KOREAN_ENDING = re.compile(r"(?:[가이은는을를에의로도만과와며면고서다]|습니다|입니다|에서|으로|하는|했다|한다)(?:\s|[.,)]|$)")
_LARGE, _LARGE_READ = 1.3, 1.5  # of the height of the text's lines; the second for boxes of engines, which vary
_MAX_HEADING_CHARS, _MAX_LARGE_LINES = 60, 10
_GLUED = re.compile(
    r"(?<!\w)ن?می(?:شود|شوند|شد|کند|کنند|کنیم|کرد|توان|باشد|باشند|دهد|دهند|گیرد|گیرند|رود|روند|آید|خواه|گوی|گردد)\w*"
)
_MIN_GLUED = 2
_MIN_MISPLACED = 2
SPACES = frozenset({"korean_spaces", "half_spaces"})
"""The kinds of contradictions that concern only spaces."""


def doubts(page: Sample) -> Counter[str]:
    """The counts of the page's contradictions, by kind. Kinds without contradictions are left out.

    `torn`            a paragraph or an item continues in another region: see `torn_regions`, `item_doubts`
    `glued`           a paragraph or an item begins within a region; or lines of equations are one text
    `code`            a line of signs, or a list item, stands in code or between parts of code; text that an engine read looks
    like
                      code; many lines of text, or several below each other, are statements; branches of a tree are text
    `heading`         no heading, but much larger than the text and short; or a section number in bold or in a line of its own; or
                      one line in bold; or some lines in large bold letters. A heading that contains another section number; is
                      followed right below by a heading in its look; begins with an item's sign; has the level of a larger
                      heading; or ends like a sentence. A title behind another heading. A heading that is an entry of the page's
                      contents. Short numbered items far from each other, between wide gaps or above paragraphs. `read_doubts` has
                      more for pages that engines read
    `items`           an item is only a sign, a note or a centred line
    `running`         a text at the page's edge is a line with a number, like a running header; a footer ends in a colon; a
    sentence
                      continues from a header; the page has hardly more than a header; or a header that was read has the section
                      number before the number of the first heading
    `captions`        a caption is a number, reads like running text, or belongs to two pictures; or a text begins like a caption
    `tables`          a row of a table is empty, has text in one column only (a cell's second line), or holds several rows; a
    heading
                      is a row of one table and stands above another; short regions stand in rows and columns outside of tables
    `order`           several texts are read after the texts above and below them
    `korean_spaces`   a line ends and the next begins in Korean, and nothing tells whether a word continues
    `half_spaces`     Persian verbs lack the half-space behind their prefix, which some files leave out
    """
    counts: Counter[str] = Counter()
    body = [region for region in page.regions if region.label not in RUNNING]
    text_height, usual_font = _text_height(body), _usual_font(body)
    for region in body:
        if region.is_unread or region.format != "markdown" or region.label == "toc":
            continue
        counts["glued"] += num_glued(region) or line_doubts.num_signs_within(region)
        counts["code"] += region.label == "code" and any(BULLET.match(line.text) for line in region.lines)
        counts["heading"] += _is_missed_heading(region, text_height, usual_font)
        counts["heading"] += region.label in HEADINGS and any(SECTION.match(line.text) for line in region.lines[1:])
        counts["code"] += region.by != BY and _looks_like_code(region)
    for a, b in itertools.pairwise(body):
        counts["code"] += _is_bit_of_code(a, b)
    counts["torn"] += num_torn(body)
    counts["glued"] += line_doubts.num_terms_within(body)
    counts["heading"] += line_doubts.num_in_other_looks(body) + line_doubts.num_heads_in_contents(body)
    counts["heading"] += line_doubts.num_no_headings(body)
    counts["glued"] += line_doubts.num_glued_lines(body)
    counts += look_doubts.doubts(body) + item_doubts.doubts(body) + label_doubts.doubts(page.regions)
    counts += read_doubts.doubts(body)
    counts["tables"] += line_doubts.num_headings_in_tables(body)
    counts["captions"] += line_doubts.num_captions_of_signs(body)
    counts["running"] += line_doubts.num_running(body, page.size[1]) + line_doubts.num_feet_that_lead_on(page.regions)
    counts["running"] += line_doubts.num_heads_in_series(page.regions)
    misplaced = _num_misplaced(body)
    counts["order"] += misplaced if misplaced >= _MIN_MISPLACED else 0
    counts["heading"] += _num_lone_items(body) > 1
    counts["code"] += _has_statements(body)
    counts["code"] = counts["code"] or line_doubts.num_as_code(body)
    counts["tables"] += _are_tables_uneven(body) + _are_cells(body)
    counts["korean_spaces"] += _unsure_breaks(body)
    glued = sum(len(_GLUED.findall(region.text)) for region in body) if page.script == "Arab" else 0
    counts["half_spaces"] += glued if glued >= _MIN_GLUED else 0
    if any(region.label == "toc" for region in body):
        counts["heading"] += sum(region.label in HEADINGS and bool(_ENDS_IN_NUMBER.search(region.text)) for region in body)
    return +counts


def _text_height(regions: Sequence[Region]) -> float:
    heights = [(line_height(line), len(line.text)) for region in regions if region.label == "text" for line in region.lines]
    whole = sum(num for _, num in heights)
    for height, num in sorted(heights):
        whole -= 2 * num
        if whole <= 0:
            return height
    return 0.0


def _usual_font(regions: Sequence[Region]) -> str:
    fonts: Counter[str] = Counter()
    for line in (line for region in regions for line in region.lines):
        fonts[line.font] += len(line.text)
    return max(fonts, key=lambda font: fonts[font], default="")


def _looks_like_code(region: Region) -> bool:
    """Whether most lines of a text look like code. No engine here labels code in images."""
    lines = [line.text for line in region.lines if line.text]
    return region.label in ("text", *HEADINGS) and 2 * sum(bool(_AS_CODE.match(text)) for text in lines) > len(lines) > 0


def _has_statements(regions: Sequence[Region]) -> bool:
    """Whether lines outside of code are statements or branches of a tree: code in a proportional typeface."""
    lines = [line.text for region in regions if region.label in ("text", "list", "equation") for line in region.lines]
    if sum(bool(_BRANCH.match(line)) for line in lines) >= _MIN_ROWS:
        return True
    for region in regions:
        of_region = [bool(_STATEMENT.match(line.text)) for line in region.lines]
        if region.label == "text" and 2 * sum(of_region) > len(of_region) > 1 and not region.is_unread:
            return True
    runs = [len(list(run)) for is_one, run in itertools.groupby(lines, lambda text: bool(_STATEMENT.match(text))) if is_one]
    return max(runs, default=0) >= _MIN_STATEMENTS or sum(runs) >= max(_MIN_STATEMENTS, _STATEMENTS_SHARE * len(lines))


def _is_missed_heading(region: Region, text_height: float, usual_font: str) -> bool:
    if region.label not in TEXTS or not region.lines or not text_height:
        return False
    if len(region.lines) > 2:
        is_large = min(map(line_height, region.lines)) > _LARGE * text_height and len(region.lines) <= _MAX_LARGE_LINES
        return is_large and not is_bold(usual_font) and all(is_bold(line.font) for line in region.lines)
    text = region.lines[0].text
    if len(region.text) > _MAX_HEADING_CHARS or not any(map(str.isalpha, text)) or region.lines[0].direction == "ttb":
        return False
    marked = region.text.lstrip("#- ")
    is_run_in = bool(_LEAD.match(marked)) or (marked.startswith("**") and not _ALL_BOLD.fullmatch(marked))
    is_bold_alone = not is_run_in and not is_bold(usual_font) and all(is_bold(line.font) for line in region.lines)
    is_section = len(region.lines) == 1 and bool(SECTION.match(text)) and not CLOSED.search(text)
    is_italic = len(region.lines) == 1 and bool(ITALIC.search(region.lines[0].font)) and not ITALIC.search(usual_font)
    is_section |= is_italic and text[:1].isupper() and not CLOSED.search(text) and text[-1] not in f"{signs.COMMAS}-"
    if region.label == "text" and (is_section or is_bold_alone or _ALL_BOLD.fullmatch(marked)):
        return True
    if _NUMBERED_HEADING.match(text) and marked.startswith("**"):
        return True
    large = _LARGE_READ if region.lines[0].score is not None and not region.lines[0].font else _LARGE
    return min(map(line_height, region.lines)) > large * text_height


def _num_lone_items(regions: Sequence[Region]) -> int:
    """The number of short numbered items that stand between wide gaps like headings, with no other item right before or
    behind."""
    num = 0
    for above, item, below in zip(regions, regions[1:], regions[2:], strict=False):
        if item.label != "list" or len(item.lines) != 1 or not above.lines or not below.lines or CLOSED.search(item.text):
            continue
        em = line_height(item.lines[0])
        is_apart = item.box.y0 - above.box.y1 > 0.9 * em and 0.7 * em < below.box.y0 - item.box.y1 < 3 * em
        has_items = any(_ITEM_NUMBER.match(other.lines[0].text) for other in (above, below))
        num += bool(_ITEM_NUMBER.match(item.lines[0].text)) and is_apart and not has_items and len(item.text) < _MAX_HEADING_CHARS
    return num


def _are_tables_uneven(regions: Sequence[Region]) -> int:
    num, has_head_within = 0, False
    for region in regions:
        if region.label != "table" or region.format != "html" or region.is_unread:
            continue
        try:
            cells = parse(region.text).cells
        except ValueError:
            continue
        num_columns = max((cell.column + cell.columns for cell in cells), default=0)
        filled = [cell for cell in cells if cell.text]
        rows = Counter(row for cell in filled for row in range(cell.row, cell.row + cell.rows))
        lone = [cell for cell in filled if rows[cell.row] == 1 and cell.rows == 1]
        has_head_within |= any(cell.columns == num_columns > 1 for cell in lone)
        num_rows = max((cell.row + cell.rows for cell in cells), default=0)
        is_glued = (
            _holds_rows(region, cells, num_rows) or _has_rows_within(region, cells) or _num_across(region, cells) > num_rows
        )
        num += any(cell.columns < num_columns for cell in lone) or len(rows) < num_rows or is_glued
    heads_above = any(a.label in HEADINGS and b.label == "table" for a, b in itertools.pairwise(regions))
    return num + (has_head_within and heads_above)


def _holds_rows(region: Region, cells: Sequence[Cell], num_rows: int) -> bool:
    """Whether more rows of lines fill all columns of a wide table than the table has rows: a row holds several rows."""
    rows = rows_of(region.lines, lambda line: line.box)
    num_columns = max((cell.column + cell.columns for cell in cells), default=0)
    return num_columns >= _WIDE and sum(len(row) >= num_columns for row in rows) > num_rows + 1


def _has_rows_within(region: Region, cells: Sequence[Cell]) -> bool:
    """Whether a row holds several rows: its cells have equally many lines, side by side, and a line had room for the next
    word."""
    by_row: dict[int, list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.text and cell.rows == 1:
            by_row[cell.row].append(cell)
    num_cells = Counter(line.text for line in region.lines for cell in cells if line.text in cell.text)
    for of_row in by_row.values():
        lines = [[line for line in region.lines if line.text in cell.text and num_cells[line.text] == 1] for cell in of_row]
        num = {len(of_cell) for of_cell in lines}
        if len(of_row) < 2 or len(num) != 1 or max(num) < 2:
            continue
        rows = list(zip(*lines, strict=True))
        are_level = all(max(a.box.y0 for a in row) - min(a.box.y0 for a in row) < 0.5 * line_height(row[0]) for row in rows)
        if are_level and any(map(_has_room, lines)):
            return True
    return False


def _has_room(lines: Sequence[Line]) -> bool:
    """Whether the first word of a cell's line would have fitted on the line above."""
    edge = max(line.box.x1 for line in lines)
    widths = [(b.box.x1 - b.box.x0) / len(b.text) * (len(b.text.split()[0]) + 1) for b in lines[1:] if b.text.split()]
    return any(edge - a.box.x1 > 1.5 * width for a, width in zip(lines, widths, strict=False))


def _num_across(region: Region, cells: Sequence[Cell]) -> int:
    """The number of a table's lines that begin in one cell and end in another. Each such line is a row of the file."""
    words = [set(cell.text.split()) for cell in cells]
    num = 0
    for line in region.lines:
        of_line = line.text.split() or [""]
        begin, end = ({i for i, of_cell in enumerate(words) if word in of_cell} for word in (of_line[0], of_line[-1]))
        num += bool(begin and end and not begin & end)
    return num


def _num_misplaced(regions: Sequence[Region]) -> int:
    """The number of texts and items that lie between two others of their column but are read after both."""
    read = [region for region in regions if region.label in TEXTS and region.lines]
    num = 0
    for i, region in enumerate(read):
        em = (region.box.y1 - region.box.y0) / len(region.lines)
        for above, below in itertools.pairwise(read[:i]):
            is_between = above.box.y1 - 0.5 * em < region.box.y0 and region.box.y1 < below.box.y0 + 0.5 * em
            if is_between and all(overlap(region.box, other.box, 0) > 0.5 for other in (above, below)):
                num += 1
                break
    return num


def _are_cells(regions: Sequence[Region]) -> bool:
    """Whether short regions form rows and columns: several pairs are neighbours on one line, at one edge."""
    starts: list[float] = []
    for a, b in itertools.pairwise(regions):
        is_short = all(
            region.label in _SHORT and 0 < len(region.lines) <= 2 and len(region.text) < _MAX_CELL for region in (a, b)
        )
        if not is_short or "ttb" in (a.lines[0].direction, b.lines[0].direction):
            continue
        em = min(line_height(a.lines[0]), line_height(b.lines[0]))
        are_beside = min(a.lines[0].box.y1, b.lines[0].box.y1) - max(a.lines[0].box.y0, b.lines[0].box.y0) > 0.7 * em
        if are_beside and max(a.box.x0, b.box.x0) > min(a.box.x1, b.box.x1):
            starts.append(b.box.x1 / em if b.lines[0].direction == "rtl" else b.box.x0 / em)
    return any(sum(abs(start - other) < 1 for other in starts) >= _MIN_ROWS for start in starts)


def _is_bit_of_code(a: Region, b: Region) -> bool:
    """Whether one of two neighbouring regions is code, and the other is only a sign or a number."""
    for code, other in ((a, b), (b, a)):
        if code.label == "code" and other.label in ("text", "list", "equation") and other.lines:
            text = "".join(line.text for line in other.lines)
            if sum(map(str.isalpha, text)) < 2 and not code.box.y0 - other.box.y1 > 3 * line_height(other.lines[0]):
                return True
    return False


def _unsure_breaks(regions: Sequence[Region]) -> int:
    """The number of line ends at which a Korean word may continue, and the text has a space."""
    num = 0
    for region in regions:
        if region.label not in ("text", "list", "footnote") or region.is_unread:
            continue
        for a, b in itertools.pairwise(region.lines):
            if a.text and b.text and _HANGUL.match(b.text[0]):
                may_be_cut = _HANGUL.match(a.text[-1]) or (a.text[-1].isalnum() and _KOREAN_ENDING.match(b.text))
                num += bool(may_be_cut) and f"{a.text.split()[-1]} {b.text.split()[0]}" in region.text
    return num
