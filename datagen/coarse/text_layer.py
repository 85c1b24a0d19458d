"""The text layer of a PDF page as a label: what the image shows, in the order in which it is read."""

import contextlib
import importlib.metadata
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from datagen.coarse import (
    accents,
    drawn_glyphs,
    drawn_rules,
    formula_share,
    line_ends,
    lines_by_glyphs,
    loose_marks,
    unmapped,
    unseen_text,
)
from datagen.coarse.answers import BY, PageContent
from datagen.coarse.clean_line import cleaner, without_control
from datagen.coarse.han_gaps import write_typed_spaces
from datagen.coarse.page import TEXT_FLAGS, OpenPage, native, textpage_of
from datagen.coarse.shared_codes import num_shared
from datagen.engines.light_pymupdf import pymupdf
from datagen.page import glyphs, line_pieces
from datagen.page.boldness import bold_share
from datagen.page.line_breaks import mono_share
from datagen.page.line_order import reading_order
from datagen.page.line_pieces import Piece
from datagen.page.paragraphs import Paragraph, paragraphs
from datagen.page.visual_lines import visual_lines
from datagen.record import Box, Line, Region, SampleError, clean_text
from datagen.writing import homoglyphs, scripts
from datagen.writing.bidi import num_rtl
from datagen.writing.join_lines import as_drawn, joined, words_of
from datagen.writing.vertical_lines import is_from_left

# Ligatures that MuPDF keeps also keep it from seeing the space behind them: it adds none behind characters above U+0700.
_FLAGS = TEXT_FLAGS & ~pymupdf.TEXT_PRESERVE_LIGATURES
ENGINES = {BY: importlib.metadata.version(BY)}
_VISIBLE = 16 | 32  # filled, stroked: a glyph that is neither leaves no ink
_PRIVATE = re.compile(f"[{scripts.PRIVATE}]+")
# Glyphs of Arabic letters, not letters: what a layer holds when its maker wrote down what it drew.
_PRESENTATION_FORMS = re.compile(f"[{scripts.ARABIC_FORMS}]+")
_RIGHT_TO_LEFT = re.compile(f"[{scripts.RIGHT_TO_LEFT}]")
_CLUSTERED = re.compile(f"[{scripts.CLUSTERED}]")
# Letters behind which MuPDF adds no space: one behind them is the file's own.
_SPACED = re.compile(f"[{scripts.SPACED}]( ?)")
# Others stand among letters behind which it does: Vietnamese and old Greek ones, brackets, Armenian signs read from their glyphs.
_MAY_LACK = re.compile(
    r"[\u1e00-\u1fff\u2100-\u21ff\u2329\u232a\u27e6-\u27ef\u3009](?=[A-Za-z\u00c0-\u1fff])|[,;:\u0589](?=[\u0531-\u0587])"
)
# Letters that are followed by spaces where a phrase ends; on a page of these hardly any may have none.
_PHRASED = re.compile(f"[{scripts.PHRASED}]( ?)")
# Listings set signs in the middle of wide cells, and MuPDF takes what is left of a cell for a space; and what TeX puts between an
# item's letter and its bracket.
_SIGNS_APART = re.compile(r"[0-9A-Za-z] \. [0-9A-Za-z]|[0-9A-Za-z] , |[0-9A-Za-z] ’ ?’|^ ?[0-9A-Za-z]{1,3} \)", re.MULTILINE)
_LETTERSPACED = re.compile(r"(?<!\S)(?:[^\W\d_] ){4}")
# Of a vowel sign in two parts around its consonant, MuPDF may say the consonant in place of the first part, too.
_TWICE_FIRST = re.compile(f"([{scripts.LETTERS_OF_TWO_PART_VOWELS}])\\1[{scripts.TWO_PART_VOWELS}]")
_SOFT_INSIDE = re.compile("\u00ad(?=[ \u00a0\\t]*\\S)")
_ENDS_IN_SPACE = re.compile(f"[{scripts.HANGUL}{scripts.PHRASED}]")  # a space behind these at a line's end tells: see `line_ends`
_HAN_OR_KANA = re.compile(f"[{scripts.IDEOGRAPHS}{scripts.KANA}{scripts.BOPOMOFO}]")
# MuPDF takes the quarter em between Latin and Chinese for a space, but only behind Latin: a space in front of it is the file's.
_LATIN_HAN = re.compile(f"(?<=[0-9A-Za-z)}}\\]=]) (?=[{scripts.HAN}])")
_PADDED = re.compile(r"\( | \)")  # Word draws letters over spaces within brackets
_HAN_LATIN = re.compile(f"[{scripts.HAN}]( ?)[0-9A-Za-z]")


