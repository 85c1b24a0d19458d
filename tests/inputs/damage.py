"""Good PDFs, damaged: each of the ways in which a text layer can say something else than the page shows. The ink stays as it was.

For PDFs that Cairo wrote; see `cairo_pdf.py`.
"""

import functools
import random
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import pymupdf

from datagen.writing import scripts
from tests.inputs.cairo_pdf import UNKNOWN, Begin, Document, End, Font, Operation, Other, Show, read, write_content

_LINE_STEP = 0.8  # in font sizes: a smaller move up or down sets a mark
_FOREIGN = "ЭЂЉЮЖФЩĒĜŊƔǷȢΞΨΩΣΔþðłøœæ"


def damage(pdf: bytes, kind: str, seed: int = 0) -> bytes:
    """`pdf` with the damage `kind`, one of `KINDS`. The same seed gives the same bytes. Raises `ValueError` where the PDF
    gives it no hold: no spaces to drop, no clusters to break."""
    with pymupdf.open(stream=pdf, filetype="pdf") as doc:
        KINDS[kind](read(doc), random.Random(f"{kind}/{seed}"))
        return doc.tobytes(deflate=True, no_new_id=True)


# What a glyph says


def permuted(document: Document, rng: random.Random) -> None:
    """Letters stand for one another, each kind (capitals, small letters, marks ...) within itself: the right letters of the
    right script, and no word of it."""
    _plain(document)
    groups = defaultdict(list)
    for char in sorted(_letters(document)):
        if not unicodedata.decomposition(char).startswith("<"):  # a ligature
            groups[_kind(char)].append(char)
    table: dict[str, str] = {}
    for chars in groups.values():
        rng.shuffle(chars)
        table |= dict(zip(chars, chars[1:] + chars[:1], strict=True))
    _translate(document, table)


def shifted(document: Document, rng: random.Random) -> None:
    """All codes off by a constant: THE says 7KH. In scripts other than Latin, by a few places among the script's letters."""
    _plain(document)
    places, table = rng.randint(1, 5), {}
    for char in {char for font in document.fonts.values() for value in font.values.values() for char in value}:
        if char < "\u0250":
            table[char] = _off(char, 29)
        elif _is_letter(char):
            alphabet = _alphabets()[_kind(char)]
            table[char] = alphabet[(alphabet.index(char) + places) % len(alphabet)]
    _translate(document, table)


def legacy(document: Document, rng: random.Random) -> None:
    """Letters of another script under ASCII and Latin-1 codes, the frequent ones under letters, as fonts from before Unicode have
    them. Where there are more letters than codes, some share one."""
    _plain(document)
    glyphs = [
        value for value, _ in _values(document).most_common() if _is_letter(value[0]) and scripts.script(value[0]) != "Latn"
    ]
    if not glyphs:
        raise ValueError("no letters but Latin ones")
    small, large = list("abcdefghijklmnopqrstuvwxyz"), list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    rest = [chr(c) for c in (*range(0x21, 0x7F), *range(0xA1, 0x100)) if not chr(c).isascii() or not chr(c).isalnum()]
    for pool in (small, large, rest):
        rng.shuffle(pool)
    pool = small + large + rest
    names = {value: pool[i % len(pool)] for i, value in enumerate(glyphs)}
    _revalue(document, lambda font, code, value: names.get(value, value))


def no_tounicode(document: Document, rng: random.Random) -> None:
    """No map from codes to characters at all."""
    _strip_spans(document)
    document.write()
    for font in document.fonts.values():
        document.pdf.xref_set_key(font.xref, "ToUnicode", "null")


def few_letters(document: Document, rng: random.Random) -> None:
    """Three of the most frequent letters stand for one another."""
    _plain(document)
    chosen = rng.sample(_frequent(document, 5), 3)
    _translate(document, dict(zip(chosen, chosen[1:] + chosen[:1], strict=True)))


def missing_letter(document: Document, rng: random.Random) -> None:
    """One frequent letter says nothing: the text goes on as though it weren't there."""
    _plain(document)
    letter = rng.choice(_frequent(document, 4))
    _translate(document, {letter: "\u00ad"})  # an empty value is read as U+FFFD


def private_use(document: Document, rng: random.Random) -> None:
    """Letters say private characters, as symbol fonts do."""
    _plain(document)
    _translate(document, {char: chr(0xF000 + ord(char) % 0x800) for char in _letters(document)})


def control(document: Document, rng: random.Random) -> None:
    """Letters say control characters, as where glyph numbers were taken for text."""
    _plain(document)
    codes = [chr(c) for c in range(1, 0x20) if chr(c) not in "\t\n\f\r"]
    _translate(document, {char: codes[ord(char) % len(codes)] for char in _letters(document)})


def fffd(document: Document, rng: random.Random) -> None:
    """Letters say U+FFFD."""
    _plain(document)
    _translate(document, dict.fromkeys(_letters(document), UNKNOWN))


