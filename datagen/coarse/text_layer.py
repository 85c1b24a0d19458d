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
from datagen.page.boxes import around
from datagen.page.line_breaks import mono_share
from datagen.page.line_order import reading_order
from datagen.page.line_pieces import Piece
from datagen.page.paragraphs import Paragraph, paragraphs
from datagen.page.visual_lines import visual_lines
from datagen.record import Line, Region, SampleError, clean_text
from datagen.writing import homoglyphs, scripts
from datagen.writing.bidi import num_rtl
from datagen.writing.join_lines import as_drawn, joined, words_of
from datagen.writing.vertical_lines import is_from_left

# Ligatures that MuPDF keeps also keep it from seeing the space behind them: it adds none behind characters above U+0700.
_FLAGS = TEXT_FLAGS & ~pymupdf.TEXT_PRESERVE_LIGATURES
ENGINES = {BY: importlib.metadata.version(BY)}
_VISIBLE = 16 | 32  # filled, stroked: a glyph that is neither leaves no ink
_PRIVATE = re.compile(f"[{scripts.PRIVATE}]+")
# Glyphs of Arabic letters, not letters. A layer holds them if its maker wrote down what was drawn.
_PRESENTATION_FORMS = re.compile(f"[{scripts.ARABIC_FORMS}]+")
_RIGHT_TO_LEFT = re.compile(f"[{scripts.RIGHT_TO_LEFT}]")
_CLUSTERED = re.compile(f"[{scripts.CLUSTERED}]")
# MuPDF adds no space behind these letters: a space behind them is the file's own.
_SPACED = re.compile(f"[{scripts.SPACED}]( ?)")
# Nor behind these, among other letters: of Vietnamese and old Greek; brackets; Armenian signs that were read from their glyphs.
_MAY_LACK = re.compile(
    r"[\u1e00-\u1fff\u2100-\u21ff\u2329\u232a\u27e6-\u27ef\u3009](?=[A-Za-z\u00c0-\u1fff])|[,;:\u0589](?=[\u0531-\u0587])"
)
# Scripts with spaces only where a phrase ends: on a page of these letters, few are followed by a space, but hardly ever none.
_PHRASED = re.compile(f"[{scripts.PHRASED}]( ?)")
# MuPDF takes for a space the rest of a listing's wide cell around a sign, and TeX's gap between an item's letter and its bracket.
_SIGNS_APART = re.compile(r"[0-9A-Za-z] \. [0-9A-Za-z]|[0-9A-Za-z] , |[0-9A-Za-z] ’ ?’|^ ?[0-9A-Za-z]{1,3} \)", re.MULTILINE)
_LETTERSPACED = re.compile(r"(?<!\S)(?:[^\W\d_] ){4}")
# A vowel sign may have two parts around its consonant. MuPDF may write the consonant again in the place of the first part.
_TWICE_FIRST = re.compile(f"([{scripts.LETTERS_OF_TWO_PART_VOWELS}])\\1[{scripts.TWO_PART_VOWELS}]")
_SOFT_INSIDE = re.compile("\u00ad(?=[ \u00a0\\t]*\\S)")
_ENDS_IN_SPACE = re.compile(f"[{scripts.HANGUL}{scripts.PHRASED}]")  # a space behind them at a line's end counts: see `line_ends`
_HAN_OR_KANA = re.compile(f"[{scripts.IDEOGRAPHS}{scripts.KANA}{scripts.BOPOMOFO}]")
# MuPDF takes the quarter em between Latin and Chinese for a space, but only behind Latin: a space in front of it is the file's.
_LATIN_HAN = re.compile(f"(?<=[0-9A-Za-z)}}\\]=]) (?=[{scripts.HAN}])")
_PADDED = re.compile(r"\( | \)")  # Word draws letters over spaces within brackets
_HAN_LATIN = re.compile(f"[{scripts.HAN}]( ?)[0-9A-Za-z]")


