"""Labels of headings, footnotes and captions, corrected by the typefaces, places and numbers of the whole document."""

import itertools
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from datagen.coarse.answers import BY
from datagen.engines import Engines
from datagen.fine.structure.heading_levels import NUMBERED, Headings, Place, Style, heading_levels
from datagen.fine.structure.headings_by_look import Set, headings_by_look
from datagen.fine.structure.item_series import described_terms, items_in_series, separators, tails_of_references
from datagen.fine.structure.looks import (
    Look,
    headings_as_furniture,
    headings_by_their_looks,
    is_marked_twice,
    larger_heads,
    look_of,
    stands_out,
    usual_look,
)
from datagen.fine.structure.read_labels import caption
from datagen.fine.structure.read_labels import labels as labels_of_read
from datagen.fine.structure.running_heads import with_lone_counted
from datagen.fine.structure.section_numbers import sections
from datagen.fine.structure.whole_regions import (
    relabelled,
    with_headings_in_place,
    with_heads_first,
    with_heads_of_contents,
    with_labels_by_neighbours,
    with_notes_in_order,
    with_whole_headings,
    with_whole_items,
    with_whole_notes,
)
from datagen.fine.wording import ITEM, MARK, TWO_LETTERS, plain
from datagen.labels import CAPTIONS, HEADINGS, RUNNING, TEXTS
from datagen.markdown import markdown
from datagen.page.boldness import is_bold
from datagen.page.boxes import is_right_below
from datagen.page.line_breaks import has_one_width
from datagen.record import Drop, Region, Sample
from datagen.work.pipeline import DOCUMENT, Stage
from datagen.writing import signs

_NOTE_AS_FOOT = re.compile(r"(?:\d{1,2}|[*†‡§]{1,3})\s?[^\W\d](?=.{30})")
_RAISED_MARK = re.compile(r"<sup>(?:\d{1,3}|[*†‡§]{1,3})</sup>")
_RAISED_NUMBER, _NOTE_BY_NUMBER = re.compile(r"<sup>(\d{1,3})</sup>"), re.compile(r"(\d{1,3})[.)]\s+\S")
_ADDRESS = re.compile(r"(?:https?|ftp)://[^\s()]+$")
_SIGN = re.compile(rf"[{signs.ITEM_SIGNS}]\s*\S")
_POINTS = 842.0  # of a page's longer side: sizes are compared as if all pages were as long
_SAME_PT = 0.7  # heights that differ less are one size, since boxes are whole pixels
_SMALLER, _SMALLEST, _LARGER, _RAISED = 0.93, 0.6, 1.25, 1.1  # of the size of the text
_MAX_LINES, _MAX_CHARS, _MAX_SECTION_CHARS, _FOOT = 2, 120, 80, 0.45  # the last is of the page's height: footnotes stand lower
_NEAR, _MIN_PAGES = 0.008, 3  # of the page's height; of a long document


