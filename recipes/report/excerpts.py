"""A few lines of a page, cut out of its image, and what its text says for exactly these lines; or the page with them marked."""

import base64
import io
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from fontTools import unicodedata as scripts
from PIL import Image, ImageChops, ImageDraw

from datagen.record import Box, Line, Sample
from recipes.report import escape

# Of a hostile page no more is looked at, cut out or written.
_MAX_LINES_READ, _MAX_WINDOW, _MAX_LINES, _MAX_CHARS = 2_000, 4, 12, 1_200
_PAD = 5
# Width in pixels and WebP quality, best first.
_SIZES = ((720, 55), (720, 35), (560, 35), (420, 30), (280, 20))
_JOINERS = "\u200c\u200d"  # part of how Persian and the scripts of India are spelt
_HAN = frozenset("Hani Hira Kana Hang Bopo".split())
_COMMON = frozenset(("Zyyy", "Zinh", "Zzzz"))
_WORD = re.compile(r"[^\W\d_]+")

Weight = Callable[[Line], float]


@dataclass(frozen=True)
class Excerpt:
    """`image` is None where there is none to decode. `lines` in the text's order; `cut` says that the page has more of them."""

    image: Image.Image | None
    lines: tuple[Line, ...]
    cut: bool = False


def middle(sample: Sample, weigh: Weight) -> Excerpt:
    """The few lines that weigh most, near the page's middle where there is a choice; the page where it has no lines."""
    image = _decode(sample.image)
    lines = lines_of(sample)
    windows = [(sum(map(weigh, found)), _union(found)) for found in _windows(sample)]
    if not windows or image is None:
        return Excerpt(image, lines[:_MAX_LINES], len(lines) > _MAX_LINES)
    most = max(weight for weight, _ in windows)
    width, height = sample.size

    def distance(box: Box) -> float:
        return math.hypot((box.x0 + box.x1) / 2 / width - 0.5, (box.y0 + box.y1) / 2 / height - 0.5)

    box = min((box for weight, box in windows if weight >= 0.7 * most), key=distance)
    # Whatever else lies there is shown too: what the layer says twice, or between the lines, is what a person should see.
    inside = tuple(line for line in lines if _share_inside(line.box, box) > 0.5)
    x0, y0, x1, y1 = (v * scale for v, scale in zip(box, (image.width / width, image.height / height) * 2, strict=True))
    crop = image.crop((max(0, int(x0) - _PAD), max(0, int(y0) - _PAD), min(image.width, math.ceil(x1) + _PAD),
                       min(image.height, math.ceil(y1) + _PAD)))  # fmt: skip
    return Excerpt(crop, inside[:_MAX_LINES], len(inside) > _MAX_LINES)


def sheet(sample: Sample, side: int) -> Excerpt:
    """The whole page at most `side` pixels long, shaded where its lines lie, so that ink without text stands out."""
    lines = lines_of(sample)
    image = _decode(sample.image, side)
    if image is not None:
        image.thumbnail((side, side), Image.Resampling.BICUBIC)
        sx, sy = image.width / sample.size[0], image.height / sample.size[1]
        boxes = [(x0 * sx, y0 * sy, max(x0 * sx, x1 * sx - 1), max(y0 * sy, y1 * sy - 1)) for x0, y0, x1, y1 in
                 (line.box for line in lines)]  # fmt: skip
        shade = Image.new("RGB", image.size, "white")
        draw = ImageDraw.Draw(shade)
        for box in boxes:
            draw.rectangle(box, "#b9d4ff")
        image = ImageChops.multiply(image, shade)
        draw = ImageDraw.Draw(image)
        for box in boxes:
            draw.rectangle(box, outline="#3b78d8")
    return Excerpt(image, lines[:8], len(lines) > 8)


def lines_of(sample: Sample) -> tuple[Line, ...]:
    """The page's lines; a region without any is one, and a sample without regions too."""
    found = [line for lines in _lines_by_region(sample) for line in lines]
    if not found and sample.text:
        return (Line(Box(0, 0, *sample.size), sample.text),)
    return tuple(found[:_MAX_LINES_READ])


def _lines_by_region(sample: Sample) -> Iterator[Sequence[Line]]:
    for region in sample.regions[:_MAX_LINES_READ]:
        yield region.lines[:_MAX_LINES_READ] or ((Line(region.box, region.text),) if region.text else ())


def _windows(sample: Sample) -> Iterator[Sequence[Line]]:
    """Lines of a region that follow each other and fill their common box, so that a cut shows them and little else."""
    deepest = 0.25 * max(sample.size)
    num_read = 0
    for lines in _lines_by_region(sample):
        for start in range(len(lines)):
            if (num_read := num_read + 1) > _MAX_LINES_READ:
                return
            end = start + 1
            while end < len(lines) and end - start < _MAX_WINDOW:
                box = _union(lines[start : end + 1])
                filled = sum(_area(line.box) for line in lines[start : end + 1])
                if _area(box) > 2.5 * filled or min(box.x1 - box.x0, box.y1 - box.y0) > deepest:
                    break
                end += 1
            yield lines[start:end]


