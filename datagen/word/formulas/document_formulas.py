"""The LaTeX of a document's formulas by pandoc. Each is checked against the file in another way.

KaTeX parses the LaTeX and makes MathML of it. The signs of the MathML must be the signs of the OMML, in order. KaTeX is
independent of pandoc, so the check finds signs that pandoc lost, added or moved.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from datagen.formulas import katex
from datagen.record import SampleError
from datagen.word.file.names import FALSE, M, W
from datagen.word.file.omml_parts import is_on, look
from datagen.word.file.xml_parts import parsed
from datagen.word.formulas import pandoc
from datagen.word.formulas.plain_omml import ARROWS_ABOVE, NotConverted, plain

_LARGE = frozenset("∑∏∐⋃⋂⋁⋀⨀⨁⨂⨄⨆")
_INTEGRALS = frozenset("∫∬∭⨌∮∯∰∱∲∳")
_OPERATOR = re.compile(r"\\(?:sum|(?:co)?prod|big(?:cup|cap|vee|wedge|odot|oplus|otimes|uplus|sqcup)|i*int|oi*nt)(?![A-Za-z])")
_SURFACES = {"∯": r"\oiint", "∰": r"\oiiint"}  # pandoc leaves these as they are
_EMPTY_SCRIPT = re.compile(r"[_^]\{\}")
# pandoc's output for unknown accents.
_STRANGE = re.compile(r"\\[A-Za-z]+\{\}|\\(?:over|under)set\{[\u0300-\u036f\u20d0-\u20ff]\}")
_ROOM_AT_ENDS = re.compile(r"\A(?:\s|\\ )+|(?:(?<!\\)\s|\\ )+\Z")
_STRETCHED = frozenset("⏟⏞‾¯\u0305\u0332")  # over or under something
_INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u200e\u200f")
# Signs of equal meaning, or with one command in LaTeX, and the one sign for them.
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
        "∍": "∋",
    }
)  # fmt: skip
_SAME |= {ord(greek): latin for greek, latin in zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo", strict=True)}  # KaTeX has one sign
_BRACES = {"limLow": "⏟", "limUpp": "⏞"}  # braces that are limits
_DOTS = ("...", "....")  # over a letter
_PRIMES = {"″": "''", "‴": "'''", "⁗": "''''"}
_FENCES_BY_DEFAULT = {"begChr": "(", "endChr": ")", "sepChr": "|"}


@dataclass(frozen=True)
class Refusal:
    """Why a formula has no LaTeX: `reason` is `formula_not_converted`, `formula_not_katex` or `formula_tokens_differ`."""

    reason: str
    detail: str


def to_latex(formulas: Sequence[str]) -> list[str | Refusal]:
    """The LaTeX of each formula, given as the OMML of one m:oMath, or the reason why there is none."""
    answers: dict[int, str | Refusal] = {}
    elements: dict[int, etree._Element] = {}
    for number, formula in enumerate(formulas):
        try:
            elements[number] = plain(parsed(formula.encode(), "a formula"))
        except NotConverted as error:
            answers[number] = Refusal("formula_not_converted", str(error))
        except SampleError as error:  # it isn't XML
            answers[number] = Refusal("formula_not_converted", error.detail)
    try:
        written = pandoc.read(elements)
    except SampleError as error:
        failed = Refusal("formula_not_converted", error.detail)
        return [answers.get(number, failed) for number in range(len(formulas))]
    for number, tex in written.items():
        answers[number] = _checked(parsed(formulas[number].encode(), "a formula"), tex)
    return [
        answers.get(number, Refusal("formula_not_converted", "pandoc finds nothing in it")) for number in range(len(formulas))
    ]


def _checked(formula: etree._Element, tex: str) -> str | Refusal:
    """pandoc's TeX, as people type it, if it has the formula's signs; else a `Refusal`."""
    latex = _neat(tex, formula)
    if not latex or _STRANGE.search(latex):
        return Refusal("formula_not_converted", f"pandoc makes {latex!r} of it"[:500])
    try:
        of_file, of_latex = signs_of_omml(formula), signs_of_mathml(katex.mathml(latex))
    except ValueError as error:
        return Refusal("formula_not_katex", str(error)[:200])
    except RecursionError:
        return Refusal("formula_not_converted", "too much within each other")
    if of_file != of_latex:
        return Refusal("formula_tokens_differ", f"{of_file!r} is {of_latex!r} in {latex!r}"[:500])
    return latex


def _neat(tex: str, formula: etree._Element) -> str:
    latex = _ROOM_AT_ENDS.sub("", _EMPTY_SCRIPT.sub(" ", tex))
    latex = latex.replace(r"{^\circ}", r"^{\circ}").replace(r"\text{/}", "/")
    for sign, command in _SURFACES.items():
        latex = latex.replace(f"{sign}_", f"{command}_").replace(f"{sign}^", f"{command}^").replace(sign, f"{command} ")
    latex = " ".join(latex.split())
    if latex.count(r"\begin{array}") == latex.count(r"\begin{array}{r}"):  # rows below each other, drawn centred
        latex = latex.replace(r"\begin{array}{r}", r"\begin{gathered}").replace(r"\end{array}", r"\end{gathered}")
    if {style.get(M + "val") for style in formula.iter(M + "sty")} & {"b", "bi"} == {"bi"}:  # pandoc writes "bi" as "b"
        latex = latex.replace(r"\mathbf{", r"\boldsymbol{")
    return _with_limits(latex, formula)


def _with_limits(latex: str, formula: etree._Element) -> str:
    r"""LaTeX with `\limits` and `\nolimits` where a large operator has its limits in an unusual place, which pandoc ignores.
    pandoc keeps the file's order of operators."""
    signs = [(look(nary, "chr", "∫"), look(nary, "limLoc")) for nary in formula.iter(M + "nary")]
    operators = list(_OPERATOR.finditer(latex))
    if len(signs) != len(operators):
        return latex
    for (sign, place), operator in reversed(list(zip(signs, operators, strict=True))):
        command = r"\limits" if sign in _INTEGRALS and place == "undOvr" else ""
        command = r"\nolimits" if sign in _LARGE and place == "subSup" else command
        if command and latex[operator.end() :].startswith(("_", "^")):
            latex = latex[: operator.end()] + command + latex[operator.end() :]
    return latex


