"""Change formulas so that LibreOffice draws them. LibreOffice translates a formula into a language of its own. Words such as `in`
and `over` are commands there, and an operator without its operands is an error, drawn as ¿.

Changed formulas show the same signs. Words that are commands become single letters. Operators that lack an operand become text.
Large operators that LibreOffice doesn't know get their limits as other signs do. Unusual fences, such as ]a, b[, become text.
Lines within a formula become rows, since LibreOffice draws them as one line. Letters of an alphabet (m:scr), which LibreOffice
draws as plain ones, become Unicode's letters of that alphabet. A brace that is a limit becomes a brace. (Tried with LibreOffice
25.2.)
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from copy import deepcopy
from typing import NamedTuple

from lxml import etree

from datagen.word.file.names import M, W
from datagen.word.file.omml_parts import is_on, look, made, run

_KNOWN_LARGE = frozenset("∑∏∐∫∬∭∮∯∰")
_HOLDERS = frozenset(M + name for name in ("oMath", "e", "num", "den", "sub", "sup", "lim", "deg", "fName"))
_NEED_BOTH, _NEED_RIGHT = frozenset("=<>*/"), frozenset("+-")
_NEVER = frozenset("|[]#&_^~")
_OF_ROWS = str.maketrans({"&": "", "#": " "})  # `&` aligns rows, `#` stands before an equation's number
_OPENING, _CLOSING = frozenset("([{,;:"), frozenset(")]},;:")
_BEGINS, _ENDS = frozenset(("", *"([{|‖⟨⌊⌈⟦")), frozenset(("", *")]}|‖⟩⌋⌉⟧"))
_ANGLES = {"\u2329": "⟨", "\u3008": "⟨", "\u232a": "⟩", "\u3009": "⟩"}
_WORD = re.compile("[A-Za-z]{2,}")
_COMMANDS = frozenset(
    "abs acute aleph and approx backepsilon bar binom bold boper breve cdot check circ circle color coprod csub csup dddot "
    "ddot def div dlarrow dlrarrow dot dotsaxis dotsdiag dotsdown dotslow dotsup downarrow drarrow emptyset equiv exists "
    "fact fixed font forall from func ge geslant gg grave gt harpoon hat hbar hex iiint iint im in infinity infty int intd "
    "intersection ital italic lambdabar langle laplace lbrace lceil ldbracket ldline le left leftarrow leslant lfloor "
    "liminf limsup lint ll llint lllint lsub lsup lt maj matrix minusplus mline nabla nbold ndibrvbar neg neq newline ni "
    "nitalic none nospace notexists notin nroot nsubset nsubseteq nsupset nsupseteq odivide odot ominus oper oplus or ortho "
    "oslash otimes over overbrace overline overstrike owns parallel partial phantom plusminus prec preccurlyeq precsim prod "
    "prop rangle rbrace rceil rdbracket rdline re rfloor right rightarrow rsub rsup sans serif setminus sim simeq size "
    "slash sqrt stack sub subset subseteq succ succcurlyeq succsim sum sup supset supseteq tilde times to toward transl "
    "transr underbrace underline union uoper uparrow vec vline widebslash wideharpoon widehat wideslash widetilde widevec "
    "wp".split()
)


_ALPHABETS = {
    "fraktur": ("FRAKTUR", "BOLD FRAKTUR"),
    "script": ("SCRIPT", "BOLD SCRIPT"),
    "double-struck": ("DOUBLE-STRUCK", "DOUBLE-STRUCK"),
    "sans-serif": ("SANS-SERIF", "SANS-SERIF BOLD"),
    "monospace": ("MONOSPACE", "MONOSPACE"),
}  # as Unicode calls the plain one and the bold one
_LETTERLIKE = "ℂℍℕℙℚℝℤℬℰℱℋℐℒℳℛℭℌℨℊℯℴℑℜ"  # the letters that Unicode had before, under names of their own
_BRACES = {M + "limLow": ("⏟", "bot"), M + "limUpp": ("⏞", "top")}


class _Sign(NamedTuple):
    """A character of the run that is child number `child` of its argument; `text` is "" if that child is no plain run."""

    child: int
    text: str


def make_drawable(root: etree._Element) -> None:
    """Changes the formulas of a part."""
    for whole in root.iterfind(f".//{M}rPr/..[{M}t]"):
        with_alphabet(whole)
    for limit in list(root.iter(*_BRACES)):
        _with_brace(limit)
    for formula in list(root.iter(M + "oMath")):
        make_rows(formula)
    for large in list(root.iter(M + "nary")):
        _with_limits(large)
    for row in root.iterfind(f".//{M}eqArr/{M}e"):
        for text in row.iterfind(f"{M}r/{M}t"):
            text.text = (text.text or "").translate(_OF_ROWS)
    for fenced in list(root.iter(M + "d")):
        _with_fences(fenced)
    for holder in list(root.iter(*_HOLDERS)):
        _quote(holder)


def with_alphabet(whole: etree._Element) -> None:
    """Writes a run in an alphabet (m:scr) with Unicode's letters of that alphabet."""
    names = _ALPHABETS.get(look(whole, "scr"))
    if names is None:
        return
    name = names[look(whole, "sty") in ("b", "bi")]
    for other in whole.findall(f"{M}rPr/{M}scr") + whole.findall(f"{M}rPr/{M}sty"):
        other.getparent().remove(other)
    for text in whole.findall(M + "t"):
        text.text = "".join(_letter(char, name) for char in text.text or "")


