"""Bulk labelling: loops, verdicts, how fast one client is, and what another runner loses against the same server.

    python -m tests.bench.label.label [--only loops,verdicts,speed,others] [--right 1000] [--pages 300]

Loops are planted in answers of all profiles' forms. Verdicts are of typeset pages (`datagen.fine.typeset_pages`) in ten scripts
and of what the recipe `fine` takes out of the same files, half of them with boxes, half as Markdown alone; damages are those of
`tests/inputs/damaged_answers.py`. Speed is against a server that answers at once, a process of its own on the same machine; its
bar is a bare loop that renders, encodes and posts the same pages by the same client. datatrove's `InferenceRunner` is shown the
faulty server of the tests, which our runs lose no page to (`tests/robustness/test_label_kill.py`)."""

import argparse
import itertools
import tempfile
from pathlib import Path

from datagen.asking.loops import is_loop
from datagen.disk.storage import Folder
from recipes.sample_costs import record
from tests.bench.bars import at_least, at_most
from tests.bench.label import others, throughput, verdicts
from tests.bench.label.verdicts import Found
from tests.inputs import answers

SIDE = 1024


def loops() -> None:
    planted, right = answers.planted(500), answers.rights(2000)
    found = sum(is_loop(text, is_cut) for text, is_cut in planted) / len(planted)
    wrong = sum(is_loop(text, False) for text in right) / len(right)
    print(f"loops: {found:.2%} of 500 planted ones found ({at_least(100 * found, 99, '%')})")
    print(f"       {wrong:.2%} of 2,000 right answers taken for one ({at_most(100 * wrong, 0.5, '%')})")


def judge(right: int) -> None:
    found = Found()
    for seed in itertools.count():
        if found.right.total() >= right:
            break
        try:
            of_seed = list(verdicts.known(seed, is_born_digital=seed % 5 == 0))
        except AssertionError:  # its pages have no room for a picture
            continue
        verdicts.add(found, of_seed, seed)
    tell(found)


def tell(found: Found) -> None:
    kept, num = 100 * found.right[True] / found.right.total(), found.right.total()
    by_ink = 100 * found.right_by_ink[True] / found.right_by_ink.total()
    print(f"verdicts: {num:,} right answers in {len(found.scripts)} scripts, {kept:.1f}% kept ({at_least(kept, 97, '%')})")
    print(f"          by ink and the answer alone {by_ink:.1f}%")
    caught, total = sum(c[True] for c in found.caught.values()), sum(c.total() for c in found.caught.values())
    whole = 100 * caught / total
    print(f"          {total:,} damaged ones, {whole:.1f}% not trusted with a text layer ({at_least(whole, 90, '%')})")
    for kind, counts in found.caught.items():
        ink = found.caught_by_ink[kind]
        alone = f"{100 * ink[True] / ink.total():.0f}% of {ink.total()}" if ink.total() else "-"
        share = f"{100 * counts[True] / counts.total():5.1f}% of {counts.total():<5}"
        print(f"          {kind:<14}{share} by ink alone, with boxes: {alone}")


def speed(pages: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = throughput.write(folder, pages)
        with throughput.answering(folder) as url:
            throughput.bare(url, file, pages // 4, SIDE)  # imports, connections
            for label, side in [
                ("1,024 px", SIDE),
                *[(one, p.long_side) for one, p in throughput.by_profile() if p.long_side != SIDE],
            ]:
                bare = throughput.bare(url, file, pages, side)
                ours = throughput.client(url, file, pages, side, Folder(f"{folder}/ledger"))
                ratio = f"{ours / bare:.2f} of a bare loop's {bare:.0f} ({at_least(ours / bare, 0.8)})"
                bar = f" ({at_least(ours, 60)})" if side == SIDE else ""
                print(f"speed: {label:<14} at {side:>5} px {ours:5.0f} pages/s{bar}, {ratio}")
            whole = throughput.whole(url, folder, "out")
            print(
                f"       the whole recipe, text layers and verdicts included: {whole:.0f} pages/s in one process with its parser"
            )
            record("tests/bench/label/label.py", {"label.page_core_s": round(2 / whole, 4)})


def lost(pages: int = 100) -> None:
    for skip in (False, True):
        one = others.datatrove(pages, skip)
        print(f"others: datatrove's InferenceRunner, skip_bad_requests={skip}: ended {one.ended}")
        print(f"        {one.written} of {one.pages} pages written, {one.pages - one.written} lost;", end=" ")
        print(f"{one.loops} loops, {one.cut} cut off and {one.blank} blank answers among the results")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="loops,verdicts,speed,others")
    parser.add_argument("--right", type=int, default=1000)
    parser.add_argument("--pages", type=int, default=300)
    asked = parser.parse_args()
    for name, run in (
        ("loops", loops),
        ("verdicts", lambda: judge(asked.right)),
        ("speed", lambda: speed(asked.pages)),
        ("others", lost),
    ):
        if name in asked.only.split(","):
            run()


if __name__ == "__main__":
    main()
