"""How pages are laid out: each function sets one sheet, in the language of its prose."""

from typing import Any

from datagen.drawing.sheet import Column, Flow, Sheet, columns
from datagen.tables.cells import Cell, Table
from tests.typeset.tables import set_table

CODE = '''def merge(left, right):
    """Two sorted lists as one."""
    merged = []
    while left and right:
        source = left if left[0] <= right[0] else right
        merged.append(source.pop(0))
    return merged + left + right


def merge_sort(values):
    if len(values) < 2:
        return values
    middle = len(values) // 2
    first, second = values[:middle], values[middle:]
    return merge(merge_sort(first), merge_sort(second))'''
FORMULAS = (
    ("E = <i>mc</i><sup>2</sup>", "E=mc^{2}"),
    ("<i>a</i><sup>2</sup> + <i>b</i><sup>2</sup> = <i>c</i><sup>2</sup>", "a^{2}+b^{2}=c^{2}"),
    ("<i>x</i><sub>n+1</sub> = <i>x</i><sub>n</sub> + 2<i>y</i><sub>n</sub>", "x_{n+1}=x_{n}+2y_{n}"),
)
_GOODS = {
    "en": ("Goods Number Price Sum", "Paper Ink Type Lead Glue Thread Cloth Board", "First quarter", "Table {}. "),
    "de": ("Ware Menge Preis Summe", "Papier Tinte Lettern Blei Leim Faden Leinen Pappe", "Erstes Quartal", "Tabelle {}. "),
    "zh": ("货物 数量 单价 总价", "纸张 墨水 铅字 胶水 棉线 布料 木板 机油", "第一季度", "表{} "),
}
"""By language: what columns are called, goods, a head above all columns, and how captions begin."""


def head_and_foot(sheet: Sheet, head: str, page: int, align: str = "center") -> None:
    width, height = sheet.size_pt
    sheet.text("header", head, 56, 28, width - 112, 8.5, ordered=False, italic=sheet.prose.lang == "en", align=align)
    sheet.text("page_number", str(page), 56, height - 36, width - 112, 9, ordered=False, align="center")


def body(flow: Flow, size: float, least: int, num: int = 99, **how: Any) -> None:
    """Paragraphs, until there are `num` or the columns are full."""
    for _ in range(num):
        if flow.is_full:
            return
        flow.text("text_block", flow.sheet.prose.paragraph(least), size, gap=size * 0.6, **how)


def sections(flow: Flow, size: float, least: int, most: int, num: int = 99, per: int = 2, **how: Any) -> None:
    """Headings, each with `per` paragraphs."""
    for _ in range(num):
        if flow.is_full:
            return
        flow.text("title", flow.sheet.prose.heading(most), size * 1.25, weight=700, gap=size * 0.4, together=5 * size)
        body(flow, size, least, per, **how)
        flow.skip(size * 0.6)


def article(sheet: Sheet) -> None:
    """One column under a title, with a running head."""
    head_and_foot(sheet, sheet.prose.heading(46), 12)
    flow = Flow(sheet, [Column(70, 70, 455, 780)])
    flow.text("title", sheet.prose.heading(50), 20, weight=700, gap=14)
    sections(flow, 11, 420, 44, justify=True)


def paper(sheet: Sheet) -> None:
    """A paper: title, authors and abstract above two columns, a formula, a footnote."""
    head_and_foot(sheet, "Proceedings of the Society, vol. 7", 341)
    above = Flow(sheet, [Column(50, 56, 495, 300)])
    above.text("title", sheet.prose.heading(60), 18, weight=700, align="center", gap=6)
    above.text("text_block", "A. Miller, B. Ochieng and C. Tanaka", 10.5, align="center", gap=10)
    above.text("text_block", "Abstract. " + sheet.prose.paragraph(380), 9, italic=True, justify=True, gap=14)
    flow = Flow(sheet, columns(50, above.y, 495, 748, 2, 22))
    flow.text("title", "1 Introduction", 12, weight=700, gap=4, together=30)
    body(flow, 9.5, 300, 2, justify=True)
    for number, (markup, latex) in enumerate(FORMULAS, 1):
        x, width, top = flow.column.x, flow.column.width, flow.y
        flow.text(
            "equation_isolated", "x", 11, markup=markup, align="center", gap=7, together=30, values={"latex": f"$${latex}$$"}
        )
        if flow.column.x == x:
            sheet.text("equation_caption", f"({number})", x + width - 20, top, 20, 10)
        body(flow, 9.5, 200, 1, justify=True)
    sections(flow, 9.5, 300, 30, justify=True)
    sheet.rule(50, 756, 150, 756)
    sheet.text("page_footnote", "1 " + sheet.prose.paragraph(60)[:150].rpartition(" ")[0] + ".", 50, 760, 495, 7.5)


