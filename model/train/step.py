"""A recipe's training as plain values, by sections. This file loads no torch, so a recipe is quick to build and to show."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from model.costs.pieces import TOWERS
from model.costs.plan import LANGUAGE
from model.net.config import ModelConfig, tiny
from model.train.data_config import Data

CURVES = ("cosine", "linear", "step", "constant")
PRECISIONS = ("", "bfloat16", "float32")
WEIGHT_DTYPES = ("float32", "bfloat16")
RANDOM = "random"
PACKAGED = "packaged"
"""The start that is the package's own network, `model.files.packaged`."""


@dataclass(frozen=True)
class Weights:
    """The places of starting weights, and the trained ones among them.

    start               a folder of weights with its tokenizer; here and in the next two fields, a name without a slash is that
                        of another training of the output
    adapter             a folder with an adapter, ours or another tool's, that is merged into `start` first
    train_adapter       whether `adapter` is trained on instead, with its own rank, and written again in its form
    start_encoder       a folder from which only the encoder is taken; or two, joined by a comma: SAM's and CLIP's as published
    start_decoder       a folder from which only decoder and tokenizer are taken; or "random". It is needed if an encoder is taken
                        from a folder
    frozen              parts that aren't trained, as in `model.net.deepseek_ocr.PARTS`, or patterns of parameters' names
    lora                the rank of adapters that are trained in place of the weights, which keep their own precision; 0: none
    packed              whether the weights of the decoder's layers are in 4 bits beneath adapters: `model.files.four_bit`
    lora_alpha          the factor of an adapter's output, times its rank; 0: twice the rank
    lora_targets        the released names of the layers with an adapter, or their ends; "all-linear": all but the head
    lora_dropout        the share of an adapter's inputs that are dropped at random
    beside              parts, or patterns, that are trained whole beside adapters
    """

    start: str = ""
    adapter: str = ""
    train_adapter: bool = False
    start_encoder: str = ""
    start_decoder: str = ""
    frozen: tuple[str, ...] = ()
    lora: int = 0
    packed: bool = False
    lora_alpha: float = 0.0
    lora_targets: tuple[str, ...] = LANGUAGE
    lora_dropout: float = 0.0
    beside: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """The folder of all weights or the decoder's, whose other files an export has, too; "" without a folder."""
        return self.start or (self.start_decoder if self.start_decoder != RANDOM else "")

    @property
    def adapts(self) -> bool:
        """Whether adapters are trained in place of weights."""
        return self.lora > 0 or self.train_adapter

    @property
    def encoder_folder(self) -> str:
        """The folder of the encoder, "" if there is none, or if it is SAM's and CLIP's."""
        return "" if "," in self.start_encoder else self.start_encoder

    def __post_init__(self) -> None:
        _at_least(self, 0, "lora", "lora_alpha")
        if not 0 <= self.lora_dropout < 1:
            raise ValueError(f"lora_dropout is {self.lora_dropout}: it must be at least 0, and less than 1")
        if self.adapter and not self.start:
            raise ValueError(f"adapter is {self.adapter}: it is merged into start, which is empty")
        if self.train_adapter and (self.lora or not self.adapter):
            raise ValueError("train_adapter trains on what is in adapter, which has a rank of its own: give adapter, and no lora")
        if self.packed and not (self.lora and self.start):
            raise ValueError("packed is of weights of start beneath fresh adapters: give start and lora, too")
        if self.beside and not self.lora:
            raise ValueError(f"{', '.join(self.beside)} can be trained beside adapters, and lora is 0: there are none")
        if self.start and (self.start_encoder or self.start_decoder):
            raise ValueError(f"start is {self.start}: it is the whole network, so start_encoder and start_decoder must be empty")
        if self.start_encoder and not self.start_decoder:
            raise ValueError(
                f"start_encoder is {self.start_encoder}, and start_decoder is empty: give the decoder's folder, or "
                f"start_decoder={RANDOM} for one that knows nothing yet"
            )


