"""How often the language of a page is told, told wrong, or left at `und`, over pages that the pipeline reads from PDFs.

    python -m tests.bench.coarse.language [--every 1] [--pairs 60] [--pages 4]

Typeset: the Universal Declaration in every language that a font is here for, each on a page. The identifier
was trained on Wikipedia, Tatoeba and SETimes (fasttext.cc/docs/en/language-identification.html). Article 1, which Wikipedia's
articles on languages quote, is left out. Languages that it has no label for, or not in that script, are counted apart: there
`und` is right. By others: Debian's documents, whose languages their file names declare; what they leave in English counts as
wrong. Nowhere is the identifier told what was declared. `--every` takes every Nth text only; `--pages` are of each document.
"""

import itertools
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from datagen.coarse.source import PdfSource
from datagen.drawing.typeset import Style
from datagen.engines import OPEN, langid
from datagen.inputs.items import Item
from datagen.reading.language import IdentifyLanguage, identify_regions
from datagen.record import Sample
from datagen.samples import declarations
from datagen.samples.documents import DebianSamples
from datagen.writing.scripts import main_script
from tests.bench.measuring import options
from tests.inputs.typeset import typeset

# Tags of the texts as the identifier has them: members of a language that has a label, and other spellings.
_LABELS = {"als": "sq", "zlm": "ms", "bik": "bcl", "lah": "pnb", "bho": "bh"} | dict.fromkeys("cjy gan hak hsn nan".split(), "zh")
_MISNAMED = ("ckb",)  # holds the Kurmanji text
_PAGE, _DENSE = Style(), Style(size_pt=9)
_REGION_LETTERS = (60, 200)
_LONG_SIDE = 512  # the text doesn't hang on it
_SEED = 0


@dataclass(frozen=True)
class Text:
    """`label` is what the identifier should say, "" where it can't know the language in this script."""

    lang: str
    script: str
    label: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Identification:
    """What the identifier says, `answer`, of something in the language `lang`; `truth` is "" where it can't know it."""

    lang: str
    script: str
    truth: str
    answer: str

    @property
    def outcome(self) -> str:
        return "right" if self.answer == self.truth else "und" if self.answer == "und" else "wrong"


