"""The HTML report: one file that opens from a disk, asks the network for nothing and runs no document's text.

Each step of a recipe supplies its own `Section`s (`recipes.report.corpus` makes those of a dataset); `render` puts them
together. What a PDF says is hostile: it enters a section's HTML through `escape`, and its data through `embed`, and the
scripts only ever put it on the page as text nodes.
"""

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# `<` ends or opens a script element early (`</script>`, `<!--`); U+2028 and U+2029 end a line of JavaScript. In JSON
# all of them can only stand inside a string, where the escaped form means the same.
_UNSAFE = {
    b"<": b"\\u003c",
    b">": b"\\u003e",
    b"&": b"\\u0026",
    b"\xe2\x80\xa8": b"\\u2028",
    b"\xe2\x80\xa9": b"\\u2029",
}
# What HTML can't hold, and the line separators and bidirectional overrides that would disturb the text around them.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Section:
    """One part of the report.

    `html` is trusted: its maker has escaped what isn't ours. `data` are JSON documents by element id.
    """

    id: str
    title: str
    html: str
    data: Sequence[tuple[str, bytes]] = ()

    def __post_init__(self) -> None:
        for name in (self.id, *[name for name, _ in self.data]):
            if not _ID.fullmatch(name):
                raise ValueError(f"section id {name!r}: allowed are letters, digits, _ and -")


def render(title: str, facts: Sequence[tuple[str, str]], sections: Sequence[Section]) -> bytes:
    """The report as UTF-8 HTML. `facts` are name and value pairs for its head: recipe, date, version …

    Raises `ValueError` if two sections, or two data elements, share an id.
    """
    ids = [name for s in sections for name in (s.id, *[name for name, _ in s.data])]
    if twice := sorted({name for name in ids if ids.count(name) > 1} if len(set(ids)) < len(ids) else ()):
        raise ValueError(f"section ids must differ; used more than once: {', '.join(twice)}")
    nav = "".join(f'<a href="#{s.id}">{escape(s.title)}</a>' for s in sections)
    body = "".join(f'<section id="{s.id}"><h2>{escape(s.title)}</h2>{s.html}</section>\n' for s in sections)
    parts = {
        "title": escape(title),
        "facts": "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts),
        "nav": nav,
        "sections": body or '<p class="note">This report has no sections.</p>',
        "css": "".join(map(_asset, ("report.css", "viewer.css", "verdicts.css", "flywheel.css", "train.css"))),
        "js": _asset("report.js") + _asset("page.js") + _asset("viewer.js"),
    }
    # One pass over the template, so that a value which happens to hold a placeholder's name is left alone.
    page = re.sub(r"\{\{(\w+)\}\}", lambda m: parts.get(m[1], m[0]), _asset("report.html"))
    head, tail = page.encode("utf-8", "replace").rsplit(b"<!-- data -->\n", 1)
    data = [data_element(name, blob) for s in sections for name, blob in s.data]
    return b"".join([head, *data, tail])


def data_element(name: str, blob: bytes) -> bytes:
    """The script element that holds `blob`, a JSON document, under the id `name`; the blob can't close it."""
    return b'<script type="application/json" id="%s">%s</script>\n' % (name.encode(), _neutralise(blob))


def embed(value: Any) -> bytes:
    """`value` as compact JSON that is safe inside a script element. Sizes measured on it hold in the report."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # A lone surrogate has no UTF-8, but backslashreplace writes it as the escape that JSON has for it.
    return _neutralise(text.encode("utf-8", "backslashreplace"))


def escape(text: str, limit: int = 0) -> str:
    """`text` for HTML, in content and quoted attributes, without invisible controls; cut in its middle to `limit`."""
    if limit and len(text) > limit:
        text = f"{text[: limit // 2]}…{text[len(text) - limit // 2 :]}"
    return html.escape(_CONTROL.sub("\ufffd", text))


def _neutralise(blob: bytes) -> bytes:
    for raw, safe in _UNSAFE.items():
        blob = blob.replace(raw, safe)
    return blob


def _asset(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
