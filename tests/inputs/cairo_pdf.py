"""PDFs that Cairo wrote, as glyphs and operations that can be changed and put back.

What Cairo writes: /ToUnicode maps with one code a line, glyphs in Tj and TJ, and `/Span << /ActualText >> BDC` around clusters
whose glyphs have no value of their own (U+FFFD in the map) and for the space that a line is broken at. Not a PDF parser.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

UNKNOWN = "\ufffd"  # the value of a glyph that has none of its own
_TOKEN = re.compile(rb"\((?:\\.|[^\\()])*\)|<<|>>|<[0-9a-fA-F\s]*>|[\[\]]|/[^\s/<>\[\]()]+|[^\s/<>\[\]()]+", re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|(\n)|(.))", re.DOTALL)
_CONTROL = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


@dataclass
class Font:
    """`values`: code to text as /ToUnicode says; `widths` in thousandths of the size. `num_bytes` of a code."""

    xref: int
    num_bytes: int
    values: dict[int, str]
    widths: dict[int, float]


class Show(NamedTuple):
    """A Tj or TJ: codes are int, adjustments float."""

    font: str
    items: tuple[int | float, ...]


class Begin(NamedTuple):
    """The start of a span with /ActualText."""

    text: str


class End(NamedTuple):
    """The end of a span."""


class Other(NamedTuple):
    """Any other operation, as it came, and its operator."""

    raw: bytes
    operator: bytes


Operation = Show | Begin | End | Other


@dataclass
class Document:
    """An open PDF as its fonts, by resource name, and its pages' operations."""

    pdf: Any  # a pymupdf.Document, whose types don't say that it is iterable
    fonts: dict[str, Font]
    pages: list[list[Operation]]

    def codes(self) -> Iterator[tuple[Font, int]]:
        """Every glyph drawn."""
        for page in self.pages:
            for operation in page:
                if isinstance(operation, Show):
                    font = self.fonts[operation.font]
                    yield from ((font, item) for item in operation.items if isinstance(item, int))

    def write(self) -> None:
        """Put operations and maps back. Content is wrapped, since Cairo's leaves its flip of the axes behind."""
        for page, operations in zip(self.pdf, self.pages, strict=True):
            write_content(page, b"q\n" + _content(operations, self.fonts) + b"\nQ\n")
        for font in self.fonts.values():
            kind, value = self.pdf.xref_get_key(font.xref, "ToUnicode")
            if kind == "xref":
                self.pdf.update_stream(int(value.split()[0]), _cmap(font))


def read(doc: Any) -> Document:
    fonts = {name: _font(doc, xref) for page in doc for xref, *_, name, _ in doc.get_page_fonts(page.number)}
    return Document(doc, fonts, [list(_operations(page.read_contents(), fonts)) for page in doc])


def write_content(page: Any, content: bytes) -> None:
    (xref,) = page.get_contents()
    page.parent.update_stream(xref, content)


def _font(doc: Any, xref: int) -> Font:
    wide = "/Type0" in doc.xref_object(xref, compressed=True)
    values = {}
    kind, value = doc.xref_get_key(xref, "ToUnicode")
    if kind == "xref":
        for block in re.findall(rb"beginbfchar(.*?)endbfchar", doc.xref_stream(int(value.split()[0])), re.DOTALL):
            for code, text in re.findall(rb"<(\w+)>\s*<(\w*)>", block):
                values[int(code, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be", "replace")
    if wide:
        descendant = int(re.findall(r"\d+", doc.xref_get_key(xref, "DescendantFonts")[1])[0])
        runs = re.findall(r"(\d+)\s*\[([^][]*)\]", doc.xref_get_key(descendant, "W")[1][1:])
    else:
        runs = [(doc.xref_get_key(xref, "FirstChar")[1], doc.xref_get_key(xref, "Widths")[1].strip("[]"))]
    widths = {int(first) + i: float(width) for first, run in runs for i, width in enumerate(run.split())}
    return Font(xref, 2 if wide else 1, values, widths)


def _cmap(font: Font) -> bytes:
    digits = 2 * font.num_bytes
    rows = [f"<{code:0{digits}x}> <{value.encode('utf-16-be').hex()}>" for code, value in sorted(font.values.items())]
    blocks = [rows[i : i + 100] for i in range(0, len(rows), 100)]
    return "\n".join(
        (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
            f"1 begincodespacerange <{'0' * digits}> <{'f' * digits}> endcodespacerange",
            *("\n".join((f"{len(block)} beginbfchar", *block, "endbfchar")) for block in blocks),
            "endcmap CMapName currentdict /CMap defineresource pop end end",
        )
    ).encode()


def _operations(content: bytes, fonts: dict[str, Font]) -> Iterator[Operation]:
    operands: list[bytes] = []
    font = ""
    for token in _TOKEN.findall(content):
        if not re.fullmatch(rb"[A-Za-z'\"*]+", token) or token in (b"true", b"false", b"null"):
            operands.append(token)
            continue
        if token in (b"Tj", b"TJ"):
            yield Show(font, tuple(_items(operands, fonts[font].num_bytes)))
        elif token == b"BDC":
            yield Begin(_from_hex(operands[operands.index(b"/ActualText") + 1]).decode("utf-16"))
        elif token == b"EMC":
            yield End()
        else:
            font = operands[0][1:].decode() if token == b"Tf" else font
            yield Other(b" ".join((*operands, token)), token)
        operands = []


def _items(operands: list[bytes], num_bytes: int) -> Iterator[int | float]:
    for token in operands:
        if token[:1] in b"<(":
            data = _from_hex(token) if token[:1] == b"<" else _ESCAPE.sub(_unescaped, token[1:-1])
            yield from (int.from_bytes(data[i : i + num_bytes]) for i in range(0, len(data), num_bytes))
        elif token not in b"[]":
            yield float(token)


def _from_hex(token: bytes) -> bytes:
    return bytes.fromhex(b"".join(token[1:-1].split()).decode())


def _unescaped(match: re.Match[bytes]) -> bytes:
    octal, newline, char = match.groups()
    return bytes([int(octal, 8)]) if octal else b"" if newline else _CONTROL.get(char, char)


def _content(operations: Iterable[Operation], fonts: dict[str, Font]) -> bytes:
    lines = []
    for operation in operations:
        if isinstance(operation, Show):
            digits = 2 * fonts[operation.font].num_bytes
            items = (f"<{item:0{digits}x}>" if isinstance(item, int) else f"{item:.4f}" for item in operation.items)
            lines.append(f"[{' '.join(items)}]TJ".replace("> <", "").encode())
        elif isinstance(operation, Begin):
            lines.append(f"/Span <</ActualText <feff{operation.text.encode('utf-16-be').hex()}>>> BDC".encode())
        else:
            lines.append(b"EMC" if isinstance(operation, End) else operation.raw)
    return b"\n".join(lines)
