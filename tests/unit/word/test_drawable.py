"""Formulas as LibreOffice can draw them: the same signs, and nothing that its own language would take for a command."""

import pytest
from lxml import etree

from datagen.word.file.drawable import make_drawable
from datagen.word.formulas import document_formulas
from tests.inputs.word import xml as xml
from tests.inputs.word.xml import M, W

_M = f"{{{M}}}"


def drawable(inside: str) -> etree._Element:
    root = etree.fromstring(f'<m:oMath xmlns:m="{M}" xmlns:w="{W}">{inside}</m:oMath>')
    before = document_formulas.signs_of_omml(root)
    make_drawable(root)
    assert document_formulas.signs_of_omml(root) == before
    return root


def run(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


def runs(root: etree._Element) -> list[tuple[str, bool]]:
    """The text of each run, and whether it is text rather than mathematics."""
    return [(r.findtext(f"{_M}t"), r.find(f"{_M}rPr/{_M}nor") is not None) for r in root.iter(f"{_M}r")]


ROOT = f"<m:rad><m:radPr/><m:e>{run('2')}</m:e></m:rad>"
FENCED = '<m:d><m:dPr><m:begChr m:val="{}"/><m:endChr m:val="{}"/></m:dPr><m:e>{}</m:e><m:e>{}</m:e></m:d>'


@pytest.mark.parametrize(
    ("inside", "parts"),
    [
        (run("x=y"), ["x=y"]),
        (run("=5"), [("=", True), "5"]),
        (run("x="), ["x", ("=", True)]),
        (run("a=-b"), ["a=-b"]),
        (run("1&lt;x&lt;"), ["1<x", ("<", True)]),
        (run("|x|"), [("|", True), "x", ("|", True)]),
        (run("in"), ["i", "n"]),
        (run("inner"), ["inner"]),
        pytest.param(ROOT + run("=") + ROOT, ["2", "=", "2"], id="an operator between things that are no runs has both operands"),
        pytest.param(
            f"<m:sSup><m:e>{run('N')}</m:e><m:sup>{run('+')}</m:sup></m:sSup>", ["N", ("+", True)], id="an operator as a script"
        ),
        pytest.param(
            f"<m:eqArr><m:e>{run('a&amp;=b')}</m:e><m:e>{run('c')}</m:e></m:eqArr>", ["a=b", "c"], id="signs of alignment"
        ),
        pytest.param(
            f'<m:f><m:num><m:r><m:t xml:space="preserve"> </m:t></m:r></m:num><m:den>{run("2")}</m:den></m:f>',
            [" ", ("", True), "2"],
            id="a space alone is nothing",
        ),
        pytest.param(f"{run('a')}<m:r><w:br/></m:r>", ["a", (None, False)], id="a line that ends at the formula's end is none"),
        pytest.param(
            FENCED.format("]", "[", run("a"), run("b")),
            [("]", True), "a", ("|", True), "b", ("[", True)],
            id="what stands round something in an unusual way is text",
        ),
    ],
)
def test_runs(inside, parts):
    assert runs(drawable(inside)) == [(part, False) if isinstance(part, str) else part for part in parts]


@pytest.mark.parametrize(
    "ending",
    [
        f"{run('a=b')}<m:r><w:br/></m:r>{run('=c')}",
        "<m:r><m:t>a=b</m:t><w:br/><m:t>=c</m:t></m:r>",
        f"{run('a=b')}<m:r><m:rPr><m:brk/></m:rPr><m:t>=c</m:t></m:r>",
    ],
)
def test_lines_are_rows(ending):
    (array,) = drawable(ending)
    assert array.tag == f"{_M}eqArr"
    assert ["".join(row.itertext()) for row in array.findall(f"{_M}e")] == ["a=b", "=c"]


def test_large_operators_that_nobody_knows_get_their_limits_otherwise():
    large = (
        '<m:nary><m:naryPr><m:chr m:val="⋃"/>{}</m:naryPr>'
        f"<m:sub>{run('i')}</m:sub><m:sup>{run('n')}</m:sup><m:e>{run('x')}</m:e></m:nary>"
    )
    above = drawable(large.format(""))
    assert above.find(f"{_M}limUpp/{_M}e/{_M}limLow/{_M}e/{_M}r/{_M}t").text == "⋃"
    assert above.find(f"{_M}nary") is None and above[-1].findtext(f"{_M}t") == "x"
    beside = drawable(large.format('<m:limLoc m:val="subSup"/>'))
    assert beside.find(f"{_M}sSup/{_M}e/{_M}sSub/{_M}sub/{_M}r/{_M}t").text == "i"


def test_known_large_operators_stay_and_what_is_empty_gets_a_text_without_signs():
    large = f'<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{run("i")}</m:sub><m:sup/><m:e>{run("x")}</m:e></m:nary>'
    root = drawable(large + f"<m:rad><m:deg/><m:e>{run('x')}</m:e></m:rad>")
    assert [part.getparent().getparent().tag for part in root.iter(f"{_M}r") if not part.findtext(f"{_M}t")] == [
        f"{_M}nary",
        f"{_M}rad",
    ]
    assert root.find(f"{_M}nary/{_M}sup/{_M}r/{_M}rPr/{_M}nor") is not None


def test_usual_fences_are_those_that_libreoffice_knows():
    usual = drawable(FENCED.format("\u2329", "\u232a", run("a"), run("b")))
    assert usual.find(f"{_M}d/{_M}dPr/{_M}begChr").get(f"{_M}val") == "⟨" and runs(usual) == [("a", False), ("b", False)]


def test_letters_of_an_alphabet_are_those_that_libreoffice_draws() -> None:
    look = '<m:rPr><m:scr m:val="{}"/><m:sty m:val="{}"/></m:rPr>'
    inside = "".join(
        f"<m:r>{look.format(*names)}<m:t>{text}</m:t></m:r>"
        for text, names in (
            ("gR1", ("fraktur", "p")),
            ("B2", ("script", "b")),
            ("R1", ("double-struck", "bi")),
            ("aé", ("roman", "b")),
        )
    )

    root = drawable(inside)

    assert [text for text, _ in runs(root)] == ["𝔤ℜ1", "𝓑2", "ℝ𝟙", "aé"]
    assert [look.tag for look in root.iterfind(f".//{_M}rPr/*")] == [f"{_M}scr", f"{_M}sty"]


def test_brace_that_is_a_limit_is_one_under_its_sum() -> None:
    limit = "<m:limLow><m:e><m:r><m:t>a+b</m:t></m:r></m:e><m:lim><m:r><m:t>⏟</m:t></m:r></m:lim></m:limLow>"

    (group,) = drawable(limit)

    assert group.tag == f"{_M}groupChr"
    assert [(e.tag.removeprefix(_M), e.get(f"{_M}val")) for e in group[0]] == [("chr", "⏟"), ("pos", "bot")]
    assert group.findtext(f"{_M}e/{_M}r/{_M}t") == "a+b"
