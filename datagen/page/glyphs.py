"""A line's text from the places of its glyphs: gaps become spaces, and right-to-left text is put in reading order."""

import itertools
import math
import re
import statistics
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from datagen.writing import scripts
from datagen.writing.bidi import logical_order, mirror

# A character, and the start and end of its advance along the line, in points. A character without width shares another's glyph.
Glyph = tuple[str, float, float]

_ARABIC = re.compile("[\u0620-\u064a\u066e-\u06d3]")
_RTL = re.compile(f"[{scripts.RIGHT_TO_LEFT}]")
JOINING = re.compile("[\u0626\u0628\u062a-\u062e\u0633-\u0647\u0649\u064a\u067e\u0686\u06a9\u06af\u06cc]")  # with the next letter
_STOPS = ".,:;!?\u060c\u061b\u061f"
_HAN = re.compile(f"[{scripts.HAN}]")
_PHRASED = re.compile(f"[{scripts.PHRASED}]")
_CLUSTERED = re.compile(f"[{scripts.CLUSTERED}]")
_VIRAMA = re.compile(f"[{scripts.VIRAMAS}]")
_TWO_PART_VOWEL = re.compile(f"[{scripts.TWO_PART_VOWELS}]")
_SPACE_EM, _PHRASE_SPACE_EM, _HAN_SPACE_EM = 0.15, 0.2, 0.45
# Ethiopic's wordspace is a visible sign, and two of them are a full stop. Justified text has gaps between letters.
_WORDSPACE = re.compile("(?<!\u1361)\u1361(?!\u1361)")
_KERNED_EM = 0.09  # kerning never moves letters farther apart
_MIN_TIGHT, _TIGHT = 3, 0.75  # fewest gaps that tell the width of a line's spaces; the least width of a space, of their median
_LETTERS_A_WORD = 2
_TRACKED_EM = 0.06  # letters further apart than this throughout are letterspaced
_HARDLY_EM = 0.02
_ROOM = 0.25  # of a space's width: a narrower gap isn't visible
_SIGN_SHARE = 0.5  # of the gap between two words: a narrower gap beside a sign is no space
_BARE_ALEF, _HEH, _LAM, _ALEF = "\u0627", "\u0647", "\u0644", "\u0622\u0623\u0625\u0627\u0671"
_TEH_MARBUTA = "\u0629"  # ends a word
_STACKERS = "\u1039\u17d2\u1a60\U00011133"  # not drawn: they put the next letter below


def glyphs(line: dict[str, Any]) -> list[Glyph]:
    """The characters of a `rawdict` line in the file's order, without spaces that MuPDF added. The line lies along an axis."""
    direction = tuple(round(v) for v in line["dir"])
    if direction == (1, 0):  # a shortcut for nearly all lines, at a third of the cost
        return [(c["c"], c["bbox"][0], c["bbox"][2]) for s in line["spans"] for c in s["chars"] if not c["synthetic"]]
    along = _AXES[direction]
    return [(c["c"], *along(c["bbox"])) for s in line["spans"] for c in s["chars"] if not c["synthetic"]]


_AXES: dict[tuple[int, ...], Callable[[Sequence[float]], tuple[float, float]]] = {
    (-1, 0): lambda b: (-b[2], -b[0]),
    (0, 1): lambda b: (b[1], b[3]),
    (0, -1): lambda b: (-b[3], -b[1]),
}


def baseline(line: dict[str, Any]) -> float:
    """The place of a `rawdict` line's baseline across its direction, in points. The line is parallel to an axis."""
    across = 0 if round(line["dir"][1]) else 1
    return statistics.median([c["origin"][across] for s in line["spans"] for c in s["chars"]])


