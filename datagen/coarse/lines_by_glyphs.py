"""What lines say by the places of their glyphs: spaces, the direction of each line, and the order in which it is read."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from datagen.coarse import drawn_glyphs
from datagen.coarse.clean_line import without_control
from datagen.coarse.page import OpenPage
from datagen.page import brackets, glyphs, line_pieces
from datagen.page.line_breaks import is_monospaced
from datagen.page.line_pieces import Piece
from datagen.writing import scripts
from datagen.writing.bidi import num_rtl

_RIGHT_TO_LEFT = re.compile(f"[{scripts.RIGHT_TO_LEFT}]")
# A sentence's last line, of Latin alone, in right-to-left text: its stop stands on the left.
_STOP_FIRST = re.compile(r"\s*[.,:;]\s*[A-Za-z][\w +-]*$")
_PITCH_EM, _HANGING_EM = 1.9, 2.5  # from a line to the next one of its paragraph, and from an item's sign to its text, at most
# Fonts of Borna Rayaneh, most of Persian typing: they draw Persian digits for those of ASCII, which they have no others for.
_OF_PERSIAN_DIGITS = re.compile(
    "B[ -]?(?:Aria|Arshia|Badkonak|Badr|Bardiya|Chini|Compset|Davat|Elham|Esfehan|Fantezy|Farnaz|Ferdosi|Hamid|Helal|Homa|Jadid|"
    "Johar|Kamran|Kaj|Karim|Kaveh|Kidnap|Koodak|Kourosh|Lotus|Mahsa|Majid|Medad|Mehr|Mitra|Morvarid|Narenj|Narm|Nasim|Nazanin|"
    "Niki|Nikoo|Paatch|Roya|Sahar|Sahra|Sepideh|Setareh|Shadi|Shekari|Shiraz|Siavash|Sina|Sooreh|Sorkhpust|Tabassom|Tanab|Tawfig|"
    "Tehran|Tir|Titr|Traffic|Vahid|Vosta|Yagut|Yas|Yekan|Zaman|Zar|Ziba)"
)
_PERSIAN_DIGITS = dict(zip("0123456789", "\u06f0\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7\u06f8\u06f9", strict=True))
_HIGH_EM, _LOW_EM = 0.9, 0.3  # what a line's signs reach over and under its baseline
_GAP_EM = 0.08  # of a gap's blank strip, at least


def read(
    view: OpenPage,
    blocks: Sequence[line_pieces.Block],
    rtl: bool,
    complete: bool,
    forms: Mapping[drawn_glyphs.Place, drawn_glyphs.Form],
) -> int:
    """Set the text of pieces that have glyphs to what these say, and return the number of spaces that this added.

    A piece of a hidden layer stays as it is, since its places are guesses. `complete`: the layer has all of its spaces. `forms`
    are those of right-to-left letters.
    """
    nums = [sum(num_rtl(p.text) for p in block) if rtl else 0 for block in blocks]
    of_page = sum(num_rtl(p.text) for block in blocks for p in block if not is_monospaced(p)) if rtl else 0
    from_right = [p for num, block in zip(nums, blocks, strict=True) if num > 0 for p in block]
    page = _Margins(from_right) if from_right and of_page > 0 else None
    lines = [line for n, block in zip(nums, blocks, strict=True) for line in _with_directions(block, rtl, n > 0, page)]
    lines = [(p, in_rtl) for p, in_rtl in lines if p.glyphs and p.num_hidden < len(p.text)]
    of_rtl = [p for p, in_rtl in lines if in_rtl or (rtl and _RIGHT_TO_LEFT.search(p.text))]
    is_persian = any(drawn_glyphs.PERSIAN.search(p.text) for p in of_rtl)
    drawn = [brackets.as_they_look(glyphs.clusters_by_place(p.glyphs, p.size, is_persian), _opens(view, p)) for p in of_rtl]
    if is_persian:  # Arabic has no half-spaces
        drawn = drawn_glyphs.half_spaces([(line, p.baseline) for line, p in zip(drawn, of_rtl, strict=True)], forms)
    clusters = {id(p): line for p, line in zip(of_rtl, drawn, strict=True)}
    num_added = 0
    for piece, in_rtl in lines:
        if parts := clusters.get(id(piece)):
            text = glyphs.read_rtl(parts, in_rtl)
            num = sum(c[0] == " " for c in parts) - sum(c[0] == " " for c in piece.glyphs)
        else:
            text, num = glyphs.spaced(piece.glyphs, piece.size, complete, _gaps(view, piece))
        piece.text = without_control(text)
        num_added += max(0, num)
    return num_added


def draw_persian_digits(line: dict[str, Any]) -> None:
    """Write the digits of a `rawdict` line as its fonts draw them."""
    for span in line["spans"]:
        if _OF_PERSIAN_DIGITS.match(span["font"]):
            for char in span["chars"]:
                char["c"] = _PERSIAN_DIGITS.get(char["c"], char["c"])


def _gaps(view: OpenPage, piece: Piece) -> Callable[[float, float], bool] | None:
    """Says whether the image of a line has a gap somewhere between two places along it. None for lines that aren't upright."""
    if not piece.upright:
        return None
    _, y0, _, y1 = piece.bbox
    least, top = _GAP_EM * piece.size, piece.baseline - _HIGH_EM * piece.size  # fonts' boxes reach into the lines above them
    tops = [y0, top] if y0 < top < y1 else [y0]
    return lambda x0, x1: any(view.has_gap((x0, y, x1, y1), least) for y in tops)


