"""Text in some hundred languages out of LibreOffice's translations: the messages of its windows, and its help where there is one.

Messages are short, and the help is prose. Debian has a package of each for each language. It is downloaded by name, unpacked
without being installed, and its paragraphs are kept in the user's cache. The licence is MPL-2.0.
"""

import gettext
import logging
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from datagen.samples.documents import cache_folder, extracted, version_of
from datagen.samples.html_paragraphs import paragraphs_in

log = logging.getLogger(__name__)

_KINDS = ("l10n", "help")
_NAMES = {"zh-Hans": "zh-cn", "zh-Hant": "zh-tw", "pa": "pa-in", "sr-Latn": "sr", "no": "nb"}
_MAX_HELP = 900  # files of help: half a million letters
_ASK_AGAIN_S = 24 * 3600  # whether there is a package by now
# What stands for something else in a message: arguments, markup, variables.
_PLACEHOLDER = re.compile(r"[%$<>{}|\\]|&[a-z]+;|#\w+#")
_MNEMONIC = re.compile(r"\(?[_~](\w)\)?$|[_~](?=\w)")
# What apt says of a package that there isn't.
_UNKNOWN = re.compile(r"Unable to locate package|no candidate|no installation candidate")
_TAGS = ("p", "h1", "h2", "h3", "h4", "td", "li")


def paragraphs(lang: str) -> list[str]:
    """The paragraphs in a language (BCP-47), each once, in order; none if there is no such package.

    Raises `ValueError` if packages can't be had here.
    """
    of_packages: dict[str, None] = {}
    for kind in _KINDS:
        of_packages |= dict.fromkeys(_of_package(_package(kind, lang)))
    return list(of_packages)


def help_file(lang: str) -> Path | None:
    """The help in a language, a paragraph a line; None, and a word in the log, if there is no such package. Raises `ValueError`
    if packages can't be had here."""
    return _file(_package("help", lang))


def missing_help(langs: Iterable[str]) -> list[str]:
    """The packages that `help_file` would download."""
    names = [_package("help", lang) for lang in langs]
    return [name for name in names if not _cached(name) and not _is_known_to_lack(name)]


def _package(kind: str, lang: str) -> str:
    return f"libreoffice-{kind}-{_NAMES.get(lang, lang).lower()}"


def _of_package(name: str) -> list[str]:
    path = _file(name)
    return path.read_text(encoding="utf-8").splitlines() if path else []


def _folder() -> Path:
    return cache_folder().with_name("translations")


def _cached(name: str) -> list[Path]:
    return sorted(_folder().glob(f"{name}_*.txt"), key=lambda path: path.stat().st_mtime_ns)


def _is_known_to_lack(name: str) -> bool:
    missed = _folder() / f"{name}.missing"
    return missed.exists() and time.time() - missed.stat().st_mtime < _ASK_AGAIN_S


def _file(name: str) -> Path | None:
    cached, folder = _cached(name), _folder()
    if not cached and _is_known_to_lack(name):
        return None
    if not cached:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder) as tmp:
            path = _fetched(name, Path(tmp))
            if path is None:
                (folder / f"{name}.missing").touch()
                return None
            cached = [path.rename(folder / path.name)]
    return cached[-1]


def _fetched(name: str, tmp: Path) -> Path | None:
    """A file in `tmp` with the paragraphs of a package, a line each; None, and a word in the log, if there is no such package."""
    try:
        deb, raw = extracted(name, tmp)
    except ValueError as error:
        if not _UNKNOWN.search(str(error)):
            raise
        log.info("there is no such package: %s", error)
        return None
    unique = dict.fromkeys([*_messages(raw), *_help(raw)])
    path = tmp / f"{name}_{version_of(deb, name)}.txt"
    path.write_text("".join(f"{paragraph}\n" for paragraph in unique), encoding="utf-8")
    os.utime(path, ns=(deb.stat().st_mtime_ns,) * 2)
    return path


def _messages(folder: Path) -> Iterator[str]:
    """The messages that hold nothing but text, without the letter that a key is for."""
    for path in sorted(folder.rglob("*.mo")):
        with open(path, "rb") as file:
            catalogue = vars(gettext.GNUTranslations(file))["_catalog"]
        for key, message in catalogue.items():
            if not key or not isinstance(message, str):
                continue
            for line in message.splitlines():
                plain = " ".join(_MNEMONIC.sub(r"\1", line.strip()).split())
                if plain and not _PLACEHOLDER.search(plain):
                    yield plain


def _help(folder: Path) -> Iterator[str]:
    """The paragraphs of the help's pages, behind their menus, that hold nothing but text."""
    pages = sorted(folder.rglob("help/*/text/**/*.html"))
    for path in pages[:: max(1, len(pages) // _MAX_HELP)]:
        html = path.read_text(encoding="utf-8", errors="replace")
        yield from (p for p in paragraphs_in(html, _TAGS, behind="DisplayArea") if not _PLACEHOLDER.search(p))
