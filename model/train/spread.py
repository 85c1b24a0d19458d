"""A training's network over its ranks: this rank's part, the passes of batches, and the whole network for a while.

If ranks share weights, each decoder layer is sharded by itself, and the parts around the layers together. The encoder isn't
sharded: its towers are called once for each size of view, and not for text, so ranks would call different collectives. Its
gradients are summed once a step, and so are all gradients if ranks share no weights.
"""

import contextlib
import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from model.net.batch import Batch, through
from model.net.compiling import compile_layers
from model.net.deepencoder import views
from model.net.deepseek_ocr import DeepseekOcr, Losses
from model.net.frame_head import TOLD, FrameHead, sam_outputs
from model.net.guided_attention import guidance, queries_and_keys
from model.net.moe import Router
from model.net.stages import Stage, cut, stage_of
from model.train.log import Clock, by_source
from model.train.ranks import Ranks
from model.train.step import Train

if TYPE_CHECKING:
    from torch.distributed.pipelining import Schedule1F1B


_Came = tuple[Tensor, Tensor]  # a sum of losses, and the number of right ones
_Losses = tuple[Losses, _Came | None, _Came | None]


class Spread:
    """This rank's part of a training's network, `net`, on its device. Losses are kept apart for `num_sources` datasets."""

    def __init__(
        self,
        net: DeepseekOcr,
        step: Train,
        ranks: Ranks,
        device: torch.device,
        dtype: torch.dtype,
        num_sources: int,
        narrows_once: bool,
    ):
        """Takes the whole `net` apart. `narrows_once`: no activation is recomputed. Raises `ValueError` if `net` can't be cut
        into that many stages."""
        self.ranks, self.device, self.dtype, self.num_sources = ranks, device, dtype, num_sources
        self._narrows_once, self._answers = narrows_once, step.guidance.answers
        self.blank = net if ranks.is_alone else _blank(net)
        cut(net, ranks.stage, ranks.layout.cut)
        self.net = net.to(device)
        if step.compute.compiled:
            compile_layers(self.net)
        self._stage = self._staged() if ranks.layout.pipeline > 1 else None
        if ranks.layout.shard > 1:
            _shard(self._stage or self.net, self.net, ranks, dtype)
        self._schedule = self._scheduled(self._stage, step) if self._stage is not None else None

    def autocast(self) -> contextlib.AbstractContextManager:
        """Products in the training's precision. The backward pass must recompute the same operations. If weights are narrowed
        once for several uses, as for two sizes of views, it doesn't."""
        if self.dtype is torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.dtype, cache_enabled=self._narrows_once)

    def through(
        self,
        micros: Sequence[Batch],
        scale: float,
        balance_scale: float,
        clock: Clock,
        guides: tuple[float, float] = (0.0, 0.0),
    ) -> tuple[Tensor, Tensor]:
        """Forward and backward of a step's batches: (the loss; each source's sum of losses and number of tokens, (S, 2)), this
        rank's part. Over all ranks they add up to the step's, with the scales of the step.

        `guides` are the weights of a known frame (`frame_head`) and of a known place (`guided_attention`). Each has a row behind
        the sources: the sum of its losses, and the number of right ones. Gradients are there afterwards, of shared weights
        already summed.
        """
        self._total = torch.zeros((), device=self.device)
        self._sums_S2 = torch.zeros(self.num_sources, 2, dtype=torch.float64, device=self.device)
        guided_22 = torch.zeros(2, 2, dtype=torch.float64, device=self.device)
        if self._stage is not None:
            with clock.part("pipeline"):
                self._through_stages(self._stage, micros, scale, balance_scale)
            return self._total, torch.cat([self._sums_S2, guided_22])
        for n, one in enumerate(micros, 1):
            self._reduce_between_copies(n == len(micros))
            with clock.part("forward"), self.autocast():
                batch = one.to(self.device)
                losses, *guided = self._losses(batch, scale, balance_scale, *guides)
                total = losses.total
                for row, (weight, came) in enumerate(zip(guides, guided, strict=True)):
                    if came is not None:
                        total = total + weight * came[0]
                        guided_22[row] += torch.stack(came).detach()
            with clock.part("backward"):
                total.backward()
            self._total += total.detach()
            self._note(losses.each_T, batch.sources_T[: len(losses.each_T)])
        return self._total, torch.cat([self._sums_S2, guided_22])

    def _losses(self, batch: Batch, scale: float, balance_scale: float, of_frames: float, of_places: float) -> _Losses:
        """The losses of answers, none if they aren't learned; and those of frames and of places, None for a weight of 0."""
        if not of_frames and not of_places:
            return through(self.net, batch, scale, balance_scale), None, None
        sam = self.net.encoder.sam
        with sam_outputs(sam) as necks, queries_and_keys(self.net.decoder) as heads:
            if self._answers:
                losses = through(self.net, batch, scale, balance_scale)
            else:
                for parts in views(batch.images).values():
                    sam(torch.cat(parts))
                losses = Losses(torch.zeros((), device=self.device), torch.zeros(0, device=self.device))
        head: FrameHead = self.net.get_submodule(TOLD) if of_frames else None  # type: ignore[assignment]
        frames = head(necks, batch.images, batch.frames_F) if of_frames else None
        is_placed = of_places and heads and len(batch.looks_T)
        return losses, frames, guidance(heads, batch.samples_BL, batch.learned_T, batch.looks_T) if is_placed else None

    def _reduce_between_copies(self, on: bool) -> None:
        """Let copies of the weights sum their gradients once a step, after its last batch. Ranks that share weights do so at each
        batch: none has room for all gradients."""
        for module in self.net.modules():
            if isinstance(module, FSDPModule):
                module.set_requires_all_reduce(on)

    def _note(self, each_T: Tensor, sources_T: Tensor) -> None:
        self._sums_S2 += by_source(each_T, sources_T, self.num_sources)

    def _through_stages(self, stage: Stage, micros: Sequence[Batch], scale: float, balance_scale: float) -> None:
        assert self._schedule is not None
        stage.begin(micros, scale, balance_scale)
        numbers, totals = torch.arange(len(micros)), list[Tensor]()
        self._schedule.step(
            *((numbers,) if self.ranks.stage == 0 else ()),
            number=numbers,
            target=numbers if stage.is_last else None,
            losses=totals if stage.is_last else None,
            return_outputs=False,
        )
        for total in totals:
            self._total += total.detach()

    def _staged(self) -> Stage:
        half = self.dtype is not torch.float32
        weights = self.blank.encoder.compressor.net_3.weight
        dtype = self.dtype if half else weights.dtype
        return Stage(self.net, self.ranks.stage, self.ranks.layout.cut, dtype, self.device, self.autocast, self._note)

    def _scheduled(self, stage: Stage, step: Train) -> "Schedule1F1B":
        """The schedule of a stage, with the shapes of its inputs and outputs. Without them torch would try a step of its own."""
        from torch.distributed.pipelining import PipelineStage, Schedule1F1B  # half a second to load

        config, how, number = self.blank.config, self.ranks.layout.cut, self.ranks.stage
        trained = [name for name, p in self.blank.named_parameters() if p.requires_grad]
        first_trained = min(stage_of(name, config, how) for name in trained)

        def after(number: int) -> Tensor:
            """The output of stage `number`. It has a gradient if something before it is trained."""
            if number < 0:
                return torch.zeros(1, dtype=torch.int64)
            with_gradient = number >= first_trained
            if number == how.stages - 1:
                return torch.zeros(1, device=self.device, requires_grad=with_gradient)
            shape: tuple[int, ...] = (step.batches.micro_rows, step.batches.length, config.decoder.width)
            dtype = self.blank.decoder.embed_tokens.weight.dtype
            if how.has_towers_alone and number == 0:
                shape, dtype = (step.batches.micro_rows * step.batches.length, config.sam.downsample[1]), stage.dtype
            return torch.zeros(shape, dtype=dtype, device=self.device, requires_grad=with_gradient)

        handed, given = after(number - 1), after(number)
        placed = PipelineStage(stage, number, how.stages, self.device, handed, given, group=self.ranks.stages)
        num_micros = step.batches.rows_per_step // self.ranks.layout.copies // step.batches.micro_rows
        return Schedule1F1B(placed, num_micros, loss_fn=lambda total, _: total.sum(), scale_grads=False)

    @torch.no_grad()
    def gathered(self) -> DeepseekOcr | None:
        """The whole present network, on each rank and its device; in a pipeline on the first rank alone, None on the others. All
        ranks must call it."""
        of = self.ranks.layout
        if of.pipeline == of.shard == 1:
            return self.net
        state, whole = self.net.state_dict(), None
        if self.ranks.is_first or of.pipeline == 1:
            whole = copy.deepcopy(self.blank).to_empty(device=self.device)
        places = whole.state_dict() if whole is not None else {}
        for name in self.blank.state_dict():
            stage = stage_of(name, self.blank.config, self.ranks.layout.cut)
            value = state.get(name)
            if stage == self.ranks.stage:
                assert value is not None
                value = value.full_tensor() if isinstance(value, DTensor) else value
            if of.pipeline > 1:
                self.ranks.to_first(value, places.get(name), stage)
            elif value is not None:
                places[name].copy_(value)
        return whole


