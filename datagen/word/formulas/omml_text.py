"""The text of formulas: letters, signs and words of OMML's runs as LaTeX."""

import re
import unicodedata
from collections.abc import Iterable

from datagen.word.formulas.omml_signs import FUNCTIONS, INVISIBLE, NAMES, plain_letter

_DRAWN_UPRIGHT = frozenset("sin cos tan cot sinh cosh tanh coth arcsin arccos arctan ln log exp lim".split())
"""Functions that LibreOffice knows, however their letters look in the file."""
_DECIMAL = re.compile(r"(?<=\d), (?=\d)")
ALIGN = "\x01"
"""Where lines of a formula are set below each other: `&` in OMML."""
_SPACED = frozenset(
    "= < > + - ± ∓ "
    "× ÷ ≤ ≥ ≠ ≡ ≈ ≅ ≃ ∼ ∝ ≪ ≫ ⊂ ⊃ ⊆ ⊇ ∈ ∉ ∋ → ← ↔ ⇒ ⇐ ⇔ ↦ ⟶ ⟵ ⟹ ⟺ ∧ ∨ ∩ ∪ ⊕ ⊗ ⋅ · ∘ ∣ ∥ ⊥ ≔ ≜ ≺ ≻ ⊢ ⊨ ∖ − ⇌ ∗ ≦ ≧ ⩽ ⩾".split()
)
_OPERATORS = "|".join(
    re.escape(name) + ("(?![A-Za-z])" if name[-1].isalpha() else "")
    for name in sorted({NAMES.get(sign, sign) for sign in _SPACED})
)
_ROOM_ROUND_SIGNS = re.compile(rf"(?: |(?<!\\)\\ )*({_OPERATORS}) (?: |\\ (?! ?\\ ))*")
_SIGN = re.compile(r"((?:\A|[{(\[=<>&,;]) ?)([-+]) (?=\S)")
_UNARY = re.compile(r"([{(\[]) ([-+])")
_COMMAND_END = re.compile(r"\\[A-Za-z]+\Z")
_FONTS = {
    "fraktur": r"\mathfrak",
    "script": r"\mathscr",
    "double-struck": r"\mathbb",
    "sans-serif": r"\mathsf",
    "monospace": r"\mathtt",
}
_IN_TEXT = {
    "\\": r"\textbackslash ", "{": r"\{", "}": r"\}", "%": r"\%", "#": r"\#", "$": r"\$", "&": r"\&", "_": r"\_",
    "~": r"\textasciitilde ", "^": r"\textasciicircum ", "\u00a0": " ",
}  # fmt: skip


class NotConverted(ValueError):
    """Why a formula has no LaTeX."""


def joined(parts: Iterable[str]) -> str:
    """LaTeX put together: what follows a command doesn't make its name longer."""
    whole = ""
    for part in parts:
        if part and _COMMAND_END.search(whole) and (part[0].isalpha() and part[0].isascii()):
            whole += " "
        whole += part
    return whole


def run(text: str, style: str = "i", script: str = "roman", is_normal: bool = False, in_name: bool = False) -> str:
    """The LaTeX of a run's text. `style` and `script` are m:sty's and m:scr's values, `is_normal` is m:nor, `in_name`: it is in a
    function's name. Raises `NotConverted` for characters that nobody knows."""
    if any(0xE000 <= ord(sign) <= 0xF8FF or sign == "\ufffd" for sign in text):
        raise NotConverted("a character that nobody knows")
    if is_normal and text.strip() in _DRAWN_UPRIGHT:
        return f"\\{text.strip()} "
    if is_normal and any(sign.isalpha() and sign not in NAMES for sign in text):
        return words(text)
    font = _FONTS.get(script, "")
    if not font and (style == "p" or in_name) and text.strip() in FUNCTIONS:
        return f"\\{text.strip()} "
    parts: list[str] = []
    for kind, letters in _by_kind(text, parts_digits=style == "i"):
        if kind == "text":
            parts.append(words(letters))
        elif kind == "sign":
            parts += [sign_name(sign) for sign in letters]
        elif letters in _DRAWN_UPRIGHT and style == "i" and not font:
            parts.append(f"\\{letters} ")
        else:
            parts.append(_letters(letters, style, font))
    return _DECIMAL.sub(",", joined(parts))


def _by_kind(text: str, parts_digits: bool) -> list[tuple[str, str]]:
    """The text in stretches: Latin letters, digits (with them unless `parts_digits`), signs and Greek, and words of other
    scripts."""
    stretches: list[tuple[str, str]] = []
    for sign in text:
        kind = "letter" if sign.isascii() and sign.isalnum() else "text" if _is_word_sign(sign) else "sign"
        kind = "digit" if parts_digits and kind == "letter" and sign.isdigit() else kind
        if stretches and stretches[-1][0] == kind:
            stretches[-1] = kind, stretches[-1][1] + sign
        else:
            stretches.append((kind, sign))
    return stretches


def _is_word_sign(sign: str) -> bool:
    """Whether a character belongs to words that are written in letters other than those of formulas."""
    if sign in NAMES or sign in INVISIBLE or plain_letter(sign)[0] != sign:
        return False
    return unicodedata.category(sign) in ("Lu", "Ll", "Lo", "Lt", "Lm", "Mn", "Mc") or unicodedata.east_asian_width(sign) in "WF"


def _letters(text: str, style: str, font: str) -> str:
    if font:
        inner = rf"{font}{{{text}}}"
        return rf"\boldsymbol{{{inner}}}" if style in ("b", "bi") and font != r"\mathbb" else inner
    if style == "b":
        return rf"\mathbf{{{text}}}"
    if style == "bi":
        return rf"\boldsymbol{{{text}}}" if not text.isdigit() else rf"\mathbf{{{text}}}"
    return rf"\mathrm{{{text}}}" if style == "p" and not text.isdigit() else text


def sign_name(sign: str) -> str:
    """The LaTeX of one sign, with room round relations and operators."""
    if sign in INVISIBLE:
        return ""
    plain, fonts = plain_letter(sign)
    if fonts or plain != sign:
        inner = NAMES.get(plain, plain)
        for font in reversed(fonts):
            inner = rf"{font}{{{inner}}}"
        return inner
    name = NAMES.get(sign, sign)
    if sign == "&":
        return ALIGN
    if sign in _SPACED:
        return f" {name} "
    if sign in ",;":
        return f"{name} "
    return name


def without_room(latex: str) -> str:
    """LaTeX without what was typed to have room round operators, and with signs of numbers next to them."""
    latex = re.sub(r"(?<!\\) {2,}", " ", _ROOM_ROUND_SIGNS.sub(r" \1 ", latex)).strip()
    return _UNARY.sub(r"\1\2", _SIGN.sub(r"\1\2", latex))


def words(text: str) -> str:
    """The LaTeX of words within a formula."""
    if not text.strip():
        return r"\ " if text else ""
    escaped = "".join(_IN_TEXT.get(sign, sign) for sign in text if sign not in INVISIBLE)
    return rf"\text{{{escaped}}}"


def is_other_limit(scripts: str, sign: str) -> bool:
    """Whether this is one limit, on the other side than `sign`."""
    return scripts[0] in "_^" and scripts[0] != sign and is_whole_group(scripts)


def is_whole_group(text: str) -> bool:
    """Whether the group that opens first ends where the text does."""
    depth = 0
    for at, sign in enumerate(text):
        if sign in "{}" and text[at - 1] != "\\":
            depth += 1 if sign == "{" else -1
            if not depth:
                return at == len(text) - 1
    return False
