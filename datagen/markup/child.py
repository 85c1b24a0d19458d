"""A document of markup in the sandboxed child: read, given a look, laid out by the browser, measured, and checked page by page.

file ──> documents ──> look ──> browser ──> layout ──> regions ──> checked against the page's ink
"""

import functools
import html
import random
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from datagen.drawing.worn_pages import Wear
from datagen.markup import look_css
from datagen.markup.answers import MarkupPage
from datagen.markup.browser import WITHOUT_TEXT_CSS, Browser
from datagen.markup.documents.clean import with_one_title
from datagen.markup.documents.page import Markup
from datagen.markup.documents.read import read
from datagen.markup.laid_pages import LaidPages, OfDocument
from datagen.markup.look import Look, drawn, without_glyphs
from datagen.reading.language import Language, identify
from datagen.record import Range, SampleError
from datagen.sandbox.parts import Part, Parts

_POLICY = "default-src 'none'; img-src data:; font-src data:; style-src data: 'unsafe-inline'"
_NOTES = 0.16  # of a page's height are kept for notes, in documents that have some
_WRONG_WORDS = 0.02
_TAGS = re.compile("<[^<>]*>")
_STYLE = re.compile(r"(?<=[\w\"'])\s+style=(\"[^\"<>]*\"|'[^'<>]*')(?=[^<>]*>)")
_browser = Browser()
_TOKEN = re.compile(r"(<[^<>]*>)")
_KEPT = re.compile(r"<(/?)(pre|code|math|kbd|samp|svg|h[1-6])\b", re.IGNORECASE)
_WORD = re.compile(r"(?<![&\w/.@-])[^\W\d_]{6,40}(?![\w/@-]|\.\w)")
_MAY_ERR = re.compile(r"(?<![&\w/.@#-])(?:[^\W\d_]{4,40}|\d{2,12})(?![\w/@;-]|\.\w)")
_SOFT_HYPHEN = "\u00ad"


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


def hyphenated(html: str, lang: str) -> str:
    """HTML with soft hyphens where the language's dictionary has them; the same HTML for a language without one. Chromium as
    Debian has it brings no dictionaries."""
    dictionary = _dictionary(lang)
    return html if dictionary is None else _changed(html, lambda text: _WORD.sub(lambda word: dictionary(word[0]), text))


def with_errors(html: str, draw: random.Random, share: float) -> tuple[str, int]:
    """HTML in which that share of words and numbers has two letters swapped or a digit changed, and how many are. So a network
    that guesses a word from its language is wrong."""
    count = 0

    def changed(match: re.Match[str]) -> str:
        nonlocal count
        word = match[0]
        if draw.random() >= share:
            return word
        wrong = _wrong_number(word, draw) if word[0].isdigit() else _swapped(word, draw)
        count += wrong != word
        return wrong

    return _changed(html, lambda text: _MAY_ERR.sub(changed, text)), count


def _changed(html: str, change: Callable[[str], str]) -> str:
    """HTML with its text changed, but for headings, code and formulas."""
    depth, parts = 0, []
    for token in _TOKEN.split(html):
        if token.startswith("<"):
            if tag := _KEPT.match(token):
                depth += -1 if tag[1] else 0 if token.endswith("/>") else 1
        elif depth <= 0:
            token = change(token)
        parts.append(token)
    return "".join(parts)


def _swapped(word: str, draw: random.Random) -> str:
    """The word with two neighbouring letters swapped. Letters with marks stay, and so do first letters."""
    places = [at for at in range(1, len(word) - 1) if word[at] != word[at + 1] and _is_bare(word, at) and _is_bare(word, at + 1)]
    if not places:
        return word
    at = draw.choice(places)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _is_bare(word: str, at: int) -> bool:
    after = word[at + 1 : at + 2]
    return unicodedata.category(word[at])[0] == "L" and (not after or unicodedata.category(after)[0] != "M")


def _wrong_number(number: str, draw: random.Random) -> str:
    at = draw.randrange(len(number))
    zero = ord(number[at]) - unicodedata.digit(number[at], 0)
    return number[:at] + chr(zero + (unicodedata.digit(number[at], 0) + draw.randint(1, 9)) % 10) + number[at + 1 :]


@functools.lru_cache(maxsize=8)
def _dictionary(lang: str) -> Any:
    """What puts soft hyphens into a word; None for a language without a dictionary."""
    import pyphen

    name = pyphen.language_fallback(lang.replace("-", "_"))
    if name is None:
        return None
    words = pyphen.Pyphen(lang=name, left=2, right=3)
    return functools.lru_cache(maxsize=20_000)(lambda word: words.inserted(word, _SOFT_HYPHEN))