def _blank(net: DeepseekOcr) -> DeepseekOcr:
    memo: dict[int, object] = {}
    for p in net.parameters():
        memo[id(p)] = nn.Parameter(p.detach().to("meta"), requires_grad=p.requires_grad)
    for b in net.buffers():
        memo[id(b)] = b.to("meta")
    return copy.deepcopy(net, memo)


def _shard(root: nn.Module, net: DeepseekOcr, ranks: Ranks, dtype: torch.dtype) -> None:
    """Shard the weights. Layers are gathered in `dtype`, their products' precision: half the traffic, and no copy for each
    product. Routers multiply in fp32 and are apart, and so are the parts around the layers. Gradients are summed in fp32."""
    if ranks.layout.pipeline > 1 and not any(True for _ in net.decoder.parameters()):
        return  # towers alone
    narrow = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32, cast_forward_inputs=False)
    for layer in net.decoder.layers:
        for module in layer.modules():
            if isinstance(module, Router):
                fully_shard(module, mesh=ranks.copies)
        fully_shard(layer, mesh=ranks.copies, mp_policy=narrow if dtype is not torch.float32 else MixedPrecisionPolicy())
    whole = {p for name, p in net.named_parameters() if name.startswith(("encoder.", f"{TOLD}."))}
    around = MixedPrecisionPolicy(reduce_dtype=torch.float32, cast_forward_inputs=False)
    fully_shard(root, mesh=ranks.copies, ignored_params=whole, mp_policy=around)
    for module in root.modules():
        if isinstance(module, FSDPModule):
            # The loss is scaled by the whole step's tokens: gradients are summed, not divided.
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)
