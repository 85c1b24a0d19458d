r"""Formulas of Word, as OMML (ISO 29500-1, 22.1), into the LaTeX that one would type.

    <m:f><m:num>…1…</m:num><m:den>…2…</m:den></m:f>        \frac{1}{2}

Every element either has a rule here or the formula isn't converted: nothing is passed over. Scripts, fractions and roots always
have braces. What stands round something grows with it (`\left`, `\right`) where it holds what is taller than a line.
"""

import re
from collections.abc import Callable

from lxml import etree

from datagen.word.file.names import FALSE, VAL, M, W, number, sign_code
from datagen.word.formulas import omml_text
from datagen.word.formulas.omml_signs import ACCENTS, ARROWS, FENCES, NAMES, OVER, UNDER, WIDE, WITH_LIMITS
from datagen.word.formulas.omml_text import ALIGN, NotConverted, joined, sign_name, without_room, words

_MVAL = M + "val"
_TALL = re.compile(
    r"\\(?:frac|sum|prod|coprod|i*n?int|oi*nt|big\w+|begin|sqrt|over\w+|under\w+|substack|overset|left|atop|lim|max|min|x\w*arrow)\b"
)
_ROOM_AT_ENDS = re.compile(r"\A(?:\s|\\ )+|(?:(?<!\\)\s|\\ )+\Z")
_WIDE_ROOM = re.compile(r"(?<!\\)(?:\\ +){2,}")
_DEGREE = re.compile(r"(\A|.)\\degree ?")
_ONE_ATOM = re.compile(
    r"(?:\\[A-Za-z]+|[^\\{}^_\s]|\\[{}%#$&_|]|\\(?:mathrm|mathbf|mathbb|mathit|mathscr|mathfrak|mathsf|mathtt|text)\{[^{}]*\})\Z"
)
_ONE_SIGN = re.compile(r"(?:\\[A-Za-z]+|.|\\[A-Za-z]+\{(?:.|\\[A-Za-z]+)\})\Z")
_WORD = re.compile(r"\\(?:mathrm|text)\{([A-Za-z]{2,}(?: [A-Za-z]+)?)\}")
_LARGE = re.compile(r"\\(?:sum|prod|coprod|big(?:cap|cup|vee|wedge|odot|oplus|otimes|uplus|sqcup))(?![A-Za-z])")
_MATRICES = {("(", ")"): "pmatrix", ("[", "]"): "bmatrix", ("{", "}"): "Bmatrix", ("|", "|"): "vmatrix", ("‖", "‖"): "Vmatrix"}
_INTEGRALS = frozenset("∫∬∭⨌∮∯∰∱∲∳")
_BREAK = "\x00"  # a line's end


def latex(formula: etree._Element) -> str:
    """The LaTeX of an m:oMath. Raises `NotConverted`."""
    text = _children(formula)
    if _BREAK in text:
        text = _lines([line for line in text.split(_BREAK) if line.strip()])
    text = _neat(text.replace(ALIGN, ""))
    if not text:
        raise NotConverted("it is empty")
    return _DEGREE.sub(lambda degree: f"{degree[1]}{{}}^{{\\circ}}" if degree[1] == "}" else f"{degree[1]}^{{\\circ}}", text)


def _lines(lines: list[str]) -> str:
    if len(lines) == 1:
        return lines[0]
    name = "aligned" if any(ALIGN in line for line in lines) else "gathered"
    rows = r" \\ ".join(_neat(line.replace(ALIGN, " &", 1).replace(ALIGN, "")) for line in lines)
    return rf"\begin{{{name}}} {rows} \end{{{name}}}"


def _neat(text: str) -> str:
    """LaTeX with single spaces, without room at its ends and round operators."""
    text = _ROOM_AT_ENDS.sub("", re.sub(r"(?<!\\) {2,}", " ", text))
    return without_room(_WIDE_ROOM.sub(r"\\quad ", text))


