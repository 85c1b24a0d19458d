"""People's lines as images: NAME.png with the line's text in NAME.gt.txt beside it, as in kraken, OCRopus and Tesseract.

    gold=FOLDER ──> gold_images.json ──> gold-images/          a dataset of lines: half of them train, half calibrate
                                             └──> gold-image-lines/     the calibrating half as readers see it

Calibrating lines test readers and their gates, and nobody learns them. The halves are whole documents. A document is a folder, or
a line if all lines lie in one folder. Where one document has most lines, the halves are of lines. No reader reads an image of
gold, and none adapts to one.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import ClassVar

from datagen.disk import manifest
from datagen.disk.storage import Folder, resolve
from datagen.inputs import archive
from datagen.inputs.census import Census, Listing
from datagen.inputs.items import Item
from datagen.page.images import pixels
from datagen.pictures.image_files import FORMATS
from datagen.pictures.source import ImageSource
from datagen.record import Drop, Line, Quality, Range, Region, Sample
from datagen.work import dataset
from datagen.work.pipeline import Pipeline
from datagen.writing.direction import is_rtl
from datagen.writing.line_text import normalise
from datagen.writing.scripts import main_script
from flywheel.labels import scan_languages
from flywheel.labels.line_readings import encoded, whole
from flywheel.pools.pools import Place, Pools, Scan
from flywheel.step import GOLD, GOLD_IMAGE_LINES, GOLD_IMAGES, Flywheel

NAME = "gold_images.json"
"""The file in the step's folder that has the lines that were taken in."""

TRAIN, CALIBRATE = "train", "calibrate"
_SUFFIX = ".gt.txt"
_MOST = 0.6  # of the lines, in one document: then its lines are divided


@dataclass(frozen=True)
class GoldLine:
    """The image of a line at `uri`, with its `text`. `script` is that of its folder's lines together: a line may be a number.
    `use` is its half, `TRAIN` or `CALIBRATE`."""

    uri: str
    etag: str
    num_bytes: int
    text: str
    document: str
    script: str = ""
    use: str = ""


def is_folder(url: str) -> bool:
    """Whether gold's place is a folder of images, and no sheet's file. Raises `ValueError` if nothing is there."""
    fs, path = resolve(url)
    if not fs.exists(path):
        raise ValueError(f"gold={url}: no such file or folder")
    return bool(fs.isdir(path))


def take(step: Flywheel, out: Folder, url: str) -> str:
    """Add the lines in the folder `url` to those of the output; returns the numbers, for people. A line that is known gets the
    text that it has now. Raises `ValueError` if the folder has no line with its text."""
    folder = out.sub(step.name)
    known = {line.uri: line for line in lines_of(folder)}
    here, counts = look(url)
    lines = _halved([known[uri] if uri not in here else replace(here[uri], use=known[uri].use) for uri in known], here)
    if lines != list(known.values()):
        for name in (GOLD_IMAGES, GOLD_IMAGE_LINES):
            if out.exists(f"{name}/census"):
                dataset.clear(out.sub(name))
        _write(folder, lines)
    uses = Counter(line.use for line in lines)
    return f"{counts}; {uses[TRAIN]} train and {uses[CALIBRATE]} calibrate in all"


def look(url: str) -> tuple[dict[str, GoldLine], str]:
    """The lines in the folder `url` by uri, and the numbers of lines and of what is left out, for people. Raises `ValueError` if
    there is no line with its text."""
    left_out = Counter[str]()
    lines = list(_lines_in(url, left_out))
    texts: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        texts[line.document].append(line.text)
    scripts = {folder: main_script("\n".join(of_folder))[0] for folder, of_folder in texts.items()}
    here = {line.uri: replace(line, script=scripts[line.document]) for line in lines}
    reasons = "".join(f"; {count} {reason}" for reason, count in sorted(left_out.items()))
    if not here:
        raise ValueError(f"gold={url}: no image of a line with its text beside it, as line.png and line{_SUFFIX}{reasons}")
    return here, f"{len(here)} lines in {url}{reasons}"