def spaced(
    chars: Sequence[Glyph], size: float, complete: bool = False, is_blank: Callable[[float, float], bool] | None = None
) -> tuple[str, int]:
    """The text of glyphs in their order, with a space where a gap shows one, and the number of spaces that were added.

    `size` is the font's, in points. A drawn soft hyphen becomes a hyphen. A space or a soft hyphen over which the next glyph is
    drawn is removed.
    No space is added in these places:

    - Before a mark, or where the next glyph lies further back: there the file follows the text and not the page.
    - After letters after which MuPDF adds none either, if the line has many spaces of its own, or the page has all of its spaces
      (`complete`). The reason is /ActualText for several glyphs: MuPDF knows the place of one glyph, and the others leave gaps.
    - Between letters drawn in clusters, if `is_blank(start, end)` says that the image shows no gap.
    - Beside a sign whose gap is far narrower than the gaps between words: in code, signs stand in the middle of wide cells.
    - Between a virama and a letter without width, which the cluster's glyph draws.
    """
    hardly = _HARDLY_EM * size
    chars = _without_unseen_spaces(chars, hardly)
    text = "".join([c[0] for c in chars])
    if _TWO_PART_VOWEL.search(text):
        # The file has a vowel's first part twice: for the cluster's first glyph, and for its own.
        twice = [a[0] == b[0] and a[2] - a[1] <= hardly < b[1] - a[1] for a, b in itertools.pairwise(chars)]
        chars = [c for c, again in zip(chars, [*twice, False], strict=True) if not again]
        text = "".join([c[0] for c in chars])
    if "\u00ad" in text:
        text = "".join(["-" if c == "\u00ad" and x1 - x0 > hardly else c for c, x0, x1 in chars])
    least = min(_SPACE_EM, _PHRASE_SPACE_EM, _HAN_SPACE_EM) * size
    gaps = [i for i, (a, b) in enumerate(itertools.pairwise(chars), 1) if b[1] - a[2] > least]
    if not gaps:
        return text, 0
    own = complete or 2 * text.count(" ") >= len(gaps) or bool(_WORDSPACE.search(text))
    wider = _tracking(chars, size) if 2 * len(gaps) >= len(chars) else 0.0
    least_of_sign = _SIGN_SHARE * _word_gap(chars, gaps)
    parts: list[str] = []
    done = 0
    for i in gaps:
        char, x0, _ = chars[i]
        k = i - 1
        end = chars[k][2]
        while k and (chars[k][0] in scripts.JOINERS or is_mark(chars[k][0])):
            k -= 1
            end = max(end, chars[k][2])
        before = chars[k][0]
        if (
            " " in (before, char)
            or char in scripts.JOINERS
            or is_mark(char)
            or chars[i - 1][0] in _STACKERS
            or (_VIRAMA.match(chars[i - 1][0]) and chars[i][2] - x0 <= hardly)
            or (own and before >= "\u0700" and not "\u2000" <= before < "\u20d0")  # MuPDF adds no space behind these
            or (x0 - end < least_of_sign and not (before.isalnum() and char.isalnum()))
        ):
            continue
        if x0 - end > size * _space_em(before, char) + _between(wider, before, char):
            if is_blank and _CLUSTERED.match(before) and _CLUSTERED.match(char) and not is_blank(end, x0):
                continue
            parts.append(text[done:i])
            done = i
    parts.append(text[done:])
    return " ".join(parts), len(parts) - 1


def _without_unseen_spaces(chars: Sequence[Glyph], hardly: float) -> Sequence[Glyph]:
    """The glyphs without spaces that are hidden between touching glyphs, as Word writes them in Chinese lines, and without such
    soft hyphens, as browsers write them where a word may be divided."""
    unseen = {
        i
        for i, (a, space, b) in enumerate(zip(chars, chars[1:], chars[2:], strict=False), 1)
        if space[0] in " \u00ad" and " " not in (a[0], b[0]) and b[1] - space[1] < hardly and b[1] - a[2] < hardly
    }
    return [char for i, char in enumerate(chars) if i not in unseen] if unseen else chars


def read_rtl(clusters: Sequence[Glyph], rtl: bool) -> str:
    """The text of a line with right-to-left letters in reading order, whatever the order in the file.

    `rtl` is the direction of the line's paragraph. Brackets are as they look: see `datagen.page.brackets`.
    """
    texts = [c[0] for c in clusters]
    return "".join(mirror(texts[i]) if odd else texts[i] for i, odd in logical_order([t[0] for t in texts], rtl))


