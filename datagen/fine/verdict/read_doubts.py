"""What shows that engines divided or labelled an image wrongly: there are no typefaces to tell it, and boxes vary in height."""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from datagen.coarse.answers import BY
from datagen.fine.verdict.torn_regions import BULLET, CLOSED
from datagen.fine.wording import HASHES
from datagen.labels import HEADINGS, PICTURES, TEXTS
from datagen.page.boxes import is_right_below
from datagen.record import Region

_NUMBER = re.compile(r"(?P<depth>\d{1,2}(?:\.\d{1,2})*)\.?\s*(?=[^\W\d_])|(?P<letter>[a-zA-Z])[.)]\s*(?=[^\W\d_])")
_ITEM = re.compile(r"\(?(?:[a-zα-ω]|[ivx]{1,4})[.)]")  # a small letter that numbers an item
_NUMBER_ALONE = re.compile(r"(?=.*\d)[\W\d_]+")
_BELOW_EM = 2.5  # at most, between a line and what goes on below it


def doubts(regions: Sequence[Region]) -> Counter[str]:
    """How often the body of a page contradicts itself, of what engines read in it, by the kinds of `structure_doubts.doubts`.

    `heading`  it begins with an item's sign; a text goes on below it in mid-sentence; or headings of one level are some with a
               number and some without, or with numbers of several depths
    `torn`     an item or a text goes on below in small letters, whatever the lines' distance
    `items`    a number alone is a text: most are of a picture that the layout engine doesn't see
    """
    read = [r for r in regions if r.by != BY and r.format == "markdown" and r.label not in PICTURES]
    counts: Counter[str] = Counter()
    for above, below in itertools.pairwise(read):
        goes_on = not above.is_unread and not below.is_unread and _begins_small(below)
        counts["heading"] += goes_on and above.label in HEADINGS and below.label == "text"
        counts["torn"] += goes_on and _is_open(above) and _is_right_below(above, below)
    left = [(region.label, _text(region)) for region in read if not region.is_unread]
    counts["heading"] += sum(label in HEADINGS and bool(BULLET.match(text)) for label, text in left)
    counts["items"] += sum(label == "text" and bool(_NUMBER_ALONE.fullmatch(text)) for label, text in left)
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for region in read:
        if region.label == "sub_title" and not region.is_unread:
            kinds[hashes[0] if (hashes := HASHES.match(region.text)) else ""][_kind(_text(region))] += 1
    counts["heading"] += sum(of_level.total() - max(of_level.values()) for of_level in kinds.values())
    return +counts


def _text(region: Region) -> str:
    return region.lines[0].text if region.lines else ""


def _kind(heading: str) -> str:
    """How a heading is numbered: by how many levels, by letters, or not at all."""
    if not (number := _NUMBER.match(heading)):
        return ""
    return str(number["depth"].count(".")) if number["depth"] else "letter"


def _begins_small(region: Region) -> bool:
    text = _text(region)
    return region.label in TEXTS and text[:1].islower() and not _ITEM.match(text) and not BULLET.match(text)


def _is_open(region: Region) -> bool:
    is_body = region.label in TEXTS and not region.continues
    return is_body and bool(region.lines) and not CLOSED.search(region.lines[-1].text) and region.lines[-1].direction != "ttb"


def _is_right_below(above: Region, below: Region) -> bool:
    last, first = above.lines[-1].box, below.lines[0].box
    em = last.y1 - last.y0
    return is_right_below(last, first, -0.6 * em, _BELOW_EM * em)