def text_layer(view: OpenPage) -> PageContent:
    """The paragraphs of the page's text layer as regions with their lines, and signals to judge it by.

    - Paragraphs: each is a region, whatever blocks the file has: see `datagen.page.paragraphs`. So is a heading. An item of a
      list is one, labelled "list"; lines of code that follow each other are one, labelled "code"; the others are labelled "text".
      One that `continues` plainly goes on in the next column or on the next page.
    - Text: as a person would type it. Where a line ends because its column does (see `datagen.page.line_breaks`), the next one is
      joined to it and the typesetter's hyphens are undone (see `text.joined`). Where somebody ended the line, a newline stands.
      `lines` has the lines as they stand.
    - Order: the file's. If that goes across columns of prose row by row, or up the page again and again, columns are read one
      after the other, and titles across them where they stand. Columns of right-to-left text are read from the right.
    - Lines: whole, whatever gaps they have. Leaders take one form. Columns and cells are apart, in no common region: see
      `datagen.page.visual_lines`.
    - Frame: the image's, which is that of the rotated page. What lies outside of the crop box isn't there. Lines at an angle are
      read along it.
    - Spaces: if the layer has none, or too many, one for each gap that shows one. In scripts without spaces between words, only a
      gap as wide as a space shows one. The quarter em between Chinese and Latin is none if all such places have it: `han_gaps`.
    - Vertical text: one line a column, from right to left, Mongolian from left to right, direction "ttb"; also if its glyphs were
      placed one by one.
    - Ruby: its lines are a region of their own, right behind the region that they stand beside.
    - Right-to-left text: in logical order, worked out from the places of the glyphs, since the order in the file depends on who
      wrote it. Numbers and Latin words run left to right, and brackets are as they are read. A hidden layer's order stays.
    - Clusters: whole. MuPDF splits or repeats those that an /ActualText stands for.
    - Characters: NFC. Ligatures and presentation forms are letters, no-break spaces are spaces. An accent drawn over a letter is
      that letter's. Every hyphen that looks like `-` is that. A word of letters that look alike in two scripts is in one script
      (see `homoglyphs`). A soft hyphen is one where it is drawn, so that a line ends as it does in the image. What draws
      nothing is left out, and so are control characters, which are counted.
    - Doubled text, which is drawn again for boldness, stands once. Text in the colour of the paper is left out. Text under render
      mode 3 or at opacity 0 stays, since it is all the text that a scan has, and is counted.

    Signals: `num_chars`, as the layer has them, and shares of these: `unmapped_share` (U+FFFD), `read_glyphs_share` (unmapped,
    but read from their glyphs: see `unmapped`), `private_use_share`, `control_share`, `hidden_share`, `presentation_share`
    (before they become letters), `doubled_share`, `spaces_added_share`, `silent_share` (soft hyphens within a line, where none is
    drawn, so that a letter isn't said), `math_share` (of formulas: see `formula_share`); where there are any,
    `shared_codes_share` (characters whose font has two glyphs for them: see `shared_codes`).

    Raises `SampleError` (`broken_page`).
    """
    layer = read_layer(view)
    paragraphs_of_page = with_ruby(paragraphs(layer.blocks, layer.rtl))
    return PageContent(tuple(region(view, p, layer.words) for p in paragraphs_of_page), layer.signals, ENGINES)


@dataclass(frozen=True)
class TextLayer:
    """The lines of a page in reading order, before they are paragraphs and regions: their pieces are in points.

    `words` are those that the page has whole, see `text.words_of`; `spans` are MuPDF's, with their fonts, as the file has them.
    `rtl`: the page has right-to-left letters.
    """

    blocks: tuple[line_pieces.Block, ...] = ()
    rtl: bool = False
    words: Collection[str] = ()
    signals: dict[str, float] = field(default_factory=dict)
    spans: tuple[dict[str, Any], ...] = ()


