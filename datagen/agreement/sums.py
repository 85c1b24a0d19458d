"""What agreement decided, counted over pages."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from datagen.agreement.agree_page import DECISIONS
from datagen.agreement.words import about
from datagen.record import Sample

KINDS = {"markdown": "text", "html": "tables", "latex": "formulas"}


@dataclass
class Sums:
    """Decisions on `num_pages` of `num_all` pages: outcomes by kind of block; their causes; for each two voters the numbers of
    blocks that both read, equal or not; pages by level; and the blocks that were replaced, drawn or left unread, with their
    pages' rows."""

    num_all: int = 0
    num_pages: int = 0
    num_alone: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    whys: Counter[tuple[str, str]] = field(default_factory=Counter)
    pairs: dict[tuple[str, str], Counter[bool]] = field(default_factory=dict)
    levels: Counter[int] = field(default_factory=Counter)
    changed: list[dict[str, Any]] = field(default_factory=list)

    def add(self, sample: Sample, row: dict[str, Any]) -> None:
        self.num_pages += 1
        self.num_alone += sample.quality.signals.get("num_datasets") == 1.0
        self.levels[int(sample.quality.signals.get("level", 0.0))] += 1
        for number, entry in enumerate(json.loads(sample.metadata.get(DECISIONS, "[]"))):
            region = sample.regions[entry["region"]] if entry["region"] >= 0 else None
            if entry["why"] == "picture":
                continue
            is_order = region is None and entry["why"].startswith(("order", "two_read_it"))
            kind = "order" if is_order else KINDS.get(region.format, "other") if region else "regions lost or taken out"
            self.outcomes[kind, entry["outcome"]] += 1
            self.whys[entry["outcome"], entry["why"]] += 1
            text_of: dict[str, str] = {}
            for reading in entry["readings"] if not is_order else ():
                text = region.text if reading.get("same") and region else reading["text"]
                text_of.setdefault(reading["voter"], about(text, sample.script))
            voters = sorted(text_of)
            for i, one in enumerate(voters):
                for other in voters[i + 1 :]:
                    self.pairs.setdefault((one, other), Counter())[text_of[one] == text_of[other]] += 1
            if entry["outcome"] in ("replaced", "drawn", "unread") and not is_order:
                self.changed.append({"row": row, "entry": number, "outcome": entry["outcome"]})
