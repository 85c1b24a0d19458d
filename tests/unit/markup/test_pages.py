"""What is on a page, as Chromium draws it: text that CSS adds, changes or hides, boxes, order, tables, columns, notes."""

import io
import random
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import quote

import numpy
import pymupdf
import pytest
from PIL import Image

pytest.importorskip("playwright", reason="pages from markup need Playwright: make setup-markup")
if not (shutil.which("chromium") or shutil.which("google-chrome")):
    pytest.skip("pages from markup need Chromium: make setup-markup", allow_module_level=True)

from datagen.drawing.worn_pages import Wear
from datagen.formulas.katex import mathml
from datagen.markdown import markdown
from datagen.markup.answers import MarkupPage, OfDocument
from datagen.markup.blocks import shown
from datagen.markup.browser import Browser
from datagen.markup.child import page_of
from datagen.markup.laid_pages import LaidPages, grown_to
from datagen.markup.look import Look, drawn, without_glyphs
from datagen.record import Box, SampleError
from tests.inputs.udhr import UDHR

SEEN = "<p>Seen text stands here.</p>"
PLAIN = {
    **{"columns": 1, "head": "none", "number": "none", "heading_numbers": "none", "heading_case": "none", "drop_cap": 0},
    **{
        "text_align": "start",
        "writing": "horizontal-tb",
        "width": 794,
        "height": 1123,
        "hyphens": "manual",
        "bullet": "disc",
        "caption_side": "top",
    },
    **{"list_style": "lower-roman", "list_suffix": "dot"},
}


def plain(look: Look, **values) -> Look:
    """The look as plain as can be, but for these values."""
    values = PLAIN | values
    words = {name: values.pop(name) for name in look.words.keys() & values.keys()}
    return replace(look, **values, words=look.words | words)


@pytest.fixture(scope="module")
def browser():
    one = Browser()
    yield one
    one.close()


@pytest.fixture
def pages(browser):
    def make(
        html: str,
        css: str = "",
        lang: str = "en",
        script: str = "Latn",
        direction: str = "ltr",
        no_glyph: frozenset[str] = frozenset(),
        **words,
    ) -> list[MarkupPage]:
        look = plain(drawn(random.Random(4), lang, script, direction, "Aabc αλφα " * 20), **words)
        notes = 150 if "doc-footnote" in html else 0
        with browser.document(page_of(html, css, look, notes), (look.width, look.height), 1.5) as document:
            laid = LaidPages(document, look, notes, 1.5, 90, OfDocument(lang, script, "plain"), "a seed", Wear(0, 0), no_glyph)
            return [page for _, page in laid.pages(range(laid.count))]

    return make


@pytest.mark.parametrize(
    ("html", "css", "text"),
    [
        ("<p>straße</p>", "p { text-transform: uppercase }", "STRASSE"),
        ("<p class=a>text</p>", ".a::before { content: '§ ' counter(c) ' ' } .a { counter-increment: c }", "§ 1 text"),
        ("<p class=a>text</p>", ".a::after { content: ' (end)' }", "text (end)"),
        ("<ol start=3><li>one<li>two</ol>", "", "iii. one\n\niv. two"),
        ("<p class=a>a<span class=a>b</span></p>", ".a::after { content: ')' }", "ab))"),
        ("<ul><li>one<ul><li>in it</ul></ul>", "", "- one\n    - in it"),
        (
            "<p>a&shy;b and <b>bold words</b> are here in the midst of plain text</p>",
            "",
            "ab and **bold words** are here in the midst of plain text",
        ),
        ("<p>H<sub>2</sub>O, m<sup>2</sup>, 𝔘𝔫𝔦</p>", "", "H<sub>2</sub>O, m<sup>2</sup>, 𝔘𝔫𝔦"),
        ("<p>one<br>two</p>", "", "one\ntwo"),
        ("<pre>def f(x):\n\n    return x</pre>", "", "```\ndef f(x):\n\n    return x\n```"),
        ("<h1>A</h1><h2>B</h2><h3>C</h3>", "", "# A\n\n## B\n\n### C"),
        (
            "<p>lines of\nthe file\n</p><table><tr><td>a\nb</table>",
            "",
            "lines of the file\n\n<table><tr><td>a b</td></tr></table>",
        ),
        ("<pre>x = 5                    # far</pre>", "", "```\nx = 5                    # far\n```"),
        ("<p>a<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>、<ruby>b<rt>long</ruby></p>", "", "a漢字、b"),
        ("<p>a <bdo dir=rtl>abc</bdo> b</p>", "", "a abc b"),
        ("<ol><li class=no-sign><table><tr><td>a</table><li>b</ol>", "", "<table><tr><td>a</td></tr></table>\n\nii. b"),
        ("<p dir=rtl>ابجد <code>AT{<i>name of it</i>}</code>: هوز</p>", "", "ابجد AT{*name of it*}: هوز"),
        ("<p>this is <b>bold<i>and more</i></b> than it was</p>", "", "this is **bold**and more than it was"),
        ("<p>a<b>b</b></p>", "b { margin-left: 1em }", "a b"),
        ("<table><caption>Above</caption><tr><td>a</table>", "", "Above\n\n<table><tr><td>a</td></tr></table>"),
    ],
)
def test_text_is_as_it_is_drawn(pages, html, css, text):
    (page,) = pages(html, css)
    assert page.reason == "" and markdown(page.regions) == text


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>gone</p>",
        "<p style='display: none'>gone</p>",
        "<p style='visibility: hidden'>gone</p>",
        "<p style='opacity: 0'>gone</p>",
        "<p style='color: transparent'>gone</p>",
        "<p style='color: white; background: white'>gone</p>",
        "<p style='font-size: 0'>gone</p>",
        "<p style='text-indent: -9999px; white-space: nowrap'>gone</p>",
        "<p>\u200b\u2060</p>",
    ],
)
def test_text_that_nobody_sees_is_in_no_label(pages, hidden):
    (page,) = pages(f"{SEEN}{hidden}<p>More of it.</p>", colours="kept", paper="#ffffff")
    assert page.reason == "" and markdown(page.regions) == "Seen text stands here.\n\nMore of it."


