"""Text in some 600 languages and variants out of MediaWiki's translations: what a wiki's windows and settings say.

Debian has them in one package, which is downloaded and unpacked without being installed; the messages of each language are kept
in the user's cache. They are short, but people wrote them in scripts that hardly any other package has, such as Tai Le, Meetei
Mayek, Sylheti Nagari or Gothic. The licence is GPL-2.0-or-later.
"""

import json
import logging
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from datagen.samples.documents import cache_folder, extracted, kept

log = logging.getLogger(__name__)

_PACKAGE = "mediawiki"
_CODES = {"mni-Mtei": "mni", "iu": "ike-cans", "syr": "arc"}  # MediaWiki's names of languages, where they aren't BCP-47
_NO_LANGUAGES = ("en", "qqq", "qqx")  # English, and notes for translators
# What stands for something else in a message, or is written for a wiki.
_LINK = re.compile(r"\[\[(?:[^\]|]*\|)?([^\]]*)\]\]|\[\S+ ([^\]]*)\]")
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")
_CODE = re.compile(r"<[^>]*>|&[#\w]+;|'{2,}|\$\d+|https?://\S+|[=*#:;]{1,3}(?=\s)")
_ENDS = " -–—|*#:;"


def paragraphs(lang: str) -> list[str]:
    """The messages in a language (BCP-47), each once, in order; none if MediaWiki isn't translated into it. Raises `ValueError`
    if the package can't be had here."""
    path = _folder() / f"{_CODES.get(lang, lang.lower())}.txt"
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _folder() -> Path:
    """The messages, a file for each language; fetched the first time."""
    return kept(cache_folder().with_name(f"{_PACKAGE}-messages"), _fetched)


def _fetched(folder: Path) -> Path:
    _, raw = extracted(_PACKAGE, folder)
    made = folder / "made"
    made.mkdir()
    for code, messages in _by_language(raw).items():
        (made / f"{code}.txt").write_text("".join(f"{text}\n" for text in messages), encoding="utf-8")
    return made


def _by_language(folder: Path) -> dict[str, dict[str, None]]:
    """The plain lines of all messages by MediaWiki's code of the language."""
    by_language: dict[str, dict[str, None]] = defaultdict(dict)
    for path in sorted(folder.rglob("i18n/**/*.json")):
        if path.stem in _NO_LANGUAGES:
            continue
        try:
            messages = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            log.info("%s: no messages: %s", path, error)
            continue
        for key, message in messages.items() if isinstance(messages, dict) else ():
            if isinstance(message, str) and not key.startswith("@"):
                by_language[path.stem].update(dict.fromkeys(_lines(message)))
    return by_language


def _lines(message: str) -> Iterator[str]:
    """The lines of a message without what is markup or stands for something else."""
    plain = _LINK.sub(lambda match: match[1] or match[2] or "", re.sub(r"<[^>]*>", " ", message))
    for _ in range(3):  # templates stand in templates
        plain = _TEMPLATE.sub(" ", plain)
    for line in _CODE.sub(" ", plain).split("\n"):
        text = " ".join(line.split()).strip(_ENDS)
        if len(text) > 1 and not re.search(r"[{}\[\]|]", text):
            yield text
