"""Exports a network as a released folder, which transformers and vLLM read: names, types, files.

    python -m model.train.export FOLDER OUT [--adapter FOLDER] [--start FOLDER] [--dtype bfloat16]

    config.json                            the released structure, with `torch_dtype`
    model-00001-of-000001.safetensors      the released names, bf16, in one file
    model.safetensors.index.json           the file of each tensor
    tokenizer.json, tokenizer_config.json, special_tokens_map.json
    processor_config.json                  for vLLM's processor

FOLDER is one that `model.load` takes, or a training's, OUT/NAME; for an unfinished training, its last checkpoint is exported. An
adapter is merged into the weights. Further files of the training's start, such as the released code, are copied. `config.json`
comes last, so an unfinished folder doesn't load.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import safetensors.torch
import torch

from datagen.disk.storage import Folder, same_place
from datagen.target import BOS, EOS, IMAGE, PAD
from model.files import weights
from model.files.adapters import merge_adapter
from model.files.network_folder import TOKENIZER, check_vocabulary, load_model
from model.files.safetensors_files import write
from model.net.config import ModelConfig
from model.net.deepseek_ocr import DeepseekOcr
from model.net.frame_head import TOLD
from model.net.tokenizer import TextTokenizer
from model.train.checkpoint import Checkpoints
from model.train.optim import freeze
from model.train.run import METRICS, RUN
from model.train.start import TOLD_FILE, network, tokenizer_at, within
from model.train.step import Train, Weights, flat, sectioned

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
FILE = "model-00001-of-000001.safetensors"
_TOKEN_IDS = {"bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD, "image_token_id": IMAGE}
# The released config.json's values beside sizes. Its language fields are at the top, too, where the released code reads them.
_RELEASED = {"candidate_resolutions": [[1024, 1024]], "global_view_pos": "head", "tile_tag": "2D"}
_AUTO_MAP = {
    "AutoConfig": "modeling_deepseekocr.DeepseekOCRConfig",
    "AutoModel": "modeling_deepseekocr.DeepseekOCRForCausalLM",
}
_PROCESSOR = {
    "add_special_token": False,
    "candidate_resolutions": [[1024, 1024]],
    "downsample_ratio": 4,
    "ignore_id": -100,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "image_token": IMAGE,
    "mask_prompt": False,
    "normalize": True,
    "pad_token": PAD,
    "patch_size": 16,
    "processor_class": "DeepseekVLV2Processor",
    "sft_format": "deepseek",
}
# Weights, files that are written here, and pickles, which nobody should have to load.
_NOT_COPIED = (".safetensors", ".safetensors.index.json", ".bin", ".pt", ".pth", ".bin.index.json")
# transformers' values for its own class of the network, which has another name than the released one.
_OF_TRANSFORMERS = {"processor_config.json", "preprocessor_config.json", "generation_config.json", "chat_template.jinja"}


def export(
    out: Folder,
    net: DeepseekOcr,
    tokenizer: TextTokenizer,
    start: Folder | None = None,
    dtype: torch.dtype = torch.bfloat16,
    tell: Callable[[str], None] = lambda line: None,
) -> None:
    """Write `net` and `tokenizer` as a released folder into `out`, with the files of `start` beside weights. An adapter must be
    merged before. Weights that aren't in `dtype` are copied. The same network gives the same bytes. Weights in `out` are
    replaced. Raises `ValueError` if `out` is `start`, or if the tokenizer has more tokens than the network."""
    if start is not None and same_place(start, out):
        raise ValueError(f"{out.url}: the folder to write must be another than the one that the training started from")
    check_vocabulary(tokenizer, net.config, out.url)
    assert not hasattr(net, "peft_config"), "the adapter isn't merged"
    given, same_words = _config_of(start), start is not None and _has(start, tokenizer)
    out.remove(weights.CONFIG)
    released = weights.released_tensors(net)
    tensors = {key: value.to(dtype if value.is_floating_point() else value.dtype) for key, value in released.items()}
    total = sum(value.nbytes for value in tensors.values())
    index = _json({"metadata": {"total_size": total}, "weight_map": dict.fromkeys(tensors, FILE)})
    write(out, tensors, {"format": "pt"}, sys.maxsize, tell, index)
    ours = _tokenizer_files(tokenizer) | {"processor_config.json": _json(_PROCESSOR)}
    left_out = {weights.CONFIG, "adapter_config.json"}
    left_out |= set() if same_words else set(_tokenizer_files(tokenizer))
    left_out |= _OF_TRANSFORMERS if given.get("model_type") == "unlimited_ocr" else set()
    copied = [name for name in start.names() if name not in left_out and not name.endswith(_NOT_COPIED)] if start else []
    if start is not None:
        weights.copy(start, out, copied)
    for name in sorted(ours.keys() - copied):
        out.write(name, ours[name])
    with_code = out.exists("modeling_deepseekocr.py")
    out.write(weights.CONFIG, _config(net.config, tokenizer, dtype, given if same_words else {}, with_code))


def bare(net: DeepseekOcr, of: Weights, given: Weights, folder: Folder | None) -> None:
    """Remove a training's additions from `net`: the head that teaches SAM, and adapters, which are merged. With a `folder`, both
    are written there before. `given` has the places of weights in the user's names for those in `of`."""
    if hasattr(net, TOLD):
        if folder is not None:
            folder.write(TOLD_FILE, safetensors.torch.save(net.get_submodule(TOLD).state_dict()))
        delattr(net, TOLD)
    if of.adapts:
        from model.files.continued_adapters import save_continued  # peft: only adapters need it
        from model.files.lora import merge, save_adapter

        start = given.start if "/" in given.start else of.start
        if folder is not None and of.train_adapter:
            save_continued(folder.sub("adapter"), net, start)
        elif folder is not None:
            save_adapter(folder.sub("adapter"), net, start, given.adapter)
        merge(net)