def text_layer(view: OpenPage) -> PageContent:
    """The paragraphs of the page's text layer as regions with their lines, and signals to judge it by.

    - Paragraphs: each paragraph and each heading is a region, whatever blocks the file has: see `datagen.page.paragraphs`. Each
      item of a list is a region with the label "list". Consecutive lines of code are one region with the label "code". Other
      regions have the label "text". A region that `continues` goes on in the next column or on the next page.
    - Text: as a person would type it. A line that ends because its column ends (see `datagen.page.line_breaks`) is joined with
      the next line, without the typesetter's hyphen (see `joined`). A line that its author ended is followed by a newline.
      `lines` has the lines as they stand on the page.
    - Order: the file's. If the file's order goes row by row across columns of prose, or up the page again and again, columns are
      read one after the other, and titles across columns at their place. Columns of right-to-left text are read from the right.
    - Lines: whole, whatever gaps they have. Leaders take one form. Columns and cells are apart and share no region: see
      `datagen.page.visual_lines`.
    - Frame: the image's, which is the rotated page's. Text outside the crop box is left out. Lines at an angle are read along
      their angle.
    - Spaces: if the layer has none or too many, one for each gap that shows a space. In scripts without spaces between words,
      only a gap as wide as a space shows one. The quarter em between Chinese and Latin is no space if all such places have it:
      see `han_gaps`.
    - Vertical text: direction "ttb", one line a column, columns from right to left, in Mongolian from left to right. Glyphs that
      were placed one by one are such lines, too.
    - Ruby: its lines are a region of their own, right behind the region that the ruby stands beside.
    - Right-to-left text: in logical order. The order comes from the places of the glyphs, since each writer of files has an order
      of its own. Numbers and Latin words run left to right; brackets are as they are read. A hidden layer keeps its order.
    - Clusters: whole. MuPDF splits or repeats clusters that an /ActualText stands for.
    - Characters: NFC. Ligatures and presentation forms become letters, no-break spaces become spaces. An accent drawn over a
      letter joins the letter. Every hyphen that looks like `-` becomes `-`. A word that mixes letters which look alike in two
      scripts is written in one script (see `homoglyphs`). A soft hyphen that is drawn is a hyphen, so a line ends as in the
      image. Characters that draw nothing are left out. So are control characters, which are counted.
    - Doubled text, drawn again for boldness, stands once. Text in the colour of the paper is left out. Text under render mode 3
      or at opacity 0 stays and is counted: it is all the text that a scan has.

    Signals: `num_chars` is the number of the layer's characters. The other signals are shares of it: `unmapped_share` (U+FFFD),
    `read_glyphs_share` (unmapped characters that were read from their glyphs: see `unmapped`), `private_use_share`,
    `control_share`, `hidden_share`, `presentation_share` (presentation forms, before they become letters), `doubled_share`,
    `spaces_added_share`, `silent_share` (soft hyphens within a line, where none is drawn: a letter is lost), `math_share`
    (formulas: see `formula_share`), and, where there are any, `shared_codes_share` (characters for which their font has two
    glyphs: see `shared_codes`).

    Raises `SampleError` (`broken_page`).
    """
    layer = read_layer(view)
    paragraphs_of_page = with_ruby(paragraphs(layer.blocks, layer.rtl))
    return PageContent(tuple(region(view, p, layer.words) for p in paragraphs_of_page), layer.signals, ENGINES)


@dataclass(frozen=True)
class TextLayer:
    """The lines of a page in reading order, before they become paragraphs and regions. Their pieces are in points.

    `words` are the words that no line's end divides, see `words_of`. `spans` are MuPDF's, with their fonts, in the file's order.
    `rtl`: the page has right-to-left letters.
    """

    blocks: tuple[line_pieces.Block, ...] = ()
    rtl: bool = False
    words: Collection[str] = ()
    signals: dict[str, float] = field(default_factory=dict)
    spans: tuple[dict[str, Any], ...] = ()


def read_layer(view: OpenPage) -> TextLayer:
    """The page's lines, for page functions that go on from there: `text_layer` tells what is in them. Raises `SampleError`
    (`broken_page`)."""
    layer = _read(view, _FLAGS)
    if rtl := bool(_RIGHT_TO_LEFT.search(layer.alphabet)):
        layer = _without_actual_text(view, layer)
    if not layer.num_chars:
        return TextLayer()
    by_char = layer.blocks
    lacks_spaces = _lacks_spaces(layer.text, layer.alphabet)
    if rtl or lacks_spaces or _asks_for_glyphs(layer.text, layer.alphabet):
        with contextlib.suppress(SampleError), native("broken_page"):  # only this extraction refuses a character above U+10FFFF
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
    """The layer with the spaces between Chinese and Latin that somebody typed. `by_char` gets these spaces, too. Without
    characters in `by_char` the layer stays as it is."""
    lines = [line for block in by_char for line in block["lines"]]
    if by_char is layer.blocks or not write_typed_spaces(lines):
        return layer
    written = ("".join([c["c"] for span in line["spans"] for c in span["chars"]]) for line in lines)
    raws = [text if _HAN_OR_KANA.search(raw) else raw for raw, text in zip(layer.raws, written, strict=True)]
    return replace(layer, raws=raws, has_typed_spaces=True)


