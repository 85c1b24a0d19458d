"""The order in which right-to-left text stands on the page, and the order in which it is read, worked out from it.

This is the Unicode bidirectional algorithm (UAX 9) backwards. A PDF's text holds no embedding controls, so the implicit levels of
the algorithm are enough. Libraries such as python-bidi go forwards, from what is read to what is drawn, and give a string, in
which two equal characters can't be told apart. Here glyphs are put in order. The tests compare the levels with python-bidi's.
"""

import re
import unicodedata
from collections.abc import Sequence

_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_CLOSING = {close: opening for opening, close in _BRACKETS.items()}
_MIRRORED = dict(zip("()[]{}<>«»‹›≤≥⟨⟩", ")(][}{><»«›‹≥≤⟩⟨", strict=True))
KINDS = ("()", "[]", "{}", "«»", "‹›")  # of brackets that look mirrored in right-to-left text
# A space and a comma right in front of a Latin name, as visual order shows the comma between two names that were typed one by
# one: `TLS ,SSL` is `SSL, TLS`.
_COMMA = re.compile(r"(?<=[0-9A-Za-z)]) [,;\u060c\u061b](?=[(A-Za-z])")
# What is a Latin name's own: empty brackets right behind it, as in `print()`, and a sign in front of it, as in `@property` and
# `\LaTeX`. `C#` is drawn as `#C` among right-to-left letters, so a number sign is a longer name's only.
_OWN = re.compile(r"(?<=[0-9A-Za-z_])(?:\(\)|\[\]|\{\})|(?<![\w.@#$+-])(?:[@$](?=[A-Za-z_])|#(?=[A-Za-z_]{3}))|\\(?=[A-Za-z]{2})")
_NEUTRAL = ("B", "S", "WS", "ON")


def num_rtl(text: str) -> int:
    """How many more letters of a text run from right to left than from left to right."""
    kinds = [unicodedata.bidirectional(c) for c in text]
    return kinds.count("R") + kinds.count("AL") - kinds.count("L")


def mirror(char: str) -> str:
    """The other bracket of a pair. Any other text comes back as it is."""
    return _MIRRORED.get(char, char)


def logical_order(visual: Sequence[str], rtl: bool) -> list[tuple[int, bool]]:
    """The indices of characters in the order in which they are read, each with whether it is in a right-to-left run.

    `visual` has the characters as they stand, from left to right, brackets as they look. `rtl` is the paragraph's direction.
    Several readings may be drawn alike. Of three candidates, the first is taken that the algorithm would draw as `visual` is.
    Word processors draw brackets that were typed as Arabic as such, whatever the algorithm says: that is a fourth candidate. One
    in which more brackets pair up goes before the others.
    """
    visual = _replaced(visual, _OWN, "a")
    if rtl:
        visual = _replaced(visual, _COMMA, "\u05d0")
    indices = list(range(len(visual)))[:: -1 if rtl else 1]
    if rtl and not any(unicodedata.bidirectional(c) in ("L", "EN", "AN") for c in visual):
        return [(i, True) for i in indices]
    candidates = []
    for pairs in (-1, 0, 1) if rtl else (1, 0, -1):
        result, is_drawn_so = _candidate(visual, indices, rtl, pairs)
        candidates.append(((_num_unpaired(visual, result), not is_drawn_so), result))
        if candidates[-1][0] == (0, False):
            return result
    if rtl and any(c in _BRACKETS for c in visual):
        result, is_drawn_so = _candidate(visual, indices, rtl, 0, typed_rtl=True)
        if is_drawn_so:
            candidates.append(((_num_unpaired(visual, result), False), result))
    return min(candidates, key=lambda candidate: candidate[0])[1]


def _replaced(visual: Sequence[str], pattern: re.Pattern[str], letter: str) -> Sequence[str]:
    """The characters with a letter in place of each that the pattern finds."""
    text = "".join(c[0] for c in visual)
    matched = {i for match in pattern.finditer(text) for i in range(match.start(), match.end())}
    return [letter if i in matched else c for i, c in enumerate(visual)] if matched else visual


def _candidate(
    visual: Sequence[str], indices: Sequence[int], rtl: bool, pairs: int, typed_rtl: bool = False
) -> tuple[list[tuple[int, bool]], bool]:
    """A reading, and whether the algorithm draws it as `visual` is."""
    embedding = levels([mirror(visual[i]) if rtl else visual[i] for i in indices], rtl, pairs, typed_rtl)
    moved = _reversed_runs(embedding, 2) if rtl else visual_order(embedding)
    order = [indices[i] for i in moved]
    text = [mirror(visual[indices[i]]) if embedding[i] % 2 else visual[indices[i]] for i in moved]
    forward = levels(text, rtl, 0 if typed_rtl else 1, typed_rtl)
    result = [(i, level % 2 == 1) for i, level in zip(order, forward, strict=True)]
    return result, [order[i] for i in visual_order(forward)] == list(range(len(visual)))


def _num_unpaired(visual: Sequence[str], reading: Sequence[tuple[int, bool]]) -> int:
    """How many brackets of a reading lack their other one."""
    read = [mirror(visual[i]) if odd else visual[i] for i, odd in reading if visual[i] in _MIRRORED]
    return sum(len(of_kind := [c for c in read if c in kind]) - 2 * _num_pairs(of_kind, kind) for kind in KINDS)


