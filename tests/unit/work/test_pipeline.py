"""What a pipeline asks of its parts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from datagen.inputs.census import Listing
from datagen.inputs.items import Item
from datagen.record import Drop, Origin, Range, Sample, SampleError
from datagen.work.item_parts import covered
from datagen.work.needs import A_CORE, Needs
from datagen.work.pipeline import DOCUMENT, Pipeline, Source, Stage
from datagen.work.specification import describe
from tests.inputs.samples import sample


@dataclass(frozen=True)
class Keys(Source):
    """A source of one sample a letter of the document's uri."""

    def read(self, document: Item) -> Iterator[Sample | Drop]:
        if document.uri == "bad":
            raise SampleError("broken", "through and through")
        for letter in document.uri.strip("-"):
            yield sample(f"{letter}-0", origin=Origin(document.uri, "ab" * 32, 0))

    def engines(self) -> dict[str, str]:
        return {"keys": "1"}


@dataclass(frozen=True)
class Refuse(Stage):
    """A stage that finds some samples bad, and loses others."""

    bad: str = ""
    lost: str = ""
    batch_size: int = 3
    version = 7

    def __call__(self, batch, engines) -> Iterator[Sample | Drop]:
        if any(s.key[0] in self.bad for s in batch):
            raise SampleError("ugly", "look at it")
        yield from (s for s in batch if s.key[0] not in self.lost)


@dataclass(frozen=True)
class Cut(Refuse):
    """A stage that makes two crops of a page."""

    def __call__(self, batch, engines) -> Iterator[Sample | Drop]:
        yield from (replace(s, key=f"{s.key}-{i}") for s in batch for i in range(2))


def run(*stages, uris=("abcdefg",)):
    barren: list[Item] = []
    pipeline = Pipeline("test", Listing(""), Keys(), stages)
    return list(pipeline.process(tuple(map(Item, uris)), barren)), [d.uri for d in barren]


def test_a_bad_sample_drops_alone_out_of_its_batch():
    out, _ = run(Refuse(bad="be"))
    assert [s.key[0] for s in out if isinstance(s, Sample)] == list("acdfg")
    assert [(d.key, d.stage, d.reason, d.detail) for d in out if isinstance(d, Drop)] == [
        ("b-0", "Refuse", "ugly", "look at it"),
        ("e-0", "Refuse", "ugly", "look at it"),
    ]


def test_a_stage_may_take_a_documents_samples_together_a_bounded_number_at_a_time(monkeypatch):
    monkeypatch.setattr("datagen.work.pipeline.MAX_TOGETHER", 3)
    taken = []

    @dataclass(frozen=True)
    class Together(Refuse):
        batch_size: int = DOCUMENT

        def __call__(self, batch, engines) -> Iterator[Sample | Drop]:
            taken.append("".join(s.key[0] for s in batch))
            yield from batch

    run(Together(), uris=("abcdefgh", "bad", "ij"))
    assert taken == ["abc", "def", "gh", "ij"]


def test_a_bad_page_spoils_no_stage_for_the_other_pages_of_its_document():
    @dataclass(frozen=True)
    class Common(Refuse):
        """Drops what three pages of a document or more have in common, as `DropBoilerplate` does."""

        batch_size: int = DOCUMENT

        def __call__(self, batch, engines) -> Iterator[Sample | Drop]:
            if any(s.key[0] in self.bad for s in batch):
                raise SampleError("ugly")
            yield from (s.drop("common", "Common") if len(batch) >= 3 else s for s in batch)

    out, _ = run(Common(bad="e"))
    assert sorted((d.key, d.reason) for d in out) == sorted([(f"{c}-0", "common") for c in "abcdfg"] + [("e-0", "ugly")])


def test_ranges_cover_a_part_only_without_gaps():
    assert covered(Range(2, 6), [Range(0, 3), Range(3, 9)])
    assert covered(Range(2), [Range(4), Range(0, 4)])
    assert not covered(Range(2, 6), [Range(0, 3), Range(4, 9)])
    assert not covered(Range(2), [Range(0, 99)])


def test_a_stage_that_loses_a_sample_is_a_bug():
    with pytest.raises(RuntimeError, match="Refuse gives neither sample nor drop of d-0"):
        run(Refuse(lost="d"))


