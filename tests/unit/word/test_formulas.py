import random

import pytest
from lxml import etree

from datagen.formulas import katex
from datagen.sandbox.process import Limits, Sandbox
from datagen.word.formulas import document_formulas
from datagen.word.formulas.document_formulas import Refusal
from tests.inputs import word_formulas as omml
from tests.inputs.word_xml import M, W


def converted(inside: str) -> str | Refusal:
    (latex,) = document_formulas.to_latex([f'<m:oMath xmlns:m="{M}" xmlns:w="{W}">{inside}</m:oMath>'])
    return latex


def element(name: str, look: str = "", **parts: str) -> str:
    inside = "".join(f"<m:{part}>{omml_of}</m:{part}>" for part, omml_of in parts.items())
    return f"<m:{name}><m:{name}Pr>{look}</m:{name}Pr>{inside}</m:{name}>"


def run(text: str, look: str = "") -> str:
    return f"<m:r><m:rPr>{look}</m:rPr><m:t>{text}</m:t></m:r>"


def val(name: str, value: str) -> str:
    return f'<m:{name} m:val="{value}"/>'


X, Y, N = run("x"), run("y"), run("n")


def matrix(*rows: list[str]) -> str:
    return f"<m:m>{''.join('<m:mr>' + ''.join(f'<m:e>{cell}</m:e>' for cell in row) + '</m:mr>' for row in rows)}</m:m>"


