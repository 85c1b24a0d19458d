import random
import shutil
from pathlib import Path

import pytest

from datagen.sandbox.process import Limits, Sandbox
from datagen.word.formulas import document_formulas, pandoc
from datagen.word.formulas.document_formulas import Refusal, to_latex
from tests.inputs.word import formulas as omml
from tests.inputs.word.xml import M, W
from tests.office import needs_pandoc
from tests.programs import stand_in

pytestmark = needs_pandoc


def of(inside: str) -> str:
    return f'<m:oMath xmlns:m="{M}" xmlns:w="{W}">{inside}</m:oMath>'


def converted(inside: str) -> str | Refusal:
    (latex,) = to_latex([of(inside)])
    return latex


def element(name: str, look: str = "", **parts: str) -> str:
    inside = "".join(f"<m:{part}>{omml_of}</m:{part}>" for part, omml_of in parts.items())
    return f"<m:{name}><m:{name}Pr>{look}</m:{name}Pr>{inside}</m:{name}>"


def run(text: str, look: str = "") -> str:
    return f"<m:r><m:rPr>{look}</m:rPr><m:t>{text}</m:t></m:r>"


def val(name: str, value: str) -> str:
    return f'<m:{name} m:val="{value}"/>'


def matrix(*rows: list[str]) -> str:
    return f"<m:m>{''.join('<m:mr>' + ''.join(f'<m:e>{cell}</m:e>' for cell in row) + '</m:mr>' for row in rows)}</m:m>"


def array(*rows: str) -> str:
    return f"<m:eqArr>{''.join(f'<m:e>{row}</m:e>' for row in rows)}</m:eqArr>"


X, Y, N = run("x"), run("y"), run("n")
NORMAL, PLAIN = "<m:nor/>", val("sty", "p")

LATEX = [
    # What pandoc reads as it is.
    (run("E=m") + element("sSup", e=run("c"), sup=run("2")), "E = mc^{2}"),
    (element("d", e=element("f", val("type", "noBar"), num=N, den=run("k"))), r"\binom{n}{k}"),
    (element("d", e=element("f", num=X, den=Y)), r"\left( \frac{x}{y} \right)"),
    (element("d", val("begChr", "[") + val("endChr", ""), e=X), r"\left\lbrack x \right."),
    (element("d", e=matrix([X, Y], [N, X])), r"\begin{pmatrix} x & y \\ n & x \end{pmatrix}"),
    (element("func", fName=element("sSup", e=run("sin", PLAIN), sup=run("2")), e=X), r"\sin^{2}x"),
    (element("limLow", e=run("lim", PLAIN), lim=run("n→∞")), r"\lim_{n \rightarrow \infty}"),
    (element("phant", val("show", "0"), e=X) + Y, r"\phantom{x}y"),
    (run("if x is even", NORMAL), r"\text{if x is even}"),
    (run("50%"), r"50\%"),
    (element("bar", "", e=X), r"\underline{x}"),
    # What is hidden, or has nothing in it.
    (element("rad", val("degHide", "1"), deg=run("q"), e=X), r"\sqrt{x}"),
    (element("nary", val("chr", "⋃") + val("supHide", "1"), sub=N, sup=run("q"), e=X), r"\bigcup_{n} x"),
    (element("nary", val("chr", "⋀"), sub="", sup="", e=X), r"\bigwedge x"),
    # Where limits stand.
    (element("nary", "", sub=run("0"), sup=run("1"), e=X), r"\int_{0}^{1}x"),
    (element("nary", val("limLoc", "undOvr"), sub=run("0"), sup=run("1"), e=X), r"\int\limits_{0}^{1}x"),
    (element("nary", val("chr", "∏") + val("limLoc", "subSup"), sub=N, sup="", e=X), r"\prod\nolimits_{n} x"),
    (element("nary", val("chr", "∯") + val("limLoc", "undOvr"), sub=N, sup="", e=X), r"\oiint\limits_{n} x"),
    (element("nary", val("chr", "∰"), sub="", sup="", e=X), r"\oiiint x"),
    # What is written in another way before pandoc sees it.
    (element("f", val("type", "lin"), num=X, den=Y), "x/y"),
    (Y + element("sPre", sub=run("1"), sup=run("2"), e=X), "y{}_{1}^{2}x"),
    (element("limLow", e=element("groupChr", "", e=X), lim=N), r"\underset{n}{\underbrace{x}}"),
    (element("limLow", e=run("a+b"), lim=run("⏟")), r"\underbrace{a + b}"),
    (element("groupChr", val("chr", "⏞") + val("pos", "top"), e=X), r"\overbrace{x}"),
    (element("groupChr", val("chr", "→") + val("pos", "top"), e=run("AB")), r"\overrightarrow{AB}"),
    (element("groupChr", val("chr", "→"), e=X), r"\overset{x}{\rightarrow}"),
    *(
        (element("acc", val("chr", sign), e=X), f"\\{name}{{x}}")
        for sign, name in (("\u20db", "dddot"), ("˙", "dot"), ("˚", "mathring"), ("→", "overrightarrow"), ("^", "widehat"))
    ),
    (run("2sin x") + run("ln", NORMAL) + Y, r"2\sin x\ln y"),
    (run("a = - b, c"), "a = - b,c"),
    (run("ⅆ") + run("π", NORMAL), r"d\pi"),
    (run("g", val("scr", "fraktur") + val("sty", "i")), r"\mathfrak{g}"),
    (run("v", val("sty", "b")) + run("w", val("sty", "bi")), r"\mathbf{v}\mathbf{w}"),
    (run("w", val("sty", "bi")), r"\boldsymbol{w}"),
    (run("90°"), r"90^{\circ}"),
    # Rows below each other.
    (array(run("a&amp;=b"), run("c&amp;=d")), r"\begin{aligned} a & = b \\ c & = d \end{aligned}"),
    (array(X, Y), r"\begin{gathered} x \\ y \end{gathered}"),
    (X + "<m:r><w:br/></m:r>" + Y, r"\begin{gathered} x \\ y \end{gathered}"),
    (array(run("x=1") + run("#") + element("d", e=run("7"))), "x = 1(7)"),
    # Comments of XML are no part of a formula.
    (f"<m:d><!-- a --><m:e>{X}<!-- b --></m:e></m:d>", "(x)"),
]


