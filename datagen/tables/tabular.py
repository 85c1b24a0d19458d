r"""LaTeX's `tabular`, as models write it of a table's image, into the project's tables.

Rules and formats of columns show nothing in HTML and go. What spans rows or columns (`\multirow`, `\multicolumn`) does so. Text
loses its escapes and its fonts; formulas stay LaTeX.
"""

import re
from collections.abc import Iterator

from datagen.tables.cells import MAX_SLOTS, Cell, Table, plain

_BEGIN = re.compile(r"\\begin\s*\{(tabular[x*]?|tabulary|array|longtable)\}")
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{[a-z*]+\}")
_RULES = re.compile(
    r"(?:\s|\\(?:hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot|endlastfoot)(?![a-zA-Z])"
    r"|\\(?:cline|cmidrule|specialrule|addlinespace)\s*(?:\([^)]*\))?(?:\[[^\]]*\])?(?:\{[^{}]*\})*|\[[\d.]+ ?[a-z]{2}\])*"
)
_NEXT = re.compile(r"\\begin\s*\{[a-z*]+\}|\\end\s*\{[a-z*]+\}|\\\\|\\tabularnewline|\\.|[{}&]", re.DOTALL)
_SPAN = re.compile(r"\\multi(column|row)\s*")
_COUNT = re.compile(r"\d{1,4}")
_FONTS = re.compile(r"\\(?:text(?:bf|it|rm|sf|tt|sc|up|normal)|emph|underline|mathbf|cellcolor|textcolor|color)(?![a-zA-Z])")
_STACKED = re.compile(r"\\(?:makecell|thead|shortstack)(?![a-zA-Z])")
_TAKES_COLOUR = ("\\cellcolor", "\\textcolor", "\\color")
_FORMULA = re.compile(r"(\$\$?.*?\$\$?|\\\(.*?\\\)|\\\[.*?\\\])", re.DOTALL)
_ESCAPED = re.compile(r"\\([&%$#_{}])")
_SYMBOLS = {"\\textbackslash": "\\", "\\textasciitilde": "~", "\\ldots": "…", "\\dots": "…", "~": " ", "``": "“", "''": "”"}
_SPACES = re.compile(
    r"\\(?:quad|qquad|,|;|:|!| |hspace\s*\{[^{}]*\}|centering|raggedright|small|footnotesize|scriptsize|bf)(?![a-zA-Z])"
)


def to_table(text: str) -> Table:
    """The table that `text` holds. Raises `ValueError` if it holds none, more than one, or one that isn't whole."""
    begin = _BEGIN.search(text)
    if begin is None:
        raise ValueError("no tabular is in it")
    body, after = _inside(text, begin.end())
    if _BEGIN.search(text, after):
        raise ValueError("more than one tabular is in it")
    at = 0
    for _ in range(2 if begin[1] in ("tabularx", "tabular*", "tabulary") else 1):  # a width, and the columns' formats
        at = _past_optional(body, at)
        _, at = _argument(body, at)
    return _placed([list(_parted(row, "&")) for row in _rows(body[at:])])


def _inside(text: str, at: int) -> tuple[str, int]:
    """What stands from `at` to the end of the environment that was opened before it, and where its end is over."""
    depth = 1
    for mark in _ENVIRONMENT.finditer(text, at):
        depth += 1 if mark[1] == "begin" else -1
        if not depth:
            return text[at : mark.start()], mark.end()
    raise ValueError("the tabular isn't closed")


def _rows(body: str) -> list[str]:
    rows = [_RULES.sub("", row, count=1) for row in _parted(body, "\\\\")]
    while rows and not rows[-1].strip():
        rows.pop()
    return rows


def _parted(text: str, by: str) -> Iterator[str]:
    r"""The parts between `&` or `\\` that stand in no braces and no environment. Raises `ValueError` if braces don't match."""
    depth, start = 0, 0
    for mark in _NEXT.finditer(text):
        token = "\\\\" if mark[0] == "\\tabularnewline" else mark[0]
        if token == "{" or token.startswith("\\begin"):
            depth += 1
        elif token == "}" or token.startswith("\\end"):
            depth -= 1
            if depth < 0:
                raise ValueError("a brace is closed that nothing opened")
        elif token == by and not depth:
            yield text[start : mark.start()]
            start = mark.end()
    if depth:
        raise ValueError("a brace isn't closed")
    yield text[start:]


