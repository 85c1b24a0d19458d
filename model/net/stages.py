"""The network cut into stages, each on ranks of its own: the paper's section 3.5.2.

    stages   what each has
    2        encoder and embedding | decoder layers and head
    3        encoder and embedding | half of the layers | half and head
    4        SAM and compressor | CLIP, projector and embedding | half of the layers | half and head: the paper's
    more     as 4, with the layers on all stages from the third on

A stage keeps the network's names of its parameters. What it hands on has one shape always: places of rows that are filled up to
their length. Of images that is enough room for all patches, since each becomes a token at least.

    B rows · L positions · D width · C channels of the compressor · P = B*L places
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.net.batch import Batch
from model.net.config import ModelConfig
from model.net.deepencoder import placed, views
from model.net.deepseek_ocr import DeepseekOcr
from model.net.image_modes import TOKEN_SIDE

_TOWERS = ("sam", "compressor")
_AFTER = ("clip", "projector", "image_newline", "view_separator")


def stage_of(name: str, config: ModelConfig, of: int) -> int:
    """The one of `of` stages that has the parameter or module `name`."""
    depth, before = config.decoder.depth, _num_before(of)
    part, _, rest = name.partition(".")
    if of == 1:
        return 0
    if part == "encoder":
        return 0 if rest.split(".")[0] in _TOWERS else before - 1
    if rest.startswith("embed_tokens"):
        return before - 1
    if rest.startswith("layers."):
        return before + int(rest.split(".")[1]) * (of - before) // depth
    return of - 1


def _num_before(of: int) -> int:
    """The stages before those of the decoder's layers."""
    return 2 if of > 3 else 1


def cut(net: DeepseekOcr, number: int, of: int) -> None:
    """Leave of `net` what stage `number` of `of` has. Raises `ValueError` if there aren't as many layers as stages for them."""
    if of == 1:
        return
    config = net.config
    if (most := config.decoder.depth + _num_before(of)) < of:
        raise ValueError(f"pipeline is {of}: the network has {config.decoder.depth} layers, which makes {most} stages at most")
    for name in [n for n, _ in net.decoder.layers.named_children()]:
        if stage_of(f"decoder.layers.{name}", config, of) != number:
            delattr(net.decoder.layers, name)  # the others keep their names
    places = ["decoder.embed_tokens", "decoder.norm", "lm_head", *(f"encoder.{part}" for part in (*_TOWERS, *_AFTER))]
    for place in places:
        if stage_of(place, config, of) != number:
            above, _, own = place.rpartition(".")
            holder = net.get_submodule(above)
            setattr(holder, own, None if isinstance(getattr(holder, own), nn.Parameter) else nn.Identity())


class Stage(nn.Module):
    """A stage of a step. `begin` gives it the step's batches, of which `forward` takes one by its number.

    The first stage gets nothing else. From the one with SAM alone there come patches, (P, C), zeros after the last; from those
    after it (B, L, D); from the last the loss of the batch, (1,).
    """

    def __init__(
        self,
        net: DeepseekOcr,
        number: int,
        of: int,
        dtype: torch.dtype,
        device: torch.device,
        autocast: Callable[[], contextlib.AbstractContextManager],
        on_losses: Callable[[Tensor, Tensor], None],
    ):
        super().__init__()
        self.net, self.number, self.of = net, number, of
        self.dtype, self.device, self.autocast, self.on_losses = dtype, device, autocast, on_losses
        self.is_towers_alone = of > 3 and number == 0
        self.embeds = number == _num_before(of) - 1
        self.is_last = number == of - 1
        self.micros: Sequence[Batch] = ()
        self.scale = self.balance_scale = 1.0

    def begin(self, micros: Sequence[Batch], scale: float, balance_scale: float) -> None:
        """Take the batches of a step, whose rows are all as long. Scales as `DeepseekOcr.forward` has them."""
        self.micros, self.scale, self.balance_scale = micros, scale, balance_scale

    def forward(self, handed: Tensor, number: Tensor) -> Tensor:
        one = self.micros[int(number)]
        with self.autocast():
            if self.is_towers_alone:
                return self._patches(one.to(self.device))
            if self.embeds:
                return self._embedded(handed, one)
            return self._decoded(handed, replace(one, images=(), pixels=None).to(self.device))

    def _patches(self, one: Batch) -> Tensor:
        seen = [local_BChw.flatten(2).transpose(1, 2).flatten(0, 1) for local_BChw in self.net.encoder.seen(one.images).values()]
        num_places, channels = one.ids_BL.numel(), self.net.config.sam.downsample[1]
        patches_TC = torch.cat([part.to(self.dtype) for part in seen or [torch.zeros(0, channels, device=self.device)]])
        return F.pad(patches_TC.to(self.dtype), (0, 0, 0, num_places - len(patches_TC)))

    def _embedded(self, patches_PC: Tensor, one: Batch) -> Tensor:
        encoder = self.net.encoder
        if self.of > 3:
            # Pixels stay where they are: of them the sizes alone are needed.
            one, images = replace(one, images=(), pixels=None).to(self.device), one.images
            seen, start = {}, 0
            for size, parts in views(images).items():
                num, (h, w) = sum(map(len, parts)), (side // TOKEN_SIDE for side in size)
                part_TC, start = patches_PC[start : start + num * h * w], start + num * h * w
                seen[size] = part_TC.unflatten(0, (num, h, w)).permute(0, 3, 1, 2).contiguous()
        else:
            one = one.to(self.device)
            images, seen = one.images, encoder.seen(one.images)
        x_BLD = self.net.decoder.embed_tokens(one.ids_BL)
        return placed(x_BLD, one.image_T, encoder.tokens(images, seen) if images else [])

    def _decoded(self, x_BLD: Tensor, one: Batch) -> Tensor:
        h_BLD: Tensor = self.net.decoder(x_BLD, one.samples_BL, None, self.balance_scale, one.num_samples)
        if not self.is_last:
            return h_BLD.to(x_BLD.dtype)
        losses = self.net.losses(h_BLD, one.labels_BL, self.scale, one.learned_T)
        self.on_losses(losses.each_T, one.sources_T)
        return losses.total[None]
