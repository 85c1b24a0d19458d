"""The trunk: one network that reads lines of all scripts, roughly. A script's reader is a small change to it.

Its alphabet has the symbols of all scripts, so the shapes and places of letters are learned once. It also tells a line's script.
Lines in Chinese characters serve only that: all of these characters are one symbol.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from datagen.disk.storage import Folder
from datagen.engines.compact import Alphabet, CompactConfig, CompactNet, Reader, has_fast_bf16
from datagen.writing.scripts import IDEOGRAPHS
from flywheel.lines.crops import Crop, shares_of
from flywheel.readers import ctc_training
from flywheel.readers.ctc_training import DRAWN, by_width, learn, loss_of_lines, symbols_of_crop
from flywheel.step import Fit

IDEOGRAPH = "\u4e00"
"""The symbol for all Chinese characters."""

ALL = "Zyyy"
"""The script of the trunk's alphabet: ISO 15924's code for text in several scripts."""

NETWORK = CompactConfig(frames=4)

_SCRIPTS = 8  # lines of so many scripts are drawn together
_RARE = 1e-5
_IDEOGRAPHS = re.compile(f"[{IDEOGRAPHS}]")


def line_symbols(crop: Crop) -> str:
    """The symbols of a line in the trunk's alphabet."""
    return _IDEOGRAPHS.sub(IDEOGRAPH, symbols_of_crop(crop))


class _Head(nn.Linear):
    """A head that computes only the `rows` of a batch: most of a step would go into other scripts' symbols."""

    rows: Tensor

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight[self.rows], self.bias[self.rows])


@dataclass(frozen=True)
class _Batch:
    """Lines of several scripts, and the trunk's classes for these scripts: `rows`, of which the first is blank."""

    crops: list[Crop]
    alphabet: Alphabet
    rows: Tensor


def fit(config: Fit, crops: Sequence[Crop], folder: Folder, mark: str) -> Reader:
    """The trunk, trained on `crops` of all scripts. After a kill it goes on from its checkpoint in `folder`."""
    torch.manual_seed(config.seed)
    by_script: dict[str, list[Crop]] = {}
    for crop in crops:
        by_script.setdefault(crop.script, []).append(crop)
    symbols = {script: frozenset(s for crop in lines for s in line_symbols(crop)) for script, lines in sorted(by_script.items())}
    alphabet = Alphabet(ALL, "".join(sorted(frozenset().union(*symbols.values()))))
    net = CompactNet(NETWORK, len(alphabet.symbols) + 1)
    head = net.head = _Head(NETWORK.width, len(alphabet.symbols) + 1)
    net = net.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]

    def loss(step: int, batch: _Batch) -> Tensor | None:
        head.rows = batch.rows
        is_told = step < config.told_share * config.steps
        return loss_of_lines(net, batch.alphabet, config, batch.crops, step, is_told, line_symbols)

    learn(net, config, _batches(config, by_script, symbols, alphabet), loss, folder, mark)
    whole = CompactNet(NETWORK, len(alphabet.symbols) + 1)
    whole.load_state_dict(net.state_dict())
    return Reader(whole, alphabet, NETWORK, has_fast_bf16())


def frequencies(crops: Sequence[Crop], alphabet: Alphabet, scripts: Sequence[str]) -> Tensor:
    """The logarithm of the frequency of each of the trunk's classes in each script's lines, (scripts, classes). A class that a
    script lacks has the frequency `_RARE`."""
    counts = {script: Counter[str]() for script in scripts}
    for crop in crops:
        counts[crop.script].update(line_symbols(crop))
    rows = torch.zeros(len(scripts), len(alphabet.symbols) + 1)
    for row, script in zip(rows, scripts, strict=True):
        total = counts[script].total()
        row[1:] = torch.tensor([math.log(max(counts[script][symbol] / total, _RARE)) for symbol in alphabet.symbols])
    return rows


def _batches(
    config: Fit, by_script: Mapping[str, Sequence[Crop]], symbols: Mapping[str, frozenset[str]], alphabet: Alphabet
) -> Iterator[_Batch]:
    """Batches without end, each of lines of several scripts. A script is drawn in proportion to the square root of its number of
    symbols; a line of it by `shares_of`."""
    scripts = sorted(by_script)
    p = numpy.array([len(symbols[script]) ** 0.5 for script in scripts])
    shares = {script: shares_of(by_script[script]) for script in scripts}
    is_short = {script: numpy.array([ctc_training.is_short(crop) for crop in by_script[script]]) for script in scripts}
    random, step = numpy.random.default_rng([config.seed, 0]), 0
    while True:
        drawn: list[Crop] = []
        group = [
            scripts[i] for i in sorted(random.choice(len(scripts), min(_SCRIPTS, len(scripts)), replace=False, p=p / p.sum()))
        ]
        for script in group:
            weights = shares[script]
            if step < config.short_steps and is_short[script].any():
                weights = weights * is_short[script]
            chosen = random.choice(len(weights), DRAWN // len(group), p=weights / weights.sum())
            drawn += [by_script[script][i] for i in chosen]
        own = Alphabet(ALL, "".join(sorted(frozenset().union(*(symbols[script] for script in group)))))
        rows = torch.tensor([0, *alphabet.classes(own.symbols)])
        batches = by_width(drawn, config.batch_width, NETWORK.height)
        for i in random.permutation(len(batches)):
            yield _Batch(batches[i], own, rows)
        step += len(batches)