def test_a_stage_may_make_many_of_one():
    out, _ = run(Cut(), uris=("ab",))
    assert [s.key for s in out] == ["a-0-0", "a-0-1", "b-0-0", "b-0-1"]


def test_a_bad_document_is_a_drop_and_barren_and_a_lost_one_a_bug():
    out, barren = run(uris=("ab", "bad", "c"))
    assert [o.reason if isinstance(o, Drop) else o.key for o in out] == ["a-0", "b-0", "broken", "c-0"]
    assert barren == ["bad"]
    with pytest.raises(RuntimeError, match="Keys gives neither sample nor drop of --"):
        run(uris=("--",))


@dataclass(frozen=True)
class Read(Refuse):
    """A stage without which nothing is read."""

    reads = True


def test_a_document_that_no_stage_could_read_is_barren_and_one_that_a_stage_passed_over_is_not():
    assert run(Refuse("abd"), uris=("ab", "ca", "d"))[1] == []
    assert run(Read("abd"), uris=("ab", "ca", "d"))[1] == ["ab", "d"]


def test_each_part_of_a_document_that_cannot_be_read_is_a_drop_of_its_own():
    whole = Item("bad", count=9)
    parts = [replace(whole, stop=3), replace(whole, first=3, stop=6), replace(whole, first=6)]
    barren: list[Item] = []
    out = list(Pipeline("test", Listing(""), Keys(), ()).process(tuple(parts), barren))
    assert [(d.key, d.part, d.reason, d.detail) for d in out if isinstance(d, Drop)] == [
        ("", Range(0, 3), "broken", "through and through"),
        ("", Range(3, 6), "broken", "through and through"),
        ("", Range(6, -1), "broken", "through and through"),
    ]
    assert barren == parts[:1]


class GivesUp(Keys):
    """A source that gives up what is behind the first part."""

    def read(self, document: Item) -> Iterator[Sample | Drop]:
        yield Drop("", document.uri, Range(document.first + 1), "GivesUp", "timeout")


def test_what_is_given_up_of_a_range_ends_where_the_range_does():
    items = (Item("a", count=9, stop=4), Item("a", count=9, first=4))
    out = Pipeline("test", Listing(""), GivesUp(), ()).process(items, [])
    assert [drop.part for drop in out if isinstance(drop, Drop)] == [Range(1, 4), Range(5)]


def test_a_pipeline_needs_what_covers_its_source_and_each_of_its_stages():
    @dataclass(frozen=True)
    class Large(Refuse):
        needs = Needs(gpus=1, memory_bytes=5)

    @dataclass(frozen=True)
    class Wide(Refuse):
        needs = Needs(gpus=4, memory_bytes=3)

    class Network(Keys):
        needs = Needs(gpus=1)

    parts = ((Keys(),), (Keys(), Refuse()), (Keys(), Large(), Refuse(), Wide()), (Network(), Refuse()))
    pipelines = [Pipeline("test", Listing(""), source, tuple(stages)) for source, *stages in parts]
    assert [p.needs for p in pipelines] == [A_CORE, A_CORE, Needs(gpus=4, memory_bytes=5), Needs(gpus=1)]


def test_a_source_that_has_a_read_alone_makes_shards_of_a_thousand_parts():
    items = [Item(f"{at}", count=400) for at in range(5)] + [Item("big", num_bytes=90_000_000)]
    shards = list(Keys().split(items))
    assert [[item.uri for item in shard] for shard in shards] == [["0", "1"], ["2", "3"], ["4"], ["big"]]
    assert Keys().estimate(shards[0]).num_samples == 800
    assert Keys().probe(items[0]) is items[0]


def test_a_lost_sample_is_told_from_one_whose_key_starts_like_its_own():
    @dataclass(frozen=True)
    class Lose(Refuse):
        def __call__(self, batch, engines) -> Iterator[Sample | Drop]:
            yield replace(batch[0], key=f"{batch[0].key}0")

    with pytest.raises(RuntimeError, match="Lose gives neither sample nor drop of a-0"):
        run(Lose(batch_size=1), uris=("a",))


def test_the_description_holds_versions_and_each_parts_engines():
    described = describe(Pipeline("test", Listing(""), Keys(), (Refuse(), Cut())).source)
    assert described == {"type": "Keys", "version": 1, "engines": {"keys": "1"}}
    assert describe(Refuse(bad="x"))["version"] == 7
    assert describe(Refuse(bad="x")) != describe(Refuse(bad="y"))
