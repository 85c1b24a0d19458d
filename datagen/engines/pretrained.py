"""Networks of transformers out of a folder or by a hub's name: no code of theirs is run, no pickle is read, and a network whose
weights aren't all there isn't opened."""

import functools
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy
import torch
from torch import Tensor
from transformers import AutoConfig, AutoImageProcessor, GenerationConfig, LogitsProcessor, LogitsProcessorList
from transformers.utils import logging

from datagen.engines import OnDemand, is_folder

logging.disable_progress_bar()  # a training and a run show their own progress

WHOLE_OR_NOT = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError)
"""What transformers raises of a folder that holds something else, or damaged files."""

T = TypeVar("T")

_AT_A_TIME = 8  # images
_HASHED = 1 << 24
_DECIDES = (".safetensors", ".json", ".txt", ".model", ".jinja")


def place(where: str) -> str:
    """`where` as transformers takes it: a folder on this machine's disk, or a hub's name. Raises `ValueError` for a path that is
    no folder."""
    path = os.path.expanduser(where)
    if not where or (is_folder(where) and not os.path.isdir(path)):
        raise ValueError(f"{where or 'no model'}: a folder of weights is needed, or a hub's name such as OWNER/MODEL")
    return path if os.path.isdir(path) else where


def opened(network: type[Any], where: str, revision: str, dtype: torch.dtype, device: str) -> Any:
    """The network of this class, ready to read. Raises `ValueError`, naming `where`, if there is none, or weights are missing."""
    path, name = place(where), network.__name__
    try:
        net, loading = network.from_pretrained(
            path, revision=revision, dtype=dtype, use_safetensors=True, output_loading_info=True
        )
    except WHOLE_OR_NOT as error:
        raise holds_no(where, name, error) from None
    if lacking := sorted(loading["missing_keys"]) + sorted(str(key) for key in loading["mismatched_keys"]):
        raise ValueError(f"{where} holds no whole {name}: {len(lacking)} weights are missing, such as {lacking[0]}")
    if hasattr(net, "generation_config"):
        # What a folder says of generation is merged into what is asked for: PP-FormulaNet's has an end forced at the last token.
        net.generation_config = GenerationConfig()
    return net.to(device).eval()


def opened_with_images(networks: Mapping[str, type[Any]], name: str, where: str, revision: str, device: str) -> tuple[Any, Any]:
    """A network that sees images, in float32, and what prepares them: of the class that `networks` has for its model type. `name`
    is what these are called together. Raises `ValueError`, naming `where`, if there is none, or one of another type."""
    path = place(where)
    config = prepared(lambda: AutoConfig.from_pretrained(path, revision=revision), where, name)
    if config.model_type not in networks:
        raise ValueError(f"{where} holds a network {config.model_type!r}: allowed are {', '.join(networks)}")
    net = opened(networks[config.model_type], where, revision, torch.float32, device_of(device))
    processor = prepared(lambda: AutoImageProcessor.from_pretrained(path, revision=revision), where, f"image processor of {name}")
    return net, processor


def prepared(make: Callable[[], Any], where: str, name: str) -> Any:
    """What `make` gives, such as a processor. Raises `ValueError`, naming `where`, if its files are missing or damaged."""
    try:
        return make()
    except WHOLE_OR_NOT as error:
        raise holds_no(where, name, error) from None


def holds_no(where: str, name: str, error: Exception) -> ValueError:
    return ValueError(f"{where} holds no {name}: {type(error).__name__}: {' '.join(str(error).split())[:300]}")


def device_of(device: str) -> str:
    """The device of that name; "": a GPU where there is one."""
    return device or ("cuda" if torch.cuda.is_available() else "cpu")


def dtype_of(precision: str, device: str) -> torch.dtype:
    """The number type of that name; "": bfloat16 on a GPU, float32 on a processor. Raises `ValueError` for another name."""
    if precision not in ("", "float32", "bfloat16", "float16"):
        raise ValueError(f"precision={precision}: allowed are float32, bfloat16 and float16")
    dtype: torch.dtype = getattr(torch, precision or ("float32" if device == "cpu" else "bfloat16"))
    return dtype


def version(name: str, where: str, revision: str) -> dict[str, str]:
    """What decides a network's answers: the digest of a folder's files, as that of the engine `name`; or a hub's name with its
    revision, which stays the same only if it is a commit's."""
    path = place(where)
    return {name: _sha256(path)} if os.path.isdir(path) else {where: revision}


@functools.cache
def _sha256(folder: str) -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(folder).iterdir()):
        if path.suffix in _DECIDES:
            digest.update(path.name.encode())
            with path.open("rb") as file:
                while part := file.read(_HASHED):
                    digest.update(part)
    return digest.hexdigest()


class Network(OnDemand):
    """A base of engines that are a network of transformers: it wants a GPU, and gives back its memory there."""

    gpus: ClassVar[int] = 1
    where: ClassVar[str] = "model"

    def close(self) -> None:
        super().close()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def in_parts(look: Callable[[Sequence[numpy.ndarray]], list[T]], images: Sequence[numpy.ndarray]) -> list[T]:
    """What `look` says of each image, asked about a few at a time."""
    results: list[T] = []
    with torch.inference_mode():
        for start in range(0, len(images), _AT_A_TIME):
            results += look(images[start : start + _AT_A_TIME])
    return results


class _Probabilities(LogitsProcessor):
    """Notes the logarithm of the probability of each token that greedy writing takes, and keeps no logits: those of a page are
    gigabytes."""

    def __init__(self) -> None:
        self.steps: list[Tensor] = []

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        self.steps.append(scores.float().log_softmax(-1).amax(-1))
        return scores


def written(net: Any, asked: dict[str, Tensor], end: int, pad: int, most: int) -> list[tuple[list[int], list[float]]]:
    """The tokens that the network writes greedily to each of the inputs, at most `most`, and the logarithms of their
    probabilities. The token `end` stands last unless an answer came to no end."""
    noted = _Probabilities()
    greedy = GenerationConfig(do_sample=False, max_new_tokens=most, eos_token_id=end, pad_token_id=pad)
    if net.config.is_encoder_decoder:
        text = net.config.get_text_config(decoder=True)
        greedy.decoder_start_token_id = text.decoder_start_token_id
    tokens_BN = net.generate(**asked, generation_config=greedy, logits_processor=LogitsProcessorList([noted]))
    logp_BN = torch.stack(noted.steps, 1)
    answers = []
    for tokens, logp in zip(tokens_BN[:, -logp_BN.shape[1] :].tolist(), logp_BN.tolist(), strict=True):
        num = tokens.index(end) + 1 if end in tokens else len(tokens)
        answers.append((tokens[:num], logp[:num]))
    return answers