def read_layer(view: OpenPage) -> TextLayer:
    """What `text_layer` tells, for page functions that go on from there. Raises as it does."""
    layer = _read(view, _FLAGS)
    if rtl := bool(_RIGHT_TO_LEFT.search(layer.alphabet)):
        layer = _without_actual_text(view, layer)
    if not layer.num_chars:
        return TextLayer()
    by_char = layer.blocks
    lacks_spaces = _lacks_spaces(layer.text, layer.alphabet)
    if rtl or lacks_spaces or _asks_for_glyphs(layer.text, layer.alphabet):
        with contextlib.suppress(SampleError), native("broken_page"):  # a character above U+10FFFF, which only this refuses
            by_char = [b for b in layer.textpage.extractRAWDICT()["blocks"] if b.get("lines")]
    if _HAN_OR_KANA.search(layer.alphabet):
        layer = _with_typed_spaces(layer, by_char)
    signals, printing = _counted(layer)
    lines = iter(printing)
    blocks = [list(_pieces(block, chars, lines, rtl)) for block, chars in zip(layer.blocks, by_char, strict=True)]
    loose_marks.put_apart(blocks, layer.loose)
    num_hidden = sum(p.num_hidden for block in blocks for p in block)
    blocks, num_doubled = line_pieces.without_doubles([block for block in blocks if block])
    forms: dict[drawn_glyphs.Place, drawn_glyphs.Form] = {}
    if rtl:
        forms = drawn_glyphs.correct(view, [piece for block in blocks for piece in block])
        blocks = line_pieces.joined_rows(blocks, view.is_clear)
    num_added = lines_by_glyphs.read(view, blocks, rtl, by_char is not layer.blocks and not lacks_spaces, forms)
    if _CLUSTERED.search(layer.alphabet):
        blocks = line_pieces.whole_clusters(blocks, view.has_gap)
    if _HAN_OR_KANA.search(layer.alphabet):
        blocks = line_pieces.with_ruby_apart(line_pieces.stacked(blocks))
    elif is_from_left(layer.alphabet):
        blocks = line_pieces.stacked(blocks)
    blocks = visual_lines(blocks, rtl, view.is_clear)
    clean = _cleaner(layer)
    printed = [_printed(view, block, clean) for block in reading_order(blocks, rtl)]
    if _ENDS_IN_SPACE.search(layer.alphabet):
        line_ends.mark([piece for block in printed for piece in block])
    words = words_of([p.text for block in printed for p in block])
    for piece in (piece for block in printed for piece in block):
        piece.ruby = _printed(view, piece.ruby, clean)
    for name, num in (("hidden", num_hidden), ("doubled", num_doubled), ("spaces_added", num_added)):
        signals[f"{name}_share"] = num / layer.num_chars
    if layer.num_shared:
        signals["shared_codes_share"] = layer.num_shared / layer.num_chars
    spans = tuple(span for block in layer.blocks for line in block["lines"] for span in line["spans"])
    return TextLayer(tuple(block for block in printed if block), rtl, words, signals, spans)


def _with_typed_spaces(layer: "_Layer", by_char: list[dict[str, Any]]) -> "_Layer":
    """The layer with the spaces between Chinese and Latin that somebody typed, in `by_char`, too, if that has characters."""
    lines = [line for block in by_char for line in block["lines"]]
    if by_char is layer.blocks or not write_typed_spaces(lines):
        return layer
    written = ("".join([c["c"] for span in line["spans"] for c in span["chars"]]) for line in lines)
    raws = [text if _HAN_OR_KANA.search(raw) else raw for raw, text in zip(layer.raws, written, strict=True)]
    return replace(layer, raws=raws, has_typed_spaces=True)


def with_ruby(paragraphs: Iterable[Paragraph]) -> Iterator[Paragraph]:
    """The paragraphs, each with the ruby that stands beside it as a paragraph of its own behind it."""
    for paragraph in paragraphs:
        yield paragraph
        if annotations := [a for piece in paragraph.pieces for a in piece.ruby]:
            yield Paragraph(tuple(annotations), (False,) * (len(annotations) - 1))


def _cleaner(layer: "_Layer") -> Callable[[str], str]:
    clean = cleaner(layer.alphabet)
    if layer.alphabet.isascii() or not homoglyphs.has_mixed(layer.text):
        return clean
    main_script, _ = scripts.main_script(layer.text)
    return lambda line: homoglyphs.in_one_script(clean(line), main_script)


@dataclass(frozen=True, slots=True)
class _Layer:
    """What MuPDF finds: blocks with lines, the text of each line, and the text of all lines that aren't blank.

    `alphabet` holds the characters of that text, each once. To search them is a hundredth of the work. `num_read` characters
    that the file doesn't map were read from their glyphs. `num_shared`: see `shared_codes`, `has_typed_spaces`: `han_gaps`,
    `loose`: `loose_marks`.
    """

    textpage: pymupdf.TextPage
    blocks: list[dict[str, Any]]
    raws: list[str]
    text: str
    alphabet: str
    num_chars: int
    num_read: int
    num_shared: int = 0
    has_typed_spaces: bool = False
    loose: Sequence[loose_marks.LooseMark] = ()


