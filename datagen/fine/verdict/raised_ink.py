"""Sub- and superscripts in lines that an engine read. Readers write them as plain characters, but the ink shows them."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy

from datagen.coarse.answers import BY
from datagen.coarse.verdict.ink_fonts import Cut, cut_out
from datagen.coarse.verdict.ink_lines import comparable
from datagen.fine.verdict.mark_formulas import LABELS
from datagen.markdown import markdown
from datagen.page import raised
from datagen.page.raised import TagRun
from datagen.record import Line, Sample
from datagen.writing.scripts import main_script

_LABELS = LABELS | {"title", "sub_title"}
ON_LINE = frozenset(("Latn", "Cyrl", "Grek"))  # scripts whose letters stand on a baseline, most of them apart
_DARK, _LESS = (130, 190), (0, 40, -30)  # of 255: the range of ink's threshold; how much lower it is in each pass
_ROWS = 72
_SPECK = 0.06  # of the line's height
_NEAR = 15  # neighbouring groups of ink that tell the baseline at a group
_OFF_LINE = 0.12  # of the letters' height: a letter on the baseline deviates less from it
_MIN_GROUPS, _STANDS = 6, 0.6  # fewest groups, and fewest of them on the baseline; a bent line tells nothing
_OVERLAP = 0.5  # of the narrower one's width: groups above each other with so much overlap are one letter
# In heights of a tall letter, a superscript's foot above the baseline, its head above the baseline, and its own height.
_RAISED, _HEAD, _HEIGHT = 0.25, 0.78, (0.36, 0.85)
_LOWERED, _LOW_HEAD = 0.1, 0.85  # a subscript's foot below the baseline; its head, in heights of a small letter
_WIDE = 1.05  # of a tall letter's height: wider groups are two letters
_LESS_BESIDE = 0.8  # of these limits, if the baseline is taken from the letters beside
_SIGNS = (-1, -1)
"""The place of raised signs, such as quotes, and of capitals."""
_MARKS, _STOPS, _LISTED = "abcd", ".,;:!?)", frozenset(",.-–")
_FEW = 6  # one letter in so many may have another form than expected
FORMS = {
    **dict.fromkeys("acemnorsuvwxzабвгдежзиклмнопстчшыьэюяαειοπστυωκν", "s"),
    **dict.fromkeys("bdfhklABCDEFGHIJKLMNOPRSTUVWXYZ0123456789", "t"),
    **dict.fromkeys("gpqyр", "d"),
}
"""Letters that are small, tall or deep in most typefaces."""
_RAISED_PARTS = frozenset("%‰°™®ªº½¼¾*")
"""Signs that are raised or have raised parts."""
_QUOTES, _COMMAS = "\"'“”„‘’«»`´^~!", ",;„"
_IN_PARTS = {**dict.fromkeys('"“”„«»', 2), "…": 3}  # groups of ink in a sign


class Group(NamedTuple):
    """The box, in pixels, of the ink of one letter; `tag` is `sup`, `sub`, or "" if the letter stands on the baseline."""

    x0: int
    y0: int
    x1: int
    y1: int
    tag: str = ""
    form: str = ""


def with_scripts(page: Sample, gray: numpy.ndarray) -> Sample:
    """The page with tags around sub- and superscripts in regions that an engine read. `gray` is the page, (H, W) bytes.

    A script stands clearly above or below the baseline and is clearly smaller than the letters. It is tagged if its word's ink
    has as many parts as the text has characters, or if the scripts are exactly the digits that end the word. Only left-to-right
    lines in Latin, Greek and Cyrillic are examined. Digits that were read as raised or lowered characters are always tagged.
    """
    regions = list(page.regions)
    for i, region in enumerate(regions):
        if region.by == BY or region.is_unread or region.format != "markdown" or region.label not in _LABELS:
            continue
        of_lines = [
            (line.text, _line_scripts(cut_out(gray, line, page.lang)) if _can_tell(line) else ()) for line in region.lines
        ]
        if (text := _tagged(region.text, of_lines)) != region.text:
            regions[i] = replace(region, text=text)
    changed = any(a is not b for a, b in zip(page.regions, regions, strict=True))
    return replace(page, regions=tuple(regions), text=markdown(regions)) if changed else page


def _can_tell(line: Line) -> bool:
    return line.direction == "ltr" and comparable(line) and main_script(line.text)[0] in ON_LINE


def enlarged(crop: numpy.ndarray) -> tuple[numpy.ndarray, float]:
    """A line, (H, W) gray bytes, enlarged to at least `_ROWS` pixels high to separate touching letters; and the scale."""
    height, width = crop.shape
    scale = max(1.0, _ROWS / max(1, height))
    return cv2.resize(crop, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_CUBIC), scale


def _line_scripts(cut: Cut) -> Sequence[TagRun]:
    """The scripts of a line, from its ink. Three thresholds of darkness are tried: letters that touch or are in pieces at one
    threshold may be whole at another."""
    crop, _ = enlarged(cut.crop)
    usual = min(_DARK[1], max(_DARK[0], cv2.threshold(crop, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]))
    sure: set[TagRun] = set()
    flat = set[int]()
    for less in _LESS:
        runs, on_line = _seen(cut.line.text, letter_groups(crop, usual - less))
        flat = flat or on_line
        runs = [run for run in runs if not flat.intersection(range(run.start, run.end))]
        sure |= {run for run in runs if not any(run.start < other.end and other.start < run.end for other in sure)}
    return sorted(sure)


def _seen(text: str, groups: Sequence[Group]) -> tuple[list[TagRun], set[int]]:
    """The scripts of a line's text, from groups of ink; and the indices of characters that surely stand on the baseline."""
    flagged = _flagged(groups) if len(groups) >= _MIN_GROUPS else []
    runs: list[TagRun] = []
    at = 0
    flat: set[int] = set()
    for word, of_word in _words(text, flagged) if flagged else ():
        start = text.find(word, at)
        at = start + len(word)
        places = _places(word)
        if len(places) == len(of_word):
            flat |= {start + n for n, group in zip(places, of_word, strict=True) if not group.tag and word[n].isalnum()}
        for run in _runs(word, places, of_word):
            if run.start or (not start and run.tag == "sup"):  # only a note may begin with a superscript, its mark
                runs.append(TagRun(start + run.start, start + run.end, run.tag))
    return runs, flat


