"""The words of a training, shared by `train` and `finetune`, and the step that they give. If people know a word by another name,
from transformers' Trainer or ms-swift, the help has it in brackets."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, TypedDict

from model.train.data_config import HELD_OUT, TRAIN, Data
from model.train.step import Train
from recipes.words import values
from recipes.words.training_data import mixture

ADAPTERS_FASTER = 10.0
"""The factor of adapters' learning rate over weights'. It is ours, and no other was tried."""


class TrainingWords(TypedDict, total=False):
    """Missing words have the recipe's own values."""

    epochs: Annotated[float, "N", "passes over each row, in at most steps=N steps; default: the variant's"]
    steps: int
    rate: Annotated[float, "X", "peak learning rate (learning_rate); default: the variant's"]
    warmup: Annotated[float, "N", "steps over which the rate rises; below 1 a share of all (warmup_steps, warmup_ratio)"]
    schedule: Annotated[str, "NAME", "how the rate goes on: cosine, linear, step or constant (lr_scheduler_type)"]
    decay: Annotated[float, "X", "weight decay of matrices (weight_decay); 0: none", values.share]
    torch_dtype: Annotated[str, "NAME", "weights in float32, or in bfloat16, of which the optimizer keeps the rest (torch_dtype)"]
    optim: Annotated[str, "NAME", "adamw, or adamw_8bit: moments in 8 bits, by bitsandbytes (optim)"]
    rows_per_step: Annotated[int, "N", "packed rows a step, over all GPUs; how many are accumulated follows"]
    micro_rows: Annotated[int, "N", "packed rows at once on a GPU (per_device_train_batch_size)"]
    length: Annotated[int, "N", "tokens of a row; a longer sample is left out (max_length)"]
    modes: str
    freeze: Annotated[str, "A,B,…", "what not to train: sam, clip, projector, experts, embeddings, decoder, or name patterns"]
    adapter: Annotated[str, "FOLDER", "an adapter of ms-swift, Unsloth, peft or ours, merged into start first", values.places]
    train_adapter: Annotated[bool, "0|1", "train adapter on, and write it in its own form, in place of merging it (adapters)"]
    lora: int
    load_in_4bit: Annotated[bool, "0|1", "the decoder's layers in 4 bits beneath adapters: QLoRA (load_in_4bit, quant_bits)"]
    lora_targets: Annotated[str, "A,B,…", "layers with adapters: ends of their names, or all-linear (target_modules)"]
    lora_alpha: Annotated[float, "X", "what adapters are multiplied by, times their rank; default: twice the rank"]
    lora_dropout: Annotated[float, "X", "share of adapters' inputs that are dropped at random", values.share]
    modules_to_save: Annotated[str, "A,B,…", "what is trained whole beside adapters, as projector; named as for freeze"]
    held_out: Annotated[
        str,
        "X|FILE",
        "a share of rows to measure on (split_dataset_ratio), or other rows, as for data (val_dataset)",
        values.share_or_datasets,
    ]
    eval_steps: Annotated[int, "N", "steps from one measuring of held-out loss to the next"]
    save_steps: Annotated[int, "N", "steps from one checkpoint to the next"]
    save_total_limit: Annotated[int, "N", "how many checkpoints are kept"]
    gradient_checkpointing: Annotated[
        str, "A,B,…", "activations to compute again: sam, clip, decoder; none; default: on a GPU as few as its memory asks for"
    ]
    compile: Annotated[bool, "0|1", "compile layers of the decoder and of CLIP; the first steps take minutes (torch_compile)"]
    deterministic: Annotated[bool, "0|1", "ask torch for the same bytes each time, also of GPUs; slower (full_determinism)"]
    dataloader_num_workers: Annotated[int, "N", "processes that make batches, on each GPU; 0: a thread"]


_SAME = "rows_per_step micro_rows length adapter train_adapter lora lora_alpha lora_dropout deterministic".split()
_FIELDS = {word: word for word in _SAME} | {
    "schedule": "curve",
    "decay": "weight_decay",
    "torch_dtype": "weight_dtype",
    "load_in_4bit": "packed",
    "eval_steps": "loss_every",
    "save_steps": "checkpoint_every",
    "save_total_limit": "keep",
    "compile": "compiled",
    "dataloader_num_workers": "workers",
}
"""The field of `Train` for each word."""
_MOMENT_BITS = {"adamw": 32, "adamw_8bit": 8}
_LISTS = {"freeze": "frozen", "lora_targets": "lora_targets", "modules_to_save": "beside"}
_ALL = {**_FIELDS, **_LISTS, "gradient_checkpointing": "checkpointing", "rate": "learning_rate"}


def with_words(step: Train, words: TrainingWords, data: str) -> Train:
    """`step` with the values of `words`, on the datasets of `data`. Raises `ValueError` that names a wrong value."""
    if of_adapters := [
        word for word in ("lora_alpha", "lora_targets", "lora_dropout") if word in words and not words.get("lora")
    ]:
        raise ValueError(f"{of_adapters[0]} is of adapters: say lora=N, too")
    try:
        return _changed(step, words, data)
    except ValueError as error:
        raise ValueError(in_words(str(error))) from error


def in_words(message: str) -> str:
    """A message about a field of `Train`, with the user's word in the field's place."""
    field, *rest = message.split(" ", 1)
    return " ".join([{field: word for word, field in _ALL.items()}.get(field, field), *rest])


def _changed(step: Train, words: TrainingWords, data: str) -> Train:
    fields = {field: words[word] for word, field in _FIELDS.items() if word in words}  # type: ignore[literal-required]
    fields |= {field: _names(words[word]) for word, field in _LISTS.items() if word in words}  # type: ignore[literal-required]
    if towers := words.get("gradient_checkpointing", ""):
        fields["checkpointing"] = () if towers == "none" else _names(towers)
    if modes := _names(words.get("modes", "")):
        fields["modes"] = tuple((mode, 1.0) for mode in modes)
    if optim := words.get("optim", ""):
        if optim not in _MOMENT_BITS:
            raise ValueError(f"optim is {optim!r}: allowed are {' and '.join(_MOMENT_BITS)}")
        fields["moment_bits"] = _MOMENT_BITS[optim]
    if "rows_per_step" in words:
        fields["rows_follow"] = False
    step = step.but(**fields, **mixture(data))
    if (held_out := words.get("held_out", "")) and values.is_number(held_out):
        step = step.but(held_out_share=float(held_out))
    elif held_out:
        step = step.but(held_out_share=0.0, datasets=(*_only(step.data, TRAIN), *_only(mixture(held_out)["datasets"], HELD_OUT)))
    rate, given = step.optim.learning_rate, words.get("rate", 0.0)
    faster = given / rate if given else ADAPTERS_FASTER if step.weights.adapts else 1.0
    step = step.but(learning_rate=rate * faster, min_learning_rate=step.schedule.min_learning_rate * faster)
    return _lasting(step, words)


def _lasting(step: Train, words: TrainingWords) -> Train:
    if warmup := words.get("warmup", 0.0):
        is_share = warmup < 1
        step = step.but(warmup=10**9 if is_share else round(warmup), warmup_most=warmup if is_share else 1.0)
    steps, epochs = words.get("steps", 0), words.get("epochs", 0.0)
    if epochs or steps:
        step = step.but(epochs=epochs)
    return step.lasting(steps or step.schedule.steps)


def _only(datasets: Sequence[Data], use: str) -> tuple[Data, ...]:
    return tuple(replace(one, only=use) for one in datasets)


def _names(joined: str) -> tuple[str, ...]:
    return tuple(filter(None, joined.split(",")))
