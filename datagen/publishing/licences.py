"""Free licences, under which anybody may pass works on, changed and for any purpose; and the hub's names of licences.

`origin.licence` is the source's own word: an SPDX expression (https://spdx.org/licenses/), an address of Creative Commons, or
words. An unknown licence isn't free: a publication leaves its samples out unless the owner names it.
"""

import re

UNSTATED = "unstated"
"""The licence of samples whose source states none."""

_CREATIVE_COMMONS = re.compile(r"creativecommons\.org/(?:licen[sc]es/([a-z-]+)/([\d.]+)|publicdomain/(zero|mark))")
_OF_CREATIVE_COMMONS = re.compile(r"cc(?:-(?:by|nc|nd|sa))+(?:-[\d.]+)?(?:-(?:unported|generic|igo|public|[a-z]{2}))*")
_SPELT_OUT = {"attribution": "by", "noncommercial": "nc", "sharealike": "sa", "noderivs": "nd", "noderivatives": "nd"}
# A family, then versions and words that add no condition: "MIT, internal use" is none.
_FREE = re.compile(
    r"(?:[al]?gpl|gnu|gfdl|fdl|mit|expat|x11|bsd|0bsd|apache|mpl|mozilla|isc|zlib|libpng|ofl|sil|lppl|latex|cc0|pddl|odc-by|odbl|"
    r"unlicen[sc]e|wtfpl|artistic|psf|python|unicode|gust|arphic|ftl|ijg|hpnd|ncsa|bsl-1\.0|boost|epl|eupl|cecill|bitstream-vera|"
    r"postgresql|cdla|etalab|public-domain|publicdomain|pd|no-known-copyright-restrictions|united-states-government-work)"
    r"(?:-?v?\d[\d.]*[a-z]?\+?|\+|-(?:or|later|only|no|rfn|clause|style|public|general|lesser|library|affero|free|documentation|"
    r"software|foundation|open|font|project|permissive|sharing|universal|dedication|dfs|cmu|with|[a-z]+-exception))*"
)
# https://huggingface.co/docs/hub/repositories-licenses; `other` is the hub's word for the rest.
_ON_THE_HUB = frozenset(
    "apache-2.0 mit artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 "
    "cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 "
    "cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 cdla-permissive-2.0 wtfpl epl-1.0 "
    "epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 isc lppl-1.3c mpl-2.0 "
    "odc-by odbl postgresql ofl-1.1 ncsa unlicense zlib pddl".split()
)


def is_free(licence: str) -> bool:
    """Whether `licence` lets anybody pass the work on, changed, for any purpose. Of licences joined by OR one free licence is
    enough; with brackets all must be free. False for unknown licences and for ""."""
    has_brackets = bool(re.search(r"\(.*\b(?:or|and)\b.*\)", licence, re.IGNORECASE))
    choices = map(_parts, _choices(licence))
    return (all if has_brackets else any)(bool(parts) and all(map(_is_free, parts)) for parts in choices)


def simple(licence: str) -> str:
    """A licence's name in small letters, digits, dots and dashes, for comparisons."""
    lower = licence.lower()
    if creative_commons := _CREATIVE_COMMONS.search(lower):
        kind, version, dedicated = creative_commons.groups()
        return f"cc-{kind}-{version}" if kind else {"zero": "cc0-1.0", "mark": "public-domain"}[dedicated]
    words = re.sub(r"[^\w.+]+", "-", re.sub(r"non-commercial", "noncommercial", lower)).strip("-")
    parts = [_SPELT_OUT.get(part, part) for part in words.removeprefix("creative-commons-").split("-")]
    parts = [part for part in parts if part not in ("license", "licence", "the", "version", "international")]
    return "-".join(["cc", *parts] if parts and parts[0] == "by" else parts) or words


def on_the_hub(licence: str) -> list[str]:
    """The hub's names of the licences in `licence`, `other` for those without a name."""
    leaves = [leaf for choice in _choices(licence) for leaf in _parts(choice)]
    return list(dict.fromkeys(_hub_name(leaf) for leaf in leaves)) or ["unknown"]


def _choices(licence: str) -> list[str]:
    return re.split(r"(?i)\s+or\s+|\|", re.sub(r"(?i),\s*(?=version)", " ", licence))


def _parts(choice: str) -> list[str]:
    return [name for part in re.split(r"(?i)\s+and\s+|[,;&]", choice) if (name := simple(part.strip(" ()")))]


def _is_free(name: str) -> bool:
    if _OF_CREATIVE_COMMONS.fullmatch(name):
        return not {"nc", "nd"} & set(name.split("-"))
    return bool(_FREE.fullmatch(name))


def _hub_name(name: str) -> str:
    if name.startswith("cc0"):
        return "cc0-1.0"
    bare = re.sub(r"-(?:or-later|only|rfn|no-rfn)(?=-with-|$)|\+$", "", name)
    for candidate in (bare, f"{bare}.0", bare.split("-with-")[0], re.sub(r"-[\d.]+$", "", bare)):
        if candidate in _ON_THE_HUB:
            return candidate
    return "other"
