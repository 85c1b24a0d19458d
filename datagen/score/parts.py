"""Markdown in parts: paragraphs, tables and displayed formulas, in order."""

import html
import re
from typing import NamedTuple

from datagen.score import formulas

TEXT, TABLE, FORMULA = "text", "table", "formula"

_FENCED_WHOLE = re.compile(r"\s*```(?:markdown|md|html|latex)\n(.*?)\n?```\s*", re.DOTALL)
_NOTHING = re.compile(r"!\[[^\]]*\]\([^)]*\)|<img\b[^>]*>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_FORMULA = r"\$\$.+?\$\$|\\\[.+?\\\]|\\begin\{(?:equation|align|gather)\*?\}.+?\\end\{(?:equation|align|gather)\*?\}"
_SPECIAL = re.compile(
    rf"(?P<code>^```.*?^```[ \t]*$)|(?P<table><table\b)|(?P<formula>{_FORMULA})", re.DOTALL | re.MULTILINE | re.I
)
_FENCES = re.compile(r"^```", re.MULTILINE)
_CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_TABLE_TAG = re.compile(r"<(/?)table\b[^>]*>", re.IGNORECASE)
_RULE = r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*"
PIPES = re.compile(rf"^[^\n]*\|[^\n]*\n{_RULE}(?:\n[^\n]*\|[^\n]*)*$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_HEADING = re.compile(r"^([ \t]{0,3}#{1,6}[ \t][^\n]*)\n?", re.MULTILINE)
_BAR = re.compile(r"(?<!\\)\|")


class Part(NamedTuple):
    """`text` is Markdown, HTML of a table, or LaTeX with what displays it, as `kind` says: text, table or formula."""

    kind: str
    text: str


def parts(markdown: str) -> list[Part]:
    """The parts of a page's Markdown: a paragraph or a heading each, pictures left out. Tables of pipes become HTML. Where no
    blank line parts anything, each line is a part, as in OmniDocBench."""
    whole = _FENCED_WHOLE.fullmatch(markdown)
    text = _NOTHING.sub("", whole[1] if whole else markdown)
    if not _BLANK_LINES.search(text.strip()):
        text = text.replace("\n", "\n\n") if not _SPECIAL.search(text) and not PIPES.search(text) else text
    cut: list[Part] = []
    at = 0
    while special := _SPECIAL.search(text, at):
        cut += _paragraphs(text[at : special.start()])
        end = _table_end(text, special.start()) if special["table"] else special.end()
        kind = TABLE if special["table"] else FORMULA if special["formula"] else TEXT
        cut.append(Part(kind, text[special.start() : end]))
        at = end
    return cut + _paragraphs(text[at:])


def breaks_off(markdown: str) -> bool:
    """Whether a table, a displayed formula, a block of code or a mark of a place is open where the text ends, as in an answer
    that came to its limit."""
    tail = markdown.rstrip()
    if len(_FENCES.findall(tail)) % 2:
        return True
    tail = _CODE.sub("", tail)
    pairs = (("<table", "</table"), ("\\[", "\\]"), ("<|ref|>", "<|/ref|>"), ("<|det|>", "<|/det|>"))
    lowered = tail.lower()
    return any(lowered.rfind(first) > lowered.rfind(last) for first, last in pairs) or tail.count("$$") % 2 == 1


def finer(whole: list[Part]) -> list[Part]:
    """The same cut as finely as it can be: text by its lines, formulas by their rows."""
    cut: list[Part] = []
    for part in whole:
        pieces = part.text.split("\n") if part.kind == TEXT else formulas.rows(part.text) if part.kind == FORMULA else [part.text]
        cut += [Part(part.kind, piece) for piece in pieces if piece.strip()]
    return cut


def _paragraphs(text: str) -> list[Part]:
    cut, at = [], 0
    for table in PIPES.finditer(text):
        cut += _blocks(text[at : table.start()])
        cut.append(Part(TABLE, _html(table[0])))
        at = table.end()
    return cut + _blocks(text[at:])


def _blocks(text: str) -> list[Part]:
    blocks = _BLANK_LINES.split(_HEADING.sub(r"\n\n\1\n\n", text))
    return [Part(TEXT, block.strip()) for block in blocks if block.strip()]


def _table_end(text: str, start: int) -> int:
    """Behind the end of the table that begins at `start`, whatever tables are inside; the end of the text if it has none."""
    depth = 0
    for tag in _TABLE_TAG.finditer(text, start):
        depth += -1 if tag[1] else 1
        if not depth:
            return tag.end()
    return len(text)


def _html(pipes: str) -> str:
    lines = [line for line in pipes.split("\n") if line.strip()]
    cells = [[cell.strip().replace(r"\|", "|") for cell in _BAR.split(_unbarred(line.strip()))] for line in lines[:1] + lines[2:]]
    tags = ["th", *["td"] * len(lines)]  # the first row of such a table is its head
    lines = ["".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) for tag, row in zip(tags, cells, strict=False)]
    rows = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table>{rows}</table>"


def _unbarred(line: str) -> str:
    line = line.removeprefix("|")
    return line[:-1] if line.endswith("|") and not line.endswith(r"\|") else line
