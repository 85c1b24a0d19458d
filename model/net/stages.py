"""The network cut into stages, each on ranks of its own: the paper's section 3.5.2.

    stages   the parts of each
    2        encoder and embedding | decoder layers and head
    3        encoder and embedding | half of the layers | half and head
    4        SAM and compressor | CLIP, projector and embedding | half of the layers | half and head: the paper's
    more     as 4, with the layers on all stages from the third on
    others   as in `pipeline_cut.Cut`

A stage keeps the network's names of its parameters. Its output always has one shape: positions of rows padded to their length.
Images' patches fit there, since each becomes at least one token.

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
from model.net.pipeline_cut import Cut

_TOWERS = ("sam", "compressor")
_AFTER = ("clip", "projector", "image_newline", "view_separator")


def stage_of(name: str, config: ModelConfig, how: Cut) -> int:
    """The stage that has the parameter or module `name`."""
    part, _, rest = name.partition(".")
    if how.stages == 1:
        return 0
    if part == "encoder":
        return 0 if rest.split(".")[0] in _TOWERS else how.before - 1
    if rest.startswith("embed_tokens"):
        return how.before - 1
    if rest.startswith("layers."):
        return how.stage_of_layers(config.decoder.depth)[int(rest.split(".")[1])]
    return how.stages - 1


def cut(net: DeepseekOcr, number: int, how: Cut) -> None:
    """Leave only stage `number` in `net`. Raises `ValueError` if its layers aren't those of `how`."""
    if how.stages == 1:
        return
    config = net.config
    how.stage_of_layers(config.decoder.depth)
    for name in [n for n, _ in net.decoder.layers.named_children()]:
        if stage_of(f"decoder.layers.{name}", config, how) != number:
            delattr(net.decoder.layers, name)  # the others keep their names
    places = ["decoder.embed_tokens", "decoder.norm", "lm_head", *(f"encoder.{part}" for part in (*_TOWERS, *_AFTER))]
    for place in places:
        if stage_of(place, config, how) != number:
            above, _, own = place.rpartition(".")
            holder = net.get_submodule(above)
            setattr(holder, own, None if isinstance(getattr(holder, own), nn.Parameter) else nn.Identity())


class Stage(nn.Module):
    """A stage of a step. `begin` gives it the step's batches; `forward` takes a batch by its number. The first stage has no other
    input. The stage with SAM alone outputs patches, (P, C), with zeros after the last; stages after it (B, L, D); the last one
    the loss of the batch, (1,)."""

    def __init__(
        self,
        net: DeepseekOcr,
        number: int,
        how: Cut,
        dtype: torch.dtype,
        device: torch.device,
        autocast: Callable[[], contextlib.AbstractContextManager],
        on_losses: Callable[[Tensor, Tensor], None],
    ):
        super().__init__()
        self.net, self.number = net, number
        self.dtype, self.device, self.autocast, self.on_losses = dtype, device, autocast, on_losses
        self.has_patches = how.has_towers_alone  # from the stage before
        self.is_towers_alone = how.has_towers_alone and number == 0
        self.embeds = number == how.before - 1
        self.is_last = number == how.stages - 1
        self.micros: Sequence[Batch] = ()
        self.scale = self.balance_scale = 1.0

    def begin(self, micros: Sequence[Batch], scale: float, balance_scale: float) -> None:
        """Take the batches of a step, whose rows have one length. Scales as in `DeepseekOcr.forward`."""
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
        if self.has_patches:
            # Pixels aren't moved: only their sizes are needed.
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
        h_BLD: Tensor = self.net.decoder(x_BLD, one.samples_BL, None, self.balance_scale, one.lengths)
        if not self.is_last:
            return h_BLD.to(x_BLD.dtype)
        losses = self.net.losses(h_BLD, one.labels_BL, self.scale, one.learned_T)
        self.on_losses(losses.each_T, one.sources_T)
        return losses.total[None]
