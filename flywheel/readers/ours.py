"""Training of a reader of the kind `ours`: the model of model/, all of its weights or adapters, learns lines of one script."""

import logging
from collections.abc import Sequence

import numpy
import torch
from torch import Tensor

from datagen.disk.storage import Folder
from datagen.engines.token_reader import MODEL, save
from flywheel.lines.crops import Crop
from flywheel.readers import fine_tuning
from flywheel.readers.ctc_training import is_there, made_by, tidy
from flywheel.readers.ours_engine import PROMPT, answer, answered, together, view
from flywheel.step import Fit
from model.files.network_folder import load_model
from model.net.batch import Tokens, through
from model.net.deepseek_ocr import DeepseekOcr
from model.net.image_modes import MAX_LINE_WIDTH, MODES
from model.net.tokenizer import TextTokenizer
from model.train.export import DTYPES, export

log = logging.getLogger(__name__)


def fit(config: Fit, crops: Sequence[Crop], folder: Folder, start: Folder | None, mark: str) -> list[float]:
    """As `got_ocr.fit`, for a network from `model.train.export` or of the released folder's form. Lines with more tokens than the
    network has positions are left out, and counted in the log."""
    values = fine_tuning.pretrained(config)
    if is_there(folder, crops, mark):
        return []
    precision, device = fine_tuning.precision_of(values), fine_tuning.device_of(values)
    dtype = getattr(torch, precision)
    weights = start.sub(MODEL) if start is not None else Folder(values.weights)
    net, tokenizer = _opened(weights, device, None if values.lora else torch.float32)
    crops, longest = _short_enough(crops, net, tokenizer)
    if values.lora:
        from model.files.lora import adapt

        adapt(net, values.lora, 2 * values.lora, seed=config.seed, autocast=dtype is not torch.float32)
        net.to(device)
    losses = fine_tuning.learn(config, crops, _Learner(net.train(), tokenizer, values.at_once, device, dtype), folder, mark)
    if values.lora:
        from model.files.lora import merge

        merge(net)
    folder.remove(MODEL)  # leftovers of an interrupted writing
    export(folder.sub(MODEL), net, tokenizer, dtype=DTYPES[precision])
    save(folder, "ours", crops[0].script, precision, longest, made_by(config, crops, mark))
    tidy(folder)
    return losses


def _opened(weights: Folder, device: str, dtype: torch.dtype | None) -> tuple[DeepseekOcr, TextTokenizer]:
    try:
        return load_model(weights, device, dtype)
    except (OSError, ValueError) as error:
        message = " ".join(str(error).split())[:300]
        raise ValueError(f"{weights.url} holds no network of model/: {type(error).__name__}: {message}") from None


def _short_enough(crops: Sequence[Crop], net: DeepseekOcr, tokenizer: TextTokenizer) -> tuple[list[Crop], int]:
    """The crops whose tokens fit the network's positions, and the most tokens of a reading."""
    widest = MODES["line"].num_tokens(whole=(MAX_LINE_WIDTH, MODES["line"].side))
    room = net.config.decoder.max_positions - len(tokenizer.prompt(PROMPT, widest)) - 1
    lengths = [len(answer(crop.text, tokenizer)) for crop in crops]
    short = [crop for crop, length in zip(crops, lengths, strict=True) if length <= room]
    if not short:
        most = net.config.decoder.max_positions
        raise ValueError(f"the network has {most} positions: no line is as short as the {room} tokens that they leave")
    if num := len(crops) - len(short):
        log.warning("%s: %d of %d lines are left out: they have more than %d tokens", crops[0].script, num, len(crops), room)
    return short, min(room, fine_tuning.most_tokens([length for length in lengths if length <= room]))


class _Learner:
    def __init__(self, net: DeepseekOcr, tokenizer: TextTokenizer, at_once: int, device: str, dtype: torch.dtype):
        self.net, self.tokenizer, self.at_once, self.device, self.dtype = net, tokenizer, at_once, device, dtype

    def prepared(self, lines: Sequence[tuple[numpy.ndarray, str]]) -> list[Tokens]:
        return [answered(view(image), answer(text, self.tokenizer), self.tokenizer) for image, text in lines]

    def gradients(self, prepared: list[Tokens]) -> Tensor:
        scale, balance_scale = 1 / sum(sum(line.learned) for line in prepared), 1 / len(prepared)
        total = torch.zeros((), device=self.device)
        for start in range(0, len(prepared), self.at_once):
            one = together(prepared[start : start + self.at_once], self.tokenizer).to(self.device)
            with torch.autocast(self.device, self.dtype, enabled=self.dtype != torch.float32):
                losses = through(self.net, one, scale, balance_scale)
            losses.total.backward()
            total += losses.total.detach()
        return total
