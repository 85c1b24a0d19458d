"""Pages whose regions and text an engine knows as a whole: MinerU's output, or a model that answers with boxes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from datagen.engines import Choice, Engines
from datagen.fine.annotate_image import by_score
from datagen.markdown import markdown
from datagen.reading.language import IdentifyLanguage, identify
from datagen.record import Drop, Quality, Region, Sample, SampleError
from datagen.work.needs import A_CORE, Needs
from datagen.work.pipeline import Stage


@dataclass(frozen=True)
class ReadPages(Stage):
    """Gives each page the regions that `engine` knows, and their Markdown as its text, in place of what it had. A page that the
    engine doesn't know is dropped for the engine's reason; one on which it found nothing, for `no_regions`. Pages whose words
    hold (`Quality.words_hold`) pass as they are, unless `takes_all`.

    The verdict is that of `AnnotateImage`: `trusted` if the regions' mean score, by character, which is the signal
    `reading_score`, is at least `min_score`; else `suspect`, for `unsure_reading`, or for `unscored_reading` where a region has
    none; `none` without any text. Signals of the text layer that was refused go: they don't describe these regions."""

    reads: ClassVar[bool] = True
    version: ClassVar[int] = 2

    engine: Choice
    takes_all: bool = False
    min_score: float = 0.9
    batch_size: int = 32

    @property
    def needs(self) -> Needs:
        return Needs(gpus=self.engine.gpus) if self.engine.gpus else A_CORE

    def engines(self) -> dict[str, str]:
        return self.engine.versions() | IdentifyLanguage().engines()

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        pages = [page for page in batch if page.task == "page" and (self.takes_all or not page.quality.words_hold)]
        known = dict(zip((page.key for page in pages), self.engine.opened(engines).pages(pages), strict=True))
        for sample in batch:
            regions = known.get(sample.key)
            if regions is None:
                yield sample
            elif isinstance(regions, SampleError):
                yield sample.drop(regions.reason, type(self).__name__, regions.detail)
            elif not regions:
                yield sample.drop("no_regions", type(self).__name__, self.engine.name)
            else:
                yield self._with(sample, regions)

    def _with(self, sample: Sample, regions: tuple[Region, ...]) -> Sample:
        """The page with these regions, in the language that their text looks like."""
        language = identify("\n".join(region.text for region in regions if region.format == "markdown"), sample.lang)
        return replace(
            sample,
            lang=language.lang if language.lang != "und" else sample.lang,
            script=language.script,
            text=markdown(regions),
            regions=regions,
            quality=self._quality(regions),
        )

    def _quality(self, regions: Sequence[Region]) -> Quality:
        read = [region for region in regions if region.text]
        if not read or any(region.score is None for region in read):
            return by_score(bool(read), None, self.min_score, {})
        score = sum((region.score or 0.0) * len(region.text) for region in read) / sum(len(region.text) for region in read)
        return by_score(True, score, self.min_score, {"reading_score": score})
