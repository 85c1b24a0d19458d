"""The verdict on a page's text layer, by signals about its characters and its ink."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from datagen.engines import Engines
from datagen.markdown import all_text
from datagen.record import Drop, Sample
from datagen.work.pipeline import Stage
from datagen.writing import scripts

# Scripts whose letters are drawn in clusters. Their glyphs may be wider or narrower than they say, so gaps show spaces less well.
_CLUSTERS = frozenset(
    "Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Thai Laoo Tibt Mymr Khmr Lana Java Bali Cakm Gran Tavt Sund Limb".split()
)
_KINDS = frozenset({"form", "cover"})
# Burmese E is drawn before its consonant and coded behind it. An E behind a killed consonant, a tone or another vowel shows that
# a letter is missing. No vowel sign begins a word.
_STRANDED = re.compile(
    "(?:^|[\\s\u102b-\u1030\u1036-\u1038\u103a])\u1031"
    rf"|(?:^|\s)[{scripts.SIGNS_OF_LETTERS}]+(?=\w)"
)
# Thai AM in the place of AA, an error of some fonts: in the commonest prefix, and before a consonant that no letter follows,
# since AM ends its syllable. None of fifty correct pages has one.
_AM_FOR_AA = re.compile("\u0e01\u0e33\u0e23(?!\u0e32)|\u0e33[\u0e01-\u0e2e](?![\u0e01-\u0e4e])")
# One sign twice, or AM followed by AA, is enough: people looked at pages with one, and no page was right.
_TWICE = re.compile(rf"([{scripts.SIGNS_OF_LETTERS}])\1|\u0e33\u0e32")
_WORD = re.compile(rf"[^\s{scripts.PARTING}]+")  # not "\\w+", which stops at vowel signs


@dataclass(frozen=True)
class JudgeTextLayer(Stage):
    """Sets a page's verdict and reasons from its signals. A limit `max_…_share` is the largest share of the layer's characters
    that may be so; `max_image_share` is of the page, `max_mixed_word_share` of the words.

    `none`: the page has no text.
        `blank`, `picture_page` (images cover it), `no_text`
    `suspect`: the text may be wrong or incomplete.
        `unmapped_characters` (U+FFFD), `private_use`, `control_characters`, `silent_characters` (soft hyphens for letters)
        `glyphs_share_codes` (a Chinese font maps several glyphs to one character: see `shared_codes`)
        `text_in_annotations` (annotations have text, which the layer lacks)
        `hidden_text`, `picture_page` (an image covers the page: the text is a scan's hidden layer)
        `mixed_scripts` (a third script beside Latin and another one), `mixed_words` (letters of two scripts in one word, as in
        garbled clusters), `stranded_signs` (vowel signs stand where no consonant can have them: the layer lacks letters)
        `ink_disagrees` (fonts don't show what their text says, see `CompareInk`), `ink_unchecked` (too much text is in fonts that
        nobody could check)
        `spaces_unchecked` (the layer had no spaces and gaps showed them, in Arabic or a script of clusters, and no engine could
        read the page)
        `presentation_forms` (of Arabic) and `unknown_language` (there are enough letters, but the identifier knows no such
        language): only if the ink wasn't checked
        `incomplete` (the words in the text are right, but others are missing), together with `ink_without_text`,
        `formula_in_text`, or `few_unmapped` (U+FFFD or private characters, for a ligature or two)
    `trusted`: none of these reasons.
    A page with text may also have its kind as a reason, which changes no verdict: `form` (it has fields to fill in), `cover` (it
    is a first page with little text, in large type or on a picture).
    """

    version: ClassVar[int] = 10

    max_unmapped_share: float = 0.002
    max_private_use_share: float = 0.01
    max_control_share: float = 0.01
    max_presentation_share: float = 0.05
    max_silent_share: float = 0.003
    max_spaces_added_share: float = 0.01
    max_reader_error: float = 0.5
    max_math_chars: int = 2
    max_shared_codes_share: float = 0.002
    max_hidden_share: float = 0.05
    max_image_share: float = 0.8
    min_letters: int = 200
    min_lang_score: float = 0.3
    min_script_share: float = 0.8
    max_mixed_word_share: float = 0.005
    min_stranded: int = 3
    max_ink_lies_share: float = 0.02
    min_ink_checked_share: float = 0.8
    min_ink_recall: float = 0.97
    max_cover_chars: int = 300
    batch_size: int = 1

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for sample in batch:
            reasons = self.reasons(sample)
            verdict = "none" if not all_text(sample) else "suspect" if set(reasons) - _KINDS else "trusted"
            yield sample.with_quality(verdict, reasons)

    def reasons(self, sample: Sample) -> tuple[str, ...]:
        s, text = sample.quality.signals, all_text(sample)
        pictured = s.get("image_share", 0.0) >= self.max_image_share
        if not text:
            return ("picture_page" if pictured else "blank" if s.get("blank") else "no_text",)
        kinds = {
            "form": s.get("num_fields", 0) > 0,
            "cover": sample.origin.page == 0 and len(text) < self.max_cover_chars and (_is_big(sample) or pictured),
        }
        checked = s.get("ink_checked_share", 0.0) >= self.min_ink_checked_share
        readable = len(text) >= self.min_letters and "lang_score" in s
        doubts = {
            "unmapped_characters": s.get("unmapped_share", 0.0) > self.max_unmapped_share,
            "private_use": s.get("private_use_share", 0.0) > self.max_private_use_share,
            "control_characters": s.get("control_share", 0.0) > self.max_control_share,
            "presentation_forms": not checked and s.get("presentation_share", 0.0) > self.max_presentation_share,
            "silent_characters": s.get("silent_share", 0.0) > self.max_silent_share,
            "glyphs_share_codes": s.get("shared_codes_share", 0.0) > self.max_shared_codes_share,
            "text_in_annotations": s.get("num_notes", 0.0) > 0,
            "hidden_text": s.get("hidden_share", 0.0) > self.max_hidden_share,
            "picture_page": pictured,
            "unknown_language": readable and not checked and sample.lang == "und" and s["lang_score"] < self.min_lang_score,
            # On a page that is mostly Latin, `script_share` is Latin's alone, so the text must show a third script, too.
            "mixed_scripts": readable
            and s["script_share"] < self.min_script_share
            and scripts.third_script_share(text) > 1 - self.min_script_share,
            "mixed_words": readable and mixed_word_share(text) > self.max_mixed_word_share,
            "stranded_signs": sum(1 for _ in _STRANDED.finditer(text)) >= self.min_stranded
            or any(pattern.search(text) for pattern in (_AM_FOR_AA, _TWICE)),
            "ink_disagrees": s.get("ink_lies_share", 0.0) > self.max_ink_lies_share,
            "ink_unchecked": "ink_checked_share" in s and not checked,
            "spaces_unchecked": "ink_checked_share" in s
            and s.get("reader_error", 1.0) > self.max_reader_error
            and sample.script in _CLUSTERS | {"Arab"}
            and s.get("spaces_added_share", 0.0) > self.max_spaces_added_share,
            "ink_without_text": s.get("ink_recall", 1.0) < self.min_ink_recall,
        }
        doubts["formula_in_text"] = s.get("math_share", 0.0) * s.get("num_chars", 0.0) > self.max_math_chars
        doubts["few_unmapped"] = (
            0 < s.get("unmapped_share", 0.0) <= self.max_unmapped_share
            or 0 < s.get("private_use_share", 0.0) <= self.max_private_use_share
        )
        doubts["incomplete"] = doubts["ink_without_text"] or doubts["formula_in_text"] or doubts["few_unmapped"]
        return tuple(reason for reason, holds in (doubts | kinds).items() if holds)


def mixed_word_share(text: str) -> float:
    """The share of words with letters of two scripts that no language writes together. 0 if there are fewer than three of them.

    ASCII letters may stand in any word, as in names and units. A word with other Latin letters counts as a tenth of one, since
    some scripts borrow them.
    """
    if text.isascii():
        return 0.0
    scripts_of_words = [_scripts(word) for word in _WORD.findall(text) if not word.isascii()]
    mixed = sum(
        not scripts_of - {"Latn"} <= scripts.EAST_ASIAN for scripts_of in scripts_of_words if len(scripts_of - {"Latn"}) > 1
    )
    with_latin = sum("Latn" in scripts_of for scripts_of in scripts_of_words if len(scripts_of) == 2)
    return (mixed + with_latin / 10) / len(text.split()) if mixed + with_latin >= 3 else 0.0


def _is_big(sample: Sample) -> bool:
    """Whether a line of the page is higher than a fortieth of the page, as titles are."""
    return any(40 * (line.box.y1 - line.box.y0) > sample.size[1] for region in sample.regions for line in region.lines)


def _scripts(word: str) -> frozenset[str]:
    return frozenset(scripts.script(c) for c in word if not c.isascii()) - scripts.NO_SCRIPT