def _children(element: etree._Element | None, in_name: bool = False) -> str:
    """The LaTeX of what an argument holds."""
    if element is None:
        return ""
    return joined(_one(child, in_name) for child in element if isinstance(child.tag, str))


def _one(element: etree._Element, in_name: bool) -> str:
    if element.tag == M + "r":
        return _run(element, in_name)
    if element.tag in (M + "oMath", M + "oMathPara", M + "e", M + "num", M + "den", M + "lim", M + "sub", M + "sup", M + "fName"):
        return _children(element, in_name)
    if element.tag.startswith(W):
        return _of_word(element, in_name)
    rule = _RULES.get(element.tag.removeprefix(M))
    if rule is not None:
        return rule(element)
    if element.tag.startswith(M) and element.tag.endswith("Pr"):
        return ""
    raise NotConverted(f"no rule for {etree.QName(element).localname}")


def _of_word(element: etree._Element, in_name: bool) -> str:
    name = element.tag.removeprefix(W)
    if name == "r":
        return words("".join(text.text or "" for text in element.iter(W + "t")))
    if name in ("hyperlink", "ins", "moveTo"):
        return _children(element, in_name)
    if any(True for _ in element.iter(M + "t", W + "t")):
        raise NotConverted(f"text in {name}")
    return ""


# Runs


def _run(run: etree._Element, in_name: bool) -> str:
    look = run.find(M + "rPr")
    start = ""
    if look is not None and look.find(M + "brk") is not None:
        start += _BREAK
    if look is not None and look.find(M + "aln") is not None:
        start += ALIGN
    inside: list[str] = []
    for child in run:
        if child.tag in (M + "t", W + "t"):
            inside.append(_styled(child.text or "", look, in_name))
        elif child.tag in (W + "br", W + "cr"):
            inside.append(_BREAK)
        elif child.tag == W + "tab":
            inside.append(r"\quad ")
        elif child.tag == W + "sym":
            code = sign_code(child)
            if code is None or code >= 0xE000:
                raise NotConverted(f"a sign of the typeface {child.get(W + 'font')}")
            inside.append(_styled(chr(code), look, in_name))
        elif child.tag in (W + "drawing", W + "pict", W + "object"):
            raise NotConverted("a picture within it")
    return start + joined(inside)


def _styled(text: str, look: etree._Element | None, in_name: bool) -> str:
    is_normal = look is not None and is_on(look.find(M + "nor"))
    return omml_text.run(text, _value(look, "sty", "i"), _value(look, "scr", "roman"), is_normal, in_name)


# Elements


def _fraction(element: etree._Element) -> str:
    kind = _value(element.find(M + "fPr"), "type", "bar")
    above, below = _argument(element, "num"), _argument(element, "den")
    if kind == "lin":
        return f"{_base(above)}/{_base(below)}"
    if kind == "skw":
        return rf"{{}}^{{{above}}}/_{{{below}}}"
    if kind == "noBar":
        return rf"{{{above} \atop {below}}}"
    return rf"\frac{{{above}}}{{{below}}}"


def _radical(element: etree._Element) -> str:
    degree = "" if is_on(element.find(f"{M}radPr/{M}degHide")) else _argument(element, "deg")
    if "]" in degree:
        degree = f"{{{degree}}}"
    return rf"\sqrt[{degree}]{{{_argument(element, 'e')}}}" if degree else rf"\sqrt{{{_argument(element, 'e')}}}"


def _scripts(element: etree._Element) -> str:
    base = _base(_argument(element, "e", in_name=element.getparent().tag == M + "fName"))
    return base + _script("_", _argument(element, "sub")) + _script("^", _argument(element, "sup"))


def _script(sign: str, inside: str) -> str:
    if not inside:
        return ""
    if sign == "^" and set(inside) == {"'"}:
        return inside
    return f"{sign}{{{inside}}}"