@pytest.mark.parametrize(
    ("inside", "latex"),
    [
        (run("E=m") + element("sSup", e=run("c"), sup=run("2")), "E = mc^{2}"),
        (element("f", num=X, den=Y), r"\frac{x}{y}"),
        (element("f", val("type", "lin"), num=X, den=Y), "x/y"),
        (element("f", val("type", "noBar"), num=X, den=Y), r"{x \atop y}"),
        (element("d", e=element("f", val("type", "noBar"), num=N, den=run("k"))), r"\binom{n}{k}"),
        (element("rad", val("degHide", "1"), deg="", e=X), r"\sqrt{x}"),
        (element("rad", deg=run("3"), e=X), r"\sqrt[3]{x}"),
        (element("sSubSup", e=X, sub=run("i"), sup=run("2")), "x_{i}^{2}"),
        (element("sSup", e=run("xy"), sup=run("2")), "{xy}^{2}"),
        (element("sSup", e=element("sSub", e=X, sub=run("1")), sup=run("2")), "{x_{1}}^{2}"),
        (element("sSup", e=run("f"), sup=run("′")), "f'"),
        (element("sPre", sub=run("1"), sup=run("2"), e=X), "{}_{1}^{2}x"),
        (element("nary", val("chr", "∑"), sub=run("k=0"), sup=N, e=X), r"\sum_{k = 0}^{n} x"),
        (element("nary", "", sub=run("0"), sup=run("1"), e=X), r"\int_{0}^{1} x"),
        (element("nary", val("limLoc", "undOvr"), sub=run("0"), sup=run("1"), e=X), r"\int\limits_{0}^{1} x"),
        (element("nary", val("chr", "∏") + val("limLoc", "subSup"), sub=N, sup="", e=X), r"\prod\nolimits_{n} x"),
        (element("nary", val("chr", "⋃") + val("supHide", "1"), sub=N, sup=run("q"), e=X), r"\bigcup_{n} x"),
        (element("d", e=X), "(x)"),
        (element("d", e=element("f", num=X, den=Y)), r"\left( \frac{x}{y} \right)"),
        (element("d", val("begChr", "[") + val("endChr", ""), e=X), r"\left[ x \right."),
        (element("d", val("begChr", "⌊") + val("endChr", "⌋"), e=X), r"\lfloor x\rfloor"),
        (f"<m:d><m:dPr>{val('sepChr', ';')}</m:dPr><m:e>{X}</m:e><m:e>{Y}</m:e></m:d>", "(x ; y)"),
        (f"<m:d><m:e>{element('f', num=X, den=Y)}</m:e><m:e>{Y}</m:e></m:d>", r"\left( \frac{x}{y} \middle| y \right)"),
        (element("d", e=matrix([X, Y], [N, X])), r"\begin{pmatrix} x & y \\ n & x \end{pmatrix}"),
        (matrix([X, Y]), r"\begin{matrix} x & y \end{matrix}"),
        (element("acc", e=X), r"\hat{x}"),
        (element("limLow", e=run("a+b"), lim=run("⏟")), r"\underbrace{a + b}"),
        (element("limUpp", e=element("limUpp", e=X, lim=run("⏞")), lim=N), r"\overbrace{x}^{n}"),
        (element("limLow", e=element("limUpp", e=run("⋂"), lim=N), lim=run("i=1")), r"\bigcap^{n}_{i = 1}"),
        (element("acc", val("chr", "⃗"), e=run("AB")), r"\overrightarrow{AB}"),
        (element("bar", val("pos", "top"), e=run("xy")), r"\overline{xy}"),
        (element("bar", "", e=X), r"\underline{x}"),
        (element("groupChr", val("chr", "→"), e=X), r"\xrightarrow{x}"),
        (element("limLow", e=element("groupChr", "", e=X), lim=N), r"\underbrace{x}_{n}"),
        (element("limLow", e=run("lim", val("sty", "p")), lim=run("n→∞")), r"\lim_{n \rightarrow \infty}"),
        (element("limLow", e=run("argmax", val("sty", "p")), lim=X), r"\operatorname*{argmax}_{x}"),
        (element("limUpp", e=run("="), lim=run("?")), r"\overset{?}{=}"),
        (element("func", fName=run("sin", val("sty", "p")), e=X), r"\sin x"),
        (element("func", fName=element("sSup", e=run("sin", val("sty", "p")), sup=run("2")), e=X), r"\sin^{2} x"),
        (element("func", fName=run("sgn", val("sty", "p")), e=element("d", e=X)), r"\operatorname{sgn}(x)"),
        (element("box", e=X), "x"),
        (element("borderBox", e=X), r"\boxed{x}"),
        (element("phant", val("show", "0"), e=X) + Y, r"\phantom{x}y"),
        (run("if x is even", "<m:nor/>"), r"\text{if x is even}"),
        (run("速度"), r"\text{速度}"),
        (run("R", val("scr", "double-struck")), r"\mathbb{R}"),
        (run("v", val("sty", "b")), r"\mathbf{v}"),
        (run("g", val("scr", "fraktur")), r"\mathfrak{g}"),
        (run("𝐱ℝ"), r"\mathbf{x}\mathbb{R}"),
        (run("d", val("sty", "p")) + X, r"\mathrm{d}x"),
        (run("a≤b±c∈A"), r"a \leq b \pm c \in A"),
        (run("α") + run("b"), r"\alpha b"),
        (run("50%"), r"50\%"),
        (run("0,5"), "0,5"),
        (run("a = - b"), "a = -b"),
        (run("2sin") + X, r"2\sin x"),
        (run("ln", "<m:nor/>") + X, r"\ln x"),
        (run("π", "<m:nor/>"), r"\pi"),
        (element("acc", val("chr", "⃗"), e=run("AB", "<m:nor/>")), r"\overrightarrow{\text{AB}}"),
        (run("90°"), r"90^{\circ}"),
        (run("-x=-1"), "-x = -1"),
    ],
)
def test_elements(inside, latex):
    assert converted(inside) == latex


def array(*rows: str) -> str:
    return f"<m:eqArr>{''.join(f'<m:e>{row}</m:e>' for row in rows)}</m:eqArr>"


def test_rows_below_each_other():
    rows = run("a&amp;=b"), run("c&amp;=d")
    assert converted(array(*rows)) == r"\begin{aligned} a & = b \\ c & = d \end{aligned}"
    assert converted(array(X, Y)) == r"\begin{gathered} x \\ y \end{gathered}"
    cases = element("d", val("begChr", "{") + val("endChr", ""), e=array(run("0,&amp;x"), run("1,&amp;y")))
    assert converted(cases) == r"\begin{cases} 0, & x \\ 1, & y \end{cases}"


def test_the_number_of_an_equation():
    numbered = array(run("x=1") + run("#") + element("d", e=run("7")))
    assert converted(numbered) == r"x = 1 \qquad (7)"


def test_a_formula_that_somebody_broke_into_lines():
    broken = run("a", "<m:aln/>") + "<m:r><w:br/></m:r>" + run("b")
    assert converted(X + "<m:r><w:br/></m:r>" + Y) == r"\begin{gathered} x \\ y \end{gathered}"
    assert converted(broken) == r"\begin{aligned} &a \\ b \end{aligned}"