def _counted(layer: _Layer) -> tuple[dict[str, float], list[str]]:
    """Signals of what is wrong with the layer's characters; and its lines without control characters.

    Spaces that MuPDF sees between Latin and Chinese are left out of the lines, too.
    """
    text, alphabet, total = layer.text, layer.alphabet, layer.num_chars
    nums = dict.fromkeys(("unmapped", "private_use", "control", "presentation", "silent"), 0) | {"read_glyphs": layer.num_read}
    nums["math"] = formula_share.num_math([line for block in layer.blocks for line in block["lines"]])
    lines = layer.raws
    if without_control(alphabet) != alphabet:
        lines = [without_control(line) for line in lines]
        nums["control"] = len(text) - len(without_control(text))
    if not alphabet.isascii():
        if "\ufffd" in clean_text(alphabet):
            nums["unmapped"] = clean_text(text).count("\ufffd")
        if _PRIVATE.search(alphabet):
            nums["private_use"] = sum(map(len, _PRIVATE.findall(text)))
        if _PRESENTATION_FORMS.search(alphabet):
            nums["presentation"] = sum(map(len, _PRESENTATION_FORMS.findall(text)))
        nums["silent"] = len(_SOFT_INSIDE.findall(text))
        gaps = _HAN_LATIN.findall(text) if _HAN_OR_KANA.search(alphabet) else []
        if len(gaps) > 4 * sum(map(len, gaps)) and not layer.has_typed_spaces:
            lines = [_LATIN_HAN.sub("", line) for line in lines]
    return {f"{name}_share": num / total for name, num in nums.items()} | {"num_chars": total}, lines


def _read(view: OpenPage, flags: int) -> _Layer:
    with native("broken_page"):
        textpage = textpage_of(view.page, flags)
        blocks, raws, alphabet = _extracted(textpage)
        num_read = 0
        fonts = {s["font"] for block in blocks for line in block["lines"] for s in line["spans"]}
        if unmapped.worth_a_look(alphabet, fonts):
            num_read = unmapped.read(view.page, textpage, flags, alphabet, fonts)
            blocks, raws, alphabet = _extracted(textpage)
        is_changed = unseen_text.blank_out(view, textpage, blocks)
        if drawn_rules.worth_a_look(fonts):
            is_changed |= drawn_rules.write(view.page, textpage)
        if accents.worth_a_look("\n".join(raws)):
            is_changed |= accents.compose(textpage)
        if "\u25cc" in alphabet:
            is_changed |= loose_marks.without_circles(textpage)
        loose = loose_marks.take_out(view.page, textpage) if loose_marks.worth_a_look(raws) else []
        if is_changed or loose:
            blocks, raws, alphabet = _extracted(textpage)
        if _CLUSTERED.search(alphabet):
            _add_lost_marks(raws, textpage.extractText().splitlines())
        shared = num_shared(view.page, textpage, alphabet)
    filled = [raw for raw in raws if raw and not raw.isspace()]
    return _Layer(textpage, blocks, raws, "\n".join(filled), alphabet, sum(map(len, filled)), num_read, shared, loose=loose)


def _extracted(textpage: pymupdf.TextPage) -> tuple[list[dict[str, Any]], list[str], str]:
    """The blocks that have lines, the text of each line, and its characters, each once."""
    blocks = [block for block in textpage.extractDICT()["blocks"] if block.get("lines")]
    raws = ["".join([s["text"] for s in line["spans"]]) for block in blocks for line in block["lines"]]
    return blocks, raws, "".join(sorted(set().union(*raws)))


def _add_lost_marks(raws: list[str], lines: Sequence[str]) -> None:
    """Put marks at the ends of `lines`, and lines of nothing but marks, into `raws`: the latter behind the line before, which
    ends with their bases.

    Their boxes are empty, so PyMuPDF leaves them out of its dictionary.
    """
    at = 0
    for line in lines:
        if at < len(raws) and line.startswith(raws[at]) and all(map(glyphs.is_mark, line[len(raws[at]) :])):
            raws[at] = line
            at += 1
        elif at > 0 and line and all(map(glyphs.is_mark, line)):
            raws[at - 1] += line


def _without_actual_text(view: OpenPage, layer: _Layer) -> _Layer:
    """The layer without its /ActualText, unless it then has fewer right-to-left letters, or more that are unmapped.

    MuPDF puts an /ActualText in wrong places, and loses the alef that stands before a lam-alef.
    """
    other = _read(view, _FLAGS | pymupdf.TEXT_IGNORE_ACTUALTEXT)
    worse = other.text.count("\ufffd") > layer.text.count("\ufffd")
    return layer if worse or len(_RIGHT_TO_LEFT.findall(other.text)) < len(_RIGHT_TO_LEFT.findall(layer.text)) else other