def clusters_by_place(chars: Sequence[Glyph], size: float, has_half_spaces: bool = False) -> list[Glyph]:
    """Glyphs from left to right, each with all characters that it draws, and with spaces at gaps.

    Such glyphs are bases with marks, and ligatures. `has_half_spaces`: the page's language uses U+200C.
    """
    chars = list(_as_tanwin(_without_carriers(chars, size), size))
    owner = _owners(chars, size)
    texts = {i: [chars[i][0]] for i, o in enumerate(owner) if o == i}
    # Letters of a ligature stand beside it in the file, before it if MuPDF reversed the run: nearest first.
    root = [owner[o] for o in owner]
    for i in sorted(range(len(chars)), key=lambda i: (abs(i - root[i]), i)):
        if root[i] != i:
            texts[root[i]].append(chars[i][0])
    placed = sorted((chars[i][1] + chars[i][2], i) for i in texts)
    narrowest = _narrowest_gap([chars[i] for _, i in placed if chars[i][0] != " "], size)
    placed = _without_spaces_in_words(placed, chars, texts, size, narrowest, has_half_spaces)
    clusters: list[Glyph] = []
    wider = _tracking([chars[i] for _, i in placed], size)
    end = 0.0
    for _, i in placed:
        char, x0, x1 = chars[i]
        before = clusters[-1][0][0] if clusters else " "
        if " " not in (before, char):
            least = narrowest if _RTL.match(char) or _RTL.match(before) else size * _space_em(before, char)
            if x0 - end > least + _between(wider, before, char):
                clusters.append((" ", end, x0))
        if not (char == " " and clusters and clusters[-1][0] == " "):
            clusters.append(("".join(texts[i]), x0, x1))
        end = x1 if x1 - x0 > _HARDLY_EM * size or char == " " else math.inf  # its drawn width isn't known
    return clusters


def _narrowest_gap(signs: Sequence[Glyph], size: float) -> float:
    """The least width, in points, of a gap beside a right-to-left letter that is a space.

    Joined letters touch, except for kerning. So in a line that is set tightly, even narrow gaps are spaces. If gaps are as many
    as letters, the gaps are drawn strokes that stretch words.
    """
    pairs = [(a, b) for a, b in itertools.pairwise(signs) if _RTL.search(a[0][:1] + b[0][:1]) and a[2] - a[1] > _HARDLY_EM * size]
    gaps = [gap for a, b in pairs if (gap := b[1] - a[2]) > _KERNED_EM * size]
    if len(gaps) < _MIN_TIGHT or len(pairs) < _LETTERS_A_WORD * len(gaps):
        return _SPACE_EM * size
    return min(_SPACE_EM * size, _TIGHT * statistics.median(gaps))


def _without_carriers(chars: Sequence[Glyph], size: float) -> list[Glyph]:
    """The glyphs without spaces that carry a mark over a letter. Files write such spaces if a font can't place marks. The mark
    goes to the middle of the space, over its letter, unless the file has placed the mark already."""
    hardly = _HARDLY_EM * size
    result: list[Glyph] = []
    for i, (char, x0, x1) in enumerate(chars):
        before = chars[i - 1] if i else ("", 0.0, 0.0)
        if is_mark(char) and before[0] == " " and before[1] < x0 <= before[2] + hardly and x1 - x0 <= hardly:
            middle = (before[1] + before[2]) / 2 if before[2] - x0 <= hardly else x0
            if any(a <= middle <= b and c != " " and not is_mark(c) for c, a, b in chars):
                result[-1] = (char, middle, middle)
                continue
        result.append((char, x0, x1))
    return result


