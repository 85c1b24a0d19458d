"""One page of HTML as `Markup`: the parts of this folder put together."""

import re
from collections import Counter

import lxml.etree
import msgspec

from datagen.markup.documents.clean import Cleaner, declared, main_content
from datagen.markup.documents.css import document_css
from datagen.markup.documents.formulas import Formulas
from datagen.markup.documents.parse import tree_of
from datagen.markup.documents.resources import Resources
from datagen.record import SampleError

_A_NOTICE = 500  # characters of a page that only leads to another one


class Markup(msgspec.Struct, frozen=True):
    """A document's main content, ready for a browser. `html` is the inside of a <body>, without anything that runs or loads:
    images are data: URIs, formulas are <math>. `css` is the document's own. `lang` is BCP-47 as the document declares it, or "".
    `direction` is "rtl", "ltr" or "". `left_out` counts what was cut, by name."""

    html: str
    css: str
    lang: str
    direction: str
    left_out: dict[str, int]


def markup_of(text: str, resources: Resources, left_out: Counter[str]) -> Markup:
    """The markup of a page. Raises `SampleError`: `no_text`, `redirect`, and as `tree_of` does."""
    tree, main = parsed(text, resources)
    cleaner = Cleaner(resources, Formulas(left_out), left_out)
    content = cleaner.write(tree, main)
    if not cleaner.characters:
        raise SampleError("no_text", "no letters and digits in its main content")
    return Markup(content, document_css(tree, resources), *declared(tree, main), counted(left_out))


def parsed(text: str, resources: Resources) -> tuple[lxml.etree._Element, lxml.etree._Element]:
    """The page's tree and its main content. `resources` are relative to its <base> from now on. Raises `SampleError` as
    `markup_of` does."""
    tree = tree_of(text)
    for base in list(tree.iter("base"))[:1]:
        resources.rebase(base.get("href", ""))
    main = main_content(tree)
    if main is None:
        raise SampleError("no_text", "a page of frames" if next(tree.iter("frameset"), None) is not None else "no body")
    for meta in tree.iter("meta"):
        leads = meta.get("http-equiv", "").lower() == "refresh" and re.search(r"url\s*=", meta.get("content", ""), re.I)
        if leads and len("".join(main.itertext()).strip()) < _A_NOTICE:
            raise SampleError("redirect", meta.get("content", "")[:200])
    return tree, main


def counted(left_out: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in sorted(left_out.items()) if count}
