"""Read scenes (photographs, posters, screens) with PaddleOCR: lines with polygons, in blocks in reading order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import cv2
import numpy
from rapidfuzz.distance import Levenshtein

from datagen.engines import Choice, Engines, Quad, merged, packaged, versions
from datagen.engines.ppocr import SURE_LINE
from datagen.page.boxes import area, around, shared
from datagen.page.images import pixels
from datagen.page.views import smaller
from datagen.reading import scene_lines
from datagen.reading.cuts import SURE, LineView
from datagen.reading.language import IdentifyLanguage, identify
from datagen.reading.line_readers import COMPACT, LIKE_LATIN, TESSERACT, VERY_SURE, LineReaders
from datagen.reading.page_lines import mean_score
from datagen.reading.scene_lines import as_line, with_text
from datagen.record import Box, Drop, Line, Quality, Region, Sample, SampleError
from datagen.scene.line_order import blocks_in_order
from datagen.work.needs import Needs
from datagen.work.pipeline import Stage
from datagen.work.specification import PLACE
from datagen.writing.languages import script_of
from datagen.writing.scripts import main_script

_ANGLE = "line-angle"
_UNSURE_SHARE = 0.5  # of the length of a scene's lines: if so much is unsure, PP-OCR may not know the script
_FEW_LETTERS = 12.0  # line heights: shorter lines, all together, tell no script
_OF_SCRIPT = 0.5  # of a reading's characters: so many must be letters, mostly in the script that its reader knows
_FAINT = 0.35  # a detector's score: foliage has less
_SAME_PLACE = 0.5  # of the smaller of two boxes: boxes that share more are one line


@dataclass(frozen=True)
class _Scene:
    """A scene with its lines. `reader` read the lines numbered `others`, PP-OCR the rest. `faint` are boxes of possible text."""

    sample: Sample
    lines: list[LineView]
    faint: list[Box]
    reader: Choice
    others: frozenset[int] = frozenset()


@dataclass(frozen=True)
class ReadScene(Stage):
    """Gives scenes blocks of lines in reading order (`datagen.scene.line_order`), their text, and the text's language.

    `detector` finds the lines, and the recogniser `lines` reads them, whichever way up they stand. `angle` is the engine that
    finds lines upside down; None asks no engine. Another engine (Tesseract, the package's reader, or one of the flywheel's
    readers in the folders `readers`) reads a scene that PP-OCR can't read: a scene whose declared language or caption is in that
    engine's script, or whose unsure lines look like it. Latin lines of which PP-OCR is very sure stay, except in scripts that
    look like Latin. A line that no engine can read becomes a block without text, `is_unread`, behind the others. A line's score
    is its reader's. With `agreement` the picture is read again at `second_side` pixels, and the score is multiplied by the
    agreement of both readings.

    Lines are found picture by picture. The lines of `batch_size` pictures are read together: `lines` may be
    `Choice.of("ppocr", device="gpu", batch_size=64)`.

    A sample whose words hold (`Quality.words_hold`), such as a drawn scene, isn't read, unless `takes_all`. Samples of other
    tasks aren't read. The verdict is `none`, until `JudgeScene` gives one. Signals:

    `reading_score`   the mean of the lines' scores, by character, where the readers give scores
    `num_unread`      lines that were found and that no engine could read
    `num_faint`       places that may be text, by the detector; they are `is_unread`, too
    `num_lines`       lines that were read
    `num_turned`      lines that are upside down or lie on a side
    `agreement`       with `agreement`, how far two readings of PP-OCR agree, on average by character
    `agreed_share`    with `agreement`, the share of the characters in lines on which both readings agree
    """

    version: ClassVar[int] = 4  # 4: scripts are told by their image

    detector: Choice = Choice("ppocr-detector")  # noqa: RUF009  # a tuple
    lines: Choice = Choice("ppocr")  # noqa: RUF009
    angle: Choice | None = Choice(_ANGLE)  # noqa: RUF009
    readers: tuple[str, ...] = field(default=(), metadata=PLACE)
    agreement: bool = False
    second_side: int = 640
    takes_all: bool = False
    batch_size: int = 1  # an image may take 300 MB

    @property
    def needs(self) -> Needs:
        return Needs(gpus=max(choice.gpus for choice in self._choices))

    @property
    def _choices(self) -> list[Choice]:
        return [self.detector, self.lines, *([self.angle] if self.angle else [])]

    def engines(self) -> dict[str, str]:
        others = versions(TESSERACT) | packaged.versions() | IdentifyLanguage().engines()
        asked = merged(choice.versions() for choice in self._choices) | others
        return asked | merged(versions(COMPACT, folder=folder) for folder in self.readers)

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        images: dict[int, numpy.ndarray | Drop] = {}
        for i, sample in enumerate(batch):
            if sample.task == "scene" and (self.takes_all or not sample.quality.words_hold):
                try:
                    images[i] = pixels(sample.image or b"")
                except SampleError as error:
                    images[i] = sample.drop(error.reason, type(self).__name__, error.detail)
        shown = [(batch[i], image) for i, image in images.items() if isinstance(image, numpy.ndarray)]
        read = iter(self._read(shown, engines))
        for i, sample in enumerate(batch):
            image = images.get(i)
            yield sample if image is None else image if isinstance(image, Drop) else next(read)

    def _read(self, shown: Sequence[tuple[Sample, numpy.ndarray]], engines: Engines) -> Iterator[Sample]:
        lines, faint = self._lines([image for _, image in shown], self._with_faint, engines)
        again: list[list[LineView]] = []
        if self.agreement:
            small = [smaller(image, self.second_side) for _, image in shown]
            again, _ = self._lines(small, self._detector_with(long_side=self.second_side), engines)
        for n, (sample, image) in enumerate(shown):
            scene = _Scene(sample, lines[n], faint[n], self.lines)
            scene = self._by_others(scene, LineReaders(engines, self.readers, self.lines))
            signals: dict[str, float] = {}
            if self.agreement:
                scale = 1 / min(1.0, self.second_side / max(image.shape[:2]))
                quads = [tuple((x * scale, y * scale) for x, y in line.quad) for line in again[n]]
                second = [line._replace(quad=quad) for line, quad in zip(again[n], quads, strict=True)]
                scene, signals = _agreed(scene, [as_line(line, sample.size) for line in second])
            yield self._with_blocks(scene, signals)

    def _lines(
        self, images: Sequence[numpy.ndarray], detector: Choice, engines: Engines
    ) -> tuple[list[list[LineView]], list[list[Box]]]:
        """PP-OCR's lines of each image, and the boxes outside these lines that may be text."""
        detected = detector.opened(engines).detect(images)
        sure = [[quad for quad, score in quads if score >= SURE_LINE] for quads in detected]
        pieces = [scene_lines.cuts(image, quads) for image, quads in zip(images, sure, strict=True)]
        turned = self.angle.opened(engines).turned if self.angle else None
        faint = []
        for image, quads, of_image in zip(images, sure, detected, strict=True):
            boxes = [_around(quad, image) for quad in quads]
            others = [_around(quad, image) for quad, score in of_image if score < SURE_LINE]
            faint.append([box for box in others if not any(shared(box, near) > _SAME_PLACE * area(box) for near in boxes)])
        return scene_lines.read_lines(pieces, self.lines.opened(engines).read, turned), faint

    @property
    def _with_faint(self) -> Choice:
        """The detector with the limit `_FAINT`, so that it also finds possible text. Another model keeps its own limit."""
        return self._detector_with(least=_FAINT)

    def _detector_with(self, **settings: float) -> Choice:
        own = dict(self.detector.settings)
        return self.detector if "model" in own else Choice.of(self.detector.name, **(own | settings))

    def _by_others(self, scene: _Scene, readers: LineReaders) -> _Scene:
        """The scene, with another engine's readings of the lines that PP-OCR can't read, if an engine can."""
        sure = {n for n, line in enumerate(scene.lines) if line.text and (line.score or 0.0) >= SURE}
        lang, script = _declared(scene.sample)
        reader, read_in = readers.who(lang, script) if lang != "und" else (readers.ppocr, "und")
        if reader == readers.ppocr:
            unsure = [line for n, line in enumerate(scene.lines) if n not in sure and line.direction != "ttb"]
            length, rest = _length(unsure), _length(scene.lines[n] for n in sure)
            if length < max(_FEW_LETTERS, _UNSURE_SHARE * (length + rest)):
                return scene
            images = [_gray(line) for line in unsure]
            script = readers.guessed_script(images)
            reader, read_in = readers.who("und", script)
            # A reader sees letters of its script in anything. So the reader of a guessed script must be surer than PP-OCR.
            if reader == readers.ppocr or readers.confidence(reader, images, read_in, script) <= _sureness(unsure):
                return scene
        stay = {n for n in sure if (scene.lines[n].score or 0.0) >= VERY_SURE and main_script(scene.lines[n].text)[0] == "Latn"}
        stay = set() if script in LIKE_LATIN else stay
        asked = [n for n, line in enumerate(scene.lines) if n not in stay and line.direction != "ttb"]
        readings = readers.read(reader, [_gray(scene.lines[n]) for n in asked], read_in)
        lines, others = list(scene.lines), set()
        for n, (text, score) in zip(asked, readings, strict=True):
            if _is_in(text, script):
                lines[n] = with_text(lines[n], text, score)
                others.add(n)
        return replace(scene, lines=lines, reader=reader, others=frozenset(others))

    def _with_blocks(self, scene: _Scene, signals: dict[str, float]) -> Sample:
        sample = scene.sample
        lines: dict[int, Line] = {n: as_line(line, sample.size) for n, line in enumerate(scene.lines) if line.text}
        by = {id(line): scene.reader.name if n in scene.others else self.lines.name for n, line in lines.items()}
        regions = [self._region(block, [by[id(line)] for line in block]) for block in blocks_in_order(list(lines.values()))]
        text = "\n\n".join(region.text for region in regions)
        regions += [self._unread(as_line(line, sample.size)) for line in scene.lines if not line.text]
        regions += [self._unread(Line(box, "")) for box in scene.faint]
        language = identify(text, _declared(sample)[0])
        signals = {
            "num_lines": float(len(lines)),
            "num_unread": float(len(scene.lines) - len(lines)),
            "num_faint": float(len(scene.faint)),
            "num_turned": float(sum(_is_turned(scene.lines[n]) for n in lines)),
            **signals,
        }
        score = mean_score(list(lines.values()))
        if lines and score is not None:
            signals["reading_score"] = score
        return replace(
            sample,
            lang=language.lang,
            script=language.script,
            text=text,
            regions=tuple(regions),
            quality=Quality("none", sample.quality.reasons, sample.quality.signals | signals),
            origin=replace(sample.origin, engines=sample.origin.engines | self._asked(scene)),
        )

    def _unread(self, line: Line) -> Region:
        """An unread line as a block."""
        name = self.detector.name
        return Region(line.box, "text", "", None, name, polygon=line.polygon, detected_by=name, is_unread=True)

    def _region(self, lines: Sequence[Line], by: Sequence[str]) -> Region:
        """A block. Its `by` is the engine that has read most of its characters."""
        chars = {name: sum(len(line.text) for line, of in zip(lines, by, strict=True) if of == name) for name in by}
        return Region(
            around([line.box for line in lines]),
            "text",
            "\n".join(line.text for line in lines),
            mean_score(lines),
            max(chars, key=lambda name: chars[name]),
            polygon=lines[0].polygon if len(lines) == 1 else (),
            lines=tuple(lines),
            detected_by=self.detector.name,
        )

    def _asked(self, scene: _Scene) -> dict[str, str]:
        """The engines that said something of the scene, with their versions."""
        asked = self.detector.versions() | self.lines.versions()
        if scene.others:
            asked |= scene.reader.versions()
        return asked