def test_latex():
    assert to_latex([of(inside) for inside, _ in LATEX]) == [latex for _, latex in LATEX]


REFUSED = [
    ("<m:new><m:e/></m:new>", "formula_not_converted", "no rule for new"),
    (run("\uf061"), "formula_not_converted", "a character that nobody knows"),
    ("", "formula_not_converted", "pandoc makes ''"),
    *((f'<m:r><w:sym w:font="Symbol" w:char="{c}"/></m:r>', "formula_not_converted", "a sign") for c in ("", "F061")),
    ("<m:r><w:drawing/></m:r>", "formula_not_converted", "a picture within it"),
    (element("borderBox", val("strikeH", "1"), e=X), "formula_not_converted", "a box"),
    (element("acc", val("chr", "\u20e9"), e=X), "formula_not_converted", "pandoc makes"),
    (element("f", val("type", "noBar"), num=X, den=Y), "formula_tokens_differ", "'xy' is '(xy)'"),
    (f"<m:d><m:dPr>{val('sepChr', ';;')}</m:dPr><m:e>{X}</m:e><m:e>{Y}</m:e></m:d>", "formula_tokens_differ", ""),
]


def test_what_nobody_reads_is_refused_alone():
    answers = to_latex([*(of(inside) for inside, *_ in REFUSED), of(X)])
    for answer, (_, reason, detail) in zip(answers, REFUSED, strict=False):
        assert isinstance(answer, Refusal) and answer.reason == reason and detail in answer.detail
    assert answers[-1] == "x"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [(r"x_{1}_{2}", "formula_not_katex"), *((latex, "formula_tokens_differ") for latex in ("x", "yx", "xyz"))],
)
def test_what_the_latex_lost_or_moved_is_seen(monkeypatch, wrong, reason):
    monkeypatch.setattr(document_formulas.pandoc, "read", lambda formulas: dict.fromkeys(formulas, wrong))
    refused = converted(X + Y)
    assert isinstance(refused, Refusal) and refused.reason == reason


def test_deep_formulas_are_converted_or_refused():
    inside, latex = X, "x"
    for _ in range(60):
        inside, latex = element("rad", val("degHide", "1"), deg="", e=inside), rf"\sqrt{{{latex}}}"
    deeper = inside
    for _ in range(100):
        deeper = element("rad", val("degHide", "1"), deg="", e=deeper)
    answer, refused = to_latex([of(inside), of(deeper)])
    assert answer == latex
    assert isinstance(refused, Refusal) and refused.reason == "formula_not_converted"


def test_random_formulas_come_out_whole():
    rng = random.Random(7)
    out = to_latex([of(omml.random_formula(rng)[0]) for _ in range(60)])
    assert [latex for latex in out if isinstance(latex, Refusal)] == []


def latex_of_x_and_y(program: str = ""):
    """In the child, where `program` may stand in for pandoc."""
    if program:
        pandoc.program = lambda: program
        pandoc.DEADLINE_S = 1.0
    yield str(converted(element("f", num=X, den=Y)))


HANGS = "#!/bin/sh\nwhile :; do :; done\n"
CRASHES = "#!/bin/sh\nkill -SEGV $$\n"
TALKS = '#!/bin/sh\nfor last; do :; done\ncat "$last" >&2; exit 3\n'


@pytest.mark.parametrize(
    ("does", "answer"),
    [
        ("", r"\frac{x}{y}"),
        (HANGS, "pandoc took over 1 s of processor time"),
        (CRASHES, "pandoc was ended by SIGSEGV"),
        (TALKS, "pandoc ended with 3"),
    ],
)
def test_pandoc_runs_in_the_sandbox_and_its_end_costs_only_formulas(tmp_path, does, answer):
    program = str(Path(stand_in(tmp_path, "pandoc", does).partition(":")[0]) / "pandoc") if does else ""
    box = Sandbox(Limits(memory_bytes=2 << 30))
    try:
        (value,) = box.run("tests.unit.word.test_formulas:latex_of_x_and_y", str, program=program)
    finally:
        box.close()
    assert answer in value.value


def test_without_pandoc_somebody_says_what_to_install(monkeypatch):
    monkeypatch.setattr(pandoc.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ValueError, match="make setup-word"):
        pandoc.program.__wrapped__()
