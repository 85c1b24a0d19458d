"""Bulk labelling: loops, verdicts, and how fast one client is.

    python -m tests.bench.label.label [--right 1200] [--pages 150]

Loops are planted in answers of all profiles' forms. Verdicts are of pages from markup (`tests.bench.fine.markup_pages`), half
as many as `--right` says, and of the default documents' pages, half of the answers with boxes, half as Markdown alone; damages
are those of `tests/inputs/damaged_answers.py`. Speed is against a server that answers at once, a process of its own on the same
machine; its bar is a bare loop that renders, encodes and posts the same pages by the same client, in turns with it.
"""

import tempfile
from collections import Counter
from pathlib import Path

from datagen.asking.loops import is_loop
from recipes.run.sample_costs import record
from tests.bench.bars import at_least, at_most
from tests.bench.label import throughput, verdicts
from tests.bench.measuring import options
from tests.inputs import answers

SIDE = 1024


def loops() -> None:
    planted, right = answers.planted(500), answers.rights(2000)
    share_found = sum(is_loop(text, is_cut) for text, is_cut in planted) / len(planted)
    wrong = sum(is_loop(text, False) for text in right) / len(right)
    print(f"loops: {share_found:.2%} of 500 planted ones found ({at_least(100 * share_found, 99, '%')})")
    print(f"       {wrong:.2%} of 2,000 right answers taken for one ({at_most(100 * wrong, 0.5, '%')})")


def judge(right: int) -> None:
    total = verdicts.Judged()
    for kind, num in ((verdicts.MARKUP, right // 2), (verdicts.BORN_DIGITAL, 0)):
        judged = verdicts.measured(kind, num)
        kept, num_right = _share(judged.right), judged.right.total()
        scripts = ", ".join(f"{script} {n}" for script, n in judged.scripts.most_common())
        print(f"verdicts: {num_right:,} right answers about {kind} pages, {kept:.1f}% kept")
        print(f"          by ink and the answer alone {_share(judged.right_by_ink):.1f}%; {scripts}")
        total.add(judged)
    share = _share(total.right)
    print(f"          {total.right.total():,} in {len(total.scripts)} scripts, {share:.1f}% kept ({at_least(share, 97, '%')})")
    caught = sum(total.caught.values(), Counter[bool]())
    share = _share(caught)
    print(f"          {caught.total():,} damaged ones, {share:.1f}% not trusted with a text layer ({at_least(share, 90, '%')})")
    for damage, counts in total.caught.items():
        ink = total.caught_by_ink[damage]
        alone = f"{_share(ink):.0f}% of {ink.total()}" if ink.total() else "-"
        print(f"          {damage:<14}{_share(counts):5.1f}% of {counts.total():<5} by ink alone, with boxes: {alone}")


def _share(counts: Counter[bool]) -> float:
    return 100 * counts[True] / max(1, counts.total())


def speed(pages: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = throughput.write(folder, pages)
        with throughput.answering(folder) as url:
            throughput.bare(url, file, pages // 4, SIDE)  # imports, connections
            speeds = throughput.side_by_side(url, file, pages, SIDE, folder)
            ratio = f"{speeds.ratio:.2f} of a bare loop's {speeds.bare:.0f} ({at_least(speeds.ratio, 0.8)})"
            ratio += f"; by processor time {speeds.core_ratio:.2f}"
            print(f"speed: at {SIDE} px {speeds.client:.0f} pages/s ({at_least(speeds.client, 60)}), {ratio}")
            whole = throughput.whole(url, folder, "out")
            print(f"       the whole recipe, text layers and verdicts included: {whole:.0f} pages/s, one process and its parser")
            record("tests/bench/label/label.py", {"label.page_core_s": round(2 / whole, 4)})


def main() -> None:
    args = options(__doc__, right=1200, pages=150).parse_args()
    loops()
    judge(args.right)
    speed(args.pages)


if __name__ == "__main__":
    main()