def newsletter(sheet: Sheet) -> None:
    """Three columns under a banner, with a rule between them."""
    sheet.fill((0, 0, sheet.size_pt[0], 70), (0.86, 0.9, 0.96))
    sheet.text("title", sheet.prose.heading(34), 40, 20, 515, 26, weight=700)
    cols = columns(40, 96, 515, 790, 3, 20)
    for column in cols[1:]:
        sheet.rule(column.x - 10, 96, column.x - 10, 790, 0.4)
    sections(Flow(sheet, cols), 9, 220, 28)
    sheet.text("footer", "Published monthly by the Union of Readers", 40, 806, 515, 8, ordered=False, align="center")


def newspaper(sheet: Sheet) -> None:
    """Articles of several widths, each with its headline above its columns; a picture with a caption in the first. Of a script
    that runs from the right, all of that is mirrored."""
    across, width = sheet.size_pt[0], sheet.size_pt[0] - 80
    is_english, space = sheet.prose.lang == "en", sheet.prose.lang[:2] not in ("zh", "ja", "th", "km", "my", "lo")
    sheet.text(
        "header", "THE DAILY RECORD" if is_english else sheet.prose.heading(22 if space else 6), 40, 22, 200, 10,
        ordered=False, weight=700,
    )  # fmt: skip
    date = "Friday, 27 May 1988" if is_english else "27.5.1988" if space else "1988年5月27日"
    sheet.text("header", date, 440, 22, width - 400, 9, ordered=False, align="right")
    sheet.rule(40, 40, 40 + width, 40, 1.5)
    big = 30 if is_english else 20 if space else 15

    def piece(x: float, top: float, w: float, bottom: float, num: int, size: float, most: int, picture: float = 0) -> None:
        x = across - x - w if sheet.rtl else x
        flow = Flow(sheet, [Column(x, top, w, bottom)])
        flow.text("title", sheet.prose.heading(most), size, weight=700, gap=5, leading=1.15)
        cols = columns(x, flow.y, w, bottom, num, 12, sheet.rtl)
        inner = Flow(sheet, cols)
        if picture:
            inner.picture(picture)
            inner.text("figure_caption", sheet.prose.heading(60 if space else 24), 7.5, italic=is_english, gap=6)
        body(inner, 8.5, 200 if space else 80, justify=space)

    def rule(x0: float, y0: float, x1: float, y1: float) -> None:
        sheet.rule(across - x0 if sheet.rtl else x0, y0, across - x1 if sheet.rtl else x1, y1)

    piece(40, 50, width, 360, 4, big, 60 if space else 22, picture=90)
    rule(40, 368, 40 + width, 368)
    left = width * 0.62
    piece(40, 376, left - 10, 790, 3, big * 0.66, 50 if space else 20)
    rule(40 + left, 376, 40 + left, 790)
    piece(50 + left, 376, width - left - 10, 570, 2, big * 0.5, 40 if space else 16)
    rule(50 + left, 576, 40 + width, 576)
    piece(50 + left, 582, width - left - 10, 790, 2, big * 0.5, 40 if space else 16)


def sidebar(sheet: Sheet) -> None:
    """A text with a tinted box beside it, which is read behind it."""
    head_and_foot(sheet, sheet.prose.heading(40), 58, "right")
    flow = Flow(sheet, [Column(50, 64, 320, 780)])
    flow.text("title", sheet.prose.heading(40), 19, weight=700, gap=10)
    sections(flow, 10.5, 300, 34)
    sheet.fill((392, 64, 555, 600), (0.95, 0.92, 0.84))
    aside = Flow(sheet, [Column(404, 78, 139, 590)])
    aside.text("title", sheet.prose.heading(26), 12, weight=700, gap=6)
    body(aside, 8.5, 130)