def _opens(view: OpenPage, piece: Piece) -> Callable[[float, float], int]:
    """Says which way the image of a bracket of a line opens, from where the bracket starts and ends along it."""
    if not piece.upright:
        return lambda x0, x1: 0
    top, bottom = piece.baseline - _HIGH_EM * piece.size, piece.baseline + _LOW_EM * piece.size
    return lambda x0, x1: view.opens((x0, top, x1, bottom))


class _Margins:
    """Where the lines of a page of right-to-left text start and end, in points, and the script that it is in."""

    def __init__(self, lines: Sequence[Piece]) -> None:
        self.left, self.right = min(p.bbox[0] for p in lines), max(p.bbox[2] for p in lines)
        self.lines = lines
        self.script, _ = scripts.main_script("".join(p.text for p in lines))

    def has_letters_in(self, text: str) -> bool:
        """Whether a text has right-to-left letters of the page's script, or signs of them."""
        own = {self.script, *scripts.NO_SCRIPT}
        return any(unicodedata.bidirectional(char) in ("R", "AL") and scripts.script(char) in own for char in text)

    def begins_right(self, piece: Piece) -> bool:
        return self.right - piece.bbox[2] < piece.bbox[0] - self.left

    def is_among_rtl(self, piece: Piece) -> bool:
        """Whether a line ends at the right where the line above or below does, which has more right-to-left letters."""
        near = [p for p in self.lines if 0 < abs(p.baseline - piece.baseline) < _PITCH_EM * piece.size and p.upright]
        further = [p.bbox[2] - piece.bbox[2] for p in near if num_rtl(p.text) > 0]
        return any(-0.5 * piece.size < by < _HANGING_EM * piece.size for by in further)


def _with_directions(block: line_pieces.Block, rtl: bool, in_rtl: bool, page: _Margins | None) -> Iterator[tuple[Piece, bool]]:
    """The block's lines, each with whether its paragraph is written from right to left. Of those whose letters say otherwise
    `from_right` is set. A number goes with such a line."""
    are_rtl = [rtl and _is_rtl_line(p, in_rtl, page) for p in block]
    for piece, is_rtl in zip(block, are_rtl, strict=True):
        piece.from_right = is_rtl and num_rtl(piece.text) < 0 and not in_rtl
    with_number = any(p.from_right for p in block)
    for piece, is_rtl in zip(block, are_rtl, strict=True):
        yield piece, is_rtl or (with_number and not any(map(str.isalpha, piece.text)))


def _is_rtl_line(piece: Piece, in_rtl: bool, page: _Margins | None) -> bool:
    """Whether the paragraph that a line is part of is written from right to left. `in_rtl`: its block is. `page`: its page's
    margins, if most of that is, but for code: a line of much Latin on such a page, that stands at the right, has the page's
    direction."""
    if _is_command(piece):
        return False
    num = num_rtl(piece.text)
    if num == 0 or _RIGHT_TO_LEFT.search(piece.text):
        if in_rtl or num > 0 or page is None or not page.has_letters_in(piece.text):
            return in_rtl or num > 0
        return page.begins_right(piece) or page.is_among_rtl(piece)
    return num > 0 or (page is not None and _STOP_FIRST.match(piece.text) is not None)


def _is_command(piece: Piece) -> bool:
    """Whether a line is a command of TeX's with what it is given, as it stands: `\\name{...}`."""
    signs = sorted((x0, char) for char, x0, _ in piece.glyphs if not char.isspace())
    return len(signs) > 2 and signs[0][1] == "\\" and signs[1][1].isascii() and signs[-1][1] in "}]"