def _without_spaces_in_words(
    placed: list[tuple[float, int]],
    chars: list[Glyph],
    texts: dict[int, list[str]],
    size: float,
    narrowest: float,
    has_half_spaces: bool,
) -> list[tuple[float, int]]:
    """The glyphs without spaces that lie over a letter or a stop, as Word writes them in words drawn in parts.

    Such a space stands between two signs that leave no room for it. It is removed if the line's other words have visible gaps.
    But it may be a half-space, if a joining letter stands in front, or if the file has it right between two letters. Before an
    ending that starts with an alef, only a heh has a half-space. In lines without visible gaps, the space moves to the side on
    which the file has it, or behind a stop; else it stays.
    """
    hardly = _HARDLY_EM * size
    placed = [at for k, at in enumerate(placed) if not (k and chars[at[1]][0] == " " and chars[placed[k - 1][1]][0] == " ")]
    cramped = {
        at
        for at in range(1, len(placed) - 1)
        if chars[placed[at][1]][0] == " "
        and chars[placed[at + 1][1]][1] - chars[placed[at - 1][1]][2] < max(hardly, _ROOM * _width(chars[placed[at][1]]))
    }
    if not cramped:
        return placed
    signs = [chars[i] for _, i in placed if chars[i][0] != " "]
    num_gaps = sum(b[1] - a[2] > narrowest for a, b in itertools.pairwise(signs))
    is_roomy = len(cramped) <= num_gaps
    unseen: set[int] = set()
    for at in sorted(cramped):
        (_, a), (_, i), (_, b) = placed[at - 1 : at + 2]
        are_letters = bool(_ARABIC.match(chars[a][0]) and _ARABIC.match(chars[b][0]))
        may_be_half = JOINING.match(chars[b][0]) and (chars[a][0] != _BARE_ALEF or chars[b][0] == _HEH)
        if is_roomy and has_half_spaces and are_letters and (may_be_half or abs(a - i) == abs(b - i) == 1):
            chars[i] = ("\u200c", *chars[i][1:])
            texts[i] = [chars[i][0]]
        elif is_roomy:
            unseen.add(i)
        elif _RTL.match(chars[b][0]) and chars[a][0] in _STOPS:
            end = at - 1
            while (
                end and chars[placed[end - 1][1]][0] != " " and chars[placed[end][1]][1] - chars[placed[end - 1][1]][2] < hardly
            ):
                end -= 1
            placed.insert(end, placed.pop(at))
        elif not min(a, b) < i < max(a, b):
            other = at - 1 if abs(a - i) < abs(b - i) else at + 1
            placed[at], placed[other] = placed[other], placed[at]
    return [at for at in placed if at[1] not in unseen]


def _width(glyph: Glyph) -> float:
    return glyph[2] - glyph[1]


def _as_tanwin(chars: Sequence[Glyph], size: float) -> Sequence[Glyph]:
    """The glyphs, with tanwin in the place of an alef without width right behind another alef or a teh marbuta. Word writes an
    alef for this sign."""
    hardly, near = _HARDLY_EM * size, 0.15 * size
    wide = [(x0, x1) for char, x0, x1 in chars if char in (_BARE_ALEF, _TEH_MARBUTA) and x1 - x0 > hardly]
    twice = {
        i
        for i, (char, x0, x1) in enumerate(chars)
        if char == _BARE_ALEF
        and x1 - x0 <= hardly
        and any(a - near < x0 < b for a, b in wide)
        and not any(c == _LAM and a - hardly <= x0 <= b + hardly for c, a, b in chars)
    }
    return [("\u064b", x0, x1) if i in twice else (c, x0, x1) for i, (c, x0, x1) in enumerate(chars)] if twice else chars


def is_mark(char: str) -> bool:
    return char > "\u02ff" and unicodedata.category(char)[0] == "M"


