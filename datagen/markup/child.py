"""A document of markup in the sandboxed child: read, given a look, laid out by the browser, measured, and checked page by page.

file ──> documents ──> look ──> browser ──> layout ──> regions ──> checked against the page's ink
"""

import html
import random
import re
from collections.abc import Iterator

from datagen.drawing.worn_pages import Wear
from datagen.markup import look_css
from datagen.markup.answers import MarkupPage
from datagen.markup.browser import WITHOUT_TEXT_CSS, Browser
from datagen.markup.documents.clean import with_one_title
from datagen.markup.documents.page import Markup
from datagen.markup.documents.read import read
from datagen.markup.laid_pages import LaidPages, OfDocument
from datagen.markup.look import Look, drawn, without_glyphs
from datagen.markup.running_text import hyphenated, with_errors
from datagen.reading.language import Language, identify
from datagen.record import Range, SampleError
from datagen.sandbox.parts import Part, Parts

_POLICY = "default-src 'none'; img-src data:; font-src data:; style-src data: 'unsafe-inline'"
_NOTES = 0.16  # of a page's height are kept for notes, in documents that have some
_WRONG_WORDS = 0.02
_TAGS = re.compile("<[^<>]*>")
_STYLE = re.compile(r"(?<=[\w\"'])\s+style=(\"[^\"<>]*\"|'[^'<>]*')(?=[^<>]*>)")
_browser = Browser()


def read_document(
    path: str,
    kind: str,
    root: str,
    article: str,
    seed: str,
    within: Range,
    long_side: int,
    jpeg_quality: int,
    max_pages: int,
    lang: str,
    error_share: float,
    wear: Wear,
    with_pdf: bool,
    numbers: list[int] | None,
) -> Iterator[Parts | Part[MarkupPage]]:
    """Yields the pages with these `numbers`, else those of the first `max_pages` (0: all) that lie `within` a range. `seed` draws
    the look, and whether the document is one of the `error_share` that get typing errors. Raises `SampleError` for the whole
    document, such as `no_typeface`."""
    draw = random.Random(seed)
    markup = read(path, kind, root, draw, article)
    text = html.unescape(_TAGS.sub(" ", markup.html))
    language = identify(text, lang or markup.lang)
    look = _look(draw, markup, language, text)
    content, num_errors = with_one_title(markup.html), 0
    if draw.random() < error_share:
        content, num_errors = with_errors(content, draw, _WRONG_WORDS)
    notes = round(_NOTES * look.height) if 'role="doc-footnote"' in content else 0
    zoom = long_side / max(look.width, look.height)
    with _browser.document(page_of(content, markup.css, look, notes), (look.width, look.height), zoom) as document:
        of_document = OfDocument(language.lang, language.script, f"{look.kind}, {look.body}", num_errors, markup.left_out)
        pages = LaidPages(document, look, notes, zoom, jpeg_quality, of_document, seed, wear, without_glyphs(text, look))
        if numbers is None:
            numbers = [number for number in range(min(pages.count, max_pages or pages.count)) if number in within]
            yield Parts(numbers)
        for number, page in pages.pages(numbers, with_pdf):
            yield Part(number, page)


def _look(draw: random.Random, markup: Markup, language: Language, text: str) -> Look:
    try:
        return drawn(draw, language.lang, language.script, markup.direction, text)
    except ValueError as error:
        raise SampleError("no_typeface", str(error)) from None


def page_of(content: str, css: str, look: Look, notes: int) -> str:
    """The document as the browser gets it, which may load nothing but what it holds. Its own colours go with its other inline
    styles, or stay."""
    if look.colours == "dropped":
        content = _STYLE.sub("", content)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    content = hyphenated(content, look.lang) if look.hyphens == "auto" else content
    return look_css.page_html(look, content, css, notes).replace("<head>", f"<head>{policy}<style>{WITHOUT_TEXT_CSS}</style>", 1)
