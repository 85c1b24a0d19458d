"""Formulas of Word, written by hand: OMML of every kind, with the text that stands in it."""

import random
from collections.abc import Callable
from xml.sax.saxutils import escape

Omml = tuple[str, tuple[str, ...]]
"""The XML, and the text of its m:t elements in their order."""


def text(*tokens: str, look: str = "") -> Omml:
    """A row of runs. `look` is what stands in their m:rPr, such as '<m:sty m:val="p"/>'."""
    look = f"<m:rPr>{look}</m:rPr>" if look else ""
    return "".join(f"<m:r>{look}<m:t>{escape(token)}</m:t></m:r>" for token in tokens), tokens


def row(*parts: Omml) -> Omml:
    return "".join(xml for xml, _ in parts), tuple(token for _, tokens in parts for token in tokens)


def _made(name: str, look: str = "", **parts: Omml) -> Omml:
    inside = "".join(f"<m:{part}>{xml}</m:{part}>" for part, (xml, _) in parts.items())
    return f"<m:{name}><m:{name}Pr>{look}</m:{name}Pr>{inside}</m:{name}>", row(*parts.values())[1]


def fraction(num: Omml, den: Omml, kind: str = "bar") -> Omml:
    return _made("f", f'<m:type m:val="{kind}"/>', num=num, den=den)


def raised(base: Omml, sup: Omml) -> Omml:
    return _made("sSup", e=base, sup=sup)


def lowered(base: Omml, sub: Omml) -> Omml:
    return _made("sSub", e=base, sub=sub)


def both(base: Omml, sub: Omml, sup: Omml) -> Omml:
    return _made("sSubSup", e=base, sub=sub, sup=sup)


def root(base: Omml, degree: Omml | None = None) -> Omml:
    if degree is None:
        return _made("rad", '<m:degHide m:val="1"/>', deg=("", ()), e=base)
    return _made("rad", deg=degree, e=base)


def nary(sign: str, sub: Omml, sup: Omml, base: Omml) -> Omml:
    return _made("nary", f'<m:chr m:val="{sign}"/><m:limLoc m:val="undOvr"/>', sub=sub, sup=sup, e=base)


def fenced(base: Omml, begin: str = "(", end: str = ")") -> Omml:
    return _made("d", f'<m:begChr m:val="{begin}"/><m:endChr m:val="{end}"/>', e=base)


def matrix(rows: list[list[Omml]]) -> Omml:
    inside = "".join(f"<m:mr>{''.join(f'<m:e>{xml}</m:e>' for xml, _ in line)}</m:mr>" for line in rows)
    columns = f'<m:mcs><m:mc><m:mcPr><m:count m:val="{len(rows[0])}"/><m:mcJc m:val="center"/></m:mcPr></m:mc></m:mcs>'
    return f"<m:m><m:mPr>{columns}</m:mPr>{inside}</m:m>", row(*(part for line in rows for part in line))[1]


def lines(*parts: Omml) -> Omml:
    inside = "".join(f"<m:e>{xml}</m:e>" for xml, _ in parts)
    return f"<m:eqArr><m:eqArrPr/>{inside}</m:eqArr>", row(*parts)[1]


def function(name: str, base: Omml) -> Omml:
    return _made("func", fName=text(name, look='<m:sty m:val="p"/>'), e=base)


def limit(name: str, under: Omml, base: Omml) -> Omml:
    return row(_made("func", fName=_made("limLow", e=text(name, look='<m:sty m:val="p"/>'), lim=under), e=base))


def accent(base: Omml, sign: str = "\u0302") -> Omml:
    return _made("acc", f'<m:chr m:val="{sign}"/>', e=base)


def bar(base: Omml) -> Omml:
    return _made("bar", '<m:pos m:val="top"/>', e=base)


def braced(base: Omml) -> Omml:
    return _made("groupChr", '<m:chr m:val="⏟"/><m:pos m:val="bot"/><m:vertJc m:val="top"/>', e=base)


def random_formula(rng: random.Random) -> Omml:
    """A formula of three to some twenty signs, each of these kinds as likely as the others."""
    letter: Callable[[], Omml] = lambda: text(rng.choice("abcdefhkmnpqrstuvwxyzαβγδθλμπσφω"))  # noqa: E731
    number: Callable[[], Omml] = lambda: text(str(rng.randint(1, 99)))  # noqa: E731
    kinds: list[Callable[[], Omml]] = [
        lambda: fraction(row(letter(), text("+"), number()), letter()),
        lambda: row(raised(letter(), number()), text("+"), letter()),
        lambda: row(lowered(letter(), number()), text("−"), lowered(letter(), number())),
        lambda: both(letter(), letter(), number()),
        lambda: root(row(letter(), text("+"), number())),
        lambda: root(letter(), number()),
        lambda: nary("∑", row(letter(), text("=", "1")), letter(), lowered(letter(), letter())),
        lambda: nary("∫", number(), letter(), row(letter(), text("d"), letter())),
        lambda: row(letter(), fenced(row(letter(), text("+"), letter()))),
        lambda: row(fenced(row(letter(), text("−"), number()), "|", "|"), text("≤"), letter()),
        lambda: fenced(matrix([[letter(), number()], [number(), letter()]]), "[", "]"),
        lambda: lines(row(letter(), text("+"), letter(), text("="), number()), row(letter(), text("="), number())),
        lambda: function(rng.choice(("sin", "cos", "log")), letter()),
        lambda: limit("lim", row(letter(), text("→∞")), fraction(text("1"), letter())),
        lambda: row(accent(letter()), text("="), bar(letter())),
        lambda: row(braced(row(letter(), text("+"), letter())), text("="), number()),
    ]
    first = rng.choice(kinds)()
    if rng.random() < 0.5:
        return row(letter(), text("="), first)
    return row(first, text("="), rng.choice(kinds)()) if rng.random() < 0.3 else first


def inline(omml: Omml) -> str:
    return f"<m:oMath>{omml[0]}</m:oMath>"


def display(*omml: Omml) -> str:
    """What stands in a paragraph of its own: an m:oMathPara."""
    return f"<m:oMathPara>{''.join(map(inline, omml))}</m:oMathPara>"