@functools.lru_cache(maxsize=1 << 10)
def _letter(char: str, name: str) -> str:
    """The letter of an alphabet; the character itself if the alphabet lacks it."""
    kind = "DIGIT" if char.isdigit() else "CAPITAL" if char.isupper() else "SMALL"
    plain = unicodedata.name(char, "").removeprefix("LATIN CAPITAL LETTER ").removeprefix("LATIN SMALL LETTER ")
    try:
        return unicodedata.lookup(f"MATHEMATICAL {name} {kind} {plain.removeprefix('DIGIT ')}")
    except KeyError:
        words = {"BLACK-LETTER" if name == "FRAKTUR" else name, kind}
        older = (sign for sign in _LETTERLIKE if unicodedata.normalize("NFKC", sign) == char)
        return next((sign for sign in older if words <= set(unicodedata.name(sign).split())), char)


def _with_brace(limit: etree._Element) -> None:
    sign, where = _BRACES[limit.tag]
    inside, brace = limit.find(M + "e"), limit.find(M + "lim")
    holder = limit.getparent()
    if holder is None or inside is None or brace is None or "".join(brace.itertext()).strip() != sign:
        return
    properties = made("groupChrPr", made("chr"), made("pos"))
    for child, value in zip(properties, (sign, where), strict=True):
        child.set(M + "val", value)
    group = made("groupChr", properties, inside)
    holder.replace(limit, group)


def make_rows(formula: etree._Element) -> None:
    """Turns the lines of a formula into rows, if there are several."""
    rows: list[list[etree._Element]] = [[]]
    for child in formula:
        if child.tag != M + "r":
            rows[-1].append(child)
            continue
        if child.find(f"{M}rPr/{M}brk") is not None:
            rows.append([])
        for n, part in enumerate(_lines(child)):
            if n:
                rows.append([])
            rows[-1].append(part)
    rows = [row for row in rows if any(map(_can_be_seen, row))]
    if len(rows) > 1:
        formula[:] = [made("eqArr", *(made("e", *row) for row in rows))]


def _lines(run: etree._Element) -> Iterator[etree._Element]:
    """The run's lines, each a run of its own."""
    line = deepcopy(run)
    for forced in line.findall(f"{M}rPr/{M}brk"):
        line.find(f"{M}rPr").remove(forced)
    looks = [child for child in line if child.tag in (M + "rPr", W + "rPr")]
    parts: list[list[etree._Element]] = [[]]
    for child in line:
        if child.tag in (W + "br", W + "cr"):
            parts.append([])
        elif child not in looks:
            parts[-1].append(child)
    for part in parts:
        yield made("r", *map(deepcopy, looks), *part)


def _with_limits(large: etree._Element) -> None:
    holder, sign = large.getparent(), look(large, "chr", "∫")
    if holder is None or not sign or sign in _KNOWN_LARGE:
        return
    is_beside = look(large, "limLoc") == "subSup"
    whole = run(sign)
    for name, above in (("sub", "limLow"), ("sup", "limUpp")):
        part = large.find(M + name)
        if part is not None and not is_on(large, f"{name}Hide") and any(map(_can_be_seen, part)):
            part.tag = M + (name if is_beside else "lim")
            whole = made(f"s{name.title()}" if is_beside else above, made("e", whole), part)
    inside = large.find(M + "e")
    at = holder.index(large)
    holder[at : at + 1] = [whole, *(inside if inside is not None else ())]