def _placed(rows: list[list[str]]) -> Table:
    """The cells in their slots. Below what spans rows, LaTeX has empty cells."""
    cells: list[Cell] = []
    taken: set[tuple[int, int]] = set()
    for row, drafts in enumerate(rows):
        column = 0
        for draft in drafts:
            num_rows, num_columns, content = _spans(draft)
            num_rows = min(num_rows, len(rows) - row)
            slots = {(r, c) for r in range(row, row + num_rows) for c in range(column, column + num_columns)}
            content = _text(content)
            if slots.isdisjoint(taken):
                cells.append(Cell(row, column, content, num_rows, num_columns))
                taken |= slots
            elif content:
                raise ValueError(f"row {row}, column {column}: a cell stands on one that spans rows")
            column += num_columns
            if len(taken) > MAX_SLOTS:
                raise ValueError(f"the table's cells cover over {MAX_SLOTS:,} slots")
    if not cells:
        raise ValueError("the tabular has no cells")
    return Table(tuple(sorted(cells)))


def _spans(cell: str) -> tuple[int, int, str]:
    """How many rows and columns a cell spans, and what it holds."""
    rows = columns = 1
    content = cell.strip()
    while span := _SPAN.match(content):
        at = _past_optional(content, span.end())
        count, at = _argument(content, at)
        if not _COUNT.fullmatch(count.strip()) or not int(count):
            raise ValueError(f"a cell spans {count!r}")
        at = _past_optional(content, at)
        _, at = _argument(content, at) if content[at : at + 1] == "{" else ("", at + 1)  # a width may be a bare *
        at = _past_optional(content, at)
        inside, at = _argument(content, at)
        rows, columns = (rows, int(count)) if span[1] == "column" else (int(count), columns)
        content = (inside + content[at:]).strip()
    return rows, columns, content


def _argument(text: str, at: int) -> tuple[str, int]:
    """What stands in the braces that open at `at`, behind white space, and where they are over."""
    while text[at : at + 1].isspace():
        at += 1
    if text[at : at + 1] != "{":
        raise ValueError(f"a brace is missing before {text[at : at + 20]!r}")
    depth = 0
    for mark in _NEXT.finditer(text, at):
        depth += (mark[0] == "{") - (mark[0] == "}")
        if not depth:
            return text[at + 1 : mark.start()], mark.end()
    raise ValueError("a brace isn't closed")


def _past_optional(text: str, at: int) -> int:
    """Behind an argument in brackets at `at`, if there is one."""
    behind = re.compile(r"\s*(?:\[[^\]]*\]\s*)?").match(text, at)
    assert behind is not None
    return behind.end()


def _text(content: str) -> str:
    """A cell's text: fonts, spaces and escapes undone, formulas as they are, a newline where a tabular in it has rows."""
    while nested := _BEGIN.search(content):
        body, after = _inside(content, nested.end())
        _, at = _argument(body, _past_optional(body, 0))
        content = content[: nested.start()] + "\\\\".join(_rows(body[at:])) + content[after:]
    while stacked := _STACKED.search(content):
        inside, after = _argument(content, _past_optional(content, stacked.end()))
        content = content[: stacked.start()] + inside + content[after:]
    return plain(_plain(line) for line in _parted(content, "\\\\"))


def _plain(text: str) -> str:
    parts = _FORMULA.split(text)
    return "".join(part if i % 2 else _without_fonts(part) for i, part in enumerate(parts))


def _without_fonts(text: str) -> str:
    while font := _FONTS.search(text):
        at = _past_optional(text, font.end())
        if font[0] in _TAKES_COLOUR:
            _, at = _argument(text, at)
        inside = ""
        if text[at : at + 1] == "{":
            inside, at = _argument(text, at)
        text = text[: font.start()] + inside + text[at:]
    text = _SPACES.sub(" ", text)
    for written, shown in _SYMBOLS.items():
        text = text.replace(written, shown)
    return _ESCAPED.sub(r"\1", re.sub(r"(?<!\\)[{}]", "", text))
