"""Which datasets a training learns from, as plain values. This file loads no torch."""

import os
from dataclasses import dataclass
from typing import Any

from datagen.drawing.endless_lines import Lines
from model.data.words import DIVERSE, LEVELS, MIN_WORTH, UNREAD

TRAIN, MEASURE, HELD_OUT = "train", "measure", "held_out"
LINE_TEXTS = "line-texts"
"""The folder of the output with the text that lines in other scripts are drawn from, a file SCRIPT.json each."""


@dataclass(frozen=True)
class DrawnLines:
    """The first `count` of `lines`, drawn as they are needed; and `held_out` unseen ones of `shortest` to `longest` characters,
    which are the same whatever the seed of `lines`. `tells`: their characters' places are known to the training."""

    lines: Lines
    count: int
    held_out: int = 300
    shortest: int = 8
    longest: int = 12
    tells: bool = False


@dataclass(frozen=True)
class Data:
    """A dataset's place in a training.

    where     a folder of the recipe's output, or a pattern of their names, which may match none; or where else a dataset lies;
              with `drawn` the name of the dataset that it says
    group     the group of the mixture that it is in
    weight    its share of the group; None: as many as it has samples, which either all of a group say or none
    langs     shares of its languages, where * stands for all that aren't named; empty: each sample as often as any other
    members   which member of a tar of others is what: fields of `model.data.members.Members`
    images    of a file of rows the folder that paths of images begin in, if it isn't the file's own
    column    of texts the column that is learned; "": that of the name `text`
    split     of texts the split, where there are several
    only      "train": none of its samples that are held out is measured; "measure": of it those that are held out are measured,
              and nothing is learned from; "held_out": all of it is held out and measured, and what shares an image, a text or a
              group with it is learned from nowhere; "": both

    What follows is for datasets that pagewheel wrote; `diverse` by document or language is for all.

    unread        "leave": pages with regions that nobody read are left out; "cut": they are learned from, with these regions cut
                  out of the image
    min_worth     what a sample's labels must be worth, from 0 to 1, where that was measured; 0: they may be worth anything
    difficulty    shares of "easy", "medium", "hard" and "unknown" samples, where * stands for all that aren't named; empty: each
                  sample as often as any other
    medium_from, hard_from    the difficulty from which on a sample is no longer easy, and from which on it is hard
    diverse       "document", "source", "lang" or "layout": no part of samples that are the same in it may dominate, "": any may
    power         how much n such samples come as often as: n ** power. 1: as if `diverse` were "", 0: each part as often as any
    """

    where: str
    group: str = "ocr"
    weight: float | None = None
    langs: tuple[tuple[str, float], ...] = ()
    drawn: DrawnLines | None = None
    members: tuple[tuple[str, Any], ...] = ()
    images: str = ""
    column: str = ""
    split: str = "train"
    only: str = ""
    unread: str = "leave"
    min_worth: float = MIN_WORTH
    difficulty: tuple[tuple[str, float], ...] = ()
    medium_from: float = 0.02
    hard_from: float = 0.1
    diverse: str = ""
    power: float = 0.5

    @property
    def is_elsewhere(self) -> bool:
        """Whether `where` names no dataset of the recipe's output, but a path, or a dataset of a hub."""
        return "/" in self.where or self.where.endswith((".jsonl", ".tar")) or os.path.isfile(os.path.expanduser(self.where))

    def __post_init__(self) -> None:
        if self.only not in ("", TRAIN, MEASURE, HELD_OUT):
            raise ValueError(
                f"{self.where} has only={self.only!r}: allowed are {TRAIN}, {MEASURE}, {HELD_OUT}, and none for both"
            )
        if self.unread not in UNREAD:
            raise ValueError(f"{self.where} has unread={self.unread!r}: allowed are {', '.join(UNREAD)}")
        if self.diverse not in ("", *DIVERSE):
            raise ValueError(f"{self.where} has diverse={self.diverse!r}: allowed are {', '.join(DIVERSE)}")
        if unknown := [level for level, _ in self.difficulty if level not in (*LEVELS, "*")]:
            raise ValueError(f"{self.where} has difficulty {', '.join(unknown)}: allowed are {', '.join(LEVELS)} and *")
        if any(weight < 0 for _, weight in self.difficulty):
            raise ValueError(f"{self.where} has difficulty {dict(self.difficulty)}: shares must be at least 0")
        if not 0 < self.medium_from < self.hard_from <= 1:
            raise ValueError(
                f"{self.where} has medium_from={self.medium_from} and hard_from={self.hard_from}: they must be above 0, at most "
                "1, and the first below the second"
            )
        for name in ("min_worth", "power"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{self.where} has {name}={getattr(self, name)}: it must be from 0 to 1")