@dataclass(frozen=True)
class Schedule:
    """The length of a training in steps, since a budget in seconds wouldn't give the same weights twice; and its learning rate.

    steps               steps of the optimizer, or with `epochs` their largest number. See `Train.worth`
    epochs              a number of passes through all samples, in steps; 0: `steps` alone
    num_samples         the number of samples for which `steps` is meant
    curve               "cosine" or "linear" from the learning rate to `min_learning_rate`, "step" or "constant"; after `warmup`
                        steps, which are at most the share `warmup_most` of all
    step_at             for "step", the shares of the steps past each of which the rate is multiplied by `step_factor`
    """

    steps: int = 450
    epochs: float = 0.0
    num_samples: int = 1
    curve: str = "cosine"
    min_learning_rate: float = 1e-4
    step_at: tuple[float, ...] = (0.8, 0.9)
    step_factor: float = 0.316
    warmup: int = 20
    warmup_most: float = 0.1

    def __post_init__(self) -> None:
        _at_least(self, 1, "steps", "num_samples")
        _at_least(self, 0, "epochs", "warmup")
        if self.curve not in CURVES:
            raise ValueError(f"curve is {self.curve!r}: allowed are {', '.join(CURVES)}")


@dataclass(frozen=True)
class Optim:
    """AdamW.

    max_norm            the longest gradient that isn't shortened; 0: any
    weight_dtype        "float32", or "bfloat16" for weights and gradients, with the missing bits of fp32 in the optimizer
    moment_bits         32, or 8: `model.train.lean_adamw`
    """

    learning_rate: float = 3e-3
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = 0.05
    max_norm: float = 1.0
    weight_dtype: str = WEIGHT_DTYPES[0]
    moment_bits: int = 32

    def __post_init__(self) -> None:
        _at_least(self, 0, "weight_decay", "max_norm")
        if self.weight_dtype not in WEIGHT_DTYPES:
            raise ValueError(f"weight_dtype is {self.weight_dtype!r}: allowed are {', '.join(WEIGHT_DTYPES)}")
        if self.moment_bits not in (8, 32):
            raise ValueError(f"moment_bits is {self.moment_bits}: allowed are 8 and 32")

    @property
    def is_narrow(self) -> bool:
        return self.weight_dtype != WEIGHT_DTYPES[0]


@dataclass(frozen=True)
class Batches:
    """From samples to batches.

    rows_per_step       packed rows that a step learns, over all ranks
    rows_follow         whether there are more, so that each rank has `micro_rows` of its own: `model.train.layout.filled`
    micro_rows          rows that go through the network at a time. Their gradients are summed
    length              tokens of a row. A longer sample is left out, and counted
    modes               image modes with their weights, of which each sample draws one
    scans, photos       shares of images that are made to look scanned or photographed
    tokenizer_samples   samples from which a fresh tokenizer learns; 0: a tokenizer of bytes
    """

    rows_per_step: int = 2
    rows_follow: bool = False
    micro_rows: int = 2
    length: int = 1024
    modes: tuple[tuple[str, float], ...] = (("tiny", 1.0),)
    scans: float = 0.0
    photos: float = 0.0
    tokenizer_samples: int = 1500

    def __post_init__(self) -> None:
        _at_least(self, 1, "rows_per_step", "micro_rows", "length")
        _at_least(self, 0, "tokenizer_samples")
        if min(self.scans, self.photos) < 0 or self.scans + self.photos > 1:
            raise ValueError(f"scans is {self.scans}, photos {self.photos}: shares of all images, together at most 1")