@dataclass(frozen=True)
class SettleStructure(Stage):
    """Changes the labels of regions if the whole document contradicts the layout engine, and renews the pages' Markdown. A
    heading that neither typeface nor number confirms becomes text, which is the safer label.

    - A heading in the type of the text becomes text, or a list item, unless it has a number such as 4.3. A short paragraph
      becomes a heading if the document uses its type for headings and hardly anything else. So does a short line whose number
      belongs to the document's series of section numbers (`section_numbers`). More rules are in `headings_by_look` and `looks`.
      A heading without a number has the level of others of its type, and a deeper level than larger headings.
    - A text whose number follows or precedes the number of an item is an item: see `item_series`. A heading's second line joins
      the heading. Lines in the type of the document's code are code. A sign alone between other text is no item. A title that
      looks like the section headings is a section heading if there is a larger title.
    - A running header that no other page has becomes a heading if it is larger than the text, has the type of headings, or looks
      like the heading right below. A heading that is read after its section is put before the section.
    - A paragraph in smaller type at the page's foot is a footnote if it begins with a mark. What stands below a footnote in its
      type continues the footnote. An item below the page's text is a footnote if its number stands raised in the text. A number
      beside footnotes is the page number.
    - A text that begins with the word for a figure or a table, a number and a sign is a caption. The paragraph behind a caption
      is no caption. Brackets below a blank to fill in are text. The end of an entry from the page before is a reference.

    The signal `structure_agreement` is the share of a page's regions that keep their label. The signal `lone_running` is the
    number of the page's headers and footers that no other page has. Pages that engines read are labelled by `read_labels`.
    """

    version: ClassVar[int] = 12
    batch_size: int = field(default=DOCUMENT, init=False)

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        yield from with_lone_counted(list(self._settled(batch)))

    def _settled(self, batch: Sequence[Sample]) -> Iterator[Sample]:
        document = _Document([page if _is_of_file(page) else replace(page, regions=()) for page in batch])
        labels = document.labels()
        levels = document.levels(labels)
        for n, page in enumerate(batch):
            if not (regions := document.pages[n].regions):
                yield _as_read(page)
                continue
            places = [Place(n, i) for i in range(len(regions))]
            made = [relabelled(regions[at.region], labels.get(at, regions[at.region].label), levels.get(at, 0)) for at in places]
            num_same = sum(a.label == b.label for a, b in zip(regions, made, strict=True))
            signals = page.quality.signals | {"structure_agreement": round(num_same / len(made), 3)}
            page = replace(page, quality=replace(page.quality, signals=signals))
            made = with_whole_headings(made, [document.styles.get(place) for place in places])
            made = with_heads_first(with_heads_of_contents(with_whole_items(with_labels_by_neighbours(made))))
            made = with_whole_notes(with_notes_in_order(with_headings_in_place(made)))
            yield page if made == list(regions) else replace(page, regions=tuple(made), text=markdown(made))


def _as_read(page: Sample) -> Sample:
    """A page that engines read, with the labels that follow from its words and places."""
    anew = labels_of_read(page) if page.task == "page" else {}
    if not anew:
        return page
    regions = tuple(relabelled(region, anew.get(i, region.label), 0) for i, region in enumerate(page.regions))
    return replace(page, regions=regions, text=markdown(regions))


def _is_of_file(page: Sample) -> bool:
    return page.task == "page" and any(r.by == BY for r in page.regions) and all(r.by == BY for r in page.regions if r.lines)


