"""Labels for pages that are images: lines are found and read, regions get labels, and regions are put in reading order."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar, NamedTuple

import numpy

from datagen.asking.answers import NothingAnswers
from datagen.engines import Choice, Engines, Layout, Quad, merged, packaged, versions
from datagen.fine import lines_to_regions
from datagen.layouts import labeller
from datagen.layouts.groups import groups, structure_score
from datagen.markdown import markdown
from datagen.page.boxes import is_centred_in
from datagen.page.images import pixels
from datagen.page.line_pieces import Rect
from datagen.page.paper import CONTRAST
from datagen.page.views import View, as_it_came
from datagen.reading.line_readers import LineReaders
from datagen.reading.page_lines import PageLines, read_lines
from datagen.reading.page_views import Looks, best_view
from datagen.record import Drop, Line, Quality, Region, Sample, SampleError
from datagen.work.needs import Needs
from datagen.work.pipeline import Stage
from datagen.work.specification import PLACE

log = logging.getLogger(__name__)

_WIDE = 3.0  # in line heights: a wider gap divides a line; detectors read on across narrower gaps
_SEEN, _FEW_LINES = 0.3, 8  # a layout whose regions hold a smaller share of the characters has failed, if there are more lines


class _Page(NamedTuple):
    """A page: the view of its image in which it was read, its lines in this view, and its signals."""

    sample: Sample
    view: View
    lines: PageLines
    signals: dict[str, float]


@dataclass(frozen=True)
class AnnotateImage(Stage):
    """Gives pages their regions in reading order, their text as Markdown, and the names of the engines used, all from the image.

    Pages whose words hold (`Quality.words_hold`) pass as they are, unless `takes_all`. The engine `detector` finds lines.
    `page_lines.read_lines` chooses who reads the lines: PP-OCR's recogniser `lines`, Tesseract, the package's reader of the
    script, or the flywheel's readers in the folders `readers`. The regions that the engine `layout` sees have votes.
    The engine `equations` adds formulas where `layout` sees text. Formulas and tables stay unread: another stage reads them.
    The `batch_size` pages are given to `layout` together.

    A page is read in the view of its image in which its lines are read best (`page_views.best_view`). The view is turned upright,
    by `orientation` and by how well lines are read each way up; flattened by `unwarping`, unless that model doesn't fit; and
    evenly lit. The sample keeps its image, and all boxes and polygons are places in this image. A spread is one sample: the
    regions of its first page come first, the regions of its second page follow.

    Regions, labels and order: see `datagen.layouts`. No line that was read is lost. Lines inside a picture are the picture's
    text. If `layout` fails or sees next to nothing, the page has the reason `layout_failed`.

    The verdict is `trusted` if the lines' mean score, by character, is at least `min_score`. Else it is `suspect`: for
    `unsure_reading`, or for `unscored_reading` if the reader gives no scores. It is `none` if there is no text. Signals:

    `reading_score`   the lines' mean score; absent if the reader gives no scores
    `layout_share`    the share of the characters that lie in regions of the layout engine
    `structure_score`  the probability that all regions are right
    `num_unread`      the number of lines that were found but could not be read
    `turned`, `unwarped`, `askew`, `lit`, `unfit_sheet`: how the view differs from the image, see `page_views.Seen`
    """

    version: ClassVar[int] = 14

    takes_all: bool = False
    detector: Choice = Choice("ppocr-detector")  # noqa: RUF009  # a tuple
    layout: Choice = Choice("pymupdf-layout")  # noqa: RUF009
    equations: Choice | None = Choice("cdla", (("classes", ("equation",)),))  # noqa: RUF009
    orientation: Choice | None = Choice("page-orientation")  # noqa: RUF009
    unwarping: Choice | None = Choice("page-unwarping")  # noqa: RUF009
    lines: Choice = Choice("ppocr")  # noqa: RUF009
    readers: tuple[str, ...] = field(default=(), metadata=PLACE)
    min_score: float = 0.9
    batch_size: int = 1  # an image may take 300 MB

    @property
    def needs(self) -> Needs:
        return Needs(gpus=max(choice.gpus for choice in self._choices))

    @property
    def _choices(self) -> list[Choice]:
        chosen = (self.detector, self.lines, self.layout, self.equations, self.orientation, self.unwarping)
        return [choice for choice in chosen if choice is not None]

    def engines(self) -> dict[str, str]:
        asked = merged(choice.versions() for choice in self._choices) | versions("tesseract") | packaged.versions()
        return asked | merged(versions("compact", folder=folder) for folder in self.readers)

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        read: dict[int, _Page | Drop] = {}
        for i, sample in enumerate(batch):
            if sample.task == "page" and (self.takes_all or not (sample.text.strip() and sample.quality.words_hold)):
                try:
                    read[i] = self._read(sample, engines)
                except SampleError as error:
                    read[i] = sample.drop(error.reason, type(self).__name__, error.detail)
        pages = [page for page in read.values() if isinstance(page, _Page)]
        annotated = iter(self._annotated(pages, engines))
        for i, sample in enumerate(batch):
            page = read.get(i)
            yield sample if page is None else page if isinstance(page, Drop) else next(annotated)

    def _read(self, sample: Sample, engines: Engines) -> _Page:
        """The page with its lines, in the view in which its lines are read best."""
        readers = LineReaders(engines, self.readers, self.lines)
        looks = Looks(self.detector, self.orientation, self.unwarping)

        def read(image: numpy.ndarray, quads: Sequence[Quad]) -> PageLines:
            return read_lines(image, quads, sample.lang, sample.script, readers)

        seen = best_view(pixels(sample.image or b""), looks, readers, read)
        return _Page(sample, seen.view, seen.lines, {"num_unread": float(seen.lines.num_unread)} | seen.signals)

    def _annotated(self, pages: Sequence[_Page], engines: Engines) -> Iterator[Sample]:
        """The pages with their regions. The layout networks take all pages in one call."""
        if not pages:
            return
        asked = [page.view.image for page in pages], [page.lines.lines for page in pages]
        layout = self.layout.opened(engines)
        layouts = _seen(layout, *asked)
        equations = self.equations.opened(engines).regions(*asked) if self.equations else [()] * len(pages)
        for page, regions, formulas in zip(pages, layouts, equations, strict=True):
            yield self._with_regions(page, regions, formulas)

    def _with_regions(self, page: _Page, layout: Sequence[Region], equations: Sequence[Region]) -> Sample:
        sample, image = page.sample, page.view.image
        seen = lines_to_regions.with_equations(layout, equations)
        shown, lines = lines_to_regions.elements(page.lines, seen, image)
        found = groups(shown, labeller.weights())
        regions = lines_to_regions.put_together(found, lines, shown.pictures, page.lines, seen, partial(_is_clear, image))
        num_seen = sum(len(line.text) for line in lines if any(is_centred_in(line.box, region.box) for region in layout))
        share = num_seen / max(1, page.lines.num_chars)
        has_failed = len(lines) > _FEW_LINES and share < _SEEN
        signals = page.signals | {"layout_share": share}
        signals["structure_score"] = structure_score(found, labeller.weights())
        if page.lines.score is not None:
            signals["reading_score"] = page.lines.score
        quality = by_score(bool(lines), page.lines.score, self.min_score, signals)
        if has_failed:
            quality = Quality("suspect", (*quality.reasons, "layout_failed"), signals)
        return replace(
            sample,
            lang=page.lines.lang,
            script=page.lines.script,
            text=markdown(regions),
            regions=as_it_came(regions, page.view, sample.size),
            quality=quality,
            origin=replace(sample.origin, engines=sample.origin.engines | self._asked(page)),
        )

    def _asked(self, page: _Page) -> dict[str, str]:
        """The engines that were used on the page, with their versions."""
        looked = (self.layout, self.equations, self.unwarping if "unwarped" in page.signals else None)
        asked = merged(choice.versions() for choice in looked if choice is not None)
        readers = {page.lines.reader, *page.lines.others.values()}
        return self.detector.versions() | labeller.versions() | asked | merged(reader.versions() for reader in sorted(readers))


def by_score(has_text: bool, score: float | None, least: float, signals: dict[str, float]) -> Quality:
    """The quality of a reading, by its mean score. `score` is None if the reader gives no scores."""
    if not has_text:
        return Quality("none", (), signals)
    if score is None:
        return Quality("suspect", ("unscored_reading",), signals)
    return Quality("trusted", (), signals) if score >= least else Quality("suspect", ("unsure_reading",), signals)


def _seen(layout: Layout, images: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]]) -> Sequence[Sequence[Region]]:
    """The regions that a layout engine sees in each image; no regions for an image on which the engine fails.

    An engine may raise anything on a strange page, and the page can be read without a layout. But an engine that can't be
    imported, that doesn't answer, or that lacks memory, is not the page's fault, so these errors are raised.
    """
    try:
        return layout.regions(images, lines)
    except (ImportError, NothingAnswers, MemoryError):
        raise
    except Exception:
        if len(images) == 1:
            log.warning("the layout engine failed on a page", exc_info=True)
            return [()]
        return [_seen(layout, [image], [of_image])[0] for image, of_image in zip(images, lines, strict=True)]


def _is_clear(image: numpy.ndarray, box: Rect) -> bool:
    """Whether a gap in a line is no division: it isn't wide, and nothing is drawn in its middle.

    `PageInk` can say whether something is drawn, too, but analyses the whole page's ink first.
    """
    x0, y0, x1, y1 = map(round, box)
    height = y1 - y0
    if x1 - x0 > _WIDE * height:
        return False
    gap = image[max(0, y0 + 2 * height // 5) : y0 + 2 * height // 3, x0 + height // 5 : max(0, x1 - height // 5)]
    return not gap.size or int(gap.max()) - int(gap.min()) <= CONTRAST
