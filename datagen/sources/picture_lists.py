"""Lists of pictures on the web that people train on: their licences, languages and dates.

Columns don't tell which list a file is of, so users say its name. The licence is that of the list: the pictures keep their own.
"""

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
