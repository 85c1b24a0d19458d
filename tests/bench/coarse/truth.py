"""How far a verdict on a text layer can be trusted: documents whose text is known, good and damaged, through the coarse recipe.

    python -m tests.bench.coarse.truth [--scripts Deva Latn] [--damages permuted] [--families 3] [--pages 4] [--each 7] [--seed 0]
                                [--held-out] [--workers 2]

The Universal Declaration of Human Rights is typeset in many scripts and typefaces, a typeface a document, and damaged in the ways
of `tests/inputs/damage.py`: `--each` of them a typeface, in turn (0: all), so that a few typefaces of a script cover them. A page
is true if its text differs from the typeset one in at most `truth_tables.MAX_ERROR` of the characters, whatever was done to it: a
damage that extraction repairs is none. A document is damaged if more than half of its pages aren't true, and falsely trusted if
more than half of its pages are trusted and not true. What is wrong in an undamaged document, by its typesetter or in extraction,
counts for nothing.

The rules were set while looking at seed 0. Another seed sets other typefaces in other sizes, and gives a typeface other damages;
`--held-out` takes other languages, where a script has others.

Held-out seeds 7 and 8 were kept for the rules that read unmapped glyphs and weigh witnesses, and were run once these were done.
A change of the rules needs new seeds.
"""

import contextlib
import itertools
import multiprocessing
import random
import re
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from datagen.coarse.verdict.ink_fonts import WITNESSES
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.drawing.families import families
from datagen.drawing.typeset import Style
from datagen.record import Drop, Quality
from datagen.samples.declarations import declaration
from datagen.work.pipeline import Pipeline
from recipes.coarse import coarse
from tests.bench.coarse.truth_tables import GOOD, Page, report
from tests.bench.measuring import options
from tests.inputs.damage import KINDS, damage
from tests.inputs.typeset import typeset

SIZES_PT = (8, 14)
LIMIT = JudgeTextLayer().max_ink_lies_share
_TEXTS = """
    Latn eng vie tur pol yor · Cyrl rus ukr srp_cyrl khk · Grek ell_monotonic ell_polytonic · Arab arb pes_1 urd uig_arab
    Deva hin mar nep · Hebr heb ydd · Ethi amh tir · Cans ike csw · Armn hye · Geor kat · Beng ben · Guru pan · Gujr guj
    Taml tam · Telu tel · Knda kan · Mlym mal · Sinh sin · Thai tha · Laoo lao · Khmr khm · Mymr mya · Tibt bod · Kore kor
    Hans cmn_hans · Hant cmn_hant · Jpan jpn · Cher chr_cased · Tfng zgh · Mong khk_mong · Thaa div · Syrc aii · Yiii iii
    Vaii vai · Adlm fuf_adlm · Java jav_java · Cakm ccp · Lana kkh_lana
"""
_HELD_OUT = """
    Latn fra deu_1996 hun hau_NG swh · Cyrl bel bul kaz tat · Arab pbu pnb skr · Deva san bho mai · Cans ojb · Tibt dzo
    Mymr shn mnw · Tavt blt · Gran san_gran
"""


def _by_script(texts: str) -> dict[str, list[str]]:
    return {script: codes for script, *codes in (row.split() for row in re.split("[·\n]", texts.strip()))}


# Script to the declaration's texts in it: those that the rules were set on, and others.
LANGUAGES = _by_script(_TEXTS)
HELD_OUT = LANGUAGES | _by_script(_HELD_OUT)


@dataclass(frozen=True)
class Task:
    """A typeface: a document in it, undamaged, and damaged in the first `num_kinds` of `kinds` that apply to it."""

    script: str
    code: str
    family: str
    size_pt: int
    kinds: tuple[str, ...]
    num_kinds: int
    pages: int
    seed: int


