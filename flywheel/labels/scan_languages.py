"""The languages of documents without a valid text layer: scans, drawn text, text that lies, images of pages and of lines.

    scans/   a dataset: a page of each such document, in the language in which the best reader here reads it

It is made once, before the pools are frozen. A document counts as such if none of its pages has words that hold. Of a folder's
images at most `_OF_FOLDER` are read, fewer where there are many folders. The others are in the language of most of these.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from datagen.disk import manifest
from datagen.disk.shards import read_records
from datagen.disk.storage import Folder
from datagen.engines import Engines, packaged, versions
from datagen.page.images import pixels
from datagen.reading.language import identify
from datagen.reading.line_readers import LineReaders
from datagen.reading.page_lines import read_lines
from datagen.record import Box, Drop, Region, Sample, words_hold
from datagen.work.assignment import assigned
from datagen.work.needs import A_CORE, Needs
from datagen.work.pipeline import Pipeline, Stage
from datagen.work.samples_of import ShardsOf
from datagen.writing.languages import NO_SCRIPT, UNKNOWN, first_language, script_of
from flywheel.labels.detected_lines import PagesOf
from flywheel.labels.line_readings import LONG_SIDE, is_line
from flywheel.pools.page_lists import PlaceFile, sample_keys
from flywheel.pools.pools import Place, Scan
from flywheel.step import SCANS, Flywheel

ASKED = "scans_to_ask.json"
"""The file in the step's folder that has the pages that are asked, with their declared languages."""

_OF_FOLDER, _OF_MANY, _OF_ALL = 24, 4, 600
_SURE = 0.5  # of a character, on average over a page: readers are 0.1 to 0.7 sure of other scripts
_POLYTONIC, _POLYTONIC_GREEK = re.compile("[\u1f00-\u1f6f\u1f80-\u1fff]"), "grc"
_NO_TEXT = frozenset({"blank"})


class _Unread(NamedTuple):
    """A page without a valid text layer. `folder` is that of an image, "" for a page of another file."""

    key: str
    place: Place
    folder: str
    is_line: bool
    lang: str


@dataclass(frozen=True)
class TellLanguage(Stage):
    """Sets the language and the script in which a page's lines are read best, and their text. A page that nobody reads is a drop:
    `no_lines`, or `unknown_script` with the sureness of the best reader."""

    version: ClassVar[int] = 1
    needs: ClassVar[Needs] = A_CORE
    batch_size: int = 8

    def engines(self) -> dict[str, str]:
        return versions("ppocr-detector") | versions("ppocr") | versions("tesseract") | packaged.versions()

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for page in batch:
            image = pixels(page.image or b"")
            detector = engines.get("ppocr-detector", long_side=LONG_SIDE)
            width, height = page.size
            whole = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
            quads = [whole] if is_line(page.size) else [quad for quad, _ in detector.detect([image])[0]]
            declared = page.lang if script_of(page.lang) in packaged.available() else UNKNOWN
            lines = read_lines(image, quads, declared, NO_SCRIPT, LineReaders(engines))
            sure = lines.sureness / max(1, lines.num_chars)
            if not lines.num_chars:
                yield page.drop("no_lines", type(self).__name__)
            elif declared == UNKNOWN and sure < _SURE:
                yield page.drop("unknown_script", type(self).__name__, f"the best reader is {sure:.2f} sure of a character")
            else:
                lang = page.lang if page.lang != UNKNOWN else lines.lang
                text = "\n".join(line.text for line in lines.lines)
                region = Region(Box(0, 0, *page.size), "text", text, lines.score, lines.by, lines=lines.lines)
                read = replace(page, lang=lang, script=lines.script, text=text, regions=(region,), stage=SCANS)
                yield read.with_quality("suspect", ("unsure_reading",), sureness=sure)


