"""The meaning of each reason of doubt, and the lines and characters of a page that show it."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from datagen.labelling import reasons as label_reasons
from datagen.page.boxes import area, around, shared
from datagen.record import Box, Line, Sample
from datagen.word import reasons as word_reasons
from datagen.writing import scripts
from recipes.report.pictures import decode

# Limits for one page, which may be hostile.
_MAX_REASONS, _MAX_LINES_READ, _MAX_WINDOW, _MAX_LINES, _MAX_CHARS = 12, 2_000, 4, 12, 1_200
_PAD = 5
_INVISIBLE = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
_MATH = re.compile(f"[{scripts.MATH}]")
_ARABIC_FORM = re.compile(f"[{scripts.ARABIC_FORMS}]")
_WORD = re.compile(r"[^\W\d_]+")

Weight = Callable[[Line], float]
IsTelling = Callable[[str], bool]


@dataclass(frozen=True)
class Reason:
    """What a reason means, its signals, and its place on a page: the whole page, or the lines with the most characters that
    `is_telling` accepts, or the lines with the largest weight. By default a line's weight is its number of letters."""

    sentence: str
    signals: tuple[str, ...] = ()
    is_whole: bool = False
    is_telling: Callable[[Sample], IsTelling] | None = None
    weight: Callable[[Sample], Weight] | None = None


def letters(sample: Sample) -> Weight:
    """Weighs a line by its letters. Latin ones don't count in a text of another script."""
    is_foreign = sample.script != "Latn"
    return lambda line: float(sum(c.isalpha() and not (is_foreign and scripts.script(c) == "Latn") for c in line.text))


def font_of_share(sample: Sample, share: float) -> Weight:
    """Weighs a line by its letters in the font whose share of the page's letters is nearest to `share`."""
    counts: Counter[str] = Counter()
    for line in lines_of(sample):
        counts[line.font] += sum(map(str.isalpha, line.text))
    total = max(1, counts.total())
    font = min(sorted(counts), key=lambda name: abs(counts[name] / total - share), default="")
    return lambda line: float(sum(map(str.isalpha, line.text)) * (line.font == font))


def unseen(sample: Sample) -> Weight:
    """Weighs a line by its letters if the image shows hardly any ink there."""
    image = decode(sample.image)
    gray = image.convert("L") if image is not None else None

    def weigh(line: Line) -> float:
        if gray is None:
            return 0.0
        low, high = gray.crop(line.box).getextrema()
        return float(sum(map(str.isalpha, line.text)) * (int(high) - int(low) < 48))  # type: ignore[arg-type]

    return weigh


def mixed_words(line: Line) -> float:
    """The number of the line's words with letters of more than one script."""
    return float(sum(len({scripts.script(c) for c in word} - scripts.NO_SCRIPT) > 1 for word in _WORD.findall(line.text)))


def third_script(sample: Sample) -> IsTelling:
    """Accepts the characters of a script that is neither the page's nor Latin."""
    own = {sample.script, "Latn", *scripts.NO_SCRIPT}
    if sample.script in ("Hans", "Hant", "Jpan", "Kore", *scripts.EAST_ASIAN):
        own |= scripts.EAST_ASIAN
    return lambda c: scripts.script(c) not in own


def _category(name: str) -> Callable[[Sample], IsTelling]:
    return lambda _: lambda c: unicodedata.category(c) == name


def _is_math(c: str) -> bool:
    return unicodedata.category(c) == "Sm" or _MATH.match(c) is not None


def _is_arabic_shape(c: str) -> bool:
    return _ARABIC_FORM.match(c) is not None


def _is_unmapped(c: str) -> bool:
    return c == "\ufffd" or unicodedata.category(c) == "Co"


class _Reasons(dict[str, Reason]):
    """By name; a reason outside of the table has no sentence."""

    def __missing__(self, name: str) -> Reason:
        return Reason("")