def _places(text: str) -> list[int]:
    """For each expected group of ink, the index of its character in the text."""
    return [n for n, char in enumerate(text) if not char.isspace() for _ in range(_IN_PARTS.get(char, 1))]


def letter_groups(crop: numpy.ndarray, dark: float) -> list[Group]:
    """The letters of a line, (H, W) gray bytes with ink under `dark`, from left to right. Parts above each other are one
    letter."""
    height = crop.shape[0]
    num, _, stats, _ = cv2.connectedComponentsWithStats((crop < dark).astype(numpy.uint8), connectivity=8)
    groups: list[Group] = []
    for x, y, w, h, _ in sorted(stats[1:num].tolist()):
        is_of_other_line = (y == 0 and h < height / 4) or (y + h == height and h < height / 5)
        if max(w, h) < _SPECK * height or is_of_other_line:
            continue
        last = groups[-1] if groups else None
        common = min(last.x1, x + w) - max(last.x0, x) if last else 0
        if last and common >= _OVERLAP * min(last.x1 - last.x0, w):
            groups[-1] = Group(min(last.x0, x), min(last.y0, y), max(last.x1, x + w), max(last.y1, y + h))
        else:
            groups.append(Group(x, y, x + w, y + h))
    return groups


def _flagged(groups: Sequence[Group]) -> list[Group]:
    """The groups with their forms and tags."""
    x_N = numpy.array([(group.x0 + group.x1) / 2 for group in groups])
    top_N, bottom_N = (numpy.array([group[side] for group in groups], float) for side in (1, 3))
    usual = float(numpy.median(bottom_N - top_N))
    base_N = baseline(x_N, bottom_N, usual)
    above_N = base_N - top_N
    stands_N = (numpy.abs(bottom_N - base_N) < _OFF_LINE * usual) & (above_N > usual / 2)
    if stands_N.mean() < _STANDS:
        return list(groups)
    tall, small = numpy.percentile(above_N[stands_N], (90, 25))
    flagged = [_formed(group, base, tall, small) for group, base in zip(groups, base_N, strict=True)]
    standing = numpy.flatnonzero((top_N - bottom_N < -tall / 2) & [not group.tag and group.form != "d" for group in flagged])
    for i, group in enumerate(flagged):
        # At the end of a bent line, a letter may be off the fitted baseline, but not off its neighbours' baseline.
        beside = [*[j for j in standing if j < i][-1:], *[j for j in standing if j > i][:1]]
        base = float(numpy.interp(x_N[i], x_N[beside], bottom_N[beside])) if beside else base_N[i]
        if group.tag and not _formed(group, base, tall, small, _LESS_BESIDE).tag:
            flagged[i] = group._replace(tag="")
    return flagged


