"""The Markdown of a page, made from its regions. It is the text of fine pages, and the content of blocks in grounded answers.

The form is that of the released model, as seen in outputs that its users published, its reading of its own paper among them: `#`
before headings, `\\[…\\]` around displayed formulas, and tables as HTML on one line. Pictures, running headers, footers and page
numbers give nothing.
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
# The delimiters that engines put around LaTeX.
_DISPLAYED = re.compile(r"\s*(?:\\\[((?:(?!\\\]).)*)\\\]|\\\(((?:(?!\\\)).)*)\\\)|\$\$([^$]*)\$\$|\$([^$]*)\$)\s*", re.DOTALL)
_ROUND_TAGS = re.compile(r"\s*(</?(?:table|thead|tbody|tfoot|tr|td|th|caption)\b[^>]*>)\s*")
_SCRIPT_TAGS = re.compile("</?su[bp]>")
_TAGS = re.compile("<[^<>]*>")
_BLANK_LINES = re.compile(r"\n\s*\n")
_SILENT = PICTURES | RUNNING
# A paragraph may be interrupted by these labels, and goes on behind them.
_FLOATS = _SILENT | {"table", "image_caption", "table_caption", "table_footnote", "footnote"}


def markdown(regions: Sequence[Region]) -> str:
    """The page's Markdown: the `content` of each region, in order, with blank lines between. List items have no blank line
    between them. A paragraph that `continues` is joined to the next region of its label, if only floats stand between."""
    text, before = "", ""
    for region, part in _whole(regions):
        if text:
            text += "\n" if region.label == before == "list" and _ITEM.match(part) else "\n\n"
        text += part
        before = region.label if region.label != "list" or _ITEM.match(part) else ""
    return text


def lacks_text(region: Region) -> bool:
    """Whether the page's Markdown lacks the region's text, since the region is unread or empty. Pictures and `RUNNING` regions
    never count as lacking."""
    return region.label not in _SILENT and (region.is_unread or not region.text.strip())


def content(region: Region) -> str:
    """The region's own Markdown; "" for unread regions, pictures and `RUNNING` regions.

    A heading gets `#` by its label, unless its text has them. A list item's bullet becomes "- ". Code is fenced. LaTeX is
    displayed, as `\\[…\\]`. A table stays HTML, without space around its tags. Other text is Markdown already.
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
    """All text on the page, without tags. Text that the Markdown leaves out or changes is included: running headers, pictures,
    tables, unread regions. The text layer is judged by this text, so that a page's verdict is the same with and without
    labels."""
    if all(_is_whole(region) for region in sample.regions):
        return _SCRIPT_TAGS.sub("", sample.text)
    return "\n\n".join(text for region in sample.regions if (text := all_text_of(region)))


def all_text_of(region: Region) -> str:
    """All text in the region: its text, or the text of its lines if its own text is empty or isn't plain. HTML gives its
    cells."""
    if region.text and not region.lines and region.format == "html":
        return text_of_html(region.text)
    if region.text and (region.format == "markdown" or not region.lines):
        return _SCRIPT_TAGS.sub("", region.text)
    return "\n".join(line.text for line in region.lines)


def text_of_html(text: str) -> str:
    """The text of HTML, with a space for each tag."""
    return html.unescape(_TAGS.sub(" ", text))


def _is_whole(region: Region) -> bool:
    """Whether the page's Markdown has all text of the region unchanged."""
    if not region.lines:
        return region.format != "html" or not region.text
    return region.format == "markdown" and bool(region.text) and region.label not in RUNNING | PICTURES


def bare_latex(text: str) -> str:
    """LaTeX without its delimiters, and without blank lines, which end a formula."""
    displayed = _DISPLAYED.fullmatch(text)
    inside = next((part for part in displayed.groups() if part is not None), "") if displayed else text
    return _BLANK_LINES.sub("\n", inside).strip()


def _whole(regions: Sequence[Region]) -> Iterable[tuple[Region, str]]:
    """The regions that have Markdown. A paragraph that goes on in another region is joined."""
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
    """The place of the region in which the region at `at` goes on, behind floats at most; None if there is none. Both must have
    the same label, which is neither a heading's nor code's."""
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