@pytest.mark.parametrize("count", ["", "x", "-1", "999999999999"])
def test_a_matrix_that_says_a_wrong_number_of_columns(count):
    sides = f"<m:mPr><m:mcs><m:mc><m:mcPr>{val('count', count)}{val('mcJc', 'left')}</m:mcPr></m:mc></m:mcs></m:mPr>"
    latex = converted(matrix([X, Y]).replace("<m:m>", f"<m:m>{sides}", 1))
    assert latex in (r"\begin{array}{l} x & y \end{array}", r"\begin{array}{ll} x & y \end{array}")


def test_what_is_no_sign_is_refused_or_written_sign_by_sign():
    for code in ("", "ZZ", "D800"):
        refused = converted(f'<m:r><w:sym w:font="Symbol" w:char="{code}"/></m:r>')
        assert isinstance(refused, Refusal) and refused.reason == "formula_not_converted"
    assert converted(f"<m:d><m:dPr>{val('sepChr', ';;')}</m:dPr><m:e>{X}</m:e><m:e>{Y}</m:e></m:d>") == "(x ; ; y)"


def test_comments_of_xml_are_no_part_of_a_formula():
    assert converted(f"<m:d><!-- a --><m:e>{X}<!-- b --></m:e></m:d>") == "(x)"


def test_what_has_no_rule_is_refused():
    refused = converted("<m:new><m:e/></m:new>")
    assert isinstance(refused, Refusal) and refused.reason == "formula_not_converted" and "new" in refused.detail
    assert isinstance(converted(run("\uf061")), Refusal)
    assert isinstance(converted(""), Refusal)


def test_signs_that_the_latex_lost_or_moved_are_seen(monkeypatch):
    for wrong in ("x", "yx", "xyz"):
        monkeypatch.setattr(document_formulas.omml, "latex", lambda element, wrong=wrong: wrong)
        refused = converted(X + Y)
        assert isinstance(refused, Refusal) and refused.reason == "formula_tokens_differ"


def test_what_katex_does_not_parse_is_refused(monkeypatch):
    monkeypatch.setattr(document_formulas.omml, "latex", lambda element: r"x_{1}_{2}")
    refused = converted(X)
    assert isinstance(refused, Refusal) and refused.reason == "formula_not_katex"


def test_deep_formulas_are_converted_or_refused():
    inside, latex = X, "x"
    for _ in range(60):
        inside, latex = element("rad", val("degHide", "1"), deg="", e=inside), rf"\sqrt{{{latex}}}"
    assert converted(inside) == latex
    for _ in range(100):
        inside = element("rad", val("degHide", "1"), deg="", e=inside)
    refused = converted(inside)
    assert isinstance(refused, Refusal) and refused.reason == "formula_not_converted"


def test_mathml_for_browsers():
    root = etree.fromstring(katex.mathml(r"\frac{a}{b}"))
    assert etree.QName(root).localname == "math" and root.get("display") == "block"
    with pytest.raises(ValueError, match="KaTeX"):
        katex.mathml(r"\frac{a")
    with pytest.raises(ValueError, match="characters"):
        katex.mathml("x" * 50_000)


def test_random_formulas_come_out_whole():
    rng = random.Random(7)
    out = document_formulas.to_latex(
        [f'<m:oMath xmlns:m="{M}" xmlns:w="{W}">{omml.random_formula(rng)[0]}</m:oMath>' for _ in range(200)]
    )
    assert [latex for latex in out if isinstance(latex, Refusal)] == []


def latex_of_x_and_y():
    yield converted(element("f", num=X, den=Y))


def test_formulas_are_made_within_the_sandbox_with_its_cap_on_addresses():
    box = Sandbox(Limits(memory_bytes=1 << 30))
    try:
        assert [answer.value for answer in box.run("tests.unit.word.test_formulas:latex_of_x_and_y", str)] == [r"\frac{x}{y}"]
    finally:
        box.close()


@pytest.mark.parametrize(
    ("sign", "latex"), [("\u20db", r"\dddot{x}"), ("\u0307", r"\dot{x}"), ("˚", r"\mathring{x}"), ("→", r"\vec{x}")]
)
def test_accents(sign, latex):
    assert converted(element("acc", val("chr", sign), e=X)) == latex
