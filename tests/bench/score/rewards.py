"""Answers that are rewarded in a second, on one core, beside the bare edit distance of the same texts.

    python -m tests.bench.score.rewards [--answers N]

Answers have 1,000 characters, of which 20 are wrong. Tables are counted apart, by cells: TEDS compares trees.
"""

import functools
import random
import time
from collections.abc import Callable

from rapidfuzz.distance import Levenshtein

from datagen.rewards.reward import Wanted, reward
from datagen.score.facts import fact
from tests.bench.bars import at_least
from tests.bench.measuring import options

WORDS = (
    "all human beings are born free and equal in dignity and rights they are endowed with reason and conscience and should act "
    "towards one another in a spirit of brotherhood"
).split()
LEAST = 2000  # answers of 1,000 characters a second


def text(source: random.Random) -> str:
    paragraphs = (" ".join(source.choices(WORDS, k=36)) + "." for _ in range(6))
    return "\n\n".join(paragraphs)[:1000]


def worn(truth: str, source: random.Random) -> str:
    letters = list(truth)
    for place in source.sample(range(len(letters)), 20):
        letters[place] = source.choice("aeiou")
    return "".join(letters)


def table(source: random.Random, rows: int, columns: int) -> str:
    row = "".join(f"<td>{source.choice(WORDS)} {source.randint(0, 999)}</td>" for _ in range(columns))
    return f"<table>{f'<tr>{row}</tr>' * rows}</table>"


def judge_table(tables: list[str], number: int) -> object:
    """One table, where the next one is the truth."""
    return reward(tables[number % len(tables)], Wanted(tables[(number + 1) % len(tables)]))


def rate(judge: Callable[[int], object], count: int) -> float:
    """How many of `count` answers a second, by processor time."""
    judge(0)  # imports and caches
    start = time.process_time()
    for number in range(count):
        judge(number)
    return count / (time.process_time() - start)


def main() -> None:
    count = options(__doc__, answers=3000).parse_args().answers
    source = random.Random(0)
    truths = [text(source) for _ in range(count)]
    answers = [worn(truth, source) for truth in truths]
    tests = [
        tuple(
            fact({"id": f"{n}", "pdf": "a.pdf", "page": 1, "type": "present", "text": truth[80 * n : 80 * n + 60]})
            for n in range(10)
        )
        for truth in truths
    ]
    bare = rate(lambda n: Levenshtein.normalized_similarity(truths[n], answers[n]), count)
    print(f"bare edit distance: {bare:,.0f} answers/s")
    for name, judge in (
        ("by a truth", lambda n: reward(answers[n], Wanted(truths[n]))),
        ("by ten tests", lambda n: reward(answers[n], Wanted(None, tests[n], 800))),
        ("by both", lambda n: reward(answers[n], Wanted(truths[n], tests[n]))),
    ):
        of = rate(judge, count)
        print(f"{name}: {of:,.0f} answers/s, {of / bare:.2f} of the bare distance ({at_least(of, LEAST)})")
    for rows, columns in ((4, 4), (10, 6), (20, 10)):
        whole = [table(source, rows, columns) for _ in range(8)]
        of = rate(functools.partial(judge_table, whole), 24)
        print(f"with a table of {rows * columns} cells: {of:,.1f} answers/s, {of * rows * columns:,.0f} cells/s")


if __name__ == "__main__":
    main()