REASONS = _Reasons(
    ink_disagrees=Reason(
        "The text of some fonts isn’t what they show: copied or extracted, it reads as other letters.",
        (
            *("ink_lies_share", "lies_by_lineup", "lies_by_reader", "lies_by_words", "lies_by_letters"),
            *("ink_checked_share", "lineup_margin", "reader_error"),
        ),
        weight=lambda sample: font_of_share(sample, sample.quality.signals.get("ink_lies_share", 1.0)),
    ),
    ink_unchecked=Reason(
        "Much of the page is in fonts that could not be checked: nobody knows whether their text is what they show.",
        ("ink_checked_share", "lineup_margin", "reader_error"),
        weight=lambda sample: font_of_share(sample, 1.0 - sample.quality.signals.get("ink_checked_share", 0.0)),
    ),
    spaces_unchecked=Reason(
        "The text lacked spaces, and gaps were taken for them. No engine here reads the script to check that.",
        ("spaces_added_share",),
    ),
    ink_without_text=Reason(
        "The page shows writing that no text lies over.", ("ink_recall", "uncovered_ink", "image_share"), is_whole=True
    ),
    incomplete=Reason(
        "The text that is there is right, but the page shows more than it.",
        ("ink_recall", "uncovered_ink", "coverage"),
        is_whole=True,
    ),
    formula_in_text=Reason(
        "The page has formulas. The order and levels of their signs are lost in its text.",
        ("math_share",),
        is_telling=lambda _: _is_math,
    ),
    regions_overlap=Reason("Lines of one region lie in the box of another one.", ("overlap_share",)),
    readings_differ=Reason("The second reader has other signs in many of the lines.", ("unlike_share", "unlike_regions_share")),
    tables_unchecked=Reason("An engine read a table, and nothing checks its cells."),
    readers_disagree=Reason("Two readers read the page’s lines differently.", ("agreement", "formula_agreement")),
    layout_failed=Reason("The layout engine couldn’t take the page. Its lines are in order by where they lie."),
    structure_in_doubt=Reason("The network that labels lines isn’t sure of regions, labels or order.", ("structure_score",)),
    uncalibrated=Reason("A risk was asked for, and too few pages like this were judged to show that it holds."),
    tables_as_text=Reason("A table that no engine could read is text, row by row.", ("tables_as_text",)),
    text_in_pictures=Reason("Much of what was read lies in what the layout takes for pictures.", ("pictured_share",)),
    reading_unchecked=Reason("An engine read the page, and no second one here knows its script."),
    unread_regions=Reason("The page has regions that nobody here reads, such as formulas, or in doubt.", ("unread_share",)),
    unmapped_characters=Reason(
        "The file doesn’t say which characters some of its glyphs are.", ("unmapped_share",), is_telling=lambda _: _is_unmapped
    ),
    few_unmapped=Reason(
        "The file doesn’t say which characters a few of its glyphs are. Lines without these are good.",
        ("unmapped_share", "private_use_share"),
        is_telling=lambda _: _is_unmapped,
    ),
    private_use=Reason(
        "Some characters are private ones, which mean nothing outside their font.",
        ("private_use_share",),
        is_telling=_category("Co"),
    ),
    control_characters=Reason(
        "Control characters stand where letters should be.", ("control_share",), is_telling=_category("Cc")
    ),
    silent_characters=Reason("Soft hyphens stand where the page shows letters: the text lacks these letters.", ("silent_share",)),
    presentation_forms=Reason(
        "The text has the shapes of Arabic letters in place of the letters.",
        ("presentation_share",),
        is_telling=lambda _: _is_arabic_shape,
    ),
    hidden_text=Reason("Some of the text isn’t visible on the page.", ("hidden_share",), weight=unseen),
    mixed_scripts=Reason(
        "The letters that aren’t Latin are of more than one script.", ("script_share", "lang_score"), is_telling=third_script
    ),
    mixed_words=Reason(
        "Some words have letters of two scripts that aren’t written together, as garbled text has.",
        ("script_share", "lang_score"),
        weight=lambda _: mixed_words,
    ),
    glyphs_share_codes=Reason("For several glyphs of a font, the file says one character.", ("shared_codes_share",)),
    text_in_annotations=Reason("Somebody wrote on the page. The text hasn’t what they wrote.", ("num_notes",)),
    stranded_signs=Reason("Vowel signs stand without their consonants: the text lacks letters that the page shows."),
    unknown_language=Reason(
        "The page has letters enough to name its language, but the identifier doesn’t know it.", ("lang_score", "script_share")
    ),
    picture_page=Reason(
        "Images cover the page. Any text lies under or over a picture, as a scan’s hidden layer does.",
        ("image_share",),
        is_whole=True,
    ),
    blank=Reason("The page has one colour and no text.", ("uncovered_ink",), is_whole=True),
    no_text=Reason("The page shows something, but the file has no text for it.", ("image_share", "uncovered_ink"), is_whole=True),
    formula_unlike=Reason("LibreOffice drew a formula of the page otherwise than the file has it."),
    form=Reason("The page has fields to fill in.", ("num_fields",), is_whole=True),
    unscored_reading=Reason("The reader of the lines doesn’t say how sure it is of them.", ("num_lines",)),
    unsure_reading=Reason("The reader of the lines is not sure of them.", ("reading_score",)),
    odd_words=Reason("Of the Latin words that were read, many are in no language.", ("odd_words",)),
    order_in_doubt=Reason("The lines were read neither in the order of a page nor row by row.", ("order_agreement",)),
    readings_disagree=Reason("The picture reads differently at two sizes.", ("agreement", "agreed_share")),
    cover=Reason("A document’s first page, with little on it.", is_whole=True),
)
REASONS |= {name: Reason(*told, is_whole=True) for name, told in label_reasons.DOUBTS.items()}
DROPS = (
    word_reasons.REASONS
    | label_reasons.FATES
    | {
        "chart_too_crowded": "The chart’s texts lie over each other, or leave the picture, however it is laid out.",
        "no_typeface": "No typeface of this machine has the language’s letters.",
        "smiles_unreadable": "The line of the list is no SMILES.",
        "molecule_size": "The molecule has no atoms, or more than can be read in a picture.",
        "not_drawn": "RDKit couldn’t draw the molecule.",
        "not_read_back": "The molecule that the picture shows isn’t that of the label.",
        "poor_text": "The text repeats itself, is mostly symbols or numbers, or is too short: the detail says which.",
        "no_text_column": "The file has no column that is known to hold the text.",
        "bad_row": "The row is damaged, or doesn’t name its picture: the detail says which.",
        "broken_file": "The file is damaged there.",
        "not_utf8": "The text is in neither UTF-8 nor UTF-16.",
        "no_text": "The row has no text, or nothing is written on the picture; some such pictures stay, to be learned from.",
        "low_information": "There are next to no letters: the detail says how many.",
        "unread_text": "Text was found on the picture, and nobody here can read it well enough.",
        "little_text": "What can be read covers next to nothing of the picture.",
        "document": "The picture is a photographed document or a screen full of text: the recipe fine reads it with its layout.",
        "text_in_photographs": "There is text in each photograph that signs could be drawn on.",
        "much_text": "Text covers more of the picture than was asked for.",
        "language_share": "There are more pictures in this language than were asked for.",
        "opted_out": "The list says that the picture’s owner doesn’t want it to be trained on.",
        "unsafe": "The list takes the picture for unsafe.",
        "nsfw": "The list’s word for how safe the picture is wasn’t among those asked for.",
        "watermark": "The list takes the picture for watermarked, and such pictures were not wanted.",
        "dissimilar_caption": "The picture is less like its caption than was asked for.",
        "licence": "The picture’s licence wasn’t among those asked for.",
        "language": "The language of the picture’s caption wasn’t among those asked for.",
        **dict.fromkeys(
            (
                "unknown_punsafe",
                "unknown_pwatermark",
                "unknown_similarity",
                "unknown_nsfw",
                "unknown_licence",
                "unknown_language",
            ),
            "A filter needs to know it, and the list doesn’t say it of the picture.",
        ),
        **dict.fromkeys(
            ("not_downloaded", "timed_out", "no_such_host", "private_address", "wrong_hash", "failed_to_resize"),
            "img2dataset has no picture for the row: the detail is what it says.",
        ),
        "broken_table": "The table is damaged, or none: the detail says where.",
        "bad_metadata": "The JSON beside the picture is damaged.",
        "no_image": "The list has a row for the picture, and there is no picture.",
        "not_in_list": "The picture is in no list of those that lie beside it.",
        "nothing_legible": "No sign that people could read fits on the photograph as chance had it.",
        "no_caption": "Nobody says what is on the picture.",
        "short_caption": "The picture’s caption has next to no letters.",
        "long_caption": "The picture’s caption is longer than one is.",
        "no_description": "Nobody asks for a description in the conversation: the detail is what was asked first.",
        "not_described": "The file names the picture, and has neither a caption nor an object of it.",
        "several_images": "The row has several pictures, or the conversation is about several.",
        "another_size": "The picture has another shape than it had when its objects were marked.",
        "ambiguous_image": "Several pictures have the name, and nothing says which is meant.",
        "ambiguous_id": "Several pictures of the file have one id, so that nobody can say which of them was described.",
        "broken_json": "The file is damaged, or no JSON.",
        "broken_row": "The line is damaged, or no JSON.",
        "captioner_refused": "The captioner doesn’t take the picture: the detail is what it says.",
        "captioner_empty_answer": "The captioner says nothing about the picture.",
        "captioner_too_long": "The captioner came to no end.",
        "captioner_timeout": "The captioner took too long, each time that it was asked.",
        "captioner_garbled": "The captioner’s answer isn’t of the form of OpenAI’s chat completions.",
        "captioner_unreachable": "The captioner couldn’t be reached, each time that it was asked.",
        "captioner_busy": "The captioner had no time, however often it was asked.",
        "nothing_seen": "None of the cut-outs stands out from the photograph where chance put them.",
        "no_figure": "No figure had room on the page.",
        "degenerate_figure": "The figure’s points or lines fell together, whatever numbers were drawn.",
    }
)
"""Sentences for reasons of drops, by name, of Word documents, figures, texts and pictures; other drops have details."""


