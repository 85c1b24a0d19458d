"""Answers about pages in the forms of all profiles: right ones, with long tables, lists and leaders of dots, and loops planted in
them."""

import random

from tests.inputs.udhr import UDHR

SCRIPTS = ("Latn", "Cyrl", "Arab", "Deva", "Hans", "Jpan", "Kore", "Thai", "Grek", "Hebr", "Geor", "Armn")
HEAD = "---\nprimary_language: en\nis_rotation_valid: True\nrotation_correction: 0\nis_table: False\nis_diagram: False\n---\n"
FORMS = ("grounded", "markdown", "front_matter", "mathpix", "region", "otsl")


def right(draw: random.Random) -> str:
    """A right answer, in one of the forms."""
    blocks = [block for block in (_block(draw) for _ in range(draw.randint(1, 9))) if block[1]]
    return written(draw, draw.choice(FORMS), blocks)


def written(draw: random.Random, form: str, blocks: list[tuple[str, str]]) -> str:
    if form == "grounded":
        tops = sorted(draw.sample(range(20, 950), len(blocks)))
        places = [f"[[{draw.randint(50, 200)}, {y}, {draw.randint(600, 950)}, {y + 40}]]" for y in tops]
        parts = (f"<|ref|>{label}<|/ref|><|det|>{at}<|/det|>\n{text}" for (label, text), at in zip(blocks, places, strict=True))
        return "\n\n".join(parts)
    texts = [text for _, text in blocks]
    if form == "front_matter":
        return HEAD + "\n\n".join(texts)
    if form == "mathpix":
        return "\n\n".join(_tabular(text) if text.startswith("<table") else text for text in texts)
    if form == "otsl":
        tables = [text for text in texts if text.startswith("<table")] or [_table(draw)]
        return tables[0].replace("<table>", "").replace("</table>", "").replace("<tr>", "").replace("</tr>", "<nl>").replace(
            "<td>", "<fcel>").replace("</td>", "")  # fmt: skip
    return draw.choice(texts) if form == "region" else "\n\n".join(texts)


def _sentence(draw: random.Random, text: str, is_cut: bool) -> str:
    unit = " " + _words(draw, draw.randint(5, 20))
    return text + unit * draw.randint(5, 60) + (unit[: draw.randrange(len(unit))] if is_cut else "")