def lines_of(folder: Folder) -> list[GoldLine]:
    """The lines that were taken into the step's `folder`."""
    return [GoldLine(**line) for line in json.loads(folder.read(NAME))] if folder.exists(NAME) else []


def _write(folder: Folder, lines: Iterable[GoldLine]) -> None:
    folder.write(NAME, json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=1).encode())


def _lines_in(url: str, left_out: Counter[str]) -> Iterator[GoldLine]:
    """The lines in a folder. `left_out` counts other images, and texts, by reason."""
    names: dict[str, frozenset[str]] = {}
    for item in Listing(url, FORMATS, has_lists=False).scan()[0]:
        parent, _, name = item.uri.rpartition("/")
        if archive.kind_of(item.uri) or not parent:
            left_out["images in archives"] += 1
            continue
        if parent not in names:
            names[parent] = frozenset(Folder(parent).names(_SUFFIX))
        stem = name.rpartition(".")[0]
        truth = next((beside for beside in (stem + _SUFFIX, stem.partition(".")[0] + _SUFFIX) if beside in names[parent]), "")
        if not truth:
            left_out["images without a text"] += 1
            continue
        try:
            data = Folder(parent).read(truth)
            rows = [row for row in data.decode("utf-8-sig").splitlines() if normalise(row)]
        except (OSError, UnicodeDecodeError) as error:
            left_out["texts that are not UTF-8" if isinstance(error, UnicodeDecodeError) else "texts that can't be opened"] += 1
            continue
        if len(rows) != 1:
            left_out["texts of several lines" if rows else "empty texts"] += 1
            continue
        etag = hashlib.sha256(item.etag.encode() + data).hexdigest()
        yield GoldLine(item.uri, etag, item.num_bytes, rows[0].strip(), parent)


def _halved(known: Sequence[GoldLine], here: Mapping[str, GoldLine]) -> list[GoldLine]:
    """The `known` lines, and those `here`, with their halves. Each document goes to the half that has fewer lines so far."""
    uris = {line.uri for line in known}
    lines = [*known, *(line for uri, line in here.items() if uri not in uris)]
    of_document = Counter(line.document for line in lines)
    if max(of_document.values()) > _MOST * len(lines):
        lines = [replace(line, document=line.uri) for line in lines]
    use_of = {line.document: line.use for line in lines if line.use}
    sizes = Counter(line.use for line in lines)
    documents: dict[str, list[GoldLine]] = defaultdict(list)
    for line in lines:
        documents[line.document].append(line)
    for document in sorted(documents, key=lambda name: (-len(documents[name]), hashlib.sha256(name.encode()).digest())):
        if document not in use_of:
            use_of[document] = TRAIN if sizes[TRAIN] < sizes[CALIBRATE] else CALIBRATE
            sizes[use_of[document]] += len(documents[document])
    return [replace(line, use=line.use or use_of[line.document]) for line in lines]


@dataclass(frozen=True)
class LinesTaken(Census):
    """The images of these lines."""

    lines: tuple[GoldLine, ...]

    def items(self) -> list[Item]:
        return sorted((Item(line.uri, line.etag, line.num_bytes) for line in self.lines), key=lambda item: item.uri)


@dataclass(frozen=True)
class GoldImages(ImageSource):
    """Images of `lines` with the text that a person wrote. `languages` has each script's language. A line of another script is a
    drop, `not_served`."""

    version: ClassVar[int] = 1
    task: str = "crop"
    long_side: int = 2560  # as of pages
    stage: str = GOLD
    lines: tuple[GoldLine, ...] = field(default=(), repr=False, metadata={"secret": True})
    languages: tuple[tuple[str, str], ...] = ()

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        line = next(line for line in self.lines if line.uri == item.uri)
        lang = dict(self.languages).get(line.script)
        if lang is None:
            yield Drop("", item.uri, Range(0, 1), type(self).__name__, "not_served", f"no language in {line.script} is served")
            return
        for sample in super().read(item):
            yield sample if isinstance(sample, Drop) else _written(sample, line, lang)
            break  # another frame of the image is not the line