def figures(sheet: Sheet) -> None:
    """Two columns with pictures and their captions in both, and one across."""
    head_and_foot(sheet, sheet.prose.heading(44), 7)
    spaced = sheet.prose.lang[:2] not in ("zh", "ja", "th")
    flow = Flow(sheet, columns(50, 64, 495, 560, 2, 22))
    for number in (1, 2):
        body(flow, 10, 200 if spaced else 100, 2)
        flow.picture(95)
        label = f"Fig. {number}. " if spaced else f"图{number} "
        flow.text("figure_caption", label + sheet.prose.heading(70 if spaced else 24), 8.5, gap=10)
    body(flow, 10, 260 if spaced else 100)
    wide = Flow(sheet, [Column(50, 580, 495, 790)])
    wide.picture(150)
    wide.text(
        "figure_caption", ("Fig. 3. " if spaced else "图3 ") + sheet.prose.heading(90 if spaced else 30), 8.5, align="center"
    )


def footnotes(sheet: Sheet) -> None:
    """A page of a book: one column, a chapter's title, three footnotes in small print."""
    sheet.text("header", sheet.prose.heading(36), 90, 40, 300, 9, ordered=False)
    sheet.text("page_number", "217", 440, 40, 65, 9, ordered=False, align="right")
    flow = Flow(sheet, [Column(90, 80, 415, 640)])
    flow.text("title", sheet.prose.heading(30), 18, weight=700, align="center", gap=18)
    body(flow, 11, 380, justify=True, indent_pt=16)
    sheet.rule(90, 652, 190, 652)
    notes = Flow(sheet, [Column(90, 660, 415, 790)])
    for number in (1, 2, 3):
        notes.text("page_footnote", f"{number} " + sheet.prose.heading(150), 8, gap=3)


def lists(sheet: Sheet) -> None:
    """Bulleted and numbered items between paragraphs, with hanging indents."""
    head_and_foot(sheet, sheet.prose.heading(40), 3, "left")
    flow = Flow(sheet, [Column(64, 70, 467, 780)])
    flow.text("title", sheet.prose.heading(40), 17, weight=700, gap=10)
    spaced = sheet.prose.lang[:2] not in ("zh", "ja", "th")
    marks = ("• ", "• ", "• ", "1. ", "2. ", "3. ", "4. ")
    for number, mark in enumerate(marks):
        if number in (0, 3):
            body(flow, 11, 250 if spaced else 90, 1)
        flow.text("text_block", mark + sheet.prose.heading(160 if spaced else 60), 11, indent_pt=-14, gap=5, together=12)
    sections(flow, 11, 300 if spaced else 110, 34 if spaced else 16)


def _priced(sheet: Sheet, num: int, above: str = "") -> Table:
    """A table of prices: a row of heads, below a cell `above` all columns if there is one, and `num` goods."""
    draw = sheet.prose.random
    heads, goods = (words.split() for words in _GOODS[sheet.prose.lang[:2]][:2])
    rows = [heads]
    for good in goods[:num]:
        amount, price = draw.randint(2, 60), draw.randint(100, 9900) / 100
        rows.append([good, str(amount), f"{price:.2f}", f"{amount * price:,.2f}"])
    first = 1 if above else 0
    cells = [
        Cell(row + first, column, text, is_header=not row)
        for row, of_row in enumerate(rows)
        for column, text in enumerate(of_row)
    ]
    return Table(tuple([Cell(0, 0, above, 1, 4, True)] * first + cells))


def tables(sheet: Sheet) -> None:
    """A ruled and a three-line table with captions, in running text."""
    head_and_foot(sheet, sheet.prose.heading(40), 95)
    chinese = sheet.prose.lang.startswith("zh")
    _, _, above, caption = _GOODS[sheet.prose.lang[:2]]
    flow = Flow(sheet, [Column(60, 66, 475, 790)])
    flow.text("title", sheet.prose.heading(16 if chinese else 38), 16, weight=700, gap=8)
    body(flow, 10.5, 110 if chinese else 320, 1)
    for number, look in ((1, "ruled"), (2, "three-line")):
        flow.text("table_caption", caption.format(number) + sheet.prose.heading(20 if chinese else 60), 9, gap=4, together=150)
        head = above if number == 1 else ""
        flow.y = set_table(sheet, _priced(sheet, 6, head), 100, flow.y, (130, 85, 85, 95), 9.5, look) + 14
        body(flow, 10.5, 110 if chinese else 260, 1)
    sections(flow, 10.5, 100 if chinese else 260, 14 if chinese else 34)


