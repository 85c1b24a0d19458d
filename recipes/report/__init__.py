"""The HTML report: one file that opens from a disk, asks the network for nothing and runs no document's text.

Each step of a recipe supplies its own `Section`s, and `render` puts them together. A document's text is hostile. It comes in by a
template, where `fill` neutralises and escapes it, or by `embed` as JSON, which the scripts put on the page as text nodes.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

from datagen.writing import scripts

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# `<` ends or opens a script element early (`</script>`, `<!--`); U+2028 and U+2029 end a line of JavaScript. In JSON
# all of them are inside strings, where the escaped form means the same.
_UNSAFE = {
    b"<": b"\\u003c",
    b">": b"\\u003e",
    b"&": b"\\u0026",
    b"\xe2\x80\xa8": b"\\u2028",
    b"\xe2\x80\xa9": b"\\u2029",
}
# Characters that HTML can't hold, or that would disturb the text around them.
_CONTROL = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f{scripts.DISTURBING}]")


@dataclass(frozen=True)
class Section:
    """One part of the report. `html` is a filled template; text that isn't `Markup` is escaped. `css` and `js` are the section's
    own code, included once if several sections have the same. `data` are JSON documents by element id."""

    id: str
    title: str
    html: Markup
    css: str = ""
    js: str = ""
    data: Sequence[tuple[str, bytes]] = ()

    def __post_init__(self) -> None:
        for name in self.ids:
            if not _ID.fullmatch(name):
                raise ValueError(f"section id {name!r}: allowed are letters, digits, _ and -")

    @property
    def ids(self) -> list[str]:
        return [self.id, *[name for name, _ in self.data]]


class Cell(NamedTuple):
    """A cell of a table, or a fact of a card. `kind`: "num" is a figure, "code" a name, "lang" a language's code, "" text. The
    `note` follows in smaller letters."""

    text: str
    kind: str = ""
    note: str = ""


class Card(NamedTuple):
    """An image beside its texts. `image` is a data URI, "" for one that can't be shown, None without an image. `texts` are pairs
    of a name and a text; `drawn` is HTML between the image and them."""

    image: str | None
    facts: Sequence[str | Cell]
    texts: Sequence[tuple[str, str]] = ()
    drawn: Markup | None = None


def joined(*parts: Markup) -> Markup:
    """The HTML of a section made of these blocks."""
    return Markup("\n").join(parts)


def render(title: str, facts: Sequence[tuple[str, str]], sections: Sequence[Section]) -> bytes:
    """The report as UTF-8 HTML. `facts` are pairs of a name and a value for its head: recipe, date, version … Raises `ValueError`
    if two sections, or two data elements, share an id."""
    ids = [name for section in sections for name in section.ids]
    if repeated := sorted(name for name, count in Counter(ids).items() if count > 1):
        raise ValueError(f"section ids must differ; used more than once: {', '.join(repeated)}")
    return fill(
        "report.html",
        title=title,
        facts=facts,
        sections=sections,
        data=[(name, Markup(_neutralise(blob).decode())) for section in sections for name, blob in section.data],
        css=Markup("\n".join(dict.fromkeys([asset("report.css"), asset("blocks.css"), *[section.css for section in sections]]))),
        js=Markup("\n".join(dict.fromkeys([asset("report.js"), *[section.js for section in sections]]))),
    ).encode()


def fill(template: str, **values: Any) -> Markup:
    """The file `template` of templates/ with `values` in it, each without invisible controls and escaped."""
    return Markup(_TEMPLATES.get_template(template).render(values))


def asset(name: str, package: str = __name__) -> str:
    """The text of a stylesheet or script beside this file, or in another package."""
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def embed(value: Any) -> bytes:
    """`value` as compact JSON that is safe inside a script element. Sizes measured on it hold in the report."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # A lone surrogate has no UTF-8; backslashreplace writes JSON's escape for it.
    return _neutralise(text.encode("utf-8", "backslashreplace"))


def cut(text: str, limit: int) -> str:
    """`text` without its middle if it is longer than `limit`."""
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[len(text) - limit // 2 :]}"


def _neutralise(blob: bytes) -> bytes:
    for raw, safe in _UNSAFE.items():
        blob = blob.replace(raw, safe)
    return blob


def _visible(value: Any) -> Any:
    return value if isinstance(value, Markup) else _CONTROL.sub("\ufffd", str(value))


_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader(__name__),
    autoescape=True,
    finalize=_visible,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"cut": cut, "number": "{:,}".format, "words": lambda name: name.replace("_", " ")}
blocks: Any = _TEMPLATES.get_template("blocks.html").module
"""The macros of templates/blocks.html for sections: notes, tables of `Cell`s, `Card`s, charts."""