def doubts(sample: Sample) -> list[dict[str, Any]]:
    """A page's reasons for the viewer: the sentence, the signals, and an excerpt unless the whole page shows it."""
    return [_doubt(sample, name) for name in sample.quality.reasons[:_MAX_REASONS]]


def _doubt(sample: Sample, name: str) -> dict[str, Any]:
    reason, signals = REASONS[name], sample.quality.signals
    # A reason outside of the table shows a few signals of any kind.
    wanted = [key for key in reason.signals if key in signals] if reason.sentence else list(signals)[:5]
    doubt: dict[str, Any] = {
        "reason": name,
        "sentence": reason.sentence,
        "signals": [[key, number(signals[key])] for key in wanted],
    }
    doubt |= {"whole": reason.is_whole, "gone": False, "box": None, "lines": [], "cut": False}
    if reason.is_whole:
        return doubt
    is_telling = reason.is_telling(sample) if reason.is_telling else None
    box, lines = excerpt(sample, _weight(sample, reason, is_telling))
    runs, left = [], _MAX_CHARS
    for line in lines[:_MAX_LINES]:
        runs.append({"dir": line.direction, "runs": marked(line.text[:left], is_telling)})
        left -= len(line.text[:left])
    is_cut = len(lines) > _MAX_LINES or sum(len(line.text) for line in lines) > _MAX_CHARS
    is_gone = is_telling is not None and not any(map(is_telling, sample.text))
    return doubt | {"gone": is_gone, "box": box, "lines": [line for line in runs if line["runs"]], "cut": is_cut}


