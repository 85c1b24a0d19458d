"""Typeset pages of which it is known where each paragraph begins, and how a person would type it.

Pango sets each paragraph on a sheet of its own, and the sheets are laid on a page, so that nothing in the file tells what belongs
together. A truth is a paragraph as it would be typed: with "\n" where it has a line break of its own.
"""

import functools
import itertools
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pymupdf
from rapidfuzz.distance import Levenshtein

from datagen.coarse.answers import PageContent
from datagen.drawing.families import family
from datagen.drawing.typeset import Style
from datagen.record import Region
from tests.inputs.typeset import Typeset, typeset
from tests.inputs.udhr import UDHR

WIDTH_PT, HEIGHT_PT, MARGIN_PT = 595.0, 842.0, 60.0
SCRIPTS = ("Latn", "Cyrl", "Grek", "Hans", "Jpan", "Thai", "Kore", "Deva", "Arab", "Hebr")
_UNSPACED = ("Hans", "Jpan", "Thai")
_BULLETS = ("•", "–", "▪", "*")
_CODE = ("int main(void) {", "    return 0;", "}", "for name in names:", "    print(name)", "set -e", "exec make -j4 all", "fi")
_MONOSPACED = "DejaVu Sans Mono"
_CUT = re.compile(r"(?<=[a-zа-я]{3})(?=[a-zа-я]{3})")


@functools.cache
def _family(script: str) -> str:
    """The typeface of a script's text, which takes as long to choose as a paragraph takes to set."""
    lang, text = UDHR[script]
    return family(text, lang)