def broken_clusters(document: Document, rng: random.Random) -> None:
    """Glyphs of conjuncts, reordered vowels and other clusters say letters of other scripts; plain letters are right."""
    clusters = {
        (font.xref, code)
        for font in document.fonts.values()
        for code, value in font.values.items()
        if value == UNKNOWN or (len(value) > 1 and any(unicodedata.category(char)[0] == "M" for char in value))
    }
    _plain(document)
    if not any((font.xref, code) in clusters for font, code in document.codes()):
        raise ValueError("no clusters")
    _revalue(document, lambda font, code, value: rng.choice(_FOREIGN) if (font.xref, code) in clusters else value)


# What is drawn


def hidden(document: Document, rng: random.Random) -> None:
    """A scan of each page, over it an invisible text (render mode 3) that is another page's."""
    _scans(document, b"3 Tr")


def hidden_opacity(document: Document, rng: random.Random) -> None:
    """The same with text at opacity 0."""
    _scans(document, b"")
    for page in document.pdf:
        _, value = document.pdf.xref_get_key(page.xref, "Resources")
        document.pdf.xref_set_key(int(value.split()[0]), "ExtGState", "<</a0<</CA 0/ca 0>>>>")


def doubled(document: Document, rng: random.Random) -> None:
    """All text twice, 0.3 pt apart, for boldness."""
    _repeat(document, 0.3)


def off_page(document: Document, rng: random.Random) -> None:
    """All text once more, left of the crop box. No damage to what the page shows."""
    for page in document.pdf:
        width, height = page.rect.width, page.rect.height
        document.pdf.xref_set_key(page.xref, "MediaBox", f"[{-width:g} 0 {width:g} {height:g}]")
        document.pdf.xref_set_key(page.xref, "CropBox", f"[0 0 {width:g} {height:g}]")
    _repeat(document, -document.pdf[0].rect.width)


def spaces_dropped(document: Document, rng: random.Random) -> None:
    """No space glyphs; the next word stands where it stood."""
    if not _values(document)[" "]:
        raise ValueError("no spaces")
    for page in document.pages:
        page[:] = _without(page, document.fonts, lambda font, code, unit: font.values.get(code) == " ")
    document.write()


def outlined(document: Document, rng: random.Random) -> None:
    """A fifth to a half of the words, or of the lines, as outlines instead of text."""
    share, by_line = rng.uniform(0.2, 0.5), rng.random() < 0.5
    text, outlines = [], []
    for page in document.pages:
        num_units = 1 + max(unit for *_, unit in _glyphs(page, document.fonts, by_line))
        chosen = [rng.random() < share for _ in range(num_units)]
        text.append(_without(page, document.fonts, _in_units(chosen, True), by_line))
        outlines.append(_without(page, document.fonts, _in_units(chosen, False), by_line))
    document.pages = outlines
    document.write()
    drawings = [page.get_svg_image(text_as_path=True) for page in document.pdf]
    document.pages = text
    document.write()
    for page, svg in zip(document.pdf, drawings, strict=True):
        with pymupdf.open(stream=svg.encode(), filetype="svg") as drawing, pymupdf.open("pdf", drawing.convert_to_pdf()) as pdf:
            page.show_pdf_page(page.rect, pdf, 0)


KINDS: dict[str, Callable[[Document, random.Random], None]] = {
    function.__name__: function
    for function in (
        *(permuted, shifted, legacy, no_tounicode, few_letters, missing_letter, private_use, control, fffd, broken_clusters),
        *(hidden, hidden_opacity, doubled, off_page, spaces_dropped, outlined),
    )
}


# Letters


def _letters(document: Document) -> Counter[str]:
    """How often each letter and mark is drawn."""
    counts: Counter[str] = Counter()
    for value, n in _values(document).items():
        counts.update({char: n for char in value if _is_letter(char)})
    return counts


def _frequent(document: Document, n: int) -> list[str]:
    """The `n` letters drawn most often."""
    counts = _letters(document)
    letters = [char for char in counts if unicodedata.category(char)[0] == "L"]
    return sorted(letters, key=lambda char: (-counts[char], char))[:n]


def _is_letter(char: str) -> bool:
    return unicodedata.category(char)[0] in "LM"


def _kind(char: str) -> tuple[str, str]:
    return scripts.script(char), unicodedata.category(char)


@functools.cache
def _alphabets() -> dict[tuple[str, str], list[str]]:
    """The letters and marks of each kind, in the order of code points."""
    alphabets = defaultdict(list)
    for char in map(chr, range(0x30000)):
        if _is_letter(char):
            alphabets[_kind(char)].append(char)
    return alphabets


def _off(char: str, places: int) -> str:
    """`char` moved down; itself where nothing that prints stands there."""
    moved = chr(max(0, ord(char) - places))
    return moved if moved.isprintable() and moved != " " else char


# Maps


def _values(document: Document) -> Counter[str]:
    """How often each value is drawn, without empty ones."""
    return Counter(value for font, code in document.codes() if (value := font.values.get(code, "")))


def _translate(document: Document, table: dict[str, str]) -> None:
    _revalue(document, lambda font, code, value: "".join(table.get(char, char) for char in value))