def texts() -> list[Text]:
    """The declarations whose language is certain, without their first third, in which Article 1 stands."""
    certain = []
    for code in declarations.codes():
        declaration = declarations.declaration(code)
        if not code[:3].isalpha() or code in _MISNAMED or declaration.lang == "und":
            continue
        paragraphs = declaration.paragraphs[len(declaration.paragraphs) // 3 :]
        script, _ = main_script("\n".join(paragraphs))
        label = _label(declaration.lang)
        known = label in langid.labels() and script in langid.SCRIPTS and langid.writes(label, script)
        certain.append(Text(declaration.lang, script, label if known else "", paragraphs))
    return certain


def _label(lang: str) -> str:
    base = lang.split("-")[0]
    return _LABELS.get(base, base)


def read(pdf: bytes, folder: str) -> Sample:
    """The only page of a PDF."""
    path = Path(folder) / "page.pdf"
    path.write_bytes(pdf)
    (page,) = identified(Item(str(path)), PdfSource(long_side=_LONG_SIDE))
    return page


def identified(document: Item, source: PdfSource) -> Iterator[Sample]:
    """The document's pages after the stage that is measured."""
    for page in source.read(replace(document, lang="")):
        if isinstance(page, Sample):
            yield from (outcome for outcome in IdentifyLanguage()([page], OPEN) if isinstance(outcome, Sample))


def shares(page: Sample) -> set[str]:
    names = page.quality.signals
    return {_label(name.removeprefix("lang_share_")) for name in names if name.startswith("lang_share_")}


def measure_typeset(chosen: Sequence[Text], folder: str) -> list[Text]:
    """Prints the figures of typeset text; returns the texts whose page was told right."""
    page_told: list[Identification] = []
    region_told: list[Identification] = []
    right: list[Text] = []
    num_unset = num_mixed = 0
    for text in chosen:
        try:
            page = read(typeset(text.paragraphs, text.lang, _PAGE, max_pages=1).pdf, folder)
        except ValueError:
            num_unset += 1
            continue
        page_told.append(Identification(_label(text.lang), text.script, text.label, _label(page.lang)))
        region_told += _regions(page, text)
        num_mixed += bool(shares(page))
        if page_told[-1].outcome == "right":
            right.append(text)
    print(f"{len(page_told)} texts of the Universal Declaration typeset, {num_unset} without a font; read by PdfSource")
    _print_identifications("page", page_told)
    _print_identifications("paragraph of 60 to 200 letters, on its page", region_told)
    _print_confusions([t for t in page_told if t.truth])
    print(f"  pages of one language in which two are told: {num_mixed} of {len(page_told)}")
    return right


def _regions(page: Sample, text: Text) -> list[Identification]:
    low, high = _REGION_LETTERS
    return [
        Identification(_label(text.lang), text.script, text.label, _label(language.lang))
        for region, language in zip(page.regions, identify_regions(page), strict=True)
        if low <= _letters(region.text) < high
    ]


def measure_bilingual(known: Sequence[Text], num_pairs: int, folder: str) -> None:
    """Pages in two languages, about three letters to two, one below the other or paragraph by paragraph."""
    rng = random.Random(_SEED)
    for name in ("one below the other", "in turn"):
        num_both = 0
        page_languages: Counter[str] = Counter()
        for _ in range(num_pairs):
            a, b = rng.sample(known, 2)
            while a.label == b.label:
                a, b = rng.sample(known, 2)
            first, second = _cut(a.paragraphs, 900), _cut(b.paragraphs, 600)
            pairs = itertools.zip_longest(first, second, fillvalue="")
            parts = [*first, *second] if name != "in turn" else list(itertools.chain.from_iterable(pairs))
            page = read(typeset(parts, style=_DENSE, max_pages=1).pdf, folder)
            num_both += shares(page) == {a.label, b.label}
            larger, smaller = (a, b) if sum(map(_letters, first)) >= sum(map(_letters, second)) else (b, a)
            which = {larger.label: "the larger", smaller.label: "the smaller"}.get(_label(page.lang), "und or another")
            page_languages[which] += 1
        print(
            f"bilingual pages, {name}: {num_pairs}; both languages told and no third: {num_both}; the page's language:", end=" "
        )
        print(", ".join(f"{which} {n}" for which, n in page_languages.most_common()))


def _cut(paragraphs: Sequence[str], letters: int) -> list[str]:
    """Paragraphs, without headings, until there are so many letters."""
    cut: list[str] = []
    for paragraph in (p for p in paragraphs if _letters(p) >= _REGION_LETTERS[0] / 3):
        if sum(map(_letters, cut)) >= letters:
            break
        cut.append(paragraph)
    return cut


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def measure_documents(pages: int) -> None:
    of_pages: list[Identification] = []
    by_document: list[Identification] = []
    for document in DebianSamples().items():
        truth = _label(document.lang)
        if truth not in langid.labels():
            truth = ""
        samples = [s for s in identified(document, PdfSource(long_side=_LONG_SIDE, max_pages=pages)) if len(s.text) >= 200]
        of_document = [Identification(_label(document.lang), sample.script, truth, _label(sample.lang)) for sample in samples]
        of_pages += of_document
        if of_document:
            most, _ = Counter(t.answer for t in of_document).most_common(1)[0]
            by_document.append(replace(of_document[0], answer=most))
    languages = {t.lang for t in of_pages}
    print(f"Debian's documents, at most {pages} pages each of 200 characters or more, {len(languages)} languages")
    _print_identifications("page", of_pages)
    _print_identifications("document, by most of its pages", by_document)
    _print_confusions([t for t in of_pages if t.truth])


def _print_identifications(what: str, told: Sequence[Identification]) -> None:
    known = [t for t in told if t.truth]
    outcomes = Counter(t.outcome for t in known)
    by_language: dict[str, list[bool]] = defaultdict(list)
    for t in known:
        by_language[t.truth].append(t.outcome == "right")
    most = sum(2 * sum(rights) > len(rights) for rights in by_language.values())
    num_answered = outcomes["right"] + outcomes["wrong"]
    print(f"  {what}: {len(known)} in {len(by_language)} languages ({most} mostly right): {_outcomes(outcomes)};", end=" ")
    print(f"{outcomes['right'] / max(1, num_answered):.1%} of what is said is right")
    outside = [t for t in told if not t.truth]
    if outside:
        und = sum(t.answer == "und" for t in outside)
        print(f"    outside the identifier: {len(outside)} in {len({t.lang for t in outside})} languages:", end=" ")
        print(f"und {und} ({und / len(outside):.1%}), called something else {len(outside) - und}")


def _outcomes(outcomes: Counter[str]) -> str:
    total = max(1, outcomes.total())
    return ", ".join(f"{name} {outcomes[name]} ({outcomes[name] / total:.1%})" for name in ("right", "wrong", "und"))


def _print_confusions(told: Sequence[Identification]) -> None:
    wrong = Counter((t.truth, t.answer) for t in told if t.outcome == "wrong")
    print("  wrong:", ", ".join(f"{truth} called {answer} {n}" for (truth, answer), n in wrong.most_common()) or "none")
    und = Counter(t.truth for t in told if t.outcome == "und")
    print("  und:", ", ".join(f"{lang} {n}" for lang, n in und.most_common()) or "none")


def main() -> None:
    args = options(__doc__, every=1, pairs=60, pages=4).parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pagewheel-language-") as folder:
        known = measure_typeset(texts()[:: args.every], folder)
        measure_bilingual(known, args.pairs, folder)
    measure_documents(args.pages)
    print(f"measured in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