def _prescripts(element: etree._Element) -> str:
    return (
        "{}" + _script("_", _argument(element, "sub")) + _script("^", _argument(element, "sup")) + _base(_argument(element, "e"))
    )


def _nary(element: etree._Element) -> str:
    look = element.find(M + "naryPr")
    sign = _value(look, "chr", "∫")
    is_integral = sign in _INTEGRALS
    is_above = _value(look, "limLoc", "subSup" if is_integral else "undOvr") == "undOvr"
    name = NAMES.get(sign, rf"\operatorname*{{{sign}}}") if sign else ""
    limits = "" if is_above != is_integral else r"\limits" if is_above else r"\nolimits"
    sub = "" if is_on(element.find(f"{M}naryPr/{M}subHide")) else _argument(element, "sub")
    sup = "" if is_on(element.find(f"{M}naryPr/{M}supHide")) else _argument(element, "sup")
    if not (sub or sup):
        limits = ""
    return f"{name}{limits}{_script('_', sub)}{_script('^', sup)} {_argument(element, 'e')}"


def _delimited(element: etree._Element) -> str:
    look = element.find(M + "dPr")
    begin, end, between = _value(look, "begChr", "("), _value(look, "endChr", ")"), _value(look, "sepChr", "|")
    parts = element.findall(M + "e")
    only = [child for child in parts[0] if not child.tag.endswith("Pr")] if len(parts) == 1 else []
    if len(only) == 1:
        inner = only[0]
        if inner.tag == M + "m" and (begin, end) in _MATRICES:
            return _matrix(inner, _MATRICES[begin, end])
        if inner.tag == M + "eqArr" and (begin, end) == ("{", ""):
            rows = [_children(row) for row in inner.findall(M + "e")]
            if all(row.count(ALIGN) <= 1 for row in rows):
                return rf"\begin{{cases}} {_rows(rows, ' & ')} \end{{cases}}"
        if inner.tag == M + "f" and (begin, end) == ("(", ")") and _value(inner.find(M + "fPr"), "type", "bar") == "noBar":
            return rf"\binom{{{_argument(inner, 'num')}}}{{{_argument(inner, 'den')}}}"
    inside = [_neat(_children(part)) for part in parts]
    is_plain = not any(_TALL.search(part) for part in inside) and begin and end
    if not is_plain and begin in FENCES and end in FENCES and (len(parts) == 1 or between in FENCES):
        middle = rf" \middle{FENCES[between]} " if len(parts) > 1 and between else " "
        return rf"\left{FENCES[begin]} {middle.join(inside)} \right{FENCES[end]}"
    middle = f" {_signs(between)} " if len(parts) > 1 and between else " "
    return joined([_fence(begin), middle.join(inside), _fence(end)])


def _fence(sign: str) -> str:
    return FENCES.get(sign, NAMES.get(sign, sign)) if sign else ""


def _matrix(element: etree._Element, name: str = "matrix") -> str:
    rows = [[_neat(_children(cell)) for cell in row.findall(M + "e")] for row in element.findall(M + "mr")]
    num_columns = max(map(len, rows), default=1)
    sides: list[str] = []
    for column in element.iterfind(f"{M}mPr/{M}mcs/{M}mc/{M}mcPr"):
        count = number(_value(column, "count", "1"), 1)
        sides += [_value(column, "mcJc", "center")[:1]] * min(max(1, count), num_columns)
    body = r" \\ ".join(" & ".join(row) for row in rows)
    if name == "matrix" and set(sides) - {"c"}:
        return rf"\begin{{array}}{{{''.join(side if side in 'lcr' else 'c' for side in sides)}}} {body} \end{{array}}"
    return rf"\begin{{{name}}} {body} \end{{{name}}}"


