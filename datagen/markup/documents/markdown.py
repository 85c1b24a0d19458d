"""Markdown as HTML: CommonMark with tables, footnotes, definition lists, formulas between dollars, and front matter."""

import functools
import html
import re
from typing import Any

from datagen.record import SampleError

MAX_CHARS = 2 << 20
_FIELD = re.compile(r"""^(lang|language|title)\s*:\s*["']?(.*?)["']?\s*$""", re.M)
_HEADING = re.compile(r"^(# |<h1|=+\s*$)", re.M)


def to_html(text: str) -> str:
    """A page of HTML. The front matter says its language and its title, which becomes a heading if the text has none. Raises
    `SampleError` (`too_large`), or `ValueError` where a package is missing."""
    if len(text) > MAX_CHARS:
        raise SampleError("too_large", f"{len(text)} characters of Markdown, allowed are {MAX_CHARS}")
    parser = _parser()
    tokens = parser.parse(text)
    fields: dict[str, str] = {}
    for token in tokens:
        if token.type == "front_matter":
            fields = {match[1]: match[2] for match in _FIELD.finditer(token.content)}
    body = parser.renderer.render(tokens, parser.options, {})
    title = fields.get("title", "")
    heading = f"<h1>{html.escape(title)}</h1>" if title and not _HEADING.search(text) else ""
    return f'<html lang="{html.escape(fields.get("lang") or fields.get("language", ""))}"><body>{heading}{body}</body></html>'


@functools.cache
def _parser() -> Any:
    try:
        from markdown_it import MarkdownIt
        from mdit_py_plugins.deflist import deflist_plugin
        from mdit_py_plugins.dollarmath import dollarmath_plugin
        from mdit_py_plugins.footnote import footnote_plugin
        from mdit_py_plugins.front_matter import front_matter_plugin
    except ImportError as error:
        raise ValueError(f"Markdown needs markdown-it-py and mdit-py-plugins ({error}): make setup-markup") from None
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.use(front_matter_plugin).use(footnote_plugin).use(deflist_plugin)
    # "$5 and $6" is no formula: Pandoc's rule.
    return parser.use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False, double_inline=True)
