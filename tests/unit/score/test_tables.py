"""TEDS, LaTeX and boxes: cases whose values are known by hand."""

import pytest

from datagen.score import formulas, layout, tables
from datagen.score.layout import Counts, Placed


def table(*rows: str) -> str:
    return "<table>" + "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row.split('|'))}</tr>" for row in rows) + "</table>"


def test_a_table_equals_itself_however_its_head_is_written():
    head = "<table><thead><tr><th colspan='2'> A\n b</th></tr></thead><tbody><tr><td><b>c</b></td><td>d</td></tr></tbody></table>"
    body = (
        "<html><body><table border=1><tr><td colspan=2>A b</td></tr><tr><td>c</td><td rowspan=1>d</td></tr></table></body></html>"
    )
    assert tables.scores([head], [body]) == [(1.0, 1.0, False)]


WIDE = "<table><tr><td colspan=2>a</td></tr><tr><td>b</td><td>c</td></tr></table>"


@pytest.mark.parametrize(
    ("truth", "read", "teds", "structure"),
    [
        # A tree of seven: the table, two rows, four cells. A text that differs by half is half an edit, a missing cell one.
        (table("a|b", "c|de"), table("a|b", "c|dx"), 1 - 0.5 / 7, 1),
        (table("a|b", "c|d"), table("a|b", "c"), 1 - 1 / 7, 1 - 1 / 7),
        (WIDE, WIDE.replace(" colspan=2", ""), 1 - 1 / 6, 1 - 1 / 6),
        # By APTED, for all trees.
        (table("ab|cd", "ef|gh", "ij"), table("ef|gh", "ix"), 1 - 3.5 / 9, 6 / 9),
    ],
)
def test_teds_is_one_minus_edits_over_the_larger_tree(truth, read, teds, structure):
    assert tables.scores([truth], [read]) == [(pytest.approx(teds), pytest.approx(structure), False)]


@pytest.mark.parametrize("broken", ["", "<table></table>", "no table", "<table><tr></tr></table>", "<!-- a -->", "\x00", "<?x"])
def test_what_is_no_table_counts_as_broken(broken):
    assert tables.scores([table("a")], [broken]) == [(0.0, 0.0, True)]


def test_a_true_table_without_cells_is_said():
    with pytest.raises(ValueError, match="a table of the ground truth has no cells"):
        tables.scores(["<table></table>"], [table("a")])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"$$\frac12$$", r"\[\frac{1}{2}\]"),
        (r"{\bf B}^{L} = 0 = {\dot{\bf V}}^{L}.", r"\mathbf{B}^L=0=\dot{\mathbf{V}}^{L}"),
        (r"\mathrm{sin}\, \theta \tag{3}", r"\sin\theta"),
        (r"\begin{aligned} a &= b \end{aligned}", r"a=b"),
    ],
)
def test_one_formula_written_in_two_ways_is_one(one, other):
    assert formulas.normalised(one) == formulas.normalised(other)


LEFT, RIGHT = (0.0, 0.0, 0.4, 1.0), (0.5, 0.0, 1.0, 1.0)


def test_f1_needs_the_label_and_one_partner_each():
    truth = [Placed("text", LEFT), Placed("text", RIGHT), Placed("table", RIGHT)]
    predicted = [Placed("text", LEFT), Placed("text", LEFT), Placed("title", RIGHT)]
    counts = layout.counts(truth, predicted)
    assert counts == {"table": Counts(0, 1, 0), "text": Counts(1, 2, 2), "title": Counts(0, 0, 1)}
    assert layout.f1(counts.values()) == 2 / 6
    assert layout.f1([]) == 0


def test_average_precision():
    """Of two true boxes one is found first: precision is 1 up to recall 0.5, and 0 beyond, at 51 of COCO's 101 points."""
    pages = [([Placed("text", LEFT), Placed("text", RIGHT)], [Placed("text", LEFT, 0.9)]), ([], [])]
    detection = layout.Detection(pages)
    assert detection.average_precision([0, 1]) == {"text": pytest.approx(51 / 101)}
    assert detection.average_precision([0, 0]) == {"text": pytest.approx(51 / 101)}  # a page that is drawn twice
    assert detection.mean([1]) == 0  # a page without a label has no say
