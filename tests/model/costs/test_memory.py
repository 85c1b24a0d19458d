"""What a training takes: against real optimisers, and for many GPUs against numbers worked out by hand."""

import re
from dataclasses import replace

import pytest
import torch

from model.costs import plan
from model.costs.memory import PAPER_TOKENS, Memory, memory, stage_name, table, table_of_layouts
from model.costs.pieces import PARTS, TOWERS, Load, parameters, pieces, stages
from model.costs.plan import ADAPTERS, BF16, BF16_8BIT, FP32, QLORA, SET_UPS, SetUp
from model.files.lora import adapt
from model.net.config import ModelConfig, full, tiny
from model.net.deepseek_ocr import build
from model.net.pipeline_cut import ONE_RANK, Cut, Layout
from model.train.forecast import planned
from model.train.optim import adamw, freeze
from model.train.step import Optim, Train
from recipes.train import FULL, FULL_STAGE_1, TINY

LOAD = Load(((1024, 1024), (640, 640)), (1900, 500), 1300)
PAPER = SET_UPS[1]  # SAM frozen
SAM, CLIP, PROJECTOR, UNUSED = 95_569_152, 303_177_728, 2_625_280, 602_112
ENCODER, EVERY = SAM + CLIP + PROJECTOR, 3_336_106_240
HALF = 1280 * 129280
ATTENTION = 4 * 1280 * 1280 + 2 * 1280  # with two norms
MIXTURE = 64 * 3 * 1280 * 896 + 3 * 1280 * 1792 + 64 * 1280
FIRST_HALF = 6 * ATTENTION + 3 * 1280 * 6848 + 5 * MIXTURE
LAST_HALF = 6 * (ATTENTION + MIXTURE) + 1280 + HALF
PAPERS = Layout(4, 40, 1)


def on_one(config: ModelConfig, set_up: SetUp) -> Memory:
    return memory(config, LOAD, set_up, ONE_RANK, 0, 1, ())


LORA_ELSEWHERE = SetUp("LoRA elsewhere", rank=3, targets=("qkv", "lm_head"), method=ADAPTERS)


@pytest.mark.parametrize(
    "set_up", [*SET_UPS, LORA_ELSEWHERE, *(replace(one, method=BF16) for one in SET_UPS[:3])], ids=lambda one: one.name
)
def test_weights_gradients_and_moments_are_an_optimisers(set_up):
    net = build(tiny())
    if set_up.rank:
        adapt(net.to(torch.bfloat16), set_up.rank, 4, set_up.targets)
    else:
        freeze(net, [part for part in PARTS if part not in set_up.parts])
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    assert sum(parameter.numel() for parameter in trained) == set_up.num_trained(pieces(tiny()))
    if set_up.method == BF16:
        net.to(torch.bfloat16)
    optimizer = adamw(net, Train((), optim=Optim(weight_dtype="bfloat16" if set_up.method == BF16 else "float32")))
    for parameter in trained:
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    moments = [value for state in optimizer.state.values() for slot, value in state.items() if slot != "step"]
    expected = on_one(tiny(), set_up)
    pairs = ((net.parameters(), expected.weights), (trained, expected.gradients), (moments, expected.optimizer))
    for values, num_bytes in pairs:
        assert sum(value.numel() * value.element_size() for value in values) == num_bytes


def test_methods_take_what_their_numbers_come_to():
    """The released network: all of it trained in 8-bit moments fits a card of 40 GB, and adapters over 4 bits one of 16."""
    size = on_one(full(), replace(SET_UPS[0], method=BF16_8BIT))
    trained = EVERY - UNUSED
    assert (size.weights, size.gradients, size.optimizer) == (2 * EVERY, 2 * trained, 4 * trained)
    counts = parameters(full())
    layers = counts["experts"] + counts["decoder"] - 25 * 1280 - 11 * 64 * 1280  # without norms and routers
    assert sum(one.num_packed for one in pieces(full())) == layers
    lora = on_one(full(), replace(SET_UPS[3], method=QLORA))
    beneath = round(0.5625 * layers) + 2 * (EVERY - layers)
    assert lora.weights == beneath + 4 * SET_UPS[3].num_trained(pieces(full()))
    text = table(full(), Load(((512, 512),), (300, 100), 200), 1000, 8)
    rows = {line.split("  ")[0]: line for line in text.partition(QLORA.name)[2].splitlines()}
    assert rows["LoRA, rank 16"].endswith(" 16 GB")
    assert re.search(r"^all .* 40 GB$", text.partition(BF16_8BIT.name)[2].partition(QLORA.name)[0], re.MULTILINE)
    assert re.search(r"^all .* 80 GB$", text.partition(FP32.name)[2].partition(ADAPTERS.name)[0], re.MULTILINE)
    assert f"{EVERY:,}" in text and "a step: 8 x 400 tokens in 2 samples, 1 views of images, 200 learned" in text
    assert "time is that of 1,000 steps on one GPU at 30% of its peak" in text