def code(sheet: Sheet) -> None:
    """A listing in a tinted box between paragraphs."""
    head_and_foot(sheet, "Chapter 4. Sorting", 88)
    flow = Flow(sheet, [Column(64, 66, 467, 790)])
    flow.text("title", "4.2 Merging two lists", 16, weight=700, gap=8)
    body(flow, 11, 330, 2)
    top = flow.y
    flow.skip(6)
    flow.text("code_txt", CODE, 9, family="DejaVu Sans Mono", leading=1.25, together=40)
    flow.skip(6)
    sheet.fill((56, top, 540, flow.y), (0.93, 0.93, 0.93))
    flow.skip(12)
    sections(flow, 11, 300, 34)


def exam(sheet: Sheet) -> None:
    """Numbered questions with four answers each, in two columns, with a line for a name."""
    chinese = sheet.prose.lang.startswith("zh")
    sheet.text("title", sheet.prose.heading(12 if chinese else 40), 60, 40, 475, 16, weight=700, align="center")
    line = (
        "姓名：__________ 班级：__________ 分数：__________"
        if chinese
        else "Name: ______________ Class: __________ Score: ______"
    )
    sheet.text("text_block", line, 60, 72, 475, 10)
    flow = Flow(sheet, columns(50, 100, 495, 785, 2, 26))
    number = 0
    while not flow.is_full and number < 14:
        number += 1
        text = sheet.prose.paragraph(30 if chinese else 90)[: 60 if chinese else 170]
        text = text if chinese else text.rpartition(" ")[0]
        flow.text("text_block", f"{number}. {text}?", 10, gap=3, together=70)
        for letter in "ABCD":
            flow.text("text_block", f"{letter}. {sheet.prose.heading(14 if chinese else 34)}", 10, gap=1.5, together=4)
        flow.skip(7)
    sheet.text("footer", "第1页 共4页" if chinese else "Page 1 of 4", 50, 808, 495, 8.5, ordered=False, align="center")


def slide(sheet: Sheet) -> None:
    """A slide: a title on a coloured band, items in large print, a picture beside them."""
    width, height = sheet.size_pt
    chinese = sheet.prose.lang.startswith("zh")
    sheet.fill((0, 0, width, height), (0.98, 0.98, 0.95))
    sheet.fill((0, 0, width, 70), (0.1, 0.25, 0.45))
    sheet.text("title", sheet.prose.heading(14 if chinese else 34), 36, 16, width - 72, 26, weight=700, colour=(1, 1, 1))
    flow = Flow(sheet, [Column(40, 96, width * 0.52, height - 40)])
    for _ in range(4):
        flow.text("text_block", "• " + sheet.prose.heading(34 if chinese else 80), 15, gap=12, indent_pt=-14, together=1)
    sheet.picture(width * 0.64, 110, width * 0.3, 170)
    sheet.text("figure_caption", sheet.prose.heading(14 if chinese else 36), width * 0.64, 288, width * 0.3, 10)
    sheet.text("page_number", "9", width - 60, height - 30, 30, 11, ordered=False, align="right")


def two_columns(sheet: Sheet) -> None:
    """Two columns under a title across, in the direction of the script."""
    short = sheet.prose.lang[:2] in ("zh", "ja", "ko", "th")
    head_and_foot(sheet, sheet.prose.heading(18 if short else 44), 46)
    above = Flow(sheet, [Column(50, 62, 495, 200)])
    above.text("title", sheet.prose.heading(16 if short else 44), 19, weight=700, align="center", gap=12)
    flow = Flow(sheet, columns(50, above.y, 495, 785, 2, 24, sheet.rtl))
    sections(flow, 10.5, 110 if short else 280, 14 if short else 34)


def plain(sheet: Sheet) -> None:
    """One column of paragraphs under a heading."""
    short = sheet.prose.lang[:2] in ("zh", "ja", "ko", "th")
    head_and_foot(sheet, sheet.prose.heading(18 if short else 40), 5)
    flow = Flow(sheet, [Column(72, 72, 451, 780)])
    flow.text("title", sheet.prose.heading(20 if short else 40), 18, weight=700, gap=12)
    sections(flow, 12, 130 if short else 330, 16 if short else 36)


