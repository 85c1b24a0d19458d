"""Word documents of many kinds, drawn by a seed, with what is true of each: for tests of what reads them."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from tests.inputs.samples import encoded
from tests.inputs.word import formulas as maths
from tests.inputs.word import xml as xml

_WORDS = {
    "en": "the river sold quiet lamps under seven green bridges while old maps turned slowly into paper boats and rain".split(),
    "de": "der Fluss trägt über sieben grüne Brücken alte Karten und größere Häuser während Regen leise fällt".split(),
    "ru": "река несёт старые карты под семью зелёными мостами пока дождь тихо падает на крыши домов".split(),
    "ar": "النهر يحمل الخرائط القديمة تحت سبعة جسور خضراء بينما المطر يهطل بهدوء على البيوت".split(),
    "he": "הנהר נושא מפות ישנות מתחת לשבעה גשרים ירוקים בזמן שהגשם יורד בשקט על הבתים".split(),
    "hi": "नदी पुराने नक्शे सात हरे पुलों के नीचे ले जाती है जबकि बारिश घरों पर धीरे गिरती है".split(),
}
_CHARS = {
    "zh": "我们在这个系统中研究方程与矩阵的基本性质并说明如何计算函数值河水流过绿色桥梁雨声轻落屋顶",
    "ja": "この系では方程式と行列の基本的な性質をしらべ関数の値をもとめる方法をのべる雨がしずかに降る",
}
LANGUAGES = (*_WORDS, *_CHARS)
RIGHT_TO_LEFT = ("ar", "he")
_FONTS = {"ar": "Amiri", "he": "David CLM", "hi": "FreeSans", "zh": "Noto Sans CJK SC", "ja": "Noto Sans CJK JP"}

Spans = tuple[tuple[tuple[int, int], ...], ...]
"""Of a table: for each row, the (rowspan, colspan) of the cells that begin in it."""


@dataclass
class WordDocument:
    """A file and what is true of it.

    `formulas`: the m:t texts of each, in the order of the main part, then the notes. `tables`: their spans, nested ones behind
    the one that they are in. `shown` is text that some page shows, `hidden` what none does."""

    path: Path
    language: str
    formulas: list[tuple[str, ...]] = field(default_factory=list)
    tables: list[Spans] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)


def documents(folder: Path, num: int, first: int = 0) -> list[WordDocument]:
    """`num` documents of the seeds from `first` on, written into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return [document(folder / f"document-{seed:03}.docx", seed) for seed in range(first, first + num)]


def document(path: Path, seed: int) -> WordDocument:
    """The document of a seed. Languages take turns; what is in it is drawn."""
    rng = random.Random(f"word-{seed}")
    writer = _Writer(WordDocument(path, LANGUAGES[seed % len(LANGUAGES)]), rng)
    body = [writer.heading(1)]
    parts = [writer.prose] * 3 + [
        *(
            writer.items,
            writer.code,
            writer.displayed,
            writer.displayed,
            writer.table,
            writer.tracked,
            writer.noted,
            writer.boxed,
        ),
        *(writer.captioned, writer.nested, writer.long_table, writer.columns, writer.landscape),
    ]
    for part in rng.sample(parts, rng.randint(6, len(parts))):
        if rng.random() < 0.3:
            body.append(writer.heading(rng.randint(2, 3)))
        body.append(part())
    running = rng.random() < 0.6
    header = footer = ""
    if running:
        header = xml.paragraph(xml.run(writer.shown(writer.sentence(3))), look=writer.look)
        footer = xml.paragraph(xml.run("- "), xml.field("PAGE", "7"), xml.run(" -"), look='<w:jc w:val="center"/>')
    writer.document.formulas += writer.in_notes
    xml.write_docx(
        path,
        "".join(body) + xml.section(running=running),
        footnotes="".join(writer.footnotes),
        header=header,
        footer=footer,
        picture_png=encoded(Image.linear_gradient("L").resize((120, 80)), "PNG"),
        font=_FONTS.get(writer.document.language, "DejaVu Sans"),
    )
    return writer.document