def test_stages_are_named_by_what_they_have():
    def names(*cut):
        return [stage_name(stage) for stage in stages(full(), Cut(*cut))]

    assert names(4) == ["SAM", "CLIP, embedding", "layers 0 to 5", "layers 6 to 11, head"]
    assert names(3, (7, 5)) == ["SAM, CLIP, embedding", "layers 0 to 6", "layers 7 to 11, head"]
    assert names(2) == ["SAM, CLIP, embedding", "layers 0 to 11, head"]
    with pytest.raises(ValueError, match=r"layers \(7, 4\): the network has 12"):
        names(3, (7, 4))
    with pytest.raises(ValueError, match=r"pipeline is 15: the network has 12 layers, which makes 14 stages at most"):
        names(15)


def test_memory_of_the_papers_stages_by_hand():
    """On 160 GPUs of which none shares its weights: 4 bytes a weight, 4 a gradient, 8 for two moments."""
    sam, clip, first, second = (memory(full(), LOAD, PAPER, PAPERS, n, 16, TOWERS) for n in range(4))
    assert (sam.weights, sam.gradients, sam.optimizer, sam.kept) == (4 * SAM, 0, 0, 0)
    with_embedding = CLIP + PROJECTOR + HALF
    assert clip.weights == 4 * with_embedding and clip.gradients == 4 * (with_embedding - UNUSED)
    assert (first.weights, first.gradients, first.optimizer) == tuple(n * FIRST_HALF for n in (4, 4, 8))
    assert (second.weights, second.optimizer) == (4 * LAST_HALF, 8 * LAST_HALF)
    # In bf16: what isn't experts, whose products are narrowed one after the other.
    assert first.copies == 2 * (FIRST_HALF - 5 * 64 * 3 * 1280 * 896)
    # A stage keeps as many batches as there are stages from it to the last.
    layers = sum(sum(one.blocks) for one in stages(full(), Cut(4), LOAD)[2])
    assert [memory(full(), LOAD, PAPER, PAPERS, 2, num, ()).kept for num in (16, 1)] == [2 * layers, layers]
    clip = stages(full(), Cut(4), LOAD)[1][0]
    assert memory(full(), LOAD, PAPER, PAPERS, 1, 16, ()).kept == 3 * (clip.ends + sum(clip.blocks))
    # Adapters are those of a stage's layers.
    lora = SET_UPS[3]
    gradients = [memory(full(), LOAD, lora, PAPERS, n, 16, TOWERS).gradients for n in range(4)]
    assert gradients[:2] == [0, 0] and sum(gradients) == 4 * lora.num_trained(pieces(full()))


def test_shared_weights_are_the_decoders():
    alone, shared = (memory(full(), LOAD, PAPER, Layout(1, 1, n), 0, 4, TOWERS) for n in (1, 8))
    decoder = EVERY - ENCODER
    assert shared.weights == 4 * (ENCODER + decoder // 8)
    assert shared.optimizer == 8 * (ENCODER - SAM - UNUSED + decoder // 8)
    # Layers come in bf16, and need no copies beside.
    assert shared.kept == alone.kept and shared.copies == alone.copies - 2 * parameters(full())["decoder"]
    # Embedding, head and norm, two layers at a time; gradients of the first and of one layer, which is added up in fp32.
    around, layer = 2 * HALF + 1280, ATTENTION + MIXTURE
    assert shared.gathered == 4 * around + 2 * 2 * layer + 4 * around + 6 * layer


def test_the_papers_rate_by_hand():
    """A corpus of 70 billion tokens takes the paper one day, whatever share of the peak that is."""
    load = Load(((1024, 1024),), (1000,), 700)
    text = table_of_layouts(full(), load, PAPER, [Layout(1, 20, 8)], 640, 1, TOWERS, num_samples=70_000_000)
    (row,) = (line for line in text.splitlines() if "the paper's)" in line)
    assert row.split()[-2:] == ["70B", "1"]
    share = PAPER_TOKENS / 86_400 / 160 * plan.operations(full(), load, PAPER) / 1000 / 312e12
    assert row.startswith(f"{share:.1%} ") and 0.06 < share < 0.14
    assert "70,000,000 samples, taken for such pages: 70B tokens" in text


def test_what_is_printed_for_a_training():
    text = planned(FULL.but(pipeline=4))
    assert "  40 GB: sam, clip, decoder computed again, 55.5 GB: too much for one\n" in text
    assert "  80 GB: nothing computed again, 62.7 GB\n" in text
    assert "100 steps of 640 rows learn from about" in planned(FULL.but(steps=100))
    own, *_ = text.partition("on 20 x 8 GPUs\n")[2].splitlines()
    assert own == "pipeline 4 x replicate 40 x shard 1, 16 batches a step"
    assert "pipeline 4 x replicate 20 x shard 2, 16 batches a step" in text
    assert "pipeline 1 x replicate 20 x shard 8, 4 batches a step" in text
    assert "pipeline 1 x replicate 20 x shard 8, 8 batches a step" in planned(FULL_STAGE_1)
    assert "on 2 x 8 GPUs" in planned(FULL, 2, 8) and "on 1 x 2 GPUs" in planned(TINY.but(rows_per_step=4), 0, 2)
    assert "GPUs\npipeline" not in planned(TINY)  # 2 rows aren't for 160
