"""Reads a file of markup in the sandboxed child.

    file ──> text ──> tree ──> main content ──> clean HTML
                       ├──> formulas, notes ───────┤
                       └──> images, CSS ───────────┘

Whatever a file says, nothing is fetched: images and stylesheets come from its own folder or archive.
"""

import importlib.metadata
import os
import random
from collections import Counter
from functools import partial

from datagen.inputs import zim
from datagen.inputs.formats import suffixes
from datagen.markup.documents.epub import read_epub
from datagen.markup.documents.markdown import to_html
from datagen.markup.documents.page import Markup, markup_of
from datagen.markup.documents.parse import MAX_BYTES, text_of
from datagen.markup.documents.resources import Reader, Resources, folder_reader
from datagen.record import SampleError

PACKAGES = ("libzim", "lxml", "markdown-it-py", "mdit-py-plugins", "pillow", "resvg-py")


def versions() -> dict[str, str]:
    """The versions of what reads markup, for a record's engines. Raises `ValueError`, saying how to install it, if one is
    missing."""
    try:
        return {name: importlib.metadata.version(name) for name in PACKAGES}
    except importlib.metadata.PackageNotFoundError as error:
        raise ValueError(f"pages from markup need the package {error.name}, which is not installed: make setup-markup") from None


def kind_of(uri: str, format: str) -> str:
    """The kind that `read` takes: `format` by the file's first bytes, but for a piece of HTML, which begins as Markdown does."""
    return "html" if format == "markdown" and uri.lower().endswith(suffixes(["html"])) else format


def read(path: str, kind: str, root: str, draw: random.Random | None = None, article: str = "") -> Markup:
    """The markup of the file at `path`, of `kind` html, epub, markdown, or zim. Its images and stylesheets may lie anywhere in
    the folder `root` ("": there are none, as for an archive's member). Of a ZIM archive the article at the path `article` is
    read. If an EPUB is too large for one document, `draw` chooses where the part that is read begins.

    Raises `SampleError`: `not_html`, `no_text`, `redirect`, `too_large`, `too_many_nodes`, `too_many_attributes`, `too_deep`,
    `broken_charset`, `broken_epub`, `encrypted`, `broken_archive`, `not_found`; `ValueError` where a package is missing."""
    left_out: Counter[str] = Counter()
    if kind == "epub":
        return read_epub(path, draw)
    if kind == "zim":
        archive = zim.opened(path)
        data = zim.article(archive, article, MAX_BYTES)
        return markup_of(text_of(data, left_out), Resources(partial(zim.content, archive), article, left_out), left_out)
    if os.path.getsize(path) > MAX_BYTES:
        raise SampleError("too_large", f"{os.path.getsize(path)} bytes, allowed are {MAX_BYTES}")
    with open(path, "rb") as file:
        data = file.read()
    text = text_of(data, left_out)
    if kind == "markdown":
        text = to_html(text)
    elif "<" not in text or "\0" in text:
        raise SampleError("not_html", "no tag in it")
    read_file: Reader = folder_reader(root) if root else _nothing
    place = os.path.relpath(os.path.realpath(path), os.path.realpath(root)) if root else os.path.basename(path)
    return markup_of(text, Resources(read_file, place, left_out), left_out)


def _nothing(path: str, max_bytes: int) -> bytes | None:
    return None