def _owners(chars: Sequence[Glyph], size: float) -> list[int]:
    """For each character, the index of its owner: itself, the base of a mark, or the first letter of a ligature.

    The second letter of a ligature has no width, and stands at the end of the first letter, or within it. In the file the second
    letter comes after the first; in a reversed run it comes before. The same is true of marks.
    """
    hardly = _HARDLY_EM * size
    owner = list(range(len(chars)))
    wide = [i for i, (c, x0, x1) in enumerate(chars) if x1 - x0 > hardly and not is_mark(c)]
    for i, left, right in _neighbours(len(chars), wide):
        c, x0, x1 = chars[i]
        if not is_mark(c) and c != " ":
            beside = [k for k in (left, right) if k >= 0 and chars[k][0] != " "]
            lams = [k for k in beside if c in _ALEF and chars[k][0] == _LAM]
            inside = [k for k in lams or beside if chars[k][2] == x0]  # exactly equal, because MuPDF copies the value
            # If the alef of lam-alef is a separate glyph, it may have no width and stand at the start of its lam.
            inside = inside or [k for k in lams if chars[k][1] == x0]
            inside = inside or [k for k in beside if chars[k][1] + hardly < x0 < chars[k][2] - hardly]
            if inside:
                owner[i] = _nearer(chars, inside)
    bases = [i for i, (c, _, _) in enumerate(chars) if owner[i] == i and not is_mark(c) and c != " "]
    near = 0.1 * size
    for i, left, right in _neighbours(len(chars), bases):
        c, x0, x1 = chars[i]
        if not is_mark(c):
            continue
        centre = (x0 + x1) / 2
        beside = [k for k in (left, right) if k >= 0]
        close = [k for k in beside if chars[k][1] - near <= centre <= chars[k][2] + near]
        if close == [right] and left >= 0 and chars[left][1] > chars[right][2] <= centre:
            owner[i] = left  # MuPDF reversed a run and moved its last mark over the gap to the next run
        elif close:
            owner[i] = _nearer(chars, close)
        elif beside:
            owner[i] = min(bases, key=lambda k: (max(chars[k][1] - centre, centre - chars[k][2], 0.0), abs(k - i)))
    return owner


def _neighbours(length: int, chosen: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Each index that isn't chosen, with the nearest chosen indices before and after it, or -1."""
    before, at = -1, 0
    for i in range(length):
        if at < len(chosen) and chosen[at] == i:
            before, at = i, at + 1
        else:
            yield i, before, chosen[at] if at < len(chosen) else -1


def _nearer(chars: Sequence[Glyph], candidates: Sequence[int]) -> int:
    """The owner of a character among its neighbours in the file: the neighbour after it in a run drawn from left to right, and
    the neighbour before it in a run drawn from right to left."""
    if len(candidates) == 1:
        return candidates[0]
    left, right = candidates
    return right if chars[left][1] < chars[right][1] else left


def _space_em(left: str, right: str) -> float:
    if _HAN.match(left) or _HAN.match(right):
        return _HAN_SPACE_EM
    if _PHRASED.match(left) and _PHRASED.match(right):
        return _PHRASE_SPACE_EM
    return _SPACE_EM


def _tracking(chars: Sequence[Glyph], size: float) -> float:
    """The distance between letters of a letterspaced line, in points; 0 for other lines."""
    least = _TRACKED_EM * size
    gaps = [
        b[1] - a[2]
        for a, b in itertools.pairwise(chars)
        if b[1] - a[2] > least and a[0].isalnum() and b[0].isalnum() and b[2] - b[1] > _HARDLY_EM * size
    ]
    # In a letterspaced line nearly all pairs are so far apart. Otherwise gaps divide words, which may be single letters.
    if len(gaps) < 4 or len(gaps) * 5 < 4 * sum(a[0].isalnum() and b[0].isalnum() for a, b in itertools.pairwise(chars)):
        return 0.0
    middle = statistics.median(gaps)
    return middle if middle < size else 0.0


def _word_gap(chars: Sequence[Glyph], gaps: Sequence[int]) -> float:
    """The narrowest gap between letters or digits, in points; 0 if there is none. `gaps` has the index of the glyph after each
    gap."""
    pairs = [(chars[i - 1], chars[i]) for i in gaps]
    return min((b[1] - a[2] for a, b in pairs if a[0].isalnum() and b[0].isalnum()), default=0.0)


def _between(tracking: float, left: str, right: str) -> float:
    return tracking if left.isalnum() and right.isalnum() else 0.0