def visual_order(levels: Sequence[int]) -> list[int]:
    """The indices of characters from left to right, by their levels (rule L2)."""
    order = list(range(len(levels)))
    for level in range(max(levels, default=0), 0, -1):
        order = [order[i] for i in _reversed_runs([levels[i] for i in order], level)]
    return order


def levels(text: Sequence[str], rtl: bool, pairs: int = 1, typed_rtl: bool = False) -> list[int]:
    """The embedding level of each character of a text without embedding controls.

    `pairs` is 1 if brackets go together (rule N0), and 0 if they don't. It is -1 for a text whose left-to-right runs stand
    backwards, in which numbers and brackets go with what follows them. `typed_rtl`: brackets run from the right, as letters do.
    """
    base = "R" if rtl else "L"
    types = [unicodedata.bidirectional(c) or "L" for c in text]
    if typed_rtl:
        types = ["R" if c in _BRACKETS or c in _CLOSING else t for c, t in zip(text, types, strict=True)]
    _weak(types, base, pairs < 0)
    if pairs:
        _paired(types, text, base, pairs < 0)
    _neutral(types, base)
    if rtl:
        return [1 if t == "R" else 2 for t in types]
    return [{"L": 0, "R": 1}.get(t, 2) for t in types]


def _weak(types: list[str], base: str, backwards: bool) -> None:
    """Rules W1 to W7, in place. `backwards`: a number goes with the letters that follow it."""
    order = range(len(types) - 1, -1, -1) if backwards else range(len(types))
    for i, t in enumerate(types):  # W1, W3
        if t in ("NSM", "BN"):
            types[i] = types[i - 1] if i else base
    strong = base
    for i in order:  # W2
        if types[i] == "EN" and strong == "AL":
            types[i] = "AN"
        elif types[i] in ("L", "R", "AL"):
            strong = types[i]
    types[:] = ["R" if t == "AL" else t for t in types]
    for i in range(1, len(types) - 1):  # W4
        left, t, right = types[i - 1 : i + 2]
        if left == right and ((t in ("ES", "CS") and left == "EN") or (t == "CS" and left == "AN")):
            types[i] = left
    i = 0
    while i < len(types):  # W5, W6
        stop = i
        while stop < len(types) and types[stop] == "ET":
            stop += 1
        if stop > i:
            number = "EN" in (types[i - 1] if i else "", types[stop] if stop < len(types) else "")
            types[i:stop] = ["EN" if number else "ON"] * (stop - i)
        i = stop + 1
    strong = base
    for i in order:  # W6, W7
        t = types[i]
        if t in ("ES", "CS", "ET"):
            types[i] = "ON"
        elif t in ("L", "R"):
            strong = t
        elif t == "EN" and strong == "L":
            types[i] = "L"


def _paired(types: list[str], text: Sequence[str], base: str, backwards: bool) -> None:
    """Rule N0, in place."""
    stack: list[tuple[str, int]] = []
    pairs: list[tuple[int, int]] = []
    for i, c in enumerate(text):
        if types[i] != "ON":
            continue
        if c in _BRACKETS:
            stack.append((c, i))
        elif c in _CLOSING:
            at = next((k for k in range(len(stack) - 1, -1, -1) if stack[k][0] == _CLOSING[c]), -1)
            if at >= 0:
                pairs.append((stack[at][1], i))
                del stack[at:]
    for opening, closing in sorted(pairs):
        inside = {_strong(t) for t in types[opening + 1 : closing]} - {""}
        if base in inside:
            direction = base
        elif inside:
            outside = types[closing + 1 :] if backwards else reversed(types[:opening])
            before = next((s for s in map(_strong, outside) if s), base)
            direction = before if before in inside else base
        else:
            continue
        types[opening] = types[closing] = direction


def _neutral(types: list[str], base: str) -> None:
    """Rules N1 and N2, in place."""
    i = 0
    while i < len(types):
        stop = i
        while stop < len(types) and types[stop] in _NEUTRAL:
            stop += 1
        if stop > i:
            left = _strong(types[i - 1]) if i else base
            right = _strong(types[stop]) if stop < len(types) else base
            types[i:stop] = [left if left == right else base] * (stop - i)
        i = stop + 1


def _strong(kind: str) -> str:
    """A number counts as right-to-left among neutrals."""
    return {"L": "L", "R": "R", "EN": "R", "AN": "R"}.get(kind, "")


def _reversed_runs(levels: Sequence[int], level: int) -> list[int]:
    """Indices with each run at `level` or above reversed."""
    order: list[int] = []
    i = 0
    while i < len(levels):
        stop = i
        while stop < len(levels) and levels[stop] >= level:
            stop += 1
        order += range(stop - 1, i - 1, -1)
        if stop == i:
            order.append(i)
        i = max(stop, i + 1)
    return order


def _num_pairs(brackets: Sequence[str], kind: str) -> int:
    num = depth = 0
    for c in brackets:
        if c == kind[0]:
            depth += 1
        elif depth:
            depth -= 1
            num += 1
    return num
