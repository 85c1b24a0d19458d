"""Typeset pages of which it is known where each paragraph begins, and how a person would type it.

Pango sets each paragraph on a sheet of its own, and the sheets are laid on a page, so that nothing in the file tells what belongs
together. A truth is a paragraph as it would be typed: with "\n" where it has a line break of its own.
"""

import functools
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pymupdf

from datagen.drawing.typeset import Style
from tests.inputs.typeset import Typeset, family, typeset
from tests.inputs.udhr import UDHR

WIDTH_PT, HEIGHT_PT, MARGIN_PT = 595.0, 842.0, 60.0
SCRIPTS = ("Latn", "Cyrl", "Grek", "Hans", "Jpan", "Thai", "Kore", "Deva", "Arab", "Hebr")
_UNSPACED = ("Hans", "Jpan", "Thai")
_BULLETS = ("•", "–", "▪", "*")


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

    def prose(self, num_words: int) -> str:
        """A sentence or two of that many words; of a third as many phrases in scripts without spaces between words."""
        words = self.draw.choices(self.phrases, k=num_words if self.joint else max(1, num_words // 3))
        words[0] = words[0].capitalize()
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
                typeset([mark[::-1] if rtl else mark], "en", replace(set_in, width_pt=40, indent_pt=0, family="DejaVu Sans")),
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


def paragraphs(page: ParagraphPage) -> None:
    """Running text, its paragraphs parted by an indent or by a gap."""
    while page.put(page.prose(page.draw.randint(8, 60)), indent=page.indent if page.truths else 0):
        page.space(page.gap)


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


KINDS: dict[str, Callable[[ParagraphPage], None]] = {"paragraphs": paragraphs, "headings": headings, "items": items}