@dataclass
class ParagraphPage:
    """A page in the making. `lines` are the lines of each of its paragraphs, `truths` what a person would type of each."""

    script: str
    draw: random.Random
    style: Style
    left: float = MARGIN_PT
    y: float = MARGIN_PT
    gap: float = 6
    indent: float = 0
    truths: list[str] = field(default_factory=list)
    lines: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lang, text = UDHR[self.script]
        self.doc = pymupdf.open()
        self.page = self.doc.new_page(width=WIDTH_PT, height=HEIGHT_PT)
        self.phrases = re.findall(r"[^\W\d_]{4,12}(?=[，。、])" if self.script in ("Hans", "Jpan") else r"[^\s.,،।\[\]]+", text)
        self.joint = "" if self.script in _UNSPACED else " "

    def prose(self, num_words: int, hyphens: bool = False) -> str:
        """A sentence or two of that many words; of a third as many phrases in scripts without spaces between words."""
        words = self.draw.choices(self.phrases, k=num_words if self.joint else max(1, num_words // 3))
        words[0] = words[0].capitalize()
        if hyphens:
            words = [_CUT.sub("\u00ad", word) for word in words]
        end = {"Hans": "。", "Jpan": "。", "Thai": "", "Deva": "।"}.get(self.script, ".")
        return self.joint.join(words) + end

    def put(self, text: str, indent: float = 0, mark: str = "", left: float = 0, right: float = 0, **style: Any) -> bool:
        """Set a paragraph below the last one, `left` and `right` points narrower than the column, behind a `mark`. False if the
        page is full."""
        width = self.style.width_pt - left - right
        set_in = replace(self.style, width_pt=width, indent_pt=indent, **{"family": _family(self.script)} | style)
        sheet = typeset([text], self.lang, set_in)
        lines = sheet.pages[0].lines
        bottom = self.y + max(line.box[3] for line in lines)
        if len(sheet.pages) > 1 or bottom > HEIGHT_PT - MARGIN_PT:
            return False
        rtl = lines[0].direction == "rtl"
        x = self.left + (right if rtl else left)
        self._lay(sheet, x)
        typed = text.replace("\u00ad", "")
        drawn = [line.text for line in lines]
        if mark:
            self._lay(
                typeset([mark], "en", replace(set_in, width_pt=40, indent_pt=0, family="DejaVu Sans")),
                x + width + 6 if rtl else x - 2 * set_in.size_pt,
            )
            typed, drawn[0] = f"{mark} {typed}", f"{mark} {drawn[0]}"
        self.truths.append(typed)
        self.lines.append(drawn)
        self.y += lines[-1].box[3] + max(0.0, set_in.line_spacing * set_in.size_pt - (lines[-1].box[3] - lines[-1].box[1])) / 2
        return True

    def _lay(self, sheet: Typeset, x: float) -> None:
        with pymupdf.open(stream=sheet.pdf, filetype="pdf") as source:
            width, height = source[0].rect.br
            self.page.show_pdf_page(pymupdf.Rect(x, self.y, x + width, self.y + height), source, 0)

    def space(self, gap: float) -> None:
        self.y += gap


def pages(kind: str, num: int, seed: int, script: str = "") -> Iterator[ParagraphPage]:
    """`num` pages of a kind, in the scripts one after the other if no `script` is given, in other leadings, sizes and widths."""
    for i in range(num):
        draw = random.Random(f"{kind}/{seed}/{i}")
        size = draw.choice((8.5, 10, 11, 12.5))
        style = Style(
            width_pt=draw.choice((230, 330, 475)),
            height_pt=2000,
            margin_pt=0,
            size_pt=size,
            line_spacing=draw.choice((1.2, 1.4, 1.8)),
            justify=draw.random() < 0.5,
        )
        gap, indent = ((draw.choice((0.5, 1.0)) * size, 0.0), (0.0, 1.5 * size))[draw.random() < 0.5]
        page = ParagraphPage(script or SCRIPTS[i % len(SCRIPTS)], draw, style, gap=gap, indent=indent)
        KINDS[kind](page)
        yield page


def paragraphs(page: ParagraphPage, hyphens: bool = False) -> None:
    """Running text, its paragraphs parted by an indent or by a gap."""
    while page.put(page.prose(page.draw.randint(8, 60), hyphens), indent=page.indent if page.truths else 0):
        page.space(page.gap)


def hyphenated(page: ParagraphPage) -> None:
    paragraphs(page, hyphens=page.script in ("Latn", "Cyrl"))


def headings(page: ParagraphPage) -> None:
    """A heading, larger or bold, over each two paragraphs."""
    large = page.draw.random() < 0.5
    look: dict[str, Any] = {"size_pt": page.style.size_pt * 1.3} if large else {"weight": 700}
    while page.put(page.prose(3).rstrip(".。।"), **look):
        page.space(0.5 * page.style.size_pt)
        for i in range(2):
            if not page.put(page.prose(page.draw.randint(15, 40)), indent=page.indent if i else 0):
                return
            page.space(page.gap)
        page.space(page.style.size_pt)


def items(page: ParagraphPage) -> None:
    """Lists, with bullets or numbers, of items of a line or more, between paragraphs."""
    while page.put(page.prose(page.draw.randint(15, 40))):
        bullet = page.draw.choice((*_BULLETS, "1."))
        page.space(0.4 * page.style.size_pt)
        for number in range(1, page.draw.randint(3, 6)):
            mark = f"{number}." if bullet == "1." else bullet
            if not page.put(page.prose(page.draw.randint(2, 30)), mark=mark, left=2.5 * page.style.size_pt):
                return
        page.space(0.5 * page.style.size_pt)


def quotations(page: ParagraphPage) -> None:
    """Paragraphs, and between them some that are set narrower."""
    while page.put(page.prose(page.draw.randint(15, 40))):
        page.space(0.6 * page.style.size_pt)
        if not page.put(page.prose(page.draw.randint(20, 40)), left=24, right=24):
            return
        page.space(0.6 * page.style.size_pt)


def short_lines(page: ParagraphPage) -> None:
    """Verses and addresses, whose lines somebody ended, between paragraphs."""
    while page.put(page.prose(page.draw.randint(15, 40))):
        page.space(page.style.size_pt)
        chars = page.style.width_pt / page.style.size_pt * (0.5 if page.joint == "" else 1)
        most = max(1, int(0.55 * chars / (sum(map(len, page.phrases)) / len(page.phrases) + 1)))
        lines = [page.prose(page.draw.randint(1, most)).rstrip(".。।") for _ in range(page.draw.randint(3, 6))]
        if not page.put("\n".join(lines)):
            return
        page.space(page.style.size_pt)


def code(page: ParagraphPage) -> None:
    """Listings between paragraphs."""
    while page.put(page.prose(page.draw.randint(15, 40))):
        page.space(page.style.size_pt)
        listing = "\n".join(page.draw.choices(_CODE, k=page.draw.randint(3, 8)))
        if not page.put(listing.strip(), family=_MONOSPACED, size_pt=0.9 * page.style.size_pt, justify=False):
            return
        page.space(page.style.size_pt)


def columns(page: ParagraphPage) -> None:
    """Two columns of running text."""
    page.style = replace(page.style, width_pt=225)
    sides = (1, 0) if page.script in ("Arab", "Hebr") else (0, 1)
    for side in sides:
        page.left, page.y = MARGIN_PT + side * 250, MARGIN_PT
        hyphenated(page)


KINDS: dict[str, Callable[[ParagraphPage], None]] = {
    "paragraphs": paragraphs,
    "hyphenated": hyphenated,
    "headings": headings,
    "items": items,
    "quotations": quotations,
    "short lines": short_lines,
    "code": code,
    "two columns": columns,
}


def compare(page: ParagraphPage, content: PageContent) -> Counter[str]:
    """How many pairs of neighbouring lines are `within` paragraphs and `between` them, were `broken`, `joined`, or `lost` a line.

    Of line ends within paragraphs that were not broken (`ends`), `mistyped` is how many are not written as a person would type
    them.
    """
    counts: Counter[str] = Counter()
    places = [(i, n) for i, lines in enumerate(page.lines) for n in range(len(lines))]
    read = _lines_of(page, content.regions)
    for (a, n), (b, m) in itertools.pairwise(places):
        if (a, n) not in read or (b, m) not in read:
            counts["lost"] += 1
            continue
        kind, fault = ("within", "broken") if a == b else ("between", "joined")
        (region, line), (other, _) = read[a, n], read[b, m]
        counts[kind] += 1
        counts[fault] += (region == other) != (a == b)
        if a == b and region == other:
            typed = _joint(page.truths[a], page.lines[a][: n + 1])
            counts["ends"] += 1
            counts["mistyped"] += typed != _joint(region.text, [x.text for x in region.lines[: line + 1]])
    return counts


def _lines_of(page: ParagraphPage, regions: Sequence[Region]) -> dict[tuple[int, int], tuple[Region, int]]:
    """Each line's region and its number in that, by the numbers of its paragraph and of the line in it."""
    unused = [(region, n, _letters(line.text)) for region in regions for n, line in enumerate(region.lines)]
    result = {}
    for i, lines in enumerate(page.lines):
        for n, line in enumerate(lines):
            letters = _letters(line)
            alike = (k for k, place in enumerate(unused) if Levenshtein.normalized_similarity(place[2], letters) > 0.8)
            if (k := next(alike, None)) is not None:
                region, number, _ = unused.pop(k)
                result[i, n] = region, number
    return result


def _letters(text: str) -> str:
    return re.sub(r"[\s\u00ad\u200b\u200c\u200d-]+", "", text)


def _joint(text: str, lines: Sequence[str]) -> str:
    """What stands in a text behind the letters of its first lines, up to the next letter."""
    num_letters = sum(len(_letters(line)) for line in lines)
    match = re.match(rf"(?:[\s\u200b\u200c\u200d-]*[^\s\u200b\u200c\u200d-]){{{num_letters}}}([\s\u200b\u200c\u200d-]*)", text)
    joint = re.sub("[\u200b\u200c\u200d]", "", match[1]) if match else ""
    return "\n" if "\n" in joint else joint