def tasks(
    texts: Mapping[str, Sequence[str]], kinds: Sequence[str], num_families: int, pages: int, each: int, seed: int
) -> list[Task]:
    """Typefaces for each script's texts; languages take different ones where there are enough, and so do seeds."""
    out: list[Task] = []
    for script, codes in texts.items():
        for i, code in enumerate(codes, start=seed * len(codes)):
            text = declaration(code)
            installed = families("\n".join(text.paragraphs), text.lang)
            if not installed:
                print(f"{script} {code}: no installed typeface, left out", file=sys.stderr)
            for j in range(min(num_families, len(installed))):
                family = installed[(i * num_families + j) % len(installed)]
                rng = random.Random(f"{seed}/{code}/{family}")
                first = (len(out) + seed) * each % len(kinds)
                in_turn = (*kinds[first:], *kinds[:first])
                size_pt = rng.randint(*SIZES_PT)
                out.append(Task(script, code, family, size_pt, in_turn, each or len(kinds), pages, rng.getrandbits(32)))
    return out


def judge(task: Task) -> list[Page]:
    """The pages of a task's documents."""
    text = declaration(task.code)
    made = typeset(text.paragraphs, text.lang, Style(family=task.family, size_pt=task.size_pt), task.pages)
    truth = [page.text for page in made.pages]
    out: list[Page] = []
    with tempfile.TemporaryDirectory(prefix="pagewheel-truth-") as folder:
        for kind, pdf in itertools.islice(_documents(task, made.pdf), 1 + task.num_kinds):
            path = Path(folder) / f"{kind}.pdf"
            path.write_bytes(pdf)
            for number, quality, text_read in _verdicts(path, len(truth)):
                errors = error(text_read, truth[number]), error(_unspaced(text_read), _unspaced(truth[number]))
                against = tuple(w for w in WITNESSES if quality.signals.get(f"lies_by_{w}", 0.0) > LIMIT)
                what = task.script, task.code, task.family, task.size_pt, kind, number
                out.append(Page(*what, *errors, quality.verdict, quality.reasons, against))
    return out


def _documents(task: Task, pdf: bytes) -> Iterator[tuple[str, bytes]]:
    """The undamaged document, then what applies of the task's damages."""
    yield GOOD, pdf
    for kind in task.kinds:
        with contextlib.suppress(ValueError):
            yield kind, damage(pdf, kind, task.seed)


def _verdicts(path: Path, num_pages: int) -> Iterator[tuple[int, Quality, str]]:
    """Number, quality and text of each page; a dropped page is refused for the drop's reason."""
    pipeline = coarse(input=str(path)).steps[0]
    assert isinstance(pipeline, Pipeline)
    documents = tuple(pipeline.census.items())
    for item in pipeline.process(documents, []):
        if not isinstance(item, Drop):
            yield item.origin.page, item.quality, item.text
        elif item.part is not None:
            yield item.part.first, Quality("dropped", (item.reason,)), ""
        else:
            yield from ((number, Quality("dropped", (item.reason,)), "") for number in range(num_pages))


def error(text: str, truth: str) -> float:
    """Edits a character of `truth`, in NFC, with white space as single spaces."""
    text, truth = (" ".join(unicodedata.normalize("NFC", t).split()) for t in (text, truth))
    return Levenshtein.distance(text, truth) / max(1, len(truth))


def _unspaced(text: str) -> str:
    return "".join(text.split())


def main() -> None:
    parser = options(__doc__, families=3, pages=4, each=7, seed=0, held_out=False, workers=2)
    parser.add_argument("--scripts", nargs="+", choices=list(HELD_OUT), metavar="SCRIPT")
    parser.add_argument("--damages", nargs="+", default=list(KINDS), choices=list(KINDS), metavar="DAMAGE")
    args = parser.parse_args()
    texts = HELD_OUT if args.held_out else LANGUAGES
    texts = {script: codes for script, codes in texts.items() if not args.scripts or script in args.scripts}
    started = time.monotonic()
    try:
        todo = tasks(texts, args.damages, args.families, args.pages, args.each, args.seed)
    except ValueError as missing:  # no npm, no network
        sys.exit(str(missing))
    done: dict[int, list[Page]] = {}
    with ProcessPoolExecutor(args.workers, multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(judge, task): i for i, task in enumerate(todo)}
        for future in as_completed(futures):
            i = futures[future]
            done[i] = future.result()
            seconds = time.monotonic() - started
            print(f"{len(done)}/{len(todo)} {todo[i].script} {todo[i].code} {todo[i].family}, {seconds:.0f} s", file=sys.stderr)
    pages = [page for i in sorted(done) for page in done[i]]
    print(report(pages))
    print(f"{len(pages)} pages, measured in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