@pytest.mark.parametrize(
    "style", ["clip-path: inset(50%)", "position: absolute; left: -999px", "height: 0; overflow: hidden", "filter: opacity(0)"]
)
def test_what_would_break_pages_is_undone_and_read(pages, style):
    (page,) = pages(f"{SEEN}<p style='{style}'>Here again.</p>")
    assert page.reason == "" and markdown(page.regions) == "Seen text stands here.\n\nHere again."


def test_a_page_whose_text_is_partly_covered_is_no_sample(pages):
    cover = "<table style='background: #000; margin-top: -3em; opacity: 0.99'><tr><td>" + "&nbsp;" * 7 + "</table>"
    (page,) = pages(
        f"{SEEN}<p>A line that is covered in part.</p>{cover}", colours="kept", table_width="auto", table_align="start"
    )
    assert page.reason == "covered" and page.image == b""


@pytest.mark.parametrize("char", ["\ue000", "\u0378"])
def test_a_page_with_a_sign_that_no_typeface_has_is_no_sample(pages, char):
    (page,) = pages(f"<p>tofu {char}</p>", no_glyph=frozenset(char))
    assert page.reason == "no_glyph"
    assert char in without_glyphs(f"a {char}", drawn(random.Random(1), "en", "Latn", "ltr", "abc"))
    assert not without_glyphs("abc ὕψος 漢字 \u200d\ufe0f", drawn(random.Random(1), "en", "Latn", "ltr", "abc"))


@pytest.mark.slow
def test_lines_hold_the_ink_of_ten_scripts(pages):
    for script, (lang, text) in UDHR.items():
        look = {"writing": "vertical-lr"} if script == "Mong" else {}
        for page in pages(f"<h1>{text[:30]}</h1><p>{text}</p>", lang=lang, script=script, **look):
            assert page.reason == "", (script, page.detail)
            assert page.signals["ink_outside"] <= 0.005
            assert "".join(shown(text).split()) in "".join(markdown(page.regions).split())


def test_ink_beside_a_line_is_not_the_line_aboves():
    ink = numpy.zeros((100, 100), bool)
    ink[53, 9] = ink[28, 30] = True  # left of the lower box; an accent on the upper one
    assert grown_to(ink, [Box(10, 30, 60, 50), Box(10, 50, 60, 70)]) == [Box(10, 28, 60, 50), Box(9, 50, 60, 70)]


def test_a_drop_cap_stands_below_its_heading(pages):
    text = "統合された環境では、文書の書式を統一できます。" * 9
    (page,) = pages(f"<h1>統合</h1><p>{text}</p>", lang="ja", script="Jpan", drop_cap=3, line_height=1.3)
    heading, paragraph = page.regions
    assert paragraph.text == text and paragraph.box.y0 >= heading.box.y1


def test_no_space_stands_behind_a_drop_cap(pages):
    (page,) = pages(
        "<h2>Հոդված</h2><p>" + "Ամեն ոք ունի իրավունք։ " * 9 + "</p>", drop_cap=3, lang="hy", script="Armn", body="FreeMono"
    )
    assert page.regions[1].text.startswith("Ամեն ոք ")


