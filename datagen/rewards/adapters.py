"""The reward in the forms that trainers ask for. Each reads the same columns of a dataset, as `columns` makes them:

    truth        the right answer, "" where there is none
    tests        JSON: a list of tests in olmOCR-bench's form, "" where there are none
    num_letters  letters and digits of the page, -1 where nobody knows

    TRL        GRPOTrainer(reward_funcs=trl, …)
    verl       custom_reward_function.path=datagen/rewards/adapters.py custom_reward_function.name=verl;
               its `ground_truth` is `as_json`
    OpenRLHF   --reward.remote_url datagen/rewards/openrlhf.py, which has `reward_func`; the label is `as_json`
    ms-swift   in a file of --external_plugins: orms["pagewheel"] = Swift; and --reward_funcs pagewheel

None of the trainers is imported here. Answers come as texts, or as lists of chat messages whose last one counts.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from datagen.record import Sample
from datagen.rewards.page_tests import own_markdown, page_tests
from datagen.rewards.reward import Wanted, reward
from datagen.score.facts import fact

Answer = str | Sequence[Mapping[str, Any]]


def columns(sample: Sample) -> dict[str, Any]:
    """What a row of a dataset for reinforcement learning has beside its image and prompt."""
    is_formula = sample.task == "formula"  # its answer is bare LaTeX, in which no test looks for a formula
    truth = sample.text if is_formula else own_markdown(sample)
    tests = [] if is_formula else page_tests(sample)
    num_letters = sum(map(str.isalnum, truth))
    return {"truth": truth, "tests": json.dumps(tests, ensure_ascii=False) if tests else "", "num_letters": num_letters}


def as_json(row: Mapping[str, Any]) -> str:
    """The `columns` as one text, for trainers that pass one text on."""
    return json.dumps({name: row[name] for name in ("truth", "tests", "num_letters")}, ensure_ascii=False)


def trl(
    completions: Sequence[Answer],
    truth: Sequence[str] | None = None,
    tests: Sequence[str] | None = None,
    num_letters: Sequence[int] | None = None,
    **_: Any,
) -> list[float]:
    """A reward function of TRL's `GRPOTrainer`: a number for each completion, from columns that are as long."""
    none = [None] * len(completions)
    rows = zip(truth or none, tests or none, num_letters or none, strict=True)
    wanted = [_wanted(one or "", of_page or "", -1 if num is None else num) for one, of_page, num in rows]
    return [reward(text_of(answer), one).total for answer, one in zip(completions, wanted, strict=True)]


def verl(data_source: str, solution_str: str, ground_truth: str, extra_info: Mapping[str, Any] | None = None) -> float:
    """verl's `compute_score`: the reward of one answer."""
    return reward(solution_str, from_json(ground_truth)).total


class Swift:
    """An ORM of ms-swift's plugins, which calls it as TRL calls its functions."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, completions: Sequence[Answer], **columns: Any) -> list[float]:
        return trl(completions, **columns)


def text_of(answer: Answer) -> str:
    """The text of an answer, or of the last message of a chat; parts of a message that are no text are left out."""
    if isinstance(answer, str):
        return answer
    content = answer[-1]["content"] if answer else ""
    return content if isinstance(content, str) else "".join(part.get("text") or "" for part in content)


@functools.lru_cache(maxsize=1024)  # a group's answers have one truth
def from_json(text: str) -> Wanted:
    """What `as_json` wrote. Raises `ValueError` for another text."""
    try:
        row = json.loads(text)
        return _wanted(row["truth"], row["tests"], row["num_letters"])
    except (KeyError, TypeError):
        raise ValueError(f"a truth as `as_json` writes it is needed, not {text[:60]!r}") from None


@functools.lru_cache(maxsize=1024)
def _wanted(truth: str, tests: str, num_letters: int) -> Wanted:
    of_page = tuple(fact(values) for values in json.loads(tests)) if tests else ()
    # A page without a letter has an empty truth, and `num_letters` says that somebody knows it.
    return Wanted(truth if truth or num_letters == 0 or not of_page else None, of_page, num_letters)
