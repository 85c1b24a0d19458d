"""The datasets of a training, as plain values. This file loads no torch."""

import os
from dataclasses import dataclass
from typing import Any

from datagen.drawing.endless_lines import Lines
from model.data.words import DIVERSE, LEVELS, MIN_WORTH, UNREAD

TRAIN, MEASURE, HELD_OUT = "train", "measure", "held_out"
LINE_TEXTS = "line-texts"
"""The folder of the output with the text for drawn lines in other scripts, a file SCRIPT.json each."""


@dataclass(frozen=True)
class DrawnLines:
    """The first `count` of `lines`, drawn as they are needed; and `held_out` unseen ones of `shortest` to `longest` characters,
    which are the same whatever the seed of `lines`. `tells`: the training gets their characters' places."""

    lines: Lines
    count: int
    held_out: int = 300
    shortest: int = 8
    longest: int = 12
    tells: bool = False


@dataclass(frozen=True)
class Data:
    """A dataset's place in a training.

    where     a folder of the recipe's output, or a pattern of folders, which may match none; or the place of another dataset;
              with `drawn` the dataset's name
    group     its group of the mixture
    weight    its share of the group; None: its number of samples. Either all datasets of a group have weights or none
    langs     shares of its languages, where * stands for all others; empty: samples come equally often
    members   the members of a tar of others: fields of `model.data.members.Members`
    images    for a file of rows, the folder of images' paths, if it isn't the file's own
    column    for texts, the column to learn; "": the column `text`
    split     for texts, the split, if there are several
    only      "train": its held-out samples aren't measured; "measure": its held-out samples are measured, and nothing of it is
              learned; "held_out": all of it is held out and measured, and samples elsewhere that share an image, a text or a
              group with it aren't learned; "": both

    The following fields are for datasets that pagewheel wrote, except `diverse` by document or language, which is for all.

    unread        "leave": pages with unread regions are left out; "cut": they are learned, with these regions cut out
    min_worth     the least worth of labels, from 0 to 1, where it was measured; 0: any
    difficulty    shares of "easy", "medium", "hard" and "unknown" samples, where * stands for all others; empty: samples come
                  equally often
    medium_from, hard_from    the difficulty from which on a sample is no longer easy, and from which on it is hard
    diverse       "document", "source", "lang" or "layout": no part of samples with an equal value may dominate; "": any may
    power         n samples of a part come as often as n ** power. 1: as if `diverse` were "", 0: all parts come equally often
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
        """Whether `where` is a path, or a dataset of a hub, and no dataset of the recipe's output."""
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