def _revalue(document: Document, value: Callable[[Font, int, str], str]) -> None:
    for font in document.fonts.values():
        font.values = {code: value(font, code, old) for code, old in font.values.items()}
    document.write()


def _plain(document: Document) -> None:
    """Take the /ActualText out, so that the maps are all a reader gets, and give the glyphs that it stood for values from it:
    what remains of a cluster's text beside its other glyphs, as most writers do that know no /ActualText."""
    votes: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for page in document.pages:
        for text, glyphs in _clusters(page, document.fonts):
            unknown = []
            for font, code in glyphs:
                value = font.values.get(code, UNKNOWN)
                if value == UNKNOWN:
                    unknown.append((font.xref, code))
                elif value in text:
                    text = text.replace(value, "", 1)
            for i, key in enumerate(unknown):
                part = text[i:] if i == len(unknown) - 1 else text[i : i + 1]
                votes[key][part or "\u200c"] += 1
    for font in document.fonts.values():
        for code, value in font.values.items():
            if value == UNKNOWN:
                best = votes[font.xref, code].most_common(1)
                font.values[code] = best[0][0] if best else "\u200c"
    _strip_spans(document)


def _clusters(page: list[Operation], fonts: dict[str, Font]) -> Iterator[tuple[str, list[tuple[Font, int]]]]:
    """The spans of a page: text, and glyphs."""
    text: str | None = None
    glyphs: list[tuple[Font, int]] = []
    for operation in page:
        if isinstance(operation, Begin):
            text, glyphs = operation.text, []
        elif isinstance(operation, Show) and text is not None:
            glyphs += [(fonts[operation.font], item) for item in operation.items if isinstance(item, int)]
        elif isinstance(operation, End) and text is not None:
            yield text, glyphs
            text = None


def _strip_spans(document: Document) -> None:
    document.pages = [[op for op in page if not isinstance(op, (Begin, End))] for page in document.pages]


# Content


def _glyphs(page: list[Operation], fonts: dict[str, Font], by_line: bool) -> Iterator[tuple[int, int, int]]:
    """Where each glyph is, as the numbers of its operation and item, and the number of the word or line that it belongs to."""
    unit = 0
    for number, operation in enumerate(page):
        if isinstance(operation, Other) and operation.operator in (b"Td", b"Tm"):
            unit += operation.operator == b"Tm" or abs(float(operation.raw.split()[1])) > _LINE_STEP
        elif isinstance(operation, Show):
            for place, item in enumerate(operation.items):
                if isinstance(item, int):
                    space = fonts[operation.font].values.get(item) == " "
                    unit += space and not by_line
                    yield number, place, unit


def _without(
    page: list[Operation], fonts: dict[str, Font], gone: Callable[[Font, int, int], bool], by_line: bool = False
) -> list[Operation]:
    """The page without the glyphs that `gone` (of font, code, unit) names, everything else where it was. Spans that lose all
    their glyphs go too, and those of spaces alone."""
    units = {(number, place): unit for number, place, unit in _glyphs(page, fonts, by_line)}
    out: list[Operation] = []
    begun, kept = -1, True
    for number, operation in enumerate(page):
        if isinstance(operation, Show):
            font = fonts[operation.font]
            items: list[int | float] = []
            for place, item in enumerate(operation.items):
                lost = isinstance(item, int) and gone(font, item, units[number, place])
                kept |= isinstance(item, int) and not lost
                items.append(-font.widths.get(int(item), 0.0) if lost else item)
            out.append(Show(operation.font, tuple(items)))
        elif isinstance(operation, Begin):
            begun, kept = len(out), False
            out.append(operation)
        elif isinstance(operation, End) and not kept:
            del out[begun]
        else:
            out.append(operation)
    return out


def _in_units(chosen: list[bool], value: bool) -> Callable[[Font, int, int], bool]:
    return lambda font, code, unit: chosen[unit] is value


def _repeat(document: Document, dx: float) -> None:
    for page in document.pdf:
        content = page.read_contents()
        write_content(page, b"q\n%b\nQ\nq 1 0 0 1 %.4f 0 cm\n%b\nQ\n" % (content, dx, content))


def _scans(document: Document, mode: bytes) -> None:
    """Pages as images, each under the next page's text, to which `mode` is set."""
    doc = document.pdf
    if len(doc) < 2:
        raise ValueError("one page: there is no other text to hide behind it")
    images = [page.get_pixmap(dpi=150, colorspace=pymupdf.csGRAY).tobytes("jpg") for page in doc]
    contents = [page.read_contents() for page in doc]
    resources = [doc.xref_get_key(page.xref, "Resources")[1] for page in doc]
    for number, page in enumerate(doc):
        other = (number + 1) % len(doc)
        write_content(page, b"q\n" + re.sub(rb"\bBT\n", b"BT\n" + mode + b"\n", contents[other]) + b"\nQ\n")
        doc.xref_set_key(page.xref, "Resources", resources[other])
    for page, image in zip(doc, images, strict=True):
        page.insert_image(page.rect, stream=image, overlay=False)