class _Document:
    """The pages of a document, with the type (font and size) of each region."""

    def __init__(self, pages: Sequence[Sample]):
        self.pages = pages
        self.heights = {
            Place(n, i): statistics.median(line.box.y1 - line.box.y0 for line in region.lines) * _POINTS / max(page.size)
            for n, page in enumerate(pages)
            for i, region in enumerate(page.regions)
            if region.lines and region.label not in ("table", "image") and region.lines[0].direction != "ttb"
        }
        self.styles = self._styles()
        num_chars: Counter[Style] = Counter()
        for place, style in self.styles.items():
            if self._region(place).label in TEXTS:
                num_chars[style] += sum(len(line.text) for line in self._region(place).lines)
        self.usual = num_chars.most_common(1)[0][0] if num_chars else Style("", 0)
        of_usual = [self.heights[place] for place, style in self.styles.items() if style == self.usual]
        self.usual_height = statistics.median(of_usual) if of_usual else 0.0
        self.num_chars = num_chars
        self.usual_look = usual_look(region for page in pages for region in page.regions)
        self.sections = self._sections()

    def _region(self, place: Place) -> Region:
        return self.pages[place.page].regions[place.region]

    def _styles(self) -> dict[Place, Style]:
        """The style of each region: its font, and a number for its size. Sizes that differ only by pixels have one number."""
        by_font: dict[str, list[Place]] = defaultdict(list)
        for place in self.heights:
            by_font[Counter(line.font for line in self._region(place).lines).most_common(1)[0][0]].append(place)
        styles = {}
        for font, places in by_font.items():
            number, first = 0, 0.0
            for place in sorted(places, key=lambda p: (self.heights[p], p)):
                if self.heights[place] > first + _SAME_PT:
                    number, first = number + 1, self.heights[place]
                styles[place] = Style(font, number)
        return styles

    def labels(self) -> dict[Place, str]:
        """The new labels, of all regions whose label changes."""
        captions = {place: label for place in self.heights if (label := caption(self._region(place)))}
        captions |= dict.fromkeys(self._headings_as_captions(), "sub_title")
        footnotes = {place: "footnote" for n in range(len(self.pages)) for place in self._footnotes(n)}
        footnotes |= dict.fromkeys(self._numbers_beside(footnotes), "page_number")
        codes = dict.fromkeys(self._codes(), "code")
        by_number = {place: "sub_title" for place in self.sections if self._region(place).label != "title"}
        by_look = dict.fromkeys(self._by_look(), "sub_title")
        of_pages = [page.regions for page in self.pages]
        by_look |= {Place(n, i): "sub_title" for n, i in headings_by_their_looks(of_pages)}
        items = {
            Place(n, i): "list"
            for n, page in enumerate(self.pages)
            for i in items_in_series(page.regions) | described_terms(page.regions)
        }
        lone_signs = {Place(n, i): "text" for n, page in enumerate(self.pages) for i in separators(page.regions)}
        tails = {Place(n, i): "reference" for n, page in enumerate(self.pages) for i in tails_of_references(page.regions)}
        captions |= dict.fromkeys(self._texts_as_captions(), "text")
        heads = dict.fromkeys(self._lone_heads(), "sub_title")
        heads |= {Place(n, i): "sub_title" for n, i in headings_as_furniture(of_pages, by_look)}
        lesser = dict.fromkeys(self._lesser_titles(), "sub_title")
        return items | tails | self._headings() | lone_signs | lesser | codes | by_number | by_look | heads | footnotes | captions

    def _lesser_titles(self) -> Iterator[Place]:
        """Titles that look like the document's section headings, if another title is larger."""
        looks = {place: look_of(self._region(place).lines) for place in self.styles if self._region(place).label in HEADINGS}
        of_headings = {look for place, look in looks.items() if self._region(place).label == "sub_title"}
        titles = {place: look for place, look in looks.items() if self._region(place).label == "title" and look is not None}
        largest = max((look.size for look in titles.values()), default=0.0)
        yield from (place for place, look in titles.items() if look in of_headings and look.size < _SMALLER * largest)

    def _headings_as_captions(self) -> Iterator[Place]:
        """Captions that are headings: they name no figure or table, and their type is used for headings and nothing else."""
        of_style: dict[Style, list[Place]] = defaultdict(list)
        for place, style in self.styles.items():
            if self._region(place).label not in RUNNING:
                of_style[style].append(place)
        for places in of_style.values():
            headings = [place for place in places if self._region(place).label in HEADINGS]
            others = (p for p in places if self._region(p).label in CAPTIONS and _may_be_heading(self._region(p)))
            unnamed = [p for p in others if len(self._region(p).lines) == 1 and not caption(self._region(p))]
            if len(headings) > 1 and len(headings) + len(unnamed) == len(places):
                yield from unnamed

    def _texts_as_captions(self) -> Iterator[Place]:
        """Captions that are text: several lines that look like the text, name no figure, and follow a caption that names one."""
        for n, page in enumerate(self.pages):
            for i, (above, region) in enumerate(itertools.pairwise(page.regions), 1):
                is_second = region.label in CAPTIONS and not caption(region) and above.label in CAPTIONS and bool(caption(above))
                if is_second and len(region.lines) > 1 and self.usual_look in (None, look_of(region.lines)):
                    yield Place(n, i)

    def levels(self, labels: Mapping[Place, str]) -> dict[Place, int]:
        """The levels of headings that have a new label or no number."""
        headings = {p: self._region(p) for p in self.styles if labels.get(p, self._region(p).label) == "sub_title"}
        looks = {place: look_of(region.lines) for place, region in headings.items()}
        sizes = {place: look.size for place, look in looks.items() if look is not None}
        heights = sizes if len(sizes) == len(headings) else self.heights
        return heading_levels(Headings(headings, self.styles, heights, self.sections), labels)

    def _by_look(self) -> Iterator[Place]:
        places = [Place(n, i) for n, page in enumerate(self.pages) for i in range(len(page.regions))]
        shown = [
            Set(p.page, self._region(p), self.styles[p].font if p in self.styles else "", self.heights.get(p, 0.0))
            for p in places
        ]
        for at in headings_by_look(shown, self.usual.font, self.usual_height):
            yield places[at]

    def _sections(self) -> dict[Place, int]:
        """The levels, from 1, of regions that are headings by their section numbers."""
        places = [Place(n, i) for n, page in enumerate(self.pages) for i in range(len(page.regions))]
        may_be = [self._may_be_section(place) for place in places]
        texts = [plain(self._region(place)) if may else "" for place, may in zip(places, may_be, strict=True)]
        return {places[i]: depth for i, depth in sections(texts).items()}

    def _may_be_section(self, place: Place) -> bool:
        region = self._region(place)
        if region.label not in TEXTS | HEADINGS or region.is_unread or region.continues or len(region.lines) > _MAX_LINES:
            return False
        text = plain(region)
        return 2 < len(text) <= _MAX_SECTION_CHARS and not signs.ends_clause(text) and bool(TWO_LETTERS.search(text))

    def _codes(self) -> Iterator[Place]:
        """Texts in a font that the document uses for code, in which each line ends with a line break."""
        fonts = {style.font for p, style in self.styles.items() if self._region(p).label == "code" and has_one_width(style.font)}
        for place in self.styles:
            region = self._region(place)
            is_of_lines = region.text.count("\n") == len(region.lines) - 1 and not region.is_unread
            if region.label == "text" and is_of_lines and all(line.font in fonts for line in region.lines):
                yield place

    def _headings(self) -> dict[Place, str]:
        short: dict[Style, list[Place]] = defaultdict(list)
        headings: dict[Style, list[Place]] = defaultdict(list)
        for place, style in self.styles.items():
            region = self._region(place)
            if region.label in HEADINGS:
                headings[style].append(place)
            elif region.label in TEXTS and _may_be_heading(region):
                short[style].append(place)
        result: dict[Place, str] = {}
        for style, places in headings.items():
            items = (place for place in places if _SIGN.match(plain(self._region(place))))
            if signed := [place for place in items if not self._stands_out(place, is_marked_twice)]:
                result |= dict.fromkeys(signed, "list")
                places = [place for place in places if place not in signed]
            if style == self.usual and not is_bold(style.font):
                for place in (place for place in places if not self._stands_out(place)):
                    text = plain(self._region(place))
                    if self._region(place).label == "sub_title" and not NUMBERED.match(text):
                        result[place] = "list" if ITEM.match(text) else "text"
            elif self._is_of_headings(style, len(places), len(short[style])):
                result |= dict.fromkeys(short[style], "sub_title")
        addresses = (p for places in headings.values() for p in places if _ADDRESS.search(plain(self._region(p))))
        return result | dict.fromkeys(addresses, "text")

    def _stands_out(self, place: Place, by: Callable[[Look, Look], bool] = stands_out) -> bool:
        look = look_of(self._region(place).lines)
        return look is not None and self.usual_look is not None and by(look, self.usual_look)

    def _is_of_headings(self, style: Style, num_headings: int, num_others: int) -> bool:
        """Whether a type is used for headings: it is rare, and has no more other regions than headings of the engine."""
        is_rare = self.num_chars[style] < 0.05 * sum(self.num_chars.values()) + _MAX_CHARS * num_others
        return num_headings >= 2 and num_headings >= num_others and is_rare

    def _lone_heads(self) -> Iterator[Place]:
        is_long = len(self.pages) >= _MIN_PAGES
        of_headings = {style for p, style in self.styles.items() if self._region(p).label in HEADINGS} if is_long else set()
        of_headings -= {self.usual}
        large = {Place(n, i) for n, page in enumerate(self.pages) for i in larger_heads(page.regions, self.usual_look)}
        middles: list[tuple[Place, float]] = []
        for place in self.heights:
            box, size = self._region(place).box, self.pages[place.page].size
            if self._region(place).label in RUNNING:
                middles.append((place, (box.y0 + box.y1) / 2 / size[1]))
        for place, middle in middles:
            others = {other.page for other, at in middles if abs(at - middle) < _NEAR and other.page != place.page}
            is_large = self.heights[place] > _LARGER * self.usual_height > 0 or place in large
            is_above = self._is_above_alike(place) or (is_long and self._is_above_large(place))
            is_alone = not others and (is_large or is_above)
            alike = any(self.styles[other].font == self.styles[place].font for other, _ in middles if other.page in others)
            if self._region(place).label == "header" and (is_alone or (self.styles[place] in of_headings and not alike)):
                yield place

    def _is_above_large(self, place: Place) -> bool:
        """Whether a larger header stands right below. Such a header begins a chapter."""
        box, near = self._region(place).box, 2 * self.heights[place] * max(self.pages[place.page].size) / _POINTS
        return any(
            other.page == place.page
            and self._region(other).label == "header"
            and 0 <= self._region(other).box.y0 - box.y1 < near
            and self.heights[other] > _LARGER * max(self.heights[place], self.usual_height)
            for other in self.heights
        )

    def _is_above_alike(self, place: Place) -> bool:
        """Whether a heading in the same look stands right below, and the look stands out from the text: both are one heading."""
        region = self._region(place)
        look, em = look_of(region.lines), region.lines[0].box.y1 - region.lines[0].box.y0
        return self._stands_out(place) and any(
            other.label in HEADINGS and look_of(other.lines) == look and -0.5 * em < other.box.y0 - region.box.y1 < em
            for other in self.pages[place.page].regions
        )

    def _footnotes(self, n: int) -> Iterator[Place]:
        """Regions of page `n` that are footnotes but have another label, from the top."""
        page = self.pages[n]
        places = sorted((p for p in self.heights if p.page == n), key=lambda p: self._region(p).box.y0)
        named = self._named_by_number(n, places)
        low = max((self._region(p).box.y1 for p in places if self._is_running_text(p) and p not in named), default=0)
        notes: list[Place] = []
        for place in places:
            region = self._region(place)
            if place in named and region.box.y0 > low - self.heights[place]:
                notes.append(place)
                yield place
                continue
            most = _RAISED if _RAISED_MARK.match(region.text) else _SMALLER  # a raised mark makes a line's box higher
            is_small = _SMALLEST * self.usual_height < self.heights[place] < most * self.usual_height
            if not is_small or region.box.y0 < max(low, _FOOT * page.size[1]) - self.heights[place]:
                continue
            if region.label == "footnote":
                notes.append(place)
            elif self._is_note(region) or (region.label in TEXTS and self._goes_on(notes, place)):
                notes.append(place)
                yield place

    def _named_by_number(self, n: int, places: Sequence[Place]) -> set[Place]:
        """Items of page `n` that are smaller than the text, if each of their numbers is a raised mark in the page's text."""
        marks = {mark for region in self.pages[n].regions for mark in _RAISED_NUMBER.findall(region.text)}
        items = {place: _NOTE_BY_NUMBER.match(plain(self._region(place))) for place in places if marks}
        numbers = {
            place: item[1]
            for place, item in items.items()
            if item and self._region(place).label in TEXTS and self.heights[place] < self.usual_height
        }
        return set(numbers) if marks >= set(numbers.values()) else set()

    def _numbers_beside(self, footnotes: Collection[Place]) -> Iterator[Place]:
        """Page numbers beside footnotes that the engine labels text."""
        for place in self.heights:
            box, region = self._region(place).box, self._region(place)
            if region.label == "text" and plain(region).isdigit():
                beside = (self._region(note).box for note in footnotes if note.page == place.page)
                if any(box.y0 < note.y1 and note.y0 < box.y1 for note in beside):
                    yield place

    def _is_note(self, region: Region) -> bool:
        if region.label == "footer":  # no other page has this footer, or `LabelRunning` had labelled it
            return bool(_NOTE_AS_FOOT.match(plain(region)))
        return region.label in TEXTS and bool(MARK.match(region.text))

    def _is_running_text(self, place: Place) -> bool:
        region = self._region(place)
        is_usual = self.heights[place] >= _SMALLER * self.usual_height and bool(TWO_LETTERS.search(plain(region)))
        return region.label in TEXTS and is_usual and not _RAISED_MARK.match(region.text)

    def _goes_on(self, notes: Sequence[Place], place: Place) -> bool:
        """Whether a region stands right below the last footnote, in the footnote's type."""
        if not notes or self.styles[notes[-1]] != self.styles[place]:
            return False
        above, box = self._region(notes[-1]).box, self._region(place).box
        height = self.heights[place] * max(self.pages[place.page].size) / _POINTS
        return is_right_below(above, box, -height, height)


def _may_be_heading(region: Region) -> bool:
    text = plain(region)
    if len(region.lines) > _MAX_LINES or not 2 < len(text) <= _MAX_CHARS or region.is_unread or region.continues:
        return False
    return bool(
        not signs.ends_clause(text) and TWO_LETTERS.search(text) and not (region.label == "list" and not NUMBERED.match(text))
    )