def test_a_drop_cap_goes_on_beside_its_paragraph(pages):
    words = "There are more words here than two lines of a narrow column hold, and fewer than five. "
    for before in range(0, 24, 3):
        regions = [
            r
            for page in pages(f"<p>{'line<br>' * before}</p><h2>Head</h2><p>{words * 2}</p>", columns=2, drop_cap=3)
            for r in page.regions
        ]
        text = "".join(region.text for region in regions[regions.index(next(r for r in regions if r.text == "Head")) + 1 :])
        assert text.startswith("There are more"), (before, text)
        lines = [line.box for region in regions if region.text.startswith("There") for line in region.lines]
        assert max(box.x1 for box in lines) - min(box.x0 for box in lines) < 1.2 * max(box.x1 - box.x0 for box in lines), before


def test_stars_say_how_words_differ_from_their_paragraph(pages):
    (page,) = pages(
        "<p><em>A long quotation in italics with <b>bold</b> letters.</em></p><p>One <b>bold</b> and <i>slanted</i> word.</p>"
    )
    assert [r.text for r in page.regions] == [
        "A long quotation in italics with **bold** letters.",
        "One **bold** and *slanted* word.",
    ]


def test_columns_and_pages_are_read_one_after_the_other(pages):
    words = [f"w{number}" for number in range(3000)]
    found = pages(f"<p>{' '.join(words)}</p>", columns=2, column_gap=30)
    assert len(found) > 1 and [len(page.regions) for page in found[:-1]] == [2] * (len(found) - 1)
    regions = [region for page in found for region in page.regions]
    assert " ".join(region.text for region in regions).split() == words
    assert all(region.continues for region in regions[:-1]) and not regions[-1].continues
    assert regions[0].box.x1 < regions[1].box.x0 and regions[0].lines[0].box.x1 <= regions[0].box.x1


def test_pages_are_printed_as_they_are_drawn_and_leave_the_next_ones_as_they_were(browser):
    look = plain(drawn(random.Random(4), "en", "Latn", "ltr", "abc"), size=26.0)
    html = "<p>" + " ".join(f"w{number}" for number in range(5000)) + "</p>"
    css = "div { line-height: 3; margin: 9px; letter-spacing: 1px }"
    answers = []
    for with_pdf in (False, True):
        with browser.document(page_of(html, css, look, 0), (look.width, look.height), 0.7) as document:
            laid = LaidPages(document, look, 0, 0.7, 90, OfDocument("en", "Latn", "plain"), "a", Wear(0, 0))
            answers.append([page for _, page in laid.pages(range(laid.count), with_pdf)])
    unprinted, printed = answers
    assert len(unprinted) > 16 and [page.image for page in unprinted] == [page.image for page in printed]
    for page in printed:
        with pymupdf.open(stream=page.pdf) as pdf:
            words = pdf[0].get_text("words", sort=True)
        lines = [line for region in page.regions for line in region.lines]
        assert not page.reason and [word[4] for word in words] == " ".join(line.text for line in lines).split()
        zoom = page.size[0] / look.width * 96 / 72
        assert abs(words[-1][1] * zoom - lines[-1].box.y0) < 4


def test_a_line_of_two_directions_is_one_line(pages):
    html = "<ul><li><code>ATTRIBUTE{<i>a long name of it</i>}</code>: محتوای فایل</ul>"
    (page,) = pages(html, lang="fa", script="Arab", direction="rtl")
    assert [line.text for line in page.regions[0].lines] == ["• ATTRIBUTE{a long name of it}: محتوای فایل"]


def test_ruby_is_drawn_within_its_line(pages):
    kanji = "<ruby>漢字<rt>かんじ</rt></ruby>を<ruby>読<rt>よ</rt></ruby>む。" * 20
    for writing in ("horizontal-tb", "vertical-rl"):
        plain, with_ruby = (
            page
            for html in (re.sub("<rt>.*?</rt>", "", kanji), kanji)
            for page in pages(f"<h1>{html.split('む')[0]}</h1><p>{html}</p>", "", "ja", "Jpan", writing=writing, head="head-left")
        )
        assert with_ruby.reason == "" and markdown(with_ruby.regions) == markdown(plain.regions)
        assert {region.label for region in with_ruby.regions} == {"title", "text"}

        def thickness(page):
            return max(min(line.box.x1 - line.box.x0, line.box.y1 - line.box.y0) for line in page.regions[-1].lines)

        assert thickness(with_ruby) > 1.2 * thickness(plain)


def test_tables_have_the_structure_of_their_source(pages):
    rows = "<tr><th rowspan=2>a<th colspan=2>b<tr><td>c<td>d<sup>2</sup><tr><td>e<td>f<br>g<td>"
    (page,) = pages(f"<p>Before.</p><table><caption>Of letters</caption>{rows}</table>")
    html = (
        '<table><tr><td rowspan="2">a</td><td colspan="2">b</td></tr><tr><td>c</td><td>d<sup>2</sup></td></tr>'
        "<tr><td>e</td><td>f<br>g</td><td></td></tr></table>"
    )
    assert {region.label: region.text for region in page.regions} == {
        "text": "Before.",
        "table": html,
        "table_caption": "Of letters",
    }
    (cut,) = page.cuts
    assert cut.kind == "table" and cut.text == html and cut.size[0] > cut.inner[2] - cut.inner[0]