def pipeline(step: Flywheel, out: Folder) -> Pipeline | None:
    """The pipeline that asks pages for their language. None if there is no page to ask."""
    pages = out.sub(step.pages)
    chosen: dict[Place, str] = {}
    of_folder: Counter[str] = Counter()
    documents = set[str]()
    unread = _unread(step, pages)
    most = max(_OF_MANY, min(_OF_FOLDER, _OF_ALL // max(1, len({page.folder for page in unread}))))
    for page in sorted(unread, key=lambda page: hashlib.sha256(page.key.encode()).digest()):
        if page.folder:
            of_folder[page.folder] += 1
        if page.place[0] not in documents and of_folder[page.folder] <= most:
            documents.add(page.place[0])
            chosen[page.place] = page.lang
    if not chosen:
        return None
    rows = [row for row in manifest.rows(pages) if (row["sha256"], row["page"]) in chosen]
    file = PlaceFile.write(out.sub(step.name), ASKED, chosen, sample_keys(pages, rows, chosen))
    shards = tuple(dict.fromkeys(row["shard"] for row in rows))
    return Pipeline(SCANS, ShardsOf(pages.url, shards), PagesOf(pages=file), (TellLanguage(),), max_drop=1.0)


def scans(step: Flywheel, out: Folder) -> list[Scan]:
    """The documents without a valid text layer whose script is known, with their pages."""
    dataset = out.sub(SCANS)
    asked = {page.origin.sha256: page for page in read_records(dataset, manifest.rows(dataset))}
    unread = _unread(step, out.sub(step.pages))
    of_folder: dict[str, list[Sample]] = defaultdict(list)
    for page in unread:
        if page.folder and (read := asked.get(page.place[0])):
            of_folder[page.folder].append(read)
    commonest = {folder: _written(pages) for folder, pages in of_folder.items()}
    documents: dict[str, Scan] = {}
    for page in unread:
        doc, number = page.place
        read, lang_and_script = asked.get(doc), commonest.get(page.folder)
        if read and not (page.is_line and lang_and_script):
            lang_and_script = _written([read])
        if lang_and_script:
            lang, script = lang_and_script
            letters = Counter(char for char in read.text if char.isalpha()) if read else {}
            documents.setdefault(doc, Scan(step.lang or lang, script, doc, letters, [], bool(step.lang))).pages.append(number)
    return _few(documents.values(), step.max_scan_pages) if step.max_scan_pages else list(documents.values())


def _few(documents: Iterable[Scan], most: int) -> list[Scan]:
    """The documents of each language with at most `most` pages together, a page of each document in turn."""
    by_language: dict[tuple[str, str], list[tuple[int, Scan]]] = defaultdict(list)
    for scan in sorted(documents, key=lambda scan: scan.sha256):
        by_language[scan.lang, scan.script] += enumerate([replace(scan, pages=[page]) for page in sorted(scan.pages)])
    chosen: dict[str, Scan] = {}
    for of_language in by_language.values():
        for _, scan in sorted(of_language, key=lambda one: one[0])[:most]:
            chosen.setdefault(scan.sha256, replace(scan, pages=[])).pages.extend(scan.pages)
    return list(chosen.values())


def _written(pages: Sequence[Sample]) -> tuple[str, str]:
    """The language and the script of most of the pages' text. If nothing else tells the language, it is the one that CLDR names
    first for the script. The identifier calls all Greek modern: with breathings it is ancient Greek here, as its texts are."""
    chars: Counter[str] = Counter()
    for page in pages:
        chars[page.script] += len(page.text)
    script = max(chars, key=lambda script: (chars[script], script))
    in_script = [page for page in pages if page.script == script]
    langs = Counter(page.lang for page in in_script if page.lang != UNKNOWN)
    return language_of("\n".join(page.text for page in in_script), script, langs), script


def language_of(text: str, script: str, langs: Counter[str]) -> str:
    """The language of a text in this script, of which parts were taken for `langs`."""
    lang = identify(text, next(iter(langs), UNKNOWN)).lang
    if script_of(lang) != script:
        lang = max(langs, key=lambda lang: (langs[lang], lang)) if langs else UNKNOWN
    if lang == "el" and _POLYTONIC.search(text):
        return _POLYTONIC_GREEK
    return lang if lang != UNKNOWN else first_language(script)


def _unread(step: Flywheel, pages: Folder) -> list[_Unread]:
    """The pages of documents in which no page has words that hold, but for blank pages."""
    declared = {item.uri: item.lang for shard in assigned(pages) for item in shard.inputs if item.lang}
    rows = list(manifest.rows(pages))
    with_words = {row["sha256"] for row in rows if row["num_chars"] and words_hold(row["verdict"], row["reasons"])}
    unread: dict[Place, _Unread] = {}
    for row in rows:
        if row["sha256"] not in with_words and not _NO_TEXT & {*row["reasons"]}:
            unread.setdefault((row["sha256"], row["page"]), _of_row(row, step.lang or declared.get(row["uri"], UNKNOWN)))
    return list(unread.values())


def _of_row(row: Mapping[str, Any], lang: str) -> _Unread:
    is_image = not row["uri"].lower().endswith(".pdf")
    folder = row["uri"].rpartition("/")[0] if is_image else ""
    return _Unread(row["key"], (row["sha256"], row["page"]), folder, is_line((row["width"], row["height"])), lang)
