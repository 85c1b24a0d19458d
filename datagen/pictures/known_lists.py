"""Lists of pictures on the web that people train on.

Columns don't tell which list a file is of, so users say its name. A list has a licence of its own, which its card says; that of
each picture is another matter.
"""

import difflib
from collections.abc import Sequence

WHY_UNSAFE = (
    "the lists of LAION-5B and before linked to illegal images of abuse, so they were withdrawn; Re-LAION-5B of 2024 is the "
    "cleaned list: use list=relaion2b-en-research-safe and the like, or say unsafe_list=1 where you may and must use the old one"
)
SAFE = (
    *(f"relaion{of}-research{safe}" for of in ("2b-en", "2b-multi", "1b-nolang") for safe in ("-safe", "")),
    *("wukong", "coyo-700m", "cc3m", "cc12m", "datacomp"),
)
"""Names to choose from; `relaion…` are Re-LAION-5B's, of August 2024. Others are taken, too, but for older ones of LAION's."""
OTHER = "other"
"""A list of one's own."""
_NEARLY = 0.9  # of the letters of a name, as difflib counts: it is misspelt


def checked(name: str, unsafe_list: bool) -> str:
    """The name of a list in small letters, without the account before it. Raises `ValueError` for one that is called LAION's, and
    so is older than Re-LAION-5B, unless `unsafe_list`; and for a name that is nearly one of `SAFE`."""
    small = name.strip().lower().rpartition("/")[2].replace("_", "-")
    if "laion" in small.replace("relaion", "").replace("re-laion", "") and not unsafe_list:
        raise ValueError(f"list={name}: {WHY_UNSAFE}")
    if small not in SAFE and (meant := difflib.get_close_matches(small, SAFE, 1, _NEARLY)):
        raise ValueError(f"list={name}: say list={meant[0]} if that is meant, or list={OTHER} for one of your own")
    return small


def ask_for_name(input: str, columns: Sequence[str]) -> ValueError:
    """What to raise where a list looks like LAION's, and nobody said which it is."""
    return ValueError(
        f"input={input}: its columns are LAION's ({', '.join(columns[:8])}), and they don't tell which list it is: say "
        f"list=NAME, such as {', '.join(SAFE)}, or list={OTHER} for one of your own; {WHY_UNSAFE}"
    )
