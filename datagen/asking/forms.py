"""What an answer says, by the form that its model writes: regions with boxes, Markdown alone, Markdown with a head, LaTeX."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from datagen import target
from datagen.asking.profiles import BLANK, FRONT_MATTER, GROUNDED, MATHPIX, OTHER_SCRIPT, REFUSED, TURNED, UNPARSABLE, Profile
from datagen.labels import PICTURES, label_of
from datagen.markdown import bare_latex, markdown
from datagen.record import Box, Region
from datagen.tables import markup, tabular
from datagen.tables.cells import to_html
from datagen.writing import scripts

GROUNDED_BY = "deepseek-ocr"
_BOX = re.compile(r"\[\s*(-?\d+)\s*,\s*(-?\d+)\s*,\s*(-?\d+)\s*,\s*(-?\d+)\s*\]")
_LAST_BIN = 999
_HEAD = re.compile(r"\s*---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_HEAD_NAMES = ("primary_language", "is_rotation_valid", "rotation_correction", "is_table", "is_diagram")
_TABULAR = re.compile(r"\\begin\{tabular\}.*?\\end\{tabular\}|\\begin\{tabular\}.*\Z", re.DOTALL)
_EXCUSE = re.compile(
    r"(?:i['’]?m sorry|i am sorry|sorry,|i can(?:['’]?t|not)|i['’]?m (?:unable|not able)|unable to|as an ai|je suis désolé|"
    r"lo siento|抱歉|对不起|很抱歉)",
    re.IGNORECASE,
)
_EXCUSE_CHARS = 400
_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LAYOUT = re.compile(
    r"<\|box_start\|>\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*<\|box_end\|>\s*<\|ref_start\|>(\w+?)<\|ref_end\|>(.*?)(?=<\|box_start\|>|\Z)",
    re.DOTALL,
)
_ANGLES = {"<|rotate_up|>": 0, "<|rotate_right|>": 1, "<|rotate_down|>": 2, "<|rotate_left|>": 3}
"""By how many quarters mineru-vl-utils turns a block anticlockwise (Pillow's `rotate`)."""
_MINERU_ONLY = {"equation_block": "equation", "list_item": "list", "unknown": "text", "aside_text": "text"}
_FEW_LETTERS = 40


class Amiss(Exception):
    """Why an answer can't be used: a fate, a `detail` for people, and by how many quarters to turn a page that is turned."""

    def __init__(self, fate: str, detail: str = "", quarters: int = 0):
        super().__init__(f"{fate}: {detail}" if detail else fate)
        self.fate, self.detail, self.quarters = fate, detail, quarters


@dataclass(frozen=True)
class Read:
    """What an answer says of a page: its Markdown, and its regions where the model writes these. `num_lost` blocks of it were not
    whole; `num_odd` boxes were turned inside out, or left the page."""

    text: str
    regions: tuple[Region, ...] = ()
    num_lost: int = 0
    num_odd: int = 0


def page(profile: Profile, text: str, size: tuple[int, int], model: str, is_plain: bool = False) -> Read:
    """What a whole answer about a page of this (width, height) says; `is_plain`: it was asked for text alone. Raises `Amiss`."""
    if not text.strip():
        raise Amiss(BLANK, "an empty answer")
    if len(text) < _EXCUSE_CHARS and _EXCUSE.match(text.strip()):
        raise Amiss(REFUSED, text.strip()[:200])
    if profile.form == GROUNDED and not is_plain:
        return _grounded(text, size, model)
    if profile.form == FRONT_MATTER:
        text = _without_head(text)
    elif profile.form == MATHPIX:
        text = _without_tabular(text)
    text = _PICTURE.sub("", markup.unfenced(text)).strip()
    if target.REF in text:  # some say where it is although nobody asked
        return _grounded(text, size, model)
    if not any(map(str.isalnum, text)):
        raise Amiss(BLANK, f"nothing but {text[:40]!r}")
    return Read(target.restore(text))


def region(kind: str, text: str) -> tuple[str, str]:
    """The text of a region that was asked about as this kind, text, tables or formulas, and the record's format of it. Raises
    `Amiss`."""
    text = markup.unfenced(text).strip()
    if target.REF in text:
        wanted = {"tables": "table", "formulas": "equation"}.get(kind)
        text = "\n\n".join(one.text for one in target.decode(text, (1000, 1000)) if wanted in (None, one.label))
    if kind == "formulas":
        text, form = bare_latex(text), "latex"
    elif kind == "tables" and text:
        try:
            text, form = to_html(markup.read(text)), "html"
        except ValueError as error:
            raise Amiss(UNPARSABLE, f"no table: {error}") from None
    else:
        form = "markdown"
    if not text:
        raise Amiss(BLANK, "an empty answer")
    return text, form


def layout(text: str, size: tuple[int, int], by: str) -> tuple[tuple[Region, ...], tuple[int, ...]]:
    """The regions that MinerU2.5's answer to its layout prompt names, without text, in its order; and by how many quarters each
    has to be turned. Raises `Amiss`."""
    regions, turns = [], []
    for *numbers, name, tail in _LAYOUT.findall(text):
        x0, y0, x1, y1 = (min(1000, int(number)) for number in numbers)
        (x0, x1), (y0, y1) = sorted((x0, x1)), sorted((y0, y1))
        name = name.lower()
        try:
            label = _MINERU_ONLY.get(name) or label_of("mineru", name)
        except ValueError as error:
            raise Amiss(UNPARSABLE, str(error)) from None
        left, top = min(x0 * size[0] // 1000, size[0] - 1), min(y0 * size[1] // 1000, size[1] - 1)
        right, bottom = max(left + 1, -(-x1 * size[0] // 1000)), max(top + 1, -(-y1 * size[1] // 1000))
        box = Box(left, top, min(size[0], right), min(size[1], bottom))
        regions.append(Region(box, label, "", None, by, is_unread=True))
        turns.append(next((quarters for token, quarters in _ANGLES.items() if token in tail), 0))
    if not regions:
        raise Amiss(UNPARSABLE if text.strip() else BLANK, f"no layout: {text[:100]!r}")
    return tuple(regions), tuple(turns)


def check_script(text: str, script: str) -> None:
    """Raises `Amiss` if a text is surely in another script than `script`, ISO 15924; "" for one that nobody knows."""
    found, share = scripts.main_script(text)
    if (
        script in ("", "Zyyy", "Zinh", "Zxxx")
        or sum(map(str.isalpha, text)) < _FEW_LETTERS
        or share < 0.6
        or scripts.parts(found) & scripts.parts(script)  # Chinese signs in a Japanese page, and the like
    ):
        return
    raise Amiss(OTHER_SCRIPT, f"{share:.0%} of it is {found}, the page is {script}")


def _grounded(text: str, size: tuple[int, int], model: str) -> Read:
    """Raises `Amiss` also for an answer without any whole block."""
    regions = target.decode(text, size, model)
    if not regions:
        raise Amiss(UNPARSABLE, f"no whole block of a grounded answer: {text[:100]!r}")
    try:
        labelled = tuple(
            replace(
                one,
                label=label_of(GROUNDED_BY, one.label),
                detected_by=GROUNDED_BY,
                is_unread=not one.text and one.label not in PICTURES,
            )
            for one in regions
        )
    except ValueError as error:
        raise Amiss(UNPARSABLE, str(error)) from None
    if not any(one.text or one.label in PICTURES for one in labelled):
        raise Amiss(BLANK, "boxes without text")
    return Read(markdown(labelled), labelled, max(0, text.count(target.REF) - len(regions)), _odd_boxes(text))


def _odd_boxes(text: str) -> int:
    boxes = (tuple(map(int, numbers)) for numbers in _BOX.findall(text))
    return sum(x0 >= x1 or y0 >= y1 or min(x0, y0) < 0 or max(x1, y1) > _LAST_BIN for x0, y0, x1, y1 in boxes)


def _without_head(text: str) -> str:
    """olmOCR's Markdown without its head, which is YAML of five names."""
    head = _HEAD.match(markup.unfenced(text))
    if not head:
        raise Amiss(UNPARSABLE, f"no front matter: {text[:100]!r}")
    values = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in head[1].splitlines())}
    if missing := [name for name in _HEAD_NAMES if name not in values]:
        raise Amiss(UNPARSABLE, f"the front matter lacks {', '.join(missing)}")
    degrees = values["rotation_correction"]
    if values["is_rotation_valid"].lower() == "false" and degrees in ("90", "180", "270"):
        raise Amiss(TURNED, f"it is to be turned by {degrees} degrees", -int(degrees) // 90 % 4)
    body = markup.unfenced(text)[head.end() :]
    if not body.strip():
        raise Amiss(BLANK, f"nothing behind the front matter; its language is {values['primary_language']}")
    return body


def _without_tabular(text: str) -> str:
    """GOT's answer with its tables as HTML."""

    def html(found: re.Match[str]) -> str:
        try:
            return f"\n\n{to_html(tabular.to_table(found[0]))}\n\n"
        except ValueError as error:
            raise Amiss(UNPARSABLE, f"no whole tabular: {error}") from None

    return _TABULAR.sub(html, text)


def texts(regions: Sequence[Region]) -> str:
    """What regions say, without tables and formulas: what a language can be told by."""
    return "\n".join(one.text for one in regions if one.format == "markdown")