def _with_fences(fenced: etree._Element) -> None:
    holder = fenced.getparent()
    for sign in fenced.iterfind(f"{M}dPr/*"):
        if other := _ANGLES.get(sign.get(M + "val", "")):
            sign.set(M + "val", other)
    begin, end, between = look(fenced, "begChr", "("), look(fenced, "endChr", ")"), look(fenced, "sepChr", "|")
    if holder is None or (begin in _BEGINS and end in _ENDS):
        return
    parts: list[etree._Element] = [run(begin, is_text=True)] if begin else []
    for n, inside in enumerate(fenced.findall(M + "e")):
        parts += [run(between, is_text=True)] if n and between else []
        parts += [child for child in inside if not str(child.tag).endswith("Pr")]
    parts += [run(end, is_text=True)] if end else []
    at = holder.index(fenced)
    holder[at : at + 1] = parts


def _can_be_seen(child: etree._Element) -> bool:
    return not str(child.tag).endswith("Pr") and (child.tag != M + "r" or bool("".join(child.itertext()).strip()))


def _quote(holder: etree._Element) -> None:
    """Turns operators that lack an operand into text, and words that are commands into single letters. An empty holder gets an
    empty text, since LibreOffice would draw a box for it."""
    if holder.tag != M + "oMath" and not any(map(_can_be_seen, holder)):
        holder.append(run("", is_text=True))
        return
    children = [child for child in holder if isinstance(child.tag, str) and not child.tag.endswith("Pr")]
    signs = [sign for n, child in enumerate(children) for sign in _signs(n, child)]
    quoted = {n for n in range(len(signs)) if _is_lone(signs, n)}
    for n, child in enumerate(children):
        text = child.find(M + "t")
        own = [at for at, sign in enumerate(signs) if sign.child == n]
        if text is None or not text.text or len(own) != len(text.text) or not signs[own[0]].text:
            continue
        parts = list(_parts(text.text, {at - own[0] for at in own if at in quoted}))
        if len(parts) > 1 or parts[0][1]:
            at = holder.index(child)
            holder[at : at + 1] = [_run(child, part, is_quoted) for part, is_quoted in parts]


def _signs(n: int, child: etree._Element) -> Iterator[_Sign]:
    text = child.find(M + "t") if child.tag == M + "r" else None
    is_plain = text is not None and text.text and len(child.findall(M + "t")) == 1 and child.find(f"{M}rPr/{M}nor") is None
    if not is_plain or text is None:
        yield _Sign(n, "")
        return
    for sign in text.text or "":
        yield _Sign(n, sign)


def _is_lone(signs: list[_Sign], at: int) -> bool:
    """Whether a sign can't be drawn as an operator."""
    sign = signs[at].text
    if not sign or sign in _NEVER:
        return bool(sign)
    if sign not in _NEED_BOTH and sign not in _NEED_RIGHT:
        return False
    operators = _NEED_BOTH | _NEED_RIGHT
    before = next((s.text for s in reversed(signs[:at]) if not s.text.isspace()), None)
    after = next((s.text for s in signs[at + 1 :] if not s.text.isspace()), None)
    lacks_right = after is None or after in _CLOSING or after in _NEED_BOTH
    lacks_left = before is None or before in _OPENING or before in operators
    return lacks_right or (sign in _NEED_BOTH and lacks_left)


def _parts(text: str, quoted: set[int]) -> Iterator[tuple[str, bool]]:
    """The parts of a run's text, and whether each becomes text. Each letter of a word that is a command is a part."""
    alone = {n for word in _WORD.finditer(text) if word[0].lower() in _COMMANDS for n in range(*word.span())}
    start = 0
    for n in range(len(text)):
        if n in quoted or n in alone:
            if start < n:
                yield text[start:n], False
            yield text[n], n in quoted
            start = n + 1
    if start < len(text):
        yield text[start:], False


def _run(whole: etree._Element, text: str, is_quoted: bool) -> etree._Element:
    part = deepcopy(whole)
    inside = part.find(M + "t")
    assert inside is not None
    inside.text = text
    if is_quoted:
        properties = part.find(M + "rPr")
        if properties is None:
            properties = made("rPr")
            part.insert(0, properties)
        for style in (*properties.findall(M + "sty"), *properties.findall(M + "scr")):
            properties.remove(style)
        properties.insert(0, made("nor"))
    return part
