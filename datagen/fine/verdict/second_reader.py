"""Who reads a page's lines a second time, and who once more."""

from collections import Counter
from collections.abc import Sequence

from datagen.coarse.answers import BY
from datagen.engines import Choice, packaged, ppocr, tesseract
from datagen.reading.line_readers import PPOCR, SCRIPT, TESSERACT, of_script
from datagen.record import Line, Sample

_PP_ALPHABET = 0.99


def second_reader(page: Sample, lines: Sequence[Line]) -> tuple[Choice | None, str]:
    """An engine that can read these lines and didn't, None for none, and the language to read in."""
    letters = Counter(c for line in lines for c in line.text if c.isalpha())
    if not letters:
        return None, ""
    readers = {region.by for region in page.regions}
    if PPOCR not in readers and ppocr.alphabet_share(letters) >= _PP_ALPHABET:
        return Choice(PPOCR), page.lang
    written = "zh-Hant" if page.script == "Hant" and page.lang.split("-")[0] in ("zh", "und") else page.lang
    lang = tesseract.second_language(written, page.script)
    if lang and TESSERACT not in readers:
        return Choice(TESSERACT), lang
    return (of_script(page.script), page.lang) if SCRIPT not in readers else (None, "")


def third_reader(by: str, second: Choice, script: str) -> Choice | None:
    """The script's reader that comes with the package, for lines that the engine `by` and the `second` reader read otherwise.
    None if it is one of these, if the file says what stands there, or if there is none."""
    is_one = by in (SCRIPT, BY) or second.name == SCRIPT
    return None if is_one or script not in packaged.available() else Choice.of(SCRIPT, script=script)
