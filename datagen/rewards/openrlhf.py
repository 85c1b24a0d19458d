"""The file that OpenRLHF's `--reward.remote_url` names: it looks for `reward_func` in it."""

from collections.abc import Sequence
from typing import Any

from datagen.rewards.adapters import from_json
from datagen.rewards.reward import reward


def reward_func(queries: Sequence[str], prompts: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    """The rewards of answers, which stand behind their prompts in `queries`; `labels` are as `adapters.as_json` writes them.
    Returns tensors of float32, (answers,)."""
    import torch

    answers = [query.removeprefix(prompt) for query, prompt in zip(queries, prompts, strict=True)]
    rewards = [reward(answer, from_json(label)) for answer, label in zip(answers, labels, strict=True)]
    totals = torch.tensor([one.total for one in rewards])
    names = ("parses", "repetition", "length")
    logs = {name: torch.tensor([getattr(one, name) for one in rewards]) for name in names}
    return {"rewards": totals, "scores": totals, "extra_logs": logs}
