"""Functions that read a word's value. Each returns a value, or raises `ValueError` with the allowed values. Paths become
absolute, so that the next command may come from another folder. Only the standard library is imported."""

import os
import re
from dataclasses import dataclass, field

from recipes.words import engine_words, fields

GROUPS = ("ocr", "vision", "text")
"""The groups of a mixture, which may stand before a dataset, as in `text:prose.jsonl`."""
BENCHMARKS = ("omnidocbench", "fox", "olmocr")
"""The prefixes of a benchmark's folder, as in `fox:DIR`: the keys of `datagen.score.benchmarks`."""
AUTO_ROUNDS = -1
"""The number for `rounds=auto`: `flywheel.step.AUTO`."""
_FILES = (".json", ".jsonl", ".tar", ".parquet")


def text(value: str) -> str:
    return value


def number(value: str) -> int:
    if not _is_whole(value):
        raise ValueError("a whole number is needed, 0 or more")
    return int(value)


def rounds(value: str) -> int:
    return AUTO_ROUNDS if value == "auto" else number(value)


def flag(value: str) -> bool:
    if value not in ("0", "1"):
        raise ValueError("allowed are 0 and 1")
    return value == "1"


def download(value: str) -> str:
    """The addresses that a list's urls may reach, in the words of `datagen.pictures.download`; "" for no download."""
    reach = {"0": "", "1": "public", "private": "private"}
    if value not in reach:
        raise ValueError("allowed are 0, 1 and private")
    return reach[value]


def positive(value: str) -> float:
    try:
        given = float(value)
    except ValueError:
        given = 0.0
    if not 0 < given < float("inf"):
        raise ValueError("a number above 0 is needed, such as 2e-5")
    return given


def is_number(value: str) -> bool:
    try:
        return float(value) == float(value)
    except ValueError:
        return False


def share(value: str) -> float:
    if not is_number(value) or not 0 <= float(value) < 1:
        raise ValueError("a number from 0 to below 1 is needed, such as 0.05")
    return float(value)


def shares(value: str) -> tuple[float, ...]:
    return tuple(share(part) for part in value.split(",") if part)


def risks(value: str) -> str:
    """Two shares, joined by a comma: a single one is both. "" stays."""
    given = shares(value)
    if len(given) > 2 or 0 in given:
        raise ValueError("one or two numbers between 0 and 1 are needed, such as 0.05,0.10")
    return ",".join(map(str, given * 2 if len(given) == 1 else given))


def _is_whole(value: str) -> bool:
    return value.isascii() and value.isdigit()


def cut(value: str) -> str:
    """A pipeline's stages, unchanged."""
    first, *rest = value.split(",")
    layers = rest[1:] if first == "sam" and rest[:1] == ["clip"] else rest if first == "sam+clip" else []
    if not layers or not all(_is_whole(one) and int(one) for one in layers):
        raise ValueError("stages are needed, as sam,clip,6,6 or sam+clip,7,5")
    return value


def share_or_datasets(value: str) -> str:
    """A share, unchanged, or datasets."""
    return str(share(value)) if is_number(value) else datasets(value)


def path(value: str) -> str:
    """A path, unchanged, for messages and descriptions; `recipe.json` has it absolute."""
    return value


def absolute(value: str) -> str:
    benchmark, _, folder = value.partition(":")
    if benchmark in BENCHMARKS and folder:
        return f"{benchmark}:{absolute(folder)}"
    return value if not value or "://" in value else os.path.abspath(os.path.expanduser(value))


def places(value: str) -> str:
    """Folders and files joined by commas. A name stays: of a training or a dataset of the output, or a hub's OWNER/NAME."""
    return ",".join(map(_place, value.split(",")))


def datasets(value: str) -> str:
    """Places, each with its group before it if that isn't "ocr", as `text:prose.jsonl`."""
    groups = fields.parts(value, GROUPS)
    return ",".join(f"{group}:{_place(where)}" if group else _place(where) for group, where in groups)


def _place(where: str) -> str:
    """`where` unchanged if it is a name or an address: nothing is there, and it doesn't look like a path."""
    is_path = where.startswith((".", "/", "~")) or where.endswith(_FILES) or os.path.exists(where)
    return absolute(where) if is_path and where != "random" else where


def existing_readers(value: str) -> str:
    """Folders joined by commas; `ppocr` is a name."""
    return ",".join(part if part == "ppocr" else absolute(part) for part in value.split(","))


@dataclass(frozen=True)
class TypesetText:
    """The word `text`: a folder of text by language, and whether packages' text is enough for a reader, or isn't used at all."""

    folder: str = field(default="", metadata=fields.UNNAMED)
    packages: bool = False
    none: bool = False

    def __post_init__(self) -> None:
        if self.packages and self.none:
            raise ValueError("packages and none exclude each other")


def language(value: str) -> str:
    if not re.fullmatch("[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", value):
        raise ValueError("a BCP-47 code is needed, such as am or sr-Cyrl")
    return value


def texts(value: str) -> str:
    given = fields.parse(TypesetText, value)
    return ",".join(filter(None, (absolute(given.folder), "packages" * given.packages, "none" * given.none)))


def part(value: str) -> str:
    """The origin of a part of a mixture: `packages`, `none`, or a place."""
    return value if value in ("packages", "none") else absolute(value)


def engines(value: str) -> str:
    """Engines by the kind of their work."""
    return engine_words.absolute(value)


def captioner(value: str) -> str:
    """An address and a model, unchanged."""
    engine_words.server(value)
    return value
