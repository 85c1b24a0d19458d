"""Lists of pictures on the web that people train on: their licences, languages and dates, and how to download them.

Columns don't tell which list a file is of, so users say its name. The licence is that of the list: the pictures keep their own.
"""

import json
import shlex
from collections.abc import Sequence
from typing import NamedTuple

WHY_UNSAFE = (
    "the lists of LAION-5B and before linked to illegal images of abuse, so they were withdrawn; Re-LAION-5B of 2024 is the "
    "cleaned list: use list=relaion2b-en-research-safe and the like, or say unsafe_list=1 where you may and must use the old one"
)


class KnownList(NamedTuple):
    """A list: its licence, the languages of its captions (BCP-47, "mul" for many, "und" for undetermined ones) and when it was
    published."""

    licence: str
    language: str
    date: str
    is_unsafe: bool = False


LISTS = {
    "relaion2b-en-research-safe": KnownList("Apache-2.0", "en", "2024-08"),
    "relaion2b-en-research": KnownList("Apache-2.0", "en", "2024-08"),
    "relaion2b-multi-research-safe": KnownList("Apache-2.0", "mul", "2024-08"),
    "relaion2b-multi-research": KnownList("Apache-2.0", "mul", "2024-08"),
    "relaion1b-nolang-research-safe": KnownList("Apache-2.0", "und", "2024-08"),
    "relaion1b-nolang-research": KnownList("Apache-2.0", "und", "2024-08"),
    "wukong": KnownList("CC-BY-NC-SA-4.0", "zh", "2022-02"),
    "coyo-700m": KnownList("CC-BY-4.0", "en", "2022-08"),
    "cc3m": KnownList("Google's, free to use", "en", "2018-07"),
    "cc12m": KnownList("Google's, free to use", "en", "2021-02"),
    "datacomp": KnownList("CC-BY-4.0", "en", "2023-04"),
    "laion400m": KnownList("CC-BY-4.0", "en", "2021-08", True),
    "laion5b": KnownList("CC-BY-4.0", "mul", "2022-03", True),
    "laion2b-en": KnownList("CC-BY-4.0", "en", "2022-03", True),
    "laion2b-multi": KnownList("CC-BY-4.0", "mul", "2022-03", True),
    "laion1b-nolang": KnownList("CC-BY-4.0", "und", "2022-03", True),
    "laion-high-resolution": KnownList("CC-BY-4.0", "mul", "2022-03", True),
    "laion-aesthetics": KnownList("CC-BY-4.0", "mul", "2022-08", True),
    "laion-art": KnownList("CC-BY-4.0", "mul", "2022-07", True),
    "laion-coco": KnownList("CC-BY-4.0", "en", "2022-09", True),
    "laion-pop": KnownList("CC-BY-4.0", "en", "2023-11", True),
}
_TAKEN = (
    "key", "caption", "url", "width", "height", "original_width", "original_height", "status", "error_message", "exif", "md5",
    "sha256", "sha512",
)  # fmt: skip
"""What img2dataset calls columns of its own: it refuses to save others of these names."""
OTHER = "other"
"""A list of one's own, or one that nobody here knows: any other name is taken for one, too."""


def checked(name: str, unsafe_list: bool) -> str:
    """The name of a list in small letters, without the account before it. Raises `ValueError` for a list older than Re-LAION-5B,
    one of those here or any other that calls itself LAION's, unless `unsafe_list`."""
    small = name.strip().lower().rpartition("/")[2].replace("_", "-")
    known = LISTS.get(small)
    if (known.is_unsafe if known else small.startswith("laion")) and not unsafe_list:
        raise ValueError(f"list={name}: {WHY_UNSAFE}")
    return small


def ask_for_name(input: str, columns: Sequence[str]) -> ValueError:
    """What to raise where a list looks like LAION's, and nobody said which it is."""
    safe = ", ".join(name for name, known in LISTS.items() if not known.is_unsafe)
    return ValueError(
        f"input={input}: its columns are LAION's ({', '.join(columns[:8])}), and they don't tell which list it is: say "
        f"list=NAME, such as {safe}, or list={OTHER} for one of your own; {WHY_UNSAFE}"
    )


def download_command(lists: Sequence[str], columns: Sequence[str], out: str, cores: int) -> list[str]:
    """The command by which img2dataset downloads what a list with `columns`, or a folder of such lists, names, into `out`: images
    as they come, tars of 10,000, with the sha256 of each and all other columns. Servers that say no to machine learning
    (X-Robots-Tag) are heard: img2dataset does that unless it is told otherwise. Raises `ValueError` if there is no url."""
    small = {name.lower(): name for name in reversed(columns)}
    url = next((small[name] for name in ("url", "image_url", "img_url", "image_link") if name in small), "")
    caption = next((small[name] for name in ("caption", "text", "alt_text", "title") if name in small), "")
    if not url:
        raise ValueError(f"{lists[0]}: it has neither images nor a column of urls (its columns are {', '.join(columns[:8])})")
    where = lists[0] if len(lists) == 1 else lists[0].rpartition("/")[0]
    kept = [name for name in columns if name not in (url, caption, *_TAKEN) and not name.startswith("__")]
    words = {
        "url_list": where,
        "input_format": {"ndjson": "jsonl"}.get(ending := lists[0].rpartition(".")[2].lower(), ending),
        "url_col": url,
        "caption_col": caption,
        "save_additional_columns": json.dumps(kept, separators=(",", ":")) if kept else "",
        "output_folder": out,
        "output_format": "webdataset",
        "resize_mode": "no",
        "skip_reencode": "True",
        "compute_hash": "sha256",
        "processes_count": str(cores),
        "thread_count": "64",
        "incremental_mode": "incremental",
    }
    return ["img2dataset", *(f"--{name}={value}" for name, value in words.items() if value)]


def as_typed(command: Sequence[str]) -> str:
    """A command as people type it."""
    return shlex.join(command)
