"""Tables as models write them: LaTeX and OTSL, into HTML."""

import pytest

from datagen.tables.cells import to_html
from datagen.tables.markup import from_otsl, read
from datagen.tables.tabular import to_table


@pytest.mark.parametrize(
    ("latex", "html"),
    [
        (
            r"""\begin{tabular}{|l|c|}
            \hline Name & Share (\%) \\
            \hline A \& B & 5\_0 \\
            \hline
            \end{tabular}""",
            "<table><tr><td>Name</td><td>Share (%)</td></tr><tr><td>A &amp; B</td><td>5_0</td></tr></table>",
        ),
        (
            r"\begin{tabular}{lll} \multirow{2}{*}{a} & \multicolumn{2}{c|}{b} \\ \cline{2-3} & c & d \\ \end{tabular}",
            '<table><tr><td rowspan="2">a</td><td colspan="2">b</td></tr><tr><td>c</td><td>d</td></tr></table>',
        ),
        (
            r"\begin{tabular}{ll} \multicolumn{1}{|c|}{\multirow[t]{2}{2cm}{a}} & b \\"
            r" \multicolumn{1}{|c|}{} & c \\ \end{tabular}",
            '<table><tr><td rowspan="2">a</td><td>b</td></tr><tr><td>c</td></tr></table>',
        ),
        (
            r"\begin{tabular}{l} \begin{tabular}{l} one \\ two \end{tabular} \\ \makecell[l]{three \\ four} \\ \end{tabular}",
            "<table><tr><td>one<br>two</td></tr><tr><td>three<br>four</td></tr></table>",
        ),
        (
            r"\begin{tabular}{ll} \textbf{Total} & \textcolor{red}{5} \\ \(x_{1} < 2\) & $\frac{a}{b}$ \quad c \\ \end{tabular}",
            r"<table><tr><td>Total</td><td>5</td></tr><tr><td>\(x_{1} &lt; 2\)</td><td>$\frac{a}{b}$ c</td></tr></table>",
        ),
        (r"\begin{tabular}{lll} a & b & c \\ d \\ \end{tabular}", None),
    ],
)
def test_a_tabular_is_a_table(latex, html):
    if html is None:
        html = "<table><tr><td>a</td><td>b</td><td>c</td></tr><tr><td>d</td><td></td><td></td></tr></table>"
    assert to_html(to_table(latex)) == html
    assert to_html(read(f"```latex\n{latex}\n```")) == html


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        ("a & b", "no tabular"),
        (r"\begin{tabular}{l} a \\ b", "isn't closed"),
        (r"\begin{tabular}{l} {a \\ \end{tabular}", "brace"),
        (r"\begin{tabular}{c}1\end{tabular} \begin{tabular}{c}2\end{tabular}", "more than one"),
        (r"\begin{tabular}{c}\hline\end{tabular}", "no cells"),
        (r"\begin{tabular}{ll} \multirow{2}{*}{a} & b \\ c & d \\ \end{tabular}", "stands on one that spans rows"),
        (r"\begin{tabular}{ll} \multicolumn{x}{c}{a} \\ \end{tabular}", "spans 'x'"),
        (r"\begin{tabular}{l}" + r"\multicolumn{9999}{c}{a} & " * 20 + r"\end{tabular}", "slots"),
    ],
)
def test_what_is_no_whole_tabular_is_refused(latex, message):
    with pytest.raises(ValueError, match=message):
        to_table(latex)


@pytest.mark.parametrize(
    ("otsl", "html"),
    [
        ("<fcel>a<fcel>b<nl><fcel>1<ecel><nl>", "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td></td></tr></table>"),
        (
            "<ched>A<lcel><ched>B<nl><ucel><xcel><fcel>c<nl><fcel>1<fcel>2<nl>",
            '<table><tr><td rowspan="2" colspan="2">A</td><td>B</td></tr><tr><td>c</td></tr>'
            "<tr><td>1</td><td>2</td><td></td></tr></table>",
        ),
    ],
)
def test_otsl_is_a_table(otsl, html):
    assert to_html(read(otsl)) == html


@pytest.mark.parametrize(
    "otsl",
    [
        *("<lcel><fcel>a<nl>", "x<fcel>a", "<fcel>a<lcel>b<nl>", "<fcel>a<lcel><nl><ucel><fcel>b<nl>"),
        *("<nl>", "<fcel>a<nl><xcel><nl>"),
    ],
)
def test_otsl_whose_spans_are_no_rectangles_is_refused(otsl):
    with pytest.raises(ValueError, match=r"text stands|rectangles|two cells cover|a table of 0 rows"):
        to_html(from_otsl(otsl))
