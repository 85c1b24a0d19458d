"""A document of markup in the sandboxed child: read, given a look, laid out by the browser, measured, and checked page by page.

file ──> documents ──> look ──> browser ──> layout ──> regions ──> checked against the page's ink
"""

import html
import random
import re
from collections.abc import Iterator

from datagen.markup import look, look_css
from datagen.markup.answers import MarkupPage
from datagen.markup.browser import WITHOUT_TEXT_CSS, Browser
from datagen.markup.documents.page import Markup
from datagen.markup.documents.read import read
from datagen.markup.laid_pages import LaidPages
from datagen.reading.language import Language, identify
from datagen.record import Range, SampleError
from datagen.sandbox.parts import Failed, Part, Parts, each

_POLICY = "default-src 'none'; img-src data:; font-src data:; style-src data: 'unsafe-inline'"
_NOTES = 0.16  # of a page's height are kept for notes, in documents that have some
_TAGS = re.compile("<[^<>]*>")
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
    with_pdf: bool,
    numbers: list[int] | None,
) -> Iterator[Parts | Part[MarkupPage] | Failed]:
    """Yields the pages with these `numbers`, else those of the first `max_pages` (0: all) that lie `within` a range. `seed` draws
    the look. Raises `SampleError` for the whole document, such as `no_typeface`."""
    markup = read(path, kind, root, random.Random(seed), article)
    text = html.unescape(_TAGS.sub(" ", markup.html))
    language = identify(text, markup.lang)
    chosen = _look(markup, language, text, seed)
    notes = round(_NOTES * chosen.height) if 'role="doc-footnote"' in markup.html else 0
    zoom = long_side / max(chosen.width, chosen.height)
    with _browser.document(page_of(markup, chosen, notes), (chosen.width, chosen.height), zoom) as document:
        pages = LaidPages(document, chosen, notes, zoom, jpeg_quality, language, markup.left_out)
        if numbers is None:
            numbers = [number for number in range(min(pages.count, max_pages or pages.count)) if number in within]
            yield Parts(numbers)
        pages.draw(numbers)
        yield from each(numbers, pages.page)


def _look(markup: Markup, language: Language, text: str, seed: str) -> look.Look:
    try:
        return look.drawn(random.Random(seed), language.lang, language.script, markup.direction, text)
    except ValueError as error:
        raise SampleError("no_typeface", str(error)) from None


def page_of(markup: Markup, chosen: look.Look, notes: int) -> str:
    """The document as the browser gets it, which may load nothing but what it holds."""
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    html = look_css.page_html(chosen, markup.html, markup.css, notes)
    return html.replace("<head>", f"<head>{policy}<style>{WITHOUT_TEXT_CSS}</style>", 1)