def _formed(group: Group, base: float, tall: float, small: float, share: float = 1.0) -> Group:
    """A group with its form and tag, judged by its place at the baseline `base`. `share` scales the limits."""
    height, foot, head = group.y1 - group.y0, base - group.y1, base - group.y0
    tag = ""
    if _HEIGHT[0] * tall <= height <= _HEIGHT[1] * tall:
        if foot >= share * _RAISED * tall and head >= share * _HEAD * tall:
            tag = "sup"
        elif -foot >= share * _LOWERED * tall and share * head <= _LOW_HEAD * min(small, tall):
            tag = "sub"
    form = "d" if -foot >= _LOWERED * tall else "t" if head > (small + tall) / 2 else "s"
    form = form if group.x1 - group.x0 <= _WIDE * tall else "w"
    return group._replace(tag=tag, form=form)


def baseline(x_N: numpy.ndarray, bottom_N: numpy.ndarray, usual: float) -> numpy.ndarray:
    """The y of the baseline at each group. The baseline may lean and bend a little."""
    keep_N = numpy.ones(len(x_N), bool)
    base_N = numpy.full(len(x_N), float(numpy.median(bottom_N)))
    for _ in range(3):
        off_N = bottom_N - base_N
        keep_N = numpy.abs(off_N - numpy.median(off_N)) < usual / 4
        if keep_N.sum() < _MIN_GROUPS // 2:
            break
        degree = 1 if keep_N.sum() < _NEAR else 3
        base_N = numpy.polyval(numpy.polyfit(x_N[keep_N] / x_N[-1], bottom_N[keep_N], degree), x_N / x_N[-1])
    off_N = bottom_N - base_N
    half = _NEAR // 2
    return base_N + numpy.array([numpy.median(off_N[max(0, i - half) : i + half + 1]) for i in range(len(x_N))])


def _words(text: str, groups: Sequence[Group]) -> Iterator[tuple[str, Sequence[Group]]]:
    """The words of a line with their groups, divided at the widest gaps. The whole line as one word if these aren't clear."""
    texts = text.split()
    gaps = [b.x0 - a.x1 for a, b in itertools.pairwise(groups)]
    order = sorted(range(len(gaps)), key=lambda i: -gaps[i])
    widest, others = order[: len(texts) - 1], order[len(texts) - 1 :]
    if len(widest) < len(texts) - 1 or (widest and others and gaps[widest[-1]] <= gaps[others[0]]):
        yield text, groups
        return
    ends = [*(i + 1 for i in sorted(widest)), len(groups)]
    for word, (start, end) in zip(texts, itertools.pairwise([0, *ends]), strict=True):
        yield word, groups[start:end]


