"""The pools as the first round froze them: the file pools.json in the step's folder.

Rounds are compared with each other, so a document that tests the first round must test all of them. Documents that arrive after
the first round stay out of the pools until a run with overwrite=1 makes the pools anew.
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.engines import ppocr
from datagen.record import another_schema
from datagen.work import dataset
from datagen.writing import scripts
from flywheel.pools import pools, texts
from flywheel.pools.pools import PLACES, Language, Pools, Scan, TextLines
from flywheel.pools.texts import TextFile, Texts
from flywheel.step import SCANS, SHARED, Flywheel, numbers, numbers_aside

log = logging.getLogger(__name__)

NAME = "pools.json"
VERSION = 7  # goes up whenever the code makes other pools of the same pages


@dataclass(frozen=True)
class FrozenPools:
    """The pools of each language, the `values` that they were made with, and the `shards` of pages that they were made from.
    `shards` maps a shard's name to its identity."""

    values: list[Any]
    shards: dict[str, str]
    pools: tuple[Pools, ...]

    @property
    def served(self) -> list[Pools]:
        """The pools of the languages that get a reader."""
        return [p for p in self.pools if not p.not_served]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.to_json()).hexdigest()

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "FrozenPools":
        state = json.loads(data)
        for values in state["pools"]:
            values |= {name: tuple((doc, page) for doc, page in values[name]) for name in PLACES}
        return cls(state["values"], state["shards"], tuple(Pools(**values) for values in state["pools"]))


def read(folder: Folder) -> FrozenPools | None:
    """The pools in the step's `folder`; None before they are made. Raises `ValueError` if another version made them."""
    try:
        return FrozenPools.from_json(folder.read(NAME)) if folder.exists(NAME) else None
    except (KeyError, TypeError):
        raise ValueError(f"{folder.path(NAME)}: {another_schema()}") from None


def freeze(step: Flywheel, out: Folder, scans: Sequence[Scan] = ()) -> FrozenPools:
    """The pools of the output. Until the first round begins they are made of the corpus as it is, with the documents `scans`, and
    written. Raises `ValueError` if the pools were made of other pages, or with other values."""
    folder, pages = out.sub(step.name), out.sub(step.pages)
    shards = {report.shard: report.known_as for report in read_reports(pages)}
    text = [bool(step.text), list(step.text_packages), step.text_below, step.max_text_lines, step.serve_by_text]
    text += [step.lang, step.max_scan_pages]
    values = [VERSION, step.seed, step.min_alphabet_share, step.min_train_lines, ppocr.alphabet_sha256(), text]
    if not numbers(out) and not numbers_aside(out):
        made = FrozenPools(values, shards, tuple(_assign(step, pages, folder, scans)))
        for name in SHARED:
            if name != SCANS and out.exists(f"{name}/census") and read(folder) != made:
                dataset.clear(out.sub(name))  # made for other pools, by a run that ended before its first round began
        folder.write(NAME, made.to_json())
        return made
    frozen = read(folder)
    is_same = frozen is not None and frozen.values == values
    if frozen is None or not is_same or any(shards.get(shard) != known_as for shard, known_as in frozen.shards.items()):
        raise ValueError(
            f"{folder.path(NAME)} was made from other pages or values: "
            "start a new output with out=…, or replace this one with overwrite=1"
        )
    if num_new := len(shards.keys() - frozen.shards.keys()):
        log.info("%s: %d shards are newer than the pools and stay out of them; overwrite=1 makes pools anew", step.name, num_new)
    return frozen


def texts_of(step: Flywheel, out: Folder, served: Iterable[Pools]) -> dict[str, TextFile]:
    """The frozen texts of the languages that have some, by language."""
    url = out.sub(step.name).sub(texts.FOLDER).url
    return {p.lang: TextFile(url, p.lang, p.text) for p in served if p.text}


def _assign(step: Flywheel, pages: Folder, folder: Folder, scans: Sequence[Scan]) -> Sequence[Pools]:
    """The pools, with the texts of languages that need some written in the step's `folder`."""
    languages = pools.survey(pages, ppocr.alphabet_share, step.min_alphabet_share, scans)
    texts_of = supplied(step, languages)
    folder.remove(texts.FOLDER)
    lines = {}
    for lang, text in texts_of.items():
        sha256 = TextFile.write(folder.sub(texts.FOLDER), text).sha256
        lines[lang] = TextLines(sha256, len(text.train), len(text.held_out))
    new = [Language(text.lang, text.script, _share(text)) for text in texts_of.values()]
    known = {language.lang for language in languages}
    languages = [*languages, *(language for language in new if language.lang not in known)]
    return pools.assign(languages, step.seed, step.min_train_lines, lines)


def supplied(step: Flywheel, languages: Sequence[Language]) -> dict[str, Texts]:
    """The text of each language that needs some, by language. It needs some if it is in the user's folder; if few lines of its
    documents train, and it is served without, has scans, or the step says so. A language of the user's folder whose letters the
    embedded reader knows isn't served, and the log says so."""
    wanted: dict[str, tuple[str, list[str]]] = {}
    given = _given(step, {language.lang: language.script for language in languages})
    parted = pools.assign(languages, step.seed, step.min_train_lines)
    for language, p in zip(languages, parted, strict=True):
        few = pools.num_train_lines(language, p) < step.text_below
        if language.lang in given or (step.text_packages and few and (step.serve_by_text or language.scans or not p.not_served)):
            wanted[language.lang] = (language.script, given.get(language.lang, (language.script, []))[1])
    known = {language.lang for language in languages}
    wanted |= {lang: of for lang, of in given.items() if lang not in known}
    of_scans, supplies = {language.lang for language in languages if language.scans}, {}
    for lang, (script, paragraphs) in sorted(wanted.items()):
        more = texts.FURTHER if step.text_packages and lang in of_scans else ()
        made = texts.gather(lang, script, paragraphs, (*step.text_packages, *more), step.max_text_lines, step.seed)
        if made is None:
            log.info("%s (%s): no text to typeset", lang, script)
            continue
        if lang not in known and _share(made) >= step.min_alphabet_share:
            log.info("%s (%s) needs no reader of its own: the embedded one knows its letters", lang, script)
            continue
        sources = ", ".join(f"{n} of {name}" for name, n in made.paragraphs.items())
        counts = f"{len(made.train)} lines to typeset, {len(made.held_out)} to test, of paragraphs: {sources}"
        faces = f"typefaces: {', '.join(made.families.train)}; to test {', '.join(made.families.test)}"
        log.info("%s (%s): %s; %s", lang, script, counts, faces)
        supplies[lang] = made
    return supplies


def _share(text: Texts) -> float:
    """The share of the text's letters that are in the embedded reader's alphabet."""
    return ppocr.alphabet_share(Counter(char for line in text.train for char in line if char.isalpha()))


def _given(step: Flywheel, known: Mapping[str, str]) -> dict[str, tuple[str, list[str]]]:
    """The script and paragraphs of each language in the user's folder. One that the corpus has in another script is another
    language here: `sr-Latn` beside `sr`."""
    paragraphs_of: dict[str, tuple[str, list[str]]] = {}
    for lang, paths in texts.languages(step.text).items() if step.text else ():
        paragraphs = texts.read(paths)
        script = scripts.main_script(" ".join(paragraphs))[0]
        if script in scripts.NO_SCRIPT:
            raise ValueError(f"text={step.text}: the text in {lang} has no letters")
        name = lang if known.get(lang, script) == script else f"{lang}-{script}"
        paragraphs_of[name] = (script, paragraphs)
    return paragraphs_of
