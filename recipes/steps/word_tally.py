"""The results for Word documents, counted from a dataset's records and drops alone.

A document's XML has its number of formulas and tables. A formula or table came out if it is a sample of its own, or in the label
of a trusted page. A table's pieces must all have come out. A formula that its image doesn't show right didn't come out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from datagen.record import Drop, Sample
from datagen.word.source import UNLIKE, Entity, entity_of

_NONE = "none there"
WITHIN = 0.02  # of the page's own text: the most edits of a kept page's label


@dataclass
class _Document:
    """The facts about a document, by its uri."""

    num: dict[str, int] = field(default_factory=lambda: {"formula": 0, "table": 0})
    out: set[Entity] = field(default_factory=set)  # without the numbers of pieces
    shown: set[tuple[Entity, int]] = field(default_factory=set)  # with the number of a kept page
    lost: set[tuple[Entity, int]] = field(default_factory=set)
    unlike: set[Entity] = field(default_factory=set)
    pages: set[int] = field(default_factory=set)  # trusted samples
    dropped_pages: set[int] = field(default_factory=set)

    def met(self, entity: Entity) -> None:
        self.num[entity.kind] = max(self.num[entity.kind], entity.number + 1)

    def came_out(self, kind: str) -> int:
        """The number of formulas or tables that came out."""
        whole = {entity for entity in self.out | {entity for entity, _ in self.shown} if entity.kind == kind}
        lacking = {entity for entity, _ in self.lost - self.shown if entity.kind == kind}
        return len(whole - (lacking if kind == "table" else self.unlike))


@dataclass
class Tally:
    """The counts of a dataset of Word documents, as samples and drops are added."""

    documents: dict[str, _Document] = field(default_factory=lambda: defaultdict(_Document))
    reasons: Counter[str] = field(default_factory=Counter)
    distances: list[float] = field(default_factory=list)
    likenesses: list[float] = field(default_factory=list)
    undrawn: Counter[str] = field(default_factory=Counter)
    num_pieces: int = 0
    num_equal: int = 0

    def add(self, sample: Sample) -> None:
        document, signals = self.documents[sample.origin.uri], sample.quality.signals
        for kind, name in (("formula", "formulas"), ("table", "tables")):
            document.num[kind] = max(document.num[kind], int(sample.metadata.get(name, 0)))
        entity = entity_of(sample.key)
        if entity is None and sample.quality.verdict != "trusted":
            document.dropped_pages.add(sample.origin.page)
            return
        if entity is None:
            document.pages.add(sample.origin.page)
            self.distances.append(signals.get("text_distance", 0.0))
            for kind, name in (("formula", "shows_formulas"), ("table", "shows_tables")):
                for number in map(int, sample.metadata.get(name, "").split()):
                    document.shown.add((Entity(kind, number), sample.origin.page))  # type: ignore[arg-type]
            return
        document.out.add(entity._replace(piece=0))
        if entity.kind == "formula":
            if "formula_agreement" in signals:
                self.likenesses.append(signals["formula_agreement"])
            self.undrawn.update(name.removeprefix("undrawn_") for name in signals if name.startswith("undrawn_"))
        else:
            self.num_pieces += 1
            self.num_equal += signals.get("structure_equal", 0.0) == 1.0

    def drop(self, drop: Drop) -> None:
        document, entity = self.documents[drop.uri], entity_of(drop.key)
        self.reasons[drop.reason] += 1
        if entity is not None:
            document.met(entity)
            if drop.reason == UNLIKE:
                document.unlike.add(entity._replace(piece=0))
            document.lost.add((entity._replace(piece=0), drop.part.first if drop.part else 0))
        elif drop.part is not None:
            first, stop = drop.part
            document.dropped_pages.update(range(first, stop) if stop >= 0 else [first])

    def summary(self) -> dict[str, Any]:
        """All figures, in JSON's types."""
        documents = self.documents.values()
        formulas, tables = (
            (sum(d.came_out(kind) for d in documents), sum(d.num[kind] for d in documents)) for kind in ("formula", "table")
        )
        unparsed, untrue = self.reasons["formula_not_katex"], self.reasons["formula_tokens_differ"]
        converted = formulas[0] + unparsed + untrue + self.reasons[UNLIKE]
        num_pages, num_dropped = sum(len(d.pages) for d in documents), sum(len(d.dropped_pages - d.pages) for d in documents)
        return {
            "documents": (sum(bool(d.out or d.pages) for d in documents), len(self.documents)),
            "formulas": formulas,
            "parsed": (converted - unparsed, converted),
            "tokens": (converted - untrue, converted),
            "drawn": (len(self.likenesses), len(self.likenesses) + self.undrawn.total()),
            "likeness": _mean(self.likenesses),
            "undrawn": dict(self.undrawn.most_common()),
            "tables": tables,
            "structure": (self.num_equal, self.num_pieces),
            "pages": (num_pages, num_pages + num_dropped),
            "within": (sum(distance <= WITHIN for distance in self.distances), len(self.distances)),
            "distance": _mean(self.distances),
            "worst_distance": max(self.distances, default=0.0),
        }


def lines(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """The figures for people: name and value."""
    likeness = f"; likeness {summary['likeness']:.3f} on average" if summary["drawn"][0] else ""
    distance = f"{summary['distance']:.4f} on average, {summary['worst_distance']:.4f} at worst" if summary["pages"][0] else _NONE
    figures = [
        ("documents of which something came out", _share(*summary["documents"])),
        ("formulas of the XML that came out", _share(*summary["formulas"])),
        ("of those that LaTeX was made of: KaTeX parses", _share(*summary["parsed"])),
        ("of the same: their text tokens stand in the LaTeX, in order", _share(*summary["tokens"])),
        ("formula samples that were drawn again", _share(*summary["drawn"]) + likeness),
        ("tables of the XML that came out", _share(*summary["tables"])),
        ("pieces of tables with the XML’s rows, columns and spans", _share(*summary["structure"])),
        ("pages kept, of the documents that could be read", _share(*summary["pages"])),
        (f"kept pages whose text is within {WITHIN:.0%} of the text layer", _share(*summary["within"])),
        ("distance of kept pages", distance),
    ]
    if summary["undrawn"]:
        undrawn = ", ".join(f"{n} {name}" for name, n in summary["undrawn"].items())
        figures.insert(5, ("formula samples that can’t be drawn", undrawn))
    return figures


def counted(samples: Iterable[Sample], drops: Iterable[Drop]) -> dict[str, Any]:
    """The summary of samples and of drops."""
    tally = Tally()
    for sample in samples:
        tally.add(sample)
    for drop in drops:
        tally.drop(drop)
    return tally.summary()


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({part / whole:.1%})" if whole else _NONE


def _mean(values: list[float]) -> float:
    return sum(values) / max(1, len(values))