def signs_of_omml(element: etree._Element) -> str:
    """The visible signs of a formula in order, with one sign for those of equal meaning; without accents, and without signs that
    stretch over or under others."""
    return _normal("".join(_of_omml(element)))


def signs_of_mathml(mathml: str) -> str:
    """The same for MathML by KaTeX."""
    return _normal("".join(_of_mathml(etree.fromstring(mathml))))


def _of_omml(element: etree._Element) -> Iterator[str]:
    name = element.tag.removeprefix(M) if isinstance(element.tag, str) else ""
    if name == "phant" and look(element, "show", "1") in FALSE:
        return
    if element.tag in (M + "t", W + "t"):
        yield element.text or ""
    elif name == "d":
        begin, end, between = (look(element, kind, usual) for kind, usual in _FENCES_BY_DEFAULT.items())
        yield begin
        for n, part in enumerate(element.findall(M + "e")):
            yield between if n else ""
            yield from _of_omml(part)
        yield end
    elif name == "nary":
        yield look(element, "chr", "∫")
        for kind in ("sub", "sup"):
            if not is_on(element, f"{kind}Hide"):
                yield from _parts(element, kind)
        yield from _parts(element, "e")
    elif name == "f" and look(element, "type") in ("lin", "skw"):
        yield from _parts(element, "num")
        yield "/"
        yield from _parts(element, "den")
    elif name == "rad":
        if not is_on(element, "degHide"):
            yield from _parts(element, "deg")
        yield from _parts(element, "e")
    elif name == "eqArr" and len(element.findall(M + "e")) == 1:
        yield from (signs.replace("#", "") for signs in _parts(element, "e"))  # `#` stands before the equation's number
    elif name in _BRACES and "".join(_parts(element, "lim")).strip() == _BRACES[name]:
        yield from _parts(element, "e")
    elif name == "groupChr":
        sign = look(element, "chr", "⏟")
        is_above = look(element, "pos", "bot") == "top"
        sign = "" if sign in _STRETCHED or (is_above and sign in ARROWS_ABOVE) else sign
        yield "" if is_above else sign
        yield from _parts(element, "e")
        yield sign if is_above else ""
    else:
        for child in element:
            yield from _of_omml(child)


def _parts(element: etree._Element, name: str) -> Iterator[str]:
    part = element.find(M + name)
    if part is not None:
        yield from _of_omml(part)


def _of_mathml(element: etree._Element) -> Iterator[str]:
    name = etree.QName(element).localname
    children = list(element)
    if name in ("annotation", "mphantom", "mspace"):
        return
    if name == "mroot":
        children.reverse()
    elif name in ("mover", "munder") and _is_mark(element, children[1]):
        children = children[:1]
    if name in ("mi", "mo", "mn", "mtext") and not children:
        yield element.text or ""
    for child in children:
        yield from _of_mathml(child)


def _is_mark(element: etree._Element, sign: etree._Element) -> bool:
    """Whether the second child of a mover or munder is an accent, a bar, a brace or an arrow over or under the first."""
    is_accent = element.get("accent") == "true" or element.get("accentunder") == "true"
    is_stretched = etree.QName(sign).localname == "mo" and sign.get("stretchy") == "true"
    return (len(sign) == 0 and (is_stretched or is_accent)) or "".join(sign.itertext()) in _DOTS


def _normal(text: str) -> str:
    for primes, single in _PRIMES.items():
        text = text.replace(primes, single)
    text = unicodedata.normalize("NFKD", text.replace("°", "∘")).translate(_SAME)
    return "".join(s for s in text if not (s.isspace() or s in _INVISIBLE or s == "&" or unicodedata.category(s) == "Mn"))