def _around(quad: Quad, image: numpy.ndarray) -> Box:
    """The box around a quadrangle, within the image and not empty."""
    (height, width), (xs, ys) = image.shape[:2], zip(*quad, strict=True)
    x0, y0 = min(max(0, int(min(xs))), width - 1), min(max(0, int(min(ys))), height - 1)
    return Box(x0, y0, min(width, max(x0 + 1, round(max(xs)))), min(height, max(y0 + 1, round(max(ys)))))


def _declared(sample: Sample) -> tuple[str, str]:
    """The language and script of a scene's text, by its source or else its caption; `und` where neither tells."""
    if sample.lang != "und":
        is_known = sample.script not in ("Zyyy", "")
        return sample.lang, sample.script if is_known else script_of(sample.lang)
    language = identify(sample.caption)
    return language.lang, language.script


def _length(lines: Iterator[LineView] | Sequence[LineView]) -> float:
    """The total length of the lines in line heights, which is about the number of their letters."""
    return sum(max(line.image.shape[:2]) / min(line.image.shape[:2]) for line in lines)


def _gray(line: LineView) -> numpy.ndarray:
    return numpy.asarray(cv2.cvtColor(line.image, cv2.COLOR_RGB2GRAY))


def _sureness(lines: Sequence[LineView]) -> float:
    """The mean of the lines' scores, by character."""
    return sum((line.score or 0.0) * len(line.text) for line in lines) / max(1, sum(len(line.text) for line in lines))