def _runs(text: str, places: Sequence[int], groups: Sequence[Group]) -> Sequence[TagRun]:
    """The scripts of a word whose places in its text are sure, as runs of the text."""
    if set(text) & _RAISED_PARTS:
        return ()
    is_whole = len(places) == len(groups) and _is_alike(text, places, groups)
    found: list[TagRun] = []
    start = 0
    for tag, run in itertools.groupby(groups, key=lambda group: group.tag):
        of_run = list(run)
        end = start + len(of_run)
        if tag:
            place = (
                _counted(text, places, groups, start, end) if is_whole else _at_end(text, places, len(groups) - end, end - start)
            )
            if place and place != _SIGNS:
                found.append(TagRun(*place, tag))
        start = end
    return _joined(text, found)


def _is_alike(text: str, places: Sequence[int], groups: Sequence[Group]) -> bool:
    """Whether the groups on the baseline have the forms of the text's letters, with few exceptions."""
    forms = [(FORMS.get(text[place], ""), group.form) for place, group in zip(places, groups, strict=True) if not group.tag]
    return sum(bool(letter) and letter != form for letter, form in forms) <= len(text) // _FEW


def _counted(text: str, places: Sequence[int], groups: Sequence[Group], start: int, end: int) -> tuple[int, int] | None:
    """The characters, as (start, end), of the groups from `start` to `end`. `places` has each group's character. None if
    unsure."""
    first, last = places[start], places[end - 1] + 1
    while first < last and not text[first].isalnum():
        first += 1
    while first < last and not text[last - 1].isalnum():
        last -= 1
    chars, before = text[first:last], text[:first]
    if chars and all(char.isdigit() or char in _LISTED for char in chars):
        # A number behind a word is raised as a whole. Only behind another number may a part be raised.
        is_part = before[-1:].isdigit() and not before.isdigit()
        return None if is_part else (first, last)
    if not (chars.isalpha() and chars.islower()):
        return _SIGNS
    # Letters are scripts after digits and capitals, as the index of one letter, and as a note's mark.
    is_mark = len(chars) == 1 and chars in _MARKS and len(before) > 2 and text[last:].strip(_STOPS) == ""
    is_index = len(chars) == len(before) == 1 and groups[start].tag == "sub"
    return (first, last) if is_mark or is_index or not before[-1:].islower() else None


def _at_end(text: str, places: Sequence[int], num_behind: int, num: int) -> tuple[int, int] | None:
    """The characters, as (start, end), of `num` groups before the last `num_behind` groups of a word, if they are exactly its
    final digits; else None."""
    core = text.rstrip("".join({c for c in text if not c.isalnum()}))
    before, chars = core[: max(0, len(core) - num)], core[max(0, len(core) - num) :]
    is_end = bool(before) and num_behind == sum(place >= len(core) for place in places)
    goes_on = before[-1:].isdecimal() or (before[-1:] in _LISTED and before[-2:-1].isdecimal())
    return (len(before), len(core)) if is_end and chars.isdecimal() and not goes_on else None


def _joined(text: str, found: Sequence[TagRun]) -> list[TagRun]:
    """The scripts of a word, joined across commas and dashes. If letters stand between two scripts, no place is sure."""
    joined: list[TagRun] = []
    for run in found:
        last = joined[-1] if joined else None
        between = text[last.end : run.start] if last and last.tag == run.tag else ""
        if last and between in _LISTED:
            joined[-1] = TagRun(last.start, run.end, run.tag)
        elif any(map(str.isalnum, between)):
            return []
        else:
            joined.append(run)
    return joined


def _tagged(text: str, lines: Sequence[tuple[str, Sequence[TagRun]]]) -> str:
    """The text of a region with tags around its raised and lowered characters and around the scripts of its `lines`."""
    found: list[TagRun] = []
    at = 0
    for line, runs in lines:
        core = line.rstrip("-\u00ad\u2010 ")
        start = text.find(core, at)
        if start >= 0:
            found += [TagRun(start + run.start, start + run.end, run.tag) for run in runs]
            at = start + len(core)
    taken = {i for run in found for i in range(run.start, run.end)}
    found += [run for run in raised.own_runs(text) if not taken & {*range(run.start, run.end)}]
    for run in sorted(found, reverse=True):
        text = text[: run.start] + raised.tagged(text[run.start : run.end], run.tag) + text[run.end :]
    return text
