"""The Markdown of a page, made from its regions: the text of fine pages, and what blocks of a grounded answer hold.

It is what the released model writes, as seen in outputs that its users published, its reading of its own paper among them: `#`
before headings, `\\[…\\]` around displayed formulas, tables as HTML on one line, nothing for pictures, and neither running heads
nor feet nor page numbers.
"""

import html
import re
from collections.abc import Iterable, Sequence

from datagen.labels import PICTURES, RUNNING
from datagen.record import Region, Sample
from datagen.writing import signs
from datagen.writing.join_lines import joined

_HEADINGS = {"title": "# ", "sub_title": "## "}
_IS_HEADING = re.compile(r"#{1,6} ")
_BULLET = re.compile(rf"^([ \t]*)[–{signs.BULLETS}{signs.CHECKS}{signs.DOTS}][ \t]*(?=\S)", re.MULTILINE)
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d+[.)])[ \t]")
_FENCE = re.compile("`{3,}")
# What somebody else put around bare LaTeX.
_DISPLAYED = re.compile(r"\s*(?:\\\[((?:(?!\\\]).)*)\\\]|\\\(((?:(?!\\\)).)*)\\\)|\$\$([^$]*)\$\$|\$([^$]*)\$)\s*", re.DOTALL)
_ROUND_TAGS = re.compile(r"\s*(</?(?:table|thead|tbody|tfoot|tr|td|th|caption)\b[^>]*>)\s*")
_SCRIPT_TAGS = re.compile("</?su[bp]>")
_TAGS = re.compile("<[^<>]*>")
_BLANK_LINES = re.compile(r"\n\s*\n")
_SILENT = PICTURES | RUNNING
# A paragraph that goes on behind one of these does so as if it weren't there.
_FLOATS = _SILENT | {"table", "image_caption", "table_caption", "table_footnote", "footnote"}


def markdown(regions: Sequence[Region]) -> str:
    """The page's Markdown: the `content` of each region, in their order, a blank line between two. Items of a list follow each
    other without one. A paragraph that `continues` in a later region with its label, behind floats at most, is joined to that."""
    text, before = "", ""
    for region, part in _whole(regions):
        if text:
            text += "\n" if region.label == before == "list" and _ITEM.match(part) else "\n\n"
        text += part
        before = region.label if region.label != "list" or _ITEM.match(part) else ""
    return text


def lacks_text(region: Region) -> bool:
    """Whether the page's Markdown lacks the region's text: it is unread, or empty. Nobody asks for that of pictures, nor for what
    stands on every page."""
    return region.label not in _SILENT and (region.is_unread or not region.text.strip())


def content(region: Region) -> str:
    """The region's own Markdown; "" for what is unread, for pictures, and for what stands on every page.

    A heading gets its `#`, by its label unless its text has them; an item of a list "- " for its bullet; code is fenced; LaTeX is
    displayed, as `\\[…\\]`; a table stays HTML, with no space around its tags. Other text is Markdown already.
    """
    if lacks_text(region) or region.label in _SILENT:
        return ""
    text = region.text.rstrip().lstrip("\r\n")
    if region.format == "latex":
        return rf"\[{bare_latex(text)}\]"
    if region.format == "html":
        return _ROUND_TAGS.sub(r"\1", text)
    if region.format != "markdown":
        return text
    if region.label in _HEADINGS:
        heading = joined(text.split("\n")).strip()
        return heading if not heading or _IS_HEADING.match(heading) else _HEADINGS[region.label] + heading
    if region.label == "list":
        return _BULLET.sub(r"\1- ", text)
    if region.label == "code":
        return text if text.startswith("```") else _fenced(text)
    return text.strip()


def all_text(sample: Sample) -> str:
    """All that is written on the page, without tags, also in what its Markdown leaves out or has in another form: running heads,
    pictures, tables, what is unread. What judges the text layer asks for this, so that it judges a page alike, annotated or
    not."""
    if all(_is_whole(region) for region in sample.regions):
        return _SCRIPT_TAGS.sub("", sample.text)
    return "\n\n".join(text for region in sample.regions if (text := all_text_of(region)))


def all_text_of(region: Region) -> str:
    """All that is written in the region: its text, or its lines' where it has none, or no plain one. Of HTML the cells alone."""
    if region.text and not region.lines and region.format == "html":
        return text_of_html(region.text)
    if region.text and (region.format == "markdown" or not region.lines):
        return _SCRIPT_TAGS.sub("", region.text)
    return "\n".join(line.text for line in region.lines)


def text_of_html(text: str) -> str:
    """HTML's text, a space for each tag."""
    return html.unescape(_TAGS.sub(" ", text))


def _is_whole(region: Region) -> bool:
    """Whether a page's Markdown has all that is written in the region, as it stands there."""
    if not region.lines:
        return region.format != "html" or not region.text
    return region.format == "markdown" and bool(region.text) and region.label not in RUNNING | PICTURES


def bare_latex(text: str) -> str:
    """LaTeX without what displays it, and without blank lines, which end a formula."""
    displayed = _DISPLAYED.fullmatch(text)
    inside = next((part for part in displayed.groups() if part is not None), "") if displayed else text
    return _BLANK_LINES.sub("\n", inside).strip()


def _whole(regions: Sequence[Region]) -> Iterable[tuple[Region, str]]:
    """The regions that have Markdown, with paragraphs joined that go on in another of them."""
    parts = [(region, part) for region in regions if (part := content(region))]
    taken: set[int] = set()
    for at, (region, part) in enumerate(parts):
        if at in taken:
            continue
        last, whole = at, [part]
        while parts[last][0].continues and (following := _continuation(parts, last, taken)) is not None:
            taken.add(following)
            whole.append(parts[following][1])
            last = following
        yield region, joined(whole) if len(whole) > 1 else part


def _continuation(parts: Sequence[tuple[Region, str]], at: int, taken: set[int]) -> int | None:
    """Where the region at `at` goes on: at the next that isn't a float, if both have one label of plain text."""
    for following in range(at + 1, len(parts)):
        region = parts[following][0]
        if following not in taken and region.label == parts[at][0].label:
            return following if region.format == "markdown" and region.label not in _HEADINGS and region.label != "code" else None
        if region.label not in _FLOATS:
            return None
    return None


def _fenced(code: str) -> str:
    fence = "`" * max([3, *(len(run) + 1 for run in _FENCE.findall(code))])
    return f"{fence}\n{code}\n{fence}"
