"""The network of a training that isn't done: that of its last checkpoint."""

import json

import msgspec

from datagen.disk.storage import Folder
from model.files.network_folder import TOKENIZER
from model.net.deepseek_ocr import DeepseekOcr
from model.net.tokenizer import TextTokenizer
from model.train.checkpoint import Checkpoints
from model.train.optim import Average, freeze
from model.train.run import METRICS, RUN
from model.train.start import network, tokenizer_at, within
from model.train.step import RANDOM, Train, flat, sectioned


def is_going_on(folder: Folder) -> bool:
    """Whether a folder is that of a training, `out/NAME`, which isn't done."""
    return folder.exists(RUN) and folder.exists(TOKENIZER) and not folder.exists(METRICS)


def restored(folder: Folder) -> tuple[DeepseekOcr, TextTokenizer, Folder | None, int]:
    """(the network of the training in `folder` at its last whole checkpoint, its tokenizer, where it started, the step).

    Weights are the averaged ones, if the training has such, and adapters are merged. The training may be going on. Raises
    `FileNotFoundError` if there is no checkpoint, and `ValueError` as for a start, or if `run.json` can't be read.
    """
    try:
        step = msgspec.convert(sectioned(flat(json.loads(folder.read(RUN))["step"])), Train)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder.path(RUN)} isn't that of a training: {error}") from error
    out = Folder(folder.url.rstrip("/").rpartition("/")[0] or ".")
    step = within(step, out)
    tokenizer = tokenizer_at(folder)
    net = network(step, tokenizer)
    freeze(net, step.weights.frozen)
    average = Average(net, step.optim.average) if step.optim.average else None
    number = Checkpoints(folder.sub("checkpoint")).weights(net, average)
    if average is not None:
        average.swap(net)
    if step.weights.adapts:
        from model.files.lora import merge  # peft, only where there are adapters

        merge(net)
    start = step.weights.start or (step.weights.start_decoder if step.weights.start_decoder != RANDOM else "")
    return net.eval(), tokenizer, Folder(start) if start else None, number