def _word(draw: random.Random, text: str, is_cut: bool) -> str:
    unit = _words(draw, draw.randint(1, 2)) + " "
    return text + " " + unit * max(draw.randint(90, 900), 400 // len(unit))


def _line(draw: random.Random, text: str, is_cut: bool) -> str:
    return text + "\n" + f"{_words(draw, draw.randint(4, 9))}\n" * draw.randint(8, 120)


def _numbered(draw: random.Random, text: str, is_cut: bool) -> str:
    unit = _words(draw, draw.randint(4, 9))
    return text + "\n" + "".join(f"{n}. {unit}\n" for n in range(1, draw.randint(20, 200)))


def _row(draw: random.Random, text: str, is_cut: bool) -> str:
    row = "<tr>" + "".join(f"<td>{_words(draw, 2)}</td>" for _ in range(draw.randint(2, 6))) + "</tr>"
    return text + "\n<table>" + row * draw.randint(40, 200) + ("" if is_cut else "</table>")


def _cells(draw: random.Random, text: str, is_cut: bool) -> str:
    """Empty cells without an end: that it has none is all that tells."""
    return text + "\n<table><tr>" + "<td></td>" * draw.randint(300, 1500)


def _places(draw: random.Random, text: str, is_cut: bool) -> str:
    return text + "".join(
        f"\n\n<|ref|>text<|/ref|><|det|>[[{n % 900}, 10, 950, 40]]<|/det|>" for n in range(draw.randint(60, 300))
    )


def _signs(draw: random.Random, text: str, is_cut: bool) -> str:
    return text + " " + draw.choice((".", ". ", "_", "…", "- ")) * draw.randint(1500, 9000)


def _formula(draw: random.Random, text: str, is_cut: bool) -> str:
    return text + r" \[ x = " + r"\frac{a}{b} + " * draw.randint(40, 300)


_ALWAYS_CUT = (_cells, _places, _signs, _formula)
LOOPS = (_sentence, _sentence, _word, _line, _line, _numbered, _row, *_ALWAYS_CUT)


def planted(number: int, seed: int = 0) -> list[tuple[str, bool]]:
    """So many loops. What is no loop but for its missing end is always cut off."""
    found = []
    for n in range(number):
        draw = random.Random(f"loop {seed} {n}")
        plant = LOOPS[n % len(LOOPS)]
        is_cut = plant in _ALWAYS_CUT or draw.random() < 0.7
        found.append((plant(draw, right(draw), is_cut), is_cut))
    return found


def rights(number: int, seed: int = 0) -> list[str]:
    return [right(random.Random(f"right {seed} {n}")) for n in range(number)]


def _block(draw: random.Random) -> tuple[str, str]:
    label, make = draw.choice(
        (
            *(
                ("text", _paragraph),
                ("text", _paragraph),
                ("title", _title),
                ("table", _table),
                ("table", _equal),
                ("text", _list),
            ),
            *(("text", _leaders), ("text", _form), ("equation", _equation), ("text", _contents), ("text", _pipes)),
            *(("text", _exercises), ("text", _verse)),
        )
    )
    return label, make(draw)


def _paragraph(draw: random.Random) -> str:
    text = UDHR[draw.choice(SCRIPTS)][1]
    parts = text.replace("。", "。 ").split()
    draw.shuffle(parts)
    return " ".join([text, " ".join(parts[: draw.randrange(1, 12)])][: draw.randint(1, 2)])


def _title(draw: random.Random) -> str:
    return f"# {_words(draw, 4)}"


def _words(draw: random.Random, number: int) -> str:
    parts = UDHR[draw.choice(("Latn", "Cyrl", "Grek", "Arab", "Deva"))][1].split()
    return " ".join(draw.choices(parts, k=number))


def _table(draw: random.Random) -> str:
    """Numbers that mostly differ, with words before them."""
    rows, columns = draw.randint(2, 40), draw.randint(2, 8)
    body = "".join(
        f"<tr><td>{_words(draw, 1)}</td>"
        + "".join(f"<td>{draw.randint(0, 999)}.{draw.randint(0, 99):02}</td>" for _ in range(columns))
        + "</tr>"
        for _ in range(rows)
    )
    return f"<table>{body}</table>"


def _equal(draw: random.Random) -> str:
    """All cells are equal, or empty."""
    cell, rows, columns = draw.choice(("", "0", "-", "n/a", "x", "0.00", "yes")), draw.randint(3, 60), draw.randint(2, 12)
    return f"<table>{('<tr>' + f'<td>{cell}</td>' * columns + '</tr>') * rows}</table>"


def _pipes(draw: random.Random) -> str:
    columns = draw.randint(2, 6)
    rows = [f"| {' | '.join(str(draw.randint(0, 9)) for _ in range(columns))} |" for _ in range(draw.randint(3, 40))]
    return "\n".join([rows[0], "|" + "---|" * columns, *rows[1:]])


def _list(draw: random.Random) -> str:
    return "\n".join(f"{draw.choice('-*•')} {_words(draw, draw.randint(1, 7))}" for _ in range(draw.randint(3, 30)))


def _leaders(draw: random.Random) -> str:
    return "\n".join(f"{_words(draw, 3)} {'.' * draw.randint(10, 90)} {draw.randint(1, 400)}" for _ in range(draw.randint(3, 25)))


def _contents(draw: random.Random) -> str:
    return "\n".join(
        f"{n}.{m} {_words(draw, 2)}{' .' * 30} {7 * n + m}" for n in range(1, 5) for m in range(1, draw.randint(2, 8))
    )


def _form(draw: random.Random) -> str:
    """Lines to write on."""
    return "\n".join(
        [f"{_words(draw, 2)}:", *(draw.choice(("_", ".", "…")) * draw.randint(30, 90) for _ in range(draw.randint(2, 30)))]
    )


def _exercises(draw: random.Random) -> str:
    return "\n".join(f"{n}) {draw.randint(1, 99)} + {draw.randint(1, 99)} = ____" for n in range(1, draw.randint(5, 40)))


def _verse(draw: random.Random) -> str:
    """A refrain comes again, and not at once."""
    refrain = _words(draw, 6)
    return "\n".join(f"{_words(draw, 12)}\n{refrain}" for _ in range(draw.randint(2, 8)))


def _equation(draw: random.Random) -> str:
    terms = " + ".join(rf"\frac{{a_{{{n}}}}}{{x^{{{n}}}}}" for n in range(1, draw.randint(2, 9)))
    return rf"\[ y = {terms} \]"


def _tabular(html: str) -> str:
    rows = [
        row.split("</td><td>")
        for row in html.removeprefix("<table><tr><td>").removesuffix("</td></tr></table>").split("</td></tr><tr><td>")
    ]
    body = " \\\\ ".join(" & ".join(row) for row in rows)
    return f"\\begin{{tabular}}{{{'l' * len(rows[0])}}} {body} \\\\ \\end{{tabular}}"