def _asks_for_glyphs(text: str, alphabet: str) -> bool:
    """Whether glyphs have to be looked at one by one, at twice the cost, since the text doesn't say what the characters are."""
    if _HAN_OR_KANA.search(alphabet) and (_LATIN_HAN.search(text) or _PADDED.search(text)):
        return True
    if _LETTERSPACED.search(text) or _SIGNS_APART.search(text) or ("\u00ad" in alphabet and _SOFT_INSIDE.search(text)):
        return True
    return bool(_MAY_LACK.search(text)) or (bool(_SPACED.search(alphabet)) and bool(_TWICE_FIRST.search(text)))


def _lacks_spaces(text: str, alphabet: str) -> bool:
    """Whether hardly any letter is followed by a space, in scripts of which MuPDF adds none."""
    for followed, rare, few in ((_SPACED, 40, 2), (_PHRASED, 400, 40)):
        letters = followed.findall(text) if followed.search(alphabet) else []
        if len(letters) >= few and sum(map(len, letters)) * rare < len(letters):
            return True
    return False


def _pieces(block: dict[str, Any], by_char: dict[str, Any], lines: Iterator[str], rtl: bool) -> Iterator[Piece]:
    """The lines of a block that have any text."""
    for line, chars in zip(block["lines"], by_char["lines"], strict=True):
        text = next(lines)
        if not text or text.isspace() or not all(map(math.isfinite, line["bbox"])):
            continue
        spans = line["spans"]
        span = _main_span(spans)
        if not span["size"] > 0:  # a matrix lays it flat, so that it leaves no ink
            continue
        piece = Piece(line["bbox"], text, span["font"], span["size"], line["dir"], bool(line["wmode"]))
        piece.baseline = span["origin"][0 if round(piece.direction[1]) else 1]
        piece.mono_share, piece.bold_share = mono_share(spans), bold_share(spans)
        for s in spans:
            if s["alpha"] == 0 or not s["char_flags"] & _VISIBLE:
                piece.num_hidden += len(s["text"])
        straight = max(map(abs, piece.direction)) > 0.999
        asks = rtl or _lacks_spaces(text, text) or _asks_for_glyphs(text, text)
        if chars is not line and straight and not piece.vertical and asks:
            if rtl:
                lines_by_glyphs.draw_persian_digits(chars)
            piece.glyphs = glyphs.glyphs(chars)
            piece.baseline = glyphs.baseline(chars) if rtl else piece.baseline
        yield piece


def _main_span(spans: list[dict[str, Any]]) -> dict[str, Any]:
    """The longest span in the font of most of a line's text."""
    if len(spans) == 1:
        return spans[0]
    num_chars: Counter[tuple[str, float]] = Counter()
    for span in spans:
        num_chars[span["font"], span["size"]] += len(span["text"])
    return max(spans, key=lambda s: (num_chars[s["font"], s["size"]], len(s["text"])))


def _printed(view: OpenPage, block: line_pieces.Block, clean: Callable[[str], str]) -> line_pieces.Block:
    """The lines of a block that are on the page and have text, with their text as labels have it.

    A soft hyphen at a line's end stays one, so that `text.joined` knows it for the typesetter's.
    """
    printed = []
    for piece in block:
        text = clean(piece.text)
        if text and view.pixels(piece.bbox) is not None:
            if _ENDS_IN_SPACE.match(text[-1]) and piece.text[-1] == " ":
                text += " "
            piece.text = text[:-1] + "\u00ad" if text[-1] == "-" and piece.text.rstrip()[-1] == "\u00ad" else text
            printed.append(piece)
    return printed


def region(view: OpenPage, paragraph: Paragraph, words: Collection[str]) -> Region:
    """A paragraph as a region, in pixels, with its text as a person would type it."""
    lines: list[Line] = []
    for piece in paragraph.pieces:
        box = view.pixels(piece.bbox)
        assert box is not None, piece
        text = as_drawn(piece.text)
        lines.append(Line(box, text, clean_text(piece.font), _direction(text, piece.vertical)))
    x0, y0, x1, y1 = zip(*(line.box for line in lines), strict=True)
    box = Box(min(x0), min(y0), max(x1), max(y1))
    text = lines[0].text if len(lines) == 1 else joined([p.text for p in paragraph.pieces], paragraph.soft, words)
    return Region(box, paragraph.label, text, None, BY, lines=tuple(lines), continues=paragraph.continues)


def _direction(text: str, vertical: bool) -> str:
    if vertical:
        return "ttb"
    return "rtl" if _RIGHT_TO_LEFT.search(text) and num_rtl(text) > 0 else "ltr"