def test_a_long_table_is_cut_between_rows(pages):
    found = pages("<table>" + "".join(f"<tr><td>r{n}<td>x" for n in range(120)) + "</table>")
    pieces = [region.text for page in found for region in page.regions]
    assert len(found) > 1 and sum(piece.count("<tr>") for piece in pieces) == 120 and all(page.reason == "" for page in found)


def test_formulas_are_latex(pages):
    inline = mathml("x^2").replace(' display="block"', "")
    (page,) = pages(f"<p>Let {inline} be.</p><div>" + mathml(r"\frac{a}{b}") + "</div><p>z</p>")
    found = [(region.label, region.text) for region in page.regions]
    assert found == [("text", r"Let \(x^2\) be."), ("equation", r"\frac{a}{b}"), ("text", "z")]
    (page,) = pages(f"<p>{mathml('a')}{mathml('b')} and so on.</p>")
    assert [(region.label, region.text) for region in page.regions] == [
        ("equation", "a"),
        ("equation", "b"),
        ("text", "and so on."),
    ]
    for markup in ("<math><mi>y</mi></math>", "<table><tr><td>a</td><td><math><mi>y</mi></math></td></tr></table>"):
        (page,) = pages(SEEN + markup)
        assert page.reason == "formula_without_latex"


def test_notes_stand_at_the_end_of_their_page(pages):
    note = '<aside role="doc-footnote" id="n1"><p>1 The note.</p></aside>'
    filler = "<p>word word word.</p>" * 60
    first, *rest = pages(f'<p>Text<a role="doc-noteref" href="#n1">1</a>.</p>{filler}{note}')
    assert (first.regions[-1].label, first.regions[-1].text) == ("footnote", "1 The note.") and rest
    assert first.regions[-1].box.y0 > max(region.box.y1 for region in first.regions[:-1]) - 5


def test_running_heads_and_numbers_are_regions_and_no_text(pages):
    page, *_ = pages(f"<h1>The title</h1>{SEEN}", head="head-left", number="foot-center", number_form="dashes")
    assert [(region.label, region.text) for region in page.regions if region.label in ("header", "page_number")] == [
        ("header", "The title"),
        ("page_number", "– 1 –"),
    ]
    assert markdown(page.regions) == "# The title\n\nSeen text stands here."


def test_running_heads_show_all_of_tall_letters(pages):
    def ink(text: str) -> int:
        look = {"head": "head-left", "body": "Noto Serif Tibetan", "heading": "Noto Serif Tibetan", "head_rule": "none"}
        (page,) = pages(f"<h1>{text}</h1>{SEEN}", lang="dz", script="Tibt", **look)
        with Image.open(io.BytesIO(page.image)) as image:
            below = page.regions[1].box.y0
            return int((numpy.asarray(image.convert("L"))[:below] < 128).sum())

    assert ink("བོ") > 1.15 * ink("བ")


def test_the_browser_that_swells_is_a_reason(browser):
    def swell() -> None:
        small = Browser(memory_bytes=50 << 20)
        try:
            with small.document("<p>a</p>" * 300_000, (794, 1123), 1.0) as document:
                for _ in range(200):
                    document.snapshot()
        finally:
            small.close()

    with ThreadPoolExecutor(1) as other, pytest.raises(SampleError, match="memory"):  # Playwright has one driver a thread
        other.submit(swell).result()


def drawn_picture(width: int, height: int) -> str:
    size = f"width='{width}' height='{height}'"
    square = f"<svg xmlns='http://www.w3.org/2000/svg' {size}><rect width='999' height='99' fill='brown'/></svg>"
    return f'<img src="data:image/svg+xml,{quote(square)}">'


@pytest.mark.parametrize(("markup", "num"), [("<p>{}</p>", 1), ("<p>Words {} and words.</p>", 0), ("<p><b>Words</b> {}</p>", 0)])
def test_a_low_picture_is_one_if_it_is_wide_and_stands_alone(pages, markup, num):
    (page,) = pages(f"<h1>Tools</h1>{markup.format(drawn_picture(400, 30))}<p>This text goes on.</p>")
    assert [region.label for region in page.regions].count("image") == num


def test_a_small_icon_is_no_picture_though_it_stands_alone(pages):
    (page,) = pages(f"<h1>Tools</h1><p>{drawn_picture(30, 30)}</p><p>This text goes on.</p>")
    assert [region.label for region in page.regions] == ["title", "text"]