@dataclass(frozen=True)
class Evaluation:
    """The measurements: their samples, and their times.

    held_out_share      the share of groups, usually documents, that never train. 0: only those of a dataset that is all held out,
                        or one group if there is none
    loss_samples        held-out samples of each dataset for the loss, every `loss_every` steps
    read_samples        held-out samples of each dataset that are read, at the end, and every `read_every` steps if that isn't 0,
                        with at most `max_new_tokens` tokens
    read_first          whether they are also read before the first step
    shown_samples       the read samples of each dataset that the report shows
    looks_after         steps after which held-out loss with another's image must differ from that with the own one
    """

    held_out_share: float = 0.1
    loss_samples: int = 16
    loss_every: int = 90
    read_samples: int = 16
    read_every: int = 0
    read_first: bool = False
    shown_samples: int = 4
    max_new_tokens: int = 400
    looks_after: int = 100

    def __post_init__(self) -> None:
        _at_least(self, 1, "loss_samples", "loss_every", "read_samples", "max_new_tokens", "looks_after")
        _at_least(self, 0, "read_every", "shown_samples")
        if not 0 <= self.held_out_share < 1:
            raise ValueError(f"held_out_share is {self.held_out_share}: it must be at least 0, and less than 1")


@dataclass(frozen=True)
class Guidance:
    """Further lessons of a network that starts from nothing, beside its answers, so that it learns to see first.

    told                the weight of a line's characters, frame by frame, beside an answer's tokens, if the dataset `tells` them:
                        `model.net.frame_head`; 0: none
    told_until          the share of the steps over which this weight falls to 0; 0: it doesn't fall
    placed              likewise, for one of the decoder's heads: the image token with the next character:
                        `model.net.guided_attention`
    placed_until        as told_until
    answers             whether answers are learned, too. If not, only SAM sees images
    """

    told: float = 0.0
    told_until: float = 1.0
    placed: float = 0.0
    placed_until: float = 1.0
    answers: bool = True

    def __post_init__(self) -> None:
        _at_least(self, 0, "told", "told_until", "placed", "placed_until")
        if not self.answers and not self.told:
            raise ValueError("answers is off and told is 0: nothing is left to learn")

    def weights(self, number: int, steps: int) -> tuple[float, float]:
        """The weights of `told` and `placed` at step `number` of `steps`, from 0."""

        def now(weight: float, until: float) -> float:
            return weight * max(0.0, 1 - number / (until * steps)) if until else weight

        return now(self.told, self.told_until), now(self.placed, self.placed_until)


@dataclass(frozen=True)
class Checkpoint:
    """The steps between checkpoints, of which the last `keep` are kept."""

    checkpoint_every: int = 50
    keep: int = 2

    def __post_init__(self) -> None:
        _at_least(self, 1, "checkpoint_every", "keep")


@dataclass(frozen=True)
class Compute:
    """The computing.

    device              "cpu", "cuda", or "" for a GPU if there is one
    precision           that of products: "bfloat16", "float32", or "" for the fastest on the device
    checkpointing       towers whose activations are recomputed in the backward pass, of sam, clip and decoder; None: on a GPU
                        those that must be, by the plan
    compiled            whether layers of the decoder and of CLIP are compiled: `model.net.compiling`
    workers             processes that make batches, on each rank; 0: a thread of this one
    threads             threads of a rank's own process
    deterministic       whether torch uses algorithms that add in a fixed order, also on a GPU; slower
    """

    device: str = ""
    precision: str = ""
    checkpointing: tuple[str, ...] | None = ()
    compiled: bool = False
    workers: int = 0
    threads: int = 2
    deterministic: bool = False

    def __post_init__(self) -> None:
        _at_least(self, 1, "threads")
        _at_least(self, 0, "workers")
        if unknown := set(self.checkpointing or ()) - set(TOWERS):
            raise ValueError(f"checkpointing has {', '.join(sorted(unknown))}: allowed are {', '.join(TOWERS)}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}: allowed are bfloat16, float32, and none for the device's own")


@dataclass(frozen=True)
class Parallel:
    """The ranks' shares of a network.

    pipeline            stages into which `model.net.stages` cuts the network; 1 for a single process
    replicate           copies of each stage, whose gradients are summed. Ranks beyond `pipeline` times `replicate` share the
                        weights of a copy
    stage_layers        the decoder's layers on each of the last stages; (): evenly
    """

    pipeline: int = 1
    replicate: int = 1
    stage_layers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _at_least(self, 1, "pipeline", "replicate")