def _is_in(text: str, script: str) -> bool:
    """Whether a text is mostly letters of a script."""
    letters = sum(map(str.isalpha, text))
    return main_script(text)[0] == script and letters >= _OF_SCRIPT * len(text.replace(" ", ""))


def _is_turned(line: LineView) -> bool:
    (x0, y0), (x1, y1) = line.quad[0], line.quad[1]
    return line.direction != "ttb" and x1 - x0 < abs(y1 - y0)


def _agreed(scene: _Scene, second: Sequence[Line]) -> tuple[_Scene, dict[str, float]]:
    """The scene, with each line's score multiplied by its likeness to the `second` reading at its place; and the signals."""
    lines, shares = [], []
    for n, line in enumerate(scene.lines):
        if n in scene.others:
            lines.append(line)
            continue
        box = as_line(line, scene.sample.size).box
        there = [other for other in second if shared(box, other.box) > _SAME_PLACE * min(area(box), area(other.box))]
        texts = [other.text for other in there]
        best = max((Levenshtein.normalized_similarity(line.text, text) for text in [*texts, " ".join(texts)]), default=0.0)
        shares.append((best, len(line.text)))
        lines.append(line._replace(score=round(best if line.score is None else line.score * best, 3)) if line.text else line)
    total = sum(chars for _, chars in shares)
    if not total:
        return scene, {}
    signals = {
        "agreement": sum(share * chars for share, chars in shares) / total,
        "agreed_share": sum(chars for share, chars in shares if share >= SURE) / total,
    }
    return replace(scene, lines=lines), signals
