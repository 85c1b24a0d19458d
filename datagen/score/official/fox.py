"""Fox's page OCR by its own rules (`eval_tools/eval_ocr_test.py` at `COMMIT` of github.com/ucaslcl/Fox), and corrected.

Words are what stands between spaces, or what jieba cuts where the truth or the answer has Chinese; precision, recall and F are of
*sets* of words, and edits are of all characters over the longer text's length. Its code hands over truth and answer the wrong way
round, so that what it calls precision is recall; F and edits don't care. BLEU and METEOR aren't computed here.

Corrected: the arguments the right way round, words as often as they stand there, and a page without an answer is all wrong.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rapidfuzz.distance import Levenshtein

from datagen.score.official.report import Excluded, Report, paired
from datagen.score.pages import PredictedPage

COMMIT = "82f720ce7a00c422f1afead18f2a3cc791dc3f14"

_FILES = ("en_page_ocr.json", "cn_page_ocr.json")
_CHINESE = re.compile("[\u4e00-\u9fa5]")
_WHAT = {
    "edit": "edits over the longer text; less is better",
    "precision": "share of words that are right; more is better",
    "recall": "share of words that were read; more is better",
    "f1": "of both; more is better",
}
_DIFFERS = (
    "official: precision and recall are exchanged, words are a set, pages without an answer are left out; corrected: precision "
    "is of the answer's words, each as often as it stands there, and pages without an answer are all wrong"
)


def words(truth: str, answer: str) -> tuple[list[str], list[str]]:
    """Both texts in words. Raises `ValueError` where they have Chinese and jieba isn't there."""
    if not (_CHINESE.search(truth) or _CHINESE.search(answer)):
        return truth.split(), answer.split()
    try:
        import jieba  # type: ignore[import-not-found]
    except ImportError:
        raise ValueError("Fox's Chinese pages are cut into words by jieba, which isn't installed: pip install jieba") from None
    jieba.setLogLevel(60)  # it says on every start that it builds its dictionary
    return jieba.lcut(truth), jieba.lcut(answer)


def official(truth: str, answer: str) -> dict[str, float | None]:
    """The figures of a page as Fox's code has them; None, as there, where a set is empty. Raises `ZeroDivisionError`, as there,
    if both texts are empty."""
    true, read_words = map(set, words(truth, answer))
    common = len(true & read_words)
    # The wrong way round: the answer is taken for the truth.
    precision = common / len(true) if true else None
    recall = common / len(read_words) if read_words else None
    f1 = None
    if precision is not None and recall is not None:
        f1 = 1.0 / (0.5 / precision + 0.5 / recall) if precision and recall else 0.0
    edit = Levenshtein.distance(truth, answer) / max(len(truth), len(answer))
    return {"edit": edit, "precision": precision, "recall": recall, "f1": f1}


def corrected(truth: str, answer: str) -> dict[str, float]:
    """The figures of a page with words as often as they stand there; all wrong where there is no answer."""
    true, read_words = map(Counter, words(truth, answer))
    common = (true & read_words).total()
    precision, recall = common / max(1, read_words.total()), common / max(1, true.total())
    f1 = 2 * precision * recall / (precision + recall) if common else 0.0
    edit = Levenshtein.normalized_distance(truth, answer)
    return {"edit": edit, "precision": precision, "recall": recall, "f1": f1}


class FoxPage(NamedTuple):
    """A page of page OCR: where its image lies, and what it says."""

    image: Path
    text: str


def read(folder: str, names: Sequence[str] = _FILES, word: str = "gt") -> list[FoxPage]:
    """The pages of the files `names`, of Fox as it is downloaded, in or below a folder. Raises `ValueError`, one sentence that
    begins with the `word` that names the folder, for another one."""
    where = f"{word}=fox:{folder}"
    files = [file for name in names for file in sorted(Path(folder).expanduser().rglob(name))]
    if not files:
        raise ValueError(f"{where}: the folder focus_benchmark_test with {' or '.join(names)} is needed; it isn't there")
    pages = []
    for file in files:
        images = file.parent / f"{file.name.partition('_')[0]}_pdf_png"
        try:
            for entry in json.loads(file.read_bytes()):
                texts = [turn["value"] for turn in entry["conversations"] if turn["from"] != "human"]
                pages.append(FoxPage(images / Path(entry["image"]).name, str(texts[0])))
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise ValueError(f"{where}: {file.name} isn't as Fox writes it ({type(error).__name__}: {error})") from None
    if not pages:
        raise ValueError(f"{where}: {' and '.join(file.name for file in files)} have no page")
    return pages


def images(folder: str, word: str) -> list[Path]:
    """Where the pages' images lie. Raises `ValueError` as `read` does."""
    return [page.image for page in read(folder, word=word)]


def report(folder: str, predicted: Sequence[PredictedPage], excluded: Excluded) -> Report:
    """Raises `ValueError`, one sentence, where `folder` isn't Fox, no prediction is of a page of it, or jieba is needed."""
    pages = [(page.image.name, page.text) for page in read(folder)]
    chosen, unused = paired([(Path(image).stem, image) for image, _ in pages], predicted, Path(pages[0][0]).stem)
    of_pages: list[dict[str, Any]] = []
    for (image, truth), prediction in zip(pages, chosen, strict=True):
        answer = prediction.markdown if prediction else ""
        by_rules = official(truth, answer) if prediction and (truth or answer) else None
        figures = None if image in excluded else corrected(truth, answer)
        of_pages.append({"page": image, "official": by_rules, "corrected": figures})
    notes = []
    empty = [one["page"] for one in of_pages if one["official"] and None in one["official"].values()]
    if empty:
        notes.append(
            f"the official code stops where an answer or a truth has no word: {len(empty)} pages, left out of its figures"
        )
    rows = []
    for name, what in _WHAT.items():
        sides = []
        for side in ("official", "corrected"):
            values = [one[side][name] for one in of_pages if one[side] and None not in one[side].values()]
            sides.append(sum(values) / len(values) if values else None)
        rows.append((name, sides[0], sides[1], what))
    missing = tuple(image for (image, _), prediction in zip(pages, chosen, strict=True) if prediction is None)
    return Report(
        f"Fox, page OCR, {len(pages)} pages, rules of {COMMIT[:7]}",
        tuple(rows),
        _DIFFERS,
        tuple(notes),
        missing,
        unused,
        tuple(of_pages),
    )
