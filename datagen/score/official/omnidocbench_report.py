"""OmniDocBench v1.5's figures of a folder of predictions."""

from collections.abc import Sequence
from pathlib import Path

from datagen.score.official import omnidocbench, omnidocbench_cdm
from datagen.score.official.report import Excluded, Report, paired
from datagen.score.pages import PredictedPage

_WHAT = {
    "text": "edits of text, mean of pages; less is better",
    "formula": "edits of LaTeX, mean of pages; less is better",
    "order": "edits of the reading order, mean of pages; less is better",
    "teds": "TEDS of tables, mean of pages; more is better",
    "teds_s": "the same without text; more is better",
    "teds_of_tables": "TEDS, mean of tables; more is better",
    "teds_s_of_tables": "the same without text; more is better",
    "cdm": "F1 of formulas' signs as TeX draws them, mean of pages; more is better",
    "overall_without_cdm": "text and TEDS as in Overall, which has CDM as well; of 100",
    "overall": "mean of text, TEDS and CDM; of 100",
}
_NOT = {False: ("cdm", "overall"), True: ("overall_without_cdm",)}  # of the figures, those that aren't there without CDM and with
_DIFFERS = (
    "corrected: a page without a prediction is all wrong, invented text, formulas and tables count, a paragraph in three pieces "
    "isn't doubled, and blocks of the list without= don't count; official: none of that"
)


def report(folder: str, predicted: Sequence[PredictedPage], excluded: Excluded, cdm: str = "") -> Report:
    """`cdm` is a clone of OmniDocBench's code, "" for figures without CDM. Raises `ValueError`, one sentence, where `folder`
    isn't OmniDocBench v1.5, no prediction is of a page of it, or CDM can't be drawn."""
    pages = omnidocbench.read(folder)
    images = [Path(page["page_info"]["image_path"]).name for page in pages]
    chosen, unused = paired([omnidocbench.names(page) for page in pages], predicted, omnidocbench.names(pages[0])[0])
    results = []
    for page, image, prediction in zip(pages, images, chosen, strict=True):
        wrong = excluded.get(image, frozenset())
        numbers = frozenset(box["anno_id"] for box in page["layout_dets"] if str(box["anno_id"]) in wrong)
        results.append(omnidocbench.score(page, prediction.markdown if prediction else None, numbers))
    if cdm:
        counted = [counts for one in results for counts in (one.official, one.corrected) if counts]
        of_pair = omnidocbench_cdm.scores(cdm, [pair for counts in counted for pair in counts.drawn])
        for counts in counted:
            counts.cdm = [of_pair[pair] for pair in counts.drawn]
    official = omnidocbench.figures((one.name, one.official) for one in results if one.official)
    corrected = omnidocbench.figures((one.name, one.corrected) for one in results)
    notes = [] if cdm else ["Overall is without CDM, which compares formulas as TeX draws them: cdm=DIR, a clone of OmniDocBench"]
    if len(pages) != omnidocbench.NUM_PAGES:
        notes.append(f"{len(pages)} pages are a part of v1.5, which has {omnidocbench.NUM_PAGES}: no figure of a leaderboard")
    stopped = [image for image, one in zip(images, results, strict=True) if one.problem.startswith("the official")]
    if stopped:
        notes.append(f"the official code stops at {len(stopped)} pages, left out of its figures: {', '.join(stopped[:5])}")
    num_excluded = sum(len(blocks) for blocks in excluded.values())
    if num_excluded:
        known = sum(len(blocks) for image, blocks in excluded.items() if image in images)
        notes.append(
            f"{known} blocks of {num_excluded} in the list without= are of these pages, and left out of the corrected figures"
        )
    of_pages = [
        {
            "page": image,
            "problem": one.problem,
            "official": omnidocbench.figures([(one.name, one.official)]) if one.official else None,
            "corrected": omnidocbench.figures([(one.name, one.corrected)]),
        }
        for image, one in zip(images, results, strict=True)
    ]
    return Report(
        f"OmniDocBench v1.5, {len(pages)} pages, rules of {omnidocbench.COMMIT[:7]}",
        tuple((name, official.get(name), corrected.get(name), _WHAT[name]) for name in _WHAT if name not in _NOT[bool(cdm)]),
        _DIFFERS,
        tuple(notes),
        tuple(image for image, prediction in zip(images, chosen, strict=True) if prediction is None),
        unused,
        tuple(of_pages),
    )
