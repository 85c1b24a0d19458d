"""The formulas against real networks: their parameters, torch's count of operations, what a forward pass keeps alive."""

import gc
import math
from collections import Counter

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from model.costs.pieces import PARTS, TOWERS, Load, forward_operations, linear_layers, parameters, pieces, stages
from model.files.lora import linear_layers as real_layers
from model.net import cpu
from model.net.activation_checkpointing import set_checkpointing
from model.net.config import ModelConfig, full, line_reader, small_moe, stage1, tiny
from model.net.cpu import experts, half_precision
from model.net.deepseek_ocr import DeepseekOcr, build, part_of
from model.net.image import Views
from model.net.loss import cross_entropy
from model.net.pipeline_cut import Cut
from model.net.stages import stage_of


@pytest.mark.parametrize("config", [full(), stage1(), small_moe(), tiny(), line_reader(1), line_reader(2)])
def test_parameters_are_counted_by_part(config):
    with torch.device("meta"):
        net = DeepseekOcr(config)
    counts: Counter[str] = Counter(dict.fromkeys(PARTS, 0))
    for name, parameter in net.named_parameters():
        counts[part_of(name)] += parameter.numel()
    assert dict(counts) == parameters(config)
    shapes = {name: tuple(net.get_parameter(f"{ours}.weight").shape[::-1]) for name, ours in real_layers(net).items()}
    assert shapes == linear_layers(config)


@pytest.mark.parametrize("pipeline", [1, 3, 4])
def test_the_cut_is_the_trainers(pipeline):
    with torch.device("meta"):
        net = DeepseekOcr(full())
    counts = [Counter[str]() for _ in range(pipeline)]
    for name, parameter in net.named_parameters():
        counts[stage_of(name, full(), Cut(pipeline))][part_of(name)] += parameter.numel()
    assert [sum((Counter(one.parameters) for one in stage), Counter()) for stage in stages(full(), Cut(pipeline))] == counts


def counted(function) -> int:
    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()


def folded(config: ModelConfig, height: int, width: int) -> int:
    """What SAM's attention does beyond the formula: biases and places as further dimensions of queries and keys. In windows, and
    where a view has so few patches that it isn't done by blocks."""
    sam, total = config.sam, 0
    rows, columns = height // sam.patch, width // sam.patch
    for n in range(sam.depth):
        if n not in sam.global_blocks:
            padded = math.prod(-(-side // sam.patch // sam.window) * sam.window for side in (height, width))
            total += 2 * padded * sam.window**2 * sam.heads * 2 * sam.window
        elif rows * columns < 1024:
            total += 2 * (rows * columns) ** 2 * sam.heads * (rows + columns)
    return total


def written_out(q, k, v, rows=None, columns=None, causal=False):
    """In place of attention by blocks, an operator that torch's counter doesn't look into. Masked pairs count, too."""
    bias = 0 if rows is None else (rows[..., :, None] + columns[..., None, :]).flatten(-2)
    return (q @ k.mT + bias).softmax(-1) @ v


@pytest.mark.parametrize("config", [tiny(), small_moe()], ids=["tiny", "small_moe"])
def test_operations_are_those_that_torch_counts(config, monkeypatch):
    """The backward pass of the decoder and the loss is twice the forward one."""
    # An expert's rows are as many as it has tokens: what fills them up is no part of the formula.
    monkeypatch.setattr(experts, "_ROUND", 1)
    monkeypatch.setattr(cpu, "attention", written_out)
    net = build(config).train()
    with torch.no_grad():
        for size in ((512, 512), (64, 1024)):
            view = Views(torch.randn(3, *size))
            expected = forward_operations(config, Load((size,))).total() + folded(config, *size)
            assert counted(lambda view=view: net.encoder([view])) == pytest.approx(expected, rel=1e-3)
    # So many that no expert has one alone: torch doesn't count a product with a vector.
    ids = torch.randint(0, config.decoder.vocab_size, (4, 256), generator=torch.Generator().manual_seed(0))

    def step():
        cross_entropy(net(ids).flatten(0, 1), net.lm_head.weight, ids.flatten()).backward()

    expected = forward_operations(config, Load((), (256,) * 4, 1024)).total()
    assert counted(step) == pytest.approx(3 * expected, rel=1e-3)


def alive(net: nn.Module, function) -> int:
    """The bytes that `function` leaves alive for a backward pass: what operators save, and what checkpoints keep beside them."""
    of_network = {value.untyped_storage().data_ptr() for value in [*net.parameters(), *net.buffers()]}
    bytes_of: dict[int, int] = {}

    def note(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in of_network:
            bytes_of[storage.data_ptr()] = storage.nbytes()
        return value

    gc.collect()
    gc.freeze()  # so that only what comes now is looked at, here and when the next one is collected
    with torch.autograd.graph.saved_tensors_hooks(note, lambda value: value):
        result = function()
    of_network |= {value.untyped_storage().data_ptr() for value in (result if isinstance(result, list) else [result])}
    for value in gc.get_objects():
        if issubclass(type(value), Tensor):
            note(value)
    return sum(bytes_of.values())


@pytest.mark.parametrize("checkpointing", [(), TOWERS], ids=["plain", "checkpointed"])
@pytest.mark.parametrize(
    ("views", "length"), [(((512, 512), (640, 640)), 900), (((64, 512),) * 3, 150)], ids=["two sizes", "lines"]
)
def test_bytes_are_those_that_a_forward_pass_keeps(views, length, checkpointing, monkeypatch):
    # The formulas are for a processor that multiplies bf16: others keep wider copies of what convolutions take.
    monkeypatch.setattr(half_precision, "native_dtype", lambda: torch.bfloat16)
    config = tiny()
    net = build(config, 1).train().bfloat16()
    set_checkpointing(net, checkpointing)
    sam, clip, _, *layers, head = pieces(config, Load(views, (length,), length // 2))
    expected = {one.name: one.ends + sum(one.again if checkpointing else one.blocks) for one in (sam, clip, *layers)}
    images = [Views(torch.randn(3, *view).bfloat16()) for view in views]
    assert expected["SAM"] + expected["CLIP"] == pytest.approx(alive(net.encoder, lambda: net.encoder(images)), rel=0.06)
    x_1LD = torch.randn(1, length, config.decoder.width, dtype=torch.bfloat16, requires_grad=True)
    decoder = sum(expected[one.name] for one in layers) + head.ends - length // 2 * config.decoder.width * 2
    assert decoder == pytest.approx(alive(net.decoder, lambda: net.decoder(x_1LD)), rel=0.06)
    if checkpointing and len(views) == 2:  # computed again, the largest block is there once
        x_BhwD = torch.randn(1, 40, 40, config.sam.width, dtype=torch.bfloat16, requires_grad=True)
        largest = max(alive(net, lambda block=block: block(x_BhwD)) for block in net.encoder.sam.blocks)
        assert max(sam.blocks) == pytest.approx(largest, rel=0.1)
