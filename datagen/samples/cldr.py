"""Names in some 330 languages out of Unicode's CLDR, which Babel carries: of languages, scripts, places, months, units.

They are names and no prose, but for scripts with few books, such as N'Ko or Ol Chiki, little else is at hand.
"""

from collections.abc import Iterator
from typing import Any

import babel.localedata

_KINDS = (
    "languages", "territories", "scripts", "months", "days", "currency_names", "unit_display_names", "zone_names", "meta_zones",
    "date_fields", "variants", "eras", "quarters", "day_periods",
)  # fmt: skip


def paragraphs(lang: str) -> list[str]:
    """CLDR's own names in a language (BCP-47), each once, in order; none if CLDR doesn't know it."""
    locale = babel.localedata.normalize_locale(lang.replace("-", "_"))
    if locale is None:
        return []
    data = babel.localedata.load(locale, merge_inherited=False)
    return list(dict.fromkeys(name for kind in _KINDS for name in _texts(data.get(kind))))


def _texts(value: Any) -> Iterator[str]:
    """The texts below a value of CLDR that are no patterns."""
    if isinstance(value, dict):
        for below in value.values():
            yield from _texts(below)
    elif isinstance(value, str) and "{" not in value and len(value.strip()) > 1:
        yield value.strip()
