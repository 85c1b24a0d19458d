"""Which letters are bold: by what their font is called, and by what the file says of it."""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

_BOLD = re.compile(r"bold|black|heavy|demi(?!light)|CMBX|CMSSBX|SFBX", re.IGNORECASE)
_BOLD_FLAG = 16  # of MuPDF's spans


@functools.lru_cache(maxsize=1024)
def is_bold(font: str) -> bool:
    """Whether a font of this name is bold."""
    return bool(_BOLD.search(font))


def is_bold_span(span: Mapping[str, Any]) -> bool:
    """Whether one of MuPDF's spans is in a bold font."""
    return bool(span["flags"] & _BOLD_FLAG) or is_bold(span["font"])


def bold_share(spans: Sequence[Mapping[str, Any]]) -> float:
    """Of the signs of a line's spans, the share in bold."""
    nums = [len(span["text"]) - span["text"].count(" ") for span in spans]
    return sum(num for num, span in zip(nums, spans, strict=True) if is_bold_span(span)) / max(1, sum(nums))
