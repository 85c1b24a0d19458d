"""Texts and formulas as OmniDocBench v1.5 compares them (`utils/data_preprocess.py` at `omnidocbench.COMMIT`)."""

import re
from functools import lru_cache

from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexWalker, get_default_latex_context_db

_INLINE = re.compile(r"\$(.*?)\$|\\\((.*?)\\\)")
_ESCAPED = re.compile(r"\\[\\_&%^]")
_NO_WORD = re.compile(r"[^\w\u4e00-\u9fff]")
_LOST = ("\\t", "\\n", "\t", "\n", "/t", "/n")
_DISPLAYED = re.compile(r"\\\[(.+?)(?<!\\)\\\]")
_UNCOMPARED = (r"\\tag\{.*?\}", r"\\hspace\{.*?\}", r"\\begin\{.*?\}", r"\\end\{.*?\}", r"\\arraycolsep.*?\}")
_NOT_COMPARED = tuple(re.compile(pattern) for pattern in _UNCOMPARED)
_FONTS = "mathbf mathrm mathnormal mathit mathbb mathcal mathscr mathfrak mathsf mathtt"
_MORE_FONTS = "textbf text boldmath boldsymbol operatorname bm"
_MORE = "symbfit mathbfcal symbf scriptscriptstyle notag setlength coloneqq"
_SPACES = "space thickspace thinspace medspace nobreakspace negmedspace quad qquad enspace substackw"
# One after the other: what is left by one may be another's.
_COMMANDS = (
    *("\\" + name for name in f"{_FONTS} {_MORE_FONTS} {_MORE} {_SPACES}".split()),
    *(" ", "$$", "\\left", "\\right", "\\displaystyle", "\\text"),
)
_SHOWING, _COMMANDS_OF_LATEX = LatexNodes2Text(), get_default_latex_context_db()


@lru_cache(maxsize=20_000)
def shown(latex: str) -> str:
    """The characters that a formula shows. Raises what pylatexenc raises."""
    nodes, _, _ = LatexWalker(latex, latex_context=_COMMANDS_OF_LATEX).get_latex_nodes()
    return str(_SHOWING.nodelist_to_text(nodes))


def words(text: str) -> str:
    """Letters and digits alone. Also lost: a backslash or a slash before a t or an n, with it."""
    for lost in _LOST:
        text = text.replace(lost, "")
    return _NO_WORD.sub("", text)


def plain(text: str) -> str:
    """The `words` of a text, formulas within it that have a script or a command as the characters that they show."""
    places = []
    for match in _INLINE.finditer(text):
        latex = _ESCAPED.sub("", match[2] if match[1] is None else match[1])
        if any(mark in latex for mark in r"\^_"):
            try:
                places.append((match.start(), match.end(), shown(latex + " " if latex.endswith("\\") else latex)))
            except Exception:  # as there: what can't be read stays as it is
                continue
    for start, end, characters in reversed(places):
        text = text[:start] + characters.strip() + text[end:]
    return words(text)


def formula(latex: str) -> str:
    """LaTeX in small letters, without its fonts, spaces, numbers and environments."""
    latex = latex.strip().strip("$").strip("\n")
    if displayed := _DISPLAYED.search(latex):
        latex = displayed[1].strip()
    for pattern in _NOT_COMPARED:
        latex = pattern.sub("", latex)
    latex = latex.strip(".")
    for command in _COMMANDS:
        latex = latex.replace(command, "")
    return latex.lower()
