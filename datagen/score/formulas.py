"""LaTeX as it is compared: two ways to write the same formula should be one string.

It is a comparison of what was written; what formulas look like is compared in symbols.py.
"""

import re
import unicodedata
from collections.abc import Iterator

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|[^\s\\]", re.DOTALL)
_OPENING = re.compile(r"\s*(?:\$\$?|\\\[|\\\()")
_CLOSING = re.compile(r"(?:\$\$?|\\\]|\\\))[\s.,;]*$")
_WITHOUT_LOOKS = re.compile(r"\\(?:tag\*?|label|eqno|hspace\*?|vspace\*?)\s*\{[^{}]*\}")
_ENVIRONMENT = re.compile(
    r"\\(?:begin|end)\s*\{(?:equation|displaymath|math|align(?:ed)?|eqnarray|gather(?:ed)?|split|multline)\*?\}"
)
_COLUMNS = re.compile(r"(\\begin\s*\{array\})\s*\{[^{}]*\}")
_MULTILINE = re.compile(
    r"\s*\\begin\s*\{(array|aligned|align|split|gather|gathered|multline|eqnarray)(\*?)\}(?:\s*\{[^{}]*\})?(.*)"
    r"\\end\s*\{\1\2\}[\s.,;]*",
    re.DOTALL,
)
_ROW_END = re.compile(r"\\\\(?:\[[^\]]*\])?")

# What decides only how letters look, how large brackets are, and how much room is between things.
_LOOKS = frozenset(
    "\\" + name
    for name in (
        "mathbf mathrm mathit mathsf mathtt mathnormal mathbb mathcal mathscr mathfrak textbf textrm textit textsf texttt "
        "textnormal textup text boldsymbol bm mbox hbox operatorname operatorname* displaystyle textstyle scriptstyle "
        "scriptscriptstyle limits nolimits left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm "
        "Bigm quad qquad enspace thinspace medspace thickspace bf rm it cal sf tt nonumber notag , ; : ! >"
    ).split()
) | {"\\ ", "~", "&"}
_SIZES = frozenset({r"\left", r"\right"})
_SAME = {
    r"\le": r"\leq", r"\ge": r"\geq", r"\ne": r"\neq", r"\to": r"\rightarrow", r"\gets": r"\leftarrow", r"\lbrace": r"\{",
    r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]", r"\vert": "|", r"\lvert": "|", r"\rvert": "|", r"\Vert": r"\|",
    r"\lVert": r"\|", r"\rVert": r"\|", r"\ldots": r"\dots", r"\cdots": r"\dots", r"\dotsc": r"\dots", r"\dotsb": r"\dots",
    r"\land": r"\wedge", r"\lor": r"\vee", r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\cfrac": r"\frac", r"\ast": "*",
    r"\prime": "'", r"\mid": "|", r"\colon": ":", r"\varPi": r"\Pi", r"\varSigma": r"\Sigma", r"\lt": "<", r"\gt": ">",
    r"\widehat": r"\hat", r"\widetilde": r"\tilde", r"\overline": r"\bar", r"\overrightarrow": r"\vec",
}  # fmt: skip
_FUNCTIONS = (
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp lim max min sup inf det dim ker gcd arg deg mod Pr"
)
_SAME |= {"\\" + name: name for name in _FUNCTIONS.split()}
_ONE = ("hat", "bar", "vec", "tilde", "dot", "ddot", "underline", "sqrt", "overbrace", "underbrace", "begin", "end", "boxed")
_TWO = ("frac", "binom", "stackrel", "overset", "underset", "xrightarrow")
_ARGUMENTS = {"^": 1, "_": 1} | {"\\" + name: 1 for name in _ONE} | {"\\" + name: 2 for name in _TWO}


def normalised(latex: str) -> str:
    """LaTeX without delimiters, numbers, spacing and what decides only looks, with one name for each symbol, and braces around
    arguments alone. Two formulas are taken for the same if these are equal."""
    text = _bare(unicodedata.normalize("NFKC", latex))
    text = _COLUMNS.sub(r"\1", _ENVIRONMENT.sub(" ", _WITHOUT_LOOKS.sub(" ", text)))
    return "".join(_group(iter(_TOKEN.findall(text)))).rstrip(".,;")


def rows(latex: str) -> list[str]:
    """The rows of a formula that has several below each other, each as a formula; the formula itself if it has one."""
    whole = _MULTILINE.fullmatch(_bare(latex))
    parts = [part.strip() for part in _ROW_END.split(whole[3])] if whole else []
    return [part for part in parts if part] or [latex]


def _bare(latex: str) -> str:
    while (opening := _OPENING.match(latex)) and (closing := _CLOSING.search(latex, opening.end())):
        latex = latex[opening.end() : closing.start()]
    return latex


def _group(tokens: Iterator[str]) -> list[str]:
    """The normalised tokens up to the end of the group that was opened before the first of them."""
    group: list[str] = []
    num_arguments = 0  # that are still to come
    bare_next = False  # the delimiter behind \left and \right may be a dot, which shows nothing
    for token in tokens:
        if token == "}":
            break
        token = _SAME.get(token, token)
        if token in _LOOKS:
            bare_next = token in _SIZES
            continue
        if bare_next and token == ".":
            bare_next = False
            continue
        bare_next = False
        inner = _group(tokens) if token == "{" else [token]
        if not num_arguments:
            group += inner
        elif group[-1:] == ["^"] and inner and set(inner) == {"'"}:
            group[-1:] = inner
        else:
            group.append("{" + "".join(inner) + "}")
        num_arguments = max(0, num_arguments - 1)
        # A script or a root within an argument that was typed without braces takes its own arguments: rare, and left as it is.
        if token in _ARGUMENTS and len(inner) == 1:
            num_arguments = _ARGUMENTS[token]
    return group