def _array(element: etree._Element) -> str:
    rows = [_children(row) for row in element.findall(M + "e")]
    if len(rows) == 1:
        line, sign, tag = rows[0].partition(r"\#")  # what stands behind # is the equation's number
        return (rf"{line} \qquad {tag}" if sign else rows[0]).replace(ALIGN, "")
    if any(ALIGN in row for row in rows):
        return rf"\begin{{aligned}} {_rows(rows, ' &')} \end{{aligned}}"
    return rf"\begin{{gathered}} {_rows(rows, '')} \end{{gathered}}"


def _rows(rows: list[str], align: str) -> str:
    """Rows of which every other sign of alignment only makes room."""
    lines = []
    for row in rows:
        parts = row.replace(_BREAK, " ").split(ALIGN)
        line = parts[0]
        for n, part in enumerate(parts[1:]):
            line += (align if n % 2 == 0 else " &") + part
        lines.append(_neat(line))
    return r" \\ ".join(lines)


def _accent(element: etree._Element) -> str:
    sign, inside = _value(element.find(M + "accPr"), "chr", "\u0302"), _neat(_argument(element, "e"))
    if not sign:
        return inside
    command = ACCENTS.get(sign) or ACCENTS.get(sign.strip())
    if command is None:
        if sign == "\u033f":
            return rf"\overline{{\overline{{{inside}}}}}"
        raise NotConverted(f"the accent U+{ord(sign[0]):04X}")
    if not _ONE_SIGN.match(inside):
        command = WIDE.get(command, command)
    return rf"{command}{{{inside}}}"


def _bar(element: etree._Element) -> str:
    is_above = _value(element.find(M + "barPr"), "pos", "bot") == "top"
    return rf"\{'over' if is_above else 'under'}line{{{_argument(element, 'e')}}}"


def _group(element: etree._Element) -> str:
    look, inside = element.find(M + "groupChrPr"), _argument(element, "e")
    sign, is_above = _value(look, "chr", "⏟"), _value(look, "pos", "bot") == "top"
    if not sign:
        return inside
    command = OVER.get(sign) if is_above else UNDER.get(sign)
    if command is not None:
        return rf"{command}{{{inside}}}"
    if sign in ARROWS:
        return rf"{ARROWS[sign]}[{inside}]{{}}" if is_above else rf"{ARROWS[sign]}{{{inside}}}"
    return rf"\{'over' if is_above else 'under'}set{{{_signs(sign)}}}{{{inside}}}"


def _limit(element: etree._Element) -> str:
    is_below = element.tag == M + "limLow"
    base, limit = _neat(_argument(element, "e", in_name=True)), _argument(element, "lim")
    sign = "_" if is_below else "^"
    if limit == ("⏟" if is_below else "⏞"):
        return rf"\{'under' if is_below else 'over'}brace{{{base}}}"
    large = _LARGE.match(base)
    if large is not None and (large.end() == len(base) or omml_text.is_other_limit(base[large.end() :], sign)):
        return f"{base}{sign}{{{limit}}} "
    if base.startswith(r"\underbrace{" if is_below else r"\overbrace{") and omml_text.is_whole_group(base):
        return f"{base}{sign}{{{limit}}}"
    if is_below and (name := _WORD.fullmatch(base)) is not None:
        return rf"\operatorname*{{{name[1]}}}_{{{limit}}} "
    if base.startswith("\\") and base[1:] in WITH_LIMITS:
        return f"{base}{sign}{{{limit}}} "
    for arrow in (r"\xrightarrow", r"\xleftarrow"):
        if is_below and base.startswith(arrow + "{") and omml_text.is_whole_group(base):
            return f"{arrow}[{limit}]{base[len(arrow) :]}"
    return rf"\{'under' if is_below else 'over'}set{{{limit}}}{{{base}}}"


def large_with_upper_limit(limit: etree._Element) -> etree._Element | None:
    """What an m:limLow has its limit below, if that is a large operator with one above."""
    base = [child for child in limit.iterfind(f"{M}e/*") if not child.tag.endswith("Pr")]
    is_one = len(base) == 1 and base[0].tag == M + "limUpp"
    return base[0] if is_one and _LARGE.fullmatch(_neat(_argument(base[0], "e", in_name=True))) else None


