"""Samples that are drawn, not read: a census of draws, and the source that makes them.

A maker draws a sample with random numbers that depend only on its name, its version, the seed and the draw's number. So a draw is
the same on every machine, and a larger count keeps the draws of a smaller one.
"""

import hashlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from datagen.inputs.census import Census
from datagen.inputs.items import Inputs, Item, num_parts, shards_of
from datagen.record import Drop, Origin, Quality, Range, Region, Sample, SampleError, content_key
from datagen.work.pipeline import Estimate, Source


@dataclass(frozen=True)
class Drawing:
    """A maker's picture with its label, which is exact, since the picture was made from it. Drawings of one `group` are on one
    side of any split; "" stands for the draw alone. `caption` describes the picture, if the maker draws for captions."""

    image: bytes | None
    size: tuple[int, int]
    text: str
    regions: tuple[Region, ...]
    lang: str = "und"
    script: str = "Zyyy"
    difficulty: float = -1.0
    group: str = ""
    caption: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


class Maker(Protocol):
    """A frozen dataclass: its fields are its configuration. `version` goes up whenever it would draw otherwise."""

    version: ClassVar[int]
    name: ClassVar[str]
    task: ClassVar[str]

    def draw(self, random: random.Random) -> Drawing:
        """One drawing. Raises `SampleError` if these random numbers give none."""
        ...

    def engines(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class Draws(Census):
    """A census of `count` draws of the maker called `maker`, by `seed`. An item is a block of `block` draws, its parts. Raises
    `ValueError` unless `count` is a multiple of `block`: the last block must not change when the count grows."""

    maker: str
    count: int
    seed: int = 0
    block: int = 1000

    def __post_init__(self) -> None:
        if self.count < 1 or self.block < 1 or self.count % self.block:
            raise ValueError(f"count={self.count}: a multiple of block={self.block} is needed, 1 at least")

    def items(self) -> list[Item]:
        uris = (f"draws://{self.maker}/{self.seed}/{number:06d}" for number in range(self.count // self.block))
        return [Item(uri, etag=f"{self.block}", count=self.block) for uri in uris]


_ESTIMATE = {"secret": True}  # left out of the description: no byte of a drawing depends on it


@dataclass(frozen=True)
class DrawSource(Source):
    """The samples of `maker`, one a draw, for the items of `Draws`. A sample's group in any split is the draw, unless the maker
    names another. A draw takes about `core_s` seconds of a core and `num_bytes`."""

    maker: Maker
    shard_draws: int = 1000
    stage: str = "synthetic"
    core_s: float = field(default=0.02, metadata=_ESTIMATE)
    num_bytes: int = field(default=20_000, metadata=_ESTIMATE)

    def engines(self) -> dict[str, str]:
        return self.maker.engines()

    def split(self, items: Iterable[Item]) -> Iterator[Inputs]:
        return shards_of(items, lambda item: num_parts(item, 1), self.shard_draws)

    def estimate(self, inputs: Inputs) -> Estimate:
        num_draws = sum(num_parts(item, 1) for item in inputs)
        return Estimate(num_draws, self.num_bytes * num_draws, self.core_s * num_draws)

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        scheme, _, rest = item.uri.partition("://")
        maker, seed, block = rest.split("/")
        if scheme != "draws" or maker != self.maker.name:
            raise ValueError(f"{item.uri} is no item of draws by {self.maker.name}")
        for number in range(item.first, item.stop if item.stop >= 0 else item.count):
            identity = f"{maker} {self.maker.version} {seed} {int(block) * item.count + number}"
            sha256 = hashlib.sha256(f"{identity} {self.maker!r}".encode()).hexdigest()
            key = f"{content_key(sha256)}-{number:06d}"
            try:
                drawing = self.maker.draw(random.Random(identity))
            except SampleError as error:
                yield Drop(key, item.uri, Range(number, number + 1), type(self).__name__, error.reason, error.detail)
                continue
            yield Sample(
                key=key,
                task=self.maker.task,
                image=drawing.image,
                size=drawing.size,
                lang=drawing.lang,
                script=drawing.script,
                text=drawing.text,
                regions=drawing.regions,
                quality=Quality("trusted"),
                origin=Origin(item.uri, sha256, number, item.licence, self.engines()),
                stage=self.stage,
                group=drawing.group,
                difficulty=drawing.difficulty,
                caption=drawing.caption,
                metadata=drawing.metadata,
            )
