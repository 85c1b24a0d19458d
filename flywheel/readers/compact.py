"""Training of the compact reader: crops in, a reader's folder out. A killed training goes on from its checkpoint, to the same
bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy
import torch
from torch import Tensor

from datagen.disk.storage import Folder
from datagen.engines import packaged, script_readers
from datagen.engines.compact import (
    HEIGHT,
    STEP,
    Alphabet,
    CompactConfig,
    CompactNet,
    Reader,
    has_fast_bf16,
    line_image,
    symbols_of,
)
from flywheel.lines.crops import Crop, degraded, shares_of, tallness
from flywheel.readers import self_training
from flywheel.readers.ctc_training import batches_of, by_width, is_there, learn, least_frames, loss_of_lines, made_by, tidy
from flywheel.step import TYPED_TIMES, Fit

_SAMPLE, _ENOUGH_ROOM = 100, 1.8  # sampled lines; frames for each needed one
_SEEN = 500  # unlabelled lines that set batch normalisation's means and variances at first
_TYPED, _MOST_TYPED, _TYPED_RATE = 6, 600, 5e-4  # steps for each line that people typed, in all at most; their rate
_HIGH, _TALL = 48, 1.5  # pixels in place of 32, for lines that are so many times as high as plain letters


def fit(
    config: Fit,
    crops: Sequence[Crop],
    folder: Folder,
    start: Folder | None,
    mark: str,
    unlabelled: Sequence[Crop] = (),
    typed: Sequence[Crop] = (),
) -> Reader:
    """A reader trained on `crops`, which are of one script, and saved in `folder`. An existing reader of this training is
    returned.

    The training starts from the reader in `start`, else from the package's reader that `config` names, else from nothing. Symbols
    that this reader lacks begin with random weights. If there are `unlabelled` lines, every second step learns what the reader
    itself reads there, see `self_training`, and all symbols of the reader before stay. Lines that people `typed` come last, among
    `crops`: while a reader learns its own readings, it would unlearn what they add. `mark` identifies the training, and
    checkpoints of other trainings aren't used. Raises `ValueError` if there are no crops, or if the folder has a reader of
    another training.
    """
    if is_there(folder, crops, mark):
        return Reader.load(folder)
    torch.manual_seed(config.seed)
    alphabet = Alphabet.of(crops[0].script, (c.text for c in (*crops, *typed)))
    before = _before(config, alphabet.script, start)
    unlabelled = unlabelled if before else ()
    if before is not None and unlabelled:
        alphabet = Alphabet(alphabet.script, "".join(sorted({*alphabet.symbols, *before.alphabet.symbols})))
    network = before.config if before else network_for(config, crops)
    net = CompactNet(network, len(alphabet.symbols) + 1)
    if before is not None:
        inherit(net, alphabet, before.alphabet, before.net.state_dict())
    net = net.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]

    def loss(step: int, batch: Sequence[Crop]) -> Tensor | None:
        is_told = before is None and step < config.told_share * config.steps
        return loss_of_lines(net, alphabet, config, batch, step, is_told)

    batches = batches_of(config, crops, 0 if before else config.short_steps, network.height)
    if unlabelled:
        pair = self_training.StudentAndTeacher(net)
        pair.see(by_width(unlabelled[:_SEEN], config.batch_width, network.height))

        def loss_of_either(step: int, batch: self_training.Batch) -> Tensor | None:
            pair.follow()
            lines, is_labelled = batch
            if not is_labelled:
                return pair.loss(config, lines, step)
            pair.before_labelled()
            return loss(step, lines)

        learn(pair, config, self_training.batches_of(config, batches, unlabelled, network.height), loss_of_either, folder, mark)
        pair.follow()
        net = pair.teacher
    else:
        learn(net, config, batches, loss, folder, mark)
    if typed:
        weights, net = net.state_dict(), CompactNet(network, len(alphabet.symbols) + 1)
        net.load_state_dict(weights)
        net = net.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        last = replace(config, steps=min(_MOST_TYPED, _TYPED * len(typed)), learning_rate=_TYPED_RATE, typeset_share=0.0)
        batches = batches_of(last, [*crops, *TYPED_TIMES * list(typed)], 0, network.height)
        learn(net, last, batches, lambda step, batch: loss_of_lines(net, alphabet, last, batch, step), folder, f"typed{mark}")
    reader = Reader(net, alphabet, network, has_fast_bf16())
    reader.save(folder, made_by(config, crops, mark) | {"num_typed": len(typed)})
    tidy(folder)
    return reader


def _before(config: Fit, script: str, start: Folder | None) -> Reader | None:
    """The reader from which a training starts. Raises `ValueError` if the package's reader isn't that of `config`."""
    if start is not None or not config.packaged:
        return None if start is None else Reader.load(start)
    if packaged.reader_sha256(script) != config.packaged:
        raise ValueError(f"the package's reader of {script} is another than the one that the run was planned with")
    return script_readers.load(script)


def network_for(config: Fit, crops: Sequence[Crop]) -> CompactConfig:
    """The network for such lines. If most lines are tall, it sees them higher: stacked letters, as Khmer's, would otherwise be
    two thirds as large as Cyrillic ones. A step has 2 frames, or 4 if most lines hardly have room for their symbols then."""
    random = numpy.random.default_rng([config.seed, 2])
    drawn = [crops[i] for i in random.choice(len(crops), _SAMPLE, p=shares_of(crops))]
    height = _HIGH if numpy.median([tallness(crop, random) for crop in drawn]) > _TALL else HEIGHT
    widths = [line_image(degraded(crop, random, config.typeset_share), height=height).shape[1] for crop in drawn]
    room = [2 * width / STEP / least_frames(symbols_of(c.text, c.script)) for width, c in zip(widths, drawn, strict=True)]
    return CompactConfig(frames=2 if numpy.quantile(room, 0.1) >= _ENOUGH_ROOM else 4, height=height)


def inherit(net: CompactNet, alphabet: Alphabet, start: Alphabet, weights: Mapping[str, Tensor]) -> None:
    """Copy the weights of a network with the alphabet `start`. The weights of a class follow its symbol."""
    state = net.state_dict()
    old = {symbol: i + 1 for i, symbol in enumerate(start.symbols)}
    pairs = [(0, 0), *((i + 1, old[s]) for i, s in enumerate(alphabet.symbols) if s in old)]
    ours, theirs = (torch.tensor(side) for side in zip(*pairs, strict=True))
    for name, value in weights.items():
        if name.startswith("head."):
            state[name][ours] = value[theirs]
        else:
            state[name] = value
    net.load_state_dict(state)