def _applied(element: etree._Element) -> str:
    name = _neat(_argument(element, "fName", in_name=True))
    argument = _argument(element, "e")
    if name.isalpha() and name.isascii() and len(name) > 1:
        name = rf"\operatorname{{{name}}}"
    elif (plain := _WORD.fullmatch(name)) is not None:
        name = rf"\operatorname{{{plain[1]}}}"
    return joined([name, "" if argument.startswith(("(", r"\left")) else " ", argument])


def _box(element: etree._Element) -> str:
    return _argument(element, "e")


def _bordered(element: etree._Element) -> str:
    look, inside = element.find(M + "borderBoxPr"), _argument(element, "e")
    on = {name for name in ("hideTop", "hideBot", "hideLeft", "hideRight", "strikeH", "strikeV", "strikeBLTR", "strikeTLBR")
          if look is not None and is_on(look.find(M + name))}  # fmt: skip
    hidden = {name for name in on if name.startswith("hide")}
    if "strikeV" in on or 0 < len(hidden) < 4:
        raise NotConverted("a box with some of its sides")
    strikes = {"strikeBLTR": r"\cancel", "strikeTLBR": r"\bcancel"}
    crossed = [command for name, command in strikes.items() if name in on]
    if len(crossed) == 2:
        inside = rf"\xcancel{{{inside}}}"
    elif crossed:
        inside = rf"{crossed[0]}{{{inside}}}"
    if "strikeH" in on:
        inside = rf"\sout{{{inside}}}"
    return inside if len(hidden) == 4 else rf"\boxed{{{inside}}}"


def _phantom(element: etree._Element) -> str:
    show = element.find(f"{M}phantPr/{M}show")
    inside = _argument(element, "e")
    return inside if show is None or is_on(show) else rf"\phantom{{{inside}}}"


_RULES: dict[str, Callable[[etree._Element], str]] = {
    "f": _fraction, "rad": _radical, "sSub": _scripts, "sSup": _scripts, "sSubSup": _scripts, "sPre": _prescripts, "nary": _nary,
    "d": _delimited, "m": _matrix, "eqArr": _array, "acc": _accent, "bar": _bar, "groupChr": _group, "limLow": _limit,
    "limUpp": _limit, "func": _applied, "box": _box, "borderBox": _bordered, "phant": _phantom,
}  # fmt: skip


def _argument(element: etree._Element, name: str, in_name: bool = False) -> str:
    inside = _children(element.find(M + name), in_name)
    if _BREAK in inside:
        inside = _lines([line for line in inside.split(_BREAK) if line.strip()] or [""])
    return _neat(inside.replace(ALIGN, ""))


def _base(inside: str) -> str:
    """What a script stands at, in braces unless it is one thing."""
    inside = inside.strip()
    if not inside:
        return "{}"
    if _ONE_ATOM.match(inside) or (inside.startswith("\\left") and inside.count("\\left") == 1):
        return inside
    if inside[0] in "([" and inside[-1] in ")]" and not set(inside[1:-1]) & set("()[]"):
        return inside
    return f"{{{inside}}}"


def _value(properties: etree._Element | None, name: str, otherwise: str) -> str:
    element = properties.find(M + name) if properties is not None else None
    if element is None:
        return otherwise
    value: str = element.get(_MVAL, element.get(VAL, otherwise if name not in ("begChr", "endChr", "sepChr", "chr") else ""))
    return value


def _signs(text: str) -> str:
    """The LaTeX of an attribute that should have one sign, and may have more."""
    return joined(map(sign_name, text)).strip()


def is_on(switch: etree._Element | None) -> bool:
    """Whether an element that switches something is there, and doesn't say no."""
    return switch is not None and switch.get(_MVAL, "1") not in FALSE