class _Writer:
    def __init__(self, document: WordDocument, rng: random.Random):
        self.document = document
        self.rng = rng
        self.footnotes: list[str] = []
        self.in_notes: list[tuple[str, ...]] = []
        self.is_rtl = document.language in RIGHT_TO_LEFT
        self.look = "<w:bidi/>" if self.is_rtl else ""

    # Text

    def sentence(self, num_words: int = 0) -> str:
        num_words = num_words or self.rng.randint(6, 16)
        if self.document.language in _CHARS:
            return "".join(self.rng.choices(_CHARS[self.document.language], k=2 * num_words)) + "。"
        words = self.rng.choices(_WORDS[self.document.language], k=num_words)
        return " ".join(words).capitalize() + ("।" if self.document.language == "hi" else ".")

    def shown(self, text: str) -> str:
        self.document.shown.append(text)
        return text

    def run(self, text: str, marks: str = "") -> str:
        return xml.run(text, marks + ("<w:rtl/>" if self.is_rtl else ""))

    def paragraph(self, *inside: str, style: str = "", look: str = "") -> str:
        return xml.paragraph(*inside, style=style, look=look + self.look)

    def formula(self) -> maths.Omml:
        omml = maths.random_formula(self.rng)
        self.document.formulas.append(omml[1])
        return omml

    # Blocks

    def heading(self, level: int) -> str:
        return self.paragraph(self.run(self.shown(self.sentence(4))), style=f"Heading{level}")

    def prose(self) -> str:
        blocks = []
        for _ in range(self.rng.randint(1, 4)):
            parts = []
            for _ in range(self.rng.randint(2, 6)):
                parts.append(self.run(self.shown(self.sentence()) + " ", self.rng.choice(("", "", "", "<w:b/>", "<w:i/>"))))
                if self.rng.random() < 0.4:
                    parts += [maths.inline(self.formula()), self.run(" ")]
            blocks.append(self.paragraph(*parts))
        return "".join(blocks)

    def items(self) -> str:
        number = self.rng.randint(1, 3)
        sentences = [self.shown(self.sentence(5)) for _ in range(self.rng.randint(2, 5))]
        return "".join(
            xml.item(self.run(s), number=number, depth=1 + (n > 1 and self.rng.random() < 0.4), look=self.look)
            for n, s in enumerate(sentences)
        )

    def code(self) -> str:
        lines = [f"{'    ' * (n % 3)}call_{self.rng.randint(10, 99)}(x{n})" for n in range(self.rng.randint(2, 5))]
        self.document.shown += [line.strip() for line in lines]
        return "".join(xml.paragraph(xml.run(line), style="Code") for line in lines)

    def displayed(self) -> str:
        return self.paragraph(maths.display(*(self.formula() for _ in range(self.rng.choice((1, 1, 1, 2))))))

    def tracked(self) -> str:
        self.document.hidden += ["GONE7734", "UNSEEN5518"]
        return self.paragraph(
            self.run(self.shown(self.sentence()) + " "),
            xml.deleted("GONE7734 "),
            xml.inserted(self.run(self.shown(self.sentence()) + " ")),
            self.run("UNSEEN5518 ", "<w:vanish/>"),
            self.run(self.shown(self.sentence())),
        )

    def noted(self) -> str:
        number = len(self.footnotes) + 1
        inside = [self.run(self.shown(self.sentence()))]
        if self.rng.random() < 0.4:
            omml = maths.random_formula(self.rng)
            self.in_notes.append(omml[1])
            inside += [self.run(" "), maths.inline(omml)]
        self.footnotes.append(xml.note("footnote", number, *inside))
        return self.paragraph(self.run(self.shown(self.sentence())), xml.note_sign("footnote", number))

    def boxed(self) -> str:
        box = xml.text_box(self.paragraph(self.run(self.shown(self.sentence(6)))))
        return self.paragraph(self.run(self.shown(self.sentence(10))), box) + self.prose()

    def captioned(self) -> str:
        caption = self.paragraph(
            self.run("Figure "), xml.field("SEQ Figure", "4"), self.run(" " + self.shown(self.sentence(5))), style="Caption"
        )
        return xml.paragraph(xml.picture(), look="<w:keepNext/>") + caption

    # Tables

    def table(self) -> str:
        return self._table(self.rng.randint(2, 6), self.rng.randint(2, 5))

    def long_table(self) -> str:
        return self._table(self.rng.randint(25, 45), self.rng.randint(2, 4), head=1)

    def nested(self) -> str:
        return self._table(2, 2, is_nested=True)

    def _table(self, num_rows: int, num_columns: int, head: int = 0, is_nested: bool = False, width_pt: int = 420) -> str:
        spans = self._spans(num_rows, num_columns, head)
        self.document.tables.append(tuple(tuple(span for _, span in row) for row in spans))
        rows = []
        for n, row in enumerate(spans):
            cells = []
            for k, (_, (rowspan, colspan)) in enumerate(row):
                inner = self._table(2, 2, width_pt=180) if is_nested and n == k == 1 else ""
                cells.append((inner + self._cell(), rowspan, colspan))
            rows.append(cells)
        look = "<w:bidiVisual/>" if self.is_rtl else ""
        return xml.table(rows, head=head, look=look, width_pt=width_pt) + self.paragraph()

    def _cell(self) -> str:
        text = self.shown(self.sentence(self.rng.randint(1, 3)))
        parts = [self.run(text)]
        if self.rng.random() < 0.15:
            parts += [self.run(" "), maths.inline(self.formula())]
        return self.paragraph(*parts)

    def _spans(self, num_rows: int, num_columns: int, head: int) -> list[list[tuple[int, tuple[int, int]]]]:
        """For each row the cells that begin in it, with their columns: some span a few rows or columns."""
        taken: set[tuple[int, int]] = set()
        rows: list[list[tuple[int, tuple[int, int]]]] = []
        for r in range(num_rows):
            row: list[tuple[int, tuple[int, int]]] = []
            for c in range(num_columns):
                if (r, c) in taken:
                    continue
                rowspan = colspan = 1
                if r >= head and num_columns > 1 and self.rng.random() < 0.2:
                    rowspan = min(num_rows - r, self.rng.choice((1, 2, 3)))
                    colspan = min(num_columns - c, self.rng.choice((1, 1, 2)))
                    while any((r, c + k) in taken for k in range(colspan)):
                        colspan -= 1
                    if colspan == num_columns:
                        rowspan = 1
                taken |= {(r + i, c + k) for i in range(rowspan) for k in range(colspan)}
                row.append((c, (rowspan, colspan)))
            if not row:  # all of it hangs from above, which no HTML shows
                return self._spans(num_rows, num_columns, head)
            rows.append(row)
        return rows

    # Sections

    def columns(self) -> str:
        before = xml.paragraph(look=xml.section(kind="nextPage"))
        prose: Callable[[], str] = self.prose
        return before + "".join(prose() for _ in range(4)) + xml.paragraph(look=xml.section(columns=2, kind="continuous"))

    def landscape(self) -> str:
        before = xml.paragraph(look=xml.section(kind="nextPage"))
        return before + self.prose() + self.table() + xml.paragraph(look=xml.section(is_landscape=True, kind="nextPage"))