def _written(sample: Sample, line: GoldLine, lang: str) -> Sample:
    """The line with paper around it, as waiting lines get it."""
    shown = whole(pixels(sample.image or b"", "L"))
    box, direction = shown.inner, "rtl" if is_rtl(line.text, line.script) else "ltr"
    height, width = shown.gray.shape
    region = Region(box, "text", line.text, None, "person", lines=(Line(box, line.text, direction=direction),))
    given = replace(sample, image=encoded(shown.gray), size=(width, height), quality=Quality("trusted"))
    given = replace(given, lang=lang, script=line.script, text=line.text, regions=(region,))
    group = hashlib.sha256(line.document.encode()).hexdigest()
    return replace(given, group=group, metadata={**sample.metadata, "use": line.use})


def pipeline(step: Flywheel, out: Folder, served: Sequence[Pools]) -> Pipeline | None:
    """The pipeline that makes the dataset of the lines that were taken in, in their script's language with most pages to read;
    None without a line."""
    lines = tuple(lines_of(out.sub(step.name)))
    if not lines:
        return None
    waiting = {p.script: Counter({q.lang: len(q.unlabelled) for q in served if q.script == p.script}) for p in served}
    languages = sorted((script, langs.most_common(1)[0][0]) for script, langs in waiting.items())
    source = GoldImages(lines=lines, languages=tuple(languages))
    return Pipeline(GOLD_IMAGES, LinesTaken(lines), source, (), max_drop=1.0)


def letters(step: Flywheel, out: Folder, scans: Iterable[Scan]) -> list[Scan]:
    """For each script of the lines that were taken in, their letters, in the language of most `scans` of that script."""
    texts: dict[str, list[str]] = defaultdict(list)
    for line in lines_of(out.sub(step.name)):
        texts[line.script].append(line.text)
    langs: dict[str, Counter[str]] = defaultdict(Counter)
    for scan in scans:
        langs[scan.script][scan.lang] += len(scan.pages)
    typed = []
    for script, of_script in sorted(texts.items()):
        text = "\n".join(of_script)
        lang = max(langs[script], key=lambda lang: (langs[script][lang], lang), default=step.lang)
        lang = lang or scan_languages.language_of(text, script, Counter())
        typed.append(Scan(lang, script, "", Counter(filter(str.isalpha, text)), [], is_named=True))
    return typed


@dataclass(frozen=True)
class Halves:
    """The pages of gold's images with their languages, by half, and the script of each. An image is a page of its own."""

    train: Mapping[Place, str]
    calibrate: Mapping[Place, str]
    scripts: Mapping[str, str]

    @classmethod
    def of(cls, step: Flywheel, out: Folder) -> "Halves":
        """An image that lies in both halves, as a copy, calibrates."""
        uses = {line.uri: line.use for line in lines_of(out.sub(step.name))}
        halves: dict[str, dict[Place, str]] = {TRAIN: {}, CALIBRATE: {}}
        scripts = {}
        for row in manifest.rows(out.sub(GOLD_IMAGES)):
            halves[uses.get(row["uri"], CALIBRATE)][row["sha256"], row["page"]] = row["lang"]
            scripts[row["sha256"]] = row["script"]
        train = {place: lang for place, lang in halves[TRAIN].items() if place not in halves[CALIBRATE]}
        return cls(train, halves[CALIBRATE], scripts)

    @property
    def documents(self) -> frozenset[str]:
        """The sha256s of all images."""
        return frozenset(self.scripts)


def forget(folder: Folder, uris: frozenset[str]) -> None:
    """Remove the lines of forgotten images from the step's `folder`."""
    lines = lines_of(folder)
    if left := [line for line in lines if line.uri not in uris]:
        _write(folder, left)
    elif lines:
        folder.remove(NAME)