def _union(lines: Sequence[Line]) -> Box:
    x0, y0, x1, y1 = zip(*(line.box for line in lines), strict=True)
    return Box(min(x0), min(y0), max(x1), max(y1))


def _area(box: Box) -> int:
    return (box.x1 - box.x0) * (box.y1 - box.y0)


def _share_inside(box: Box, other: Box) -> float:
    width, height = min(box.x1, other.x1) - max(box.x0, other.x0), min(box.y1, other.y1) - max(box.y0, other.y0)
    return max(0, width) * max(0, height) / max(1, _area(box))


def letters(sample: Sample) -> Weight:
    """Weighs a line by its letters: not the Latin ones in a text of another script."""
    foreign = sample.script != "Latn"
    return lambda line: sum(c.isalpha() and not (foreign and scripts.script(c) == "Latn") for c in line.text) / 1.0


def font_of_share(sample: Sample, share: float) -> Weight:
    """Weighs a line by its letters in the font whose share of the page's letters is nearest to `share`."""
    counts: Counter[str] = Counter()
    for line in lines_of(sample):
        counts[line.font] += sum(map(str.isalpha, line.text))
    total = max(1, counts.total())
    font = min(sorted(counts), key=lambda name: abs(counts[name] / total - share), default="")
    return lambda line: sum(map(str.isalpha, line.text)) * (line.font == font) / 1.0


def unseen(sample: Sample) -> Weight:
    """Weighs a line by its letters where the image shows hardly any ink."""
    image = _decode(sample.image)
    gray = image.convert("L") if image is not None else None

    def weigh(line: Line) -> float:
        if gray is None:
            return 0.0
        low, high = gray.crop(line.box).getextrema()
        return sum(map(str.isalpha, line.text)) * (int(high) - int(low) < 48) / 1.0  # type: ignore[arg-type]

    return weigh


def mixed_words(line: Line) -> float:
    """How many words of the line have letters of more than one script."""
    return float(sum(len({scripts.script(c) for c in word} - _COMMON) > 1 for word in _WORD.findall(line.text)))


def third_script(sample: Sample) -> Callable[[str], bool]:
    """Tells the characters of a script that is neither the page's nor Latin."""
    own = {sample.script, "Latn", *_COMMON} | (_HAN if sample.script in ("Hans", "Hant", "Jpan", "Kore", *_HAN) else set())
    return lambda c: scripts.script(c) not in own


def marked(lines: Sequence[Line], lang: str, tells: Callable[[str], bool] | None = None) -> str:
    """The lines as HTML, a paragraph each, in its own direction.

    What `tells` says yes to is marked; characters that don't show are written as their code points.
    """
    if not any(line.text for line in lines):
        return '<div class="said"><p class="note">The layer says nothing here.</p></div>'
    left, out = _MAX_CHARS, []
    for line in lines:
        text = line.text[:left]
        left -= len(text)
        direction = "rtl" if line.direction == "rtl" else "auto"
        more = "…" if len(text) < len(line.text) else ""
        out.append(f'<p dir="{direction}">{_visible(text, tells)}{more}</p>')
        if left <= 0:
            break
    down = sum(len(line.text) for line in lines if line.direction == "ttb") * 2 > sum(len(line.text) for line in lines)
    code = f' lang="{escape(lang)}"' if lang != "und" else ""
    return f'<div class="said{" down" if down else ""}"{code}>{"".join(out)}</div>'


def _visible(text: str, tells: Callable[[str], bool] | None) -> str:
    def kind(char: str) -> str:
        if char not in _JOINERS and unicodedata.category(char) in ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"):
            return "odd"
        return "mark" if char == "\ufffd" or (tells is not None and tells(char)) else ""

    out = []
    for name, group in groupby(text, kind):
        run = "".join(group)
        if name == "odd":
            out.append(f'<span class="odd">{" ".join(f"{ord(c):04X}" for c in run)}</span>')
        else:
            out.append(f"<mark>{escape(run)}</mark>" if name else escape(run))
    return "".join(out)


def picture(image: Image.Image | None, alt: str, max_bytes: int) -> str:
    """The image as an `img` element with its data, which take at most `max_bytes`; a note where that can't be had."""
    if image is None:
        return '<p class="note">There is no image.</p>'
    for side, quality in _SIZES:
        scale = min(1.0, side / image.width, side / image.height)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        small = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0) if scale < 1 else image
        file = io.BytesIO()
        small.save(file, "WEBP", quality=quality, method=4)
        data = base64.b64encode(file.getvalue()).decode()
        element = f'<img width="{size[0]}" height="{size[1]}" alt="{escape(alt)}" src="data:image/webp;base64,{data}">'
        if len(element.encode()) <= max_bytes:
            return element
    return '<p class="note">The image is too large to show.</p>'


def _decode(encoded: bytes | None, side: int = 0) -> Image.Image | None:
    """The image, of a JPEG at a scale that is still at least `side` pixels long; None where there is none."""
    try:
        with Image.open(io.BytesIO(encoded or b"")) as file:
            if side:
                file.draft("RGB", (side, side))
            return file.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