def _weight(sample: Sample, reason: Reason, is_telling: IsTelling | None) -> Weight:
    """The weight of a line. Its letters break ties, and decide if the signals' characters are in no line."""
    by_letters = letters(sample)
    if is_telling is not None:
        return lambda line: 1000.0 * sum(map(is_telling, line.text)) + by_letters(line)
    if reason.weight is None:
        return by_letters
    weigh = reason.weight(sample)
    return lambda line: 1000.0 * weigh(line) + by_letters(line)


def excerpt(sample: Sample, weigh: Weight) -> tuple[Box | None, tuple[Line, ...]]:
    """A box around the few lines with the largest weight, near the page's middle if there is a choice, and the lines in it.
    Without lines on the page there is no box, and the text is one line."""
    weigh = cache(weigh)  # a line is in up to `_MAX_WINDOW` windows
    windows = [(sum(map(weigh, lines)), around(line.box for line in lines)) for lines in _windows(sample)]
    if not windows:
        return None, lines_of(sample)
    most = max(weight for weight, _ in windows)
    width, height = sample.size

    def distance(box: Box) -> float:
        return math.hypot((box.x0 + box.x1) / 2 / width - 0.5, (box.y0 + box.y1) / 2 / height - 0.5)

    box = min((box for weight, box in windows if weight >= 0.7 * most), key=distance)
    # Other lines there are shown, too: people should see text that the layer has twice, or between the lines.
    inside = tuple(line for line in lines_of(sample) if shared(line.box, box) > 0.5 * area(line.box))
    return Box(max(0, box.x0 - _PAD), max(0, box.y0 - _PAD), min(width, box.x1 + _PAD), min(height, box.y1 + _PAD)), inside


