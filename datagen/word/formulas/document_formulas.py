"""The LaTeX of a document's formulas, each checked against the file by another way.

KaTeX has to parse it. It makes MathML of it, and the signs of that have to be those of the OMML, in order: what the converter
lost, added or put elsewhere shows there, since KaTeX knows nothing of the converter.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from datagen.formulas import katex
from datagen.record import SampleError
from datagen.word.file.names import M, W
from datagen.word.file.xml_parts import parsed
from datagen.word.formulas import omml
from datagen.word.formulas.omml_signs import ARROWS, INVISIBLE, OVER, UNDER

_STRETCHED = OVER.keys() | UNDER.keys() | ARROWS.keys()
# One sign for those that mean the same, or that LaTeX has one command for.
_SAME = str.maketrans(
    {
        "−": "-", "‐": "-", "‑": "-", "∕": "/", "⁄": "/", "∶": ":", "∗": "*", "⁎": "*", "⋅": "·", "∙": "·", "•": "·",
        "∣": "|", "│": "|",
        "∥": "‖", "′": "'", "’": "'", "ʹ": "'", "〈": "⟨", "〉": "⟩",
        "\u2329": "⟨", "\u232a": "⟩", "∼": "~", "˜": "~", "ϵ": "ε", "ϕ": "φ", "µ": "μ",
        "Ω": "Ω", "Å": "Å",
        "△": "△", "∆": "Δ", "⪯": "≼", "⪰": "≽", "⟶": "→", "⟵": "←", "⊨": "⊨", "⋯": "…", "ℏ": "ħ", "⊲": "◃", "⊳": "▹",
        "∖": "\\", "ˆ": "^",
        "⊼": "⌅", "ſ": "s", "ı": "i", "ȷ": "j",
    }
)  # fmt: skip
_SAME |= {ord(greek): latin for greek, latin in zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo", strict=True)}  # KaTeX has one sign
_BRACES = {"limLow": "⏟", "limUpp": "⏞"}  # that are the limit of what they stand at
_DOTS = ("...", "....")  # over a letter
_PRIMES = {"″": "''", "‴": "'''", "⁗": "''''"}
_FENCES_BY_DEFAULT = {"begChr": "(", "endChr": ")", "sepChr": "|"}


@dataclass(frozen=True)
class Refusal:
    """Why a formula has no LaTeX: `reason` is `formula_not_converted`, `formula_not_katex` or `formula_tokens_differ`."""

    reason: str
    detail: str


def to_latex(formulas: Sequence[str]) -> list[str | Refusal]:
    """The LaTeX of each formula, whose OMML is that of one m:oMath; in its place why there is none."""
    return [_to_latex(formula) for formula in formulas]


def _to_latex(formula: str) -> str | Refusal:
    try:
        element = parsed(formula.encode(), "a formula")
        latex = omml.latex(element)
    except (omml.NotConverted, SampleError) as error:
        return Refusal("formula_not_converted", str(error))
    except RecursionError:
        return Refusal("formula_not_converted", "too much within each other")
    try:
        mathml = katex.mathml(latex)
    except ValueError as error:
        return Refusal("formula_not_katex", str(error)[:200])
    of_file, of_latex = signs_of_omml(element), signs_of_mathml(mathml)
    if of_file != of_latex:
        return Refusal("formula_tokens_differ", f"{of_file!r} is {of_latex!r} in {latex!r}"[:500])
    return latex


def signs_of_omml(element: etree._Element) -> str:
    """The signs that a formula shows, in their order, one for those that mean the same; without accents, and without what
    stretches over or under something."""
    return _normal("".join(_of_omml(element)))


def signs_of_mathml(mathml: str) -> str:
    """The same of MathML by KaTeX."""
    return _normal("".join(_of_mathml(etree.fromstring(mathml))))


def _of_omml(element: etree._Element) -> Iterator[str]:
    name = element.tag.removeprefix(M) if isinstance(element.tag, str) else ""
    look = element.find(f"{M}{name}Pr")
    if name == "phant" and (show := element.find(f"{M}phantPr/{M}show")) is not None and not omml.is_on(show):
        return
    if element.tag in (M + "t", W + "t"):
        yield element.text or ""
    elif name == "d":
        begin, end, between = (_character(look, kind, otherwise) for kind, otherwise in _FENCES_BY_DEFAULT.items())
        yield begin
        for n, part in enumerate(element.findall(M + "e")):
            yield between if n else ""
            yield from _of_omml(part)
        yield end
    elif name == "nary":
        yield _character(look, "chr", "∫")
        for kind in ("sub", "sup"):
            if not omml.is_on(element.find(f"{M}naryPr/{M}{kind}Hide")):
                yield from _parts(element, kind)
        yield from _parts(element, "e")
    elif (
        name == "f"
        and look is not None
        and look.find(M + "type") is not None
        and look.find(M + "type").get(M + "val") in ("lin", "skw")
    ):
        yield from _parts(element, "num")
        yield "/"
        yield from _parts(element, "den")
    elif name == "rad":
        if not omml.is_on(element.find(f"{M}radPr/{M}degHide")):
            yield from _parts(element, "deg")
        yield from _parts(element, "e")
    elif name == "eqArr" and len(element.findall(M + "e")) == 1:
        yield from (signs.replace("#", "") for signs in _parts(element, "e"))  # before the equation's number
    elif name in _BRACES and "".join(_parts(element, "lim")).strip() == _BRACES[name]:
        yield from _parts(element, "e")
    elif name == "limLow" and (upper := omml.large_with_upper_limit(element)) is not None:  # which comes behind the lower one
        yield from _parts(upper, "e")
        yield from _parts(element, "lim")
        yield from _parts(upper, "lim")
    elif name == "groupChr":
        yield from _parts(element, "e")
        sign = _character(look, "chr", "⏟")
        yield "" if sign in _STRETCHED else sign
    else:
        for child in element:
            yield from _of_omml(child)


def _parts(element: etree._Element, name: str) -> Iterator[str]:
    part = element.find(M + name)
    if part is not None:
        yield from _of_omml(part)


def _character(look: etree._Element | None, name: str, otherwise: str) -> str:
    character = look.find(M + name) if look is not None else None
    return otherwise if character is None else character.get(M + "val", "")


def _of_mathml(element: etree._Element) -> Iterator[str]:
    name = etree.QName(element).localname
    children = list(element)
    if name in ("annotation", "mphantom", "mspace"):
        return
    if name == "mroot":
        children.reverse()
    elif name in ("mover", "munder") and _is_mark(element, children[1]):
        children = children[:1]
    elif name in ("mover", "munder", "munderover") and _is_stretched(children[0]):  # an arrow, above or below which it stands
        children = children[1:]
    if name in ("mi", "mo", "mn", "mtext") and not children:
        yield element.text or ""
    for child in children:
        yield from _of_mathml(child)


def _is_mark(element: etree._Element, sign: etree._Element) -> bool:
    """Whether the second child of a mover or munder is an accent, a bar, a brace or an arrow over or under the first."""
    is_accent = element.get("accent") == "true" or element.get("accentunder") == "true"
    return _is_stretched(sign) or (is_accent and len(sign) == 0) or "".join(sign.itertext()) in _DOTS


def _is_stretched(sign: etree._Element) -> bool:
    return len(sign) == 0 and etree.QName(sign).localname == "mo" and sign.get("stretchy") == "true"


def _normal(text: str) -> str:
    for primes, single in _PRIMES.items():
        text = text.replace(primes, single)
    text = unicodedata.normalize("NFKD", text.replace("°", "∘")).translate(_SAME)
    return "".join(s for s in text if not (s.isspace() or s in INVISIBLE or s == "&" or unicodedata.category(s) == "Mn"))
