r"""The text of a part of a paragraph as Markdown: stars around what stands out, `<sup>` and `<sub>`, formulas as `\(…\)`."""

import re
from collections.abc import Callable, Mapping, Set

from datagen.fine.region_markdown import starred
from datagen.word.pages.paragraph_parts import Part

_LETTERS = re.compile(r"[^\W\d_]")
_TAGS = {1: "sup", -1: "sub"}
_GOES_ON = re.compile(r"</(su[bp])><\1>")
_ROOM_IN_MARKER = re.compile(r"(?<=[([])\s+|\s+(?=[.)\]:])")


def part_markdown(part: Part, latex: Mapping[int, str], stands_out: Set[tuple[bool, bool]], clean: Callable[[str], str]) -> str:
    """The part's text, each line passed through `clean`. `latex` has the formulas' LaTeX by number; a formula that it lacks is
    left out. `stands_out` are the styles, bold and italic, that get stars."""
    text = ""
    for run, style in _runs(part, latex):
        stars = "*" * (2 * style[0] + style[1]) if style in stands_out else ""
        text += starred(run, stars) if stars and _LETTERS.search(run) and not {"*", "_"} & set(run) else run
    if part.paragraph.is_code:
        return "\n".join(line.rstrip() for line in text.expandtabs(4).split("\n"))
    return "\n".join(line for line in map(clean, text.split("\n")) if line)


def marker_text(part: Part, clean: Callable[[str], str]) -> str:
    """The number or bullet before the part, without spaces within it."""
    return _ROOM_IN_MARKER.sub("", clean(part.marker))


def _runs(part: Part, latex: Mapping[int, str]) -> list[tuple[str, tuple[bool, bool]]]:
    """The stretches of one style, bold and italic. White space has the style of the text before it."""
    runs: list[tuple[str, tuple[bool, bool]]] = []
    for segment in part.segments:
        style = segment.is_bold, segment.is_italic
        if segment.formula >= 0:
            runs.append((rf"\({latex.get(segment.formula, '')}\)", (False, False)))
            continue
        text = segment.text
        if segment.raised and not part.paragraph.is_code:
            text = "\n".join(_tagged(line, _TAGS[segment.raised]) for line in text.split("\n"))
        if runs and (runs[-1][1] == style or not text.strip()) and not runs[-1][0].endswith(r"\)"):
            runs[-1] = _GOES_ON.sub("", runs[-1][0] + text), runs[-1][1]
        else:
            runs.append((text, style))
    return runs


def _tagged(line: str, tag: str) -> str:
    """The line in a tag; white space at its ends stays outside."""
    inside = line.strip()
    if not inside:
        return line
    start = line.index(inside)
    return f"{line[:start]}<{tag}>{inside}</{tag}>{line[start + len(inside) :]}"
