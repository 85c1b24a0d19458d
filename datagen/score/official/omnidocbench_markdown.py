"""A page's Markdown in pieces, as OmniDocBench v1.5 cuts it up (`utils/extract.py` and `utils/table_utils.py` at the commit that
`omnidocbench.COMMIT` names).

What it takes out leaves as many spaces behind, so that a piece's place is that of the Markdown as it was by then; only the order
of places matters. Some of what it does is odd, and is done here alike: LaTeX tables take a character too many, a formula within a
text is a piece and stays in the text as well, and of tables of pipes every line that has a colon is lost.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

TEXT, FORMULA, HTML, LATEX = "text_all", "equation_isolated", "html_table", "latex_table"
INLINE, PIPES, CODE, BLOCK = "equation_inline", "md2html_table", "code", "text_block"


class Piece(NamedTuple):
    """`kind` is TEXT, FORMULA, HTML or LATEX; `fine` tells more, or is empty. `start` is a place, in characters. `is_cell`: a
    cell of a table that no block asked for, which is looked at as a text."""

    kind: str
    start: int
    text: str
    fine: str = ""
    is_cell: bool = False

    @property
    def category(self) -> str:
        return self.fine or self.kind


_PICTURE = re.compile(r"!\[.*?\]\(.*?\)")
_OPENINGS = tuple(re.compile(rf"^```{name}\n?", re.MULTILINE) for name in ("markdown", "html", "latex"))
_CLOSING = re.compile(r"```\n?$", re.MULTILINE)
_LONG_RUN = re.compile("_{4,}| {4,}")
_LATEX_TABLE = re.compile(r"\\begin\{table\}.*?\\end\{table\}", re.DOTALL)
_FORMULA = re.compile(r"\$\$.*?\$\$|\\\[.*?\\\]|\$.*?\$|\\\(.*?\\\)", re.DOTALL)
_WITH_DOLLARS = re.compile(r"\$\$(.*?)\$\$|\$(.*?)\$|\\\((.*?)\\\)", re.DOTALL)
_CODE = re.compile(r"```\w+\n(.*?)```", re.DOTALL)
_HTML = re.compile("<table.*?</table>", re.DOTALL)
_PLAIN_TABLE = re.compile("<table>.*?</table>", re.DOTALL)
_COMMENT = re.compile("<!--.*?-->", re.DOTALL)
_OF_TABLE = re.compile("</?t(?:able|head|body)>")
_COMMANDS = (
    re.compile(r"\\title\{(.*?)\}"),
    re.compile(r"\\title\s*\{\s*(.*?)\s*\}", re.DOTALL),
    re.compile(r"\\text\s*\{\s*(.*?)\s*\}", re.DOTALL),
    re.compile(r"\\section\*?\{(.*?)\}"),
    re.compile(r"\\section\*?\{\s*(.*?)\s*\}", re.DOTALL),
)


class _Pair(NamedTuple):
    """What begins and ends a table, how far the search goes on behind each of the two, and how far behind a beginning that has
    no end it starts again."""

    begin: re.Pattern[str]
    end: str
    step: int
    again: int


_TABULAR = _Pair(re.compile(r"\\begin\{tabular\}"), r"\end{tabular}", 14, 16)
_TABLE = _Pair(re.compile("<table[^>]*>"), "</table>", 8, 16)


def pieces(markdown: str) -> list[Piece]:
    """The pieces of a page, in the order of their places; those at one place as they were found."""
    text = _OPENINGS[0].sub("", _PICTURE.sub("", markdown))
    text = _CLOSING.sub("", _OPENINGS[2].sub("", _OPENINGS[1].sub("", text)))
    text = _LONG_RUN.sub(lambda run: run[0][:4], text)
    for tag in ("<html>", "</html>", "<body>", "</body>"):
        text = text.replace(tag, "")
    cut: list[Piece] = []
    for start, table in _latex_tables(text):
        cut.append(Piece(LATEX, start, table))
        text = _without(text, start, start + len(table))
    for start, table in list(_enclosed(text, _TABLE)):
        cut.append(Piece(HTML, start, table))
        text = _without(text, start, start + len(table))
    for match in _FORMULA.finditer(text):
        piece = _formula(match)
        cut.append(piece)
        if piece.fine != INLINE:
            text = _without(text, match.start(), match.end())
    if len(list(_pipes(text + "\n"))) >= 2:
        text = _pipes_as_html(text)
        for match in _HTML.finditer(text):
            text = _without(text, match.start(), match.end())
            cut.append(Piece(HTML, match.start(), match[0].strip(), PIPES))
    for match in _CODE.finditer(text):
        text = _without(text, match.start(), match.end())
        cut.append(Piece(TEXT, match.start(), match[1].strip(), CODE))
    for command in _COMMANDS:
        text = command.sub(r"\1", text)
    cut += _texts(text)
    return sorted(cut, key=lambda piece: piece.start)


def _without(text: str, start: int, end: int) -> str:
    return text[:start] + " " * (end - start) + text[end:]


def _latex_tables(text: str) -> list[tuple[int, str]]:
    tables = [(match.start(), match[0]) for match in _LATEX_TABLE.finditer(text)]
    for start, table in tables:
        text = _without(text, start, start + len(table))
    return sorted([*tables, *_enclosed(text, _TABULAR)], key=lambda table: table[0])


def _enclosed(text: str, pair: _Pair) -> Iterator[tuple[int, str]]:
    """The outermost tables, and where they start."""
    first = 0
    while True:
        at, open_at = first, []
        begin, end = pair.begin.search(text, at), text.find(pair.end, at)
        while at < len(text) and (begin or end >= 0):
            if begin and (end < 0 or begin.start() < end):
                open_at.append(begin.start())
                at = begin.start() + pair.step
            else:
                start = open_at.pop() if open_at else None
                at = end + pair.step
                if start is not None and not open_at:
                    yield start, text[start:at]
            if begin and begin.start() < at:
                begin = pair.begin.search(text, at)
            if 0 <= end < at:
                end = text.find(pair.end, at)
        if not open_at:
            return
        first = open_at[0] + pair.again


def _formula(match: re.Match[str]) -> Piece:
    line = " ".join(match[0].strip().split("\n"))
    inner = _WITH_DOLLARS.search(line)
    if inner is None:
        return Piece(FORMULA, match.start(), line)
    if inner[1]:
        return Piece(FORMULA, match.start(), _WITH_DOLLARS.sub(lambda one: rf"\[{one[1] or ''}\]", line))
    return Piece(FORMULA, match.start(), _WITH_DOLLARS.sub(lambda one: rf"\[{one[2] or ''}{one[3] or ''}\]", line), INLINE)


def _texts(text: str) -> Iterator[Piece]:
    parts = text.split("\n\n")
    if len(parts) == 1:
        parts = text.split("\n")
    start = 0
    for part in parts:
        stripped = "\n".join(line.strip() for line in part.strip().split("\n") if line.strip())
        if stripped.startswith("<table") and stripped.endswith("</table>"):
            yield Piece(HTML, start, stripped)
        elif stripped.startswith("$") and stripped.endswith("$"):
            if stripped.replace("$", "").strip():
                yield Piece(FORMULA, start, stripped)
        elif stripped:
            yield Piece(TEXT, start, stripped, BLOCK)
        start += len(part)


def _pipes(text: str) -> Iterator[str]:
    """From a bar to the next one that ends a line."""
    at = 0
    while (first := text.find("|", at)) >= 0 and (last := text.find("|\n", first + 1)) >= 0:
        at = last + 2
        yield text[first:at]


def _pipes_as_html(text: str) -> str:
    """Each run of bars as a table of its own, and tables that follow each other as one. Lines that look like a rule go."""
    text = text.replace("\r", "") + "\n"
    for run in list(_pipes(text)):
        text = text.replace(run, _html(run), 1)
    merged: list[str] = []
    html, previous, inside = "", "", False
    for line in text.split("\n"):
        if "<table>" in line:
            inside = True
            html += previous
        elif inside:
            if not _is_rule(previous) and "</thead>" not in previous:
                html += "\n" + previous
            if "</table>" in previous:
                inside = False
                merged.append(_merged(html))
                html = ""
        else:
            merged.append(previous)
        previous = line
    if previous:
        merged.append(_merged(f"{html}\n{previous}") if inside or "</table>" in previous else previous)
    return "\n".join(merged).replace("<table>", '<table border="1" >').replace("<td>", '<td colspan="1" rowspan="1">')


def _is_rule(line: str) -> bool:
    return ":" in line or "---" in line


def _html(run: str) -> str:
    head, *rows = ([cell.strip() for cell in row.strip().split("|")[1:-1]] for row in run.strip().split("\n"))
    headings = [f"      <th>{cell}</th>" for cell in head]
    lines = ["<table>", "  <thead>", "    <tr>", *headings, "    </tr>", "  </thead>", "  <tbody>"]
    for row in rows[1:]:
        lines += ["    <tr>", *(f"      <td>{cell}</td>" for cell in row), "    </tr>"]
    return "\n".join([*lines, "  </tbody>", "</table>", ""])


def _merged(tables: str) -> str:
    merged: list[str] = []
    for table in _PLAIN_TABLE.findall(_COMMENT.sub("", tables)):
        lines = [line.replace("<th>", "<td>").replace("</th>", "</td>") if "<th>" in line else line for line in table.split("\n")]
        lines = [line for line in lines if not _OF_TABLE.search(line)]
        merged += lines if len(lines) > 2 else []
    return "\n\n<table>\n" + "\n".join(merged) + "\n</table>\n\n"