def magazine(sheet: Sheet) -> None:
    """A picture across, a title below it, three columns, and a quotation in large print between rules in the middle one."""
    sheet.picture(0, 0, sheet.size_pt[0], 250)
    sheet.text("figure_caption", sheet.prose.heading(70), 40, 256, 515, 8, italic=True)
    above = Flow(sheet, [Column(40, 278, 515, 400)])
    above.text("title", sheet.prose.heading(40), 26, weight=700, gap=6)
    above.text("text_block", sheet.prose.heading(120), 12, italic=True, gap=12)
    first, second, third = columns(40, above.y, 515, 785, 3, 18)
    body(Flow(sheet, [first]), 9.5, 240)
    quote = Flow(sheet, [second])
    body(quote, 9.5, 200, 2)
    quote.skip(8)
    sheet.rule(second.x, quote.y, second.x + second.width, quote.y, 1.5)
    quote.skip(8)
    quote.text("text_block", sheet.prose.heading(90), 15, weight=700, align="center", gap=8)
    sheet.rule(second.x, quote.y, second.x + second.width, quote.y, 1.5)
    quote.skip(14)
    body(quote, 9.5, 240)
    body(Flow(sheet, [third]), 9.5, 240)
    sheet.text("page_number", "64", 40, 806, 515, 9, ordered=False, align="left")


def letter(sheet: Sheet) -> None:
    """A letter with a bill: addresses, a date, a table of prices without rules, a signature, a foot."""
    flow = Flow(sheet, [Column(72, 60, 250, 300)])
    flow.text("text_block", "Druckerei Vogel & Söhne\nLindenstraße 14\n10969 Berlin", 10, gap=26)
    flow.text("text_block", "Frau Dr. Erika Baumann\nAm Markt 3\n04109 Leipzig", 11, gap=20)
    sheet.text("text_block", "Berlin, 12. März 2019", 360, 190, 165, 11, align="right")
    main = Flow(sheet, [Column(72, 232, 451, 740)])
    main.text("title", "Rechnung Nr. 2019-0417", 14, weight=700, gap=10)
    body(main, 11, 260, 1)
    main.y = set_table(sheet, _priced(sheet, 7), 72, main.y, (180, 80, 90, 101), 10, "striped") + 14
    body(main, 11, 200, 1)
    main.text("text_block", "Mit freundlichen Grüßen", 11, gap=24)
    main.text("text_block", "Johann Vogel", 11)
    sheet.text(
        "footer", "Konto 4711 bei der Sparkasse Berlin · USt-IdNr. DE123456789", 72, 800, 451, 8, ordered=False, align="center"
    )


def dictionary(sheet: Sheet) -> None:
    """Small print in three columns, an entry a paragraph with a hanging indent, letters as headings."""
    sheet.text("header", sheet.prose.heading(20), 40, 30, 200, 9, ordered=False)
    sheet.text("page_number", "733", 455, 30, 100, 9, ordered=False, align="right")
    sheet.rule(40, 46, 555, 46)
    flow = Flow(sheet, columns(40, 54, 515, 800, 3, 14))
    number = 0
    while not flow.is_full:
        if number % 9 == 0:
            flow.text("title", "ABCDEFGHIJKLMNOP"[number // 9], 14, weight=700, align="center", gap=3, together=24)
        number += 1
        flow.text("text_block", sheet.prose.heading(130), 7.5, indent_pt=-8, gap=2, leading=1.2)


def tiers(sheet: Sheet) -> None:
    """Vertical text in two tiers, the first above the second, with headings."""
    flow = Flow(sheet, columns(60, 50, 722, 545, 2, 28))
    flow.text("title", sheet.prose.heading(14), 18, weight=700, gap=14)
    sections(flow, 11, 110, 12, leading=1.6)


def upright(sheet: Sheet) -> None:
    """A page of a book: vertical text in one tier."""
    flow = Flow(sheet, [Column(80, 60, 682, 535)])
    flow.text("title", sheet.prose.heading(14), 16, weight=700, gap=18)
    body(flow, 12, 130, leading=1.7, indent_pt=12)
