"""Training of a `got_ocr` reader: GOT-OCR2.0, all of its weights or adapters, learns to read lines of one script."""

from collections.abc import Sequence

import numpy
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from torch.nn import functional as F

from datagen.disk.storage import Folder
from datagen.engines.got_ocr import Network, opened
from datagen.engines.token_reader import MODEL, on_disk, save, to_fill
from flywheel.lines.crops import Crop
from flywheel.readers import fine_tuning
from flywheel.readers.ctc_training import is_there, made_by, tidy
from flywheel.step import Fit

IGNORED = -100
_ADAPTED = r".*language_model\.layers\.\d+\.(self_attn|mlp)\.\w+_proj"
_ONE_FILE = "1000GB"


def fit(config: Fit, crops: Sequence[Crop], folder: Folder, start: Folder | None, mark: str) -> list[float]:
    """Train a reader on `crops`, which are of one script, in `folder`; returns the losses of the new steps, none if the reader is
    there already.

    The training starts from the reader in `start`, else from the weights `config.pretrained`. Adapters are merged into the
    weights at the end. Raises `ValueError` if there are no crops, if the folder has a reader of another training, or without
    weights.
    """
    values = fine_tuning.pretrained(config)
    if is_there(folder, crops, mark):
        return []
    precision, device = fine_tuning.precision_of(values), fine_tuning.device_of(values)
    dtype = getattr(torch, precision)
    # Trained weights are in fp32. Beneath adapters the weights keep their precision.
    weights_dtype = dtype if values.lora else torch.float32
    if start is not None:
        with on_disk(start.sub(MODEL)) as path:
            network = opened(path, weights_dtype, device)
    else:
        network = opened(values.weights, weights_dtype, device)
    if values.lora:
        adapters = LoraConfig(r=values.lora, lora_alpha=2 * values.lora, target_modules=_ADAPTED)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            network = Network(get_peft_model(network.net, adapters), network.processor)
    network.net.train()
    losses = fine_tuning.learn(config, crops, _Learner(network, values.at_once, device, dtype), folder, mark)
    net = network.net.merge_and_unload(safe_merge=True) if values.lora else network.net
    folder.remove(MODEL)  # leftovers of an interrupted writing
    with to_fill(folder.sub(MODEL)) as path:
        net.to(dtype).save_pretrained(path, max_shard_size=_ONE_FILE)
        network.processor.save_pretrained(path)
    longest = fine_tuning.most_tokens([len(network.answer(crop.text)) for crop in crops])
    save(folder, "got_ocr", crops[0].script, precision, longest, made_by(config, crops, mark))
    tidy(folder)
    return losses


class _Learner:
    def __init__(self, network: Network, at_once: int, device: str, dtype: torch.dtype):
        self.network, self.at_once, self.device, self.dtype = network, at_once, device, dtype

    @property
    def net(self) -> nn.Module:
        net: nn.Module = self.network.net
        return net

    def prepared(self, lines: Sequence[tuple[numpy.ndarray, str]]) -> list[tuple[dict[str, Tensor], Tensor]]:
        """Batches of inputs, each with the tokens to learn: `IGNORED` behind an answer's end."""
        batches = []
        for start in range(0, len(lines), self.at_once):
            part = lines[start : start + self.at_once]
            asked = self.network.asked([image for image, _ in part])
            answers = [self.network.answer(text) for _, text in part]
            labels_BN = torch.full((len(part), max(map(len, answers))), IGNORED)
            for b, answer in enumerate(answers):
                labels_BN[b, : len(answer)] = torch.tensor(answer)
            # Nothing follows the last token of an answer.
            answer_BN = labels_BN[:, :-1].where(labels_BN[:, :-1] != IGNORED, self.network.pad)
            asked["input_ids"] = torch.cat([asked["input_ids"], answer_BN], 1)
            asked["attention_mask"] = torch.cat([asked["attention_mask"], (labels_BN[:, :-1] != IGNORED).long()], 1)
            batches.append((asked, labels_BN))
        return batches

    def gradients(self, prepared: list[tuple[dict[str, Tensor], Tensor]]) -> Tensor:
        num_tokens = sum(int((labels_BN != IGNORED).sum()) for _, labels_BN in prepared)
        total = torch.zeros((), device=self.device)
        for asked, labels_BN in prepared:
            inputs = {name: value.to(self.device) for name, value in asked.items()}
            with torch.autocast(self.device, self.dtype, enabled=self.dtype != torch.float32):
                logits_BNV = self.network.net(**inputs, logits_to_keep=labels_BN.shape[1], use_cache=False).logits
            nats = F.cross_entropy(
                logits_BNV.float().flatten(0, 1), labels_BN.to(self.device).flatten(), ignore_index=IGNORED, reduction="sum"
            )
            (nats / num_tokens).backward()
            total += nats.detach() / num_tokens
        return total