def lines_of(sample: Sample) -> tuple[Line, ...]:
    """The page's lines. A region without lines counts as one, and so does a sample without regions."""
    lines = [line for lines in _lines_by_region(sample) for line in lines]
    if not lines and sample.text:
        return (Line(Box(0, 0, *sample.size), sample.text),)
    return tuple(lines[:_MAX_LINES_READ])


def _lines_by_region(sample: Sample) -> Iterator[Sequence[Line]]:
    for region in sample.regions[:_MAX_LINES_READ]:
        yield region.lines[:_MAX_LINES_READ] or ((Line(region.box, region.text),) if region.text else ())


def _windows(sample: Sample) -> Iterator[Sequence[Line]]:
    """Neighbouring lines of a region that fill their common box, so that a cut shows little else."""
    deepest = 0.25 * max(sample.size)
    num_read = 0
    for lines in _lines_by_region(sample):
        for start in range(len(lines)):
            if (num_read := num_read + 1) > _MAX_LINES_READ:
                return
            end = start + 1
            while end < len(lines) and end - start < _MAX_WINDOW:
                box = around(line.box for line in lines[start : end + 1])
                filled = sum(area(line.box) for line in lines[start : end + 1])
                if area(box) > 2.5 * filled or min(box.x1 - box.x0, box.y1 - box.y0) > deepest:
                    break
                end += 1
            yield lines[start:end]


def marked(text: str, is_telling: IsTelling | None) -> list[tuple[str, str]]:
    """The text as runs, each with its kind: "mark" is a reason's part, "odd" the code points of invisible characters."""

    def kind(char: str) -> str:
        if char not in scripts.JOINERS and unicodedata.category(char) in _INVISIBLE:
            return "odd"
        return "mark" if _is_unmapped(char) or (is_telling is not None and is_telling(char)) else ""

    runs = [(name, "".join(group)) for name, group in groupby(text, kind)]
    return [(name, " ".join(f"{ord(c):04X}" for c in run) if name == "odd" else run) for name, run in runs]


def number(value: float) -> float | str:
    """`value` to three decimals; a word if JSON has no such number."""
    return round(float(value), 3) if math.isfinite(value) else str(value)
