"""What a space at a line's end tells, or the lack of one, in writing that may be cut anywhere: Korean, Thai and the like."""

import re
from collections.abc import Sequence

from datagen.page.line_pieces import Piece
from datagen.writing import scripts
from datagen.writing.join_lines import CUT, SPACED

_HANGUL = re.compile(f"[{scripts.HANGUL}]")
_MIN_SPACED, _SPACED_SHARE = 3, 0.125  # of the lines that end in Hangul: those that end with a space, where a file has such
_PHRASED = re.compile(f"[{scripts.PHRASED}]")
_PHRASE_ENDS = re.compile(f"[{scripts.PHRASE_ENDS}]")
_TYPED_SHARE = 0.5  # of the lines that end in letters of a script without spaces: where more have one, a program added it


def mark(pieces: Sequence[Piece]) -> None:
    """Put U+2060 behind lines that end within a Korean word, and U+2063 behind lines at whose end somebody typed a space, in
    scripts without spaces between words. All other lines lose the space at their end.

    Hangul may be cut anywhere. Word processors leave the space between two words at the end of a line: where lines of Hangul have
    one, a line as long without one ends within a word. So they do in Thai, where a space parts phrases and names.
    """
    ends = [p for p in pieces if _HANGUL.match(p.text.rstrip()[-1])]
    spaced = [p for p in ends if p.text[-1] == " "]
    is_told = len(spaced) >= max(_MIN_SPACED, _SPACED_SHARE * len(ends))
    for piece in ends:
        is_cut = is_told and piece.text[-1] != " " and any(abs(p.bbox[2] - piece.bbox[2]) < piece.size for p in spaced)
        piece.text = piece.text.rstrip() + (CUT if is_cut else "")
    phrased = [p for p in pieces if _PHRASED.match(p.text.rstrip()[-1])]
    typed = {id(p) for p in phrased if p.text[-1] == " "}
    is_typed = len(typed) <= _TYPED_SHARE * len(phrased)
    for piece in phrased:
        is_end = _PHRASE_ENDS.match(piece.text.rstrip()[-1])
        piece.text = piece.text.rstrip() + (SPACED if is_typed and id(piece) in typed and not is_end else "")
