"""Formulas of a document: found in the forms that programs write them in, and written as KaTeX's MathML with its LaTeX."""

import html
import re
from collections import Counter

import lxml.etree

from datagen.formulas import katex

MAX_FORMULAS = 5000
_TEX_TYPES = re.compile(r"(application/x-)?(la)?tex", re.I)
_FALLBACKS = (
    "mwe-math-element",
    "katex-display",
    "katex",
    "mjx-container",
    "MathJax_Display",
    "MathJax_CHTML",
    "MathJax_SVG",
    "MathJax",
)
"""Classes of elements that hold a formula more than once, drawn and as MathML."""
_IMAGES = {
    "tex",
    "math",
    "latex",
    "formulaInl",
    "formulaDsp",
    "mwe-math-fallback-image-inline",
    "mwe-math-fallback-image-display",
}
_ENVIRONMENT = r"(?:equation|align|gather|alignat|multline|eqnarray|displaymath)\*?"
_SOME = "{1,4000}?"  # and never another beginning, at each of which the search would go so far
_IN_TEXT = (
    rf"\\\(((?:(?!\\\().){_SOME})\\\)|\\\[((?:(?!\\\[).){_SOME})\\\]|\$\$(.{_SOME})\$\$"
    rf"|(\\begin\{{({_ENVIRONMENT})\}}(?:(?!\\begin\{{\5\}}).){_SOME}\\end\{{\5\}})"
)
_WITH_DOLLARS = re.compile(_IN_TEXT + r"|(?<![\\$\w])\$(?![\s$])([^$]{1,1000}?)(?<![\s\\])\$(?![\w$])", re.S)
_PLAIN = re.compile(_IN_TEXT, re.S)
_DELIMITED = re.compile(r"\s*(?:\\\((.+)\\\)|\\\[(.+)\\\]|\$\$(.+)\$\$|\$(.+)\$)\s*", re.S)
_DOLLARS_ON = re.compile(r"inlineMath['\"]?\s*[:=]\s*(\{[^}]*)?\[\s*\[?\s*['\"]\$['\"]|delimiters[^\]]*left\s*:\s*['\"]\$['\"]")
_SCRIPT_CHARS = 20_000  # of a script, in which MathJax's settings are looked for
_LOADS = re.compile(r"<[^>]*\s(href|src)=", re.I)