def _at_least(section: Any, least: int, *names: str) -> None:
    for name in names:
        if getattr(section, name) < least:
            raise ValueError(f"{name} is {getattr(section, name)}: it must be at least {least}")


@dataclass(frozen=True)
class Train:
    """A training: its network, its datasets, and all values. No two sections have fields of one name.

    datasets            the datasets to learn: `Data`, or a name, which stands for a dataset of the group "ocr"
    groups              shares of the groups of datasets. A group without a sample is left out. Empty: groups have no influence,
                        and datasets come by their weights, or their numbers of samples
    model               the sizes of a network that starts fresh. A network from a folder has the folder's
    optional            whether a recipe goes on without this training, with a message: without a GPU, or without samples
    """

    datasets: tuple[str | Data, ...]
    groups: tuple[tuple[str, float], ...] = (("ocr", 0.7), ("vision", 0.2), ("text", 0.1))
    model: ModelConfig = field(default_factory=tiny)
    weights: Weights = Weights()
    schedule: Schedule = Schedule()
    optim: Optim = Optim()
    batches: Batches = Batches()
    evaluation: Evaluation = Evaluation()
    guidance: Guidance = Guidance()
    checkpoint: Checkpoint = Checkpoint()
    compute: Compute = Compute()
    parallel: Parallel = Parallel()
    optional: bool = False
    seed: int = 0
    name: str = "train"

    def __post_init__(self) -> None:
        least, peak = self.schedule.min_learning_rate, self.optim.learning_rate
        if self.schedule.curve in ("cosine", "linear") and least > peak:
            raise ValueError(f"min_learning_rate is {least}: it must be at most the peak, learning_rate, which is {peak}")
        if self.optim.is_narrow and self.weights.adapts:
            raise ValueError("weight_dtype is of weights that are trained: beneath adapters they keep their own, so leave it out")

    @property
    def data(self) -> tuple[Data, ...]:
        """The datasets, each with its place in the mixture."""
        return tuple(Data(one) if isinstance(one, str) else one for one in self.datasets)

    def but(self, **values: Any) -> "Train":
        """This step with other `values` of fields, in any section. Raises `TypeError` for an unknown field."""
        own = sectioned(values)
        return replace(self, **own | {name: replace(getattr(self, name), **own[name]) for name in SECTIONS if name in own})

    def worth(self, num_samples: int) -> "Train":
        """This step with fewer `steps` and `warmup` for fewer than `num_samples`: by the square root, at least 0.3 of them."""
        share = min(1.0, max(0.3, math.sqrt(num_samples / self.schedule.num_samples)))
        return self.but(steps=max(1, round(self.schedule.steps * share)), warmup=round(self.schedule.warmup * share))

    def lasting(self, steps: int) -> "Train":
        """This step with `steps`, of which at most the share `warmup_most` are `warmup`."""
        return self.but(steps=steps, warmup=min(self.schedule.warmup, math.ceil(round(steps * self.schedule.warmup_most, 6))))


SECTIONS: dict[str, Any] = {one.name: type(one.default) for one in fields(Train) if is_dataclass(one.default)}
"""The sections of `Train`, by name."""


def sectioned(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of fields, each in its section: {"seed": 1, "steps": 9} as {"seed": 1, "schedule": {"steps": 9}}."""
    section_of = {one.name: name for name, kind in SECTIONS.items() for one in fields(kind)}
    nested: dict[str, Any] = {}
    for name, value in values.items():
        place = nested.setdefault(section_of[name], {}) if name in section_of else nested
        place[name] = value
    return nested


def flat(step: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a training's fields without sections, from run.json. An earlier version wrote them without sections, and
    called the curve `schedule`."""
    values = dict(step)
    if isinstance(values.get("schedule"), str):
        values["curve"] = values.pop("schedule")
    for name in SECTIONS:
        values |= values.pop(name, {})
    return values