def with_ruby(paragraphs: Iterable[Paragraph]) -> Iterator[Paragraph]:
    """The paragraphs. The ruby beside a paragraph follows it as a paragraph of its own."""
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

    `alphabet` holds each character of the text once: a search of it is a hundredth of the work. `num_read` counts characters
    that the file doesn't map and that were read from their glyphs. For `num_shared` see `shared_codes`, for `has_typed_spaces`
    see `han_gaps`, for `loose` see `loose_marks`.
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
    """Signals of what is wrong with the layer's characters, and the layer's lines without control characters.

    The lines also lack the spaces that MuPDF sees between Latin and Chinese, unless the file has such spaces itself.
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
    """Put marks at the ends of `lines`, and lines of marks alone, into `raws`. A line of marks goes behind the line before, which
    ends with the bases of the marks. PyMuPDF leaves such marks out of its dictionary, since their boxes are empty."""
    at = 0
    for line in lines:
        if at < len(raws) and line.startswith(raws[at]) and all(map(glyphs.is_mark, line[len(raws[at]) :])):
            raws[at] = line
            at += 1
        elif at > 0 and line and all(map(glyphs.is_mark, line)):
            raws[at - 1] += line


def _without_actual_text(view: OpenPage, layer: _Layer) -> _Layer:
    """The layer without its /ActualText, unless that layer has fewer right-to-left letters or more unmapped characters.
    MuPDF puts an /ActualText in wrong places, and loses the alef before a lam-alef."""
    other = _read(view, _FLAGS | pymupdf.TEXT_IGNORE_ACTUALTEXT)
    worse = other.text.count("\ufffd") > layer.text.count("\ufffd")
    return layer if worse or len(_RIGHT_TO_LEFT.findall(other.text)) < len(_RIGHT_TO_LEFT.findall(layer.text)) else other


def _asks_for_glyphs(text: str, alphabet: str) -> bool:
    """Whether the glyphs must be looked at one by one, at twice the cost, because the text leaves its spaces or letters open."""
    if _HAN_OR_KANA.search(alphabet) and (_LATIN_HAN.search(text) or _PADDED.search(text)):
        return True
    if _LETTERSPACED.search(text) or _SIGNS_APART.search(text) or ("\u00ad" in alphabet and _SOFT_INSIDE.search(text)):
        return True
    return bool(_MAY_LACK.search(text)) or (bool(_SPACED.search(alphabet)) and bool(_TWICE_FIRST.search(text)))


def _lacks_spaces(text: str, alphabet: str) -> bool:
    """Whether hardly any letter is followed by a space, in a script in which MuPDF adds no spaces."""
    for followed, rare, few in ((_SPACED, 40, 2), (_PHRASED, 400, 40)):
        letters = followed.findall(text) if followed.search(alphabet) else []
        if len(letters) >= few and sum(map(len, letters)) * rare < len(letters):
            return True
    return False


def _pieces(block: dict[str, Any], by_char: dict[str, Any], lines: Iterator[str], rtl: bool) -> Iterator[Piece]:
    """The lines of a block that have text, as pieces. `lines` gives their texts."""
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
    """The lines of a block that are on the page and have text, with the text that labels have.

    A soft hyphen at a line's end stays a soft hyphen: it tells `joined` that the hyphen is the typesetter's.
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
    box = around(line.box for line in lines)
    text = lines[0].text if len(lines) == 1 else joined([p.text for p in paragraph.pieces], paragraph.soft, words)
    return Region(box, paragraph.label, text, None, BY, lines=tuple(lines), continues=paragraph.continues)


def _direction(text: str, vertical: bool) -> str:
    if vertical:
        return "ttb"
    return "rtl" if _RIGHT_TO_LEFT.search(text) and num_rtl(text) > 0 else "ltr"