class Formulas:
    """Makes MathML of a document's LaTeX. `left_out` counts formulas that KaTeX doesn't parse."""

    def __init__(self, left_out: Counter[str]):
        self.left_out = left_out
        self.known: dict[str, str] = {}
        self.in_text: re.Pattern[str] | None = None

    def look_at(self, tree: lxml.etree._Element) -> None:
        """Whether a script of the page makes formulas of LaTeX in its text."""
        self.in_text = None
        for script in tree.iter("script"):
            source = f"{script.get('src', '')} {script.text or ''}"[:_SCRIPT_CHARS]
            if "mathjax" in source.lower() or "katex" in source.lower() or "renderMathInElement" in source:
                self.in_text = self.in_text or _PLAIN
                if _DOLLARS_ON.search(source):
                    self.in_text = _WITH_DOLLARS

    def mathml(self, latex: str, is_display: bool) -> str | None:
        """The formula as <math> with its annotation; None, and counted, if KaTeX doesn't parse it."""
        latex = unwrapped(latex)
        if not latex:
            return None
        if latex not in self.known:
            if len(self.known) >= MAX_FORMULAS:
                self.left_out["formula_too_many"] += 1
                return None
            try:
                made = katex.mathml(latex)
            except ValueError:
                made = ""
            self.known[latex] = "" if _LOADS.search(made) else made
        made = self.known[latex]
        if not made:
            self.left_out["formula_unparsed"] += 1
            return None
        return made if is_display else made.replace('display="block"', 'display="inline"', 1)

    def text(self, text: str) -> str | None:
        """A text as HTML with its formulas; None if it has none."""
        if self.in_text is None or not ("\\" in text or "$" in text):
            return None
        pieces, end = list[str](), 0
        for match in self.in_text.finditer(text):
            inline = match[1] or (match[6] if self.in_text is _WITH_DOLLARS else None)
            made = self.mathml(inline or match[2] or match[3] or match[4], inline is None)
            if made:
                pieces += [html.escape(text[end : match.start()], quote=False), made]
                end = match.end()
        return "".join([*pieces, html.escape(text[end:], quote=False)]) if pieces else None

    def element(self, element: lxml.etree._Element) -> str | None:
        """An element that is a formula as HTML, "" if another element says the same; None for other elements, and for formulas
        whose LaTeX isn't known, which stay as they are."""
        tag, classes = element.tag, set(element.get("class", "").split())
        if tag == "math":
            is_display = element.get("display") == "block"
            return self.mathml(latex_of(element), is_display) or unknown(element, is_display)
        if tag == "script" and element.get("type", "").startswith("math/tex"):
            latex, is_display = element.text or "", "display" in element.get("type")
            return self.mathml(latex, is_display) or html.escape(latex, quote=False)
        if tag == "img":
            return self._image(element, classes)
        if tag == "pre" and len(element) == 1 and "language-math" in element[0].get("class", ""):  # GitHub's Markdown
            return self.mathml(element[0].text or "", True)
        if tag in ("span", "div") and "math" in classes and not len(element):
            return self._span(element, classes)
        if classes.intersection(_FALLBACKS) or tag in _FALLBACKS:
            return self._fallbacks(element, classes)
        return "" if "MathJax_Preview" in classes else None

    def _image(self, element: lxml.etree._Element, classes: set[str]) -> str | None:
        alt = element.get("alt", "")
        is_marked = bool(classes & _IMAGES)
        if not (
            _DELIMITED.fullmatch(alt) or (is_marked and alt) or alt.startswith((r"{\displaystyle", r"{\textstyle", r"\begin{"))
        ):
            return None
        is_display = alt.lstrip().startswith((r"\[", "$$")) or any("isplay" in c or "Dsp" in c for c in classes)
        return self.mathml(alt, is_display)

    def _span(self, element: lxml.etree._Element, classes: set[str]) -> str | None:
        text = element.text or ""
        is_display = bool(classes & {"display", "block"}) or (element.tag == "div" and "inline" not in classes)
        return self.mathml(text, is_display)

    def _fallbacks(self, element: lxml.etree._Element, classes: set[str]) -> str | None:
        """The formula of an element that holds it several times; "" for MathJax's drawing of a script that comes behind it."""
        math = next(element.iter("math"), None)
        following = element.getnext()
        if following is not None and following.tag == "script" and following.get("type", "").startswith("math/tex"):
            return ""
        is_display = "katex-display" in classes or element.get("display") == "true"
        if math is not None:
            is_display = is_display or math.get("display") == "block"
            return self.mathml(latex_of(math), is_display) or unknown(math, is_display)
        image = next(element.iter("img"), None)
        if image is not None:
            return self._image(image, set(image.get("class", "").split()))
        return None


def unwrapped(latex: str) -> str:
    """LaTeX without its delimiters, and without Wikipedia's `{\\displaystyle …}` around it."""
    latex = latex.strip()
    if match := _DELIMITED.fullmatch(latex):
        latex = next(group for group in match.groups() if group is not None).strip()
    for style in (r"{\displaystyle", r"{\textstyle"):
        if latex.startswith(style) and latex.endswith("}") and _is_one_group(latex):
            return latex[len(style) : -1].strip()
    return re.sub(r"\\label\{[^{}]*\}", "", latex).strip()  # KaTeX has no references


def _is_one_group(latex: str) -> bool:
    depth = 0
    for match in re.finditer(r"\\.|[{}]", latex, re.S):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.end() == len(latex)
    return False


def latex_of(math: lxml.etree._Element) -> str:
    """The LaTeX that a <math> element says it has, else ""."""
    for annotation in math.iter("annotation"):
        if _TEX_TYPES.fullmatch(annotation.get("encoding", "")):
            return (annotation.text or "").strip()
    return math.get("alttext", "").strip()


def unknown(math: lxml.etree._Element, is_display: bool) -> str:
    """A formula whose LaTeX isn't known: it takes the room of its letters. A page that shows one is no sample."""
    text = html.escape(" ".join("".join(math.itertext()).split()), quote=False)
    return f'<math display="{"block" if is_display else "inline"}"><mtext>{text}</mtext></math>'