def _has(start: Folder, tokenizer: TextTokenizer) -> bool:
    """Whether the tokenizer of `start` is `tokenizer`, even if the files differ in form."""
    return start.exists(TOKENIZER) and TextTokenizer.from_json(start.read(TOKENIZER)).to_json() == tokenizer.to_json()


def _config_of(start: Folder | None) -> dict[str, Any]:
    """The `config.json` of `start`, {} if there is none."""
    if start is None or not start.exists(weights.CONFIG):
        return {}
    given: dict[str, Any] = json.loads(start.read(weights.CONFIG))
    return given


def _config(config: ModelConfig, tokenizer: TextTokenizer, dtype: torch.dtype, given: dict[str, Any], with_code: bool) -> bytes:
    """`config.json`: `given`, if it has the released structure and these sizes, else new values."""
    name = str(dtype).removeprefix("torch.")
    if "language_config" not in given or not _same_sizes(given, config):
        given = json.loads(config.to_json(**{field: tokenizer.id(token) for field, token in _TOKEN_IDS.items()}))
        language = {key: value for key, value in given["language_config"].items() if key not in ("architectures", "torch_dtype")}
        given = _RELEASED | language | given | ({"auto_map": _AUTO_MAP} if with_code else {})
    given.pop("dtype", None)  # transformers' newer word for torch_dtype
    return _json(given | {"torch_dtype": name, "language_config": given["language_config"] | {"torch_dtype": name}})


def _same_sizes(given: dict[str, Any], config: ModelConfig) -> bool:
    """Whether `given` describes a network of `config`, apart from fresh weights and balance."""
    theirs = ModelConfig.from_json(json.dumps(given).encode())
    plain = dataclasses.replace(theirs.decoder, balance_alpha=config.decoder.balance_alpha)
    return dataclasses.replace(theirs, decoder=plain, init_std=config.init_std) == config


def _tokenizer_files(tokenizer: TextTokenizer) -> dict[str, bytes]:
    special = {"bos_token": BOS, "eos_token": EOS, "pad_token": PAD}
    config = special | {
        "clean_up_tokenization_spaces": False,
        "model_max_length": 10**30,  # "none" in transformers
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    return {
        TOKENIZER: tokenizer.to_json(),
        "tokenizer_config.json": _json(config),
        "special_tokens_map.json": _json(special),
    }


def _json(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.train.export", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", help="of weights, config.json and tokenizer.json; or of a training, for its last checkpoint")
    parser.add_argument("out", help="the folder to write")
    parser.add_argument("--adapter", help="a folder with a LoRA adapter, ours or another tool's, to merge into the weights")
    parser.add_argument("--start", help="a folder whose other files are copied, such as the released one; default: FOLDER")
    parser.add_argument("--dtype", choices=DTYPES, default="bfloat16")
    args = parser.parse_args()
    folder, out = Folder(args.folder), Folder(args.out)
    folder = folder.sub("model") if folder.exists(METRICS) else folder
    try:
        if folder.exists(RUN) and folder.exists(TOKENIZER) and not folder.exists(METRICS):  # an unfinished training
            net, tokenizer, start, step = _restored(folder)
            print(f"the checkpoint of step {step}", flush=True)
        else:
            # An adapter is merged into the weights in their own precision: they are rounded once, when they are written.
            net, tokenizer = load_model(folder, dtype=None if args.adapter else DTYPES[args.dtype])
            start = folder
        if args.adapter:
            merge_adapter(net, Folder(args.adapter))
        start = Folder(args.start) if args.start else start
        export(out, net, tokenizer, start, DTYPES[args.dtype], lambda line: print(line, flush=True))
    except (OSError, ValueError) as error:
        sys.exit(str(error))


def _restored(folder: Folder) -> tuple[DeepseekOcr, TextTokenizer, Folder | None, int]:
    """(the network of the training in `folder` at its last whole checkpoint, its tokenizer, its start, the step). Adapters are
    merged. The training may be going on. Raises `FileNotFoundError` if there is no checkpoint, and `ValueError` as for a start,
    or if `run.json` can't be read."""
    try:
        step = msgspec.convert(sectioned(flat(json.loads(folder.read(RUN))["step"])), Train)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder.path(RUN)} isn't that of a training: {error}") from error
    out = Folder(folder.url.rstrip("/").rpartition("/")[0] or ".")
    step = within(step, out)
    tokenizer = tokenizer_at(folder)
    net = network(step, tokenizer)
    freeze(net, step.weights.frozen)
    number = Checkpoints(folder.sub("checkpoint")).weights(net)
    bare(net, step.weights, step.weights, None)
    return net.eval(), tokenizer, Folder(step.weights.base) if step.weights.base else None, number


if __name__ == "__main__":
    main()
