"""Formulas of Word as OMML (ISO 29500-1, 22.1) of the kinds that pandoc reads right.

pandoc ignores parts of some formulas. Parts that it would misread are written in another way that looks the same. A formula
without such a way is refused.
"""

import re
from copy import deepcopy

from lxml import etree

from datagen.word.file.drawable import make_rows, with_alphabet
from datagen.word.file.names import M, W
from datagen.word.file.omml_parts import is_on, look, made, run

_KNOWN = frozenset(
    "oMath r t e num den sub sup lim deg fName mr acc bar box borderBox d eqArr f func groupChr limLow limUpp m nary phant rad "
    "sPre sSub sSubSup sSup".split()
)
_PICTURES = (W + "drawing", W + "pict", W + "object")
_UPRIGHT = "sin cos tan cot sinh cosh tanh coth arcsin arccos arctan ln log exp lim".split()  # as LibreOffice draws them
_FUNCTION = re.compile(rf"(?<![A-Za-z])({'|'.join(_UPRIGHT)})(?![A-Za-z])")
_LETTER = re.compile(r"[^\W\d_\u0370-\u03ff]")  # except Greek
_PRIVATE = re.compile("[\ue000-\uf8ff\ufffd]")
# Accents that stand alone, and the combining ones, of which pandoc knows more.
_ALONE = "^ˆ~˜¨˙˚°ˇ˘´`¯→←"
_COMBINING = "\u0302\u0302\u0303\u0303\u0308\u0307\u030a\u030a\u030c\u0306\u0301\u0300\u0305\u20d7\u20d6"
_ACCENTS = dict(zip(_ALONE, _COMBINING, strict=True))
ARROWS_ABOVE = frozenset("→←")
_OF_ROWS = str.maketrans("", "", "#&")
_PLAIN = str.maketrans("ⅅⅆⅇⅈⅉ", "Ddeij")
_SIDES = ("hideTop", "hideBot", "hideLeft", "hideRight", "strikeH", "strikeV", "strikeBLTR", "strikeTLBR")


class NotConverted(ValueError):
    """The reason why a formula has no LaTeX."""


def plain(formula: etree._Element) -> etree._Element:
    """A copy of an m:oMath for pandoc. Raises `NotConverted`."""
    formula = deepcopy(formula)
    for element in formula.iter(etree.Element):
        _check(element)
    for whole in formula.iterfind(f".//{M}rPr/..[{M}t]"):
        with_alphabet(whole)
    make_rows(formula)
    for element in list(formula.iter(etree.Element)):
        rewrite = _RULES.get(element.tag.removeprefix(M))
        if rewrite is not None and element.getparent() is not None:  # another rule may have removed it
            rewrite(element)
    return formula


def _check(element: etree._Element) -> None:
    name = element.tag.removeprefix(M)
    if element.tag in _PICTURES:
        raise NotConverted("a picture within it")
    if element.tag == W + "sym":
        raise NotConverted(f"a sign of the typeface {element.get(W + 'font')}")
    is_look = any(holder.tag.endswith("Pr") for holder in element.iterancestors())
    if element.tag.startswith(M) and not is_look and name not in _KNOWN and not name.endswith("Pr"):
        raise NotConverted(f"no rule for {name}")
    if _PRIVATE.search(element.text or ""):
        raise NotConverted("a character that nobody knows")


def _run(whole: etree._Element) -> None:
    """Removes spaces, which LibreOffice doesn't draw in formulas, and sets functions apart, which it draws upright. Words outside
    of mathematics (m:nor) stay, but signs and Greek letters marked so are mathematics."""
    text = "".join(part.text or "" for part in whole.iter(M + "t", W + "t"))
    is_text = whole.find(f"{M}rPr/{M}nor") is not None
    if is_text and _LETTER.search(text) and text.strip() not in _UPRIGHT:
        return
    for n, part in enumerate(_FUNCTION.split(text)):
        if shown := "".join(part.split()).translate(_PLAIN):
            apart = run(shown)
            if n % 2:
                apart.insert(0, made("rPr", made("sty")))
                apart[0][0].set(M + "val", "p")
            elif not is_text:
                apart[:0] = map(deepcopy, whole.findall(M + "rPr"))
            whole.addprevious(apart)
    whole.getparent().remove(whole)


def _fraction(fraction: etree._Element) -> None:
    """Writes a fraction on one line as a row."""
    above, below = fraction.find(M + "num"), fraction.find(M + "den")
    if look(fraction, "type") in ("lin", "skw") and above is not None and below is not None:
        fraction.getparent().replace(fraction, made("box", made("e", *above, run("/"), *below)))


def _without_hidden(element: etree._Element) -> None:
    for name in ("sub", "sup", "deg"):
        part = element.find(M + name)
        if part is not None and is_on(element, f"{name}Hide"):
            part[:] = []


def _prescripts(scripts: etree._Element) -> None:
    """Sets scripts before something at nothing, or pandoc would set them at the text before."""
    inside = scripts.find(M + "e")
    for child in reversed(inside if inside is not None else ()):
        scripts.addnext(child)
    scripts.tag = M + "sSubSup"


def _group(group: etree._Element) -> None:
    """Writes a brace below or above something as a limit, and an arrow above something as an accent."""
    sign, is_above = look(group, "chr", "⏟"), look(group, "pos", "bot") == "top"
    if is_above and sign in ARROWS_ABOVE:
        group.tag = M + "acc"
        group.find(M + "groupChrPr").tag = M + "accPr"
        _accent(group)
    elif sign == ("⏞" if is_above else "⏟"):
        group.tag = M + ("limUpp" if is_above else "limLow")
        for old in group.findall(M + "groupChrPr"):
            group.remove(old)
        group.append(made("lim", run(sign)))


def _accent(accent: etree._Element) -> None:
    sign = accent.find(f"{M}accPr/{M}chr")
    if sign is not None:
        shown = sign.get(M + "val", "").strip()
        sign.set(M + "val", _ACCENTS.get(shown, shown))


def _array(array: etree._Element) -> None:
    """Writes an array of one row as that row. LibreOffice draws no room before the equation's number, which begins with `#`."""
    rows = array.findall(M + "e")
    if len(rows) == 1:
        for text in rows[0].iter(M + "t"):
            text.text = (text.text or "").translate(_OF_ROWS)
        array.tag = M + "box"
        for old in array.findall(M + "eqArrPr"):
            array.remove(old)


def _boxed(box: etree._Element) -> None:
    """Raises `NotConverted` for a box without all of its sides, or with strokes through it."""
    if any(is_on(box, name) for name in _SIDES):
        raise NotConverted("a box with some of its sides, or with strokes")


_RULES = {
    "r": _run,
    "f": _fraction,
    "nary": _without_hidden,
    "sPre": _prescripts,
    "rad": _without_hidden,
    "groupChr": _group,
    "acc": _accent,
    "eqArr": _array,
    "borderBox": _boxed,
}
